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
//! The file is read twice: first to learn which devices it tells of, who is named and when it was, then to write. So a
//! profile says of its device's octets what they mean (its clock's odd years, fields in another order), and a name that
//! stands in a maker's own words is replaced there too, even before it is told.
//!
//! Times: a reading's own stamp tells the day as well as the record's time does, so both are moved by one whole
//! number of days, the same in the whole file: whole weeks, near one to eight years, forward, so that nobody takes the
//! readings for those that were. Values stay digit for digit, and so does every distance between two times. Of those
//! eight that is taken by which everything is judged as before: clocks of a zone that the file names are set forward and
//! back between the same readings, no stamp comes into a year that its profile takes for an unset clock, and none beyond
//! what its octets can tell. A stamp in such a year stays, unless the file tells what that clock shows. What is no date
//! stays none, of another year. What remains is when in the year and at what time of day something was measured, in
//! which zone, the models, and the values themselves: the log names nobody, and is still about somebody.
//!
//! The result is read again and searched for every address (both orders, and as text), serial number, System ID and
//! name of the original before anybody gets it. Not searched for, but replaced all the same: texts of less than six
//! octets, and in octets an address of which four are alike (as text it is). A name that the maker's own words hold (a model
//! advertised as itself) is nobody's.

mod devices;
mod log;
mod mask;
mod search;
mod stamps;
#[cfg(test)]
mod tests;
mod text;
mod values;

use super::{Flaw, Format, Options, Place};
use crate::scratch::Scratch;
use devices::Devices;
use hearth_core::profile::Catalog;
use mask::Mask;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};

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
    /// Stamps that are not moved: of clocks that were never set, or beyond what their octets can tell.
    pub stayed: u64,
    /// Days of the log on which clocks, or a profile's odd years, fare differently after the move: what lies there may be
    /// judged otherwise.
    pub different: usize,
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

/// Reads any file that [`super::lines`] reads and writes one of the same format that may be shared. `catalog`: what the
/// devices' octets mean, and by which names models are known.
///
/// The writer gets octets only once all of them were searched; until then they lie in a folder of our own.
pub fn redact(
    reader: impl Read + Seek,
    writer: &mut impl Write,
    options: &Options,
    catalog: &Catalog,
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
    with_key(key, reader, writer, options, catalog)
}

pub(crate) fn with_key(
    key: [u8; 32],
    mut reader: impl Read + Seek,
    writer: &mut impl Write,
    options: &Options,
    catalog: &Catalog,
) -> Result<Redacted, RedactError> {
    let mut first = vec![];
    reader.by_ref().take(8).read_to_end(&mut first).map_err(io)?;
    let format = super::sniff(&first);
    let mut mask = Mask::new(key, catalog);
    let mut devices = Devices::new();
    let mut read = |writer: &mut dyn Write, mask: &mut Mask, devices: &mut Devices| {
        reader.seek(SeekFrom::Start(0)).map_err(io)?;
        let reader = BufReader::new(&mut reader);
        match format {
            Format::Lines => text::write(reader, writer, mask, devices),
            _ => log::write(reader, writer, mask, devices, options),
        }
    };
    read(&mut std::io::sink(), &mut mask, &mut devices)?;
    let (days, different) = devices.settle(catalog, &mask);
    (mask.days, mask.learns, mask.stayed) = (days, false, 0);

    let scratch = Scratch::new("redact").map_err(|ending| RedactError::Io(ending.said))?;
    let file = scratch.folder().join("log");
    let mut out = BufWriter::new(std::fs::File::create(&file).map_err(io)?);
    let mut redacted = read(&mut out, &mut mask, &mut devices)?;
    out.flush().map_err(io)?;
    drop(out);
    (redacted.different, redacted.stayed) = (different, mask.stayed);
    let open = || std::fs::File::open(&file).map(BufReader::new).map_err(io);
    let wanted = mask.wanted();
    if format == Format::Lines {
        text::look_again(open()?, &wanted)?;
    } else {
        if let Some((what, offset)) = search::search(open()?, &wanted).map_err(io)? {
            return Err(RedactError::Leak { what, offset });
        }
        log::look_again(open()?, &mask, options)?;
    }
    std::io::copy(&mut open()?, writer).map_err(io)?;
    writer.flush().map_err(io)?;
    Ok(redacted)
}
