//! The tables' rows as values: a file per table, and all SQL of the house in it.

mod binding;
mod boot;
mod bridge;
mod contact;
mod counts;
mod cursor;
mod destination;
mod device;
mod hold;
mod hub;
mod ledger;
mod old;
mod outbox;
mod permission;
mod person;
mod reading;
mod receipt;
mod record;
mod salvage;

pub(super) use bridge::FoundBridge;
pub(super) use counts::{FateCount, HeldRow};
pub use destination::DestinationNo;
pub(super) use ledger::Entry;
pub use outbox::OutboxNo;
pub(super) use outbox::{LONGEST_WAIT, NewOutbox, Queued, State};
pub(super) use reading::Kept;
pub use reading::ReadingNo;
pub(super) use record::Found;
pub use record::fate_code;
use record::why_code;
pub use salvage::Salvaged;

use super::blind::{Blinded, HubKey};
use super::error::{StoreError, unreadable};
use super::payload::{self, Payload};
use super::proof::{self, sound};
use super::seal::{Place, Seal, Sealed};
use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row};

type Result<T> = std::result::Result<T, StoreError>;

/// One transaction, with what is needed to read and write what lies in it.
pub(super) struct Rows<'a> {
    sql: &'a Connection,
    seal: &'a Seal,
    key: &'a HubKey,
}

impl<'a> Rows<'a> {
    pub(super) fn new(sql: &'a Connection, seal: &'a Seal, key: &'a HubKey) -> Rows<'a> {
        Rows { sql, seal, key }
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'a>> {
        Ok(self.sql.prepare_cached(sql)?)
    }

    /// How many rows it changed.
    fn run(&self, sql: &str, with: impl Params) -> Result<usize> {
        Ok(self.prepare(sql)?.execute(with)?)
    }

    fn one<T>(
        &self,
        sql: &str,
        with: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.prepare(sql)?.query_row(with, read).optional()?)
    }

    fn all<T>(
        &self,
        sql: &str,
        with: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        Ok(self.prepare(sql)?.query_map(with, read)?.collect::<rusqlite::Result<_>>()?)
    }

    /// The next row number. Pruning leaves the newest row wherever a number is told to somebody, so that none is
    /// given twice.
    fn next(&self, table: &str) -> Result<i64> {
        let next =
            self.one(&format!("SELECT coalesce(max(no), 0) + 1 FROM {table}"), [], |row| row.get(0))?;
        next.ok_or_else(|| StoreError::Broken("an aggregate gave no row".to_owned()))
    }

    pub(super) fn look_over(&self, look: &proof::Look) -> Result<Option<proof::Look>> {
        Ok(proof::look_over(self.sql, look)?)
    }

    fn blind(&self, what: &str, parts: &[&[u8]]) -> Blinded {
        self.key.blind(what, parts)
    }

    fn shut<P: Payload>(&self, table: &'static str, column: &'static str, row: i64, payload: &P) -> Vec<u8> {
        self.shut_octets(table, column, row, &payload::write(payload))
    }

    fn shut_octets(&self, table: &'static str, column: &'static str, row: i64, octets: &[u8]) -> Vec<u8> {
        self.seal.seal(Place { table, column, row }, octets).pack()
    }

    fn open<P: Payload>(
        &self,
        table: &'static str,
        column: &'static str,
        row: i64,
        blob: &[u8],
    ) -> Result<P> {
        let octets = self.open_octets(table, column, row, blob)?;
        payload::read(&octets).map_err(|why| unreadable(Place { table, column, row }, why))
    }

    fn open_octets(
        &self,
        table: &'static str,
        column: &'static str,
        row: i64,
        blob: &[u8],
    ) -> Result<Vec<u8>> {
        Ok(self.seal.open(Place { table, column, row }, &Sealed::unpack(blob)?)?)
    }
}

/// Microseconds since 1970, rounded towards earlier.
pub(super) fn micros(instant: Timestamp) -> i64 {
    let floor = instant.as_nanosecond().div_euclid(1_000);
    i64::try_from(floor).expect("the microseconds of ten thousand years either way fit 64 bits")
}

/// The same, rounded towards later.
pub(super) fn micros_up(instant: Timestamp) -> i64 {
    let ceiling = -(-instant.as_nanosecond()).div_euclid(1_000);
    i64::try_from(ceiling).expect("the microseconds of ten thousand years either way fit 64 bits")
}

/// The ends of time where the column holds what no instant has.
pub(super) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// A code that only we write, read back as one of a closed set.
fn coded<T: Copy>(column: &str, code: &str, set: &[(T, &str)]) -> Result<T> {
    set.iter()
        .find(|(_, name)| *name == code)
        .map(|(value, _)| *value)
        .ok_or_else(|| StoreError::Broken(format!("{column} holds {code:?}, which is none of its codes")))
}

fn code<T: PartialEq>(value: T, set: &[(T, &'static str)]) -> &'static str {
    set.iter().find(|(known, _)| *known == value).map(|(_, name)| *name).expect("the set is closed and whole")
}
