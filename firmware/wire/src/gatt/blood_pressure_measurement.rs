use super::DateTime;
use crate::Value;

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

/// Blood Pressure Measurement, 0x2A35.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BloodPressureMeasurement {
    pub unit: PressureUnit,
    pub systolic: Value,
    pub diastolic: Value,
    pub mean_arterial_pressure: Value,
    pub time_stamp: Option<DateTime>,
    pub pulse_rate: Option<Value>,
    /// 255: unknown user.
    pub user_id: Option<u8>,
    pub status: Option<BloodPressureStatus>,
    /// Flag bits that the standard reserves and the device set nevertheless.
    pub reserved_flags: u8,
}
