use super::DateTime;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom, Value};

/// Minutes from base time to user-facing time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeOffset {
    Minutes(i16),
    /// 0x7FFF
    Overrun,
    /// 0x8000
    Underrun,
}

impl TimeOffset {
    fn from_raw(raw: i16) -> Self {
        match raw {
            i16::MAX => TimeOffset::Overrun,
            i16::MIN => TimeOffset::Underrun,
            minutes => TimeOffset::Minutes(minutes),
        }
    }

    /// `None` for a number of minutes that would be read as overrun or underrun.
    fn to_raw(self) -> Option<i16> {
        match self {
            TimeOffset::Overrun => Some(i16::MAX),
            TimeOffset::Underrun => Some(i16::MIN),
            TimeOffset::Minutes(i16::MAX | i16::MIN) => None,
            TimeOffset::Minutes(minutes) => Some(minutes),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConcentrationUnit {
    KilogramPerLitre,
    MolePerLitre,
}

/// Concentration with the octet that always comes with it: type in the low nibble, location in the high.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Concentration {
    pub unit: ConcentrationUnit,
    /// In `unit`, as sent: kg/L or mol/L.
    pub value: Value,
    /// 1 capillary whole blood … 9 interstitial fluid, 10 control solution.
    pub kind: u8,
    /// 1 finger, 2 alternate site, 3 earlobe, 4 control solution, 15 not available.
    pub location: u8,
}

/// Sensor Status Annunciation field: the flags as sent, reserved ones included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GlucoseStatus(pub u16);

impl GlucoseStatus {
    pub const DEVICE_BATTERY_LOW: u16 = 1;
    pub const SENSOR_MALFUNCTION: u16 = 1 << 1;
    pub const SAMPLE_SIZE_INSUFFICIENT: u16 = 1 << 2;
    pub const STRIP_INSERTION_ERROR: u16 = 1 << 3;
    pub const STRIP_TYPE_INCORRECT: u16 = 1 << 4;
    /// Higher than the device can process: the meter shows HI.
    pub const RESULT_TOO_HIGH: u16 = 1 << 5;
    /// Lower than the device can process: the meter shows LO.
    pub const RESULT_TOO_LOW: u16 = 1 << 6;
    pub const TEMPERATURE_TOO_HIGH: u16 = 1 << 7;
    pub const TEMPERATURE_TOO_LOW: u16 = 1 << 8;
    /// The strip was pulled too soon.
    pub const READ_INTERRUPTED: u16 = 1 << 9;
    pub const GENERAL_DEVICE_FAULT: u16 = 1 << 10;
    /// The time may be inaccurate.
    pub const TIME_FAULT: u16 = 1 << 11;

    /// Whether one of these bits is set.
    pub fn has(self, bits: u16) -> bool {
        self.0 & bits != 0
    }

    /// Bits 12 to 15, where they are.
    pub fn reserved_bits(self) -> u16 {
        self.0 & 0xF000
    }
}

/// Glucose Measurement, 0x2A18.
///
/// Bluetooth GATT Specification Supplement, "Glucose Measurement"; Glucose Service, "Glucose Measurement".
/// Layout: flags u8, sequence number u16, base time; then, as flagged, time offset i16 (minutes),
/// concentration SFLOAT with type and location u8, status u16. Tolerated: reserved bits of flags and status
/// (kept), types and locations that the standard does not list (kept), a unit without a concentration
/// (dropped), octets after the last field (handed back).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GlucoseMeasurement {
    pub sequence: u16,
    /// The meter's inner clock: with the offset, what the user sees.
    pub base_time: DateTime,
    pub time_offset: Option<TimeOffset>,
    pub concentration: Option<Concentration>,
    pub status: Option<GlucoseStatus>,
    /// A Glucose Measurement Context with the same sequence number is to come.
    pub context_follows: bool,
    /// Flag bits that the standard reserves and the device set nevertheless.
    pub reserved_flags: u8,
}

pub(super) const TIME_OFFSET: u8 = 1;
const CONCENTRATION: u8 = 1 << 1;
const MOLE_PER_LITRE: u8 = 1 << 2;
const STATUS: u8 = 1 << 3;
pub(super) const CONTEXT_FOLLOWS: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

impl GlucoseMeasurement {
    pub const UUID: u16 = 0x2A18;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let flags = reader.u8("flags")?;
        let has = |flag: u8| flags & flag != 0;
        let unit = if has(MOLE_PER_LITRE) {
            ConcentrationUnit::MolePerLitre
        } else {
            ConcentrationUnit::KilogramPerLitre
        };
        let value = Self {
            sequence: reader.u16("sequence number")?,
            base_time: reader.date_time("base time")?,
            time_offset: has(TIME_OFFSET)
                .then(|| reader.i16("time offset"))
                .transpose()?
                .map(TimeOffset::from_raw),
            concentration: has(CONCENTRATION).then(|| concentration(unit, &mut reader)).transpose()?,
            status: has(STATUS)
                .then(|| reader.u16("sensor status annunciation"))
                .transpose()?
                .map(GlucoseStatus),
            context_follows: has(CONTEXT_FOLLOWS),
            reserved_flags: flags & RESERVED,
        };
        Ok(reader.done(value))
    }

    /// At most 17 octets. Reserved flags are not sent.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let in_moles = self.concentration.is_some_and(|c| c.unit == ConcentrationUnit::MolePerLitre);
        let mut flags = 0;
        let mut flag = |set: bool, bit: u8| flags |= if set { bit } else { 0 };
        flag(self.time_offset.is_some(), TIME_OFFSET);
        flag(self.concentration.is_some(), CONCENTRATION);
        flag(in_moles, MOLE_PER_LITRE);
        flag(self.status.is_some(), STATUS);
        flag(self.context_follows, CONTEXT_FOLLOWS);

        let mut writer = Writer::new(buffer);
        writer.u8("flags", flags)?;
        writer.u16("sequence number", self.sequence)?;
        writer.date_time("base time", self.base_time)?;
        if let Some(offset) = self.time_offset {
            let field = "time offset";
            writer.i16(field, offset.to_raw().ok_or(NoRoom { field })?)?;
        }
        if let Some(concentration) = self.concentration {
            writer.sfloat("glucose concentration", concentration.value)?;
            writer.nibbles("type and sample location", concentration.kind, concentration.location)?;
        }
        if let Some(GlucoseStatus(status)) = self.status {
            writer.u16("sensor status annunciation", status)?;
        }
        Ok(writer.done())
    }
}

fn concentration(unit: ConcentrationUnit, reader: &mut Reader<'_>) -> Result<Concentration, Malformed> {
    let value = reader.sfloat("glucose concentration")?;
    let kind_location = reader.u8("type and sample location")?;
    Ok(Concentration { unit, value, kind: kind_location & 0x0F, location: kind_location >> 4 })
}
