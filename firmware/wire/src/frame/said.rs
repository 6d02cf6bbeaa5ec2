//! What a record of a bridge says. The bridge keeps it as these octets, and sends them as it kept them.

use super::{Peer, Ticks};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// So many octets go in a frame, beside its kind, two places and their length.
pub const LONGEST: usize = super::line::LONGEST - 19;

/// Something that a bridge heard, with who said it and when.
///
/// Layout: ticks u48, peer (7 octets), contact u32, kind u8, then what is of the kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Said<'a> {
    /// When it came. In the epoch of its place.
    pub at: Ticks,
    pub peer: Peer,
    /// The how-manieth conversation with a device in this epoch. 0: none, a wired sensor or an advertisement.
    pub contact: u32,
    pub what: What<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What<'a> {
    /// A measurement: the value of a characteristic, or an advertisement's service data by its service.
    Value { link: Link, characteristic: u16, octets: &'a [u8] },
    /// The bridge asked, and the device answered: its serial number, its features, its battery.
    Answer { characteristic: u16, octets: &'a [u8] },
    /// What the device's clock showed; asked at `asked`, and answered at the record's ticks.
    Clock { asked: Ticks, characteristic: u16, octets: &'a [u8] },
    /// A conversation is over.
    Ended { how: Ending, values: u16 },
    /// So many values that no device will tell again found no room, from the record's ticks on until `until`. 0: some, and the next
    /// one says how many; if none follows in this epoch, the bridge lost its power before it could.
    Lost { count: u32, until: Ticks },
    /// A kind that a later version has.
    Other { kind: u8, octets: &'a [u8] },
}

/// How the octets came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    Bonded,
    Open,
    /// Anybody in reach could have sent it.
    Broadcast,
    Wired,
    Other(u8),
}

/// How a conversation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The device told all it had to tell.
    Drained,
    /// The link was lost before.
    Lost,
    /// Not all that its memory counted has come.
    Short {
        counted: u16,
        came: u16,
    },
    /// It does not answer.
    Silent,
    /// It has no bond with this bridge any more.
    BondLost,
    /// It refused something, by this ATT error.
    Refused(u8),
    /// The bridge has no room: the device keeps what it has.
    NoRoom,
    Other(u8, [u8; 4]),
}

impl<'a> Said<'a> {
    pub fn decode(octets: &'a [u8]) -> Result<Decoded<'a, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let at = Ticks(reader.u48("ticks")?);
        let peer = Peer::read(&mut reader)?;
        let contact = reader.u32("contact")?;
        let what = match reader.u8("kind")? {
            What::VALUE => What::Value {
                link: Link::from(reader.u8("link")?),
                characteristic: reader.u16("characteristic")?,
                octets: reader.sized("value")?,
            },
            What::ANSWER => What::Answer {
                characteristic: reader.u16("characteristic")?,
                octets: reader.sized("answer")?,
            },
            What::CLOCK => What::Clock {
                asked: Ticks(reader.u48("asked")?),
                characteristic: reader.u16("characteristic")?,
                octets: reader.sized("clock")?,
            },
            What::ENDED => What::Ended {
                how: Ending::from(reader.octets("ending")?),
                values: reader.u16("number of values")?,
            },
            What::LOST => {
                What::Lost { count: reader.u32("number of values")?, until: Ticks(reader.u48("until")?) }
            }
            kind => What::Other { kind, octets: reader.rest() },
        };
        Ok(reader.done(Self { at, peer, contact, what }))
    }

    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.u48("ticks", self.at.0)?;
        self.peer.write(&mut writer)?;
        writer.u32("contact", self.contact)?;
        match self.what {
            What::Value { link, characteristic, octets } => {
                writer.u8("kind", What::VALUE)?;
                writer.u8("link", link.into())?;
                writer.u16("characteristic", characteristic)?;
                writer.sized("value", octets)?;
            }
            What::Answer { characteristic, octets } => {
                writer.u8("kind", What::ANSWER)?;
                writer.u16("characteristic", characteristic)?;
                writer.sized("answer", octets)?;
            }
            What::Clock { asked, characteristic, octets } => {
                writer.u8("kind", What::CLOCK)?;
                writer.u48("asked", asked.0)?;
                writer.u16("characteristic", characteristic)?;
                writer.sized("clock", octets)?;
            }
            What::Ended { how, values } => {
                writer.u8("kind", What::ENDED)?;
                writer.octets("ending", &<[u8; 5]>::from(how))?;
                writer.u16("number of values", values)?;
            }
            What::Lost { count, until } => {
                writer.u8("kind", What::LOST)?;
                writer.u32("number of values", count)?;
                writer.u48("until", until.0)?;
            }
            What::Other { kind, octets } => {
                writer.u8("kind", kind)?;
                writer.octets("octets", octets)?;
            }
        }
        Ok(writer.done())
    }
}

impl What<'_> {
    const VALUE: u8 = 1;
    const ANSWER: u8 = 2;
    const CLOCK: u8 = 3;
    const ENDED: u8 = 4;
    const LOST: u8 = 5;
}

impl From<u8> for Link {
    fn from(code: u8) -> Self {
        match code {
            0 => Link::Bonded,
            1 => Link::Open,
            2 => Link::Broadcast,
            3 => Link::Wired,
            other => Link::Other(other),
        }
    }
}

impl From<Link> for u8 {
    fn from(link: Link) -> Self {
        match link {
            Link::Bonded => 0,
            Link::Open => 1,
            Link::Broadcast => 2,
            Link::Wired => 3,
            Link::Other(other) => other,
        }
    }
}

/// A code, and four octets that say more of it.
impl From<[u8; 5]> for Ending {
    fn from([code, a, b, c, d]: [u8; 5]) -> Self {
        match code {
            0 => Ending::Drained,
            1 => Ending::Lost,
            2 => Ending::Short { counted: u16::from_le_bytes([a, b]), came: u16::from_le_bytes([c, d]) },
            3 => Ending::Silent,
            4 => Ending::BondLost,
            5 => Ending::Refused(a),
            6 => Ending::NoRoom,
            code => Ending::Other(code, [a, b, c, d]),
        }
    }
}

impl From<Ending> for [u8; 5] {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Drained => [0, 0, 0, 0, 0],
            Ending::Lost => [1, 0, 0, 0, 0],
            Ending::Short { counted, came } => {
                let ([a, b], [c, d]) = (counted.to_le_bytes(), came.to_le_bytes());
                [2, a, b, c, d]
            }
            Ending::Silent => [3, 0, 0, 0, 0],
            Ending::BondLost => [4, 0, 0, 0, 0],
            Ending::Refused(error) => [5, error, 0, 0, 0],
            Ending::NoRoom => [6, 0, 0, 0, 0],
            Ending::Other(code, [a, b, c, d]) => [code, a, b, c, d],
        }
    }
}
