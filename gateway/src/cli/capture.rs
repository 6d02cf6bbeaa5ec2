//! `hearth capture`: logs that somebody recorded in the field.

use super::replay::{handle, named_once, open};
use super::{Ending, Fields, Shown, complain, exit};
use crate::config::Config;
use crate::scratch::Scratch;
use crate::show::count;
use crate::source::trace::Options;
use crate::source::trace::redact::{self, RedactError, Redacted};
use clap::{Args, Subcommand};
use hearth_core::profile::Catalog;
use serde_json::json;
use std::fs::File;
use std::io::{ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};

#[derive(Subcommand, Debug)]
pub(super) enum Capture {
    /// Make a log that may be shared: nobody's address, serial number or name is in it, and it still decodes to the same
    /// readings
    Redact(Redact),
}

#[derive(Args, Debug)]
pub(super) struct Redact {
    /// A Bluetooth log as btsnoop or pcap, or news as JSON lines; - for standard input
    file: PathBuf,
    /// Where the new log goes; a file that is there is not written over
    out: PathBuf,
    /// What a log's attribute handle is, where its discovery is not in the log, such as 0x0021=2A35; may be repeated
    #[arg(long = "handle", value_parser = handle, value_name = "HANDLE=CHARACTERISTIC")]
    handles: Vec<(u16, u16)>,
}

impl Redact {
    /// `config`: for the site's own profiles, which say what their devices' octets mean, and whose name prefixes are no
    /// person's.
    pub(super) fn run(&self, config: Option<Config>) -> Result<Shown, Ending> {
        let options = Options { handles: named_once(&self.handles)? };
        let catalog = config.as_ref().map_or_else(Catalog::standard, crate::open::catalog_of);
        crate::open::say_left_out(&catalog);
        let source = self.source()?;
        let part = self.part();
        let cannot = |e: std::io::Error| {
            let cure = match e.kind() {
                ErrorKind::AlreadyExists => "it is there already; name another file".to_owned(),
                ErrorKind::NotFound => "its folder is not there; make it first".to_owned(),
                _ => e.to_string(),
            };
            Ending::new(exit::CANTCREAT, format!("{}: {cure}", self.out.display()))
        };
        // The name is taken from the beginning, and is the log's once that is whole.
        File::create_new(&self.out).map_err(cannot)?;
        let redacted =
            File::create(&part).map_err(|e| RedactError::Io(e.to_string())).and_then(|mut file| {
                let redacted = redact::redact(source, &mut file, &options, &catalog)?;
                let kept = file.sync_all().and_then(|()| std::fs::rename(&part, &self.out));
                kept.map_err(|e| RedactError::Io(e.to_string()))?;
                Ok(redacted)
            });
        redacted.map(|redacted| self.shown(redacted)).map_err(|e| {
            // Half a log is none, and must not be shared.
            _ = std::fs::remove_file(&part);
            _ = std::fs::remove_file(&self.out);
            let code = if matches!(e, RedactError::Io(_)) { exit::IOERR } else { exit::DATAERR };
            Ending::new(code, format!("{}: {e}", self.file.display()))
        })
    }

    /// Beside the new log, which is one file system.
    fn part(&self) -> PathBuf {
        let name = self.out.file_name().unwrap_or_default().to_string_lossy();
        self.out.with_file_name(format!(".{name}.{}.part", std::process::id()))
    }

    /// The log, which is read twice. What can't be, a pipe, is copied into a file without a name first: whatever ends the
    /// command, nothing of it stays.
    fn source(&self) -> Result<File, Ending> {
        let mut source = open(&self.file)?;
        if self.file != Path::new("-")
            && let Ok(mut file) = File::open(&self.file)
            && file.seek(SeekFrom::End(0)).and_then(|_| file.rewind()).is_ok()
        {
            return Ok(file);
        }
        let scratch = Scratch::new("pipe")?;
        let path = scratch.folder().join("log");
        let copied = File::create_new(&path).and_then(|mut to| {
            std::io::copy(&mut source, &mut to)?;
            File::open(&path)
        });
        copied.map_err(|e| Ending::new(exit::IOERR, format!("{}: {e}", self.file.display())))
    }

    fn shown(&self, redacted: Redacted) -> Shown {
        let Redacted { kept, left_out, addresses, texts, days, stayed, different, cut } = redacted;
        if let Some(cut) = &cut {
            complain(format_args!("{}: {cut}", self.file.display()));
        }
        if stayed > 0 {
            complain(format_args!(
                "{} of clocks that their profile takes for unset, or that can tell no later day: not moved",
                count(stayed, "stamp")
            ));
        }
        if different > 0 {
            complain(format_args!(
                "{} on which clocks are set otherwise after the move, or a stamp comes into a year that its profile takes \
                 for unset: what was measured then may be judged otherwise",
                count(different as u64, "day")
            ));
        }
        let fields: Fields = [
            ("kept", json!(kept)),
            ("left_out", json!(left_out)),
            ("addresses_replaced", json!(addresses)),
            ("texts_replaced", json!(texts)),
            ("days_moved", json!(days)),
            ("stamps_not_moved", json!(stayed)),
            ("days_judged_otherwise", json!(different)),
            ("cut", json!(cut)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        let said = "Read again and searched: no address, serial number or name of the original is in it. What was \
                    measured is, and at what time of day: share it only with whom you would tell that.";
        let code = if cut.is_some() { exit::DATAERR } else { 0 };
        Shown { code, said: Some(said.into()), ..Shown::fields(fields) }
    }
}
