//! What a person types, what may be wrong with it, and what they read.

use e2e::{Hub, World, hearth, root, said};
use gateway::demo::pki;
use gateway::demo::record::{Behaviour, Record, Refuse};
use serde_json::json;
use std::process::Command;
use std::sync::Arc;

const BP_03: &str = "167C0056006100E807060F11111B33000000";

fn pressure(bind: bool) -> String {
    let mut lines = vec![
        json!({ "boot": true }),
        json!({ "at": 0, "hub_time": "2024-06-15T21:18:00Z" }),
        json!({ "met": { "device": "d", "address": "C0:FF:EE:00:00:01", "services": ["1810"] } }),
    ];
    if bind {
        lines.push(
            json!({ "bind": { "device": "d", "patient": { "clinic": "ada" }, "zone": "America/New_York",
            "from": "2018-01-01T00:00:00Z" } }),
        );
    }
    lines.push(json!({ "heard": { "device": "d", "contact": 1, "characteristic": "2A35", "hex": BP_03 } }));
    lines.push(json!({ "ended": { "device": "d", "contact": 1, "how": "drained" } }));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn house(name: &str) -> (World, Record, Hub) {
    let world = World::new(name);
    let record = world.record(Behaviour::default());
    let hub = world.hub(&[("clinic", &record)]);
    (world, record, hub)
}

/// CLINICAL 5: what is held for long reaches a role by the exit code, with its age.
#[test]
fn clinical_5_held_for_long_exits_non_zero() {
    let (_world, _record, hub) = house("held");
    hub.replay(&pressure(false));
    hub.replay(&json!({ "at": 90_000_000, "silence": true }).to_string());
    let young = hub.says(&["held", "--older-than", "3d"]);
    assert_eq!((young.code, young.out.trim()), (0, "Nothing waits for a person."));
    let old = hub.says(&["held", "--older-than", "24h"]);
    assert_eq!(old.code, 1, "{old:?}");
    assert!(old.out.contains("25 h"), "with its age: {}", old.out);
    // Only a person closes what is held, and then no binding opens it again.
    assert_eq!(hub.says(&["held", "--close", "9"]).code, 65);
    hub.json(&["held", "--close", "1"]);
    assert_eq!(hub.says(&["held", "--older-than", "24h"]).code, 0);
    let bind = ["bind", "add", "1", "--patient", "clinic=ada", "--zone", "America/New_York"];
    hub.json(&[&bind[..], &["--from", "2018-01-01T00:00:00Z"]].concat());
    assert_eq!(hub.json(&["status"])["readings"], 0);
}

/// Parked with the record's words; sent again after somebody mended it; nothing else waits for it.
#[test]
fn a_refused_reading_is_parked_and_replayed() {
    let (_world, record, hub) = house("parked");
    record.behave(|b| {
        b.refuse = Some(Refuse(Arc::new(|resource| {
            let pressure = resource["code"]["coding"].to_string().contains("85354-9");
            pressure.then(|| (422, "invariant".to_owned(), "systolic of a made-up kind".to_owned()))
        })));
    });
    hub.replay(&pressure(true));
    hub.deliver();
    let row = &hub.json(&["outbox", "list", "--state", "parked"])[0];
    let shown = hub.json(&["outbox", "show", &row["row"].to_string()]);
    assert!(shown["said"].to_string().contains("systolic of a made-up kind"), "{shown}");
    assert_eq!(hub.json(&["status"])["parked"], 1);
    record.behave(|b| b.refuse = None);
    hub.json(&["outbox", "retry", "--all"]);
    hub.deliver();
    assert_eq!(hub.json(&["status"])["delivered"], 1);
    assert_eq!(hub.says(&["outbox", "show", "99"]).code, 64);
    assert_eq!(hub.says(&["outbox", "list", "--state", "lost"]).code, 64);
}

/// CLINICAL 22: what was taken after the consent ended stays.
#[test]
fn clinical_22_a_revocation_stops_the_next_send() {
    let (_world, record, hub) = house("consent");
    hub.replay(&pressure(true));
    hub.json(&["bind", "permit", "clinic=ada", "--consent-until", "2024-06-15T00:00:00Z"]);
    hub.deliver();
    assert_eq!((record.all("Observation").len(), hub.json(&["status"])["withheld"].as_u64()), (0, Some(1)));
    hub.json(&["bind", "permit", "clinic=ada", "--consent-until", "2025-01-01T00:00:00Z"]);
    hub.deliver();
    assert_eq!(hub.json(&["status"])["delivered"], 1);
}

/// CLINICAL 24: a device that somebody tries sends nothing.
#[test]
fn clinical_24_a_test_is_not_sent() {
    let (_world, record, hub) = house("test");
    hub.replay(&pressure(false));
    hub.json(&["bind", "add", "1", "--test", "--zone", "America/New_York", "--from", "2018-01-01T00:00:00Z"]);
    hub.deliver();
    assert_eq!(record.all("Observation").len(), 0);
    assert_eq!(hub.json(&["status"])["readings"], 1);
}

/// CLINICAL 29: a label that the destination is not cleared for keeps the reading on the hub.
#[test]
fn clinical_29_labels_stay_where_they_are_not_cleared() {
    let world = World::new("labels");
    let record = world.record(Behaviour::default());
    for (more, delivered) in [("", 0), ("cleared-labels = [\"42CFRPart2\"]", 1)] {
        let hub = world.hub_with(&[("clinic", &record)], pki::CLIENT, more);
        hub.replay(&pressure(false));
        let bind = ["bind", "add", "1", "--patient", "clinic=ada", "--zone", "America/New_York", "--label"];
        hub.json(&[&bind[..], &["42CFRPart2", "--from", "2018-01-01T00:00:00Z"]].concat());
        hub.deliver();
        assert_eq!(hub.json(&["status"])["delivered"], delivered);
    }
    let labelled = record.all("Observation");
    assert!(labelled.iter().all(|(_, v)| {
        v[0].resource.as_ref().unwrap()["meta"]["security"].to_string().contains("42CFRPart2")
    }));
    assert!(!labelled.is_empty());
}

/// Certificates that are wrong are told apart, before and after the handshake; nothing is lost meanwhile.
#[test]
fn wrong_certificates_are_told_apart() {
    let world = World::new("certificates");
    let record = world.record(Behaviour::default());
    for (client, part) in [
        (pki::CLIENT_EXPIRED, "expired"),
        (pki::CLIENT_NOT_YET, "valid only from"),
        (pki::CLIENT_OF_OTHER_CA, "refuse"),
        ("no-such-file", "no-such-file"),
    ] {
        let hub = world.hub_with(&[("clinic", &record)], client, "");
        hub.replay(&pressure(true));
        let daemon = hub.run();
        let told = hub.until(&["status"], |status| status["destinations"].to_string().contains("held"));
        let sentence = told["destinations"].to_string();
        assert!(sentence.contains(part), "{client}: {sentence}");
        assert_eq!(
            (told["parked"].as_u64(), told["delivered"].as_u64()),
            (Some(0), Some(0)),
            "{client}: kept"
        );
        assert_eq!(daemon.stop(), 0);
        if client != pki::CLIENT_OF_OTHER_CA {
            let check = hub.says(&["check"]);
            assert_eq!(check.code, 78, "{client}: {check:?}");
            assert!(check.out.contains(part), "{client}: {}", check.out);
        }
    }
}

/// A configuration that can't be used names file, place and cure, and exits 78.
#[test]
fn a_wrong_configuration_names_place_and_cure() {
    let world = World::new("configuration");
    let file = world.dir.join("gateway.toml");
    let good = std::fs::read_to_string(root().join("deploy/gateway.toml")).unwrap();
    for (from, to, parts) in [
        ("schema = 1", "schema = 2", &["schema = 2", "schema = 1"][..]),
        ("bundle = 100", "bundel = 100", &["bundel", "line"]),
        ("bundle = 100", "bundle = 0", &["bundle", "1 (singles) to 500"]),
        ("url = \"https", "url = \"http", &["url", "https://"]),
        ("name = \"clinic\"", "name = \"The Clinic\"", &["name", "lower-case"]),
        ("rung = \"auto\"", "rung = \"best\"", &["best", "update-as-create"]),
        ("# untagged-because = \"...\"", "untagged-because = \"no\"", &["untagged-because", "sentence"]),
        ("[hub]", "[hub", &["line"]),
    ] {
        assert!(good.contains(from), "deploy/gateway.toml has no {from}");
        std::fs::write(&file, good.replace(from, to)).unwrap();
        let answer = said(Command::new(hearth()).args(["--config", file.to_str().unwrap(), "check"]));
        assert_eq!(answer.code, 78, "{to}: {answer:?}");
        for part in parts.iter().chain(&[file.to_str().unwrap()]) {
            assert!(answer.err.contains(part), "{to}: {:?} says nothing of {part}", answer.err);
        }
    }
    let none = said(Command::new(hearth()).args(["--config", "/nowhere/gateway.toml", "status"]));
    assert_eq!(none.code, 78);
    assert!(none.err.contains("deploy/gateway.toml"), "{}", none.err);
}

/// A bad line ends a replay where it is, with its number; what came before it is kept.
#[test]
fn a_bad_line_names_its_number() {
    let (_world, _record, hub) = house("lines");
    let file = hub.dir.join("news.jsonl");
    for (line, code, part) in [
        ("{\"heard\":1}", 65, "line 5"),
        (r#"{"ended":{"device":"x","contact":1,"how":"lost"}}"#, 65, "nobody met"),
        (
            r#"{"bind":{"device":"d","patient":{"clinic":"a"},"zone":"Mars/Base","from":"2018-01-01T00:00:00Z"}}"#,
            65,
            "Mars/Base",
        ),
        (r#"{"bind":{"device":"d","patient":{"moon":"a"},"from":"2018-01-01T00:00:00Z"}}"#, 65, "moon"),
        (r#"{"retract":7}"#, 65, "no reading 7"),
    ] {
        let good: Vec<String> = pressure(true).lines().take(4).map(str::to_owned).collect();
        std::fs::write(&file, format!("{}\n{line}\n", good.join("\n"))).unwrap();
        let answer = hub.says(&["replay", "--keep", file.to_str().unwrap()]);
        assert_eq!(answer.code, code, "{line}: {answer:?}");
        assert!(answer.err.contains(part), "{line}: {}", answer.err);
    }
    assert_eq!(hub.json(&["devices"]).as_array().unwrap().len(), 1);
    assert_eq!(hub.says(&["replay", "/nowhere.jsonl"]).code, 66);
}

/// A damaged store is set aside and said aloud, and the hub goes on.
#[test]
fn a_damaged_store_is_set_aside() {
    let (_world, _record, hub) = house("damaged");
    hub.replay(&pressure(true));
    let store = hub.dir.join("state/hearth.sqlite");
    std::fs::write(&store, b"this is no database, and never was; it only has its name").unwrap();
    let status = hub.says(&["status"]);
    assert_eq!(status.code, 0, "{status:?}");
    assert!(status.err.contains("damaged"), "{status:?}");
    let aside = std::fs::read_dir(hub.dir.join("state")).unwrap().filter_map(Result::ok);
    assert!(aside.map(|e| e.file_name().into_string().unwrap()).any(|name| name.contains("damaged")));
    // The cuff sends its memory again.
    hub.replay(&pressure(true));
    assert_eq!(hub.json(&["status"])["readings"], 1);
}

/// One at a time: a second daemon is told who holds the store; commands go through the first.
#[test]
fn only_one_holds_the_store() {
    let (_world, _record, hub) = house("lock");
    let daemon = hub.run();
    let (code, lines) = hub.start(None).end();
    assert_eq!(code, 75, "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("has this store open")), "{lines:?}");
    assert_eq!(hub.json(&["status"])["heard"], 0);
    let log = hub.dir.join("news.jsonl");
    std::fs::write(&log, pressure(true)).unwrap();
    let answer = hub.says(&["replay", "--keep", log.to_str().unwrap()]);
    assert_eq!(answer.code, 65);
    assert!(answer.err.contains("the daemon has a clock of its own"), "{}", answer.err);
    assert_eq!(daemon.stop(), 0);
}

/// Whatever comes over the socket: an answer, and the daemon lives.
#[test]
fn nonsense_over_the_socket_is_answered() {
    use std::io::{BufRead, BufReader, Write};
    let (_world, _record, hub) = house("socket");
    let daemon = hub.run();
    for nonsense in [
        "\n",
        "{}\n",
        "null\n",
        "{\"take\":{\"line\":\"{\\\"heard\\\":0}\"}}\n",
        "\u{0}\u{1}\n",
        "{\"retract\":{\"reading\":-1,\"reissue\":true}}\n",
    ] {
        let mut stream = std::os::unix::net::UnixStream::connect(hub.dir.join("control.sock")).unwrap();
        stream.write_all(nonsense.as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        assert!(answer.contains("ending"), "{nonsense:?}: {answer}");
    }
    assert_eq!(hub.json(&["status"])["heard"], 0);
    assert_eq!(daemon.stop(), 0);
}

/// The demonstration says of itself that it was checked, and notices every sabotage by name.
#[test]
fn the_demonstration_is_checked() {
    let demo = said(Command::new(hearth()).args(["--json", "demo"])).ok().json();
    assert_eq!(
        (&demo["written"], &demo["duplicates"], &demo["lost"]),
        (&json!(9), &json!(0), &json!(0)),
        "{demo}"
    );
    assert!(demo["answers_lost_on_the_way"].as_u64().unwrap() > 0, "{demo}");
    for (sabotage, part) in [("duplicate", "DUPLICATE"), ("lose", "LOST"), ("wrong-person", "WRONG PERSON")] {
        let noticed = said(Command::new(hearth()).args(["demo", "--sabotage", sabotage]));
        assert_eq!(noticed.code, 1, "{sabotage}: {noticed:?}");
        assert!(noticed.err.contains(part), "{sabotage}: {}", noticed.err);
    }
}
