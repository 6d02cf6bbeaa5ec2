//! Each virtual device is what its profile says, as far as a plain program can see: what it tells is what it measured, and
//! the octets mean what they should.

use crate::air::Air;
use crate::guest::{Guest, bare};
use crate::rig;
use e2e::{hearth, said};
use serde_json::{Value, json};
use std::process::Command;

/// Pairs as a person would who has `bluetoothctl`. `passkey`: what the person reads from the device.
#[track_caller]
pub(crate) fn pair(guest: &Guest, air: &Air, device: &str) {
    let address = air.address(device);
    let mut terminal = guest.terminal("bluetoothctl --agent KeyboardDisplay");
    terminal.shown.wait("Agent registered");
    terminal.type_line("scan on");
    terminal.shown.wait(address);
    terminal.type_line(&format!("pair {address}"));
    terminal.shown.wait("Attempting to pair");
    terminal.shown.wait("Connected: yes");
    let asked = air.wait(device, &json!({ "connected": true }));
    let asks = device == "meter" || device == "scale";
    if asks {
        terminal.shown.wait("Enter passkey");
        let shows = air.state(device)["shows"].as_str().map(str::to_owned);
        terminal.type_line(&shows.unwrap_or_else(|| panic!("it shows no passkey: {asked}")));
    }
    terminal.shown.wait("Pairing successful");
    terminal.type_line(&format!("disconnect {address}"));
    air.wait(device, &json!({ "connected": false, "bonds": 1 }));
    terminal.type_line("quit");
    terminal.shown.wait("(gone)");
}

/// What a plain program got from it: characteristic and octets, in order.
#[track_caller]
fn asked(guest: &Guest, air: &Air, device: &str, steps: &str) -> Vec<(String, String)> {
    let (code, out) = guest.start(&format!("/outside/bare ask {} {steps}", air.address(device))).end();
    println!("{device}:\n{out}");
    assert_eq!(code, 0, "{out}\n{}", air.log());
    assert!(!out.contains("failed"), "{out}");
    values(&out)
}

pub(crate) fn values(out: &str) -> Vec<(String, String)> {
    let value = |line: &str| {
        let (uuid, hex) = line.split_once("value ")?.1.split_once(' ')?;
        Some((uuid[4..8].to_uppercase(), hex.trim().to_owned()))
    };
    out.lines().filter_map(value).collect()
}

/// What the records hold, and what the device says that it handed over.
fn octets(records: &[Value]) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let parts = records.iter().flat_map(|record| record["octets"].as_array().unwrap());
    parts.map(|part| (word(&part[0]), word(&part[1]))).collect()
}

pub(crate) fn told(air: &Air, device: &str) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    air.told(device).iter().map(|told| (word(&told["characteristic"]), word(&told["hex"]))).collect()
}

/// The hub reads from the octets what the device measured.
#[track_caller]
fn means(profile: &str, records: &[Value]) {
    let names = [
        ("systolic", "systolic"),
        ("diastolic", "diastolic"),
        ("mean-arterial-pressure", "map"),
        ("pulse-rate", "pulse"),
        ("glucose", "value"),
        ("body-weight", "weight"),
        ("body-mass-index", "bmi"),
        ("body-fat", "fat_pct"),
        ("soft-lean-mass", "soft_lean_mass"),
        ("body-water-mass", "water_mass"),
    ];
    for record in records {
        let mut decoded = serde_json::Map::new();
        for part in record["octets"].as_array().unwrap() {
            let [characteristic, hex] = [0, 1].map(|n| part[n].as_str().unwrap());
            let mut command = Command::new(hearth());
            command.args(["--json", "decode", characteristic, hex, "--profile", profile]);
            decoded.extend(said(&mut command).ok().json().as_object().unwrap().clone());
        }
        // A weighing has two parts.
        let readings =
            record["reading"].as_array().cloned().unwrap_or_else(|| vec![record["reading"].clone()]);
        let mut seen = 0;
        for (quantity, value) in readings.iter().flat_map(|reading| reading["values"].as_object().unwrap()) {
            let Some((_, name)) = names.iter().find(|(name, _)| name == quantity) else { continue };
            let number = value.as_str().unwrap().split(' ').next().unwrap();
            let is = decoded.get(*name).and_then(Value::as_str).unwrap_or("NaN");
            assert_eq!(is, number, "{quantity} of {record}, but {decoded:?}");
            seen += 1;
        }
        assert!(seen > 0, "{record}");
        let stamp = decoded.get("user_facing_time").or(decoded.get("timestamp"));
        assert_eq!(stamp, Some(&readings[0]["stamp"]), "{record}");
    }
}

