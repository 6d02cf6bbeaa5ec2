use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, NoRoom};

/// Who told a bridge something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// A device on the air, by its address as it is written: the octet that is sent last comes first.
    Device(AddressKind, [u8; 6]),
    /// A sensor wired to the board, by its number there.
    Wired(u8),
    /// A kind that a later version has.
    Other(u8, [u8; 6]),
}

/// Bluetooth Core, Vol 6, Part B, 1.3. An identity address is one of these two as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressKind {
    Public,
    Random,
}

impl Peer {
    const PUBLIC: u8 = 0;
    const RANDOM: u8 = 1;
    const WIRED: u8 = 2;

    /// Seven octets: the kind, then the address, or the number and five zeros.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let [kind, address @ ..] = reader.octets::<7>("peer")?;
        Ok(match kind {
            Peer::PUBLIC => Peer::Device(AddressKind::Public, address),
            Peer::RANDOM => Peer::Device(AddressKind::Random, address),
            Peer::WIRED => Peer::Wired(address[0]),
            kind => Peer::Other(kind, address),
        })
    }

    pub(super) fn write(self, writer: &mut Writer<'_>) -> Result<(), NoRoom> {
        let (kind, address) = match self {
            Peer::Device(AddressKind::Public, address) => (Peer::PUBLIC, address),
            Peer::Device(AddressKind::Random, address) => (Peer::RANDOM, address),
            Peer::Wired(number) => (Peer::WIRED, [number, 0, 0, 0, 0, 0]),
            Peer::Other(kind, address) => (kind, address),
        };
        writer.u8("peer", kind)?;
        writer.octets("peer", &address)
    }
}
