//! Whose it is: by when it was taken, not by when it was heard.

use super::date::{Compared, Dated, TIGHT, contradicted, doubted};
use super::{House, TimeDoubt, Why};
use crate::capture::DeviceNo;
use crate::identity::{Binding, PersonNo, Slot, UNKNOWN_USER, Who};
use crate::reading::{Issue, Reading};
use crate::when::{Source, Span, When, as_utc, effective, meanings, millis, saturating};
use jiff::Timestamp;

/// A dated record in the interval of exactly one binding. Made only by [`bind`].
#[derive(Clone, PartialEq, Debug)]
pub struct Bound<'b> {
    binding: &'b Binding,
    when: When,
}

impl<'b> Bound<'b> {
    pub fn binding(&self) -> &'b Binding {
        self.binding
    }

    pub fn when(&self) -> &When {
        &self.when
    }
}

/// How clocks tick differently from when a record was taken until it was heard.
const TICKS: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// How a binding's interval meets what is known of the instant.
enum Fit {
    Inside {
        span: Span,
        source: Source,
        words: Vec<Timestamp>,
    },
    /// The doubt reaches over an edge.
    Edge,
    /// Outside by the device's word alone, and by less than a clock that nobody compared may be off.
    Near(Span),
    Before,
    After,
    /// A civil stamp, and the binding has no zone to read it in.
    NoZone,
    Doubt(TimeDoubt),
    /// Read so, it was taken after it was heard.
    Future,
}

/// Finds the one binding that the record lies in (CLINICAL 18, 21, 23). Anything else is a hold.
///
/// A stamp without a clock sample is read in each candidate's zone: exactly one that contains it binds. In a home that
/// moved, two of one person's may: then it is two times.
///
/// `given`: a person said whose it is, which settles who, and not when: only that one's bindings are looked at.
pub fn bind<'b>(
    device: DeviceNo,
    slot: Option<Slot>,
    given: Option<PersonNo>,
    bindings: &'b [Binding],
    dated: &Dated,
    heard: Span,
) -> Result<Bound<'b>, Why> {
    let guest = slot == Some(Slot(UNKNOWN_USER));
    if guest && given.is_none() {
        return Err(Why::Guest);
    }
    let covers = |b: &&Binding| match given {
        Some(person) => b.device == device && b.who == Who::Person(person),
        None => b.covers(device, slot) || b.shared && b.device == device && slot.is_none(),
    };
    let (mut inside, mut edge, mut no_zone, mut doubt, mut before) = (vec![], false, false, None, None);
    let (mut candidates, mut future, mut near, mut shared) = (0, vec![], vec![], false);
    for binding in bindings.iter().filter(covers) {
        candidates += 1;
        let fits = fit(binding, dated, heard);
        shared |= binding.shared && given.is_none() && !matches!(fits, Fit::Before | Fit::After);
        match fits {
            Fit::Inside { span, source, words } => inside.push((binding, span, source, words)),
            Fit::Edge => edge = true,
            Fit::Near(span) => near.push((binding, span)),
            Fit::NoZone => no_zone = true,
            Fit::Doubt(d) => doubt = Some(d),
            Fit::Future => future.push(binding.who),
            Fit::Before => before = Some(before.map_or(binding.revision, |r| binding.revision.min(r))),
            Fit::After => {}
        }
    }
    if candidates == 0 && given.is_some() {
        // Whoever it was given to has nothing to do with the device any more: it is asked again.
        return Err(if guest { Why::Guest } else { Why::Shared });
    }
    if candidates == 0 {
        // A device with slots that nobody named, or a named slot that the record does not tell.
        let bound = bindings.iter().any(|b| b.device == device);
        return Err(if bound { Why::SlotUnknown } else { Why::NoPatient });
    }
    // One who shares it with nobody else yet is no exception.
    if shared {
        return Err(Why::Shared);
    }
    if edge {
        return Err(Why::Edge);
    }
    // The same person bound twice is one person; the younger binding speaks.
    inside.sort_by_key(|(binding, ..)| binding.revision);
    let people = inside.iter().any(|(b, ..)| Some(b.who) != inside.first().map(|(first, ..)| first.who));
    if people {
        return Err(Why::TwoPeople);
    }
    if inside.iter().any(|(_, span, ..)| inside.first().is_some_and(|(_, first, ..)| span != first)) {
        return Err(Why::Edge);
    }
    // Whoever else had it a moment before or after, or the same person in another zone, may be meant as well.
    let only = inside.first();
    let other = |(near, other): &(&Binding, Span)| {
        only.is_some_and(|(b, span, ..)| b.who != near.who || span != other)
            // Nobody's by its word, and a moment after somebody's.
            || only.is_none() && near.until.is_some_and(|until| other.earliest >= until)
    };
    if near.iter().any(other) {
        return Err(Why::Edge);
    }
    // The same person's other zone is not meant; another person's might be, by a clock that is wrong.
    if future.iter().any(|who| only.is_none_or(|(b, ..)| b.who != *who)) {
        return Err(Why::Time(TimeDoubt::Future));
    }
    if no_zone {
        return Err(Why::NoZone);
    }
    if let Some(doubt) = doubt {
        return Err(Why::Time(doubt));
    }
    let Some((binding, span, source, words)) = inside.pop() else {
        // What somebody was given is one record that a person looked at, and none of a sealed group.
        let before = before.filter(|_| given.is_none());
        return Err(before.map_or(Why::NoPatient, Why::BeforeBinding));
    };
    let Some(zone) = binding.zone.clone() else { return Err(Why::NoZone) };
    let effective = effective(span, &words);
    let offset = zone.zone().to_offset(effective);
    Ok(Bound {
        binding,
        when: When { span, source, effective, zone, offset, correction_s: None, sample: None },
    })
}

