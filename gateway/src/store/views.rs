//! What may be seen from outside: plain structs without values and names. What stands here may stand in a log,
//! except where a docstring says otherwise.

use super::rows::{DestinationNo, OutboxNo, Queued, ReadingNo, Rows};
use super::salvage::{Salvage, accounts};
use super::waiting::{Now, held_groups, in_vain};
use super::{Receipt, Store, StoreError};
use hearth_core::admit::RecordNo;
use hearth_core::capture::{DeviceNo, Key, Uuid16};
use hearth_core::identity::{Facts, Identity, Who};
use hearth_core::parcel::Intent;
use hearth_core::profile::ProfileName;
use hearth_core::reading::{Issue, Version};
use hearth_core::when::HubTicks;
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
    /// Damaged files that still lie beside the store, and what was carried over from them.
    pub salvages: Vec<Salvage>,
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
    /// Of a parked row, and of one that waits for more than time: who must act.
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

fn state_of(state: &str, in_doubt: bool) -> String {
    if in_doubt && state == "waiting" { "in-doubt" } else { state }.to_owned()
}

impl Store {
    pub fn status(&mut self, now: Now) -> Result<Status, StoreError> {
        let file = self.file.clone();
        self.read(|rows| {
            let (heard, heard_after_pruning) = rows.hearings()?;
            let (readings, retracted) = rows.reading_counts()?;
            let fates = rows.fate_counts()?;
            let in_vain = in_vain(rows)?;
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
                waiting: without(groups("await"), in_vain),
                held: held_groups(rows, now)?,
                refused: groups("refused"),
                outbox: outbox_status(rows)?,
                raised: raised(rows)?.len() as u64,
                // Whoever has seen to it moves the file away.
                salvages: accounts(rows)?
                    .into_iter()
                    .filter(|s| file.with_file_name(&s.file).exists())
                    .collect(),
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

/// What waits for the hub's time in vain is among the held.
fn without(mut waiting: Vec<Group>, in_vain: u64) -> Vec<Group> {
    for group in waiting.iter_mut().filter(|group| group.reason == "hub-time") {
        group.records = group.records.saturating_sub(in_vain);
    }
    waiting.retain(|group| group.records > 0);
    waiting
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
