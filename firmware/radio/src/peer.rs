//! Addresses, as the frames have them and as the host has them: the other way round.

use hearth_wire::frame::{AddressKind, Peer};
use trouble_host::prelude::{AddrKind, Address, BdAddr};

pub(crate) fn peer(address: Address) -> Peer {
    let mut octets = *address.addr.raw().first_chunk().unwrap_or(&[0; 6]);
    octets.reverse();
    // An identity address, resolved by the controller, is one of the two as well (Bluetooth Core, Vol 4, Part E, 7.7.65.2).
    let is_public = [AddrKind::PUBLIC, AddrKind::RESOLVABLE_PRIVATE_OR_PUBLIC].contains(&address.kind);
    Peer::Device(if is_public { AddressKind::Public } else { AddressKind::Random }, octets)
}

pub(crate) fn address(is_random: bool, mut octets: [u8; 6]) -> Address {
    octets.reverse();
    let kind = if is_random { AddrKind::RANDOM } else { AddrKind::PUBLIC };
    Address { kind, addr: BdAddr::new(octets) }
}

/// `None`: it is not on the air.
pub(crate) fn on_air(peer: Peer) -> Option<Address> {
    match peer {
        Peer::Device(kind, octets) => Some(address(kind == AddressKind::Random, octets)),
        Peer::Wired(_) | Peer::Other(..) => None,
    }
}
