//! A scale that nobody connects to: it tells everybody in reach what stands on it, many times a second, for as long as it
//! likes, some the last weighing for ever.
//!
//! Only a settled frame is a weighing; a profile's quirks say which one is. Each weighing is kept once, by what names it
//! ([`crate::capture::named`]); one without a stamp once in a burst, until the load is moved. A contact begins with the first
//! frame that is kept and ends with the burst.
//!
//! Anybody in reach can pretend to be the scale. So what is kept in an hour is bounded, and what is beyond is said.

use super::{Millis, after};
use crate::capture::{Name, Uuid16, digest, named};
use crate::decode::{Cause, decode};
use crate::profile::{Profile, Via};
use crate::quirk::Quirk;
use std::collections::VecDeque;

#[cfg(test)]
mod tests;

/// No contact is longer: a scale may repeat its last weighing for ever.
pub const CONTACT_MS: u64 = 60_000;
/// More weighings than anybody makes in an hour.
pub const PER_HOUR: usize = 60;
const HOUR_MS: u64 = 3_600_000;
/// So many weighings are known again.
const REMEMBERED: usize = 64;

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// A weighing: commit it. `begins`: in a new contact; one that was open is over.
    Keep { begins: bool },
    /// Of a weighing that was kept already.
    Again,
    /// The scale has not settled, or nothing stands on it, in the word of a quirk.
    NotYet(&'static str),
    /// Nothing that such a scale says.
    Unreadable(Cause),
    /// More weighings in an hour than anybody makes: somebody else may be speaking.
    TooMany,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Poll {
    /// The contact is over; nobody knows whether it was all.
    Ended,
    /// Nothing to do before this instant (`None`: before a frame comes); then call [`Broadcast::timeout`].
    Wait(Option<Millis>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Weighing {
    Named(Name),
    /// By what has no stamp, in this burst.
    Standing(Name),
}

/// One scale.
#[derive(Clone, Debug)]
pub struct Broadcast {
    quirks: Vec<Quirk>,
    silence: u64,
    known: VecDeque<Weighing>,
    kept: VecDeque<Millis>,
    last: Option<Millis>,
    /// Since when.
    contact: Option<Millis>,
    ended: bool,
}

impl Broadcast {
    pub fn new(profile: &Profile) -> Broadcast {
        Broadcast {
            quirks: profile.quirks.clone(),
            silence: profile.collect.silence_ms.into(),
            known: VecDeque::new(),
            kept: VecDeque::new(),
            last: None,
            contact: None,
            ended: false,
        }
    }

    /// It advertised this service data.
    pub fn heard(&mut self, service: Uuid16, octets: &[u8], now: Millis) -> Heard {
        self.timeout(now);
        if service.way() != Some(Via::Advertisement) {
            return Heard::Unreadable(Cause::UnknownCharacteristic(service));
        }
        let burst = self.last.is_some_and(|last| now < after(last, self.silence));
        if !burst {
            self.moves();
        }
        self.last = self.last.max(Some(now));
        match decode(service, octets, &self.quirks) {
            Err(cause) => return Heard::Unreadable(cause),
            Ok(parsed) => {
                if let Some(not) = parsed.not_a_reading {
                    self.moves();
                    return Heard::NotYet(not.because);
                }
            }
        }
        let weighing = weighing(service, octets);
        if self.known.contains(&weighing) {
            return Heard::Again;
        }
        self.kept.retain(|kept| now < after(*kept, HOUR_MS));
        if self.kept.len() >= PER_HOUR {
            return Heard::TooMany;
        }
        self.kept.push_back(now);
        self.known.push_back(weighing);
        if self.known.len() > REMEMBERED {
            self.known.pop_front();
        }
        let begins = self.contact.is_none();
        self.contact.get_or_insert(now);
        self.ended = false;
        Heard::Keep { begins }
    }

    /// The instant of [`Poll::Wait`] has come. Too early is ignored.
    pub fn timeout(&mut self, now: Millis) {
        if self.until().is_some_and(|until| now >= until) {
            self.contact = None;
            self.ended = true;
        }
    }

    pub fn poll(&mut self) -> Poll {
        if std::mem::take(&mut self.ended) { Poll::Ended } else { Poll::Wait(self.until()) }
    }

    fn until(&self) -> Option<Millis> {
        let (began, last) = (self.contact?, self.last?);
        Some(after(began, CONTACT_MS).min(after(last, self.silence)))
    }

    /// What has no stamp is another weighing from here on.
    fn moves(&mut self) {
        self.known.retain(|weighing| matches!(weighing, Weighing::Named(_)));
    }
}

fn weighing(service: Uuid16, octets: &[u8]) -> Weighing {
    match named(service, octets) {
        Some(name) => Weighing::Named(name),
        None => Weighing::Standing(Name(digest([&service.0.to_be_bytes()[..], octets]))),
    }
}