#[test]
fn each_device_tells_what_it_measured() {
    let (_world, air, machine) = rig("radio-devices");
    machine.give(bare());
    let guest = machine.boot();

    // The cuffs by the standard and by Beurer: open to anybody.
    for (device, profile) in [("cuff", "generic/blood-pressure"), ("beurer", "beurer/bm85")] {
        let records = air.measure(device, 2);
        means(profile, &records);
        air.advertise(device, true);
        assert_eq!(asked(&guest, &air, device, "+2A35"), octets(&records), "{device}");
        air.wait(device, &json!({ "connected": false }));
        air.advertise(device, false);
        assert_eq!(told(&air, device), octets(&records), "{device}");
    }
    // One forgets, one does not.
    assert_eq!((&air.state("cuff")["holds"], &air.state("beurer")["holds"]), (&json!(0), &json!(2)));

    // A&D's: paired, its clock written, left alone, and it hangs up.
    air.advertise("and", true);
    pair(&guest, &air, "and");
    let records = air.measure("and", 2);
    means("and/ua-651ble", &records);
    assert_eq!(asked(&guest, &air, "and", "2A08=EA070B1E0C0000 wait +2A35"), octets(&records));
    assert_eq!(air.state("and")["advertising"], false, "it has told everything");

    // The meter: 300 records with their contexts, counted, reported, and from a number on.
    air.advertise("meter", true);
    pair(&guest, &air, "meter");
    let records = air.measure("meter", 300);
    means("roche/accu-chek-guide", &records[..3]);
    let got = asked(&guest, &air, "meter", "+2A18 +2A34 +2A52 2A52=0401 wait 2A52=0101 wait 2A52=0103012901");
    let answer = |hex: &str| ("2A52".to_owned(), hex.to_owned());
    let all = octets(&records);
    let want = [vec![answer("05002C01")], all.clone(), vec![answer("06000101")]].concat();
    let want = [want, all[(297 - 1) * 2..].to_vec(), vec![answer("06000101")]].concat();
    assert_eq!(got.len(), want.len());
    assert_eq!(got, want);
    air.advertise("meter", false);

    // The scale: consent of the second user, then a wrong code of the first.
    air.advertise("scale", true);
    pair(&guest, &air, "scale");
    let verb = |user: u8| json!({ "do": "measure", "device": "scale", "n": 1, "user": user });
    let [first, second] = [1, 2].map(|user| air.ask(&verb(user)).as_array().unwrap().clone());
    means("beurer/bf720", &[first, second.clone()].concat());
    let steps = "2A2B=EA070B1E0C0000010000 +2A9D +2A9C +2A9F 2A9F=0202E110 wait 2A9F=02010000";
    let want =
        [vec![("2A9F".into(), "200201".into())], octets(&second), vec![("2A9F".into(), "200205".into())]];
    assert_eq!(asked(&guest, &air, "scale", steps), want.concat());
    assert_eq!(air.state("scale")["holds"], 1, "the first user's weighing waits for his code");
    air.advertise("scale", false);

    // The scale that broadcasts.
    let scan = guest.start("bluetoothctl --timeout 30 scan on");
    scan.wait("Discovery started");
    let records = air.measure("mi", 1);
    means("xiaomi/mi-scale", &records);
    air.wait("mi", &json!({ "holds": 0, "advertising": false, "told": 1 }));
    assert_eq!(told(&air, "mi"), octets(&records));
    let heard = octets(&records)[0].1.to_lowercase();
    let spaced: Vec<&str> = (0..heard.len() / 2).map(|n| &heard[n * 2..n * 2 + 2]).collect();
    scan.wait(&spaced.join(" "));
    guest.signal("INT", &scan);

    // Whoever does everything wrong: the program lives, and so does bluetoothd.
    let daemon = guest.run("pidof bluetoothd").ok().out;
    air.advertise("wrong", true);
    for way in ["errors", "garbage", "lengths", "all"] {
        air.ask(&json!({ "do": "set", "device": "wrong", "way": way }));
        let address = air.address("wrong");
        let (_, out) =
            guest.start(&format!("/outside/bare ask {address} 2A29 2A19 2A2B +2A35 +2A52 2A52=0101")).end();
        println!("wrong, {way}: {} values, {} failures", values(&out).len(), out.matches("failed").count());
        assert!(out.contains("discovered"), "{out}");
    }
    assert_eq!(guest.run("pidof bluetoothd").ok().out, daemon);
}
