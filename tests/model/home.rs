//! A home, its hub and two records in one thread. The hub is the daemon's own code; what it hears and who it is told
//! by goes over its control requests, as a tool and a person send them.
//!
//! Long because everything that may happen touches the same small world; each is a few lines.
//!
//! What is true is written down here as it happens, and the hub is never asked for it.

use crate::promises::UNCOMPARED;
use crate::words::{Trouble, Who, Word};
use e2e::disk::folder::{Folder, LOG};
use e2e::disk::vfs::Mount;
use e2e::disk::{Disk, Fault as DiskFault, Left, Random};
use e2e::simulated::{Peer, config};
use gateway::clock::simulated::{Simulated, set_to};
use gateway::config::Config;
use gateway::demo::pki::{self, Pki};
use gateway::demo::record::{Behaviour, Canned, Fault, Record};
use gateway::simulation::{self, Daemon};
use gateway::tls;
use gateway::uplink::RungChoice;
use jiff::{SignedDuration, Timestamp, ToSpan, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;

/// Where a home may be. The first has one offset all year.
pub(crate) const ZONES: [&str; 3] = ["America/Phoenix", "America/Denver", "America/New_York"];
/// When a life may begin, and that in words: on no special day; hours before an hour is skipped, or comes twice, in the
/// second zone and the third.
pub(crate) const BEGINS: [(Timestamp, &str); 3] = [
    (Timestamp::constant(1_773_154_800, 0), "on 10 March 2026"),
    (Timestamp::constant(1_772_946_000, 0), "on 7 March 2026, in the evening before an hour is skipped"),
    (Timestamp::constant(1_793_502_000, 0), "on 31 October 2026, in the evening before an hour comes twice"),
];
/// Of the rungs the one on which nothing but the hub's own ledger knows what is there.
pub(crate) const PLAIN: usize = 3;
/// Delivered readings stay so long, so that some are let go while devices tell them again.
const KEEP: SignedDuration = SignedDuration::from_hours(36);

/// A hub without a time looks for it every five seconds.
const LOOKS: Duration = Duration::from_secs(10);
/// One whose disk was full tries it again after five minutes.
const FULL: Duration = Duration::from_secs(310);

/// Between neighbours that leave no more than this, a boot without a time of its own is dated.
const LOOSELY: SignedDuration = SignedDuration::from_mins(5);

pub(crate) struct Kind {
    pub(crate) name: &'static str,
    service: &'static str,
    characteristic: &'static str,
    /// LOINC codes of what becomes of it.
    pub(crate) codes: &'static [&'static str],
}

pub(crate) const CUFF: usize = 0;
pub(crate) const METER: usize = 1;
pub(crate) const SCALE: usize = 2;

pub(crate) const DEVICES: [Kind; 3] = [
    Kind { name: "cuff", service: "1810", characteristic: "2A35", codes: &["85354-9"] },
    Kind {
        name: "meter",
        service: "1808",
        characteristic: "2A18",
        codes: &["2339-0", "15074-8", "14743-9", "41653-7"],
    },
    Kind { name: "scale", service: "181D", characteristic: "2A9D", codes: &["29463-7"] },
];

pub(crate) const RECORDS: [&str; 2] = ["clinic", "hospital"];

/// Whose record that is, by its logical id there. Ben has none at the hospital.
pub(crate) fn patient(record: usize, who: Who) -> Option<&'static str> {
    match (record, who) {
        (0, Who::Ada) => Some("clinic-ada"),
        (0, Who::Ben) => Some("clinic-ben"),
        (1, Who::Ada) => Some("hospital-ada"),
        _ => None,
    }
}

/// How the records of one case differ, and how wrong the cuff's clock is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) rung: usize,
    pub(crate) cuff_ahead: i64,
    /// Of [`BEGINS`].
    pub(crate) begins: usize,
    /// Of [`ZONES`].
    pub(crate) zone: usize,
    /// Somebody sets the cuff when the offset of its zone changes; the other devices always are.
    pub(crate) cuff_is_set: bool,
    /// There is a second hub. It does not fail, and records are written by their id.
    pub(crate) two_hubs: bool,
}

/// One measurement, as the person who took it knows it.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) device: usize,
    pub(crate) at: Timestamp,
    pub(crate) who: Who,
    /// A digit or two that tell it from others: mmHg, mg/dL, or steps of 5 g.
    pub(crate) value: u16,
    /// What its device's clock showed.
    shown: DateTime,
    frames: Vec<(&'static str, Vec<u8>)>,
    /// How many of its frames the hub has confirmed: the device has forgotten those.
    pub(crate) confirmed: usize,
    /// The one instant that its words mean where its device is; `None`: none, or two.
    pub(crate) stated: Option<Timestamp>,
    /// Whose it was said to be, wrongly.
    pub(crate) was: Vec<Who>,
    /// How the hub was told of it, and the one beside it.
    pub(crate) told: [Option<Told>; 2],
    pub(crate) taken_back: Option<TakenBack>,
    /// How often something was taken back, and issued anew, that may be this.
    pub(crate) untraced: usize,
    /// It was long delivered when it turned out whose it is: the hub need not know it any more.
    pub(crate) forgotten: bool,
}

impl Measured {
    pub(crate) fn told(&self) -> impl Iterator<Item = Told> + Clone {
        self.told.into_iter().flatten()
    }
}

/// How a hub was told of a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// For the first time.
    pub(crate) at: Timestamp,
    /// Once at least, while its clock was believed and the hub had looked at it.
    pub(crate) in_time: bool,
    /// Each time, in a boot whose first time was right.
    pub(crate) rightly: bool,
    /// When the device had told it all before that, beside a clock that was believed.
    drained: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct TakenBack {
    /// How often it was issued.
    pub(crate) issues: usize,
    /// Whether one stands. `None`: a power cut came between, and nobody knows.
    pub(crate) stands: Option<bool>,
}

/// A second hub in the house.
struct Beside {
    folder: Folder,
    disk: Disk,
    mount: Option<Mount>,
    daemon: Option<Daemon>,
    config: Config,
}

