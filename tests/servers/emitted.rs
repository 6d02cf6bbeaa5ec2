//! Every kind of resource that the hub sends, taken from its requests to a record system.
//!
//! The real binary is told all device captures, all vectors of the standard's characteristics, and the demonstration's household,
//! and delivers to record systems on every rung.

use e2e::{Destination, World, root};
use gateway::demo::pki;
use gateway::demo::record::{Behaviour, Record};
use hearth_core::identity::Identity;
use hearth_core::map::fhir::{About, Finding, Report, Rung, Told};
use hearth_core::parcel::Hub;
use hearth_core::profile::{Catalog, Match, ProfileName};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Name of a record system, its rung, and more of its configuration.
const DESTINATIONS: [(&str, &str); 4] = [
    ("one", "rung = \"update-as-create\"\nbundle = 2"),
    ("two", "rung = \"conditional-create\"\nbundle = 2"),
    ("four", "rung = \"plain-create\"\nbundle = 2"),
    (
        "charted",
        "rung = \"update-as-create\"\nbundle = 2\nfailed-measurements = \"vital-sign\"\nheight-and-bmi = true\nglucose-laboratory = true\ncleared-labels = [\"42CFRPart2\", \"R\"]",
    ),
];

/// Before this every stamp of a capture has passed.
const NOW: &str = "2026-11-01T12:00:00Z";

/// What was sent, each kind of it once: bundles, and the resources in them.
pub(crate) fn everything() -> &'static [Value] {
    static ALL: OnceLock<Vec<Value>> = OnceLock::new();
    ALL.get_or_init(|| {
        // Nothing here is about what outlives a power cut, and a disk makes it slow.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let world = World::in_folder(&folder.join(format!("hearth-emitted-{}", std::process::id())));
        let mut kinds = BTreeMap::new();
        for news in [frames(), house()] {
            let records = DESTINATIONS.map(|(name, more)| {
                (name, world.record(Behaviour { conditional: true, ..Behaviour::default() }), more)
            });
            let destination = |(name, record, more): &(&'static str, Record, &'static str)| Destination {
                name,
                url: record.url(),
                client: pki::CLIENT,
                more,
            };
            let hub = world.hub_to(&records.each_ref().map(destination));
            hub.replay(&news);
            hub.deliver();
            hub.json(&["retract", "1", "--reissue"]);
            hub.deliver();
            for (_, record, _) in &records {
                let writes = record.log().into_iter().filter(|logged| logged.seen.writes());
                let sent = writes.map(|logged| serde_json::from_slice::<Value>(&logged.octets).unwrap());
                sent.for_each(|sent| sort(&mut kinds, sent));
            }
        }
        reports().into_iter().for_each(|report| sort(&mut kinds, report));
        kinds.into_values().collect()
    })
}

/// What a hub tells of itself, with every finding that it may have: no hub has them all.
fn reports() -> Vec<Value> {
    let at = "2026-10-31T12:00:00Z".parse().unwrap();
    let told = [
        (About::Absent, Told::Between(at, at + SignedDuration::from_hours(40))),
        (About::Radio, Told::Words),
        (About::Bond, Told::Words),
        (About::Battery, Told::Percent(15)),
        (About::UserCode, Told::Words),
        (About::Held, Told::Count(3)),
        (About::HeldSince, Told::At(at)),
        (About::Parked, Told::Count(1)),
        (About::ParkedSince, Told::At(at)),
        (About::LastHeard, Told::At(at)),
    ];
    let device = Some(Identity::Address([0xC0, 0xFF, 0xEE, 1, 2, 3]));
    let findings =
        told.map(|(about, told)| Finding { about, device: device.clone(), said: "Said".into(), told });
    let hub = Hub { system_id: [2, 0, 0, 0xFF, 0xFE, 0, 0, 1], software: "0.1.0".into() };
    let report = Report { hub, at, findings: findings.to_vec() };
    let well = Report { findings: vec![], ..report.clone() };
    let read = |json: String| serde_json::from_str(&json).unwrap();
    [&report, &well]
        .into_iter()
        .flat_map(|report| {
            let id = report.written(Rung::UpdateAsCreate).id;
            [read(report.json(Rung::UpdateAsCreate, Some(&id))), read(report.json(Rung::PlainCreate, None))]
        })
        .collect()
}

/// The first of its kind is kept. Of bundles the smallest: a kind is what its entries ask for.
fn sort(kinds: &mut BTreeMap<String, Value>, sent: Value) {
    for entry in sent["entry"].as_array().into_iter().flatten() {
        sort(kinds, entry["resource"].clone());
    }
    let kind = if sent["resourceType"] == "Bundle" {
        let mut asked: Vec<String> = sent["entry"].as_array().into_iter().flatten().map(asked).collect();
        asked.sort();
        asked.dedup();
        format!("{} {} {asked:?}", sent["type"], sent["meta"])
    } else {
        let mut shape = sent.clone();
        blur(&mut shape);
        shape.to_string()
    };
    let known = kinds.entry(kind).or_insert_with(|| sent.clone());
    if sent.to_string().len() < known.to_string().len() {
        *known = sent;
    }
}

/// `PUT Observation`, `POST Device if none exists`.
fn asked(entry: &Value) -> String {
    let condition = if entry["request"]["ifNoneExist"].is_null() { "" } else { " if none exists" };
    format!("{} {}{condition}", entry["request"]["method"], entry["resource"]["resourceType"])
}

