//! A folder of the system's for a store whose database is on a [`Disk`].

use super::Disk;
use super::vfs::{self, Mount};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

pub const DATABASE: &str = "hearth.sqlite";
pub const LOG: &str = "hearth.sqlite-wal";

/// A folder of the system for what is not SQLite's: the lock, and a hub key that is the same on every run.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Default for Folder {
    fn default() -> Folder {
        Folder::new()
    }
}

impl Folder {
    /// # Panics
    ///
    /// Where the temporary folder can't be written to.
    pub fn new() -> Folder {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let nth = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hearth-disk-{}-{nth}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&path).expect("a folder in the temporary folder");
        write(&path.join("hub.key"), &[7; 32]);
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The disk's files are in the folder while what comes back lives.
    ///
    /// The store looks at its files by the system's calls, too, before it opens them: it finds them as the disk shows
    /// them. It writes its log again then; that call is made here on the disk, which does not see the system's.
    ///
    /// # Panics
    ///
    /// Where the temporary folder can't be written to.
    pub fn mount(&self, disk: &Disk) -> Mount {
        for name in [DATABASE, LOG] {
            let path = self.0.join(name);
            _ = std::fs::remove_file(&path);
            if let Some(content) = disk.content(name).filter(|content| !content.is_empty()) {
                write(&path, &content);
            }
        }
        disk.write_again(LOG);
        vfs::mount(&self.0, disk)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

fn write(path: &Path, octets: &[u8]) {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .expect("a new file there");
    std::io::Write::write_all(&mut file, octets).expect("room for it");
}
