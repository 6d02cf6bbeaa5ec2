//! From any older layout to this one, a step at a time.

use super::blind::HubKey;
use super::schema::{APPLICATION, STEPS};
use rusqlite::{Connection, TransactionBehavior};
use std::sync::OnceLock;

/// Why a file can't be brought to today's layout.
#[derive(Debug)]
pub(super) enum Unmigrated {
    /// Made by a newer version of this software.
    Newer {
        found: usize,
        known: usize,
    },
    /// A database of something else.
    Foreign,
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Unmigrated {
    fn from(error: rusqlite::Error) -> Unmigrated {
        Unmigrated::Sql(error)
    }
}

/// The file is empty, or ours and no newer than we are.
pub(super) fn known(sql: &Connection) -> Result<(), Unmigrated> {
    let application: i32 = sql.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = sql.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (tables > 0 || application != 0) {
        return Err(Unmigrated::Foreign);
    }
    version(sql, STEPS).map(drop)
}

pub(super) fn migrate(sql: &mut Connection) -> Result<(), Unmigrated> {
    known(sql)?;
    run(sql, STEPS)
}

/// Name and SQL of each table, index and trigger.
pub(super) type Layout = Vec<(String, Option<String>)>;

/// What a file has.
pub(super) fn layout(sql: &Connection) -> Result<Layout, rusqlite::Error> {
    let mut all = sql.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")?;
    all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// What the steps make: the same in every file, so it is made once.
pub(super) fn standard_layout() -> Result<&'static Layout, Unmigrated> {
    static STANDARD: OnceLock<Layout> = OnceLock::new();
    if let Some(made) = STANDARD.get() {
        return Ok(made);
    }
    let mut sql = Connection::open_in_memory()?;
    // There are no rows to prove.
    super::proof::teach(&sql, &HubKey::new([0; 32]))?;
    migrate(&mut sql)?;
    let made = layout(&sql)?;
    Ok(STANDARD.get_or_init(|| made))
}

/// Whether every step is done.
pub(super) fn newest(sql: &Connection) -> Result<bool, rusqlite::Error> {
    let found: i64 = sql.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(found) == Ok(STEPS.len()))
}

/// How many steps were done.
fn version(sql: &Connection, steps: &[&str]) -> Result<usize, Unmigrated> {
    let found: i64 = sql.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    if found > steps.len() {
        return Err(Unmigrated::Newer { found, known: steps.len() });
    }
    Ok(found)
}

/// Each step is one transaction, and moves `user_version` with it: a power cut leaves the step before.
pub(super) fn run(sql: &mut Connection, steps: &[&str]) -> Result<(), Unmigrated> {
    let found = version(sql, steps)?;
    for (version, step) in (1_i64..).zip(steps).skip(found) {
        let step_of = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step_of.execute_batch(step)?;
        step_of.pragma_update(None, "application_id", APPLICATION)?;
        step_of.pragma_update(None, "user_version", version)?;
        step_of.commit()?;
    }
    Ok(())
}
