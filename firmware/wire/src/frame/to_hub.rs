use super::{BridgeId, Peer, Place, Ticks, Version};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// What a bridge says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ToHub<'a> {
    Hello(Hello<'a>),
    /// Something that it keeps until it is acknowledged: [`super::said::Said`], as it keeps it. Between it and the one `after` which it
    /// comes the bridge has none: a hub that has not got that one has missed something, and a number between them is lost.
    Record {
        after: Place,
        place: Place,
        said: &'a [u8],
    },
    Heard(Heard<'a>),
    /// Pairing waits for a person. The hub answers with the token.
    Prompt {
        token: u16,
        what: Prompt,
    },
    /// What its bond with a device is worth. Said at each change, and of each after a Hello.
    Bond {
        peer: Peer,
        standing: Standing,
    },
    /// For a technician. Says no value, no name and no key.
    Log {
        at: Ticks,
        level: Level,
        text: &'a str,
    },
    /// Its clock, as asked: so that the hub knows when its ticks were.
    Time {
        token: u16,
        epoch: u32,
        now: Ticks,
    },
    /// A request was carried out, or not.
    Done {
        token: u16,
        outcome: Outcome<'a>,
    },
    /// A kind that a later version has.
    Other {
        kind: u8,
        octets: &'a [u8],
    },
}

/// Who it is, and how it stands. The first thing it says after its start, and the answer to the hub's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hello<'a> {
    pub protocol: u8,
    pub bridge: BridgeId,
    /// 0: it takes no records, since it was never adopted, or its memory is full.
    pub epoch: u32,
    /// Whether any hub has ever given it an epoch.
    pub is_adopted: bool,
    /// Up to this one all records are acknowledged, and gone: a hub that does not know them has lost them, or is another.
    pub acknowledged: Place,
    pub now: Ticks,
    pub firmware: Version,
    /// The firmware's name for its kind of board, as in `nrf52840`: images are for one.
    pub board: &'a str,
    pub can: Capabilities,
    /// Records that wait to be acknowledged.
    pub waiting: u32,
    /// CRC-32 of the configuration that it works by. 0: none.
    pub configuration: u32,
    /// Its firmware is new, and not confirmed yet: without a confirmation its next start is by the old one.
    pub on_trial: bool,
    /// It has gone back to this firmware from this newer one, which nobody confirmed. Zeros: it has not.
    pub reverted_from: Version,
}

/// What a board has. Bits that are not named here survive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Capabilities(pub u16);

impl Capabilities {
    pub const BLUETOOTH: Capabilities = Capabilities(1);
    pub const THERMOMETER: Capabilities = Capabilities(1 << 1);
    pub const SCALE: Capabilities = Capabilities(1 << 2);
    pub const UPDATE: Capabilities = Capabilities(1 << 3);

    #[must_use]
    pub fn has(self, other: Capabilities) -> bool {
        self.0 & other.0 == other.0
    }

    #[must_use]
    pub const fn and(self, other: Capabilities) -> Capabilities {
        Capabilities(self.0 | other.0)
    }
}

/// An advertisement, while the hub looks around.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard<'a> {
    pub at: Ticks,
    pub peer: Peer,
    /// dBm.
    pub rssi: i8,
    /// Its AD structures. Core Supplement, Part A.
    pub octets: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prompt {
    /// The device shows six digits: what are they?
    Enter,
    /// These six digits are to be typed on the device.
    Show(u32),
    /// Does the device show these six digits?
    Compare(u32),
    Other(u8, u32),
}

/// What a bond is worth, by what came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// There is none.
    Unpaired,
    /// Keys are there, and it was never tried.
    Fresh,
    /// The last link was encrypted by it.
    Good,
    /// The device has no key of this bridge any more.
    Stale,
    Other(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    Error,
    Warning,
    Info,
    Debug,
    Other(u8),
}

/// What became of a request. Codes that are not listed here survive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome<'a> {
    Good,
    /// The request is of a kind that this firmware does not know, or has not built in.
    Unknown,
    /// Something else is going on; try again.
    Busy,
    /// It cannot be, in words for a technician.
    Refused(&'a str),
    /// Its flash memory does not keep what is written.
    Flash,
    Other {
        code: u8,
        octets: &'a [u8],
    },
}

impl<'a> ToHub<'a> {
    const HELLO: u8 = 1;
    const RECORD: u8 = 2;
    const HEARD: u8 = 3;
    const PROMPT: u8 = 4;
    const BOND: u8 = 5;
    const LOG: u8 = 6;
    const TIME: u8 = 7;
    const DONE: u8 = 8;

