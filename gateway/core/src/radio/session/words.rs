//! What goes into a session, and what comes out.

use super::plan::Place;
use crate::admit::End;
use crate::capture::Name;
use crate::identity::{Facts, Slot};
use crate::profile::{Collect, Via};
use crate::radio::Millis;
use crate::radio::bond::Evidence;
use crate::when::{Span, Stamp, ZoneName};
use hearth_wire::gatt::UserControlResult;
use hearth_wire::transfer::Outcome;
use jiff::{SignedDuration, Timestamp};

/// How long a scale has to answer a consent code.
pub(super) const CONSENT_MS: u64 = 5_000;
/// How long after its memory a meter may still tell what belongs to the last record.
const LINGER_MS: u64 = 1_000;

/// How long a device has nothing to say before it has told all. A meter was asked how many records it has.
pub(crate) fn lingers_ms(collect: &Collect) -> u64 {
    let silence = collect.silence_ms.into();
    match collect.via {
        Via::Racp => LINGER_MS.min(silence),
        Via::Notify | Via::Vendor | Via::Advertisement => silence,
    }
}
/// No device is held on to for longer: ten minutes. A strap streams for as long as it is worn.
pub const LIMIT_MS: u64 = 600_000;
/// But one whose memory is asked for: a thousand records may take long, and one that is cut begins again.
pub const MEMORY_LIMIT_MS: u64 = 1_800_000;
/// ATT's own time-out, and a little: a request that was not answered for so long never will be.
pub const ANSWER_MS: u64 = 35_000;

/// Why a request was not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// An error code of ATT or of a service.
    Att(u8),
    /// It wants a bond, or a better one.
    NotAllowed,
    Unanswered,
    /// The characteristic or the link is gone.
    Gone,
}

impl Fault {
    /// Insufficient authentication, authorization, key size or encryption: Core, Volume 3, Part F, 3.4.1.1.
    pub(super) fn wants_security(self) -> bool {
        matches!(self, Fault::NotAllowed | Fault::Att(0x05 | 0x08 | 0x0C | 0x0F))
    }
}

/// What to ask the device for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Notifications or indications, whichever it has.
    Subscribe(Place),
    Read(Place),
    /// With an answer.
    Write(Place, Vec<u8>),
}

impl Ask {
    pub fn place(&self) -> Place {
        match self {
            Ask::Subscribe(place) | Ask::Read(place) | Ask::Write(place, _) => *place,
        }
    }
}

/// What was learnt on the way.
#[derive(Clone, PartialEq, Debug)]
pub enum Tell {
    /// What the device's clock showed, and between which instants.
    Clock {
        shown: Stamp,
        asked: Millis,
        answered: Millis,
    },
    Facts(Facts),
    /// 0 to 100.
    Battery {
        percent: u8,
    },
    /// The clock is about to be set. What was heard so far is a contact that ended drained; what comes from here on is
    /// another one, with comparisons of its own.
    AnotherContact,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Poll {
    Ask(Ask),
    Tell(Tell),
    /// Nothing to do before this instant; then call [`super::Session::timeout`].
    Wait(Millis),
    /// Unsubscribe, hang up.
    Done(Ending),
}

/// A meter's last record: its number in the meter's own count, and what names it, since numbers begin anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    pub number: u16,
    pub name: Name,
}

/// What the hub knows of the device and of the house before it asks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Known {
    /// Where the last whole session came to.
    pub cursor: Option<Cursor>,
    /// Ask for every record, whatever the cursor says.
    pub all: bool,
    /// Users and their consent codes. A code that was refused is not given again.
    pub users: Vec<(Slot, u16)>,
    /// What is not known yet is read.
    pub facts: Facts,
    /// The battery was read not long ago.
    pub battery: bool,
    pub time: Option<HubTime>,
    /// Of whoever owns the device.
    pub zone: Option<ZoneName>,
}

/// One moment of which the hub knows the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HubTime {
    pub at: Millis,
    pub utc: Span,
}

/// How well the hub must know the time to set a clock by it, or to say that one is wrong.
const KNOWN_TO: SignedDuration = SignedDuration::from_secs(2);

impl HubTime {
    /// UTC at this instant. `None`: the hub does not know the time well enough.
    pub fn instant(&self, at: Millis) -> Option<Timestamp> {
        if self.utc.width() > KNOWN_TO {
            return None;
        }
        let middle = self.utc.earliest.checked_add(self.utc.width() / 2).ok()?;
        let since = i64::try_from(i128::from(at.0) - i128::from(self.at.0)).ok()?;
        middle.checked_add(SignedDuration::from_millis(since)).ok()
    }
}

/// What became of a device's memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Memory {
    /// It tells by itself.
    NotAsked,
    /// Its maker's own, which this machine does not read.
    Vendor,
    /// Its profile speaks of a control point that it does not have.
    NotOffered,
    /// All that was new is here. `cursor` is what to remember from now on (`None`: ask for all). `anew`: the record that was
    /// remembered was not there, and everything was asked for.
    Whole { cursor: Option<Cursor>, anew: bool },
    /// What was remembered stands.
    Part(Outcome),
    /// The control point did not take the request. What was remembered stands.
    Failed(Fault),
    /// The link or the time ran out. What was remembered stands.
    Cut,
}

/// What a scale said to a user's consent code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consent {
    Granted,
    /// In the scale's own word. Ask a person; do not try again.
    Refused(UserControlResult),
    Failed(Fault),
    /// Nobody got that far.
    Untried,
}

/// What became of the device's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClockEnd {
    /// It has none that concerns the hub.
    None,
    /// It could not be read, or showed no date.
    Unread,
    /// It was read, and the hub does not know the time or the zone.
    Unjudged,
    /// Device less hub, in seconds: within the limit.
    Right {
        off_s: i64,
    },
    /// Beyond the limit, and left so.
    Wrong {
        off_s: i64,
    },
    Set,
    Refused(Fault),
}

/// How it ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Ending {
    pub how: End,
    /// Values that were to be kept.
    pub heard: u32,
    pub memory: Memory,
    pub consents: Vec<(Slot, Consent)>,
    pub clock: ClockEnd,
    pub faults: Vec<(Place, Fault)>,
    pub bond: Evidence,
}
