//! A hub with a store in a directory of its own, and the tongue of the conversations with it.

use crate::store::*;
use hearth_core::admit::{End, Fate, News, RecordNo, Why};
use hearth_core::capture::{Capture, DeviceNo, Key, Link, Uuid16};
use hearth_core::identity::{
    Address, AddressKind, Attested, Binding, Facts, Labels, Permission, PersonNo, Revision, Who, Window,
};
use hearth_core::parcel::Subject;
use hearth_core::profile::{Catalog, ProfileName};
use hearth_core::reading::{Issue, Version};
use hearth_core::when::*;
use hearth_wire::gatt::SystemId;
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

pub(super) const LOS_ANGELES: &str = "America/Los_Angeles";
pub(super) const KOLKATA: &str = "Asia/Kolkata";

// Vectors of hearth-wire, by their ids.
pub(super) const BP_03: &str = "167C0056006100E807060F11111B33000000";
pub(super) const BP_S7: &str = "02780050006400E4070101000000";
pub(super) const GLU_01: &str = "1B0F00E807011E053A1B53016FB0F80000";
pub(super) const GLU_04: &str = "131E00E2070914051B075CFE6FB0F1";
pub(super) const GLU_04_LATER_OFFSET: &str = "131E00E2070914051B0798FE6FB0F1";
pub(super) const GLU_05: &str = "133100E2070A060F2F325CFE7EB0F1";
pub(super) const CTX_01: &str = "021E0002";
pub(super) const CTX_02: &str = "02310001";
pub(super) const CONTEXT_OF_15: &str = "020F0002";

pub(super) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn octets(hex: &str) -> Vec<u8> {
    data_encoding::HEXUPPER.decode(hex.as_bytes()).unwrap()
}

/// A directory of its own, gone at the end.
#[derive(Debug)]
pub(super) struct Room(PathBuf);

