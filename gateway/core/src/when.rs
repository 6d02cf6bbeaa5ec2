//! When: device clock and hub clock become an instant, and how sure we are.
//!
//! Everything is put on the tick line of one boot; UTC enters in the last step. Evidence is an interval,
//! never a point: what is printed is one stored choice inside it ([`effective`]).

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use std::collections::BTreeMap;

/// Number of a boot of this hub, counted by the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BootNo(pub u32);

/// Milliseconds since boot, suspended time counted. Signed: a stored record may be older than the boot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HubTicks {
    pub boot: BootNo,
    pub ms: i64,
}

impl HubTicks {
    pub fn later(self, ms: i64) -> HubTicks {
        HubTicks { ms: self.ms.saturating_add(ms), ..self }
    }
}

/// A closed interval of instants. `latest == Timestamp::MAX`: not known yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    pub earliest: Timestamp,
    pub latest: Timestamp,
}

impl Span {
    pub fn at(instant: Timestamp) -> Span {
        Span { earliest: instant, latest: instant }
    }

    pub fn meet(self, other: Span) -> Option<Span> {
        let earliest = self.earliest.max(other.earliest);
        let latest = self.latest.min(other.latest);
        (earliest <= latest).then_some(Span { earliest, latest })
    }

    pub fn width(&self) -> SignedDuration {
        if self.latest == Timestamp::MAX {
            SignedDuration::MAX
        } else {
            self.latest.duration_since(self.earliest)
        }
    }

    pub fn holds(&self, instant: Timestamp) -> bool {
        self.earliest <= instant && instant <= self.latest
    }
}

/// Where the hub learned UTC from. A restored clock file or an untrusted RTC gives only an `earliest`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnchorSource {
    /// The kernel says that the system clock is synchronised (NTP, NTS, PTP).
    Synchronised,
    /// A battery-backed clock or a time saved at shutdown: not before this.
    Remembered,
    /// A person, or a replayed log, says so.
    Stated,
}

/// One moment of which both the ticks and UTC are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Anchor {
    pub at: HubTicks,
    pub utc: Span,
    pub source: AnchorSource,
}

/// One boot: the highest tick committed in it (without which it has no upper bound), and its anchors.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Boot {
    pub last: i64,
    pub anchors: Vec<Anchor>,
    /// Of a replayed log: the log's first boot. A log's boots bound, and are bounded by, each other only: neither
    /// this hub nor another log says when it was. `None`: a boot that this hub has lived.
    pub log: Option<BootNo>,
}

/// All boots that open business reaches into.
#[derive(Clone, PartialEq, Debug)]
pub struct Boots {
    /// When this software was built: nothing that it hears happened before.
    pub built: Timestamp,
    pub all: BTreeMap<BootNo, Boot>,
}

/// How far a hub's crystal may be off, in parts per million.
const HUB_DRIFT_PPM: i64 = 100;
/// How far a device's crystal may be off, in parts per million.
const DEVICE_DRIFT_PPM: i64 = 50;

pub(crate) fn millis(ms: i64) -> SignedDuration {
    SignedDuration::from_millis(ms)
}

