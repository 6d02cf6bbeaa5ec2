//! A backlog waits when a fresh reading comes: it goes first. Memory does not know how much waits.

use crate::size;
use e2e::home::Home;
use e2e::{Destination, World};
use gateway::demo::pki;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// Of each home: a month and a half in winter, as its rows are meant.
const EACH: usize = 2_000;
const BUNDLE: usize = 20;
const MOST: u64 = 48 << 20;

#[test]
fn a_fresh_reading_overtakes_a_backlog() {
    let readings = size(400, 100_000);
    let world = World::new("backlog");
    let now = gateway::clock::now();
    let fresh = jiff::Timestamp::from_second(now.as_second() - 30).unwrap();
    let civil = jiff::tz::TimeZone::get("America/New_York").unwrap().to_datetime(fresh);
    let null = world.null(0, Some(format!("\"effectiveDateTime\":\"{civil}")));
    let more = format!("bundle = {BUNDLE}\nrung = \"update-as-create\"");
    let hub =
        world.hub_to(&[Destination { name: "clinic", url: null.url(), client: pki::CLIENT, more: &more }]);
    let mut all = 0;
    for (tag, from) in (1..).zip((0..readings).step_by(EACH)) {
        let some = EACH.min(readings - from);
        let home = Home::new(tag, some);
        all += home.rows().count();
        hub.replay(&home.log(0..some));
    }
    let since = Instant::now();
    let daemon = hub.run();
    let ready = since.elapsed();
    let mut cuff = hub.source();
    for line in [
        json!({"met": {"device": "cuff", "address": "C0:FF:EE:0A:00:01", "services": ["1810"]}}),
        json!({"bind": {"device": "cuff", "slot": null, "patient": {"clinic": "ada"}, "zone": "America/New_York",
            "from": "2018-01-01T00:00:00Z"}}),
    ] {
        cuff.tell(&line).unwrap();
    }
    let [low, high] = civil.year().to_le_bytes();
    let rest = [civil.month(), civil.day(), civil.hour(), civil.minute(), civil.second()];
    let rest: String = rest.iter().map(|part| format!("{part:02X}")).collect();
    let before = null.came().observations;
    let told = Instant::now();
    let hex = format!("127C0056006100{low:02X}{high:02X}{rest}0000");
    let rows =
        cuff.tell(&json!({"heard": {"device": "cuff", "contact": 1, "characteristic": "2A35", "hex": hex}}));
    let kept = told.elapsed();
    assert_eq!(rows.unwrap().first().map(|row| row["fate"].clone()), Some(json!("admitted")));
    let patience = Duration::from_secs(60 + readings as u64 / 50);
    while null.came().observations < all + 1 {
        assert!(since.elapsed() < patience, "it never arrived: {} of {all}", null.came().observations);
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let used = daemon.used();
    assert_eq!(daemon.stop(), 0);
    let came = null.came();
    let overtook = came.before.expect("the fresh one came") - before;
    println!(
        "backlog: {readings} wait, ready after {ready:?}, a fresh reading kept in {kept:?} and sent after {overtook} others, \
         all after {:?}; at most {:.1} MB resident",
        since.elapsed(),
        used.peak as f64 / 1e6
    );
    let twice = came.places.values().filter(|times| **times > 1).count();
    assert_eq!((came.observations, twice), (all + 1, 0), "each once");
    // What was on its way already, with a pulse of its own beside each pressure; and while the frame was understood, one more.
    assert!(overtook <= 2 * 2 * BUNDLE, "{overtook} went before it");
    assert!(used.peak < MOST, "{} octets resident", used.peak);
}
