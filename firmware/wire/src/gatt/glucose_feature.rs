use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// Glucose Feature, 0x2A51: what a meter can tell.
///
/// Bluetooth GATT Specification Supplement, "Glucose Feature"; Glucose Service, "Glucose Feature". The flags as sent, reserved ones
/// included. Octets after them are handed back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GlucoseFeature(pub u16);

impl GlucoseFeature {
    pub const UUID: u16 = 0x2A51;

    pub const LOW_BATTERY_DETECTION: u16 = 1;
    pub const SENSOR_MALFUNCTION_DETECTION: u16 = 1 << 1;
    pub const SAMPLE_SIZE: u16 = 1 << 2;
    pub const STRIP_INSERTION_ERROR_DETECTION: u16 = 1 << 3;
    pub const STRIP_TYPE_ERROR_DETECTION: u16 = 1 << 4;
    pub const RESULT_HIGH_LOW_DETECTION: u16 = 1 << 5;
    pub const TEMPERATURE_HIGH_LOW_DETECTION: u16 = 1 << 6;
    pub const READ_INTERRUPT_DETECTION: u16 = 1 << 7;
    pub const GENERAL_DEVICE_FAULT: u16 = 1 << 8;
    pub const TIME_FAULT: u16 = 1 << 9;
    pub const MULTIPLE_BONDS: u16 = 1 << 10;

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

    /// Bits 11 to 15, where they are.
    pub fn reserved_bits(self) -> u16 {
        self.0 & 0xF800
    }
}
