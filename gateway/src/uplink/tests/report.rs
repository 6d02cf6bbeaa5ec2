//! What a hub tells of itself, on every rung.

use super::rig::{RUNGS, Served, destination, served};
use super::run::{Hub, skip};
use crate::demo::record::{Behaviour, Canned, Fault};
use crate::store::Desk;
use crate::uplink::{Destination, Look, RungChoice, State, Uplink, Wake};
use hearth_core::map::fhir::{About, Finding, Report, Told};
use hearth_core::parcel::Hub as Sender;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;

const DAY: Duration = Duration::from_secs(86_400);
const BEGINS: Timestamp = Timestamp::constant(1_773_154_800, 0);

/// How a hub fares, by whoever writes the test.
#[derive(Clone)]
struct Fares {
    now: Arc<Mutex<(Timestamp, Vec<Finding>)>>,
    looks: Arc<AtomicUsize>,
}

impl Fares {
    fn well() -> Fares {
        Fares { now: Arc::new(Mutex::new((BEGINS, vec![]))), looks: Arc::default() }
    }

    fn look(&self) -> Look {
        let Fares { now, looks } = self.clone();
        Arc::new(move |_, _| {
            looks.fetch_add(1, Ordering::SeqCst);
            let (at, findings) = now.lock().unwrap().clone();
            let hub = Sender { system_id: [2, 0, 0, 0xFF, 0xFE, 0, 0, 1], software: "1".into() };
            Ok(Some(Report { hub, at, findings }))
        })
    }

    /// So much later; until somebody has looked.
    async fn passes(&self, time: Duration) {
        let looks = self.looks.load(Ordering::SeqCst);
        self.now.lock().unwrap().0 += SignedDuration::try_from(time).unwrap();
        skip(time).await;
        while self.looks.load(Ordering::SeqCst) == looks {
            tokio::task::yield_now().await;
        }
    }

    fn holds(&self, many: u32) {
        let said = "Measurements wait".to_owned();
        self.now.lock().unwrap().1 =
            vec![Finding { about: About::Held, device: None, said, told: Told::Count(many) }];
    }
}

struct Telling {
    task: AbortHandle,
    state: watch::Receiver<State>,
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn tells(desk: &Desk, fares: &Fares, destination: Destination) -> Telling {
    let (uplink, state) = Uplink::new(Destination { reports: Some(DAY), ..destination }).unwrap();
    let uplink = uplink.telling(fares.look()).run(desk.clone(), Wake::default());
    Telling { task: tokio::spawn(uplink).abort_handle(), state }
}

/// All that was ever told, in its order.
fn told(served: &Served) -> Vec<Value> {
    let all = served.record.all("Observation").into_iter();
    let mut all: Vec<Value> =
        all.flat_map(|(_, versions)| versions).filter_map(|version| version.resource).collect();
    all.sort_by_key(|resource| resource["effectiveDateTime"].to_string());
    all
}

/// So often by now, and the hub knows of the last time.
async fn until_told(served: &Served, hub: &mut Telling, times: usize) -> Value {
    while told(served).len() < times {
        tokio::task::yield_now().await;
    }
    let told = told(served);
    assert_eq!(told.len(), times, "{told:?}");
    let last = told.last().cloned().unwrap();
    let at: Timestamp = last["effectiveDateTime"].as_str().unwrap().parse().unwrap();
    hub.state.wait_for(|state| state.told == Some(at)).await.unwrap();
    last
}

fn component<'a>(resource: &'a Value, code: &str) -> Option<&'a Value> {
    let mut all = resource["component"].as_array()?.iter();
    all.find(|c| c["code"]["coding"][0] == json!({"system": "urn:hearth:report", "code": code}))
}

fn behaviour(rung: RungChoice) -> Behaviour {
    match rung {
        RungChoice::UpdateAsCreate => Behaviour::default(),
        RungChoice::ConditionalCreate => {
            Behaviour { update_create: false, conditional: true, ..Behaviour::default() }
        }
        RungChoice::SearchThenCreate => {
            Behaviour { update_create: false, searched: true, ..Behaviour::default() }
        }
        _ => Behaviour { update_create: false, ..Behaviour::default() },
    }
}

