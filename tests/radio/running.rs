//! A program in the hub's machine: what it has said so far, when, and what a person types there.

use crate::guest::PATIENCE;
use jiff::Timestamp;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};

/// A program in the machine, and what it has said so far.
#[derive(Debug)]
pub(crate) struct Running {
    /// Its number in the machine.
    pub(crate) process: u32,
    said: Arc<(Mutex<Heard>, Condvar)>,
}

/// What was said, and when it was so many octets.
#[derive(Debug, Default)]
struct Heard {
    octets: Vec<u8>,
    came: Vec<(usize, Timestamp)>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("process {} says:\n{}", self.process, self.said());
        }
    }
}

/// Ends what a program said.
const ENDED: &str = "(ended";

impl Running {
    pub(crate) fn watch(process: u32, mut call: BufReader<TcpStream>) -> Running {
        let said: Arc<(Mutex<Heard>, Condvar)> = Arc::default();
        let tell = Arc::clone(&said);
        std::thread::spawn(move || {
            let mut octets = [0; 4096];
            loop {
                let n = call.read(&mut octets).unwrap_or(0);
                let now = gateway::clock::now();
                let mut said = tell.0.lock().unwrap();
                said.octets.extend(&octets[..n]);
                let so_far = said.octets.len();
                said.came.push((so_far, now));
                if n == 0 {
                    said.octets.extend(b"(gone)");
                }
                tell.1.notify_all();
                if n == 0 {
                    break;
                }
            }
        });
        Running { process, said }
    }

    /// All that it has said.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.0.lock().unwrap().octets).into_owned()
    }

    /// Each line that has this in it, and when it arrived.
    pub(crate) fn arrivals(&self, part: &str) -> Vec<(String, Timestamp)> {
        let said = self.said.0.lock().unwrap();
        let mut end = 0;
        let mut all = vec![];
        for line in said.octets.split_inclusive(|octet| *octet == b'\n') {
            end += line.len();
            let line = String::from_utf8_lossy(line);
            if line.contains(part) {
                let came = said.came.iter().find(|(so_far, _)| *so_far >= end);
                all.extend(came.map(|(_, at)| (line.into_owned(), *at)));
            }
        }
        all
    }

    /// Waits until it has said this, or is gone: whether it has.
    pub(crate) fn says(&self, part: &str) -> bool {
        let gone = |said: &Heard| said.octets.ends_with(b"(gone)");
        let has = |said: &Heard| String::from_utf8_lossy(&said.octets).contains(part);
        let said = self.said.0.lock().unwrap();
        let (said, _) =
            self.said.1.wait_timeout_while(said, PATIENCE, |said| !has(said) && !gone(said)).unwrap();
        has(&said)
    }

    /// Waits until it has said this.
    #[track_caller]
    pub(crate) fn wait(&self, part: &str) {
        assert!(self.says(part), "it never said {part:?}, but: {}", self.said());
    }

    /// Waits for its end: how it ended, and all that it said.
    #[track_caller]
    pub(crate) fn end(&self) -> (i32, String) {
        self.wait(ENDED);
        self.wait("(gone)");
        let said = self.said();
        let (said, end) = said.rsplit_once(ENDED).expect("it has just said so");
        let code = end.trim_end_matches("(gone)").trim().trim_end_matches(')');
        (code.parse().expect("an exit code"), said.to_owned())
    }
}

/// A program on a terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    pub(crate) typed: TcpStream,
    pub(crate) shown: Running,
}

impl Terminal {
    #[track_caller]
    pub(crate) fn type_line(&mut self, line: &str) {
        self.typed.write_all(format!("{line}\r").as_bytes()).unwrap();
    }
}
