//! What is readable in a damaged file, carried over into a new one.
//!
//! The order of the promises decides. A row is carried over if it proves itself (`proof`) and what it stands on does, too;
//! nothing is mended and nothing is guessed.
//!
//! | what | in the new store |
//! |---|---|
//! | hub, boots, devices, contacts, records, captures, holds | as they were; the hub in its next epoch, so that devices' memories are read again from their beginning |
//! | bindings, permissions | never: a page that was not written in time proves an old word, and an old word may name the wrong person. A person binds again |
//! | readings, with outbox rows that are closed, and receipts | as they were: what was delivered stays delivered |
//! | outbox rows that are open | parked, and say so: a person confirms with `hearth outbox retry` |
//! | ledger | as it was, and what readings and outbox still say of it. What it may have forgotten is in doubt: looked for before it is sent |
//! | records whose reading was lost | judged again, once somebody has bound the device |
//! | cursors | never: of what was lost, the devices' memories have what they still hold |

mod log;
mod pages;

pub(super) use log::Log;

use super::blind::HubKey;
use super::error::StoreError;
use super::payload::SaidRow;
use super::proof::{PROOF_LENGTH, Proven, TABLES, prove};
use super::rows::{DestinationNo, Kept, NewOutbox, Queued, ReadingNo, Rows, Salvaged, State};
use super::seal::Seal;
use hearth_core::admit::{Fate, Record, RecordNo, key};
use hearth_core::capture::name;
use hearth_core::identity::Who;
use hearth_core::parcel::Intent;
use hearth_core::reading::Issue;
use hearth_core::when::HubTicks;
use jiff::{SignedDuration, Timestamp};
use pages::{Image, Lost, Tree};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, TransactionBehavior};
use std::collections::BTreeMap;
use std::path::Path;

/// Bindings, permissions and cursors stay behind.
const LEFT_BEHIND: &[&str] = &["binding", "permission", "cursor"];
/// Tables without row numbers.
const BY_KEY: &[&str] = &["ledger", "ledger_closed", "ledger_doubt"];
/// Rows that are carried over in one transaction.
const BATCH: usize = 1000;
/// Ranges of row numbers that are told; more help nobody.
const RANGES: usize = 8;
/// Clocks of hub and file system may differ by so much.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

const CONFIRM: &str = "salvaged from a damaged store: see that the reading is this person's, then retry this row, or retract the reading";

