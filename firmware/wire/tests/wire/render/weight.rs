use hearth_wire::Decimal;
use hearth_wire::gatt::{
    BodyCompositionFeature, BodyCompositionMeasurement, WeightMeasurement, WeightScaleFeature, WeightUnit,
};
use serde_json::{Map, Value as Json, json};

use super::{features, insert, time, user};

pub(super) fn weight(weight: &WeightMeasurement, to: &mut Map<String, Json>) {
    let (unit, height_unit) = match weight.unit {
        WeightUnit::Si => ("kg", "m"),
        WeightUnit::Imperial => ("[lb_av]", "[in_i]"),
    };
    to.insert("unit".into(), json!(unit));
    to.insert("weight".into(), weight.weight.map_or(json!("unsuccessful"), |kept| json!(kept.to_string())));
    insert(to, "timestamp", weight.time_stamp.map(time));
    insert(to, "user_id", weight.user_id.map(user));
    if let Some(both) = weight.body_mass_index_height {
        to.insert("bmi".into(), json!(both.body_mass_index.to_string()));
        to.insert("height".into(), json!(both.height.to_string()));
        to.insert("height_unit".into(), json!(height_unit));
    }
}

pub(super) fn body_composition(body: &BodyCompositionMeasurement, to: &mut Map<String, Json>) {
    let (unit, height_unit) = match body.unit {
        WeightUnit::Si => ("kg", "m"),
        WeightUnit::Imperial => ("[lb_av]", "[in_i]"),
    };
    to.insert("unit".into(), json!(unit));
    to.insert("fat_pct".into(), body.body_fat_percent.map_or(json!("unsuccessful"), digits));
    insert(to, "timestamp", body.time_stamp.map(time));
    insert(to, "user_id", body.user_id.map(user));
    insert(to, "bmr_kJ", body.basal_metabolism_kilojoule.map(Json::from));
    insert(to, "muscle_pct", body.muscle_percent.map(digits));
    insert(to, "muscle_mass", body.muscle_mass.map(digits));
    insert(to, "fat_free_mass", body.fat_free_mass.map(digits));
    insert(to, "soft_lean_mass", body.soft_lean_mass.map(digits));
    insert(to, "water_mass", body.body_water_mass.map(digits));
    insert(to, "impedance_ohm", body.impedance_ohm.map(digits));
    insert(to, "weight", body.weight.map(digits));
    insert(to, "height", body.height.map(digits));
    insert(to, "height_unit", body.height.map(|_| json!(height_unit)));
    to.insert("multiple_packet".into(), json!(body.multiple_packet));
}

fn digits(decimal: Decimal) -> Json {
    json!(decimal.to_string())
}

pub(super) fn feature(feature: &WeightScaleFeature, to: &mut Map<String, Json>) {
    features(to, feature.0, feature.reserved_bits(), &["time-stamp", "multiple-users", "bmi"]);
    to.insert("weight_resolution_class".into(), json!(feature.weight_resolution_class()));
    to.insert("height_resolution_class".into(), json!(feature.height_resolution_class()));
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

pub(super) fn body_composition_feature(feature: &BodyCompositionFeature, to: &mut Map<String, Json>) {
    features(to, feature.0, feature.reserved_bits(), &BODY_COMPOSITION_FEATURES);
    to.insert("mass_resolution_class".into(), json!(feature.mass_resolution_class()));
    to.insert("height_resolution_class".into(), json!(feature.height_resolution_class()));
}
