//! Connections to the database: how SQLite is told to keep it, and its write-ahead log.

use super::blind::HubKey;
use super::error::OpenError;
use super::open::{beside, create_private, os, sync_directory};
use super::proof;
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::File;
use std::path::Path;

/// Another connection to a database that was checked.
pub(super) fn reconnect(file: &Path, key: &HubKey) -> Result<Connection, rusqlite::Error> {
    let sql = connect(file)?;
    proof::teach(&sql, key)?;
    Ok(sql)
}

/// A connection as this house wants it. Nothing is written yet.
pub(super) fn connect(file: &Path) -> Result<Connection, rusqlite::Error> {
    let mut sql = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // No other process may look. Said before anything is read, else the log gets a shared memory file, which a
    // full disk has no room for.
    sql.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    // Of a file that has pages this would only write the same again, into a damaged one, too.
    if sql.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))? == 0 {
        sql.pragma_update(None, "page_size", PAGE as i64)?;
        sql.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    // A new file becomes one with a log under a rollback journal, whose deletion must outlive a power cut: else it
    // comes back, and takes back all that was moved from the log since. FULL does not sync the folder, EXTRA does.
    sql.pragma_update(None, "synchronous", "EXTRA")?;
    sql.pragma_update(None, "journal_mode", "WAL")?;
    sql.pragma_update(None, "synchronous", "FULL")?;
    sql.pragma_update(None, "foreign_keys", true)?;
    sql.pragma_update(None, "trusted_schema", false)?;
    sql.pragma_update(None, "journal_size_limit", 4 << 20)?;
    // What a statement does never depends on its parameters: else each new one may have it prepared again.
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    sql.set_prepared_statement_cache_capacity(256);
    sql.wal_hook(Some(move_log))?;
    Ok(sql)
}

/// Octets in a page of a new file. A commit writes each page that it touches whole, and a reading touches some twenty:
/// small pages are a quarter of the octets. SQLite relies on no larger ones for anything (sqlite.org/psow.html).
pub(super) const PAGE: usize = 1_024;

/// So many pages of the log are moved into the database together: four megabytes.
const LOG_PAGES: i32 = 4_000;

/// SQLite's own automatic checkpoint keeps its failures to itself; a disk that refuses one must end the daemon. A full
/// one need not: what is committed stays in the log.
fn move_log(log: &mut Wal, pages: i32) -> Result<(), rusqlite::Error> {
    if pages < LOG_PAGES {
        return Ok(());
    }
    match log.checkpoint() {
        Err(error) if error.sqlite_error_code() != Some(ErrorCode::DiskFull) => Err(error),
        _ => Ok(()),
    }
}

/// The log as it reads, on the disk: a copy, flushed, takes its place. Where a sync was refused, what reads as written may
/// be in the system's memory alone, and no later sync of it asks the disk again.
pub(super) fn written_again(log: &Path) -> Result<(), OpenError> {
    if std::fs::metadata(log).map_or(0, |found| found.len()) == 0 {
        return Ok(());
    }
    let copy = beside(log, ".new");
    let written = create_private(&copy).and_then(|()| {
        std::fs::copy(log, &copy)
            .and_then(|_| File::open(&copy)?.sync_all())
            .and_then(|()| std::fs::rename(&copy, log))
            .map_err(|error| os(log, &error))
    });
    match written {
        Ok(()) => sync_directory(log),
        // Else a hub whose disk is full would not even say so.
        Err(OpenError::Full(_)) => std::fs::remove_file(&copy).map_err(|error| os(&copy, &error)),
        Err(error) => Err(error),
    }
}

/// What the log holds is in the file, and flushed, before anything is answered from it. A full disk is no reason not to
/// open.
pub(super) fn flushed(sql: &Connection) -> Result<(), rusqlite::Error> {
    match sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => Ok(()),
        done => done,
    }
}
