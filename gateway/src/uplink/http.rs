//! One HTTP/1.1 connection to one destination, over mutual TLS, kept alive.
//!
//! Only octets and sockets: what an answer means is judged elsewhere. Redirects are answers like others and are
//! never followed. There is no plain HTTP. A failure tells whether octets of the request may have left.

use super::dial::{self, Wire};
use crate::clock;
use crate::tls;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hearth_core::delivery::{Answer, Body, Receipt, Sent, Transport, retry_after};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Method, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;

/// For name, TCP and TLS together.
const CONNECT: Duration = Duration::from_secs(10);
/// Servers close idle connections after 30 s and more (Jetty 30, nginx 75): one that is older is not trusted.
pub(super) const IDLE: Duration = Duration::from_secs(20);
/// Octets that compression must save: a packet, about.
const WORTH_IT: usize = 1_024;
/// No answer to a bundle of readings is longer.
const LONGEST_ANSWER: usize = 16 << 20;

/// Where a destination's FHIR API is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Base {
    host: String,
    port: u16,
    /// With its last slash: some servers answer a POST without it with a redirect.
    path: String,
}

impl Base {
    /// `https://host[:port]/path/`. The error is a sentence.
    pub fn parse(url: &str) -> Result<Base, String> {
        let uri: Uri = url.parse().map_err(|e| format!("{url:?} is no URL ({e})"))?;
        if uri.scheme_str() != Some("https") {
            return Err(format!("{url:?} must start with https://; readings leave only over mutual TLS"));
        }
        if uri.query().is_some() {
            return Err(format!("{url:?} must not have a query"));
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(format!("{url:?} names no host"))?;
        Ok(Base {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(443),
            path: format!("{}/", uri.path().trim_end_matches('/')),
        })
    }
}

/// One request, below the base.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub method: Method,
    /// `Observation/abc`, a query included; empty for a Bundle.
    pub path: String,
    pub headers: Vec<(HeaderName, String)>,
    pub body: Bytes,
}

impl Request {
    /// The same with its body compressed (RFC 9110 8.4). `None`: nothing would be gained.
    pub fn compressed(&self) -> Option<Request> {
        let mut encoder = GzEncoder::new(Vec::with_capacity(self.body.len() / 4), Compression::default());
        encoder.write_all(&self.body).ok()?;
        let body: Bytes = encoder.finish().ok()?.into();
        let mut headers = self.headers.clone();
        headers.push((header::CONTENT_ENCODING, "gzip".to_owned()));
        let smaller = body.len() + WORTH_IT < self.body.len();
        smaller.then(|| Request { method: self.method.clone(), path: self.path.clone(), headers, body })
    }
}

/// One destination's connection, opened when it is needed.
pub struct Http {
    base: Base,
    timeout: Duration,
    open: Option<Open>,
}

type Stream = Watched<TlsStream<Wire>>;

struct Open {
    sender: SendRequest<Full<Bytes>>,
    /// Polled beside each request: this file starts no task.
    connection: Pin<Box<Connection<TokioIo<Stream>, Full<Bytes>>>>,
    ended: bool,
    wrote: Arc<AtomicBool>,
    answered: bool,
    since: Instant,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("base", &self.base).field("open", &self.open.is_some()).finish()
    }
}

impl Http {
    /// `timeout`: for one request, from its first octet to the answer's last.
    pub fn new(base: Base, timeout: Duration) -> Http {
        Http { base, timeout, open: None }
    }

    /// Ends the connection, so that the next request begins with a handshake.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Opens the connection, if there is none that is fit: so that nothing is begun for a dead destination.
    pub async fn open(&mut self, client: &tls::Client) -> Result<(), Transport> {
        self.open = match self.open.take().and_then(Open::if_fit) {
            Some(open) => Some(open),
            None => Some(self.connect(client).await?),
        };
        Ok(())
    }

    /// Sends one request and waits for its answer. Cancelled, it ends the connection.
    pub async fn send(&mut self, client: &tls::Client, request: &Request) -> Receipt {
        let (mut open, reused) = match self.open.take().and_then(Open::if_fit) {
            Some(open) => (open, true),
            None => match self.connect(client).await {
                Ok(open) => (open, false),
                Err(transport) => return Receipt::Transport(transport),
            },
        };
        let mut answer = self.exchange(&mut open, request).await;
        // The other side had hung up before we spoke: nothing left, so this is no repeat.
        if let (true, Err(Transport::Cut { sent: Sent::No, .. })) = (reused, &answer) {
            open = match self.connect(client).await {
                Ok(open) => open,
                Err(transport) => return Receipt::Transport(transport),
            };
            answer = self.exchange(&mut open, request).await;
        }
        match answer {
            Ok(answer) => {
                open.answered = true;
                open.since = Instant::now();
                self.open = Some(open);
                Receipt::Answer(answer)
            }
            Err(transport) => Receipt::Transport(transport),
        }
    }

    async fn connect(&self, client: &tls::Client) -> Result<Open, Transport> {
        let unanswered = |_| Err(Transport::Timeout { sent: Sent::No });
        timeout(CONNECT.min(self.timeout), self.shake_hands(client)).await.unwrap_or_else(unanswered)
    }

