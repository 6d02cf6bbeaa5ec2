//! Blood pressure: the panel, the pulse beside it, and the cuff's status bits.

use super::Role;
use super::content::{Absent, Charted, Content, Measured, Note, Outcome, Part, measured};
use super::notes;
use super::scene::Scene;
use crate::map::bits::{self, Bit};
use crate::map::codes;
use crate::reading::{Doubt, Quantity};
use hearth_wire::gatt::{BloodPressureMeasurement, BloodPressureStatus, PressureUnit, PulseRange};
use hearth_wire::{Decimal, Value};
use std::cmp::Ordering;

pub(super) fn observed(pressure: &BloodPressureMeasurement, scene: &Scene<'_>) -> Vec<Content> {
    let bits = cuff_bits(pressure.status, &scene.parcel.reading.doubts);
    let mut all = vec![panel(pressure, &bits, scene)];
    all.extend(pressure.pulse_rate.map(|rate| pulse(rate, &bits, scene)));
    if !bits.is_empty() {
        all.push(status(bits));
    }
    all
}

/// R4 `bp` and US Core require both components, also of a measurement that failed (CLINICAL 6).
fn panel(pressure: &BloodPressureMeasurement, bits: &[Bit], scene: &Scene<'_>) -> Content {
    let BloodPressureMeasurement { unit, systolic, diastolic, mean_arterial_pressure: mean, .. } = *pressure;
    let failed = systolic.finite().is_none() && diastolic.finite().is_none();
    let part = |quantity, value| Part { code: codes::of(quantity), outcome: in_millimetres(value, unit) };
    let mut parts = vec![part(Quantity::Systolic, systolic), part(Quantity::Diastolic, diastolic)];
    let mut notes = vec![];
    if failed {
        notes.push("No pressure was measured: the device reported a failed measurement".into());
    }
    match mean {
        Value::Special(_) if failed => {}
        Value::Special(_) => parts.push(part(Quantity::MeanArterialPressure, mean)),
        Value::Finite(sent) if between(diastolic, sent, systolic) => {
            parts.push(part(Quantity::MeanArterialPressure, mean));
        }
        // What cuffs send that do not know it.
        Value::Finite(Decimal { mantissa: 0, .. }) => {}
        Value::Finite(sent) => notes.push(mean_left_out(sent, unit)),
    }
    notes.extend(raw_kilopascals(pressure));
    // Record systems drop bits that have no LOINC code: the cuff's flags are said here too (CLINICAL 12).
    notes.extend(notes::bits(bits));
    notes.extend(notes::on_measurement(scene));
    Content {
        role: Role::Measurement,
        code: codes::BLOOD_PRESSURE,
        charted: Charted::vital_sign(!failed, scene.policy.failed_as_vital_sign),
        outcome: Outcome::Parts(parts),
        questionable: bits.iter().any(|bit| bit.questionable),
        notes,
        derived_from: vec![],
    }
}

/// CLINICAL 14: a mean that lies elsewhere is no mean of these two.
fn between(low: Value, middle: Decimal, high: Value) -> bool {
    let (Value::Finite(low), Value::Finite(high)) = (low, high) else { return false };
    low.compare(middle) != Ordering::Greater && middle.compare(high) != Ordering::Greater
}

fn mean_left_out(sent: Decimal, unit: PressureUnit) -> Note {
    let unit = match unit {
        PressureUnit::MillimetreOfMercury => "mmHg",
        PressureUnit::Kilopascal => "kPa",
    };
    format!("The device sent a mean pressure of {sent} {unit}, not between diastolic and systolic: left out")
        .into()
}

fn in_millimetres(value: Value, unit: PressureUnit) -> Result<Measured, Absent> {
    let value = match (unit, value) {
        (PressureUnit::Kilopascal, Value::Finite(kilopascals)) => {
            Value::Finite(millimetres(kilopascals).ok_or(Absent::ERROR)?)
        }
        (_, value) => value,
    };
    measured(value, codes::MILLIMETRE_OF_MERCURY)
}

