//! What a record of a bridge means.

use crate::admit::End;
use crate::capture::{Link, Uuid16};
use crate::identity::{Address, AddressKind, Facts};
use crate::radio::session::{Tell, fact};
use hearth_wire::frame::said::{self, Ending, What};
use hearth_wire::frame::{self, BridgeId, Peer, Place, Ticks};

/// One record, read.
#[derive(Clone, PartialEq, Debug)]
pub struct Said {
    pub at: Ticks,
    /// What the source of these octets is called, among the bridge's.
    pub device: String,
    /// What is known of it by its place alone.
    pub facts: Facts,
    /// No other conversation of this bridge has the number.
    pub contact: u64,
    pub meaning: Meaning,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Meaning {
    Value {
        link: Link,
        characteristic: Uuid16,
        octets: Vec<u8>,
    },
    Facts(Facts),
    Battery {
        percent: u8,
    },
    /// What its clock showed, by this characteristic, so many milliseconds after it was asked.
    Clock {
        characteristic: Uuid16,
        octets: Vec<u8>,
        after_ms: u64,
    },
    Ended(End),
    /// So many values found no room in the bridge. 0: some; how many is told later, if the bridge keeps its power.
    Lost {
        count: u32,
    },
    /// Nothing that the hub needs.
    Nothing,
}

/// `None`: of a kind that a later version has, or no record at all.
pub fn read(bridge: BridgeId, place: Place, octets: &[u8]) -> Option<Said> {
    let record = said::Said::decode(octets).ok()?.value;
    let (device, facts) = match record.peer {
        Peer::Device(kind, address) => {
            (address.map(|octet| format!("{octet:02X}")).concat(), of_address(on_the_air(kind, address)))
        }
        Peer::Wired(number) => (format!("wired {number}"), wired(bridge, number)),
        Peer::Other(..) => return None,
    };
    let meaning = match record.what {
        What::Value { link, characteristic, octets } => Meaning::Value {
            link: match link {
                said::Link::Bonded => Link::Bonded,
                said::Link::Open => Link::Open,
                said::Link::Broadcast => Link::Broadcast,
                said::Link::Wired => Link::Wired,
                said::Link::Other(_) => return None,
            },
            characteristic: Uuid16(characteristic),
            octets: octets.to_vec(),
        },
        What::Answer { characteristic, octets } => match fact::told(Uuid16(characteristic), octets) {
            Some(Tell::Facts(facts)) => Meaning::Facts(facts),
            Some(Tell::Battery { percent }) => Meaning::Battery { percent },
            _ => Meaning::Nothing,
        },
        What::Clock { asked, characteristic, octets } => Meaning::Clock {
            characteristic: Uuid16(characteristic),
            octets: octets.to_vec(),
            after_ms: record.at.0.saturating_sub(asked.0),
        },
        What::Ended { how: Ending::Drained, .. } => Meaning::Ended(End::Drained),
        What::Ended { .. } => Meaning::Ended(End::Lost),
        What::Lost { count, .. } => Meaning::Lost { count },
        What::Other { .. } => return None,
    };
    // A wired sensor has no conversations, nor has an advertisement: each of their values stands alone.
    let number = if record.contact == 0 { place.number } else { record.contact };
    let kind = u64::from(record.contact == 0) << 63;
    let contact = kind | u64::from(place.epoch) << 32 | u64::from(number);
    Some(Said { at: record.at, device, facts, contact, meaning })
}

/// The two highest bits of a random address: static if both are set (Bluetooth Core, Vol 6, Part B, 1.3.2).
pub fn on_the_air(kind: frame::AddressKind, octets: [u8; 6]) -> Address {
    let kind = match (kind, octets[0] >> 6) {
        (frame::AddressKind::Public, _) => AddressKind::Public,
        (frame::AddressKind::Random, 0b11) => AddressKind::Identity,
        (frame::AddressKind::Random, _) => AddressKind::Private,
    };
    Address { octets, kind }
}

fn of_address(address: Address) -> Facts {
    Facts { address: Some(address), ..Facts::default() }
}

/// A sensor is named by its board, or its hub, and its number there: it is part of that.
pub fn wired(BridgeId(bridge): BridgeId, number: u8) -> Facts {
    let board = bridge.map(|octet| format!("{octet:02X}")).concat();
    Facts {
        serial: Some(format!("{board}-{number}")),
        manufacturer: Some(MAKER.to_owned()),
        model: Some(match number {
            THERMOMETER => "wired thermometer".to_owned(),
            SCALE => "wired scale".to_owned(),
            other => format!("wired sensor {other}"),
        }),
        ..Facts::default()
    }
}

/// What the profiles of wired sensors match.
const MAKER: &str = "Hearth";
/// The numbers that boards, and the hub, give their sensors.
const THERMOMETER: u8 = 1;
const SCALE: u8 = 2;