    async fn shake_hands(&self, client: &tls::Client) -> Result<Open, Transport> {
        let Base { host, port, .. } = &self.base;
        let wire = dial::dial(host, *port).await?;
        let name = ServerName::try_from(host.clone()).map_err(|e| Transport::Dns(e.to_string()))?;
        let cut = |e: &(dyn Error + 'static)| {
            tls::fault(e)
                .map_or_else(|| Transport::Cut { sent: Sent::No, said: e.to_string() }, Transport::Tls)
        };
        let tls = client.connector.connect(name, wire).await.map_err(|e| cut(&e))?;
        let wrote = Arc::new(AtomicBool::new(false));
        let stream = Watched { stream: tls, wrote: Arc::clone(&wrote) };
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| cut(&e))?;
        Ok(Open {
            sender,
            connection: Box::pin(connection),
            ended: false,
            wrote,
            answered: false,
            since: Instant::now(),
        })
    }

    async fn exchange(&self, open: &mut Open, request: &Request) -> Result<Answer, Transport> {
        let mut asked = hyper::Request::builder()
            .method(request.method.clone())
            .uri(format!("{}{}", self.base.path, request.path))
            .header(header::HOST, self.authority())
            .header(header::USER_AGENT, concat!("hearth/", env!("CARGO_PKG_VERSION")))
            .header(header::ACCEPT, "application/fhir+json");
        for (name, value) in &request.headers {
            asked = asked.header(name, value);
        }
        // Paths are made of ids and escaped values; a bad one is ours, and is no reason to stop the hub.
        let asked = asked.body(Full::new(request.body.clone())).map_err(|e| Transport::Cut {
            sent: Sent::No,
            said: format!("the request cannot be written: {e}"),
        })?;

        open.wrote.store(false, Ordering::Relaxed);
        let wrote = Arc::clone(&open.wrote);
        let sent = || if wrote.load(Ordering::Relaxed) { Sent::Maybe } else { Sent::No };
        let first = !open.answered;
        let response = open.sender.send_request(asked);
        let whole = async {
            let response = response.await.map_err(|e| failure(&e, sent(), first))?;
            let (head, body) = response.into_parts();
            read(Response::from_parts(head, ()), body).await.map_err(|e| {
                match e.downcast_ref::<LengthLimitError>() {
                    Some(_) => Transport::TooLarge,
                    None => failure(e.as_ref(), sent(), false),
                }
            })
        };
        let beside = beside(&mut open.connection, &mut open.ended, whole);
        timeout(self.timeout, beside).await.unwrap_or_else(|_| Err(Transport::Timeout { sent: sent() }))
    }

    fn authority(&self) -> String {
        let Base { host, port, .. } = &self.base;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        if *port == 443 { host } else { format!("{host}:{port}") }
    }
}

impl Open {
    /// Young, and not ended by the other side meanwhile.
    fn if_fit(mut self) -> Option<Open> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        self.ended = self.ended || self.connection.as_mut().poll(&mut context).is_ready();
        let fit = !self.ended && !self.sender.is_closed() && self.since.elapsed() < IDLE;
        fit.then_some(self)
    }
}

async fn read(head: Response<()>, body: Incoming) -> Result<Answer, Box<dyn Error + Send + Sync>> {
    let octets = Limited::new(body, LONGEST_ANSWER).collect().await?.to_bytes();
    let headers: &HeaderMap = head.headers();
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
    Ok(Answer {
        retry_after: text(header::RETRY_AFTER).and_then(|header| retry_after(&header, clock::now())),
        location: text(header::LOCATION).or_else(|| text(header::CONTENT_LOCATION)),
        etag: text(header::ETAG),
        content_type: text(header::CONTENT_TYPE),
        www_authenticate: text(header::WWW_AUTHENTICATE),
        ..Answer::new(head.status().as_u16(), Body::parse(&octets))
    })
}

/// `first`: nothing was ever answered on this connection.
fn failure(error: &(dyn Error + 'static), sent: Sent, first: bool) -> Transport {
    if let Some(fault) = tls::fault(error) {
        return Transport::Tls(fault);
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>()
        && error.is_parse()
    {
        return Transport::Garbled(error.to_string());
    }
    let mut said = error.to_string();
    if let Some(cause) = error.source() {
        said = format!("{said} ({cause})");
    }
    if first && sent == Sent::Maybe {
        said.push_str("; a server that refuses the hub's certificate may do so");
    }
    Transport::Cut { sent, said }
}

/// Awaits `work` while its connection moves.
async fn beside<T>(
    connection: &mut Pin<Box<Connection<TokioIo<Stream>, Full<Bytes>>>>,
    ended: &mut bool,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(done);
        }
        if *ended {
            return Poll::Pending;
        }
        // What its end means, the work is told itself.
        *ended = connection.as_mut().poll(context).is_ready();
        if *ended { work.as_mut().poll(context) } else { Poll::Pending }
    })
    .await
}

/// A stream that remembers whether anything was written to it.
struct Watched<S> {
    stream: S,
    wrote: Arc<AtomicBool>,
}

impl<S> Watched<S> {
    fn watch(&self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(1..)) = written {
            self.wrote.store(true, Ordering::Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, octets);
        self.watch(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.watch(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
