//! What was sent, and what came of it.

use super::deliver::superseded;
use super::payload::ReceiptRow;
use super::rows::{LONGEST_WAIT, OutboxNo, Queued, Rows, State};
use super::{Store, StoreError};
use crate::failpoint::{Point, reach};
use hearth_core::delivery::PointsAt;
use hearth_core::parcel::Intent;
use hearth_core::reading::Version;
use jiff::Timestamp;
use rusqlite::TransactionBehavior;

/// A row about to be sent: what exactly, and by which version of the mapping.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    pub row: OutboxNo,
    pub octets: Vec<u8>,
    pub mapping: Version,
    pub phd_identifier: Option<String>,
}

/// What a destination answered for one resource of a reading. The first of a reading is the measurement's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Which resource: the same words as in its identifier.
    pub role: String,
    pub location: Option<String>,
    pub etag: Option<String>,
    /// SHA-256 of what was sent.
    pub digest: [u8; 32],
    /// The verdict, in words.
    pub verdict: String,
}

/// How an attempt ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settlement {
    Delivered {
        receipts: Vec<Receipt>,
        /// What a person at the record system should be told.
        raised: Option<String>,
    },
    /// Accepted, without a word of where it is. Closed; read back later where that is allowed.
    Unverified { receipts: Vec<Receipt>, raised: Option<String> },
    RetryAt {
        /// At most a day from now.
        when: Timestamp,
        /// Counts towards parking.
        counts: bool,
        /// The reading may be there all the same: the octets are kept, so that a repeat is identical. `false`:
        /// the destination said that it is not, so the next attempt is encoded anew.
        in_doubt: bool,
        /// Waiting alone does not end it: who must act. It is tried again all the same.
        acts: Option<PointsAt>,
        said: String,
    },
    /// Final for this reading: it waits for a person.
    Parked {
        said: String,
        points_at: PointsAt,
        /// What must be known when it is tried again, where an earlier attempt may have arrived all the same.
        doubt: Option<Vec<u8>>,
    },
    /// Not wanted any more.
    Withdrawn,
}

fn points_at(who: PointsAt) -> &'static str {
    match who {
        PointsAt::Device => "device",
        PointsAt::SetUp => "set-up",
        PointsAt::Network => "network",
        PointsAt::Record => "record-system",
        PointsAt::Us => "us",
    }
}

impl Store {
    /// Marks attempts as started, before their first octet leaves. Answers with the rows that may really go: one
    /// that was parked, retracted or withheld since it was due is not among them, and must not be sent.
    pub fn start(&mut self, attempts: &[Attempt], at: Timestamp) -> Result<Vec<OutboxNo>, StoreError> {
        let started = self.write(|rows| {
            let mut started = vec![];
            for attempt in attempts {
                let row = rows.queued(attempt.row)?;
                if row.state == State::Waiting && !superseded(&row, &rows.reading(row.reading)?) {
                    start(rows, row, attempt, at)?;
                    started.push(attempt.row);
                }
            }
            Ok(started)
        })?;
        reach(Point::StartAfterCommit);
        Ok(started)
    }

