//! One connection with one device, from its discovered services to the hang-up.
//!
//! What a device offers, says and answers goes in, with instants; requests, news and one ending come out. After every call
//! in, or all values that came together, drain [`Session::poll`] until it says `Wait` or `Done`. One request is out at a
//! time, as in ATT. The session begins with the link, not with the discovery: a stack that was subscribed before tells at once.
//!
//! The order, and why:
//!
//! 1. A clock that can only be written is set: nothing can ever have compared its stamps with it. Then the device is
//!    left alone for as long as its profile says.
//! 2. What names it is read, if unknown. Then measurements are subscribed to: a device that is short of time sends first.
//! 3. The clock is read: a comparison dates what is told in the same contact, and a device may hang up at any moment.
//! 4. Users consent, one after the other, each until the device falls silent: another code ends the one before.
//! 5. The memory is asked for what is new (`session/memory.rs`).
//! 6. What else the device says of itself, and its battery. A refusal is no failure.
//! 7. It falls silent: drained. A device that hangs up by itself left nobody to know whether it was done.
//! 8. Only then a clock that is wrong is set. What is told from there on belongs to **another contact**
//!    ([`Tell::AnotherContact`]), for which the clock is read again: no stamp is ever dated by a comparison with the clock
//!    that did not make it, and the jump of the clock is known to be ours.
//!
//! A value that [`Session::value`] wants to have kept is to be committed before anything else is done: the device has
//! been told by then that it arrived, and may have forgotten it.
//!
//! Deliberately absent: pairing, and whether two values are one; any request that deletes.

mod clock;
mod ending;
pub(crate) mod fact;
mod memory;
mod plan;
pub mod remote;
#[cfg(test)]
mod tests;
mod users;
mod words;

use super::{Millis, after};
use crate::admit::End;
use crate::capture::Uuid16;
use crate::identity::Slot;
use crate::profile::{Collect, Kind, Profile, Via};
use clock::ClockWork;
pub use clock::shown;
use hearth_wire::gatt::UserControlPoint;
use hearth_wire::racp::RecordAccessControlPoint;
use hearth_wire::transfer::Response;
use memory::{Collecting, Go};
pub use plan::{Can, Offer, Place, measures};
use plan::{Step, plan};
use std::collections::VecDeque;
use words::CONSENT_MS;
pub(crate) use words::lingers_ms;
pub use words::{
    ANSWER_MS, Ask, ClockEnd, Consent, Cursor, Ending, Fault, HubTime, Known, LIMIT_MS, MEMORY_LIMIT_MS,
    Memory, Poll, Tell,
};

#[derive(Clone, Debug)]
enum Doing {
    /// Until then.
    Discovering(Millis),
    /// The request that is out decides.
    Asking(Step),
    Pausing(Millis),
    /// Its answer is waited for.
    Consenting(usize, Millis),
    Collecting(Box<Collecting>, Place),
    /// Until nothing was heard for so many milliseconds.
    Draining(u64),
    Ended(End),
}

/// One connection with one device.
#[derive(Clone, Debug)]
pub struct Session {
    kind: Kind,
    collect: Collect,
    known: Known,
    plan: VecDeque<Step>,
    doing: Doing,
    send: Option<Ask>,
    /// When the request that is out was made.
    out: Option<(Place, Millis)>,
    news: VecDeque<Tell>,
    limit: Millis,
    /// When the device last had something to say, or was last allowed to.
    heard_at: Millis,
    heard: u32,
    subscribed: bool,
    /// Some measurement could not be subscribed to: nobody knows what it would have told.
    unheard: bool,
    answered: bool,
    /// A request was not answered: ATT allows no other on this link.
    mute: bool,
    security: bool,
    drained: bool,
    clock: ClockWork,
    memory: Memory,
    consents: Vec<(Slot, Consent)>,
    faults: Vec<(Place, Fault)>,
}

impl Session {
    /// The link is up. What the device says from now on belongs here: what was subscribed to before may come at once.
    pub fn start(profile: &Profile, known: Known, now: Millis) -> Session {
        let memory = match profile.collect.via {
            Via::Vendor => Memory::Vendor,
            Via::Racp => Memory::Cut,
            Via::Notify | Via::Advertisement => Memory::NotAsked,
        };
        let limit = if profile.collect.via == Via::Racp { MEMORY_LIMIT_MS } else { LIMIT_MS };
        let asked = if profile.collect.consent { known.users.as_slice() } else { &[] };
        Session {
            kind: profile.kind,
            collect: profile.collect.clone(),
            consents: asked.iter().map(|(slot, _)| (*slot, Consent::Untried)).collect(),
            clock: ClockWork::new(profile, &known, &[]),
            known,
            plan: VecDeque::new(),
            doing: Doing::Discovering(after(now, ANSWER_MS)),
            send: None,
            out: None,
            news: VecDeque::new(),
            limit: after(now, limit),
            heard_at: now,
            heard: 0,
            subscribed: false,
            unheard: false,
            answered: false,
            mute: false,
            security: false,
            drained: false,
            memory,
            faults: vec![],
        }
    }

