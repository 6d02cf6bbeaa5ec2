//! A hub of `gateway::simulation`: how it is configured, and who talks to it.

use gateway::config::{ClockTrust, Config};
use gateway::simulation::Daemon;
use gateway::tls::Files;
use gateway::uplink::{Destination, RungChoice};
use hearth_core::parcel::Policy;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::time::timeout;

/// A hub in this folder. The n-th of `names` is at port n of `localhost`.
pub fn config(
    folder: &Path,
    names: &[&str],
    files: &Files,
    (rung, bundle): (RungChoice, usize),
    keep: SignedDuration,
) -> Config {
    let destination = |(n, name): (usize, &&str)| Destination {
        name: (*name).into(),
        base_url: format!("https://localhost:{n}/fhir/"),
        ca: files.ca.clone(),
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        rung,
        bundle,
        gzip: false,
        reports: None,
        timeout: Duration::from_secs(10),
        cleared: BTreeSet::new(),
        policy: Policy::default(),
    };
    Config {
        state: folder.to_owned(),
        socket: folder.join("control.sock"),
        profiles: None,
        clock: ClockTrust::Always,
        keep,
        bluetooth: false,
        bridges: vec![],
        sensor: None,
        scale: None,
        destinations: names.iter().enumerate().map(destination).collect(),
    }
}

/// One control connection. One that is silent for long is let go.
#[derive(Debug)]
pub struct Peer(BufReader<DuplexStream>);

impl Peer {
    pub fn of(daemon: &mut Daemon) -> Peer {
        Peer(BufReader::new(daemon.connect()))
    }

    /// `None`: no answer. `Err`: the hub's sentence.
    pub async fn ask(&mut self, request: &Value) -> Option<Result<Vec<Value>, String>> {
        self.0.get_mut().write_all(format!("{request}\n").as_bytes()).await.ok()?;
        let mut line = String::new();
        let read = timeout(Duration::from_secs(60), self.0.read_line(&mut line)).await.ok()?.ok()?;
        let answer: Value = serde_json::from_str(&line).ok().filter(|_| read > 0)?;
        Some(match answer["shown"]["rows"].as_array() {
            Some(rows) => Ok(rows.clone()),
            None => Err(answer["ending"]["said"].as_str().unwrap_or_default().to_owned()),
        })
    }

    /// News, as a source tells it.
    pub async fn take(&mut self, line: &Value) -> Option<Result<Vec<Value>, String>> {
        self.ask(&json!({"take": {"line": line.to_string()}})).await
    }
}
