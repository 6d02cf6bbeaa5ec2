//! The device's clock: compared where it tells, set where it may be.

use super::plan::{Can, Offer, Place, find, tells};
use super::{ClockEnd, Fault, Known, Tell};
use crate::capture::Uuid16;
use crate::decode::civil_of;
use crate::profile::{Keeps, Profile};
use crate::radio::Millis;
use crate::when::{Face, Stamp, ZoneName, as_utc};
use hearth_wire::clock::{setting, takes_a_part};
use hearth_wire::gatt::{CurrentElapsedTime, CurrentTime, DateTime};
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

#[derive(Clone, Debug)]
pub(super) struct ClockWork {
    keeps: Keeps,
    limit_s: i64,
    /// Where it is read, where it is heard, where it is set.
    reads: Option<Place>,
    listens: Option<Place>,
    sets: Option<Place>,
    tells: bool,
    /// Since when it may have said something by itself.
    listening: Option<Millis>,
    /// It says that it was never set.
    unset: bool,
    writing: bool,
    turned: bool,
    end: ClockEnd,
}

impl ClockWork {
    pub(super) fn new(profile: &Profile, known: &Known, offers: &[Offer]) -> ClockWork {
        let clock = &profile.clock;
        let keeps = clock.keeps != Keeps::Nothing;
        let of = |characteristic, so: fn(Can) -> bool| find(offers, profile.kind, Uuid16(characteristic), so);
        let told_by = [CurrentTime::UUID, DateTime::UUID, CurrentElapsedTime::UUID];
        let telling = clock.tells && keeps;
        let reads = telling.then(|| told_by.iter().find_map(|c| of(*c, |can| can.read))).flatten();
        let listens = telling.then(|| of(CurrentTime::UUID, tells)).flatten();
        let sets = clock.set_by.filter(|_| keeps).and_then(|c| of(c, |can| can.write));
        let end = match (reads.or(listens), sets) {
            (None, None) => ClockEnd::None,
            (None, Some(_)) if hub_civil(known, Millis(0), face(clock.keeps)).is_none() => ClockEnd::Unjudged,
            _ => ClockEnd::Unread,
        };
        ClockWork {
            keeps: clock.keeps,
            limit_s: clock.drift_limit_s.into(),
            reads,
            listens,
            sets,
            tells: clock.tells,
            listening: None,
            unset: false,
            writing: false,
            turned: false,
            end,
        }
    }

    /// Nothing ever compared the stamps of a clock that can't be read: it is right from the first moment on, or never.
    pub(super) fn is_set_first(&self) -> bool {
        !self.tells && self.sets.is_some()
    }

    pub(super) fn reads(&self) -> Option<Place> {
        self.reads
    }

    pub(super) fn listens(&self) -> Option<Place> {
        self.listens
    }

    pub(super) fn end(&self) -> ClockEnd {
        self.end
    }

    pub(super) fn subscribed(&mut self, place: Place, asked: Millis) {
        if self.listens == Some(place) {
            self.listening = Some(asked);
        }
    }

    /// The device told its clock by itself: at some moment since it may.
    pub(super) fn notified(
        &mut self,
        characteristic: Uuid16,
        octets: &[u8],
        now: Millis,
        known: &Known,
    ) -> Option<Tell> {
        let place = self.listens.filter(|place| place.characteristic == characteristic)?;
        // It tells what it was set to, too: that dates nothing that came before.
        let asked = self.listening.take().filter(|_| !self.turned)?;
        self.read(place, octets, asked, now, known)
    }

    pub(super) fn read(
        &mut self,
        place: Place,
        octets: &[u8],
        asked: Millis,
        answered: Millis,
        known: &Known,
    ) -> Option<Tell> {
        let shown = self.shown(place.characteristic, octets)?;
        if !self.turned {
            self.unset = false;
            let middle = Millis(asked.0.midpoint(answered.0));
            self.end = match hub_civil(known, middle, shown.face) {
                None => ClockEnd::Unjudged,
                Some(hub) => {
                    let off_s = as_utc(shown.civil).duration_since(as_utc(hub)).as_secs();
                    match off_s.abs() <= self.limit_s {
                        true => ClockEnd::Right { off_s },
                        false => ClockEnd::Wrong { off_s },
                    }
                }
            };
        }
        Some(Tell::Clock { shown, asked, answered })
    }

