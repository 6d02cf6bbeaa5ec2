use super::{Put, digits, hex, time, user};
use crate::show::Fields;
use hearth_wire::gatt::{
    BloodPressureFeature, BloodPressureMeasurement, BloodPressureRecord, BloodPressureStatus,
    EnhancedBloodPressureMeasurement, Epoch, IntermediateCuffPressure, PressureUnit, PulseRange,
};
use serde_json::{Value as Json, json};

pub(super) fn pressure(m: &BloodPressureMeasurement, mean_unavailable: bool) -> Fields {
    Put::default()
        .always("unit", unit(m.unit))
        .always("systolic", digits(m.systolic))
        .always("diastolic", digits(m.diastolic))
        .given("map", (!mean_unavailable).then_some(m.mean_arterial_pressure), digits)
        .given("timestamp", m.time_stamp, time)
        .given("pulse", m.pulse_rate, digits)
        .given("user_id", m.user_id, user)
        .given("status_raw", m.status, |s| json!(s.0))
        .given("status", m.status, |s| json!(pressure_status(s)))
        .reserved(m.reserved_flags)
        .0
}

pub(super) fn pressure_status(status: BloodPressureStatus) -> Vec<&'static str> {
    let range = match status.pulse_range() {
        PulseRange::Within => "",
        PulseRange::AboveUpperLimit => "pulse-over-limit",
        PulseRange::BelowLowerLimit => "pulse-under-limit",
        PulseRange::Reserved => "pulse-range-reserved",
    };
    [
        (status.body_movement(), "body-movement"),
        (status.cuff_too_loose(), "cuff-too-loose"),
        (status.irregular_pulse(), "irregular-pulse"),
        (!range.is_empty(), range),
        (status.improper_position(), "improper-position"),
        (status.reserved_bits() != 0, "reserved-bits"),
    ]
    .into_iter()
    .filter_map(|(set, name)| set.then_some(name))
    .collect()
}

fn unit(unit: PressureUnit) -> Json {
    match unit {
        PressureUnit::MillimetreOfMercury => json!("mmHg"),
        PressureUnit::Kilopascal => json!("kPa"),
    }
}

pub(super) fn cuff(m: &IntermediateCuffPressure) -> Fields {
    Put::default()
        .always("unit", unit(m.unit))
        .always("cuff_pressure", digits(m.cuff_pressure))
        .always("unused", json!(m.unused.map(digits)))
        .given("timestamp", m.time_stamp, time)
        .given("pulse", m.pulse_rate, digits)
        .given("user_id", m.user_id, user)
        .given("status_raw", m.status, |s| json!(s.0))
        .given("status", m.status, |s| json!(pressure_status(s)))
        .reserved(m.reserved_flags)
        .0
}

pub(super) fn enhanced(m: &EnhancedBloodPressureMeasurement) -> Fields {
    let since = |seconds| time(m.epoch.date_time(seconds));
    let epoch = match m.epoch {
        Epoch::Year1900 => 1900,
        Epoch::Year2000 => 2000,
    };
    Put::default()
        .always("unit", unit(m.unit))
        .always("systolic", digits(m.systolic))
        .always("diastolic", digits(m.diastolic))
        .always("map", digits(m.mean_arterial_pressure))
        .given("epoch", m.time_stamp.or(m.user_facing_time), |_| json!(epoch))
        .given("timestamp", m.time_stamp, since)
        .given("pulse", m.pulse_rate, digits)
        .given("user_id", m.user_id, user)
        .given("status_raw", m.status, |s| json!(s.0))
        .given("status", m.status, |s| json!(pressure_status(s)))
        .given("user_facing_time", m.user_facing_time, since)
        .reserved(m.reserved_flags)
        .0
}

pub(super) fn record(m: &BloodPressureRecord<'_>) -> Fields {
    Put::default()
        .always("first", json!(m.first))
        .always("last", json!(m.last))
        .always("counter", json!(m.counter))
        .always("sequence", json!(m.sequence))
        .always("characteristic", json!(format!("{:04X}", m.characteristic)))
        .always("part", hex(m.part))
        .0
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

pub(super) fn feature(m: &BloodPressureFeature) -> Fields {
    Put::default().features(m.0.into(), m.reserved_bits().into(), &FEATURES).0
}
