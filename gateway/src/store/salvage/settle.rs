//! From rows that are true each to a store that is true as a whole.

use super::{Account, BATCH};
use crate::store::StoreError;
use crate::store::payload::SaidRow;
use crate::store::rows::{DestinationNo, Kept, NewOutbox, Queued, ReadingNo, Rows, State};
use hearth_core::admit::{Fate, Record, RecordNo, key};
use hearth_core::capture::name;
use hearth_core::identity::Who;
use hearth_core::parcel::Intent;
use hearth_core::reading::Issue;
use hearth_core::when::HubTicks;

const CONFIRM: &str = "salvaged from a damaged store: see that the reading is this person's, then retry this row, or retract the reading";

/// A person here must act.
const SET_UP: &str = "set-up";

/// Settles what each row stands on and what became of it. How many rows of the ledger had to be forgotten, so that what
/// they name can become a reading again.
pub(super) fn settle(rows: &Rows<'_>, log_cut: bool, account: &mut Account) -> Result<usize, StoreError> {
    Settling { rows, log_cut, account }.settle()
}

struct Settling<'a> {
    rows: &'a Rows<'a>,
    log_cut: bool,
    account: &'a mut Account,
}

impl Settling<'_> {
    fn settle(&mut self) -> Result<usize, StoreError> {
        let rows = self.rows;
        rows.next_epoch()?;
        for (table, dropped) in rows.drop_dangling()? {
            self.account.dangling(table, dropped);
        }
        rows.last_contacts_from_captures()?;
        self.each_record(Settling::heard_whole)?;
        for (table, dropped) in rows.drop_dangling_of_records()? {
            self.account.dangling(table, dropped);
        }
        self.each_reading()?;
        let whole = self.account.whole(&["record", "capture", "reading", "outbox", "ledger_closed"]);
        let forgotten = if whole && !self.log_cut { 0 } else { rows.forget_unknown_ends()? };
        self.each_record(Settling::fate_holds)?;
        for no in rows.without_head()? {
            let record = rows.whole(rows.record(no)?)?;
            self.judge_again(&record, record.last_at)?;
        }
        Ok(forgotten)
    }

    fn each_record(
        &mut self,
        mut each: impl FnMut(&mut Self, RecordNo, HubTicks) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut after = RecordNo(0);
        loop {
            let page = self.rows.records_after(after, BATCH as u32)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (no, since) in page {
                each(self, no, since)?;
            }
        }
    }

    /// A record is what its first hearing said: without that, or with another one in its place, it is nothing.
    fn heard_whole(&mut self, no: RecordNo, _: HubTicks) -> Result<(), StoreError> {
        match self.rows.whole(self.rows.record(no)?) {
            Ok(record) if name(record.first()) == record.name => Ok(()),
            Ok(_) | Err(StoreError::Broken(_)) => {
                self.account.dangling("record", 1);
                self.rows.drop_record(no)
            }
            Err(error) => Err(error),
        }
    }

    /// What a record became still stands, or it is judged again.
    fn fate_holds(&mut self, no: RecordNo, since: HubTicks) -> Result<(), StoreError> {
        let rows = self.rows;
        let mut record = rows.whole(rows.record(no)?)?;
        // An old page may name the wrong person, as a binding's might: it is asked again.
        if !record.fate.settled(None) && record.given.take().is_some() {
            rows.write_fate(&record, &record.fate, since)?;
        }
        match &record.fate {
            Fate::Admitted(key, issue) if rows.reading_by_key(key, *issue)?.is_none() => {
                // In the ledger still: it arrived everywhere.
                if rows.known(key, *issue)? {
                    rows.write_fate(&record, &Fate::Repeat, since)
                } else {
                    self.judge_again(&record, since)
                }
            }
            Fate::Repeat => {
                let identity = rows.device(record.first().device)?.identity;
                let key = identity.map(|identity| key(&identity, &record.name));
                match key {
                    Some(key) if rows.known(&key, Issue(0))? => Ok(()),
                    _ => self.judge_again(&record, since),
                }
            }
            Fate::Retracted(key, issue) => rows.tombstone(key, *issue),
            Fate::Hold(_) if !rows.has_hold(no)? => rows.hold(no, &record.fate, since),
            _ => Ok(()),
        }
    }

    fn judge_again(&self, record: &Record, since: HubTicks) -> Result<(), StoreError> {
        let fate = if record.issue == Issue(0) { Fate::New } else { Fate::Reissue(record.issue) };
        self.rows.write_fate(&Record { given: None, ..record.clone() }, &fate, since)
    }

    fn each_reading(&mut self) -> Result<(), StoreError> {
        let mut after = ReadingNo(0);
        loop {
            let page = self.rows.readings_after(after, BATCH as u32)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.no;
            for kept in page {
                self.reading(&kept)?;
            }
        }
    }

    /// The ledger knows it, and nothing of it goes on its own.
    fn reading(&mut self, kept: &Kept) -> Result<(), StoreError> {
        let rows = self.rows;
        let record = rows.whole(rows.record(kept.record)?)?;
        rows.remember(kept, record.first().characteristic)?;
        let queued = rows.queued_for(kept.no)?;
        for row in &queued {
            self.row(kept, row)?;
        }
        if self.account.whole(&["outbox"]) && !self.log_cut {
            return Ok(());
        }
        let Who::Person(person) = kept.reading.who else { return Ok(()) };
        for (destination, _) in rows.all_destinations()? {
            if rows.subject(person, destination)?.is_some() {
                self.lost_rows(kept, &queued, destination)?;
            }
        }
        Ok(())
    }

    fn row(&self, kept: &Kept, row: &Queued) -> Result<(), StoreError> {
        let rows = self.rows;
        if row.intent == Intent::Retract {
            return Ok(());
        }
        if matches!(row.state, State::Delivered | State::Unverified) {
            let at = row.changed_at.or(row.issued).unwrap_or(row.effective);
            return rows.close(&kept.reading.key, kept.reading.issue, row.destination, at);
        }
        // A row that proves itself may be an old word of what has arrived since.
        if rows.closed(&kept.reading.key, kept.reading.issue, row.destination)? {
            return rows.rewrite(&Queued {
                state: State::Unverified,
                reason: None,
                octets: None,
                in_doubt: false,
                ..row.clone()
            });
        }
        if row.state == State::Withdrawn || kept.retracted {
            return Ok(());
        }
        let mut row = row.clone();
        row.in_doubt |= self.log_cut;
        if row.state != State::Parked {
            (row.state, row.reason, row.points_at) = (State::Parked, None, Some(SET_UP.to_owned()));
            row.said.said = Some(CONFIRM.to_owned());
        }
        rows.rewrite(&row)
    }

    /// Of what the reading's rows for a destination may have been, what is safe.
    fn lost_rows(
        &self,
        kept: &Kept,
        queued: &[Queued],
        destination: DestinationNo,
    ) -> Result<(), StoreError> {
        let rows = self.rows;
        let arrived = rows.closed(&kept.reading.key, kept.reading.issue, destination)?;
        let has = |intent| queued.iter().any(|row| row.destination == destination && row.intent == intent);
        let make = |intent, state: State| {
            let parked = state == State::Parked;
            let new = NewOutbox {
                reading: kept.no,
                destination,
                intent,
                labels: &kept.reading.labels,
                effective: kept.reading.when.effective,
                state,
                reason: None,
                issued: None,
                in_doubt: parked,
                said: SaidRow { said: parked.then(|| CONFIRM.to_owned()), ..SaidRow::default() },
            };
            rows.queue_again(&new, parked.then_some(SET_UP)).map(drop)
        };
        if !has(Intent::Create) {
            make(Intent::Create, if arrived { State::Unverified } else { State::Parked })?;
        }
        // It may have been taken back there, or not yet. What never left needs no word.
        let stayed =
            |row: &Queued| row.destination == destination && row.intent == Intent::Create && !row.in_doubt;
        let never_left = !arrived && queued.iter().any(stayed);
        if kept.retracted && !has(Intent::Retract) && !never_left {
            make(Intent::Retract, State::Parked)?;
        }
        Ok(())
    }
}
