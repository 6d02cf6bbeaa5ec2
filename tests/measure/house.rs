//! A hub's store with a meter, a person and a destination, to hear as many readings as are wanted.

use gateway::store::{
    Attempt, Consignment, DestinationFacts, DestinationNo, Receipt, Seal, Settlement, Store,
};
use hearth_core::admit::{End, News};
use hearth_core::capture::{Capture, DeviceNo, Link, Uuid16};
use hearth_core::identity::{
    Address, AddressKind, Attested, Binding, Facts, Labels, Permission, Revision, Who, Window,
};
use hearth_core::map::fhir::{Rung, resources};
use hearth_core::parcel::{Policy, Subject};
use hearth_core::profile::Catalog;
use hearth_core::when::{Anchor, AnchorSource, ContactNo, HubTicks, Span, ZoneName};
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// When the hub boots; the meter's memory begins there.
const BEGIN: Timestamp = Timestamp::constant(1_718_000_000, 0);

/// A folder of its own, gone at the end; in memory where there is such a place.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let memory = Path::new("/dev/shm");
        Folder::within(if memory.is_dir() { memory } else { Path::new("/tmp") }, name)
    }

    /// Where writing is writing.
    pub(crate) fn on_disk(name: &str) -> Folder {
        Folder::within(&e2e::root().join("target"), name)
    }

    fn within(base: &Path, name: &str) -> Folder {
        let path = base.join(format!("hearth-measure-{}-{name}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path.join("hub.key"))
            .unwrap();
        std::io::Write::write_all(&mut file, &[7; 32]).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A glucose measurement by the Glucose Service 1.0.1, 3.1: sequence, base time, offset, kg/L, type and place.
fn glucose(nth: u32) -> Vec<u8> {
    let civil = jiff::tz::TimeZone::UTC.to_datetime(taken(nth));
    let mut octets = vec![0x03];
    octets.extend((nth as u16).to_le_bytes());
    octets.extend(civil.year().to_le_bytes());
    octets
        .extend([civil.month(), civil.day(), civil.hour(), civil.minute(), civil.second()].map(|n| n as u8));
    octets.extend([0, 0]);
    octets.extend((0xB000 | (60 + nth as u16 % 200)).to_le_bytes());
    octets.push(0xF8);
    octets
}

/// A reading every ten seconds since the hub booted.
const BETWEEN: i64 = 10;

fn taken(nth: u32) -> Timestamp {
    BEGIN + SignedDuration::from_secs(BETWEEN * i64::from(nth))
}

pub(crate) struct House {
    pub(crate) store: Store,
    device: DeviceNo,
    clinic: DestinationNo,
    now: HubTicks,
    nth: u32,
    contact: Option<ContactNo>,
}

impl House {
    pub(crate) fn open(folder: &Path) -> House {
        let opened = Store::open(folder, Catalog::standard(), Seal::Clear).unwrap();
        assert_eq!(opened.set_aside, None);
        let mut store = opened.store;
        let boot = store.begin_boot("measured").unwrap();
        let now = HubTicks { boot, ms: 0 };
        store.take(&News::Booted, now).unwrap();
        let near = SignedDuration::from_millis(500);
        let utc = Span { earliest: BEGIN - near, latest: BEGIN + near };
        store.take(&News::HubTime(Anchor { at: now, utc, source: AnchorSource::Synchronised }), now).unwrap();
        store
            .set_destinations(&[DestinationFacts { name: "clinic".into(), cleared: Labels::default() }])
            .unwrap();
        let clinic = store.destination("clinic").unwrap();
        let address = Address { octets: [0xAA, 0xBB, 0xCC, 0, 0, 1], kind: AddressKind::Public };
        let facts = Facts { address: Some(address), services: [0x1808].into(), ..Facts::default() };
        let device = store.meet(&facts, now).unwrap();
        let ada = store.person_for(clinic, &Subject { id: "ada-1".into(), identifier: None }, None).unwrap();
        let window = Window { from: BEGIN - 24_000.hours(), until: None };
        store
            .permit(ada, clinic, &Permission { order: window, consent: window, revision: Revision(0) })
            .unwrap();
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
        store.bind(vec![binding], "measured", "technician", now).unwrap();
        House { store, device, clinic, now, nth: 0, contact: None }
    }

    pub(crate) fn begin_contact(&mut self) {
        // It tells what was taken since the last one, ten readings.
        self.now.ms = 1_000 * BETWEEN * i64::from(self.nth + 10);
        self.contact = Some(self.store.next_contact(self.device, Link::Bonded, self.now).unwrap());
    }

    pub(crate) fn end_contact(&mut self) {
        let contact = self.contact.take().unwrap();
        self.store.take(&News::Ended(self.device, contact, End::Drained), self.now).unwrap().release();
    }

    /// One capture, committed; it becomes a reading at once.
    pub(crate) fn hear(&mut self) {
        self.now.ms += 10;
        let octets = glucose(self.nth).into();
        self.nth += 1;
        let capture = Capture {
            device: self.device,
            contact: self.contact.unwrap(),
            link: Link::Bonded,
            origin: self.store.origin(),
            at: self.now,
            characteristic: Uuid16::GLUCOSE_MEASUREMENT,
            octets,
        };
        let committed = self.store.take(&News::Heard(capture), self.now).unwrap();
        assert_eq!(committed.admitted.len(), 1, "it is a reading: {:?}", committed.changes);
        committed.release();
    }

    /// So many, ten of a contact.
    pub(crate) fn hear_many(&mut self, many: usize) {
        for nth in 0..many {
            if nth % 10 == 0 {
                self.begin_contact();
            }
            self.hear();
            if nth % 10 == 9 {
                self.end_contact();
            }
        }
    }

    pub(crate) fn utc(&self) -> Timestamp {
        BEGIN + SignedDuration::from_millis(self.now.ms)
    }

    pub(crate) fn due(&mut self, limit: usize) -> Vec<Consignment> {
        let utc = self.utc();
        self.store.due(self.clinic, utc, limit).unwrap()
    }

    pub(crate) fn start(&mut self, due: &[Consignment]) {
        let attempts: Vec<Attempt> = due.iter().map(attempt).collect();
        assert_eq!(self.store.start(&attempts, self.utc()).unwrap().len(), due.len());
    }

    pub(crate) fn settle(&mut self, due: &[Consignment]) {
        let ends: Vec<_> = due.iter().map(|consignment| (consignment.row, delivered(consignment))).collect();
        self.store.settle(&ends, self.utc()).unwrap();
    }
}

/// As uplink writes it: what leaves on the second rung.
fn attempt(consignment: &Consignment) -> Attempt {
    let all = resources(&consignment.parcel, &Policy::default(), Rung::ConditionalCreate, None);
    let octets = all.iter().flat_map(|resource| resource.json.bytes()).collect();
    Attempt { row: consignment.row, octets, mapping: hearth_core::map::fhir::VERSION, phd_identifier: None }
}

fn delivered(consignment: &Consignment) -> Settlement {
    let receipt = |role: &str| Receipt {
        role: role.into(),
        location: Some(format!("Observation/{}", consignment.row.0)),
        etag: Some("W/\"1\"".into()),
        digest: [7; 32],
        verdict: "written".into(),
    };
    Settlement::Delivered { receipts: ["measurement", "meter", "hub"].map(receipt).into(), raised: None }
}
