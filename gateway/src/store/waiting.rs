//! What waits for a person, and for how long.

use super::rows::Rows;
use super::views::Group;
use super::{Store, StoreError};
use hearth_core::admit::RecordNo;
use hearth_core::capture::DeviceNo;
use hearth_core::decode::decode;
use hearth_core::profile::Catalog;
use hearth_core::when::{Boots, HubTicks};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
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
}

/// The reason of memory from before a binding.
const SEALED: &str = "before-binding";

/// When a view is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub ticks: HubTicks,
    /// Where no daemon counts ticks: the system's clock, for what it is worth.
    pub utc: Option<Timestamp>,
}

impl From<HubTicks> for Now {
    fn from(ticks: HubTicks) -> Now {
        Now { ticks, utc: None }
    }
}

/// How long ago, at least: ticks tell within a boot, and over boots as much as the hub's clock knows.
fn age(boots: &Boots, since: HubTicks, now: Now) -> SignedDuration {
    let Now { ticks, utc } = now;
    let counted = if since.boot == ticks.boot { ticks.ms.saturating_sub(since.ms) } else { ticks.ms };
    let counted = SignedDuration::from_millis(counted.max(0));
    let known = if since.boot == ticks.boot { utc } else { Some(boots.utc(ticks).earliest).max(utc) };
    let since = boots.utc(since).latest;
    known.map_or(counted, |known| known.duration_since(since).max(counted))
}

impl Store {
    /// What waits for a person, oldest record first; memory from before a binding as one group for each device
    /// (CLINICAL 21). `older_than`: only what has waited so long (CLINICAL 5).
    pub fn held(
        &mut self,
        now: impl Into<Now>,
        older_than: Option<SignedDuration>,
    ) -> Result<Vec<Held>, StoreError> {
        let now = now.into();
        let catalog = Arc::clone(&self.catalog);
        self.read(|rows| {
            let boots = rows.boots()?;
            let mut held: Vec<Held> = vec![];
            let mut sealed: BTreeMap<DeviceNo, Held> = BTreeMap::new();
            for row in rows.holds()? {
                let age = age(&boots, row.since, now);
                let one = Held {
                    device: row.device,
                    record: Some(RecordNo(row.record)),
                    records: 1,
                    slot: slot(rows, &catalog, RecordNo(row.record))?,
                    age,
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

/// The user slot that a record names, as its device's profile reads it.
fn slot(rows: &Rows<'_>, catalog: &Catalog, record: RecordNo) -> Result<Option<u8>, StoreError> {
    let record = rows.whole(rows.record(record)?)?;
    let capture = record.first();
    let profile = rows.device(capture.device)?.profile;
    let quirks = profile.and_then(|name| catalog.get(&name)).map_or(&[][..], |profile| &profile.quirks);
    let parsed = decode(capture.characteristic, &capture.octets, quirks);
    Ok(parsed.ok().and_then(|parsed| parsed.measurement.slot()))
}

pub(super) fn held_groups(rows: &Rows<'_>, now: Now) -> Result<Vec<Group>, StoreError> {
    let boots = rows.boots()?;
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for row in rows.holds()? {
        let age = age(&boots, row.since, now);
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
