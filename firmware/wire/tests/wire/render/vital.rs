//! Thermometer, oximeter, heart rate.

use hearth_wire::gatt::{
    HeartRateMeasurement, PlxSpotCheckMeasurement, SensorContact, TemperatureMeasurement, TemperatureUnit,
};
use serde_json::{Map, Value as Json, json};

use super::{insert, named, text, time};

pub(super) fn temperature(temperature: &TemperatureMeasurement, to: &mut Map<String, Json>) {
    let unit = match temperature.unit {
        TemperatureUnit::Celsius => "Cel",
        TemperatureUnit::Fahrenheit => "[degF]",
    };
    to.insert("unit".into(), json!(unit));
    to.insert("value".into(), text(temperature.temperature));
    insert(to, "timestamp", temperature.time_stamp.map(time));
    insert(to, "type", temperature.kind.map(Json::from));
}

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

pub(super) fn spot_check(plx: &PlxSpotCheckMeasurement, to: &mut Map<String, Json>) {
    to.insert("spo2".into(), text(plx.spo2_percent));
    to.insert("pulse".into(), text(plx.pulse_rate));
    insert(to, "timestamp", plx.time_stamp.map(time));
    if let Some(status) = plx.measurement_status {
        to.insert("status_raw".into(), json!(status.0));
        to.insert("status".into(), json!(named(status.0.into(), 5, &MEASUREMENT_STATUS)));
    }
    if let Some(status) = plx.sensor_status {
        to.insert("sensor_status_raw".into(), json!(status.0));
        to.insert("sensor_status".into(), json!(named(status.0, 0, &SENSOR_STATUS)));
    }
    insert(to, "pai_pct", plx.pulse_amplitude_index_percent.map(text));
    to.insert("clock_set".into(), json!(!plx.clock_not_set));
}

pub(super) fn heart_rate(heart: &HeartRateMeasurement, to: &mut Map<String, Json>) {
    let contact = match heart.sensor_contact {
        SensorContact::NotSupported => "not-supported",
        SensorContact::NotDetected => "not-detected",
        SensorContact::Detected => "detected",
    };
    to.insert("heart_rate".into(), json!(heart.beats_per_minute));
    to.insert("contact".into(), json!(contact));
    insert(to, "energy_kJ", heart.energy_expended_kilojoule.map(Json::from));
    insert(to, "rr_1024", heart.rr_intervals.map(|intervals| json!(intervals.as_slice())));
}
