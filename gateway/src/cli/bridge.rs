//! `hearth bridge`: boards, and the firmware that they run.

use super::args::row;
use super::door::{self, Door};
use super::flash::{flash, flat};
use super::{Ending, Shown, exit, pins};
use crate::config::Config;
use crate::control::Request;
use crate::show::text;
use clap::Subcommand;
use data_encoding::{BASE64, HEXLOWER};
use hearth_core::bridge::image::{Signed, to_sign};
use hearth_wire::frame::image::Mark;
use indicatif::{ProgressBar, ProgressStyle};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Subcommand, Debug)]
pub(super) enum Bridge {
    /// All bridges that were ever met, and the lines on which they are looked for
    List,
    /// What a bridge says of itself
    Info {
        /// Its row, as `hearth bridge list` shows it
        #[arg(value_parser = row)]
        bridge: i64,
    },
    /// What a bridge has said to a technician since the hub was started, the latest first
    Logs {
        /// Its row, as `hearth bridge list` shows it
        #[arg(value_parser = row)]
        bridge: i64,
    },
    /// Start a bridge anew; what it keeps stays
    Reset {
        /// Its row, as `hearth bridge list` shows it
        #[arg(value_parser = row, required_unless_present = "line")]
        bridge: Option<i64>,
        /// By its pins, also where nobody talks on this line of [hub] bridges
        #[arg(long, value_name = "PATH", conflicts_with = "bridge")]
        line: Option<PathBuf>,
        /// Have its chip start the bootloader of its own, to flash it
        #[arg(long, requires = "line")]
        bootloader: bool,
    },
    /// Tell a wired scale what a mass is: first with nothing on it, then with a known mass
    Calibrate {
        /// Its row, as `hearth bridge list` shows it; without it the scale that is wired to the hub itself
        #[arg(value_parser = row)]
        bridge: Option<i64>,
        /// Nothing lies on the scale
        #[arg(long, required_unless_present = "mass", conflicts_with = "mass")]
        empty: bool,
        /// So many kilograms lie on it, 2 to 300
        #[arg(long, value_name = "KG", value_parser = grams)]
        mass: Option<u32>,
    },
    /// Flash a board that has no firmware of ours yet, by the disk that it shows, or over its line; afterwards `hearth bridge update` does it
    Flash {
        /// The board's bootloader and its firmware, as cargo built them; over a line the firmware alone
        #[arg(value_name = "FILE", required = true, num_args = 1..=2)]
        files: Vec<PathBuf>,
        /// An ESP32-C3, which has its maker's bootloader, is on this line
        #[arg(long, value_name = "PATH", conflicts_with_all = ["disk", "out"])]
        line: Option<PathBuf>,
        /// Where the board's disk is mounted, if that is not found by itself
        #[arg(long, value_name = "FOLDER")]
        disk: Option<PathBuf>,
        /// Write a file that can be copied onto the board
        #[arg(long, value_name = "FILE", conflicts_with = "disk")]
        out: Option<PathBuf>,
    },
    /// Give a bridge a new firmware: it is tried, and the bridge goes back by itself to the one before if it does not hold
    Update {
        /// Its row, as `hearth bridge list` shows it
        #[arg(value_parser = row)]
        bridge: i64,
        /// What `hearth bridge sign` made
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Take an older version, or the same again
        #[arg(long)]
        force: bool,
    },
    /// Sign a firmware as it was built, so that bridges take it
    Sign {
        /// As cargo built it, or a flat image of it
        #[arg(value_name = "FIRMWARE")]
        firmware: PathBuf,
        /// A private key: Ed25519, PKCS#8 in PEM, as `hearth bridge key` makes it
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Where to write it; by its board and version, if not given
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show the public half of a key, as firmware is built with it; make the key if there is none
    Key {
        /// The private key
        #[arg(value_name = "FILE")]
        key: PathBuf,
    },
}

impl Bridge {
    pub(super) fn run(
        &self,
        config: impl FnOnce() -> Result<Config, Ending>,
        json: bool,
    ) -> Result<Shown, Ending> {
        match self {
            Bridge::List => door::ask(&config()?, Request::Bridges),
            Bridge::Info { bridge } => door::ask(&config()?, Request::BridgeInfo { bridge: *bridge }),
            Bridge::Logs { bridge } => door::ask(&config()?, Request::BridgeLogs { bridge: *bridge }),
            Bridge::Reset { line: Some(line), bootloader, .. } => pins::reset(&config()?, line, *bootloader),
            Bridge::Reset { bridge, .. } => {
                door::ask(&config()?, Request::BridgeReset { bridge: bridge.unwrap_or_default() })
            }
            Bridge::Calibrate { bridge, mass, .. } => {
                let grams = mass.unwrap_or_default();
                door::ask(&config()?, Request::BridgeCalibrate { bridge: *bridge, grams })
            }
            Bridge::Update { bridge, file, force } => update(&config()?, *bridge, file, *force, json),
            Bridge::Flash { files, line, disk, out } => match (&files[..], line) {
                ([boot, firmware], None) => flash(boot, firmware, disk.as_deref(), out.as_deref()),
                ([firmware], Some(line)) => over_a_line(firmware, line, json),
                (_, None) => Err(Ending::new(
                    exit::USAGE,
                    "name the board's bootloader, then its firmware; an ESP32-C3 has its maker's: name its line by --line",
                )),
                (_, Some(_)) => {
                    Err(Ending::new(exit::USAGE, "over a line goes the firmware alone: name that"))
                }
            },
            Bridge::Sign { firmware, key, out } => sign(firmware, key, out.as_deref()),
            Bridge::Key { key } => show_key(key),
        }
    }
}

/// Kilograms with up to three decimals, as grams.
fn grams(kilograms: &str) -> Result<u32, String> {
    let wrong =
        || "a mass in kilograms, from 2 to 300, with up to three decimals, as in 20 or 19.985".to_owned();
    let (whole, parts) = kilograms.split_once('.').unwrap_or((kilograms, ""));
    let are_digits = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if parts.len() > 3 || !are_digits(whole) || !are_digits(parts) {
        return Err(wrong());
    }
    let number: u32 = format!("{whole}{parts:0<3}").parse().map_err(|_| wrong())?;
    if (2_000..=300_000).contains(&number) { Ok(number) } else { Err(wrong()) }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Ending> {
    std::fs::read(path).map_err(|e| Ending::new(exit::NOINPUT, format!("{}: {e}", path.display())))
}

/// No file is written over: somebody may need it.
pub(super) fn write(path: &Path, octets: &[u8], mode: u32) -> Result<(), Ending> {
    let mut file = OpenOptions::new();
    let written = file.write(true).create_new(true).mode(mode).open(path).and_then(|mut file| {
        file.write_all(octets)?;
        file.sync_all()
    });
    written.map_err(|e| {
        let why = match e.kind() {
            ErrorKind::AlreadyExists => {
                "it is there already, and is not written over; name another, or move it".to_owned()
            }
            _ => e.to_string(),
        };
        Ending::new(exit::CANTCREAT, format!("{}: {why}", path.display()))
    })
}

fn bar(length: u64, how_far: &str, json: bool) -> ProgressBar {
    let bar = if json { ProgressBar::hidden() } else { ProgressBar::new(length) };
    let style = ProgressStyle::with_template(&format!("{{bar:40}} {how_far}, {{eta}} left  {{msg}}"));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

#[cfg(feature = "esp")]
fn over_a_line(firmware: &Path, line: &Path, json: bool) -> Result<Shown, Ending> {
    super::esp::flash(firmware, line, &bar(0, "{pos} of {len} blocks", json))
}

#[cfg(not(feature = "esp"))]
fn over_a_line(_: &Path, _: &Path, _: bool) -> Result<Shown, Ending> {
    Err(Ending::new(
        exit::UNAVAILABLE,
        "this build flashes no board over a line: build it with `--features esp`",
    ))
}

fn update(config: &Config, bridge: i64, path: &Path, forced: bool, json: bool) -> Result<Shown, Ending> {
    let file = read(path)?;
    let wrong = |why| Ending::new(exit::DATAERR, format!("{}: {why}", path.display()));
    // What is wrong with the file is said before anybody is asked.
    let image = Signed::read(&file).map_err(wrong)?;
    let bar = bar(image.octets.len() as u64, "{bytes} of {total_bytes}", json);
    let mut door = Door::open(config)?;
    let file = BASE64.encode(&file);
    let mut shown = door.ask(Request::BridgeUpdate { bridge, file, forced })?;
    loop {
        let step = shown.rows.first().cloned().unwrap_or_default();
        match text(&step, "step") {
            "sent" => bar.set_position(step.get("sent").and_then(|sent| sent.as_u64()).unwrap_or_default()),
            "restarts" => {
                bar.set_message("the bridge starts it");
                bar.enable_steady_tick(Duration::from_millis(200));
            }
            _ => {
                bar.finish_and_clear();
                let said = format!("Bridge {bridge} runs firmware {}.", text(&step, "firmware"));
                return Ok(Shown { said: Some(said), ..shown });
            }
        }
        shown = door.ask(Request::BridgeUpdateNext)?;
    }
}

/// A private key.
fn key(path: &Path) -> Result<Ed25519KeyPair, Ending> {
    let wrong = |why: &str| Ending::new(exit::DATAERR, format!("{}: {why}", path.display()));
    let pem = read(path)?;
    let key = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|_| wrong("it has no private key in PEM"))?;
    // openssl leaves the public half out.
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_pkcs8_der())
        .map_err(|_| wrong("its key is not Ed25519; `hearth bridge key` makes one"))
}

fn show_key(path: &Path) -> Result<Shown, Ending> {
    let is_new = !path.exists();
    if is_new {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        let made = made.map_err(|_| Ending::new(exit::IOERR, "the system has no random numbers"))?;
        let lines = BASE64.encode(made.as_ref());
        let lines: Vec<&str> =
            (0..lines.len()).step_by(64).map(|at| &lines[at..lines.len().min(at + 64)]).collect();
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
        write(path, pem.as_bytes(), 0o600)?;
    }
    let public = HEXLOWER.encode(key(path)?.public_key().as_ref());
    let made = if is_new {
        format!(
            "Made {}. Whoever has it can give any bridge any firmware: keep it off hubs.\n",
            path.display()
        )
    } else {
        String::new()
    };
    let said = format!("{made}Build with HEARTH_UPDATE_KEY={public}");
    let row = crate::show::Fields::from_iter([("public_key".to_owned(), public.into())]);
    Ok(Shown { said: Some(said), ..Shown::fields(row) })
}

fn sign(firmware: &Path, key_file: &Path, out: Option<&Path>) -> Result<Shown, Ending> {
    let wrong = |why: String| Ending::new(exit::DATAERR, format!("{}: {why}", firmware.display()));
    let octets = flat(read(firmware)?).map_err(|why| wrong(why.to_owned()))?;
    let to_sign = to_sign(&octets).map_err(|why| wrong(why.to_string()))?;
    let signature = key(key_file)?.sign(&to_sign);
    let mark = Mark::find(&octets).ok_or_else(|| wrong("it is no firmware of a bridge".into()))?;
    let (board, version) = (mark.board.to_owned(), mark.version);
    let signature = signature.as_ref().try_into().map_err(|_| wrong("it can't be signed".into()))?;
    let name = PathBuf::from(format!("{board}-{version}.hearth"));
    let out = out.unwrap_or(&name);
    let size = octets.len();
    write(out, &Signed { board: board.clone(), version, octets, signature }.write(), 0o644)?;
    let said = format!("{}: firmware {version} for {board}, {size} octets.", out.display());
    let row = [
        ("file".to_owned(), out.display().to_string().into()),
        ("board".to_owned(), board.into()),
        ("firmware".to_owned(), version.to_string().into()),
        ("octets".to_owned(), size.into()),
    ];
    Ok(Shown { said: Some(said), ..Shown::fields(row.into_iter().collect()) })
}

#[cfg(test)]
mod tests {
    use super::grams;

    #[test]
    fn a_mass_is_in_kilograms() {
        for (said, means) in
            [("20", 20_000), ("19.985", 19_985), ("2.0", 2_000), ("300", 300_000), ("02.5", 2_500)]
        {
            assert_eq!(grams(said), Ok(means), "{said}");
        }
        for said in ["", ".", "1.999", "300.001", "20,5", "-20", "+20", "2e1", "20.0001", "99999999999"] {
            assert!(grams(said).is_err(), "{said}");
        }
    }
}
