//! The only door to disk: what was heard, what it means, whose it is, where it has to go and what came back.
//!
//! One SQLite file (bundled, WAL, `synchronous=FULL`, one connection), one writer. Everything that changes
//! something is one verb of [`Store`] and one transaction, and its answer can't be had before the commit:
//!
//! | step | verb | then |
//! |---|---|---|
//! | a fact | [`Store::take`]: writes it, asks [`admit`](hearth_core::admit::admit), writes the verdicts | [`Committed`]: the source may forget |
//! | what to send | [`Store::due`] | [`Consignment`]s of one label set |
//! | about to send | [`Store::start`] | the octets may leave |
//! | the answer | [`Store::settle`] | closed, tried again or parked |
//!
//! Rules of this room:
//! - A failed write is never tried again on the same connection: a full disk gets a fresh one, anything else
//!   ends the daemon ([`StoreError::Broken`]).
//! - In the clear lie row numbers, states, instants, counters and blinded keys (`blind`); all else goes
//!   through `seal`. `docs/store.md` says what each table and column is for.
//! - SQL lies in `rows`, a file per table, and in `schema`. Nothing else speaks it.
//! - Deliberately absent: clocks. Instants and ticks come in as parameters.

mod aside;
mod blind;
mod bridge;
mod concerning;
mod connection;
mod deliver;
mod desk;
mod error;
mod house;
mod judge;
mod migrate;
mod open;
mod payload;
mod people;
mod proof;
mod prune;
mod rows;
mod salvage;
mod schema;
mod seal;
mod settle;
mod standing;
mod take;
#[cfg(test)]
mod tests;
mod views;
mod waiting;

pub use bridge::{Bridge, Tally};
pub use concerning::{Concerned, Concerning, Waiting};
pub use deliver::Consignment;
pub use desk::{Desk, Gone};
pub use error::{OpenError, StoreError};
pub use house::Member;
pub use open::Opened;
pub use people::DestinationFacts;

pub use proof::Look;
pub use prune::Pruned;
pub use rows::{DestinationNo, OutboxNo, ReadingNo, Salvaged, fate_code};
pub use salvage::Salvage;
pub use seal::{Place, Seal, Sealed, Unopened};
pub use settle::{Attempt, Receipt, Settlement};
pub use standing::Disputed;
pub use take::Committed;
pub use views::{
    DestinationStatus, DeviceView, Group, OutboxDetail, OutboxView, Raised, ReadingView, Status,
};
pub use waiting::{Held, Now};

use blind::HubKey;
use hearth_core::capture::Origin;
use hearth_core::parcel::Hub;
use hearth_core::profile::Catalog;
use jiff::Timestamp;
use rows::Rows;
use rusqlite::{Connection, TransactionBehavior};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Nothing that this software hears happened before it was built: when the hub knows no better, this is the
/// earliest that anything can have been. Older than any recorded log that is replayed.
const BUILT: Timestamp = Timestamp::constant(1_325_376_000, 0); // 2012-01-01

/// How long a store that has no room is left alone, unless something is committed before.
pub(crate) const NO_ROOM: Duration = Duration::from_secs(300);

/// The open store. Whoever holds it is the only one.
#[derive(Debug)]
pub struct Store {
    /// `None` between a full disk and the next verb.
    sql: Option<Connection>,
    file: PathBuf,
    seal: Seal,
    key: HubKey,
    catalog: Arc<Catalog>,
    hub: Hub,
    epoch: u32,
    next_origin: u64,
    /// Why it can't be trusted any more.
    broken: Option<String>,
    /// Held for as long as the store is open.
    _lock: File,
}

impl Store {
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// A number that no committed capture has. It is used up by the commit that [`Store::take`]s the capture:
    /// what was numbered and never committed left no trace, so its number may come again.
    pub fn origin(&mut self) -> Origin {
        let number = self.next_origin;
        self.next_origin = self.next_origin.saturating_add(1);
        Origin { recorder: self.hub.system_id, epoch: self.epoch, number }
    }

    /// Why the store can't be trusted any more, if so. Every verb answers [`StoreError::Broken`] from then on.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// One transaction. Whatever fails, nothing of it is on disk.
    fn write<T>(&mut self, verb: impl FnOnce(&Rows<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.transact(TransactionBehavior::Immediate, verb, || {})
    }

    fn read<T>(&mut self, verb: impl FnOnce(&Rows<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.transact(TransactionBehavior::Deferred, verb, || {})
    }

    fn transact<T>(
        &mut self,
        behavior: TransactionBehavior,
        verb: impl FnOnce(&Rows<'_>) -> Result<T, StoreError>,
        before_commit: impl FnOnce(),
    ) -> Result<T, StoreError> {
        if let Some(said) = &self.broken {
            return Err(StoreError::Broken(said.clone()));
        }
        let done = self.attempt(behavior, verb, before_commit);
        match &done {
            Err(StoreError::Full) => self.sql = None,
            Err(StoreError::Broken(said)) => {
                let said = said.clone();
                self.abandon(said);
            }
            Ok(_) | Err(StoreError::Unknown(_) | StoreError::Refused(_)) => {}
        }
        done
    }

    fn attempt<T>(
        &mut self,
        behavior: TransactionBehavior,
        verb: impl FnOnce(&Rows<'_>) -> Result<T, StoreError>,
        before_commit: impl FnOnce(),
    ) -> Result<T, StoreError> {
        let sql = match &mut self.sql {
            Some(sql) => sql,
            closed => {
                let sql = connection::reconnect(&self.file, &self.key)?;
                proof::watch(&sql)?;
                closed.insert(sql)
            }
        };
        let transaction = sql.transaction_with_behavior(behavior)?;
        let rows = Rows::new(&transaction, &self.seal, &self.key);
        let done = verb(&rows)?;
        before_commit();
        transaction.commit()?;
        Ok(done)
    }

    /// Looks at the next rows of all that there are: each has to prove itself. `None`: all did.
    pub fn look_over(&mut self, look: &Look) -> Result<Option<Look>, StoreError> {
        self.read(|rows| rows.look_over(look))
    }

    /// Pages that pruning emptied go back to the file system.
    fn give_back(&mut self) -> Result<(), StoreError> {
        match &self.sql {
            Some(sql) => Ok(sql.execute_batch("PRAGMA incremental_vacuum")?),
            None => Ok(()),
        }
    }

    /// Lets go of the connection without another word to the disk: a checkpoint at closing would ask it to
    /// keep again what it just failed to keep.
    fn abandon(&mut self, said: String) {
        if let Some(sql) = self.sql.take() {
            let _ = sql.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        open::doubt(&self.file);
        self.broken = Some(said);
    }
}
