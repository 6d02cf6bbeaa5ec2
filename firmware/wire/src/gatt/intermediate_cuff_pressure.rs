use super::{BloodPressureMeasurement, BloodPressureStatus, DateTime, PressureUnit};
use crate::{Decoded, Malformed, NoRoom, Value};

/// Intermediate Cuff Pressure, 0x2A36: the cuff while it fills and empties. For a display, never a reading.
///
/// Bluetooth GATT Specification Supplement, "Intermediate Cuff Pressure"; Blood Pressure Service,
/// "Intermediate Cuff Pressure". Layout and what is tolerated: as [`BloodPressureMeasurement`], whose
/// systolic is the current pressure here, and whose other two pressures are unused (NaN by the standard).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IntermediateCuffPressure {
    pub unit: PressureUnit,
    pub cuff_pressure: Value,
    pub unused: [Value; 2],
    pub time_stamp: Option<DateTime>,
    /// Beats per minute.
    pub pulse_rate: Option<Value>,
    /// 255: unknown user.
    pub user_id: Option<u8>,
    pub status: Option<BloodPressureStatus>,
    /// Flag bits that the standard reserves and the device set nevertheless.
    pub reserved_flags: u8,
}

const PRESSURES: [&str; 3] = ["current cuff pressure", "first unused pressure", "second unused pressure"];

impl IntermediateCuffPressure {
    pub const UUID: u16 = 0x2A36;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let Decoded { value, trailing } = BloodPressureMeasurement::decode_as(octets, PRESSURES)?;
        let value = Self {
            unit: value.unit,
            cuff_pressure: value.systolic,
            unused: [value.diastolic, value.mean_arterial_pressure],
            time_stamp: value.time_stamp,
            pulse_rate: value.pulse_rate,
            user_id: value.user_id,
            status: value.status,
            reserved_flags: value.reserved_flags,
        };
        Ok(Decoded { value, trailing })
    }

    /// At most 19 octets. Reserved flags are not sent.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let [diastolic, mean_arterial_pressure] = self.unused;
        let layout = BloodPressureMeasurement {
            unit: self.unit,
            systolic: self.cuff_pressure,
            diastolic,
            mean_arterial_pressure,
            time_stamp: self.time_stamp,
            pulse_rate: self.pulse_rate,
            user_id: self.user_id,
            status: self.status,
            reserved_flags: self.reserved_flags,
        };
        layout.encode_as(buffer, PRESSURES)
    }
}
