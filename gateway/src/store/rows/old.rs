//! What may be forgotten, and the forgetting.
//!
//! The newest row of every table whose numbers are told to somebody stays, whatever its age: the next number is
//! one more than the greatest, and none is given twice.

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
                AND NOT EXISTS (SELECT 1 FROM record AS companion WHERE companion.head = record.no
                    AND companion.no = (SELECT max(no) FROM record))
                AND fate IN ('admitted', 'companion', 'repeat', 'retracted', 'refused')
                AND NOT EXISTS (SELECT 1 FROM reading WHERE reading.record = record.no
                    AND reading.no = (SELECT max(no) FROM reading))
                AND NOT EXISTS (SELECT 1 FROM reading JOIN outbox ON outbox.reading = reading.no
                    WHERE reading.record = record.no
                        AND (outbox.state NOT IN ('delivered', 'unverified', 'withdrawn')
                            OR outbox.changed_at >= ?1
                            OR outbox.no = (SELECT max(no) FROM outbox)))
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
