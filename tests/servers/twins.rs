//! The test of the judge: a right resource, and twins of it that are broken in one place. Each must be found.

use crate::emitted::everything;
use crate::judge::{Finding, judge, profiles};
use serde_json::{Value, json};

/// The first resource of a kind that has all these parts.
fn with(kind: &str, parts: &[&str]) -> Value {
    let has = |resource: &&Value| {
        let text = resource.to_string();
        resource["resourceType"] == kind && parts.iter().all(|part| text.contains(part))
    };
    everything().iter().find(has).unwrap_or_else(|| panic!("no {kind} that goes out has {parts:?}")).clone()
}

fn pressure() -> Value {
    with("Observation", &[r#""code":"85354-9""#, r#""value":124"#, r#""vital-signs""#])
}

fn weight() -> Value {
    with("Observation", &[r#""code":"29463-7""#, r#""code":"kg""#])
}

fn transaction() -> Value {
    with("Bundle", &[r#""method":"PUT""#])
}

fn provenance() -> Value {
    with("Provenance", &[])
}

fn device() -> Value {
    with("Device", &[])
}

fn errors(resource: &Value, profiles: &[String]) -> Vec<Finding> {
    judge(resource, profiles).into_iter().filter(|finding| finding.error).collect()
}

fn remove(value: &mut Value, name: &str) {
    assert!(value.as_object_mut().unwrap().shift_remove(name).is_some(), "there was no {name}");
}

/// Keeps the codings (of a concept at this place) whose `keep` is true; some must go.
fn codings(concept: &mut Value, keep: impl Fn(&Value) -> bool) {
    let list = concept["coding"].as_array_mut().unwrap();
    let before = list.len();
    list.retain(keep);
    assert_ne!(list.len(), before, "nothing was taken away");
}

/// What is broken, in what, how; and a part of what must be said of it.
type Twin = (&'static str, fn() -> Value, fn(&mut Value), &'static str);

const TWINS: [Twin; 18] = [
    (
        "no diastolic component",
        pressure,
        |o| o["component"].as_array_mut().unwrap().retain(|c| !c.to_string().contains("8462-4")),
        "component:DiastolicBP",
    ),
    ("mmHg for mm[Hg]", pressure, |o| o["component"][0]["valueQuantity"]["code"] = json!("mmHg"), "mm[Hg]"),
    (
        "not filed as a vital sign",
        pressure,
        |o| o["category"].as_array_mut().unwrap().retain(|c| !c.to_string().contains("vital-signs")),
        "category:VSCat",
    ),
    (
        "no LOINC code",
        pressure,
        |o| codings(&mut o["code"], |c| c["system"] != "http://loinc.org"),
        "85354-9",
    ),
    (
        "a time without its zone",
        pressure,
        |o| {
            let time = o["effectiveDateTime"].as_str().unwrap()[..19].to_owned();
            o["effectiveDateTime"] = json!(time);
        },
        "timezone",
    ),
    (
        "a time that is none",
        pressure,
        |o| o["effectiveDateTime"] = json!("2024-02-30T10:00:00Z"),
        "2024-02-30",
    ),
    ("no time", pressure, |o| remove(o, "effectiveDateTime"), "effective"),
    ("neither value nor reason", weight, |o| remove(o, "valueQuantity"), "vs-2"),
    (
        "a component without value and reason",
        pressure,
        |o| remove(&mut o["component"][1], "valueQuantity"),
        "vs-3",
    ),
    ("a status that does not exist", weight, |o| o["status"] = json!("done"), "done"),
    ("no status", weight, |o| remove(o, "status"), "Observation.status"),
    ("pounds by their everyday name", weight, |o| o["valueQuantity"]["code"] = json!("lb"), "lb"),
    (
        "a weight in millimetres of mercury",
        weight,
        |o| o["valueQuantity"]["code"] = json!("mm[Hg]"),
        "mm[Hg]",
    ),
    (
        "a unit that is not UCUM's",
        weight,
        |o| o["valueQuantity"]["system"] = json!("urn:units"),
        "unitsofmeasure",
    ),
    ("nobody's", weight, |o| remove(o, "subject"), "Observation.subject"),
    ("a number as a text", weight, |o| o["valueQuantity"]["value"] = json!("70 kg"), "decimal"),
    ("an entry that asks for nothing", transaction, |b| remove(&mut b["entry"][0], "request"), "bdl-3"),
    ("a provenance of nothing", provenance, |p| remove(p, "target"), "Provenance.target"),
];

#[test]
fn the_judge_finds_what_is_broken() {
    let right = [pressure(), weight(), transaction(), provenance(), device()];
    for resource in &right {
        assert_eq!(errors(resource, &profiles(resource)), [], "{resource}");
    }
    let mut missed = vec![];
    for (what, made, broken, says) in TWINS {
        let right = made();
        let mut twin = right.clone();
        broken(&mut twin);
        let found = errors(&twin, &profiles(&right));
        if !found.iter().any(|finding| finding.says.contains(says) || finding.place.contains(says)) {
            missed.push(format!("{what}: expected {says:?}, found {found:#?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
