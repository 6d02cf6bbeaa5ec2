//! Opening: the directory, the lock, the key, the file; what is damaged is set aside and never deleted.

use super::blind::HubKey;
use super::error::OpenError;
use super::migrate::{Unmigrated, migrate};
use super::seal::Seal;
use super::{Store, StoreError};
use hearth_core::parcel::Hub;
use hearth_core::profile::Catalog;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const DATABASE: &str = "hearth.sqlite";
const LOCK: &str = "hearth.lock";
const KEY: &str = "hub.key";

/// The store, and what a person must hear about its opening.
#[derive(Debug)]
pub struct Opened {
    pub store: Store,
    /// The file was damaged, or no database: it lies here now, and the store began anew.
    pub set_aside: Option<PathBuf>,
}

impl Store {
    /// Whether `dir` may hold a store: it is there, ours, and closed to others. Touches nothing.
    pub fn inspect(dir: &Path) -> Result<(), OpenError> {
        check_directory(dir)
    }

    /// Opens the store in `dir`, and makes what is not there yet: database, hub key, hub.
    pub fn open(dir: &Path, catalog: Catalog, seal: Seal) -> Result<Opened, OpenError> {
        check_directory(dir)?;
        let lock = lock(dir)?;
        let file = dir.join(DATABASE);
        let (sql, set_aside) = database(&file)?;
        let fresh = count(&sql, &file, "hub")? == 0;
        let key = hub_key(&dir.join(KEY), fresh)?;
        let mut store = Store {
            sql: Some(sql),
            file: file.clone(),
            seal,
            key,
            catalog: std::sync::Arc::new(catalog),
            hub: Hub { system_id: [0; 8], software: env!("CARGO_PKG_VERSION").to_owned() },
            epoch: 0,
            next_origin: 0,
            broken: None,
            _lock: lock,
        };
        let mine = store.write(|rows| match rows.hub()? {
            Some(hub) => Ok(Some(hub)),
            None => rows.make_hub(&system_id()).map(Some),
        });
        let hub = mine.map_err(|error| io_or_full(&file, &error))?;
        let Some(hub) = hub.filter(|hub| hub.key_is_ours) else {
            return Err(OpenError::HubKey { path: dir.join(KEY), missing: false });
        };
        store.hub.system_id = hub.system_id;
        (store.epoch, store.next_origin) = (hub.epoch, hub.next_origin);
        Ok(Opened { store, set_aside })
    }
}

fn io(path: &Path, error: impl std::fmt::Display) -> OpenError {
    OpenError::Io { path: path.to_owned(), said: error.to_string() }
}

fn io_or_full(path: &Path, error: &StoreError) -> OpenError {
    match error {
        StoreError::Full => OpenError::Full(path.to_owned()),
        StoreError::Broken(said) => io(path, said),
        StoreError::Unknown(what) | StoreError::Refused(what) => io(path, what),
    }
}

pub(super) fn os(path: &Path, error: &std::io::Error) -> OpenError {
    match error.kind() {
        ErrorKind::NotFound => OpenError::Missing(path.to_owned()),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => OpenError::ReadOnly(path.to_owned()),
        ErrorKind::StorageFull => OpenError::Full(path.to_owned()),
        _ => io(path, error),
    }
}

fn check_directory(dir: &Path) -> Result<(), OpenError> {
    let found = std::fs::metadata(dir).map_err(|error| os(dir, &error))?;
    if !found.is_dir() {
        return Err(OpenError::NotADirectory(dir.to_owned()));
    }
    ours(dir, &found, 0o700)
}

/// Owned by us, and closed to everybody else.
fn ours(path: &Path, found: &std::fs::Metadata, wanted: u32) -> Result<(), OpenError> {
    let us = rustix::process::geteuid().as_raw();
    if found.uid() != us {
        return Err(OpenError::Owner { path: path.to_owned(), owner: found.uid(), us });
    }
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(OpenError::Mode { path: path.to_owned(), mode, wanted });
    }
    Ok(())
}

/// Daemon and CLI never open the store together. The lock is the kernel's: it ends with its process.
fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| os(dir, &error))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            return Err(OpenError::InUse { dir: dir.to_owned(), holder: holder.trim().parse().ok() });
        }
        Err(error) => return Err(io(&path, error)),
    }
    // Only for the sentence that the next one reads: not being able to write it changes nothing.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

/// The database, checked and brought to today's layout; a damaged one is set aside first.
fn database(file: &Path) -> Result<(Connection, Option<PathBuf>), OpenError> {
    match checked(file) {
        Ok(sql) => Ok((sql, None)),
        Err(Unchecked::Open(error)) => Err(error),
        Err(Unchecked::Damaged) => {
            let aside = set_aside(file)?;
            match checked(file) {
                Ok(sql) => Ok((sql, Some(aside))),
                Err(Unchecked::Open(error)) => Err(error),
                Err(Unchecked::Damaged) => Err(io(file, "a new database is damaged at once: check the disk")),
            }
        }
    }
}

enum Unchecked {
    Damaged,
    Open(OpenError),
}

