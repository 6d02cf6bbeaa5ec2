//! Collecting a meter's stored records: sans-IO.
//!
//! Answers, sequence numbers and instants go in; requests and one outcome come out. No radio, no clock.
//! The contract: after every call in, drain [`Transfer::poll`] until it says `Wait` or `Done`.
//!
//! The conversation (Glucose Service, "Record Access Control Point" procedures): count what is new, have it
//! reported, compare. A meter that does not know the filter is asked again without it; one that can't count
//! is asked to report all the same. So at most two counts, two reports and one abort are ever sent.
//!
//! Every input that is progress (an answer to the request that is out, a record not just heard) moves the
//! deadline; nothing else does, and both are bounded: no meter, however rude, keeps a transfer from its end.
//!
//! Deliberately absent: which records are new to the house. Every record is to be kept, whatever
//! [`Arrival`] says of it; the arrival only tells what it does to this transfer.

use crate::racp::{Opcode, Operand, Operator, RecordAccessControlPoint, ResponseCode};
use crate::{Malformed, NoRoom};

/// Milliseconds since an instant of the caller's choice; never goes back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Millis(pub u64);

/// What to write to the Record Access Control Point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// How many records are there, from this sequence number on (`None`: in all)?
    Count { from: Option<u16> },
    /// Send them.
    Report { from: Option<u16> },
    /// Stop sending.
    Abort,
}

impl Request {
    /// At most five octets.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        RecordAccessControlPoint::from(*self).encode(buffer)
    }
}

impl From<Request> for RecordAccessControlPoint<'static> {
    fn from(request: Request) -> Self {
        let asked = |opcode, from| match from {
            Some(number) => RecordAccessControlPoint {
                opcode,
                operator: Operator::GREATER_THAN_OR_EQUAL_TO,
                operand: Operand::Sequence(number),
            },
            None => {
                RecordAccessControlPoint { opcode, operator: Operator::ALL_RECORDS, operand: Operand::None }
            }
        };
        match request {
            Request::Count { from } => asked(Opcode::REPORT_NUMBER_OF_STORED_RECORDS, from),
            Request::Report { from } => asked(Opcode::REPORT_STORED_RECORDS, from),
            Request::Abort => RecordAccessControlPoint {
                opcode: Opcode::ABORT_OPERATION,
                operator: Operator::NULL,
                operand: Operand::None,
            },
        }
    }
}

/// What the Record Access Control Point indicated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Response {
    Count(u16),
    /// What became of the request with this op code.
    Result {
        of: Opcode,
        code: ResponseCode,
    },
}

/// Refuses what is no answer. An operator other than Null is tolerated: nothing hangs on it.
impl TryFrom<RecordAccessControlPoint<'_>> for Response {
    type Error = Malformed;

    fn try_from(value: RecordAccessControlPoint<'_>) -> Result<Self, Malformed> {
        match (value.opcode, value.operand) {
            (Opcode::NUMBER_OF_STORED_RECORDS_RESPONSE, Operand::Count(count)) => Ok(Response::Count(count)),
            (Opcode::RESPONSE_CODE, Operand::Response { request, code }) => {
                Ok(Response::Result { of: request, code })
            }
            (Opcode(value), _) => {
                Err(Malformed::Unexpected { field: "op code", at: 0, value: u32::from(value) })
            }
        }
    }
}

/// What a record is to the transfer. Keep the record in every case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    Fresh,
    /// The same sequence number as the record before it.
    ///
    /// Only the last number is remembered: a list of all would need the memory of the whole meter. A repeat
    /// further back counts as fresh, which the count of the meter itself makes up for only in part; what
    /// is kept is told apart by its octets, not here. Meters that number two records alike fall short, and
    /// are asked for the same records again: that loses nothing.
    Repeat,
    /// Nobody asked for it: no report is under way, or its number is before the one asked from.
    Unasked,
}

