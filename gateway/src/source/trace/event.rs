//! What a log tells, in the order in which it happened.

use super::Place;
use hearth_core::capture::Link;
use hearth_core::identity::{Address, AddressKind};

/// One thing that a log tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    pub place: Place,
    /// Microseconds since 1970, by the log's own clock.
    pub at: i64,
    pub event: Event,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    Connected(Contact),
    /// The bond revealed the address that stays, or the controller knew it.
    Identity {
        contact: Contact,
        address: Address,
    },
    /// Discovery found a service of an assigned number.
    Service {
        contact: Contact,
        service: u16,
    },
    Value(Value),
    Disconnected {
        contact: Contact,
        gone: Gone,
    },
    Advertisement(Advertisement),
}

/// A connection, from its first octet to its last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Contact {
    /// Counted from 1 over the whole log.
    pub number: u64,
    /// `None`: the log began later than the connection.
    pub peer: Option<Address>,
    /// The connection handle, or the access address, where the log calls it so.
    pub channel: u32,
}

/// A value of an assigned characteristic of the peer's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    pub contact: Contact,
    pub characteristic: u16,
    pub octets: Vec<u8>,
    /// Bonded once the link was seen to be encrypted, else open.
    pub link: Link,
    pub how: How,
    /// When a read was asked for, microseconds since 1970.
    pub asked: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    Indication,
    Notification,
    Read,
    /// Written to the device.
    Write,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gone {
    /// The device ended it, having said what it wanted to say.
    ByDevice,
    ByHost,
    /// Nobody ended it: out of reach, or the log is over.
    Lost,
}

/// What a device told everybody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advertisement {
    pub address: Address,
    pub name: Option<String>,
    pub services: Vec<u16>,
    /// Assigned service, octets.
    pub service_octets: Vec<(u16, Vec<u8>)>,
    /// Company identifier, octets.
    pub maker_octets: Vec<(u16, Vec<u8>)>,
}

/// An address as the air and HCI have it: least significant octet first, and whether it is a random one.
pub(super) fn address(sent: [u8; 6], random: bool, identity: bool) -> Address {
    let mut octets = sent;
    octets.reverse();
    let kind = match (random, identity) {
        (_, true) => AddressKind::Identity,
        (false, _) => AddressKind::Public,
        // Random static addresses begin with two ones and last (Core 6.0, Volume 6, Part B, 1.3.2).
        (true, _) if octets[0] >> 6 == 0b11 => AddressKind::Identity,
        (true, _) => AddressKind::Private,
    };
    Address { octets, kind }
}

/// `00:09:1F:80:12:34`
pub(super) fn spelled(octets: &[u8]) -> String {
    octets.iter().map(|o| format!("{o:02X}")).collect::<Vec<_>>().join(":")
}
