//! A house with twenty devices for many days, in simulated time: intake, store and uplink are the daemon's own. Three records;
//! one of them is away for a month, and comes back.

use crate::size;
use e2e::home::{Row, measured, told};
use e2e::null::Null;
use e2e::simulated::{Peer, config};
use gateway::clock::simulated::{Simulated, set_to};
use gateway::demo::pki::{self, Pki};
use gateway::simulation::{self, Daemon};
use gateway::tls;
use gateway::uplink::RungChoice;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// 10 March 2026, 08:00 at the home.
const BEGIN: Timestamp = Timestamp::constant(1_773_154_800, 0);
/// Seven hours behind UTC all year.
const ZONE: &str = "America/Phoenix";
const RECORDS: [&str; 3] = ["clinic", "hospital", "study"];
/// Is away for so many days.
const AWAY: usize = 2;
const MONTH: usize = 31;
const DEVICES: usize = 20;
const BUNDLE: usize = 50;
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// However many came before: a reading, its way to three records, and what is remembered of it for ever.
const A_READING: u64 = 12_000;
const EMPTY: u64 = 6 << 20;

/// Gone with its owner; in memory where there is such a place.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = base.join(format!("hearth-year-{}", std::process::id()));
        std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700)
            .create(&folder)
            .unwrap();
        Folder(folder)
    }

    fn octets(&self) -> u64 {
        let files = std::fs::read_dir(&self.0).unwrap();
        let of_store = |name: &str| name.starts_with("hearth.sqlite");
        let files =
            files.map(|file| file.unwrap()).filter(|file| of_store(&file.file_name().to_string_lossy()));
        files.map(|file| file.metadata().unwrap().len()).sum()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

struct House {
    daemon: Daemon,
    peer: Peer,
    clock: Simulated,
    records: [Null; 3],
    away: Rc<Cell<bool>>,
    /// What each record has to have.
    meant: [Vec<Row>; 3],
    frames: Vec<(usize, &'static str, String)>,
    contacts: usize,
}

fn patient(record: usize, device: usize) -> String {
    format!("{}-{}", RECORDS[record], device / 2)
}

impl House {
    fn new(folder: &Folder) -> House {
        let pki_folder = folder.0.join("pki");
        std::fs::create_dir(&pki_folder).unwrap();
        let today = gateway::clock::now();
        let pki = Pki::lasting(&pki_folder, BEGIN.min(today), 20 * 365 * DAY).unwrap();
        let acceptor = tls::server(&pki.files(pki::SERVER), today).unwrap();
        let now = Instant::now();
        let clock =
            Simulated { began: (now, BEGIN), booted: (now, 0), ahead: SignedDuration::ZERO, trusted: true };
        set_to(Some(clock));
        let records = [0, 1, 2].map(|n| Null::unbound(format!("https://localhost:{n}/fhir")));
        let away = Rc::new(Cell::new(false));
        let connections = RefCell::new(JoinSet::new());
        let (is_away, reached) = (Rc::clone(&away), records.clone());
        simulation::set_network(Some(Rc::new(move |_, port| {
            let n = usize::from(port);
            if n == AWAY && is_away.get() {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let (ours, theirs) = tokio::io::duplex(64 << 10);
            let connections = &mut *connections.borrow_mut();
            while connections.try_join_next().is_some() {}
            connections.spawn(reached[n].clone().connection(acceptor.clone(), theirs));
            Ok(ours)
        })));
        let (how, keep) = ((RungChoice::UpdateAsCreate, BUNDLE), SignedDuration::from_hours(24 * 40));
        let config = config(&folder.0, &RECORDS, &pki.files(pki::CLIENT), how, keep);
        let mut daemon = Daemon::start(&config).unwrap();
        let peer = Peer::of(&mut daemon);
        House { daemon, peer, clock, records, away, meant: Default::default(), frames: vec![], contacts: 0 }
    }

    async fn ask(&mut self, request: Value) -> Vec<Value> {
        // A peer that is silent for long is let go.
        self.peer = Peer::of(&mut self.daemon);
        self.ask_on(request).await
    }

    async fn ask_on(&mut self, request: Value) -> Vec<Value> {
        match self.peer.ask(&request).await {
            Some(Ok(rows)) => rows,
            other => panic!("{request}: {other:?}"),
        }
    }

    async fn tell(&mut self, line: Value) -> Vec<Value> {
        self.ask_on(json!({"take": {"line": line.to_string()}})).await
    }

    async fn greet(&mut self, device: usize) {
        self.peer = Peer::of(&mut self.daemon);
        self.contacts += 1;
        let service = if device.is_multiple_of(2) { "1810" } else { "1809" };
        let address = format!("C0:FF:EE:0B:00:{device:02X}");
        self.tell(json!({"met": {"device": "it", "address": address, "services": [service]}})).await;
    }

    async fn say(&mut self, characteristic: &str, hex: &str) -> bool {
        let contact = self.contacts;
        let heard = json!({"heard": {"device": "it", "contact": contact, "characteristic": characteristic, "hex": hex}});
        self.tell(heard).await.iter().any(|row| row["fate"] == "admitted")
    }

    async fn bind(&mut self, device: usize) {
        self.greet(device).await;
        let patients: serde_json::Map<String, Value> =
            (0..3).map(|n| (RECORDS[n].to_owned(), patient(n, device).into())).collect();
        let bind = json!({"bind": {"device": "it", "slot": null, "patient": patients, "zone": ZONE,
            "from": "2020-01-01T00:00:00Z"}});
        self.tell(bind).await;
    }

    /// A device measures, and tells at once.
    async fn measure(&mut self, device: usize) {
        let shown = TimeZone::get(ZONE).unwrap().to_datetime(self.clock.truth());
        let shown = shown.with().subsec_nanosecond(0).build().unwrap();
        let n = self.frames.len();
        let cuff = device.is_multiple_of(2);
        for record in 0..3 {
            let (_, rows) = measured(n, cuff, shown, "-07:00", &patient(record, device));
            self.meant[record].extend(rows);
        }
        let ((characteristic, hex), _) = measured(n, cuff, shown, "-07:00", "");
        self.greet(device).await;
        assert!(self.say(characteristic, &hex).await, "the {n}-th is no reading");
        let contact = self.contacts;
        self.tell(json!({"ended": {"device": "it", "contact": contact, "how": "drained"}})).await;
        self.frames.push((device, characteristic, hex));
    }

    async fn status(&mut self) -> Value {
        self.ask(json!("status")).await.remove(0)
    }

    fn has(&self, record: usize) -> usize {
        self.records[record].came().observations
    }

    /// What a record was told, in order.
    fn chart(&self, record: usize) -> Vec<Row> {
        let bodies = self.records[record].came().bodies.clone();
        let entries = bodies.iter().flat_map(|body| {
            let bundle: Value = serde_json::from_slice(body).unwrap();
            bundle["entry"].as_array().unwrap().clone()
        });
        let resources = entries.map(|entry| entry["resource"].clone());
        resources
            .filter(|resource| resource["resourceType"] == "Observation")
            .map(|resource| told(&resource))
            .collect()
    }
}

#[test]
fn a_record_that_is_away_for_a_month_is_nobody_elses_trouble() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let folder = Folder::new();
    runtime.block_on(live(&folder));
    simulation::set_network(None);
    set_to(None);
}

#[allow(clippy::disallowed_methods, reason = "what a run takes is told, and nothing depends on it")]
async fn live(folder: &Folder) {
    // They measure on each so-many-th day.
    let (days, leaves, a_day, each) = size((35, 2, 1_u32, 5), (365, 100, 3, 1));
    let returns = leaves + MONTH;
    let began = std::time::Instant::now();
    let mut house = House::new(folder);
    for device in 0..DEVICES {
        house.bind(device).await;
    }
    let (mut slowest, mut at_hand) = (Duration::ZERO, 0);
    for day in 0..days {
        if day == leaves {
            at_hand = house.frames.len();
            house.away.set(true);
        }
        let until = Instant::now() + DAY;
        for _ in (0..a_day).filter(|_| day % each == 0) {
            for device in 0..DEVICES {
                house.measure(device).await;
            }
            sleep(Duration::from_secs(60)).await;
            for record in (0..3).filter(|n| *n != AWAY || !house.away.get()) {
                let meant = house.meant[record].len();
                assert_eq!(house.has(record), meant, "day {day}: the {} waits", RECORDS[record]);
            }
            sleep(DAY / (2 * a_day)).await;
        }
        if day + 1 == returns {
            let status = house.status().await;
            let waits = house.frames.len() - at_hand;
            assert!(waits > 100, "{waits}");
            assert_eq!(status["on_its_way"].as_u64().unwrap() as usize, waits, "{status:#}");
            let said = status["destinations"][AWAY].as_str().unwrap();
            assert!(said.starts_with("study: tried again at "), "{said}");
            assert!(
                status["destinations"].as_array().unwrap()[..AWAY]
                    .iter()
                    .all(|d| d.as_str().unwrap().ends_with("answers"))
            );
            for row in ["parked", "withheld", "unverified", "in_doubt"] {
                assert_eq!(status[row], 0, "{status:#}");
            }
            comes_back(&mut house, waits).await;
        }
        let asked = std::time::Instant::now();
        house.status().await;
        slowest = slowest.max(asked.elapsed());
        tokio::time::sleep_until(until).await;
    }
    for (record, name) in RECORDS.iter().enumerate() {
        let (mut chart, mut meant) = (house.chart(record), house.meant[record].clone());
        chart.sort();
        meant.sort();
        assert!(chart == meant, "{name}: {} came, {} were meant", chart.len(), meant.len());
    }
    let readings = house.frames.len();
    // A cuff tells again what it still has; most of it was let go here long ago.
    let sent = [0, 1, 2].map(|record| house.has(record));
    house.greet(0).await;
    for (_, characteristic, hex) in house.frames.clone().iter().filter(|(device, ..)| *device == 0) {
        assert!(!house.say(characteristic, hex).await, "a reading of last year is new");
    }
    sleep(DAY).await;
    assert_eq!([0, 1, 2].map(|record| house.has(record)), sent);
    println!(
        "year: {days} days, {readings} readings of {DEVICES} devices to 3 records, one away for {MONTH} days; store {} octets, \
         slowest status {slowest:?}, {:?}",
        folder.octets(),
        began.elapsed()
    );
    let most = EMPTY + A_READING * readings as u64;
    assert!(folder.octets() < most, "{} octets", folder.octets());
    house.daemon.kill().await;
}

/// It answers again, just when somebody measures: that goes first, then all that waits.
async fn comes_back(house: &mut House, waits: usize) {
    let before = house.records[AWAY].came().bodies.len();
    sleep(Duration::from_secs(60)).await;
    house.measure(0).await;
    let fresh = house.meant[AWAY].last().unwrap().clone();
    house.away.set(false);
    // Its next try is five minutes away at the most.
    sleep(Duration::from_secs(600)).await;
    assert_eq!(house.has(AWAY), house.meant[AWAY].len(), "{waits} wait, and are not drained");
    let bundle: Value = serde_json::from_slice(&house.records[AWAY].came().bodies[before]).unwrap();
    let first = bundle["entry"].as_array().unwrap().iter().any(|entry| {
        let resource = &entry["resource"];
        resource["resourceType"] == "Observation" && told(resource) == fresh
    });
    assert!(first, "what was just measured waits behind {waits}");
}
