//! The tongue of the conversations: what is told to a [`World`], and what is asked of it.

use super::world::{DEVICE, World, instant, octets, said};
use crate::admit::*;
use crate::capture::{Capture, Link, Origin, Uuid16};
use crate::identity::{Binding, Facts};
use crate::reading::Reading;
use crate::when::{Anchor, AnchorSource, BootNo, ContactNo, Face, HubTicks, Sample, Span, Stamp};
use jiff::{SignedDuration, Timestamp};

impl World {
    pub(super) fn at(&mut self, ms: i64) -> &mut World {
        self.now.ms = ms;
        self
    }

    pub(super) fn boot(&mut self) -> &mut World {
        self.now = HubTicks { boot: BootNo(self.now.boot.0 + 1), ms: 0 };
        self.take(News::Booted);
        self
    }

    /// The hub learns UTC, to 50 ms.
    pub(super) fn hub_time(&mut self, utc: &str) -> &mut World {
        self.hub_time_is(instant(utc))
    }

    pub(super) fn hub_time_is(&mut self, utc: Timestamp) -> &mut World {
        let near = SignedDuration::from_millis(50);
        let utc = Span { earliest: utc - near, latest: utc + near };
        self.take(News::HubTime(Anchor { at: self.now, utc, source: AnchorSource::Synchronised }));
        self
    }

    pub(super) fn bindings(&mut self, bindings: impl Into<Vec<Binding>>) -> &mut World {
        self.take(News::Bindings(bindings.into()));
        self
    }

    pub(super) fn cuff_says(&mut self, contact: u64, hex: &str) -> &mut World {
        self.hears(contact, Uuid16::BLOOD_PRESSURE_MEASUREMENT, hex)
    }

    pub(super) fn meter_says(&mut self, contact: u64, hex: &str) -> &mut World {
        self.hears(contact, Uuid16::GLUCOSE_MEASUREMENT, hex)
    }

    pub(super) fn context(&mut self, contact: u64, hex: &str) -> &mut World {
        self.hears(contact, Uuid16::GLUCOSE_MEASUREMENT_CONTEXT, hex)
    }

    pub(super) fn hears(&mut self, contact: u64, characteristic: Uuid16, hex: &str) -> &mut World {
        self.origins += 1;
        let origin = Origin { recorder: [7; 8], epoch: 1, number: self.origins };
        let contact = ContactNo(contact);
        let octets = octets(hex).into();
        let at = self.now;
        let link = Link::Bonded;
        self.take(News::Heard(Capture { device: DEVICE, contact, link, origin, at, characteristic, octets }));
        self
    }

    /// The device's clock is read: asked 40 ms ago, answered now.
    pub(super) fn clock_shows(&mut self, contact: u64, civil: &str) -> &mut World {
        self.clock_face(contact, Face::Shown, civil)
    }

    pub(super) fn clock_face(&mut self, contact: u64, face: Face, civil: &str) -> &mut World {
        let clock = Stamp { face, civil: civil.parse().unwrap() };
        let sample =
            Sample { contact: ContactNo(contact), clock, asked: self.now.later(-40), answered: self.now };
        self.take(News::Clock(DEVICE, sample));
        self
    }

    pub(super) fn ends(&mut self, contact: u64, end: End) -> &mut World {
        self.take(News::Ended(DEVICE, ContactNo(contact), end));
        self
    }

    pub(super) fn silence_until(&mut self, ms: i64) -> &mut World {
        self.at(ms).take(News::Due);
        self
    }

    pub(super) fn system_id(&mut self) -> &mut World {
        let system_id = Some(hearth_wire::gatt::SystemId([1, 2, 3, 4, 5, 6, 7, 8]));
        self.take(News::Identity(DEVICE, Facts { system_id, ..Facts::default() }));
        self
    }

    pub(super) fn fate(&self, record: i64) -> &Fate {
        &self.opens[&DEVICE].records[&RecordNo(record)].fate
    }

    pub(super) fn held(&self, record: i64) -> Option<&Why> {
        match self.fate(record) {
            Fate::Hold(why) => Some(why),
            _ => None,
        }
    }

    pub(super) fn refused(&self, record: i64) -> Option<Refusal> {
        match self.fate(record) {
            Fate::Refused(refusal, ..) => Some(*refusal),
            _ => None,
        }
    }

    pub(super) fn wants(&self, record: i64) -> Vec<For> {
        match self.fate(record) {
            Fate::Await { wants, .. } => wants.clone(),
            _ => vec![],
        }
    }

    pub(super) fn all(&self) -> Vec<&Reading> {
        self.readings.values().map(|(reading, _)| reading).collect()
    }

    pub(super) fn only(&self) -> &Reading {
        let all = self.all();
        assert_eq!(all.len(), 1, "one reading was expected: {all:#?}");
        all[0]
    }

    /// What was said of all readings, sorted.
    pub(super) fn times(&self) -> Vec<String> {
        let mut times: Vec<String> = self.all().into_iter().map(said).collect();
        times.sort();
        times
    }

    pub(super) fn records(&self) -> usize {
        self.opens[&DEVICE].records.len()
    }

    pub(super) fn due(&self) -> Option<HubTicks> {
        self.opens.values().filter_map(due).min()
    }
}
