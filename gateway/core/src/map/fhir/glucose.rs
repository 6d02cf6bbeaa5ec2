//! Glucose: the value or why there is none, the meter's status bits, and what was marked on the meter.

use super::Role;
use super::content::{Absent, Charted, Content, Measured, Note, Outcome, measured};
use super::scene::Scene;
use super::{context, notes};
use crate::interpret::is_no_glucose;
use crate::map::bits::{self, Bit};
use crate::map::codes;
use crate::profile::{Profile, Unit};
use crate::reading::{Doubt, Quantity};
use hearth_wire::gatt::{Concentration, ConcentrationUnit, GlucoseMeasurement, GlucoseStatus};
use hearth_wire::{Special, Value};

const CONTROL_SOLUTION_KIND: u8 = 10;
const CONTROL_SOLUTION_LOCATION: u8 = 4;
const LOCATION_NOT_AVAILABLE: u8 = 15;

pub(super) fn observed(glucose: &GlucoseMeasurement, scene: &Scene<'_>) -> Vec<Content> {
    // CLINICAL 10: never in a patient's chart.
    if glucose
        .concentration
        .is_some_and(|c| c.kind == CONTROL_SOLUTION_KIND || c.location == CONTROL_SOLUTION_LOCATION)
    {
        return vec![];
    }
    let status = status_octets(glucose.status, &scene.parcel.reading.doubts);
    let bits: Vec<Bit> = bits::METER_BITS.into_iter().filter(|bit| status & bit.mask != 0).collect();
    let context::Told { notes: marked, contents } = context::told(&scene.parcel.reading.companions);
    let mut all = vec![measurement(glucose, status, &bits, marked, scene)];
    if !bits.is_empty() {
        all.push(meter_status(bits));
    }
    all.extend(contents);
    all
}

/// What the meter shows instead of a number (CLINICAL 7).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beyond {
    High,
    Low,
}

fn measurement(
    glucose: &GlucoseMeasurement,
    status: u16,
    bits: &[Bit],
    marked: Vec<Note>,
    scene: &Scene<'_>,
) -> Content {
    let facts = scene.parcel.profile.of(Quantity::Glucose);
    let code = glucose.concentration.map_or(codes::of(Quantity::Glucose), |c| {
        codes::glucose(c.kind, c.unit, facts.and_then(|facts| facts.sample))
    });
    let beyond = beyond(glucose.concentration, status, &scene.parcel.profile);
    let outcome = match beyond {
        Some(beyond) => off_the_scale(beyond, glucose.concentration.map(|c| c.unit), &scene.parcel.profile),
        None => value(glucose.concentration),
    };
    let said = match beyond {
        Some(Beyond::High) => Some("Meter shows HI: the result is above what the meter can measure"),
        Some(Beyond::Low) => Some("Meter shows LO: the result is below what the meter can measure"),
        None if outcome.is_err() => Some("No glucose was measured: the meter reported no result"),
        None => None,
    };
    let failed = beyond.is_none() && outcome.is_err() && !scene.policy.failed_as_vital_sign;
    let beside = glucose.concentration.filter(|_| beyond.is_some()).and_then(number_beside);
    let mut notes: Vec<Note> =
        said.map(Note::Borrowed).into_iter().chain(beside).chain(notes::bits(bits)).collect();
    if status & GlucoseStatus::TIME_FAULT != 0 {
        notes.push("Meter reported: time fault".into());
    }
    notes.extend(glucose.concentration.into_iter().flat_map(sample_notes));
    notes.extend(marked);
    notes.extend(notes::on_measurement(scene));
    Content {
        role: Role::Measurement,
        code,
        charted: match (failed, scene.policy.glucose_laboratory) {
            (true, _) => Charted::Status,
            (false, true) => Charted::Laboratory,
            (false, false) => Charted::Device,
        },
        outcome: outcome.into(),
        questionable: bits.iter().any(|bit| bit.questionable && !(beyond.is_some() && says_beyond(bit))),
        notes,
        derived_from: vec![],
    }
}

/// A number that the meter can't show, sent beside HI or LO: no value, and not kept quiet about.
fn number_beside(concentration: Concentration) -> Option<Note> {
    let (unit, shift) = codes::concentration(concentration.unit);
    let number = concentration.value.finite()?.shifted(shift);
    Some(format!("The frame also held {number} {}, which this meter can't have measured", unit.text).into())
}

