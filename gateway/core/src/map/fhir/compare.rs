//! What a record holds, against what we would have written: never overwritten, only recognized
//! (CLINICAL 26, 27).

use super::Resource;
use serde_json::Value;

/// How the record's resource stands to ours: identifier, subject, status, codes, values digit by digit;
/// nothing else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Comparison {
    Equal,
    /// Delivered, and somebody is told: the record has its own word now.
    Differs {
        what: Vec<&'static str>,
    },
    /// Somebody else's. Never written.
    OtherSubject,
}

/// Compares `theirs`, as the record holds it now, with `ours`. What a server adds (codings, identifiers,
/// narrative, versions) is no difference; what it lost or changed is.
pub fn compare(ours: &Resource, theirs: &Value) -> Comparison {
    let Some(written) = parse(ours) else { return Comparison::Differs { what: vec!["resource"] } };
    if !same_subject(&written, theirs) {
        return Comparison::OtherSubject;
    }
    let checks: [(&'static str, bool); 5] = [
        ("resource", theirs["resourceType"] == ours.kind),
        ("identifier", identified(ours, theirs)),
        ("status", written["status"] == theirs["status"]),
        ("codes", coded(&written["code"], &theirs["code"])),
        ("values", valued(&written, theirs) && parts(&written["component"], &theirs["component"])),
    ];
    let what: Vec<_> = checks.into_iter().filter(|(_, same)| !same).map(|(what, _)| what).collect();
    if what.is_empty() { Comparison::Equal } else { Comparison::Differs { what } }
}

/// The record's own version of our Observation, entered in error and otherwise untouched (CLINICAL 26).
///
/// `None`: it is no Observation of ours, or of somebody else.
pub fn retraction(written: &Value, ours: &Resource) -> Option<String> {
    let is_ours = ours.kind == "Observation"
        && written["resourceType"] == "Observation"
        && identified(ours, written)
        && same_subject(&parse(ours)?, written);
    if !is_ours {
        return None;
    }
    let mut retracted = written.clone();
    *retracted.get_mut("status")? = Value::from("entered-in-error");
    Some(retracted.to_string())
}

fn parse(ours: &Resource) -> Option<Value> {
    serde_json::from_str(&ours.json).ok()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn identified(ours: &Resource, theirs: &Value) -> bool {
    ours.identifier.as_ref().is_none_or(|(system, value)| {
        items(&theirs["identifier"])
            .iter()
            .any(|theirs| theirs["system"] == system.as_str() && theirs["value"] == value.as_str())
    })
}

/// Compared by type and id: a server may answer with its own base before them, or a version behind. A subject
/// that only this destination could have resolved (`#meter`, `urn:uuid:…`) is not compared.
fn same_subject(ours: &Value, theirs: &Value) -> bool {
    match ours["subject"]["reference"].as_str() {
        Some(reference) if reference.starts_with('#') || reference.starts_with("urn:") => true,
        Some(reference) => theirs["subject"]["reference"].as_str().map(relative) == Some(reference),
        None => true,
    }
}

fn relative(reference: &str) -> &str {
    let unversioned = reference.split("/_history/").next().unwrap_or(reference);
    let mut slashes = unversioned.rmatch_indices('/').map(|(place, _)| place);
    slashes.nth(1).map_or(unversioned, |place| &unversioned[place + 1..])
}

/// Each coding of ours is among theirs; where there are none, the text; where there is nothing, nothing.
fn coded(ours: &Value, theirs: &Value) -> bool {
    let same = |a: &Value, b: &Value| a["system"] == b["system"] && a["code"] == b["code"];
    match items(&ours["coding"]) {
        [] if ours.is_null() => theirs.is_null(),
        [] => ours["text"] == theirs["text"],
        codings => codings.iter().all(|a| items(&theirs["coding"]).iter().any(|b| same(a, b))),
    }
}

/// With serde_json's arbitrary precision a number is its digits: `5.0` is not `5`.
fn valued(ours: &Value, theirs: &Value) -> bool {
    let quantity = |field: &str| ours["valueQuantity"][field] == theirs["valueQuantity"][field];
    ["value", "comparator", "system", "code"].into_iter().all(quantity)
        && ["valueBoolean", "valueDateTime"].into_iter().all(|field| ours[field] == theirs[field])
        && coded(&ours["valueCodeableConcept"], &theirs["valueCodeableConcept"])
        && coded(&ours["dataAbsentReason"], &theirs["dataAbsentReason"])
}

/// As many, and each of ours among theirs.
fn parts(ours: &Value, theirs: &Value) -> bool {
    let (ours, theirs) = (items(ours), items(theirs));
    ours.len() == theirs.len()
        && ours.iter().all(|a| theirs.iter().any(|b| coded(&a["code"], &b["code"]) && valued(a, b)))
}