/// How it ended. Every ending is a value; there is no silent one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All came that was counted (or, where the meter can't count, at least one did and the meter says that
    /// it is done). `last` is the number furthest on, however the meter ordered them.
    Complete { last: u16 },
    /// The meter has nothing that was asked for. So says also one whose numbers began anew, below the one
    /// asked from: whoever chose that must sometimes ask for all.
    Empty,
    /// The meter says it sent everything, yet we counted fewer than `expected`: its own count, or at least
    /// one where it has none. Do not advance.
    Short { expected: u16, received: u16 },
    /// The meter did not complete, contradicted itself, or sent more records than it can number. Do not
    /// advance.
    Incomplete { received: u16 },
    /// The meter will not, in its own words.
    Refused { of: Opcode, code: ResponseCode },
    /// Nothing was heard for as long as we were told to wait.
    Silent { received: u16 },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Poll {
    /// Write this to the control point.
    Write(Request),
    /// Nothing to do before this instant; then call [`Transfer::timeout`].
    Wait(Millis),
    Done(Outcome),
}

/// One collection of a meter's stored records.
#[derive(Clone, Debug)]
pub struct Transfer {
    from: Option<u16>,
    patience: u64,
    state: State,
    send: Option<Request>,
    deadline: Millis,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Counting,
    Reporting { expected: Option<u16>, heard: Heard },
    Aborting { heard: Heard },
    Finished(Outcome),
}

#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    received: u16,
    /// The number just heard.
    last: Option<u16>,
    /// The number that all others are before, as numbers that wrap are compared ([`is_after`]).
    furthest: Option<u16>,
}

impl Heard {
    /// `None` when there are more than a meter can number.
    fn and(self, number: u16) -> Option<Heard> {
        let furthest = match self.furthest {
            Some(furthest) if !is_after(number, furthest) => furthest,
            _ => number,
        };
        Some(Heard { received: self.received.checked_add(1)?, last: Some(number), furthest: Some(furthest) })
    }
}

/// Sequence numbers wrap: one is after another if it is less than half the circle ahead (RFC 1982).
pub fn is_after(number: u16, other: u16) -> bool {
    (1..0x8000).contains(&number.wrapping_sub(other))
}

impl Transfer {
    /// Begins with a count. `from`: the first sequence number wanted, `None` for all; `patience`: how many
    /// milliseconds without progress are silence.
    pub fn start(from: Option<u16>, patience: u64, now: Millis) -> Transfer {
        let mut transfer = Transfer { from, patience, state: State::Counting, send: None, deadline: now };
        transfer.count(now);
        transfer
    }

    /// The control point answered. An answer to what is not out is ignored.
    pub fn answer(&mut self, response: Response, now: Millis) {
        if self.send.is_some() {
            return;
        }
        match (self.state, response) {
            (State::Counting, Response::Count(0)) => self.finish(Outcome::Empty),
            (State::Counting, Response::Count(expected)) => self.report(Some(expected), now),
            (State::Counting, Response::Result { of: Opcode::REPORT_NUMBER_OF_STORED_RECORDS, code }) => {
                self.not_counted(code, now);
            }
            (
                State::Reporting { expected, heard },
                Response::Result { of: Opcode::REPORT_STORED_RECORDS, code },
            ) => self.reported(expected, heard, code, now),
            (State::Aborting { heard }, Response::Result { of: Opcode::ABORT_OPERATION, .. }) => {
                self.finish(Outcome::Silent { received: heard.received });
            }
            (State::Counting | State::Reporting { .. } | State::Aborting { .. } | State::Finished(_), _) => {}
        }
    }

    /// A record came, with this sequence number.
    pub fn record(&mut self, sequence: u16, now: Millis) -> Arrival {
        let asked = self.send.is_none()
            // Meters filter by plain number, or around the wrap: either is what we asked for.
            && self.from.is_none_or(|from| sequence >= from || is_after(sequence, from));
        let (State::Reporting { heard, .. } | State::Aborting { heard }, true) = (self.state, asked) else {
            return Arrival::Unasked;
        };
        if heard.last == Some(sequence) {
            return Arrival::Repeat;
        }
        match (heard.and(sequence), self.state) {
            (Some(heard), State::Reporting { expected, .. }) => {
                self.state = State::Reporting { expected, heard };
                self.deadline = Millis(now.0.saturating_add(self.patience));
            }
            (Some(heard), _) => self.state = State::Aborting { heard },
            (None, _) => self.finish(Outcome::Incomplete { received: heard.received }),
        }
        Arrival::Fresh
    }

