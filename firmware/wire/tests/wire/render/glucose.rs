use hearth_wire::Value;
use hearth_wire::gatt::{
    CgmMeasurement, ConcentrationUnit, DateTime, GlucoseFeature, GlucoseMeasurement,
    GlucoseMeasurementContext, GlucoseStatus, MedicationUnit, TimeOffset,
};
use serde_json::{Map, Value as Json, json};

use super::{features, insert, text, time};

pub(super) fn glucose(glucose: &GlucoseMeasurement, to: &mut Map<String, Json>) {
    to.insert("sequence".into(), json!(glucose.sequence));
    to.insert("base_time".into(), time(glucose.base_time));
    insert(to, "time_offset_min", glucose.time_offset.map(offset));
    let base_is_date = glucose.base_time.is_date() && (1583..=9998).contains(&glucose.base_time.year);
    if let (Some(TimeOffset::Minutes(minutes)), true) = (glucose.time_offset, base_is_date) {
        to.insert("user_facing_time".into(), json!(later(glucose.base_time, minutes).to_string()));
    }
    if let Some(concentration) = glucose.concentration {
        let (unit, places) = match concentration.unit {
            ConcentrationUnit::KilogramPerLitre => ("mg/dL", 5),
            ConcentrationUnit::MolePerLitre => ("mmol/L", 3),
        };
        to.insert("unit".into(), json!(unit));
        to.insert("value".into(), shifted(concentration.value, places));
        to.insert("type".into(), json!(concentration.kind));
        to.insert("location".into(), json!(concentration.location));
    }
    if let Some(status) = glucose.status {
        to.insert("status_raw".into(), json!(status.0));
        to.insert("status".into(), json!(glucose_status(status)));
    }
    to.insert("context_follows".into(), json!(glucose.context_follows));
}

fn glucose_status(status: GlucoseStatus) -> Vec<&'static str> {
    [
        (GlucoseStatus::DEVICE_BATTERY_LOW, "battery-low"),
        (GlucoseStatus::SENSOR_MALFUNCTION, "sensor-malfunction"),
        (GlucoseStatus::SAMPLE_SIZE_INSUFFICIENT, "sample-insufficient"),
        (GlucoseStatus::STRIP_INSERTION_ERROR, "strip-insertion-error"),
        (GlucoseStatus::STRIP_TYPE_INCORRECT, "strip-type-incorrect"),
        (GlucoseStatus::RESULT_TOO_HIGH, "result-too-high"),
        (GlucoseStatus::RESULT_TOO_LOW, "result-too-low"),
        (GlucoseStatus::TEMPERATURE_TOO_HIGH, "temperature-too-high"),
        (GlucoseStatus::TEMPERATURE_TOO_LOW, "temperature-too-low"),
        (GlucoseStatus::READ_INTERRUPTED, "read-interrupted"),
        (GlucoseStatus::GENERAL_DEVICE_FAULT, "device-fault"),
        (GlucoseStatus::TIME_FAULT, "time-fault"),
    ]
    .into_iter()
    .filter_map(|(bit, name)| status.has(bit).then_some(name))
    .chain((status.reserved_bits() != 0).then_some("reserved-bits"))
    .collect()
}

pub(super) fn context(context: &GlucoseMeasurementContext, to: &mut Map<String, Json>) {
    to.insert("sequence".into(), json!(context.sequence));
    insert(to, "extended_flags", context.extended_flags.map(Json::from));
    if let Some(carbohydrate) = context.carbohydrate {
        to.insert("carbohydrate_id".into(), json!(carbohydrate.id));
        to.insert("carbohydrate_g".into(), shifted(carbohydrate.kilograms, 3));
    }
    insert(to, "meal", context.meal.map(Json::from));
    if let Some(tester_health) = context.tester_health {
        to.insert("tester".into(), json!(tester_health.tester));
        to.insert("health".into(), json!(tester_health.health));
    }
    if let Some(exercise) = context.exercise {
        to.insert("exercise_s".into(), json!(exercise.seconds));
        to.insert("exercise_pct".into(), json!(exercise.intensity_percent));
    }
    if let Some(medication) = context.medication {
        let (unit, places) = match medication.unit {
            MedicationUnit::Kilogram => ("mg", 6),
            MedicationUnit::Litre => ("mL", 3),
        };
        to.insert("medication_id".into(), json!(medication.id));
        to.insert("medication_unit".into(), json!(unit));
        to.insert("medication".into(), shifted(medication.amount, places));
    }
    insert(to, "hba1c_pct", context.hba1c_percent.map(text));
}

