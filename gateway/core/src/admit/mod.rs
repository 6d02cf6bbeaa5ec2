//! One device's open business in, what is not yet so out: the middle of the walk.
//!
//! The rules, each held by a test:
//! - Facts are written first and judged as a whole; asked twice, the second answer is empty.
//! - Every unsettled record is in exactly one group, and a group gets one verdict.
//! - What may still come without a person is awaited until a deadline; what needs a person, or a fact that
//!   nobody can promise, is held. Holds are judged again by the same function: "bound tomorrow" and "hub
//!   time learned" need no code of their own.
//! - A verdict depends on the facts, not on the order in which they came.

mod alike;
mod bind;
mod date;
mod hear;
mod join;
mod key;
mod open;
#[cfg(test)]
mod tests;
mod waits;

pub use alike::looks_like;
pub use bind::{Bound, bind, disputed};
pub use hear::{HEARINGS, Hearing, sequence};
pub use join::{WEIGHING_MS, has_parts};
pub use key::key;
pub use open::*;

use crate::capture::Capture;
use crate::decode::{Cause, Measurement, Parsed, Told, decode};
use crate::identity::Slot;
use crate::interpret::{self, Judged, interpret};
use crate::profile::{Keeps, Kind, Profile};
use crate::reading::{Doubt, Issue, Reading};
use crate::when::{Face, HubTicks, Sample, Source, Span};
use date::Clocked;
use key::semantic;
use std::collections::BTreeMap;
use waits::Waits;

/// After so many boots a record has waited long enough, whatever the ticks say: a boot loop must not starve it.
pub const PATIENT_BOOTS: u32 = 16;

/// What each loaded record says, by its first hearing.
type Readable = BTreeMap<RecordNo, Result<Parsed, Cause>>;

/// Says what is not yet so about one device's open business. Pure: no clock, no disk, no network.
///
/// Nothing leaves here unnamed. A record becomes a reading for a person, is held for somebody to look at,
/// waits for a partner, a clock, an identity or the hub's time until a deadline, or is refused with a stated
/// reason.
pub fn admit(open: &Open, house: &House<'_>, now: HubTicks) -> Vec<Admission> {
    let profile = open.device.profile.as_ref().and_then(|name| house.catalog.get(name));
    let Some(profile) = profile else {
        let unknown = Fate::Hold(Why::UnknownProfile);
        return open
            .records
            .values()
            .filter(|r| !r.fate.settled(None) && r.fate != unknown)
            .map(|r| Admission { head: r.no, with: vec![], say: Say::Become(unknown.clone()) })
            .collect();
    };
    let readable: Readable = open
        .records
        .values()
        .map(|r| (r.no, decode(r.first().characteristic, &r.first().octets, &profile.quirks)))
        .collect();
    let judge = Judge { open, house, now, profile, readable: &readable };
    join::groups(open, profile, &readable)
        .into_iter()
        .filter_map(|(head, with)| {
            let say = judge.group(&open.records[&head], &with);
            let changes = match &say {
                Say::Admit(_) => true,
                Say::Become(fate) => with.iter().chain([&head]).any(|no| open.records[no].fate != *fate),
            };
            changes.then_some(Admission { head, with, say })
        })
        .collect()
}

/// The facts that every group of one device is judged by.
struct Judge<'a> {
    open: &'a Open,
    house: &'a House<'a>,
    now: HubTicks,
    profile: &'a Profile,
    readable: &'a Readable,
}

