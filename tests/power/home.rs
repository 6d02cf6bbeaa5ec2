//! A hub, and the home around it.
//!
//! The hub is the store alone, driven as intake and uplink drive it. What happens outside is written down with the
//! disk's step at which it happened, so that a cut at any step finds the outside as it was.

use crate::outside::{BEGIN, Event, Outside};
use e2e::disk::folder::{Folder, LOG};
use e2e::disk::vfs::Mount;
use e2e::disk::{Disk, Random};
use gateway::store::{
    Attempt, Consignment, DestinationFacts, DestinationNo, Receipt, Seal, Settlement, Store, StoreError,
};
use hearth_core::admit::{End, News};
use hearth_core::capture::{Capture, DeviceNo, Key, Link, Uuid16};
use hearth_core::identity::{
    Address, AddressKind, Attested, Binding, Facts, Labels, Permission, Revision, Who, Window,
};
use hearth_core::parcel::Subject;
use hearth_core::profile::Catalog;
use hearth_core::reading::{Issue, Version};
use hearth_core::when::{Anchor, AnchorSource, HubTicks, Span, ZoneName};
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::sync::OnceLock;

/// Why a step was not done.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The store said so. The daemon ends, and a supervisor starts it again.
    Store(StoreError),
    Open(String),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stop::Store(error) => error.fmt(f),
            Stop::Open(said) => f.write_str(said),
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Stop {
        Stop::Store(error)
    }
}

/// The hub, and the home around it.
pub(crate) struct Home<'a> {
    folder: &'a Folder,
    pub(crate) disk: Disk,
    mount: Option<Mount>,
    store: Option<Store>,
    outside: Outside,
    events: Vec<(usize, Event)>,
    before: Outside,
    now: HubTicks,
    started: i64,
    device: DeviceNo,
    clinic: DestinationNo,
    /// Acknowledged while what it is about was not on the medium.
    pub(crate) released_early: usize,
}

