//! Steps 7 and 8 of the walk: a fact is written, the whole is judged, the verdicts are written, in one
//! transaction; and nobody may forget anything before it is committed.

mod by_hand;

use super::deliver;
use super::judge::{Judge, Touched};
use super::payload::CertifiedRow;
use super::rows::Rows;
use super::{Store, StoreError};
use crate::failpoint::{Point, reach};
use hearth_core::admit::{End, Fate, Hearing, News, Open, Record, RecordNo, Telling, has_parts, sequence};
use hearth_core::capture::{Capture, DeviceNo, Key, Link, Uuid16, name};
use hearth_core::identity::{Binding, Facts};
use hearth_core::profile::Catalog;
use hearth_core::reading::Issue;
use hearth_core::when::{BootNo, ContactNo, HubTicks};
use jiff::Timestamp;
use rusqlite::TransactionBehavior;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The news is on disk, and what follows from it. Made only by a commit: whoever holds it may let the source
/// forget.
#[expect(clippy::manual_non_exhaustive, reason = "no other room of this crate may make one either")]
#[derive(Debug)]
pub struct Committed {
    /// When silence itself will be news: send [`News::Due`] then.
    pub due: Option<HubTicks>,
    /// Readings that are new.
    pub admitted: Vec<(Key, Issue)>,
    /// Records whose fate is another now, in the order in which it was decided.
    pub changes: Vec<(RecordNo, Fate)>,
    /// What was heard, if the news was a capture: a new record or a repeat. `None` also if it repeats a reading
    /// that was delivered and forgotten long ago.
    pub heard: Option<(RecordNo, Hearing)>,
    seal: (),
}

impl Committed {
    /// Proof that only this room makes one.
    fn new(due: Option<HubTicks>, judged: Judged, heard: Option<(RecordNo, Hearing)>) -> Committed {
        Committed { due, admitted: judged.admitted, changes: judged.changes, heard, seal: () }
    }

    /// Lets go of the proof: the source may forget now.
    pub fn release(self) {
        let Committed { seal: (), .. } = self;
    }
}

/// What a transaction changed.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) admitted: Vec<(Key, Issue)>,
    pub(super) changes: Vec<(RecordNo, Fate)>,
}

impl Store {
    /// The number of this boot: the same for the same boot of the system, however often the daemon starts.
    /// Tell [`News::Booted`] next.
    pub fn begin_boot(&mut self, boot_id: &str) -> Result<BootNo, StoreError> {
        self.write(|rows| rows.boot(boot_id))
    }

    /// A boot of a replayed log, whose first one is `log`; `None`: the log begins with it. `now`: by the machine's
    /// clock, for the age of what the log leaves here.
    pub fn begin_replayed_boot(&mut self, log: Option<BootNo>, now: Timestamp) -> Result<BootNo, StoreError> {
        self.write(|rows| rows.replayed_boot(log, now))
    }

    /// The device that is met again by this address, or by this system id, serial number or label where there
    /// is no address; a new one, if it is met for the first time. What else is known of it is [`News::Identity`].
    pub fn meet(&mut self, facts: &Facts, at: HubTicks) -> Result<DeviceNo, StoreError> {
        let catalog = Arc::clone(&self.catalog);
        self.write(|rows| {
            rows.ticked(at)?;
            if let Some(no) = rows.device_by_handle(facts)? {
                return Ok(no);
            }
            let no = rows.make_device(facts, at)?;
            let mut device = rows.device(no)?;
            if super::judge::recognize(&mut device, &catalog) {
                rows.device_judged(&device)?;
            }
            Ok(no)
        })
    }

    /// A new contact with a device: a connection, a burst of advertisements, a session on a wire.
    pub fn next_contact(
        &mut self,
        device: DeviceNo,
        link: Link,
        at: HubTicks,
    ) -> Result<ContactNo, StoreError> {
        self.write(|rows| {
            rows.device(device)?;
            rows.ticked(at)?;
            rows.bonded(device, link)?;
            rows.make_contact(device, link, at)
        })
    }

    /// A contact in which the device told all that it had, and that was nothing. Kept where a record waits for something that may still
    /// have come: every day a scale shows itself a hundred times.
    pub fn told_nothing(
        &mut self,
        device: DeviceNo,
        link: Link,
        at: HubTicks,
    ) -> Result<Option<Committed>, StoreError> {
        if !self.write(|rows| rows.wants_partner(device))? {
            return Ok(None);
        }
        let contact = self.next_contact(device, link, at)?;
        self.take(&News::Ended(device, contact, End::Drained), at).map(Some)
    }

    /// Another catalogue. Tell [`News::Profiles`] next.
    pub fn set_catalog(&mut self, catalog: Catalog) {
        self.catalog = Arc::new(catalog);
    }

