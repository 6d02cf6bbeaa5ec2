use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// Blood Pressure Feature, 0x2A49: what a cuff can tell.
///
/// Bluetooth GATT Specification Supplement, "Blood Pressure Feature"; Blood Pressure Service, "Blood Pressure Feature". The flags as sent, reserved ones
/// included. Octets after them are handed back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BloodPressureFeature(pub u16);

impl BloodPressureFeature {
    pub const UUID: u16 = 0x2A49;

    pub const BODY_MOVEMENT_DETECTION: u16 = 1;
    pub const CUFF_FIT_DETECTION: u16 = 1 << 1;
    pub const IRREGULAR_PULSE_DETECTION: u16 = 1 << 2;
    pub const PULSE_RATE_RANGE_DETECTION: u16 = 1 << 3;
    pub const MEASUREMENT_POSITION_DETECTION: u16 = 1 << 4;
    pub const MULTIPLE_BONDS: u16 = 1 << 5;
    pub const E2E_CRC: u16 = 1 << 6;
    pub const USER_DATA_SERVICE: u16 = 1 << 7;
    pub const USER_FACING_TIME: u16 = 1 << 8;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let value = Self(reader.u16("features")?);
        Ok(reader.done(value))
    }

    /// Two octets.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.u16("features", self.0)?;
        Ok(writer.done())
    }

    /// Whether one of these bits is set.
    pub fn has(self, bits: u16) -> bool {
        self.0 & bits != 0
    }

    /// Bits 9 to 15, where they are.
    pub fn reserved_bits(self) -> u16 {
        self.0 & 0xFE00
    }
}
