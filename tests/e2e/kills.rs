//! The process is killed at every step of the walk, and started again: every reading arrives, once.

use e2e::{Hub, RUNGS, World};
use gateway::demo::pki;
use gateway::demo::record::{Behaviour, Record};
use gateway::failpoint::Point;
use serde_json::{Value, json};

/// A cuff with two pressures, a meter with a glucose and its context: what a home sends, and sends again whenever it
/// was not told that it may forget.
fn home() -> String {
    let heard = |device: &str, characteristic: &str, hex: &str| json!({ "heard": { "device": device, "contact": 1, "characteristic": characteristic, "hex": hex } });
    let bind = |device: &str, patient: &str| {
        json!({ "bind": { "device": device, "patient": { "clinic": patient }, "zone": "America/New_York",
            "from": "2018-01-01T00:00:00Z", "instead": true } })
    };
    let lines: [Value; 10] = [
        json!({ "met": { "device": "cuff", "address": "C0:FF:EE:00:00:01", "services": ["1810"] } }),
        json!({ "met": { "device": "meter", "address": "C0:FF:EE:00:00:02", "services": ["1808"] } }),
        bind("cuff", "ada"),
        bind("meter", "ben"),
        heard("cuff", "2A35", "167C0056006100E807060F11111B33000000"),
        heard("cuff", "2A35", "02780050006400E807060F0A0000"),
        json!({ "ended": { "device": "cuff", "contact": 1, "how": "drained" } }),
        heard("meter", "2A18", "1B0F00E807011E053A1B53016FB0F80000"),
        heard("meter", "2A34", "020F0002"),
        json!({ "ended": { "device": "meter", "contact": 1, "how": "drained" } }),
    ];
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Patient, code, time and versions of each Observation in the record.
fn readings(record: &Record) -> Vec<(String, String, String, usize)> {
    let mut all: Vec<(String, String, String, usize)> = record
        .all("Observation")
        .into_iter()
        .filter_map(|(_, versions)| {
            let now = versions.last()?.resource.clone()?;
            let code = now["code"]["coding"].as_array().into_iter().flatten().find_map(|c| {
                ["150020", "149546", "160368", "8417864"].into_iter().find(|known| c["code"] == **known)
            });
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            let (subject, effective) = (text(&now["subject"]["reference"]), text(&now["effectiveDateTime"]));
            Some((subject, code.unwrap_or("another").to_owned(), effective, versions.len()))
        })
        .collect();
    all.sort();
    all
}

fn expected() -> Vec<(String, String, String, usize)> {
    [
        ("Patient/ada", "149546", "2024-06-15T17:17:27-04:00"),
        ("Patient/ada", "150020", "2024-06-15T10:00:00-04:00"),
        ("Patient/ada", "150020", "2024-06-15T17:17:27-04:00"),
        ("Patient/ben", "160368", "2024-01-30T11:37:27-05:00"),
        ("Patient/ben", "8417864", "2024-01-30T11:37:27-05:00"),
    ]
    .map(|(subject, code, effective)| (subject.to_owned(), code.to_owned(), effective.to_owned(), 1))
    .into()
}

fn play(hub: &Hub) -> e2e::Said {
    let file = hub.dir.join("home.jsonl");
    std::fs::write(&file, home()).unwrap();
    hub.says(&["replay", "--keep", file.to_str().unwrap()])
}

/// Kills the daemon at the n-th reaching of a point, then lets the home send everything again.
#[track_caller]
fn kill_at(point: Point, nth: u32, rung: &str) {
    let world = World::new(point.name());
    let record = world.record(Behaviour { conditional: true, ..Behaviour::default() });
    let hub = world.hub_with(&[("clinic", &record)], pki::CLIENT, &format!("rung = \"{rung}\""));
    let daemon = hub.start(Some(&format!("{}:{nth}", point.name())));
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            // The daemon may stop before it is ready: then the home finds nobody, and tries again later.
            if daemon.ready_or_stopped() {
                play(&hub);
            }
        });
        daemon.wait_for(&format!("failpoint {}", point.name()));
        daemon.kill_now();
        sender.join().unwrap();
    });
    drop(daemon);
    let daemon = hub.run_hurried();
    play(&hub).ok();
    hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
    assert_eq!(readings(&record), expected(), "{rung}, killed at {} number {nth}", point.name());
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn killed_at_every_step_of_the_walk() {
    for rung in RUNGS {
        for point in Point::ALL {
            kill_at(point, 1, rung);
        }
    }
}

/// The first takes are the daemon's own (its boot, its time); these are the home's.
#[test]
fn killed_in_the_middle_of_what_the_home_sends() {
    for point in [Point::TakeBeforeCommit, Point::TakeAfterCommit] {
        for nth in [4, 7, 9, 11] {
            kill_at(point, nth, RUNGS[0]);
        }
    }
    for nth in [5, 8, 9] {
        kill_at(Point::BeforeRelease, nth, RUNGS[0]);
    }
}

/// Two hubs of one house replay one meter's memory into one record.
#[test]
fn two_hubs_one_memory() {
    let world = World::new("two-hubs");
    let record = world.record(Behaviour::default());
    let hubs = [world.hub(&[("clinic", &record)]), world.hub(&[("clinic", &record)])];
    let daemons = [hubs[0].run(), hubs[1].run()];
    std::thread::scope(|scope| {
        for hub in &hubs {
            scope.spawn(|| {
                play(hub).ok();
                hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
            });
        }
    });
    // Both may have asked before either wrote: then one resource has two versions that say the same.
    let once = |(subject, code, effective, _): (String, String, String, usize)| (subject, code, effective);
    let seen: Vec<_> = readings(&record).into_iter().map(once).collect();
    assert_eq!(seen, expected().into_iter().map(once).collect::<Vec<_>>());
    for (_, versions) in record.all("Observation") {
        let said = versions.iter().filter_map(|v| Some(v.resource.as_ref()?["component"].clone()));
        assert!(said.collect::<Vec<_>>().windows(2).all(|pair| pair[0] == pair[1]));
    }
    for hub in &hubs {
        assert_eq!(hub.json(&["status"])["delivered"], 3);
    }
    daemons.into_iter().for_each(|daemon| assert_eq!(daemon.stop(), 0));
}

/// Three destinations, each with its own row for each reading; one of them is away.
#[test]
fn a_dead_destination_keeps_nobody_waiting() {
    let world = World::new("destinations");
    let (near, far, dead) = (
        world.record(Behaviour::default()),
        world.record(Behaviour::default()),
        world.record(Behaviour::default()),
    );
    dead.outage(true);
    let hub = world.hub(&[("clinic", &near), ("payer", &far), ("dead", &dead)]);
    let lines = home().replace(r#"{"clinic":"ada"}"#, r#"{"clinic":"ada","payer":"a-1","dead":"x"}"#);
    let daemon = hub.run();
    hub.replay(&lines);
    let told = hub.until(&["status"], |status| status["delivered"] == 5);
    assert_eq!(told["on_its_way"].as_u64().unwrap() + told["in_doubt"].as_u64().unwrap(), 2, "{told}");
    assert_eq!(readings(&near), expected());
    assert_eq!(readings(&far).len(), 3);
    assert!(told["destinations"].to_string().contains("dead: tried again"), "{told}");
    dead.outage(false);
    hub.until(&["status"], |status| status["delivered"] == 7);
    assert_eq!(readings(&dead).len(), 3);
    assert_eq!(daemon.stop(), 0);
}
