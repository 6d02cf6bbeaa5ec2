//! A store of a dozen lines: writes the fact, judges the whole, writes the verdict.

use crate::admit::*;
use crate::capture::{Capture, DeviceNo, Key, Link, name};
use crate::identity::{
    Address, AddressKind, Attested, Binding, Facts, Identity, Labels, PersonNo, Revision, Slot, Who,
};
use crate::profile::*;
use crate::reading::{Issue, Reading, Version};
use crate::when::{BootNo, Boots, ContactNo, HubTicks, ZoneName};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const DEVICE: DeviceNo = DeviceNo(1);
pub(super) const ADA: Who = Who::Person(PersonNo(1));
pub(super) const BEN: Who = Who::Person(PersonNo(2));
pub(super) const NEW_YORK: &str = "America/New_York";
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

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) opens: BTreeMap<DeviceNo, Open>,
    pub(super) boots: Boots,
    pub(super) catalog: Catalog,
    pub(super) bindings: Vec<Binding>,
    pub(super) readings: BTreeMap<(Key, Issue), (Reading, bool)>,
    pub(super) now: HubTicks,
    records: i64,
    pub(super) origins: u64,
}

/// A device of one kind: local time, no clock to ask, named by its address.
pub(super) fn profile(kind: Kind) -> Profile {
    Profile {
        name: ProfileName("test/device".into()),
        version: Version(1),
        kind,
        evidence: Evidence { level: EvidenceLevel::Untested, by: "these tests".into() },
        matches: Match::default(),
        identity: IdentitySource::Address,
        collect: Collect {
            via: Via::Notify,
            pairing: Pairing::None,
            settle_ms: 0,
            silence_ms: 5_000,
            consent: false,
            weight_first: false,
        },
        clock: Clock {
            keeps: Keeps::LocalTime,
            tells: false,
            set_by: None,
            drift_limit_s: 300,
            resets_to: vec![2020],
        },
        memory: Untimed::MayBeStored,
        readings: vec![],
        body_site: None,
        averaged: false,
        quirks: vec![],
        patience: Patience::default(),
    }
}

pub(super) fn cuff() -> Profile {
    profile(Kind::BloodPressureMonitor)
}

pub(super) fn meter() -> Profile {
    profile(Kind::GlucoseMeter)
}

/// The clock can be read in a contact.
pub(super) fn telling(mut profile: Profile) -> Profile {
    profile.clock.tells = true;
    profile
}

pub(super) fn keeping_utc(mut profile: Profile) -> Profile {
    profile.clock.keeps = Keeps::Utc;
    profile
}

pub(super) fn live(mut profile: Profile) -> Profile {
    profile.memory = Untimed::LiveOnly;
    profile
}

pub(super) fn by_system_id(mut profile: Profile) -> Profile {
    profile.identity = IdentitySource::SystemId;
    profile
}

/// A binding from long ago, without an end.
pub(super) fn bound(who: Who, zone: &str) -> Binding {
    Binding {
        device: DEVICE,
        slot: None,
        who,
        from: instant("2018-01-01T00:00:00Z"),
        until: None,
        zone: ZoneName::parse(zone),
        sole_use: None,
        shared: false,
        labels: Labels::default(),
        revision: Revision(1),
    }
}

pub(super) fn slotted(slot: u8, binding: Binding) -> Binding {
    Binding { slot: Some(Slot(slot)), ..binding }
}

pub(super) fn shared(binding: Binding) -> Binding {
    Binding { shared: true, ..binding }
}

pub(super) fn attested(binding: Binding) -> Binding {
    Binding { sole_use: Some(Attested { by: "technician".into() }), ..binding }
}

pub(super) fn from(start: &str, binding: Binding) -> Binding {
    Binding { from: instant(start), ..binding }
}

pub(super) fn until(end: &str, binding: Binding) -> Binding {
    Binding { until: Some(instant(end)), ..binding }
}

/// What was decided, in the words of a table: local time with offset, source.
pub(super) fn said(reading: &Reading) -> String {
    let civil = reading.when.offset.to_datetime(reading.when.effective);
    let seconds = reading.when.offset.seconds();
    format!(
        "{civil}{}{:02}:{:02}",
        if seconds < 0 { '-' } else { '+' },
        seconds.abs() / 3600,
        seconds.abs() / 60 % 60
    )
}

impl World {
    pub(super) fn new(profile: Profile) -> World {
        let mut catalog = Catalog::default();
        let name = profile.name.clone();
        let named = profile.identity == IdentitySource::Address;
        catalog.insert(profile);
        let address = Address { octets: [0xAA, 0xBB, 0xCC, 0, 0, 1], kind: AddressKind::Public };
        let open = Open {
            device: Device {
                no: DEVICE,
                facts: Facts { address: Some(address), services: BTreeSet::new(), ..Facts::default() },
                identity: named.then_some(Identity::Address(address.octets)),
                impostor: false,
                profile: Some(name),
            },
            contacts: BTreeMap::new(),
            records: BTreeMap::new(),
        };
        World {
            opens: BTreeMap::from([(DEVICE, open)]),
            boots: Boots { built: instant("2015-01-01T00:00:00Z"), all: BTreeMap::new() },
            catalog,
            bindings: vec![],
            readings: BTreeMap::new(),
            now: HubTicks { boot: BootNo(1), ms: 0 },
            records: 0,
            origins: 0,
        }
    }