impl Judge<'_> {
    fn group(&self, head: &Record, with: &[RecordNo]) -> Say {
        // A maker's own frame says different things on different models: a profile must say that it is this one's.
        if head.first().characteristic.way().is_some_and(|way| way != self.profile.collect.via) {
            return Say::Become(Fate::Hold(Why::UnknownProfile));
        }
        match &self.readable[&head.no] {
            Err(cause) => self.refuse(Refusal::Undecodable(*cause)),
            Ok(Parsed { measurement: Measurement::GlucoseContext(context), .. }) => {
                Say::Become(self.lonely(head, context.sequence))
            }
            Ok(Parsed { measurement: Measurement::BodyComposition(_), .. })
                if join::composed_again(head, &self.weighings()) =>
            {
                Say::Become(Fate::Repeat)
            }
            Ok(parsed) => {
                let joined =
                    with.iter().filter_map(|no| self.readable[no].ok()).map(|p| p.measurement).collect();
                let (measurement, companions) = match join::whole(parsed.measurement, joined) {
                    Ok(whole) => whole,
                    Err(_) => return Say::Become(Fate::Hold(Why::Layout)),
                };
                let parsed = Parsed { measurement, ..*parsed };
                if let Some(until) = self.half(head, &measurement, &companions) {
                    return Say::Become(Fate::Await { wants: vec![For::Partner], until });
                }
                match interpret(&parsed, &companions, self.profile) {
                    Judged::Refuse(refusal) => self.refuse(refusal),
                    Judged::Hold(why) => Say::Become(Fate::Hold(why)),
                    Judged::Sound { doubts } => self.reading(head, with, measurement, companions, doubts),
                }
            }
        }
    }

    fn weighings(&self) -> join::Weighings<'_> {
        join::Weighings { open: self.open, profile: self.profile, readable: self.readable }
    }

    /// Until when the other half of a composition that came in two may still come.
    fn half(&self, record: &Record, measure: &Measurement, companions: &[Measurement]) -> Option<HubTicks> {
        let half = |m: &Measurement| matches!(m, Measurement::BodyComposition(m) if m.multiple_packet);
        if !std::iter::once(measure).chain(companions).any(half) || self.drained(record) {
            return None;
        }
        self.waits(record.first().at, self.profile.patience.partner_ms)
    }

    /// The contact that heard the record, or one since, gave all that the device has.
    fn drained(&self, record: &Record) -> bool {
        self.open.contacts.range(record.first().contact..).any(|(_, c)| c.end == Some(End::Drained))
    }

    fn refused(&self, refusal: Refusal) -> Fate {
        Fate::Refused(refusal, self.profile.name.clone(), self.profile.version)
    }

    fn refuse(&self, refusal: Refusal) -> Say {
        Say::Become(self.refused(refusal))
    }

    /// A context without an unsettled measurement: repeats, shares a refusal, waits, or is refused by name.
    fn lonely(&self, context: &Record, sequence: u16) -> Fate {
        let mates: Vec<&Record> = join::measurements(self.open, self.readable, sequence).collect();
        if let Some(mate) = mates.iter().rfind(|m| m.last_contact == context.last_contact) {
            if let Fate::Refused(refusal, ..) = &mate.fate {
                return self.refused(*refusal);
            }
            let joined =
                self.open.records.values().any(|c| {
                    c.fate == Fate::Companion(mate.no) && c.first().octets == context.first().octets
                });
            return if joined { Fate::Repeat } else { self.refused(Refusal::LateContext) };
        }
        let drained = self.contact(context.last_contact).is_some_and(|c| c.end == Some(End::Drained));
        let since = context.heard.last().unwrap_or(context.first()).at.max(context.since());
        match self.waits(since, self.profile.patience.partner_ms) {
            Some(until) if !drained => Fate::Await { wants: vec![For::Partner], until },
            _ if mates.is_empty() => self.refused(Refusal::Orphan),
            _ => self.refused(Refusal::LateContext),
        }
    }

    fn contact(&self, no: crate::when::ContactNo) -> Option<&Contact> {
        self.open.contacts.get(&no)
    }

    /// The deadline of a wait, or `None` once it is over. Ticks of an earlier boot can't be compared: after a
    /// reboot the wait starts anew, a limited number of times.
    fn waits(&self, since: HubTicks, patience: i64) -> Option<HubTicks> {
        let until = if since.boot == self.now.boot {
            since.later(patience)
        } else if self.now.boot.0.saturating_sub(since.boot.0) <= PATIENT_BOOTS {
            HubTicks { boot: self.now.boot, ms: patience }
        } else {
            return None;
        };
        (self.now < until).then_some(until)
    }

    fn reading(
        &self,
        record: &Record,
        with: &[RecordNo],
        measure: Measurement,
        companions: Vec<Measurement>,
        doubts: Vec<Doubt>,
    ) -> Say {
        let hold = |why| Say::Become(Fate::Hold(why));
        let face = if self.profile.clock.keeps == Keeps::Utc { Face::Base } else { Face::Shown };
        let sampled = date::sampled(record, self.open, self.house.boots, face);
        let told = self.told(sampled.map_or(record.first(), |(hearing, _)| hearing), face, &measure);
        let heard = self.heard(record);

        let mut waits = Waits::default();
        self.wait_for_partner(record, &measure, &companions, &mut waits);
        self.wait_for_clock(record, sampled.is_some(), told, &mut waits);
        let patience = self.profile.patience;
        let since = record.since();
        if self.open.device.identity.is_none() {
            waits.need(For::Identity, self.waits(since, patience.identity_ms), Why::Identity);
        }
        if heard.latest == jiff::Timestamp::MAX {
            waits.need(For::HubTime, self.waits(since, patience.hub_time_ms), Why::Time(TimeDoubt::HubClock));
        }
        if let Some(fate) = waits.verdict() {
            return Say::Become(fate);
        }
        if self.open.device.impostor {
            return hold(Why::Identity);
        }
        let Some(identity) = &self.open.device.identity else { return hold(Why::Identity) };

        if faulty_clock(&measure) {
            return hold(Why::Time(TimeDoubt::DeviceFault));
        }
        let clocked = Clocked { record, told, heard, sample: sampled.map(|(_, sample)| sample) };
        let dated = match date::date(&clocked, self.open, self.house, self.profile) {
            Ok(dated) => dated,
            Err(doubt) => return hold(Why::Time(doubt)),
        };
        let slot = measure.slot().map(Slot);
        let mut said = with.iter().map(|no| self.open.records[no].given).chain([record.given]).flatten();
        let given = said.next();
        if said.any(|other| given != Some(other)) {
            // Its parts were given to two people.
            return hold(Why::Shared);
        }
        let bound = match bind(self.open.device.no, slot, given, self.house.bindings, &dated, heard) {
            Ok(bound) => bound,
            Err(why) => return hold(why),
        };
        let issue = record.issue;
        let stamp = match told {
            Told::At(stamp) => Some(stamp),
            _ => None,
        };
        let mut when = bound.when().clone();
        if let Some(sample) = clocked.sample.filter(|_| when.source == Source::Sample) {
            when.correction_s = Some(date::correction_seconds(self.house.boots, sample));
            when.sample = Some(*sample);
        }
        let binding = bound.binding();
        Say::Admit(Box::new(Reading {
            key: key(identity, &record.name),
            issue,
            supersedes: issue.0.checked_sub(1).map(Issue),
            semantic: semantic(&identity.octets(), &measure),
            device: self.open.device.no,
            doubts: self.doubts(record, doubts, &when),
            measure,
            companions,
            stamp,
            who: binding.who,
            sole_use: binding.sole_use.clone(),
            labels: binding.labels.clone(),
            binding: binding.revision,
            profile: (self.profile.name.clone(), self.profile.version),
            interpreter: interpret::VERSION,
            when,
        }))
    }

    /// When it was first heard: not before that hearing's earliest, and before all of its hearings. A boot that never
    /// knew the time is bounded by a later one that heard the record again.
    fn heard(&self, record: &Record) -> Span {
        let first = self.house.boots.utc(record.first().at);
        // And before this hub took it: of a bridge's epoch that it never met no more is known.
        let hearings = record.heard.iter().map(|capture| capture.at).chain([record.since()]);
        let latest = hearings.map(|at| self.house.boots.utc(at).latest).min();
        Span { latest: latest.map_or(first.latest, |latest| latest.max(first.earliest)), ..first }
    }

    /// What the chosen hearing says of its time; its offset may differ from the first hearing's.
    fn told(&self, hearing: &Capture, face: Face, measure: &Measurement) -> Told {
        if self.profile.clock.keeps == Keeps::Nothing {
            return Told::Nothing;
        }
        decode(hearing.characteristic, &hearing.octets, &self.profile.quirks)
            .map_or_else(|_| measure.told(face), |parsed| parsed.measurement.told(face))
    }

    fn wait_for_partner(
        &self,
        record: &Record,
        measure: &Measurement,
        have: &[Measurement],
        waits: &mut Waits,
    ) {
        // A scale tells the weight and what the body is made of apart, seconds after each other.
        let analyzer = self.profile.kind == Kind::BodyCompositionAnalyzer
            && record.first().link != crate::capture::Link::Broadcast;
        let promised = match measure {
            Measurement::Glucose(m) => m.context_follows,
            Measurement::Weight(_) => analyzer,
            Measurement::BodyComposition(_) => analyzer,
            _ => false,
        };
        // Where the link was lost the other half comes in the next contact, behind the first, told again.
        if promised && have.is_empty() && !self.drained(record) {
            waits.may(For::Partner, self.waits(record.since(), self.profile.patience.partner_ms));
        }
    }

    /// A sample may still come as long as a contact that heard the record lives.
    fn wait_for_clock(&self, record: &Record, sampled: bool, told: Told, waits: &mut Waits) {
        let alive = |c: &Capture| {
            self.contact(c.contact).is_some_and(|c| c.end.is_none() && c.began.boot == self.now.boot)
        };
        if self.profile.clock.tells
            && !sampled
            && matches!(told, Told::At(_))
            && record.heard.iter().any(alive)
        {
            waits.may(For::Clock, self.waits(record.since(), self.profile.patience.clock_ms));
        }
    }

    fn doubts(&self, record: &Record, mut doubts: Vec<Doubt>, when: &crate::when::When) -> Vec<Doubt> {
        let limit = i64::from(self.profile.clock.drift_limit_s);
        let off = when.sample.as_ref().is_some_and(|sample| {
            let zone = i64::from(when.offset.seconds());
            let correction = when.correction_s.unwrap_or_default();
            // A clock that keeps local time is off by its zone, and that is no fault.
            let fault = if self.profile.clock.keeps == Keeps::Utc { correction } else { correction + zone };
            sample.clock.face == Face::Shown && fault.abs() > limit
        });
        let unverified = matches!(when.source, Source::Zone | Source::DeviceUtc);
        let broadcast = record.first().link == crate::capture::Link::Broadcast;
        for (doubt, is) in [
            (Doubt::ClockUnverified, unverified),
            (Doubt::ClockOff, off),
            (Doubt::OffsetChanged, record.changed),
            (Doubt::Broadcast, broadcast),
        ] {
            if is {
                doubts.push(doubt);
            }
        }
        doubts
    }
}

/// The device itself says that its time is not to be trusted: 2A18 status bit 11; 2A5E "device clock is not set".
fn faulty_clock(measure: &Measurement) -> bool {
    match measure {
        Measurement::Glucose(m) => m.status.is_some_and(|s| s.0 & 1 << 11 != 0),
        Measurement::Oximetry(m) => m.clock_not_set && m.time_stamp.is_some(),
        _ => false,
    }
}

/// The next instant at which silence itself is news.
pub fn due(open: &Open) -> Option<HubTicks> {
    open.records
        .values()
        .filter_map(|r| match &r.fate {
            Fate::Await { until, .. } => Some(*until),
            _ => None,
        })
        .min()
}

/// The clock sample nearest to a hearing in its own contact.
pub(crate) fn nearest<'a>(samples: &'a [Sample], hearing: &Capture, face: Face) -> Option<&'a Sample> {
    samples.iter().filter(|s| s.clock.face == face).min_by_key(|s| s.answered.ms.abs_diff(hearing.at.ms))
}
