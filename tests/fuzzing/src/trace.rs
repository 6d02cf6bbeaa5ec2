//! Logs of Bluetooth from the field, and what is made of them for sharing.

use gateway::source::lines::parse;
use gateway::source::trace::{Options, lines, redact::RedactError, redact::Redacted};
use hearth_core::profile::Catalog;
use std::io::Cursor;
use std::sync::LazyLock;

/// A file of any kind, as lines of news. Every line that it tells is one that a replay reads.
pub fn trace(octets: &[u8]) {
    _ = told(octets);
}

/// How many readings a log tells; `None`: it is no log.
fn told(octets: &[u8]) -> Option<usize> {
    let mut lines = lines(Cursor::new(octets.to_vec()), &options()).ok()?;
    let mut heard = 0;
    let log = !gateway::source::trace::sniff(octets).eq(&gateway::source::trace::Format::Lines);
    for line in lines.by_ref() {
        match line.text {
            Ok(text) if log => {
                let said = parse(&text).unwrap_or_else(|said| panic!("{said}: {text}"));
                heard += usize::from(text.contains("\"heard\""));
                assert!(said.is_some(), "a line that says nothing: {text}");
            }
            Ok(_) => {}
            Err(said) => assert!(!said.is_empty()),
        }
    }
    assert!(lines.summary().iter().all(|sentence| !sentence.is_empty()));
    Some(heard)
}

/// A file that is to be shared: refused with a reason, or made anew, readable, and telling as many readings.
pub fn redact(octets: &[u8]) {
    let mut made = vec![];
    match gateway::fuzzing::redact(Cursor::new(octets), &mut made, &options(), catalog()) {
        Ok(Redacted { kept, .. }) => {
            assert!(made.len() <= octets.len() * 8 + 4_096, "{} octets of {}", made.len(), octets.len());
            if kept > 0 {
                assert_eq!(told(&made), told(octets));
            }
        }
        Err(RedactError::Leak { .. }) => assert!(made.is_empty(), "nothing of it was written"),
        Err(said) => assert!(!said.to_string().is_empty()),
    }
}

fn options() -> Options {
    Options { handles: [(0x20, 0x2A35), (0x30, 0x2A18)].into() }
}

/// Made once: it is read from text.
fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::standard);
    &CATALOG
}