fn offset(offset: TimeOffset) -> Json {
    match offset {
        TimeOffset::Minutes(minutes) => json!(minutes),
        TimeOffset::Overrun => json!("overrun"),
        TimeOffset::Underrun => json!("underrun"),
    }
}

fn shifted(value: Value, places: i8) -> Json {
    value.finite().map_or_else(|| text(value), |decimal| json!(decimal.shifted(places).to_string()))
}

pub(super) fn later(mut time: DateTime, minutes: i16) -> DateTime {
    let step = minutes.signum();
    for _ in 0..minutes.unsigned_abs() {
        time = minute_beside(time, step);
    }
    time
}

fn minute_beside(mut time: DateTime, step: i16) -> DateTime {
    match (step, time.minutes, time.hours) {
        (1, 59, 23) => (time.minutes, time.hours) = (0, 0),
        (1, 59, hours) => (time.minutes, time.hours) = (0, hours + 1),
        (1, minutes, _) => time.minutes = minutes + 1,
        (_, 0, 0) => (time.minutes, time.hours) = (59, 23),
        (_, 0, hours) => (time.minutes, time.hours) = (59, hours - 1),
        (_, minutes, _) => time.minutes = minutes - 1,
    }
    match (step, time.minutes, time.hours) {
        (1, 0, 0) => day_after(time),
        (-1, 59, 23) => day_before(time),
        _ => time,
    }
}

fn day_after(time: DateTime) -> DateTime {
    let next = DateTime { day: time.day + 1, ..time };
    let month = DateTime { day: 1, month: time.month + 1, ..time };
    let year = DateTime { day: 1, month: 1, year: time.year + 1, ..time };
    [next, month, year].into_iter().find(DateTime::is_date).unwrap()
}

fn day_before(time: DateTime) -> DateTime {
    if time.day > 1 {
        return DateTime { day: time.day - 1, ..time };
    }
    let (year, month) = if time.month > 1 { (time.year, time.month - 1) } else { (time.year - 1, 12) };
    (28..=31).rev().map(|day| DateTime { year, month, day, ..time }).find(DateTime::is_date).unwrap()
}

const FEATURES: [&str; 11] = [
    "low-battery-detection",
    "sensor-malfunction-detection",
    "sample-size",
    "strip-insertion-error-detection",
    "strip-type-error-detection",
    "result-high-low-detection",
    "temperature-high-low-detection",
    "read-interrupt-detection",
    "general-fault",
    "time-fault",
    "multiple-bonds",
];

pub(super) fn feature(feature: &GlucoseFeature, to: &mut Map<String, Json>) {
    features(to, feature.0.into(), feature.reserved_bits().into(), &FEATURES);
}

pub(super) fn continuous(cgm: &CgmMeasurement, to: &mut Map<String, Json>) {
    to.insert("value".into(), text(cgm.glucose));
    to.insert("unit".into(), json!("mg/dL"));
    to.insert("time_offset_min".into(), json!(cgm.time_offset_minutes));
    insert(to, "status", cgm.status.map(Json::from));
    insert(to, "cal_temp", cgm.calibration_temperature.map(Json::from));
    insert(to, "warning", cgm.warning.map(Json::from));
    insert(to, "trend", cgm.trend.map(text));
    insert(to, "quality", cgm.quality.map(text));
    insert(to, "crc", cgm.e2e_crc.map(Json::from));
    insert(to, "crc_ok", cgm.e2e_crc.map(|_| json!(true)));
}