    /// All that it offers. Told twice, the second time is ignored.
    pub fn discovered(&mut self, profile: &Profile, offers: &[Offer], now: Millis) {
        if !matches!(self.doing, Doing::Discovering(_)) {
            return;
        }
        self.clock = ClockWork::new(profile, &self.known, offers);
        self.plan = plan(profile, &self.known, offers, &self.clock);
        if self.memory == Memory::Cut && !self.plan.iter().any(|step| matches!(step, Step::Collect(_))) {
            self.memory = Memory::NotOffered;
        }
        self.next(now);
    }

    /// The device said something. `true`: commit it before anything else.
    pub fn value(&mut self, characteristic: Uuid16, octets: &[u8], now: Millis) -> bool {
        let keep = measures(self.kind).contains(&characteristic);
        if keep {
            self.heard = self.heard.saturating_add(1);
            self.heard_at = self.heard_at.max(now);
            // Who never falls silent leaves nobody the time to notice.
            if now >= self.limit {
                self.lost();
            }
            if let Doing::Collecting(collecting, _) = &mut self.doing {
                collecting.record(characteristic, octets, now);
                self.collect(now);
            }
            return true;
        }
        match characteristic.0 {
            RecordAccessControlPoint::UUID => self.control_point(octets, now),
            UserControlPoint::UUID => self.user_control_point(octets, now),
            _ => self.news.extend(self.clock.notified(characteristic, octets, now, &self.known)),
        }
        false
    }

    /// What became of the request that is out: what was read, nothing for what was written or subscribed to.
    pub fn answered(&mut self, answer: Result<&[u8], Fault>, now: Millis) {
        if self.send.is_some() || matches!(self.doing, Doing::Ended(_)) {
            return;
        }
        let Some((place, asked)) = self.out.take() else { return };
        self.answered |= !matches!(answer, Err(Fault::Unanswered | Fault::Gone));
        if let Err(fault) = answer {
            self.mute |= fault == Fault::Unanswered;
            self.security |= fault.wants_security();
            // "Data field ignored" is how a clock says that it took the rest.
            if !self.clock.took(place, fault) {
                self.faults.push((place, fault));
            }
        }
        match &mut self.doing {
            Doing::Asking(step) => {
                let step = *step;
                self.done(step, place, asked, answer, now);
            }
            Doing::Collecting(collecting, _) => {
                if let Err(fault) = answer {
                    collecting.refused(fault, now);
                }
                self.collect(now);
            }
            Doing::Discovering(_)
            | Doing::Consenting(..)
            | Doing::Pausing(_)
            | Doing::Draining(_)
            | Doing::Ended(_) => {}
        }
    }

    /// The link is gone, whoever ended it.
    pub fn lost(&mut self) {
        self.end(if self.drained { End::Drained } else { End::Lost });
    }

    /// It wants to be paired, and nobody pairs now: it, or this hub, has no bond any more, and nothing will come of this link.
    pub fn wants_a_bond(&mut self) {
        self.security = true;
        self.lost();
    }

    /// The instant of [`Poll::Wait`] has come. Too early is ignored.
    pub fn timeout(&mut self, now: Millis) {
        if matches!(self.doing, Doing::Ended(_)) || now < self.deadline() {
            return;
        }
        if now >= self.limit {
            return self.lost();
        }
        if self.out.is_some_and(|(_, asked)| now >= after(asked, ANSWER_MS)) {
            self.send = None;
            return self.answered(Err(Fault::Unanswered), now);
        }
        match &mut self.doing {
            Doing::Discovering(_) => self.lost(),
            Doing::Pausing(_) => self.next(now),
            Doing::Draining(_) => {
                self.drained = !self.mute && self.told_all();
                self.next(now);
            }
            Doing::Consenting(user, _) => {
                let user = *user;
                self.consent(user, Consent::Failed(Fault::Unanswered));
                self.next(now);
            }
            Doing::Collecting(collecting, _) => {
                collecting.timeout(now);
                self.collect(now);
            }
            Doing::Asking(_) | Doing::Ended(_) => {}
        }
    }

    pub fn poll(&mut self) -> Poll {
        if let Some(tell) = self.news.pop_front() {
            return Poll::Tell(tell);
        }
        if let Doing::Ended(how) = self.doing {
            return Poll::Done(self.ending(how));
        }
        match self.send.take() {
            Some(ask) => Poll::Ask(ask),
            None => Poll::Wait(self.deadline()),
        }
    }