    /// Writes the fact, judges what it touches, writes the verdicts: one transaction.
    ///
    /// Errors: [`StoreError::Full`] and [`StoreError::Broken`], and then nothing of it is on disk and nothing
    /// may be released; [`StoreError::Unknown`] for news of a device, contact, boot or reading that the store
    /// never gave a number.
    pub fn take(&mut self, news: &News, at: HubTicks) -> Result<Committed, StoreError> {
        self.take_by(news, at, None)
    }

    /// [`Store::take`] of one after the other, in one transaction: what waits while something is committed shares the next
    /// commit. All of it, or nothing.
    pub fn take_all(&mut self, all: &[(News, HubTicks)]) -> Result<Vec<Committed>, StoreError> {
        self.take_all_with(all, |_| Ok(()))
    }

    /// [`Store::take_all`], with what else belongs to it.
    pub(super) fn take_all_with(
        &mut self,
        all: &[(News, HubTicks)],
        with: impl FnOnce(&Rows<'_>) -> Result<(), StoreError>,
    ) -> Result<Vec<Committed>, StoreError> {
        self.commit(all.iter().map(|(news, _)| news), |rows, catalog, recorder| {
            with(rows)?;
            all.iter().map(|(news, at)| take(rows, catalog, recorder, news, *at, None)).collect()
        })
    }

    /// [`News::Bindings`], with where the change came from and who made it.
    pub fn bind(
        &mut self,
        bindings: Vec<Binding>,
        source: &str,
        author: &str,
        at: HubTicks,
    ) -> Result<Committed, StoreError> {
        let by = CertifiedRow { source: source.to_owned(), author: author.to_owned() };
        self.take_by(&News::Bindings(bindings), at, Some(&by))
    }

    fn take_by(
        &mut self,
        news: &News,
        at: HubTicks,
        by: Option<&CertifiedRow>,
    ) -> Result<Committed, StoreError> {
        self.commit([news], |rows, catalog, recorder| take(rows, catalog, recorder, news, at, by))
    }

    /// One transaction that takes this news. The numbers of what was heard are nobody else's any more.
    fn commit<'a, T>(
        &mut self,
        all: impl IntoIterator<Item = &'a News>,
        verb: impl FnOnce(&Rows<'_>, &Catalog, [u8; 8]) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let catalog = Arc::clone(&self.catalog);
        let recorder = self.hub.system_id;
        let committed = self.transact(
            TransactionBehavior::Immediate,
            |rows| verb(rows, &catalog, recorder),
            || reach(Point::TakeBeforeCommit),
        )?;
        for news in all {
            if let News::Heard(capture) = news
                && capture.origin.recorder == recorder
            {
                self.next_origin = self.next_origin.max(capture.origin.number.saturating_add(1));
            }
        }
        reach(Point::TakeAfterCommit);
        Ok(committed)
    }
}

/// One piece of news, in the transaction that is open.
fn take(
    rows: &Rows<'_>,
    catalog: &Catalog,
    recorder: [u8; 8],
    news: &News,
    at: HubTicks,
    by: Option<&CertifiedRow>,
) -> Result<Committed, StoreError> {
    rows.ticked(at)?;
    let mut taking = Taking { rows, catalog, recorder, at, heard: None, judged: Judged::default() };
    let touched = taking.write_fact(news, by)?;
    let mut judge = Judge::new(rows, catalog, at, taking.judged)?;
    judge.judge(touched)?;
    Ok(Committed::new(rows.next_deadline()?, judge.judged, taking.heard))
}

/// One fact on its way to disk.
struct Taking<'a> {
    rows: &'a Rows<'a>,
    catalog: &'a Catalog,
    recorder: [u8; 8],
    at: HubTicks,
    heard: Option<(RecordNo, Hearing)>,
    judged: Judged,
}

