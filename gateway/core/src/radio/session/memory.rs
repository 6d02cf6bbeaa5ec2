//! A memory that is asked for by the record access control point: what is new, and whether it still is the memory that the
//! cursor speaks of.
//!
//! A cursor alone loses readings of a meter whose numbers began anew (a new battery, a repair): it has nothing after the
//! cursor, or less than it should. So after what is new, all records are counted. As many as there were, and those that
//! came: it is the memory we know; as few as there were, with new ones: a full one, which forgot the oldest. Anything else
//! is another memory, and all of it is asked for; so is all of a meter that can't count. What the counts can't show, a memory that began anew and has as many
//! records again, [`Known::all`] does: it is to be set now and then.

use super::{Fault, Known, Memory};
use crate::radio::{Millis, after};
use hearth_wire::racp::{Opcode, ResponseCode};
use hearth_wire::transfer::{self, Outcome, Request, Response, Transfer};

/// Procedure Already In Progress: Core Specification Supplement, Part B, 1.2.
const IN_PROGRESS: Fault = Fault::Att(0xFE);
/// After that one, how long to wait.
const AGAIN_MS: u64 = 1_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// What is after the cursor, or all.
    News,
    /// All are counted; so many new ones came, and the cursor would be this.
    Check { came: u16, cursor: Option<u16> },
    /// Another memory: all of it.
    All,
}

#[derive(Clone, Debug)]
pub(super) struct Collecting {
    cursor: Option<u16>,
    total: Option<u16>,
    /// Records carry numbers of their own. Else they are counted, and none is remembered.
    numbered: bool,
    unnumbered: u16,
    patience: u64,
    phase: Phase,
    transfer: Transfer,
    /// By what the request that is out asks, as far as the meter takes filters; and what it counted.
    asked: Option<u16>,
    counted: Option<u16>,
    counting: bool,
    came: u16,
    again: bool,
    /// Wait before anything else.
    pause: Option<Millis>,
    done: Option<Memory>,
}

pub(super) enum Go {
    Write(Vec<u8>),
    Wait,
    Done(Memory),
}

impl Collecting {
    pub(super) fn start(known: &Known, numbered: bool, patience: u64, now: Millis) -> Collecting {
        let cursor = known.cursor.filter(|_| numbered && !known.all);
        let from = cursor.map(|cursor| cursor.wrapping_add(1));
        Collecting {
            cursor,
            total: known.total,
            numbered,
            unnumbered: 0,
            patience,
            phase: Phase::News,
            transfer: Transfer::start(from, patience, now),
            asked: from,
            counted: None,
            counting: false,
            came: 0,
            again: true,
            pause: None,
            done: None,
        }
    }

    pub(super) fn record(&mut self, number: u16, now: Millis) {
        if self.transfer.record(number, now) == transfer::Arrival::Fresh {
            self.came = self.came.saturating_add(1);
        }
    }

    /// A record that has no number.
    pub(super) fn unnumbered(&mut self, now: Millis) {
        self.unnumbered = self.unnumbered.wrapping_add(1);
        self.record(self.unnumbered, now);
    }

    pub(super) fn answer(&mut self, response: Response, now: Millis) {
        if self.counting {
            let counted = match response {
                Response::Count(counted) => Some(Some(counted)),
                Response::Result { of: Opcode::REPORT_NUMBER_OF_STORED_RECORDS, code } => {
                    Some((code == ResponseCode::NO_RECORDS_FOUND).then_some(0))
                }
                Response::Result { .. } => None,
            };
            if let Some(counted) = counted {
                self.counting = false;
                self.counted = counted;
                if let Phase::Check { came, cursor } = self.phase {
                    if self.is_the_same(counted, came) {
                        self.done = Some(Memory::Whole { cursor, total: counted, anew: false });
                        return;
                    }
                    self.phase = Phase::All;
                    self.came = 0;
                }
            }
        }
        self.transfer.answer(response, now);
    }