impl<'a> Home<'a> {
    pub(crate) fn new(folder: &'a Folder, records: usize, random: &mut Random) -> Home<'a> {
        Home::with(folder, Disk::default(), Outside::new(records, random))
    }

    pub(crate) fn with(folder: &'a Folder, disk: Disk, outside: Outside) -> Home<'a> {
        // The store makes its file anew where SQLite's disk has none: for SQLite that is the same.
        Home {
            folder,
            disk,
            mount: None,
            store: None,
            before: outside.clone(),
            started: outside.seconds,
            outside,
            events: vec![],
            now: HubTicks { boot: hearth_core::when::BootNo(0), ms: 0 },
            device: DeviceNo(0),
            clinic: DestinationNo(0),
            released_early: 0,
        }
    }

    /// The outside as it was when the disk was there.
    pub(crate) fn outside_at(&self, at: usize) -> Outside {
        let mut outside = self.before.clone();
        outside.boots = self.outside.boots;
        self.events.iter().filter(|(when, _)| *when <= at).for_each(|(_, event)| outside.happen(event));
        outside
    }

    pub(crate) fn outside(&self) -> &Outside {
        &self.outside
    }

    fn happens(&mut self, event: Event) {
        self.outside.happen(&event);
        self.events.push((self.disk.at(), event));
    }

    /// Somebody is told: what was committed must be on the medium.
    fn told(&mut self, event: Event) {
        self.released_early += usize::from(self.disk.unsynced(LOG) > 0);
        self.happens(event);
    }

    fn utc(&self) -> Timestamp {
        BEGIN + SignedDuration::from_secs(self.outside.seconds)
    }

    fn pass(&mut self, seconds: i64) {
        self.happens(Event::Clock(self.outside.seconds + seconds));
        self.now.ms = (self.outside.seconds - self.started) * 1_000;
    }

    pub(crate) fn store(&mut self) -> &mut Store {
        self.store.as_mut().expect("the hub runs")
    }

    /// The process is gone; the disk is as it is.
    pub(crate) fn stop(&mut self) {
        self.store = None;
        self.mount = None;
    }

    /// The machine boots, the daemon starts: all that it does before it hears anything.
    pub(crate) fn start(&mut self) -> Result<(), Stop> {
        self.mount = Some(self.folder.mount(&self.disk));
        static CATALOG: OnceLock<Catalog> = OnceLock::new();
        let catalog = CATALOG.get_or_init(Catalog::standard).clone();
        let opened =
            Store::open(self.folder.path(), catalog, Seal::Clear).map_err(|e| Stop::Open(e.to_string()))?;
        assert_eq!(opened.set_aside, None, "the file is damaged");
        let mut store = opened.store;
        self.outside.boots += 1;
        self.started = self.outside.seconds;
        let boot = store.begin_boot(&format!("boot {}", self.outside.boots))?;
        self.now = HubTicks { boot, ms: 0 };
        store.take(&News::Booted, self.now)?;
        let near = SignedDuration::from_millis(500);
        let utc = Span { earliest: self.utc() - near, latest: self.utc() + near };
        store.take(
            &News::HubTime(Anchor { at: self.now, utc, source: AnchorSource::Synchronised }),
            self.now,
        )?;
        let facts = DestinationFacts { name: "clinic".into(), cleared: Labels::default() };
        store.set_destinations(&[facts])?;
        self.clinic = store.destination("clinic")?;
        self.store = Some(store);
        self.set_up()
    }

    /// What a technician does, as often as it takes.
    fn set_up(&mut self) -> Result<(), Stop> {
        let (clinic, now) = (self.clinic, self.now);
        let store = self.store();
        let address = Address { octets: [0xAA, 0xBB, 0xCC, 0, 0, 1], kind: AddressKind::Public };
        let facts = Facts { address: Some(address), services: [0x1808].into(), ..Facts::default() };
        let device = store.meet(&facts, now)?;
        let ada = store.person_for(clinic, &Subject { id: "ada-1".into(), identifier: None }, None)?;
        if store.permission_of(ada, clinic)?.is_none() {
            let window = Window { from: BEGIN - 24_000.hours(), until: None };
            let permission = Permission { order: window, consent: window, revision: Revision(0) };
            store.permit(ada, clinic, &permission)?;
        }
        if store.bindings()?.is_empty() {
            let binding = Binding {
                device,
                slot: None,
                who: Who::Person(ada),
                from: BEGIN - 24_000.hours(),
                until: None,
                zone: ZoneName::parse("UTC"),
                sole_use: Some(Attested { by: "technician".into() }),
                shared: false,
                labels: Labels::default(),
                revision: Revision(0),
            };
            store.bind(vec![binding], "test", "technician", now)?;
        }
        self.device = device;
        Ok(())
    }

    /// A contact: the meter sends what it still has, oldest first, so many records; and one that it was told to
    /// forget, since meters do that, too.
    fn contact(&mut self, records: usize, again: Option<usize>) -> Result<(), Stop> {
        let (device, now) = (self.device, self.now);
        let contact = self.store().next_contact(device, Link::Bonded, now)?;
        let left: Vec<usize> = (0..self.outside.meter.len())
            .filter(|n| !self.outside.meter[*n].confirmed || !self.outside.meter[*n].context_confirmed)
            .collect();
        let drained = left.len() <= records;
        for record in again.into_iter().chain(left.into_iter().take(records)) {
            let stored = self.outside.meter[record].clone();
            let frames = [(false, Some(stored.measurement)), (true, stored.context)];
            for (context, octets) in frames {
                let Some(octets) = octets else { continue };
                let characteristic =
                    if context { Uuid16::GLUCOSE_MEASUREMENT_CONTEXT } else { Uuid16::GLUCOSE_MEASUREMENT };
                let now = self.now;
                let origin = self.store().origin();
                let octets = octets.into();
                let capture =
                    Capture { device, contact, link: Link::Bonded, origin, at: now, characteristic, octets };
                self.store().take(&News::Heard(capture), now)?.release();
                self.told(Event::Confirmed { record, context });
            }
        }
        let end = if drained { End::Drained } else { End::Lost };
        let now = self.now;
        self.store().take(&News::Ended(device, contact, end), now)?.release();
        Ok(())
    }

    fn due(&mut self) -> Result<(), Stop> {
        let now = self.now;
        self.store().take(&News::Due, now)?.release();
        Ok(())
    }

    /// What is due is sent. `answered`: whether the answer to each comes back.
    fn deliver(&mut self, limit: usize, mut answered: impl FnMut() -> bool) -> Result<usize, Stop> {
        let (clinic, utc) = (self.clinic, self.utc());
        let due = self.store().due(clinic, utc, limit)?;
        let attempts: Vec<Attempt> = due.iter().map(attempt).collect();
        let started = self.store().start(&attempts, utc)?;
        let mut settled = 0;
        for (consignment, attempt) in due.iter().zip(attempts) {
            if !started.contains(&consignment.row) {
                continue;
            }
            let parcel = &consignment.parcel;
            self.told(Event::Arrived {
                key: parcel.reading.key,
                issue: parcel.reading.issue,
                intent: parcel.intent,
                effective: parcel.reading.when.effective,
                person: parcel.subject.id.clone(),
                octets: attempt.octets,
            });
            let end = if answered() {
                let receipt = Receipt {
                    role: "measurement".into(),
                    location: Some(format!("Observation/{}", consignment.row.0)),
                    etag: Some("W/\"1\"".into()),
                    digest: [7; 32],
                    verdict: "written".into(),
                };
                Settlement::Delivered { receipts: vec![receipt], raised: None }
            } else {
                // Nothing comes back: the row stays in doubt until somebody says more.
                continue;
            };
            self.store().settle(&[(consignment.row, end)], utc)?;
            settled += 1;
        }
        Ok(settled)
    }

    fn retract(&mut self, random: &mut Random) -> Result<(), Stop> {
        let original = |(key, issue): &&(Key, u16)| *issue == 0 && !self.outside.retracted.contains_key(key);
        let all: Vec<(Key, u16)> = self.outside.record.keys().filter(original).copied().collect();
        if all.is_empty() {
            return Ok(());
        }
        let (key, issue) = all[random.below(all.len())];
        let now = self.now;
        self.happens(Event::Asked { key });
        match self.store().take(&News::Retract(key, Issue(issue)), now) {
            Ok(committed) => {
                committed.release();
                self.told(Event::Retracted { key });
                Ok(())
            }
            // Pruned, or not yet known as delivered: a person would be told, and nothing changed.
            Err(StoreError::Unknown(_) | StoreError::Refused(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn prune(&mut self) -> Result<(), Stop> {
        let old = self.utc() - SignedDuration::from_mins(30);
        self.store().prune(old)?;
        Ok(())
    }

    /// One thing that happens in a home.
    pub(crate) fn step(&mut self, random: &mut Random) -> Result<(), Stop> {
        match random.below(12) {
            0..=3 => {
                let (many, all) = (1 + random.below(3), self.outside.meter.len());
                let again = (random.below(4) == 0).then(|| random.below(all));
                let again = again
                    .filter(|n| self.outside.meter[*n].confirmed && self.outside.meter[*n].context_confirmed);
                self.contact(many, again)
            }
            4..=5 => {
                self.pass(1 + i64::try_from(random.below(700)).unwrap());
                self.due()
            }
            6..=9 => {
                let limit = 1 + random.below(5);
                self.deliver(limit, || random.below(4) != 0).map(drop)
            }
            10 => self.retract(random),
            _ => self.prune(),
        }
    }

    /// All that is left happens: the meter sends the rest, everything is delivered.
    pub(crate) fn finish(&mut self) -> Result<(), Stop> {
        self.contact(usize::MAX, None)?;
        self.pass(3_600);
        self.due()?;
        while self.deliver(100, || true)? > 0 {}
        Ok(())
    }
}

fn attempt(consignment: &Consignment) -> Attempt {
    let said = || {
        let reading = &consignment.parcel.reading;
        format!(
            "{:?} {:?} {} {:?}",
            reading.key, reading.issue, reading.when.effective, consignment.parcel.intent
        )
        .into_bytes()
    };
    Attempt {
        row: consignment.row,
        octets: consignment.octets.clone().unwrap_or_else(said),
        mapping: Version(1),
        phd_identifier: Some("phd".into()),
    }
}
