//! Packets of the Host Controller Interface: commands, events, ACL data. Core, Volume 4, Part E, 5.4 and 7.
//!
//! Of hundreds of commands and events these matter here; the others are passed by, and nobody's secrets in them are
//! looked at.

use super::advertising;
use super::event::{self, Advertisement, Gone};
use super::mark::{Marks, Walk, What};
use super::record::{Layer, Record};
use hearth_core::identity::Address;
use std::collections::BTreeSet;

/// What a record holds, and where it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Packet {
    pub(super) kind: Kind,
    pub(super) adapter: u16,
    pub(super) at: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Command,
    Event,
    /// `None`: the log does not tell who sent it.
    Acl {
        sent: Option<bool>,
    },
    /// Not read here.
    Other(&'static str),
}

/// What a record of an HCI log holds. `None`: it is too short to tell.
pub(super) fn packet(layer: Layer, record: &Record) -> Option<Packet> {
    let octets = &record.octets;
    let plain = |kind, at| Some(Packet { kind, adapter: 0, at });
    match layer {
        Layer::Monitor => {
            let [a0, a1, o0, o1] = record.flags.to_be_bytes();
            Some(monitor(u16::from_be_bytes([a0, a1]), u16::from_be_bytes([o0, o1]), 0))
        }
        Layer::MonitorInside => {
            let [a0, a1, o0, o1] = *octets.first_chunk::<4>()?;
            Some(monitor(u16::from_be_bytes([a0, a1]), u16::from_be_bytes([o0, o1]), 4))
        }
        // Bit 0: received. Bit 1: command or event.
        Layer::Bare => match record.flags & 0b11 {
            0b10 => plain(Kind::Command, 0),
            0b11 => plain(Kind::Event, 0),
            flags => plain(Kind::Acl { sent: Some(flags & 1 == 0) }, 0),
        },
        Layer::H4 => {
            let android = record.header.len() == super::btsnoop::RECORD;
            plain(h4(*octets.first()?, android.then_some(record.flags & 1 == 0)), 1)
        }
        Layer::H4Directed => {
            let direction = u32::from_be_bytes(*octets.first_chunk::<4>()?);
            plain(h4(*octets.get(4)?, Some(direction & 1 == 0)), 5)
        }
        Layer::Air | Layer::AirRadio => None,
    }
}

/// Packet types of the UART transport: Core, Volume 4, Part A, 2.
fn h4(kind: u8, sent: Option<bool>) -> Kind {
    match kind {
        1 => Kind::Command,
        2 => Kind::Acl { sent },
        3 => Kind::Other("SCO audio"),
        4 => Kind::Event,
        5 => Kind::Other("isochronous audio"),
        _ => Kind::Other("packets of unknown type"),
    }
}

/// Op codes of the Linux Bluetooth monitor.
fn monitor(adapter: u16, opcode: u16, at: usize) -> Packet {
    let kind = match opcode {
        2 => Kind::Command,
        3 => Kind::Event,
        4 => Kind::Acl { sent: Some(true) },
        5 => Kind::Acl { sent: Some(false) },
        6 | 7 => Kind::Other("SCO audio"),
        18 | 19 => Kind::Other("isochronous audio"),
        _ => Kind::Other("the host's own notes"),
    };
    Packet { kind, adapter, at }
}

/// What an event tells that matters here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Connected { handle: u16, peer: Address },
    Disconnected { handle: u16, gone: Gone },
    Encrypted { handle: u16, on: bool },
    Advertised(Vec<Advertisement>),
    Nothing,
}

const LE_META: u8 = 0x3E;

/// Who is in the middle of a long advertisement: what comes next of it begins anywhere.
pub(super) type Halves = BTreeSet<[u8; 6]>;
/// So many are remembered.
const HALVES: usize = 64;