impl Taking<'_> {
    fn write_fact(&mut self, news: &News, by: Option<&CertifiedRow>) -> Result<Touched, StoreError> {
        let rows = self.rows;
        Ok(match news {
            News::Due => Touched::House { refused: false },
            // After an upgrade the catalogue may be another one, so a start is news of profiles, too.
            News::Booted | News::Profiles => {
                for no in rows.devices()? {
                    let mut device = rows.device(no)?;
                    if super::judge::recognize(&mut device, self.catalog) {
                        rows.device_judged(&device)?;
                    }
                }
                deliver::reweigh(rows, self.catalog, None)?;
                Touched::House { refused: true }
            }
            News::HubTime(anchor) => {
                rows.ticked(anchor.at)?;
                rows.anchor(anchor)?;
                Touched::House { refused: false }
            }
            News::Bindings(bindings) => {
                rows.replace_bindings(bindings, by)?;
                Touched::House { refused: false }
            }
            News::Identity(no, facts) => {
                let mut device = rows.device(*no)?;
                let contradicted = device.facts.add(facts);
                super::judge::recognize(&mut device, self.catalog);
                rows.device_told(&device, &contradicted, self.at)?;
                Touched::Device { device: *no, refused: true }
            }
            News::Clock(device, sample) => {
                rows.expect_contact(*device, sample.contact)?;
                rows.sampled(sample.contact, sample)?;
                Touched::Device { device: *device, refused: false }
            }
            News::Ended(device, contact, end) => {
                rows.expect_contact(*device, *contact)?;
                rows.ended(*contact, *end)?;
                Touched::Device { device: *device, refused: false }
            }
            News::Heard(capture) => self.hear(capture)?,
            News::Retract(key, issue) => self.retract(key, *issue)?,
            News::Reissue(key) => self.reissue(key)?,
            News::Replace(key, issue) => {
                self.retract(key, *issue)?;
                self.reissue(key)?
            }
            News::Close(no) => self.close(*no)?,
            News::Give(no, person) => self.give(*no, *person)?,
        })
    }

    /// The first guard: a record is one row per device, however often it is heard.
    fn hear(&mut self, capture: &Capture) -> Result<Touched, StoreError> {
        let rows = self.rows;
        rows.expect_contact(capture.device, capture.contact)?;
        rows.ticked(capture.at)?;
        let device = rows.device(capture.device)?;
        let mut records = BTreeMap::new();
        rows.read_into(&mut records, rows.candidates(capture)?)?;
        let sequence = sequence(capture.characteristic, &capture.octets);
        if let Some(sequence) = sequence {
            rows.read_into(&mut records, rows.with_sequence(capture.device, sequence)?)?;
        }
        let mut open = Open { device, contacts: BTreeMap::new(), records };
        let no = match open.hear(capture) {
            Hearing::Again(no) => {
                let record = open.records.get_mut(&no).ok_or(StoreError::Unknown("record"))?;
                let profile = open.device.profile.as_ref().and_then(|name| self.catalog.get(name));
                let settled = record.fate.settled(profile.map(|p| (&p.name, p.version)));
                self.hear_again(record, capture, settled)?;
                self.heard = Some((no, Hearing::Again(no)));
                no
            }
            Hearing::New => {
                if self.was_pruned(&open, capture)? {
                    self.tell(capture, None)?;
                    return Ok(Touched::Nothing);
                }
                let no = rows.make_record(capture, self.at)?;
                if let Some(sequence) =
                    sequence.filter(|_| capture.characteristic == Uuid16::GLUCOSE_MEASUREMENT)
                {
                    rows.move_cursor(capture.device, capture.origin, sequence)?;
                }
                self.heard = Some((no, Hearing::New));
                no
            }
        };
        if capture.origin.recorder == self.recorder {
            rows.origin_used(capture.origin.number)?;
        }
        self.tell(capture, Some(no))?;
        Ok(Touched::Records { device: capture.device, records: vec![no] })
    }

    /// Which weight a composition is part of, the order in which a contact told them says.
    fn tell(&self, capture: &Capture, record: Option<RecordNo>) -> Result<(), StoreError> {
        if has_parts(capture.characteristic) {
            self.rows.tell(capture.contact, Telling { record, at: capture.at })?;
        }
        Ok(())
    }

    fn hear_again(
        &mut self,
        record: &mut Record,
        capture: &Capture,
        settled: bool,
    ) -> Result<(), StoreError> {
        let (hearings, fate) = (record.heard.len(), record.fate.clone());
        record.again(capture, settled);
        self.rows.count_again(record)?;
        if record.heard.len() > hearings {
            self.rows.make_capture(record.no, capture)?;
        }
        if record.fate != fate {
            self.set_fate(record, record.fate.clone())?;
        }
        Ok(())
    }

    /// A reading that was delivered and forgotten: the ledger still knows it, and hearing it again only counts.
    fn was_pruned(&self, open: &Open, capture: &Capture) -> Result<bool, StoreError> {
        let Some(identity) = &open.device.identity else { return Ok(false) };
        let key = hearth_core::admit::key(identity, &name(capture));
        Ok(self.rows.reading_by_key(&key, Issue(0))?.is_none() && self.rows.heard_since_pruned(&key)?)
    }

    fn set_fate(&mut self, record: &Record, fate: Fate) -> Result<(), StoreError> {
        self.rows.write_fate(record, &fate, self.at)?;
        self.rows.hold(record.no, &fate, self.at)?;
        self.judged.changes.push((record.no, fate));
        Ok(())
    }
}
