//! `ledger` and `ledger_closed`: what was ever a reading, and where it arrived. Outlives the readings.

use super::{DestinationNo, Result, Rows, micros, sound};
use hearth_core::capture::{Key, Uuid16};
use hearth_core::reading::Issue;
use jiff::Timestamp;
use rusqlite::params;

/// What the ledger says of a key that is to become a reading. The second guard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    /// It is in the ledger now.
    New,
    Known,
    /// Retracted here or elsewhere: heard again, it stays so (CLINICAL 26).
    Tombstone,
}

impl Rows<'_> {
    pub(super) fn blinded_key(&self, key: &Key) -> [u8; 32] {
        self.blind("key", &[&key.0])
    }

    /// `semantic`, `road`: the same measurement may have come by another road before. Then this key is known from now
    /// on, too.
    pub(crate) fn enter(
        &self,
        key: &Key,
        issue: Issue,
        semantic: Option<&Key>,
        road: Uuid16,
    ) -> Result<Entry> {
        let entry = self.entry(key, issue)?;
        if let Some(tombstone) = entry {
            return Ok(if tombstone { Entry::Tombstone } else { Entry::Known });
        }
        let semantic = semantic.map(|semantic| self.blind("semantic", &[&semantic.0]));
        let by_another =
            format!("SELECT {} FROM ledger WHERE semantic = ?1 AND road <> ?2 LIMIT 1", sound("ledger"));
        let known =
            issue == Issue(0) && self.one(&by_another, params![semantic, road.0], |_| Ok(()))?.is_some();
        let sql = "INSERT INTO ledger (key, issue, semantic, road) VALUES (?1, ?2, ?3, ?4)";
        self.run(sql, params![self.blinded_key(key), issue.0, semantic, road.0])?;
        Ok(if known { Entry::Known } else { Entry::New })
    }

    /// `None`: not in the ledger. `Some(true)`: a tombstone.
    pub(crate) fn entry(&self, key: &Key, issue: Issue) -> Result<Option<bool>> {
        let sql = format!("SELECT tombstone, {} FROM ledger WHERE key = ?1 AND issue = ?2", sound("ledger"));
        self.one(&sql, params![self.blinded_key(key), issue.0], |row| row.get(0))
    }

    /// Whether the key's first issue is in the ledger; if so, that it was heard again is counted.
    pub(crate) fn heard_since_pruned(&self, key: &Key) -> Result<bool> {
        let sql = "UPDATE ledger SET heard_since = heard_since + 1 WHERE key = ?1 AND issue = 0";
        Ok(self.run(sql, [self.blinded_key(key)])? > 0)
    }

    pub(crate) fn tombstone(&self, key: &Key, issue: Issue) -> Result<()> {
        let sql = "INSERT INTO ledger (key, issue, tombstone) VALUES (?1, ?2, 1)
            ON CONFLICT DO UPDATE SET tombstone = 1";
        self.run(sql, params![self.blinded_key(key), issue.0])?;
        Ok(())
    }

    /// It arrived there. The first time stands.
    pub(crate) fn close(
        &self,
        key: &Key,
        issue: Issue,
        destination: DestinationNo,
        at: Timestamp,
    ) -> Result<()> {
        let sql = "INSERT INTO ledger_closed (key, issue, destination, closed_at) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO NOTHING";
        self.run(sql, params![self.blinded_key(key), issue.0, destination.0, micros(at)])?;
        Ok(())
    }
}
