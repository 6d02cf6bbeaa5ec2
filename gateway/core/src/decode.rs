//! Capture to measurement: the standard's value, after the profile's quirks, before any judgement.

use crate::capture::Uuid16;
use crate::quirk::{self, Quirk};
use crate::when::{Face, Stamp};
use hearth_wire::gatt::{
    BloodPressureMeasurement, DateTime, GlucoseMeasurement, GlucoseMeasurementContext, TimeOffset,
    WeightMeasurement,
};
use hearth_wire::{Decoded, Malformed};
use jiff::civil;

/// What a device said, by the letter of the standard. The closed set of what this gateway understands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measurement {
    Pressure(BloodPressureMeasurement),
    Glucose(GlucoseMeasurement),
    GlucoseContext(GlucoseMeasurementContext),
    Weight(WeightMeasurement),
}

/// Why octets are no measurement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    Malformed(Malformed),
    /// No codec for this characteristic.
    UnknownCharacteristic(Uuid16),
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
    /// `ketone-pseudo-record`, `weight-removed`, `weight-unsettled`
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
    pub fn characteristic(&self) -> Uuid16 {
        match self {
            Measurement::Pressure(_) => Uuid16::BLOOD_PRESSURE_MEASUREMENT,
            Measurement::Glucose(_) => Uuid16::GLUCOSE_MEASUREMENT,
            Measurement::GlucoseContext(_) => Uuid16::GLUCOSE_MEASUREMENT_CONTEXT,
            Measurement::Weight(_) => Uuid16::WEIGHT_MEASUREMENT,
        }
    }

    /// The standard's own octets for what was meant: how a measurement is kept at rest.
    pub fn encode(&self) -> Vec<u8> {
        let mut room = [0u8; 64];
        let octets = match self {
            Measurement::Pressure(m) => m.encode(&mut room),
            Measurement::Glucose(m) => m.encode(&mut room),
            Measurement::GlucoseContext(m) => m.encode(&mut room),
            Measurement::Weight(m) => m.encode(&mut room),
        };
        octets
            .expect("64 octets hold every characteristic here, and every value in it came from one")
            .to_vec()
    }

    /// User slot that the device names. 255: the device knows slots and does not know whose this is.
    pub fn slot(&self) -> Option<u8> {
        match self {
            Measurement::Pressure(m) => m.user_id,
            Measurement::Weight(m) => m.user_id,
            Measurement::Glucose(_) | Measurement::GlucoseContext(_) => None,
        }
    }

    /// The number that joins records of one device.
    pub fn sequence(&self) -> Option<u16> {
        match self {
            Measurement::Glucose(m) => Some(m.sequence),
            Measurement::GlucoseContext(m) => Some(m.sequence),
            Measurement::Pressure(_) | Measurement::Weight(_) => None,
        }
    }

    /// What it says of its own time, on the face asked for.
    pub fn told(&self, face: Face) -> Told {
        let (sent, offset) = match self {
            Measurement::Pressure(m) => (m.time_stamp, None),
            Measurement::Weight(m) => (m.time_stamp, None),
            Measurement::Glucose(m) => (Some(m.base_time), m.time_offset),
            Measurement::GlucoseContext(_) => (None, None),
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
