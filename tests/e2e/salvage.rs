//! A damaged store, through the built gateway: the hub hears again at once, what arrived stays arrived, and what had not
//! waits for a person.

use crate::commands::{house, pressure};
use gateway::demo::record::Record;
use serde_json::json;
use std::path::PathBuf;

const LATER: &str = "02780050006400E807060F0A0000";

/// A pressure of another cuff that is bound, and a glucose of a meter that nobody is bound to.
fn later() -> String {
    let heard = |device: &str, characteristic: &str, hex: &str| json!({ "heard": { "device": device, "contact": 1, "characteristic": characteristic, "hex": hex } });
    let lines = [
        json!({ "boot": true }),
        json!({ "at": 0, "hub_time": "2024-06-15T21:18:00Z" }),
        json!({ "met": { "device": "cuff", "address": "C0:FF:EE:00:00:03", "services": ["1810"] } }),
        json!({ "bind": { "device": "cuff", "patient": { "clinic": "ben" }, "zone": "America/New_York",
            "from": "2018-01-01T00:00:00Z" } }),
        json!({ "met": { "device": "meter", "address": "C0:FF:EE:00:00:02", "services": ["1808"] } }),
        heard("cuff", "2A35", LATER),
        json!({ "ended": { "device": "cuff", "contact": 1, "how": "drained" } }),
        heard("meter", "2A18", "1B0F00E807011E053A1B53016FB0F80000"),
        json!({ "ended": { "device": "meter", "contact": 1, "how": "drained" } }),
    ];
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Versions of each Observation with components: pressures.
fn pressures(record: &Record) -> Vec<usize> {
    let all = record.all("Observation").into_iter();
    let is_pressure = |r: &serde_json::Value| r["component"].is_array();
    all.filter(|(_, versions)| versions.iter().any(|v| v.resource.as_ref().is_some_and(is_pressure)))
        .map(|(_, versions)| versions.len())
        .collect()
}

fn aside(hub: &e2e::Hub) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(hub.dir.join("state")).unwrap().map(|entry| entry.unwrap().path());
    let mut damaged: Vec<PathBuf> =
        entries.filter(|path| path.to_str().unwrap().contains("hearth.sqlite.damaged-")).collect();
    damaged.sort();
    damaged
}

#[test]
fn a_damaged_store_is_salvaged_and_nobody_is_guessed() {
    let (_world, record, hub) = house("salvage");
    hub.replay(&pressure(true));
    hub.deliver();
    hub.replay(&later());
    let before = hub.json(&["status"]);
    assert_eq!((&before["delivered"], &before["on_its_way"]), (&json!(1), &json!(1)), "{before}");
    assert_eq!(before["damaged"], json!([]));
    assert_eq!(pressures(&record), [1]);

    let store = hub.dir.join("state/hearth.sqlite");
    let mut octets = std::fs::read(&store).unwrap();
    octets[..100].fill(0);
    std::fs::write(&store, &octets).unwrap();

    let daemon = hub.run();
    daemon.wait_for("the store was damaged and is set aside as");
    let status = hub.json(&["status"]);
    let damaged = aside(&hub);
    assert_eq!(damaged.len(), 1, "{damaged:?}");
    assert!(std::fs::read(&damaged[0]).unwrap() == octets, "the damaged file was changed");
    let said = status["damaged"][0].as_str().unwrap_or_else(|| panic!("{status}"));
    assert!(said.starts_with(damaged[0].file_name().unwrap().to_str().unwrap()), "{said}");
    for part in ["3 records", "2 readings", "nothing is missing", "hearth bind add"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    assert_eq!(
        (&status["records"], &status["delivered"], &status["parked"], &status["on_its_way"]),
        (&json!(3), &json!(1), &json!(1), &json!(0)),
        "{status}"
    );
    assert_eq!(hub.json(&["bind", "list"]), json!([]), "whose a device is, nobody guesses");
    let waits = hub.json(&["outbox", "list", "--state", "parked"]);
    let row = waits[0]["row"].to_string();
    assert!(hub.says(&["outbox", "show", &row]).out.contains("salvaged"), "{waits}");
    assert_eq!(pressures(&record), [1]);
    assert_eq!(daemon.stop(), 0);

    // The cuff sends its whole memory again: nothing of it is news.
    let told = hub.replay(&pressure(false));
    assert!(told.iter().all(|row| row["fate"] == "heard again"), "{told:?}");
    let bind = ["--zone", "America/New_York", "--from", "2018-01-01T00:00:00Z"];
    for (device, patient) in [("1", "clinic=ada"), ("2", "clinic=ben")] {
        hub.says(&[&["bind", "add", device, "--patient", patient][..], &bind].concat()).ok();
    }
    hub.deliver();
    assert_eq!(pressures(&record), [1], "a binding alone sends nothing that was salvaged");
    let retried = hub.says(&["outbox", "retry", &row]).ok();
    hub.deliver();
    assert_eq!(pressures(&record), [1, 1], "{retried:?}");
    hub.says(&[&["bind", "add", "3", "--patient", "clinic=ada"][..], &bind].concat()).ok();
    hub.deliver();
    let status = hub.json(&["status"]);
    assert_eq!(
        (&status["delivered"], &status["held"], &status["disputed"]),
        (&json!(3), &json!([]), &json!([]))
    );
    assert_eq!(pressures(&record), [1, 1], "each once");

    // Whoever has seen to it moves the file away.
    std::fs::rename(&damaged[0], hub.dir.join("kept")).unwrap();
    assert_eq!(hub.json(&["status"])["damaged"], json!([]));
}

/// What can't be carried over leaves the damaged file where it is, and says so.
#[test]
fn a_salvage_that_fails_says_so() {
    let (_world, _record, hub) = house("salvage-fails");
    hub.replay(&pressure(true));
    let state = hub.dir.join("state");
    let store = state.join("hearth.sqlite");
    let mut octets = std::fs::read(&store).unwrap();
    octets[..100].fill(0);
    std::fs::write(&store, &octets).unwrap();
    // In place of the new database lies what is none.
    std::fs::create_dir(state.join("hearth.sqlite.salvaging")).unwrap();
    let (code, lines) = hub.start(None).end();
    assert_eq!(code, 74, "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("hearth.sqlite.salvaging")), "{lines:?}");
    assert!(std::fs::read(&store).unwrap() == octets && aside(&hub).is_empty());
    std::fs::remove_dir(state.join("hearth.sqlite.salvaging")).unwrap();
    assert_eq!(hub.json(&["status"])["readings"], 1);
    assert_eq!(aside(&hub).len(), 1);
}
