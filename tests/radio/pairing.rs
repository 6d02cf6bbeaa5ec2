//! `hearth pair`, on a terminal, as a person would; and a device that no profile knows.

use crate::faults::{forget, kill_service, start_service};
use crate::guest::Terminal;
use crate::home::Home;
use crate::hub::Hub;
use e2e::servers::{Servers, known};
use serde_json::json;

/// What is asked, and what a person answers.
#[track_caller]
fn answer(terminal: &mut Terminal, all: &[(&str, &str)]) {
    for (question, answer) in all {
        terminal.shown.wait(question);
        terminal.type_line(answer);
    }
}

#[track_caller]
fn pair(home: &Home, device: &str) -> Terminal {
    home.air.advertise(device, true);
    home.begins_to_pair(device)
}

/// What `hearth status` says of a device that has forgotten the hub, and asks for its passkey.
const BOND_LOST: &str =
    "The device does not know this hub any more. Pair it again, and end its pairing with any telephone.";

/// BlueZ has no bond with it.
#[track_caller]
fn unpaired(home: &Home, device: &str) {
    let info = home.guest().run(&format!("bluetoothctl info {}", home.air.address(device)));
    let none = info.out.contains("Paired: no") || info.out.contains("not available");
    assert!(none && !info.out.contains("Paired: yes"), "{info:?}");
}

#[test]
fn a_person_pairs_on_a_terminal() {
    let mut home = Home::new("pairing");
    let patient = "radio-pairing-somebody";
    known(&Servers::get().hapi, patient);

    // Without an address, to the first reading.
    home.air.advertise("cuff", true);
    let mut terminal = home.guest().terminal(&Hub::command("pair"));
    terminal.shown.wait("press the device's Bluetooth button");
    let said = [
        ("Which one?", "1"),
        ("Whose is it?", "p"),
        ("In which time zone", "Mars/Olympus_Mons"),
        ("is no time zone", "Etc/UTC"),
        ("several users", ""),
        ("Their id at clinic", "Ada Lovelace"),
        ("is no FHIR id", "Patient/radio-pairing-somebody"),
        ("Your name;", "A. Technician"),
        ("radio-pairing-somebody at clinic, in Etc/UTC. Right?", "y"),
    ];
    answer(&mut terminal, &said);
    terminal.shown.wait("measure once now");
    // The binding has just begun, and a comparison says when to a second either way, and as long as its answer took.
    home.guest().run("sleep 4").ok();
    home.measure("cuff", 1);
    terminal.shown.wait("Its first reading has come.");
    home.hub().said("outbox wait --timeout 170").ok();
    home.air.advertise("cuff", false);

    // A wrong passkey, then the right one; nobody's, to try it out.
    let mut terminal = pair(&home, "meter");
    answer(&mut terminal, &[("six digits", "12345"), ("a passkey has six digits", "000000")]);
    terminal.shown.wait("the passkey was wrong");
    let mut terminal = pair(&home, "meter");
    home.types_passkey("meter", &mut terminal);
    answer(&mut terminal, &[("Whose is it?", "t"), ("Nothing: Etc/UTC.", "")]);
    terminal.shown.wait("measure once now");
    home.guest().run("sleep 4").ok();
    home.measure("meter", 1);
    terminal.shown.wait("Its first reading has come.");

    // A device that is not the one: not heard; or of two that are near, the other. It showed no digits, and nobody's it stays.
    let nobody = home.guest().terminal(&Hub::command("pair C0:FF:EE:99:99:99"));
    nobody.shown.wait("the device is not heard");
    home.air.advertise("scale", true);
    home.air.advertise("beurer", true);
    home.heard("scale");
    home.heard("beurer");
    let mut terminal = home.guest().terminal(&Hub::command("pair"));
    terminal.shown.wait("Which one?");
    let shown = terminal.shown.said();
    let line = |device: &str| {
        let line = shown
            .lines()
            .find(|line| line.contains(home.air.address(device)))
            .unwrap_or_else(|| panic!("{shown}"));
        line.split(": ").nth(1).unwrap().to_owned()
    };
    assert_ne!(line("scale"), line("beurer"), "{shown}");
    let other = line("beurer");
    answer(&mut terminal, &[("Which one?", "3"), ("\"3\" is none of them", &other)]);
    terminal.shown.wait(
        "Paired, as device 3. It showed no digits: whether it is the one before you, only its first reading tells.",
    );
    answer(&mut terminal, &[("Whose is it?", "")]);
    terminal.shown.wait("Nobody's yet");
    home.air.advertise("beurer", false);
    assert_eq!(home.air.state("scale")["bonds"], 0);
    home.hub().said("unpair 3").ok();
    unpaired(&home, "beurer");

    // The person goes away: the window is closed, and nothing was paired.
    let terminal = home.begins_to_pair("scale");
    terminal.shown.wait("six digits");
    drop(terminal);
    home.air.wait("scale", &json!({ "connected": false }));
    assert_eq!(home.air.state("scale")["bonds"], 0);
    assert_eq!(home.hub().json("devices").as_array().unwrap().len(), 3);

    // bluetoothd is restarted in between.
    let mut terminal = pair(&home, "scale");
    terminal.shown.wait("six digits");
    kill_service(&home, "KILL");
    start_service(&home);
    terminal.type_line("123456");
    terminal.shown.wait("try again");
    home.listens();
    let mut terminal = pair(&home, "scale");
    home.types_passkey("scale", &mut terminal);
    let said = [
        ("Whose is it?", "p"),
        ("Nothing: Etc/UTC.", ""),
        ("several users", "1"),
        ("Their id at clinic", patient),
    ];
    answer(&mut terminal, &said);
    answer(
        &mut terminal,
        &[
            ("user 1: from now on", "y"),
            ("code that the scale shows for user 1", "1234"),
            ("somebody else", "n"),
        ],
    );
    terminal.shown.wait("measure once now");
    home.guest().run("sleep 1").ok();
    home.measure("scale", 1);
    terminal.shown.wait("Its first reading has come.");

    // Outside a window nobody pairs: a device whose bond the hub lost asks for its passkey in vain, and a person is told.
    home.air.advertise("meter", false);
    home.air.wait("meter", &json!({ "connected": false }));
    forget(&home, "meter");
    home.measure("meter", 1);
    home.air.advertise("meter", true);
    home.hub().until("status", |status| status["bonds"].to_string().contains(BOND_LOST));
    unpaired(&home, "meter");

    // A person does, beside the hub's own tries to reach it.
    home.air.ask(&json!({ "do": "forget", "device": "meter" }));
    let mut terminal = home.begins_to_pair("meter");
    home.types_passkey("meter", &mut terminal);
    answer(&mut terminal, &[("Whose is it?", "")]);
    terminal.shown.wait("Paired, as device 2.");
    home.hub().until("status", |status| status["bonds"].is_null());

    // Let go, with its bond.
    home.hub().said("unpair 1").ok();
    unpaired(&home, "cuff");
}

