//! Rung 1: ask by id, then `PUT` what is absent. The primary key makes racing hubs harmless.

use super::Method;
use super::climb::{Climb, Left, ROUNDS, call, in_order, place};
use super::row::{self, Row};
use crate::store::Receipt as Kept;
use hearth_core::delivery::{Accepted, Asked, Found, Line, PointsAt, Receipt, Scope, Verdict, found, judge};
use hearth_core::map::fhir::{self, Comparison, Resource, Role, Rung, compare};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Reads in one batch: limits of 160 and 500 entries have been seen, and every answer holds a resource.
const ASKED_AT_ONCE: usize = 100;

/// What the record said, by `Type/id`.
type Seen = BTreeMap<String, Receipt>;

/// A row of which something is absent.
struct Plan {
    row: Row,
    /// Indices of its resources.
    absent: Vec<usize>,
    receipts: Vec<Kept>,
    raised: Vec<String>,
}

/// How a row stands by what is there.
enum Stood {
    Settled,
    Lacks(Box<Plan>),
    /// The measurement is there, and we never sent it: another hub did. It may have come no further.
    Begun(Row),
}

/// How a row stands after its parts were answered.
enum Weighed {
    Settled,
    Written,
    /// Somebody was first, or an answer was missing: look again.
    Again(Row),
}

impl Climb {
    pub(super) async fn update_group(&mut self, mut rows: Vec<Row>) -> Left {
        for _ in 0..ROUNDS {
            let Some(mut plans) = self.lacking(rows, true).await else { return Left::Nothing };
            if plans.is_empty() {
                return Left::Nothing;
            }
            let Some(may) = self.start(&plans.iter().map(|plan| &plan.row).collect::<Vec<_>>()).await else {
                return Left::Nothing;
            };
            plans.retain(|plan| may.contains(&plan.row.no));
            let resources = in_order(plans.iter().map(Plan::parts));
            let lines: Vec<Line<'_>> =
                resources.iter().map(|resource| row::line(resource, Rung::UpdateAsCreate, "")).collect();
            let ours = vec![resources.clone()];
            let body = fhir::bundle(&ours, Rung::UpdateAsCreate, self.manner.kind)
                .expect("rows of one set have the same labels");
            let receipt = self.write(call(Method::Post, String::new(), body)).await;
            let answers = match self.entries(&receipt, &lines) {
                Ok(answers) => {
                    self.memory.grow();
                    answers
                }
                Err(Verdict::Conflict) => {
                    rows = plans.into_iter().map(|plan| plan.row.tried()).collect();
                    continue;
                }
                Err(verdict) => {
                    let rows = plans.into_iter().map(|plan| plan.row.tried()).collect();
                    return self.refused(rows, verdict, &receipt).await;
                }
            };
            let answers: BTreeMap<&str, Receipt> = resources
                .iter()
                .zip(answers)
                .filter_map(|(resource, answer)| Some((resource.id.as_str(), Receipt::Answer(answer?))))
                .collect();
            rows = Vec::new();
            for plan in plans {
                if let Weighed::Again(row) = self.weigh(plan, &answers).await {
                    rows.push(row);
                }
            }
            if rows.is_empty() || !self.is_open() {
                break;
            }
        }
        match rows.as_slice() {
            [] => Left::Nothing,
            [row] => {
                self.later(row, "others are writing it at the same time, or nobody says how it ended");
                Left::Nothing
            }
            _ => Left::Split(rows),
        }
    }

    /// Resource by resource, in the order of their dependency. Gives whether it was written.
    pub(super) async fn update_alone(&mut self, mut row: Row) -> bool {
        for _ in 0..ROUNDS {
            let Some(plan) = self.lacking(vec![row], false).await.and_then(|mut plans| plans.pop()) else {
                return false;
            };
            if self.start(&[&plan.row]).await.is_none() {
                return false;
            }
            let mut answers = BTreeMap::new();
            for part in plan.parts() {
                let put = call(Method::Put, place(part), part.json.clone());
                let receipt = self.write(put).await;
                let accepted = matches!(judge(Asked::Put, &receipt), Verdict::Accept(_));
                answers.insert(part.id.clone(), receipt);
                if !accepted {
                    break;
                }
            }
            let answers = answers.iter().map(|(id, receipt)| (id.as_str(), receipt.clone())).collect();
            row = match self.weigh(plan, &answers).await {
                Weighed::Written => return true,
                Weighed::Settled => return false,
                Weighed::Again(row) => row,
            };
        }
        self.later(&row, "others are writing it at the same time, or nobody says how it ended");
        false
    }

