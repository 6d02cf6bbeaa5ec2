use super::DateTime;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// Current Time, 0x2A2B: local time, ten octets.
///
/// Bluetooth GATT Specification Supplement, "Current Time" (Exact Time 256, Adjust Reason); Current Time
/// Service, "Current Time". Tolerated, and kept as sent: a day of week out of range or at odds with the date
/// (real cuffs send 0), reserved reasons. Octets after the tenth are handed back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CurrentTime {
    pub date_time: DateTime,
    /// 1 Monday … 7 Sunday, 0 unknown
    pub day_of_week: u8,
    /// 1/256 s
    pub fractions256: u8,
    /// bit 0 manual update, 1 external reference, 2 change of time zone, 3 change of daylight saving time
    pub adjust_reason: u8,
}

impl CurrentTime {
    pub const UUID: u16 = 0x2A2B;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let value = Self {
            date_time: reader.date_time("date time")?,
            day_of_week: reader.u8("day of week")?,
            fractions256: reader.u8("fractions256")?,
            adjust_reason: reader.u8("adjust reason")?,
        };
        Ok(reader.done(value))
    }

    /// Ten octets.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.date_time("date time", self.date_time)?;
        writer.u8("day of week", self.day_of_week)?;
        writer.u8("fractions256", self.fractions256)?;
        writer.u8("adjust reason", self.adjust_reason)?;
        Ok(writer.done())
    }
}
