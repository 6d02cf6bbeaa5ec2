//! What a salvage writes into a new store: rows as they were, then only those that have what they stand on; and the
//! account of it.

use super::{DestinationNo, Kept, NewOutbox, OutboxNo, Result, Rows, micros};
use crate::store::StoreError;
use crate::store::proof::Proven;
use hearth_core::admit::RecordNo;
use hearth_core::capture::{Key, Uuid16};
use hearth_core::reading::Issue;
use hearth_core::when::{BootNo, HubTicks};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{params, params_from_iter};

/// What became of the rows of one table of a damaged file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Salvaged {
    /// The table.
    pub what: String,
    /// Rows that are in the new store.
    pub carried: u64,
    /// Rows that could be read in part, or did not prove themselves.
    pub unproven: u64,
    /// Rows that proved themselves, and something that they stand on did not.
    pub dangling: u64,
    /// Pages that could not be read: how many rows they held, nobody knows.
    pub pages: u64,
    /// The row numbers that were on those, where their neighbours tell: `41 to 80`.
    pub ranges: Vec<String>,
}

impl Salvaged {
    /// All that there was is in the new store.
    pub fn whole(&self) -> bool {
        self.unproven == 0 && self.dangling == 0 && self.pages == 0
    }
}

/// References of what was carried, in an order in which each finds its own already settled. Foreign keys are off meanwhile.
const DANGLING: &[(&str, &str)] = &[
    ("anchor", "boot NOT IN (SELECT no FROM boot)"),
    ("contact", "device NOT IN (SELECT no FROM device) OR boot NOT IN (SELECT no FROM boot)"),
    ("record", "device NOT IN (SELECT no FROM device)"),
    (
        "capture",
        "record NOT IN (SELECT no FROM record) OR contact NOT IN (SELECT no FROM contact)
            OR boot NOT IN (SELECT no FROM boot)",
    ),
    ("person_at", "person NOT IN (SELECT no FROM person) OR destination NOT IN (SELECT no FROM destination)"),
    ("ledger_closed", "destination NOT IN (SELECT no FROM destination)"),
    ("ledger_doubt", "destination NOT IN (SELECT no FROM destination)"),
];

/// The same, once records are settled.
const DANGLING_OF_RECORDS: &[(&str, &str)] = &[
    ("capture", "record NOT IN (SELECT no FROM record)"),
    ("hold", "record NOT IN (SELECT no FROM record WHERE fate = 'hold')"),
    ("reading", "record NOT IN (SELECT no FROM record) OR device NOT IN (SELECT no FROM device)"),
    ("outbox", "reading NOT IN (SELECT no FROM reading) OR destination NOT IN (SELECT no FROM destination)"),
    ("receipt", "outbox NOT IN (SELECT no FROM outbox)"),
];