    /// Looks, settles what is settled, and gives what has to be written. `None`: nobody says, and the carry is over.
    async fn lacking(&mut self, mut rows: Vec<Row>, bundled: bool) -> Option<Vec<Plan>> {
        let mut plans = Vec::new();
        let mut seen = Seen::new();
        // Once more for what another hub began: then its companions are asked for, too.
        while !rows.is_empty() {
            self.look(&rows, bundled, &mut seen).await?;
            let mut begun = Vec::new();
            for row in rows {
                match self.stand(row, &seen).await {
                    Stood::Settled => {}
                    Stood::Lacks(plan) => plans.push(*plan),
                    Stood::Begun(row) => begun.push(row.tried()),
                }
            }
            rows = begun;
        }
        Some(plans)
    }

    /// What is there of these rows, beside what was seen. `None`: nobody says, and the carry is over.
    ///
    /// Of a row that never left, only the measurement is asked for: everything else goes after it. Whoever
    /// finds a measurement absent finds its companions absent too.
    async fn look(&mut self, rows: &[Row], bundled: bool, seen: &mut Seen) -> Option<()> {
        let mut places = Vec::new();
        let mut once = BTreeSet::new();
        for row in rows {
            let asked = row.resources.iter().filter(|resource| match resource.role {
                Role::Measurement => true,
                _ if row::is_shared(resource) => !self.memory.devices.contains(&resource.id),
                _ => row.attempted,
            });
            let new = |place: &String| !seen.contains_key(place) && once.insert(place.clone());
            places.extend(asked.map(place).filter(new));
        }
        let batches = if bundled && places.len() > 1 { places.as_slice() } else { &[] };
        for names in batches.chunks(ASKED_AT_ONCE) {
            if self.memory.asks_singly {
                break;
            }
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let lines: Vec<Line<'_>> = names.iter().map(|name| named(name)).collect();
            let receipt = self.read_all(&names).await;
            match self.entries(&receipt, &lines) {
                Ok(answers) => {
                    self.known_here = true;
                    let answered = names.iter().zip(answers);
                    seen.extend(
                        answered.filter_map(|(name, a)| Some(((*name).to_owned(), Receipt::Answer(a?)))),
                    );
                }
                Err(verdict @ Verdict::Retry { scope: Scope::Destination, .. }) => {
                    self.close(verdict, &receipt);
                    self.give_back(rows);
                    return None;
                }
                // Perhaps only batches are refused.
                Err(_) => self.memory.asks_singly = true,
            }
        }
        for name in places {
            if seen.contains_key(&name) {
                continue;
            }
            let receipt = self.read(name.clone()).await;
            if let Found::Refused(verdict) = found(&receipt)
                && (matches!(verdict, Verdict::Retry { scope: Scope::Destination, .. })
                    || matches!(verdict, Verdict::Hold(_)) && seen.is_empty())
            {
                self.memory.asks_singly = false;
                self.close(verdict, &receipt);
                self.give_back(rows);
                return None;
            }
            seen.insert(name, receipt);
        }
        Some(())
    }

