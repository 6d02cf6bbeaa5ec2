//! HL7's own examples of PHD 2.0 and ours, side by side: the same reading is built by hand, the structural
//! differences are computed, and each must be listed with its reason in docs/mapping.md, and each listed one
//! must still occur.
//!
//! The examples are in `map/golden/hl7`, with their licence. Ids are anybody's: of a reference only the type
//! is compared, of an id nothing.

use super::super::{Marked, Role};
use super::support::*;
use crate::parcel::{Parcel, Policy};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const DOCS: &str = include_str!("../../../../../../docs/mapping.md");
const SECTION: &str = "## Departures from HL7's examples";

struct Pair {
    name: &'static str,
    theirs: &'static str,
    parcel: Parcel,
    role: Role,
}

macro_rules! example {
    ($name:literal, $role:expr, $parcel:expr) => {
        Pair {
            name: $name,
            theirs: include_str!(concat!("../../golden/hl7/", $name, ".json")),
            role: $role,
            parcel: attested($parcel),
        }
    };
}

/// New York in November; the clocks agree.
fn november(parcel: Parcel, instant: &str) -> Parcel {
    sampled(taken(parcel, instant, -5), "2018-11-11T11:38:10", 5 * 3600)
}

fn pairs() -> Vec<Pair> {
    // 99 mg/dL, undetermined plasma, site not available; after a meal.
    let meter = "02 0F00 E807011E053A1B 63B0 F8";
    let meal = taken(glucose_with(meter, "02 0F00 02"), "2017-06-02T19:02:35Z", -4);
    let meal = sampled(meal, "2017-06-02T18:02:30", 4 * 3600 + 5);
    vec![
        example!(
            "compound-numeric-blood-pressure",
            Role::Measurement,
            november(pressure("00 7400 4700 5600"), "2018-11-11T16:38:15Z")
        ),
        example!(
            "compound-numeric-blood-pressure-no-mean",
            Role::Measurement,
            november(pressure("00 7400 4700 FF07"), "2018-11-11T16:38:15Z")
        ),
        // Body movement and improper position.
        example!(
            "bpm-status",
            Role::Status,
            november(pressure("10 7400 4700 5600 2100"), "2018-11-12T00:07:48Z")
        ),
        // A pulse that is no number stands for any numeric that is none.
        example!(
            "numeric-observation-not-a-number",
            Role::Pulse,
            taken(pressure("04 7400 4700 5600 FF07"), "2018-11-12T00:07:48Z", -5)
        ),
        example!("glucose-observation", Role::Measurement, november(glucose(meter), "2025-01-09T00:07:48Z")),
        example!("meal-context-observation", Role::Context(0, Marked::Meal), meal.clone()),
        example!("coin-example-1", Role::CoincidentTime, meal),
        example!(
            "coin-20181119174911",
            Role::CoincidentTime,
            november(pressure("00 7400 4700 5600"), "2018-11-11T16:38:15Z")
        ),
        // HL7 has no weight: its nearest is another numeric vital sign. 36.500 kg, as only a scale would have it.
        example!(
            "temperature-observation",
            Role::Measurement,
            november(weight("00 841C"), "2025-01-09T00:07:48Z")
        ),
        // 36.5 degrees Celsius, as a thermometer has it.
        Pair {
            name: "temperature",
            theirs: include_str!("../../golden/hl7/temperature-observation.json"),
            parcel: attested(november(temperature("00 6D0100FF"), "2025-01-09T00:07:48Z")),
            role: Role::Measurement,
        },
        example!(
            "numeric-spo2-alarm",
            Role::Measurement,
            november(oximetry("00 16F3 E0F1"), "2018-11-13T22:59:02Z")
        ),
        example!(
            "numeric-spotnumeric",
            Role::Pulse,
            november(oximetry("00 16F3 E0F1"), "2018-11-13T22:59:03Z")
        ),
        example!("phd-711000FEFF5F49B0.B0495F001071", Role::Meter, pressure("00 7400 4700 5600")),
        example!("phg-ecde3d4e58532d31.000000000000", Role::Hub, pressure("00 7400 4700 5600")),
    ]
}

