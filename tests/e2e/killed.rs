//! The daemon is killed at random moments while it hears, keeps and sends: every reading arrives, once.

use e2e::disk::Random;
use e2e::home::{self, Found, Home, Row, compare};
use e2e::{HURRIED, Hub, Said, World};
use gateway::demo::pki;
use gateway::demo::record::{Behaviour, Record};
use std::time::Duration;
use tokio::time::Instant;

/// `HEARTH_KILLS_SEED` makes it another run.
fn seed() -> u64 {
    let Ok(said) = std::env::var("HEARTH_KILLS_SEED") else { return 20_260_513 };
    said.parse().expect("HEARTH_KILLS_SEED is a number")
}

const KILLS: usize = 30;
/// Sent in each life.
const SENT: usize = 11;

fn chart(record: &Record) -> Vec<Row> {
    let all = record.all("Observation").into_iter();
    all.filter_map(|(_, versions)| versions.last()?.resource.as_ref().map(home::told)).collect()
}

/// The home sends some readings; it may find nobody, or lose its daemon in the middle.
fn send(hub: &Hub, lines: &str) -> Said {
    let file = hub.dir.join("home.jsonl");
    std::fs::write(&file, lines).unwrap();
    hub.says(&["replay", "--keep", file.to_str().unwrap()])
}

#[test]
fn killed_at_random_moments() {
    let seed = seed();
    let mut random = Random::new(seed);
    for (tag, rung) in (50..).zip(e2e::RUNGS) {
        let world = World::new("killed");
        let record = world.record(Behaviour { conditional: true, ..Behaviour::default() });
        let more = format!("rung = \"{rung}\"\nbundle = 3\ntimeout-s = 1");
        let hub = world.hub_with(&[("clinic", &record)], pki::CLIENT, &more);
        let (sender, home) = (hub.home(), Home::new(tag, KILLS * SENT));
        let mut at_start = 0;
        // What the home was told that it may forget; all else it sends again, in order, as devices do.
        let mut told = 0;
        // How long a life without a kill takes here, from the start until all is sent: the moments are within twice that, and
        // later after a life in which nothing reached the record: what one life leaves, the next one has to
        // send as well, and this machine may have more to do than it had a moment ago.
        let since = Instant::now();
        let daemon = hub.start_with(&[HURRIED]);
        daemon.wait_for("ready");
        send(&sender, &home.news(0..SENT)).ok();
        hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
        let mut whole = since.elapsed();
        let mut arrived = chart(&record).len();
        daemon.kill_now();
        for life in 0..KILLS {
            let daemon = hub.start_with(&[HURRIED]);
            let spared = random.number() % u64::try_from(2 * whole.as_millis()).unwrap();
            let spared = Duration::from_millis(spared);
            // One in four may not even get ready.
            if random.below(4) == 0 {
                at_start += 1;
                std::thread::park_timeout(spared);
                daemon.kill_now();
                continue;
            }
            daemon.wait_for("ready");
            let (to, news) = ((life + 1) * SENT, home.news(told..(life + 1) * SENT));
            std::thread::scope(|scope| {
                let sent = scope.spawn(|| send(&sender, &news).code == 0);
                std::thread::park_timeout(spared);
                daemon.kill_now();
                if sent.join().unwrap() {
                    told = to;
                }
            });
            match chart(&record).len() {
                none if none == arrived => whole += whole / 4,
                more => arrived = more,
            }
        }
        let before = compare(&home, &chart(&record), str::to_owned);
        let daemon = hub.run_hurried();
        send(&sender, &home.news(told..KILLS * SENT)).ok();
        hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
        assert_eq!(daemon.stop(), 0);
        let found = compare(&home, &chart(&record), str::to_owned);
        println!(
            "{rung}, seed {seed}: {KILLS} kills, {at_start} of them at the start; {} of {} Observations were not there at \
             the last; then {found:?}",
            before.lost,
            home.rows().count()
        );
        assert_eq!(found, Found::default(), "{rung}, seed {seed}");
        assert_eq!((before.doubled, before.wrong), (0, 0), "{rung}, seed {seed}");
        assert!(before.lost * 10 < home.rows().count() * 9, "nothing was sent between the kills: {before:?}");
    }
}
