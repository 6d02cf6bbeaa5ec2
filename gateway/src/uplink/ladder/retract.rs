//! Taking back (CLINICAL 26): the record's own version, marked `entered-in-error`, guarded by `If-Match`.

use super::climb::{Climb, ROUNDS, call, place};
use super::row::{self, Row};
use super::seek::Sought;
use super::{Call, Method};
use crate::store::Receipt as Kept;
use hearth_core::delivery::{Accepted, Asked, Found, PointsAt, Receipt, Verdict, found, judge};
use hearth_core::map::fhir::{Resource, Role, Rung, retraction};

impl Climb {
    /// Every Observation of the reading, wherever it is.
    pub(super) async fn retract(&mut self, row: Row) {
        let (mut receipts, mut raised) = (Vec::new(), Vec::new());
        for ours in row.resources.iter().filter(|resource| resource.kind == "Observation") {
            let head = ours.role == Role::Measurement;
            let mut taken = Vec::new();
            match self.places(&row, ours).await {
                Places::At(places) => {
                    for place in places {
                        match self.take_back(&row, ours, &place).await {
                            Some(back) => taken.extend(back),
                            None => return,
                        }
                    }
                }
                Places::Nowhere => {}
                Places::Unknown if head => return self.park(&row, LOST, PointsAt::Record),
                Places::Unknown => {
                    raised.push(format!("its {} was not found at the record system", ours.role.text()));
                }
                Places::Closed => return self.interrupted(&row),
            }
            if head && taken.is_empty() {
                // It was never known to have arrived: then there is nothing to take back.
                if row.in_doubt {
                    return self.withdraw(row.no);
                }
                raised.push("it was not there to be taken back".to_owned());
            }
            receipts.extend(taken);
        }
        self.delivered(&row, receipts, &raised, false);
    }

    /// Where it is, more than once perhaps.
    async fn places(&mut self, row: &Row, ours: &Resource) -> Places {
        if row.rung == Rung::UpdateAsCreate {
            return Places::At(vec![place(ours)]);
        }
        let remembered = row.location.clone().filter(|_| ours.role == Role::Measurement);
        match (self.seek(ours).await, remembered) {
            (Sought::There(theirs), _) => {
                let ids = theirs.iter().filter_map(|theirs| theirs["id"].as_str());
                Places::At(ids.map(|id| format!("{}/{id}", ours.kind)).collect())
            }
            (Sought::Closed, _) => Places::Closed,
            (_, Some(place)) => Places::At(vec![place]),
            (Sought::Nowhere, None) => Places::Nowhere,
            (Sought::Unknown, None) => Places::Unknown,
        }
    }

    /// What was taken back; `Some(None)`: it is not there. `None`: the row is settled, or the carry over.
    async fn take_back(&mut self, row: &Row, ours: &Resource, place: &str) -> Option<Option<Kept>> {
        for _ in 0..ROUNDS {
            let read = self.read(place.to_owned()).await;
            let theirs = match found(&read) {
                Found::Present(theirs) => theirs,
                Found::Absent => return Some(None),
                Found::Gone => {
                    let receipt = row::receipt(ours, Some(place.to_owned()), None, "deleted at the record");
                    return Some(Some(receipt));
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
                return Some(Some(receipt));
            }
            let Some(json) = retraction(&theirs, ours) else {
                self.park(row, OTHER, PointsAt::Record);
                return None;
            };
            let amend = Call { if_match: version, ..call(Method::Put, place.to_owned(), json) };
            self.start(&[row]).await?;
            let receipt = self.write(amend).await;
            match (judge(Asked::Amend, &receipt), &receipt) {
                // What came back is read again where it does not say so.
                (Verdict::Accept(Accepted::Written), Receipt::Answer(answer))
                    if answer.resource().is_none_or(|now| now["status"] == "entered-in-error") =>
                {
                    self.memory.wrote(false);
                    let verdict = format!("{} entered in error", answer.status);
                    let place = Some(place.to_owned());
                    return Some(Some(row::receipt(ours, place, answer.etag.clone(), verdict)));
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

enum Places {
    At(Vec<String>),
    Nowhere,
    /// Nobody says.
    Unknown,
    /// The carry is over.
    Closed,
}

const LOST: &str =
    "nobody knows where it is at the record system: mark it as entered in error there, by hand";
const OTHER: &str =
    "what is there is not this reading, or is another person's: mark it as entered in error there, by hand";