impl Rows<'_> {
    /// A row that proved itself, in the new file as it was in the old. False: another row is in its place.
    pub(crate) fn carry(&self, proven: &Proven, row: &[Value]) -> Result<bool> {
        let Proven { table, columns } = proven;
        let places = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT OR IGNORE INTO {table} ({}) VALUES ({places})", columns.join(", "));
        Ok(self.run(&sql, params_from_iter(row))? > 0)
    }

    /// The hub is the one that it was, in another epoch: no origin comes again, and memories are read from their beginning.
    pub(crate) fn next_epoch(&self) -> Result<()> {
        self.run("UPDATE hub SET epoch = epoch + 1, next_origin = 1", [])?;
        Ok(())
    }

    /// Lets go of what has lost what it stands on. How many rows, by table.
    pub(crate) fn drop_dangling(&self) -> Result<Vec<(&'static str, usize)>> {
        self.drop_where(DANGLING)
    }

    pub(crate) fn drop_dangling_of_records(&self) -> Result<Vec<(&'static str, usize)>> {
        self.drop_where(DANGLING_OF_RECORDS)
    }

    fn drop_where(&self, dangling: &[(&'static str, &str)]) -> Result<Vec<(&'static str, usize)>> {
        let one = |(table, clause): &(&'static str, &str)| {
            Ok((*table, self.run(&format!("DELETE FROM {table} WHERE {clause}"), [])?))
        };
        dangling.iter().map(one).collect()
    }

    /// A record whose last contact was lost was told last, as far as is known, where it was captured last.
    pub(crate) fn last_contacts_from_captures(&self) -> Result<()> {
        let last = |column: &str| {
            format!(
                "(SELECT {column} FROM capture WHERE capture.record = record.no ORDER BY no DESC LIMIT 1)"
            )
        };
        self.run(
            &format!(
                "UPDATE record SET last_contact = {}, last_boot = {}, last_ms = {}
                 WHERE last_contact NOT IN (SELECT no FROM contact) AND no IN (SELECT record FROM capture)",
                last("contact"),
                last("boot"),
                last("ms")
            ),
            [],
        )?;
        Ok(())
    }

    pub(crate) fn records_after(&self, after: RecordNo, limit: u32) -> Result<Vec<(RecordNo, HubTicks)>> {
        let sql = "SELECT no, fate_boot, fate_ms FROM record WHERE no > ?1 ORDER BY no LIMIT ?2";
        self.all(sql, params![after.0, limit], |row| {
            Ok((RecordNo(row.get(0)?), HubTicks { boot: BootNo(row.get(1)?), ms: row.get(2)? }))
        })
    }

    pub(crate) fn drop_record(&self, no: RecordNo) -> Result<()> {
        self.run("DELETE FROM record WHERE no = ?1", [no.0])?;
        Ok(())
    }

    /// Whether the record's age as a held one is known.
    pub(crate) fn has_hold(&self, no: RecordNo) -> Result<bool> {
        Ok(self.one("SELECT 1 FROM hold WHERE record = ?1", [no.0], |_| Ok(()))?.is_some())
    }

    /// Companions of what is no reading any more.
    pub(crate) fn without_head(&self) -> Result<Vec<RecordNo>> {
        let sql = "SELECT no FROM record WHERE fate = 'companion' AND (head IS NULL
            OR head NOT IN (SELECT no FROM record WHERE fate NOT IN ('new', 'reissue'))) ORDER BY no";
        self.all(sql, [], |row| Ok(RecordNo(row.get(0)?)))
    }

    /// In the ledger, as the reading itself says. What is there already stays.
    pub(crate) fn remember(&self, kept: &Kept, road: Uuid16) -> Result<()> {
        let reading = &kept.reading;
        let semantic = reading.semantic.map(|key| self.blind("semantic", &[&key.0]));
        let sql = "INSERT INTO ledger (key, issue, tombstone, semantic, road) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT DO UPDATE SET tombstone = 1 WHERE excluded.tombstone = 1";
        let key = self.blinded_key(&reading.key);
        self.run(sql, params![key, reading.issue.0, kept.retracted, semantic, road.0])?;
        Ok(())
    }

    pub(crate) fn known(&self, key: &Key, issue: Issue) -> Result<bool> {
        let sql = "SELECT 1 FROM ledger WHERE key = ?1 AND issue = ?2";
        Ok(self.one(sql, params![self.blinded_key(key), issue.0], |_| Ok(()))?.is_some())
    }

    /// Whether it arrived there.
    pub(crate) fn closed(&self, key: &Key, issue: Issue, destination: DestinationNo) -> Result<bool> {
        let sql = "SELECT 1 FROM ledger_closed WHERE key = ?1 AND issue = ?2 AND destination = ?3";
        let with = params![self.blinded_key(key), issue.0, destination.0];
        Ok(self.one(sql, with, |_| Ok(()))?.is_some())
    }

    /// Whether it may have arrived there, as far as a salvage could tell.
    pub(crate) fn doubtful(
        &self,
        key: &Key,
        issue: Issue,
        destination: DestinationNo,
        effective: Timestamp,
    ) -> Result<bool> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM ledger_doubt WHERE key = ?1 AND issue = ?2 AND destination = ?3)
            OR EXISTS (SELECT 1 FROM salvage WHERE doubt_until >= ?4)";
        let with = params![self.blinded_key(key), issue.0, destination.0, micros(effective)];
        Ok(self.one(sql, with, |row| row.get(0))?.unwrap_or(false))
    }

    /// Ledger rows whose reading was lost, and that did not arrive everywhere, are taken out: heard or judged again, it
    /// becomes a reading again, in doubt wherever it is not known to have arrived.
    pub(crate) fn forget_unknown_ends(&self) -> Result<usize> {
        let lost = "tombstone = 0
            AND NOT EXISTS (SELECT 1 FROM reading WHERE reading.key = ledger.key AND reading.issue = ledger.issue)
            AND EXISTS (SELECT 1 FROM destination WHERE NOT EXISTS (SELECT 1 FROM ledger_closed AS closed
                WHERE closed.key = ledger.key AND closed.issue = ledger.issue AND closed.destination = destination.no))";
        self.run(
            &format!(
                "INSERT OR IGNORE INTO ledger_doubt (key, issue, destination)
                 SELECT ledger.key, ledger.issue, destination.no FROM ledger, destination WHERE {lost}"
            ),
            [],
        )?;
        self.run(&format!("DELETE FROM ledger WHERE {lost}"), [])
    }

    /// A row of the outbox in place of one that was lost.
    pub(crate) fn queue_again(&self, new: &NewOutbox<'_>, points_at: Option<&str>) -> Result<OutboxNo> {
        let no = self.queue(new)?;
        self.run("UPDATE outbox SET points_at = ?2 WHERE no = ?1", params![no.0, points_at])?;
        Ok(no)
    }

    pub(crate) fn counted(&self, table: &str) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {table}");
        Ok(self.one(&sql, [], |row| row.get::<_, i64>(0))?.unwrap_or_default().unsigned_abs())
    }

    /// Whether a reference leads nowhere. The new store must not begin with one.
    pub(crate) fn foreign_keys_hold(&self) -> Result<()> {
        let broken: Option<String> =
            self.one("SELECT \"table\" FROM pragma_foreign_key_check", [], |row| row.get(0))?;
        broken.map_or(Ok(()), |table| {
            Err(StoreError::Broken(format!(
                "a salvaged row of {table} leads nowhere: that is a mistake of hearth"
            )))
        })
    }

    /// `doubt_until`: readings taken until then may have arrived although no ledger says so.
    pub(crate) fn account(
        &self,
        file: &str,
        log_cut: bool,
        doubt_until: Option<Timestamp>,
        tables: &[Salvaged],
    ) -> Result<()> {
        let no = self.next("salvage")?;
        let sql = "INSERT INTO salvage (no, file, log_cut, doubt_until) VALUES (?1, ?2, ?3, ?4)";
        self.run(sql, params![no, file, log_cut, doubt_until.map(micros)])?;
        let sql = "INSERT INTO salvaged (salvage, what, carried, unproven, dangling, pages, ranges)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        for table in tables {
            let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            let Salvaged { what, carried, unproven, dangling, pages, ranges } = table;
            self.run(
                sql,
                params![
                    no,
                    what,
                    count(*carried),
                    count(*unproven),
                    count(*dangling),
                    count(*pages),
                    ranges.join(", ")
                ],
            )?;
        }
        Ok(())
    }

    /// Which files were salvaged: number, file name, and whether its log was cut.
    pub(crate) fn salvages(&self) -> Result<Vec<(i64, String, bool)>> {
        self.all("SELECT no, file, log_cut FROM salvage ORDER BY no", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
    }

    pub(crate) fn salvaged(&self, salvage: i64) -> Result<Vec<Salvaged>> {
        let sql = "SELECT what, carried, unproven, dangling, pages, ranges FROM salvaged WHERE salvage = ?1";
        self.all(sql, [salvage], |row| {
            let count = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
            let ranges: String = row.get(5)?;
            Ok(Salvaged {
                what: row.get(0)?,
                carried: count(1)?,
                unproven: count(2)?,
                dangling: count(3)?,
                pages: count(4)?,
                ranges: ranges.split(", ").filter(|range| !range.is_empty()).map(str::to_owned).collect(),
            })
        })
    }
}
