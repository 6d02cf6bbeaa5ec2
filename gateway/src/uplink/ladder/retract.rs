//! Taking back (CLINICAL 26): the record's own version, marked `entered-in-error`, guarded by `If-Match`.

use super::climb::{Climb, ROUNDS, call, place};
use super::create::Sought;
use super::row::{self, Row};
use super::{Call, Method};
use crate::uplink::consignment::Receipt as Kept;
use hearth_core::delivery::{Accepted, Asked, Found, PointsAt, Receipt, Verdict, found, judge};
use hearth_core::map::fhir::{Resource, Role, Rung, retraction};

impl Climb {
    /// Every Observation of the reading, wherever it is.
    pub(super) async fn retract(&mut self, row: Row) {
        let (mut receipts, mut raised) = (Vec::new(), Vec::new());
        for ours in row.resources.iter().filter(|resource| resource.kind == "Observation") {
            let head = ours.role == Role::Measurement;
            let Some(places) = self.places(&row, ours).await else { return };
            if places.is_empty() {
                if head {
                    self.park(row.no, LOST, PointsAt::Record);
                    return;
                }
                raised.push(format!("its {} was not found at the record system", ours.role.text()));
            }
            for place in places {
                match self.take_back(&row, ours, &place).await {
                    Some(Taken::Back(receipt)) => receipts.push(receipt),
                    Some(Taken::Absent) if head => raised.push("it was not there to be taken back".into()),
                    Some(Taken::Absent) => {}
                    None => return,
                }
            }
        }
        self.delivered(&row, receipts, &raised, false);
    }

    /// Where it is, more than once perhaps. `None`: nobody answers.
    async fn places(&mut self, row: &Row, ours: &Resource) -> Option<Vec<String>> {
        if row.rung == Rung::UpdateAsCreate {
            return Some(vec![place(ours)]);
        }
        match self.seek(ours).await {
            Sought::There(theirs) => {
                let ids = theirs.iter().filter_map(|theirs| theirs["id"].as_str());
                Some(ids.map(|id| format!("{}/{id}", ours.kind)).collect())
            }
            Sought::Nowhere | Sought::Unknown if ours.role == Role::Measurement => {
                Some(row.location.iter().cloned().collect())
            }
            Sought::Nowhere | Sought::Unknown => Some(vec![]),
            Sought::Closed => None,
        }
    }

    /// `None`: the row is settled, or the carry over.
    async fn take_back(&mut self, row: &Row, ours: &Resource, place: &str) -> Option<Taken> {
        for _ in 0..ROUNDS {
            let read = self.read(place.to_owned()).await;
            let theirs = match found(&read) {
                Found::Present(theirs) => theirs,
                Found::Absent => return Some(Taken::Absent),
                Found::Gone => {
                    let receipt = row::receipt(ours, Some(place.to_owned()), None, "deleted at the record");
                    return Some(Taken::Back(receipt));
                }
                Found::Refused(verdict) => {
                    self.stumble(row, verdict, &read).await;
                    return None;
                }
            };
            let version = match &read {
                Receipt::Answer(answer) => answer.etag.clone().or_else(|| row::version(&theirs)),
                Receipt::Transport(_) => None,
            };
            if theirs["status"] == "entered-in-error" {
                let receipt = row::receipt(ours, Some(place.to_owned()), version, "already entered in error");
                return Some(Taken::Back(receipt));
            }
            let Some(json) = retraction(&theirs, ours) else {
                self.park(row.no, OTHER, PointsAt::Record);
                return None;
            };
            let amend = Call { if_match: version, ..call(Method::Put, place.to_owned(), json) };
            let receipt = self.write(&[row], amend).await;
            match (judge(Asked::Amend, &receipt), &receipt) {
                // What came back is read again where it does not say so.
                (Verdict::Accept(Accepted::Written), Receipt::Answer(answer))
                    if answer.resource().is_none_or(|now| now["status"] == "entered-in-error") =>
                {
                    self.memory.wrote();
                    let verdict = format!("{} entered in error", answer.status);
                    return Some(Taken::Back(row::receipt(
                        ours,
                        Some(place.to_owned()),
                        answer.etag.clone(),
                        verdict,
                    )));
                }
                (Verdict::Accept(_) | Verdict::Conflict, _) => {}
                (verdict, receipt) => {
                    self.stumble(row, verdict, receipt).await;
                    return None;
                }
            }
        }
        self.later(row, "somebody else is changing it at the same time");
        None
    }
}

enum Taken {
    Back(Kept),
    Absent,
}

const LOST: &str = "nobody knows where it is at the record system: mark it as entered in error there, by hand";
const OTHER: &str =
    "what is there is not this reading, or is another person's: mark it as entered in error there, by hand";
