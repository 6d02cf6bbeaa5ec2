use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// Battery Level, 0x2A19.
///
/// Bluetooth GATT Specification Supplement, "Battery Level"; Battery Service, "Battery Level". More than 100
/// is kept; octets after the first are handed back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatteryLevel {
    pub percent: u8,
}

impl BatteryLevel {
    pub const UUID: u16 = 0x2A19;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let value = Self { percent: reader.u8("battery level")? };
        Ok(reader.done(value))
    }

    /// One octet.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.u8("battery level", self.percent)?;
        Ok(writer.done())
    }
}
