//! Logs from the field: what other programs recorded of Bluetooth, told as the news that a replay takes.
//!
//! ```text
//! file ▶ record (btsnoop, pcap) ▶ hci, air ▶ l2cap ▶ att, gatt ▶ Event ▶ news ▶ lines
//!                                                     └ marks ▶ redact ▶ a log that may be shared
//! ```
//!
//! Read are `btsnoop` files (btmon's, Android's HCI log) and `pcap` files of HCI (DLT 187, 201, 254) and of the air
//! (251, 256); `pcapng` is refused with the sentence that helps. A log streams: one record is in memory, with what
//! is under way in at most 128 connections and the attributes of 64 servers.
//!
//! Nothing is guessed. A handle has the characteristic that discovery gave it in this log, or that the user names;
//! what has neither is counted in the [`Summary`], and so is what is encrypted, cut, or of a kind not read here.
//! Not read: BR/EDR, enhanced ATT channels, resolvable addresses (an identity is known from the controller or from
//! the pairing, never computed), `Read Multiple`, prepared writes.
//!
//! Times are the recorder's own clock, which btmon, Android and pcap write as UTC; whether that clock was right, no
//! log tells. The news states it, once, as the hub's time at the log's first record.

mod advertising;
mod air;
mod att;
mod btsnoop;
mod connection;
mod event;
mod follow;
mod gatt;
mod hci;
mod l2cap;
mod lines;
mod mark;
mod news;
mod pcap;
mod record;
pub mod redact;
mod summary;
#[cfg(test)]
mod tests;

pub use event::{Advertisement, Contact, Event, Gone, How, Seen, Value};
pub use lines::{Line, Lines, lines};
pub use summary::{Loss, Summary, Values};

use follow::Follower;
use record::{Log, Record};
use std::collections::{BTreeMap, VecDeque};
use std::io::{Cursor, Read};

/// Microseconds of a day.
const DAY: i64 = 86_400 * 1_000_000;

/// What kind of file it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Btsnoop,
    Pcap,
    /// Refused, with the cure.
    Pcapng,
    /// News as JSON lines; whatever begins like none of the others.
    Lines,
}

/// By a file's first octets; eight are enough.
pub fn sniff(first: &[u8]) -> Format {
    match first.first_chunk::<4>() {
        _ if first.starts_with(btsnoop::MAGIC) => Format::Btsnoop,
        Some(magic) if *magic == pcap::PCAPNG => Format::Pcapng,
        Some(magic) if pcap::order(*magic).is_some() => Format::Pcap,
        _ => Format::Lines,
    }
}

/// What a reader holds, and the reader as if nobody had looked.
pub fn look<R: Read>(mut reader: R) -> std::io::Result<(Format, impl Read + use<R>)> {
    let mut first = vec![];
    reader.by_ref().take(8).read_to_end(&mut first)?;
    Ok((sniff(&first), Cursor::new(first).chain(reader)))
}

/// What the user says that a log does not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Attribute handle to assigned characteristic, of every device whose discovery the log does not hold.
    pub handles: BTreeMap<u16, u16>,
}

/// Where something stands in a log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Counted from 1; 0 is the file's header.
    pub record: u64,
    /// Octets from the file's beginning.
    pub offset: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "record {} at octet {}", self.record, self.offset)
    }
}

/// Why a log can't be read, from this place on; with the cure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flaw {
    pub place: Place,
    said: String,
}

impl Flaw {
    fn new(place: Place, said: impl Into<String>) -> Flaw {
        Flaw { place, said: said.into() }
    }

    fn cut(place: Place, what: &str, wanted: usize, got: usize) -> Flaw {
        let said = format!(
            "the log is cut here: {what} has {wanted} octets, of which the file holds {got}; what stands before it was \
             read. If it is still being written, stop the recording first"
        );
        Flaw::new(place, said)
    }
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.said)
    }
}

impl std::error::Error for Flaw {}

/// A log's events, one after the other. After an error there are those that follow from its end, and no more.
#[derive(Debug)]
pub struct Trace<R> {
    log: Log<R>,
    follower: Follower,
    waiting: VecDeque<Seen>,
    last: Option<Record>,
    over: bool,
}

impl<R: Read> Trace<R> {
    /// `reader` stands at the file's beginning. Errors: no log, or one that is not read here.
    pub fn open(reader: R, options: &Options) -> Result<Trace<R>, Flaw> {
        let log = Log::open(reader)?;
        let follower = Follower::new(log.layer, options.clone());
        Ok(Trace { log, follower, waiting: VecDeque::new(), last: None, over: false })
    }

    /// What was not told so far.
    pub fn summary(&self) -> &Summary {
        &self.follower.summary
    }
}

impl<R: Read> Iterator for Trace<R> {
    type Item = Result<Seen, Flaw>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(seen) = self.waiting.pop_front() {
                return Some(Ok(seen));
            }
            if self.over {
                return None;
            }
            match self.log.record() {
                Ok(Some(record)) => {
                    self.waiting.extend(self.follower.take(&record));
                    self.last = Some(record);
                }
                ended => {
                    self.over = true;
                    if let Some(last) = self.last.take() {
                        self.waiting.extend(self.follower.end(&last));
                    }
                    if let Err(flaw) = ended {
                        return Some(Err(flaw));
                    }
                }
            }
        }
    }
}
