//! What waits for a person, and for how long.

use super::rows::{HeldRow, Rows};
use super::views::Group;
use super::{Store, StoreError};
use hearth_core::admit::{Record, RecordNo, looks_like};
use hearth_core::capture::DeviceNo;
use hearth_core::decode::{Measurement, decode};
use hearth_core::identity::{Binding, PersonNo, Who, Window};
use hearth_core::profile::Catalog;
use hearth_core::when::{BootNo, Boots, HubTicks};
use hearth_wire::gatt::WeightMeasurement;
use jiff::{SignedDuration, Timestamp};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Held records: one, or a sealed group of which only the number is told (CLINICAL 21).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    pub device: DeviceNo,
    pub reason: String,
    /// `None`: sealed, never offered by default.
    pub record: Option<RecordNo>,
    pub records: u64,
    /// The user slot that the device named.
    pub slot: Option<u8>,
    /// How long the oldest of them has waited, at least.
    pub age: SignedDuration,
    /// Of a scale that several share: whose weighing it looks like. For a person who knows better.
    pub looks_like: Option<PersonNo>,
    /// A person said whose it is, and it is held all the same.
    pub given: Option<PersonNo>,
}

/// The reason of what several people may have measured.
const SHARED: &str = "shared";
/// So many of a device's last readings say who weighs how much.
const LAST: u32 = 64;
/// The reason of memory from before a binding.
const SEALED: &str = "before-binding";
/// The reason of what waits for the time of a log that is over and did not tell it.
const LOG_TIME: &str = "time-of-log";

/// What waits for a person, by record: what is held, and what waits for a time that cannot come any more.
pub(super) fn waits(rows: &Rows<'_>) -> Result<Vec<HeldRow>, StoreError> {
    let mut all: BTreeMap<i64, HeldRow> = rows.holds()?.into_iter().map(|row| (row.record, row)).collect();
    for (device, record, since) in rows.without_log_time()? {
        let waits = all.entry(record).or_insert(HeldRow { record, device, reason: String::new(), since });
        waits.reason = LOG_TIME.to_owned();
    }
    Ok(all.into_values().collect())
}

/// When a view is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub ticks: HubTicks,
    /// A daemon counts the ticks.
    pub counted: bool,
    /// The machine's clock, for what it is worth.
    pub utc: Timestamp,
}

/// Since when the hub has held something: ticks of its own tell within a boot, and over boots as much as the hub's clock
/// knows. A replayed log's ticks and time are none of the hub's: what it left is as old as its replay.
pub(super) struct Ages {
    boots: Boots,
    replays: BTreeMap<BootNo, Timestamp>,
    now: Now,
}

impl Ages {
    pub(super) fn new(rows: &Rows<'_>, now: Now) -> Result<Ages, StoreError> {
        Ok(Ages { boots: rows.boots()?, replays: rows.replays()?, now })
    }

    /// How long ago, at least.
    pub(super) fn of(&self, since: HubTicks) -> SignedDuration {
        match self.replays.get(&since.boot) {
            Some(replayed) => self.now.utc.duration_since(*replayed).max(SignedDuration::ZERO),
            None => age(&self.boots, since, self.now),
        }
    }
}

fn age(boots: &Boots, since: HubTicks, now: Now) -> SignedDuration {
    let ticks = now.ticks;
    let utc = Some(now.utc).filter(|_| !now.counted);
    let counted = if since.boot == ticks.boot { ticks.ms.saturating_sub(since.ms) } else { ticks.ms };
    let counted = SignedDuration::from_millis(counted.max(0));
    let known = if since.boot == ticks.boot { utc } else { Some(boots.utc(ticks).earliest).max(utc) };
    let since = boots.utc(since).latest;
    known.map_or(counted, |known| known.duration_since(since).max(counted))
}

/// How many records wait for a time that cannot come any more.
pub(super) fn in_vain(rows: &Rows<'_>) -> Result<u64, StoreError> {
    Ok(waits(rows)?.len().saturating_sub(rows.holds()?.len()) as u64)
}

