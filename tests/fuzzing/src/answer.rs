//! What a record system, or whatever stands before it, may answer.

use super::core::parcel;
use hearth_core::capture::Uuid16;
use hearth_core::decode::decode;
use hearth_core::delivery::{Answer, Asked, Body, Line, Receipt, entries, found, judge, retry_after};
use hearth_core::map::fhir::{Resource, Rung, compare, located, resources, retraction};
use hearth_core::parcel::Policy;
use hearth_core::profile::Catalog;
use jiff::Timestamp;
use std::sync::LazyLock;

/// What we wrote, and what the record is supposed to hold.
static OURS: LazyLock<Vec<Resource>> = LazyLock::new(|| {
    let frame = [0x1E, 120, 0, 80, 0, 93, 0, 0xE8, 7, 6, 15, 17, 17, 41, 72, 0, 1, 0, 0];
    let parsed = decode(Uuid16::BLOOD_PRESSURE_MEASUREMENT, &frame, &[]).expect("a conformant frame");
    let catalog = Catalog::standard();
    let profile = catalog.all().next().expect("there are profiles");
    let parcel = parcel(parsed.measurement, vec![], vec![], profile);
    resources(&parcel, &Policy::default(), Rung::UpdateAsCreate, None)
});

/// One octet chooses what was asked, two the status; then headers up to a line end each, and the body.
pub fn answer(octets: &[u8]) {
    let [asked, low, high, rest @ ..] = octets else { return };
    let asked = match asked % 6 {
        0 => Asked::Put,
        1 => Asked::Amend,
        2 => Asked::Create { conditional: false },
        3 => Asked::Create { conditional: true },
        4 => Asked::Read,
        _ => Asked::Bundle,
    };
    let mut parts = rest.splitn(4, |octet| *octet == b'\n');
    let mut header =
        || parts.next().and_then(|part| std::str::from_utf8(part).ok()).filter(|text| !text.is_empty());
    let (retry, location, content_type) = (header(), header(), header());
    let body = Body::parse(parts.next().unwrap_or_default());
    if let Body::Resource(resource) = &body {
        let lines: Vec<Line<'_>> = OURS.iter().map(line).collect();
        let answers = entries(&lines, resource);
        assert_eq!(answers.len(), lines.len());
        for answer in answers.into_iter().flatten() {
            judged(asked, answer);
        }
        for ours in OURS.iter() {
            _ = compare(ours, resource);
            if let Some(retracted) = retraction(resource, ours) {
                let retracted: serde_json::Value = serde_json::from_str(&retracted).expect("JSON");
                assert_eq!(retracted["status"], "entered-in-error");
            }
        }
        _ = gateway::fuzzing::ability(resource);
    }
    judged(
        asked,
        Answer {
            retry_after: retry.and_then(|header| retry_after(header, Timestamp::UNIX_EPOCH)),
            location: location.map(str::to_owned),
            content_type: content_type.map(str::to_owned),
            ..Answer::new(u16::from_le_bytes([*low, *high]), body)
        },
    );
}

fn line(ours: &Resource) -> Line<'_> {
    Line {
        kind: ours.kind,
        id: Some(&ours.id),
        identifier: ours.identifier.as_ref().map(|(_, value)| value.as_str()),
        full_url: None,
    }
}

/// Every answer comes to something, and to no more words than a log line has room for.
fn judged(asked: Asked, answer: Answer) {
    let words = answer.to_string();
    assert!(words.chars().count() < 1_000 && !words.chars().any(char::is_control), "{words}");
    if let Some(place) = answer.place() {
        let placed: Vec<(&Resource, &str)> = OURS.iter().map(|ours| (ours, place.as_str())).collect();
        for ours in OURS.iter() {
            let text = located(ours, &placed);
            _ = serde_json::from_str::<serde_json::Value>(&text).expect("a resource stays JSON");
        }
    }
    let receipt = Receipt::Answer(answer);
    _ = (judge(asked, &receipt), found(&receipt), receipt.in_doubt());
}
