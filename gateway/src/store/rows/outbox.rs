//! `outbox`: one row per reading, destination and intent. What goes where, and how far it got.

use super::{DestinationNo, ReadingNo, Result, Rows, code, coded, instant, micros, sound};
use crate::store::StoreError;
use crate::store::payload::SaidRow;
use hearth_core::capture::Key;
use hearth_core::identity::Labels;
use hearth_core::parcel::Intent;
use hearth_core::reading::Version;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Row, ToSql, params};

/// No row waits longer than this for its next attempt, whatever a record system or a clock says.
pub(crate) const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);

/// Row number in the outbox: what logs and lists call it by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OutboxNo(pub i64);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum State {
    Waiting,
    /// May not leave: `reason` says what is missing.
    Withheld,
    /// Waits for a person.
    Parked,
    // Closed.
    Delivered,
    /// Accepted, without a word of where it is.
    Unverified,
    /// Not wanted any more.
    Withdrawn,
}

const STATES: &[(State, &str)] = &[
    (State::Waiting, "waiting"),
    (State::Withheld, "withheld"),
    (State::Parked, "parked"),
    (State::Delivered, "delivered"),
    (State::Unverified, "unverified"),
    (State::Withdrawn, "withdrawn"),
];

impl State {
    pub(crate) fn closed(self) -> bool {
        matches!(self, State::Delivered | State::Unverified | State::Withdrawn)
    }

    pub(crate) fn name(self) -> &'static str {
        code(self, STATES)
    }
}

const INTENTS: &[(Intent, &str)] = &[(Intent::Create, "create"), (Intent::Retract, "retract")];

/// A row as it lies there. `labels` is the blinded set.
#[derive(Clone)]
pub(crate) struct Queued {
    pub(crate) no: OutboxNo,
    pub(crate) reading: ReadingNo,
    pub(crate) destination: DestinationNo,
    pub(crate) intent: Intent,
    pub(crate) labels: [u8; 32],
    pub(crate) effective: Timestamp,
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    pub(crate) points_at: Option<String>,
    pub(crate) issued: Option<Timestamp>,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) attempts: u32,
    pub(crate) counted: u32,
    /// An attempt was started, and whether the reading is there is not known.
    pub(crate) in_doubt: bool,
    pub(crate) mapping: Option<Version>,
    pub(crate) changed_at: Option<Timestamp>,
    pub(crate) octets: Option<Vec<u8>>,
    pub(crate) said: SaidRow,
}

const COLUMNS: &str = "no, reading, destination, intent, labels, effective, state, reason, points_at, issued,
    not_before, attempts, counted, in_doubt, mapping, changed_at, octets, sealed";

/// A new row.
pub(crate) struct NewOutbox<'a> {
    pub(crate) reading: ReadingNo,
    pub(crate) destination: DestinationNo,
    pub(crate) intent: Intent,
    pub(crate) labels: &'a Labels,
    pub(crate) effective: Timestamp,
    pub(crate) state: State,
    pub(crate) reason: Option<&'static str>,
    pub(crate) issued: Option<Timestamp>,
    /// Nobody knows whether it is there already: look before sending.
    pub(crate) in_doubt: bool,
    pub(crate) said: SaidRow,
}

/// A row that may be due, in the order of its lane.
pub(crate) struct Listed {
    pub(crate) no: OutboxNo,
    pub(crate) effective: i64,
    pub(crate) labels: [u8; 32],
}

