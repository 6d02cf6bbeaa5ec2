//! What all rungs share: grouping, asking, and what a refusal means beside the others.

use super::memory::Memory;
use super::row::{self, Row};
use super::{Call, End, Manner, Method, Way, Wire};
use crate::store::{Consignment, OutboxNo, Receipt as Kept, Settlement};
use hearth_core::delivery::{
    Answer, Asked, Bisection, Body, Cure, Found, Line, PointsAt, Receipt, Scope, Sent, Transport, Verdict,
    entries, found, judge,
};
use hearth_core::identity::{Labels, Who};
use hearth_core::map::fhir::{self, Resource, Rung};
use hearth_core::parcel::Intent;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often a reading that others are writing too is looked at again before it waits.
pub(super) const ROUNDS: usize = 3;
/// Failures that count, until a reading waits for a person.
const PARKED_AT: u32 = 8;
/// Readings that failed alone, one after the other, with no success between: then it is the destination.
const STREAK: u32 = 2;
/// A person must act at the record system; until then, this often.
const PERSON: Duration = Duration::from_secs(3600);

/// One carry.
#[derive(Debug)]
pub(super) struct Climb {
    pub(super) manner: Manner,
    pub(super) memory: Memory,
    wire: Wire,
    way: Way,
    /// What closed the way.
    last: Option<Receipt>,
    /// Rows whose octets have left in this carry.
    started: BTreeSet<OutboxNo>,
    /// A read was answered by the record itself: it knows us.
    known_here: bool,
    /// Persons that it did not know, in this carry: in the next they are tried again.
    unknown_here: BTreeSet<String>,
    /// Readings in the group under way.
    carrying: usize,
    streak: u32,
}

/// What an attempt on several rows left to do.
pub(super) enum Left {
    Nothing,
    /// Refused as a whole.
    Split(Vec<Row>),
}

impl Climb {
    pub(super) fn new(manner: Manner, memory: Memory, wire: Wire) -> Climb {
        Climb {
            manner,
            memory,
            wire,
            way: Way::Open,
            last: None,
            started: BTreeSet::new(),
            known_here: false,
            unknown_here: BTreeSet::new(),
            carrying: 0,
            streak: 0,
        }
    }

    pub(super) async fn carry(mut self, work: Vec<Consignment>) -> End {
        for set in self.sets(&work) {
            match set.intent {
                Intent::Create => self.create(set.rung, set.rows).await,
                Intent::Retract => {
                    for row in set.rows {
                        if self.is_open() {
                            self.retract(row).await;
                        }
                    }
                }
            }
        }
        End { memory: self.memory, way: self.way }
    }

    /// Rows that may share a request: one label set, one rung, one intent (CLINICAL 29). What must not leave at
    /// all is settled here.
    fn sets(&mut self, work: &[Consignment]) -> Vec<Set> {
        let mut sets: Vec<Set> = Vec::new();
        for consignment in work {
            let row = Row::of(consignment, &self.manner.policy, self.manner.rung);
            if consignment.parcel.reading.who == Who::Test {
                // CLINICAL 24
                self.withdraw(row.no);
                continue;
            }
            if !consignment.labels.0.is_subset(&self.manner.cleared) {
                self.park(
                    row.no,
                    "this destination is not cleared for the reading's labels",
                    PointsAt::SetUp,
                );
                continue;
            }
            if row.resources.is_empty() {
                self.park(row.no, "there is nothing in it to write", PointsAt::Us);
                continue;
            }
            let (labels, intent) = (&consignment.labels, consignment.parcel.intent);
            let fits = |set: &&mut Set| set.labels == *labels && set.rung == row.rung && set.intent == intent;
            match sets.iter_mut().find(fits) {
                Some(set) => set.rows.push(row),
                None => sets.push(Set { labels: labels.clone(), rung: row.rung, intent, rows: vec![row] }),
            }
        }
        sets
    }