    pub fn decode(octets: &'a [u8]) -> Result<Decoded<'a, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let frame = match reader.u8("kind")? {
            ToHub::HELLO => ToHub::Hello(Hello::read(&mut reader)?),
            ToHub::RECORD => ToHub::Record {
                after: Place::read(&mut reader)?,
                place: Place::read(&mut reader)?,
                said: reader.sized("record")?,
            },
            ToHub::HEARD => ToHub::Heard(Heard {
                at: Ticks(reader.u48("ticks")?),
                peer: Peer::read(&mut reader)?,
                rssi: reader.i8("signal strength")?,
                octets: reader.sized("advertisement")?,
            }),
            ToHub::PROMPT => ToHub::Prompt {
                token: reader.u16("token")?,
                what: match (reader.u8("prompt")?, reader.u32("digits")?) {
                    (0, _) => Prompt::Enter,
                    (1, digits) => Prompt::Show(digits),
                    (2, digits) => Prompt::Compare(digits),
                    (other, digits) => Prompt::Other(other, digits),
                },
            },
            ToHub::BOND => ToHub::Bond {
                peer: Peer::read(&mut reader)?,
                standing: match reader.u8("standing")? {
                    0 => Standing::Unpaired,
                    1 => Standing::Fresh,
                    2 => Standing::Good,
                    3 => Standing::Stale,
                    other => Standing::Other(other),
                },
            },
            ToHub::LOG => ToHub::Log {
                at: Ticks(reader.u48("ticks")?),
                level: match reader.u8("level")? {
                    0 => Level::Error,
                    1 => Level::Warning,
                    2 => Level::Info,
                    3 => Level::Debug,
                    other => Level::Other(other),
                },
                text: reader.text("text")?,
            },
            ToHub::TIME => ToHub::Time {
                token: reader.u16("token")?,
                epoch: reader.u32("epoch")?,
                now: Ticks(reader.u48("ticks")?),
            },
            ToHub::DONE => ToHub::Done {
                token: reader.u16("token")?,
                outcome: match reader.u8("outcome")? {
                    0 => Outcome::Good,
                    1 => Outcome::Unknown,
                    2 => Outcome::Busy,
                    3 => Outcome::Refused(reader.text("reason")?),
                    4 => Outcome::Flash,
                    code => Outcome::Other { code, octets: reader.rest() },
                },
            },
            kind => ToHub::Other { kind, octets: reader.rest() },
        };
        Ok(reader.done(frame))
    }

    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        match *self {
            ToHub::Hello(hello) => {
                writer.u8("kind", ToHub::HELLO)?;
                hello.write(&mut writer)?;
            }
            ToHub::Record { after, place, said } => {
                writer.u8("kind", ToHub::RECORD)?;
                after.write(&mut writer)?;
                place.write(&mut writer)?;
                writer.sized("record", said)?;
            }
            ToHub::Heard(Heard { at, peer, rssi, octets }) => {
                writer.u8("kind", ToHub::HEARD)?;
                writer.u48("ticks", at.0)?;
                peer.write(&mut writer)?;
                writer.i8("signal strength", rssi)?;
                writer.sized("advertisement", octets)?;
            }
            ToHub::Prompt { token, what } => {
                writer.u8("kind", ToHub::PROMPT)?;
                writer.u16("token", token)?;
                let (code, digits) = match what {
                    Prompt::Enter => (0, 0),
                    Prompt::Show(digits) => (1, digits),
                    Prompt::Compare(digits) => (2, digits),
                    Prompt::Other(code, digits) => (code, digits),
                };
                writer.u8("prompt", code)?;
                writer.u32("digits", digits)?;
            }
            ToHub::Bond { peer, standing } => {
                writer.u8("kind", ToHub::BOND)?;
                peer.write(&mut writer)?;
                let code = match standing {
                    Standing::Unpaired => 0,
                    Standing::Fresh => 1,
                    Standing::Good => 2,
                    Standing::Stale => 3,
                    Standing::Other(code) => code,
                };
                writer.u8("standing", code)?;
            }
            ToHub::Log { at, level, text } => {
                writer.u8("kind", ToHub::LOG)?;
                writer.u48("ticks", at.0)?;
                let code = match level {
                    Level::Error => 0,
                    Level::Warning => 1,
                    Level::Info => 2,
                    Level::Debug => 3,
                    Level::Other(code) => code,
                };
                writer.u8("level", code)?;
                writer.sized("text", text.as_bytes())?;
            }
            ToHub::Time { token, epoch, now } => {
                writer.u8("kind", ToHub::TIME)?;
                writer.u16("token", token)?;
                writer.u32("epoch", epoch)?;
                writer.u48("ticks", now.0)?;
            }
            ToHub::Done { token, outcome } => {
                writer.u8("kind", ToHub::DONE)?;
                writer.u16("token", token)?;
                match outcome {
                    Outcome::Good => writer.u8("outcome", 0)?,
                    Outcome::Unknown => writer.u8("outcome", 1)?,
                    Outcome::Busy => writer.u8("outcome", 2)?,
                    Outcome::Refused(reason) => {
                        writer.u8("outcome", 3)?;
                        writer.sized("reason", reason.as_bytes())?;
                    }
                    Outcome::Flash => writer.u8("outcome", 4)?,
                    Outcome::Other { code, octets } => {
                        writer.u8("outcome", code)?;
                        writer.octets("outcome", octets)?;
                    }
                }
            }
            ToHub::Other { kind, octets } => {
                writer.u8("kind", kind)?;
                writer.octets("octets", octets)?;
            }
        }
        Ok(writer.done())
    }
}

impl<'a> Hello<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            protocol: reader.u8("protocol")?,
            bridge: BridgeId(reader.octets("bridge")?),
            epoch: reader.u32("epoch")?,
            is_adopted: reader.u8("adopted")? != 0,
            acknowledged: Place::read(reader)?,
            now: Ticks(reader.u48("ticks")?),
            firmware: Version::read(reader)?,
            board: reader.text("board")?,
            can: Capabilities(reader.u16("capabilities")?),
            waiting: reader.u32("waiting")?,
            configuration: reader.u32("configuration")?,
            on_trial: reader.u8("on trial")? != 0,
            reverted_from: Version::read(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), NoRoom> {
        writer.u8("protocol", self.protocol)?;
        writer.octets("bridge", &self.bridge.0)?;
        writer.u32("epoch", self.epoch)?;
        writer.u8("adopted", self.is_adopted.into())?;
        self.acknowledged.write(writer)?;
        writer.u48("ticks", self.now.0)?;
        self.firmware.write(writer)?;
        writer.sized("board", self.board.as_bytes())?;
        writer.u16("capabilities", self.can.0)?;
        writer.u32("waiting", self.waiting)?;
        writer.u32("configuration", self.configuration)?;
        writer.u8("on trial", self.on_trial.into())?;
        self.reverted_from.write(writer)
    }
}
