//! What is on the air: virtual controllers, for a hub's machine or a board, and devices. `tests/radio/air.py` is the other half.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use crate::{ran, root};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// How long a verb may wait.
const PATIENCE: Duration = Duration::from_secs(180);

/// Kernel, files, and bumble: made once.
pub fn image() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let here = std::env::current_exe().expect("a running test has a path");
        let out = here.ancestors().nth(3).expect("tests run from target/debug/deps").join("radio");
        ran(Command::new(root().join("tests/radio/image")).arg(&out));
        out
    })
}

/// How many houses there are. A record that knows the homes of several tests must not take one's cuff for another's.
static HOUSES: AtomicU16 = AtomicU16::new(1);

/// The process with all devices. Ends when it is dropped, and when this process does.
#[derive(Debug)]
pub struct Air {
    child: Child,
    /// Its standard input: what it lives by.
    life: Option<ChildStdin>,
    log: PathBuf,
    control: u16,
    /// Where the machine's kernel finds its controllers.
    pub controllers: [u16; 2],
    addresses: Value,
}

impl Air {
    /// All devices are there, and none shows itself. What happens is logged into this folder.
    #[track_caller]
    pub fn start(folder: &Path) -> Air {
        let log = folder.join("air.log");
        let mut child = Command::new(image().join("venv/bin/python"))
            // No compiled files into the sources.
            .arg("-B")
            .arg(root().join("tests/radio/air.py"))
            .arg(HOUSES.fetch_add(1, Ordering::Relaxed).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let life = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("no devices: {}", std::fs::read_to_string(&log).unwrap_or_default()));
        let port = |value: &Value| value.as_u64().and_then(|port| port.try_into().ok()).expect("a port");
        Air {
            child,
            life,
            log,
            control: port(&ready["control"]),
            controllers: [port(&ready["controllers"][0]), port(&ready["controllers"][1])],
            addresses: ready["devices"].clone(),
        }
    }

    /// One verb of `air.py`.
    #[track_caller]
    pub fn ask(&self, verb: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.control)).expect("the devices are there");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("{verb}\n").as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        let said: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("{verb}: {line:?}\n{}", self.log()));
        assert!(said.get("error").is_none(), "{verb}: {said}\n{}", self.log());
        said["ok"].clone()
    }

    /// What happened so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    #[track_caller]
    pub fn address(&self, device: &str) -> &str {
        self.addresses[device].as_str().expect("a device")
    }

    /// It shows itself, or no more.
    #[track_caller]
    pub fn advertise(&self, device: &str, on: bool) {
        self.ask(&json!({ "do": "advertise", "device": device, "on": on }));
    }

    /// Somebody measures so often: what the records say.
    #[track_caller]
    pub fn measure(&self, device: &str, n: usize) -> Vec<Value> {
        self.ask(&json!({ "do": "measure", "device": device, "n": n })).as_array().unwrap().clone()
    }

    #[track_caller]
    pub fn state(&self, device: &str) -> Value {
        self.ask(&json!({ "do": "state", "device": device }))
    }

    /// Waits until all of this holds of its state; what is counted may be more, but of the records that it still holds.
    #[track_caller]
    pub fn wait(&self, device: &str, until: &Value) -> Value {
        self.ask(&json!({ "do": "wait", "device": device, "until": until }))
    }

    /// What it handed over.
    #[track_caller]
    pub fn told(&self, device: &str) -> Vec<Value> {
        self.ask(&json!({ "do": "told", "device": device })).as_array().unwrap().clone()
    }
}

impl Drop for Air {
    fn drop(&mut self) {
        drop(self.life.take());
        _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the devices say:\n{}", self.log());
        }
    }
}