/// Each leaf of a resource by its path; array items by what they are, so that their order is no difference.
fn leaves(value: &Value) -> BTreeMap<String, String> {
    fn walk(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| walk(&format!("{path}.{name}"), value, into));
            }
            Value::Array(items) => {
                let mut seen: BTreeMap<String, usize> = BTreeMap::new();
                for item in items {
                    let key = key(item).unwrap_or_default();
                    let before = *seen.entry(key.clone()).and_modify(|n| *n += 1).or_insert(0);
                    let again = if before == 0 { String::new() } else { format!("#{before}") };
                    walk(&format!("{path}[{key}{again}]"), item, into);
                }
            }
            leaf => {
                into.insert(path.trim_start_matches('.').to_owned(), shown(path, leaf));
            }
        }
    }
    let mut into = BTreeMap::new();
    walk("", value, &mut into);
    into
}

/// What an item of an array is, in the last words of its system, url or code.
fn key(item: &Value) -> Option<String> {
    let last = |text: &str| text.rsplit(['/', ':']).next().unwrap_or(text).to_owned();
    let text = |value: &Value| value.as_str().map(last);
    text(&item["url"])
        .or_else(|| text(&item["type"]["coding"][0]["code"]))
        .or_else(|| text(&item["systemType"]["coding"][0]["system"]))
        .or_else(|| text(&item["code"]["coding"][0]["code"]))
        .or_else(|| text(&item["coding"][0]["system"]))
        .or_else(|| text(&item["system"]))
}

fn shown(path: &str, leaf: &Value) -> String {
    match leaf.as_str() {
        Some(reference) if path.ends_with(".reference") => {
            format!("a {}", reference.split('/').next().unwrap_or_default())
        }
        _ => leaf.to_string(),
    }
}

type Row = (String, String, String, String);

/// (example, path, theirs, ours); `–` is nothing.
fn differences(pair: &Pair) -> BTreeSet<Row> {
    let theirs = leaves(&json(pair.theirs));
    let ours = leaves(&read(&pair.parcel, &Policy::default())[&pair.role]);
    let paths: BTreeSet<_> = theirs.keys().chain(ours.keys()).filter(|path| *path != "id").collect();
    let of =
        |leaves: &BTreeMap<String, String>, path: &String| leaves.get(path).cloned().unwrap_or("–".into());
    paths
        .into_iter()
        .map(|path| (pair.name.to_owned(), path.clone(), of(&theirs, path), of(&ours, path)))
        .filter(|(_, _, theirs, ours)| theirs != ours)
        .collect()
}

/// A row of the table in docs/mapping.md: `| in | path | theirs | ours | why |`. It names one example or more.
/// A path that ends in `*` is a whole branch that only one of the two has: `…` there, and `–` on the other side.
struct Listed {
    examples: Vec<String>,
    path: String,
    theirs: String,
    ours: String,
}

fn listed() -> Vec<Listed> {
    let section = DOCS.split_once(SECTION).expect("docs/mapping.md has the section").1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [examples, path, theirs, ours, why] = cells[..] else { panic!("not five cells: {row}") };
        assert!(why.len() >= 8, "a reason is missing: {row}");
        let bare = |cell: &str| cell.trim_matches('`').to_owned();
        Listed {
            examples: examples.split(", ").map(bare).collect(),
            path: bare(path),
            theirs: bare(theirs),
            ours: bare(ours),
        }
    })
    .collect()
}

impl Listed {
    fn covers(&self, (example, path, theirs, ours): &Row) -> bool {
        let side = |listed: &str, found: &str| if listed == "…" { found != "–" } else { listed == found };
        let here = match self.path.strip_suffix('*') {
            Some(branch) => path.starts_with(branch),
            None => *path == self.path,
        };
        self.examples.contains(example) && here && side(&self.theirs, theirs) && side(&self.ours, ours)
    }
}

#[test]
fn every_difference_is_listed_with_its_reason_and_still_occurs() {
    let found: BTreeSet<Row> = pairs().iter().flat_map(differences).collect();
    let listed = listed();
    let unlisted: Vec<String> = found
        .iter()
        .filter(|row| !listed.iter().any(|listed| listed.covers(row)))
        .map(|(example, path, theirs, ours)| {
            format!("| `{example}` | `{path}` | `{theirs}` | `{ours}` | why? |")
        })
        .collect();
    assert!(unlisted.is_empty(), "not in docs/mapping.md, {SECTION:?}:\n{}", unlisted.join("\n"));
    for row in &listed {
        for example in &row.examples {
            let still = found.iter().any(|difference| difference.0 == *example && row.covers(difference));
            assert!(still, "listed in docs/mapping.md and gone: {example} {}", row.path);
        }
    }
}
