use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// Weight Scale Feature, 0x2A9E: what a scale can tell.
///
/// Bluetooth GATT Specification Supplement, "Weight Scale Feature"; Weight Scale Service, "Weight Scale Feature". The flags as sent, reserved ones
/// included. Octets after them are handed back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WeightScaleFeature(pub u32);

impl WeightScaleFeature {
    pub const UUID: u16 = 0x2A9E;

    pub const TIME_STAMP: u32 = 1;
    pub const MULTIPLE_USERS: u32 = 1 << 1;
    pub const BODY_MASS_INDEX: u32 = 1 << 2;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let value = Self(reader.u32("features")?);
        Ok(reader.done(value))
    }

    /// Four octets.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.u32("features", self.0)?;
        Ok(writer.done())
    }

    /// Whether one of these bits is set.
    pub fn has(self, bits: u32) -> bool {
        self.0 & bits != 0
    }

    /// How fine the scale weighs: 1 to 7 for 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005 kg; 0 unstated. The
    /// resolution of the field in a measurement is another matter, and does not change.
    pub fn weight_resolution_class(self) -> u8 {
        (self.0 >> 3 & 0x0F) as u8
    }

    /// How fine the scale takes heights: 1 to 3 for 0.01, 0.005, 0.001 m; 0 unstated.
    pub fn height_resolution_class(self) -> u8 {
        (self.0 >> 7 & 0x07) as u8
    }

    /// Bits 10 to 31, where they are.
    pub fn reserved_bits(self) -> u32 {
        self.0 & 0xFFFF_FC00
    }
}
