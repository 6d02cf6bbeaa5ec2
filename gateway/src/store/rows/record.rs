//! `record` and `capture`: what was heard, and what became of it.

use super::contact::number;
use super::{Result, Rows, sound};
use crate::store::error::unreadable;
use crate::store::payload::{CaptureRow, Parts, RecordRow};
use crate::store::{Place, StoreError};
use hearth_core::admit::{Fate, For, Record, RecordNo, Refusal, TimeDoubt, Why, sequence};
use hearth_core::capture::{Capture, DeviceNo, Name, Uuid16, name, timeless};
use hearth_core::reading::Issue;
use hearth_core::when::{BootNo, ContactNo, HubTicks};
use rusqlite::{Row, ToSql, params};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A record as it lies in its row, before its hearings are read.
pub(crate) struct Found {
    pub(crate) no: RecordNo,
    pub(crate) device: DeviceNo,
    times: u32,
    last_contact: ContactNo,
    last_at: HubTicks,
    changed: bool,
    issue: Issue,
    sealed: Vec<u8>,
}

const COLUMNS: &str = "no, device, times, last_contact, changed, issue, sealed, last_boot, last_ms";

fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
    Ok(Found {
        no: RecordNo(row.get(0)?),
        device: DeviceNo(row.get(1)?),
        times: row.get(2)?,
        last_contact: ContactNo(row.get::<_, i64>(3)?.unsigned_abs()),
        changed: row.get(4)?,
        issue: Issue(row.get(5)?),
        sealed: row.get(6)?,
        last_at: HubTicks { boot: BootNo(row.get(7)?), ms: row.get(8)? },
    })
}

