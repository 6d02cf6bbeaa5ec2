//! A neighbour's devices broadcast 500 times a second, for a minute or an hour. None of it is anybody's here.
//!
//! They come one after the other as fast as the hub takes them, so that what each costs is seen, and not how long nobody spoke.

use crate::{middle_and_longest, size};
use e2e::home::{Home, compare, told};
use e2e::{Source, World};
use gateway::demo::record::{Behaviour, Record};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const A_SECOND: usize = 500;
/// Each so many broadcasts the household's own cuff has something to say.
const BETWEEN: usize = 250;
/// However long it lasts: what a hundred strangers leave, and their log.
const MOST: u64 = 2 << 20;

/// Mi Scale: unit and state, weight in steps of 5 g, time.
fn weighing(n: usize) -> String {
    let [low, high] = u16::try_from(10_000 + n % 20_000).unwrap().to_le_bytes();
    format!(
        "22{low:02X}{high:02X}E80706{:02X}{:02X}{:02X}{:02X}",
        1 + n % 28,
        n / 3_600 % 24,
        n / 60 % 60,
        n % 60
    )
}

fn heard(device: &str, contact: usize, n: usize) -> Value {
    json!({"heard": {"device": device, "contact": contact, "characteristic": "adv:181D", "hex": weighing(n),
        "link": "broadcast"}})
}

/// What one broadcast comes to, in lines.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Another address each time, of a device that no profile knows.
    Nameless,
    /// Another address each time, of a scale that one does.
    Scales,
    /// One scale, another weight each time.
    Weighs,
    /// One scale that says the same again and again.
    Repeats,
}

/// Of another maker than any device of the home: after 154 000 of them one had the address of its thermometer.
fn met(device: &str, n: usize, name: &str) -> Value {
    let [high, middle, low] = [n >> 16 & 0xFF, n >> 8 & 0xFF, n & 0xFF];
    json!({"met": {"device": device, "address": format!("C1:FF:EE:{high:02X}:{middle:02X}:{low:02X}"),
        "name": name, "services": ["181D"]}})
}

impl Manner {
    /// `true`: kept.
    fn broadcast(self, source: &mut Source, n: usize) -> bool {
        let (device, contact) = match self {
            Manner::Nameless | Manner::Scales => {
                let device = format!("{self:?} {n}");
                let name = if matches!(self, Manner::Scales) { "MI_SCALE" } else { "Somebody's" };
                let address = n + if matches!(self, Manner::Scales) { 0x80_0000 } else { 0 };
                source.tell(&met(&device, address, name)).expect("what is met is no error");
                (device, 1)
            }
            Manner::Weighs => ("weighs".to_owned(), n / 1_000),
            Manner::Repeats => {
                return source.tell(&heard("repeats", 1, 1)).is_ok_and(|rows| !rows.is_empty());
            }
        };
        source.tell(&heard(&device, contact, n)).is_ok()
    }
}

fn chart(record: &Record) -> Vec<e2e::home::Row> {
    let all = record.all("Observation").into_iter();
    all.filter_map(|(_, versions)| versions.last()?.resource.as_ref().map(told)).collect()
}

#[test]
fn a_neighbour_neither_fills_the_store_nor_keeps_anybody_waiting() {
    let world = World::new("neighbour");
    let record = world.record(Behaviour::default());
    let hub = world.hub(&[("clinic", &record)]);
    let broadcasts = A_SECOND * size(8, 3_600);
    let home = Home::new(90, (broadcasts / BETWEEN).min(1_000));
    let daemon = hub.run();
    let (mut neighbour, mut own) = (hub.source(), hub.source());
    neighbour.tell(&met("weighs", 0xFF_0001, "MI_SCALE")).unwrap();
    neighbour.tell(&met("repeats", 0xFF_0002, "MI_SCALE")).unwrap();
    let lines = home.news(0..home.rows().count().min(broadcasts / BETWEEN).min(1_000));
    let mut lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).peekable();
    // Who is met and whose they are; then what they measured.
    while let Some(line) = lines.next_if(|line| line.get("heard").is_none()) {
        own.tell(&line).unwrap();
    }
    let (mut kept, mut waited, mut sizes) = (0, vec![], vec![]);
    for manner in [Manner::Nameless, Manner::Scales, Manner::Weighs, Manner::Repeats] {
        let (cpu, since) = (daemon.used().cpu, Instant::now());
        let mut for_cuff = Duration::ZERO;
        for n in 0..broadcasts / 4 {
            kept += usize::from(manner.broadcast(&mut neighbour, n));
            if n % BETWEEN == 0 {
                let asked = Instant::now();
                if let Some(line) = lines.next() {
                    own.tell(&line).unwrap();
                    waited.push(asked.elapsed());
                    for_cuff += asked.elapsed();
                }
            }
        }
        let used = daemon.used();
        let each = |time: Duration| time.as_secs_f64() * 1e6 / (broadcasts / 4) as f64;
        sizes.push(hub.stored());
        println!(
            "neighbour, {manner:?}: {} broadcasts, {:.0} us of CPU and {:.0} us each, store {} octets, {:.1} MB resident",
            broadcasts / 4,
            each(used.cpu - cpu),
            each(since.elapsed() - for_cuff),
            hub.stored(),
            used.resident as f64 / 1e6
        );
    }
    for line in lines {
        own.tell(&line).unwrap();
    }
    let (middle, longest) = middle_and_longest(waited);
    println!(
        "neighbour: {kept} of {broadcasts} broadcasts kept; the cuff waited {middle:?}, at most {longest:?}"
    );
    hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
    let status = hub.json(&["status"]);
    assert_eq!(daemon.stop(), 0);
    assert_eq!(compare(&home, &chart(&record), str::to_owned), Default::default());
    assert!(kept <= 110, "{kept} are kept of what strangers broadcast: {status:#}");
    assert!(status["strangers_not_kept"].as_u64().unwrap() as usize >= broadcasts / 2, "{status:#}");
    assert!(sizes[3] < sizes[0] + MOST, "the store grows: {sizes:?}");
    assert!(middle < Duration::from_millis(250), "the cuff waits {middle:?}");
}
