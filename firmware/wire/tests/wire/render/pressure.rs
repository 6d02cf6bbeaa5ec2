use hearth_wire::gatt::{
    BloodPressureFeature, BloodPressureMeasurement, BloodPressureRecord, BloodPressureStatus,
    EnhancedBloodPressureMeasurement, Epoch, IntermediateCuffPressure, PressureUnit, PulseRange,
};
use serde_json::{Map, Value as Json, json};

use super::{features, insert, text, time, user};

pub(super) fn blood_pressure(bp: &BloodPressureMeasurement, to: &mut Map<String, Json>) {
    to.insert("unit".into(), unit(bp.unit));
    to.insert("systolic".into(), text(bp.systolic));
    to.insert("diastolic".into(), text(bp.diastolic));
    to.insert("map".into(), text(bp.mean_arterial_pressure));
    insert(to, "timestamp", bp.time_stamp.map(time));
    insert(to, "pulse", bp.pulse_rate.map(text));
    insert(to, "user_id", bp.user_id.map(user));
    status(to, bp.status);
}

fn blood_pressure_status(status: BloodPressureStatus) -> Vec<&'static str> {
    let range = match status.pulse_range() {
        PulseRange::Within => None,
        PulseRange::AboveUpperLimit => Some("pulse-over-limit"),
        PulseRange::BelowLowerLimit => Some("pulse-under-limit"),
        PulseRange::Reserved => Some("pulse-range-reserved"),
    };
    [
        status.body_movement().then_some("body-movement"),
        status.cuff_too_loose().then_some("cuff-too-loose"),
        status.irregular_pulse().then_some("irregular-pulse"),
        range,
        status.improper_position().then_some("improper-position"),
        (status.reserved_bits() != 0).then_some("reserved-bits"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn unit(unit: PressureUnit) -> Json {
    match unit {
        PressureUnit::MillimetreOfMercury => json!("mmHg"),
        PressureUnit::Kilopascal => json!("kPa"),
    }
}

fn status(to: &mut Map<String, Json>, status: Option<BloodPressureStatus>) {
    if let Some(status) = status {
        to.insert("status_raw".into(), json!(status.0));
        to.insert("status".into(), json!(blood_pressure_status(status)));
    }
}

pub(super) fn cuff(cuff: &IntermediateCuffPressure, to: &mut Map<String, Json>) {
    to.insert("unit".into(), unit(cuff.unit));
    to.insert("cuff_pressure".into(), text(cuff.cuff_pressure));
    to.insert("unused".into(), json!(cuff.unused.map(text)));
    insert(to, "timestamp", cuff.time_stamp.map(time));
    insert(to, "pulse", cuff.pulse_rate.map(text));
    insert(to, "user_id", cuff.user_id.map(user));
    status(to, cuff.status);
}

pub(super) fn enhanced(bp: &EnhancedBloodPressureMeasurement, to: &mut Map<String, Json>) {
    let since = |seconds| time(bp.epoch.date_time(seconds));
    let epoch = match bp.epoch {
        Epoch::Year1900 => 1900,
        Epoch::Year2000 => 2000,
    };
    to.insert("unit".into(), unit(bp.unit));
    to.insert("systolic".into(), text(bp.systolic));
    to.insert("diastolic".into(), text(bp.diastolic));
    to.insert("map".into(), text(bp.mean_arterial_pressure));
    insert(to, "epoch", bp.time_stamp.or(bp.user_facing_time).map(|_| json!(epoch)));
    insert(to, "timestamp", bp.time_stamp.map(since));
    insert(to, "pulse", bp.pulse_rate.map(text));
    insert(to, "user_id", bp.user_id.map(user));
    status(to, bp.status);
    insert(to, "user_facing_time", bp.user_facing_time.map(since));
}

pub(super) fn record(record: &BloodPressureRecord<'_>, to: &mut Map<String, Json>) {
    to.insert("first".into(), json!(record.first));
    to.insert("last".into(), json!(record.last));
    to.insert("counter".into(), json!(record.counter));
    to.insert("sequence".into(), json!(record.sequence));
    to.insert("characteristic".into(), json!(format!("{:04X}", record.characteristic)));
    to.insert("part".into(), json!(crate::hex(record.part).to_lowercase()));
}

const FEATURES: [&str; 9] = [
    "body-movement-detection",
    "cuff-fit-detection",
    "irregular-pulse-detection",
    "pulse-range-detection",
    "position-detection",
    "multiple-bonds",
    "e2e-crc",
    "user-data-service",
    "user-facing-time",
];

pub(super) fn feature(feature: &BloodPressureFeature, to: &mut Map<String, Json>) {
    features(to, feature.0.into(), feature.reserved_bits().into(), &FEATURES);
}
