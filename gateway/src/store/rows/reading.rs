//! `reading`: what the house believes about a body.

use super::{Result, Rows, micros, sound};
use crate::store::error::unreadable;
use crate::store::payload::ReadingRow;
use crate::store::{Place, StoreError};
use hearth_core::admit::RecordNo;
use hearth_core::capture::{DeviceNo, Key};
use hearth_core::reading::{Issue, Reading};
use hearth_core::when::HubTicks;
use rusqlite::{Row, ToSql, params};

/// Row number of a reading: what logs and lists call it by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReadingNo(pub i64);

/// A reading as it lies here.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Kept {
    pub(crate) no: ReadingNo,
    pub(crate) record: RecordNo,
    pub(crate) retracted: bool,
    pub(crate) reading: Reading,
}

type Raw = (i64, i64, DeviceNo, bool, Vec<u8>);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, DeviceNo(row.get(2)?), row.get(3)?, row.get(4)?))
}

impl Rows<'_> {
    fn readings(&self, clause: &str, with: &[&dyn ToSql]) -> Result<Vec<Kept>> {
        let sound = sound("reading");
        let sql =
            format!("SELECT no, record, device, retracted, sealed, {sound} FROM reading WHERE {clause}");
        let rows = self.all(&sql, with, raw)?;
        rows.into_iter()
            .map(|(no, record, device, retracted, sealed)| {
                let row: ReadingRow = self.open("reading", "sealed", no, &sealed)?;
                let place = Place { table: "reading", column: "sealed", row: no };
                let reading = row.reading(device).map_err(|why| unreadable(place, why))?;
                Ok(Kept { no: ReadingNo(no), record: RecordNo(record), retracted, reading })
            })
            .collect()
    }

    pub(crate) fn reading(&self, no: ReadingNo) -> Result<Kept> {
        self.readings("no = ?1", &[&no.0])?.pop().ok_or(StoreError::Unknown("reading"))
    }

    pub(crate) fn reading_by_key(&self, key: &Key, issue: Issue) -> Result<Option<Kept>> {
        Ok(self.readings("key = ?1 AND issue = ?2", &[&self.blinded_key(key), &issue.0])?.pop())
    }

    /// Readings after this one, oldest row first.
    pub(crate) fn readings_after(&self, no: ReadingNo, limit: u32) -> Result<Vec<Kept>> {
        self.readings("no > ?1 ORDER BY no LIMIT ?2", &[&no.0, &limit])
    }

    /// Those that stand, of whose device something was said since they were bound: revisions only count up.
    pub(crate) fn readings_in_question_after(&self, no: ReadingNo, limit: u32) -> Result<Vec<Kept>> {
        self.readings(
            "no > ?1 AND retracted = 0 AND EXISTS (SELECT 1 FROM binding WHERE binding.device = reading.device
                AND max(revision, coalesce(replaced, 0)) > reading.binding) ORDER BY no LIMIT ?2",
            &[&no.0, &limit],
        )
    }

    /// The last so many that stand of a device, by when they were taken, newest first.
    pub(crate) fn last_of_device(&self, device: DeviceNo, limit: u32) -> Result<Vec<Reading>> {
        let kept = self.readings(
            "device = ?1 AND retracted = 0 ORDER BY effective DESC LIMIT ?2",
            &[&device.0, &limit],
        )?;
        Ok(kept.into_iter().map(|kept| kept.reading).collect())
    }

    /// What became of a record, each issue.
    pub(crate) fn readings_of(&self, record: RecordNo) -> Result<Vec<Kept>> {
        self.readings("record = ?1", &[&record.0])
    }

    pub(crate) fn make_reading(
        &self,
        reading: &Reading,
        record: RecordNo,
        at: HubTicks,
    ) -> Result<ReadingNo> {
        let no = self.next("reading")?;
        let semantic = reading.semantic.map(|key| self.blind("semantic", &[&key.0]));
        self.run(
            "INSERT INTO reading
                (no, record, device, key, issue, supersedes, semantic, effective, binding, kept_boot, kept_ms, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                no,
                record.0,
                reading.device.0,
                self.blinded_key(&reading.key),
                reading.issue.0,
                reading.supersedes.map(|issue| issue.0),
                semantic,
                micros(reading.when.effective),
                reading.binding.0,
                at.boot.0,
                at.ms,
                self.shut("reading", "sealed", no, &ReadingRow::of(reading)),
            ],
        )?;
        Ok(ReadingNo(no))
    }

    pub(crate) fn mark_retracted(&self, no: ReadingNo) -> Result<()> {
        self.run("UPDATE reading SET retracted = 1 WHERE no = ?1", [no.0])?;
        Ok(())
    }
}
