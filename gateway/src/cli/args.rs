//! The command line, word for word, and which request each command makes.

use super::bridge::Bridge;
use super::capture::Capture;
use super::decode::Decode;
use super::replay::Replay;
use crate::control::{self, Request};
use crate::show::Ending;
use clap::{Args, Parser, Subcommand};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the hub's configuration is, unless somebody names another.
pub(super) const CONFIG: &str = "/etc/hearth/gateway.toml";

/// A gateway for home health devices: hears them, keeps what they said, writes it into the patient's record once.
///
/// Not watched live: in an emergency call your emergency number.
#[derive(Parser, Debug)]
#[command(name = "hearth", version, max_term_width = 110)]
pub(super) struct Command {
    /// The hub's configuration
    #[arg(long, global = true, default_value = CONFIG, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Subcommand, Debug)]
pub(super) enum Verb {
    /// Run the daemon
    Run,
    /// Play a household's devices into a record on loopback, and check what arrived
    #[cfg(feature = "demo")]
    Demo(crate::demo::Demo),
    /// Read the configuration, its certificates and its profiles, and say what is wrong
    Check,
    /// Say what a characteristic's octets mean
    Decode(Decode),
    /// Say what would become of recorded news on a hub that knows nothing but profiles; with --keep, hand it to this hub
    Replay(Replay),
    /// Logs that somebody recorded in the field
    #[command(subcommand)]
    Capture(Capture),
    /// Print what a shell needs to complete commands
    Completions {
        /// bash, elvish, fish, powershell, zsh
        shell: clap_complete::Shell,
    },
    /// What was heard, kept, held and sent; what needs a person
    Status,
    /// Known devices; what is heard near by; the profiles that recognize them
    #[command(args_conflicts_with_subcommands = true)]
    Devices {
        /// List the profiles instead
        #[arg(long, conflicts_with = "nearby")]
        profiles: bool,
        /// List what the radio hears instead: of the house or not, by which profile, how strong. Of one address alone: for a device
        /// that no profile knows, print a draft, too
        #[arg(long, value_name = "ADDRESS", num_args = 0..=1)]
        nearby: Option<Option<String>>,
        #[command(subcommand)]
        one: Option<Devices>,
    },
    /// Take a device into the house: the hub says what to press and what to type
    Pair {
        /// Its address, as `hearth devices --nearby` shows it; without it, whichever shows itself
        address: Option<String>,
        /// Through this bridge, by its row in `hearth bridge list`: it keeps the bond, and brings what the device tells
        #[arg(long, value_parser = row)]
        bridge: Option<i64>,
    },
    /// Let a device go, with its bond; what it told stays
    Unpair {
        /// The device's row, as `hearth devices` shows it
        #[arg(value_parser = row, value_name = "DEVICE")]
        device: i64,
    },
    /// The boards that bring what is out of the hub's reach
    #[command(subcommand)]
    Bridge(Bridge),
    /// Say a scale user's consent code: without it the scale tells nothing of that user
    Consent {
        /// The device's row, as `hearth devices` shows it
        #[arg(value_parser = row, value_name = "DEVICE")]
        device: i64,
        /// The user, by the number that the scale shows
        #[arg(long)]
        slot: u8,
        /// The code, as the scale shows it; asked for, if not given
        #[arg(long, value_parser = clap::value_parser!(u16).range(..=9_999), conflicts_with = "forget")]
        code: Option<u16>,
        /// Forget the code
        #[arg(long)]
        forget: bool,
    },
    /// Whose device is it
    #[command(subcommand)]
    Bind(Bind),
    /// Records that wait for a person, and rows that a record system refused
    Held(Held),
    /// Take back a reading: mark it as entered in error where it was delivered, withdraw it where it was not
    Retract {
        /// Its row, as `hearth outbox list` shows it
        #[arg(value_parser = row, value_name = "READING")]
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
pub(super) enum Devices {
    /// Say which profile a device has and why; for one that has none, print a draft and what helps
    Explain {
        /// The device's row, as `hearth devices` shows it
        #[arg(value_parser = row, value_name = "DEVICE")]
        device: i64,
    },
}

#[derive(Subcommand, Debug)]
pub(super) enum Bind {
    /// All bindings, as they are now
    List,
    /// Give a device, or one of its slots, to a person
    Add(BindAdd),
    /// End all bindings of a device, or of one of its slots
    End {
        /// The device's row, as `hearth devices` shows it
        #[arg(value_parser = row, value_name = "DEVICE")]
        device: i64,
        /// Only this user slot's; all of the device's, if not given
        #[arg(long)]
        slot: Option<u8>,
        /// Only this patient's, of a device that several share; such as clinic=Patient/123
        #[arg(long, value_parser = patient, value_name = "DESTINATION=ID")]
        patient: Option<(String, String)>,
        /// From when on it is nobody's, such as 2026-11-24T08:00:00Z; now, if not given. Bindings that would begin
        /// later are taken away
        #[arg(long, value_parser = instant, value_name = "INSTANT")]
        at: Option<Timestamp>,
    },
    /// Say what may leave: the intervals of the order and of the consent. Without an interval: show them
    Permit(BindPermit),
}

#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("whose").required(true).multiple(true)))]
pub(super) struct BindAdd {
    /// The device's row, as `hearth devices` shows it
    #[arg(value_parser = row, value_name = "DEVICE")]
    device: i64,
    /// The user slot, for a device that knows users
    #[arg(long)]
    slot: Option<u8>,
    /// Patient at a destination, such as clinic=Patient/123; once for each destination
    #[arg(long = "patient", value_parser = patient, value_name = "DESTINATION=ID", group = "whose")]
    patients: Vec<(String, String)>,
    /// Nobody's: readings are marked as tests and never sent
    #[arg(long, conflicts_with = "patients", group = "whose")]
    test: bool,
    /// IANA time zone of the place where the device lives, such as America/New_York
    #[arg(long)]
    zone: Option<String>,
    /// From when on, such as 2026-11-24T08:00:00Z; now, if not given
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    from: Option<Timestamp>,
    /// Until before when; until further notice, if not given
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    until: Option<Timestamp>,
    /// Who says that nobody else uses the device
    #[arg(long, value_name = "NAME")]
    sole_use_attested_by: Option<String>,
    /// Others use the device, too, and it tells nobody apart: each reading waits until somebody says whose it is
    #[arg(long, conflicts_with_all = ["slot", "sole_use_attested_by", "test"])]
    shared: bool,
    /// Security label of the programme, such as 42CFRPart2; may be repeated
    #[arg(long = "label", value_name = "CODE")]
    labels: Vec<String>,
    /// End the device's other bindings at the same instant
    #[arg(long)]
    instead: bool,
}

#[derive(Args, Debug)]
pub(super) struct BindPermit {
    /// Patient at a destination, such as clinic=Patient/123
    #[arg(value_parser = patient, value_name = "DESTINATION=ID")]
    patient: (String, String),
    /// What was taken before is not ordered
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    order_from: Option<Timestamp>,
    /// What is taken from then on is not ordered; "never" takes an end back
    #[arg(long, value_parser = end, value_name = "INSTANT")]
    order_until: Option<Timestamp>,
    /// The patient consents to what is taken from then on
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    consent_from: Option<Timestamp>,
    /// A revocation: nothing taken from then on leaves; "never" takes an end back
    #[arg(long, value_parser = end, value_name = "INSTANT")]
    consent_until: Option<Timestamp>,
}

#[derive(Subcommand, Debug)]
pub(super) enum Outbox {
    /// Rows by state
    #[command(after_help = STATES)]
    List {
        /// Only those of this destination
        #[arg(long, value_name = "NAME")]
        destination: Option<String>,
        /// Only those in this state
        #[arg(long)]
        state: Option<String>,
    },
    /// One row, with its attempts and the record's words
    Show {
        /// As `hearth outbox list` shows it
        #[arg(value_parser = row, value_name = "ROW")]
        row: i64,
    },
    /// Send again what was parked, or what waits for its time
    Retry {
        /// As `hearth outbox list` shows them
        #[arg(required_unless_present = "all", value_parser = row, value_name = "ROW")]
        rows: Vec<i64>,
        /// Everything that is parked
        #[arg(long, conflicts_with = "rows")]
        all: bool,
    },
    /// Stop sending a row
    Park {
        /// As `hearth outbox list` shows it
        #[arg(value_parser = row, value_name = "ROW")]
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

const STATES: &str = "\
States:
  waiting     goes when its time comes
  in-doubt    may be in the record already; looked for before it goes again
  parked      the record system refused it, or a person parked it: waits for a person
  withheld    order, consent or labels do not let it leave
  delivered   in the record
  unverified  accepted, without a word of where it is
  withdrawn   taken back before it was sent";

#[derive(Args, Debug)]
pub(super) struct Held {
    /// Only those held for longer, such as 24h or 3d; exits 1 if there are any
    #[arg(long, value_parser = duration, value_name = "AGE")]
    older_than: Option<SignedDuration>,
    /// Close a held record, by its row: for good, it will be nobody's reading
    #[arg(long, value_parser = row, value_name = "RECORD", conflicts_with_all = ["older_than", "close_sealed"])]
    close: Option<i64>,
    /// Close what a device remembers from before it was bound, all of it
    #[arg(long, value_parser = row, value_name = "DEVICE", conflicts_with = "older_than")]
    close_sealed: Option<i64>,
    /// Give a held record, by its row, to one of those to whom its device is bound
    #[arg(long, value_parser = row, value_name = "RECORD", requires = "patient", conflicts_with_all = ["older_than", "close", "close_sealed"])]
    give: Option<i64>,
    /// Whose it is, such as clinic=Patient/123
    #[arg(long, value_parser = patient, value_name = "DESTINATION=ID", requires = "give")]
    patient: Option<(String, String)>,
}

pub(super) fn row(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "give a row number, such as 3".into())
}

fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| {
        "give a date, a time and an offset, such as 2026-11-24T08:00:00Z, at most of the year 9998".into()
    })
}

/// An end, or that there is none.
fn end(text: &str) -> Result<Timestamp, String> {
    if text == "never" { Ok(Timestamp::MAX) } else { instant(text) }
}

fn patient(text: &str) -> Result<(String, String), String> {
    let (destination, id) =
        text.split_once('=').ok_or("give it as DESTINATION=ID, such as clinic=Patient/123")?;
    let id = id.strip_prefix("Patient/").unwrap_or(id);
    crate::intake::whose::patient_id(id)?;
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

impl Held {
    pub(super) fn request(&self) -> Request {
        if let (Some(record), Some(patient)) = (self.give, self.patient.clone()) {
            return Request::HeldGive { record, patient };
        }
        match (self.close, self.close_sealed) {
            (Some(record), _) => Request::HeldClose { record },
            (None, Some(device)) => Request::HeldCloseSealed { device },
            (None, None) => Request::Held { older_than_s: self.older_than.map(|d| d.as_secs()) },
        }
    }
}

impl Bind {
    pub(super) fn request(&self) -> Result<Request, Ending> {
        Ok(match self {
            Bind::List => Request::Bindings,
            Bind::Add(add) => Request::BindAdd(control::BindAdd {
                device: add.device,
                slot: add.slot,
                patient: add.patients()?,
                zone: add.zone.clone(),
                from: add.from,
                until: add.until,
                sole_use_attested_by: add.sole_use_attested_by.clone(),
                shared: add.shared,
                labels: add.labels.clone(),
                instead: add.instead,
            }),
            Bind::End { device, slot, patient, at } => {
                Request::BindEnd { device: *device, slot: *slot, patient: patient.clone(), at: *at }
            }
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
    pub(super) fn request(&self) -> Request {
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
