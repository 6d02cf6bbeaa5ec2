//! What may be lost on the way: from a device's confirmation to the hub's commit, beside a plain program.
//!
//! The machine is emulated, and the hub in it is a debug build: beside each other the figures say something.
#![allow(clippy::float_arithmetic, reason = "figures of the hub, not of a body")]

use crate::guest::bare;
use crate::home::Home;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The time between a device's confirmations and the lines that came of them, in microseconds: the one in the middle and the 99th of
/// a hundred. The way of a line out of the machine is in it.
#[track_caller]
fn windows(told: &[Value], came: &[Timestamp]) -> (i64, i64) {
    assert_eq!(told.len(), came.len());
    let window = |(told, came): (&Value, &Timestamp)| came.as_microsecond() - told["at_us"].as_i64().unwrap();
    let mut all: Vec<i64> = told.iter().zip(came).map(window).collect();
    all.sort_unstable();
    (all[all.len() / 2], all[all.len() * 99 / 100])
}

/// Between BlueZ's confirmation and the commit a reading can be lost, where its device forgets what was confirmed.
#[test]
fn what_may_be_lost_is_short() {
    const MANY: usize = 30;
    let mut home = Home::new("costs");
    home.machine.give(bare());
    // One after the other, as a person measures: none waits for the one before.
    home.air.ask(&json!({ "do": "set", "device": "cuff", "gap": 1 }));
    home.air.advertise("cuff", true);
    home.pair("cuff");
    home.bind("cuff");
    home.measure("cuff", 1);
    home.collected();
    home.air.wait("cuff", &json!({ "connected": false }));
    const KEPT: &str = "what it told is kept";
    let (told, kept) = (home.air.told("cuff").len(), home.daemon().arrivals(KEPT).len());
    home.measure("cuff", MANY);
    home.collected();
    home.air.wait("cuff", &json!({ "connected": false }));
    let (middle, most) = windows(&home.air.told("cuff")[told..], &home.daemon().arrivals(KEPT)[kept..]);
    home.compare();
    home.air.advertise("cuff", false);

    // The same machine and device, and a program that only prints.
    home.kill();
    let told = home.air.told("cuff").len();
    home.air.measure("cuff", MANY);
    home.air.advertise("cuff", true);
    let program =
        home.guest().start(&format!("/outside/bare careful {} 2A35 1 5000", home.air.address("cuff")));
    let (code, said) = program.end();
    assert_eq!(code, 0, "{said}");
    let (bare_middle, bare_most) = windows(&home.air.told("cuff")[told..], &program.arrivals(" value "));
    println!(
        "radio: from confirmation to commit {:.1} ms in the middle, {:.1} ms the 99th of {MANY}; a program that only prints \
         {:.1} and {:.1} ms",
        middle as f64 / 1e3,
        most as f64 / 1e3,
        bare_middle as f64 / 1e3,
        bare_most as f64 / 1e3
    );
}
