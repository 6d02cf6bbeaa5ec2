//! Whom to connect to, and when: sightings in, "connect to this one now" out.
//!
//! Only devices that the house knows, and that are collected by a connection. One connection is made at a time, as
//! controllers do, and so many are held at once as the adapter has slots.
//!
//! - Who appears after an absence goes first, and at once: a cuff shows itself for half a minute after a measurement.
//!   A connection being made to somebody who is there all day is given up for it.
//! - While a device still shows itself, a connection that failed is made again, at once and then after growing pauses.
//! - Who is there all day is asked now and then, after growing pauses while it has nothing to tell, and never takes the
//!   last slot of several.
//! - An Omron cuff says in its advertisement what it has: without news it is left alone.
//!
//! The contract: after every call in, drain [`Scout::poll`] until it says `Wait`.

use super::session::Ending;
use super::{Millis, after};
use crate::admit::End;
use crate::capture::DeviceNo;
use crate::vendor::OmronAdvertisement;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Who was not seen for so long and is seen again has appeared.
pub const ABSENCE_MS: u64 = 20_000;
/// A connection being made for so long gives way to who has just appeared...
const GIVE_WAY_MS: u64 = 500;
/// ...and one to who has just appeared, too, after so long. Who advertises answers within a second or two.
const SHARE_MS: u64 = 8_000;
/// No connection is waited for longer: who does not answer by then is not there.
pub const CONNECT_MS: u64 = 25_000;
/// The first pause after a connection that failed; the one at once has none.
const RETRY_MS: u64 = 1_000;
/// The first pause after a session: a person may measure again.
const REST_MS: u64 = 10_000;
/// No pause is longer: a quarter of an hour.
pub const LONGEST_MS: u64 = 900_000;
/// Who has waited for so long goes before who has just appeared: nobody is starved.
const OVERDUE_MS: u64 = 60_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Poll {
    /// Connect to it, and tell [`Scout::connected`] or [`Scout::failed`].
    Connect(DeviceNo),
    /// Somebody else goes first: stop connecting to it, and tell [`Scout::failed`].
    GiveUp(DeviceNo),
    /// Nothing to do before this instant (`None`: before anything happens); then call [`Scout::timeout`].
    Wait(Option<Millis>),
}

/// What became of a session, as far as the next one depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// All was told that it had.
    pub drained: bool,
    /// Something was told.
    pub heard: bool,
}

impl From<&Ending> for Outcome {
    fn from(ending: &Ending) -> Outcome {
        Outcome { drained: ending.how == End::Drained, heard: ending.heard > 0 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Idle,
    Connecting { since: Millis, given_up: bool },
    Held,
}

/// Whoever is lower goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Class {
    Appeared,
    Retried,
    Routine,
}

#[derive(Clone, Debug)]
struct Target {
    standing: Standing,
    seen: Option<Millis>,
    /// It has to show itself before the next connection: who was lost may be gone.
    awaited: bool,
    class: Class,
    /// Not before this instant.
    due: Millis,
    /// What is waited after the next failure, and after the next session.
    retry: u64,
    rest: u64,
    /// What an Omron cuff said of its records: now, and when a session last told everything.
    says: Option<Vec<(u16, u8)>>,
    told: Option<Vec<(u16, u8)>>,
}

impl Target {
    fn new(now: Millis) -> Target {
        Target {
            standing: Standing::Idle,
            seen: None,
            awaited: false,
            class: Class::Routine,
            due: now,
            retry: 0,
            rest: REST_MS,
            says: None,
            told: None,
        }
    }

    fn appears(&mut self, now: Millis) {
        (self.class, self.due, self.retry, self.rest) = (Class::Appeared, now, 0, REST_MS);
    }

    fn is_there(&self, now: Millis) -> bool {
        self.seen.is_some_and(|seen| now.0.saturating_sub(seen.0) <= ABSENCE_MS)
    }

    fn waits(&self, now: Millis) -> bool {
        let nothing_new = self.says.is_some() && self.says == self.told;
        self.standing == Standing::Idle && self.is_there(now) && !self.awaited && !nothing_new
    }

    fn retries(&mut self, now: Millis) {
        self.class = Class::Retried;
        self.awaited = true;
        self.due = after(now, self.retry);
        self.retry = self.retry.saturating_mul(2).clamp(RETRY_MS, LONGEST_MS);
    }

    fn class(&self, now: Millis) -> Class {
        if now.0.saturating_sub(self.due.0) >= OVERDUE_MS { Class::Appeared } else { self.class }
    }
}

/// All devices of the house that are collected by a connection.
#[derive(Clone, Debug)]
pub struct Scout {
    slots: usize,
    targets: BTreeMap<DeviceNo, Target>,
    now: Millis,
}

impl Scout {
    /// `slots`: how many connections the adapter holds at once; at least one.
    pub fn new(slots: usize, now: Millis) -> Scout {
        Scout { slots: slots.max(1), targets: BTreeMap::new(), now }
    }

    /// A device of the house that is collected by a connection. Known already: nothing changes.
    pub fn add(&mut self, device: DeviceNo, now: Millis) {
        self.tick(now);
        self.targets.entry(device).or_insert_with(|| Target::new(now));
    }

    /// Not of the house any more, or not to be connected to. A connection that is held goes on; nobody waits for it.
    pub fn remove(&mut self, device: DeviceNo, now: Millis) {
        self.tick(now);
        self.targets.remove(&device);
    }

