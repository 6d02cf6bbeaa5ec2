//! A damaged database makes room for a new one, in steps of which each may be the last before a power cut.
//!
//! 1. The new database is made under the name `hearth.sqlite.salvaging`. Nothing touches the damaged one. Begun again,
//!    it is made anew.
//! 2. It is whole and flushed: it becomes `hearth.sqlite.salvaged`. From here every start only goes on.
//! 3. The damaged log, then the damaged database get their names aside.
//! 4. The new database gets the name `hearth.sqlite`.

use super::connection::reconnect;
use super::error::{OpenError, StoreError};
use super::migrate::{self, Unmigrated};
use super::open::{KEY, beside, create_private, found_key, io, os, sync_directory};
use super::salvage::{Failed, salvage};
use super::seal::Seal;
use jiff::Timestamp;
use rusqlite::Connection;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const UNFINISHED: &str = ".salvaging";
const FINISHED: &str = ".salvaged";

/// Makes the new database with what is readable in the damaged one, and puts it in its place. Returns where the damaged
/// one lies now. An error leaves the damaged one where it is, as it is.
pub(super) fn replace(file: &Path, seal: &Seal) -> Result<PathBuf, OpenError> {
    let unfinished = beside(file, UNFINISHED);
    let made = make(file, &unfinished, seal);
    if made.is_err() {
        remove(&unfinished)?;
    }
    made?;
    rename(&unfinished, &beside(file, FINISHED))?;
    sync_directory(file)?;
    finish(file)?.ok_or_else(|| io(file, "the new database that was just made is gone"))
}

/// Steps 3 and 4. `None`: nothing was begun.
pub(super) fn finish(file: &Path) -> Result<Option<PathBuf>, OpenError> {
    let finished = beside(file, FINISHED);
    if !finished.exists() {
        return Ok(None);
    }
    let aside = if file.exists() { name(file)? } else { newest(file)? };
    for ending in ["-wal", "-shm", ""] {
        let damaged = beside(file, ending);
        if damaged.exists() {
            rename(&damaged, &beside(&aside, ending))?;
            sync_directory(file)?;
        }
    }
    rename(&finished, file)?;
    sync_directory(file)?;
    Ok(Some(aside))
}

fn make(file: &Path, unfinished: &Path, seal: &Seal) -> Result<(), OpenError> {
    remove(unfinished)?;
    create_private(unfinished)?;
    let failed = |failed: Failed| said(file, failed);
    let sql = |error: rusqlite::Error| failed(error.into());
    let key_file = file.with_file_name(KEY);
    let key = found_key(&key_file);
    if key.is_none() && key_file.exists() {
        return Err(OpenError::HubKey { path: key_file, missing: false });
    }
    // Without its key nothing proves itself: an empty database.
    if let Some(key) = key {
        let mut new = reconnect(unfinished, &key).map_err(sql)?;
        // Flushed once, when it is whole: until then a cut makes it anew.
        new.pragma_update(None, "synchronous", "OFF").map_err(sql)?;
        match migrate::migrate(&mut new) {
            Ok(()) => {}
            Err(Unmigrated::Sql(error)) => return Err(sql(error)),
            Err(other) => return Err(io(unfinished, format!("{other:?}"))),
        }
        let written = std::fs::metadata(file).map_err(|error| os(file, &error))?.mtime();
        let written = Timestamp::from_second(written).unwrap_or(Timestamp::MAX);
        let aside = name(file)?;
        let aside = aside.file_name().unwrap_or_default().to_string_lossy();
        salvage((file, &beside(file, "-wal")), &mut new, (seal, &key), &aside, written).map_err(failed)?;
        close(new).map_err(sql)?;
    }
    File::open(unfinished).and_then(|new| new.sync_all()).map_err(|error| os(unfinished, &error))
}

/// All that was written is in the file itself.
fn close(new: Connection) -> Result<(), rusqlite::Error> {
    new.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    new.close().map_err(|(_, error)| error)
}

fn said(file: &Path, failed: Failed) -> OpenError {
    match failed {
        Failed::Store(StoreError::Full) => OpenError::SalvageFull(file.to_owned()),
        Failed::Disk(error) if error.kind() == ErrorKind::StorageFull => {
            OpenError::SalvageFull(file.to_owned())
        }
        Failed::Disk(error) => OpenError::Salvage { path: file.to_owned(), said: error.to_string() },
        Failed::Store(StoreError::Broken(said)) => OpenError::Salvage { path: file.to_owned(), said },
        Failed::Store(StoreError::Unknown(what) | StoreError::Refused(what)) => {
            OpenError::Salvage { path: file.to_owned(), said: what.to_owned() }
        }
    }
}

fn remove(unfinished: &Path) -> Result<(), OpenError> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let path = beside(unfinished, ending);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(os(&path, &error)),
            _ => {}
        }
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<(), OpenError> {
    std::fs::rename(from, to).map_err(|error| os(from, &error))
}

/// Where a damaged database goes: `hearth.sqlite.damaged-UNIX`, where UNIX is when it was last written.
fn name(file: &Path) -> Result<PathBuf, OpenError> {
    let written = std::fs::metadata(file).map_err(|error| os(file, &error))?.mtime();
    Ok((0..)
        .map(|nth: u32| {
            let again = if nth == 0 { String::new() } else { format!(".{nth}") };
            beside(file, &format!(".damaged-{written}{again}"))
        })
        .find(|path| !path.exists())
        .expect("a directory has fewer damaged files than there are numbers"))
}

/// The damaged database that was named last.
fn newest(file: &Path) -> Result<PathBuf, OpenError> {
    let dir = file.parent().unwrap_or(Path::new("."));
    let prefix = beside(file, ".damaged-");
    let entries = std::fs::read_dir(dir).map_err(|error| os(dir, &error))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let damaged = paths.filter(|path| {
        path.as_os_str().as_encoded_bytes().starts_with(prefix.as_os_str().as_encoded_bytes())
            && !path.as_os_str().as_encoded_bytes().ends_with(b"-wal")
    });
    // By when its name was given.
    let given =
        |path: &PathBuf| std::fs::metadata(path).map(|found| (found.ctime(), found.ctime_nsec())).ok();
    damaged.max_by_key(given).ok_or_else(|| {
        io(file, "a new database is ready, and no damaged one lies aside: rename hearth.sqlite.salvaged to hearth.sqlite")
    })
}
