//! The real hub writes readings into each record system over a way on which more than a third of all writes
//! end in doubt ([`e2e::proxy`]). All of them are there, once, whose they are, when they were taken, with their digits.
//!
//! The hub's own waits are shorter here ([`e2e::HURRIED`]).

use e2e::home::{Found, Home, Row, compare};
use e2e::proxy::{Counts, Plan, Proxy, Searches};
use e2e::servers::{Behind, Servers, chart, known};
use e2e::{Destination, Hub};
use gateway::demo::pki;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;
use tokio::time::Instant;

const MORE: &str = "bundle = 6\ntimeout-s = 1";

/// JavaScript's numbers know no zeros at the end.
fn by_value(digits: &str) -> String {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    }
}

/// One storm, and what it left.
struct Storm {
    chart: Vec<Row>,
    found: Found,
    counts: Counts,
    hub: Hub,
}

#[derive(Clone, Copy)]
struct Sky<'a> {
    record: &'a Behind,
    rung: &'a str,
    digits: fn(&str) -> String,
}

impl Sky<'_> {
    /// A home's readings go out in a storm that calms down when nine of ten have arrived, so that it ends.
    fn storm(self, tag: u8, readings: usize, plan: Plan) -> Storm {
        let since = Instant::now();
        let servers = Servers::get();
        let home = Home::new(tag, readings);
        home.patients.iter().for_each(|patient| known(self.record, patient));
        let proxy = servers.world.proxy(&self.record.wide, plan);
        let more = format!("rung = \"{}\"\n{MORE}", self.rung);
        let clinic = Destination { name: "clinic", url: proxy.url(), client: pki::CLIENT, more: &more };
        let hub = servers.world.hub_to(&[clinic]);
        hub.replay(&home.log(0..readings));
        deliver(&hub, &proxy, readings);
        let chart = chart(self.record, &home.patients);
        let found = compare(&home, &chart, self.digits);
        let counts = proxy.counts();
        println!(
            "{} readings by {}, seed {}: {} lost, {} doubled, {} wrong, {} writes, {} in doubt with {} resources, {} committed before the cut, {} after it, \
             slowest answer {:?}, {} s",
            readings,
            self.rung,
            plan.seed,
            found.lost,
            found.doubled,
            found.wrong,
            counts.writes,
            counts.in_doubt,
            counts.resources_in_doubt,
            counts.committed_unheard,
            counts.committed_late,
            counts.slowest,
            since.elapsed().as_secs()
        );
        Storm { chart, found, counts, hub }
    }
}

