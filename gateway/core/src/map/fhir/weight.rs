//! Body weight, and what was typed into the scale.

use super::Role;
use super::content::{Absent, Charted, Content, Measured, Note, measured};
use super::scene::Scene;
use super::{composition, notes};
use crate::map::codes;
use crate::reading::Quantity;
use hearth_wire::gatt::{BodyMassIndexHeight, WeightMeasurement, WeightUnit};
use hearth_wire::{Decimal, Value};

pub(super) fn observed(weight: &WeightMeasurement, scene: &Scene<'_>) -> Vec<Content> {
    let WeightMeasurement { unit, weight, body_mass_index_height, .. } = *weight;
    let mut all = vec![body_weight(weight, unit, scene)];
    all.extend(composition::told(&scene.parcel.reading.companions, scene));
    // Height was typed in, and the index rests on it (CLINICAL 14).
    if let Some(typed) = body_mass_index_height.filter(|_| scene.policy.height_and_bmi) {
        let BodyMassIndexHeight { body_mass_index, height } = typed;
        let (height_unit, shift) = codes::height(unit);
        all.push(companion(
            Role::BodyMassIndex,
            Quantity::BodyMassIndex,
            measured(Value::Finite(body_mass_index), codes::KILOGRAM_PER_SQUARE_METRE),
            "Calculated by the scale from a height that was typed in",
            scene,
        ));
        all.push(companion(
            Role::BodyHeight,
            Quantity::BodyHeight,
            measured(Value::Finite(height.shifted(shift)), height_unit),
            "Typed into the scale, not measured",
            scene,
        ));
    }
    all
}

/// In the unit that the scale sent.
pub(super) fn body_weight(weight: Option<Decimal>, unit: WeightUnit, scene: &Scene<'_>) -> Content {
    let failed = weight.is_none();
    let outcome =
        weight.map_or(Err(Absent::ERROR), |weight| measured(Value::Finite(weight), codes::weight(unit)));
    let note =
        failed.then_some(Note::Borrowed("No weight was measured: the device reported a failed measurement"));
    Content {
        role: Role::Measurement,
        code: codes::of(Quantity::BodyWeight),
        charted: Charted::vital_sign(!failed, scene.policy.failed_as_vital_sign),
        outcome: outcome.into(),
        questionable: false,
        notes: note.into_iter().chain(notes::on_measurement(scene)).collect(),
        derived_from: vec![],
    }
}

fn companion(
    role: Role,
    quantity: Quantity,
    outcome: Result<Measured, Absent>,
    origin: &'static str,
    scene: &Scene<'_>,
) -> Content {
    let notes = std::iter::once(Note::Borrowed(origin)).chain(notes::on_companion(quantity, scene)).collect();
    Content {
        role,
        code: codes::of(quantity),
        charted: Charted::VitalSign,
        outcome: outcome.into(),
        questionable: false,
        notes,
        derived_from: vec![Role::Measurement],
    }
}
