//! Opening: the directory, the lock, the key, the file; what is damaged is salvaged, set aside and never deleted.

use super::blind::HubKey;
use super::connection::{connect, flushed, written_again};
use super::error::OpenError;
use super::migrate::{self, Unmigrated};
use super::salvage::{Log, Salvage, accounts};
use super::seal::Seal;
use super::{Store, StoreError, aside, proof};
use hearth_core::parcel::Hub;
use hearth_core::profile::Catalog;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const DATABASE: &str = "hearth.sqlite";
const LOCK: &str = "hearth.lock";
/// Its being there says that the store was found broken: the next opening looks at every row.
const DOUBT: &str = "hearth.doubt";
pub(super) const KEY: &str = "hub.key";

/// The store, and what a person must hear about its opening.
#[derive(Debug)]
pub struct Opened {
    pub store: Store,
    /// The file was damaged, or no database: it lies here now, and the store began anew with what was readable in it.
    pub set_aside: Option<PathBuf>,
    /// What that was. `None`: nothing was damaged, or nothing in it was ours.
    pub salvage: Option<Salvage>,
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
        let (sql, key, set_aside) = database(&file, &seal)?;
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
        let salvages = if set_aside.is_some() { store.read(accounts) } else { Ok(vec![]) };
        let salvage = salvages.map_err(|error| io_or_full(&file, &error))?.pop();
        Ok(Opened { store, set_aside, salvage })
    }
}

pub(super) fn io(path: &Path, error: impl std::fmt::Display) -> OpenError {
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

/// The database, checked and brought to today's layout, with the hub's key. Of a damaged one, what is readable is in the
/// new one, and it is set aside.
fn database(file: &Path, seal: &Seal) -> Result<(Connection, HubKey, Option<PathBuf>), OpenError> {
    // A start that was cut off between the two names.
    let mut aside = aside::finish(file)?;
    if aside.is_none() {
        match checked(file) {
            Ok((sql, key)) => return Ok((sql, key, None)),
            Err(Unchecked::Open(error)) => return Err(error),
            Err(Unchecked::Damaged) => aside = Some(aside::replace(file, seal)?),
        }
    }
    match checked(file) {
        Ok((sql, key)) => Ok((sql, key, aside)),
        Err(Unchecked::Open(error)) => Err(error),
        Err(Unchecked::Damaged) => Err(io(file, "a new database is damaged at once: check the disk")),
    }
}

enum Unchecked {
    Damaged,
    Open(OpenError),
}

impl From<OpenError> for Unchecked {
    fn from(error: OpenError) -> Unchecked {
        Unchecked::Open(error)
    }
}

fn checked(file: &Path) -> Result<(Connection, HubKey), Unchecked> {
    let fault = |error: rusqlite::Error| match error.sqlite_error_code() {
        // Our own words do not fit its layout, or what lies in a column is none of its kind.
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown) | None => {
            Unchecked::Damaged
        }
        Some(ErrorCode::DiskFull) => Unchecked::Open(OpenError::Full(file.to_owned())),
        Some(ErrorCode::ReadOnly) => Unchecked::Open(OpenError::ReadOnly(file.to_owned())),
        _ => Unchecked::Open(io(file, error)),
    };
    let key_file = file.with_file_name(KEY);
    let wal = beside(file, "-wal");
    // A key without a database is a database that was emptied: a first start makes the database before the key.
    let emptied = |path: &Path| std::fs::metadata(path).is_ok_and(|found| found.len() == 0);
    if emptied(file) && key_file.exists() && (emptied(&wal) || !wal.exists()) {
        return Err(Unchecked::Damaged);
    }
    create_private(file)?;
    // SQLite would go back to an older commit without a word.
    if Log::read(&wal).map_err(|error| os(&wal, &error))?.cut {
        return Err(Unchecked::Damaged);
    }
    written_again(&wal)?;
    let mut sql = connect(file).map_err(fault)?;
    match whole(&mut sql, file, &key_file) {
        Ok(key) => Ok((sql, key)),
        Err(why) => {
            // It is set aside as it was found: closing it must not write its log into it.
            let _ = sql.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            Err(match why {
                Unwhole::Sql(error) => fault(error),
                Unwhole::Damaged => Unchecked::Damaged,
                Unwhole::Open(error) => Unchecked::Open(error),
            })
        }
    }
}

