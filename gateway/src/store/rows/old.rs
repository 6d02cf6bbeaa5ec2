//! What may be forgotten, and the forgetting.
//!
//! The newest row of every table stays, whatever its age: the next row number is one more than the greatest,
//! and no number is given twice.

use super::{Result, Rows, micros};
use hearth_core::admit::RecordNo;
use hearth_core::when::{BootNo, HubTicks};
use jiff::Timestamp;
use rusqlite::params;

/// A settled record, and since when it is.
pub(crate) struct Settled {
    pub(crate) no: RecordNo,
    pub(crate) since: HubTicks,
    pub(crate) head: Option<RecordNo>,
}

impl Rows<'_> {
    /// Settled records, oldest first, with nothing on its way and nothing of which another table's newest row
    /// hangs. Their outbox rows were closed before `older_than`.
    pub(crate) fn settled(&self, older_than: Timestamp, after: RecordNo, limit: u32) -> Result<Vec<Settled>> {
        self.all(
            "SELECT no, fate_boot, fate_ms, head FROM record
             WHERE no > ?2 AND no < (SELECT max(no) FROM record)
                AND fate IN ('admitted', 'companion', 'repeat', 'retracted', 'refused')
                AND NOT EXISTS (SELECT 1 FROM capture WHERE capture.record = record.no
                    AND capture.no = (SELECT max(no) FROM capture))
                AND NOT EXISTS (SELECT 1 FROM reading WHERE reading.record = record.no
                    AND reading.no = (SELECT max(no) FROM reading))
                AND NOT EXISTS (SELECT 1 FROM reading JOIN outbox ON outbox.reading = reading.no
                    WHERE reading.record = record.no
                        AND (outbox.state NOT IN ('delivered', 'unverified', 'withdrawn')
                            OR outbox.changed_at >= ?1
                            OR outbox.no = (SELECT max(no) FROM outbox)
                            OR EXISTS (SELECT 1 FROM receipt WHERE receipt.outbox = outbox.no
                                AND receipt.no = (SELECT max(no) FROM receipt))))
             ORDER BY no LIMIT ?3",
            params![micros(older_than), after.0, limit],
            |row| {
                Ok(Settled {
                    no: RecordNo(row.get(0)?),
                    since: HubTicks { boot: BootNo(row.get(1)?), ms: row.get(2)? },
                    head: row.get::<_, Option<i64>>(3)?.map(RecordNo),
                })
            },
        )
    }

    /// Companions of a record that have something newest hanging on them, so that the group stays together.
    pub(crate) fn companions_stay(&self, head: RecordNo) -> Result<bool> {
        let sql = "SELECT 1 FROM record WHERE head = ?1 AND (no = (SELECT max(no) FROM record)
            OR EXISTS (SELECT 1 FROM capture WHERE capture.record = record.no
                AND capture.no = (SELECT max(no) FROM capture)))";
        Ok(self.one(sql, [head.0], |_| Ok(()))?.is_some())
    }

    /// The record goes with its hearings, its companions, its readings, and what became of those. The ledger
    /// keeps their keys. How many readings went.
    pub(crate) fn forget(&self, record: RecordNo) -> Result<usize> {
        self.run(
            "DELETE FROM outbox WHERE reading IN (SELECT no FROM reading WHERE record = ?1)",
            [record.0],
        )?;
        let readings = self.run("DELETE FROM reading WHERE record = ?1", [record.0])?;
        self.run("DELETE FROM record WHERE head = ?1", [record.0])?;
        self.run("DELETE FROM record WHERE no = ?1", [record.0])?;
        Ok(readings)
    }
}
