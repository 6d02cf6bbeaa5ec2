//! `hold`: records that wait for a person, and since when.

use super::{Result, Rows, why_code};
use crate::store::payload::HoldRow;
use hearth_core::admit::{Fate, RecordNo};
use hearth_core::when::HubTicks;
use rusqlite::params;

impl Rows<'_> {
    /// Keeps the table in step with a record's fate. Another reason does not begin the wait anew.
    pub(crate) fn hold(&self, record: RecordNo, fate: &Fate, at: HubTicks) -> Result<()> {
        let Fate::Hold(why) = fate else {
            self.run("DELETE FROM hold WHERE record = ?1", [record.0])?;
            return Ok(());
        };
        let sealed = self.shut("hold", "sealed", record.0, &HoldRow::default());
        self.run(
            "INSERT INTO hold (record, reason, since_boot, since_ms, sealed) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (record) DO UPDATE SET reason = excluded.reason",
            params![record.0, why_code(why), at.boot.0, at.ms, sealed],
        )?;
        Ok(())
    }
}
