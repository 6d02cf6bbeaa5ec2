//! What a hub tells of itself, in record systems that nobody here wrote: one Observation about a Device, over restarts.

use crate::delivery::{home, hub};
use e2e::servers::{Behind, Servers, curl, known};
use gateway::demo::pki;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// When a hub last told how it fares, by its own word.
fn told(status: &Value) -> Option<Timestamp> {
    let said = status["destinations"][0].as_str()?.split_once("; told at ")?.1;
    said.split(' ').next()?.parse().ok()
}

fn observation(record: &Behind, path: &str) -> Value {
    let url = format!("{}/{path}", record.plain);
    let (status, body) = curl(&["-H", "Cache-Control: no-cache", &url]);
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// `before`: what other hubs had told there.
fn tells(n: u8, patient: &str, record: &Behind, rung: &str, before: &mut BTreeSet<String>) {
    known(record, patient);
    let hub = hub(&record.wide, pki::CLIENT, &format!("rung = \"{rung}\"\nreport-hours = 1"));
    hub.replay(&home(n, patient));
    let daemon = hub.run();
    let at = told(&hub.until(&["status"], |status| told(status).is_some())).unwrap();
    let mut cuff = hub.source();
    for line in [
        json!({ "met": { "device": "live", "address": format!("C0:FF:EE:02:00:{n:02X}"), "services": ["1810"] } }),
        json!({ "bind": { "device": "live", "slot": null, "patient": { "clinic": patient }, "zone": "America/New_York",
            "from": "2018-01-01T00:00:00Z" } }),
        json!({ "heard": { "device": "live", "contact": 1, "characteristic": "2A35",
            "hex": "02780050006400E807060F0A0000" } }),
    ] {
        cuff.tell(&line).unwrap();
    }
    assert_eq!(daemon.stop(), 0);

    let bundle = observation(record, "Observation?identifier=urn:hearth:report%7C&_count=200");
    let entries = bundle["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"]);
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let ours: Vec<&Value> = entries.filter(|o| !before.contains(o["id"].as_str().unwrap())).collect();
    let [report] = ours[..] else { panic!("once, by {rung}: {bundle:#}") };
    before.insert(report["id"].as_str().unwrap().to_owned());
    assert_eq!(report["effectiveDateTime"], *at);
    assert_eq!(report["subject"]["reference"], "#hub");
    assert_eq!(report["contained"][0]["deviceName"][0]["name"], "Hearth hub");
    // Another life writes the same one anew; within the same second it would say the same.
    while gateway::clock::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string() == at {
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let path = format!("Observation/{}", report["id"].as_str().unwrap());
    let daemon = hub.run();
    hub.until(&["status"], |_| {
        observation(record, &path)["meta"]["versionId"] != report["meta"]["versionId"]
    });
    assert_eq!(daemon.stop(), 0);
    let name = report["identifier"][0]["value"].as_str().unwrap();
    let found = observation(record, &format!("Observation?identifier=urn:hearth:report%7C{name}"));
    assert_eq!(found["entry"].as_array().map(Vec::len), Some(1), "{found:#}");
}

/// One after the other: each finds its own among all.
#[test]
fn in_hapi() {
    let mut before = BTreeSet::new();
    for (n, rung) in (41..).zip(e2e::RUNGS) {
        tells(n, &format!("report-{n}"), &Servers::get().hapi, rung, &mut before);
    }
}

#[test]
fn in_medplum() {
    tells(44, "report-44", &Servers::get().medplum, "update-as-create", &mut BTreeSet::new());
}
