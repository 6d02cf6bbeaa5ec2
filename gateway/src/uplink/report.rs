//! The hub's own state, told to a record system: when something changes that somebody has to see to, and at least once in so
//! many hours, so that whoever watches there notices a hub that is silent (CLINICAL 28).
//!
//! It does not lie in the outbox. A reading is a fact, and each is written once; a state that waited in a queue for three days
//! is not so any more. It is one Observation, written anew: what could not be told is told as it is then, and how long nothing
//! came is told with it.

use super::fhir::Fhir;
use super::ladder::{Call, Method, Way, has_identifier};
use crate::failpoint::hurry;
use crate::store::{Desk, DestinationNo, Gone, Store, StoreError};
use hearth_core::delivery::{Accepted, Answer, Asked, Cure, Found, Receipt, Scope, Verdict, found, judge};
use hearth_core::map::fhir::{About, Finding, Report, Rung, Told, Written, identifier_query, if_none_exist};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Asks the store and the radio for what concerns a destination. Nothing: it is not known when that is.
pub type Look = Arc<dyn Fn(&mut Store, DestinationNo) -> Result<Option<Report>, StoreError> + Send + Sync>;

/// How often somebody looks whether anything changed.
const LOOKS: Duration = Duration::from_secs(15 * 60);

/// What one destination was told.
pub(super) struct Reporter {
    look: Look,
    every: Duration,
    next: Instant,
    /// What somebody had to see to then.
    told: Option<(Vec<Finding>, Instant)>,
    kept: Kept,
    /// Why it does not arrive, and since when.
    untold: Option<(Timestamp, String)>,
}

/// What came of a telling.
pub(super) enum Telling {
    /// It was not time, or did not arrive.
    Nothing,
    Told,
    /// The record system asks to be left alone.
    Busy(Way),
}

/// What is known of the report at the record system.
#[derive(Debug, Default)]
struct Kept {
    /// `Observation/…`, where it is not named by us.
    place: Option<String>,
    /// When it last said how things are.
    last: Option<Timestamp>,
    /// For how long nothing came, the last time that this was too long.
    absent: Option<(Timestamp, Timestamp)>,
}

/// Why a report did not arrive.
enum Untold {
    /// No answer, or none that means anything: later. Why, in words of ours: the record's may repeat what it was sent, and
    /// this is logged.
    Later(String),
    /// Left alone for so long.
    After(Duration, String),
    /// The record system does not take it.
    Refused(u16),
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter")
            .field("every", &self.every)
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

impl Reporter {
    pub(super) fn new(look: Look, every: Duration) -> Reporter {
        Reporter { look, every, next: Instant::now(), told: None, kept: Kept::default(), untold: None }
    }

    /// When somebody should look again.
    pub(super) fn due(&self) -> Instant {
        self.next
    }

    /// When the record system was last told.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.kept.last
    }

    /// For whoever configures the hub.
    pub(super) fn remark(&self) -> Option<String> {
        let (since, why) = self.untold.as_ref()?;
        Some(format!("it is not told how this hub fares since {since:.0}: {why}"))
    }

