use super::{Peer, Place, TimeOfDay, Version};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// What the hub says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ToBridge<'a> {
    /// It has just found the bridge, or itself started: it is answered by the bridge's Hello, and all that is not acknowledged.
    Hello {
        protocol: u8,
    },
    /// All records up to this one are committed, and may be forgotten.
    Acknowledge {
        up_to: Place,
    },
    /// The bridge has no epoch: its next one is this, and each start counts on. The hub gives one that this bridge never had.
    Adopt {
        token: u16,
        epoch: u32,
    },
    AskTime {
        token: u16,
    },
    /// A part of the configuration with this CRC-32, from this octet of so many. It holds when all have come.
    Configure {
        token: u16,
        digest: u32,
        from: u16,
        of: u16,
        octets: &'a [u8],
    },
    /// Tell what is heard, for so many seconds.
    Look {
        token: u16,
        seconds: u16,
    },
    Pair {
        token: u16,
        peer: Peer,
    },
    /// A person's answer while pairing: six digits; or, of digits that were to be compared, 1 for yes. `None`: they gave up.
    Digits {
        token: u16,
        digits: Option<u32>,
    },
    Unpair {
        token: u16,
        peer: Peer,
    },
    /// An image follows: so many octets, for this kind of board, of this version.
    Update {
        token: u16,
        size: u32,
        version: Version,
        forced: bool,
        board: &'a str,
    },
    /// Octets of the image, in order, from this one on.
    Image {
        token: u16,
        from: u32,
        octets: &'a [u8],
    },
    /// The image is complete: its Ed25519 signature. If it is right, the bridge starts it on trial.
    Start {
        token: u16,
        signature: [u8; 64],
    },
    /// The firmware that is on trial is good.
    Confirm {
        token: u16,
    },
    Restart {
        token: u16,
    },
    /// A technician says that so many grams lie on the board's scale; 0: nothing does.
    Calibrate {
        token: u16,
        grams: u32,
    },
    /// For the clocks that the configuration has set.
    TimeOfDay {
        token: u16,
        time: TimeOfDay,
    },
    /// A kind that a later version has.
    Other {
        kind: u8,
        octets: &'a [u8],
    },
}

/// For [`ToBridge::Digits`]: a number that six digits can't be.
const GAVE_UP: u32 = u32::MAX;

impl<'a> ToBridge<'a> {
    const HELLO: u8 = 1;
    const ACKNOWLEDGE: u8 = 2;
    const ADOPT: u8 = 3;
    const ASK_TIME: u8 = 4;
    const CONFIGURE: u8 = 5;
    const LOOK: u8 = 6;
    const PAIR: u8 = 7;
    const DIGITS: u8 = 8;
    const UNPAIR: u8 = 9;
    const UPDATE: u8 = 10;
    const IMAGE: u8 = 11;
    const START: u8 = 12;
    const CONFIRM: u8 = 13;
    const RESTART: u8 = 14;
    const CALIBRATE: u8 = 15;
    const TIME_OF_DAY: u8 = 16;

