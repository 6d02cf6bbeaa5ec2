//! What a sniffer heard: link-layer PDUs. Core, Volume 6, Part B, 2; tcpdump.org, LINKTYPE_BLUETOOTH_LE_LL and
//! LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR.
//!
//! Link type 256 tells each packet's direction; 251 does not, and then the device that advertised is taken for the
//! one whose values are read.

use super::advertising;
use super::event::{self, Advertisement};
use super::mark::{Marks, Walk, What};
use super::record::{Layer, Record};
use hearth_core::identity::Address;

/// Every advertisement is sent under this access address.
const ADVERTISING: u32 = 0x8E89_BED6;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Heard {
    Advertised(Advertisement),
    /// A central took up a connection; `peer` is the one that advertised.
    Connected {
        access: u32,
        peer: Address,
    },
    Data(Data),
    /// The sniffer says that it heard wrong.
    Garbled,
    Nothing,
}

/// A PDU of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Data {
    pub(super) access: u32,
    /// By the central; `None`: the log does not tell.
    pub(super) sent: Option<bool>,
    pub(super) carries: Carries,
    /// The sequence bit: a PDU with the same bit and octets as the one before is that one, sent again.
    pub(super) sequence: bool,
    /// The sniffer had the key.
    pub(super) decrypted: bool,
    pub(super) at: usize,
    pub(super) length: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Carries {
    First,
    Continuation,
    Control,
    Reserved,
}

/// Reads a record. `None`: it ends too early, or its length lies.
pub(super) fn heard(layer: Layer, record: &Record, marks: &mut Marks) -> Option<Heard> {
    let mut walk = Walk::new(record, 0);
    let flags = match layer {
        Layer::AirRadio => {
            walk.skip(8)?;
            walk.u16()?
        }
        _ => 0,
    };
    let (checked, valid) = (flags & 0x0400 != 0, flags & 0x0800 != 0);
    if checked && !valid {
        return Some(Heard::Garbled);
    }
    // Isochronous streams carry no attributes.
    if flags >> 7 & 0b111 > 3 {
        return Some(Heard::Nothing);
    }
    let access = u32::from_le_bytes(walk.take()?);
    // A packet of the coded PHY has its coding indicator here.
    if flags >> 14 == 2 {
        walk.skip(1)?;
    }
    if access == ADVERTISING {
        return advertised(walk, marks);
    }
    let (head, length) = (walk.u8()?, usize::from(walk.u8()?));
    if head & 0b10_0000 != 0 {
        walk.skip(1)?;
    }
    (length <= walk.rest().len()).then_some(())?;
    marks.record(record, 0, walk.at, What::Plain);
    Some(Heard::Data(Data {
        access,
        sent: match flags >> 7 & 0b111 {
            2 => Some(true),
            3 => Some(false),
            _ => None,
        },
        carries: match head & 0b11 {
            1 => Carries::Continuation,
            2 => Carries::First,
            3 => Carries::Control,
            _ => Carries::Reserved,
        },
        sequence: head & 0b1000 != 0,
        decrypted: flags & 0x0008 != 0,
        at: walk.at,
        length,
    }))
}

/// PDUs of the advertising channels: Core, Volume 6, Part B, 2.3.
fn advertised(mut walk: Walk<'_>, marks: &mut Marks) -> Option<Heard> {
    let record = walk.record;
    let (head, length) = (walk.u8()?, walk.u8()?);
    let (tx_random, rx_random) = (head & 0x40 != 0, head & 0x80 != 0);
    let from = walk.at;
    let mut part = walk.part(usize::from(length))?;
    let address = |marks: &mut Marks, at: usize, random| {
        marks.record(record, at, 6, What::Address { random });
    };
    Some(match head & 0x0F {
        // ADV_IND, ADV_NONCONN_IND, SCAN_RSP, ADV_SCAN_IND
        0 | 2 | 4 | 6 => {
            let advertiser = event::address(part.take()?, tx_random, false);
            marks.record(record, 0, from, What::Plain);
            address(marks, from, tx_random);
            Heard::Advertised(advertising::read(part, advertiser, marks))
        }
        // ADV_DIRECT_IND, SCAN_REQ
        1 | 3 => {
            part.skip(12)?;
            marks.record(record, 0, from, What::Plain);
            address(marks, from, tx_random);
            address(marks, from + 6, rx_random);
            Heard::Nothing
        }
        // CONNECT_IND: initiator, advertiser, the connection's access address and its manners
        5 => {
            part.skip(6)?;
            let peer = event::address(part.take()?, rx_random, false);
            let access = u32::from_le_bytes(part.take()?);
            marks.record(record, 0, from, What::Plain);
            address(marks, from, tx_random);
            address(marks, from + 6, rx_random);
            marks.record(record, from + 12, part.rest().len() + 4, What::Plain);
            Heard::Connected { access, peer }
        }
        _ => Heard::Nothing,
    })
}
