//! Temperature, oxygen saturation with its pulse, heart rate.

use super::Role;
use super::content::{Absent, Charted, Content, Measured, Note, measured};
use super::notes;
use super::scene::Scene;
use crate::map::bits;
use crate::map::codes::{self, Code};
use crate::reading::{Doubt, Quantity};
use hearth_wire::gatt::{
    HeartRateMeasurement, PlxMeasurementStatus, PlxSpotCheckMeasurement, TemperatureMeasurement,
};
use hearth_wire::{Decimal, Value};

/// In the unit that the thermometer sent; where it was taken by the device's own word is a note (CLINICAL 15).
pub(super) fn temperature(m: &TemperatureMeasurement, scene: &Scene<'_>) -> Vec<Content> {
    let site = m.kind.map(|kind| match codes::temperature_site(kind) {
        Some(site) => Note::Owned(format!("Measured at, by the device's word: {site}")),
        None => Note::Owned(format!(
            "Measured at, by the device's word: type {kind}, which has no defined meaning"
        )),
    });
    let outcome = measured(m.temperature, codes::temperature(m.unit));
    vec![vital(codes::of(Quantity::BodyTemperature), outcome, site.into_iter().collect(), false, scene)]
}

/// The saturation, and the pulse beside it.
pub(super) fn oximetry(m: &PlxSpotCheckMeasurement, scene: &Scene<'_>) -> Vec<Content> {
    let doubt = scene.parcel.reading.doubts.iter().find_map(|doubt| match doubt {
        Doubt::Oximeter { measurement, sensor } => Some((*measurement, *sensor)),
        _ => None,
    });
    let (status, sensor) = doubt.unwrap_or_default();
    let mut said: Vec<Note> = bits::oximeter(status, sensor).collect();
    if let Some(index) = m.pulse_amplitude_index_percent.and_then(Value::finite) {
        said.push(format!("As sent by the device: pulse amplitude index {index} %").into());
    }
    // PHD 2.0, "Measurement Status": what is invalid or was not there is told as absent, in so many words.
    let value = |value: Value, unit| {
        let invalid = status
            & (PlxMeasurementStatus::INVALID_MEASUREMENT | PlxMeasurementStatus::MEASUREMENT_UNAVAILABLE);
        if invalid != 0 { Err(Absent::ERROR) } else { measured(value, unit) }
    };
    let questionable = status | sensor as u16 != 0;
    let saturation = value(m.spo2_percent, codes::PERCENT);
    let pulse = value(m.pulse_rate, codes::PER_MINUTE);
    vec![
        vital(codes::of(Quantity::OxygenSaturation), saturation, said.clone(), questionable, scene),
        Content {
            role: Role::Pulse,
            code: codes::PULSE_FROM_OXIMETER,
            charted: Charted::vital_sign(pulse.is_ok(), scene.policy.failed_as_vital_sign),
            outcome: pulse.into(),
            questionable,
            notes: bits::oximeter(status, sensor)
                .chain(notes::on_companion(Quantity::PulseRate, scene))
                .collect(),
            derived_from: vec![Role::Measurement],
        },
    ]
}

/// Beat to beat intervals are not sent: they are a signal, not a reading (docs/mapping.md).
pub(super) fn heart_rate(m: &HeartRateMeasurement, scene: &Scene<'_>) -> Vec<Content> {
    let rate = Value::Finite(Decimal::new(m.beats_per_minute.into(), 0));
    let energy = m.energy_expended_kilojoule.map(|kilojoule| match kilojoule {
        u16::MAX => Note::Borrowed("As sent by the device: energy expended 65535 kJ or more"),
        some => Note::Owned(format!("As sent by the device: energy expended {some} kJ")),
    });
    let questionable = scene.parcel.reading.doubts.contains(&Doubt::NoContact);
    let outcome = measured(rate, codes::PER_MINUTE);
    vec![vital(codes::of(Quantity::HeartRate), outcome, energy.into_iter().collect(), questionable, scene)]
}

fn vital(
    code: Code,
    outcome: Result<Measured, Absent>,
    mut said: Vec<Note>,
    questionable: bool,
    scene: &Scene<'_>,
) -> Content {
    if outcome.is_err() {
        said.insert(0, format!("{} was not measured: the device reported no value", code.text).into());
    }
    said.extend(notes::on_measurement(scene));
    Content {
        role: Role::Measurement,
        code,
        charted: Charted::vital_sign(outcome.is_ok(), scene.policy.failed_as_vital_sign),
        outcome: outcome.into(),
        questionable,
        notes: said,
        derived_from: vec![],
    }
}