impl Rows<'_> {
    fn find(&self, clause: &str, with: &[&dyn ToSql]) -> Result<Vec<Found>> {
        self.all(
            &format!("SELECT {COLUMNS}, {} FROM record WHERE {clause} ORDER BY no", sound("record")),
            with,
            found,
        )
    }

    fn blinded(&self, name: &Name) -> [u8; 32] {
        self.blind("record", &[&name.0])
    }

    // ---- which records to look at

    pub(crate) fn record(&self, no: RecordNo) -> Result<Found> {
        self.find("no = ?1", &[&no.0])?.pop().ok_or(StoreError::Unknown("record"))
    }

    /// The records that a capture could be a repeat of: those of its name, and for what has no time those of its
    /// contact.
    pub(crate) fn candidates(&self, capture: &Capture) -> Result<Vec<Found>> {
        let notified = capture.characteristic == Uuid16::HEART_RATE_MEASUREMENT;
        if timeless(capture.characteristic, &capture.octets) && !notified {
            let clause = "device = ?1 AND (last_contact = ?2 OR name = ?3)";
            let name = self.blinded(&name(capture));
            return self.find(clause, &[&capture.device.0, &number(capture.contact), &name]);
        }
        self.find("device = ?1 AND name = ?2", &[&capture.device.0, &self.blinded(&name(capture))])
    }

    pub(crate) fn with_sequence(&self, device: DeviceNo, sequence: u16) -> Result<Vec<Found>> {
        self.find("device = ?1 AND sequence = ?2", &[&device.0, &sequence])
    }

    pub(crate) fn unsettled(&self, device: DeviceNo) -> Result<Vec<Found>> {
        self.find("device = ?1 AND fate IN ('new', 'await', 'hold', 'reissue')", &[&device.0])
    }

    pub(crate) fn refused(&self, device: DeviceNo) -> Result<Vec<Found>> {
        self.find("device = ?1 AND fate = 'refused'", &[&device.0])
    }

    pub(crate) fn companions(&self, head: RecordNo) -> Result<Vec<Found>> {
        self.find("head = ?1", &[&head.0])
    }

    /// Devices with something unsettled; `refused`: or something that another profile could judge otherwise.
    pub(crate) fn busy(&self, refused: bool) -> Result<Vec<DeviceNo>> {
        let sql = if refused {
            "SELECT DISTINCT device FROM record WHERE fate IN ('new', 'await', 'hold', 'reissue')
             UNION SELECT DISTINCT device FROM record WHERE fate = 'refused' ORDER BY 1"
        } else {
            "SELECT DISTINCT device FROM record WHERE fate IN ('new', 'await', 'hold', 'reissue') ORDER BY 1"
        };
        self.all(sql, [], |row| Ok(DeviceNo(row.get(0)?)))
    }

    pub(crate) fn retracted_records(&self) -> Result<Vec<Found>> {
        self.find("fate = 'retracted'", &[])
    }

    /// Whether a record of the device waits for its other part.
    pub(crate) fn wants_partner(&self, device: DeviceNo) -> Result<bool> {
        let sql = "SELECT 1 FROM record WHERE device = ?1 AND fate = 'await' AND partner = 1 LIMIT 1";
        Ok(self.one(sql, [device.0], |_| Ok(()))?.is_some())
    }

    /// The next deadline of all.
    pub(crate) fn next_deadline(&self) -> Result<Option<HubTicks>> {
        self.one(
            "SELECT until_boot, until_ms FROM record WHERE fate = 'await' ORDER BY until_boot, until_ms LIMIT 1",
            [],
            |row| Ok(HubTicks { boot: BootNo(row.get(0)?), ms: row.get(1)? }),
        )
    }

    // ---- reading and writing one

    /// The whole record, with its hearings.
    pub(crate) fn whole(&self, found: Found) -> Result<Record> {
        let Found { no, device, times, last_contact, last_at, changed, issue, sealed } = found;
        let heard = self.heard(no, device)?;
        let first =
            heard.first().ok_or_else(|| StoreError::Broken(format!("record {} was never heard", no.0)))?;
        let row: RecordRow = self.open("record", "sealed", no.0, &sealed)?;
        let place = Place { table: "record", column: "sealed", row: no.0 };
        let Parts { name, fate, given, taken } = row.parts(first).map_err(|why| unreadable(place, why))?;
        Ok(Record { no, name, heard, times, last_contact, last_at, taken, changed, issue, given, fate })
    }

    /// Reads what is not there yet.
    pub(crate) fn read_into(
        &self,
        records: &mut BTreeMap<RecordNo, Record>,
        found: Vec<Found>,
    ) -> Result<()> {
        for found in found {
            if let Entry::Vacant(place) = records.entry(found.no) {
                place.insert(self.whole(found)?);
            }
        }
        Ok(())
    }

    fn heard(&self, record: RecordNo, device: DeviceNo) -> Result<Vec<Capture>> {
        let sound = sound("capture");
        let sql = format!(
            "SELECT no, contact, boot, ms, sealed, {sound} FROM capture WHERE record = ?1 ORDER BY no"
        );
        let rows = self.all(&sql, [record.0], |row| {
            let contact = ContactNo(row.get::<_, i64>(1)?.unsigned_abs());
            let at = HubTicks { boot: BootNo(row.get(2)?), ms: row.get(3)? };
            Ok((row.get::<_, i64>(0)?, contact, at, row.get::<_, Vec<u8>>(4)?))
        })?;
        rows.into_iter()
            .map(|(no, contact, at, sealed)| {
                let row: CaptureRow = self.open("capture", "sealed", no, &sealed)?;
                Ok(row.capture(device, contact, at))
            })
            .collect()
    }

    pub(crate) fn make_record(&self, capture: &Capture, at: HubTicks) -> Result<RecordNo> {
        let no = self.next("record")?;
        let name = name(capture);
        let blinded = self.blinded(&name);
        let device = capture.device.0;
        let taken = (at != capture.at).then_some(at);
        self.run(
            "INSERT INTO record (no, device, name, turn, sequence, times, last_contact, last_boot, last_ms, fate, fate_boot,
                fate_ms, sealed)
             VALUES (?1, ?2, ?3, (SELECT count(*) FROM record WHERE device = ?2 AND name = ?3),
                ?4, 1, ?5, ?6, ?7, 'new', ?8, ?9, ?10)",
            params![
                no,
                device,
                blinded,
                sequence(capture.characteristic, &capture.octets),
                number(capture.contact),
                capture.at.boot.0,
                capture.at.ms,
                at.boot.0,
                at.ms,
                self.shut("record", "sealed", no, &RecordRow::of(name, &Fate::New, None, taken)),
            ],
        )?;
        self.make_capture(RecordNo(no), capture)?;
        Ok(RecordNo(no))
    }

    pub(crate) fn make_capture(&self, record: RecordNo, capture: &Capture) -> Result<()> {
        let no = self.next("capture")?;
        let sealed = self.shut("capture", "sealed", no, &CaptureRow::of(capture));
        self.run(
            "INSERT INTO capture (no, record, contact, boot, ms, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![no, record.0, number(capture.contact), capture.at.boot.0, capture.at.ms, sealed],
        )?;
        Ok(())
    }

    /// It was heard again.
    pub(crate) fn count_again(&self, record: &Record) -> Result<()> {
        self.run(
            "UPDATE record SET times = ?2, last_contact = ?3, last_boot = ?4, last_ms = ?5, changed = ?6 WHERE no = ?1",
            params![
                record.no.0,
                record.times,
                number(record.last_contact),
                record.last_at.boot.0,
                record.last_at.ms,
                record.changed
            ],
        )?;
        Ok(())
    }

    /// Which issue it becomes once it is a reading again.
    pub(crate) fn becomes(&self, no: RecordNo, issue: Issue) -> Result<()> {
        self.run("UPDATE record SET issue = ?2 WHERE no = ?1", params![no.0, issue.0])?;
        Ok(())
    }

    /// What became of it; and whose a person said it is.
    pub(crate) fn write_fate(&self, record: &Record, fate: &Fate, at: HubTicks) -> Result<()> {
        let no = record.no;
        let (code, reason) = fate_code(fate);
        let (until, partner) = match fate {
            Fate::Await { wants, until } => (Some(*until), wants.contains(&For::Partner)),
            _ => (None, false),
        };
        let head = match fate {
            Fate::Companion(head) => Some(head.0),
            _ => None,
        };
        self.run(
            "UPDATE record SET fate = ?2, reason = ?3, partner = ?4, until_boot = ?5, until_ms = ?6, head = ?7,
                fate_boot = ?8, fate_ms = ?9, sealed = ?10 WHERE no = ?1",
            params![
                no.0,
                code,
                reason,
                partner,
                until.map(|u| u.boot.0),
                until.map(|u| u.ms),
                head,
                at.boot.0,
                at.ms,
                self.shut("record", "sealed", no.0, &RecordRow::of(record.name, fate, record.given, record.taken)),
            ],
        )?;
        Ok(())
    }
}