/// Reads an event. `None`: it ends too early, or its length lies.
pub(super) fn event(record: &Record, at: usize, halves: &mut Halves, marks: &mut Marks) -> Option<Told> {
    let mut walk = Walk::new(record, at);
    let (code, length) = (walk.u8()?, walk.u8()?);
    let mut walk = walk.part(usize::from(length))?;
    let from = walk.at;
    let mut keep = |length: usize| {
        marks.record(record, 0, from, What::Plain);
        marks.record(record, from, length, What::Plain);
    };
    match code {
        // Disconnection Complete
        0x05 => {
            let (status, handle, reason) = (walk.u8()?, walk.u16()?, walk.u8()?);
            keep(4);
            let gone = match reason {
                0x13..=0x15 => Gone::ByDevice,
                0x16 => Gone::ByHost,
                _ => Gone::Lost,
            };
            Some(if status == 0 { Told::Disconnected { handle, gone } } else { Told::Nothing })
        }
        // Encryption Change, version 1 and 2
        0x08 | 0x59 => {
            let (status, handle, on) = (walk.u8()?, walk.u16()?, walk.u8()?);
            keep(if code == 0x08 { 4 } else { 5 });
            Some(if status == 0 { Told::Encrypted { handle, on: on != 0 } } else { Told::Nothing })
        }
        // Command Complete (what it returns may be a key, a name, an address), Command Status
        0x0E | 0x0F => {
            keep(4);
            Some(Told::Nothing)
        }
        // Number Of Completed Packets: of each connection two numbers
        0x13 => {
            keep((1 + 4 * usize::from(walk.u8()?)).min(usize::from(length)));
            Some(Told::Nothing)
        }
        // Encryption Key Refresh Complete
        0x30 => {
            keep(3);
            Some(Told::Nothing)
        }
        LE_META => meta(walk, halves, marks),
        _ => Some(Told::Nothing),
    }
}

/// LE Meta events: Core, Volume 4, Part E, 7.7.65.
fn meta(mut walk: Walk<'_>, halves: &mut Halves, marks: &mut Marks) -> Option<Told> {
    let (record, from) = (walk.record, walk.at);
    let code = walk.u8()?;
    match code {
        // Connection Complete, Enhanced Connection Complete version 1 and 2
        0x01 | 0x0A | 0x29 => {
            let (status, handle, _role, kind) = (walk.u8()?, walk.u16()?, walk.u8()?, walk.u8()?);
            let at = walk.at;
            let sent = walk.take::<6>()?;
            let random = kind & 1 == 1;
            marks.record(record, 0, at, What::Plain);
            marks.record(record, at, 6, What::Address { random });
            if code != 0x01 {
                // The resolvable addresses that were in use; zeros where there were none.
                for _ in 0..2 {
                    marks.record(record, walk.at, 6, What::Address { random: true });
                    walk.skip(6)?;
                }
            }
            // Interval, latency, time-out, accuracy; of version 2 the set and the train too.
            let manners = if code == 0x29 { 10 } else { 7 };
            marks.record(record, walk.at, manners.min(walk.rest().len()), What::Plain);
            if status != 0 {
                return Some(Told::Nothing);
            }
            // 2 and 3: public and random identity, which the controller resolved.
            let peer = event::address(sent, random, kind & 2 == 2);
            Some(Told::Connected { handle, peer })
        }
        // Advertising Report: the reports one after the other, as every host reads them
        0x02 => {
            marks.record(record, 0, from + 2, What::Plain);
            let mut all = vec![];
            for _ in 0..walk.u8()? {
                let at = walk.at;
                let (_kind, address_kind) = (walk.u8()?, walk.u8()?);
                let sent = walk.take::<6>()?;
                let length = walk.u8()?;
                let random = address_kind & 1 == 1;
                marks.record(record, at, 2, What::Plain);
                marks.record(record, at + 2, 6, What::Address { random });
                marks.record(record, at + 8, 1, What::Plain);
                let part = walk.part(usize::from(length))?;
                marks.record(record, walk.at, 1, What::Plain);
                walk.skip(1)?;
                let address = event::address(sent, random, address_kind & 2 == 2);
                all.push(advertising::read(part, address, marks));
            }
            Some(Told::Advertised(all))
        }
        // Extended Advertising Report
        0x0D => {
            marks.record(record, 0, from + 2, What::Plain);
            let mut all = vec![];
            for _ in 0..walk.u8()? {
                let at = walk.at;
                let (kind, address_kind) = (walk.u16()?, walk.u8()?);
                let sent = walk.take::<6>()?;
                // Two PHYs, set, power, strength, interval.
                walk.skip(7)?;
                let direct_kind = walk.u8()?;
                walk.skip(6)?;
                let length = walk.u8()?;
                let random = address_kind & 1 == 1;
                marks.record(record, at, 3, What::Plain);
                marks.record(record, at + 3, 6, What::Address { random });
                marks.record(record, at + 9, 8, What::Plain);
                marks.record(record, at + 17, 6, What::Address { random: direct_kind & 1 == 1 });
                marks.record(record, at + 23, 1, What::Plain);
                let part = walk.part(usize::from(length))?;
                // 0xFF: it sent no address.
                let address = event::address(sent, random, matches!(address_kind, 2 | 3));
                // More is to come, or the rest was lost: only a whole one is read.
                let more = kind >> 5 & 0b11 == 1;
                let went_on = halves.remove(&sent);
                if more && halves.len() < HALVES {
                    halves.insert(sent);
                }
                if !more && !went_on {
                    all.push(advertising::read(part, address, marks));
                }
            }
            Some(Told::Advertised(all))
        }
        // Connection Update, Read Remote Features, Data Length Change, PHY Update
        0x03 | 0x04 | 0x07 | 0x0C => {
            marks.record(record, 0, walk.at + walk.rest().len(), What::Plain);
            Some(Told::Nothing)
        }
        _ => Some(Told::Nothing),
    }
}