    /// Carries rows in groups; what is refused as a whole is halved until the one at fault is alone.
    async fn create(&mut self, rung: Rung, rows: Vec<Row>) {
        let mut groups = Bisection::of(rows, self.group_size());
        while let Some(group) = groups.take() {
            if !self.is_open() {
                self.give_back(&group);
                continue;
            }
            let group = self.without_unknown(group);
            if group.is_empty() {
                continue;
            }
            self.carrying = group.len();
            // A repeat of what nobody can recognize is done one by one, and said.
            let blind = rung == Rung::PlainCreate && group.iter().any(|row| row.in_doubt);
            let refused = if self.sends_bundles() && !blind {
                let left = match rung {
                    Rung::UpdateAsCreate => self.update_group(group).await,
                    _ => self.create_group(rung, group).await,
                };
                match left {
                    Left::Nothing => continue,
                    Left::Split(rows) => rows,
                }
            } else {
                group
            };
            if let Err(mut alone) = groups.split(refused)
                && let Some(row) = alone.pop()
            {
                let delivered = match rung {
                    Rung::UpdateAsCreate => self.update_alone(row).await,
                    _ => self.create_alone(rung, row).await,
                };
                if delivered && self.sends_bundles() && !blind {
                    // Nothing was wrong with it: the record does not like bundles.
                    self.memory.grudges += 1;
                }
            }
        }
    }

    fn group_size(&self) -> usize {
        self.manner.bundle.min(self.memory.most).min(self.memory.size).max(1)
    }

    pub(super) fn sends_bundles(&self) -> bool {
        self.manner.bundle > 1 && self.memory.grudges < 2
    }

    pub(super) fn is_open(&self) -> bool {
        self.way == Way::Open
    }

    /// Rows of persons whom the record does not know wait with the first of them.
    fn without_unknown(&mut self, group: Vec<Row>) -> Vec<Row> {
        let (held, group): (Vec<Row>, Vec<Row>) =
            group.into_iter().partition(|row| self.unknown_here.contains(&row.subject));
        for row in held {
            self.retry(&row, PERSON, false, false, "the record system does not know this person");
        }
        group
    }

    // ---- Asking

    /// Reads one resource.
    pub(super) async fn read(&mut self, path: String) -> Receipt {
        let receipt = self.wire.ask(call(Method::Get, path, String::new())).await;
        if let Found::Present(_) | Found::Absent | Found::Gone = found(&receipt) {
            self.known_here = true;
        }
        receipt
    }

    /// The record itself said what is there.
    pub(super) fn is_known_here(&mut self) {
        self.known_here = true;
    }

    /// Several reads in one request.
    pub(super) async fn read_all(&mut self, places: &[&str]) -> Receipt {
        let ids: Vec<(&str, &str)> = places.iter().filter_map(|place| place.split_once('/')).collect();
        self.wire.ask(call(Method::Post, String::new(), fhir::ask(&ids))).await
    }

    /// Before octets of these rows leave: has that written down, and says which of them still may. What may not
    /// was retracted, parked or withheld meanwhile, and is settled elsewhere. `None`: nothing may, or the way is
    /// not open.
    pub(super) async fn start(&mut self, rows: &[&Row]) -> Option<BTreeSet<OutboxNo>> {
        let attempts: Vec<_> =
            rows.iter().filter(|row| !self.started.contains(&row.no)).map(|row| row.attempt()).collect();
        if !attempts.is_empty() {
            match self.wire.start(attempts).await {
                Ok(started) => self.started.extend(started),
                Err(receipt) => {
                    self.close(judge(Asked::Bundle, &receipt), &receipt);
                    return None;
                }
            }
        }
        let may: BTreeSet<_> = rows.iter().map(|row| row.no).filter(|no| self.started.contains(no)).collect();
        (!may.is_empty()).then_some(may)
    }

    /// Sends what changes the record, of rows that were started.
    pub(super) async fn write(&mut self, call: Call) -> Receipt {
        self.wire.ask(call).await
    }

    // ---- What an answer means beside the others