/// A fate in the clear: what it is, and the code of its reason, as views and counts name them.
pub fn fate_code(fate: &Fate) -> (&'static str, Option<&'static str>) {
    match fate {
        Fate::New => ("new", None),
        Fate::Await { wants, .. } => ("await", wants.first().map(|want| want_code(*want))),
        Fate::Hold(why) => ("hold", Some(why_code(why))),
        Fate::Reissue(_) => ("reissue", None),
        Fate::Admitted(..) => ("admitted", None),
        Fate::Companion(_) => ("companion", None),
        Fate::Repeat => ("repeat", None),
        Fate::Retracted(..) => ("retracted", None),
        Fate::Refused(refusal, ..) => ("refused", Some(refusal_code(refusal))),
    }
}

fn want_code(want: For) -> &'static str {
    match want {
        For::Partner => "partner",
        For::Clock => "clock",
        For::Identity => "identity",
        For::HubTime => "hub-time",
    }
}

pub(crate) fn why_code(why: &Why) -> &'static str {
    match why {
        Why::NoPatient => "no-patient",
        Why::SlotUnknown => "slot-unknown",
        Why::Guest => "guest",
        Why::TwoPeople => "two-people",
        Why::Shared => "shared",
        Why::Edge => "edge",
        Why::BeforeBinding(_) => "before-binding",
        Why::NoZone => "no-zone",
        Why::Identity => "identity",
        Why::UnknownProfile => "unknown-profile",
        Why::Time(doubt) => match doubt {
            TimeDoubt::NotADate => "time-not-a-date",
            TimeDoubt::Untimed => "time-untimed",
            TimeDoubt::HubClock => "time-hub-clock",
            TimeDoubt::Reset => "time-reset",
            TimeDoubt::TwoTimelines => "time-two-timelines",
            TimeDoubt::Future => "time-future",
            TimeDoubt::Fold => "time-fold",
            TimeDoubt::Gap => "time-gap",
            TimeDoubt::DeviceFault => "time-device-fault",
            TimeDoubt::OffsetLost => "time-offset-lost",
        },
        Why::Impossible(_) => "impossible",
        Why::Layout => "layout",
    }
}

fn refusal_code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Undecodable(_) => "undecodable",
        Refusal::Orphan => "orphan",
        Refusal::LateContext => "late-context",
        Refusal::ControlSolution => "control-solution",
        Refusal::NothingMeasured => "nothing-measured",
        Refusal::Demonstration => "demonstration",
        Refusal::Closed => "closed",
        Refusal::NotAReading(_) => "not-a-reading",
    }
}
