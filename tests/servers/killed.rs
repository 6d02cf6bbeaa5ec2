//! The hub is killed at random moments while it delivers to HAPI, and HAPI with it at some of them: on a file, each comes back
//! with what it had.

use e2e::Destination;
use e2e::disk::Random;
use e2e::home::{Found, Home, compare};
use e2e::servers::{Behind, Server, Servers, chart, known};
use gateway::demo::pki;
use std::time::Duration;

const SEED: u64 = 4_711;
const KILLS: usize = 16;
/// Of them, so many with the record.
const BOTH: usize = 2;
const READINGS: usize = 240;

#[test]
fn hub_and_record_are_killed_at_random_moments() {
    let mut random = Random::new(SEED);
    let servers = Servers::get();
    let (url, port) = &servers.far;
    let (file, log) = (servers.world.dir.join("killed"), servers.world.dir.join("killed.log"));
    let start = || Server::hapi(Some((&file, *port)), &log).ready();
    let mut server = start();
    let record = Behind { plain: format!("http://127.0.0.1:{port}/fhir"), wide: url.clone() };
    let home = Home::new(60, READINGS);
    home.patients.iter().for_each(|patient| known(&record, patient));
    let more = "rung = \"conditional-create\"\nbundle = 3\ntimeout-s = 2";
    let clinic = Destination { name: "clinic", url: url.clone(), client: pki::CLIENT, more };
    let hub = servers.world.hub_to(&[clinic]);
    hub.replay(&home.log(0..READINGS));
    let mut delivered = vec![];
    for life in 0..KILLS {
        let daemon = hub.run_hurried();
        std::thread::park_timeout(Duration::from_millis(random.number() % 1_500));
        if life % (KILLS / BOTH) == KILLS / BOTH - 1 {
            server.kill();
            std::thread::park_timeout(Duration::from_millis(random.number() % 300));
        }
        daemon.kill_now();
        if server.is_killed() {
            server = start();
        }
        delivered
            .push(home.rows().count() - compare(&home, &chart(&record, &home.patients), str::to_owned).lost);
    }
    let daemon = hub.run_hurried();
    hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
    assert_eq!(daemon.stop(), 0);
    let found = compare(&home, &chart(&record, &home.patients), str::to_owned);
    println!(
        "seed {SEED}: {KILLS} kills, {BOTH} of them of both; there after each: {delivered:?}; in the end {found:?}"
    );
    assert_eq!(found, Found::default(), "seed {SEED}");
    assert!(delivered[KILLS - 1] > 0, "nothing arrived between the kills");
}