    /// What was counted is the memory that the cursor speaks of. Of one that can't count, nobody knows.
    fn is_the_same(&self, counted: Option<u16>, came: u16) -> bool {
        let same = |(counted, total): (u16, u16)| (total..=total.saturating_add(came)).contains(&counted);
        counted.zip(self.total).is_some_and(same)
    }

    /// The control point did not take the request.
    pub(super) fn refused(&mut self, fault: Fault, now: Millis) {
        if fault == IN_PROGRESS && self.again {
            self.again = false;
            self.restart(now);
            self.pause = Some(after(now, AGAIN_MS));
        } else {
            self.done.get_or_insert(Memory::Failed(fault));
        }
    }

    pub(super) fn deadline(&self) -> Millis {
        match (self.pause, self.transfer.clone().poll()) {
            (Some(until), _) => until,
            (None, transfer::Poll::Wait(until)) => until,
            (None, transfer::Poll::Write(_) | transfer::Poll::Done(_)) => Millis(0),
        }
    }

    pub(super) fn timeout(&mut self, now: Millis) {
        match self.pause {
            Some(until) if now >= until => {
                self.pause = None;
                self.restart(now);
            }
            Some(_) => {}
            None => self.transfer.timeout(now),
        }
    }

    pub(super) fn poll(&mut self, now: Millis) -> Go {
        loop {
            if let Some(memory) = self.done {
                return Go::Done(memory);
            }
            if self.pause.is_some() {
                return Go::Wait;
            }
            match self.transfer.poll() {
                transfer::Poll::Wait(_) => return Go::Wait,
                transfer::Poll::Write(request) => {
                    match request {
                        Request::Count { from } => {
                            (self.asked, self.counting, self.counted) = (from, true, None)
                        }
                        Request::Report { from } => (self.asked, self.came) = (from, 0),
                        Request::Abort => {}
                    }
                    let mut room = [0; 5];
                    match request.encode(&mut room) {
                        Ok(octets) => return Go::Write(octets.to_vec()),
                        // Five octets are enough for any.
                        Err(_) => self.done = Some(Memory::Cut),
                    }
                }
                transfer::Poll::Done(outcome) => self.ended(outcome, now),
            }
        }
    }

    fn ended(&mut self, outcome: Outcome, now: Millis) {
        let whole = |cursor: Option<u16>, total, anew| Some(Memory::Whole { cursor, total, anew });
        match (self.phase, outcome) {
            (_, Outcome::Short { .. } | Outcome::Incomplete { .. }) if self.again => {
                self.again = false;
                self.restart(now);
            }
            (Phase::News, Outcome::Complete { last }) if self.asked.is_some() => {
                self.check(self.came, Some(last), now);
            }
            (Phase::News, Outcome::Empty) if self.asked.is_some() => self.check(0, self.cursor, now),
            (Phase::News | Phase::All, Outcome::Complete { last }) => {
                let cursor = Some(last).filter(|_| self.numbered);
                self.done = whole(cursor, self.counted.or(Some(self.came)), self.phase == Phase::All);
            }
            (Phase::News | Phase::All, Outcome::Empty) => {
                self.done = whole(None, Some(0), self.phase == Phase::All);
            }
            // What was new is here; that nothing else is was not said.
            (Phase::Check { cursor, .. }, Outcome::Silent { .. }) => self.done = whole(cursor, None, false),
            (_, outcome) => self.done = Some(Memory::Part(outcome)),
        }
    }

    fn check(&mut self, came: u16, cursor: Option<u16>, now: Millis) {
        self.phase = Phase::Check { came, cursor };
        self.restart(now);
    }

    fn restart(&mut self, now: Millis) {
        let from = match self.phase {
            Phase::News => self.cursor.map(|cursor| cursor.wrapping_add(1)),
            Phase::Check { .. } | Phase::All => None,
        };
        self.transfer = Transfer::start(from, self.patience, now);
        (self.counting, self.came, self.unnumbered) = (false, 0, 0);
    }
}
