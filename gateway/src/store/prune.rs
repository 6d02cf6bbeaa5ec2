//! Forgetting what is long delivered or long refused. Ledger, tombstones, bindings, permissions and cursors
//! stay: what is heard again makes no second reading.

use super::rows::Rows;
use super::standing::Today;
use super::{Store, StoreError};
use hearth_core::admit::RecordNo;
use hearth_core::profile::Catalog;
use hearth_core::when::Boots;
use jiff::Timestamp;
use std::sync::Arc;

/// Records looked at in one transaction: intake waits no longer than this takes.
const BATCH: u32 = 500;

/// What was forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pruned {
    pub records: usize,
    pub readings: usize,
}

impl Store {
    /// Forgets records that were settled before `older_than`, with their readings and receipts. What is
    /// unsettled, held, parked, withheld, waiting, in doubt or disputed stays, and what was settled while the hub did
    /// not know the time.
    pub fn prune(&mut self, older_than: Timestamp) -> Result<Pruned, StoreError> {
        let catalog = Arc::clone(&self.catalog);
        let mut pruned = Pruned::default();
        let mut after = RecordNo(0);
        while let Some(last) = self.write(|rows| batch(rows, &catalog, older_than, after, &mut pruned))? {
            after = last;
        }
        self.write(|rows| {
            rows.prune_contacts()?;
            rows.prune_boots()
        })?;
        self.give_back()?;
        Ok(pruned)
    }
}

/// The last record that was looked at; none: that was all.
fn batch(
    rows: &Rows<'_>,
    catalog: &Catalog,
    older_than: Timestamp,
    after: RecordNo,
    pruned: &mut Pruned,
) -> Result<Option<RecordNo>, StoreError> {
    let boots: Boots = rows.boots()?;
    let settled = rows.settled(older_than, after, BATCH)?;
    let Some(last) = settled.last().map(|record| record.no) else { return Ok(None) };
    let today = Today::of(rows, catalog)?;
    for record in settled {
        // A companion goes with its head.
        if record.head.is_some() || boots.utc(record.since).latest >= older_than {
            continue;
        }
        // It is known to be somebody else's, and only a person takes it back.
        let mut disputed = false;
        for kept in rows.readings_of(record.no)? {
            disputed |= today.disputes(rows, &kept)?.is_some();
        }
        if disputed {
            continue;
        }
        pruned.readings += rows.forget(record.no)?;
        pruned.records += 1;
    }
    Ok(Some(last))
}