    /// Tells how things are, if it is time and anything is to be told.
    pub(super) async fn tell(
        &mut self,
        fhir: &mut Fhir,
        desk: &Desk,
        destination: DestinationNo,
    ) -> Result<Telling, Gone> {
        if Instant::now() < self.next {
            return Ok(Telling::Nothing);
        }
        let looks = LOOKS / hurry().waits;
        self.next = Instant::now() + looks;
        let look = Arc::clone(&self.look);
        let report = match desk.ask(move |store| look(store, destination)).await? {
            Ok(Some(report)) => report,
            Ok(None) => return Ok(Telling::Nothing),
            Err(error) => {
                tracing::error!("how things are could not be read: {error}");
                return Ok(Telling::Nothing);
            }
        };
        let urgent: Vec<Finding> = report.urgent().cloned().collect();
        // At the next look it would be too late.
        let is_due = |at: &Instant| at.elapsed() + looks >= self.every;
        if self.told.as_ref().is_some_and(|(told, at)| *told == urgent && !is_due(at)) {
            return Ok(Telling::Nothing);
        }
        let at = report.at;
        let untold = match self.kept.tell(fhir, report, self.every).await {
            Ok(()) => {
                self.told = Some((urgent, Instant::now()));
                self.untold = None;
                return Ok(Telling::Told);
            }
            Err(untold) => untold,
        };
        let (why, telling) = match untold {
            Untold::Later(why) => {
                fhir.rest();
                (why, Telling::Nothing)
            }
            Untold::After(after, why) => {
                self.next = self.next.max(Instant::now() + after);
                (why.clone(), Telling::Busy(fhir.busy(after, why)))
            }
            // Asked again when it is due, or when there is news: somebody may have seen to it.
            Untold::Refused(status) => {
                self.told = Some((urgent, Instant::now()));
                let why = format!(
                    "HTTP {status}: have it take Observations about Devices, and their updates, or take `report-hours` out of \
                     its configuration"
                );
                (why, Telling::Nothing)
            }
        };
        let since = self.untold.as_ref().map_or(at, |(since, _)| *since);
        self.untold = Some((since, why));
        Ok(telling)
    }
}

impl Kept {
    async fn tell(&mut self, fhir: &mut Fhir, mut report: Report, every: Duration) -> Result<(), Untold> {
        let rung = match fhir.ask_ability().await {
            Ok(ability) => ability.rung,
            Err(receipt) => return Err(untold(judge(Asked::Read, &receipt), &receipt)),
        };
        let written = report.written(rung);
        match rung {
            Rung::UpdateAsCreate => {
                let place = format!("Observation/{}", written.id);
                if self.last.is_none() {
                    let there = read(fhir, place.clone()).await?;
                    self.last = there.as_ref().and_then(said_at);
                }
                self.place = Some(place);
            }
            Rung::ConditionalCreate if self.place.is_none() => {
                let (system, value) = &written.identifier;
                let call = Call {
                    if_none_exist: Some(if_none_exist(system, value)),
                    ..post(report.json(rung, None))
                };
                let there = accepted(fhir, call, Asked::Create { conditional: true }).await?;
                // Several are there, and nobody says which.
                let place = there.place().ok_or(Untold::Refused(there.status))?;
                if there.status == 201 {
                    (self.place, self.last) = (Some(place), Some(report.at));
                    return Ok(());
                }
                // Nothing is sent without a condition here.
                let gone = || Untold::Later("it is there, and cannot be read".to_owned());
                let found = read(fhir, place).await?.ok_or_else(gone)?;
                self.found(&found, &written).map_err(|()| Untold::Refused(there.status))?;
            }
            Rung::SearchThenCreate if self.place.is_none() => {
                let query = format!("Observation?{}", identifier_query(&[&written.identifier]));
                let page = read(fhir, query).await?.filter(|page| page["type"] == "searchset");
                let page = page.ok_or_else(|| Untold::Later("its search is not answered".to_owned()))?;
                let all = page["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"]);
                let mut all = all.filter(|there| there["resourceType"] != "OperationOutcome").peekable();
                let strangers = all.peek().is_some();
                match all.find(|there| has_identifier(there, &written.identifier)) {
                    Some(ours) => self.found(ours, &written).map_err(|()| Untold::Refused(200))?,
                    None if strangers => return Err(Untold::Refused(200)),
                    None => {}
                }
            }
            Rung::ConditionalCreate | Rung::SearchThenCreate | Rung::PlainCreate => {}
        }
        self.tells_absence(&mut report, every);
        let at = report.at;
        match self.place.as_ref().filter(|_| rung != Rung::PlainCreate) {
            Some(place) => {
                let id = place.rsplit('/').next();
                let call = Call { method: Method::Put, ..to(place.clone(), report.json(rung, id)) };
                let put = accepted(fhir, call, Asked::Put).await;
                if put.is_err() && rung != Rung::UpdateAsCreate {
                    // Somebody may have taken it away: looked for anew, next time.
                    self.place = None;
                }
                put?;
            }
            None => {
                let asked = Asked::Create { conditional: false };
                self.place = accepted(fhir, post(report.json(rung, None)), asked).await?.place();
            }
        }
        self.last = Some(at);
        Ok(())
    }

    /// What was found is written over, so that it must be ours: a record that ignores the question finds anything.
    fn found(&mut self, there: &Value, written: &Written) -> Result<(), ()> {
        if there["resourceType"] != "Observation" || !has_identifier(there, &written.identifier) {
            return Err(());
        }
        self.place = there["id"].as_str().map(|id| format!("Observation/{id}"));
        self.last = said_at(there);
        Ok(())
    }

    /// Where nothing came for longer than was promised, that is told from now on.
    fn tells_absence(&mut self, report: &mut Report, every: Duration) {
        let promised = SignedDuration::try_from(every + every / 2).unwrap_or(SignedDuration::MAX);
        if let Some(last) = self.last.filter(|last| report.at.duration_since(*last) > promised) {
            self.absent = Some((last, report.at));
        }
        report.findings.extend(self.absent.map(|(from, until)| {
            Finding {
                about: About::Absent,
                device: None,
                said: "No report came from this hub: it did not run, had no way here, or was not asked to"
                    .to_owned(),
                told: Told::Between(from, until),
            }
        }));
    }
}

