//! Commands: what a person types, and what they read. Every command ends in [`Shown`] or an [`Ending`].
//!
//! A command that touches the store asks through [`door`]: the daemon over its socket, or, where none runs, the
//! store itself under its lock. Both answer the same [`Request`]s by the same code.

mod args;
mod check;
mod decode;
mod door;
mod replay;

use crate::show::{Ending, Fields, Shown, complain, exit};

use crate::config::Config;
use crate::control::Request;
use args::{Command, Outbox, Verb};
use clap::Parser;
use hearth_core::profile::Catalog;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Reads the arguments, does what they say, prints, and says how it ended.
pub fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(said) => {
            _ = said.print();
            return ExitCode::from(if said.use_stderr() { exit::USAGE } else { 0 });
        }
    };
    match command.run() {
        Ok(shown) => {
            print(&shown, command.json);
            ExitCode::from(shown.code)
        }
        Err(ending) => {
            if command.json {
                let error = serde_json::json!({ "error": ending.said, "code": ending.code });
                _ = writeln!(std::io::stdout(), "{error}");
            }
            complain(&ending.said);
            ExitCode::from(ending.code)
        }
    }
}

/// A closed pipe ends the printing, and nothing else.
fn print(shown: &Shown, json: bool) {
    let mut out = std::io::stdout().lock();
    if json {
        _ = writeln!(out, "{}", shown.json());
        if let Some(said) = &shown.said {
            _ = writeln!(std::io::stderr(), "{said}");
        }
    } else {
        let table = shown.table();
        if !table.is_empty() {
            _ = writeln!(out, "{table}");
        }
        if let Some(said) = &shown.said {
            _ = writeln!(out, "{said}");
        }
    }
}

impl Command {
    fn run(&self) -> Result<Shown, Ending> {
        let ask = |request| door::ask(&self.config()?, request);
        match &self.verb {
            Verb::Run => crate::run(self.config()?),
            #[cfg(feature = "demo")]
            Verb::Demo(demo) => demo.run(),
            Verb::Check => check::check(&self.config),
            Verb::Decode(decode) => decode.run(&Catalog::standard()),
            // A configuration that was named must be there; the one that nobody named need not.
            Verb::Replay(replay) => {
                replay.run(|| self.config(), self.config.exists() || self.config != Path::new(args::CONFIG))
            }
            Verb::Devices { profiles: true } => check::profiles(&self.config),
            Verb::Devices { profiles: false } => ask(Request::Devices),
            Verb::Status => ask(Request::Status),
            Verb::Held(held) => ask(held.request()),
            Verb::Retract { reading, reissue } => {
                ask(Request::Retract { reading: *reading, reissue: *reissue })
            }
            Verb::Bind(bind) => ask(bind.request()?),
            Verb::Outbox(Outbox::Wait { timeout }) => door::wait(&self.config()?, *timeout),
            Verb::Outbox(outbox) => ask(outbox.request()),
        }
    }

    fn config(&self) -> Result<Config, Ending> {
        Config::load(&self.config).map_err(|e| Ending::new(exit::CONFIG, e.to_string()))
    }
}