/// `t + d`, where "not known yet" stays so and the ends of time hold.
pub(crate) fn saturating(t: Timestamp, d: SignedDuration) -> Timestamp {
    if t == Timestamp::MAX {
        return t;
    }
    t.checked_add(d).unwrap_or(if d.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

fn drift(ms: i64, ppm: i64) -> i64 {
    (ms.unsigned_abs() / 1_000_000).saturating_mul(ppm.unsigned_abs()).saturating_add(1).min(i64::MAX as u64)
        as i64
}

impl Boots {
    /// The instants that `at` can have been: the boot's own anchors with drift, cut by what the neighbouring
    /// boots allow. Anchors that contradict each other widen it; an unknown boot is bounded by `built` alone.
    pub fn utc(&self, at: HubTicks) -> Span {
        let (a, b) = (self.lower(at), self.upper(at));
        Span { earliest: a.min(b), latest: a.max(b) }
    }

    /// The instants that `at` can have been by what this hub believed at `then`, in the same boot, whatever contradicts it
    /// since. `None`: that boot never had a time of its own.
    pub fn believed(&self, then: HubTicks, at: HubTicks) -> Option<Span> {
        let anchors = &self.all.get(&then.boot)?.anchors;
        let timed = || anchors.iter().filter(|a| a.utc.latest != Timestamp::MAX);
        let before = timed().filter(|a| a.at.ms <= then.ms).max_by_key(|a| a.at.ms);
        let anchor = before.or_else(|| timed().min_by_key(|a| a.at.ms))?;
        let since = at.ms.saturating_sub(anchor.at.ms);
        let loose = drift(since, HUB_DRIFT_PPM);
        Some(Span {
            earliest: saturating(anchor.utc.earliest, millis(since.saturating_sub(loose))),
            latest: saturating(anchor.utc.latest, millis(since.saturating_add(loose))),
        })
    }

    fn log(&self, boot: BootNo) -> Option<BootNo> {
        self.all.get(&boot).and_then(|b| b.log)
    }

    fn lower(&self, at: HubTicks) -> Timestamp {
        // Walk back over boots: each earlier boot's last tick was before this boot's first.
        let mut best = Timestamp::MIN;
        let (mut boot, mut ms) = (at.boot, at.ms);
        // What has run between `ms` of `boot` and the tick asked for.
        let mut since = 0i64;
        loop {
            if let Some(b) = self.all.get(&boot) {
                for a in &b.anchors {
                    let d = ms.saturating_sub(a.at.ms);
                    let loose = drift(d, HUB_DRIFT_PPM).saturating_add(drift(since, HUB_DRIFT_PPM));
                    let run = d.saturating_add(since);
                    best = best.max(saturating(a.utc.earliest, millis(run.saturating_sub(loose))));
                }
            }
            match self.all.range(..boot).rev().find(|(_, b)| b.log == self.log(at.boot)) {
                Some((&earlier, b)) => {
                    since = since.saturating_add(ms);
                    (boot, ms) = (earlier, b.last);
                }
                None => {
                    let start = saturating(self.built, millis(ms.saturating_add(since).min(0)));
                    return best.max(start);
                }
            }
        }
    }

    fn upper(&self, at: HubTicks) -> Timestamp {
        let mut best = Timestamp::MAX;
        let (mut boot, mut ms) = (at.boot, at.ms);
        let mut before = 0i64;
        loop {
            let last = self.all.get(&boot).map_or(ms, |b| {
                for a in &b.anchors {
                    let d = ms.saturating_sub(a.at.ms);
                    let loose = drift(d, HUB_DRIFT_PPM).saturating_add(drift(before, HUB_DRIFT_PPM));
                    let run = d.saturating_sub(before);
                    best = best.min(saturating(a.utc.latest, millis(run.saturating_add(loose))));
                }
                b.last
            });
            let next = BootNo(boot.0.saturating_add(1));
            match self.all.range(next..).find(|(_, b)| b.log == self.log(at.boot)) {
                Some((&later, _)) if later > boot => {
                    before = before.saturating_add(last.saturating_sub(ms));
                    (boot, ms) = (later, 0);
                }
                _ => return best,
            }
        }
    }
}

/// 2A18 has two clocks: base time, and base time plus offset, which the owner sees. A sample dates only
/// stamps of its own face.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Face {
    Base,
    Shown,
}

/// What a clock showed, without a zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    pub face: Face,
    pub civil: civil::DateTime,
}

/// A device's clock, read in a contact: asked at, answered at, and what it showed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    pub contact: ContactNo,
    pub clock: Stamp,
    pub asked: HubTicks,
    pub answered: HubTicks,
}

/// Number of a contact with one device: a connection, or a burst of advertisements.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ContactNo(pub u64);

/// What dated a reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The device's clock was compared with the hub's in a contact that heard the record.
    Sample,
    /// The device says UTC.
    DeviceUtc,
    /// The device's own words, read in the zone of the binding. Nobody compared its clock.
    Zone,
    /// The device has no stamp; the hub heard it live.
    Heard,
}

