//! Which records belong together: a glucose measurement and its context, by sequence; a weight and what its scale says
//! the body is made of, by how they were told in one contact.

use super::{Fate, Open, Readable, Record, RecordNo};
use crate::capture::Uuid16;
use crate::decode::Measurement;
use crate::profile::Profile;
use crate::when::{ContactNo, HubTicks};
use hearth_wire::Decimal;
use hearth_wire::gatt::{BodyCompositionMeasurement, Unmergeable, WeightMeasurement};
use std::collections::BTreeMap;

/// A scale sends the parts of one weighing within so many milliseconds of each other.
pub const WEIGHING_MS: i64 = 30_000;

/// Whether the neighbours of such a record in its contact may be parts of it.
pub fn has_parts(characteristic: Uuid16) -> bool {
    [Uuid16::WEIGHT_MEASUREMENT, Uuid16::BODY_COMPOSITION_MEASUREMENT].contains(&characteristic)
}

/// A partition of the unsettled records: every one is in exactly one group, under its head. A context goes to
/// the measurement of its own contact, else to the youngest with its sequence: a sequence may recur after a
/// reset, while an older record still waits.
pub(super) fn groups(open: &Open, profile: &Profile, readable: &Readable) -> Vec<(RecordNo, Vec<RecordNo>)> {
    let settled = Some((&profile.name, profile.version));
    let weighings = Weighings { open, profile, readable };
    let unsettled: Vec<&Record> = open.records.values().filter(|r| !r.fate.settled(settled)).collect();
    let mut groups: BTreeMap<RecordNo, Vec<RecordNo>> = BTreeMap::new();
    for record in &unsettled {
        let mate = match measurement(readable, record.no) {
            Some(Measurement::GlucoseContext(m)) => unsettled
                .iter()
                .filter(|r| measurement_sequence(readable, r.no) == Some(m.sequence))
                .max_by_key(|r| (r.last_contact == record.last_contact, r.no))
                .map(|mate| mate.no),
            Some(Measurement::BodyComposition(_)) if !composed_again(record, &weighings) => {
                let head = weighings.weighing_of(record);
                head.filter(|no| unsettled.iter().any(|r| r.no == *no))
            }
            _ => None,
        };
        match mate {
            Some(mate) => groups.entry(mate).or_default().push(record.no),
            None => {
                groups.entry(record.no).or_default();
            }
        }
    }
    groups.into_iter().collect()
}

/// A measurement with its halves put together, and what else belongs to it.
pub(super) fn whole(
    measurement: Measurement,
    joined: Vec<Measurement>,
) -> Result<(Measurement, Vec<Measurement>), Unmergeable> {
    let mut whole = measurement;
    let mut companions: Vec<Measurement> = vec![];
    for part in joined {
        let Measurement::BodyComposition(second) = part else {
            companions.push(part);
            continue;
        };
        let first = match companions.last_mut() {
            Some(companion @ Measurement::BodyComposition(_)) => Some(companion),
            _ if matches!(whole, Measurement::BodyComposition(_)) => Some(&mut whole),
            _ => None,
        };
        match first {
            Some(Measurement::BodyComposition(first)) => {
                *first = BodyCompositionMeasurement::merge(first, &second)?;
            }
            _ => companions.push(part),
        }
    }
    Ok((whole, companions))
}

/// A scale that sends its memory again sends the composition again, too. It has no time of its own, so it is known by
/// its octets, and by the weight that was told before it.
pub(super) fn composed_again(record: &Record, house: &Weighings<'_>) -> bool {
    let Some(head) = house.weighing_of(record) else { return false };
    house.open.records.values().any(|other| {
        other.no != record.no
            && other.fate == Fate::Companion(head)
            && other.first().characteristic == record.first().characteristic
            && other.first().octets == record.first().octets
    })
}

/// What the weighings of a device are told apart by.
#[derive(Clone, Copy)]
pub(super) struct Weighings<'a> {
    pub(super) open: &'a Open,
    pub(super) profile: &'a Profile,
    pub(super) readable: &'a Readable,
}

/// A part of a weighing, as it was told in one contact.
struct Told {
    /// `None`: it was a reading and is forgotten, and nobody knows any more what it said.
    no: Option<RecordNo>,
    at: HubTicks,
    /// What nobody knows may have been a weight.
    weighs: bool,
    /// `None`: octets that can't be read.
    measured: Option<Measurement>,
}

