//! A log that may be shared: made anew of what is understood, with nobody in it.
//!
//! Octets go through only if this reader knows what they are and that they name nobody; the rest of a record is
//! zeros, and a record of which nothing is known is left out. So are free texts: notes and comments of news, the
//! host's own notes in a btmon log.
//!
//! Replaced, the same by the same and with the same length: device addresses (the bits that tell their kind stay),
//! serial numbers, System IDs, names, and in news the ids of patients, who attested, the recorder and what the file
//! calls its devices. Pseudonyms come from a hash with a random key that nobody keeps: they can't be turned back, and
//! two runs give two sets. Zeros: keys and all that pairing carries, commands' and events' unknown fields, values of
//! handles without a characteristic and of characteristics that are not known here, what advertisements carry for
//! services and makers, checksums of the air (which no longer fit).
//!
//! Times: a reading's own stamp tells the day as well as the record's time does, so both are moved by one whole
//! number of days, the same in the whole file: a multiple of 364, so that weekdays stay and clocks are set forward
//! and back in the same week, and forward, so that nobody takes the readings for those that were. Values stay digit
//! for digit, and every distance between two times stays. A stamp from more than two calendar years before the
//! log is a clock that was never set (profiles know them by their year) and stays, as does what is no date. What
//! remains is when in the year and at what time of day something was measured, the models, and the values
//! themselves: the log names nobody, and is still about somebody.
//!
//! The result is read again and searched for every address (both orders, and as text), serial number, System ID and
//! name of the original before anybody gets it. Texts of less than six octets are looked for only where they would
//! stand. A name that the maker's own words hold (a model advertised as itself) is nobody's.

mod log;
mod mask;
mod search;
#[cfg(test)]
mod tests;
mod text;
mod values;

use super::{Flaw, Format, Options, Place};
use crate::scratch::Scratch;
use mask::Mask;
use std::io::{BufReader, BufWriter, Read, Write};

/// What became of a log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Redacted {
    /// Records or lines that were written.
    pub kept: u64,
    /// Records or lines of which nothing was understood, comments and empty lines included.
    pub left_out: u64,
    pub addresses: usize,
    /// Names, serial numbers, System IDs, ids of patients.
    pub texts: usize,
    /// The days by which times were moved.
    pub days: i64,
    /// Why the original could not be read to its end; what stands before is there.
    pub cut: Option<String>,
}

/// Why there is no log that may be shared. Nothing was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RedactError {
    /// The original is none that is read here.
    Log(Flaw),
    /// A file can't be read or written.
    Io(String),
    /// Too many devices to keep apart.
    Crowded(Place),
    /// The result still held something of the original.
    Leak { what: &'static str, offset: u64 },
}

impl std::fmt::Display for RedactError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RedactError::Log(flaw) => flaw.fmt(f),
            RedactError::Io(said) => f.write_str(said),
            RedactError::Crowded(place) => write!(
                f,
                "{place}: more than {} addresses or names; cut the log to the time that matters and redact that",
                mask::MOST
            ),
            RedactError::Leak { what, offset } => write!(
                f,
                "the redacted log would still hold {what} of the original at octet {offset}; nothing was written. \
                 Do not share this log: tell us what device it is, without it"
            ),
        }
    }
}

impl std::error::Error for RedactError {}

fn io(error: std::io::Error) -> RedactError {
    RedactError::Io(error.to_string())
}

/// Reads any file that [`super::lines`] reads and writes one of the same format that may be shared.
///
/// The writer gets octets only once all of them were searched; until then they lie in a folder of our own.
pub fn redact(
    reader: impl Read,
    writer: &mut impl Write,
    options: &Options,
) -> Result<Redacted, RedactError> {
    let mut key = [0; 32];
    let mut filled = 0;
    while let Some(rest) = key.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty()) {
            Ok(more) => filled += more,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(RedactError::Io(format!("the kernel gives no random octets: {error}"))),
        }
    }
    with_key(key, reader, writer, options)
}

pub(crate) fn with_key(
    key: [u8; 32],
    reader: impl Read,
    writer: &mut impl Write,
    options: &Options,
) -> Result<Redacted, RedactError> {
    let scratch = Scratch::new("redact").map_err(|ending| RedactError::Io(ending.said))?;
    let file = scratch.folder().join("log");
    let mut out = BufWriter::new(std::fs::File::create(&file).map_err(io)?);
    let (format, reader) = super::look(reader).map_err(io)?;
    let mut mask = Mask::new(key, options);
    let redacted = match format {
        Format::Lines => text::write(BufReader::new(reader), &mut out, &mut mask)?,
        _ => log::write(BufReader::new(reader), &mut out, &mut mask, options)?,
    };
    out.flush().map_err(io)?;
    drop(out);
    let open = || std::fs::File::open(&file).map(BufReader::new).map_err(io);
    if let Some((what, offset)) = search::search(open()?, &mask.wanted()).map_err(io)? {
        return Err(RedactError::Leak { what, offset });
    }
    if format != Format::Lines {
        log::look_again(open()?, &mask, options)?;
    }
    std::io::copy(&mut open()?, writer).map_err(io)?;
    writer.flush().map_err(io)?;
    Ok(redacted)
}
