//! What a device of the air measured, and what a record has of it, as the same rows.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// One number in a record: patient, instant, code, digits.
pub type Row = [String; 4];

/// What a device calls a quantity, and the record; what is not here is asked for by no destination, or has no code by LOINC.
const CODES: [(&str, &str); 7] = [
    ("systolic", "8480-6"),
    ("diastolic", "8462-4"),
    ("mean-arterial-pressure", "8478-0"),
    ("pulse-rate", "8867-4"),
    ("glucose", "41653-7"),
    ("body-weight", BODY_WEIGHT),
    ("body-fat", "41982-0"),
];

pub const BODY_WEIGHT: &str = "29463-7";

/// The numbers of a record that a device measured; its clock shows UTC. `patient`: of each of its slots.
pub fn measured(record: &Value, patient: impl Fn(Option<u8>) -> String) -> Vec<Row> {
    let readings = record["reading"].as_array().cloned().unwrap_or_else(|| vec![record["reading"].clone()]);
    let slot = readings[0]["slot"].as_u64().and_then(|slot| slot.try_into().ok());
    let patient = patient(slot);
    let stamp: DateTime = readings[0]["stamp"].as_str().unwrap().parse().unwrap();
    let at = TimeZone::UTC.to_timestamp(stamp).unwrap();
    let values = readings.iter().flat_map(|reading| reading["values"].as_object().unwrap());
    values
        .filter_map(|(quantity, value)| {
            let (_, code) = CODES.iter().find(|(name, _)| name == quantity)?;
            let digits = value.as_str().unwrap().split_once(' ')?.0;
            Some([patient.clone(), at.to_string(), (*code).to_owned(), digits.to_owned()])
        })
        .collect()
}

/// The numbers of an Observation that a device measured.
pub fn charted(observation: &Value) -> Vec<Row> {
    let subject = observation["subject"]["reference"].as_str().unwrap().trim_start_matches("Patient/");
    let time: Timestamp = observation["effectiveDateTime"].as_str().unwrap().parse().unwrap();
    let row = |part: &Value| {
        let digits = part["valueQuantity"].get("value")?.to_string();
        let codings = part["code"]["coding"].as_array()?;
        let code = CODES.iter().find(|(_, code)| codings.iter().any(|coding| coding["code"] == *code))?.1;
        Some([subject.to_owned(), time.to_string(), code.to_owned(), digits])
    };
    let parts = observation["component"].as_array().into_iter().flatten();
    parts.chain([observation]).filter_map(row).collect()
}