    fn deadline(&self) -> Millis {
        let asked = self.out.map(|(_, asked)| after(asked, ANSWER_MS));
        let own = match &self.doing {
            Doing::Discovering(until) | Doing::Pausing(until) | Doing::Consenting(_, until) => Some(*until),
            Doing::Draining(silence) => Some(after(self.heard_at, *silence)),
            Doing::Collecting(collecting, _) if self.out.is_none() => Some(collecting.deadline()),
            Doing::Asking(_) | Doing::Collecting(..) | Doing::Ended(_) => None,
        };
        [asked, own].into_iter().flatten().fold(self.limit, Millis::min)
    }

    fn ask(&mut self, doing: Doing, ask: Ask, now: Millis) {
        self.out = Some((ask.place(), now));
        self.send = Some(ask);
        self.doing = doing;
    }

    /// The step is over: the next one that has something to do.
    fn next(&mut self, now: Millis) {
        loop {
            let Some(step) = self.plan.pop_front() else { return self.lost() };
            if self.mute && step.asks() {
                continue;
            }
            let ask = match step {
                Step::Pause(ms) => {
                    self.doing = Doing::Pausing(after(now, ms));
                    return;
                }
                Step::Subscribe(place) => Some(Ask::Subscribe(place)),
                Step::Subscribed if !self.subscribed => return self.end(End::Lost),
                Step::Subscribed => {
                    self.heard_at = self.heard_at.max(now);
                    None
                }
                Step::ReadClock(place) => Some(Ask::Read(place)),
                Step::Consent(place, user) => self.consent_request(user).map(|o| Ask::Write(place, o)),
                Step::Collect(place) => {
                    let numbered = self.kind == Kind::GlucoseMeter;
                    let patience = u64::from(self.collect.silence_ms);
                    let collecting = Collecting::start(&self.known, numbered, patience, now);
                    self.doing = Doing::Collecting(Box::new(collecting), place);
                    return self.collect(now);
                }
                Step::Fact(place) => Some(Ask::Read(place)),
                Step::Drain => {
                    self.doing = Doing::Draining(lingers_ms(&self.collect));
                    return;
                }
                Step::SetClock { first } => {
                    let may = first || self.drained && self.clock.is_wrong();
                    let write = may.then(|| self.clock.write(&self.known, now)).flatten();
                    if write.is_some() && !first {
                        self.news.push_back(Tell::AnotherContact);
                    }
                    write.map(|(place, octets)| Ask::Write(place, octets))
                }
            };
            if let Some(ask) = ask {
                return self.ask(Doing::Asking(step), ask, now);
            }
        }
    }

    /// The request of a step was answered.
    fn done(&mut self, step: Step, place: Place, asked: Millis, answer: Result<&[u8], Fault>, now: Millis) {
        match (step, answer) {
            (Step::Subscribe(_), Ok(_)) => {
                self.subscribed |= measures(self.kind).contains(&place.characteristic);
                self.clock.subscribed(place, asked);
            }
            (Step::Subscribe(_), Err(fault)) => {
                self.unheard |= measures(self.kind).contains(&place.characteristic);
                self.no_control_point(place, fault);
            }
            (Step::ReadClock(_), Ok(octets)) => {
                self.news.extend(self.clock.read(place, octets, asked, now, &self.known));
            }
            (Step::SetClock { first }, _) => {
                let again = self.clock.written(place, answer.err()).filter(|_| !first);
                again.into_iter().for_each(|place| self.plan.push_front(Step::ReadClock(place)));
            }
            // Else the scale's word overtook the word that the request arrived.
            (Step::Consent(_, user), Ok(_)) if self.is_untried(user) => {
                self.doing = Doing::Consenting(user, after(now, CONSENT_MS));
                return;
            }
            (Step::Consent(_, user), Err(fault)) => self.consent(user, Consent::Failed(fault)),
            (Step::Fact(_), Ok(octets)) => self.news.extend(fact::told(place.characteristic, octets)),
            _ => {}
        }
        self.next(now);
    }

    fn control_point(&mut self, octets: &[u8], now: Millis) {
        let Ok(decoded) = RecordAccessControlPoint::decode(octets) else { return };
        let (Ok(response), Doing::Collecting(collecting, _)) =
            (Response::try_from(decoded.value), &mut self.doing)
        else {
            return;
        };
        collecting.answer(response, now);
        self.collect(now);
    }

    /// Lets the memory go on, unless a request is out.
    fn collect(&mut self, now: Millis) {
        let Doing::Collecting(collecting, place) = &mut self.doing else { return };
        let place = *place;
        if self.out.is_some() {
            return;
        }
        match collecting.poll(now) {
            Go::Wait => {}
            Go::Write(octets) => {
                self.out = Some((place, now));
                self.send = Some(Ask::Write(place, octets));
            }
            Go::Done(memory) => {
                self.memory = memory;
                self.heard_at = self.heard_at.max(now);
                self.next(now);
            }
        }
    }

    fn end(&mut self, how: End) {
        if !matches!(self.doing, Doing::Ended(_)) {
            self.doing = Doing::Ended(how);
            (self.send, self.out) = (None, None);
        }
    }
}
