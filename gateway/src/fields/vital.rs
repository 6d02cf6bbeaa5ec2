//! Thermometer, oximeter, heart rate.

use super::{Put, digits, named, time};
use crate::show::Fields;
use hearth_wire::gatt::{
    HeartRateMeasurement, PlxSpotCheckMeasurement, SensorContact, TemperatureMeasurement, TemperatureUnit,
};
use serde_json::json;

pub(super) fn temperature(m: &TemperatureMeasurement) -> Fields {
    let unit = match m.unit {
        TemperatureUnit::Celsius => "Cel",
        TemperatureUnit::Fahrenheit => "[degF]",
    };
    Put::default()
        .always("unit", json!(unit))
        .always("value", digits(m.temperature))
        .given("timestamp", m.time_stamp, time)
        .given("type", m.kind, |k| json!(k))
        .reserved(m.reserved_flags)
        .0
}

/// From bit 5 on.
const MEASUREMENT_STATUS: [&str; 11] = [
    "measurement-ongoing",
    "early-estimate",
    "validated",
    "fully-qualified",
    "from-storage",
    "demonstration",
    "testing",
    "calibration-ongoing",
    "measurement-unavailable",
    "questionable-measurement",
    "invalid-measurement",
];

const SENSOR_STATUS: [&str; 16] = [
    "extended-display-update-ongoing",
    "equipment-malfunction",
    "signal-processing-irregularity",
    "inadequate-signal",
    "poor-signal",
    "low-perfusion",
    "erratic-signal",
    "nonpulsatile-signal",
    "questionable-pulse",
    "signal-analysis-ongoing",
    "sensor-interference",
    "sensor-unconnected-to-user",
    "unknown-sensor-connected",
    "sensor-displaced",
    "sensor-malfunctioning",
    "sensor-disconnected",
];

pub(super) fn spot_check(m: &PlxSpotCheckMeasurement) -> Fields {
    Put::default()
        .always("spo2", digits(m.spo2_percent))
        .always("pulse", digits(m.pulse_rate))
        .given("timestamp", m.time_stamp, time)
        .given("status_raw", m.measurement_status, |s| json!(s.0))
        .given("status", m.measurement_status, |s| json!(named(s.0.into(), 5, &MEASUREMENT_STATUS)))
        .given("sensor_status_raw", m.sensor_status, |s| json!(s.0))
        .given("sensor_status", m.sensor_status, |s| json!(named(s.0, 0, &SENSOR_STATUS)))
        .given("pai_pct", m.pulse_amplitude_index_percent, digits)
        .always("clock_set", json!(!m.clock_not_set))
        .reserved(m.reserved_flags)
        .0
}

pub(super) fn heart_rate(m: &HeartRateMeasurement) -> Fields {
    let contact = match m.sensor_contact {
        SensorContact::NotSupported => "not-supported",
        SensorContact::NotDetected => "not-detected",
        SensorContact::Detected => "detected",
    };
    Put::default()
        .always("heart_rate", json!(m.beats_per_minute))
        .always("contact", json!(contact))
        .given("energy_kJ", m.energy_expended_kilojoule, |e| json!(e))
        .given("rr_1024", m.rr_intervals, |all| json!(all.as_slice()))
        .reserved(m.reserved_flags)
        .0
}
