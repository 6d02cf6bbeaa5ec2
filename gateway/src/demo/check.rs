//! Reads the record back and compares it with what was played: the demonstration's own judge. It knows nothing of
//! the hub; what it expects was worked out by hand from the frames in `house.jsonl`.

mod expected;
#[cfg(test)]
mod tests;

use expected::{EXPECTED, Expected, Part};
use serde_json::Value;
use std::collections::BTreeSet;

/// What the record holds, against what was played.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Measurements; what came with them is not counted.
    pub(super) written: usize,
    pub(super) lost: Vec<String>,
    pub(super) duplicates: Vec<String>,
    pub(super) wrong_person: Vec<String>,
    /// In the record, and never played.
    pub(super) strangers: Vec<String>,
    /// Resources with more than one version: something was written over.
    pub(super) overwritten: usize,
}

/// `observations`: every version of each.
pub(super) fn check(observations: &[Vec<Value>]) -> Findings {
    let current: Vec<&Value> = observations.iter().filter_map(|versions| versions.last()).collect();
    let mut findings = Findings {
        overwritten: observations.iter().filter(|versions| versions.len() > 1).count(),
        ..Findings::default()
    };
    let mut explained: BTreeSet<usize> = BTreeSet::new();
    for expected in &EXPECTED {
        let same = positions(&current, |o| expected.says(o));
        explained.extend(&same);
        let (right, wrong): (Vec<usize>, Vec<usize>) =
            same.iter().partition(|at| subject(current[**at]) == expected.patient);
        match right.len() {
            0 if wrong.is_empty() => findings.lost.push(expected.what.into()),
            0 => {}
            1 => findings.written += 1,
            n => findings.duplicates.push(format!("{} ({n} times)", expected.what)),
        }
        if !wrong.is_empty() {
            findings.wrong_person.push(expected.what.into());
        }
        for head in same {
            for part in expected.parts {
                let parts = positions(&current, |o| part.says(o, expected) && belong(o, current[head]));
                explained.extend(&parts);
                let name = || format!("{} of {}", part.what, expected.what);
                match parts.as_slice() {
                    [] => findings.lost.push(name()),
                    [one] if part.is_about(current[*one], current[head]) => {}
                    [_] => findings.wrong_person.push(name()),
                    more => findings.duplicates.push(format!("{} ({} times)", name(), more.len())),
                }
            }
        }
    }
    let strangers = current.iter().enumerate().filter(|(at, _)| !explained.contains(at));
    findings.strangers = strangers.map(|(_, o)| name(o)).collect();
    findings
}

fn positions(all: &[&Value], fits: impl Fn(&Value) -> bool) -> Vec<usize> {
    all.iter().enumerate().filter(|(_, one)| fits(one)).map(|(at, _)| at).collect()
}

impl Expected {
    fn says(&self, observation: &Value) -> bool {
        has_code(observation, self.code)
            && observation["effectiveDateTime"] == self.effective
            && says(observation, self.values)
    }
}

impl Part {
    fn says(&self, observation: &Value, of: &Expected) -> bool {
        has_code(observation, self.code)
            && observation["effectiveDateTime"] == self.effective.unwrap_or(of.effective)
            && says(observation, self.values)
    }

    /// A part is about whom its measurement is about; what a clock showed is about the device that measured.
    fn is_about(&self, observation: &Value, head: &Value) -> bool {
        match self.effective {
            None => observation["subject"] == head["subject"],
            Some(_) => observation["subject"] == head["device"],
        }
    }
}

/// One was derived from the other, or the other points at it.
fn belong(part: &Value, head: &Value) -> bool {
    let is = |reference: &Value, of: &Value| {
        let id = reference["reference"].as_str().and_then(|said| said.strip_prefix("Observation/"));
        id.is_some() && id == of["id"].as_str()
    };
    list(&part["derivedFrom"]).any(|from| is(from, head))
        || list(&head["extension"]).any(|extension| is(&extension["valueReference"], part))
}

/// `("", digits)` is said by the Observation itself, `(code, digits)` by a component.
fn says(observation: &Value, values: &[(&str, &str)]) -> bool {
    values.iter().all(|(code, digits)| {
        let place = match *code {
            "" => Some(observation),
            code => list(&observation["component"]).find(|component| has_code(component, code)),
        };
        place.is_some_and(|place| shown(place) == *digits)
    })
}

fn shown(place: &Value) -> String {
    let quantity = &place["valueQuantity"];
    let coded = &place["valueCodeableConcept"]["coding"][0]["code"];
    if !quantity.is_null() {
        return format!("{}{}", quantity["comparator"].as_str().unwrap_or_default(), quantity["value"]);
    }
    match (coded.as_str().or(place["valueDateTime"].as_str()), place["valueBoolean"].as_bool()) {
        (Some(said), _) => said.into(),
        (None, Some(set)) => set.to_string(),
        (None, None) if place["dataAbsentReason"].is_null() => "nothing".into(),
        (None, None) => "absent".into(),
    }
}

fn name(observation: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
    format!("{} at {}", text(&observation["code"]["text"]), text(&observation["effectiveDateTime"]))
}

fn subject(observation: &Value) -> &str {
    let reference = observation["subject"]["reference"].as_str().unwrap_or_default();
    reference.strip_prefix("Patient/").unwrap_or(reference)
}

fn has_code(place: &Value, code: &str) -> bool {
    list(&place["code"]["coding"]).any(|coding| coding["code"] == code)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