enum Unwhole {
    Damaged,
    Sql(rusqlite::Error),
    Open(OpenError),
}

impl From<rusqlite::Error> for Unwhole {
    fn from(error: rusqlite::Error) -> Unwhole {
        Unwhole::Sql(error)
    }
}

/// The file is ours and as new as we are, and the rows that say who is who prove themselves. In doubt, and before rows of
/// an older layout are taken as they are: all trees are sound, and every row proves itself.
fn whole(sql: &mut Connection, file: &Path, key_file: &Path) -> Result<HubKey, Unwhole> {
    let doubt = file.with_file_name(DOUBT);
    let all = doubt.exists() || !migrate::newest(sql)?;
    if all {
        let said: String = sql.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if said != "ok" {
            return Err(Unwhole::Damaged);
        }
    }
    let unmigrated = |why: Unmigrated| match why {
        Unmigrated::Sql(error) => Unwhole::Sql(error),
        Unmigrated::Foreign => Unwhole::Open(OpenError::Foreign(file.to_owned())),
        Unmigrated::Newer { found, known } => {
            Unwhole::Open(OpenError::Newer { path: file.to_owned(), found, known })
        }
    };
    migrate::known(sql).map_err(unmigrated)?;
    let made_with = key_check(sql)?;
    let key = hub_key(key_file, made_with.is_none()).map_err(Unwhole::Open)?;
    if made_with.is_some_and(|check| check != key.blind("check", &[])) {
        return Err(Unwhole::Open(OpenError::HubKey { path: key_file.to_owned(), missing: false }));
    }
    proof::teach(sql, &key)?;
    migrate::migrate(sql).map_err(unmigrated)?;
    // The words of the layout are data like any other, and whatever they say is done.
    if migrate::layout(sql)? != *migrate::standard_layout().map_err(unmigrated)? {
        return Err(Unwhole::Damaged);
    }
    if proof::unproven(sql, all)?.is_some() {
        return Err(Unwhole::Damaged);
    }
    proof::watch(sql)?;
    flushed(sql)?;
    match std::fs::remove_file(&doubt) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(Unwhole::Open(os(&doubt, &error))),
        _ => {}
    }
    Ok(key)
}

/// The blinded nothing of the key that this database was made with. `None`: it has none yet.
fn key_check(sql: &Connection) -> Result<Option<Vec<u8>>, rusqlite::Error> {
    if !sql.table_exists(None, "hub")? {
        return Ok(None);
    }
    sql.query_row("SELECT key_check FROM hub", [], |row| row.get(0)).optional()
}

/// Has the next opening look at every row. A disk that does not even take this will be found broken again.
pub(super) fn doubt(file: &Path) {
    _ = create_private(&file.with_file_name(DOUBT));
}

/// An empty file is an empty database. SQLite would make one that others can read.
pub(super) fn create_private(file: &Path) -> Result<(), OpenError> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)
        .and_then(|made| made.metadata())
        .map_err(|error| os(file, &error))
        .and_then(|found| ours(file, &found, 0o600))
}

pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

pub(super) fn sync_directory(file: &Path) -> Result<(), OpenError> {
    let dir = file.parent().unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| os(dir, &error))
}

/// The hub's key, if it is there and whole.
pub(super) fn found_key(path: &Path) -> Option<HubKey> {
    std::fs::read(path).ok().and_then(|octets| octets.try_into().ok()).map(HubKey::new)
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
