//! A house: a person pairs the hub with a device, and what the device tells is a reading.

use crate::air::Air;
use crate::guest::Guest;
use crate::hub::Hub;
use crate::rig;
use serde_json::{Value, json};

/// Pairs as a person would, on a terminal, and says whose the device is.
#[track_caller]
fn pair(hub: &Hub<'_>, guest: &Guest, air: &Air, device: &str) {
    let address = air.address(device);
    hub.until("devices --nearby", |near| {
        let ready = |row: &Value| row["address"] == address && !row["profile"].is_null();
        near.as_array().unwrap().iter().any(ready)
    });
    let mut terminal = guest.terminal(&Hub::command(&format!("pair {address}")));
    if device == "meter" {
        terminal.shown.wait("six digits");
        let shows = air.wait(device, &json!({ "connected": true }))["shows"].as_str().unwrap().to_owned();
        terminal.type_line(&shows);
    }
    terminal.shown.wait("Paired, as device ");
    let said = terminal.shown.said();
    let (_, no) = said.rsplit_once("Paired, as device ").unwrap();
    let no: i64 = no.split('.').next().unwrap().parse().unwrap();
    hub.said(&format!("bind add {no} --test --zone Etc/UTC --from 2020-01-01T00:00:00Z")).ok();
}

/// So many readings, or more.
fn readings(n: u64) -> impl Fn(&Value) -> bool {
    move |status: &Value| status["readings"].as_u64() >= Some(n)
}

#[test]
fn what_a_cuff_and_a_meter_tell_are_readings() {
    let (_world, air, machine) = rig("radio-house");
    Hub::install(&machine, "");
    let guest = machine.boot();
    let (hub, _daemon) = Hub::start(&guest);
    hub.until("status", |status| status["bluetooth"] == "Devices are listened for.");

    // A cuff that forgets what was confirmed: nothing is lost on the way, in any session.
    air.measure("cuff", 2);
    air.advertise("cuff", true);
    pair(&hub, &guest, &air, "cuff");
    hub.until("status", readings(2));
    for session in 1..3 {
        air.wait("cuff", &json!({ "connected": false }));
        air.measure("cuff", 3);
        air.advertise("cuff", true);
        hub.until("status", readings(2 + 3 * session));
    }
    assert_eq!(air.told("cuff").len(), 8);
    air.advertise("cuff", false);

    // A meter with a passkey and a memory: all of it once, and then what is new.
    air.measure("meter", 30);
    air.advertise("meter", true);
    pair(&hub, &guest, &air, "meter");
    hub.until("status", readings(8 + 30));
    air.wait("meter", &json!({ "connected": false }));
    let told = || air.told("meter").iter().filter(|told| told["characteristic"] != "2A52").count();
    let before = told();
    air.measure("meter", 2);
    air.advertise("meter", true);
    hub.until("status", readings(8 + 32));
    air.wait("meter", &json!({ "connected": false }));
    let again = told() - before;
    // The last one of before is asked for once more, and each may have a context.
    assert!(again <= 6, "{again} values for two new records");
    let status = hub.json("status");
    assert_eq!(status["held"], json!([]), "{status}");
}