/// When a reading was taken. `zone` and `offset` are the binding's, valid at the reading's own instant
/// (CLINICAL 18).
#[derive(Clone, PartialEq, Debug)]
pub struct When {
    pub span: Span,
    pub source: Source,
    pub effective: Timestamp,
    pub zone: ZoneName,
    pub offset: jiff::tz::Offset,
    /// Hub clock minus device clock, in seconds, where a sample told it: kept so that it can be undone.
    pub correction_s: Option<i64>,
    /// The sample that dated it: what the coincident time stamp Observation says.
    pub sample: Option<Sample>,
}

/// Name of an IANA time zone that exists in the compiled-in database.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ZoneName(String);

impl ZoneName {
    /// `None`: no such zone. Fixed offsets and `local` are not zones of a place.
    pub fn parse(name: &str) -> Option<ZoneName> {
        let zone = TimeZone::get(name).ok()?;
        zone.iana_name().map(|n| ZoneName(n.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.0).expect("a ZoneName is made only of a zone that the database holds")
    }
}

/// The stamp read as if it were UTC: for differences between stamps of one face, and for devices that say UTC.
pub fn as_utc(civil: civil::DateTime) -> Timestamp {
    TimeZone::UTC.to_timestamp(civil).unwrap_or(Timestamp::MIN)
}

/// Where a stamp of a clock that ticks whole seconds lies: asked and answered, plus the distance to what the
/// clock showed, a second either way, and drift; on the sample's boot, then in UTC, by `utc`.
pub fn by_sample(utc: impl Fn(HubTicks) -> Span, sample: &Sample, stamp: civil::DateTime) -> Span {
    let distance = clamp_ms(as_utc(stamp).duration_since(as_utc(sample.clock.civil)));
    let loose = drift(distance, DEVICE_DRIFT_PPM).saturating_add(1_000);
    let from = sample.asked.later(distance.saturating_sub(loose));
    let to = sample.answered.later(distance.saturating_add(loose));
    Span { earliest: utc(from).earliest, latest: utc(to).latest }
}

/// Hub minus device, as an interval in milliseconds: what is compared between two contacts. The hub's time by `utc`.
pub fn correction(utc: impl Fn(HubTicks) -> Span, sample: &Sample) -> (i64, i64) {
    let shown = as_utc(sample.clock.civil);
    let asked = utc(sample.asked).earliest.duration_since(shown);
    let answered = utc(sample.answered).latest.duration_since(shown);
    (clamp_ms(asked).saturating_sub(1_000), clamp_ms(answered))
}

fn clamp_ms(d: SignedDuration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(if d.is_negative() { i64::MIN / 4 } else { i64::MAX / 4 })
}

/// All instants that a civil stamp can mean in a zone: none in a gap, two in a fold.
pub fn meanings(zone: &TimeZone, stamp: civil::DateTime) -> Vec<Timestamp> {
    use jiff::tz::AmbiguousOffset::{Fold, Gap, Unambiguous};
    let at = |offset: jiff::tz::Offset| offset.to_timestamp(stamp).ok();
    let offsets = match zone.to_ambiguous_timestamp(stamp).offset() {
        Unambiguous { offset } => vec![offset],
        Fold { before, after } => vec![before, after],
        Gap { .. } => vec![],
    };
    offsets.into_iter().filter_map(at).collect()
}

/// The device's own words stand where the evidence allows them; else the middle, to the nearest second
/// (flooring prints one second early).
pub fn effective(span: Span, words: &[Timestamp]) -> Timestamp {
    words.iter().copied().find(|t| span.holds(*t)).unwrap_or_else(|| {
        let middle = saturating(span.earliest, span.width() / 2);
        let up = i64::from(middle.subsec_nanosecond() >= 500_000_000);
        Timestamp::from_second(middle.as_second().saturating_add(up)).unwrap_or(middle)
    })
}
