use super::{Put, digits, time, user};
use crate::show::Fields;
use hearth_wire::gatt::{
    BodyCompositionFeature, BodyCompositionMeasurement, WeightMeasurement, WeightScaleFeature, WeightUnit,
};
use serde_json::json;

pub(super) fn weight(m: &WeightMeasurement) -> Fields {
    let (unit, height_unit) = units(m.unit);
    let both = m.body_mass_index_height;
    Put::default()
        .always("unit", json!(unit))
        .always("weight", m.weight.map_or(json!("unsuccessful"), digits))
        .given("timestamp", m.time_stamp, time)
        .given("user_id", m.user_id, user)
        .given("bmi", both, |b| digits(b.body_mass_index))
        .given("height", both, |b| digits(b.height))
        .given("height_unit", both, |_| json!(height_unit))
        .reserved(m.reserved_flags)
        .0
}

/// `unsuccessful`: the device itself says that no fat was measured; a quirk that says so leaves it out.
pub(super) fn body_composition(m: &BodyCompositionMeasurement, unsuccessful: bool) -> Fields {
    let (unit, height_unit) = units(m.unit);
    Put::default()
        .always("unit", json!(unit))
        .given(
            "fat_pct",
            m.body_fat_percent.map(digits).or(unsuccessful.then(|| json!("unsuccessful"))),
            |fat| fat,
        )
        .given("timestamp", m.time_stamp, time)
        .given("user_id", m.user_id, user)
        .given("bmr_kJ", m.basal_metabolism_kilojoule, |b| json!(b))
        .given("muscle_pct", m.muscle_percent, digits)
        .given("muscle_mass", m.muscle_mass, digits)
        .given("fat_free_mass", m.fat_free_mass, digits)
        .given("soft_lean_mass", m.soft_lean_mass, digits)
        .given("water_mass", m.body_water_mass, digits)
        .given("impedance_ohm", m.impedance_ohm, digits)
        .given("weight", m.weight, digits)
        .given("height", m.height, digits)
        .given("height_unit", m.height, |_| json!(height_unit))
        .always("multiple_packet", json!(m.multiple_packet))
        .reserved(m.reserved_flags)
        .0
}

/// UCUM for mass and height.
fn units(unit: WeightUnit) -> (&'static str, &'static str) {
    match unit {
        WeightUnit::Si => ("kg", "m"),
        WeightUnit::Imperial => ("[lb_av]", "[in_i]"),
    }
}

pub(super) fn feature(m: &WeightScaleFeature) -> Fields {
    Put::default()
        .features(m.0, m.reserved_bits(), &["time-stamp", "multiple-users", "bmi"])
        .always("weight_resolution_class", json!(m.weight_resolution_class()))
        .always("height_resolution_class", json!(m.height_resolution_class()))
        .0
}

const BODY_COMPOSITION_FEATURES: [&str; 11] = [
    "time-stamp",
    "multiple-users",
    "basal-metabolism",
    "muscle-percentage",
    "muscle-mass",
    "fat-free-mass",
    "soft-lean-mass",
    "body-water-mass",
    "impedance",
    "weight",
    "height",
];

pub(super) fn body_composition_feature(m: &BodyCompositionFeature) -> Fields {
    Put::default()
        .features(m.0, m.reserved_bits(), &BODY_COMPOSITION_FEATURES)
        .always("mass_resolution_class", json!(m.mass_resolution_class()))
        .always("height_resolution_class", json!(m.height_resolution_class()))
        .0
}