/// Why nothing could be carried over: the damaged file is as it was, and the new one is not used.
#[derive(Debug)]
pub(super) enum Failed {
    Disk(std::io::Error),
    Store(StoreError),
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Failed {
        Failed::Disk(error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Failed {
        Failed::Store(error)
    }
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Failed {
        Failed::Store(error.into())
    }
}

/// A file that was damaged, and what became of what was in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Salvage {
    /// The name under which it lies in the store's directory.
    pub file: String,
    /// Commits at the end of its log were lost: what it says is old.
    pub log_cut: bool,
    pub tables: Vec<Salvaged>,
}

/// Carries over what is readable in `damaged` and its log `wal`, read only, into the new database `sql`. `aside`: the
/// name under which the damaged file will lie. `written`: when it last was.
pub(super) fn salvage(
    damaged: (&Path, &Path),
    sql: &mut Connection,
    (seal, key): (&Seal, &HubKey),
    aside: &str,
    written: Timestamp,
) -> Result<(), Failed> {
    sql.pragma_update(None, "foreign_keys", false)?;
    let mut image = Image::open(damaged.0, damaged.1)?;
    let roots = roots(&mut image, sql)?;
    let mut account = Account::default();
    for proven in TABLES.iter().filter(|proven| !LEFT_BEHIND.contains(&proven.table)) {
        let lost = carry(&mut image, roots.get(proven.table).copied(), proven, sql, (seal, key))?;
        account.tables.insert(proven.table, lost);
    }
    let log_cut = image.log_cut();
    let transaction = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let rows = Rows::new(&transaction, seal, key);
    let forgotten = Settling { rows: &rows, log_cut, account: &mut account }.settle()?;
    rows.foreign_keys_hold()?;
    let doubt = log_cut || !account.whole(&["ledger", "ledger_closed", "destination"]);
    account.dangling("ledger", forgotten);
    let until = doubt.then(|| written.checked_add(SLACK).unwrap_or(Timestamp::MAX));
    for (table, salvaged) in &mut account.tables {
        salvaged.carried = rows.counted(table)?;
    }
    let tables: Vec<Salvaged> = account.tables.into_values().collect();
    rows.account(aside, log_cut, until, &tables)?;
    transaction.commit()?;
    sql.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

/// What was carried over from which files, with the numbers.
pub(super) fn accounts(rows: &Rows<'_>) -> Result<Vec<Salvage>, StoreError> {
    let salvages = rows.salvages()?.into_iter();
    salvages.map(|(no, file, log_cut)| Ok(Salvage { file, log_cut, tables: rows.salvaged(no)? })).collect()
}

/// Where each table begins: as the damaged file says, else as in every file that this layout makes. A wrong place gives
/// rows that prove nothing.
fn roots(image: &mut Image, new: &Connection) -> Result<BTreeMap<String, u32>, Failed> {
    let query = "SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'";
    let mut statement = new.prepare(query)?;
    let standard = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut roots: BTreeMap<String, u32> = standard.collect::<Result<_, _>>()?;
    image.rows(1, Tree::Table, false, |row| {
        if let [Value::Text(kind), Value::Text(name), _, Value::Integer(root), ..] = row.as_slice()
            && kind == "table"
            && let (Some(known), Ok(root)) = (roots.get_mut(name), u32::try_from(*root))
        {
            *known = root;
        }
        Ok::<_, Failed>(())
    })?;
    Ok(roots)
}

fn proves(key: &HubKey, proven: &Proven, row: &[Value]) -> bool {
    let Some((Value::Blob(proof), columns)) = row.split_last() else { return false };
    proof.len() == PROOF_LENGTH
        && columns.len() == proven.columns.len()
        && prove(key, proven.table, columns.iter().map(ValueRef::from)) == proof.as_slice()
}

/// All rows of a table that prove themselves.
fn carry(
    image: &mut Image,
    root: Option<u32>,
    proven: &Proven,
    sql: &mut Connection,
    (seal, key): (&Seal, &HubKey),
) -> Result<Salvaged, Failed> {
    let mut salvaged = Salvaged { what: proven.table.to_owned(), ..Salvaged::default() };
    let Some(root) = root else { return Ok(salvaged) };
    let by_key = BY_KEY.contains(&proven.table);
    // Anchors have no number of their own.
    let numbered = !by_key && proven.table != "anchor";
    let mut batch: Vec<Vec<Value>> = Vec::with_capacity(BATCH);
    let mut write = |batch: &mut Vec<Vec<Value>>, unproven: &mut u64| -> Result<(), Failed> {
        let transaction = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let rows = Rows::new(&transaction, seal, key);
        for row in batch.drain(..) {
            *unproven += u64::from(!rows.carry(proven, &row)?);
        }
        Ok(transaction.commit()?)
    };
    let mut unproven = 0;
    let tree = if by_key { Tree::Index } else { Tree::Table };
    let lost = image.rows(root, tree, numbered, |mut row| {
        if !proves(key, proven, &row) {
            unproven += 1;
            return Ok(());
        }
        row.pop();
        batch.push(row);
        if batch.len() == BATCH { write(&mut batch, &mut unproven) } else { Ok::<_, Failed>(()) }
    })?;
    write(&mut batch, &mut unproven)?;
    let Lost { pages, rows, ranges } = lost;
    salvaged.unproven = unproven + rows;
    salvaged.pages = pages;
    salvaged.ranges = ranges.into_iter().filter_map(range).take(RANGES).collect();
    Ok(salvaged)
}

/// As it is told: the first and the last number that may be missing.
fn range((after, to): (Option<i64>, Option<i64>)) -> Option<String> {
    let from = after.map_or(1, |after| after.saturating_add(1));
    match (after, to) {
        (None, None) => None,
        (_, Some(to)) => Some(format!("{from} to {to}")),
        (Some(_), None) => Some(format!("from {from}")),
    }
}

#[derive(Default)]
struct Account {
    tables: BTreeMap<&'static str, Salvaged>,
}

impl Account {
    fn whole(&self, tables: &[&str]) -> bool {
        tables.iter().all(|table| self.tables.get(table).is_some_and(Salvaged::whole))
    }

    fn dangling(&mut self, table: &'static str, rows: usize) {
        if let Some(salvaged) = self.tables.get_mut(table) {
            salvaged.dangling += rows as u64;
        }
    }
}

/// From rows that are true each to a store that is true as a whole.
struct Settling<'a> {
    rows: &'a Rows<'a>,
    log_cut: bool,
    account: &'a mut Account,
}

impl Settling<'_> {
    /// How many rows of the ledger had to be forgotten, so that what they name can become a reading again.
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
        let record = rows.whole(rows.record(no)?)?;
        match &record.fate {
            Fate::Admitted(key, issue) if rows.reading_by_key(key, *issue)?.is_none() => {
                // In the ledger still: it arrived everywhere.
                if rows.known(key, *issue)? {
                    rows.write_fate(no, record.name, &Fate::Repeat, since)
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
        self.rows.write_fate(record.no, record.name, &fate, since)
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

/// A person here must act.
const SET_UP: &str = "set-up";
