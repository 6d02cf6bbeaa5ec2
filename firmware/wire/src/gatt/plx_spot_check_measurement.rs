use super::DateTime;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom, Value};

/// Measurement Status field: the flags as sent, reserved ones included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlxMeasurementStatus(pub u16);

impl PlxMeasurementStatus {
    pub const MEASUREMENT_ONGOING: u16 = 1 << 5;
    pub const EARLY_ESTIMATED_VALUE: u16 = 1 << 6;
    pub const VALIDATED_VALUE: u16 = 1 << 7;
    pub const FULLY_QUALIFIED_VALUE: u16 = 1 << 8;
    /// Read from the device's memory: the same measurement sent live does not have it.
    pub const FROM_MEASUREMENT_STORAGE: u16 = 1 << 9;
    pub const FOR_DEMONSTRATION: u16 = 1 << 10;
    pub const FOR_TESTING: u16 = 1 << 11;
    pub const CALIBRATION_ONGOING: u16 = 1 << 12;
    pub const MEASUREMENT_UNAVAILABLE: u16 = 1 << 13;
    pub const QUESTIONABLE_MEASUREMENT: u16 = 1 << 14;
    pub const INVALID_MEASUREMENT: u16 = 1 << 15;

    /// Whether one of these bits is set.
    pub fn has(self, bits: u16) -> bool {
        self.0 & bits != 0
    }

    /// Bits 0 to 4, where they are.
    pub fn reserved_bits(self) -> u16 {
        self.0 & 0x001F
    }
}

/// Device and Sensor Status field, 24 bits: the flags as sent, reserved ones included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlxSensorStatus(pub u32);

impl PlxSensorStatus {
    pub const EXTENDED_DISPLAY_UPDATE_ONGOING: u32 = 1;
    pub const EQUIPMENT_MALFUNCTION: u32 = 1 << 1;
    pub const SIGNAL_PROCESSING_IRREGULARITY: u32 = 1 << 2;
    pub const INADEQUATE_SIGNAL: u32 = 1 << 3;
    pub const POOR_SIGNAL: u32 = 1 << 4;
    pub const LOW_PERFUSION: u32 = 1 << 5;
    pub const ERRATIC_SIGNAL: u32 = 1 << 6;
    pub const NONPULSATILE_SIGNAL: u32 = 1 << 7;
    pub const QUESTIONABLE_PULSE: u32 = 1 << 8;
    pub const SIGNAL_ANALYSIS_ONGOING: u32 = 1 << 9;
    pub const SENSOR_INTERFERENCE: u32 = 1 << 10;
    pub const SENSOR_UNCONNECTED_TO_USER: u32 = 1 << 11;
    pub const UNKNOWN_SENSOR_CONNECTED: u32 = 1 << 12;
    pub const SENSOR_DISPLACED: u32 = 1 << 13;
    pub const SENSOR_MALFUNCTIONING: u32 = 1 << 14;
    pub const SENSOR_DISCONNECTED: u32 = 1 << 15;

    /// Whether one of these bits is set.
    pub fn has(self, bits: u32) -> bool {
        self.0 & bits != 0
    }

    /// Bits 16 to 23, where they are.
    pub fn reserved_bits(self) -> u32 {
        self.0 & 0x00FF_0000
    }
}

/// PLX Spot-Check Measurement, 0x2A5E: what a pulse oximeter measured once.
///
/// Bluetooth GATT Specification Supplement, "PLX Spot-Check Measurement"; Pulse Oximeter Service, "PLX
/// Spot-check Measurement". Layout: flags u8, SpO2 and pulse rate SFLOAT; then, as flagged, time stamp,
/// measurement status u16, device and sensor status u24, pulse amplitude index SFLOAT. Tolerated: reserved
/// bits of flags and both statuses (kept), octets after the last field (handed back).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlxSpotCheckMeasurement {
    pub spo2_percent: Value,
    /// Beats per minute.
    pub pulse_rate: Value,
    pub time_stamp: Option<DateTime>,
    pub measurement_status: Option<PlxMeasurementStatus>,
    pub sensor_status: Option<PlxSensorStatus>,
    pub pulse_amplitude_index_percent: Option<Value>,
    /// Nobody has set the device's clock: the time stamp counts from where the clock began.
    pub clock_not_set: bool,
    /// Flag bits that the standard reserves and the device set nevertheless.
    pub reserved_flags: u8,
}

pub(super) const TIME_STAMP: u8 = 1;
pub(super) const MEASUREMENT_STATUS: u8 = 1 << 1;
const SENSOR_STATUS: u8 = 1 << 2;
const PULSE_AMPLITUDE_INDEX: u8 = 1 << 3;
pub(super) const CLOCK_NOT_SET: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

impl PlxSpotCheckMeasurement {
    pub const UUID: u16 = 0x2A5E;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let flags = reader.u8("flags")?;
        let has = |flag: u8| flags & flag != 0;
        let value = Self {
            spo2_percent: reader.sfloat("SpO2")?,
            pulse_rate: reader.sfloat("pulse rate")?,
            time_stamp: has(TIME_STAMP).then(|| reader.date_time("time stamp")).transpose()?,
            measurement_status: has(MEASUREMENT_STATUS)
                .then(|| reader.u16("measurement status"))
                .transpose()?
                .map(PlxMeasurementStatus),
            sensor_status: has(SENSOR_STATUS)
                .then(|| reader.u24("device and sensor status"))
                .transpose()?
                .map(PlxSensorStatus),
            pulse_amplitude_index_percent: has(PULSE_AMPLITUDE_INDEX)
                .then(|| reader.sfloat("pulse amplitude index"))
                .transpose()?,
            clock_not_set: has(CLOCK_NOT_SET),
            reserved_flags: flags & RESERVED,
        };
        Ok(reader.done(value))
    }

    /// At most 19 octets. Reserved flags are not sent.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut flags = 0;
        let mut flag = |set: bool, bit: u8| flags |= if set { bit } else { 0 };
        flag(self.time_stamp.is_some(), TIME_STAMP);
        flag(self.measurement_status.is_some(), MEASUREMENT_STATUS);
        flag(self.sensor_status.is_some(), SENSOR_STATUS);
        flag(self.pulse_amplitude_index_percent.is_some(), PULSE_AMPLITUDE_INDEX);
        flag(self.clock_not_set, CLOCK_NOT_SET);

        let mut writer = Writer::new(buffer);
        writer.u8("flags", flags)?;
        writer.sfloat("SpO2", self.spo2_percent)?;
        writer.sfloat("pulse rate", self.pulse_rate)?;
        if let Some(time_stamp) = self.time_stamp {
            writer.date_time("time stamp", time_stamp)?;
        }
        if let Some(PlxMeasurementStatus(status)) = self.measurement_status {
            writer.u16("measurement status", status)?;
        }
        if let Some(PlxSensorStatus(status)) = self.sensor_status {
            writer.u24("device and sensor status", status)?;
        }
        if let Some(index) = self.pulse_amplitude_index_percent {
            writer.sfloat("pulse amplitude index", index)?;
        }
        Ok(writer.done())
    }
}
