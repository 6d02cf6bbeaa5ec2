//! Which records belong together: a glucose measurement and its context, by sequence.

use super::{Open, Readable, Record, RecordNo};
use crate::decode::Measurement;
use crate::profile::Profile;
use std::collections::BTreeMap;

/// A partition of the unsettled records: every one is in exactly one group, under its head. A context goes to
/// the measurement of its own contact, else to the youngest with its sequence: a sequence may recur after a
/// reset, while an older record still waits.
pub(super) fn groups(open: &Open, profile: &Profile, readable: &Readable) -> Vec<(RecordNo, Vec<RecordNo>)> {
    let settled = Some((&profile.name, profile.version));
    let unsettled: Vec<&Record> = open.records.values().filter(|r| !r.fate.settled(settled)).collect();
    let mut groups: BTreeMap<RecordNo, Vec<RecordNo>> = BTreeMap::new();
    for record in &unsettled {
        let mate = context_sequence(readable, record.no).and_then(|sequence| {
            unsettled
                .iter()
                .filter(|r| measurement_sequence(readable, r.no) == Some(sequence))
                .max_by_key(|r| (r.last_contact == record.last_contact, r.no))
        });
        match mate {
            Some(mate) => groups.entry(mate.no).or_default().push(record.no),
            None => {
                groups.entry(record.no).or_default();
            }
        }
    }
    groups.into_iter().collect()
}

/// All loaded measurements with this sequence, settled or not, in the order in which they were first heard.
pub(super) fn measurements<'a>(
    open: &'a Open,
    readable: &'a Readable,
    sequence: u16,
) -> impl DoubleEndedIterator<Item = &'a Record> {
    open.records.values().filter(move |r| measurement_sequence(readable, r.no) == Some(sequence))
}

fn context_sequence(readable: &Readable, no: RecordNo) -> Option<u16> {
    match readable.get(&no) {
        Some(Ok(parsed)) => match &parsed.measurement {
            Measurement::GlucoseContext(m) => Some(m.sequence),
            _ => None,
        },
        _ => None,
    }
}

fn measurement_sequence(readable: &Readable, no: RecordNo) -> Option<u16> {
    match readable.get(&no) {
        Some(Ok(parsed)) => match &parsed.measurement {
            Measurement::Glucose(m) => Some(m.sequence),
            _ => None,
        },
        _ => None,
    }
}
