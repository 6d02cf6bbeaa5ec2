use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// Local Time Information, 0x2A0F: the zone of the Current Time beside it.
///
/// Bluetooth GATT Specification Supplement, "Local Time Information" (Time Zone, DST Offset); Current Time
/// Service, "Local Time Information". Values that the standard does not list are kept; octets after the
/// second are handed back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalTimeInformation {
    /// Without daylight saving time. -128: unknown.
    pub time_zone_quarter_hours: i8,
    /// 0 standard time, 2, 4 or 8. 255: unknown.
    pub dst_offset_quarter_hours: u8,
}

impl LocalTimeInformation {
    pub const UUID: u16 = 0x2A0F;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let value = Self {
            time_zone_quarter_hours: reader.i8("time zone")?,
            dst_offset_quarter_hours: reader.u8("DST offset")?,
        };
        Ok(reader.done(value))
    }

    /// Two octets.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.i8("time zone", self.time_zone_quarter_hours)?;
        writer.u8("DST offset", self.dst_offset_quarter_hours)?;
        Ok(writer.done())
    }
}
