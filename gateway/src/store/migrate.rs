//! From any older layout to this one, a step at a time.

use super::schema::{APPLICATION, STEPS};
use rusqlite::{Connection, TransactionBehavior};

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

pub(super) fn migrate(sql: &mut Connection) -> Result<(), Unmigrated> {
    let application: i32 = sql.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = sql.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (tables > 0 || application != 0) {
        return Err(Unmigrated::Foreign);
    }
    run(sql, STEPS)
}

/// Each step is one transaction, and moves `user_version` with it: a power cut leaves the step before.
pub(super) fn run(sql: &mut Connection, steps: &[&str]) -> Result<(), Unmigrated> {
    let found: i64 = sql.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    if found > steps.len() {
        return Err(Unmigrated::Newer { found, known: steps.len() });
    }
    for (version, step) in (1_i64..).zip(steps).skip(found) {
        let step_of = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step_of.execute_batch(step)?;
        step_of.pragma_update(None, "application_id", APPLICATION)?;
        step_of.pragma_update(None, "user_version", version)?;
        step_of.commit()?;
    }
    Ok(())
}
