//! What a person types, what may be wrong with it, and what they read.

use e2e::{Hub, World, hearth, root, said};
use gateway::demo::pki;
use gateway::demo::record::{Behaviour, Record, Refuse};
use serde_json::json;
use std::process::Command;
use std::sync::Arc;

fn said_json(hub: &Hub, arguments: &[&str]) -> serde_json::Value {
    hub.says(&[&["--json"], arguments].concat()).json()
}

const BP_03: &str = "167C0056006100E807060F11111B33000000";

pub(crate) fn pressure(bind: bool) -> String {
    let mut lines = vec![
        json!({ "boot": true }),
        json!({ "at": 0, "hub_time": "2024-06-15T21:18:00Z" }),
        json!({ "met": { "device": "d", "address": "C0:FF:EE:00:00:01", "services": ["1810"] } }),
    ];
    if bind {
        let bound = json!({ "device": "d", "patient": { "clinic": "ada" }, "zone": "America/New_York",
            "from": "2018-01-01T00:00:00Z" });
        lines.push(json!({ "bind": bound }));
    }
    lines.push(json!({ "heard": { "device": "d", "contact": 1, "characteristic": "2A35", "hex": BP_03 } }));
    lines.push(json!({ "ended": { "device": "d", "contact": 1, "how": "drained" } }));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

pub(crate) fn house(name: &str) -> (World, Record, Hub) {
    let world = World::new(name);
    let record = world.record(Behaviour::default());
    let hub = world.hub(&[("clinic", &record)]);
    (world, record, hub)
}

/// When the log was recorded, so many hours ago.
fn hours_ago(hours: i64) -> String {
    let then = gateway::clock::now().checked_sub(jiff::SignedDuration::from_hours(hours)).unwrap();
    json!({ "at": 0, "hub_time": then.to_string() }).to_string()
}

/// CLINICAL 5: what is held for long reaches a role by the exit code, with its age: since the hub holds it, whatever the
/// log says of its own time. Older ages are shown by the store's tests.
#[test]
fn clinical_5_held_for_long_exits_non_zero() {
    let (_world, _record, hub) = house("held");
    let stated = json!({ "at": 0, "hub_time": "2024-06-15T21:18:00Z" }).to_string();
    hub.replay(&pressure(false).replace(&stated, &hours_ago(25)));
    let young = hub.says(&["held", "--older-than", "1h"]);
    assert_eq!(young.code, 0);
    assert!(young.out.starts_with("Nothing has waited so long for a person. No daemon runs"), "{young:?}");
    let old = hub.says(&["held", "--older-than", "0s"]);
    assert_eq!(old.code, 1, "{old:?}");
    assert!(old.out.contains(" s") && old.out.contains("hearth bind add 1"), "age and cure: {}", old.out);
    let seconds = said_json(&hub, &["held"])[0]["age_s"].as_i64().unwrap();
    assert!((0..600).contains(&seconds), "{seconds}");
    // Only a person closes what is held, and then no binding opens it again.
    assert_eq!(hub.says(&["held", "--close", "9"]).code, 64);
    let closed = hub.says(&["held", "--close", "1"]);
    assert!(
        closed.out.contains("nobody's at that time") && closed.out.contains("Record 1 is closed"),
        "{closed:?}"
    );
    let again = hub.says(&["held", "--close", "1"]);
    assert_eq!(again.code, 65);
    assert!(again.err.contains("not held"), "{again:?}");
    assert_eq!(hub.says(&["held", "--older-than", "0s"]).code, 0);
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
    assert_eq!(hub.json(&["outbox", "retry", "--all"])[0]["what"], "goes again, encoded anew");
    hub.deliver();
    assert_eq!(hub.json(&["status"])["delivered"], 1);
    let closed = hub.says(&["outbox", "retry", "1"]).ok();
    assert!(
        closed.out.contains("stays delivered") && closed.out.contains("Sent again: 0 rows."),
        "{closed:?}"
    );
    for (arguments, code, part) in [
        (&["outbox", "show", "99"][..], 64, "no row 99"),
        (&["outbox", "retry", "99"], 64, "no row 99"),
        (&["outbox", "park", "99", "--because", "tired"], 64, "no row 99"),
        (&["outbox", "park", "1", "--because", " "], 64, "say why"),
        (&["outbox", "park", "1", "--because", "tired"], 65, "can only be retracted"),
        (&["outbox", "list", "--state", "lost"], 64, "withdrawn"),
        (&["retract", "99"], 64, "no reading has row 99"),
    ] {
        let answer = hub.says(arguments);
        assert_eq!(answer.code, code, "{arguments:?}: {answer:?}");
        assert!(answer.err.contains(part), "{arguments:?}: {answer:?}");
        let json = said_json(&hub, arguments);
        assert_eq!(json["code"], code, "{json}");
        assert!(json["error"].as_str().unwrap().contains(part), "{json}");
    }
}

/// What was never sent is withdrawn, and said to be.
#[test]
fn a_reading_that_never_left_is_withdrawn() {
    let (_world, record, hub) = house("never-left");
    hub.replay(&pressure(true));
    let told = hub.json(&["retract", "1"]);
    assert_eq!(told["deliveries"], json!(["clinic: was not sent, and never will be"]), "{told}");
    hub.deliver();
    assert_eq!(record.all("Observation").len(), 0);
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
        ("rung = \"auto\"", "rung = \"search\"", &["search", "search-then-create"]),
        ("gzip = false", "gzip = \"yes\"", &["gzip", "line"]),
        ("# untagged-because = \"...\"", "untagged-because = \"no\"", &["untagged-because", "sentence"]),
        ("keep-days = 365", "keep-days = 0", &["keep-days", "at least 1"]),
        ("\"/run/systemd/timesync/synchronized\"", "\"somtimes\"", &["clock-trusted", "always"]),
        ("[hub]", "[hub", &["line"]),
        ("# [sensor]", "[sensor]\nchip = \"tmp117\"\nbus = \"i2c-1\"", &["[sensor] bus", "/dev/i2c-1"]),
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
    assert!(none.code == 78 && none.err.contains("deploy/gateway.toml"), "{none:?}");
}

/// What only shows when the daemon needs it, shows in the check.
#[test]
fn a_check_finds_what_would_fail_later() {
    use std::os::unix::fs::PermissionsExt;
    let (_world, _record, hub) = house("check");
    let config = std::fs::read_to_string(&hub.config).unwrap();
    let key = config.lines().find_map(|line| line.strip_prefix("key = ")).unwrap().trim_matches('"');
    let url = config.lines().find(|line| line.starts_with("url")).unwrap();
    let socket = hub.dir.join("control.sock");
    std::fs::write(&socket, "somebody's file").unwrap();
    for command in ["check", "run"] {
        let answer = hub.says(&[command]);
        assert_eq!(answer.code, 78, "{command}: {answer:?}");
        assert!(format!("{}{}", answer.out, answer.err).contains("no socket"), "{command}: {answer:?}");
    }
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "somebody's file");
    std::fs::remove_file(&socket).unwrap();
    // Sound, also by names alone, in the folder that they are in.
    let bare = config.replace(&format!("\"{}\"", socket.display()), "\"control.sock\"");
    assert_ne!(bare, config);
    std::fs::write(&hub.config, bare).unwrap();
    let answer =
        said(Command::new(hearth()).current_dir(&hub.dir).args(["--config", "gateway.toml", "check"]));
    assert_eq!(answer.code, 0, "{answer:?}");
    let long = format!("{}.sock", "s".repeat(120));
    for (from, to, part) in [
        ("control.sock", long.as_str(), "shorter"),
        ("control.sock", "profiles", "a folder"),
        (key, &format!("{}/state/hub.key", hub.dir.display()), "the store's own key"),
        (url, "url = \"https://\"", "url"),
        ("control.sock", "nowhere/control.sock", "install -d -m 750"),
        ("/state\"", "/stale\"", "install -d -m 700"),
    ] {
        std::fs::write(&hub.config, config.replace(from, to)).unwrap();
        let answer = hub.says(&["check"]);
        assert_eq!(answer.code, 78, "{to}: {answer:?}");
        assert!(format!("{}{}", answer.out, answer.err).contains(part), "{to}: {answer:?}");
    }
    std::fs::write(&hub.config, &config).unwrap();
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let answer = hub.says(&["check"]);
    assert_eq!(answer.code, 78, "{answer:?}");
    assert!(answer.out.contains("chmod 600"), "{answer:?}");
}

