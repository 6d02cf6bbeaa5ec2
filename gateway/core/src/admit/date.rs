//! When a record was taken, as far as evidence goes, before anybody asks whose it is.

use super::{End, House, Open, Record, TimeDoubt, nearest};
use crate::capture::Capture;
use crate::decode::Told;
use crate::profile::{Keeps, Profile, Untimed};
use crate::when::{
    Boots, ContactNo, Face, HubTicks, Sample, Source, Span, Stamp, as_utc, by_sample, correction, millis,
    saturating,
};
use jiff::{SignedDuration, Timestamp};

/// How well an instant must be known to date a reading, and how far a clock may wander without having jumped.
pub(super) const TIGHT: SignedDuration = SignedDuration::from_secs(300);
/// A record is never taken after it was heard, give or take how clocks tick.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// What evidence says. A civil stamp needs the zone of a binding, so dating can't finish before binding.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Dated {
    Instant { span: Span, source: Source, words: Option<Stamp>, compared: Compared },
    Civil { stamp: Stamp, not_before: Timestamp, compared: Compared },
}

/// Where a stamp lies by comparisons of the device's clock that don't date it: the one in the same contact, however loose,
/// and the last one that was good.
pub(super) type Compared = [Option<Span>; 2];

/// A record, what it says of its time, when it was first heard, and the sample that can date it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocked<'a> {
    pub(super) record: &'a Record,
    pub(super) told: Told,
    pub(super) heard: Span,
    pub(super) sample: Option<&'a Sample>,
}

/// The earliest hearing that shares its contact with a sample of the right face. Evidence nearest to the
/// measurement counts most; a sample whose hub time is not known well comes last.
pub(super) fn sampled<'a>(
    record: &'a Record,
    open: &'a Open,
    boots: &Boots,
    face: Face,
) -> Option<(&'a Capture, &'a Sample)> {
    record
        .heard
        .iter()
        .filter_map(|hearing| {
            Some((hearing, nearest(&open.contacts.get(&hearing.contact)?.samples, hearing, face)?))
        })
        .min_by_key(|(hearing, sample)| (boots.utc(sample.answered).width() > TIGHT, hearing.contact))
}

/// Cuts the candidates by facts: one survivor dates the record, several or none hold it.
pub(super) fn date(
    clocked: &Clocked<'_>,
    open: &Open,
    house: &House<'_>,
    profile: &Profile,
) -> Result<Dated, TimeDoubt> {
    let Clocked { record, told, heard, sample } = *clocked;
    let boots = house.boots;
    let stamp = match told {
        Told::NotADate(_) => return Err(TimeDoubt::NotADate),
        Told::OffsetLost => return Err(TimeDoubt::OffsetLost),
        Told::Nothing if profile.memory == Untimed::MayBeStored => return Err(TimeDoubt::Untimed),
        Told::Nothing if heard.width() > TIGHT => return Err(TimeDoubt::HubClock),
        Told::Nothing => {
            return Ok(Dated::Instant {
                span: heard,
                source: Source::Heard,
                words: None,
                compared: [None; 2],
            });
        }
        Told::At(stamp) => stamp,
    };
    let not_after = Span { earliest: Timestamp::MIN, latest: saturating(heard.latest, TOLERANCE) };
    let mut believed = None;
    if let Some(sample) = sample.filter(|sample| is_compared(boots, sample)) {
        let span = compare(record, stamp, sample, not_after, open, house)?;
        if is_known(boots, sample) {
            return Ok(Dated::Instant {
                span,
                source: Source::Sample,
                words: Some(stamp),
                compared: [None; 2],
            });
        }
        believed = Some(span);
    }
    if profile.clock.resets_to.contains(&stamp.civil.year()) {
        return Err(TimeDoubt::Reset);
    }
    let not_before = drained_before(record, open, boots);
    // What the clock was off by when it was last compared well, it may be off by still.
    let earlier = samples_before(record.first().contact, stamp.face, open, boots)
        .map(|(_, sample, _)| sample)
        .find(|sample| is_compared(boots, sample));
    // If it was set since the memory was drained, though, more than one of its clocks may have made the stamp.
    if let Some(earlier) = earlier
        && compare(record, stamp, earlier, not_after, open, house) == Err(TimeDoubt::TwoTimelines)
    {
        return Err(TimeDoubt::TwoTimelines);
    }
    let lies = |sample: &Sample| by_sample(reckoned(boots, sample), sample, stamp.civil);
    let compared = match believed {
        Some(believed) => [Some(believed), None],
        None => [sample.map(lies), earlier.map(lies)],
    };
    if let [Some(one), Some(other)] = compared
        && loosely(one).meet(loosely(other)).is_none()
    {
        return Err(TimeDoubt::TwoTimelines);
    }
    match profile.clock.keeps {
        Keeps::Nothing => Err(TimeDoubt::Untimed),
        Keeps::LocalTime => Ok(Dated::Civil { stamp, not_before, compared }),
        Keeps::Utc => {
            let said = as_utc(stamp.civil);
            let span = Span { earliest: said, latest: saturating(said, millis(999)) };
            if span.latest < not_before || contradicted(span, compared) {
                return Err(TimeDoubt::TwoTimelines);
            }
            let span = span.meet(not_after).ok_or(TimeDoubt::Future)?;
            Ok(Dated::Instant { span, source: Source::DeviceUtc, words: Some(stamp), compared })
        }
    }
}

