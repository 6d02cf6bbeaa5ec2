//! What an Observation says, in words and digits that stand in it.

use crate::demo::record::{Record, Version};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// An Observation as a row. Every text is as the record has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) what: String,
    /// Name, empty for the Observation itself, and value with unit.
    pub(super) values: Vec<(String, String)>,
    pub(super) taken: String,
    /// Reference and name.
    pub(super) device: Option<(String, String)>,
    pub(super) notes: Vec<String>,
    pub(super) status: String,
    /// Why this is no reading any more.
    pub(super) gone: Option<&'static str>,
    /// The measurement that it belongs to, which stands above it.
    pub(super) belongs_to: Option<String>,
    pub(super) versions: usize,
}

/// Whom or what a group of Observations is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Subject {
    /// As the Observations have it.
    pub(super) reference: String,
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
}

/// Everything, by subject: people first. Within a subject by when it was taken, what was derived behind what it was
/// derived from.
pub(super) fn subjects(record: &Record) -> Vec<Subject> {
    let all = record.all("Observation");
    let newest: HashMap<&str, &Value> =
        all.iter().filter_map(|((_, id), versions)| Some((id.as_str(), last(versions)?))).collect();
    let mut groups: BTreeMap<(bool, String), Vec<(Order, Row)>> = BTreeMap::new();
    for ((_, id), versions) in &all {
        let Some(observation) = last(versions) else { continue };
        let subject = text(&observation["subject"]["reference"]);
        let order = order(id, observation, &newest);
        let measurement = head(observation).and_then(|head| newest.get(head));
        let belongs_to = measurement.map(|measurement| concept(&measurement["code"]));
        let row = Row { belongs_to, ..row(record, id, observation, versions) };
        groups.entry((!subject.starts_with("Patient/"), subject)).or_default().push((order, row));
    }
    let subject = |((_, reference), mut rows): ((bool, String), Vec<(Order, Row)>)| {
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        let name = name(record, &reference);
        Subject { reference, name, rows: rows.into_iter().map(|(_, row)| row).collect() }
    };
    groups.into_iter().map(subject).collect()
}

/// When the measurement was taken, which one it is, whether this is only derived from it, and its own id.
type Order = (Option<Timestamp>, String, bool, String);

fn order(id: &str, observation: &Value, all: &HashMap<&str, &Value>) -> Order {
    let head = head(observation).unwrap_or(id);
    let measurement = all.get(head).unwrap_or(&observation);
    let taken = measurement["effectiveDateTime"].as_str().and_then(|taken| taken.parse().ok());
    (taken, head.to_owned(), head != id, id.to_owned())
}

fn head(observation: &Value) -> Option<&str> {
    observation["derivedFrom"][0]["reference"].as_str()?.strip_prefix("Observation/")
}

/// The newest version that is no deletion.
fn last(versions: &[Version]) -> Option<&Value> {
    versions.iter().rev().find_map(|version| version.resource.as_ref())
}

fn row(record: &Record, id: &str, observation: &Value, versions: &[Version]) -> Row {
    let status = text(&observation["status"]);
    let deleted = versions.last().is_some_and(|version| version.resource.is_none());
    let own = Some((String::new(), value(observation))).filter(|(_, value)| !value.is_empty());
    let components = list(&observation["component"]).map(|part| (concept(&part["code"]), value(part)));
    let device = observation["device"]["reference"].as_str();
    let interpretations = list(&observation["interpretation"]).map(|said| match concept(said).as_str() {
        "" => "interpretation without a word".to_owned(),
        said => format!("interpretation: {said}"),
    });
    Row {
        id: id.to_owned(),
        what: concept(&observation["code"]),
        values: own.into_iter().chain(components).collect(),
        taken: taken(&text(&observation["effectiveDateTime"])),
        device: device.map(|reference| (reference.to_owned(), name(record, reference))),
        notes: interpretations.chain(list(&observation["note"]).map(|note| text(&note["text"]))).collect(),
        gone: match status.as_str() {
            _ if deleted => Some("Deleted from the record:"),
            "entered-in-error" => Some("Entered in error, no reading:"),
            _ => None,
        },
        status,
        belongs_to: None,
        versions: versions.len(),
    }
}

/// `value[x]`, or why there is none. A type that is not known here is shown as it stands.
fn value(place: &Value) -> String {
    let quantity = &place["valueQuantity"];
    if quantity.is_object() {
        let unit = quantity["unit"].as_str().or(quantity["code"].as_str()).unwrap_or_default();
        // The number's own digits: 61.370 is not 61.37 (CLINICAL 17). No line ends between them and their unit.
        return format!("{}{}\u{a0}{unit}", text(&quantity["comparator"]), quantity["value"])
            .trim_end()
            .to_owned();
    }
    let fields = place.as_object().into_iter().flatten();
    let mut said = fields.filter(|(name, _)| name.starts_with("value")).map(|(_, said)| match said {
        Value::String(text) => text.clone(),
        Value::Bool(set) => if *set { "yes" } else { "no" }.to_owned(),
        Value::Object(_) if said["coding"].is_array() || said["text"].is_string() => concept(said),
        other => other.to_string(),
    });
    match said.next() {
        Some(said) => said,
        None if place["dataAbsentReason"].is_object() => {
            format!("no value: {}", concept(&place["dataAbsentReason"]))
        }
        None => String::new(),
    }
}

/// `2024-06-15T17:17:27-04:00` with room between date, time and offset; all else as it stands.
fn taken(instant: &str) -> String {
    let Some((date, rest)) = instant.split_once('T') else { return instant.to_owned() };
    match rest.find(['+', '-', 'Z']).and_then(|at| rest.split_at_checked(at)) {
        Some((time, offset)) => format!("{date} {time} {offset}"),
        None => format!("{date} {rest}"),
    }
}

/// Text, else display, else code.
fn concept(concept: &Value) -> String {
    let coding = &concept["coding"][0];
    let said = [&concept["text"], &coding["display"], &coding["code"]];
    said.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned()
}

/// A patient's family name or a device's own; else the reference.
fn name(record: &Record, reference: &str) -> String {
    let found = reference.split_once('/').and_then(|(kind, id)| {
        let versions = record.history(kind, id);
        let resource = last(&versions)?;
        let device = &resource["deviceName"][0]["name"];
        device.as_str().or(resource["name"][0]["family"].as_str()).map(str::to_owned)
    });
    found.unwrap_or_else(|| reference.to_owned())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