impl Beside {
    fn start(&mut self) {
        self.mount = Some(self.folder.mount(&self.disk));
        self.daemon = Daemon::start(&self.config).ok();
    }

    async fn kill(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.kill().await;
        }
        self.mount = None;
    }
}

#[derive(Default)]
struct Net {
    records: Vec<Record>,
    connections: [JoinSet<()>; 2],
    refuse: [usize; 2],
    down: [bool; 2],
}

type Files = (Pki, TlsAcceptor, std::path::PathBuf);

thread_local! {
    /// One for each run: keys cost more than cases.
    static FILES: Rc<Files> = {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let nth = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("hearth-model-{}-{nth}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let now = gateway::clock::now();
        let life = Duration::from_secs(20 * 365 * 24 * 3_600);
        let pki = Pki::lasting(&folder, BEGINS[1].0.min(now), life).unwrap();
        let acceptor = tls::server(&pki.files(pki::SERVER), now).unwrap();
        Rc::new((pki, acceptor, folder))
    };
}

/// Takes the throw-away certificates of this run away.
pub(crate) fn tidy_up() {
    _ = std::fs::remove_dir_all(&FILES.with(Rc::clone).2);
}

pub(crate) struct Home {
    case: Case,
    folder: Folder,
    disk: Disk,
    mount: Option<Mount>,
    daemon: Option<Daemon>,
    config: Config,
    clock: Simulated,
    net: Rc<RefCell<Net>>,
    random: Random,
    /// What is left when the power goes, once it is cut at a call of the disk.
    armed: Option<Left>,
    full: bool,
    contacts: u64,
    beside: Option<Beside>,
    /// Who is talked to: the hub, or the one beside it.
    with_beside: bool,
    /// The first time that this boot believed is wrong. `None`: it has none yet.
    first_is_wrong: Option<bool>,
    believed_since: Instant,
    /// Boots whose first time was wrong, and when the cuff was compared in which boot.
    wrong_boots: BTreeSet<u32>,
    compared: Vec<(Timestamp, u32)>,
    /// Since when the hub has surely looked at a clock that is believed now. A power cut before leaves it without that boot's
    /// time.
    looked: Instant,
    /// Since when the clock was wrong, and believed, for the first time.
    pub(crate) deceived: Option<Timestamp>,
    /// Words of people that may leave what was given in doubt: whose it was, and where.
    pub(crate) corrected: bool,
    /// By what the clock was wrong while it was believed.
    pub(crate) wrong_by: Vec<SignedDuration>,
    /// Times at which what was under way to a record may have arrived without the hub knowing, beside those that the record
    /// counts.
    pub(crate) doubts: [usize; 2],
    pub(crate) measured: Vec<Measured>,
    /// From when on a device is whose, and in which zone, in order.
    pub(crate) worn: [Vec<(Timestamp, Who, usize)>; 3],
    /// Who was ever said to have a device, rightly or not.
    pub(crate) had: [BTreeSet<Who>; 3],
    /// When the cuff had told this hub all, beside a clock that was believed; and never the one beside it.
    drained: [Timestamp; 2],
    /// From when on the home is in which zone.
    pub(crate) moved: Vec<(Timestamp, usize)>,
    /// What clinicians wrote: record, id, number of the version.
    pub(crate) clinicians: BTreeSet<(usize, String, u64)>,
    /// By the hub's row.
    retracted: BTreeSet<i64>,
    /// What was seen to be wrong at once.
    pub(crate) wrong: Vec<String>,
}

impl Home {
    pub(crate) async fn new(case: Case, seed: u64) -> Home {
        let files = FILES.with(Rc::clone);
        let (pki, acceptor, _) = &*files;
        let folder = Folder::new();
        let now = Instant::now();
        let begin = BEGINS[case.begins].0;
        let clock =
            Simulated { began: (now, begin), booted: (now, 0), ahead: SignedDuration::ZERO, trusted: true };
        set_to(Some(clock));
        let behaviour = match case.rung {
            0 => Behaviour::default(),
            1 => Behaviour { update_create: false, conditional: true, ..Behaviour::default() },
            2 => Behaviour { update_create: false, searched: true, ..Behaviour::default() },
            _ => Behaviour { update_create: false, ..Behaviour::default() },
        };
        let record = |n: usize| {
            let record = Record::unbound(&format!("localhost:{n}"), acceptor.clone(), behaviour.clone());
            for who in [Who::Ada, Who::Ben] {
                patient(n, who).map(|id| record.write(json!({"resourceType": "Patient", "id": id})));
            }
            if case.rung == PLAIN {
                record.script(|seen| match seen.method == "GET" && seen.path.contains('?') {
                    true => Fault::Answer(Canned::outcome(403, "forbidden", "nobody may search")),
                    false => Fault::Pass,
                });
            }
            record
        };
        let net = Rc::new(RefCell::new(Net { records: vec![record(0), record(1)], ..Net::default() }));
        let reached = Rc::clone(&net);
        simulation::set_network(Some(Rc::new(move |_, port| {
            let net = &mut *reached.borrow_mut();
            let n = usize::from(port);
            if net.down[n] || net.refuse[n] > 0 {
                net.refuse[n] = net.refuse[n].saturating_sub(1);
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let (ours, theirs) = tokio::io::duplex(64 << 10);
            while net.connections[n].try_join_next().is_some() {}
            net.connections[n].spawn(net.records[n].clone().talk(theirs));
            Ok(ours)
        })));
        // What may be there twice is told while its row is kept.
        let keep = if case.rung == PLAIN { KEEP * 1_000 } else { KEEP };
        let how = (RungChoice::Auto, 3);
        let config = config(folder.path(), &RECORDS, &pki.files(pki::CLIENT), how, keep);
        let beside = (case.two_hubs && case.rung == 0).then(|| {
            let folder = Folder::new();
            let (state, socket) = (folder.path().to_owned(), folder.path().join("control.sock"));
            let mut config = Config { state, socket, ..config.clone() };
            // Its own certificate tells its requests from the other hub's.
            let files = pki.files(pki::CLIENT_RENEWED);
            for destination in &mut config.destinations {
                destination.certificate = files.certificate.clone();
                destination.key = files.key.clone();
            }
            Beside { folder, disk: Disk::default(), mount: None, daemon: None, config }
        });
        let mut home = Home {
            case,
            folder,
            disk: Disk::default(),
            mount: None,
            daemon: None,
            config,
            clock,
            net,
            random: Random::new(seed),
            armed: None,
            full: false,
            contacts: 0,
            beside,
            with_beside: false,
            first_is_wrong: Some(false),
            believed_since: now,
            wrong_boots: BTreeSet::new(),
            compared: vec![],
            looked: now,
            deceived: None,
            corrected: false,
            wrong_by: vec![],
            doubts: [0; 2],
            measured: vec![],
            worn: Default::default(),
            had: Default::default(),
            drained: [begin; 2],
            moved: vec![(begin - 24_000.hours(), case.zone)],
            clinicians: BTreeSet::new(),
            retracted: BTreeSet::new(),
            wrong: vec![],
        };
        home.start();
        if let Some(beside) = &mut home.beside {
            beside.start();
        }
        for (device, who) in [(CUFF, Who::Ada), (METER, Who::Ben), (SCALE, Who::Ada)] {
            home.bind(device, who, begin - 24_000.hours()).await;
        }
        home
    }

    pub(crate) fn record(&self, n: usize) -> Record {
        self.net.borrow().records[n].clone()
    }

    // ---- The hub and its machine

    fn start(&mut self) {
        self.mount = Some(self.folder.mount(&self.disk));
        match Daemon::start(&self.config) {
            Ok(daemon) => self.daemon = Some(daemon),
            Err(said) => {
                self.mount = None;
                if self.armed.is_none() && !self.full {
                    self.wrong.push(format!("UNOPENABLE: the hub does not start: {said}"));
                }
            }
        }
    }

    async fn kill(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.kill().await;
        }
        self.mount = None;
    }

    async fn cut(&mut self, left: Left) {
        let at = self.disk.at();
        self.kill().await;
        // What the process did when it closed its file was no more.
        self.disk = self.disk.cut(at, left, &mut self.random);
        self.armed = None;
        self.full = false;
        if let Some(beside) = &mut self.beside {
            let at = beside.disk.at();
            beside.kill().await;
            beside.disk = beside.disk.cut(at, left, &mut self.random);
        }
        self.clock.booted = (Instant::now(), self.clock.booted.1 + 1);
        self.first_is_wrong = self.clock.trusted.then_some(!self.clock.ahead.is_zero());
        if self.first_is_wrong == Some(true) {
            self.wrong_boots.insert(self.clock.booted.1);
        }
        self.believed_since = Instant::now();
        self.looked = Instant::now();
        self.set_clock();
        self.start();
        if let Some(beside) = &mut self.beside {
            beside.start();
        }
    }

    fn set_clock(&self) {
        set_to(Some(self.clock));
    }

    /// What a supervisor does: the hub runs again if it can.
    async fn supervise(&mut self) {
        if let Some(said) = self.beside.as_mut().and_then(|beside| beside.daemon.as_mut()?.ended()) {
            self.wrong.push(format!("BROKEN BY ITSELF: the second hub: {said}"));
        }
        let ended = self.daemon.as_mut().and_then(Daemon::ended);
        if let Some(said) = &ended
            && self.armed.is_none()
            && !self.full
        {
            self.wrong.push(format!("BROKEN BY ITSELF: {said}"));
        }
        match self.armed {
            Some(left) if ended.is_some() || self.daemon.is_none() => self.cut(left).await,
            _ if ended.is_some() => {
                self.kill().await;
                self.start();
            }
            _ if self.daemon.is_none() => self.start(),
            _ => {}
        }
    }

    fn connect(&mut self) -> Option<Peer> {
        let daemon = match self.with_beside {
            true => self.beside.as_mut()?.daemon.as_mut()?,
            false => self.daemon.as_mut()?,
        };
        Some(Peer::of(daemon))
    }

    /// A person asks until the hub has answered, whatever it takes.
    async fn insist(&mut self, request: &Value) -> Result<Vec<Value>, String> {
        for _ in 0..5 {
            self.supervise().await;
            if let Some(mut peer) = self.connect()
                && let Some(answer) = peer.ask(request).await
                && !(self.armed.is_some() && answer.is_err())
            {
                return answer;
            }
            if self.full {
                return Err("the disk is full".into());
            }
            sleep(Duration::from_secs(5)).await;
        }
        Err("no answer".into())
    }

    // ---- What happens

    pub(crate) async fn happens(&mut self, word: &Word) {
        self.supervise().await;
        for (n, doubts) in self.doubts.iter_mut().enumerate() {
            *doubts += match word {
                Word::Kill | Word::Cut { .. } | Word::CutSoon { .. } | Word::DiskFull => 1,
                Word::Outage { record, .. } => usize::from(*record == n),
                _ => 0,
            };
        }
        match *word {
            Word::Measure { device, after, context } => {
                sleep(Duration::from_secs(after.into())).await;
                self.measure(device, context);
            }
            Word::Contact { device, frames } => _ = self.contact(device, frames).await,
            Word::Again { device } => self.again(device).await,
            Word::Pass { seconds } => sleep(Duration::from_secs(seconds.into())).await,
            Word::Kill => {
                self.kill().await;
                self.start();
            }
            Word::Cut { torn, unset } => {
                if unset {
                    self.clock.trusted = false;
                    self.clock.ahead = Timestamp::UNIX_EPOCH.duration_since(self.clock.truth());
                }
                self.cut(if torn { Left::Torn } else { Left::Dropped }).await;
            }
            Word::CutSoon { calls, torn } => {
                self.full = false;
                self.armed = Some(if torn { Left::Torn } else { Left::Dropped });
                self.disk.fail(calls, u64::MAX, DiskFault::Io);
            }
            Word::DiskFull if self.armed.is_none() => {
                self.full = true;
                self.disk.fail(1, u64::MAX, DiskFault::NoRoom);
            }
            Word::DiskFull => {}
            Word::DiskFree => self.free(),
            Word::Trouble { record, trouble: Trouble::Refused, requests } => {
                self.net.borrow_mut().refuse[record] += requests;
            }
            Word::Trouble { record, trouble, requests } => {
                self.record(record).queue((0..requests).map(|_| fault(trouble)));
            }
            Word::Outage { record, begins } => {
                let net = &mut *self.net.borrow_mut();
                net.down[record] = begins;
                if begins {
                    net.connections[record].abort_all();
                }
            }
            Word::ClockJumps { seconds } => {
                // One that was believed for a moment only, nobody may have looked at.
                let none_yet =
                    self.first_is_wrong.is_none() || self.believed_since.elapsed() < Duration::from_secs(10);
                if none_yet {
                    self.wrong_boots.insert(self.clock.booted.1);
                    self.first_is_wrong = Some(true);
                    self.believed_since = Instant::now();
                }
                if !self.clock.trusted {
                    self.looked = Instant::now() + LOOKS;
                }
                self.deceived = self.deceived.or(Some(self.clock.truth()));
                self.clock.trusted = true;
                self.clock.ahead = SignedDuration::from_secs(seconds);
                self.wrong_by.push(self.clock.ahead);
                self.set_clock();
            }
            Word::ClockLost { hours } => {
                // Believed for a moment only, as above.
                if Instant::now() < self.looked {
                    self.first_is_wrong = None;
                }
                self.clock.trusted = false;
                self.clock.ahead = SignedDuration::from_hours(hours);
                self.set_clock();
            }
            Word::ClockSet => self.clock_is_right(),
            Word::Bind { device, who } => {
                self.free();
                // What was taken before the hand-over was taken in an earlier second.
                sleep(Duration::from_secs(1)).await;
                self.bind(device, who, self.second()).await;
            }
            Word::Mistaken { device, who, hours } if self.beside.is_none() => {
                self.free();
                sleep(Duration::from_secs(1)).await;
                let moved = self.moved.last().map_or(Timestamp::MIN, |(since, _)| *since);
                let now = self.second();
                let from = (now - hours.hours()).max(moved);
                for m in
                    self.measured.iter_mut().filter(|m| m.device == device && m.at >= from && m.who != who)
                {
                    m.was.push(m.who);
                    m.who = who;
                    m.forgotten |= self.case.rung != PLAIN && m.told().any(|told| told.at + KEEP <= now);
                }
                self.worn[device].retain(|(since, ..)| *since < from);
                self.corrected = true;
                self.worn[device].push((from, who, self.zone()));
                self.had[device].insert(who);
                self.say_whose(device, who, from).await;
            }
            Word::Correct => self.correct().await,
            Word::Move { zone } if self.moved.last().is_some_and(|(_, is)| *is != zone) => {
                self.free();
                sleep(Duration::from_secs(1)).await;
                let now = self.second();
                self.moved.push((now, zone));
                self.corrected = true;
                for device in 0..DEVICES.len() {
                    let who = self.worn[device].last().map_or(Who::Test, |(_, who, _)| *who);
                    self.bind(device, who, now).await;
                }
            }
            Word::Overheard { device } => self.overheard(device).await,
            Word::Mistaken { .. } | Word::Move { .. } => {}
            Word::TakeBack { .. } if self.beside.is_some() => {}
            Word::TakeBack { nth, anew } => self.take_back(nth, anew).await,
            Word::Clinician { record, nth, deletes } => self.clinician(record, nth, deletes),
        }
        self.supervise().await;
    }

    fn free(&mut self) {
        if self.full {
            self.full = false;
            self.disk.heal();
            // What the hub could not write of its time meanwhile it may try again this late.
            self.looked = self.looked.max(Instant::now() + FULL);
        }
    }

    /// The true time, to the second.
    pub(crate) fn second(&self) -> Timestamp {
        let now = self.clock.truth();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    fn zone(&self) -> usize {
        self.moved.last().map_or(0, |(_, zone)| *zone)
    }

    /// What the clock of a device shows.
    fn shows(&self, device: usize, at: Timestamp) -> DateTime {
        match device {
            CUFF if self.case.cuff_is_set => {
                civil(self.zone(), at + SignedDuration::from_secs(self.case.cuff_ahead))
            }
            CUFF => {
                let begin = BEGINS[self.case.begins].0;
                let offset = zone(self.case.zone).to_offset(begin);
                offset.to_datetime(at + SignedDuration::from_secs(self.case.cuff_ahead))
            }
            _ => civil(self.zone(), at),
        }
    }

    fn clock_is_right(&mut self) {
        if !self.clock.trusted {
            self.believed_since = Instant::now();
            self.looked = Instant::now() + LOOKS;
        }
        self.first_is_wrong = self.first_is_wrong.or(Some(false));
        self.clock.trusted = true;
        self.clock.ahead = SignedDuration::ZERO;
        self.set_clock();
    }

    fn measure(&mut self, device: usize, context: bool) {
        let at = self.second();
        let sequence = u16::try_from(self.measured.len() + 1).unwrap_or(u16::MAX);
        let shown = self.shows(device, at);
        let meant = zone(self.zone()).to_ambiguous_timestamp(shown);
        let stated = if device == CUFF || !meant.is_ambiguous() { Some(at) } else { None };
        let value = 60 + sequence % 100;
        let octets = frames(device, sequence, shown, value, context);
        let who = self.worn[device].last().map_or(Who::Test, |(_, who, _)| *who);
        self.measured.push(Measured {
            device,
            at,
            who,
            value,
            shown,
            frames: octets,
            confirmed: 0,
            stated,
            was: vec![],
            told: [None; 2],
            taken_back: None,
            untraced: 0,
            forgotten: false,
        });
    }

    /// Begins to talk, as every contact does: who it is, and what its clock shows.
    async fn greet(&mut self, device: usize) -> Option<Peer> {
        let kind = &DEVICES[device];
        let mut peer = self.connect()?;
        let address = format!("C0:FF:EE:00:00:{:02}", device + 1);
        let met = json!({"met": {"device": kind.name, "address": address, "services": [kind.service]}});
        peer.take(&met).await?.ok()?;
        if device == CUFF {
            let shows = self.shows(device, self.second());
            let contact = self.contacts;
            let clock =
                json!({"clock": {"device": kind.name, "contact": contact, "shows": shows.to_string()}});
            peer.take(&clock).await?.ok()?;
        }
        Some(peer)
    }

    async fn say(&mut self, peer: &mut Peer, device: usize, frame: &(&str, Vec<u8>)) -> Option<()> {
        let hex: String = frame.1.iter().map(|octet| format!("{octet:02X}")).collect();
        let line = json!({"heard": {
            "device": DEVICES[device].name, "contact": self.contacts, "characteristic": frame.0, "hex": hex,
        }});
        match peer.take(&line).await? {
            Ok(_) => {
                // Where the disk fails, what failed lies there unsynced; who was told what is then seen after the cut.
                let well = self.armed.is_none() && !self.full;
                let disk = match (&self.beside, self.with_beside) {
                    (Some(beside), true) => &beside.disk,
                    _ => &self.disk,
                };
                if well && disk.unsynced(LOG) > 0 {
                    self.wrong.push(format!(
                        "RELEASED EARLY: the {} was told to forget what the disk did not have yet",
                        DEVICES[device].name
                    ));
                }
                Some(())
            }
            Err(said) => {
                if self.armed.is_none() && !self.full {
                    self.wrong.push(format!("NOT TAKEN: the {}'s frame: {said}", DEVICES[device].name));
                }
                None
            }
        }
    }

    /// `true`: the device has nothing more to tell.
    async fn contact(&mut self, device: usize, frames: usize) -> bool {
        self.contacts += 1;
        let Some(mut peer) = self.greet(device).await else { return false };
        if device == CUFF {
            self.compared.push((self.clock.truth(), self.clock.booted.1));
        }
        let waiting: Vec<(usize, usize)> = (0..self.measured.len())
            .filter(|n| self.measured[*n].device == device)
            .flat_map(|n| (self.measured[n].confirmed..self.measured[n].frames.len()).map(move |f| (n, f)))
            .collect();
        let drained = waiting.len() <= frames;
        for (n, at) in waiting.into_iter().take(frames) {
            let frame = self.measured[n].frames[at].clone();
            if self.say(&mut peer, device, &frame).await.is_none() {
                return false;
            }
            self.measured[n].confirmed = at + 1;
            self.was_told(n, at);
        }
        let how = if drained { "drained" } else { "lost" };
        let ended = json!({"ended": {"device": DEVICES[device].name, "contact": self.contacts, "how": how}});
        // A contact in which nothing was said was none.
        let ended = matches!(peer.take(&ended).await, Some(Ok(_)));
        let looked = self.clock.trusted && Instant::now() >= self.looked;
        if device == CUFF && drained && ended && looked {
            self.drained[0] = self.clock.truth();
        }
        drained
    }

    fn was_told(&mut self, n: usize, frame: usize) {
        let (trusted, now) = (self.clock.trusted, self.clock.truth());
        let in_time = frame == 0 && trusted && Instant::now() >= self.looked;
        let rightly = self.is_right();
        let told = &mut self.measured[n].told[usize::from(self.with_beside)];
        *told = Some(match *told {
            None => Told { at: now, in_time, rightly, drained: self.drained[usize::from(self.with_beside)] },
            Some(told) => Told { in_time: told.in_time || in_time, rightly: told.rightly && rightly, ..told },
        });
    }

    async fn overheard(&mut self, device: usize) {
        if self.beside.is_none() {
            return;
        }
        self.contacts += 1;
        self.with_beside = true;
        if let Some(mut peer) = self.greet(device).await {
            for n in
                (0..self.measured.len()).filter(|n| self.measured[*n].device == device).collect::<Vec<_>>()
            {
                for (at, frame) in self.measured[n].frames.clone().iter().enumerate() {
                    if self.say(&mut peer, device, frame).await.is_some() {
                        self.was_told(n, at);
                    }
                }
            }
        }
        self.with_beside = false;
    }

    async fn again(&mut self, device: usize) {
        self.contacts += 1;
        let told = |m: &Measured| m.device == device && m.confirmed == m.frames.len();
        let all: Vec<usize> = (0..self.measured.len()).filter(|n| told(&self.measured[*n])).collect();
        if all.is_empty() {
            return;
        }
        let Some(mut peer) = self.greet(device).await else { return };
        for n in all {
            for frame in self.measured[n].frames.clone() {
                if self.say(&mut peer, device, &frame).await.is_none() {
                    return;
                }
                // What was held until now may be dated by this time.
                let rightly = self.is_right();
                self.measured[n].told[0].iter_mut().for_each(|told| told.rightly &= rightly);
            }
        }
    }

    /// Whether the hub knows the time, in a boot whose first one was right.
    fn is_right(&self) -> bool {
        self.clock.trusted && self.first_is_wrong == Some(false)
    }

    async fn bind(&mut self, device: usize, who: Who, from: Timestamp) {
        // A technician who sees no answer comes again; the hand-over itself has happened.
        let (last, zone) = (self.worn[device].last().copied(), self.zone());
        if last.is_some_and(|(since, was, there)| (was, there) == (who, zone) || since >= from) {
            return;
        }
        self.worn[device].push((from, who, zone));
        self.had[device].insert(who);
        self.say_whose(device, who, from).await;
    }

    async fn say_whose(&mut self, device: usize, who: Who, from: Timestamp) {
        for beside in [false, true] {
            if beside && self.beside.is_none() {
                continue;
            }
            self.with_beside = beside;
            if let Err(said) = self.tell_whose(device, who, from).await {
                self.wrong.push(format!("NOT BOUND: {said}"));
            }
        }
        self.with_beside = false;
    }

    async fn tell_whose(&mut self, device: usize, who: Who, from: Timestamp) -> Result<(), String> {
        let address = format!("C0FFEE0000{:02}", device + 1);
        for _ in 0..4 {
            self.contacts += 1;
            self.supervise().await;
            if self.greet(device).await.is_none() {
                continue;
            }
            let Ok(rows) = self.insist(&json!("devices")).await else { continue };
            let ours = |row: &&Value| row["identity"].as_str().is_some_and(|said| said.contains(&address));
            let Some(row) = rows.iter().find(ours) else { continue };
            let patient: BTreeMap<&str, &str> =
                (0..2).filter_map(|n| Some((RECORDS[n], patient(n, who)?))).collect();
            let request = json!({"bind-add": {
                "device": row["device"], "slot": null, "patient": patient, "zone": ZONES[self.zone()],
                "from": from, "until": null,
                "sole_use_attested_by": "a technician", "labels": [], "instead": true,
            }});
            match self.insist(&request).await {
                Ok(_) => return Ok(()),
                Err(said) if self.armed.is_none() && !self.full => return Err(said),
                Err(_) => {}
            }
        }
        Err("the hub did not answer".into())
    }

    /// What today's bindings say is another's, a person takes back and issues anew.
    async fn correct(&mut self) {
        if self.full {
            return;
        }
        let status = self.status().await;
        for said in status["disputed"].as_array().cloned().unwrap_or_default() {
            let Some(reading) = said.as_str().and_then(|said| said.strip_prefix("reading ")?.parse().ok())
            else {
                continue;
            };
            let list = json!({"outbox-list": {"destination": null, "state": null}});
            let Ok(rows) = self.insist(&list).await else { return };
            let row = rows.iter().find(|row| row["intent"] == "create" && row["reading"] == json!(reading));
            let of = match row.map(|row| row["row"].clone()) {
                Some(row) => self.measured_as(&row).await,
                None => self.any_told(),
            };
            self.retract(reading, &of, true).await;
        }
    }

    /// Which measurement an outbox row is of, by what stands where it was written, else by its time. Several: it is not
    /// written yet, and dated loosely.
    async fn measured_as(&mut self, row: &Value) -> Vec<usize> {
        let shown = self.insist(&json!({"outbox-show": {"row": row}})).await.unwrap_or_default();
        let Some(shown) = shown.first() else { return self.any_told() };
        let record = RECORDS.iter().position(|name| shown["destination"] == *name);
        let receipts = shown["receipts"].as_array().into_iter().flatten();
        let places = receipts.filter_map(|said| said.as_str()?.split_once("Observation/"));
        for (_, id) in places {
            let id: String = id.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            let versions = record.map(|n| self.record(n).history("Observation", &id)).unwrap_or_default();
            let first = versions.first().and_then(|version| version.resource.as_ref());
            let Some((first, device)) = first.and_then(|first| Some((first, kind(first)?))) else { continue };
            let is_it = |m: &Measured| m.device == device && value(first, device) == Some(m.value.into());
            if let Some(n) = self.measured.iter().position(is_it) {
                return vec![n];
            }
        }
        let taken: Option<Timestamp> = shown["taken"].as_str().and_then(|taken| taken.parse().ok());
        let exactly = |m: &Measured| taken.is_some_and(|taken| near(m.at, taken));
        match self.measured.iter().position(exactly) {
            Some(n) => vec![n],
            None => {
                let loosely =
                    |at: Timestamp| taken.is_none_or(|taken| at.duration_since(taken).abs() < LOOSELY);
                let may_be = |n: &usize| self.deceived.is_some() || loosely(self.measured[*n].at);
                self.any_told().into_iter().filter(may_be).collect()
            }
        }
    }

    fn any_told(&self) -> Vec<usize> {
        (0..self.measured.len()).filter(|n| self.measured[*n].told().next().is_some()).collect()
    }

    async fn take_back(&mut self, nth: usize, anew: bool) {
        if self.full {
            return;
        }
        let list = json!({"outbox-list": {"destination": null, "state": null}});
        let Ok(rows) = self.insist(&list).await else { return };
        let mut readings: BTreeMap<i64, i64> = BTreeMap::new();
        for row in rows.iter().filter(|row| row["intent"] == "create") {
            if let (Some(reading), Some(no)) = (row["reading"].as_i64(), row["row"].as_i64())
                && !self.retracted.contains(&reading)
            {
                readings.insert(reading, no);
            }
        }
        if readings.is_empty() {
            return;
        }
        let Some((reading, row)) = readings.into_iter().nth(nth % 8) else { return };
        let of = self.measured_as(&json!(row)).await;
        if of.len() == 1 {
            self.retract(reading, &of, anew).await;
        }
    }

    /// `of`: which measurement it is, or which it may be.
    async fn retract(&mut self, reading: i64, of: &[usize], anew: bool) {
        self.retracted.insert(reading);
        let Some(mut peer) = self.connect() else { return };
        let answer = peer.ask(&json!({"retract": {"reading": reading, "reissue": anew}})).await;
        let stands = match answer {
            Some(Ok(_)) => Some(anew),
            Some(Err(said)) if self.armed.is_none() => {
                self.wrong.push(format!("NOT TAKEN BACK: {said}"));
                return;
            }
            // Nobody knows how far it came.
            _ => None,
        };
        if let [n] = of {
            let m = &mut self.measured[*n];
            let issues = m.taken_back.map_or(1, |t| t.issues) + usize::from(anew);
            m.taken_back = Some(TakenBack { issues, stands });
        } else {
            of.iter().for_each(|n| self.measured[*n].untraced += 1);
        }
    }

    fn clinician(&mut self, n: usize, nth: usize, deletes: bool) {
        let record = self.record(n);
        let current = record.all("Observation").into_iter().filter_map(|(place, versions)| {
            Some((place.1, versions.last()?.number, versions.last()?.resource.clone()?))
        });
        let of_ours = |(.., resource): &(String, u64, Value)| kind(resource).is_some();
        let all: Vec<_> = current.filter(of_ours).collect();
        if all.is_empty() {
            return;
        }
        let (id, number, mut resource) = all[nth % all.len()].clone();
        if deletes {
            record.delete("Observation", &id);
        } else {
            resource["note"] = json!([{"text": "seen by a clinician"}]);
            record.write(resource);
        }
        self.clinicians.insert((n, id, number + 1));
    }

    /// Everything is well again, devices tell what they have, and time passes until nothing moves.
    pub(crate) async fn ends_well(&mut self) {
        if let Some(left) = self.armed {
            self.cut(left).await;
        }
        self.free();
        self.clock_is_right();
        {
            let net = &mut *self.net.borrow_mut();
            net.down = [false; 2];
            net.refuse = [0; 2];
        }
        for n in 0..2 {
            // What is still to go wrong does not.
            self.record(n).forgive();
        }
        self.supervise().await;
        sleep(Duration::from_secs(60)).await;
        for (device, kind) in DEVICES.iter().enumerate() {
            if !self.contact(device, usize::MAX).await {
                self.wrong.push(format!("NOT TAKEN: the {} could not tell all", kind.name));
            }
        }
        let moving = json!("outbox-moving");
        for _ in 0..40 {
            sleep(Duration::from_secs(3_600)).await;
            self.supervise().await;
            self.correct().await;
            let retry = json!({"outbox-retry": {"rows": [], "all": true}});
            _ = self.insist(&retry).await;
            let moves = self.insist(&moving).await;
            let status = self.status().await;
            let some = |what: &str| status[what].as_array().is_some_and(|rows| !rows.is_empty());
            self.with_beside = self.beside.is_some();
            let moves_beside = self.insist(&moving).await;
            self.with_beside = false;
            let quiet =
                [moves, moves_beside].into_iter().all(|moves| moves.is_ok_and(|rows| rows.is_empty()));
            if quiet && !some("waiting") && !some("disputed") {
                return;
            }
        }
        let left = self.insist(&moving).await;
        let status = self.status().await;
        self.wrong.push(format!("NEVER QUIET: {left:?} {status}"));
    }

    pub(crate) async fn status(&mut self) -> Value {
        self.insist(&json!("status")).await.ok().and_then(|rows| rows.first().cloned()).unwrap_or_default()
    }

    /// At which record, of which measurement a person is told that something is to be seen to; and the rows that are parked
    /// because only a person can take back what may be there.
    pub(crate) async fn raised(&mut self) -> (BTreeSet<(usize, usize)>, Vec<Value>) {
        let list = json!({"outbox-list": {"destination": null, "state": null}});
        let (mut raised, mut by_hand) = (BTreeSet::new(), vec![]);
        for row in self.insist(&list).await.unwrap_or_default() {
            let Some(record) = RECORDS.iter().position(|name| row["destination"] == *name) else { continue };
            let Ok(shown) = self.insist(&json!({"outbox-show": {"row": row["row"]}})).await else { continue };
            let Some(shown) = shown.first() else { continue };
            let parked = row["intent"] == "retract"
                && row["state"] == "parked"
                && shown["said"].as_str().is_some_and(|said| said.contains("by hand"));
            if (parked || shown["raised"].is_string())
                && let [n] = self.measured_as(&row["row"]).await[..]
            {
                raised.insert((record, n));
            }
            if parked {
                by_hand.push(row["row"].clone());
            }
        }
        (raised, by_hand)
    }

    /// Whether the clock that stamped it was not set from when its memory was drained until it was told. If it was, it may
    /// have been before the measurement or after (CLINICAL 19). One that never is set may have been, there and back, for all that
    /// a hub knows.
    pub(crate) fn is_steady(&self, m: &Measured, told: Told) -> bool {
        // The hub knows the second in which it asked.
        let from = told.drained.min(m.at) - SignedDuration::from_secs(1);
        // By its own clock, which is what is so; and by the zone's, which is what the hub knows.
        let steady = |ahead| {
            let mut offsets = self.offsets(from, told.at, ahead);
            offsets.dedup();
            offsets.len() <= if self.case.cuff_is_set { 1 } else { 2 }
        };
        m.device != CUFF || steady(self.case.cuff_ahead) && steady(0)
    }

    /// What the cuff's zone was ahead of UTC by a clock that is ahead by that, from then until then: it is set when that says so. A stay sees
    /// one change of its zone at most, so that its first and its last instant tell.
    pub(crate) fn offsets(&self, from: Timestamp, until: Timestamp, ahead: i64) -> Vec<i32> {
        let ahead = SignedDuration::from_secs(ahead);
        let offset = |at: Timestamp| {
            let (_, there) = self.moved.iter().rfind(|(since, _)| *since <= at).copied().unwrap_or_default();
            zone(there).to_offset(at + ahead).seconds()
        };
        let moved = self.moved.iter().map(|(since, _)| *since).filter(|since| (from..=until).contains(since));
        let stays = moved.flat_map(|since| [from.max(since - SignedDuration::from_secs(1)), since]);
        [from].into_iter().chain(stays).chain([until]).map(offset).collect()
    }

    /// Whether the cuff was compared before in a boot that was deceived from its start on: it may seem to have been set since.
    pub(crate) fn is_misled(&self, m: &Measured, told: Told) -> bool {
        let wrongly = |(at, boot): &(Timestamp, u32)| *at <= told.at && self.wrong_boots.contains(boot);
        m.device == CUFF && self.compared.iter().any(wrongly)
    }

    pub(crate) fn cuff_ahead(&self) -> i64 {
        self.case.cuff_ahead
    }

    /// The instants that its stamp means in the zones in which its device was, each with whether the device was there then, or
    /// within the five minutes by which a clock that nobody compared may be off.
    /// In an hour that is skipped, what it means on either side of that.
    pub(crate) fn meanings(&self, m: &Measured) -> Vec<(Timestamp, bool)> {
        let worn = &self.worn[m.device];
        let mut meant = vec![];
        for (n, (from, _, there)) in worn.iter().enumerate() {
            let until = worn.get(n + 1).map_or(Timestamp::MAX, |(until, ..)| *until);
            let stamp = zone(*there).to_ambiguous_timestamp(m.shown);
            for at in [stamp.earlier(), stamp.later()].into_iter().flatten() {
                let near = |edge: Timestamp, by| edge.saturating_add(by).unwrap_or(edge);
                let there = near(*from, -UNCOMPARED)..near(until, UNCOMPARED);
                meant.push((at, there.contains(&at)));
            }
        }
        meant
    }

    /// Whether in the zone of another person, who had the device then, its stamp means a later instant.
    pub(crate) fn means_later(&self, m: &Measured, told: Timestamp) -> bool {
        let worn = &self.worn[m.device];
        let later = |there: usize| {
            let meant = zone(there).to_ambiguous_timestamp(m.shown).later();
            meant.is_ok_and(|at| at > told)
        };
        worn.iter().enumerate().any(|(n, (from, who, there))| {
            let until = worn.get(n + 1).map_or(Timestamp::MAX, |(until, ..)| *until);
            *who != m.who && *from <= told && told < until && later(*there)
        })
    }

    pub(crate) fn began(&self) -> Timestamp {
        BEGINS[self.case.begins].0
    }

    pub(crate) fn has_two_hubs(&self) -> bool {
        self.beside.is_some()
    }

    /// Whether hubs give Observations their ids.
    pub(crate) fn is_by_id(&self) -> bool {
        self.case.rung == 0
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.case.rung == PLAIN
    }

    /// Held records by device, each group with its reason.
    pub(crate) async fn held(&mut self) -> Vec<Value> {
        self.insist(&json!({"held": {"older_than_s": null}})).await.unwrap_or_default()
    }

    pub(crate) async fn device_rows(&mut self) -> Vec<Value> {
        self.insist(&json!("devices")).await.unwrap_or_default()
    }

    pub(crate) async fn end(mut self) {
        self.kill().await;
        if let Some(mut beside) = self.beside.take() {
            beside.kill().await;
        }
        simulation::set_network(None);
        set_to(None);
    }
}

/// Which device an observation is of.
pub(crate) fn kind(observation: &Value) -> Option<usize> {
    let codings = observation["code"]["coding"].as_array()?;
    let is = |kind: &Kind| codings.iter().any(|c| kind.codes.iter().any(|code| c["code"] == *code));
    DEVICES.iter().position(is)
}

/// The number that tells one measurement from the others.
pub(crate) fn value(observation: &Value, device: usize) -> Option<u64> {
    let diastolic = |component: &&Value| component.to_string().contains("\"8462-4\"");
    let quantity = match device {
        CUFF => &observation["component"].as_array()?.iter().find(diastolic)?["valueQuantity"],
        _ => &observation["valueQuantity"],
    };
    let value = quantity["value"].to_string();
    let (whole, rest) = value.split_once('.').unwrap_or((&value, ""));
    whole.parse().ok().filter(|_| rest.bytes().all(|digit| digit == b'0'))
}

pub(crate) fn near(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).abs() <= SignedDuration::from_secs(3)
}

fn zone(n: usize) -> &'static TimeZone {
    static FOUND: LazyLock<Vec<TimeZone>> = LazyLock::new(|| {
        ZONES.iter().map(|name| TimeZone::get(name).expect("the zones are compiled in")).collect()
    });
    &FOUND[n]
}

