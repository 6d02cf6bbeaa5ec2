use super::{BloodPressureStatus, DateTime, PressureUnit};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom, Value};

/// Where the seconds of a measurement begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Epoch {
    /// 1900-01-01T00:00:00
    Year1900,
    /// 2000-01-01T00:00:00
    Year2000,
}

impl Epoch {
    /// The date and time so many seconds after it. Zones and leap seconds are not counted.
    pub fn date_time(self, seconds: u32) -> DateTime {
        let year = match self {
            Epoch::Year1900 => 1900,
            Epoch::Year2000 => 2000,
        };
        DateTime::since(year, seconds.into()).expect("2^32 seconds are 136 years, and the calendar has 9999")
    }
}

/// Enhanced Blood Pressure Measurement, 0x2B34.
///
/// Bluetooth GATT Specification Supplement, "Enhanced Blood Pressure Measurement"; Blood Pressure Service
/// 1.1, "Enhanced Blood Pressure Measurement". Layout: flags u8; systolic, diastolic and mean arterial
/// pressure SFLOAT; then, as flagged, time stamp u32, pulse rate SFLOAT, user id u8, status u16, user-facing
/// time u32. Tolerated: reserved bits of flags and status (kept), octets after the last field (handed back).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EnhancedBloodPressureMeasurement {
    pub unit: PressureUnit,
    pub systolic: Value,
    pub diastolic: Value,
    pub mean_arterial_pressure: Value,
    /// Where both times begin.
    pub epoch: Epoch,
    /// Seconds since `epoch`, by the device's inner clock (UTC by the standard).
    pub time_stamp: Option<u32>,
    /// Beats per minute.
    pub pulse_rate: Option<Value>,
    /// 255: unknown user.
    pub user_id: Option<u8>,
    pub status: Option<BloodPressureStatus>,
    /// Seconds since `epoch`, by the clock that the user sees and may set.
    pub user_facing_time: Option<u32>,
    /// Flag bits that the standard reserves and the device set nevertheless.
    pub reserved_flags: u8,
}

const KILOPASCAL: u8 = 1;
pub(super) const TIME_STAMP: u8 = 1 << 1;
pub(super) const PULSE_RATE: u8 = 1 << 2;
pub(super) const USER_ID: u8 = 1 << 3;
pub(super) const STATUS: u8 = 1 << 4;
pub(super) const USER_FACING_TIME: u8 = 1 << 5;
const EPOCH_2000: u8 = 1 << 6;
const RESERVED: u8 = 0b1000_0000;

impl EnhancedBloodPressureMeasurement {
    pub const UUID: u16 = 0x2B34;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let flags = reader.u8("flags")?;
        let has = |flag: u8| flags & flag != 0;
        let value = Self {
            unit: if has(KILOPASCAL) { PressureUnit::Kilopascal } else { PressureUnit::MillimetreOfMercury },
            systolic: reader.sfloat("systolic")?,
            diastolic: reader.sfloat("diastolic")?,
            mean_arterial_pressure: reader.sfloat("mean arterial pressure")?,
            epoch: if has(EPOCH_2000) { Epoch::Year2000 } else { Epoch::Year1900 },
            time_stamp: has(TIME_STAMP).then(|| reader.u32("time stamp")).transpose()?,
            pulse_rate: has(PULSE_RATE).then(|| reader.sfloat("pulse rate")).transpose()?,
            user_id: has(USER_ID).then(|| reader.u8("user id")).transpose()?,
            status: has(STATUS)
                .then(|| reader.u16("measurement status"))
                .transpose()?
                .map(BloodPressureStatus),
            user_facing_time: has(USER_FACING_TIME).then(|| reader.u32("user-facing time")).transpose()?,
            reserved_flags: flags & RESERVED,
        };
        Ok(reader.done(value))
    }

    /// At most 20 octets. Reserved flags are not sent.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut flags = 0;
        let mut flag = |set: bool, bit: u8| flags |= if set { bit } else { 0 };
        flag(self.unit == PressureUnit::Kilopascal, KILOPASCAL);
        flag(self.time_stamp.is_some(), TIME_STAMP);
        flag(self.pulse_rate.is_some(), PULSE_RATE);
        flag(self.user_id.is_some(), USER_ID);
        flag(self.status.is_some(), STATUS);
        flag(self.user_facing_time.is_some(), USER_FACING_TIME);
        flag(self.epoch == Epoch::Year2000, EPOCH_2000);

        let mut writer = Writer::new(buffer);
        writer.u8("flags", flags)?;
        writer.sfloat("systolic", self.systolic)?;
        writer.sfloat("diastolic", self.diastolic)?;
        writer.sfloat("mean arterial pressure", self.mean_arterial_pressure)?;
        if let Some(time_stamp) = self.time_stamp {
            writer.u32("time stamp", time_stamp)?;
        }
        if let Some(pulse_rate) = self.pulse_rate {
            writer.sfloat("pulse rate", pulse_rate)?;
        }
        if let Some(user_id) = self.user_id {
            writer.u8("user id", user_id)?;
        }
        if let Some(BloodPressureStatus(status)) = self.status {
            writer.u16("measurement status", status)?;
        }
        if let Some(user_facing_time) = self.user_facing_time {
            writer.u32("user-facing time", user_facing_time)?;
        }
        Ok(writer.done())
    }
}