#[test]
fn a_draft_makes_an_unknown_device_known() {
    let mut home = Home::new("draft");
    // A cuff that says it is a thermometer, too.
    home.air.ask(&json!({ "do": "set", "device": "cuff", "services": [0x1809, 0x1810] }));
    home.air.advertise("cuff", true);
    let address = home.air.address("cuff").to_owned();
    home.hub().until("nearby", |near| near.to_string().contains(&address));
    let refused = home.hub().said(&format!("pair {address}"));
    assert!(refused.code != 0 && refused.err.contains("no profile fits"), "{refused:?}");
    // As a person would: what is printed below the first empty line, with what it is, and who says so.
    let shown = home.guest().run(&Hub::command(&format!("devices --nearby {address}"))).ok();
    let (_, draft) = shown.out.split_once("\n\n").unwrap_or_else(|| panic!("{shown:?}"));
    let draft = draft
        .replace("FILL IN: who saw it do what stands here", "a technician")
        .replace("kind = \"thermometer\"", "kind = \"blood-pressure-monitor\"");
    let folder = home.machine.outside().join("profiles/made-up");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("homecuff.toml"), draft).unwrap();
    home.kill();
    home.start();
    home.pair("cuff");
    home.bind("cuff");
    home.measure("cuff", 2);
    home.collected();
    home.compare();
    let devices = home.hub().json("devices");
    assert_eq!(devices[0]["profile"], "made-up/homecuff", "{devices}");
}
