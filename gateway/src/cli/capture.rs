//! `hearth capture`: logs that somebody recorded in the field.

use super::replay::{handle, open};
use super::{Ending, Fields, Shown, complain, exit};
use crate::config::Config;
use crate::source::trace::Options;
use crate::source::trace::redact::{self, RedactError, Redacted};
use clap::{Args, Subcommand};
use hearth_core::profile::Catalog;
use serde_json::json;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

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
    /// `config`: for the site's own profiles, whose name prefixes are no person's.
    pub(super) fn run(&self, config: Option<Config>) -> Result<Shown, Ending> {
        let catalog = match &config {
            Some(config) => crate::catalog(config)?,
            None => Catalog::standard(),
        };
        let name_prefixes = catalog.all().flat_map(|p| p.matches.name_prefixes.iter().cloned()).collect();
        let options = Options { handles: self.handles.iter().copied().collect(), name_prefixes };
        let source = open(&self.file)?;
        let cannot = |e: std::io::Error| {
            let cure = match e.kind() {
                ErrorKind::AlreadyExists => "it is there already; name another file".to_owned(),
                _ => e.to_string(),
            };
            Ending::new(exit::CANTCREAT, format!("{}: {cure}", self.out.display()))
        };
        let mut file = File::create_new(&self.out).map_err(cannot)?;
        let redacted = redact::redact(source, &mut file, &options).and_then(|redacted| {
            file.flush().and_then(|()| file.sync_all()).map_err(|e| RedactError::Io(e.to_string()))?;
            Ok(redacted)
        });
        match redacted {
            Ok(redacted) => Ok(self.shown(redacted)),
            Err(e) => {
                // Half a log is none, and must not be shared.
                _ = std::fs::remove_file(&self.out);
                let code = if matches!(e, RedactError::Io(_)) { exit::IOERR } else { exit::DATAERR };
                Err(Ending::new(code, format!("{}: {e}", self.file.display())))
            }
        }
    }

    fn shown(&self, redacted: Redacted) -> Shown {
        let Redacted { kept, left_out, addresses, texts, days, cut } = redacted;
        if let Some(cut) = &cut {
            complain(format_args!("{}: {cut}", self.file.display()));
        }
        let fields: Fields = [
            ("kept", json!(kept)),
            ("left_out", json!(left_out)),
            ("addresses_replaced", json!(addresses)),
            ("texts_replaced", json!(texts)),
            ("days_moved", json!(days)),
            ("cut", json!(cut)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        let said = "Read again and searched: no address, serial number or name of the original is in it. What was \
                    measured is, and at what time of day: share it only with whom you would tell that.";
        Shown { said: Some(said.into()), ..Shown::fields(fields) }
    }
}