/// HI and LO come as special values, or as a status bit without a number, or with one that cannot be.
fn beyond(concentration: Option<Concentration>, status: u16, profile: &Profile) -> Option<Beyond> {
    let possible = concentration.filter(|c| !is_no_glucose(c, profile));
    match possible.map(|c| c.value) {
        Some(Value::Finite(_)) => None,
        Some(Value::Special(Special::PositiveInfinity)) => Some(Beyond::High),
        Some(Value::Special(Special::NegativeInfinity)) => Some(Beyond::Low),
        _ if status & GlucoseStatus::RESULT_TOO_HIGH != 0 => Some(Beyond::High),
        _ if status & GlucoseStatus::RESULT_TOO_LOW != 0 => Some(Beyond::Low),
        _ => None,
    }
}

/// Where HI and LO are said already, their bits make nothing doubtful.
fn says_beyond(bit: &Bit) -> bool {
    bit.mask & (GlucoseStatus::RESULT_TOO_HIGH | GlucoseStatus::RESULT_TOO_LOW) != 0
}

/// The maker's own bound in the unit that the record was sent in; else no number (CLINICAL 7). A status bit without
/// a concentration has no unit: it is the meter's if the profile knows only one, and none is invented.
fn off_the_scale(
    beyond: Beyond,
    unit: Option<ConcentrationUnit>,
    profile: &Profile,
) -> Result<Measured, Absent> {
    let (absent, comparator) = match beyond {
        Beyond::High => (Absent::POSITIVE_INFINITY.says("meter shows HI"), ">"),
        Beyond::Low => (Absent::NEGATIVE_INFINITY.says("meter shows LO"), "<"),
    };
    let in_unit = |unit| match unit {
        ConcentrationUnit::KilogramPerLitre => Unit::MilligramPerDecilitre,
        ConcentrationUnit::MolePerLitre => Unit::MillimolePerLitre,
    };
    let speaks = |unit: &ConcentrationUnit| profile.of_unit(Quantity::Glucose, in_unit(*unit)).is_some();
    let both = [ConcentrationUnit::KilogramPerLitre, ConcentrationUnit::MolePerLitre];
    let unit = match (unit, both.iter().filter(|unit| speaks(unit)).count()) {
        (Some(unit), _) => unit,
        (None, 1) => both.into_iter().find(speaks).ok_or(absent)?,
        (None, _) => return Err(absent),
    };
    let sent = in_unit(unit);
    let (lowest, highest) =
        profile.of_unit(Quantity::Glucose, sent).and_then(|facts| facts.range).ok_or(absent)?;
    let value = if beyond == Beyond::High { highest } else { lowest };
    Ok(Measured { value, comparator: Some(comparator), unit: codes::concentration(unit).0 })
}

/// The digits of the frame, the point moved (CLINICAL 8, 17).
fn value(concentration: Option<Concentration>) -> Result<Measured, Absent> {
    let Concentration { unit, value, .. } = concentration.ok_or(Absent::ERROR)?;
    let (ucum, shift) = codes::concentration(unit);
    let moved = match value {
        Value::Finite(decimal) => Value::Finite(decimal.shifted(shift)),
        special => special,
    };
    measured(moved, ucum)
}

/// In words, since a body site comes from the profile alone (CLINICAL 15).
fn sample_notes(concentration: Concentration) -> Vec<Note> {
    let Concentration { kind, location, .. } = concentration;
    let mut notes = vec![];
    if !matches!(kind, 1..=10) {
        notes.push(format!("The meter sent sample type {kind}, which has no defined meaning").into());
    }
    match codes::location(location) {
        Some(place) => notes.push(format!("Sample from {place} (reported by the meter)").into()),
        None if location == LOCATION_NOT_AVAILABLE => {}
        None => notes
            .push(format!("The meter sent sample location {location}, which has no defined meaning").into()),
    }
    notes
}

fn meter_status(bits: Vec<Bit>) -> Content {
    Content {
        role: Role::Status,
        code: codes::GLUCOSE_STATUS,
        charted: Charted::Device,
        outcome: Outcome::Bits(bits),
        questionable: false,
        notes: vec![],
        derived_from: vec![Role::Measurement],
    }
}

/// The set bits, by the frame or by the doubts that were read from it.
fn status_octets(status: Option<GlucoseStatus>, doubts: &[Doubt]) -> u16 {
    let doubted = doubts.iter().map(|doubt| if let Doubt::Sensor(bits) = doubt { *bits } else { 0 });
    doubted.fold(status.map_or(0, |status| status.0), |all, bits| all | bits)
}
