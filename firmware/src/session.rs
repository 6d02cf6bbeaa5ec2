//! One conversation with a device: the steps that the hub planned for it, carried out.
//!
//! What the device answers and tells goes in, with instants; what to ask it, what to keep, and one ending come out. After every call
//! in, drain [`Session::poll`] until it says `Wait` or `Done`. One request is out at a time, as in ATT.
//!
//! A step that the device refuses ends nothing but itself: another hub has told it something else, or its firmware is another than the
//! profile's. What it told is kept; how the conversation went is told at its end. A value that [`Session::value`] wants to have kept is
//! to be in flash before it is confirmed.
//!
//! Deliberately absent: connecting, pairing, handles; what a value means, but for a clock's.

mod clock;
mod last;
mod words;

use clock::Clock;
use hearth_wire::frame::plan::{Device, Place, Step, Steps};
use hearth_wire::frame::said::{Ending, What};
use hearth_wire::frame::{Ticks, TimeOfDay};
use hearth_wire::gatt::{GlucoseMeasurementContext, UserControlPoint, UserControlResult};
use hearth_wire::racp::RecordAccessControlPoint;
use hearth_wire::transfer::{self, Outcome, Transfer};
pub use last::Last;
pub use words::{Fault, Octets, Poll};

/// ATT ends a link whose request was not answered for so long (Bluetooth Core, Vol 3, Part F, 3.3.3).
const ANSWER_MS: u64 = 30_000;
/// How long a scale has to answer a consent code.
const CONSENT_MS: u64 = 5_000;
/// A meter that says nothing for so long while it reports its records is asked to stop.
const RECORDS_MS: u64 = 10_000;
/// No conversation lasts longer: a thousand records take three minutes.
const LIMIT_MS: u64 = 600_000;

#[derive(Clone, Debug)]
enum Doing {
    Next,
    /// The answer to this is waited for, since then and until.
    Asking(Step, Ticks, Ticks),
    Pausing(Ticks),
    /// What it told is kept apart from what it tells once its clock is another.
    Parting(Step),
    Consenting(Ticks),
    /// From this number on, if from any; and whether that record came.
    Collecting(Place, Transfer, Option<u16>, bool),
    /// Since something was heard.
    Draining(Ticks),
    Ended(Ending),
}

/// What it can be subscribed to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Tells {
    NotAsked,
    Nothing,
    Something,
}

/// One conversation with one device.
#[derive(Clone, Debug)]
pub struct Session<'a> {
    steps: Steps<'a>,
    /// Comes before them.
    first: Option<Step>,
    clock: Clock,
    silence_ms: u64,
    doing: Doing,
    now: Ticks,
    end: Ticks,
    values: u16,
    tells: Tells,
    /// What a step came to that is worth telling: the first.
    fault: Option<Ending>,
    /// Up to which record it has told its memory before. `None`: unknown, or it has none.
    told: Option<Last>,
    /// The record that is furthest on.
    furthest: Option<Last>,
}

