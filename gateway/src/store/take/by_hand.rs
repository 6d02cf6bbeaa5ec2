//! What a person asks of one record or reading: close it, give it to somebody, take it back, issue it anew.

use super::{Taking, Touched};
use crate::store::StoreError;
use crate::store::payload::SaidRow;
use crate::store::rows::{NewOutbox, Queued, State};
use hearth_core::admit::{Fate, Record, RecordNo, Refusal, Why};
use hearth_core::capture::Key;
use hearth_core::identity::{Binding, PersonNo, Who};
use hearth_core::parcel::Intent;
use hearth_core::profile::ProfileName;
use hearth_core::reading::{Issue, Version};

impl Taking<'_> {
    /// A person closes a held record. What is no longer held is not theirs to close.
    pub(super) fn close(&mut self, no: RecordNo) -> Result<Touched, StoreError> {
        let record = self.rows.whole(self.rows.record(no)?)?;
        // Of a log that is over: nothing can end its wait.
        let in_vain =
            || Ok::<_, StoreError>(self.rows.without_log_time()?.iter().any(|(_, its, _)| *its == no.0));
        if !matches!(record.fate, Fate::Hold(_)) && !in_vain()? {
            return Err(StoreError::Refused("only a held record can be closed; this one is not held"));
        }
        let profile = self.rows.device(record.first().device)?.profile;
        let name = profile.unwrap_or(ProfileName(String::new()));
        let version = self.catalog.get(&name).map_or(Version(0), |profile| profile.version);
        self.set_fate(&record, Fate::Refused(Refusal::Closed, name, version))?;
        Ok(Touched::Nothing)
    }

    /// A person says whose a held record is. When it was taken still has to lie in a binding of theirs.
    pub(super) fn give(&mut self, no: RecordNo, person: PersonNo) -> Result<Touched, StoreError> {
        let mut record = self.rows.whole(self.rows.record(no)?)?;
        // What was given to the wrong one, and is held for another reason by that, is given again.
        let asks = match record.fate {
            Fate::Hold(Why::Shared | Why::Guest) => true,
            Fate::Hold(_) => record.given.is_some(),
            _ => false,
        };
        if !asks {
            return Err(StoreError::Refused(
                "only what several people may have measured, or a user whom the device does not know, can be given; \
                 hearth held says what helps",
            ));
        }
        let device = record.first().device;
        let theirs = |b: &Binding| b.device == device && b.who == Who::Person(person);
        if !self.rows.bindings()?.iter().any(theirs) {
            return Err(StoreError::Refused(
                "the device is not bound to them: hearth bind add, with --shared if others use it, too",
            ));
        }
        record.given = Some(person);
        self.rows.write_fate(&record, &record.fate, self.at)?;
        Ok(Touched::Records { device, records: vec![no] })
    }

    /// CLINICAL 26. The tombstone stays, whatever becomes of the rows.
    pub(super) fn retract(&mut self, key: &Key, issue: Issue) -> Result<Touched, StoreError> {
        let rows = self.rows;
        let forgotten = rows.entry(key, issue)? == Some(false) && rows.reading_by_key(key, issue)?.is_none();
        if forgotten {
            return Err(StoreError::Refused(
                "the reading was delivered long ago and is no longer kept here: mark it as entered in error at the \
                 record system, by hand",
            ));
        }
        rows.tombstone(key, issue)?;
        let Some(kept) = rows.reading_by_key(key, issue)?.filter(|kept| !kept.retracted) else {
            return Ok(Touched::Nothing);
        };
        rows.mark_retracted(kept.no)?;
        let record = rows.whole(rows.record(kept.record)?)?;
        if record.fate == Fate::Admitted(*key, issue) {
            self.set_fate(&record, Fate::Retracted(*key, issue))?;
        }
        for row in rows.queued_for(kept.no)? {
            // What may have arrived is marked at the destination; what never left needs no word.
            let arrived = matches!(row.state, State::Delivered | State::Unverified);
            if arrived || row.in_doubt {
                rows.queue(&NewOutbox {
                    reading: row.reading,
                    destination: row.destination,
                    intent: Intent::Retract,
                    labels: &kept.reading.labels,
                    effective: row.effective,
                    state: State::Waiting,
                    reason: None,
                    issued: row.issued,
                    in_doubt: false,
                    said: SaidRow { phd: row.said.phd, ..Default::default() },
                })?;
            } else {
                rows.rewrite(&Queued { state: State::Withdrawn, reason: None, octets: None, ..row })?;
            }
        }
        Ok(Touched::Nothing)
    }

    /// A person asks for another issue: the head and what belongs to it are judged again, and whose it is is asked again
    /// where a person had said so.
    pub(super) fn reissue(&mut self, key: &Key) -> Result<Touched, StoreError> {
        let (record, issue) = self.retracted(key)?.ok_or(StoreError::Unknown("retracted reading"))?;
        let device = record.first().device;
        let mut records = vec![record.no];
        for found in self.rows.companions(record.no)? {
            let companion = Record { given: None, ..self.rows.whole(found)? };
            self.set_fate(&companion, Fate::New)?;
            records.push(companion.no);
        }
        let next = Issue(issue.0.saturating_add(1));
        self.rows.becomes(record.no, next)?;
        self.set_fate(&Record { given: None, ..record }, Fate::Reissue(next))?;
        Ok(Touched::Records { device, records })
    }

    /// The record that is retracted under this key: the one that its last reading came from, if that is here.
    fn retracted(&self, key: &Key) -> Result<Option<(Record, Issue)>, StoreError> {
        let mut chosen = None;
        for found in self.rows.retracted_records()? {
            let record = self.rows.whole(found)?;
            let Fate::Retracted(its, issue) = record.fate else { continue };
            if its != *key {
                continue;
            }
            let source = self.rows.reading_by_key(key, issue)?.is_some_and(|kept| kept.record == record.no);
            if source || chosen.is_none() {
                chosen = Some((record, issue));
            }
        }
        Ok(chosen)
    }
}
