//! Rungs 2 to 4: `POST`, with a condition, after a search, or without either. The record chooses the ids.

use super::climb::{Climb, Left, ROUNDS, call, in_order};
use super::row::{self, Row};
use super::seek::{Seen, Sought};
use super::update::{difference, said};
use super::{Call, Method};
use crate::store::Receipt as Kept;
use hearth_core::delivery::{
    Accepted, Answer, Asked, Body, Found, Line, PointsAt, Receipt, Scope, Verdict, found, judge,
};
use hearth_core::map::fhir::{self, Kind, Resource, Rung, if_none_exist, located, urn};
use serde_json::Value;

/// What became of one resource.
enum Placed {
    At(Option<String>),
    /// The row is settled, or the carry over.
    Ended,
}

/// What is known of a row so far.
#[derive(Default)]
struct Told {
    receipts: Vec<Kept>,
    raised: Vec<String>,
    unverified: bool,
}

impl Climb {
    /// All rows in one transaction; on rung 3 those of which nothing is there.
    pub(super) async fn create_group(&mut self, rung: Rung, mut rows: Vec<Row>) -> Left {
        if rung == Rung::SearchThenCreate {
            rows = match self.sift(rows).await {
                Ok(rows) => rows,
                Err(left) => return left,
            };
        }
        let Some(may) = self.start(&rows.iter().collect::<Vec<_>>()).await else { return Left::Nothing };
        rows.retain(|row| may.contains(&row.no));
        let resources = in_order(rows.iter().map(|row| row.resources.iter().collect()));
        let urns: Vec<String> = resources.iter().map(|resource| urn(&resource.id)).collect();
        let lines: Vec<Line<'_>> =
            resources.iter().zip(&urns).map(|(resource, urn)| row::line(resource, rung, urn)).collect();
        let ours = vec![resources.clone()];
        let body =
            fhir::bundle(&ours, rung, Kind::Transaction).expect("rows of one set have the same labels");
        let receipt = self.write(call(Method::Post, String::new(), body)).await;
        let answers = match self.entries(&receipt, &lines) {
            Ok(answers) => {
                self.memory.grow();
                answers
            }
            // With a condition each may be tried again by itself; without, what a race means is not known.
            Err(Verdict::Conflict) => return Left::Split(rows),
            Err(verdict) => {
                // It may all be there: without a condition, nothing is sent again before it was looked for.
                rows.iter_mut().for_each(|row| row.in_doubt |= receipt.in_doubt());
                // Something between us and the record says that it failed: a search of this instant proves nothing.
                let verdict = match verdict {
                    Verdict::Retry { after, .. } if rung.is_plain() && is_hearsay(&receipt) => {
                        Verdict::Retry { after, counts: false, scope: Scope::Destination }
                    }
                    verdict => verdict,
                };
                return self.refused(rows, verdict, &receipt).await;
            }
        };
        for row in rows {
            let mut told = Told::default();
            let mut ended = false;
            for ours in &row.resources {
                let at = resources.iter().position(|resource| resource.id == ours.id);
                let answer = at.and_then(|at| answers.get(at).cloned().flatten());
                // A transaction that succeeded wrote all of it, said or not.
                let receipt = Receipt::Answer(answer.unwrap_or_else(|| Answer::new(202, Body::Empty)));
                if let Placed::Ended = self.place(rung, &row, ours, &receipt, &mut told).await {
                    ended = true;
                    break;
                }
            }
            if !ended {
                self.arrived(rung, &row, told);
            }
        }
        Left::Nothing
    }

    /// Of which of these rows nothing is there. The others are completed one by one.
    async fn sift(&mut self, rows: Vec<Row>) -> Result<Vec<Row>, Left> {
        let wanted: Vec<&Resource> = rows.iter().flat_map(|row| &row.resources).collect();
        let Some(seen) = self.look_for(&wanted, false).await else { return Err(Left::Nothing) };
        if let Some(receipt) = seen.unanswered.filter(|_| !self.memory.is_unsearchable(self.wire.now())) {
            if let [row] = rows.as_slice() {
                self.unsought(row, &receipt).await;
                return Err(Left::Nothing);
            }
            return Err(Left::Split(rows));
        }
        let (begun, new): (Vec<Row>, Vec<Row>) = rows
            .into_iter()
            .partition(|row| row.resources.iter().any(|ours| seen.there.contains_key(&ours.id)));
        for row in begun.into_iter().take_while(|_| self.is_open()).collect::<Vec<_>>() {
            self.create_alone(Rung::SearchThenCreate, row).await;
        }
        if new.is_empty() || !self.is_open() { Err(Left::Nothing) } else { Ok(new) }
    }

    /// Settles a row all of which was answered.
    fn arrived(&mut self, rung: Rung, row: &Row, mut told: Told) {
        if rung == Rung::SearchThenCreate && !told.unverified && self.memory.landmark.is_none() {
            self.memory.landmark = row.head().and_then(|head| head.identifier.clone());
        }
        told.raised.dedup();
        self.delivered(row, told.receipts, &told.raised, told.unverified);
    }