impl<'a> Session<'a> {
    /// The link stands, and is as safe as the device's plan wants it. `told`: what [`Session::furthest`] came to in the last
    /// conversation in which it told all, if that is still known: it is asked for what came since. `time`: without it clocks are left
    /// alone.
    pub fn start(
        device: &Device<'a>,
        told: Option<Last>,
        time: Option<TimeOfDay>,
        now: Ticks,
    ) -> Session<'a> {
        Session {
            steps: device.steps,
            first: None,
            clock: Clock::new(time),
            silence_ms: device.silence_ms.into(),
            doing: Doing::Next,
            now,
            end: now.later(LIMIT_MS),
            values: 0,
            tells: Tells::NotAsked,
            fault: None,
            told: told.filter(Last::can_be_asked_from),
            furthest: None,
        }
    }

    /// What was read, or that something was written: what is to be kept of it.
    pub fn answered<'v>(&mut self, octets: &'v [u8], now: Ticks) -> Option<What<'v>> {
        self.now = now;
        let Doing::Asking(step, asked, _) = self.doing else { return None };
        self.doing = Doing::Next;
        match step {
            Step::Consent { .. } => {
                self.doing = Doing::Consenting(now.later(CONSENT_MS));
                None
            }
            Step::Read(Place { characteristic, .. }) => Some(What::Answer { characteristic, octets }),
            Step::ReadClock(place) => {
                self.clock.read(place, octets, Ticks(asked.0.midpoint(now.0)));
                Some(What::Clock { asked, characteristic: place.characteristic, octets })
            }
            Step::Subscribe(_) => {
                self.tells = Tells::Something;
                None
            }
            Step::SetClock { .. } => {
                self.first = self.clock.again();
                None
            }
            _ => None,
        }
    }

    /// The request that is out came to nothing.
    pub fn refused(&mut self, fault: Fault, now: Ticks) {
        self.now = now;
        match &mut self.doing {
            // What it told is whole, whatever its clock shows; a part of the time is taken by some that say so as a fault.
            Doing::Asking(Step::SetClock { place, .. }, ..) => {
                let is_taken =
                    matches!(fault, Fault::Att(code) if clock::takes_a_part(place.characteristic, code));
                self.first = self.clock.again().filter(|_| is_taken);
                self.doing = Doing::Next;
            }
            Doing::Asking(..) | Doing::Collecting(..) if fault.wants_a_bond() => {
                self.doing = Doing::Ended(Ending::BondLost);
            }
            // The plan has all that such a device may have; one of them it has.
            Doing::Asking(Step::Subscribe(_), ..) if fault == Fault::Missing => {
                self.doing = Doing::Next;
                self.tells = self.tells.max(Tells::Nothing);
            }
            // A fact that it does not tell is no fault.
            Doing::Asking(Step::Read(_) | Step::ReadClock(_), ..) => self.doing = Doing::Next,
            // Its control point was busy with another's request, or is not subscribed to: once more, until it is silent.
            Doing::Collecting(_, transfer, ..) if matches!(fault, Fault::Att(0x80 | 0xFE)) => {
                transfer.again(transfer::Millis(now.0));
            }
            Doing::Asking(..) | Doing::Collecting(..) => {
                self.doing = Doing::Next;
                self.notes(Ending::Refused(fault.code()));
            }
            _ => {}
        }
    }

    /// The device told something by itself: whether it is to be kept. What answers a control point is not.
    pub fn value(&mut self, characteristic: u16, octets: &[u8], now: Ticks) -> bool {
        self.now = now;
        let millis = transfer::Millis(now.0);
        match characteristic {
            RecordAccessControlPoint::UUID => {
                if let Doing::Collecting(_, transfer, ..) = &mut self.doing
                    && let Ok(point) = RecordAccessControlPoint::decode(octets)
                    && let Ok(response) = transfer::Response::try_from(point.value)
                {
                    transfer.answer(response, millis);
                }
                return false;
            }
            UserControlPoint::UUID => {
                if matches!(self.doing, Doing::Consenting(_))
                    && let Ok(point) = UserControlPoint::decode(octets)
                    && let UserControlPoint::Response { result, .. } = point.value
                {
                    // The next one's code ends this one's turn: first it tells all of theirs.
                    self.doing = Doing::Draining(now);
                    if result != UserControlResult::SUCCESS {
                        self.doing = Doing::Next;
                        self.notes(Ending::Refused(result.0));
                    }
                }
                return false;
            }
            _ => {}
        }
        match &mut self.doing {
            Doing::Draining(heard) => *heard = now,
            Doing::Collecting(_, transfer, from, is_known) if MEASUREMENTS.contains(&characteristic) => {
                if let Some(last) = Last::of(octets) {
                    transfer.record(last.number, millis);
                    if self.furthest.is_none_or(|before| transfer::is_after(last.number, before.number)) {
                        self.furthest = Some(last);
                    }
                    if self.told == Some(last) {
                        // It was kept when it was told first.
                        *is_known = true;
                        return false;
                    }
                    *is_known |= self.told.is_none() && *from == Some(last.number);
                }
            }
            _ => {}
        }
        // What belongs to a record that is known is kept, in case its owner changed it, and is no news.
        let is_news = characteristic != GlucoseMeasurementContext::UUID
            || !self.told.is_some_and(|last| last.has(octets));
        self.values = self.values.saturating_add(is_news.into());
        true
    }

    /// After [`Poll::Part`]: what it told is kept as what came before.
    pub fn parted(&mut self, now: Ticks) {
        self.now = now;
        if let Doing::Parting(step) = self.doing {
            self.doing = Doing::Next;
            self.first = Some(step);
            self.clock.parted();
        }
    }

    /// The bridge has no room for what the device tells: it is not confirmed, and the device keeps it.
    pub fn no_room(&mut self) {
        self.end(Ending::NoRoom);
    }

    /// The link is gone. A device that had told all it had leaves by itself, and so does one that had not.
    pub fn lost(&mut self) {
        self.end(Ending::Lost);
    }

    fn end(&mut self, how: Ending) {
        if !matches!(self.doing, Doing::Ended(_)) {
            self.doing = Doing::Ended(how);
        }
    }

    /// The instant that was waited for has come.
    pub fn timeout(&mut self, now: Ticks) {
        self.now = now;
        if now >= self.end {
            return self.end(Ending::Silent);
        }
        match &mut self.doing {
            Doing::Asking(_, _, until) if now >= *until => self.doing = Doing::Ended(Ending::Silent),
            Doing::Pausing(until) if now >= *until => self.doing = Doing::Next,
            Doing::Consenting(until) if now >= *until => {
                self.doing = Doing::Next;
                self.notes(Ending::Silent);
            }
            Doing::Draining(heard) if now >= heard.later(self.silence_ms) => self.doing = Doing::Next,
            Doing::Collecting(_, transfer, ..) => transfer.timeout(transfer::Millis(now.0)),
            _ => {}
        }
    }

    /// How many values it told.
    pub fn values(&self) -> u16 {
        self.values
    }

    /// Of the records that it told by their numbers, the one that is furthest on.
    pub fn furthest(&self) -> Option<Last> {
        self.furthest
    }

    pub fn poll(&mut self) -> Poll {
        loop {
            let until = match &mut self.doing {
                Doing::Next => match self.first.take().map(Ok).or_else(|| self.steps.next()) {
                    Some(Ok(step)) => match self.begin(step) {
                        Some(poll) => return poll,
                        None => continue,
                    },
                    // A plan is whole, or is none: the hub is told by the digest of its configuration.
                    Some(Err(_)) | None => {
                        if self.tells == Tells::Nothing {
                            self.notes(Ending::Refused(Fault::Missing.code()));
                        }
                        self.doing = Doing::Ended(self.fault.unwrap_or(Ending::Drained));
                        continue;
                    }
                },
                Doing::Ended(how) => return Poll::Done(*how),
                Doing::Parting(_) => return Poll::Part,
                Doing::Asking(_, _, until) | Doing::Pausing(until) | Doing::Consenting(until) => *until,
                Doing::Draining(heard) => heard.later(self.silence_ms),
                Doing::Collecting(place, transfer, from, is_known) => {
                    let place = *place;
                    let is_another = from.is_some() && !*is_known;
                    match transfer.poll() {
                        transfer::Poll::Write(request) => {
                            let octets = Octets::of(|room| request.encode(room).ok().map(<[u8]>::len));
                            let Some(octets) = octets else { continue };
                            return Poll::Write(place, octets);
                        }
                        transfer::Poll::Wait(until) => Ticks(until.0),
                        // The record that was known is not there: numbers began anew, and all are asked for. Or it can't be asked so.
                        transfer::Poll::Done(Outcome::Empty | Outcome::Complete { .. }) if is_another => {
                            self.doing = self.collecting(place, None);
                            continue;
                        }
                        transfer::Poll::Done(Outcome::Refused { .. }) if from.is_some() => {
                            self.doing = self.collecting(place, None);
                            continue;
                        }
                        transfer::Poll::Done(outcome) => {
                            self.doing = Doing::Next;
                            self.collected(outcome);
                            continue;
                        }
                    }
                }
            };
            return Poll::Wait(until.min(self.end));
        }
    }

    /// `None`: there is nothing to ask for it.
    fn begin(&mut self, step: Step) -> Option<Poll> {
        let now = self.now;
        let asking = Doing::Asking(step, now, now.later(ANSWER_MS));
        match step {
            Step::Pause { ms } => {
                self.doing = Doing::Pausing(now.later(ms.into()));
                None
            }
            Step::Drain => {
                self.doing = Doing::Draining(now);
                None
            }
            Step::Collect { place, from } => {
                self.doing = self.collecting(place, self.told.map(|last| last.number).or(from));
                None
            }
            Step::Subscribe(place) => {
                self.doing = asking;
                Some(Poll::Subscribe(place))
            }
            Step::Read(place) | Step::ReadClock(place) => {
                self.doing = asking;
                Some(Poll::Read(place))
            }
            Step::Consent { place, user, code } => {
                let consent = UserControlPoint::Consent { user_index: user, consent: code };
                let octets = Octets::of(|room| consent.encode(room).ok().map(<[u8]>::len))?;
                self.doing = asking;
                Some(Poll::Write(place, octets))
            }
            Step::SetClock { place, ahead_s, beyond_s } => {
                // Of a device that did not tell all, what it will tell is by the clock that it has.
                let is_due = self.clock.is_due(ahead_s, beyond_s, now) && self.fault.is_none();
                if is_due && beyond_s.is_some() && !self.clock.is_parted() {
                    self.doing = Doing::Parting(step);
                    return Some(Poll::Part);
                }
                let octets = self.clock.setting(place, ahead_s, now).filter(|_| is_due)?;
                self.doing = asking;
                Some(Poll::Write(place, octets))
            }
        }
    }

    fn collecting(&self, place: Place, from: Option<u16>) -> Doing {
        let transfer = Transfer::start(from, RECORDS_MS, transfer::Millis(self.now.0));
        Doing::Collecting(place, transfer, from, false)
    }

    fn collected(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Complete { .. } | Outcome::Empty => {}
            Outcome::Short { expected, received } => {
                self.notes(Ending::Short { counted: expected, came: received });
            }
            Outcome::Incomplete { received } => {
                self.notes(Ending::Short { counted: u16::MAX, came: received })
            }
            Outcome::Refused { code, .. } => self.notes(Ending::Refused(code.0)),
            Outcome::Silent { .. } => self.notes(Ending::Silent),
        }
    }

    fn notes(&mut self, how: Ending) {
        self.fault.get_or_insert(how);
    }
}

/// What carries a sequence number behind its flags, and is counted by the control point: Glucose Measurement.
const MEASUREMENTS: [u16; 1] = [0x2A18];