fn civil(in_zone: usize, at: Timestamp) -> DateTime {
    let shown = zone(in_zone).to_datetime(at);
    shown.with().subsec_nanosecond(0).build().expect("whole seconds are a time")
}

/// GATT Specification Supplement: Date Time.
fn stamp(at: DateTime) -> Vec<u8> {
    let mut octets = at.year().to_le_bytes().to_vec();
    octets.extend([at.month(), at.day(), at.hour(), at.minute(), at.second()].map(|n| n as u8));
    octets
}

/// GATT Specification Supplement: Blood Pressure Measurement, Glucose Measurement and its context, Weight Measurement.
fn frames(
    device: usize,
    sequence: u16,
    at: DateTime,
    value: u16,
    context: bool,
) -> Vec<(&'static str, Vec<u8>)> {
    let mut octets = vec![];
    match device {
        CUFF => {
            octets.push(0x02);
            for mmhg in [value + 60, value, value + 20] {
                octets.extend(mmhg.to_le_bytes());
            }
            octets.extend(stamp(at));
        }
        METER => {
            octets.push(if context { 0x12 } else { 0x02 });
            octets.extend(sequence.to_le_bytes());
            octets.extend(stamp(at));
            // kg/L: milligrams per decilitre times ten to the minus fifth.
            octets.extend((0xB000 | value).to_le_bytes());
            octets.push(0x11);
        }
        _ => {
            octets.push(0x02);
            octets.extend((value * 200).to_le_bytes());
            octets.extend(stamp(at));
        }
    }
    let mut all = vec![(DEVICES[device].characteristic, octets)];
    if device == METER && context {
        all.push(("2A34", [&[0x02][..], &sequence.to_le_bytes(), &[0x02]].concat()));
    }
    all
}

fn fault(trouble: Trouble) -> Fault {
    match trouble {
        Trouble::CutBefore | Trouble::Refused => Fault::CutBefore,
        Trouble::CutAfter => Fault::CommitThenCut,
        Trouble::HalfAnswer => Fault::HalfAnswer,
        Trouble::Stall => Fault::Delay(Arc::new(Notify::new())),
        Trouble::Busy => Fault::Answer(Canned::page(503, "busy").header("retry-after", "30")),
        Trouble::TooMany => Fault::Answer(Canned::outcome(429, "throttled", "slower")),
        Trouble::Broken => Fault::Answer(Canned::outcome(500, "exception", "broken")),
        Trouble::Conflict => Fault::Answer(Canned::outcome(409, "conflict", "again")),
        Trouble::Page => Fault::Answer(Canned::page(200, "<html>log in</html>")),
    }
}
