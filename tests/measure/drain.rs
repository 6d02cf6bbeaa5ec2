//! A backlog, drained by the hub as it lies in a package into a record that answers at once; beside a bare client that
//! posts the same octets there.

use super::house::House;
use super::row;
use bytes::Bytes;
use e2e::{Destination, World};
use gateway::demo::pki;
use std::time::Duration;
use tokio::time::Instant;

/// `HEARTH_DRAIN` says another number.
const READINGS: usize = 100_000;
const BUNDLE: usize = 100;
/// Bodies that the bare client posts, over and over.
const KEPT: usize = 20;
/// For the first look over all rows, and for whatever else.
const PATIENCE: Duration = Duration::from_secs(1_800);

pub(crate) fn print() {
    let readings = std::env::var("HEARTH_DRAIN").ok().and_then(|many| many.parse().ok()).unwrap_or(READINGS);
    for rung in ["update-as-create", "conditional-create"] {
        let world = World::new("drain");
        let null = world.null(KEPT, None);
        let more = format!("rung = \"{rung}\"\nbundle = {BUNDLE}");
        let clinic = Destination { name: "clinic", url: null.url(), client: pki::CLIENT, more: &more };
        let hub = world.hub_to(&[clinic]);
        let mut house = House::open(&hub.dir.join("state"));
        house.hear_many(readings);
        drop(house);
        let daemon = hub.run();
        let (begun, since) = (daemon.used(), Instant::now());
        while null.came().observations < readings {
            assert!(since.elapsed() < PATIENCE, "it never arrived: {}", null.came().observations);
            std::thread::park_timeout(Duration::from_millis(5));
        }
        let (took, ended) = (since.elapsed().as_secs_f64(), daemon.used());
        let twice = null.came().places.values().filter(|times| **times > 1).count();
        assert_eq!((null.came().observations, twice), (readings, 0), "each is written once");
        assert_eq!(daemon.stop(), 0);
        let bodies: Vec<Bytes> = null.came().bodies.clone();
        let all: Vec<Bytes> = bodies.iter().cycle().take(readings / BUNDLE).cloned().collect();
        let beside = world.null(0, None);
        let since = Instant::now();
        world.post(&beside.url(), &all);
        let bare = since.elapsed().as_secs_f64();
        let each = |seconds: f64| seconds * 1e6 / readings as f64;
        let cpu = (ended.cpu - begun.cpu).as_secs_f64();
        row(
            &format!("drain of {readings} readings into a record that answers at once, {rung}"),
            &format!("{:.0} readings/s", readings as f64 / took),
            &format!("{:.0} readings/s, a client that posts the same octets", readings as f64 / bare),
            Some(bare / took),
            "",
        );
        row("its CPU for each reading", &format!("{:.0} us", each(cpu)), "", None, "");
        let megabytes = |octets: u64| format!("{:.1} MB", octets as f64 / 1e6);
        row("its RSS at most", &megabytes(ended.peak), "", None, "");
        row(
            "start to ready with this backlog",
            &format!("{:.0} ms", begun.cpu.as_secs_f64() * 1e3),
            "",
            None,
            "",
        );
    }
}
