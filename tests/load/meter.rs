//! A meter that has never been read tells its whole memory in one contact, and all of it again in the next.

use crate::size;
use e2e::World;
use gateway::demo::record::Behaviour;
use jiff::{ToSpan, civil::date};
use serde_json::{Value, json};
use std::time::Duration;

/// A glucose measurement by the Glucose Service 1.0.1, 3.1: sequence, base time, kg/L, type and place.
fn record(n: u16) -> (String, String) {
    let at = date(2025, 1, 3).at(6, 0, 0, 0) + (i64::from(n) * 100).minutes();
    let [low, high] = n.to_le_bytes();
    let [value, exponent] = (0xB000_u16 | (70 + n % 150)).to_le_bytes();
    let clock = format!(
        "E907{:02X}{:02X}{:02X}{:02X}{:02X}",
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    (format!("02{low:02X}{high:02X}{clock}{value:02X}{exponent:02X}11"), format!("{at}-07:00"))
}

#[test]
fn a_whole_memory_in_one_contact() {
    let records: u16 = size(300, 1_000);
    let world = World::new("meter");
    let clinic = world.record(Behaviour::default());
    let hub = world.hub(&[("clinic", &clinic)]);
    let daemon = hub.run();
    let mut meter = hub.source();
    let mut admitted = [0, 0];
    let mut took = [Duration::ZERO; 4];
    for contact in 0..2_usize {
        meter
            .tell(&json!({"met": {"device": "meter", "address": "C0:FF:EE:09:00:01", "services": ["1808"]}}))
            .unwrap();
        meter
            .tell(&json!({"bind": {"device": "meter", "slot": null, "patient": {"clinic": "ada"}, "zone": "America/Phoenix",
                "from": "2018-01-01T00:00:00Z"}}))
            .unwrap();
        for n in 0..records {
            let cpu = daemon.used().cpu;
            let line = json!({"heard": {"device": "meter", "contact": contact, "characteristic": "2A18", "hex": record(n).0}});
            let rows: Vec<Value> = meter.tell(&line).unwrap();
            admitted[contact] += rows.iter().filter(|row| row["fate"] == "admitted").count();
            took[2 * contact + usize::from(n >= records / 2)] += daemon.used().cpu - cpu;
        }
        meter.tell(&json!({"ended": {"device": "meter", "contact": contact, "how": "drained"}})).unwrap();
    }
    println!("meter: the halves of its memory, and of the same again, took {took:?} of CPU");
    hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
    assert_eq!(daemon.stop(), 0);
    assert_eq!(admitted, [usize::from(records), 0]);
    let mut times: Vec<String> = clinic
        .all("Observation")
        .into_iter()
        .map(|(_, versions)| {
            assert_eq!(versions.len(), 1, "written once");
            let resource = versions[0].resource.clone().unwrap();
            assert_eq!(resource["subject"]["reference"], "Patient/ada");
            resource["effectiveDateTime"].as_str().unwrap().to_owned()
        })
        .collect();
    times.sort();
    let mut meant: Vec<String> = (0..records).map(|n| record(n).1).collect();
    meant.sort();
    assert_eq!(times, meant);
    // Each frame touches its own record, however many there are.
    assert!(took[1] < 3 * took[0] && took[3] < 3 * took[2], "it slows down: {took:?}");
}