    /// The entries of a bundle that was answered as one, in the order of `lines`; else the verdict on it.
    pub(super) fn entries(
        &mut self,
        receipt: &Receipt,
        lines: &[Line<'_>],
    ) -> Result<Vec<Option<Answer>>, Verdict> {
        if let Receipt::Answer(Answer { status: 200..=299, body: Body::Resource(bundle), .. }) = receipt
            && let Some("batch-response" | "transaction-response") = bundle["type"].as_str()
        {
            self.memory.size = self.memory.size.saturating_mul(2);
            return Ok(entries(lines, bundle));
        }
        Err(judge(Asked::Bundle, receipt))
    }

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
                let too_much = matches!(receipt, Receipt::Answer(Answer { status: 413, .. }));
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
        // What an earlier attempt left in doubt, a refusal for now does not clear up.
        let in_doubt = receipt.in_doubt() || row.in_doubt;
        match verdict {
            Verdict::Retry { after, scope: Scope::Destination, .. } => {
                self.busy(after, receipt);
                self.give_back(std::slice::from_ref(row));
            }
            Verdict::Retry { after, counts, scope: Scope::Reading } => {
                self.failed_alone(row, after, counts, in_doubt, receipt);
            }
            Verdict::Hold(cure) if !self.is_about_the_body(cure, Some(row)).await => {
                self.hold(cure, receipt);
                self.give_back(std::slice::from_ref(row));
            }
            Verdict::Hold(cure) => {
                self.streak += 1;
                if self.streak >= STREAK {
                    self.hold(cure, receipt);
                }
                let wait = self.memory.row(row.attempts, None);
                self.retry(row, wait, false, in_doubt, &said);
            }
            Verdict::Identity => {
                self.memory.unknown.insert(row.subject.clone());
                self.unknown_here.insert(row.subject.clone());
                self.retry(row, PERSON, false, in_doubt, &said);
            }
            Verdict::Conflict | Verdict::Accept(_) => {
                let wait = self.memory.row(row.attempts, None);
                self.retry(row, wait, false, in_doubt, &said);
            }
            Verdict::Split => self.park(row.no, &said, PointsAt::Us),
            Verdict::Park(points_at) => self.park(row.no, &said, points_at),
        }
    }

    /// A failure that may be this reading's or everybody's: counted only while others pass.
    fn failed_alone(
        &mut self,
        row: &Row,
        after: Option<Duration>,
        counts: bool,
        in_doubt: bool,
        receipt: &Receipt,
    ) {
        let counts = counts && self.memory.healthy;
        if counts && row.counted + 1 >= PARKED_AT {
            let said = format!("{PARKED_AT} times while others passed: {receipt}");
            self.park(row.no, &said, PointsAt::Record);
            return;
        }
        self.streak += 1;
        if self.streak >= STREAK {
            self.busy(after, receipt);
        }
        let wait = self.memory.row(row.attempts, after);
        self.retry(row, wait, counts, in_doubt, &receipt.to_string());
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

    fn busy(&mut self, after: Option<Duration>, receipt: &Receipt) {
        if let Receipt::Transport(Transport::Timeout { sent: Sent::Maybe }) = receipt {
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

    /// The way is closed: rows whose octets left wait with it. The others were not touched, and nothing is said
    /// of them.
    pub(super) fn give_back(&mut self, rows: &[Row]) {
        let (Way::Busy { wait, said } | Way::Held { wait, said, .. }) = self.way.clone() else { return };
        let in_doubt = self.last.as_ref().is_some_and(Receipt::in_doubt);
        for row in rows.iter().filter(|row| self.started.contains(&row.no)).cloned().collect::<Vec<_>>() {
            self.retry(&row, wait, false, in_doubt || row.in_doubt, &said);
        }
    }

    pub(super) fn retry(&mut self, row: &Row, wait: Duration, counts: bool, in_doubt: bool, said: &str) {
        let now = self.wire.now();
        let when = now.checked_add(wait).unwrap_or(now);
        self.settle(row.no, Settlement::RetryAt { when, counts, in_doubt, said: said.to_owned() });
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

    pub(super) fn park(&mut self, row: OutboxNo, said: &str, points_at: PointsAt) {
        // The record answered: it is there, and others may pass.
        self.streak = 0;
        self.settle(row, Settlement::Parked { said: said.to_owned(), points_at });
    }

    pub(super) fn delivered(&mut self, row: &Row, receipts: Vec<Kept>, raised: &[String], unverified: bool) {
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
        self.wire.settle(row, settlement);
    }
}

/// Rows that may share a request.
struct Set {
    labels: Labels,
    rung: Rung,
    intent: Intent,
    rows: Vec<Row>,
}

pub(super) fn call(method: Method, path: String, body: String) -> Call {
    Call { method, path, if_match: None, if_none_exist: None, body }
}

pub(super) fn place(resource: &Resource) -> String {
    format!("{}/{}", resource.kind, resource.id)
}

/// What several rows send in one Bundle: devices once and first, then each row's own.
pub(super) fn in_order<'a>(rows: impl Iterator<Item = Vec<&'a Resource>> + Clone) -> Vec<Resource> {
    let mut once = BTreeSet::new();
    let shared = rows.clone().flatten().filter(|resource| row::is_shared(resource));
    let own = rows.flatten().filter(|resource| !row::is_shared(resource));
    shared.chain(own).filter(|resource| once.insert(resource.id.as_str())).cloned().collect()
}