    /// Resource by resource, in the order of their dependency. Gives whether it was written.
    pub(super) async fn create_alone(&mut self, rung: Rung, row: Row) -> bool {
        let mut told = Told::default();
        let mut placed: Vec<(usize, String)> = Vec::new();
        let seen = match rung == Rung::SearchThenCreate || rung == Rung::PlainCreate && row.in_doubt {
            true => match self.look_before(rung, &row).await {
                Some(seen) => seen,
                None => return false,
            },
            false => Seen::default(),
        };
        for (n, ours) in row.resources.iter().enumerate() {
            if let Some(theirs) = seen.there.get(&ours.id) {
                if !self.recognize(&row, ours, theirs, &mut told) {
                    return false;
                }
                placed.extend(theirs.first().and_then(place_of).map(|place| (n, place)));
                continue;
            }
            if row.in_doubt && seen.unknown.contains(&ours.id) {
                told.raised.push(REPEATED.into());
            }
            if self.start(&[&row]).await.is_none() {
                return false;
            }
            let others: Vec<(&Resource, &str)> =
                placed.iter().map(|(n, place)| (&row.resources[*n], place.as_str())).collect();
            let ours = Resource { json: located(ours, &others), ..ours.clone() };
            let receipt = self.post(rung, &ours).await;
            match self.place(rung, &row, &ours, &receipt, &mut told).await {
                Placed::At(place) => placed.extend(place.map(|place| (n, place))),
                Placed::Ended => return false,
            }
        }
        self.arrived(rung, &row, told);
        true
    }

    /// What is there of a row. `None`: nothing of it may leave now; the row is settled, or the carry over.
    async fn look_before(&mut self, rung: Rung, row: &Row) -> Option<Seen> {
        let wanted: Vec<&Resource> = row.resources.iter().collect();
        let Some(seen) = self.look_for(&wanted, row.in_doubt).await else {
            self.interrupted(row);
            return None;
        };
        let now = self.wire.now();
        if rung == Rung::SearchThenCreate
            && let Some(receipt) = &seen.unanswered
            && !self.memory.is_unsearchable(now)
        {
            self.unsought(row, receipt).await;
            return None;
        }
        // What was sent may be there, and not be found yet.
        if row.doubted
            && row.resources.iter().any(|ours| seen.is_nowhere(ours))
            && let Some(wait) = self.memory.unripe(row.no, now)
        {
            self.retry(
                row,
                wait,
                false,
                true,
                "not found there yet: it is looked for again before it is repeated",
            );
            return None;
        }
        Some(seen)
    }

    /// One resource, as safely as this rung can. A race is tried again; on rung 3 after another search, later.
    async fn post(&mut self, rung: Rung, ours: &Resource) -> Receipt {
        let mut receipt = self.post_once(rung, ours).await;
        for _ in 1..ROUNDS {
            if rung == Rung::SearchThenCreate || judge(asked(rung), &receipt) != Verdict::Conflict {
                break;
            }
            receipt = self.post_once(rung, ours).await;
        }
        receipt
    }

    async fn post_once(&mut self, rung: Rung, ours: &Resource) -> Receipt {
        let plain = call(Method::Post, ours.kind.to_owned(), ours.json.clone());
        if rung.is_plain() {
            return self.write(plain).await;
        }
        // The header form races on some servers, a transaction of one does not.
        if self.sends_bundles() {
            let one = vec![vec![ours.clone()]];
            let body =
                fhir::bundle(&one, rung, Kind::Transaction).expect("one resource has one set of labels");
            let receipt = self.write(call(Method::Post, String::new(), body)).await;
            let name = urn(&ours.id);
            match self.entries(&receipt, &[row::line(ours, rung, &name)]) {
                Ok(mut answers) => {
                    let answer = answers.pop().flatten();
                    return Receipt::Answer(answer.unwrap_or_else(|| Answer::new(202, Body::Empty)));
                }
                Err(Verdict::Split | Verdict::Retry { scope: Scope::Reading, .. })
                    if !is_about_the_condition(&receipt) => {}
                Err(_) => return receipt,
            }
        }
        let condition = ours.identifier.as_ref().map(|(system, value)| if_none_exist(system, value));
        self.write(Call { if_none_exist: condition, ..plain }).await
    }

