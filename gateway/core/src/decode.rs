//! Capture to measurement: the standard's value, after the profile's quirks, before any judgement.

use crate::capture::Uuid16;
use crate::quirk::{self, Quirk};
use crate::vendor;
use crate::when::{Face, Stamp};
use hearth_wire::gatt::{
    BloodPressureMeasurement, BodyCompositionMeasurement, DateTime, EnhancedBloodPressureMeasurement,
    GlucoseMeasurement, GlucoseMeasurementContext, HeartRateMeasurement, PlxSpotCheckMeasurement,
    TemperatureMeasurement, TimeOffset, WeightMeasurement,
};
use hearth_wire::{Decoded, Malformed, NoRoom};
use jiff::civil;

/// What a device said, by the letter of the standard. The closed set of what this gateway understands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measurement {
    Pressure(BloodPressureMeasurement),
    Glucose(GlucoseMeasurement),
    GlucoseContext(GlucoseMeasurementContext),
    Weight(WeightMeasurement),
    EnhancedPressure(EnhancedBloodPressureMeasurement),
    BodyComposition(BodyCompositionMeasurement),
    Temperature(TemperatureMeasurement),
    Oximetry(PlxSpotCheckMeasurement),
    HeartRate(HeartRateMeasurement),
}

/// Why octets are no measurement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    Malformed(Malformed),
    /// Nothing here makes a measurement of this characteristic.
    UnknownCharacteristic(Uuid16),
    /// An erased place in a cuff's memory.
    EmptySlot,
}

/// A measurement, how many octets came after its last field, and whether a quirk knows that it is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parsed {
    pub measurement: Measurement,
    /// 0: every octet is explained, by the layout or by a quirk.
    pub trailing: usize,
    pub not_a_reading: Option<NotAReading>,
}

/// A frame that only looks like a measurement, by the word of a quirk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAReading {
    pub quirk: Quirk,
    /// `ketone-pseudo-record`, `weight-removed`, `weight-unsettled`, `nothing-measured`, `empty-slot`
    pub because: &'static str,
}

/// Decodes a value by the letter, then lets the named quirks say what was meant.
pub fn decode(characteristic: Uuid16, octets: &[u8], quirks: &[Quirk]) -> Result<Parsed, Cause> {
    let parsed = by_the_letter(characteristic, octets)?;
    Ok(quirks.iter().fold(parsed, |parsed, quirk| quirk::apply(*quirk, octets, parsed)))
}

