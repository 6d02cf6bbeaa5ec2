//! The first guard: a record is one row per device, however often it is heard.

use super::{Fate, Open, Record, RecordNo, Refusal, has_parts};
use crate::capture::{Capture, Uuid16, name, timeless};

/// Whether a capture is a record that is already there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hearing {
    New,
    Again(RecordNo),
}

/// The sequence that a record's octets carry, whatever a profile says: how the store finds partners.
pub fn sequence(characteristic: Uuid16, octets: &[u8]) -> Option<u16> {
    let joins = [Uuid16::GLUCOSE_MEASUREMENT, Uuid16::GLUCOSE_MEASUREMENT_CONTEXT].contains(&characteristic);
    let [_, low, high, ..] = octets else { return None };
    joins.then_some(u16::from_le_bytes([*low, *high]))
}

impl Open {
    /// Looks for the capture among the loaded records: those of its name, those of its contact, and those
    /// that share its sequence.
    ///
    /// - Octets name most records for life.
    /// - A record without sequence and stamp repeats by its origin, or by the octets that its device told last in the
    ///   same contact. A composition after another weight, or a value after another one, is its own.
    /// - A heart rate is notified, which nobody confirms and nobody repeats: each is its own.
    /// - A context has no time: the same octets come again for another measurement after a sequence reset. It
    ///   repeats while it is unsettled, within its contact, or where its old measurement was just repeated.
    pub fn hear(&self, capture: &Capture) -> Hearing {
        let name = name(capture);
        let heard = if timeless(capture.characteristic, &capture.octets) {
            self.youngest(|r| r.name == name).or_else(|| self.told_last(capture))
        } else {
            if capture.characteristic == Uuid16::GLUCOSE_MEASUREMENT_CONTEXT {
                self.youngest(|r| r.name == name && self.context_recurs(r, capture))
            } else {
                self.youngest(|r| r.name == name)
            }
        };
        heard.map_or(Hearing::New, |r| Hearing::Again(r.no))
    }

    /// What the device told last in this contact, if this is the same again.
    fn told_last(&self, capture: &Capture) -> Option<&Record> {
        let own = capture.characteristic;
        let beside = |other: Uuid16| other == own || has_parts(own) && has_parts(other);
        let told = self
            .records
            .values()
            .filter(|r| r.last_contact == capture.contact && beside(r.first().characteristic));
        let last = told.max_by_key(|r| (r.last_at, r.no)).filter(|_| own != Uuid16::HEART_RATE_MEASUREMENT);
        last.filter(|r| r.first().characteristic == own && r.first().octets == capture.octets)
    }

    fn youngest(&self, is: impl Fn(&Record) -> bool) -> Option<&Record> {
        self.records.values().rev().find(|r| is(r))
    }

    fn context_recurs(&self, context: &Record, capture: &Capture) -> bool {
        match &context.fate {
            Fate::New | Fate::Await { .. } | Fate::Hold(_) | Fate::Reissue(_) => return true,
            Fate::Refused(Refusal::Orphan, ..) => return true,
            _ if context.last_contact == capture.contact => return true,
            _ => {}
        }
        let sequence = sequence(capture.characteristic, &capture.octets);
        let mate = self.youngest(|r| {
            r.last_contact == capture.contact
                && r.first().characteristic == Uuid16::GLUCOSE_MEASUREMENT
                && sequence == super::hear::sequence(r.first().characteristic, &r.first().octets)
        });
        // A measurement that is new in this contact brings its own context.
        mate.is_some_and(|m| m.first().contact != capture.contact)
    }
}

/// In how many contacts a record is heard that still wants to be judged. A meter that nobody was bound to for a year
/// tells its whole memory every day; the first contacts stay, since they are nearest to the measurement, and a clock
/// that jumped later can't pass for the one that stamped it.
pub const HEARINGS: usize = 64;

impl Record {
    /// The record was heard again. An orphan waits again; a settled record only counts, and so does one that was heard
    /// in [`HEARINGS`] contacts.
    pub fn again(&mut self, capture: &Capture, settled: bool) {
        self.times = self.times.saturating_add(1);
        self.changed |= self.first().octets != capture.octets;
        let orphan = matches!(self.fate, Fate::Refused(Refusal::Orphan, ..));
        if orphan && self.last_contact != capture.contact {
            self.fate = Fate::New;
        }
        self.last_contact = capture.contact;
        self.last_at = capture.at;
        let open = !settled || self.fate == Fate::New;
        if open && self.heard.len() < HEARINGS && self.heard.iter().all(|c| c.contact != capture.contact) {
            self.heard.push(capture.clone());
        }
    }
}
