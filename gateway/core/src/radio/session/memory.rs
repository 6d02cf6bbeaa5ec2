//! A memory that is asked for by the record access control point: what is new, and whether it still is the memory that the
//! cursor speaks of.
//!
//! A number alone loses readings of a meter whose numbers began anew (a new battery, a repair): it has nothing after the
//! number, or has come past it and has other records before. So what is asked for begins **with** the last record that is
//! known. If that one comes, with the octets that name it, it is the memory we know. If not, it is another one, or a full one
//! that has forgotten it, and everything is asked for. That costs one record a session, and counts nothing.
//!
//! Near the wrap of the numbers everything is asked for: some meters filter by plain number.

use super::{Cursor, Fault, Known, Memory};
use crate::admit::sequence;
use crate::capture::{Uuid16, named};
use crate::radio::{Millis, after};
use hearth_wire::transfer::{self, Arrival, Outcome, Request, Response, Transfer, is_after};

/// Procedure Already In Progress: Core Specification Supplement, Part B, 1.2.
const IN_PROGRESS: Fault = Fault::Att(0xFE);
/// After that one, how long to wait, and how often. A meter may think itself busy until its last answer was confirmed.
const AGAIN_MS: u64 = 1_000;
const BUSY: u8 = 3;
/// From this number on the wrap is near.
const NEAR_WRAP: u16 = 0xFF00;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// From the cursor on; without one, all.
    News,
    /// The cursor's record is not there: all.
    All,
}

#[derive(Clone, Debug)]
pub(super) struct Collecting {
    cursor: Option<Cursor>,
    /// Records carry numbers of their own. Else they are counted, and none is remembered.
    numbered: bool,
    unnumbered: u16,
    patience: u64,
    phase: Phase,
    transfer: Transfer,
    /// By what the request that is out asks, as far as the meter takes filters.
    asked: Option<u16>,
    /// The cursor's own record came.
    is_known: bool,
    furthest: Option<Cursor>,
    again: bool,
    /// How often it thought itself busy.
    busy: u8,
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
        let cursor = known.cursor.filter(|c| numbered && !known.all && c.number < NEAR_WRAP);
        let from = cursor.map(|cursor| cursor.number);
        Collecting {
            cursor,
            numbered,
            unnumbered: 0,
            patience,
            phase: Phase::News,
            transfer: Transfer::start(from, patience, now),
            asked: from,
            is_known: false,
            furthest: None,
            again: true,
            busy: 0,
            pause: None,
            done: None,
        }
    }

    /// A measurement, of whatever characteristic.
    pub(super) fn record(&mut self, characteristic: Uuid16, octets: &[u8], now: Millis) {
        match characteristic {
            Uuid16::GLUCOSE_MEASUREMENT => {
                let Some(number) = sequence(characteristic, octets) else { return };
                if self.transfer.record(number, now) == Arrival::Unasked {
                    return;
                }
                let Some(name) = named(characteristic, octets) else { return };
                let record = Cursor { number, name };
                self.is_known |= self.cursor == Some(record);
                if !self.furthest.is_some_and(|last| is_after(last.number, number)) {
                    self.furthest = Some(record);
                }
            }
            Uuid16::PLX_SPOT_CHECK_MEASUREMENT => {
                self.unnumbered = self.unnumbered.wrapping_add(1);
                self.transfer.record(self.unnumbered, now);
            }
            _ => {}
        }
    }

    pub(super) fn answer(&mut self, response: Response, now: Millis) {
        self.transfer.answer(response, now);
    }

    /// The control point did not take the request.
    pub(super) fn refused(&mut self, fault: Fault, now: Millis) {
        if fault == IN_PROGRESS && self.busy < BUSY {
            self.busy += 1;
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
                self.transfer.again(now);
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
                        Request::Count { from } => self.asked = from,
                        Request::Report { from } => {
                            (self.asked, self.is_known, self.furthest) = (from, false, None);
                        }
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
        let filtered = self.phase == Phase::News && self.asked.is_some();
        let anew = self.phase == Phase::All;
        match outcome {
            Outcome::Short { .. } | Outcome::Incomplete { .. } if self.again => {
                self.again = false;
                self.restart(now);
            }
            Outcome::Complete { .. } if filtered && !self.is_known => self.all(now),
            Outcome::Empty if filtered => self.all(now),
            Outcome::Complete { last } => {
                let cursor = self.furthest.filter(|furthest| self.numbered && furthest.number == last);
                self.done = Some(Memory::Whole { cursor, anew });
            }
            Outcome::Empty => self.done = Some(Memory::Whole { cursor: None, anew }),
            part => self.done = Some(Memory::Part(part)),
        }
    }

    fn all(&mut self, now: Millis) {
        self.phase = Phase::All;
        self.restart(now);
    }

    fn restart(&mut self, now: Millis) {
        let from = self.cursor.filter(|_| self.phase == Phase::News).map(|cursor| cursor.number);
        self.transfer = Transfer::start(from, self.patience, now);
        self.unnumbered = 0;
    }
}
