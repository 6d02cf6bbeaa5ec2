//! What may be seen from outside: plain structs without values and names. What stands here may stand in a log,
//! except where a docstring says otherwise.

use super::rows::{DestinationNo, OutboxNo, Queued, ReadingNo, Rows};
use super::{Receipt, Store, StoreError};
use hearth_core::admit::RecordNo;
use hearth_core::capture::{DeviceNo, Key, Uuid16};
use hearth_core::identity::{Facts, Identity, Who};
use hearth_core::parcel::Intent;
use hearth_core::profile::ProfileName;
use hearth_core::reading::{Issue, Version};
use hearth_core::when::{Boots, HubTicks};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How much of what there is. `reason` is a code of the store: the same words as in `hearth held`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    pub reason: String,
    pub records: u64,
    /// Of the held: the longest that one of them has waited, at least. CLINICAL 5.
    pub oldest: Option<SignedDuration>,
}

/// The house in numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Captures, repeats among them.
    pub heard: u64,
    /// Hearings of readings that were delivered and forgotten: counted above, too.
    pub heard_after_pruning: u64,
    pub records: u64,
    /// Readings that stand.
    pub readings: u64,
    pub retracted: u64,
    /// Records that only repeat others.
    pub repeats: u64,
    /// Waiting for what may come without a person, by the first thing missing.
    pub waiting: Vec<Group>,
    /// Waiting for a person.
    pub held: Vec<Group>,
    pub refused: Vec<Group>,
    pub outbox: Vec<DestinationStatus>,
    /// Deliveries that somebody at a record system should look at.
    pub raised: u64,
}

/// Rows of one destination in one state: `waiting`, `in-doubt`, `withheld`, `parked`, `delivered`, `unverified`
/// or `withdrawn`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DestinationStatus {
    pub destination: String,
    pub state: String,
    pub rows: u64,
    /// When the oldest of their readings was taken.
    pub oldest: Timestamp,
}

/// A device. Its facts and identity name it: for the eyes of whoever administers the hub, never for logs.
#[derive(Clone, PartialEq, Debug)]
pub struct DeviceView {
    pub device: DeviceNo,
    pub facts: Facts,
    pub identity: Option<Identity>,
    pub profile: Option<ProfileName>,
    pub bonded: bool,
    /// Facts that it told otherwise later; the first word stands.
    pub contradicted: Vec<String>,
    pub records: u64,
    pub heard: u64,
    pub last_contact: Option<HubTicks>,
}

/// Held records: one, or a sealed group of which only the number is told (CLINICAL 21).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    pub device: DeviceNo,
    pub reason: String,
    /// `None`: sealed, never offered by default.
    pub record: Option<RecordNo>,
    pub records: u64,
    /// How long the oldest of them has waited, at least.
    pub age: SignedDuration,
}

/// A reading by its row. Key and person are for the asking, not for logs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadingView {
    pub reading: ReadingNo,
    pub record: RecordNo,
    pub device: DeviceNo,
    pub kind: Uuid16,
    pub effective: Timestamp,
    pub issue: Issue,
    pub retracted: bool,
    pub who: Who,
    pub key: Key,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxView {
    pub row: OutboxNo,
    pub reading: ReadingNo,
    pub destination: String,
    pub intent: Intent,
    /// As in [`DestinationStatus::state`].
    pub state: String,
    /// Of a withheld row.
    pub reason: Option<String>,
    /// Of a parked row: who must act.
    pub points_at: Option<String>,
    pub effective: Timestamp,
    pub issued: Option<Timestamp>,
    pub not_before: Option<Timestamp>,
    pub attempts: u32,
    /// When it last changed.
    pub changed_at: Option<Timestamp>,
}

/// One row with what was answered. A record system's words may repeat what it was sent: not for logs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxDetail {
    pub row: OutboxView,
    pub mapping: Option<Version>,
    pub phd_identifier: Option<String>,
    pub said: Option<String>,
    pub raised: Option<String>,
    pub receipts: Vec<Receipt>,
}

/// A delivery that somebody at the record system should look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raised {
    pub row: OutboxNo,
    pub reading: ReadingNo,
    pub destination: String,
    pub said: String,
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

fn state_of(state: &str, in_doubt: bool) -> String {
    if in_doubt && state == "waiting" { "in-doubt" } else { state }.to_owned()
}

impl Store {
    pub fn status(&mut self, now: impl Into<Now>) -> Result<Status, StoreError> {
        let now = now.into();
        self.read(|rows| {
            let (heard, heard_after_pruning) = rows.hearings()?;
            let (readings, retracted) = rows.reading_counts()?;
            let fates = rows.fate_counts()?;
            let groups = |fate: &str| -> Vec<Group> {
                let of_fate = fates.iter().filter(|count| count.fate == fate);
                let group = |count: &super::rows::FateCount| Group {
                    reason: count.reason.clone().unwrap_or_default(),
                    records: count.records,
                    oldest: None,
                };
                of_fate.map(group).collect()
            };
            Ok(Status {
                heard: heard.saturating_add(heard_after_pruning),
                heard_after_pruning,
                records: fates.iter().map(|count| count.records).sum(),
                readings,
                retracted,
                repeats: fates.iter().filter(|c| c.fate == "repeat").map(|c| c.records).sum(),
                waiting: groups("await"),
                held: held_groups(rows, now)?,
                refused: groups("refused"),
                outbox: outbox_status(rows)?,
                raised: raised(rows)?.len() as u64,
            })
        })
    }