impl Store {
    /// What waits for a person, oldest record first; memory from before a binding as one group for each device
    /// (CLINICAL 21). `older_than`: only what has waited so long (CLINICAL 5).
    pub fn held(&mut self, now: Now, older_than: Option<SignedDuration>) -> Result<Vec<Held>, StoreError> {
        let catalog = Arc::clone(&self.catalog);
        self.read(|rows| {
            let ages = Ages::new(rows, now)?;
            let mut held: Vec<Held> = vec![];
            let mut sealed: BTreeMap<DeviceNo, Held> = BTreeMap::new();
            let mut last = BTreeMap::new();
            for row in waits(rows)? {
                let age = ages.of(row.since);
                let record = rows.whole(rows.record(RecordNo(row.record))?)?;
                let measured = measured(rows, &catalog, &record)?;
                let looks_like = match &measured {
                    Some(Measurement::Weight(weight)) if row.reason == SHARED => {
                        let known = match last.entry(row.device) {
                            Entry::Occupied(known) => known.into_mut(),
                            Entry::Vacant(place) => place.insert(last_weighings(rows, row.device, now.utc)?),
                        };
                        looks_like(weight, known.iter().copied())
                    }
                    _ => None,
                };
                let one = Held {
                    device: row.device,
                    record: Some(RecordNo(row.record)),
                    records: 1,
                    slot: measured.and_then(|m| m.slot()),
                    age,
                    looks_like,
                    given: record.given,
                    reason: row.reason,
                };
                if one.reason != SEALED {
                    held.push(one);
                    continue;
                }
                let group = sealed.entry(one.device).or_insert(Held { record: None, records: 0, ..one });
                group.records += 1;
                group.age = group.age.max(age);
            }
            held.extend(sealed.into_values());
            held.retain(|held| older_than.is_none_or(|least| held.age >= least));
            Ok(held)
        })
    }

    /// What a record says, whatever became of it: for the eyes of whoever replays it, never for logs.
    pub fn measured(&mut self, record: RecordNo) -> Result<Option<Measurement>, StoreError> {
        let catalog = Arc::clone(&self.catalog);
        self.read(|rows| measured(rows, &catalog, &rows.whole(rows.record(record)?)?))
    }

    /// The records of a device's sealed group: for whoever decides on all of them at once.
    pub fn sealed(&mut self, device: DeviceNo) -> Result<Vec<RecordNo>, StoreError> {
        self.read(|rows| {
            let holds = rows.holds()?.into_iter();
            Ok(holds
                .filter(|row| row.device == device && row.reason == SEALED)
                .map(|row| RecordNo(row.record))
                .collect())
        })
    }
}

/// What each of those who share the scale now weighed last on it.
fn last_weighings(
    rows: &Rows<'_>,
    device: DeviceNo,
    now: Timestamp,
) -> Result<Vec<(PersonNo, Option<WeightMeasurement>)>, StoreError> {
    let runs = |b: &Binding| Window { from: b.from, until: b.until }.holds(now);
    let shares = |b: &Binding| b.shared && b.device == device && runs(b);
    let sharing: BTreeSet<Who> = rows.bindings()?.into_iter().filter(shares).map(|b| b.who).collect();
    let last = rows.last_of_device(device, LAST)?;
    let weighed = |who: Who| {
        last.iter().filter(|reading| reading.who == who).find_map(|reading| match reading.measure {
            Measurement::Weight(weight) => Some(weight),
            _ => None,
        })
    };
    let weighed = sharing.into_iter().filter_map(|who| match who {
        Who::Person(person) => Some((person, weighed(who))),
        Who::Test => None,
    });
    Ok(weighed.collect())
}

/// What a record says, as its device's profile reads it. `None`: nothing that can be read.
fn measured(rows: &Rows<'_>, catalog: &Catalog, record: &Record) -> Result<Option<Measurement>, StoreError> {
    let capture = record.first();
    let profile = rows.device(capture.device)?.profile;
    let quirks = profile.and_then(|name| catalog.get(&name)).map_or(&[][..], |profile| &profile.quirks);
    let parsed = decode(capture.characteristic, &capture.octets, quirks);
    Ok(parsed.ok().map(|parsed| parsed.measurement))
}

pub(super) fn held_groups(rows: &Rows<'_>, now: Now) -> Result<Vec<Group>, StoreError> {
    let ages = Ages::new(rows, now)?;
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for row in waits(rows)? {
        let age = ages.of(row.since);
        let group = groups.entry(row.reason.clone()).or_insert(Group {
            reason: row.reason,
            records: 0,
            oldest: None,
        });
        group.records += 1;
        group.oldest = group.oldest.max(Some(age));
    }
    Ok(groups.into_values().collect())
}