/// How the hub's ticks about a comparison become instants: by all evidence; or, where that contradicts itself, by what the
/// hub believed when it compared.
fn reckoned<'a>(boots: &'a Boots, sample: &Sample) -> impl Fn(HubTicks) -> Span + Copy + 'a {
    let then = sample.answered;
    let known = is_known(boots, sample);
    move |at| match known {
        true => boots.utc(at),
        false => boots.believed(then, at).unwrap_or_else(|| boots.utc(at)),
    }
}

/// Whether all evidence agrees on when it compared.
fn is_known(boots: &Boots, sample: &Sample) -> bool {
    boots.utc(sample.answered).width() <= TIGHT
}

/// Whether the hub knew its time when it compared. If its times contradict each other since, the comparison dates nothing:
/// nobody knows which of them was right. What speaks against a stamp, it still does.
fn is_compared(boots: &Boots, sample: &Sample) -> bool {
    reckoned(boots, sample)(sample.answered).width() <= TIGHT
}

/// A comparison that dates nothing may still show that the clock is wrong: the span in which the stamp must lie, if it is
/// right.
fn loosely(Span { earliest, latest }: Span) -> Span {
    Span { earliest: saturating(earliest, -TIGHT), latest: saturating(latest, TIGHT) }
}

/// Whether the device's word lies outside of what a comparison allows, however loosely.
pub(super) fn contradicted(said: Span, compared: Compared) -> bool {
    compared.into_iter().flatten().any(|lies| said.meet(loosely(lies)).is_none())
}

/// The device's word is printed, and is that far from what comparisons say: the instant may be any in between.
pub(super) fn doubted(said: Span, compared: Compared) -> Span {
    let others = compared.into_iter().flatten().filter(|lies| said.meet(*lies).is_none());
    others.fold(said, |all, lies| Span {
        earliest: all.earliest.min(lies.earliest),
        latest: all.latest.max(lies.latest),
    })
}

/// A record that is new since the memory was drained was taken after that: a stamp that nobody compared and that
/// says otherwise is of another timeline.
fn drained_before(record: &Record, open: &Open, boots: &Boots) -> Timestamp {
    let earlier = open.contacts.range(..record.first().contact).rev();
    earlier
        .filter(|(_, c)| c.end == Some(End::Drained))
        .map(|(_, c)| boots.utc(c.began).earliest)
        .next()
        .map_or(Timestamp::MIN, |began| saturating(began, -TOLERANCE))
}

