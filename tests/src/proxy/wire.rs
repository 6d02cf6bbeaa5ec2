//! HTTP/1.1 as octets: what is read is kept as it came, and what is written may stop anywhere.

use gateway::tls;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// Ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two entries of a Bundle, as all of them write it.
const NEXT_ENTRY: &[u8] = b"},{";

/// One request. `head` ends with the empty line.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) head: Vec<u8>,
    pub(super) body: Vec<u8>,
    method: String,
    /// Below the base: empty for a Bundle.
    path: String,
    writes: bool,
    resources: usize,
}

impl Request {
    /// The next one. `None`: the hub hung up between two. A hub always says how long its body is.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Request>> {
        let mut octets = Vec::new();
        let end = loop {
            if let Some(end) = find(&octets, b"\r\n\r\n") {
                break end + 4;
            }
            if from.read_buf(&mut octets).await? == 0 {
                return Ok(None);
            }
        };
        let mut body = octets.split_off(end);
        let text = String::from_utf8_lossy(&octets).into_owned();
        let length = header(&text, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        while body.len() < length {
            if from.read_buf(&mut body).await? == 0 {
                return Ok(None);
            }
        }
        let mut words = text.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = target.trim_start_matches("/fhir").trim_start_matches('/').to_owned();
        let bundle: Value = serde_json::from_slice(&body).unwrap_or_default();
        let resources = bundle["entry"].as_array().map_or(1, Vec::len);
        let asks_only = bundle["entry"]
            .as_array()
            .is_some_and(|entries| entries.iter().all(|entry| entry["request"]["method"] == "GET"));
        let writes = method != "GET" && !(path.is_empty() && asks_only);
        Ok(Some(Request { method: method.to_owned(), head: octets, body, path, writes, resources }))
    }

    pub(super) fn writes(&self) -> bool {
        self.writes
    }

    /// How many it brings.
    pub(super) fn resources(&self) -> usize {
        self.resources
    }

    pub(super) fn is_bundle(&self) -> bool {
        self.path.is_empty() && self.method == "POST"
    }

    pub(super) fn is_search(&self) -> bool {
        self.method == "GET" && self.path.contains('?')
    }

    pub(super) fn between_entries(&self) -> usize {
        between_entries(&self.body)
    }

    pub(super) fn strip_conditions(&mut self) {
        if let Ok(mut bundle) = serde_json::from_slice::<Value>(&self.body)
            && let Some(entries) = bundle["entry"].as_array_mut()
        {
            for request in entries.iter_mut().filter_map(|entry| entry["request"].as_object_mut()) {
                request.shift_remove("ifNoneExist");
            }
            self.body = bundle.to_string().into_bytes();
        }
        let text = String::from_utf8_lossy(&self.head).into_owned();
        let mut head = String::new();
        for line in text.trim_end().split("\r\n") {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            match name.as_str() {
                "if-none-exist" => {}
                "content-length" => head += &format!("content-length: {}\r\n", self.body.len()),
                _ => head += &format!("{line}\r\n"),
            }
        }
        self.head = format!("{head}\r\n").into_bytes();
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn new(status: u16) -> Answer {
        Answer { status, headers: vec![], body: vec![] }
    }

    pub(super) fn json(status: u16, body: &Value) -> Answer {
        let headers = vec![("Content-Type".into(), "application/fhir+json".into())];
        Answer { status, headers, body: body.to_string().into_bytes() }
    }

    pub(super) fn page(status: u16) -> Answer {
        let headers = vec![("Content-Type".into(), "text/html".into())];
        Answer { status, headers, body: b"<html><body><h1>Something is on the way</h1></body></html>".into() }
    }

    pub(super) fn outcome(status: u16, code: &str) -> Answer {
        let issue = json!({"severity": "error", "code": code, "diagnostics": "said on the way"});
        Answer::json(status, &json!({"resourceType": "OperationOutcome", "issue": [issue]}))
    }

    pub(super) fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    pub(super) fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Said\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        head.into_bytes()
    }

    pub(super) fn octets(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }

    pub(super) fn between_entries(&self) -> usize {
        between_entries(&self.body)
    }