    /// One transaction. Asked again, nothing is left to say.
    pub(super) fn take(&mut self, news: News) -> Vec<Admission> {
        let boot = self.boots.all.entry(self.now.boot).or_default();
        boot.last = boot.last.max(self.now.ms);
        match news {
            News::Booted | News::Due | News::Profiles => {}
            News::HubTime(anchor) => self.boots.all.get_mut(&anchor.at.boot).unwrap().anchors.push(anchor),
            News::Bindings(bindings) => self.bindings = bindings,
            News::Identity(device, facts) => {
                let device = &mut self.opens.get_mut(&device).unwrap().device;
                let contradicted = device.facts.add(&facts);
                let profile = self.catalog.get(device.profile.as_ref().unwrap()).unwrap();
                device.identity =
                    device.identity.take().or_else(|| crate::identity::identify(&device.facts, profile));
                let rests = |fact: &&str| device.identity.as_ref().is_some_and(|i| i.rests_on(fact));
                device.impostor |= contradicted.iter().any(rests);
            }
            News::Clock(device, sample) => self.contact(device, sample.contact, None).samples.push(sample),
            News::Ended(device, contact, end) => self.contact(device, contact, None).end = Some(end),
            News::Heard(capture) => self.hear(&capture),
            News::Retract(key, issue) => self.retract(key, issue),
            News::Reissue(key) => self.reissue(key),
            News::Replace(key, issue) => {
                self.retract(key, issue);
                self.reissue(key);
            }
            News::Close(no) => {
                let open = self.opens.get_mut(&DEVICE).unwrap();
                let (name, version) = (open.device.profile.clone().unwrap(), Version(1));
                open.records.get_mut(&no).unwrap().fate = Fate::Refused(Refusal::Closed, name, version);
            }
            News::Give(no, person) => {
                self.opens.get_mut(&DEVICE).unwrap().records.get_mut(&no).unwrap().given = Some(person);
            }
        }
        let mut admissions = vec![];
        for device in self.opens.keys().copied().collect::<Vec<_>>() {
            let say = self.judge(device);
            say.iter().for_each(|admission| self.apply(device, admission));
            admissions.extend(say);
            let again = self.judge(device);
            assert!(again.is_empty(), "asked twice, there was still something to say: {again:?}");
        }
        admissions
    }

    fn judge(&self, device: DeviceNo) -> Vec<Admission> {
        let house = House { boots: &self.boots, catalog: &self.catalog, bindings: &self.bindings };
        admit(&self.opens[&device], &house, self.now)
    }

    fn contact(&mut self, device: DeviceNo, no: ContactNo, link: Option<Link>) -> &mut Contact {
        let began = self.now;
        let contacts = &mut self.opens.get_mut(&device).unwrap().contacts;
        let contact =
            contacts.entry(no).or_insert(Contact { began, link, samples: vec![], end: None, told: vec![] });
        contact.link = contact.link.or(link);
        contact
    }

    fn hear(&mut self, capture: &Capture) {
        self.contact(capture.device, capture.contact, Some(capture.link));
        let open = self.opens.get_mut(&capture.device).unwrap();
        let profile = self.catalog.get(open.device.profile.as_ref().unwrap()).map(|p| (&p.name, p.version));
        let no = match open.hear(capture) {
            Hearing::Again(no) => {
                let record = open.records.get_mut(&no).unwrap();
                let settled = record.fate.settled(profile);
                record.again(capture, settled);
                no
            }
            Hearing::New => {
                self.records += 1;
                let no = RecordNo(self.records);
                let (name, heard) = (name(capture), vec![capture.clone()]);
                let (last_contact, last_at) = (capture.contact, capture.at);
                let record = Record {
                    no,
                    name,
                    heard,
                    times: 1,
                    last_contact,
                    last_at,
                    taken: None,
                    changed: false,
                    issue: Issue(0),
                    given: None,
                    fate: Fate::New,
                };
                open.records.insert(no, record);
                no
            }
        };
        if has_parts(capture.characteristic) {
            let told = &mut open.contacts.get_mut(&capture.contact).unwrap().told;
            told.push(Telling { record: Some(no), at: capture.at });
        }
    }

    fn retract(&mut self, key: Key, issue: Issue) {
        self.readings.get_mut(&(key, issue)).unwrap().1 = true;
        for record in self.opens.values_mut().flat_map(|o| o.records.values_mut()) {
            if record.fate == Fate::Admitted(key, issue) {
                record.fate = Fate::Retracted(key, issue);
            }
        }
    }

    fn reissue(&mut self, wanted: Key) {
        for open in self.opens.values_mut() {
            let mut reopened = None;
            for record in open.records.values_mut() {
                if let Fate::Retracted(key, issue) = record.fate
                    && key == wanted
                {
                    record.issue = Issue(issue.0 + 1);
                    record.given = None;
                    record.fate = Fate::Reissue(record.issue);
                    reopened = Some(record.no);
                }
            }
            for record in open.records.values_mut() {
                if reopened.is_some_and(|head| record.fate == Fate::Companion(head)) {
                    record.fate = Fate::New;
                }
            }
        }
    }

    fn apply(&mut self, device: DeviceNo, admission: &Admission) {
        let records = &mut self.opens.get_mut(&device).unwrap().records;
        match &admission.say {
            Say::Become(fate) => {
                for no in admission.with.iter().chain([&admission.head]) {
                    records.get_mut(no).unwrap().fate = fate.clone();
                }
            }
            Say::Admit(reading) => {
                for no in &admission.with {
                    records.get_mut(no).unwrap().fate = Fate::Companion(admission.head);
                }
                let id = (reading.key, reading.issue);
                // The second guard: one key, one row.
                let known = self.readings.contains_key(&id);
                let fate = if known { Fate::Repeat } else { Fate::Admitted(id.0, id.1) };
                records.get_mut(&admission.head).unwrap().fate = fate;
                if !known {
                    self.readings.insert(id, ((**reading).clone(), false));
                }
            }
        }
    }
}
