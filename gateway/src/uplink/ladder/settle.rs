//! What a refusal means beside the others, and what becomes of a row.

use super::Way;
use super::climb::{Climb, Left};
use super::row::Row;
use crate::store::{OutboxNo, Receipt as Kept, Settlement};
use hearth_core::delivery::{Class, Cure, PointsAt, Receipt, Scope, Sent, Transport, Verdict};
use hearth_core::map::fhir::Role;
use std::time::Duration;

/// Failures that count, until a reading waits for a person.
const PARKED_AT: u32 = 8;
/// Readings that failed alone, one after the other, with no success between: then it is the destination.
const STREAK: u32 = 2;
/// How often a person's readings are tried while the record does not know that person.
const PERSON: Duration = Duration::from_secs(3600);

impl Climb {
    /// What a bundle's refusal leaves to do.
    pub(super) async fn refused(&mut self, rows: Vec<Row>, verdict: Verdict, receipt: &Receipt) -> Left {
        match verdict {
            Verdict::Retry { after, scope: Scope::Destination, .. } => {
                self.busy(after, receipt);
                self.give_back(&rows);
                Left::Nothing
            }
            Verdict::Hold(cure) if !self.is_about_the_body(cure, rows.first()).await => {
                self.hold(cure, receipt);
                self.give_back(&rows);
                Left::Nothing
            }
            verdict => {
                let too_much = matches!(receipt, Receipt::Answer(answer)
                    if answer.status == 413 || answer.body.class() == Class::TooLong);
                if verdict == Verdict::Split && too_much {
                    self.memory.most = (rows.len() / 2).max(1);
                }
                Left::Split(rows)
            }
        }
    }

    /// What the refusal of one reading, or of a part of it, means.
    pub(super) async fn stumble(&mut self, row: &Row, verdict: Verdict, receipt: &Receipt) {
        let said = receipt.to_string();
        // What an earlier attempt left in doubt, a refusal of this one does not clear up.
        let row = &Row { in_doubt: receipt.in_doubt() || row.in_doubt, ..row.clone() };
        match verdict {
            Verdict::Retry { after, scope: Scope::Destination, .. } => {
                self.busy(after, receipt);
                self.give_back(std::slice::from_ref(row));
            }
            Verdict::Retry { after, counts, scope: Scope::Reading } => {
                let counts = counts && self.memory.others_passed();
                if self.is_given_up(row, counts, PointsAt::Record, receipt) {
                    return;
                }
                self.streak += 1;
                if self.streak >= STREAK {
                    self.busy(after, receipt);
                }
                let wait = self.memory.row(row.attempts, after);
                self.retry(row, wait, counts, row.in_doubt, &said);
            }
            Verdict::Hold(cure) if !self.is_about_the_body(cure, Some(row)).await => {
                self.hold(cure, receipt);
                self.give_back(std::slice::from_ref(row));
            }
            // About this reading, while the record talks to us: whoever keeps what is in between must let it pass, and
            // others that do pass show that it is this one.
            Verdict::Hold(cure) => {
                let acts = if cure == Cure::Permission { PointsAt::Record } else { PointsAt::Network };
                let counts = self.memory.others_passed();
                if self.is_given_up(row, counts, acts, receipt) {
                    return;
                }
                self.streak += 1;
                if self.streak >= STREAK {
                    self.hold(cure, receipt);
                }
                let wait = self.memory.row(row.attempts, None);
                let when = self.after(wait);
                let said = format!("{cure} ({said})");
                let (in_doubt, acts) = (row.in_doubt, Some(acts));
                self.settle(row.no, Settlement::RetryAt { when, counts, in_doubt, acts, said });
            }
            Verdict::Identity => {
                self.memory.unknown.insert(row.subject.clone());
                self.unknown_here.insert(row.subject.clone());
                self.person_unknown(row, &said);
            }
            Verdict::Conflict | Verdict::Accept(_) => {
                let wait = self.memory.row(row.attempts, None);
                self.retry(row, wait, false, row.in_doubt, &said);
            }
            Verdict::Split => self.park(row, &said, PointsAt::Us),
            Verdict::Park(points_at) => self.park(row, &said, points_at),
        }
    }

    /// A failure that may be this reading's or everybody's counts only while others pass. At the eighth time a person
    /// looks.
    fn is_given_up(&mut self, row: &Row, counts: bool, points_at: PointsAt, receipt: &Receipt) -> bool {
        let given_up = counts && row.counted + 1 >= PARKED_AT;
        if given_up {
            let said = format!("{PARKED_AT} times while others passed: {receipt}");
            self.park(row, &said, points_at);
        }
        given_up
    }

