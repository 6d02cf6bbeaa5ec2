//! Logs that are handed to a hub which has heard other things before, and whose time is its own.

use crate::commands::{house, pressure};
use e2e::{Hub, Said, root};
use serde_json::{Value, json};

/// A strap's heart rate, without a word of when it was.
fn untimed(last: u8, hex: &str) -> String {
    let lines = [
        json!({ "met": { "device": "s", "address": format!("00:09:1F:80:12:{last:02X}"), "services": ["180D"] } }),
        json!({ "heard": { "device": "s", "contact": 1, "characteristic": "2A37", "hex": hex } }),
        json!({ "ended": { "device": "s", "contact": 1, "how": "drained" } }),
    ];
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn keep(hub: &Hub, lines: &str) -> Said {
    let file = hub.dir.join("log.jsonl");
    std::fs::write(&file, lines).unwrap();
    hub.says(&["--json", "replay", "--keep", file.to_str().unwrap()])
}

fn trace(hub: &Hub, name: &str) -> Said {
    let file = root().join("gateway/src/source/trace/logs").join(name);
    hub.says(&["--json", "replay", "--keep", file.to_str().unwrap()])
}

fn fates(said: &Said) -> Vec<(String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let all = said.json();
    let rows = all.as_array().unwrap().iter().filter(|row| row["fate"].is_string());
    rows.map(|row| (text(row, "fate"), text(row, "why"))).collect()
}

/// CLINICAL 1: a log of which nobody says when it was is dated by no other log, bound or not; a person is told what
/// helps, and a hub whose clock is believed dates it no more than the first one did.
#[test]
fn a_log_without_a_time_takes_nobody_else_s() {
    let (_world, _record, hub) = house("replay-untimed");
    let awaits = [("awaits".to_owned(), "the hub's time".to_owned())];
    trace(&hub, "cuff-android.btsnoop").ok();
    let first = keep(&hub, &untimed(0x99, "0648")).ok();
    assert_eq!(fates(&first), awaits, "{first:?}");
    assert!(first.err.contains("hub_time line at its beginning"), "{first:?}");
    let device = hub.json(&["devices"])[1]["device"].to_string();
    hub.json(&[
        "bind",
        "add",
        &device,
        "--test",
        "--zone",
        "Europe/Berlin",
        "--from",
        "2018-01-01T00:00:00Z",
    ]);
    let third = keep(&hub, &untimed(0x99, "0649")).ok();
    assert_eq!(fates(&third), awaits, "{third:?}");
    trace(&hub, "meter-racp.pcap").ok();
    let untimed = |hub: &Hub| -> Vec<Value> {
        let held = hub.json(&["held"]);
        let rows = held.as_array().unwrap().iter();
        rows.filter(|row| row["why"] == "time: its log does not say when it was recorded").cloned().collect()
    };
    let held = untimed(&hub);
    assert_eq!(held.len(), 2, "{held:?}");
    assert!(held[0]["what_helps"].as_str().unwrap().contains("hub_time"), "{held:?}");
    assert_eq!(hub.json(&["status"])["readings"], 0);
    hub.run().stop();
    assert_eq!(untimed(&hub).len(), 2);
    let closed = hub.says(&["held", "--close", &held[0]["record"].to_string()]).ok();
    assert!(closed.out.contains("is closed"), "{closed:?}");
    assert_eq!(untimed(&hub).len(), 1);
}

/// What a file changes about records of another one is no line of its own.
#[test]
fn a_log_shows_what_it_told_and_no_other_s_records() {
    let (_world, _record, hub) = house("replay-others");
    trace(&hub, "meter-sniffed.pcap").ok();
    let cuff = trace(&hub, "cuff-android.btsnoop").ok();
    let all = cuff.json();
    let rows = all.as_array().unwrap();
    let measured: Vec<&str> = rows.iter().filter_map(|row| row["measured"].as_str()).collect();
    assert!(measured.iter().all(|value| value.ends_with("mmHg")) && !measured.is_empty(), "{measured:?}");
    let summary = &rows.last().unwrap()["summary"];
    assert_eq!((&summary["values"], &summary["kept"]), (&json!(2), &json!(true)), "{summary}");
}

/// What a log says of a time that is yet to come, a hub with a clock that is believed refuses whole; one without can't
/// know.
#[test]
fn a_log_from_the_future_is_refused_by_a_hub_that_knows_the_time() {
    let (_world, _record, hub) = house("replay-future");
    let config = std::fs::read_to_string(&hub.config).unwrap();
    let trusts = |trusted: &str| {
        let lines = config.lines().filter(|line| !line.starts_with("clock-trusted"));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        let hub_table = format!("[hub]\nclock-trusted = {trusted:?}\n");
        std::fs::write(&hub.config, text.replacen("[hub]\n", &hub_table, 1)).unwrap();
    };
    let at = "\"hub_time\":\"2024-06-15T21:18:00Z\"";
    assert!(pressure(true).contains(at));
    let future = pressure(true).replace(at, "\"hub_time\":\"2231-06-15T21:18:00Z\"");
    // A true beginning, and a tick that is centuries later.
    let late = pressure(true) + "{\"at\": 6500000000000, \"silence\": true}\n";
    trusts("always");
    for (lines, place) in [(&future, "line 2: "), (&late, "line 7: ")] {
        let refused = keep(&hub, lines);
        assert_eq!(refused.code, 65, "{refused:?}");
        assert!(
            refused.err.contains(place) && refused.err.contains("Nothing of the file was taken"),
            "{refused:?}"
        );
        assert_eq!(hub.json(&["devices"]), json!([]));
    }
    keep(&hub, &pressure(true)).ok();
    assert_eq!(hub.json(&["status"])["readings"], 1);
    trusts("/nowhere/synchronized");
    keep(&hub, &future).ok();
}

#[test]
fn an_empty_file_has_no_news() {
    let (_world, _record, hub) = house("replay-empty");
    let said = keep(&hub, "# nothing\n").ok();
    assert!(said.err.contains("there is no news in it"), "{said:?}");
}

/// What is said of a handle must be something that can be read, and said once.
#[test]
fn a_handle_is_named_once_and_as_something_known() {
    let (_world, _record, hub) = house("replay-handles");
    let log = root().join("gateway/src/source/trace/logs/cuff-android.btsnoop");
    let says = |more: &[&str]| hub.says(&[&["replay", log.to_str().unwrap()], more].concat());
    for (more, code, part) in [
        (&["--handle", "0x0012=FFFF"][..], 64, "FFFF has no codec here"),
        (&["--handle", "0x0012=2A35", "--handle", "12=2A37"], 64, "0x0012 is given twice"),
        (&["--handle", "0x0999=2A35"], 0, "no value of this handle is in the log"),
        (&["--handle", "0x0012=2A37"], 0, "the log itself says 2A35, which stands"),
    ] {
        let answer = says(more);
        assert!(answer.code == code && answer.err.contains(part), "{more:?}: {answer:?}");
    }
}
