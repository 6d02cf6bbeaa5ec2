//! Commands: what a person types, and what they read. Every command ends in [`Shown`] or an [`Ending`].
//!
//! A command that touches the store asks through [`door`]: the daemon over its socket, or, where none runs, the
//! store itself under its lock. Both answer the same [`Request`]s by the same code.

mod check;
mod decode;
mod door;
mod replay;

use crate::show::{Ending, Fields, Shown, exit};

use crate::config::Config;
use crate::control::Request;
use clap::{Args, Parser, Subcommand};
use hearth_core::profile::Catalog;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// A gateway for home health devices: hears them, keeps what they said, writes it into the patient's record once.
///
/// Not watched live: in an emergency call your emergency number.
#[derive(Parser, Debug)]
#[command(name = "hearth", version, max_term_width = 110)]
struct Command {
    /// The hub's configuration
    #[arg(long, global = true, default_value = "/etc/hearth/gateway.toml", value_name = "FILE")]
    config: PathBuf,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Run the daemon
    Run,
    /// Play a cuff, a meter and a scale into a record on loopback, and check what arrived
    #[cfg(feature = "demo")]
    Demo(crate::demo::Demo),
    /// Read the configuration, its certificates and its profiles, and say what is wrong
    Check,
    /// Say what a characteristic's octets mean
    Decode(decode::Decode),
    /// Say what would become of recorded news; with --keep, hand it to the hub
    Replay(replay::Replay),
    /// What was heard, kept, held and sent; what needs a person
    Status,
    /// Known devices, or the profiles that recognize them
    Devices {
        /// List the profiles instead
        #[arg(long)]
        profiles: bool,
    },
    /// Whose device is it
    #[command(subcommand)]
    Bind(Bind),
    /// Records that wait for a person
    Held {
        /// Only those held for longer, such as 24h or 3d; exits 1 if there are any
        #[arg(long, value_parser = duration, value_name = "AGE")]
        older_than: Option<SignedDuration>,
        /// Close a record, by its row: it will be no reading for anybody
        #[arg(long, value_name = "RECORD", conflicts_with = "older_than")]
        close: Option<i64>,
    },
    /// Take back a delivered reading
    Retract {
        /// Its row, as `hearth outbox list` shows it
        reading: i64,
        /// Issue it anew by today's bindings
        #[arg(long)]
        reissue: bool,
    },
    /// What is on its way to which record
    #[command(subcommand)]
    Outbox(Outbox),
}

#[derive(Subcommand, Debug)]
enum Bind {
    /// All bindings, as they are now
    List,
    /// Give a device, or one of its slots, to a person
    Add(BindAdd),
    /// End all bindings of a device, or of one of its slots
    End {
        device: i64,
        #[arg(long)]
        slot: Option<u8>,
        /// From when on it is nobody's; now, if not given
        #[arg(long)]
        at: Option<Timestamp>,
    },
    /// Say what may leave: the intervals of the order and of the consent
    Permit(BindPermit),
}

#[derive(Args, Debug)]
struct BindAdd {
    /// The device's row, as `hearth devices` shows it
    device: i64,
    /// The user slot, for a device that knows users
    #[arg(long)]
    slot: Option<u8>,
    /// Patient at a destination, such as clinic=Patient/123; once for each destination
    #[arg(long = "patient", value_parser = patient, value_name = "DESTINATION=ID", required_unless_present = "test")]
    patients: Vec<(String, String)>,
    /// Nobody's: readings are marked as tests and never sent
    #[arg(long, conflicts_with = "patients")]
    test: bool,
    /// IANA time zone of the place where the device lives, such as America/New_York
    #[arg(long)]
    zone: Option<String>,
    /// From when on; now, if not given
    #[arg(long)]
    from: Option<Timestamp>,
    /// Until before when
    #[arg(long)]
    until: Option<Timestamp>,
    /// Who says that nobody else uses the device
    #[arg(long, value_name = "NAME")]
    sole_use_attested_by: Option<String>,
    /// Security label of the programme, such as 42CFRPart2; may be repeated
    #[arg(long = "label", value_name = "CODE")]
    labels: Vec<String>,
    /// End the device's other bindings at the same instant
    #[arg(long)]
    instead: bool,
}