struct Raw {
    intent: String,
    state: String,
    octets: Option<Vec<u8>>,
    sealed: Vec<u8>,
    row: Queued,
}

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    let at = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(instant));
    Ok(Raw {
        intent: row.get(3)?,
        state: row.get(6)?,
        octets: row.get(16)?,
        sealed: row.get(17)?,
        row: Queued {
            no: OutboxNo(row.get(0)?),
            reading: ReadingNo(row.get(1)?),
            destination: DestinationNo(row.get(2)?),
            intent: Intent::Create,
            labels: row.get(4)?,
            effective: instant(row.get(5)?),
            state: State::Waiting,
            reason: row.get(7)?,
            points_at: row.get(8)?,
            issued: at(9)?,
            not_before: at(10)?,
            attempts: row.get(11)?,
            counted: row.get(12)?,
            in_doubt: row.get(13)?,
            mapping: row.get::<_, Option<u32>>(14)?.map(Version),
            changed_at: at(15)?,
            octets: None,
            said: SaidRow::default(),
        },
    })
}

impl Rows<'_> {
    fn label_set(&self, labels: &Labels) -> [u8; 32] {
        let parts: Vec<&[u8]> = labels.0.iter().map(|label| label.as_bytes()).collect();
        self.blind("labels", &parts)
    }

    pub(crate) fn queue(&self, new: &NewOutbox<'_>) -> Result<OutboxNo> {
        let no = self.next("outbox")?;
        self.run(
            "INSERT INTO outbox (no, reading, destination, subject, intent, labels, effective, state, reason,
                issued, in_doubt, sealed)
             VALUES (?1, ?2, ?3, 'reading', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                no,
                new.reading.0,
                new.destination.0,
                code(new.intent, INTENTS),
                self.label_set(new.labels),
                micros(new.effective),
                new.state.name(),
                new.reason,
                new.issued.map(micros),
                new.in_doubt,
                self.shut("outbox", "sealed", no, &new.said),
            ],
        )?;
        Ok(OutboxNo(no))
    }

    pub(crate) fn queued_where(&self, clause: &str, with: &[&dyn ToSql]) -> Result<Vec<Queued>> {
        let rows = self.all(
            &format!("SELECT {COLUMNS}, {} FROM outbox WHERE {clause} ORDER BY no", sound("outbox")),
            with,
            raw,
        )?;
        rows.into_iter().map(|raw| self.queued_from(raw)).collect()
    }

    fn queued_from(&self, raw: Raw) -> Result<Queued> {
        let no = raw.row.no.0;
        Ok(Queued {
            intent: coded("outbox.intent", &raw.intent, INTENTS)?,
            state: coded("outbox.state", &raw.state, STATES)?,
            octets: raw.octets.map(|blob| self.open_octets("outbox", "octets", no, &blob)).transpose()?,
            said: self.open("outbox", "sealed", no, &raw.sealed)?,
            ..raw.row
        })
    }

    pub(crate) fn queued(&self, no: OutboxNo) -> Result<Queued> {
        self.queued_where("no = ?1", &[&no.0])?.pop().ok_or(StoreError::Unknown("outbox row"))
    }

    pub(crate) fn queued_for(&self, reading: ReadingNo) -> Result<Vec<Queued>> {
        self.queued_where("reading = ?1", &[&reading.0])
    }

    /// Rows that are not closed, of one destination or of all.
    pub(crate) fn still_open(&self, destination: Option<DestinationNo>) -> Result<Vec<Queued>> {
        self.still_open_after(destination, OutboxNo(0), u32::MAX)
    }

    /// The next of them after a row, so that a long backlog is never in memory as a whole.
    pub(crate) fn still_open_after(
        &self,
        destination: Option<DestinationNo>,
        after: OutboxNo,
        limit: u32,
    ) -> Result<Vec<Queued>> {
        let clause = "no IN (SELECT no FROM outbox NOT INDEXED WHERE no > ?2
            AND state IN ('waiting', 'withheld', 'parked') AND (?1 IS NULL OR destination = ?1) ORDER BY no LIMIT ?3)";
        self.queued_where(clause, &[&destination.map(|d| d.0), &after.0, &limit])
    }

    pub(crate) fn every_queued(&self, destination: Option<DestinationNo>) -> Result<Vec<Queued>> {
        self.queued_where("?1 IS NULL OR destination = ?1", &[&destination.map(|d| d.0)])
    }

    /// Rows of which a person at the record system should be told.
    pub(crate) fn raised(&self) -> Result<Vec<Queued>> {
        self.queued_where("raised = 1", &[])
    }

    /// The next rows of one lane: taken until `to`, after `after`, oldest first. A time further away than any row
    /// may wait was written by a clock that was wrong.
    pub(crate) fn due_page(
        &self,
        destination: DestinationNo,
        now: Timestamp,
        to: i64,
        after: (i64, OutboxNo),
        limit: usize,
    ) -> Result<Vec<Listed>> {
        self.all(
            "SELECT no, effective, labels FROM outbox INDEXED BY outbox_due
             WHERE destination = ?1 AND state = 'waiting'
                AND (effective, no) > (?2, ?3) AND effective <= ?4
                AND (not_before IS NULL OR not_before <= ?5 OR not_before > ?6)
             ORDER BY effective, no LIMIT ?7",
            params![
                destination.0,
                after.0,
                after.1.0,
                to,
                micros(now),
                micros(now.checked_add(LONGEST_WAIT).unwrap_or(Timestamp::MAX)),
                i64::try_from(limit).unwrap_or(i64::MAX)
            ],
            |row| Ok(Listed { no: OutboxNo(row.get(0)?), effective: row.get(1)?, labels: row.get(2)? }),
        )
    }

    /// Whether an older row about the same measurement, of this or an earlier issue, still has to go first.
    pub(crate) fn another_first(&self, row: &Queued, key: &Key) -> Result<bool> {
        // In this order, and by nothing else than the measurement: SQLite would go through all rows that wait.
        let sql = "SELECT 1 FROM reading CROSS JOIN outbox ON outbox.reading = reading.no
            WHERE reading.key = ?1 AND outbox.destination = ?2 AND outbox.no < ?3
                AND +outbox.state = 'waiting'
                AND NOT (reading.retracted = 1 AND outbox.intent = 'create')
            LIMIT 1";
        let with = params![self.blinded_key(key), row.destination.0, row.no.0];
        Ok(self.one(sql, with, |_| Ok(()))?.is_some())
    }

    pub(crate) fn earliest_retry(&self, destination: DestinationNo) -> Result<Option<Timestamp>> {
        // What is retracted is not sent any more: its retraction has a row of its own.
        let sql = "SELECT min(outbox.not_before) FROM outbox JOIN reading ON reading.no = outbox.reading
            WHERE outbox.destination = ?1 AND outbox.state = 'waiting'
                AND NOT (reading.retracted = 1 AND outbox.intent = 'create')";
        let least: Option<i64> = self.one(sql, [destination.0], |row| row.get(0))?.flatten();
        Ok(least.map(instant))
    }

    /// Writes what may change in a row.
    pub(crate) fn rewrite(&self, row: &Queued) -> Result<()> {
        let octets = row.octets.as_ref().map(|octets| self.shut_octets("outbox", "octets", row.no.0, octets));
        self.run(
            "UPDATE outbox SET state = ?2, reason = ?3, points_at = ?4, issued = ?5, not_before = ?6, attempts = ?7,
                counted = ?8, in_doubt = ?9, mapping = ?10, changed_at = ?11, octets = ?12, sealed = ?13, raised = ?14
             WHERE no = ?1",
            params![
                row.no.0,
                row.state.name(),
                row.reason,
                row.points_at,
                row.issued.map(micros),
                row.not_before.map(micros),
                row.attempts,
                row.counted,
                row.in_doubt,
                row.mapping.map(|v| v.0),
                row.changed_at.map(micros),
                octets,
                self.shut("outbox", "sealed", row.no.0, &row.said),
                row.said.raised.is_some(),
            ],
        )?;
        Ok(())
    }

    pub(crate) fn started_at(&self, no: OutboxNo, at: Timestamp) -> Result<()> {
        self.run("UPDATE outbox SET started_at = ?2 WHERE no = ?1", params![no.0, micros(at)])?;
        Ok(())
    }
}
