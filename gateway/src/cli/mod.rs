//! Commands: what a person types, and what they read. Every command ends in [`Shown`] or an [`Ending`].
//!
//! A command that touches the store asks through [`door`]: the daemon over its socket, or, where none runs, the
//! store itself under its lock. Both answer the same [`Request`]s by the same code.

mod args;
mod bridge;
mod capture;
mod check;
mod decode;
mod door;
#[cfg(feature = "esp")]
mod esp;
mod flash;
mod guide;
mod pair;
mod person;
mod pins;
mod replay;

use crate::show::{Ending, Fields, Shown, complain, exit};

use crate::config::Config;
use crate::control::Request;
use args::{Command, Devices, Outbox, Verb};
use capture::Capture;
use clap::{CommandFactory, Parser};
use hearth_core::profile::Catalog;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Reads the arguments, does what they say, prints, and says how it ended.
pub fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(said) if !said.use_stderr() => {
            _ = said.print();
            return ExitCode::SUCCESS;
        }
        Err(said) => {
            if std::env::args().any(|argument| argument == "--json") {
                let said = said.render().to_string();
                _ = print(&error(&Ending::usage(said.trim_start_matches("error: ").trim_end())));
            }
            _ = said.print();
            return ExitCode::from(exit::USAGE);
        }
    };
    let (printed, code) = match command.run() {
        // A script is for a shell, whatever else was asked for.
        Ok(shown) => {
            let json = command.json && !matches!(command.verb, Verb::Completions { .. });
            (show(&shown, json), shown.code)
        }
        Err(ending) => {
            complain(&ending.said);
            (if command.json { print(&error(&ending)) } else { Ok(()) }, ending.code)
        }
    };
    match printed {
        // A reader that has enough ends the printing, and nothing else.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            complain(format_args!("standard output: {e}"));
            ExitCode::from(exit::IOERR)
        }
        _ => ExitCode::from(code),
    }
}

fn error(ending: &Ending) -> String {
    serde_json::json!({ "error": ending.said, "code": ending.code }).to_string()
}

fn show(shown: &Shown, json: bool) -> std::io::Result<()> {
    if shown.is_nothing() {
        return Ok(());
    }
    if json {
        if let Some(said) = &shown.said {
            _ = writeln!(std::io::stderr(), "{said}");
        }
        return print(&shown.json());
    }
    let table = shown.table();
    let said = shown.said.as_deref().unwrap_or_default();
    match (table.is_empty(), said.is_empty()) {
        (true, true) => Ok(()),
        (true, false) => print(said),
        (false, true) => print(&table),
        (false, false) => print(&format!("{table}\n{said}")),
    }
}

fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush())
}

impl Command {
    fn run(&self) -> Result<Shown, Ending> {
        let ask = |request| door::ask(&self.config()?, request);
        match &self.verb {
            Verb::Run => crate::run(self.config()?),
            #[cfg(feature = "demo")]
            Verb::Demo(demo) => demo.run(|shown| show(shown, self.json)),
            Verb::Check => check::check(&self.config),
            Verb::Decode(decode) => decode.run(|| match self.configured() {
                true => {
                    let catalog = crate::open::catalog_of(&self.config()?);
                    crate::open::say_left_out(&catalog);
                    Ok(catalog)
                }
                false => Ok(Catalog::standard()),
            }),
            Verb::Replay(replay) => replay.run(|| self.config(), self.configured()),
            Verb::Capture(Capture::Redact(redact)) => {
                redact.run(if self.configured() { Some(self.config()?) } else { None })
            }
            Verb::Completions { shell } => {
                let mut script = vec![];
                clap_complete::generate(*shell, &mut Command::command(), "hearth", &mut script);
                let said = String::from_utf8_lossy(&script).trim_end().to_owned();
                Ok(Shown { said: Some(said), ..Shown::default() })
            }
            Verb::Devices { one: Some(Devices::Explain { device }), .. } => {
                ask(Request::DevicesExplain { device: *device })
            }
            Verb::Devices { profiles: true, .. } => check::profiles(&self.config),
            Verb::Devices { nearby: Some(None), .. } => ask(Request::Nearby),
            Verb::Devices { nearby: Some(Some(address)), .. } => pair::nearby(&self.config()?, address),
            Verb::Devices { .. } => ask(Request::Devices),
            Verb::Pair { address, bridge } => {
                pair::pair(&self.config()?, address.as_deref(), *bridge, !self.json)
            }
            Verb::Unpair { device } => ask(Request::Unpair { device: *device }),
            Verb::Bridge(bridge) => bridge.run(|| self.config(), self.json),
            Verb::Consent { device, slot, code, forget } => {
                let code = match (forget, code) {
                    (true, _) => None,
                    (false, Some(code)) => Some(*code),
                    (false, None) => Some(pair::consent_code(*slot)?),
                };
                ask(Request::Consent { device: *device, slot: *slot, code })
            }
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

    /// A configuration that was named must be there; the one that nobody named need not.
    fn configured(&self) -> bool {
        self.config.exists() || self.config != Path::new(args::CONFIG)
    }

    fn config(&self) -> Result<Config, Ending> {
        Config::load(&self.config).map_err(|e| Ending::new(exit::CONFIG, e.to_string()))
    }
}
