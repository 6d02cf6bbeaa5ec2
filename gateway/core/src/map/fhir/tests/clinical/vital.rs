//! Temperature, oximetry, heart rate and body composition.

use super::super::support::*;
use crate::map::fhir::Role;
use crate::parcel::Policy;
use serde_json::{Value, json};

fn codes(resource: &Value) -> Vec<&str> {
    let all = resource["code"]["coding"].as_array().unwrap().iter();
    all.map(|coding| coding["code"].as_str().unwrap()).collect()
}

fn categories(resource: &Value) -> String {
    resource["category"].to_string()
}

/// The code table of docs/mapping.md: MDC, LOINC, unit and digits, and whether R4 has a vital sign for it.
#[test]
fn each_quantity_has_its_codes_unit_and_digits() {
    let fat = composition("0000 C200");
    let body = weight_with("00 F22F", "E803 C200 DF1A 9701 0000 CC2F CA21 A811");
    for (parcel, role, mdc_and_loinc, value, unit, vital) in [
        (temperature("00 6D0100FF"), Role::Measurement, &["150364", "8310-5"][..], "36.5", "Cel", true),
        (temperature("01 DA0300FF"), Role::Measurement, &["150364", "8310-5"], "98.6", "[degF]", true),
        (oximetry("00 6100 4800"), Role::Measurement, &["150456", "59408-5", "2708-6"], "97", "%", true),
        (oximetry("00 6100 4800"), Role::Pulse, &["149530", "8867-4"], "72", "/min", true),
        (heart_rate("00 48"), Role::Measurement, &["147842", "8867-4"], "72", "/min", true),
        (heart_rate("01 2C01"), Role::Measurement, &["147842", "8867-4"], "300", "/min", true),
        (fat, Role::Measurement, &["188748", "41982-0"], "19.4", "%", false),
        (body.clone(), Role::Measurement, &["188736", "29463-7"], "61.370", "kg", true),
        (body.clone(), Role::BodyFat, &["188748", "41982-0"], "19.4", "%", false),
        (body.clone(), Role::SoftLeanMass, &["188760"], "61.180", "kg", false),
        (body, Role::BodyWaterMass, &["188764"], "43.250", "kg", false),
    ] {
        let resource = &read(&parcel, &Policy::default())[&role];
        assert_eq!(codes(resource), mdc_and_loinc, "{role:?}");
        assert_eq!(resource["valueQuantity"]["value"].to_string(), value, "{role:?} {resource}");
        assert_eq!(resource["valueQuantity"]["code"], unit, "{role:?}");
        assert_eq!(categories(resource).contains("vital-signs"), vital, "{role:?}");
        assert!(categories(resource).contains("phd"), "{role:?}");
    }
}

/// What has no verified code stands in words, with the digits of the frame (CLINICAL 17).
#[test]
fn what_has_no_code_is_said() {
    let body = weight_with("00 F22F", "9803 C200 DF1A 9701 CC2F CA21 A811");
    let fat = &read(&body, &Policy::default())[&Role::BodyFat];
    let said = "As sent by the device: muscle 40.7 %, basal metabolism 6879 kJ, impedance 452.0 ohm";
    assert!(notes(fat).contains(&said), "{:?}", notes(fat));
}

/// CLINICAL 6 and 13: what an oximeter calls invalid is told as absent; what it doubts is questionable, and why.
#[test]
fn clinical_13_what_an_oximeter_reports() {
    for (hex, value, questionable, said) in [
        ("02 6100 4800 0001", json!(97), false, None),
        ("02 6100 4800 0040", json!(97), true, Some("Oximeter reported: questionable measurement")),
        ("02 6100 4800 0080", Value::Null, true, Some("Oximeter reported: invalid measurement")),
        ("04 6100 4800 200000", json!(97), true, Some("Oximeter reported: low perfusion")),
        ("04 6100 4800 010000", json!(97), false, None),
        (
            "00 FF07 FF07",
            Value::Null,
            false,
            Some("Oxygen saturation was not measured: the device reported no value"),
        ),
    ] {
        let resource = &read(&oximetry(hex), &Policy::default())[&Role::Measurement];
        assert_eq!(resource["valueQuantity"]["value"], value, "{hex}");
        assert_eq!(resource["dataAbsentReason"].is_object(), value.is_null(), "{hex}");
        assert_eq!(resource["interpretation"].is_array(), questionable, "{hex}: {resource}");
        if let Some(said) = said {
            assert!(notes(resource).contains(&said), "{hex}: {:?}", notes(resource));
        }
        assert_eq!(resource["status"], "final");
    }
}

/// CLINICAL 15: where a temperature was taken is the device's word, and no body site.
#[test]
fn clinical_15_a_temperatures_site_is_a_note() {
    let resource = &read(&temperature("04 6D0100FF 09"), &Policy::default())[&Role::Measurement];
    assert!(resource["bodySite"].is_null());
    assert!(
        notes(resource).contains(&"Measured at, by the device's word: tympanum"),
        "{:?}",
        notes(resource)
    );
}

/// CLINICAL 6: what failed is reported, and not charted as a vital sign by default.
#[test]
fn clinical_6_a_failed_temperature_is_reported() {
    let resource = &read(&temperature("00 FFFF7F00"), &Policy::default())[&Role::Measurement];
    assert!(!categories(resource).contains("vital-signs"));
    assert_eq!(resource["dataAbsentReason"]["coding"][0]["code"], "not-a-number");
    assert_eq!(codes(resource), ["150364"]);
}