    /// The control point did not take the request: the same one goes out again.
    pub fn again(&mut self, now: Millis) {
        match self.state {
            State::Counting => self.count(now),
            State::Reporting { expected, .. } => self.report(expected, now),
            State::Aborting { heard } => self.abort(heard, now),
            State::Finished(_) => {}
        }
    }

    /// The instant of [`Poll::Wait`] has come: first an abort, then silence. Too early is ignored.
    pub fn timeout(&mut self, now: Millis) {
        if now < self.deadline {
            return;
        }
        match self.state {
            State::Counting => self.abort(Heard::default(), now),
            State::Reporting { heard, .. } => self.abort(heard, now),
            State::Aborting { heard } => self.finish(Outcome::Silent { received: heard.received }),
            State::Finished(_) => {}
        }
    }

    pub fn poll(&mut self) -> Poll {
        if let Some(request) = self.send.take() {
            return Poll::Write(request);
        }
        match self.state {
            State::Finished(outcome) => Poll::Done(outcome),
            State::Counting | State::Reporting { .. } | State::Aborting { .. } => Poll::Wait(self.deadline),
        }
    }

    fn not_counted(&mut self, code: ResponseCode, now: Millis) {
        match code {
            ResponseCode::NO_RECORDS_FOUND => self.finish(Outcome::Empty),
            ResponseCode::PROCEDURE_NOT_COMPLETED => self.finish(Outcome::Incomplete { received: 0 }),
            code if self.from.is_some() && refuses_filter(code) => {
                self.from = None;
                self.count(now);
            }
            // A count is a courtesy; the records are what we came for.
            _ => self.report(None, now),
        }
    }

    fn reported(&mut self, expected: Option<u16>, heard: Heard, code: ResponseCode, now: Millis) {
        let Heard { received, furthest, .. } = heard;
        // A meter without records says so; success promises at least one.
        let promised = expected.unwrap_or(1);
        match (code, furthest) {
            (ResponseCode::SUCCESS, Some(last)) if received >= promised => {
                self.finish(Outcome::Complete { last });
            }
            (ResponseCode::SUCCESS, _) => self.finish(Outcome::Short { expected: promised, received }),
            (ResponseCode::NO_RECORDS_FOUND, None) => self.finish(Outcome::Empty),
            (ResponseCode::NO_RECORDS_FOUND | ResponseCode::PROCEDURE_NOT_COMPLETED, _) => {
                self.finish(Outcome::Incomplete { received });
            }
            (code, None)
                if self.from.is_some()
                    && (refuses_filter(code) || code == ResponseCode::OP_CODE_NOT_SUPPORTED) =>
            {
                self.from = None;
                match expected {
                    Some(_) => self.count(now),
                    None => self.report(None, now),
                }
            }
            (code, _) => self.finish(Outcome::Refused { of: Opcode::REPORT_STORED_RECORDS, code }),
        }
    }

    fn count(&mut self, now: Millis) {
        self.go(State::Counting, Request::Count { from: self.from }, now);
    }

    fn report(&mut self, expected: Option<u16>, now: Millis) {
        let heard = Heard::default();
        self.go(State::Reporting { expected, heard }, Request::Report { from: self.from }, now);
    }

    fn abort(&mut self, heard: Heard, now: Millis) {
        self.go(State::Aborting { heard }, Request::Abort, now);
    }

    fn go(&mut self, state: State, request: Request, now: Millis) {
        self.state = state;
        self.send = Some(request);
        self.deadline = Millis(now.0.saturating_add(self.patience));
    }

    fn finish(&mut self, outcome: Outcome) {
        self.state = State::Finished(outcome);
        self.send = None;
    }
}

/// The codes with which meters say that they do not know `from this number on`.
fn refuses_filter(code: ResponseCode) -> bool {
    matches!(
        code,
        ResponseCode::INVALID_OPERATOR
            | ResponseCode::OPERATOR_NOT_SUPPORTED
            | ResponseCode::INVALID_OPERAND
            | ResponseCode::OPERAND_NOT_SUPPORTED
    )
}
