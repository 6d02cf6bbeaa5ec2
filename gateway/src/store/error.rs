//! What can go wrong with the store, and what then.

use super::payload::Unreadable;
use super::seal::{Place, Unopened};
use rusqlite::ErrorCode;
use std::fmt;
use std::path::PathBuf;

/// Why the store did not do it. Nothing was written; nothing may be released.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreError {
    /// The disk is full. Points at the set-up: hold the sources, tell a person, ask again later.
    Full,
    /// The store can't be trusted any more: the daemon ends, and starts again from what is on disk.
    Broken(String),
    /// The caller named what is not there. Points at the caller; the store is well.
    Unknown(&'static str),
    /// What the caller wants would break something that must stay so. Points at the caller; the store is well.
    Refused(&'static str),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Full => f.write_str(
                "the disk of the store is full; nothing was lost and nothing is accepted until there is room: free some, or lower keep-days in the configuration",
            ),
            StoreError::Broken(said) => write!(f, "the store is broken: {said}; restart hearth, which checks the file and goes on from what is on disk"),
            StoreError::Unknown(what) => write!(f, "the store has no such {what}"),
            StoreError::Refused(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            _ => StoreError::Broken(error.to_string()),
        }
    }
}

impl From<Unopened> for StoreError {
    fn from(why: Unopened) -> StoreError {
        StoreError::Broken(match why {
            Unopened::Torn => "a payload is cut off".to_owned(),
            Unopened::NotOurs { place, format, key_id } => {
                format!(
                    "{place} is sealed in format {format} with key {key_id}, which this hearth can't open"
                )
            }
        })
    }
}

/// The payload at `place` opened, and is not what belongs there.
pub(super) fn unreadable(place: Place, why: Unreadable) -> StoreError {
    StoreError::Broken(match why {
        Unreadable::Version(version) => {
            format!("{place} is of version {version}, which this hearth does not know")
        }
        Unreadable::Shape => format!("{place} has not the shape of its version"),
        Unreadable::Field(field) => format!("{place} has an impossible {field}"),
    })
}

/// Why the store does not open. Every sentence names the place and the cure.
#[derive(Debug)]
pub enum OpenError {
    Missing(PathBuf),
    NotADirectory(PathBuf),
    ReadOnly(PathBuf),
    /// Another user owns it.
    Owner {
        path: PathBuf,
        owner: u32,
        us: u32,
    },
    /// Others can read or write it.
    Mode {
        path: PathBuf,
        mode: u32,
        wanted: u32,
    },
    /// Another process has it open.
    InUse {
        dir: PathBuf,
        holder: Option<u32>,
    },
    /// Made by a newer version.
    Newer {
        path: PathBuf,
        found: usize,
        known: usize,
    },
    /// A database of something else.
    Foreign(PathBuf),
    /// The blinded keys of the database were not made with this hub key, or there is none.
    HubKey {
        path: PathBuf,
        missing: bool,
    },
    Full(PathBuf),
    /// It is damaged, and there is no room for a new one with what is readable in it. It lies there as it was found.
    SalvageFull(PathBuf),
    /// It is damaged, and what is readable in it could not be carried over. It lies there as it was found.
    Salvage {
        path: PathBuf,
        said: String,
    },
    Io {
        path: PathBuf,
        said: String,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Missing(dir) => {
                write!(f, "{0}: no such directory; make it with `install -d -m 700 {0}`", dir.display())
            }
            OpenError::NotADirectory(path) => {
                write!(
                    f,
                    "{}: not a directory; [hub] state in the configuration must name one",
                    path.display()
                )
            }
            OpenError::ReadOnly(path) => write!(
                f,
                "{}: can't be written; mount its file system read-write, or name another [hub] state",
                path.display()
            ),
            OpenError::Owner { path, owner, us } => write!(
                f,
                "{0}: belongs to user {owner}, and hearth runs as user {us}; run it as its owner: `sudo -u '#{owner}' hearth …`",
                path.display()
            ),
            OpenError::Mode { path, mode, wanted } => write!(
                f,
                "{0}: its mode is {mode:03o}, so that others may look at patients' readings; `chmod {wanted:03o} {0}`",
                path.display()
            ),
            OpenError::InUse { dir, holder } => {
                write!(f, "{}: another hearth has this store open", dir.display())?;
                if let Some(pid) = holder {
                    write!(f, " (process {pid})")?;
                }
                f.write_str(
                    ", and does not answer on its socket: it is starting or ending, or has another configuration; try again",
                )
            }
            OpenError::Newer { path, found, known } => write!(
                f,
                "{}: its layout is version {found}, and this hearth knows up to {known}; install the newer hearth again, or set the file aside",
                path.display()
            ),
            OpenError::Foreign(path) => write!(
                f,
                "{}: a database of another program; move it away, or name another [hub] state",
                path.display()
            ),
            OpenError::HubKey { path, missing: true } => write!(
                f,
                "{}: missing, and the database beside it was made with it; restore it from the backup, else known readings would be written twice",
                path.display()
            ),
            OpenError::HubKey { path, missing: false } => write!(
                f,
                "{}: not the key that the database beside it was made with; restore the two together",
                path.display()
            ),
            OpenError::Full(path) => {
                write!(f, "{}: the disk is full; free some room and start again", path.display())
            }
            OpenError::SalvageFull(path) => write!(
                f,
                "{}: damaged, and the disk has no room for a new database with what is readable in it; the file is as it was found: free as much room as it takes and start again",
                path.display()
            ),
            OpenError::Salvage { path, said } => write!(
                f,
                "{0}: damaged, and what is readable in it could not be carried over: {said}; the file is as it was found: check the disk and start again, or move {0} and {0}-wal away to begin without them",
                path.display()
            ),
            OpenError::Io { path, said } => {
                write!(f, "{}: {said}; check the disk that it is on, and start again", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {}