/// When a report that is there said how things are.
fn said_at(resource: &Value) -> Option<Timestamp> {
    resource["effectiveDateTime"].as_str()?.parse().ok()
}

fn to(path: String, body: String) -> Call {
    Call { method: Method::Post, path, if_match: None, if_none_exist: None, body }
}

fn post(body: String) -> Call {
    to("Observation".to_owned(), body)
}

/// What is there.
async fn read(fhir: &mut Fhir, path: String) -> Result<Option<Value>, Untold> {
    let receipt = fhir.ask(Call { method: Method::Get, ..to(path, String::new()) }).await;
    match found(&receipt) {
        Found::Present(resource) => Ok(Some(resource)),
        Found::Absent | Found::Gone => Ok(None),
        Found::Refused(verdict) => Err(untold(verdict, &receipt)),
    }
}

/// An answer that says that it is there now.
async fn accepted(fhir: &mut Fhir, call: Call, asked: Asked) -> Result<Answer, Untold> {
    use Accepted::{AlreadyThere, Unverified, Written};
    let receipt = fhir.ask(call).await;
    match (judge(asked, &receipt), receipt) {
        (Verdict::Accept(Written | AlreadyThere | Unverified), Receipt::Answer(answer)) => Ok(answer),
        (verdict, receipt) => Err(untold(verdict, &receipt)),
    }
}

/// What is in between, and what may pass, is for later; only the record's own no to this is a no.
fn untold(verdict: Verdict, receipt: &Receipt) -> Untold {
    match (verdict, receipt) {
        (Verdict::Retry { after: Some(after), scope: Scope::Destination, .. }, Receipt::Answer(answer)) => {
            Untold::After(after, format!("HTTP {}", answer.status))
        }
        (
            Verdict::Hold(Cure::Permission)
            | Verdict::Identity
            | Verdict::Split
            | Verdict::Park(_)
            | Verdict::Accept(_),
            Receipt::Answer(answer),
        ) => Untold::Refused(answer.status),
        (_, Receipt::Answer(answer)) => Untold::Later(format!("HTTP {}", answer.status)),
        (_, Receipt::Transport(_)) => Untold::Later("it does not answer".to_owned()),
    }
}