/// Takes away what differs between two readings of one kind: digits and names, but not how many digits, nor any code.
fn blur(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if !["code", "system", "url", "display", "status"].contains(&name.as_str()) {
                    blur(inner);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(blur),
        Value::Number(number) => *value = json!(no_digits(&number.to_string())),
        Value::String(text) => {
            // Our names: 52 letters of base32.
            let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
            *text =
                words.map(|word| if word.len() >= 32 { "name".into() } else { no_digits(word) }).collect();
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn no_digits(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

/// The demonstration's household, its patients known to every record system.
fn house() -> String {
    let text = std::fs::read_to_string(root().join("gateway/src/demo/house.jsonl")).unwrap();
    let told = ["ada", "ben"].iter().fold(text, |text, who| {
        text.replace(&format!(r#"{{"clinic": "demo-{who}"}}"#), &everywhere(who).to_string())
    });
    assert!(!told.contains("clinic"), "somebody is known to no record system here");
    told
}

/// Somebody, by the same id in every record system.
fn everywhere(who: &str) -> Value {
    DESTINATIONS
        .iter()
        .map(|(name, _)| ((*name).to_owned(), json!(who)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Captures and vectors, a device each.
fn frames() -> String {
    let mut lines = vec![json!({ "boot": true }), json!({ "at": 0, "hub_time": NOW })];
    let mut device = |n: u32, facts: &Match, frames: &[(String, String)]| {
        let name = format!("d{n}");
        let mut met = json!({
            "device": name, "address": format!("C0:FF:EE:00:{:02X}:{:02X}", n / 256, n % 256), "serial": format!("S{n}"),
            "system_id": format!("{n:016X}"), "services": facts.services.iter().map(|s| format!("{s:04X}")).collect::<Vec<_>>(),
        });
        for (key, fact) in [
            ("name", facts.name_prefixes.first()),
            ("manufacturer", facts.manufacturer.as_ref()),
            ("model", facts.model.as_ref()),
        ] {
            if let Some(fact) = fact {
                met[key] = json!(fact);
            }
        }
        lines.push(json!({ "met": met }));
        // Every third has one user, who attested it; every fifth person is in a programme with a label.
        let users = [json!(null), json!(1), json!(2)];
        let slots: &[Value] = if n.is_multiple_of(3) { &users[..1] } else { &users };
        for slot in slots {
            let mut bind = json!({
                "device": name, "slot": slot, "patient": everywhere("ada"), "zone": "America/New_York",
                "from": "2010-01-01T00:00:00Z",
            });
            if n.is_multiple_of(3) {
                bind["sole_use_attested_by"] = json!("Ada");
            }
            if n.is_multiple_of(5) {
                bind["labels"] = json!(["42CFRPart2", "R"]);
            }
            lines.push(json!({ "bind": bind }));
        }
        for (characteristic, hex) in frames {
            let link = if characteristic.starts_with("adv:") { "broadcast" } else { "bonded" };
            let heard = json!({ "device": name, "contact": n, "characteristic": characteristic, "hex": hex, "link": link });
            lines.push(json!({ "heard": heard }));
        }
        lines.push(json!({ "ended": { "device": name, "contact": n, "how": "drained" } }));
    };
    let catalog = Catalog::standard();
    let mut captures = 0;
    for profile in catalog.all() {
        for frames in captured(&profile.name) {
            captures += 1;
            device(captures, &profile.matches, &frames);
        }
    }
    assert!(captures >= 48, "only {captures} captures");
    // From a number on that no capture has: a profile more must not give each vector another user.
    const FIRST: u32 = 994;
    let mut vectors = 0;
    for (service, characteristic, hex) in vectors_of_readings() {
        let facts = Match { services: vec![service], ..Match::default() };
        let mut frames = vec![(characteristic.clone(), hex.clone())];
        if characteristic == "2A34" {
            // The glucose that the context belongs to: 111 mg/dL, a context follows, the same sequence number.
            frames.insert(0, ("2A18".into(), format!("12{}E807060F0C00006FB011", &hex[2..6])));
        }
        device(FIRST + vectors, &facts, &frames);
        vectors += 1;
    }
    assert!(vectors >= 87, "only {vectors} vectors");
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The captures of a profile: characteristic and octets of each frame.
fn captured(profile: &ProfileName) -> Vec<Vec<(String, String)>> {
    let folder = root().join("device-profiles").join(&profile.0);
    let files = std::fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "hex")).collect();
    files.sort();
    let frame = |line: &str| {
        let (characteristic, hex) = line.split_once(' ')?;
        (characteristic != "#").then(|| (characteristic.to_owned(), hex.replace(' ', "")))
    };
    files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap().lines().filter_map(frame).collect())
        .collect()
}

/// What can become a reading: service, characteristic, octets.
fn vectors_of_readings() -> Vec<(u16, String, String)> {
    const SERVICES: [(&str, u16); 9] = [
        ("2A35", 0x1810),
        ("2B34", 0x1810),
        ("2A18", 0x1808),
        ("2A34", 0x1808),
        ("2A9D", 0x181D),
        ("2A9C", 0x181B),
        ("2A1C", 0x1809),
        ("2A5E", 0x1822),
        ("2A37", 0x180D),
    ];
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("firmware/wire/vectors"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut all = vec![];
    for file in files {
        let vectors: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        for vector in
            vectors.as_array().unwrap().iter().filter(|vector| vector["expected"]["error"].is_null())
        {
            let service = SERVICES.iter().find(|(name, _)| vector["characteristic"] == *name);
            if let Some((name, service)) = service {
                all.push((*service, (*name).to_owned(), vector["hex"].as_str().unwrap().to_owned()));
            }
        }
    }
    all
}