    pub(super) async fn write(&self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        to.write_all(&self.octets()).await?;
        to.flush().await
    }

    pub(super) fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(theirs, _)| !theirs.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value.into()));
    }

    /// Changes the body, where it is JSON; numbers keep their digits.
    pub(super) fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        if let Ok(mut body) = serde_json::from_slice(&self.body) {
            change(&mut body);
            self.body = body.to_string().into_bytes();
        }
    }

    /// Of a bundle that succeeded: its entries.
    fn edit_entries(&mut self, change: impl FnOnce(&mut Vec<Value>)) {
        if self.is_success() {
            self.edit(|body| _ = body["entry"].as_array_mut().map(change));
        }
    }

    pub(super) fn reorder(&mut self) {
        self.edit_entries(|entries| entries.reverse());
    }

    pub(super) fn shorten(&mut self) {
        self.edit_entries(|entries| _ = entries.pop());
    }

    /// Successes of writes, the whole answer's and its entries', get this status.
    pub(super) fn restatus(&mut self, status: u16) {
        if self.status == 201 {
            self.status = status;
        }
        self.edit_entries(|entries| {
            let written = |entry: &&mut Value| {
                entry["response"]["status"].as_str().is_some_and(|said| said.starts_with("201"))
            };
            for entry in entries.iter_mut().filter(written) {
                entry["response"]["status"] = json!(status.to_string());
            }
        });
    }

    pub(super) fn without_places(&mut self) {
        self.headers.retain(|(name, _)| !name.to_ascii_lowercase().ends_with("location"));
        self.edit_entries(|entries| {
            for response in entries.iter_mut().filter_map(|entry| entry["response"].as_object_mut()) {
                response.shift_remove("location");
            }
        });
    }

    pub(super) fn only_accepted(&mut self) {
        self.restatus(202);
        self.without_places();
    }
}

/// Who is behind, at the other end of mutual TLS.
#[derive(Debug)]
pub(super) struct Behind {
    port: u16,
    pub(super) path: String,
    client: tls::Client,
}

impl Behind {
    /// `url`: `https://127.0.0.1:PORT/PATH`.
    pub(super) fn new(url: &str, client: tls::Client) -> Behind {
        let (port, path) = url
            .trim_end_matches('/')
            .strip_prefix("https://127.0.0.1:")
            .and_then(|rest| rest.split_once('/'))
            .expect("a URL on loopback");
        Behind { port: port.parse().expect("a port"), path: format!("/{path}"), client }
    }

    async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from("127.0.0.1").map_err(io::Error::other)?;
        self.client.connector.connect(name, tcp).await
    }

    /// The whole request, and the whole answer. In HTTP/1.0, whose answers end with their connection.
    pub(super) async fn ask(&self, request: &Request) -> io::Result<Answer> {
        let mut stream = self.connect().await?;
        let head = String::from_utf8_lossy(&request.head).replacen(" HTTP/1.1\r\n", " HTTP/1.0\r\n", 1);
        stream.write_all(&[head.as_bytes(), &request.body].concat()).await?;
        stream.flush().await?;
        let mut octets = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut octets)).await??;
        let end = find(&octets, b"\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)? + 4;
        let body = octets.split_off(end);
        let text = String::from_utf8_lossy(&octets).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        let hop = ["connection", "content-length", "transfer-encoding"];
        let headers = text
            .trim_end()
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| !hop.contains(&name.to_ascii_lowercase().as_str()))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(Answer { status: status.ok_or(io::ErrorKind::InvalidData)?, headers, body })
    }

    /// So much of the request, and RST.
    pub(super) async fn lose(&self, request: &Request, until: usize) -> io::Result<()> {
        let mut stream = self.connect().await?;
        let octets = [&request.head[..], &request.body].concat();
        stream.write_all(&octets[..until]).await?;
        stream.flush().await?;
        stream.get_ref().0.set_zero_linger()
    }
}

fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    octets.windows(what.len()).position(|part| part == what)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(theirs, _)| theirs.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The place after the first comma between two objects; the middle, where there is none.
fn between_entries(body: &[u8]) -> usize {
    find(body, NEXT_ENTRY).map_or(body.len() / 2, |at| at + 2)
}