#[derive(Args, Debug)]
struct BindPermit {
    /// Patient at a destination, such as clinic=Patient/123
    #[arg(value_parser = patient, value_name = "DESTINATION=ID")]
    patient: (String, String),
    #[arg(long)]
    order_from: Option<Timestamp>,
    #[arg(long)]
    order_until: Option<Timestamp>,
    #[arg(long)]
    consent_from: Option<Timestamp>,
    /// A revocation: nothing taken from then on leaves
    #[arg(long)]
    consent_until: Option<Timestamp>,
}

#[derive(Subcommand, Debug)]
enum Outbox {
    /// Rows by state
    List {
        #[arg(long)]
        destination: Option<String>,
        /// waiting, in-doubt, parked, withheld, delivered, unverified, withdrawn
        #[arg(long)]
        state: Option<String>,
    },
    /// One row, with its attempts and the record's words
    Show { row: i64 },
    /// Send again what was parked
    Retry {
        #[arg(required_unless_present = "all")]
        rows: Vec<i64>,
        /// Everything that is parked
        #[arg(long, conflicts_with = "rows")]
        all: bool,
    },
    /// Stop sending a row
    Park {
        row: i64,
        /// Why, for whoever finds it parked
        #[arg(long)]
        because: String,
    },
    /// Wait until nothing is on its way any more
    Wait {
        /// Seconds
        #[arg(long, default_value_t = 300)]
        timeout: u64,
    },
}

fn patient(text: &str) -> Result<(String, String), String> {
    let (destination, id) =
        text.split_once('=').ok_or("give it as DESTINATION=ID, such as clinic=Patient/123")?;
    let id = id.strip_prefix("Patient/").unwrap_or(id);
    crate::intake::patient_id(id)?;
    Ok((destination.to_owned(), id.to_owned()))
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("give a number and a unit: 90s, 30m, 24h, 3d".into()),
    };
    let number: i64 = number.parse().map_err(|_| "give a number and a unit: 90s, 30m, 24h, 3d")?;
    number
        .checked_mul(seconds)
        .map(SignedDuration::from_secs)
        .ok_or_else(|| "that is longer than time".into())
}

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
            eprintln!("hearth: {}", ending.said);
            ExitCode::from(ending.code)
        }
    }
}

/// A closed pipe ends the printing, and nothing else.
fn print(shown: &Shown, json: bool) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    if json {
        _ = writeln!(out, "{}", shown.json());
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
            Verb::Replay(replay) => replay.run(|| self.config()),
            Verb::Devices { profiles: true } => check::profiles(&self.config),
            Verb::Devices { profiles: false } => ask(Request::Devices),
            Verb::Status => ask(Request::Status),
            Verb::Held { close: Some(record), .. } => ask(Request::HeldClose { record: *record }),
            Verb::Held { older_than, close: None } => {
                ask(Request::Held { older_than_s: older_than.map(|d| d.as_secs()) })
            }
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

impl Bind {
    fn request(&self) -> Result<Request, Ending> {
        Ok(match self {
            Bind::List => Request::Bindings,
            Bind::Add(add) => Request::BindAdd {
                device: add.device,
                slot: add.slot,
                patient: add.patients()?,
                zone: add.zone.clone(),
                from: add.from,
                until: add.until,
                sole_use_attested_by: add.sole_use_attested_by.clone(),
                labels: add.labels.clone(),
                instead: add.instead,
            },
            Bind::End { device, slot, at } => Request::BindEnd { device: *device, slot: *slot, at: *at },
            Bind::Permit(permit) => Request::Permit {
                destination: permit.patient.0.clone(),
                patient: permit.patient.1.clone(),
                order: (permit.order_from, permit.order_until),
                consent: (permit.consent_from, permit.consent_until),
            },
        })
    }
}

impl BindAdd {
    /// One id for each destination.
    fn patients(&self) -> Result<BTreeMap<String, String>, Ending> {
        let mut patients = BTreeMap::new();
        for (destination, id) in &self.patients {
            if patients.insert(destination.clone(), id.clone()).is_some() {
                return Err(Ending::usage(format!(
                    "--patient: {destination} is given twice; a device has one owner"
                )));
            }
        }
        Ok(patients)
    }
}

impl Outbox {
    fn request(&self) -> Request {
        match self {
            Outbox::List { destination, state } => {
                Request::OutboxList { destination: destination.clone(), state: state.clone() }
            }
            Outbox::Show { row } => Request::OutboxShow { row: *row },
            Outbox::Retry { rows, all } => Request::OutboxRetry { rows: rows.clone(), all: *all },
            Outbox::Park { row, because } => Request::OutboxPark { row: *row, because: because.clone() },
            Outbox::Wait { .. } => Request::OutboxMoving,
        }
    }
}
