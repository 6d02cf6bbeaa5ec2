//! pcap files of Bluetooth.
//!
//! Magic, version, zone, accuracy, longest packet, link type; then records of seconds since 1970 (UTC), a fraction,
//! included length, original length; each a u32 in the writer's order of octets, which the magic tells, as it tells
//! microseconds from nanoseconds. Link types: tcpdump.org, "Link-layer header types".

use super::record::{Container, Head, Layer};
use super::{Flaw, Place};

pub(super) const HEADER: usize = 24;
pub(super) const RECORD: usize = 16;

/// How a file's numbers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Order {
    little: bool,
    nanoseconds: bool,
}

/// By a file's first four octets.
pub(super) fn order(magic: [u8; 4]) -> Option<Order> {
    let (little, nanoseconds) = match magic {
        [0xD4, 0xC3, 0xB2, 0xA1] => (true, false),
        [0xA1, 0xB2, 0xC3, 0xD4] => (false, false),
        [0x4D, 0x3C, 0xB2, 0xA1] => (true, true),
        [0xA1, 0xB2, 0x3C, 0x4D] => (false, true),
        _ => return None,
    };
    Some(Order { little, nanoseconds })
}

/// The first four octets of a pcapng file, its Section Header Block.
pub(super) const PCAPNG: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];

pub(super) fn header(header: &[u8]) -> Result<(Container, Layer), Flaw> {
    let start = Place { record: 0, offset: 0 };
    let magic = header.first_chunk::<4>().copied().unwrap_or_default();
    let Some(order) = order(magic) else {
        let said = if magic == PCAPNG {
            "it is a pcapng file: convert it with `editcap -F pcap in.pcapng out.pcap` (a part of Wireshark) and \
             give that"
        } else {
            "it is neither a btsnoop nor a pcap file; give the log as it was recorded"
        };
        return Err(Flaw::new(start, said));
    };
    // The upper bits tell of frame check sequences.
    let layer = match order.word(header, 20) & 0x0FFF_FFFF {
        187 => Layer::H4,
        201 => Layer::H4Directed,
        251 => Layer::Air,
        254 => Layer::MonitorInside,
        256 => Layer::AirRadio,
        other => {
            return Err(Flaw::new(
                start,
                format!(
                    "link type {other} is not read here, only 187, 201, 254 (HCI) and 251, 256 (the air): record \
                     Bluetooth itself, and let the sniffer write LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR"
                ),
            ));
        }
    };
    Ok((Container::Pcap(order), layer))
}

pub(super) fn record(header: &[u8], order: Order) -> Head {
    let (seconds, fraction) = (order.word(header, 0), order.word(header, 4));
    let micros = if order.nanoseconds { fraction / 1_000 } else { fraction };
    Head {
        at: i64::from(seconds) * 1_000_000 + i64::from(micros),
        flags: 0,
        included: order.word(header, 8),
        original: order.word(header, 12),
    }
}

pub(super) fn move_time(header: &mut [u8], order: Order, days: i64) {
    let moved = i64::from(order.word(header, 0)).saturating_add(days.saturating_mul(86_400));
    let seconds = u32::try_from(moved.max(0)).unwrap_or(u32::MAX);
    if let Some(field) = header.get_mut(..4) {
        field.copy_from_slice(&if order.little { seconds.to_le_bytes() } else { seconds.to_be_bytes() });
    }
}

impl Order {
    /// 0 where there is none: the caller gave a whole header.
    fn word(self, header: &[u8], at: usize) -> u32 {
        let octets = header.get(at..at + 4).and_then(|o| o.try_into().ok()).unwrap_or_default();
        if self.little { u32::from_le_bytes(octets) } else { u32::from_be_bytes(octets) }
    }
}
