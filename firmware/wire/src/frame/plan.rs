//! What a bridge does with its devices: the octets of [`super::ToBridge::Configure`], made on the hub from a device's profile.
//!
//! Layout: format u8, then entries until the end; each is its length u16, its kind u8, and what is of the kind. A kind of entry, and a
//! kind of step, that a bridge does not know is passed over.

use super::Peer;
use crate::crc::IsoHdlc;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, NoRoom};

/// The only format so far.
pub const FORMAT: u8 = 1;
/// So many devices a bridge brings: what comes after them is passed over.
pub const MOST_DEVICES: usize = 8;

/// What a configuration is told apart by. Never 0, which says that there is none.
pub fn digest(configuration: &[u8]) -> u32 {
    IsoHdlc::new().with(configuration).value().max(1)
}

/// A characteristic in its service. Service 0: in whichever it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub service: u16,
    pub characteristic: u16,
}

/// One device, and what is done in each conversation with it.
///
/// Layout: peer (7 octets), security u8, silence u16, then steps until the end: each is its kind u8, the length of what follows u8, and
/// that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device<'a> {
    pub peer: Peer,
    pub security: Security,
    /// Milliseconds without a word after which it has told all.
    pub silence_ms: u16,
    pub steps: Steps<'a>,
}

/// How safe the link has to be before anything is believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// As it is.
    Open,
    /// Encrypted by a bond.
    Bonded,
    /// And the bond came of a passkey, or of digits that were compared.
    Authenticated,
    Other(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Pause {
        ms: u16,
    },
    Subscribe(Place),
    /// A fact about the device, told as an answer.
    Read(Place),
    /// Told as a clock.
    ReadClock(Place),
    /// User Control Point: this user's code.
    Consent {
        place: Place,
        user: u8,
        code: u16,
    },
    /// Record Access Control Point: all records, or those from this sequence number on.
    Collect {
        place: Place,
        from: Option<u16>,
    },
    /// Until it falls silent.
    Drain,
    /// Date Time or Current Time, by the hub's clock ([`super::TimeOfDay`]): the device's is so many seconds ahead of UTC. `beyond_s`:
    /// only if it was seen to be off by more; else whatever it shows.
    SetClock {
        place: Place,
        ahead_s: i32,
        beyond_s: Option<u32>,
    },
}

/// What a configuration has. Each is [`Malformed`] at most once, and then the last.
#[derive(Clone, Copy, Debug)]
pub struct Entries<'a>(&'a [u8]);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Steps<'a>(&'a [u8]);

impl<'a> Steps<'a> {
    /// As they were [`Steps::octets`].
    pub fn of(octets: &'a [u8]) -> Self {
        Steps(octets)
    }

    /// Those that are still to come.
    pub fn octets(self) -> &'a [u8] {
        self.0
    }
}

const DEVICE: u8 = 1;

const PAUSE: u8 = 1;
const SUBSCRIBE: u8 = 2;
const READ: u8 = 3;
const READ_CLOCK: u8 = 4;
const CONSENT: u8 = 5;
const COLLECT: u8 = 6;
const DRAIN: u8 = 7;
const SET_CLOCK: u8 = 8;

impl<'a> Entries<'a> {
    /// The devices of a configuration.
    pub fn of(configuration: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(configuration)?;
        match reader.u8("format")? {
            FORMAT => Ok(Entries(reader.rest())),
            other => Err(Malformed::Unexpected { field: "format", at: 0, value: other.into() }),
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Device<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            let rest = core::mem::take(&mut self.0);
            let entry = Reader::new(rest).and_then(|mut reader| {
                let entry = reader.sized("entry")?;
                self.0 = reader.rest();
                Reader::new(entry).and_then(|mut entry| match entry.u8("kind")? {
                    DEVICE => Device::read(&mut entry).map(Some),
                    _ => Ok(None),
                })
            });
            match entry {
                Ok(None) => {}
                Ok(Some(device)) => return Some(Ok(device)),
                Err(malformed) => {
                    self.0 = &[];
                    return Some(Err(malformed));
                }
            }
        }
        None
    }
}

impl<'a> Device<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let device = Device {
            peer: Peer::read(reader)?,
            security: match reader.u8("security")? {
                0 => Security::Open,
                1 => Security::Bonded,
                2 => Security::Authenticated,
                other => Security::Other(other),
            },
            silence_ms: reader.u16("silence")?,
            steps: Steps(reader.rest()),
        };
        // Each of them is whole: whoever carries the plan out need not ask again.
        let mut steps = device.steps;
        steps.find_map(Result::err).map_or(Ok(device), Err)
    }
}

impl Iterator for Steps<'_> {
    type Item = Result<Step, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            let rest = core::mem::take(&mut self.0);
            let step = Reader::new(rest).and_then(|mut reader| {
                let kind = reader.u8("step")?;
                let length = reader.u8("length")?;
                let operands = reader.take("operands", length.into())?;
                self.0 = reader.rest();
                Step::read(kind, operands)
            });
            match step {
                Ok(None) => {}
                Ok(Some(step)) => return Some(Ok(step)),
                Err(malformed) => {
                    self.0 = &[];
                    return Some(Err(malformed));
                }
            }
        }
        None
    }
}