    /// It advertised. `maker`: its manufacturer data, with the company identifier before it.
    pub fn seen(&mut self, device: DeviceNo, maker: Option<&[u8]>, now: Millis) {
        self.tick(now);
        let Some(target) = self.targets.get_mut(&device) else { return };
        let was_there = target.is_there(now);
        (target.seen, target.awaited) = (Some(now), false);
        let mut news = false;
        if let Some(says) = maker.and_then(|octets| OmronAdvertisement::decode(octets).ok()).map(|a| a.users)
        {
            news = target.says.as_ref().is_some_and(|said| *said != says);
            target.says = Some(says);
        }
        if target.standing == Standing::Idle && (!was_there || news) {
            target.appears(now);
        }
    }

    /// The connection stands; it is held until [`Scout::ended`].
    pub fn connected(&mut self, device: DeviceNo, now: Millis) {
        self.tick(now);
        if let Some(target) = self.targets.get_mut(&device) {
            target.standing = Standing::Held;
        }
    }

    /// The connection was not made, or was given up.
    pub fn failed(&mut self, device: DeviceNo, now: Millis) {
        self.tick(now);
        let Some(target) = self.targets.get_mut(&device) else { return };
        match target.standing {
            Standing::Connecting { given_up: true, .. } => {
                target.standing = Standing::Idle;
                target.due = now;
            }
            Standing::Connecting { given_up: false, .. } => {
                target.standing = Standing::Idle;
                target.retries(now);
            }
            Standing::Idle | Standing::Held => {}
        }
    }

    /// A session is over, and the link is down.
    pub fn ended(&mut self, device: DeviceNo, outcome: Outcome, now: Millis) {
        self.tick(now);
        let Some(target) = self.targets.get_mut(&device).filter(|t| t.standing == Standing::Held) else {
            return;
        };
        target.standing = Standing::Idle;
        // It was there until now, whether it advertised or not: that it still does is no appearance.
        target.seen = Some(now);
        if outcome.heard {
            (target.retry, target.rest) = (RETRY_MS, REST_MS);
        }
        if !outcome.drained {
            return target.retries(now);
        }
        target.retry = 0;
        target.class = Class::Routine;
        target.due = after(now, target.rest);
        target.rest = target.rest.saturating_mul(2).min(LONGEST_MS);
        target.told.clone_from(&target.says);
    }

    /// The instant of [`Poll::Wait`] has come.
    pub fn timeout(&mut self, now: Millis) {
        self.tick(now);
        let late = |target: &Target| match target.standing {
            Standing::Connecting { since, .. } => now >= after(since, CONNECT_MS),
            Standing::Idle | Standing::Held => false,
        };
        let late: Vec<DeviceNo> = self.targets.iter().filter(|(_, t)| late(t)).map(|(no, _)| *no).collect();
        for device in late {
            self.failed(device, now);
        }
    }

    pub fn poll(&mut self) -> Poll {
        let now = self.now;
        let connecting = self.targets.iter().find_map(|(device, target)| match target.standing {
            Standing::Connecting { since, given_up } => Some((*device, since, given_up, target.class)),
            Standing::Idle | Standing::Held => None,
        });
        if let Some((device, since, given_up, class)) = connecting {
            let waits = !given_up && self.next(now).is_some_and(|(first, _)| first == Class::Appeared);
            let patience = match (waits, class) {
                (false, _) => CONNECT_MS,
                (true, Class::Appeared) => SHARE_MS,
                (true, Class::Retried | Class::Routine) => GIVE_WAY_MS,
            };
            let until = after(since, patience);
            if !waits || now < until {
                return Poll::Wait(Some(until));
            }
            if let Some(target) = self.targets.get_mut(&device) {
                target.standing = Standing::Connecting { since, given_up: true };
            }
            return Poll::GiveUp(device);
        }
        let held = self.targets.values().filter(|target| target.standing == Standing::Held).count();
        match self.next(now).filter(|(class, _)| held < self.room(*class)) {
            Some((_, device)) => {
                if let Some(target) = self.targets.get_mut(&device) {
                    target.standing = Standing::Connecting { since: now, given_up: false };
                }
                Poll::Connect(device)
            }
            None if held >= self.slots => Poll::Wait(None),
            None => Poll::Wait(self.later(now)),
        }
    }

    /// How many may be held before one of this class is added. Of several slots, routine leaves one to who appears.
    fn room(&self, class: Class) -> usize {
        if class == Class::Routine && self.slots > 1 { self.slots - 1 } else { self.slots }
    }

    /// Who is first among those that are there, due, and have something to tell.
    fn next(&self, now: Millis) -> Option<(Class, DeviceNo)> {
        let ready = self.targets.iter().filter(|(_, target)| target.due <= now && target.waits(now));
        ready
            .map(|(device, target)| (target.class(now), target.due, *device))
            .min()
            .map(|(class, _, no)| (class, no))
    }

    /// When somebody who is there is due, or has waited for too long.
    fn later(&self, now: Millis) -> Option<Millis> {
        let waiting = self.targets.values().filter(|target| target.waits(now));
        waiting
            .map(|target| if target.due > now { target.due } else { after(target.due, OVERDUE_MS) })
            .filter(|until| *until > now)
            .min()
    }

    fn tick(&mut self, now: Millis) {
        self.now = self.now.max(now);
    }
}
