//! A record that keeps nothing and answers at once, and a client that knows nothing: between them, what a hub costs is the
//! hub's own, and what a record costs the record's.

use bytes::Bytes;
use gateway::tls;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What came, so far.
#[derive(Clone, Default, Debug)]
pub struct Came {
    /// Resources by their place, and how often each was written.
    pub places: BTreeMap<String, usize>,
    /// Observations, repeats among them.
    pub observations: usize,
    /// The first bodies that wrote something, as many as are wanted.
    pub bodies: Vec<Bytes>,
    /// How many Observations were there before the one with these words.
    pub before: Option<usize>,
}

/// Takes everything as new. Clones are the same.
#[derive(Clone, Debug)]
pub struct Null {
    url: String,
    keeps: usize,
    /// The words of one Observation.
    seeks: Option<String>,
    came: Arc<Mutex<Came>>,
}

impl Null {
    /// Listens on loopback. `keeps`: so many bodies, for who sends them again.
    pub(crate) async fn bind(
        acceptor: TlsAcceptor,
        keeps: usize,
        seeks: Option<String>,
    ) -> io::Result<(Null, impl Future<Output = ()> + use<>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://{}/fhir", listener.local_addr()?);
        let null = Null { url, keeps, seeks, came: Arc::default() };
        let all = null.clone();
        let serve = async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((tcp, _)) = listener.accept() => {
                        _ = tcp.set_nodelay(true);
                        connections.spawn(all.clone().connection(acceptor.clone(), tcp));
                    }
                    Some(_) = connections.join_next(), if !connections.is_empty() => {}
                }
            }
        };
        Ok((null, serve))
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub fn came(&self) -> MutexGuard<'_, Came> {
        self.came.lock().expect("nobody panics with it")
    }

    /// Without a socket: whoever brings a wire is served on it.
    pub fn unbound(url: String) -> Null {
        Null { url, keeps: usize::MAX, seeks: None, came: Arc::default() }
    }

    pub async fn connection(self, acceptor: TlsAcceptor, wire: impl AsyncRead + AsyncWrite + Unpin) {
        let Ok(stream) = acceptor.accept(wire).await else { return };
        let answer = service_fn(|request: hyper::Request<Incoming>| async {
            let bundle = request.method() == hyper::Method::POST;
            let body = request.into_body().collect().await?.to_bytes();
            let (status, said) = if bundle { (200, self.bundle(&body)) } else { (404, outcome()) };
            let answer = hyper::Response::builder()
                .status(status)
                .header("content-type", "application/fhir+json")
                .body(Full::new(Bytes::from(said.to_string())))
                .expect("a status and a header");
            Ok::<_, hyper::Error>(answer)
        });
        _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
    }

    fn bundle(&self, body: &Bytes) -> Value {
        let text = std::str::from_utf8(body).expect("a hub writes UTF-8");
        let came = &mut *self.came();
        let mut writes = false;
        let mut entries = vec![];
        for entry in text.split("\"request\":").skip(1) {
            let end = entry.find('}').expect("a request is an object") + 1;
            let asked: Value = serde_json::from_str(&entry[..end]).expect("a request is JSON");
            let (method, url) =
                (asked["method"].as_str(), asked["url"].as_str().expect("a request has a URL"));
            if method == Some("GET") {
                entries.push(json!({"response": {"status": "404 Not Found", "outcome": outcome()}}));
                continue;
            }
            writes = true;
            let place = match method {
                Some("PUT") => url.to_owned(),
                _ => format!("{url}/{}", came.places.len()),
            };
            came.observations += usize::from(url.starts_with("Observation"));
            entries.push(
                json!({"response": {"status": "201 Created", "location": format!("{place}/_history/1")}}),
            );
            *came.places.entry(place).or_default() += 1;
        }
        if let Some(words) = &self.seeks
            && came.before.is_none()
            && text.contains(words.as_str())
        {
            came.before = Some(came.observations - text.matches("\"resourceType\":\"Observation\"").count());
        }
        if writes && came.bodies.len() < self.keeps {
            came.bodies.push(body.clone());
        }
        let kind =
            if text.contains("\"type\":\"transaction\"") { "transaction-response" } else { "batch-response" };
        json!({"resourceType": "Bundle", "type": kind, "entry": entries})
    }
}

fn outcome() -> Value {
    json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]})
}

/// One connection on which bodies are posted, one after the other.
#[derive(Debug)]
pub struct Bare {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
    path: String,
    _connection: JoinSet<()>,
}

impl Bare {
    /// `url`: `https://127.0.0.1:PORT/PATH`.
    pub(crate) async fn connect(client: &tls::Client, url: &str) -> io::Result<Bare> {
        let (authority, path) = url
            .strip_prefix("https://")
            .and_then(|rest| rest.split_once('/'))
            .ok_or(io::ErrorKind::InvalidInput)?;
        let tcp = TcpStream::connect(authority).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from("127.0.0.1").map_err(io::Error::other)?;
        let stream = client.connector.connect(name, tcp).await?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let mut running = JoinSet::new();
        running.spawn(async move { _ = connection.await });
        Ok(Bare { sender, authority: authority.into(), path: format!("/{path}/"), _connection: running })
    }

    /// Posts it and reads the whole answer, with which nothing is done.
    pub(crate) async fn post(&mut self, body: Bytes) -> io::Result<u16> {
        let request = hyper::Request::post(&self.path)
            .header("host", &self.authority)
            .header("content-type", "application/fhir+json")
            .header("accept", "application/fhir+json")
            .header("prefer", "return=minimal")
            .body(Full::new(body))
            .map_err(io::Error::other)?;
        self.sender.ready().await.map_err(io::Error::other)?;
        let answer = self.sender.send_request(request).await.map_err(io::Error::other)?;
        let status = answer.status().as_u16();
        answer.into_body().collect().await.map_err(io::Error::other)?;
        Ok(status)
    }
}
