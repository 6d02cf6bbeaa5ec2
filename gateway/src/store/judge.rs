//! Loads what the news may touch, asks [`admit`], writes what it says.

use super::StoreError;
use super::deliver;
use super::rows::{Entry, Found, Rows};
use super::take::Judged;
use hearth_core::admit::Device;
use hearth_core::admit::{
    Admission, Fate, House, Open, Record, RecordNo, Say, Telling, admit, has_parts, sequence,
};
use hearth_core::capture::DeviceNo;
use hearth_core::identity::{Binding, identify};
use hearth_core::profile::Catalog;
use hearth_core::reading::Reading;
use hearth_core::when::{Boots, ContactNo, HubTicks};
use std::collections::{BTreeMap, BTreeSet};

/// How much of the open business a piece of news can change. One frame touches one group of records:
/// judging all of a device for each of its frames would be quadratic.
pub(super) enum Touched {
    Nothing,
    /// These, with what belongs to them.
    Records {
        device: DeviceNo,
        records: Vec<RecordNo>,
    },
    /// All that is unsettled of a device; `refused`: and all that another profile may judge otherwise.
    Device {
        device: DeviceNo,
        refused: bool,
    },
    House {
        refused: bool,
    },
}

/// Says who the device is, by all that it said. True: that is news.
pub(super) fn recognize(device: &mut Device, catalog: &Catalog) -> bool {
    let before = (device.profile.clone(), device.identity.clone());
    let profile = catalog.recognize(&device.facts);
    device.profile = profile.map(|p| p.name.clone());
    if device.identity.is_none() {
        device.identity = profile.and_then(|profile| identify(&device.facts, profile));
    }
    before != (device.profile.clone(), device.identity.clone())
}