impl Weighings<'_> {
    /// The head of the weighing that a composition is part of: the weight that its scale told with it, or the first half
    /// of itself. `None`: it stands alone, or nobody can tell which weight is its own: better none than somebody else's.
    ///
    /// Settled records count, too: what a record belongs to must not change when another one is done.
    pub(super) fn weighing_of(&self, record: &Record) -> Option<RecordNo> {
        let mut heads = record.heard.iter().flat_map(|capture| {
            let told = self.told(capture.contact);
            let places: Vec<usize> = (0..told.len()).filter(|n| told[*n].no == Some(record.no)).collect();
            let over = self.open.contacts.get(&capture.contact).is_some_and(|contact| contact.end.is_some());
            // Where it stood among the others nobody wrote down.
            let unknown = places.is_empty().then_some(None);
            let heads = places.into_iter().map(move |place| self.head(&told, place, over));
            unknown.into_iter().chain(heads)
        });
        let head = heads.next()??;
        heads.all(|other| other == Some(head)).then_some(head)
    }

    /// Of the composition in one place of what its contact told.
    fn head(&self, told: &[Told], place: usize, over: bool) -> Option<RecordNo> {
        let (before, own) = (&told[..place], &told[place]);
        let Some(Measurement::BodyComposition(measured)) = own.measured else { return None };
        // A stamp and a user of its own name its weight, whatever the order.
        if let Some(stamp) = measured.time_stamp {
            let mut same = told.iter().filter(|part| match part.measured {
                Some(Measurement::Weight(weight)) => {
                    weight.time_stamp == Some(stamp)
                        && (measured.user_id.is_none() || measured.user_id == weight.user_id)
                }
                _ => false,
            });
            let head = same.next()?.no;
            return head.filter(|_| same.all(|part| part.no == head));
        }
        if !self.profile.collect.weight_first {
            return if over { only_weighing(told, own, &measured) } else { None };
        }
        let (last, earlier) = before.split_last()?;
        match last.measured? {
            Measurement::BodyComposition(half) if half.multiple_packet && measured.multiple_packet => {
                // The second of two. A third begins another pair.
                let halves = before.iter().rev().take_while(|part| is_half(part)).count();
                if halves % 2 == 0 { None } else { self.head(told, place - 1, over).or(last.no) }
            }
            Measurement::Weight(weight) => {
                // Two weights in a row, and a composition after them: it may belong to either.
                let alone = earlier.last().is_none_or(|part| !part.weighs);
                last.no.filter(|_| alone && near(last.at, own.at) && fits(&measured, &weight))
            }
            _ => None,
        }
    }

    /// The parts of weighings that a contact told, in their order; what was told again at once is one.
    fn told(&self, contact: ContactNo) -> Vec<Told> {
        let told = self.open.contacts.get(&contact).map_or(&[][..], |contact| &contact.told);
        let mut all: Vec<Told> = told
            .iter()
            .map(|telling| {
                let record = telling.record.and_then(|no| self.open.records.get(&no));
                Told {
                    no: telling.record,
                    at: telling.at,
                    weighs: record.is_none_or(|r| r.first().characteristic == Uuid16::WEIGHT_MEASUREMENT),
                    measured: record.and_then(|record| measurement(self.readable, record.no)),
                }
            })
            .collect();
        all.dedup_by(|again, first| {
            let same = again.no.is_some() && again.no == first.no;
            if same {
                first.at = again.at;
            }
            same
        });
        all
    }
}

/// Of a scale whose order nobody states: the only weight of a contact that is over, for its only composition.
fn only_weighing(told: &[Told], own: &Told, measured: &BodyCompositionMeasurement) -> Option<RecordNo> {
    let mut others: Vec<&Told> = told.iter().filter(|part| part.no != own.no).collect();
    others.sort_by_key(|part| (part.no, part.at.ms.abs_diff(own.at.ms)));
    others.dedup_by_key(|part| part.no.unwrap_or(RecordNo(i64::MIN)));
    let halves = |part: &Told| is_half(part) && measured.multiple_packet;
    let (weights, rest): (Vec<&Told>, Vec<&Told>) = others.iter().partition(|part| part.weighs);
    match (weights.as_slice(), rest.as_slice()) {
        ([], [half]) if halves(half) && half.at <= own.at => half.no,
        ([weight], [] | [_]) if rest.iter().all(|part| halves(part)) => {
            let Some(Measurement::Weight(weighed)) = weight.measured else { return None };
            weight.no.filter(|_| near(weight.at, own.at) && fits(measured, &weighed))
        }
        _ => None,
    }
}

fn is_half(part: &Told) -> bool {
    matches!(part.measured, Some(Measurement::BodyComposition(m)) if m.multiple_packet)
}

fn near(one: HubTicks, other: HubTicks) -> bool {
    one.ms.abs_diff(other.ms) <= WEIGHING_MS.unsigned_abs()
}

/// Whatever the composition says of its weight and user is what the weight says.
fn fits(own: &BodyCompositionMeasurement, weight: &WeightMeasurement) -> bool {
    let user = own.user_id.is_none_or(|user| weight.user_id == Some(user));
    let same =
        |mass: Decimal| own.unit == weight.unit && weight.weight.is_some_and(|w| w.compare(mass).is_eq());
    user && own.weight.is_none_or(same)
}

/// All loaded measurements with this sequence, settled or not, in the order in which they were first heard.
pub(super) fn measurements<'a>(
    open: &'a Open,
    readable: &'a Readable,
    sequence: u16,
) -> impl DoubleEndedIterator<Item = &'a Record> {
    open.records.values().filter(move |r| measurement_sequence(readable, r.no) == Some(sequence))
}

fn measurement(readable: &Readable, no: RecordNo) -> Option<Measurement> {
    readable.get(&no)?.as_ref().ok().map(|parsed| parsed.measurement)
}

fn measurement_sequence(readable: &Readable, no: RecordNo) -> Option<u16> {
    match measurement(readable, no)? {
        Measurement::Glucose(m) => Some(m.sequence),
        _ => None,
    }
}
