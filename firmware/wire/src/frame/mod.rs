//! What a bridge and its hub say to each other.
//!
//! A frame's content is one octet that says its kind, and its fields, little-endian. Two rules let an old hub and a new bridge, or a
//! new hub and an old bridge, live together: fields are only ever added at a frame's end, where an older reader leaves them alone, and
//! a kind that a reader does not know is handed on as [`ToHub::Other`], [`ToBridge::Other`] or [`said::What::Other`], to be named and
//! passed over. What both must know for that, they tell in their Hello; [`PROTOCOL`] changes only if that does not suffice any more.
//!
//! The conversation. Whoever starts says Hello. The bridge then tells its records from the first that nobody acknowledged on, in the
//! order of their numbers, and the hub acknowledges what it has committed: all up to one. What was told and not acknowledged in
//! time is told again. A record's origin (bridge, epoch, number) is given once, so that telling twice is no doubling. The hub's
//! requests carry a token, and each is answered by [`ToHub::Done`] with that token.

use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, NoRoom};

pub mod image;
pub mod line;
mod peer;
pub mod plan;
pub mod said;
mod time_of_day;
mod to_bridge;
mod to_hub;

pub use peer::{AddressKind, Peer};
pub use time_of_day::TimeOfDay;
pub use to_bridge::ToBridge;
pub use to_hub::{Capabilities, Heard, Hello, Level, Outcome, Prompt, Standing, ToHub};

/// The version of these rules that this crate speaks.
pub const PROTOCOL: u8 = 1;

/// Which of a bridge's records: no other has its place. Ordered as they were made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// The bridge's count of its starts. 0: none yet, and so before every record.
    pub epoch: u32,
    /// From 1 in each epoch.
    pub number: u32,
}

/// Milliseconds since the bridge's start, in its epoch. On the wire six octets: nine thousand years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Ticks(pub u64);

impl Ticks {
    /// So many milliseconds after this one.
    #[must_use]
    pub fn later(self, ms: u64) -> Ticks {
        Ticks(self.0.saturating_add(ms))
    }
}

/// A bridge's own name: an EUI-64, from what its chip calls itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BridgeId(pub [u8; 8]);

/// A firmware's version, as in `1.4.2`. Ordered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version {
    pub major: u16,
    pub minor: u16,
    pub patch: u16,
}

impl core::fmt::Display for Version {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Place {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { epoch: reader.u32("epoch")?, number: reader.u32("number")? })
    }

    fn write(self, writer: &mut Writer<'_>) -> Result<(), NoRoom> {
        writer.u32("epoch", self.epoch)?;
        writer.u32("number", self.number)
    }
}

impl Version {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            major: reader.u16("version")?,
            minor: reader.u16("version")?,
            patch: reader.u16("version")?,
        })
    }

    fn write(self, writer: &mut Writer<'_>) -> Result<(), NoRoom> {
        let Version { major, minor, patch } = self;
        [major, minor, patch].into_iter().try_for_each(|part| writer.u16("version", part))
    }
}

#[cfg(test)]
mod tests;