/// Runs the hub until all has arrived; and as a person would, has what is parked sent again.
fn deliver(hub: &Hub, proxy: &Proxy, readings: usize) {
    let daemon = hub.run_hurried();
    let (since, patience) = (Instant::now(), Duration::from_secs(120 + readings as u64));
    loop {
        let status = hub.json(&["status"]);
        let count = |name: &str| status[name].as_u64().unwrap() as usize;
        let arrived = count("delivered") + count("unverified");
        if arrived == readings {
            break;
        }
        assert!(since.elapsed() < patience, "it never arrived: {status:#}");
        if count("parked") > 0 {
            hub.says(&["outbox", "retry", "--all"]).ok();
        }
        if arrived * 10 >= readings * 9 {
            proxy.calm();
            let waiting: Vec<String> = hub
                .json(&["outbox", "list"])
                .as_array()
                .unwrap()
                .iter()
                .filter(|row| row["state"] == "waiting" || row["state"] == "in-doubt")
                .map(|row| row["row"].to_string())
                .collect();
            let arguments: Vec<&str> =
                ["outbox", "retry"].into_iter().chain(waiting.iter().map(String::as_str)).collect();
            // They may have arrived meanwhile.
            hub.says(&arguments);
        }
        std::thread::park_timeout(Duration::from_secs(1));
    }
    assert_eq!(daemon.stop(), 0);
    while !proxy.is_idle() {
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// How many readings HAPI gets by search, by condition and by id, and the seed. `HEARTH_STORM=READINGS:SEED`, for long runs:
/// so many each.
fn slices() -> ([usize; 3], u64) {
    let Ok(said) = std::env::var("HEARTH_STORM") else { return ([250, 350, 400], 1) };
    let (readings, seed) = said.split_once(':').expect("HEARTH_STORM=READINGS:SEED");
    ([readings.parse().expect("a number of readings"); 3], seed.parse().expect("a seed"))
}

/// Medplum in memory copies all that it has for each search: with 400 Observations a condition takes it most of a second.
/// So few go there by search or condition, first, and the others by id.
const SEARCHED: usize = 30;

fn print_faults(counts: &[Counts]) {
    let mut all: BTreeMap<&str, u64> = BTreeMap::new();
    for (fault, times) in counts.iter().flat_map(|counts| &counts.faults) {
        *all.entry(fault).or_default() += times;
    }
    let list = all.iter().fold(String::new(), |mut list, (fault, times)| {
        _ = write!(list, "\n  {times:5} {fault}");
        list
    });
    println!("faults:{list}");
}

#[test]
fn readings_through_a_storm() {
    let servers = Servers::get();
    let ([by_search, by_condition, by_id], seed) = slices();
    let hapi = [
        ("search-then-create", by_search),
        ("conditional-create", by_condition),
        ("update-as-create", by_id),
    ];
    let medplum = [
        ("conditional-create", SEARCHED),
        ("search-then-create", SEARCHED),
        ("update-as-create", by_search + by_condition + by_id - 2 * SEARCHED),
    ];
    let storms = |tag: u8, record, digits, slices: [(&'static str, usize); 3]| {
        let storm = |(tag, (rung, readings)): (u8, _)| {
            Sky { record, rung, digits }.storm(tag, readings, Plan::new(100 * seed + u64::from(tag)))
        };
        (tag..).zip(slices).map(storm).collect::<Vec<_>>()
    };
    let storms: Vec<Storm> = std::thread::scope(|scope| {
        let medplum = scope.spawn(|| storms(10, &servers.medplum, by_value, medplum));
        let hapi = storms(0, &servers.hapi, str::to_owned, hapi);
        [hapi, medplum.join().unwrap()].into_iter().flatten().collect()
    });
    let counts: Vec<Counts> = storms.iter().map(|storm| storm.counts.clone()).collect();
    print_faults(&counts);
    for storm in &storms {
        assert_eq!(storm.found, Found::default());
        assert!(storm.counts.in_doubt * 10 >= storm.counts.writes * 3, "too fair a wind: {:?}", storm.counts);
    }
    let unheard: u64 = counts.iter().map(|counts| counts.committed_unheard).sum();
    println!("committed before the cut: {unheard}");
    assert!(unheard > 200, "{unheard}");
}

/// A record that knows no condition, cannot be searched and takes everything: a repeat may be there twice. Each that was
/// repeated is told, and nothing is lost.
#[test]
fn repeats_in_the_dark_are_told() {
    let sky = Sky { record: &Servers::get().hapi, rung: "plain-create", digits: str::to_owned };
    let storm = sky.storm(40, 40, Plan { searches: Searches::Refused, ..Plan::new(41) });
    assert_eq!((storm.found.lost, storm.found.wrong), (0, 0));
    assert!(storm.found.doubled > 0, "it was never dark");
    assert!(storm.found.doubled as u64 <= storm.counts.resources_in_doubt, "{:?}", storm.counts);

    let raised = storm.hub.json(&["status"])["raised"].clone();
    let repeated = |said: &Value| {
        let (row, said) = said.as_str()?.strip_prefix("row ")?.split_once(':')?;
        said.contains("it may be there twice").then(|| row.to_owned())
    };
    let rows: Vec<String> = raised.as_array().unwrap().iter().filter_map(repeated).collect();
    // No two readings of this home were taken at one time.
    let taken = |row: &String| -> Timestamp {
        storm.hub.json(&["outbox", "show", row])["taken"].as_str().unwrap().parse().unwrap()
    };
    let told: BTreeSet<Timestamp> = rows.iter().map(taken).collect();
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<Timestamp> = storm
        .chart
        .iter()
        .filter(|row| !seen.insert(*row))
        .map(|[_, _, time, _]| time.parse().unwrap())
        .collect();
    println!("plain-create: {} readings are there more than once, {} are told of", twice.len(), told.len());
    let untold: Vec<_> = twice.difference(&told).collect();
    assert!(untold.is_empty(), "there twice, and nobody was told: {untold:?}");
    assert!(told.len() as u64 <= storm.counts.resources_in_doubt, "more are told of than were in doubt");
}

/// The check finds what it looks for: a record that ignores the condition has readings twice, and nothing that the hub
/// could do prevents it.
#[test]
fn without_the_ladder_they_are_there_twice() {
    let sky = Sky { record: &Servers::get().hapi, rung: "conditional-create", digits: str::to_owned };
    let plan = Plan { searches: Searches::Empty, strips_conditions: true, ..Plan::new(43) };
    let storm = sky.storm(42, 40, plan);
    assert_eq!((storm.found.lost, storm.found.wrong), (0, 0));
    assert!(storm.found.doubled > 0, "the check can't see it");
}
