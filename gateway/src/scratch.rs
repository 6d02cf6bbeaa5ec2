//! A folder of one's own, gone when its owner is.

use crate::show::{Ending, exit};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Readable by its maker only.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// `what`: for whoever finds the folder.
    pub(crate) fn new(what: &str) -> Result<Scratch, Ending> {
        let name = format!("hearth-{what}-{}-{}", std::process::id(), crate::clock::now().as_nanosecond());
        let folder = std::env::temp_dir().join(name);
        make(&folder)?;
        Ok(Scratch(folder))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    #[cfg(feature = "demo")]
    pub(crate) fn subfolder(&self, name: &str) -> Result<(), Ending> {
        make(&self.0.join(name))
    }
}

fn make(folder: &Path) -> Result<(), Ending> {
    std::fs::DirBuilder::new().mode(0o700).create(folder).map_err(|e| {
        Ending::new(
            exit::CANTCREAT,
            format!("{}: {e}; set TMPDIR to a folder that takes files", folder.display()),
        )
    })
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}
