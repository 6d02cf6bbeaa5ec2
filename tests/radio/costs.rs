//! What may be lost on the way: from a device's confirmation to the hub's commit; and how long a device that appears waits for its
//! first value to be confirmed. Both beside a plain program. `HEARTH_FIRST` says how often a device appears.
//!
//! The machine is emulated, and the hub in it is a debug build: beside each other the figures say something.
#![allow(clippy::float_arithmetic, reason = "figures of the hub, not of a body")]

use crate::guest::{Running, bare};
use crate::home::Home;
use e2e::air::Air;
use hearth_core::radio::scout::ABSENCE_MS;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The time between a device's confirmations and the lines that came of them, in microseconds: the one in the middle, and the 99th
/// percentile: so long or less took 99 of a hundred. The way of a line out of the machine is in it.
#[track_caller]
fn windows(told: &[Value], came: &[Timestamp]) -> (i64, i64) {
    assert_eq!(told.len(), came.len());
    let window = |(told, came): (&Value, &Timestamp)| came.as_microsecond() - told["at_us"].as_i64().unwrap();
    let mut all: Vec<i64> = told.iter().zip(came).map(window).collect();
    all.sort_unstable();
    (all[all.len() / 2], all[(all.len() * 99).div_ceil(100) - 1])
}

/// The windows of so many readings, told in one connection and kept.
fn told_and_kept(home: &mut Home, many: usize) -> (i64, i64) {
    let (told, kept) = (home.air.told("cuff").len(), kept(home).len());
    home.measure("cuff", many);
    home.collected();
    home.air.wait("cuff", &json!({ "connected": false }));
    windows(&home.air.told("cuff")[told..], &self::kept(home)[kept..])
}

/// When each value was kept: the hub says how many share a commit.
fn kept(home: &Home) -> Vec<Timestamp> {
    let lines = home.daemon().arrivals("kept what it told, ");
    let many = |line: &str| line.rsplit(", ").next()?.split(' ').next()?.parse().ok();
    lines.iter().flat_map(|(line, at)| vec![*at; many(line).unwrap()]).collect()
}

/// The one in the middle, in seconds, and of how many.
fn in_the_middle(mut all: Vec<i64>) -> String {
    all.sort_unstable();
    format!("{:.1} s in the middle of {}", all[all.len() / 2] as f64 / 1e6, all.len())
}

/// From a cuff's first advertisement to its first value, in microseconds. It has something to tell, and `hears` returns when somebody
/// has heard all of it.
#[track_caller]
fn first(air: &Air, hears: impl FnOnce()) -> i64 {
    let told = air.told("cuff").len();
    let appeared = gateway::clock::now();
    air.advertise("cuff", true);
    hears();
    air.advertise("cuff", false);
    air.wait("cuff", &json!({ "connected": false }));
    air.told("cuff")[told]["at_us"].as_i64().unwrap() - appeared.as_microsecond()
}

/// Between BlueZ's confirmation and the commit a reading can be lost, where its device forgets what was confirmed.
#[test]
fn what_may_be_lost_is_short() {
    const MANY: usize = 30;
    // Each is a second later by the cuff's clock than the one before: more would be of a time that has not come.
    const BURST: usize = 50;
    let mut home = Home::new("costs");
    home.machine.give(bare());
    home.air.ask(&json!({ "do": "set", "device": "cuff", "gap": 1 }));
    home.air.advertise("cuff", true);
    home.pair("cuff");
    home.bind("cuff");
    home.measure("cuff", 1);
    home.collected();
    home.air.wait("cuff", &json!({ "connected": false }));
    // One after the other, as a person measures: none waits for the one before.
    let (middle, most) = told_and_kept(&mut home, MANY);
    // All that a cuff was left alone with, as fast as it can.
    home.air.ask(&json!({ "do": "set", "device": "cuff", "gap": 0.03 }));
    let (burst_middle, burst_most) = told_and_kept(&mut home, BURST);
    home.air.ask(&json!({ "do": "set", "device": "cuff", "gap": 1 }));
    println!(
        "radio: from confirmation to commit {:.1} ms in the middle, {:.1} ms the 99th percentile of {MANY} a second apart; {:.1} and {:.1} ms \
         of {BURST} without a pause",
        middle as f64 / 1e3,
        most as f64 / 1e3,
        burst_middle as f64 / 1e3,
        burst_most as f64 / 1e3
    );
    // It may have been asked once more already.
    home.air.advertise("cuff", false);
    home.air.wait("cuff", &json!({ "connected": false }));
    let times = std::env::var("HEARTH_FIRST").map_or(1, |times| times.parse().expect("a number"));
    let mut hub = vec![];
    for _ in 0..times {
        // Who was not seen for so long has appeared.
        home.guest().run(&format!("sleep {}", ABSENCE_MS / 1_000 + 1)).ok();
        home.measure("cuff", 1);
        hub.push(first(&home.air, || home.collected()));
    }
    home.compare();

    // The same machine and device, and a program that only prints.
    home.kill();
    let told = home.air.told("cuff").len();
    home.air.measure("cuff", MANY);
    let (program, shown) = prints(&home);
    let mut bare = vec![shown];
    let printed: Vec<_> = program.arrivals(" value ").into_iter().map(|(_, at)| at).collect();
    let (bare_middle, bare_most) = windows(&home.air.told("cuff")[told..], &printed);
    println!(
        "radio: a program that only prints {:.1} ms in the middle, {:.1} ms the 99th percentile",
        bare_middle as f64 / 1e3,
        bare_most as f64 / 1e3
    );
    for _ in 1..times {
        home.air.measure("cuff", 1);
        bare.push(prints(&home).1);
    }
    println!(
        "radio: from the first advertisement to the first value {}; that program {}",
        in_the_middle(hub),
        in_the_middle(bare)
    );
}

/// A program that only prints is there when the cuff appears; and how long the cuff waited.
#[track_caller]
fn prints(home: &Home) -> (Running, i64) {
    home.guest().scans_for_nobody();
    let program =
        home.guest().start(&format!("/outside/bare careful {} 2A35 1 5000", home.air.address("cuff")));
    program.wait(" scans");
    let waited = first(&home.air, || {
        let (code, said) = program.end();
        assert_eq!(code, 0, "{said}");
    });
    (program, waited)
}