    fn shown(&mut self, characteristic: Uuid16, octets: &[u8]) -> Option<Stamp> {
        let (shown, is_unset) = shown(self.keeps, characteristic, octets)?;
        self.unset |= is_unset && !self.turned;
        shown
    }

    /// Where it is set, and by how many seconds it is ahead of UTC at that time. `None`: it may not be set, or nobody knows its zone.
    pub(super) fn sets(&self, known: &Known, at: Timestamp) -> Option<(Place, i32)> {
        let zone = zone(known, face(self.keeps))?;
        self.sets.map(|place| (place, zone.to_offset(at).seconds()))
    }

    /// By more than so many seconds it is wrong.
    pub(super) fn limit_s(&self) -> u32 {
        self.limit_s.try_into().unwrap_or(u32::MAX)
    }

    /// Whether it was seen to be wrong, or never to have been set.
    pub(super) fn is_wrong(&self) -> bool {
        self.unset || matches!(self.end, ClockEnd::Wrong { .. })
    }

    /// Where to write what. `None`: it may not be set, or the hub knows the time or the zone too loosely.
    pub(super) fn write(&mut self, known: &Known, now: Millis) -> Option<(Place, Vec<u8>)> {
        let place = self.sets?;
        let hub = hub_civil(known, now, face(self.keeps))?;
        let octets = written(place.characteristic, hub)?;
        self.writing = true;
        self.turned = true;
        Some((place, octets))
    }

    /// Whether a fault of this request is the clock's way to say that all is well.
    pub(super) fn took(&self, place: Place, fault: Fault) -> bool {
        self.writing
            && Some(place) == self.sets
            && matches!(fault, Fault::Att(code) if takes_a_part(place.characteristic.0, code))
    }

    /// What came of the write. `Some`: it was set, and here it is read again.
    pub(super) fn written(&mut self, place: Place, fault: Option<Fault>) -> Option<Place> {
        let fault = fault.filter(|fault| !self.took(place, *fault));
        self.writing = false;
        self.end = fault.map_or(ClockEnd::Set, ClockEnd::Refused);
        self.reads.filter(|_| self.end == ClockEnd::Set)
    }
}

/// What a clock says that keeps this, by one of the three characteristics that tell a time; and whether it was never set. `None`: no
/// such time.
pub fn shown(keeps: Keeps, characteristic: Uuid16, octets: &[u8]) -> Option<(Option<Stamp>, bool)> {
    let (date_time, minutes) = match characteristic.0 {
        CurrentTime::UUID => (CurrentTime::decode(octets).ok()?.value.date_time, 0),
        DateTime::UUID => (DateTime::decode(octets).ok()?.value, 0),
        CurrentElapsedTime::UUID => {
            let told = CurrentElapsedTime::decode(octets).ok()?.value;
            let minutes = match (keeps, told.utc, told.offset()) {
                (Keeps::Utc, true, _) | (Keeps::LocalTime, false, _) => 0,
                (Keeps::LocalTime, true, Some(quarters)) => i64::from(quarters) * 15,
                _ => return None,
            };
            (told.date_time()?, minutes)
        }
        _ => return None,
    };
    let later = |civil: civil::DateTime| civil.checked_add(SignedDuration::from_mins(minutes)).ok();
    let stamp = civil_of(date_time).and_then(later).map(|civil| Stamp { face: face(keeps), civil });
    Some((stamp, date_time.is_unknown()))
}

/// Of a meter's two faces, the one that a profile speaks of.
fn face(keeps: Keeps) -> Face {
    if keeps == Keeps::Utc { Face::Base } else { Face::Shown }
}

/// What a right clock shows at this instant, on this face.
fn hub_civil(known: &Known, at: Millis, face: Face) -> Option<civil::DateTime> {
    known.time?.instant(at).and_then(|instant| Some(zone(known, face)?.to_datetime(instant)))
}

/// In which zone a clock ticks. `None`: nobody knows.
fn zone(known: &Known, face: Face) -> Option<TimeZone> {
    match face {
        Face::Base => Some(TimeZone::UTC),
        Face::Shown => known.zone.as_ref().map(ZoneName::zone),
    }
}

/// As the characteristic has it. `None`: nothing that a clock is set by, or a year that it can't be set to.
fn written(characteristic: Uuid16, civil: civil::DateTime) -> Option<Vec<u8>> {
    let ms = u64::try_from(as_utc(civil).as_millisecond()).ok()?;
    setting(characteristic.0, ms, &mut [0; 10]).map(<[u8]>::to_vec)
}
