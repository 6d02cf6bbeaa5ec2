//! What a bridge does with the house's devices: its configuration, as it is made, and as it gets there.

use crate::identity::{Address, AddressKind};
use crate::profile::{Pairing, Profile};
use crate::radio::session::{Known, lingers_ms, remote};
use crate::when::HubTicks;
use hearth_wire::frame::plan::{FORMAT, Plan, Security, digest};
use hearth_wire::frame::{self, Peer, ToBridge};
use jiff::Timestamp;

/// More than any bridge has room for.
const LONGEST: usize = 4_096;
/// Of one part. A frame takes more.
const PART: usize = 192;
/// A bridge answers when the part is in its flash.
const ANSWER_MS: i64 = 5_000;
/// So often it is sent from its beginning, until a person has to know.
const TRIES: u8 = 4;

/// A device that a bridge meets.
#[derive(Clone, Copy, Debug)]
pub struct Housed<'a> {
    pub address: Address,
    pub profile: &'a Profile,
    pub known: &'a Known,
}

/// Who has this address, for a bridge. `None`: it is another one tomorrow.
pub fn peer(address: Address) -> Option<Peer> {
    let kind = match address.kind {
        AddressKind::Public => frame::AddressKind::Public,
        AddressKind::Identity => frame::AddressKind::Random,
        AddressKind::Private => return None,
    };
    Some(Peer::Device(kind, address.octets))
}

/// All that a bridge has to know of these, as long as their clocks are as far ahead of UTC as at this time. `None`: it is too much.
pub fn configuration<'a>(devices: impl IntoIterator<Item = Housed<'a>>, now: Timestamp) -> Option<Vec<u8>> {
    let mut room = [0; LONGEST];
    let mut plan = Plan::new(&mut room).ok()?;
    for Housed { address, profile, known } in devices {
        let security = match profile.collect.pairing {
            Pairing::None => Security::Open,
            Pairing::JustWorks => Security::Bonded,
            Pairing::Passkey => Security::Authenticated,
        };
        let silence_ms = lingers_ms(&profile.collect).try_into().unwrap_or(u16::MAX);
        plan.device(peer(address)?, security, silence_ms, remote::remote(profile, known, now)).ok()?;
    }
    Some(plan.done().to_vec())
}

/// How far a bridge has it.
#[derive(Debug, Default)]
pub(super) struct Configuring {
    wanted: Option<Vec<u8>>,
    /// The bridge has said Hello.
    is_there: bool,
    /// The digest of the one that the bridge works by; 0: none. `None`: nobody knows, since the last part of another is on its way.
    has: Option<u32>,
    out: Option<Part>,
    tries: u8,
}

/// The part that is on its way.
#[derive(Clone, Copy, Debug)]
struct Part {
    token: u16,
    to: usize,
    until: HubTicks,
}

/// What comes next.
pub(super) enum Next {
    /// Nothing yet.
    Wait,
    /// The part from here on: send it, and say so ([`Configuring::sent`]).
    Send(usize),
    /// The bridge works by it; or it can't: why.
    Over(Result<(), String>),
}

impl Configuring {
    /// The bridge is to work by this one.
    pub(super) fn wants(&mut self, configuration: Vec<u8>) -> Next {
        if self.out.is_some() && self.wanted.as_ref() == Some(&configuration) {
            // It is on its way.
            return Next::Wait;
        }
        self.wanted = Some(configuration);
        self.begin()
    }

    /// It works by the one with this digest, and knows of no other.
    pub(super) fn greeted(&mut self, has: u32) {
        (self.is_there, self.has) = (true, Some(has));
    }

    /// Whoever is found now may be another.
    pub(super) fn lost(&mut self) {
        *self = Configuring::default();
    }

    pub(super) fn begin(&mut self) -> Next {
        (self.tries, self.out) = (0, None);
        let Some(wanted) = self.wanted.as_ref().filter(|_| self.is_there) else { return Next::Wait };
        let is_none = self.has == Some(0) && *wanted == [FORMAT];
        if is_none || self.has == Some(digest(wanted)) { Next::Over(Ok(())) } else { Next::Send(0) }
    }

    /// The request for the part from here on.
    pub(super) fn part(&self, token: u16, from: usize) -> Option<ToBridge<'_>> {
        let wanted = self.wanted.as_ref()?;
        let octets = wanted.get(from..)?;
        Some(ToBridge::Configure {
            token,
            digest: digest(wanted),
            from: from.try_into().ok()?,
            of: wanted.len().try_into().ok()?,
            octets: octets.get(..PART).unwrap_or(octets),
        })
    }

    pub(super) fn sent(&mut self, token: u16, from: usize, now: HubTicks) {
        let of = self.wanted.as_ref().map_or(0, Vec::len);
        let to = (from + PART).min(of);
        if to == of {
            self.has = None;
        }
        self.out = Some(Part { token, to, until: now.later(ANSWER_MS) });
    }

    /// `None`: the request was another's.
    pub(super) fn answered(&mut self, token: u16, done: &Result<(), String>) -> Option<Next> {
        let part = self.out.take_if(|part| part.token == token)?;
        let wanted = self.wanted.as_ref()?;
        Some(match done {
            Ok(()) if part.to < wanted.len() => Next::Send(part.to),
            Ok(()) => {
                self.has = Some(digest(wanted));
                Next::Over(Ok(()))
            }
            Err(why) => self.again(why),
        })
    }

    /// Of the one that is wanted.
    pub(super) fn digest(&self) -> u32 {
        self.wanted.as_deref().map_or(0, digest)
    }

    pub(super) fn until(&self) -> Option<HubTicks> {
        self.out.map(|part| part.until)
    }

    pub(super) fn timeout(&mut self, now: HubTicks) -> Next {
        match self.out.take_if(|part| now >= part.until) {
            Some(_) => self.again("it does not answer"),
            None => Next::Wait,
        }
    }

    fn again(&mut self, why: &str) -> Next {
        self.tries += 1;
        if self.tries < TRIES { Next::Send(0) } else { Next::Over(Err(why.to_owned())) }
    }
}