    /// Settles a row by what is there, or says what has to be written. What is there is never written.
    async fn stand(&mut self, row: Row, seen: &Seen) -> Stood {
        let mut plan = Plan { row, absent: vec![], receipts: vec![], raised: vec![] };
        for (n, ours) in plan.row.resources.iter().enumerate() {
            let Some(receipt) = seen.get(&place(ours)) else {
                // Not asked: a device that is known to be there, or a companion of what never left.
                if !row::is_shared(ours) {
                    plan.absent.push(n);
                }
                continue;
            };
            let head = ours.role == Role::Measurement;
            match found(receipt) {
                Found::Absent => plan.absent.push(n),
                Found::Present(_) if row::is_shared(ours) => self.memory.has_device(&ours.id),
                Found::Gone if row::is_shared(ours) => {
                    plan.raised
                        .push("somebody deleted the device at the record system; it stays deleted".into());
                }
                Found::Gone => {
                    plan.receipts.push(row::receipt(ours, Some(place(ours)), None, "deleted at the record"));
                    plan.raised.extend(Accepted::DeletedAtRecord.raised().map(str::to_owned));
                    if head {
                        plan.absent.clear();
                        break;
                    }
                }
                Found::Present(theirs) => {
                    plan.receipts.push(row::receipt(
                        ours,
                        Some(place(ours)),
                        row::version(&theirs),
                        "already there",
                    ));
                    match difference(ours, &theirs) {
                        Ok(None) if head && !plan.row.attempted => return Stood::Begun(plan.row),
                        Ok(None) => {}
                        Ok(Some(raised)) => {
                            plan.raised.push(raised);
                            if head {
                                plan.absent.clear();
                                break;
                            }
                        }
                        Err(other) => {
                            self.park(&plan.row, other, PointsAt::Record);
                            return Stood::Settled;
                        }
                    }
                }
                Found::Refused(verdict) => {
                    self.stumble(&plan.row, verdict, receipt).await;
                    return Stood::Settled;
                }
            }
        }
        let writes = plan.absent.iter().any(|n| !row::is_shared(&plan.row.resources[*n]));
        if !writes {
            self.delivered(&plan.row, plan.receipts, &plan.raised, false);
            return Stood::Settled;
        }
        Stood::Lacks(Box::new(plan))
    }

    /// Settles a row by the answers to its parts.
    async fn weigh(&mut self, mut plan: Plan, answers: &BTreeMap<&str, Receipt>) -> Weighed {
        let (mut again, mut unverified) = (false, false);
        for part in plan.absent.iter().map(|n| &plan.row.resources[*n]) {
            let Some(receipt) = answers.get(part.id.as_str()) else {
                again = true;
                continue;
            };
            let accepted = match judge(Asked::Put, receipt) {
                Verdict::Accept(accepted) => accepted,
                Verdict::Conflict => {
                    again = true;
                    continue;
                }
                verdict => {
                    self.stumble(&plan.row, verdict, receipt).await;
                    return Weighed::Settled;
                }
            };
            self.memory.wrote(row::is_shared(part));
            let Receipt::Answer(answer) = receipt else { continue };
            // CLINICAL 26: a success that tells of another subject or status is none.
            if let Some(theirs) = answer.resource()
                && !row::is_shared(part)
                && compare(part, theirs) != Comparison::Equal
            {
                again = true;
                continue;
            }
            if row::is_shared(part) {
                self.memory.has_device(&part.id);
            }
            if accepted == Accepted::Unverified {
                unverified |= !matches!(found(&self.read(place(part)).await), Found::Present(_));
            }
            plan.raised.extend(accepted.raised().map(str::to_owned));
            let verdict = format!("{} {}", answer.status, said(accepted));
            plan.receipts.push(row::receipt(part, Some(place(part)), answer.etag.clone(), verdict));
        }
        if again {
            return Weighed::Again(plan.row.tried());
        }
        self.delivered(&plan.row, plan.receipts, &plan.raised, unverified);
        Weighed::Written
    }
}

impl Plan {
    fn parts(&self) -> Vec<&Resource> {
        self.absent.iter().map(|n| &self.row.resources[*n]).collect()
    }
}

fn named(place: &str) -> Line<'_> {
    let (kind, id) = place.split_once('/').unwrap_or((place, ""));
    Line { kind, id: Some(id), identifier: None, full_url: None }
}

/// What a person should be told about what is there instead of ours. `Err`: it is somebody else's.
pub(super) fn difference(ours: &Resource, theirs: &Value) -> Result<Option<String>, &'static str> {
    match compare(ours, theirs) {
        Comparison::Equal => Ok(None),
        Comparison::Differs { what } => Ok(Some(format!(
            "the record system has its own {} of this reading, and keeps it",
            what.join(" and ")
        ))),
        Comparison::OtherSubject => {
            Err("the record system holds this reading under another person: clear up there whose it is")
        }
    }
}

pub(super) fn said(accepted: Accepted) -> &'static str {
    match accepted {
        Accepted::Written => "written",
        Accepted::AlreadyThere => "already there",
        Accepted::Duplicate => "a duplicate there",
        Accepted::Unverified => "accepted, not verified",
        Accepted::DuplicatesAtRecord => "there more than once",
        Accepted::DeletedAtRecord => "deleted at the record",
    }
}
