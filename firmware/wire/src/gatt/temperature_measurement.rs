use super::DateTime;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom, Value};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TemperatureUnit {
    Celsius,
    Fahrenheit,
}

/// Temperature Measurement, 0x2A1C.
///
/// Bluetooth GATT Specification Supplement, "Temperature Measurement" and "Temperature Type"; Health
/// Thermometer Service, "Temperature Measurement". Layout: flags u8, temperature FLOAT; then, as flagged,
/// time stamp, temperature type u8. Tolerated: reserved flag bits (kept), types that the standard does not
/// list (kept), octets after the last field (handed back).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TemperatureMeasurement {
    pub unit: TemperatureUnit,
    /// In `unit`, as sent.
    pub temperature: Value,
    pub time_stamp: Option<DateTime>,
    /// Where it was taken: 1 armpit, 2 body (general), 3 ear, 4 finger, 5 gastrointestinal tract, 6 mouth,
    /// 7 rectum, 8 toe, 9 tympanum.
    pub kind: Option<u8>,
    /// Flag bits that the standard reserves and the device set nevertheless.
    pub reserved_flags: u8,
}

const FAHRENHEIT: u8 = 1;
pub(super) const TIME_STAMP: u8 = 1 << 1;
const KIND: u8 = 1 << 2;
const RESERVED: u8 = 0b1111_1000;

impl TemperatureMeasurement {
    pub const UUID: u16 = 0x2A1C;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let flags = reader.u8("flags")?;
        let has = |flag: u8| flags & flag != 0;
        let value = Self {
            unit: if has(FAHRENHEIT) { TemperatureUnit::Fahrenheit } else { TemperatureUnit::Celsius },
            temperature: reader.float("temperature")?,
            time_stamp: has(TIME_STAMP).then(|| reader.date_time("time stamp")).transpose()?,
            kind: has(KIND).then(|| reader.u8("temperature type")).transpose()?,
            reserved_flags: flags & RESERVED,
        };
        Ok(reader.done(value))
    }

    /// At most 13 octets. Reserved flags are not sent.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut flags = 0;
        let mut flag = |set: bool, bit: u8| flags |= if set { bit } else { 0 };
        flag(self.unit == TemperatureUnit::Fahrenheit, FAHRENHEIT);
        flag(self.time_stamp.is_some(), TIME_STAMP);
        flag(self.kind.is_some(), KIND);

        let mut writer = Writer::new(buffer);
        writer.u8("flags", flags)?;
        writer.float("temperature", self.temperature)?;
        if let Some(time_stamp) = self.time_stamp {
            writer.date_time("time stamp", time_stamp)?;
        }
        if let Some(kind) = self.kind {
            writer.u8("temperature type", kind)?;
        }
        Ok(writer.done())
    }
}
