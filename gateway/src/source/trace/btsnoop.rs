//! btsnoop files, as btmon and Android's HCI log write them.
//!
//! RFC 1761 with other numbers: `btsnoop\0`, version 1, datalink; then records of original length, included length,
//! flags, cumulative drops, each a u32, and a time in microseconds since the year 0, an i64; all of them most
//! significant octet first. btmon and Android take the time from the system's clock: it is UTC. (Some makers'
//! phones wrote local time; nothing in the file tells.)

use super::record::{Container, Head, Layer};
use super::{Flaw, Place};

pub(super) const MAGIC: &[u8; 8] = b"btsnoop\0";
pub(super) const HEADER: usize = 16;
pub(super) const RECORD: usize = 24;

/// 1970 in the file's time. The format fixes it by 2000, which is 0x00E0_3AB4_4A67_6000: 719,540 days before 1970, so
/// that its year 0 begins twelve days before the calendar's.
const UNIX_EPOCH: i64 = 0x00DC_DDB3_0F2F_8000;

pub(super) fn header(header: &[u8]) -> Result<(Container, Layer), Flaw> {
    let start = Place { record: 0, offset: 0 };
    let (magic, version, datalink) = (header.get(..8), word(header, 8), word(header, 12));
    if magic != Some(MAGIC) || version != 1 {
        return Err(Flaw::new(
            start,
            format!(
                "it is no btsnoop file of version 1 (it says {version}); give the log as it was recorded"
            ),
        ));
    }
    let layer = match datalink {
        1001 => Layer::Bare,
        1002 => Layer::H4,
        2001 => Layer::Monitor,
        other => {
            return Err(Flaw::new(
                start,
                format!(
                    "datalink {other} is not read here, only 1001, 1002 (Android) and 2001 (btmon): record it with \
                     btmon -w, or turn on the Bluetooth HCI snoop log of the phone"
                ),
            ));
        }
    };
    Ok((Container::Btsnoop, layer))
}

pub(super) fn record(header: &[u8]) -> Head {
    Head {
        original: word(header, 0),
        included: word(header, 4),
        flags: word(header, 8),
        at: time(header).saturating_sub(UNIX_EPOCH),
    }
}

pub(super) fn move_time(header: &mut [u8], days: i64) {
    let moved = time(header).saturating_add(days.saturating_mul(super::DAY));
    if let Some(field) = header.get_mut(16..24) {
        field.copy_from_slice(&moved.to_be_bytes());
    }
}

fn time(header: &[u8]) -> i64 {
    header.get(16..24).and_then(|o| o.try_into().ok()).map_or(0, i64::from_be_bytes)
}

/// 0 where there is none: the caller gave a whole header.
fn word(header: &[u8], at: usize) -> u32 {
    header.get(at..at + 4).and_then(|o| o.try_into().ok()).map_or(0, u32::from_be_bytes)
}