fn by_the_letter(characteristic: Uuid16, octets: &[u8]) -> Result<Parsed, Cause> {
    fn parsed<T>(decoded: Decoded<'_, T>, wrap: fn(T) -> Measurement) -> Parsed {
        Parsed { measurement: wrap(decoded.value), trailing: decoded.trailing.len(), not_a_reading: None }
    }
    match characteristic {
        Uuid16::BLOOD_PRESSURE_MEASUREMENT => {
            BloodPressureMeasurement::decode(octets).map(|d| parsed(d, Measurement::Pressure))
        }
        Uuid16::GLUCOSE_MEASUREMENT => {
            GlucoseMeasurement::decode(octets).map(|d| parsed(d, Measurement::Glucose))
        }
        Uuid16::GLUCOSE_MEASUREMENT_CONTEXT => {
            GlucoseMeasurementContext::decode(octets).map(|d| parsed(d, Measurement::GlucoseContext))
        }
        Uuid16::WEIGHT_MEASUREMENT => {
            WeightMeasurement::decode(octets).map(|d| parsed(d, Measurement::Weight))
        }
        Uuid16::ENHANCED_BLOOD_PRESSURE_MEASUREMENT => {
            EnhancedBloodPressureMeasurement::decode(octets).map(|d| parsed(d, Measurement::EnhancedPressure))
        }
        Uuid16::BODY_COMPOSITION_MEASUREMENT => {
            BodyCompositionMeasurement::decode(octets).map(|d| parsed(d, Measurement::BodyComposition))
        }
        Uuid16::TEMPERATURE_MEASUREMENT => {
            TemperatureMeasurement::decode(octets).map(|d| parsed(d, Measurement::Temperature))
        }
        Uuid16::PLX_SPOT_CHECK_MEASUREMENT => {
            PlxSpotCheckMeasurement::decode(octets).map(|d| parsed(d, Measurement::Oximetry))
        }
        Uuid16::HEART_RATE_MEASUREMENT => {
            HeartRateMeasurement::decode(octets).map(|d| parsed(d, Measurement::HeartRate))
        }
        // The flags of this broadcast are those of the characteristic; what its maker added is a quirk.
        Uuid16::WEIGHT_SCALE_SERVICE_DATA => {
            WeightMeasurement::decode(octets).map(|d| parsed(d, Measurement::Weight))
        }
        Uuid16::BODY_COMPOSITION_SERVICE_DATA => vendor::xiaomi_mi_scale_v2(octets),
        Uuid16::OMRON_EEPROM_RECORD => {
            return vendor::omron_record(octets, vendor::OmronLayout::LittleEndian);
        }
        Uuid16::BODY_COMPOSITION_IN_TENTHS => BodyCompositionMeasurement::decode(octets)
            .map(|d| parsed(d, |m| Measurement::BodyComposition(vendor::in_tenths(m)))),
        other => return Err(Cause::UnknownCharacteristic(other)),
    }
    .map_err(Cause::Malformed)
}

/// What a record says of its own time on one face of its device's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// No stamp, or one whose year, month or day is 0.
    Nothing,
    /// Not a date: 30 February, month 13.
    NotADate(DateTime),
    /// 2A18: the offset ran over or under; the shown time cannot be told.
    OffsetLost,
    At(Stamp),
}

impl Measurement {
    /// The characteristic whose octets [`Measurement::encode`] gives.
    pub fn characteristic(&self) -> Uuid16 {
        match self {
            Measurement::Pressure(_) => Uuid16::BLOOD_PRESSURE_MEASUREMENT,
            Measurement::Glucose(_) => Uuid16::GLUCOSE_MEASUREMENT,
            Measurement::GlucoseContext(_) => Uuid16::GLUCOSE_MEASUREMENT_CONTEXT,
            Measurement::Weight(_) => Uuid16::WEIGHT_MEASUREMENT,
            Measurement::EnhancedPressure(_) => Uuid16::ENHANCED_BLOOD_PRESSURE_MEASUREMENT,
            Measurement::BodyComposition(m) if vendor::counts_tenths(m) => Uuid16::BODY_COMPOSITION_IN_TENTHS,
            Measurement::BodyComposition(_) => Uuid16::BODY_COMPOSITION_MEASUREMENT,
            Measurement::Temperature(_) => Uuid16::TEMPERATURE_MEASUREMENT,
            Measurement::Oximetry(_) => Uuid16::PLX_SPOT_CHECK_MEASUREMENT,
            Measurement::HeartRate(_) => Uuid16::HEART_RATE_MEASUREMENT,
        }
    }

    /// The standard's own octets for what was meant: how a measurement is kept at rest.
    pub fn encode(&self) -> Vec<u8> {
        let mut room = [0u8; 64];
        self.write(&mut room)
            .expect("64 octets hold every characteristic here, and every value in it came from one")
            .to_vec()
    }

