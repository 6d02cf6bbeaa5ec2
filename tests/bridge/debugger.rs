//! Stops a board's processor at a store: what QEMU offers to gdb, by gdb's remote serial protocol ("Overview", "Packets", "Stop Reply
//! Packets" in its manual).

use crate::machine::PATIENCE;
use std::io::{ErrorKind, Read, Write};
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Debugger {
    line: UnixStream,
    came: Vec<u8>,
    watched: Option<Range<u64>>,
}

impl Debugger {
    /// The processor stands until [`Debugger::goes_on`].
    #[track_caller]
    pub(crate) fn attach(socket: &Path) -> Debugger {
        let mut debugger =
            Debugger { line: UnixStream::connect(socket).unwrap(), came: vec![], watched: None };
        assert!(debugger.asks("?").starts_with('T'));
        debugger
    }

    /// From now on it stops at each store into these addresses, and no others.
    #[track_caller]
    pub(crate) fn watch(&mut self, addresses: Range<u64>) {
        self.watch_nothing();
        assert_eq!(self.asks(&format!("Z2,{}", of(&addresses))), "OK");
        self.watched = Some(addresses);
    }

    #[track_caller]
    fn watch_nothing(&mut self) {
        if let Some(addresses) = self.watched.take() {
            assert_eq!(self.asks(&format!("z2,{}", of(&addresses))), "OK");
        }
    }

    #[track_caller]
    pub(crate) fn goes_on(&mut self) {
        // It stands at the store, and would stop there again.
        if let Some(addresses) = self.watched.clone() {
            self.watch_nothing();
            self.says("s");
            assert!(self.stops(PATIENCE));
            self.watch(addresses);
        }
        self.says("c");
    }

    /// It goes on, as if nobody had watched it.
    #[track_caller]
    pub(crate) fn leaves(mut self) {
        // It answers nothing else than that it stands, while it runs.
        self.line.write_all(&[3]).unwrap();
        assert!(self.stops(PATIENCE));
        self.watch_nothing();
        assert_eq!(self.asks("D"), "OK");
    }

    /// Whether it stops within this time; then it stands.
    #[track_caller]
    pub(crate) fn stops(&mut self, within: Duration) -> bool {
        self.packet(within).is_some_and(|packet| packet.starts_with('T'))
    }

    #[track_caller]
    fn asks(&mut self, what: &str) -> String {
        self.says(what);
        loop {
            let packet = self.packet(PATIENCE).expect("QEMU answers a debugger");
            // It may say once more that it stands.
            if what == "?" || !packet.starts_with('T') {
                return packet;
            }
        }
    }

    fn says(&mut self, what: &str) {
        let sum = what.bytes().fold(0_u8, u8::wrapping_add);
        self.line.write_all(format!("${what}#{sum:02x}").as_bytes()).unwrap();
    }

    /// The next packet, acknowledged.
    fn packet(&mut self, within: Duration) -> Option<String> {
        loop {
            let from = self.came.iter().position(|octet| *octet == b'$');
            let to = self.came.iter().position(|octet| *octet == b'#');
            if let (Some(from), Some(to)) = (from, to)
                && self.came.len() >= to + 3
            {
                let packet = String::from_utf8(self.came[from + 1..to].to_vec()).unwrap();
                self.came.drain(..to + 3);
                self.line.write_all(b"+").unwrap();
                return Some(packet);
            }
            self.line.set_read_timeout(Some(within)).unwrap();
            let mut octets = [0; 256];
            match self.line.read(&mut octets) {
                Ok(0) => panic!("QEMU has ended"),
                Ok(many) => self.came.extend(&octets[..many]),
                Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
                    return None;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn of(addresses: &Range<u64>) -> String {
    format!("{:x},{:x}", addresses.start, addresses.end - addresses.start)
}