pub(super) struct Judge<'a> {
    rows: &'a Rows<'a>,
    catalog: &'a Catalog,
    boots: Boots,
    bindings: Vec<Binding>,
    at: HubTicks,
    pub(super) judged: Judged,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        rows: &'a Rows<'a>,
        catalog: &'a Catalog,
        at: HubTicks,
        judged: Judged,
    ) -> Result<Judge<'a>, StoreError> {
        Ok(Judge { rows, catalog, boots: rows.boots()?, bindings: rows.bindings()?, at, judged })
    }

    pub(super) fn judge(&mut self, touched: Touched) -> Result<(), StoreError> {
        match touched {
            Touched::Nothing => Ok(()),
            Touched::Records { device, records } => {
                let seeds = records.into_iter().map(|no| self.rows.record(no)).collect::<Result<_, _>>()?;
                self.device(device, seeds)
            }
            Touched::Device { device, refused } => {
                let seeds = self.open_business(device, refused)?;
                self.device(device, seeds)
            }
            Touched::House { refused } => {
                for device in self.rows.busy(refused)? {
                    let seeds = self.open_business(device, refused)?;
                    self.device(device, seeds)?;
                }
                Ok(())
            }
        }
    }

    fn open_business(&self, device: DeviceNo, refused: bool) -> Result<Vec<Found>, StoreError> {
        let mut seeds = self.rows.unsettled(device)?;
        if refused {
            seeds.extend(self.rows.refused(device)?);
        }
        Ok(seeds)
    }

    fn device(&mut self, device: DeviceNo, seeds: Vec<Found>) -> Result<(), StoreError> {
        let again: Vec<RecordNo> = seeds.iter().map(|found| found.no).collect();
        let open = self.load(device, seeds)?;
        for admission in self.ask(&open) {
            self.apply(&open, &admission)?;
        }
        if cfg!(debug_assertions) {
            let seeds = again.into_iter().map(|no| self.rows.record(no)).collect::<Result<_, _>>()?;
            let said = self.ask(&self.load(device, seeds)?);
            assert!(said.is_empty(), "asked twice, admit had more to say: {} verdicts", said.len());
        }
        Ok(())
    }

    fn ask(&self, open: &Open) -> Vec<Admission> {
        let house = House { boots: &self.boots, catalog: self.catalog, bindings: &self.bindings };
        admit(open, &house, self.at)
    }

    /// The seeds; all records with their sequences, since one of them may be the partner; the contacts in which
    /// any of them was heard, and the earlier ones that bound them: drained, or their clocks compared; and the last drained one.
    fn load(&self, device: DeviceNo, seeds: Vec<Found>) -> Result<Open, StoreError> {
        let rows = self.rows;
        let mut records = BTreeMap::new();
        rows.read_into(&mut records, seeds)?;
        let its_sequence = |record: &Record| sequence(record.first().characteristic, &record.first().octets);
        let sequences: BTreeSet<u16> = records.values().filter_map(its_sequence).collect();
        for sequence in sequences {
            rows.read_into(&mut records, rows.with_sequence(device, sequence)?)?;
        }
        let weighings = self.weighings(&mut records)?;
        let mut wanted: BTreeSet<ContactNo> = records.values().flat_map(contacts).collect();
        for contact in wanted.clone() {
            wanted.extend(rows.sampled_before(device, contact)?);
            wanted.extend(rows.drained_before(device, contact)?);
        }
        // What its records waited for came until then, or does not come.
        wanted.extend(rows.last_drained(device)?);
        let mut contacts = BTreeMap::new();
        for no in wanted {
            let mut contact = rows.contact(no)?;
            contact.told = weighings.get(&no).cloned().unwrap_or_default();
            contacts.insert(no, contact);
        }
        Ok(Open { device: rows.device(device)?, contacts, records })
    }

    /// What else was told in the contacts of those that are parts of weighings; and of what is unsettled among that, in its
    /// other contacts.
    fn weighings(
        &self,
        records: &mut BTreeMap<RecordNo, Record>,
    ) -> Result<BTreeMap<ContactNo, Vec<Telling>>, StoreError> {
        let rows = self.rows;
        let part = |record: &&Record| has_parts(record.first().characteristic);
        let mut ahead: Vec<ContactNo> = records.values().filter(part).flat_map(contacts).collect();
        let mut weighings = BTreeMap::new();
        while let Some(contact) = ahead.pop() {
            if weighings.contains_key(&contact) {
                continue;
            }
            let told = rows.told(contact)?;
            for no in told.iter().filter_map(|telling| telling.record) {
                if !records.contains_key(&no) {
                    rows.read_into(records, vec![rows.record(no)?])?;
                    rows.read_into(records, rows.companions(no)?)?;
                    ahead.extend(
                        records.get(&no).filter(|r| !r.fate.settled(None)).into_iter().flat_map(contacts),
                    );
                }
            }
            weighings.insert(contact, told);
        }
        Ok(weighings)
    }

    fn apply(&mut self, open: &Open, admission: &Admission) -> Result<(), StoreError> {
        let record =
            |no: &RecordNo| open.records.get(no).ok_or(StoreError::Unknown("record that was judged"));
        match &admission.say {
            Say::Become(fate) => {
                for no in admission.with.iter().chain([&admission.head]) {
                    self.set_fate(record(no)?, fate.clone())?;
                }
            }
            Say::Admit(reading) => {
                for no in &admission.with {
                    self.set_fate(record(no)?, Fate::Companion(admission.head))?;
                }
                let fate = self.second_guard(reading, admission.head)?;
                self.set_fate(record(&admission.head)?, fate)?;
            }
        }
        Ok(())
    }

    /// One key, one issue, one reading: also if the device was met under two addresses, and if the reading came
    /// and went before this record.
    fn second_guard(&mut self, reading: &Reading, head: RecordNo) -> Result<Fate, StoreError> {
        // By which road it came: a maker's own memory and the standard's characteristic may tell one measurement.
        let road = self.rows.record(head).and_then(|found| self.rows.whole(found))?.first().characteristic;
        match self.rows.enter(&reading.key, reading.issue, reading.semantic.as_ref(), road)? {
            Entry::Known => Ok(Fate::Repeat),
            Entry::Tombstone => Ok(Fate::Retracted(reading.key, reading.issue)),
            Entry::New => {
                let no = self.rows.make_reading(reading, head, self.at)?;
                deliver::queue(self.rows, self.catalog, no, reading)?;
                self.judged.admitted.push((reading.key, reading.issue));
                Ok(Fate::Admitted(reading.key, reading.issue))
            }
        }
    }

    fn set_fate(&mut self, record: &Record, fate: Fate) -> Result<(), StoreError> {
        if record.fate == fate {
            return Ok(());
        }
        self.rows.write_fate(record, &fate, self.at)?;
        if matches!(record.fate, Fate::Hold(_)) || matches!(fate, Fate::Hold(_)) {
            self.rows.hold(record.no, &fate, self.at)?;
        }
        self.judged.changes.push((record.no, fate));
        Ok(())
    }
}

/// In which contacts a record was heard, as far as is known.
fn contacts(record: &Record) -> Vec<ContactNo> {
    record.heard.iter().map(|capture| capture.contact).chain([record.last_contact]).collect()
}
