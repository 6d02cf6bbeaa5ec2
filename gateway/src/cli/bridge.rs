//! `hearth bridge`: boards, and the firmware that they run.

use super::args::row;
use super::door::{self, Door};
use super::{Ending, Shown, exit};
use crate::config::Config;
use crate::control::Request;
use crate::show::text;
use clap::Subcommand;
use data_encoding::{BASE64, HEXLOWER};
use hearth_core::bridge::image::{Signed, to_sign};
use hearth_wire::frame::image::Mark;
use indicatif::{ProgressBar, ProgressStyle};
use object::read::elf::{ElfFile32, ProgramHeader as _};
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
        #[arg(value_parser = row)]
        bridge: i64,
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
            Bridge::Reset { bridge } => door::ask(&config()?, Request::BridgeReset { bridge: *bridge }),
            Bridge::Update { bridge, file, force } => update(&config()?, *bridge, file, *force, json),
            Bridge::Sign { firmware, key, out } => sign(firmware, key, out.as_deref()),
            Bridge::Key { key } => show_key(key),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Ending> {
    std::fs::read(path).map_err(|e| Ending::new(exit::NOINPUT, format!("{}: {e}", path.display())))
}

/// No file is written over: somebody may need it.
fn write(path: &Path, octets: &[u8], mode: u32) -> Result<(), Ending> {
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

fn update(config: &Config, bridge: i64, path: &Path, forced: bool, json: bool) -> Result<Shown, Ending> {
    let file = read(path)?;
    let wrong = |why| Ending::new(exit::DATAERR, format!("{}: {why}", path.display()));
    // What is wrong with the file is said before anybody is asked.
    let image = Signed::read(&file).map_err(wrong)?;
    let bar = if json { ProgressBar::hidden() } else { ProgressBar::new(image.octets.len() as u64) };
    let style = "{bar:40} {bytes} of {total_bytes}, {eta} left  {msg}";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
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

/// What is flashed of what a linker made: its segments, where they are in the flash. Of a flat image, all.
fn flat(firmware: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    if !firmware.starts_with(&object::elf::ELFMAG) {
        return Ok(firmware);
    }
    let wrong = "it is an ELF file, but not of a 32-bit board";
    let elf: ElfFile32<'_, object::Endianness> = ElfFile32::parse(&*firmware).map_err(|_| wrong)?;
    let endian = elf.endian();
    let mut segments: Vec<(u32, &[u8])> = vec![];
    for header in elf.elf_program_headers() {
        if header.p_type(endian) == object::elf::PT_LOAD && header.p_filesz(endian) > 0 {
            let octets = header.data(endian, &*firmware).map_err(|()| "it was cut off")?;
            segments.push((header.p_paddr(endian), octets));
        }
    }
    segments.sort_by_key(|(at, _)| *at);
    let first = segments.first().ok_or("it has nothing to flash")?.0;
    let mut image = vec![];
    for (at, octets) in segments {
        let from = (at - first) as usize;
        if from < image.len() || from > image.len() + MOST_BETWEEN {
            return Err("its parts do not lie beside each other in the flash");
        }
        // As erased flash reads.
        image.resize(from, 0xFF);
        image.extend_from_slice(octets);
    }
    Ok(image)
}

/// Octets between two segments: what a linker leaves for alignment.
const MOST_BETWEEN: usize = 4_096;

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
