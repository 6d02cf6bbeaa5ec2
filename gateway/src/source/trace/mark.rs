//! What the octets of a log are: what whoever writes it again for others may let through, and as what.
//!
//! An octet that has no mark was not understood.

use super::event::Contact;
use super::l2cap::{Pdu, Segment};
use super::record::Record;

/// What some octets are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// They name nobody.
    Plain,
    /// A device address, least significant octet first; `random`: the two highest bits say of which kind.
    Address {
        random: bool,
    },
    Name,
    /// A value of this characteristic.
    Value(u16),
}

/// Octets that belong together, and where they stand: a value may lie in several records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    pub(super) what: What,
    /// Whose value it is, where it is a device's.
    pub(super) whose: Option<Contact>,
    pub(super) octets: Vec<u8>,
    pub(super) places: Vec<Segment>,
}

/// Collects marks, where somebody wants them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Marks {
    pub(super) wanted: bool,
    /// Of whom is read.
    pub(super) whose: Option<Contact>,
    pub(super) found: Vec<Mark>,
}

impl Marks {
    /// Octets of the record itself.
    pub(super) fn record(&mut self, record: &Record, at: usize, length: usize, what: What) {
        if !self.wanted {
            return;
        }
        let end = at.saturating_add(length).min(record.octets.len());
        let Some(octets) = record.octets.get(at..end).filter(|o| !o.is_empty()) else { return };
        let places = vec![Segment { record: record.place.record, at, length: octets.len() }];
        self.found.push(Mark { what, whose: self.whose, octets: octets.to_vec(), places });
    }

    /// Octets that came in several messages.
    pub(super) fn pieces(&mut self, octets: &[u8], places: Vec<Segment>, what: What) {
        if self.wanted && !octets.is_empty() {
            self.found.push(Mark { what, whose: self.whose, octets: octets.to_vec(), places });
        }
    }

    /// Octets of a PDU's payload.
    pub(super) fn pdu(&mut self, pdu: &Pdu, at: usize, length: usize, what: What) {
        if !self.wanted {
            return;
        }
        let end = at.saturating_add(length).min(pdu.payload().len());
        let Some(octets) = pdu.payload().get(at..end).filter(|o| !o.is_empty()) else { return };
        let places = pdu.places(at, octets.len());
        self.found.push(Mark { what, whose: self.whose, octets: octets.to_vec(), places });
    }

    /// A PDU's length and channel.
    pub(super) fn pdu_header(&mut self, pdu: &Pdu) {
        if self.wanted {
            let (octets, places) = (pdu.header().to_vec(), pdu.header_places());
            self.found.push(Mark { what: What::Plain, whose: None, octets, places });
        }
    }
}

/// A cursor over a record's octets that can't overrun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk<'a> {
    pub(super) record: &'a Record,
    pub(super) at: usize,
    end: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(record: &'a Record, at: usize) -> Walk<'a> {
        Walk { record, at: at.min(record.octets.len()), end: record.octets.len() }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.record.octets.get(self.at..self.end).unwrap_or_default()
    }

    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = *self.rest().first_chunk::<N>()?;
        self.at += N;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    pub(super) fn skip(&mut self, octets: usize) -> Option<()> {
        (octets <= self.rest().len()).then(|| self.at += octets)
    }

    /// So many octets, as a walk of their own.
    pub(super) fn part(&mut self, octets: usize) -> Option<Walk<'a>> {
        let from = *self;
        self.skip(octets)?;
        Some(Walk { end: self.at, ..from })
    }
}