    fn write<'b>(&self, room: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        match self {
            Measurement::Pressure(m) => m.encode(room),
            Measurement::Glucose(m) => m.encode(room),
            Measurement::GlucoseContext(m) => m.encode(room),
            Measurement::Weight(m) => m.encode(room),
            Measurement::EnhancedPressure(m) => m.encode(room),
            Measurement::BodyComposition(m) if vendor::counts_tenths(m) => vendor::in_fives(*m).encode(room),
            Measurement::BodyComposition(m) => m.encode(room),
            Measurement::Temperature(m) => m.encode(room),
            Measurement::Oximetry(m) => m.encode(room),
            Measurement::HeartRate(m) => m.encode(room),
        }
    }

    /// User slot that the device names. 255: the device knows slots and does not know whose this is.
    pub fn slot(&self) -> Option<u8> {
        match self {
            Measurement::Pressure(m) => m.user_id,
            Measurement::EnhancedPressure(m) => m.user_id,
            Measurement::Weight(m) => m.user_id,
            Measurement::BodyComposition(m) => m.user_id,
            Measurement::Glucose(_)
            | Measurement::GlucoseContext(_)
            | Measurement::Temperature(_)
            | Measurement::Oximetry(_)
            | Measurement::HeartRate(_) => None,
        }
    }

    /// A pressure, whichever characteristic told it.
    pub fn pressure(&self) -> Option<BloodPressureMeasurement> {
        match self {
            Measurement::Pressure(m) => Some(*m),
            Measurement::EnhancedPressure(m) => Some(BloodPressureMeasurement {
                unit: m.unit,
                systolic: m.systolic,
                diastolic: m.diastolic,
                mean_arterial_pressure: m.mean_arterial_pressure,
                time_stamp: m.time_stamp.map(|seconds| m.epoch.date_time(seconds)),
                pulse_rate: m.pulse_rate,
                user_id: m.user_id,
                status: m.status,
                reserved_flags: m.reserved_flags,
            }),
            _ => None,
        }
    }

    /// The number that joins records of one device.
    pub fn sequence(&self) -> Option<u16> {
        match self {
            Measurement::Glucose(m) => Some(m.sequence),
            Measurement::GlucoseContext(m) => Some(m.sequence),
            _ => None,
        }
    }

    /// What it says of its own time, on the face asked for.
    pub fn told(&self, face: Face) -> Told {
        let (sent, offset) = match self {
            Measurement::Pressure(m) => (m.time_stamp, None),
            Measurement::EnhancedPressure(m) => {
                let shown = m.user_facing_time.filter(|_| face == Face::Shown);
                // No seconds since the epoch are no time.
                let seconds = shown.or(m.time_stamp).or(m.user_facing_time).filter(|seconds| *seconds != 0);
                (seconds.map(|seconds| m.epoch.date_time(seconds)), None)
            }
            Measurement::Weight(m) => (m.time_stamp, None),
            Measurement::BodyComposition(m) => (m.time_stamp, None),
            Measurement::Temperature(m) => (m.time_stamp, None),
            Measurement::Oximetry(m) => (m.time_stamp, None),
            Measurement::Glucose(m) => (Some(m.base_time), m.time_offset),
            Measurement::GlucoseContext(_) | Measurement::HeartRate(_) => (None, None),
        };
        let Some(sent) = sent.filter(|s| !s.is_unknown()) else { return Told::Nothing };
        let Some(base) = civil_of(sent) else { return Told::NotADate(sent) };
        let shown = match (face, offset) {
            (Face::Base, _) | (Face::Shown, None) => Some(base),
            (Face::Shown, Some(TimeOffset::Minutes(minutes))) => {
                base.checked_add(jiff::SignedDuration::from_mins(i64::from(minutes))).ok()
            }
            (Face::Shown, Some(TimeOffset::Overrun | TimeOffset::Underrun)) => None,
        };
        shown.map_or(Told::OffsetLost, |civil| Told::At(Stamp { face, civil }))
    }
}

/// `None`: not a date.
pub fn civil_of(sent: DateTime) -> Option<civil::DateTime> {
    if !sent.is_date() {
        return None;
    }
    let small = |n: u8| i8::try_from(n).ok();
    civil::DateTime::new(
        i16::try_from(sent.year).ok()?,
        small(sent.month)?,
        small(sent.day)?,
        small(sent.hours)?,
        small(sent.minutes)?,
        small(sent.seconds)?,
        0,
    )
    .ok()
}
