//! The attribute protocol: what a PDU says. Core, Volume 3, Part F, 3.4.

/// An attribute's type: assigned, or a maker's own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Uuid {
    Assigned(u16),
    /// Most significant octet first.
    Own([u8; 16]),
}

/// Assigned numbers as 128 bits: 0000xxxx-0000-1000-8000-00805F9B34FB.
const BASE: [u8; 12] = [0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0x80, 0x5F, 0x9B, 0x34, 0xFB];

impl Uuid {
    /// Two or sixteen octets, least significant first.
    pub(super) fn read(sent: &[u8]) -> Option<Uuid> {
        if let Ok(short) = <[u8; 2]>::try_from(sent) {
            return Some(Uuid::Assigned(u16::from_le_bytes(short)));
        }
        let mut long = <[u8; 16]>::try_from(sent).ok()?;
        long.reverse();
        match long {
            [0, 0, a, b, rest @ ..] if rest == BASE => Some(Uuid::Assigned(u16::from_be_bytes([a, b]))),
            _ => Some(Uuid::Own(long)),
        }
    }
}

pub(super) const PRIMARY_SERVICE: Uuid = Uuid::Assigned(0x2800);
pub(super) const CHARACTERISTIC: Uuid = Uuid::Assigned(0x2803);

pub(super) mod opcode {
    pub(in super::super) const ERROR: u8 = 0x01;
    pub(in super::super) const MTU_REQUEST: u8 = 0x02;
    pub(in super::super) const MTU_RESPONSE: u8 = 0x03;
    pub(in super::super) const FIND_REQUEST: u8 = 0x04;
    pub(in super::super) const FIND_RESPONSE: u8 = 0x05;
    pub(in super::super) const FIND_VALUE_REQUEST: u8 = 0x06;
    pub(in super::super) const FIND_VALUE_RESPONSE: u8 = 0x07;
    pub(in super::super) const READ_TYPE_REQUEST: u8 = 0x08;
    pub(in super::super) const READ_TYPE_RESPONSE: u8 = 0x09;
    pub(in super::super) const READ_REQUEST: u8 = 0x0A;
    pub(in super::super) const READ_RESPONSE: u8 = 0x0B;
    pub(in super::super) const BLOB_REQUEST: u8 = 0x0C;
    pub(in super::super) const BLOB_RESPONSE: u8 = 0x0D;
    pub(in super::super) const READ_GROUP_REQUEST: u8 = 0x10;
    pub(in super::super) const READ_GROUP_RESPONSE: u8 = 0x11;
    pub(in super::super) const WRITE_REQUEST: u8 = 0x12;
    pub(in super::super) const WRITE_RESPONSE: u8 = 0x13;
    pub(in super::super) const NOTIFICATION: u8 = 0x1B;
    pub(in super::super) const INDICATION: u8 = 0x1D;
    pub(in super::super) const CONFIRMATION: u8 = 0x1E;
    pub(in super::super) const SEVERAL_NOTIFICATIONS: u8 = 0x23;
    pub(in super::super) const WRITE_COMMAND: u8 = 0x52;
}

/// Whether a client sends it, or a server. `None`: no PDU of the attribute protocol.
pub(super) fn by_client(opcode: u8) -> Option<bool> {
    match opcode {
        0x02 | 0x04 | 0x06 | 0x08 | 0x0A | 0x0C | 0x0E | 0x10 | 0x12 | 0x16 | 0x18 | 0x1E | 0x20 | 0x52
        | 0xD2 => Some(true),
        0x01 | 0x03 | 0x05 | 0x07 | 0x09 | 0x0B | 0x0D | 0x0F | 0x11 | 0x13 | 0x17 | 0x19 | 0x1B | 0x1D
        | 0x21 | 0x23 => Some(false),
        _ => None,
    }
}

/// A little-endian number of two octets.
pub(super) fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    octets.get(at..at.checked_add(2)?).and_then(|o| o.try_into().ok()).map(u16::from_le_bytes)
}
