//! The record's sockets: TLS, HTTP, and the faults on the way.

use super::fault::{Canned, Fault, Seen};
use super::rest::{self, Reply, Request};
use super::{Logged, Record};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Where the FHIR API begins.
const BASE: &str = "/fhir";

pub(super) async fn serve(record: &Record) {
    let mut outage = record.0.outage.subscribe();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept(record) => match accepted {
                Ok((stream, _)) if !*outage.borrow() => {
                    connections.spawn(connection(record.clone(), stream));
                }
                // Dropped before a word; a failed accept is the caller's to repeat.
                _ => {}
            },
            Ok(()) = outage.changed() => {
                if *outage.borrow() {
                    connections.abort_all();
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn accept(record: &Record) -> io::Result<(tokio::net::TcpStream, std::net::SocketAddr)> {
    match &record.0.listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

pub(super) async fn connection(record: Record, stream: impl AsyncRead + AsyncWrite + Unpin) {
    // A handshake that fails has told the client why.
    let Ok(stream) = record.0.tls.accept(stream).await else { return };
    let client = stream.get_ref().1.peer_certificates().and_then(|chain| common_name(chain.first()?));
    let service = service_fn(|request| handle(&record, client.clone(), request));
    // An error is a cut, ours or theirs.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

fn common_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    parsed.subject().iter_common_name().next()?.as_str().ok().map(str::to_owned)
}

/// Answers, or fails as the script says: an error ends the connection.
async fn handle(
    record: &Record,
    client: Option<String>,
    request: hyper::Request<Incoming>,
) -> io::Result<Response<Octets>> {
    let (head, body) = request.into_parts();
    let most = record.state().behaviour.most_octets;
    let Some(octets) = Limited::new(body, most).collect().await.ok().map(|body| body.to_bytes()) else {
        return http(
            record,
            Reply {
                status: 413,
                location: None,
                version: None,
                body: Some(rest::outcome("too-long", "the body is too large")),
            },
            false,
        );
    };
    let zipped = head.headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "gzip");
    let compressed = zipped.then_some(octets.len());
    let refuses = record.state().behaviour.refuses_gzip.filter(|_| zipped);
    let octets = match (zipped, refuses) {
        (true, None) => unzipped(&octets, most)?,
        _ => octets,
    };
    let path =
        head.uri.path().strip_prefix(BASE).unwrap_or(head.uri.path()).trim_start_matches('/').to_owned();
    let text = |name: &str| head.headers.get(name)?.to_str().ok().map(str::to_owned);
    let asked = Request {
        method: head.method.to_string(),
        path,
        query: rest::query(head.uri.query().unwrap_or_default()),
        if_match: text("if-match"),
        if_none_exist: text("if-none-exist"),
        body: serde_json::from_slice(&octets).ok(),
    };
    let minimal = text("prefer").is_some_and(|prefer| prefer.contains("return=minimal"));
    let (seen, fault) = meet(record, &asked, head.uri.query());
    if let Fault::Delay(released) = &fault {
        released.notified().await;
    }

    let log = |status, done| {
        record.state().log.push(Logged {
            seen: seen.clone(),
            status,
            done,
            octets: octets.clone(),
            compressed,
            client: client.clone(),
        })
    };
    if let Some(status) = refuses {
        log(Some(status), false);
        return said(Canned::outcome(status, "not-supported", "compressed"));
    }
    let commit = || {
        let state = &mut *record.state();
        rest::answer(&mut state.chart, &state.behaviour, &asked)
    };
    let unanswered = || record.state().committed_unanswered += 1;
    let cut = || io::Error::new(io::ErrorKind::ConnectionAborted, "cut by the script");
    match fault {
        Fault::CutBefore => {
            log(None, false);
            Err(cut())
        }
        Fault::CommitThenCut => {
            commit();
            unanswered();
            log(None, true);
            Err(cut())
        }
        Fault::HalfAnswer => {
            let mut response = http(record, commit(), minimal)?;
            unanswered();
            log(None, true);
            response.body_mut().stop_halfway();
            Ok(response)
        }
        Fault::Answer(canned) => {
            log(Some(canned.status), false);
            said(canned)
        }
        Fault::CommitThenAnswer(canned) => {
            commit();
            log(Some(canned.status), true);
            said(canned)
        }
        Fault::Rewrite(rewrite) => {
            let mut reply = commit();
            if let Some(body) = &mut reply.body {
                rewrite(body);
            }
            log(Some(reply.status), true);
            http(record, reply, minimal)
        }
        Fault::Pass | Fault::Delay(_) => {
            let reply = commit();
            log(Some(reply.status), true);
            http(record, reply, minimal)
        }
    }
}

/// No more than is taken uncompressed: what is small may unfold to anything.
fn unzipped(octets: &[u8], most: usize) -> io::Result<Bytes> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(octets).take(most as u64 + 1).read_to_end(&mut plain)?;
    if plain.len() > most {
        Err(io::Error::other("it unfolds to more than is taken"))
    } else {
        Ok(plain.into())
    }
}

fn meet(record: &Record, asked: &Request, query: Option<&str>) -> (Seen, Fault) {
    let entries = match (&asked.body, asked.path.as_str()) {
        (Some(bundle), "") => bundle["entry"].as_array().into_iter().flatten().collect(),
        _ => Vec::new(),
    };
    let seen = Seen {
        number: record.next_number(),
        method: asked.method.clone(),
        path: query.map_or_else(|| asked.path.clone(), |query| format!("{}?{query}", asked.path)),
        entries: entries
            .iter()
            .map(|entry| entry["request"]["method"].as_str().unwrap_or_default().to_owned())
            .collect(),
    };
    let fault = record.rules().next(&seen);
    (seen, fault)
}

fn http(record: &Record, reply: Reply, minimal: bool) -> io::Result<Response<Octets>> {
    let mut headers = HeaderMap::new();
    let mut say = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    if let Some(location) = &reply.location {
        say(header::LOCATION, &format!("{}/{location}", record.url()));
    }
    if let Some(version) = reply.version {
        say(header::ETAG, &rest::etag(version));
    }
    let kind = reply.body.as_ref().map(|body| body["resourceType"].as_str().unwrap_or_default());
    let silent = minimal && !matches!(kind, Some("OperationOutcome" | "Bundle"));
    let body = reply.body.filter(|_| !silent).as_ref().map(Value::to_string).unwrap_or_default();
    if !body.is_empty() {
        say(header::CONTENT_TYPE, "application/fhir+json");
    }
    finish(reply.status, headers, body)
}

fn said(canned: Canned) -> io::Result<Response<Octets>> {
    let mut headers = HeaderMap::new();
    for (name, value) in canned.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    finish(canned.status, headers, canned.body)
}

fn finish(status: u16, headers: HeaderMap, body: String) -> io::Result<Response<Octets>> {
    let mut response = Response::new(Octets::whole(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).map_err(io::Error::other)?;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A body of known length, which may end before it.
struct Octets {
    left: Option<Bytes>,
    length: u64,
    broken: bool,
}

impl Octets {
    fn whole(octets: Bytes) -> Octets {
        Octets {
            length: octets.len() as u64,
            left: Some(octets).filter(|octets| !octets.is_empty()),
            broken: false,
        }
    }

    fn stop_halfway(&mut self) {
        self.left = self.left.take().map(|octets| octets.slice(..octets.len() / 2));
        self.broken = true;
    }
}

impl Body for Octets {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match self.left.take() {
            Some(octets) => Some(Ok(Frame::data(octets))),
            None if self.broken => Some(Err(io::Error::other("cut by the script"))),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_none() && !self.broken
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
