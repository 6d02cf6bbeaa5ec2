use super::{Put, digits, named, time};
use crate::show::Fields;
use hearth_core::decode::{Measurement, Told};
use hearth_core::when::Face;
use hearth_wire::gatt::{
    CgmMeasurement, ConcentrationUnit, GlucoseFeature, GlucoseMeasurement, GlucoseMeasurementContext,
    MedicationUnit, TimeOffset,
};
use hearth_wire::{Decimal, Malformed, Value};
use serde_json::json;

const GLUCOSE_STATUS: [&str; 12] = [
    "battery-low",
    "sensor-malfunction",
    "sample-insufficient",
    "strip-insertion-error",
    "strip-type-incorrect",
    "result-too-high",
    "result-too-low",
    "temperature-too-high",
    "temperature-too-low",
    "read-interrupted",
    "general-fault",
    "time-fault",
];

pub(super) fn glucose(m: &GlucoseMeasurement) -> Fields {
    let offset = m.time_offset.map(|offset| match offset {
        TimeOffset::Minutes(minutes) => json!(minutes),
        TimeOffset::Overrun => json!("overrun"),
        TimeOffset::Underrun => json!("underrun"),
    });
    let shown = m.time_offset.and_then(|_| match Measurement::Glucose(*m).told(Face::Shown) {
        Told::At(stamp) => Some(stamp.civil),
        _ => None,
    });
    let mut put = Put::default()
        .always("sequence", json!(m.sequence))
        .always("base_time", time(m.base_time))
        .given("time_offset_min", offset, |o| o)
        .given("user_facing_time", shown, digits);
    if let Some(c) = m.concentration {
        let (unit, shift) = match c.unit {
            ConcentrationUnit::KilogramPerLitre => ("mg/dL", 5),
            ConcentrationUnit::MolePerLitre => ("mmol/L", 3),
        };
        put = put
            .always("unit", json!(unit))
            .always("value", digits(shifted(c.value, shift)))
            .always("type", json!(c.kind))
            .always("location", json!(c.location));
    }
    put.given("status_raw", m.status, |s| json!(s.0))
        .given("status", m.status, |s| json!(named(s.0.into(), 0, &GLUCOSE_STATUS)))
        .always("context_follows", json!(m.context_follows))
        .reserved(m.reserved_flags)
        .0
}

fn shifted(value: Value, by: i8) -> Value {
    match value {
        Value::Finite(decimal) => Value::Finite(Decimal::shifted(decimal, by)),
        special => special,
    }
}

pub(super) fn context(m: &GlucoseMeasurementContext) -> Fields {
    let (medication_unit, shift) = match m.medication.map(|x| x.unit) {
        Some(MedicationUnit::Litre) => ("mL", 3),
        _ => ("mg", 6),
    };
    Put::default()
        .always("sequence", json!(m.sequence))
        .given("extended_flags", m.extended_flags, |f| json!(f))
        .given("carbohydrate_id", m.carbohydrate, |c| json!(c.id))
        .given("carbohydrate_g", m.carbohydrate, |c| digits(shifted(c.kilograms, 3)))
        .given("meal", m.meal, |meal| json!(meal))
        .given("tester", m.tester_health, |t| json!(t.tester))
        .given("health", m.tester_health, |t| json!(t.health))
        .given("exercise_s", m.exercise, |e| json!(e.seconds))
        .given("exercise_pct", m.exercise, |e| json!(e.intensity_percent))
        .given("medication_id", m.medication, |x| json!(x.id))
        .given("medication_unit", m.medication, |_| json!(medication_unit))
        .given("medication", m.medication, |x| digits(shifted(x.amount, shift)))
        .given("hba1c_pct", m.hba1c_percent, digits)
        .0
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

pub(super) fn feature(m: &GlucoseFeature) -> Fields {
    Put::default().features(m.0.into(), m.reserved_bits().into(), &FEATURES).0
}

/// One record's fields; of several, a list of them.
pub(super) fn continuous(octets: &[u8]) -> Result<Fields, String> {
    let records: Result<Vec<CgmMeasurement>, Malformed> = CgmMeasurement::records(octets).collect();
    match records.map_err(|e| e.to_string())?.as_slice() {
        [one] => Ok(record(one)),
        several => {
            let shown: Vec<Fields> = several.iter().map(record).collect();
            Ok(Put::default().always("records", json!(shown)).0)
        }
    }
}

fn record(m: &CgmMeasurement) -> Fields {
    Put::default()
        .always("value", digits(m.glucose))
        .always("unit", json!("mg/dL"))
        .always("time_offset_min", json!(m.time_offset_minutes))
        .given("status", m.status, |s| json!(s))
        .given("cal_temp", m.calibration_temperature, |c| json!(c))
        .given("warning", m.warning, |w| json!(w))
        .given("trend", m.trend, digits)
        .given("quality", m.quality, digits)
        .given("crc", m.e2e_crc, |c| json!(c))
        .given("crc_ok", m.e2e_crc, |_| json!(true))
        .reserved(m.reserved_flags)
        .0
}