/// CLINICAL 28: at the start, when something changes that somebody has to see to, and once a day; and on one resource, where it is found
/// again.
#[tokio::test]
async fn clinical_28_a_state_is_told_when_it_changes_and_once_a_day() {
    for rung in RUNGS {
        let served = served(behaviour(rung)).await;
        let (hub, fares) = (Hub::new("tells", &["record"]), Fares::well());
        let mut runs = tells(&hub.desk, &fares, destination(&served, rung, 100));
        let first = until_told(&served, &mut runs, 1).await;
        assert_eq!(first["valueCodeableConcept"]["coding"][0]["code"], "well", "{rung:?}");
        assert_eq!(
            (&first["subject"]["reference"], &first["effectiveDateTime"]),
            (&json!("#hub"), &json!("2026-03-10T15:00:00Z"))
        );
        // Nothing changed: it is looked at, and not told.
        fares.passes(Duration::from_secs(16 * 60)).await;
        fares.holds(3);
        fares.passes(Duration::from_secs(16 * 60)).await;
        let second = until_told(&served, &mut runs, 2).await;
        assert_eq!(
            component(&second, "held").map(|c| &c["valueInteger"]),
            Some(&json!(3)),
            "{rung:?}: {second}"
        );
        assert_eq!(second["valueCodeableConcept"]["coding"][0]["code"], "see-to-it");
        fares.passes(DAY).await;
        let third = until_told(&served, &mut runs, 3).await;
        assert!(component(&third, "absent").is_none(), "{rung:?}: {third}");
        // The hub is away for three days.
        drop(runs);
        fares.now.lock().unwrap().0 += SignedDuration::from_hours(72);
        let mut runs = tells(&hub.desk, &fares, destination(&served, rung, 100));
        let back = until_told(&served, &mut runs, 4).await;
        let places = served.record.all("Observation").len();
        match rung {
            RungChoice::PlainCreate => assert_eq!(places, 4, "none is found again, and each is its own"),
            _ => {
                assert_eq!(places, 1, "{rung:?}");
                let absent = &component(&back, "absent").unwrap()["valuePeriod"];
                assert_eq!(absent["start"], third["effectiveDateTime"], "{rung:?}");
                assert_eq!(absent["end"], back["effectiveDateTime"], "{rung:?}");
            }
        }
    }
}

/// What comes first is readings: a record that takes no reports gets them all the same, and somebody is told.
#[tokio::test]
async fn a_record_that_takes_no_reports_gets_its_readings() {
    let served = served(Behaviour::default()).await;
    served.record.script(|seen| match seen.method == "PUT" && seen.path.starts_with("Observation/") {
        true => Fault::Answer(Canned::outcome(422, "business-rule", "subject must be a patient")),
        false => Fault::Pass,
    });
    let (mut hub, fares) = (Hub::new("no-reports", &["record"]), Fares::well());
    let mut runs = tells(&hub.desk, &fares, destination(&served, RungChoice::UpdateAsCreate, 100));
    let state = runs.state.wait_for(|state| !state.remarks.is_empty()).await.unwrap().to_string();
    assert!(
        state.contains("it is not told how this hub fares since") && state.contains("HTTP 422: have it take"),
        "{state}"
    );
    hub.hears().await;
    fares.passes(Duration::from_secs(16 * 60)).await;
    hub.until_all("delivered").await;
}

/// CLINICAL 27: a search that finds anything finds somebody's measurement, and that is not written over.
#[tokio::test]
async fn what_is_not_ours_is_not_written_over() {
    for rung in [RungChoice::SearchThenCreate, RungChoice::ConditionalCreate] {
        let served = served(behaviour(rung)).await;
        let theirs = json!({"resourceType": "Observation", "id": "theirs", "status": "final"});
        served.record.write(theirs.clone());
        let found = match rung {
            RungChoice::SearchThenCreate => {
                json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": theirs}]})
            }
            _ => theirs.clone(),
        };
        let found = Canned { body: found.to_string(), ..Canned::outcome(200, "", "") };
        served.record.script(move |seen| match seen.path.contains("identifier=") || seen.writes() {
            true => Fault::Answer(found.clone()),
            false => Fault::Pass,
        });
        let (hub, fares) = (Hub::new("theirs", &["record"]), Fares::well());
        let mut runs = tells(&hub.desk, &fares, destination(&served, rung, 100));
        runs.state.wait_for(|state| state.told.is_some() || !state.remarks.is_empty()).await.unwrap();
        let puts = served.record.log().into_iter().filter(|logged| logged.seen.method == "PUT").count();
        assert_eq!((puts, served.record.history("Observation", "theirs").len()), (0, 1), "{rung:?}");
    }
}

/// CLINICAL 28: an outage of two days is told once it is over.
#[tokio::test]
async fn clinical_28_an_outage_is_told_when_it_is_over() {
    let served = served(Behaviour::default()).await;
    let (hub, fares) = (Hub::new("away", &["record"]), Fares::well());
    let mut runs = tells(&hub.desk, &fares, destination(&served, RungChoice::UpdateAsCreate, 100));
    let first = until_told(&served, &mut runs, 1).await;
    served.record.outage(true);
    fares.passes(2 * DAY).await;
    served.record.outage(false);
    fares.passes(Duration::from_secs(16 * 60)).await;
    let back = until_told(&served, &mut runs, 2).await;
    assert_eq!(component(&back, "absent").unwrap()["valuePeriod"]["start"], first["effectiveDateTime"]);
}