    /// A refusal without FHIR, or for want of permission, is about us; unless the record answers our reads at
    /// the same time: then it is about what we sent.
    async fn is_about_the_body(&mut self, cure: Cure, row: Option<&Row>) -> bool {
        if !matches!(cure, Cure::Credentials | Cure::Permission) {
            return false;
        }
        if !self.known_here
            && let Some(head) = row.and_then(Row::head)
        {
            self.read(format!("{}/{}", head.kind, head.id)).await;
        }
        self.known_here
    }

    /// A person must see to it at the record system, and nobody tells us when that is done.
    pub(super) fn person_unknown(&mut self, row: &Row, said: &str) {
        let when = self.after(PERSON);
        let acts = Some(PointsAt::Record);
        self.settle(
            row.no,
            Settlement::RetryAt { when, counts: false, in_doubt: row.in_doubt, acts, said: said.to_owned() },
        );
    }

    fn busy(&mut self, after: Option<Duration>, receipt: &Receipt) {
        // What was too slow, or made somebody hang up, is tried in smaller pieces.
        if let Receipt::Transport(
            Transport::Timeout { sent: Sent::Maybe } | Transport::Cut { sent: Sent::Maybe, .. },
        ) = receipt
        {
            self.memory.size = (self.carrying / 2).max(1);
        }
        let wait = self.memory.busy(after);
        self.way = Way::Busy { wait, said: receipt.to_string() };
        self.last = Some(receipt.clone());
    }

    pub(super) fn hold(&mut self, cure: Cure, receipt: &Receipt) {
        let wait = self.memory.held();
        self.way = Way::Held { wait, cure, said: receipt.to_string() };
        self.last = Some(receipt.clone());
    }

    /// Ends the carry by the verdict on a question that had no row of its own.
    pub(super) fn close(&mut self, verdict: Verdict, receipt: &Receipt) {
        match verdict {
            Verdict::Hold(cure) => self.hold(cure, receipt),
            Verdict::Retry { after, .. } => self.busy(after, receipt),
            _ => self.busy(None, receipt),
        }
    }

    // ---- Settling

    /// The way is closed: rows whose octets left wait with it, and longer each time, since one of them may be what
    /// closes it: then the others go first. Rows that were not touched are not told of.
    pub(super) fn give_back(&mut self, rows: &[Row]) {
        let (Way::Busy { wait, said } | Way::Held { wait, said, .. }) = self.way.clone() else { return };
        let in_doubt = self.last.as_ref().is_some_and(Receipt::in_doubt);
        for row in rows.iter().filter(|row| self.started.contains(&row.no)).cloned().collect::<Vec<_>>() {
            let wait = wait.max(self.memory.row(row.attempts, None));
            self.retry(&row, wait, false, in_doubt || row.in_doubt, &said);
        }
    }

    pub(super) fn retry(&mut self, row: &Row, wait: Duration, counts: bool, in_doubt: bool, said: &str) {
        let when = self.after(wait);
        self.settle(
            row.no,
            Settlement::RetryAt { when, counts, in_doubt, acts: None, said: said.to_owned() },
        );
    }

    fn after(&self, wait: Duration) -> jiff::Timestamp {
        let now = self.wire.now();
        now.checked_add(wait).unwrap_or(now)
    }

    /// The carry is over in the middle of a row: if octets of it left, nobody knows how that ended.
    pub(super) fn interrupted(&mut self, row: &Row) {
        if self.started.contains(&row.no) {
            self.later(row, "the way closed before it was done");
        }
    }

    pub(super) fn withdraw(&mut self, row: OutboxNo) {
        self.settle(row, Settlement::Withdrawn);
    }

    /// Others were first, or nobody could tell: later.
    pub(super) fn later(&mut self, row: &Row, said: &str) {
        let wait = self.memory.row(row.attempts, None);
        self.retry(row, wait, false, true, said);
    }

    /// What was in doubt before stays so: it is looked for when a person has it sent again.
    pub(super) fn park(&mut self, row: &Row, said: &str, points_at: PointsAt) {
        // The record answered: it is there, and others may pass.
        self.streak = 0;
        let doubt = row.doubt();
        self.settle(row.no, Settlement::Parked { said: said.to_owned(), points_at, doubt });
    }

    pub(super) fn delivered(
        &mut self,
        row: &Row,
        mut receipts: Vec<Kept>,
        raised: &[String],
        unverified: bool,
    ) {
        // The measurement's own first.
        receipts.sort_by_key(|receipt| receipt.role != Role::Measurement.text());
        self.streak = 0;
        self.memory.reached();
        self.memory.unknown.remove(&row.subject);
        let raised = (!raised.is_empty()).then(|| raised.join("; "));
        self.settle(
            row.no,
            match unverified {
                true => Settlement::Unverified { receipts, raised },
                false => Settlement::Delivered { receipts, raised },
            },
        );
    }

    fn settle(&mut self, row: OutboxNo, settlement: Settlement) {
        if !matches!(settlement, Settlement::RetryAt { .. }) {
            self.memory.forget(row);
        }
        self.wire.settle(row, settlement);
    }
}