fn checked(file: &Path) -> Result<Connection, Unchecked> {
    let fault = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Unchecked::Damaged,
        Some(ErrorCode::DiskFull) => Unchecked::Open(OpenError::Full(file.to_owned())),
        Some(ErrorCode::ReadOnly) => Unchecked::Open(OpenError::ReadOnly(file.to_owned())),
        _ => Unchecked::Open(io(file, error)),
    };
    create_private(file).map_err(Unchecked::Open)?;
    let mut sql = connect(file).map_err(fault)?;
    // A damaged file is set aside as it was found: closing it must not write its log into it.
    let untouched = |sql: &Connection, found: Unchecked| {
        let _ = sql.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        found
    };
    let said: Result<String, _> = sql.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match said {
        Ok(said) if said == "ok" => {}
        Ok(_) => return Err(untouched(&sql, Unchecked::Damaged)),
        Err(error) => return Err(untouched(&sql, fault(error))),
    }
    match migrate(&mut sql) {
        Ok(()) => Ok(sql),
        Err(Unmigrated::Sql(error)) => Err(fault(error)),
        Err(Unmigrated::Foreign) => Err(Unchecked::Open(OpenError::Foreign(file.to_owned()))),
        Err(Unmigrated::Newer { found, known }) => {
            Err(Unchecked::Open(OpenError::Newer { path: file.to_owned(), found, known }))
        }
    }
}

/// An empty file is an empty database. SQLite would make one that others can read.
fn create_private(file: &Path) -> Result<(), OpenError> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)
        .and_then(|made| made.metadata())
        .map_err(|error| os(file, &error))
        .and_then(|found| ours(file, &found, 0o600))
}

/// A connection as this house wants it. Nothing is written yet.
pub(super) fn connect(file: &Path) -> Result<Connection, rusqlite::Error> {
    let sql = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // No other process may look. Said before anything is read, else the log gets a shared memory file, which a
    // full disk has no room for.
    sql.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    // Of a file that has pages this would only write the same again, into a damaged one, too.
    if sql.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))? == 0 {
        sql.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    sql.pragma_update(None, "journal_mode", "WAL")?;
    sql.pragma_update(None, "synchronous", "FULL")?;
    sql.pragma_update(None, "foreign_keys", true)?;
    sql.pragma_update(None, "trusted_schema", false)?;
    sql.pragma_update(None, "journal_size_limit", 4 << 20)?;
    // What a statement does never depends on its parameters: else each new one may have it prepared again.
    sql.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    sql.set_prepared_statement_cache_capacity(256);
    Ok(sql)
}

/// Renames a damaged database and its log: `hearth.sqlite.damaged-UNIX`, where UNIX is when it was last
/// written. Returns the new path. What is in the file may still be salvaged by a person.
fn set_aside(file: &Path) -> Result<PathBuf, OpenError> {
    let found = std::fs::metadata(file).map_err(|error| os(file, &error))?;
    let aside = (0..)
        .map(|nth: u32| {
            let again = if nth == 0 { String::new() } else { format!(".{nth}") };
            beside(file, &format!(".damaged-{}{again}", found.mtime()))
        })
        .find(|path| !path.exists())
        .expect("a directory has fewer damaged files than there are numbers");
    for ending in ["-wal", "-shm"] {
        let log = beside(file, ending);
        if log.exists() {
            std::fs::rename(&log, beside(&aside, ending)).map_err(|error| os(&log, &error))?;
        }
    }
    std::fs::rename(file, &aside).map_err(|error| os(file, &error))?;
    sync_directory(file)?;
    Ok(aside)
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn sync_directory(file: &Path) -> Result<(), OpenError> {
    let dir = file.parent().unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| os(dir, &error))
}

/// The hub's key. Made once: a second one would make every known reading new.
fn hub_key(path: &Path, fresh: bool) -> Result<HubKey, OpenError> {
    match std::fs::read(path) {
        Ok(octets) => {
            let found = std::fs::metadata(path).map_err(|error| os(path, &error))?;
            ours(path, &found, 0o600)?;
            let octets =
                octets.try_into().map_err(|_| OpenError::HubKey { path: path.to_owned(), missing: false })?;
            Ok(HubKey::new(octets))
        }
        Err(error) if error.kind() == ErrorKind::NotFound && fresh => make_hub_key(path),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(OpenError::HubKey { path: path.to_owned(), missing: true })
        }
        Err(error) => Err(os(path, &error)),
    }
}

fn make_hub_key(path: &Path) -> Result<HubKey, OpenError> {
    let octets: [u8; 32] = random();
    let unfinished = beside(path, ".new");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| file.write_all(&octets).and_then(|()| file.sync_all()));
    written.and_then(|()| std::fs::rename(&unfinished, path)).map_err(|error| os(path, &error))?;
    sync_directory(path)?;
    Ok(HubKey::new(octets))
}

/// An EUI-64 of our own: random, with the bit that says so (locally administered), for one hub and no group.
fn system_id() -> [u8; 8] {
    let mut octets: [u8; 8] = random();
    octets[0] = octets[0] & 0b1111_1100 | 0b10;
    octets
}

pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    let mut filled = 0;
    while filled < N {
        match rustix::rand::getrandom(&mut octets[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(more) => filled += more,
            Err(Errno::INTR) => {}
            Err(error) => panic!("the kernel gives random octets once it has booted: {error}"),
        }
    }
    octets
}

fn count(sql: &Connection, file: &Path, table: &str) -> Result<i64, OpenError> {
    sql.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).map_err(|e| io(file, e))
}
