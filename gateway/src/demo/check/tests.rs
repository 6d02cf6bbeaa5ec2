//! A record as it must be, made of the expectations, and what a judge must notice in it.
#![allow(clippy::unwrap_used)]

use super::*;
use serde_json::json;

fn observation(id: &str, subject: &str, code: &str, effective: &str, values: &[(&str, &str)]) -> Value {
    let quantity = |digits: &str| -> Value {
        if digits.chars().all(|c| c.is_ascii_digit() || c == '.') {
            json!({ "value": digits.parse::<serde_json::Number>().unwrap() })
        } else {
            Value::Null
        }
    };
    let mut made = json!({
        "resourceType": "Observation", "id": id, "subject": { "reference": subject },
        "device": { "reference": "Device/d" }, "code": { "coding": [{ "code": code }], "text": code },
        "effectiveDateTime": effective,
    });
    let say = |place: &mut Value, digits: &str| match digits {
        "absent" => place["dataAbsentReason"] = json!({}),
        "true" => place["valueBoolean"] = json!(true),
        ">600" => place["valueQuantity"] = json!({ "value": 600, "comparator": ">" }),
        time if time.contains('T') => place["valueDateTime"] = json!(time),
        code if code.starts_with("84") && code.len() == 7 => {
            place["valueCodeableConcept"] = json!({ "coding": [{ "code": code }] });
        }
        digits => place["valueQuantity"] = quantity(digits),
    };
    for (code, digits) in values {
        if code.is_empty() {
            say(&mut made, digits);
            continue;
        }
        let mut component = json!({ "code": { "coding": [{ "code": code }] } });
        say(&mut component, digits);
        let components = made.as_object_mut().unwrap().entry("component").or_insert_with(|| json!([]));
        components.as_array_mut().unwrap().push(component);
    }
    made
}

/// Every measurement with its parts behind it.
fn record() -> Vec<Vec<Value>> {
    let mut all = vec![];
    for (at, expected) in EXPECTED.iter().enumerate() {
        let head = format!("head-{at}");
        let patient = format!("Patient/{}", expected.patient);
        let mut made = observation(&head, &patient, expected.code, expected.effective, expected.values);
        let mut parts = vec![];
        for (no, part) in expected.parts.iter().enumerate() {
            let id = format!("part-{at}-{no}");
            let subject = if part.effective.is_some() { "Device/d" } else { patient.as_str() };
            let effective = part.effective.unwrap_or(expected.effective);
            let mut of = observation(&id, subject, part.code, effective, part.values);
            if part.effective.is_some() {
                made["extension"] =
                    json!([{ "valueReference": { "reference": format!("Observation/{id}") } }]);
            } else {
                of["derivedFrom"] = json!([{ "reference": format!("Observation/{head}") }]);
            }
            parts.push(vec![of]);
        }
        all.push(vec![made]);
        all.extend(parts);
    }
    all
}

fn place(all: &[Vec<Value>], code: &str) -> usize {
    all.iter().position(|versions| has_code(&versions[0], code)).unwrap()
}

/// What is said of a record in which something was changed: lost, twice, somebody else's, never played, written over.
fn noticed(change: impl FnOnce(&mut Vec<Vec<Value>>)) -> [Vec<String>; 4] {
    let mut all = record();
    change(&mut all);
    let Findings { lost, duplicates, wrong_person, strangers, .. } = check(&all);
    [lost, duplicates, wrong_person, strangers]
}

fn one(said: &str) -> Vec<String> {
    vec![said.into()]
}

#[test]
fn a_whole_record_is_without_fault() {
    assert_eq!(noticed(|_| {}), <[Vec<String>; 4]>::default());
    let findings = check(&record());
    assert_eq!((findings.written, findings.overwritten), (11, 0));
}

#[test]
fn a_lost_part_is_noticed() {
    for (code, said) in [
        ("149546", "pulse of pressure 124/86"),
        ("149530", "pulse of oxygen saturation 96 %"),
        ("41982-0", "body fat of weight 79.960 kg"),
        ("8417864", "meal of glucose 111 mg/dL"),
        ("67975", "the device's clock of pressure 124/86"),
    ] {
        let found = noticed(|all| drop(all.remove(place(all, code))));
        assert_eq!(found, [one(said), vec![], vec![], vec![]], "{code}");
    }
}

#[test]
fn a_part_that_says_something_else_is_lost_and_a_stranger() {
    let found = noticed(|all| {
        let at = place(all, "149546");
        all[at][0]["valueQuantity"]["value"] = json!(15);
    });
    let stranger = one("149546 at 2024-06-15T17:17:27-04:00");
    assert_eq!(found, [one("pulse of pressure 124/86"), vec![], vec![], stranger]);
}

#[test]
fn a_part_twice_is_noticed() {
    let found = noticed(|all| {
        let mut again = all[place(all, "149546")].clone();
        again[0]["id"] = json!("again");
        all.push(again);
    });
    assert_eq!(found, [vec![], one("pulse of pressure 124/86 (2 times)"), vec![], vec![]]);
}

#[test]
fn a_part_in_somebody_elses_record_is_noticed() {
    let found = noticed(|all| {
        let at = place(all, "41982-0");
        all[at][0]["subject"]["reference"] = json!("Patient/demo-ben");
    });
    assert_eq!(found, [vec![], vec![], one("body fat of weight 79.960 kg"), vec![]]);
}

#[test]
fn a_stranger_of_any_code_is_noticed() {
    let found = noticed(|all| {
        all.push(vec![observation("x", "Patient/demo-ada", "9279-1", "2026-01-01T00:00:00Z", &[("", "14")])]);
    });
    assert_eq!(found, [vec![], vec![], vec![], one("9279-1 at 2026-01-01T00:00:00Z")]);
}

#[test]
fn what_was_written_over_is_noticed() {
    let mut all = record();
    let again = all[0][0].clone();
    all[0].push(again);
    assert_eq!(check(&all).overwritten, 1);
}