    /// Notes what the answer to one resource says, or settles the row.
    async fn place(
        &mut self,
        rung: Rung,
        row: &Row,
        ours: &Resource,
        receipt: &Receipt,
        told: &mut Told,
    ) -> Placed {
        let accepted = match judge(asked(rung), receipt) {
            Verdict::Accept(accepted) => accepted,
            // The measurement is in the chart for good, and sent again it would be there twice: nothing finds it there.
            Verdict::Park(_) | Verdict::Split
                if !told.receipts.is_empty()
                    && (rung == Rung::PlainCreate
                        || rung == Rung::SearchThenCreate
                            && self.memory.is_unsearchable(self.wire.now())) =>
            {
                told.raised.push(format!("the record system refused its {}: {receipt}", ours.role.text()));
                return Placed::At(None);
            }
            verdict => {
                let in_doubt = row.in_doubt || rung.is_plain() && !told.receipts.is_empty();
                self.stumble(&Row { in_doubt, ..row.clone() }, verdict, receipt).await;
                return Placed::Ended;
            }
        };
        self.memory.wrote(row::is_shared(ours));
        let Receipt::Answer(answer) = receipt else { return Placed::Ended };
        let mut place = answer.place();
        match accepted {
            Accepted::AlreadyThere => {
                // CLINICAL 26: a success that tells of another subject or status is none. Of a device nothing is compared.
                let theirs = match (answer.resource(), &place) {
                    (Some(theirs), _) => Some(theirs.clone()),
                    (None, Some(place)) if !row::is_shared(ours) => {
                        let receipt = self.read(place.clone()).await;
                        match found(&receipt) {
                            Found::Present(theirs) => Some(theirs),
                            Found::Refused(verdict @ Verdict::Retry { scope: Scope::Destination, .. }) => {
                                self.close(verdict, &receipt);
                                self.later(row, "already there, and nobody tells what it is");
                                return Placed::Ended;
                            }
                            _ => None,
                        }
                    }
                    (None, _) => None,
                };
                return match theirs {
                    Some(theirs) if !self.recognize(row, ours, std::slice::from_ref(&theirs), told) => {
                        Placed::Ended
                    }
                    Some(theirs) => Placed::At(place.or_else(|| place_of(&theirs))),
                    None => {
                        told.unverified |= !row::is_shared(ours);
                        told.receipts.push(row::receipt(
                            ours,
                            place.clone(),
                            answer.etag.clone(),
                            said(accepted),
                        ));
                        Placed::At(place)
                    }
                };
            }
            Accepted::Unverified | Accepted::DuplicatesAtRecord | Accepted::Duplicate => {
                match self.seek(ours).await {
                    Sought::There(theirs) => {
                        if !self.recognize(row, ours, &theirs, told) {
                            return Placed::Ended;
                        }
                        return Placed::At(theirs.first().and_then(place_of));
                    }
                    Sought::Closed => {
                        self.later(row, "accepted without a place, and nobody answers");
                        return Placed::Ended;
                    }
                    Sought::Nowhere | Sought::Unknown => {}
                }
            }
            Accepted::Written | Accepted::DeletedAtRecord => {}
        }
        if accepted == Accepted::DuplicatesAtRecord && row::is_shared(ours) {
            // Nobody can refer to a device that nobody can name.
            self.later(row, "the record system holds the device more than once, and does not say where");
            return Placed::Ended;
        }
        told.unverified |= accepted == Accepted::Unverified;
        told.raised.extend(accepted.raised().map(str::to_owned));
        let verdict = format!("{} {}", answer.status, said(accepted));
        told.receipts.push(row::receipt(ours, place.clone(), answer.etag.clone(), verdict));
        Placed::At(place.take())
    }

    /// Notes what is there already. `false`: it is somebody else's, and the row is parked.
    fn recognize(&mut self, row: &Row, ours: &Resource, theirs: &[Value], told: &mut Told) -> bool {
        for theirs in theirs {
            told.receipts.push(row::receipt(ours, place_of(theirs), row::version(theirs), "already there"));
            if row::is_shared(ours) {
                continue;
            }
            match difference(ours, theirs) {
                Ok(raised) => told.raised.extend(raised),
                Err(other) => {
                    self.park(row, other, PointsAt::Record);
                    return false;
                }
            }
        }
        if theirs.len() > 1 && !row::is_shared(ours) {
            told.raised.extend(Accepted::DuplicatesAtRecord.raised().map(str::to_owned));
        }
        true
    }
}

const REPEATED: &str =
    "its answer was lost and it cannot be read back here, so it was sent again: it may be there twice";

fn asked(rung: Rung) -> Asked {
    Asked::Create { conditional: !rung.is_plain() }
}

/// 412: the condition was understood, and is met more than once.
fn is_about_the_condition(receipt: &Receipt) -> bool {
    matches!(receipt, Receipt::Answer(Answer { status: 412, .. }))
}

/// A failure that the record itself said nothing of.
fn is_hearsay(receipt: &Receipt) -> bool {
    match receipt {
        Receipt::Answer(answer) => answer.status >= 500 && matches!(answer.body, Body::Empty | Body::NotFhir),
        Receipt::Transport(_) => true,
    }
}

fn place_of(resource: &Value) -> Option<String> {
    Some(format!("{}/{}", resource["resourceType"].as_str()?, resource["id"].as_str()?))
}