/// Marks what a command tells that may be told. Nothing else is read of it.
pub(super) fn command(record: &Record, at: usize, marks: &mut Marks) -> Option<()> {
    let mut walk = Walk::new(record, at);
    let (opcode, length) = (walk.u16()?, walk.u8()?);
    let from = walk.at;
    let walk = walk.part(usize::from(length))?;
    let mut plain = |at: usize, length: usize| marks.record(record, at, length, What::Plain);
    // Which octet tells the kind of the address that begins at another.
    let (kind_at, address_at) = match opcode {
        // LE Create Connection, LE Extended Create Connection, resolving list, accept list
        0x200D => (5, 6),
        0x2043 => (2, 3),
        0x2027 | 0x2011 => (0, 1),
        // LE Enable Encryption: the handle; never the key
        0x2019 => {
            plain(0, from + 2);
            return Some(());
        }
        // Disconnect, scanning, Connection Update
        0x0406 | 0x200B | 0x200C | 0x2041 | 0x2042 | 0x2013 => {
            plain(0, from + walk.rest().len());
            return Some(());
        }
        _ => return Some(()),
    };
    let random = walk.rest().get(kind_at).is_some_and(|kind| kind & 1 == 1);
    plain(0, from + address_at);
    // After the address of the resolving list come keys.
    if opcode != 0x2027 {
        plain(from + address_at + 6, walk.rest().len().saturating_sub(address_at + 6));
    }
    marks.record(record, from + address_at, 6, What::Address { random });
    Some(())
}

/// The head of an ACL packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Acl {
    pub(super) handle: u16,
    /// It begins a PDU.
    pub(super) first: bool,
    /// By the packet boundary flag, where it tells: on LE, hosts begin with 0 and controllers with 2.
    pub(super) sent: Option<bool>,
    pub(super) at: usize,
    pub(super) length: usize,
}

/// Core, Volume 4, Part E, 5.4.2. `None`: it ends too early, or its length lies.
pub(super) fn acl(record: &Record, at: usize) -> Option<Acl> {
    let mut walk = Walk::new(record, at);
    let (head, length) = (walk.u16()?, usize::from(walk.u16()?));
    // What whoever recorded it left out is missing at the end.
    let length = if record.left_out > 0 { length.min(walk.rest().len()) } else { length };
    (length <= walk.rest().len()).then_some(())?;
    let boundary = head >> 12 & 0b11;
    Some(Acl {
        handle: head & 0x0FFF,
        first: boundary != 1,
        sent: match boundary {
            0 => Some(true),
            2 => Some(false),
            _ => None,
        },
        at: walk.at,
        length,
    })
}