/// Nobody reads what it says: it does its work all the same.
#[test]
fn a_closed_pipe_ends_nothing() {
    let (_world, _record, hub) = house("pipe");
    let file = hub.dir.join("bad.jsonl");
    std::fs::write(&file, format!("nonsense\n{}", pressure(true))).unwrap();
    let closed = format!(
        "'{}' --config '{}' replay --keep '{}' >&- 2>&-",
        hearth().display(),
        hub.config.display(),
        file.display()
    );
    assert_eq!(said(Command::new("sh").args(["-c", &closed])).code, 65);
    assert_eq!(hub.json(&["status"])["readings"], 1);
    let full = format!("'{}' --config '{}' status > /dev/full", hearth().display(), hub.config.display());
    let full = said(Command::new("sh").args(["-c", &full]));
    assert_eq!(full.code, 74, "{full:?}");
    assert!(full.err.contains("standard output"), "{full:?}");
}

/// Commands that come at the same moment wait for each other; so does a daemon for a command.
#[test]
fn commands_wait_for_each_other() {
    let (_world, _record, hub) = house("crowd");
    hub.replay(&pressure(true));
    std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..6).map(|_| scope.spawn(|| hub.says(&["status"]).code)).collect();
        let daemon = hub.run();
        assert_eq!(crowd.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>(), [0; 6]);
        assert_eq!(daemon.stop(), 0);
    });
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
    for (name, content, code, part) in [
        ("long.jsonl", vec![b'x'; 600_000], 65, "more than 524288 octets"),
        ("octets.jsonl", b"\xFF\xFE\n".to_vec(), 65, "not UTF-8"),
    ] {
        std::fs::write(hub.dir.join(name), content).unwrap();
        let answer = hub.says(&["replay", hub.dir.join(name).to_str().unwrap()]);
        assert_eq!(answer.code, code, "{name}: {answer:?}");
        assert!(answer.err.contains(part), "{name}: {}", answer.err);
    }
    let only_bad = hub.dir.join("bom.jsonl");
    std::fs::write(&only_bad, format!("\u{feff}{}", pressure(false).lines().last().unwrap())).unwrap();
    let answer = hub.says(&["replay", only_bad.to_str().unwrap()]);
    assert!(answer.err.contains("byte order mark") && answer.out.contains("0 values heard"), "{answer:?}");
    let usage = hub.says(&["--json", "held", "--close", "one"]);
    assert_eq!((usage.code, &usage.json()["code"]), (64, &json!(64)), "{usage:?}");
    for nothing in ["/nowhere.jsonl", hub.dir.to_str().unwrap()] {
        assert_eq!(hub.says(&["replay", nothing]).code, 66, "{nothing}");
    }
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
    assert!(lines.iter().any(|line| line.contains("a daemon runs already")), "{lines:?}");
    let status = hub.json(&["status"]);
    assert_eq!((&status["heard"], &status["daemon"]), (&json!(0), &json!("runs")));
    let log = hub.dir.join("news.jsonl");
    std::fs::write(&log, pressure(true)).unwrap();
    let answer = hub.says(&["replay", "--keep", log.to_str().unwrap()]);
    assert_eq!(answer.code, 65);
    assert!(answer.err.contains("line 1: the daemon has a clock of its own"), "{}", answer.err);
    // Not even its lines that carry no time.
    std::fs::write(
        &log,
        pressure(true).lines().skip(2).chain(["{\"boot\": true}"]).collect::<Vec<_>>().join("\n"),
    )
    .unwrap();
    assert_eq!(hub.says(&["replay", "--keep", log.to_str().unwrap()]).code, 65);
    assert_eq!(hub.json(&["devices"]), json!([]));
    assert_eq!(daemon.stop(), 0);
    assert!(hub.json(&["status"])["daemon"].as_str().unwrap().starts_with("none runs"));
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
        (&json!(11), &json!(0), &json!(0)),
        "{demo}"
    );
    assert!(demo["answers_lost_on_the_way"].as_u64().unwrap() > 0, "{demo}");
    for (sabotage, part) in [("duplicate", "DUPLICATE"), ("lose", "LOST"), ("wrong-person", "WRONG PERSON")] {
        let noticed = said(Command::new(hearth()).args(["--json", "demo", "--sabotage", sabotage]));
        assert_eq!(noticed.code, 1, "{sabotage}: {noticed:?}");
        let faults = noticed.json()["faults"].clone();
        let (all, one) = (faults.as_array().unwrap(), format!("\"{part}"));
        assert!(all.len() == 1 && all[0].to_string().starts_with(&one), "{sabotage}: {faults}");
    }
}
