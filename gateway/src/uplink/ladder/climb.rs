//! What all rungs share: which rows go together, and how the record is asked.

use super::memory::Memory;
use super::row::{self, Row};
use super::{Call, End, Manner, Method, Way, Wire};
use crate::store::{Consignment, OutboxNo};
use hearth_core::delivery::{
    Answer, Asked, Bisection, Body, Found, Line, PointsAt, Receipt, Verdict, entries, found, judge,
};
use hearth_core::identity::{Labels, Who};
use hearth_core::map::fhir::{self, Mapper, Resource, Rung};
use hearth_core::parcel::Intent;
use std::collections::BTreeSet;

/// How often a reading that others are writing too is looked at again before it waits.
pub(super) const ROUNDS: usize = 3;

/// One carry.
#[derive(Debug)]
pub(super) struct Climb {
    pub(super) manner: Manner,
    pub(super) memory: Memory,
    pub(super) wire: Wire,
    pub(super) way: Way,
    /// What closed the way.
    pub(super) last: Option<Receipt>,
    /// Rows whose octets have left in this carry.
    pub(super) started: BTreeSet<OutboxNo>,
    /// A read was answered by the record itself: it knows us.
    pub(super) known_here: bool,
    /// Persons that it did not know, in this carry: in the next they are tried again.
    pub(super) unknown_here: BTreeSet<String>,
    /// Readings in the group under way.
    pub(super) carrying: usize,
    pub(super) streak: u32,
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
        let mut mapper = Mapper::default();
        for consignment in work {
            let row = Row::of(consignment, &mut mapper, &self.manner.policy, self.manner.rung);
            if consignment.parcel.reading.who == Who::Test {
                // CLINICAL 24
                self.withdraw(row.no);
                continue;
            }
            if !consignment.labels.0.is_subset(&self.manner.cleared) {
                self.park(&row, "this destination is not cleared for the reading's labels", PointsAt::SetUp);
                continue;
            }
            if row.resources.is_empty() {
                self.park(&row, "there is nothing in it to write", PointsAt::Us);
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
            // Nothing is known to be there yet, by which a search could show that it understood: one goes ahead.
            let group = match rung == Rung::SearchThenCreate && self.memory.landmark.is_none() {
                true => match groups.split(group) {
                    Ok(()) => continue,
                    Err(alone) => alone,
                },
                false => group,
            };
            self.carrying = group.len();
            // A repeat of what nobody can recognize is done one by one, and said.
            let blind = rung.is_plain() && group.iter().any(|row| row.in_doubt);
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
            self.person_unknown(&row, "the record system does not know this person");
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
                Ok(started) => {
                    self.memory.leave(&started, self.wire.now());
                    self.started.extend(started);
                }
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

    /// The entries of a bundle that was answered as one, in the order of `lines`; else the verdict on it.
    pub(super) fn entries(
        &mut self,
        receipt: &Receipt,
        lines: &[Line<'_>],
    ) -> Result<Vec<Option<Answer>>, Verdict> {
        if let Receipt::Answer(Answer { status: 200..=299, body: Body::Resource(bundle), .. }) = receipt
            && let Some("batch-response" | "transaction-response") = bundle["type"].as_str()
        {
            return Ok(entries(lines, bundle));
        }
        Err(judge(Asked::Bundle, receipt))
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
