//! What a body is made of, as a scale tells it: beside a weight, or with the weight in the same frame.

use super::Role;
use super::content::{Charted, Content, Measured, Note, Outcome};
use super::notes;
use super::scene::Scene;
use super::weight;
use crate::decode::Measurement;
use crate::map::codes::{self, Ucum};
use crate::reading::Quantity;
use hearth_wire::Decimal;
use hearth_wire::gatt::{BodyCompositionMeasurement, WeightUnit};

/// A frame of its own. Its weight, where it has one, is the measurement; else body fat is, whether it was measured or
/// not.
pub(super) fn observed(composition: &BodyCompositionMeasurement, scene: &Scene<'_>) -> Vec<Content> {
    let mut all = match composition.weight {
        Some(mass) => vec![weight::body_weight(Some(mass), composition.unit, scene)],
        None => vec![fat_alone(composition, scene)],
    };
    all.extend(
        parts(composition, scene).filter(|part| composition.weight.is_some() || part.role != Role::BodyFat),
    );
    all
}

/// What a reading's companions tell of the composition.
pub(super) fn told(companions: &[Measurement], scene: &Scene<'_>) -> Vec<Content> {
    let compositions = companions.iter().filter_map(|companion| match companion {
        Measurement::BodyComposition(composition) => Some(composition),
        _ => None,
    });
    compositions.flat_map(|composition| parts(composition, scene)).collect()
}

fn fat_alone(composition: &BodyCompositionMeasurement, scene: &Scene<'_>) -> Content {
    let measured = composition.body_fat_percent.map(|fat| outcome(fat, codes::PERCENT));
    let failed = measured.is_none();
    let note = failed
        .then_some(Note::Borrowed("No body fat was measured: the device reported a failed measurement"));
    Content {
        role: Role::Measurement,
        code: codes::of(Quantity::BodyFat),
        charted: if failed { Charted::Status } else { Charted::Device },
        outcome: measured.unwrap_or(Outcome::Absent(super::content::Absent::ERROR)),
        questionable: false,
        notes: note.into_iter().chain(uncoded(composition)).chain(notes::on_measurement(scene)).collect(),
        derived_from: vec![],
    }
}

/// Observations beside the measurement: what was measured and has a code. None of them is one of R4's vital signs.
fn parts<'a>(
    composition: &'a BodyCompositionMeasurement,
    scene: &'a Scene<'_>,
) -> impl Iterator<Item = Content> + 'a {
    let mass = codes::weight(composition.unit);
    let all = [
        (Role::BodyFat, Quantity::BodyFat, composition.body_fat_percent, codes::PERCENT),
        (Role::FatFreeMass, Quantity::FatFreeMass, composition.fat_free_mass, mass),
        (Role::SoftLeanMass, Quantity::SoftLeanMass, composition.soft_lean_mass, mass),
        (Role::BodyWaterMass, Quantity::BodyWaterMass, composition.body_water_mass, mass),
    ];
    let measured =
        all.into_iter().filter_map(|(role, quantity, value, unit)| Some((role, quantity, value?, unit)));
    measured.map(|(role, quantity, value, unit)| Content {
        role,
        code: codes::of(quantity),
        charted: Charted::Device,
        outcome: outcome(value, unit),
        questionable: false,
        // Said once, with the percentage that such scales are bought for.
        notes: (role == Role::BodyFat)
            .then(|| uncoded(composition))
            .flatten()
            .into_iter()
            .chain(notes::on_companion(quantity, scene))
            .collect(),
        derived_from: vec![Role::Measurement],
    })
}

fn outcome(value: Decimal, unit: Ucum) -> Outcome {
    Outcome::Measured(Measured { value, comparator: None, unit })
}

/// What has no code that was verified stands in words (docs/mapping.md).
fn uncoded(composition: &BodyCompositionMeasurement) -> Option<Note> {
    let mass = match composition.unit {
        WeightUnit::Si => "kg",
        WeightUnit::Imperial => "lb",
    };
    let said: Vec<String> = [
        composition.muscle_percent.map(|value| format!("muscle {value} %")),
        composition.muscle_mass.map(|value| format!("muscle mass {value} {mass}")),
        composition.basal_metabolism_kilojoule.map(|value| format!("basal metabolism {value} kJ")),
        composition.impedance_ohm.map(|value| format!("impedance {value} ohm")),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!said.is_empty()).then(|| format!("As sent by the device: {}", said.join(", ")).into())
}