    /// Writes down how attempts ended. What was delivered is closed in the ledger, and its octets go.
    pub fn settle(
        &mut self,
        settlements: &[(OutboxNo, Settlement)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.transact(
            TransactionBehavior::Immediate,
            |rows| settlements.iter().try_for_each(|(row, end)| settle(rows, rows.queued(*row)?, end, at)),
            || reach(Point::SettleBeforeCommit),
        )?;
        reach(Point::SettleAfterCommit);
        Ok(())
    }

    /// A person takes the row out of the way, and says why. What is in doubt stays in doubt.
    pub fn park(&mut self, row: OutboxNo, because: &str, at: Timestamp) -> Result<(), StoreError> {
        self.write(|rows| {
            let mut row = rows.queued(row)?;
            if row.state.closed() {
                return Err(StoreError::Refused(
                    "the outbox row is closed: what arrived can only be retracted",
                ));
            }
            row.said.said = Some(because.to_owned());
            rows.rewrite(&Queued {
                state: State::Parked,
                reason: None,
                points_at: Some(points_at(PointsAt::SetUp).to_owned()),
                changed_at: Some(at),
                ..row
            })
        })
    }

    /// Rows are tried again at once, and encoded anew: a mapping fixed today is fixed for them, too. Rows that
    /// are neither parked nor waiting for their time are left as they are. Which ones were tried again.
    pub fn retry(&mut self, rows_wanted: &[OutboxNo], at: Timestamp) -> Result<Vec<OutboxNo>, StoreError> {
        let catalog = std::sync::Arc::clone(&self.catalog);
        self.write(|rows| {
            let mut again = vec![];
            for no in rows_wanted {
                if retry(rows, &catalog, rows.queued(*no)?, at)? {
                    again.push(*no);
                }
            }
            Ok(again)
        })
    }
}

fn start(rows: &Rows<'_>, mut row: Queued, attempt: &Attempt, at: Timestamp) -> Result<(), StoreError> {
    row.said.phd = row.said.phd.or_else(|| attempt.phd_identifier.clone());
    rows.started_at(row.no, at)?;
    rows.rewrite(&Queued {
        attempts: row.attempts.saturating_add(1),
        in_doubt: true,
        mapping: Some(attempt.mapping),
        not_before: None,
        changed_at: Some(at),
        octets: Some(attempt.octets.clone()),
        ..row
    })
}

fn settle(rows: &Rows<'_>, mut row: Queued, end: &Settlement, at: Timestamp) -> Result<(), StoreError> {
    match end {
        Settlement::Delivered { .. } | Settlement::Unverified { .. } if row.state == State::Delivered => {
            Ok(())
        }
        Settlement::Delivered { receipts, raised } => {
            close(rows, row, State::Delivered, receipts, raised.clone(), at)
        }
        Settlement::Unverified { receipts, raised } => {
            close(rows, row, State::Unverified, receipts, raised.clone(), at)
        }
        // An answer that comes late can't open again what is closed; an arrival can only close it better.
        _ if row.state.closed() => Ok(()),
        Settlement::RetryAt { when, in_doubt: true, counts, acts, said } => {
            row.said.said = Some(said.clone());
            row.points_at = waits_for(&row, *acts);
            let counted = row.counted.saturating_add(u32::from(*counts));
            rows.rewrite(&Queued {
                not_before: Some(no_later(*when, at)),
                counted,
                changed_at: Some(at),
                ..row
            })
        }
        Settlement::RetryAt { when, in_doubt: false, counts, acts, said } => {
            row.points_at = waits_for(&row, *acts);
            let counted = row.counted.saturating_add(u32::from(*counts));
            absent(rows, Queued { not_before: Some(no_later(*when, at)), counted, ..row }, Some(said), at)
        }
        Settlement::Parked { said, points_at: who, doubt: None } => {
            let points_at = Some(points_at(*who).to_owned());
            absent(rows, Queued { state: State::Parked, points_at, ..row }, Some(said), at)
        }
        Settlement::Parked { said, points_at: who, doubt: Some(octets) } => {
            row.said.said = Some(said.clone());
            // Retracted meanwhile: its retraction finds out, and closes both.
            if !superseded(&row, &rows.reading(row.reading)?) {
                (row.state, row.points_at) = (State::Parked, Some(points_at(*who).to_owned()));
            }
            rows.rewrite(&Queued {
                in_doubt: true,
                changed_at: Some(at),
                octets: Some(octets.clone()),
                ..row
            })
        }
        Settlement::Withdrawn => {
            close_superseded(rows, &row, at)?;
            absent(rows, Queued { state: State::Withdrawn, ..row }, None, at)
        }
    }
}

/// Who must act on a row that is tried again. A person who parked it meanwhile has the last word.
fn waits_for(row: &Queued, acts: Option<PointsAt>) -> Option<String> {
    match row.state {
        State::Parked => row.points_at.clone(),
        _ => acts.map(|who| points_at(who).to_owned()),
    }
}

fn no_later(when: Timestamp, at: Timestamp) -> Timestamp {
    at.checked_add(LONGEST_WAIT).map_or(when, |latest| when.min(latest))
}

/// It is not there: nothing is in doubt, and the next attempt is encoded anew. Was it retracted meanwhile, then
/// it is not wanted any more, and there is nothing to take back.
fn absent(rows: &Rows<'_>, mut row: Queued, said: Option<&String>, at: Timestamp) -> Result<(), StoreError> {
    if superseded(&row, &rows.reading(row.reading)?) {
        row.state = State::Withdrawn;
        let siblings = rows.queued_for(row.reading)?.into_iter();
        let retraction = |r: &Queued| r.destination == row.destination && r.intent == Intent::Retract;
        for unsent in siblings.filter(|r| retraction(r) && r.attempts == 0 && !r.state.closed()) {
            rows.rewrite(&Queued { state: State::Withdrawn, changed_at: Some(at), ..unsent })?;
        }
    }
    row.said.said = said.cloned();
    rows.rewrite(&Queued { in_doubt: false, changed_at: Some(at), octets: None, ..row })
}

/// It is there. The octets go, the receipts and the ledger stay.
fn close(
    rows: &Rows<'_>,
    mut row: Queued,
    state: State,
    receipts: &[Receipt],
    raised: Option<String>,
    at: Timestamp,
) -> Result<(), StoreError> {
    for receipt in receipts {
        let receipt = ReceiptRow {
            role: receipt.role.clone(),
            location: receipt.location.clone(),
            etag: receipt.etag.clone(),
            digest: receipt.digest,
            verdict: receipt.verdict.clone(),
            relay: None,
        };
        rows.make_receipt(row.no, row.attempts, &receipt, at, state == State::Delivered)?;
    }
    let reading = rows.reading(row.reading)?.reading;
    rows.close(&reading.key, reading.issue, row.destination, at)?;
    close_superseded(rows, &row, at)?;
    row.said.said = None;
    row.said.raised = raised.or(row.said.raised);
    rows.rewrite(&Queued {
        state,
        reason: None,
        points_at: None,
        not_before: None,
        in_doubt: false,
        changed_at: Some(at),
        octets: None,
        ..row
    })
}

/// With a retraction ends the attempt to write what it takes back, however that went.
fn close_superseded(rows: &Rows<'_>, closed: &Queued, at: Timestamp) -> Result<(), StoreError> {
    if closed.intent != Intent::Retract {
        return Ok(());
    }
    for mut row in rows.queued_for(closed.reading)? {
        if row.destination == closed.destination && row.intent == Intent::Create && !row.state.closed() {
            row.said.said = None;
            rows.rewrite(&Queued {
                state: State::Withdrawn,
                in_doubt: false,
                changed_at: Some(at),
                octets: None,
                ..row
            })?;
        }
    }
    Ok(())
}

fn retry(
    rows: &Rows<'_>,
    catalog: &hearth_core::profile::Catalog,
    row: Queued,
    at: Timestamp,
) -> Result<bool, StoreError> {
    if !matches!(row.state, State::Parked | State::Waiting) {
        return Ok(false);
    }
    let row = Queued {
        state: State::Waiting,
        points_at: None,
        not_before: None,
        counted: 0,
        changed_at: Some(at),
        ..row
    };
    rows.rewrite(&row)?;
    super::deliver::weigh_again(rows, catalog, row)?;
    Ok(true)
}