/// kPa to whole mm\[Hg\]: times 7.50062, rounded once, half away from zero (CLINICAL 14). In integers. `None`:
/// a number beyond what any SFLOAT of kPa gives.
pub(super) fn millimetres(kilopascals: Decimal) -> Option<Decimal> {
    let hundred_thousandths = i128::from(kilopascals.mantissa) * 750_062;
    let places = i32::from(kilopascals.exponent) - 5;
    let whole = match u32::try_from(places) {
        Ok(up) => hundred_thousandths.checked_mul(10_i128.checked_pow(up)?)?,
        Err(_) => {
            // More places than an i128 has: nothing is left of the value.
            let Some(one) = 10_i128.checked_pow(places.unsigned_abs()) else {
                return Some(Decimal::new(0, 0));
            };
            let rounded = (hundred_thousandths.unsigned_abs() + one.unsigned_abs() / 2) / one.unsigned_abs();
            i128::try_from(rounded).ok()? * hundred_thousandths.signum()
        }
    };
    Some(Decimal::new(i32::try_from(whole).ok()?, 0))
}

/// The digits that were sent: a component in kPa would break R4's required units of vital signs.
fn raw_kilopascals(pressure: &BloodPressureMeasurement) -> Option<Note> {
    let BloodPressureMeasurement { unit, systolic, diastolic, mean_arterial_pressure, .. } = *pressure;
    if unit != PressureUnit::Kilopascal {
        return None;
    }
    let sent: Vec<String> =
        [("systolic", systolic), ("diastolic", diastolic), ("mean", mean_arterial_pressure)]
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name} {} kPa", value.finite()?)))
            .collect();
    (!sent.is_empty()).then(|| format!("As sent by the device: {}", sent.join(", ")).into())
}

/// docs/mapping.md: pulse from a cuff is an Observation of its own.
fn pulse(rate: Value, bits: &[Bit], scene: &Scene<'_>) -> Content {
    let measured = measured(rate, codes::PER_MINUTE);
    let of_pulse = bits.iter().filter(|bit| !bit.questionable).map(|bit| Note::Borrowed(bit.note));
    Content {
        role: Role::Pulse,
        code: codes::of(Quantity::PulseRate),
        charted: Charted::vital_sign(measured.is_ok(), scene.policy.failed_as_vital_sign),
        outcome: measured.into(),
        questionable: false,
        notes: of_pulse.chain(notes::on_companion(Quantity::PulseRate, scene)).collect(),
        derived_from: vec![Role::Measurement],
    }
}

fn status(bits: Vec<Bit>) -> Content {
    Content {
        role: Role::Status,
        code: codes::BLOOD_PRESSURE_STATUS,
        charted: Charted::Device,
        outcome: Outcome::Bits(bits),
        questionable: false,
        notes: vec![],
        derived_from: vec![Role::Measurement],
    }
}

/// The set bits, by the frame or by the doubts that were read from it.
fn cuff_bits(status: Option<BloodPressureStatus>, doubts: &[Doubt]) -> Vec<Bit> {
    let status = status.unwrap_or(BloodPressureStatus(0));
    let is = |sent: bool, doubt: Doubt| sent || doubts.contains(&doubt);
    let set = [
        is(status.body_movement(), Doubt::BodyMovement),
        is(status.cuff_too_loose(), Doubt::CuffTooLoose),
        is(status.irregular_pulse(), Doubt::IrregularPulse),
        is(status.pulse_range() == PulseRange::AboveUpperLimit, Doubt::PulseAboveLimit),
        is(status.pulse_range() == PulseRange::BelowLowerLimit, Doubt::PulseBelowLimit),
        is(status.improper_position(), Doubt::ImproperPosition),
    ];
    bits::CUFF_BITS.into_iter().zip(set).filter_map(|(bit, set)| set.then_some(bit)).collect()
}