/// Whose a reading would be by today's bindings, where that differs. Shown to a person, never acted on. `given`: a person said whose
/// it is.
///
/// A time that a clock gave is none of the bindings' business, also where other clocks contradict it since; nor is one that
/// somebody looked at, and issued anew. Only what rests on the device's word alone is read again.
pub fn disputed(
    reading: &Reading,
    given: Option<PersonNo>,
    heard: Span,
    house: &House<'_>,
) -> Option<Result<Who, Why>> {
    let span = reading.when.span;
    let word = match reading.when.source {
        source @ (Source::Zone | Source::DeviceUtc) if reading.issue == Issue(0) => Some(source),
        _ => None,
    };
    let (dated, heard) = match (word, reading.stamp) {
        (Some(Source::Zone), Some(stamp)) => {
            (Dated::Civil { stamp, not_before: Timestamp::MIN, compared: [None; 2] }, heard)
        }
        (Some(source), _) => (Dated::Instant { span, source, words: None, compared: [None; 2] }, heard),
        (None, _) => (
            Dated::Instant { span, source: Source::Sample, words: None, compared: [None; 2] },
            Span { latest: Timestamp::MAX, ..heard },
        ),
    };
    let slot = reading.measure.slot().map(Slot);
    let today =
        bind(reading.device, slot, given, house.bindings, &dated, heard).map(|bound| bound.binding().who);
    (today != Ok(reading.who)).then_some(today)
}

fn fit(binding: &Binding, dated: &Dated, heard: Span) -> Fit {
    let until = binding.until.unwrap_or(Timestamp::MAX);
    let zone = binding.zone.as_ref().map(crate::when::ZoneName::zone);
    let (span, source, words, compared): (_, _, _, Compared) = match (dated, &zone) {
        (Dated::Civil { .. }, None) => return Fit::NoZone,
        (Dated::Civil { stamp, not_before, compared }, Some(zone)) => {
            let words = meanings(zone, stamp.civil);
            let second = |t: Timestamp| Span { earliest: t, latest: saturating(t, millis(999)) };
            match words.as_slice() {
                [once] if second(*once).latest < *not_before || contradicted(second(*once), *compared) => {
                    return touches(&[second(*once)], binding, heard, TimeDoubt::TwoTimelines);
                }
                [once] => (second(*once), Source::Zone, words, *compared),
                [first, .., last] => {
                    return touches(&[second(*first), second(*last)], binding, heard, TimeDoubt::Fold);
                }
                [] => {
                    // In the hour that was skipped: by a clock that was not yet set, or too early.
                    let skipped = zone.to_ambiguous_timestamp(stamp.civil);
                    let either = [skipped.earlier(), skipped.later()];
                    let either = either.map(|at| second(at.unwrap_or(Timestamp::MIN)));
                    return touches(&either, binding, heard, TimeDoubt::Gap);
                }
            }
        }
        (Dated::Instant { span, source, words, compared }, zone) => {
            let words = match (words, source, zone) {
                (Some(stamp), Source::DeviceUtc, _) => vec![as_utc(stamp.civil)],
                (Some(stamp), _, Some(zone)) => {
                    let mut meant = meanings(zone, stamp.civil);
                    meant.push(as_utc(stamp.civil));
                    meant
                }
                _ => vec![],
            };
            (*span, *source, words, *compared)
        }
    };
    let may_be = doubted(span, compared);
    let word = matches!(source, Source::Zone | Source::DeviceUtc);
    let near = word && is_near(span, binding, heard);
    // What was heard before a binding began was taken before.
    if may_be.latest < binding.from || heard.latest < binding.from {
        return if near { Fit::Near(span) } else { Fit::Before };
    }
    // Of a binding that had ended when it was heard, it is not, by whatever zone.
    let over = may_be.earliest >= until && until <= heard.latest;
    if !over && span.earliest > saturating(heard.latest, TICKS) {
        return Fit::Future;
    }
    if may_be.earliest >= binding.from && may_be.latest < until {
        Fit::Inside { span, source, words }
    } else if may_be.earliest >= until {
        if near { Fit::Near(span) } else { Fit::After }
    } else {
        Fit::Edge
    }
}

/// Whether a clock that nobody compared may have shown that in a binding that had begun when it was heard.
fn is_near(span: Span, binding: &Binding, heard: Span) -> bool {
    let ended = binding.until.is_some_and(|until| saturating(span.earliest, -TIGHT) >= until);
    binding.from <= heard.latest && saturating(span.latest, TIGHT) >= binding.from && !ended
}

/// A doubt concerns a binding only if one of its instants could be this binding's at all.
fn touches(either: &[Span], binding: &Binding, heard: Span, doubt: TimeDoubt) -> Fit {
    if either.iter().any(|span| is_near(*span, binding, heard)) {
        Fit::Doubt(doubt)
    } else if either.iter().all(|span| span.latest < binding.from) {
        Fit::Before
    } else {
        Fit::After
    }
}
