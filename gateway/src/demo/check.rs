//! Reads the record back and compares it with what was played: the demonstration's own judge. It knows nothing of
//! the hub; what it expects was worked out by hand from the frames in `house.jsonl`.

use serde_json::Value;
use std::collections::BTreeSet;

/// One reading that must stand in the record, once.
pub(super) struct Expected {
    pub(super) what: &'static str,
    pub(super) patient: &'static str,
    /// Of any coding system.
    pub(super) code: &'static str,
    pub(super) effective: &'static str,
    /// Component code, or "" for the Observation itself, and the digits; "absent": a reason instead of a value.
    pub(super) values: &'static [(&'static str, &'static str)],
}

const ADA: &str = "demo-ada";
const BEN: &str = "demo-ben";

pub(super) const EXPECTED: [Expected; 9] = [
    Expected {
        what: "pressure 124/86",
        patient: ADA,
        code: "85354-9",
        effective: "2024-06-15T17:17:27-04:00",
        values: &[("8480-6", "124"), ("8462-4", "86")],
    },
    Expected {
        what: "failed pressure",
        patient: ADA,
        code: "150020",
        effective: "2026-05-13T07:58:00-04:00",
        values: &[("150021", "absent"), ("150022", "absent")],
    },
    Expected {
        what: "pressure 120/80 after the battery change",
        patient: ADA,
        code: "85354-9",
        // The clock showed two minutes past its new year when the hub's said 13:00:00Z.
        effective: "2026-05-13T08:58:00-04:00",
        values: &[("8480-6", "120"), ("8462-4", "80")],
    },
    Expected {
        what: "glucose 111 mg/dL",
        patient: ADA,
        code: "41653-7",
        effective: "2024-01-30T11:37:27-05:00",
        values: &[("", "111")],
    },
    Expected {
        what: "glucose HI",
        patient: ADA,
        code: "41653-7",
        effective: "2024-06-15T17:17:27-04:00",
        // The maker's stated range ends at 600 mg/dL: more than that.
        values: &[("", ">600")],
    },
    Expected {
        what: "weight 79.960 kg",
        patient: ADA,
        code: "29463-7",
        effective: "2026-05-12T18:53:54-04:00",
        values: &[("", "79.960")],
    },
    Expected {
        what: "weight 61.370 kg",
        patient: BEN,
        code: "29463-7",
        effective: "2021-07-23T21:33:31-07:00",
        values: &[("", "61.370")],
    },
    Expected {
        what: "glucose 111 mg/dL of the other meter",
        patient: BEN,
        code: "160184",
        effective: "2018-09-19T22:27:07-07:00",
        values: &[("", "111")],
    },
    Expected {
        what: "glucose 126 mg/dL of the other meter",
        patient: BEN,
        code: "160184",
        effective: "2018-10-06T08:47:50-07:00",
        values: &[("", "126")],
    },
];

/// Codes of the Observations that are readings of their own; others belong to one of these.
const HEADS: [&str; 8] = ["150020", "188736", "160184", "160188", "160192", "160196", "160364", "160368"];

/// What the record holds, against what was played.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) written: usize,
    pub(super) lost: Vec<String>,
    pub(super) duplicates: Vec<String>,
    pub(super) wrong_person: Vec<String>,
    /// In the record, and never played.
    pub(super) strangers: usize,
    /// Resources with more than one version: something was written over.
    pub(super) overwritten: usize,
}

/// `observations`: every version of each.
pub(super) fn check(observations: &[Vec<Value>]) -> Findings {
    let mut findings = Findings {
        overwritten: observations.iter().filter(|versions| versions.len() > 1).count(),
        ..Findings::default()
    };
    let current: Vec<&Value> = observations.iter().filter_map(|versions| versions.last()).collect();
    let heads: Vec<&Value> =
        current.into_iter().filter(|o| HEADS.iter().any(|code| has_code(o, code))).collect();
    let mut explained: BTreeSet<usize> = BTreeSet::new();
    for expected in &EXPECTED {
        let same: Vec<usize> =
            heads.iter().enumerate().filter(|(_, o)| expected.says(o)).map(|(at, _)| at).collect();
        explained.extend(&same);
        let (right, wrong): (Vec<usize>, Vec<usize>) =
            same.into_iter().partition(|at| subject(heads[*at]) == expected.patient);
        match right.len() {
            0 if wrong.is_empty() => findings.lost.push(expected.what.into()),
            0 => {}
            1 => findings.written += 1,
            n => findings.duplicates.push(format!("{} ({n} times)", expected.what)),
        }
        if !wrong.is_empty() {
            findings.wrong_person.push(expected.what.into());
        }
    }
    findings.strangers = heads.len() - explained.len();
    findings
}

impl Expected {
    fn says(&self, observation: &Value) -> bool {
        has_code(observation, self.code)
            && observation["effectiveDateTime"] == self.effective
            && self.values.iter().all(|(code, digits)| {
                let place = match *code {
                    "" => Some(observation),
                    code => list(&observation["component"]).find(|component| has_code(component, code)),
                };
                place.is_some_and(|place| shown(place) == *digits)
            })
    }
}

fn shown(place: &Value) -> String {
    let quantity = &place["valueQuantity"];
    if quantity.is_null() {
        return if place["dataAbsentReason"].is_null() { "nothing".into() } else { "absent".into() };
    }
    format!("{}{}", quantity["comparator"].as_str().unwrap_or_default(), quantity["value"])
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
