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
//! | cursors, and how far bridges have told | never: of what was lost, the memories of devices and bridges have what they still hold |
//! | records of bridges that no version so far can read | as they were |

mod log;
mod pages;
mod settle;

pub(super) use log::Log;

use super::blind::HubKey;
use super::error::StoreError;
use super::proof::{PROOF_LENGTH, Proven, TABLES, prove};
use super::rows::{Rows, Salvaged};
use super::seal::Seal;
use jiff::{SignedDuration, Timestamp};
use pages::{Image, Lost, Tree};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, TransactionBehavior};
use std::collections::BTreeMap;
use std::path::Path;

/// Bindings, permissions and cursors stay behind, those of bridges with their moments; and what was told between what, since a
/// row that is lost there would give a composition to the wrong weight.
const LEFT_BEHIND: &[&str] = &["binding", "permission", "cursor", "bridge", "bridge_met", "told"];
/// Tables without row numbers.
const BY_KEY: &[&str] = &["ledger", "ledger_closed", "ledger_doubt"];
/// Rows that are carried over in one transaction.
const BATCH: usize = 1000;
/// Ranges of row numbers that are told; more help nobody.
const RANGES: usize = 8;
/// Clocks of hub and file system may differ by so much.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

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
    let forgotten = settle::settle(&rows, log_cut, &mut account)?;
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
