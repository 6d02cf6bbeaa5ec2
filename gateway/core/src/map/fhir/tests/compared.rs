//! What the record holds against what we would write (CLINICAL 26, 27).

use super::super::{Comparison, Resource, Role, Rung, compare, resources, retraction};
use super::support::*;
use crate::parcel::Policy;
use serde_json::{Value, json as value};

fn ours(hex: &str, role: Role) -> Resource {
    let all = resources(&pressure(hex), &Policy::default(), Rung::UpdateAsCreate, None);
    all.into_iter().find(|resource| resource.role == role).unwrap()
}

fn differs(what: &[&'static str]) -> Comparison {
    Comparison::Differs { what: what.to_vec() }
}

/// What a clinician, a server or somebody else made of it, and what we call it.
#[test]
fn clinical_27_equal_is_identifier_subject_status_codes_and_digits() {
    // 124.0/86, pulse 51.
    let measurement = ours("04 D8F4 5600 FF07 3300", Role::Measurement);
    let pulse = ours("04 D8F4 5600 FF07 3300", Role::Pulse);
    type Change = fn(&mut Value);
    let rows: [(&Resource, &str, Change, Comparison); 23] = [
        (&measurement, "as written", |_| {}, Comparison::Equal),
        (&pulse, "as written", |_| {}, Comparison::Equal),
        (&measurement, "a version", |v| v["meta"]["versionId"] = "3".into(), Comparison::Equal),
        (&measurement, "narrative", |v| v["text"] = value!({"status": "generated"}), Comparison::Equal),
        (&measurement, "a note of theirs", |v| v["note"] = value!([{"text": "seen"}]), Comparison::Equal),
        (&measurement, "another performer", |v| v["performer"] = value!([]), Comparison::Equal),
        (
            &measurement,
            "another coding",
            |v| push(&mut v["code"]["coding"], value!({"system": "local", "code": "BP"})),
            Comparison::Equal,
        ),
        (
            &measurement,
            "another identifier",
            |v| push(&mut v["identifier"], value!({"value": "7"})),
            Comparison::Equal,
        ),
        (
            &measurement,
            "their base",
            |v| v["subject"]["reference"] = "https://ehr.example/fhir/Patient/patientExample-1".into(),
            Comparison::Equal,
        ),
        (
            &measurement,
            "a version of the subject",
            |v| v["subject"]["reference"] = "Patient/patientExample-1/_history/4".into(),
            Comparison::Equal,
        ),
        (&measurement, "entered in error", |v| v["status"] = "entered-in-error".into(), differs(&["status"])),
        (&measurement, "amended", |v| v["status"] = "amended".into(), differs(&["status"])),
        (
            &measurement,
            "a value",
            |v| v["component"][1]["valueQuantity"]["value"] = 87.into(),
            differs(&["values"]),
        ),
        (
            &measurement,
            "digits",
            |v| v["component"][0]["valueQuantity"]["value"] = json("124"),
            differs(&["values"]),
        ),
        (
            &measurement,
            "a unit",
            |v| v["component"][0]["valueQuantity"]["code"] = "kPa".into(),
            differs(&["values"]),
        ),
        (
            &measurement,
            "a component less",
            |v| {
                v["component"].as_array_mut().unwrap().pop();
            },
            differs(&["values"]),
        ),
        (
            &measurement,
            "a lost coding",
            |v| {
                v["code"]["coding"].as_array_mut().unwrap().remove(0);
            },
            differs(&["codes"]),
        ),
        (&measurement, "a lost identifier", |v| v["identifier"] = value!([]), differs(&["identifier"])),
        (&pulse, "a comparator", |v| v["valueQuantity"]["comparator"] = ">".into(), differs(&["values"])),
        (
            &pulse,
            "a reason beside the value",
            |v| v["dataAbsentReason"] = value!({"text": "lost"}),
            differs(&["values"]),
        ),
        (
            &pulse,
            "everything",
            |v| {
                v["status"] = "cancelled".into();
                v["code"] = value!({});
                v["valueQuantity"] = value!({});
            },
            differs(&["status", "codes", "values"]),
        ),
        (
            &measurement,
            "somebody else",
            |v| v["subject"]["reference"] = "Patient/other".into(),
            Comparison::OtherSubject,
        ),
        (
            &measurement,
            "nobody",
            |v| {
                v.as_object_mut().unwrap().remove("subject");
            },
            Comparison::OtherSubject,
        ),
    ];
    for (ours, name, change, expected) in rows {
        let mut theirs = json(&ours.json);
        change(&mut theirs);
        assert_eq!(compare(ours, &theirs), expected, "{name}");
    }
}

fn push(array: &mut Value, item: Value) {
    array.as_array_mut().unwrap().push(item);
}

#[test]
fn clinical_17_five_point_nought_is_not_five() {
    let pulse = ours("04 7C00 5600 FF07 32F0", Role::Pulse);
    assert!(pulse.json.contains(r#""value":5.0,"#));
    for (digits, expected) in
        [("5.0", Comparison::Equal), ("5", differs(&["values"])), ("5.00", differs(&["values"]))]
    {
        let theirs = pulse.json.replace(r#""value":5.0,"#, &format!(r#""value":{digits},"#));
        assert_eq!(compare(&pulse, &json(&theirs)), expected, "{digits}");
    }
}

#[test]
fn other_kinds_of_value_are_compared_too() {
    let all = resources(
        &sampled(
            glucose_with("0A 0F00 E807011E053A1B FF07 F8 0400", "02 0F00 01"),
            "2018-11-11T11:38:15",
            18_000,
        ),
        &Policy::default(),
        Rung::UpdateAsCreate,
        None,
    );
    for resource in &all {
        assert_eq!(compare(resource, &json(&resource.json)), Comparison::Equal, "{:?}", resource.role);
    }
    for (from, to) in [
        (r#""code":"8417868""#, r#""code":"8417872""#),
        (r#""code":"not-a-number""#, r#""code":"error""#),
        (r#""code":"8417752.2""#, r#""code":"8417752.3""#),
        (r#""valueBoolean":true"#, r#""valueBoolean":false"#),
        (r#""valueDateTime":"2018-11-11T11:38:15-05:00""#, r#""valueDateTime":"2018-11-11T11:38:16-05:00""#),
    ] {
        let resource = all.iter().find(|resource| resource.json.contains(from)).unwrap();
        let theirs = json(&resource.json.replace(from, to));
        assert_eq!(compare(resource, &theirs), differs(&["values"]), "{to}");
    }
    let meter = all.first().unwrap();
    assert_eq!(compare(meter, &json(&all[1].json)), differs(&["identifier"]));
    let operation_outcome = value!({"resourceType": "OperationOutcome"});
    assert_eq!(compare(meter, &operation_outcome), differs(&["resource", "identifier"]));
}

#[test]
fn clinical_26_a_retraction_changes_the_status_and_nothing_else() {
    let ours = ours("00 D8F4 5600 FF07", Role::Measurement);
    // What the record made of it in the meantime is the record's.
    let mut written = json(&ours.json);
    written["meta"]["versionId"] = "7".into();
    written["note"] = value!([{"text": "discussed by phone"}]);
    written["component"][1]["valueQuantity"]["value"] = json("87.50");
    let retracted = retraction(&written, &ours).unwrap();
    let expected = written.to_string().replacen(r#""status":"final""#, r#""status":"entered-in-error""#, 1);
    assert_eq!(retracted, expected);
    assert!(retracted.contains("124.0") && retracted.contains("87.50"), "CLINICAL 17");
    // Retracted already: asked again, the same.
    assert_eq!(retraction(&json(&retracted), &ours).unwrap(), retracted);
}

#[test]
fn clinical_26_only_ours_and_only_of_this_person_is_retracted() {
    let measurement = ours("04 D8F4 5600 FF07 3300", Role::Measurement);
    let pulse = ours("04 D8F4 5600 FF07 3300", Role::Pulse);
    let meter = ours("04 D8F4 5600 FF07 3300", Role::Meter);
    let mut other_subject = json(&measurement.json);
    other_subject["subject"]["reference"] = "Patient/other".into();
    let mut not_ours = json(&measurement.json);
    not_ours["identifier"][0]["value"] = "abc".into();
    let mut no_status = json(&measurement.json);
    no_status.as_object_mut().unwrap().remove("status");
    for (name, written, ours) in [
        ("another subject", other_subject, &measurement),
        ("not ours", not_ours, &measurement),
        ("another of ours", json(&pulse.json), &measurement),
        ("a device", json(&meter.json), &meter),
        ("no Observation", value!({"resourceType": "OperationOutcome"}), &measurement),
        ("without a status", no_status, &measurement),
    ] {
        assert_eq!(retraction(&written, ours), None, "{name}");
    }
}