impl Room {
    pub(super) fn new() -> Room {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let nth = MADE.fetch_add(1, Ordering::SeqCst);
        let path = std::env::temp_dir().join(format!("hearth-store-{}-{nth}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        chmod(&path, 0o700);
        Room(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn files(&self) -> Vec<String> {
        let names =
            std::fs::read_dir(&self.0).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// What a power cut right now would leave to the next start.
    pub(super) fn cut(&self) -> Room {
        let left = Room::new();
        for name in self.files() {
            std::fs::copy(self.file(&name), left.file(&name)).unwrap();
        }
        left
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn chmod(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The generic cuff and meter, with some of their words changed.
pub(super) fn catalog(changes: &[(&str, &str)]) -> Catalog {
    let meter = include_str!("../../../../device-profiles/generic/glucose.toml");
    let cuff = include_str!("../../../../device-profiles/generic/blood-pressure.toml");
    let files = [("test/cuff", changed(cuff, changes)), ("test/meter", changed(meter, changes))];
    Catalog::build(files.map(|(name, text)| (ProfileName(name.to_owned()), text))).unwrap()
}

/// The generic meter alone, changed.
pub(super) fn meters(changes: &[(&str, &str)]) -> Catalog {
    let meter = include_str!("../../../../device-profiles/generic/glucose.toml");
    Catalog::build([(ProfileName("test/meter".to_owned()), changed(meter, changes))]).unwrap()
}

/// The generic cuff alone, changed.
pub(super) fn cuffs(changes: &[(&str, &str)]) -> Catalog {
    let cuff = include_str!("../../../../device-profiles/generic/blood-pressure.toml");
    Catalog::build([(ProfileName("test/cuff".to_owned()), changed(cuff, changes))]).unwrap()
}

fn changed(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the profile has no {from:?} to change");
        text.replace(from, to)
    })
}

pub(super) const MONTH_13: (&str, &str) =
    ("[memory]", "[quirks]\napply = [\"month-13-is-january\"]\n\n[memory]");
pub(super) const BY_SYSTEM_ID: (&str, &str) = ("names = \"address\"", "names = \"system-id\"");
pub(super) const TELLING: (&str, &str) = ("tells = false", "tells = true");
pub(super) const LIVE_ONLY: (&str, &str) = ("untimed = \"may-be-stored\"", "untimed = \"live-only\"");

pub(super) fn facts(last: u8, service: u16) -> Facts {
    let address = Address { octets: [0xAA, 0xBB, 0xCC, 0, 0, last], kind: AddressKind::Public };
    Facts { address: Some(address), services: [service].into(), ..Facts::default() }
}

pub(super) const GLUCOSE: u16 = 0x1808;
pub(super) const PRESSURE: u16 = 0x1810;

pub(super) struct World {
    pub(super) room: Room,
    store: Option<Store>,
    pub(super) catalog: Catalog,
    pub(super) now: HubTicks,
    pub(super) device: DeviceNo,
    pub(super) clinic: DestinationNo,
    pub(super) ada: PersonNo,
    pub(super) hub_id: [u8; 8],
}

impl World {
    /// A hub with one meter, one destination, and Ada, whose readings may all go there.
    pub(super) fn new(catalog: Catalog) -> World {
        World::of(catalog, GLUCOSE)
    }

    pub(super) fn of(catalog: Catalog, service: u16) -> World {
        let room = Room::new();
        let opened = Store::open(room.path(), catalog.clone(), Seal::Scrambled).unwrap();
        assert_eq!(opened.set_aside, None);
        let mut store = opened.store;
        let boot = store.begin_boot("boot 1").unwrap();
        let now = HubTicks { boot, ms: 0 };
        store.take(&News::Booted, now).unwrap();
        let device = store.meet(&facts(1, service), now).unwrap();
        store.set_destinations(&[clears("clinic", &[])]).unwrap();
        let clinic = store.destination("clinic").unwrap();
        let ada = store.person_for(clinic, &patient("ada-1"), Some("enrolled by hand")).unwrap();
        store.permit(ada, clinic, &always()).unwrap();
        let hub_id = store.hub().system_id;
        World { room, store: Some(store), catalog, now, device, clinic, ada, hub_id }
    }

    pub(super) fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    pub(super) fn take(&mut self, news: News) -> Committed {
        let now = self.now;
        self.store().take(&news, now).unwrap()
    }

    pub(super) fn close(&mut self) {
        self.store = None;
    }

    pub(super) fn open(&mut self) -> Option<PathBuf> {
        let opened = Store::open(self.room.path(), self.catalog.clone(), Seal::Scrambled).unwrap();
        self.store = Some(opened.store);
        opened.set_aside
    }

    /// The daemon ends and starts again, in the same boot of the system.
    pub(super) fn restart(&mut self) -> &mut World {
        self.close();
        assert_eq!(self.open(), None);
        self.take(News::Booted);
        self
    }

    /// The power is cut, and comes back.
    pub(super) fn power_cut(&mut self) -> &mut World {
        let left = self.room.cut();
        self.close();
        self.room = left;
        assert_eq!(self.open(), None);
        let name = format!("boot {}", self.now.boot.0 + 1);
        let boot = self.store().begin_boot(&name).unwrap();
        self.now = HubTicks { boot, ms: 0 };
        self.take(News::Booted);
        self
    }

    pub(super) fn at(&mut self, ms: i64) -> &mut World {
        self.now.ms = ms;
        self
    }

    pub(super) fn contact(&mut self) -> ContactNo {
        let (device, now) = (self.device, self.now);
        self.store().next_contact(device, Link::Bonded, now).unwrap()
    }

    pub(super) fn capture(&mut self, contact: ContactNo, characteristic: Uuid16, hex: &str) -> Capture {
        let origin = self.store().origin();
        Capture {
            device: self.device,
            contact,
            link: Link::Bonded,
            origin,
            at: self.now,
            characteristic,
            octets: octets(hex).into(),
        }
    }

    pub(super) fn hears(&mut self, contact: ContactNo, characteristic: Uuid16, hex: &str) -> Committed {
        let capture = self.capture(contact, characteristic, hex);
        self.take(News::Heard(capture))
    }

    pub(super) fn meter_says(&mut self, contact: ContactNo, hex: &str) -> Committed {
        self.hears(contact, Uuid16::GLUCOSE_MEASUREMENT, hex)
    }

    pub(super) fn context(&mut self, contact: ContactNo, hex: &str) -> Committed {
        self.hears(contact, Uuid16::GLUCOSE_MEASUREMENT_CONTEXT, hex)
    }

    pub(super) fn cuff_says(&mut self, contact: ContactNo, hex: &str) -> Committed {
        self.hears(contact, Uuid16::BLOOD_PRESSURE_MEASUREMENT, hex)
    }

    pub(super) fn ends(&mut self, contact: ContactNo, end: End) -> Committed {
        self.take(News::Ended(self.device, contact, end))
    }

    /// The hub learns UTC, to 50 ms.
    pub(super) fn hub_time(&mut self, utc: &str) -> Committed {
        let near = SignedDuration::from_millis(50);
        let utc = Span { earliest: instant(utc) - near, latest: instant(utc) + near };
        self.take(News::HubTime(Anchor { at: self.now, utc, source: AnchorSource::Synchronised }))
    }

    /// The device's clock is read: asked 40 ms ago, answered now.
    pub(super) fn clock_shows(&mut self, contact: ContactNo, civil: &str) -> Committed {
        let clock = Stamp { face: Face::Shown, civil: civil.parse().unwrap() };
        let sample = Sample { contact, clock, asked: self.now.later(-40), answered: self.now };
        self.take(News::Clock(self.device, sample))
    }

    pub(super) fn system_id(&mut self) -> Committed {
        let system_id = Some(SystemId([1, 2, 3, 4, 5, 6, 7, 8]));
        self.take(News::Identity(self.device, Facts { system_id, ..Facts::default() }))
    }

    /// From long ago, without an end.
    pub(super) fn bound(&self, zone: &str) -> Binding {
        Binding {
            device: self.device,
            slot: None,
            who: Who::Person(self.ada),
            from: instant("2018-01-01T00:00:00Z"),
            until: None,
            zone: ZoneName::parse(zone),
            sole_use: Some(Attested { by: "technician".into() }),
            shared: false,
            labels: Labels::default(),
            revision: Revision(0),
        }
    }

    pub(super) fn bind(&mut self, zone: &str) -> Committed {
        let binding = self.bound(zone);
        self.take(News::Bindings(vec![binding]))
    }

    pub(super) fn fate(&mut self, record: i64) -> Fate {
        self.store().read(|rows| Ok(rows.whole(rows.record(RecordNo(record))?)?.fate)).unwrap()
    }

    pub(super) fn held(&mut self, record: i64) -> Option<Why> {
        match self.fate(record) {
            Fate::Hold(why) => Some(why),
            _ => None,
        }
    }

    pub(super) fn count(&mut self, table: &str) -> i64 {
        self.sql(&format!("SELECT count(*) FROM {table}"))
    }

    pub(super) fn sql(&mut self, query: &str) -> i64 {
        let sql = self.store().sql.as_ref().unwrap();
        sql.query_row(query, [], |row| row.get(0)).unwrap()
    }

    pub(super) fn due(&mut self, now: &str) -> Vec<Consignment> {
        let clinic = self.clinic;
        self.store().due(clinic, instant(now), 100).unwrap()
    }

    pub(super) fn start(&mut self, consignments: &[Consignment], now: &str) -> Vec<OutboxNo> {
        let attempts: Vec<Attempt> = consignments.iter().map(attempt).collect();
        self.store().start(&attempts, instant(now)).unwrap()
    }

    pub(super) fn settle(&mut self, row: OutboxNo, end: Settlement, now: &str) {
        self.store().settle(&[(row, end)], instant(now)).unwrap();
    }

    /// Everything that is due goes and arrives. How much there was.
    pub(super) fn deliver(&mut self, now: &str) -> usize {
        let mut delivered = 0;
        loop {
            let due = self.due(now);
            if due.is_empty() {
                return delivered;
            }
            for row in self.start(&due, now) {
                self.settle(row, arrived("Observation/1"), now);
                delivered += 1;
            }
        }
    }
}

pub(super) fn attempt(consignment: &Consignment) -> Attempt {
    Attempt {
        row: consignment.row,
        octets: format!("octets of row {}", consignment.row.0).into_bytes(),
        mapping: Version(1),
        phd_identifier: Some(format!("phd of row {}", consignment.row.0)),
    }
}

pub(super) fn arrived(location: &str) -> Settlement {
    let receipt = Receipt {
        role: "measurement".into(),
        location: Some(location.into()),
        etag: Some("W/\"1\"".into()),
        digest: [7; 32],
        verdict: "written".into(),
    };
    Settlement::Delivered { receipts: vec![receipt], raised: None }
}

pub(super) fn clears(name: &str, labels: &[&str]) -> DestinationFacts {
    DestinationFacts { name: name.into(), cleared: labels_of(labels) }
}

pub(super) fn labels_of(labels: &[&str]) -> Labels {
    Labels(labels.iter().map(|label| (*label).to_owned()).collect())
}

pub(super) fn patient(id: &str) -> Subject {
    Subject { id: id.into(), identifier: Some((format!("mrn of {id}"), "urn:example:mrn".into())) }
}

pub(super) fn from(start: &str) -> Window {
    Window { from: instant(start), until: None }
}

pub(super) fn always() -> Permission {
    let window = from("2000-01-01T00:00:00Z");
    Permission { order: window, consent: window, revision: Revision(0) }
}

pub(super) fn first(committed: &Committed) -> (Key, Issue) {
    assert_eq!(committed.admitted.len(), 1, "one reading was expected: {committed:?}");
    committed.admitted[0]
}

/// As a running daemon looks at what it holds.
pub(super) fn daemon(ticks: HubTicks) -> Now {
    Now { ticks, counted: true, utc: Timestamp::UNIX_EPOCH }
}
