//! What outlives the hub: a meter that deletes what it was told is kept, a record system, and what a person wants.

use e2e::disk::Random;
use hearth_core::capture::Key;
use hearth_core::parcel::Intent;
use hearth_core::reading::Issue;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// When the hub first boots. The meter's memory is older.
pub(crate) const BEGIN: Timestamp = Timestamp::constant(1_718_000_000, 0);

/// What happened outside.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The meter was told that its record, or the record's context, is kept: it deletes it.
    Confirmed { record: usize, context: bool },
    /// A request reached the record system.
    Arrived { key: Key, issue: Issue, intent: Intent, effective: Timestamp, person: String, octets: Vec<u8> },
    /// A person takes the reading back.
    Asked { key: Key },
    /// And was told that it is.
    Retracted { key: Key },
    /// A second passed.
    Clock(i64),
}

/// One record of the meter's memory.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) measurement: Vec<u8>,
    pub(crate) context: Option<Vec<u8>>,
    pub(crate) at: Timestamp,
    pub(crate) confirmed: bool,
    pub(crate) context_confirmed: bool,
}

/// What a record system has of one issue.
#[derive(Clone, Debug)]
pub(crate) struct Charted {
    effective: Timestamp,
    person: String,
    octets: BTreeSet<Vec<u8>>,
    retracted: bool,
}

/// Everything that a power cut in the hub leaves as it is.
#[derive(Clone, Debug)]
pub(crate) struct Outside {
    pub(crate) meter: Vec<Stored>,
    pub(crate) record: BTreeMap<(Key, u16), Charted>,
    /// And whether somebody was told so.
    pub(crate) retracted: BTreeMap<Key, bool>,
    pub(crate) boots: u32,
    /// Seconds since the beginning.
    pub(crate) seconds: i64,
}

/// A glucose measurement by the Glucose Service 1.0.1, 3.1: sequence, base time, offset, kg/L, type and place.
fn glucose(sequence: u16, at: Timestamp, milligrams: u16, context: bool) -> Vec<u8> {
    let civil = jiff::tz::TimeZone::UTC.to_datetime(at);
    let mut octets = vec![if context { 0x13 } else { 0x03 }];
    octets.extend(sequence.to_le_bytes());
    octets.extend(civil.year().to_le_bytes());
    octets
        .extend([civil.month(), civil.day(), civil.hour(), civil.minute(), civil.second()].map(|n| n as u8));
    octets.extend([0, 0]);
    octets.extend((0xB000 | milligrams).to_le_bytes());
    octets.push(0xF8);
    octets
}

impl Outside {
    pub(crate) fn new(records: usize, random: &mut Random) -> Outside {
        let stored = |n: usize, random: &mut Random| {
            let sequence = u16::try_from(n + 1).unwrap();
            let at = BEGIN - SignedDuration::from_mins(10 * i64::try_from(records - n).unwrap());
            let context = random.below(3) == 0;
            let milligrams = 60 + u16::try_from(random.below(200)).unwrap();
            Stored {
                measurement: glucose(sequence, at, milligrams, context),
                context: context.then(|| [&[0x02][..], &sequence.to_le_bytes(), &[0x02]].concat()),
                at,
                confirmed: false,
                context_confirmed: !context,
            }
        };
        Outside {
            meter: (0..records).map(|n| stored(n, random)).collect(),
            record: BTreeMap::new(),
            retracted: BTreeMap::new(),
            boots: 0,
            seconds: 0,
        }
    }

    pub(crate) fn happen(&mut self, event: &Event) {
        match event {
            Event::Confirmed { record, context: false } => self.meter[*record].confirmed = true,
            Event::Confirmed { record, context: true } => self.meter[*record].context_confirmed = true,
            Event::Arrived { key, issue, intent, effective, person, octets } => {
                let charted = self.record.entry((*key, issue.0)).or_insert_with(|| Charted {
                    effective: *effective,
                    person: person.clone(),
                    octets: BTreeSet::new(),
                    retracted: false,
                });
                match intent {
                    Intent::Create => _ = charted.octets.insert(octets.clone()),
                    Intent::Retract => charted.retracted = true,
                }
            }
            Event::Asked { key } => _ = self.retracted.entry(*key).or_default(),
            Event::Retracted { key } => _ = self.retracted.insert(*key, true),
            Event::Clock(seconds) => self.seconds = *seconds,
        }
    }

    /// What was promised and is not so. Empty: every promise is kept.
    pub(crate) fn broken(&self) -> Vec<String> {
        let mut said = vec![];
        for stored in &self.meter {
            let charted: Vec<_> = self.record.values().filter(|c| c.effective == stored.at).collect();
            match charted[..] {
                [] => said.push(format!("LOST: the reading of {}", stored.at)),
                [one] => {
                    if one.person != "ada-1" {
                        said.push(format!(
                            "WRONG PERSON: the reading of {} went to {}",
                            stored.at, one.person
                        ));
                    }
                    if one.octets.len() > 1 {
                        said.push(format!(
                            "TWICE: the reading of {} was written with two contents",
                            stored.at
                        ));
                    }
                }
                _ => said.push(format!(
                    "DUPLICATE: the reading of {} is there {} times",
                    stored.at,
                    charted.len()
                )),
            }
        }
        let times: BTreeSet<_> = self.meter.iter().map(|stored| stored.at).collect();
        for charted in self.record.values().filter(|c| !times.contains(&c.effective)) {
            said.push(format!("WRONG TIME: there is a reading of {}", charted.effective));
        }
        for ((key, _), charted) in &self.record {
            let asked = self.retracted.get(key).copied();
            if asked == Some(true) && !charted.retracted || asked.is_none() && charted.retracted {
                said.push(format!(
                    "RETRACTION: the reading of {} is not as a person wanted it",
                    charted.effective
                ));
            }
        }
        said
    }
}