impl Step {
    /// `None`: of a kind that a later version has.
    fn read(kind: u8, operands: &[u8]) -> Result<Option<Self>, Malformed> {
        if kind == DRAIN {
            return Ok(Some(Step::Drain));
        }
        if !(PAUSE..=SET_CLOCK).contains(&kind) {
            return Ok(None);
        }
        let mut reader = Reader::new(operands)?;
        Ok(Some(match kind {
            PAUSE => Step::Pause { ms: reader.u16("pause")? },
            SUBSCRIBE => Step::Subscribe(Place::read(&mut reader)?),
            READ => Step::Read(Place::read(&mut reader)?),
            READ_CLOCK => Step::ReadClock(Place::read(&mut reader)?),
            CONSENT => Step::Consent {
                place: Place::read(&mut reader)?,
                user: reader.u8("user index")?,
                code: reader.u16("consent code")?,
            },
            COLLECT => Step::Collect {
                place: Place::read(&mut reader)?,
                from: if reader.is_empty() { None } else { Some(reader.u16("sequence number")?) },
            },
            _ => Step::SetClock {
                place: Place::read(&mut reader)?,
                ahead_s: reader.u32("seconds ahead")?.cast_signed(),
                beyond_s: if reader.is_empty() { None } else { Some(reader.u32("limit")?) },
            },
        }))
    }

    fn write(self, writer: &mut Writer<'_>) -> Result<(), NoRoom> {
        let mut begin = |kind: u8, length: u8| {
            writer.u8("step", kind)?;
            writer.u8("length", length)
        };
        match self {
            Step::Pause { ms } => {
                begin(PAUSE, 2)?;
                writer.u16("pause", ms)
            }
            Step::Subscribe(place) => begin(SUBSCRIBE, 4).and_then(|()| place.write(writer)),
            Step::Read(place) => begin(READ, 4).and_then(|()| place.write(writer)),
            Step::ReadClock(place) => begin(READ_CLOCK, 4).and_then(|()| place.write(writer)),
            Step::Consent { place, user, code } => {
                begin(CONSENT, 7)?;
                place.write(writer)?;
                writer.u8("user index", user)?;
                writer.u16("consent code", code)
            }
            Step::Collect { place, from } => {
                begin(COLLECT, if from.is_some() { 6 } else { 4 })?;
                place.write(writer)?;
                from.map_or(Ok(()), |number| writer.u16("sequence number", number))
            }
            Step::Drain => begin(DRAIN, 0),
            Step::SetClock { place, ahead_s, beyond_s } => {
                begin(SET_CLOCK, if beyond_s.is_some() { 12 } else { 8 })?;
                place.write(writer)?;
                writer.u32("seconds ahead", ahead_s.cast_unsigned())?;
                beyond_s.map_or(Ok(()), |limit| writer.u32("limit", limit))
            }
        }
    }
}

impl Place {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { service: reader.u16("service")?, characteristic: reader.u16("characteristic")? })
    }

    fn write(self, writer: &mut Writer<'_>) -> Result<(), NoRoom> {
        writer.u16("service", self.service)?;
        writer.u16("characteristic", self.characteristic)
    }
}

/// Writes a configuration, entry by entry.
#[derive(Debug)]
pub struct Plan<'b> {
    buffer: &'b mut [u8],
    at: usize,
}

impl<'b> Plan<'b> {
    pub fn new(buffer: &'b mut [u8]) -> Result<Self, NoRoom> {
        *buffer.first_mut().ok_or(NoRoom { field: "format" })? = FORMAT;
        Ok(Self { buffer, at: 1 })
    }

    /// One device more. If it has no room, nothing of it is there.
    pub fn device(
        &mut self,
        peer: Peer,
        security: Security,
        silence_ms: u16,
        steps: impl IntoIterator<Item = Step>,
    ) -> Result<(), NoRoom> {
        let (_, free) = self.buffer.split_at_mut(self.at);
        let (length, entry) = free.split_first_chunk_mut::<2>().ok_or(NoRoom { field: "entry" })?;
        let mut writer = Writer::new(entry);
        writer.u8("kind", DEVICE)?;
        peer.write(&mut writer)?;
        let security = match security {
            Security::Open => 0,
            Security::Bonded => 1,
            Security::Authenticated => 2,
            Security::Other(code) => code,
        };
        writer.u8("security", security)?;
        writer.u16("silence", silence_ms)?;
        steps.into_iter().try_for_each(|step| step.write(&mut writer))?;
        let written = writer.done().len();
        *length = u16::try_from(written).map_err(|_| NoRoom { field: "entry" })?.to_le_bytes();
        self.at += length.len() + written;
        Ok(())
    }

    pub fn done(self) -> &'b [u8] {
        self.buffer.split_at(self.at).0
    }
}

#[cfg(test)]
mod tests;
