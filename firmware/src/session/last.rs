use hearth_wire::crc::IsoHdlc;

/// From this number on all is asked for: some meters filter by plain number, and it wraps.
const NEAR_WRAP: u16 = 0xFF00;

/// A record of a memory, by its sequence number and its octets: numbers begin anew, as after a new battery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Last {
    pub(super) number: u16,
    digest: u32,
}

impl Last {
    /// `None`: it has no number.
    pub(super) fn of(measurement: &[u8]) -> Option<Last> {
        let digest = IsoHdlc::new().with(measurement).value();
        Some(Last { number: number(measurement)?, digest })
    }

    pub(super) fn can_be_asked_from(&self) -> bool {
        self.number < NEAR_WRAP
    }

    /// Whether that context is its own.
    pub(super) fn has(&self, context: &[u8]) -> bool {
        number(context) == Some(self.number)
    }
}

/// The flags, then the number, in measurements and in contexts.
fn number(octets: &[u8]) -> Option<u16> {
    let [_, low, high, ..] = octets else { return None };
    Some(u16::from_le_bytes([*low, *high]))
}