    pub fn devices(&mut self) -> Result<Vec<DeviceView>, StoreError> {
        self.read(|rows| {
            let view = |no: DeviceNo| {
                let device = rows.device(no)?;
                let (records, heard, last_contact) = rows.device_counts(no)?;
                Ok(DeviceView {
                    device: no,
                    facts: device.facts,
                    identity: device.identity,
                    profile: device.profile,
                    bonded: rows.is_bonded(no)?,
                    contradicted: rows.contradicted(no)?,
                    records,
                    heard,
                    last_contact,
                })
            };
            rows.devices()?.into_iter().map(view).collect()
        })
    }

    /// What waits for a person, oldest record first; memory from before a binding as one group for each device
    /// (CLINICAL 21). `older_than`: only what has waited so long (CLINICAL 5).
    pub fn held(
        &mut self,
        now: impl Into<Now>,
        older_than: Option<SignedDuration>,
    ) -> Result<Vec<Held>, StoreError> {
        let now = now.into();
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

    /// Readings after a row, at most so many.
    pub fn readings(&mut self, after: ReadingNo, limit: u32) -> Result<Vec<ReadingView>, StoreError> {
        self.read(|rows| {
            let kept = rows.readings_after(after, limit)?.into_iter();
            Ok(kept
                .map(|kept| ReadingView {
                    reading: kept.no,
                    record: kept.record,
                    device: kept.reading.device,
                    kind: kept.reading.measure.characteristic(),
                    effective: kept.reading.when.effective,
                    issue: kept.reading.issue,
                    retracted: kept.retracted,
                    who: kept.reading.who,
                    key: kept.reading.key,
                })
                .collect())
        })
    }

    /// What retraction and re-issue call the reading of this row.
    pub fn key_of(&mut self, reading: ReadingNo) -> Result<(Key, Issue), StoreError> {
        self.read(|rows| rows.reading(reading).map(|kept| (kept.reading.key, kept.reading.issue)))
    }

    /// Rows of one destination, or of all; closed ones only if asked for.
    pub fn outbox(
        &mut self,
        destination: Option<DestinationNo>,
        closed: bool,
    ) -> Result<Vec<OutboxView>, StoreError> {
        self.read(|rows| {
            let names = names(rows)?;
            let found = if closed { rows.every_queued(destination)? } else { rows.still_open(destination)? };
            Ok(found.into_iter().map(|row| view(row, &names)).collect())
        })
    }

    pub fn outbox_row(&mut self, no: OutboxNo) -> Result<OutboxDetail, StoreError> {
        self.read(|rows| {
            let row = rows.queued(no)?;
            let receipt = |receipt: super::payload::ReceiptRow| Receipt {
                role: receipt.role,
                location: receipt.location,
                etag: receipt.etag,
                digest: receipt.digest,
                verdict: receipt.verdict,
            };
            Ok(OutboxDetail {
                mapping: row.mapping,
                phd_identifier: row.said.phd.clone(),
                said: row.said.said.clone(),
                raised: row.said.raised.clone(),
                receipts: rows.receipts(no)?.into_iter().map(receipt).collect(),
                row: view(row, &names(rows)?),
            })
        })
    }

    pub fn raised(&mut self) -> Result<Vec<Raised>, StoreError> {
        self.read(raised)
    }
}

fn held_groups(rows: &Rows<'_>, now: Now) -> Result<Vec<Group>, StoreError> {
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

fn outbox_status(rows: &Rows<'_>) -> Result<Vec<DestinationStatus>, StoreError> {
    let counts = rows.outbox_counts()?.into_iter();
    Ok(counts
        .map(|count| DestinationStatus {
            state: state_of(&count.state, count.in_doubt),
            destination: count.name,
            rows: count.rows,
            oldest: count.oldest,
        })
        .collect())
}

fn names(rows: &Rows<'_>) -> Result<BTreeMap<DestinationNo, String>, StoreError> {
    Ok(rows.all_destinations()?.into_iter().collect())
}

fn view(row: Queued, names: &BTreeMap<DestinationNo, String>) -> OutboxView {
    OutboxView {
        row: row.no,
        reading: row.reading,
        destination: names.get(&row.destination).cloned().unwrap_or_default(),
        intent: row.intent,
        state: state_of(row.state.name(), row.in_doubt),
        reason: row.reason,
        points_at: row.points_at,
        effective: row.effective,
        issued: row.issued,
        not_before: row.not_before,
        attempts: row.attempts,
        changed_at: row.changed_at,
    }
}

fn raised(rows: &Rows<'_>) -> Result<Vec<Raised>, StoreError> {
    let names = names(rows)?;
    let found = rows.raised()?.into_iter();
    Ok(found
        .filter_map(|row| {
            let destination = names.get(&row.destination).cloned().unwrap_or_default();
            row.said.raised.map(|said| Raised { row: row.no, reading: row.reading, destination, said })
        })
        .collect())
}
