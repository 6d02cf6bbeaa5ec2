//! Where the store stands: its last tick, what a record became, where a meter is asked
//! from next, and which readings today's bindings dispute.

use super::rows::{Kept, ReadingNo, Rows};
use super::{Store, StoreError};
use hearth_core::admit::{Fate, Hearing, House, Open, Why, disputed};
use hearth_core::capture::{Capture, DeviceNo, Uuid16};
use hearth_core::identity::{Binding, Facts, Revision, Who};
use hearth_core::profile::Catalog;
use hearth_core::reading::Reading;
use hearth_core::when::{Boots, HubTicks};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A reading whose person today's bindings would no longer choose. Shown, never acted on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disputed {
    pub reading: ReadingNo,
    pub given_to: Who,
    pub today: Result<Who, Why>,
}

impl Store {
    /// The highest tick of the last boot that this hub has lived; a replayed log's are none of its own. `None`: no boot
    /// was counted yet.
    pub fn last_ticks(&mut self) -> Result<Option<HubTicks>, StoreError> {
        self.read(|rows| {
            let boots = rows.boots()?;
            let last = boots.all.iter().rev().find(|(_, b)| b.log.is_none());
            Ok(last.map(|(boot, b)| HubTicks { boot: *boot, ms: b.last }))
        })
    }

    /// Whether [`Store::meet`] would meet it again.
    pub fn knows(&mut self, facts: &Facts) -> Result<bool, StoreError> {
        self.read(|rows| Ok(rows.device_by_handle(facts)?.is_some()))
    }

    /// Whether a binding names the device, at whatever time.
    pub fn is_bound(&mut self, device: DeviceNo) -> Result<bool, StoreError> {
        self.read(|rows| Ok(rows.bindings()?.iter().any(|binding| binding.device == device)))
    }

    /// Whether the record of this capture is known already.
    pub fn repeats(&mut self, capture: &Capture) -> Result<bool, StoreError> {
        self.read(|rows| {
            let mut records = BTreeMap::new();
            rows.read_into(&mut records, rows.candidates(capture)?)?;
            let device = rows.device(capture.device)?;
            let open = Open { device, contacts: BTreeMap::new(), records };
            Ok(matches!(open.hear(capture), Hearing::Again(_)))
        })
    }

    /// The reading that a record was admitted as, if that is its fate.
    pub fn reading_of(&mut self, fate: &Fate) -> Result<Option<Reading>, StoreError> {
        let Fate::Admitted(key, issue) = fate else { return Ok(None) };
        self.read(|rows| Ok(rows.reading_by_key(key, *issue)?.map(|kept| kept.reading)))
    }

    /// Of which characteristics the records are that wait, or that were refused: what a device without a profile sent.
    pub fn heard_of(&mut self, device: DeviceNo) -> Result<BTreeSet<Uuid16>, StoreError> {
        self.read(|rows| {
            let found = rows.unsettled(device)?.into_iter().chain(rows.refused(device)?);
            found.map(|found| Ok(rows.whole(found)?.first().characteristic)).collect()
        })
    }

    /// Where to ask a meter from: at the least sequence among its records that wait for their partner, else
    /// after the last one that was new. `None`: from the beginning.
    pub fn cursor(&mut self, device: DeviceNo) -> Result<Option<u16>, StoreError> {
        let (recorder, epoch) = (self.hub.system_id, self.epoch);
        self.read(|rows| {
            if let Some(waits) = rows.least_without_partner(device)? {
                return Ok(Some(waits));
            }
            Ok(rows.last_sequence(device, &recorder, epoch)?.map(|last| last.wrapping_add(1)))
        })
    }

    /// Readings that stand, and whose person today's bindings would no longer choose.
    pub fn disputed(&mut self) -> Result<Vec<Disputed>, StoreError> {
        let catalog = Arc::clone(&self.catalog);
        self.read(|rows| {
            let today = Today::of(rows, &catalog)?;
            let mut found = vec![];
            let mut after = ReadingNo(0);
            loop {
                let page = rows.readings_in_question_after(after, 500)?;
                let Some(last) = page.last() else { return Ok(found) };
                after = last.no;
                for kept in page {
                    if let Some(today) = today.disputes(rows, &kept)? {
                        found.push(Disputed { reading: kept.no, given_to: kept.reading.who, today });
                    }
                }
            }
        })
    }
}

/// Whose devices are, today.
pub(super) struct Today<'a> {
    catalog: &'a Catalog,
    boots: Boots,
    bindings: Vec<Binding>,
    /// By device, the last revision in which anything was said of it.
    said: BTreeMap<DeviceNo, Revision>,
}

impl<'a> Today<'a> {
    pub(super) fn of(rows: &Rows<'_>, catalog: &'a Catalog) -> Result<Today<'a>, StoreError> {
        Ok(Today { catalog, boots: rows.boots()?, bindings: rows.bindings()?, said: rows.last_said()? })
    }

    /// Whose it would be, of a reading that stands, if that is not who has it.
    pub(super) fn disputes(
        &self,
        rows: &Rows<'_>,
        kept: &Kept,
    ) -> Result<Option<Result<Who, Why>>, StoreError> {
        // Revisions only count up: nobody disputes what was bound by the last word on its device. After a salvage nobody has
        // said yet whose a device is: nothing says otherwise either.
        let said = self.said.get(&kept.reading.device);
        if kept.retracted || said.is_none_or(|said| *said <= kept.reading.binding) {
            return Ok(None);
        }
        let record = rows.whole(rows.record(kept.record)?)?;
        let house = House { boots: &self.boots, catalog: self.catalog, bindings: &self.bindings };
        let mut given = record.given;
        for companion in rows.companions(record.no)? {
            given = given.or(rows.whole(companion)?.given);
        }
        Ok(disputed(&kept.reading, given, self.boots.utc(record.first().at), &house))
    }
}