/// The device's clock was compared in this contact. If it jumped since the memory was last drained, however often it was
/// compared since, all its timelines are candidates, and facts cut them: never after it was heard, never before that
/// draining (CLINICAL 19).
fn compare(
    record: &Record,
    stamp: Stamp,
    sample: &Sample,
    not_after: Span,
    open: &Open,
    house: &House<'_>,
) -> Result<Span, TimeDoubt> {
    let boots = house.boots;
    let off = |sample: &Sample| correction(reckoned(boots, sample), sample);
    let (mut timelines, mut later) = (vec![sample], sample);
    let (mut drained, mut drainings, mut unseen) = (Timestamp::MIN, vec![], false);
    for (no, earlier, end) in samples_before(sample.contact, stamp.face, open, boots) {
        // A timeline that was over when the memory was drained last is no candidate, however loosely that is known.
        let over = drainings.iter().any(|draining| jumped(off(earlier), off(draining)));
        if !over && timelines.iter().all(|other| jumped(off(earlier), off(other))) {
            timelines.push(earlier);
        }
        unseen |= set_twice(earlier, later, open, house);
        // A loose comparison does not show that it was set, and back again later.
        if is_compared(boots, earlier) {
            later = earlier;
        }
        if end == Some(End::Drained) && record.first().contact > no {
            drained = drained.max(boots.utc(earlier.asked).earliest);
            if is_compared(boots, earlier) {
                break;
            }
            drainings.push(*earlier);
        }
    }
    if unseen {
        return Err(TimeDoubt::TwoTimelines);
    }
    let earliest = if timelines.len() > 1 { drained } else { Timestamp::MIN };
    let window = Span { earliest, ..not_after };
    let mut within = timelines
        .iter()
        .filter_map(|one| Some((one, by_sample(reckoned(boots, one), one, stamp.civil).meet(window)?)));
    match (within.next(), within.next()) {
        // An earlier comparison that was loose, or is contradicted, dates nothing.
        (Some((one, span)), None) if *one == sample || is_known(boots, one) => Ok(span),
        (Some(_), _) => Err(TimeDoubt::TwoTimelines),
        (None, _) => Err(TimeDoubt::Future),
    }
}

/// Whether the clock was set more than once between two comparisons, perhaps there and back, if it was set with all other
/// clocks where it was: nobody compared it in between.
fn set_twice(earlier: &Sample, later: &Sample, open: &Open, house: &House<'_>) -> bool {
    let from = reckoned(house.boots, earlier)(earlier.asked).earliest;
    let until = reckoned(house.boots, later)(later.answered).latest;
    let mut changes = vec![];
    for binding in house.bindings.iter().filter(|b| b.device == open.device.no) {
        let (from, until) = (from.max(binding.from), until.min(binding.until.unwrap_or(Timestamp::MAX)));
        let Some(zone) = binding.zone.as_ref().filter(|_| from < until) else { continue };
        let zone = zone.zone();
        changes.push((from, zone.to_offset(from)));
        let later = zone.following(from).take_while(|at| at.timestamp() < until);
        changes.extend(later.map(|at| (at.timestamp(), at.offset())));
    }
    changes.sort_unstable();
    changes.dedup_by_key(|(_, offset)| *offset);
    changes.len() > 2
}

/// The comparisons before this contact whose hub time is known however loosely, the last of each contact, newest first. A
/// loose one dates nothing, and may still tell that the clock was set since.
fn samples_before<'a>(
    contact: ContactNo,
    face: Face,
    open: &'a Open,
    boots: &Boots,
) -> impl Iterator<Item = (ContactNo, &'a Sample, Option<End>)> {
    open.contacts.range(..contact).rev().filter_map(move |(no, c)| {
        let sample = c.samples.iter().rfind(|s| s.clock.face == face)?;
        let known = reckoned(boots, sample)(sample.answered).latest != Timestamp::MAX;
        known.then_some((*no, sample, c.end))
    })
}

fn jumped(old: (i64, i64), new: (i64, i64)) -> bool {
    let apart = old.0.saturating_sub(new.1).max(new.0.saturating_sub(old.1));
    i128::from(apart) > TIGHT.as_millis()
}

/// Hub minus device in whole seconds, the middle of what the sample allows.
pub(super) fn correction_seconds(boots: &Boots, sample: &Sample) -> i64 {
    let (least, most) = correction(reckoned(boots, sample), sample);
    // The device shows whole seconds: the first second of the interval is its own rounding.
    let middle = least.saturating_add(1_000).saturating_add(most).div_euclid(2);
    middle.saturating_add(500).div_euclid(1_000)
}
