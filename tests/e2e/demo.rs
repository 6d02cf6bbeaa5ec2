//! The demonstration's page, as a browser asks for it.

use e2e::{hearth, said};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// `hearth demo --serve`, killed when dropped.
struct Served {
    child: Child,
    address: String,
    /// What it printed before its address, and the line with it.
    summary: String,
    printed: Box<dyn BufRead>,
}

impl Served {
    fn start(more: &[&str]) -> Served {
        let mut command = Command::new(hearth());
        command.args(["--json", "demo", "--serve"]).args(more).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut printed = BufReader::new(child.stdout.take().unwrap());
        let mut summary = String::new();
        assert!(printed.read_line(&mut summary).unwrap() > 0, "it ended before it said where the page is");
        let said: serde_json::Value = serde_json::from_str(&summary).unwrap();
        let page = said["page"].as_str().unwrap();
        let address = page.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).unwrap();
        Served { child, address: address.into(), summary, printed: Box::new(printed) }
    }

    /// Head and body.
    fn ask(&self, method: &str, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address)
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.into(), body.into())
    }

    fn get(&self, path: &str) -> String {
        let (head, body) = self.ask("GET", path);
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
        body
    }

    /// Ends it as a supervisor would: its exit code, and what it printed after its summary.
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let mut rest = String::new();
        self.printed.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
fn the_record_is_shown_until_somebody_ends_it() {
    let served = Served::start(&[]);
    let page = served.get("/");
    for wanted in [
        "The people are made up.",
        "Not watched live; in an emergency call your emergency number.",
        // As the scale sent it, and what came with it.
        "79.960\u{a0}kg",
        "19.4\u{a0}%",
        "2026-05-12 18:53:54 -04:00",
        // A stray cuff's reading waits, and what helps stands beside it.
        "hearth bind add 3 --patient",
        "truncated: time stamp at octet 7 needs 7 octets, 6 left",
        "control solution: kept on the hub",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    // Everything that the page points at is there.
    let links: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.iter().filter(|link| link.starts_with("/Observation/")).count() > 20, "{links:?}");
    for link in &links {
        match link.strip_prefix('#') {
            Some(place) => assert!(page.contains(&format!("id=\"{place}\"")), "{link}"),
            None => drop(served.get(link)),
        }
    }
    let weight = served.get(links.iter().find(|link| link.starts_with("/Observation/")).unwrap());
    assert!(
        weight.contains("<pre>{\n") && weight.contains("&quot;resourceType&quot;: &quot;Observation&quot;")
    );

    let (got, head) = (served.ask("GET", "/"), served.ask("HEAD", "/"));
    let length = |head: &str| head.lines().find(|line| line.starts_with("content-length")).map(str::to_owned);
    assert!(head.0.starts_with("HTTP/1.1 200 ") && head.1.is_empty(), "{head:?}");
    assert_eq!(length(&head.0), Some(format!("content-length: {}", got.1.len())));
    assert!(got.0.contains("content-security-policy: default-src 'none'; style-src 'self'"), "{}", got.0);
    assert!(served.ask("GET", "/nothing").0.starts_with("HTTP/1.1 404 "));
    assert!(served.ask("POST", "/").0.starts_with("HTTP/1.1 405 "));
    assert_eq!(served.stop("-TERM"), (Some(0), String::new()));
}

#[test]
fn a_faulty_record_is_shown_with_its_fault_and_exits_so() {
    let served = Served::start(&["--sabotage", "lose"]);
    assert!(
        served.summary.contains("LOST, heard and not in the record: weight 61.370 kg"),
        "{}",
        served.summary
    );
    assert!(served.get("/").contains("<li>LOST, heard and not in the record: weight 61.370 kg</li>"));
    assert_eq!(served.stop("-INT"), (Some(1), String::new()));
}

#[test]
fn the_page_is_for_this_machine_only() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let refused = said(Command::new(hearth()).args(["demo", "--serve", "--listen", address]));
        assert_eq!(refused.code, 64, "{refused:?}");
        assert!(refused.err.contains("on this machine only; name an address of its loopback"), "{refused:?}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = said(Command::new(hearth()).args(["demo", "--serve", "--listen", &address]));
    assert_eq!(refused.code, 69, "{refused:?}");
    assert!(refused.err.contains("name another port, or 0 for a free one"), "{refused:?}");
}