    pub fn decode(octets: &'a [u8]) -> Result<Decoded<'a, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let kind = reader.u8("kind")?;
        // Every request begins with its token.
        let token = |reader: &mut Reader<'a>| reader.u16("token");
        let frame = match kind {
            ToBridge::HELLO => ToBridge::Hello { protocol: reader.u8("protocol")? },
            ToBridge::ACKNOWLEDGE => ToBridge::Acknowledge { up_to: Place::read(&mut reader)? },
            ToBridge::ADOPT => ToBridge::Adopt { token: token(&mut reader)?, epoch: reader.u32("epoch")? },
            ToBridge::ASK_TIME => ToBridge::AskTime { token: token(&mut reader)? },
            ToBridge::CONFIGURE => ToBridge::Configure {
                token: token(&mut reader)?,
                digest: reader.u32("digest")?,
                from: reader.u16("from")?,
                of: reader.u16("of")?,
                octets: reader.sized("configuration")?,
            },
            ToBridge::LOOK => ToBridge::Look { token: token(&mut reader)?, seconds: reader.u16("seconds")? },
            ToBridge::PAIR => ToBridge::Pair { token: token(&mut reader)?, peer: Peer::read(&mut reader)? },
            ToBridge::DIGITS => ToBridge::Digits {
                token: token(&mut reader)?,
                digits: Some(reader.u32("digits")?).filter(|digits| *digits != GAVE_UP),
            },
            ToBridge::UNPAIR => {
                ToBridge::Unpair { token: token(&mut reader)?, peer: Peer::read(&mut reader)? }
            }
            ToBridge::UPDATE => ToBridge::Update {
                token: token(&mut reader)?,
                size: reader.u32("size")?,
                version: Version::read(&mut reader)?,
                forced: reader.u8("forced")? != 0,
                board: reader.text("board")?,
            },
            ToBridge::IMAGE => ToBridge::Image {
                token: token(&mut reader)?,
                from: reader.u32("from")?,
                octets: reader.sized("image")?,
            },
            ToBridge::START => {
                ToBridge::Start { token: token(&mut reader)?, signature: reader.octets("signature")? }
            }
            ToBridge::CONFIRM => ToBridge::Confirm { token: token(&mut reader)? },
            ToBridge::RESTART => ToBridge::Restart { token: token(&mut reader)? },
            ToBridge::CALIBRATE => {
                ToBridge::Calibrate { token: token(&mut reader)?, grams: reader.u32("grams")? }
            }
            ToBridge::TIME_OF_DAY => {
                ToBridge::TimeOfDay { token: token(&mut reader)?, time: TimeOfDay::read(&mut reader)? }
            }
            kind => ToBridge::Other { kind, octets: reader.rest() },
        };
        Ok(reader.done(frame))
    }

    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        let mut begin = |kind: u8, token: u16| {
            writer.u8("kind", kind)?;
            writer.u16("token", token)
        };
        match *self {
            ToBridge::Hello { protocol } => {
                writer.u8("kind", ToBridge::HELLO)?;
                writer.u8("protocol", protocol)?;
            }
            ToBridge::Acknowledge { up_to } => {
                writer.u8("kind", ToBridge::ACKNOWLEDGE)?;
                up_to.write(&mut writer)?;
            }
            ToBridge::Adopt { token, epoch } => {
                begin(ToBridge::ADOPT, token)?;
                writer.u32("epoch", epoch)?;
            }
            ToBridge::AskTime { token } => begin(ToBridge::ASK_TIME, token)?,
            ToBridge::Configure { token, digest, from, of, octets } => {
                begin(ToBridge::CONFIGURE, token)?;
                writer.u32("digest", digest)?;
                writer.u16("from", from)?;
                writer.u16("of", of)?;
                writer.sized("configuration", octets)?;
            }
            ToBridge::Look { token, seconds } => {
                begin(ToBridge::LOOK, token)?;
                writer.u16("seconds", seconds)?;
            }
            ToBridge::Pair { token, peer } => {
                begin(ToBridge::PAIR, token)?;
                peer.write(&mut writer)?;
            }
            ToBridge::Digits { token, digits } => {
                begin(ToBridge::DIGITS, token)?;
                writer.u32("digits", digits.unwrap_or(GAVE_UP))?;
            }
            ToBridge::Unpair { token, peer } => {
                begin(ToBridge::UNPAIR, token)?;
                peer.write(&mut writer)?;
            }
            ToBridge::Update { token, size, version, forced, board } => {
                begin(ToBridge::UPDATE, token)?;
                writer.u32("size", size)?;
                version.write(&mut writer)?;
                writer.u8("forced", forced.into())?;
                writer.sized("board", board.as_bytes())?;
            }
            ToBridge::Image { token, from, octets } => {
                begin(ToBridge::IMAGE, token)?;
                writer.u32("from", from)?;
                writer.sized("image", octets)?;
            }
            ToBridge::Start { token, signature } => {
                begin(ToBridge::START, token)?;
                writer.octets("signature", &signature)?;
            }
            ToBridge::Confirm { token } => begin(ToBridge::CONFIRM, token)?,
            ToBridge::Restart { token } => begin(ToBridge::RESTART, token)?,
            ToBridge::Calibrate { token, grams } => {
                begin(ToBridge::CALIBRATE, token)?;
                writer.u32("grams", grams)?;
            }
            ToBridge::TimeOfDay { token, time } => {
                begin(ToBridge::TIME_OF_DAY, token)?;
                time.write(&mut writer)?;
            }
            ToBridge::Other { kind, octets } => {
                writer.u8("kind", kind)?;
                writer.octets("octets", octets)?;
            }
        }
        Ok(writer.done())
    }
}
