//! A backlog drained into HAPI, by turns with a bare client that posts bundles of the same size over the same mutual TLS:
//! what the hub adds to what the record takes. HAPI on H2 gets slower with all that it holds; so over long turns, of which the
//! bare client has the second, the hub is measured beside the time in which HAPI answered its writes.
//!
//! `HEARTH_DRAIN=TURNS:READINGS`, with `:RUNG` on that rung alone, measures, best with `--release` and with `HEARTH_BINARY` naming a release build.

#![allow(clippy::float_arithmetic, reason = "a measurement of the house, not of a body")]

use e2e::Destination;
use e2e::home::{Found, Home, compare};
use e2e::servers::{Asked, Servers, chart, known};
use gateway::demo::pki;
use std::time::Duration;
use tokio::time::Instant;

/// A hundred questions have fewer octets, a few readings more.
const A_QUESTION: usize = 24_000;

/// In every test run the way is looked at, and nothing is measured.
fn slices() -> (u8, usize, Vec<String>) {
    let rungs = vec!["update-as-create".to_owned(), "conditional-create".to_owned()];
    let Ok(said) = std::env::var("HEARTH_DRAIN") else { return (1, 60, rungs) };
    let (turns, readings) = said.split_once(':').expect("HEARTH_DRAIN=TURNS:READINGS");
    let (readings, rungs) = match readings.split_once(':') {
        Some((readings, rung)) => (readings, vec![rung.to_owned()]),
        None => (readings, rungs),
    };
    (turns.parse().expect("how many turns"), readings.parse().expect("readings of a turn"), rungs)
}

fn hub_to(url: &str, rung: &str, home: &Home, readings: usize) -> e2e::Hub {
    let more = format!("rung = \"{rung}\"\nbundle = 100\ntimeout-s = 120");
    let clinic = Destination { name: "clinic", url: url.to_owned(), client: pki::CLIENT, more: &more };
    let hub = Servers::get().world.hub_to(&[clinic]);
    hub.replay(&home.log(0..readings));
    hub
}

#[test]
fn a_backlog_is_drained_beside_a_bare_client() {
    let servers = Servers::get();
    let (turns, readings, rungs) = slices();
    let mut tag = 100;
    // A server that has just been started compiles what it runs.
    let first = Home::new(tag - 1, readings.min(200));
    first.patients.iter().for_each(|patient| known(&servers.hapi, patient));
    hub_to(&servers.hapi.wide, "update-as-create", &first, readings.min(200)).deliver();
    for rung in &rungs {
        let (mut hubs, mut bares) = (vec![], vec![]);
        for _ in 0..turns {
            let home = Home::new(tag, readings);
            home.patients.iter().for_each(|patient| known(&servers.hapi, patient));
            let hub = hub_to(&servers.hapi.wide, rung, &home, readings);
            let daemon = hub.run();
            let asked_before = servers.asked(&servers.hapi.wide).len();
            let (begun, since) = (gateway::clock::now(), Instant::now());
            while hub.json(&["status"])["delivered"].as_u64() < Some(readings as u64) {
                assert!(since.elapsed() < Duration::from_secs(7_200), "it never arrived");
                // To count a hundred thousand takes the hub two seconds.
                std::thread::park_timeout(Duration::from_millis(500 + readings as u64 / 5));
            }
            let cpu = daemon.used().cpu;
            assert_eq!(daemon.stop(), 0);
            // As nginx saw it, so that nobody who looks is in it.
            let asked = servers.asked(&servers.hapi.wide).split_off(asked_before);
            let last = asked.last().unwrap().ms;
            // What is written is longer than any question for it.
            let (writes, reads): (Vec<_>, Vec<_>) = asked.iter().partition(|asked| asked.length > A_QUESTION);
            let answers = |all: &[&Asked]| all.iter().map(|asked| asked.took).sum::<f64>();
            let (writes, reads) = (answers(&writes), answers(&reads));
            let took = (last - u64::try_from(begun.as_millisecond()).unwrap()) as f64 / 1e3;
            let found = compare(&home, &chart(&servers.hapi, &home.patients), str::to_owned);
            assert_eq!(found, Found::default(), "{rung}");

            // Another home's, so that they are as new to the record.
            let other = Home::new(tag + 1, readings);
            other.patients.iter().for_each(|patient| known(&servers.hapi, patient));
            let null = servers.world.null(usize::MAX, None);
            hub_to(&null.url(), rung, &other, readings).deliver();
            let bodies = null.came().bodies.clone();
            let since = Instant::now();
            servers.world.post(&servers.hapi.wide, &bodies);
            let bare = since.elapsed().as_secs_f64();
            let found = compare(&other, &chart(&servers.hapi, &other.patients), str::to_owned);
            assert_eq!(found, Found::default(), "{rung}, by the bare client");
            tag += 2;
            println!(
                "drain by {rung}: {readings} readings, the hub {took:.2} s, in which HAPI answered writes for {writes:.2} s and questions for \
                 {reads:.2} s ({:.0} us of CPU each), a bare client {bare:.2} s: {:.2}; beside its answers to writes {:.2}",
                cpu.as_secs_f64() * 1e6 / readings as f64,
                bare / took,
                writes / took
            );
            hubs.push(took);
            bares.push(bare);
        }
        let middle = |all: &mut Vec<f64>| {
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        let (hub, bare) = (middle(&mut hubs), middle(&mut bares));
        println!("drain by {rung}: medians of {turns}: {hub:.2} s, {bare:.2} s, ratio {:.2}", bare / hub);
    }
}
