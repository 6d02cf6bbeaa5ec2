use super::DateTime;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom, Value};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PressureUnit {
    MillimetreOfMercury,
    Kilopascal,
}

/// Measurement Status field: the flags as sent, reserved ones included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BloodPressureStatus(pub u16);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PulseRange {
    Within,
    AboveUpperLimit,
    BelowLowerLimit,
    Reserved,
}

impl BloodPressureStatus {
    pub fn body_movement(self) -> bool {
        self.0 & 1 != 0
    }

    pub fn cuff_too_loose(self) -> bool {
        self.0 & 1 << 1 != 0
    }

    pub fn irregular_pulse(self) -> bool {
        self.0 & 1 << 2 != 0
    }

    pub fn pulse_range(self) -> PulseRange {
        match self.0 >> 3 & 0b11 {
            0 => PulseRange::Within,
            1 => PulseRange::AboveUpperLimit,
            2 => PulseRange::BelowLowerLimit,
            _ => PulseRange::Reserved,
        }
    }

    pub fn improper_position(self) -> bool {
        self.0 & 1 << 5 != 0
    }

    /// Bits 6 to 15, where they are.
    pub fn reserved_bits(self) -> u16 {
        self.0 & 0xFFC0
    }
}

/// Blood Pressure Measurement, 0x2A35.
///
/// Bluetooth GATT Specification Supplement, "Blood Pressure Measurement"; Blood Pressure Service, "Blood
/// Pressure Measurement". Layout: flags u8; systolic, diastolic and mean arterial pressure SFLOAT; then, as
/// flagged, time stamp, pulse rate SFLOAT, user id u8, status u16. Tolerated: reserved bits of flags and
/// status (kept), octets after the last field (handed back).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BloodPressureMeasurement {
    pub unit: PressureUnit,
    pub systolic: Value,
    pub diastolic: Value,
    pub mean_arterial_pressure: Value,
    pub time_stamp: Option<DateTime>,
    /// Beats per minute.
    pub pulse_rate: Option<Value>,
    /// 255: unknown user.
    pub user_id: Option<u8>,
    pub status: Option<BloodPressureStatus>,
    /// Flag bits that the standard reserves and the device set nevertheless.
    pub reserved_flags: u8,
}

const KILOPASCAL: u8 = 1;
pub(super) const TIME_STAMP: u8 = 1 << 1;
const PULSE_RATE: u8 = 1 << 2;
const USER_ID: u8 = 1 << 3;
const STATUS: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

const PRESSURES: [&str; 3] = ["systolic", "diastolic", "mean arterial pressure"];

impl BloodPressureMeasurement {
    pub const UUID: u16 = 0x2A35;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        Self::decode_as(octets, PRESSURES)
    }

    /// At most 19 octets. Reserved flags are not sent.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        self.encode_as(buffer, PRESSURES)
    }

    /// The layout, with the names that another characteristic gives its three pressures.
    pub(super) fn decode_as<'a>(
        octets: &'a [u8],
        [first, second, third]: [&'static str; 3],
    ) -> Result<Decoded<'a, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let flags = reader.u8("flags")?;
        let has = |flag: u8| flags & flag != 0;
        let value = Self {
            unit: if has(KILOPASCAL) { PressureUnit::Kilopascal } else { PressureUnit::MillimetreOfMercury },
            systolic: reader.sfloat(first)?,
            diastolic: reader.sfloat(second)?,
            mean_arterial_pressure: reader.sfloat(third)?,
            time_stamp: has(TIME_STAMP).then(|| reader.date_time("time stamp")).transpose()?,
            pulse_rate: has(PULSE_RATE).then(|| reader.sfloat("pulse rate")).transpose()?,
            user_id: has(USER_ID).then(|| reader.u8("user id")).transpose()?,
            status: has(STATUS)
                .then(|| reader.u16("measurement status"))
                .transpose()?
                .map(BloodPressureStatus),
            reserved_flags: flags & RESERVED,
        };
        Ok(reader.done(value))
    }

    pub(super) fn encode_as<'b>(
        &self,
        buffer: &'b mut [u8],
        [first, second, third]: [&'static str; 3],
    ) -> Result<&'b [u8], NoRoom> {
        let mut flags = 0;
        let mut flag = |set: bool, bit: u8| flags |= if set { bit } else { 0 };
        flag(self.unit == PressureUnit::Kilopascal, KILOPASCAL);
        flag(self.time_stamp.is_some(), TIME_STAMP);
        flag(self.pulse_rate.is_some(), PULSE_RATE);
        flag(self.user_id.is_some(), USER_ID);
        flag(self.status.is_some(), STATUS);

        let mut writer = Writer::new(buffer);
        writer.u8("flags", flags)?;
        writer.sfloat(first, self.systolic)?;
        writer.sfloat(second, self.diastolic)?;
        writer.sfloat(third, self.mean_arterial_pressure)?;
        if let Some(time_stamp) = self.time_stamp {
            writer.date_time("time stamp", time_stamp)?;
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
        Ok(writer.done())
    }
}
