//! A house among many: what the neighbours say costs, beside `bluetoothctl scan on` in the same machine.
//!
//! `HEARTH_NOISE` is `SECONDS:ADVERTISEMENTS A SECOND`; `tests/bench radio` takes ten minutes of five hundred, with the build of
//! packages. A debug build in an emulated machine has no time for so many.
#![allow(clippy::float_arithmetic, reason = "figures of the hub, not of a body")]

use crate::guest::Guest;
use crate::home::Home;
use serde_json::json;

const NEIGHBOURS: u64 = 100;

/// What these programs have had of the processor, in seconds.
#[track_caller]
fn spent(guest: &Guest, programs: &[&str]) -> Vec<f64> {
    // Linux counts in hundredths of a second: proc(5), `stat`, fields 14 and 15. The name before them may have no blank here.
    let one = |name: &&str| {
        let said = guest.run(&format!("cat /proc/$(pidof {name})/stat")).ok().out;
        let fields: Vec<&str> = said.split(' ').collect();
        let ticks: f64 = fields[13..15].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
        ticks / 100.0
    };
    programs.iter().map(one).collect()
}

/// What each had meanwhile, in percent of the processor; and how many advertisements the kernel was told of in a second.
#[track_caller]
fn share(home: &Home, seconds: u64, programs: &[&str]) -> (Vec<f64>, f64) {
    let reports = || home.air.ask(&json!({ "do": "controller" }))["reports"].as_f64().unwrap();
    let (before, told) = (spent(home.guest(), programs), reports());
    // A machine that says nothing for too long is given up.
    const PART: u64 = 60;
    for from in (0..seconds).step_by(PART as usize) {
        home.guest().run(&format!("sleep {}", PART.min(seconds - from))).ok();
    }
    let (after, tells) = (spent(home.guest(), programs), reports());
    let seconds = seconds as f64;
    let shares = after.iter().zip(before).map(|(after, before)| (after - before) * 100.0 / seconds);
    (shares.collect(), (tells - told) / seconds)
}

#[test]
fn neighbours_keep_nobody_from_being_heard() {
    let asked = std::env::var("HEARTH_NOISE").unwrap_or_else(|_| "10:25".into());
    let (seconds, rate) = asked.split_once(':').expect("SECONDS:RATE");
    let (seconds, rate): (u64, f64) = (seconds.parse().expect("seconds"), rate.parse().expect("a rate"));
    let mut home = Home::new("noise");
    home.air.advertise("cuff", true);
    home.pair("cuff");
    home.bind("cuff");
    home.measure("cuff", 1);
    home.collected();
    home.air.advertise("cuff", false);
    home.air.wait("cuff", &json!({ "connected": false }));

    home.air.ask(&json!({ "do": "noise", "per_second": rate, "devices": NEIGHBOURS }));
    let (hub, heard) = share(&home, seconds, &["hearth", "bluetoothd", "dbus-daemon"]);
    println!(
        "radio: {heard:.0} advertisements a second for {seconds} s: the hub {:.1} % of the processor, bluetoothd {:.1} %, the bus {:.1} %",
        hub[0], hub[1], hub[2]
    );
    assert!(heard > rate / 2.0, "the hub does not scan: {heard} a second");
    home.measure("cuff", 3);
    home.air.advertise("cuff", true);
    home.collected();
    home.air.advertise("cuff", false);
    home.air.wait("cuff", &json!({ "connected": false }));
    home.compare();

    home.kill();
    home.guest().scans_for_nobody();
    let mut person = home.guest().terminal("bluetoothctl");
    person.shown.wait("Agent registered");
    person.type_line("scan on");
    person.shown.wait("SetDiscoveryFilter success");
    let (scan, heard) = share(&home, seconds, &["bluetoothctl", "bluetoothd", "dbus-daemon"]);
    println!(
        "radio: {heard:.0} a second: bluetoothctl scan on {:.1} % of the processor, bluetoothd {:.1} %, the bus {:.1} %",
        scan[0], scan[1], scan[2]
    );
}
