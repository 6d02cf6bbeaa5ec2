//! Taking readings back (CLINICAL 26).

use super::readings::{head, of, pressure, retraction, weight};
use super::rig::{RUNGS, Served, behaviour, carry, fhir, in_doubt, served};
use crate::demo::record::{Behaviour, Canned, Fault};
use crate::store::{Consignment, Settlement};
use crate::uplink::RungChoice::{self, PlainCreate, UpdateAsCreate};
use crate::uplink::ladder::Way;
use serde_json::{Value, json};

/// Written by `rung`, and the row that takes it back.
async fn written(served: &Served, rung: RungChoice, work: Consignment) -> Consignment {
    let (notebook, way) = carry(&mut fhir(served, rung, 100), std::slice::from_ref(&work)).await;
    assert_eq!(way, Way::Open);
    let Some((_, Settlement::Delivered { receipts, .. })) = notebook.ends.first() else { panic!() };
    let measurement = receipts.iter().find(|receipt| receipt.role == "measurement").unwrap();
    Consignment { location: measurement.location.clone(), etag: measurement.etag.clone(), ..retraction(work) }
}

/// Statuses of all Observations with our identifier, newest version.
fn statuses(served: &Served) -> Vec<String> {
    let all = served.record.all("Observation").into_iter();
    let newest = all.filter_map(|(_, versions)| versions.last()?.resource.clone());
    newest
        .filter(|resource| resource["identifier"].to_string().contains("urn:hearth:reading"))
        .map(|resource| resource["status"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn clinical_26_a_retraction_marks_every_observation_and_changes_nothing_else() {
    for rung in RUNGS {
        let served = served(behaviour(rung)).await;
        let back = written(&served, rung, pressure(1)).await;
        // A clinician has added a note meanwhile: it stays.
        let place = back.location.clone().unwrap();
        let id = place.split_once('/').unwrap().1.to_owned();
        let before = served.record.history("Observation", &id);
        let mut noted = before[0].resource.clone().unwrap();
        noted["note"] = json!([{"text": "seen by a made-up clinician"}]);
        served.record.write(noted.clone());

        let (notebook, way) = carry(&mut fhir(&served, rung, 100), &[back]).await;
        assert_eq!(way, Way::Open);
        assert_eq!(notebook.end(1), "delivered", "{rung:?}: {}", notebook.said(1));
        assert!(statuses(&served).len() >= 2);
        assert!(
            statuses(&served).iter().all(|status| status == "entered-in-error"),
            "{rung:?} {:?}",
            statuses(&served)
        );
        let mut now = served.record.history("Observation", &id).last().unwrap().resource.clone().unwrap();
        assert_eq!(now["status"], "entered-in-error");
        now["status"] = noted["status"].clone();
        now["meta"] = Value::Null;
        noted["meta"] = Value::Null;
        assert_eq!(now, noted, "{rung:?}");
    }
}

#[tokio::test]
async fn a_retraction_is_guarded_by_the_version_that_was_read() {
    for stale in [412, 409] {
        let served = served(Behaviour { stale_if_match: stale, ..Behaviour::default() }).await;
        let back = written(&served, UpdateAsCreate, weight(1)).await;
        // Somebody changes it between our read and our write.
        let record = served.record.clone();
        let id = head(&weight(1));
        let mut changed = false;
        served.record.script(move |seen| {
            if seen.method == "PUT" && !changed {
                changed = true;
                let mut now = record.history("Observation", &id).last().unwrap().resource.clone().unwrap();
                now["note"] = json!([{"text": "in between"}]);
                record.write(now);
            }
            Fault::Pass
        });
        let (notebook, _) = carry(&mut fhir(&served, UpdateAsCreate, 100), &[back]).await;
        assert_eq!(notebook.end(1), "delivered", "{stale}");
        let history = served.record.history("Observation", &head(&weight(1)));
        let now = history.last().unwrap().resource.clone().unwrap();
        assert_eq!(
            (now["status"].as_str(), &now["note"][0]["text"]),
            (Some("entered-in-error"), &json!("in between"))
        );
        assert_eq!(history.len(), 3, "written, changed, taken back");
    }
}

#[tokio::test]
async fn what_is_taken_back_already_is_left_alone() {
    for rung in RUNGS {
        let served = served(behaviour(rung)).await;
        let back = written(&served, rung, weight(1)).await;
        carry(&mut fhir(&served, rung, 100), std::slice::from_ref(&back)).await;
        let before = served.record.all("Observation");
        let (notebook, _) = carry(&mut fhir(&served, rung, 100), &[back]).await;
        assert_eq!(notebook.end(1), "delivered");
        assert!(notebook.starts.is_empty(), "nothing left");
        assert_eq!(served.record.all("Observation"), before);
    }
}

#[tokio::test]
async fn what_is_not_there_cannot_be_taken_back() {
    for rung in RUNGS {
        let empty = served(behaviour(rung)).await;
        let back = retraction(weight(1));
        // Nobody knows whether it ever arrived: it did not.
        let unsure = Consignment { in_doubt: true, ..back.clone() };
        let (notebook, _) = carry(&mut fhir(&empty, rung, 100), &[unsure]).await;
        assert_eq!(notebook.end(1), "withdrawn", "{rung:?}");
        let (notebook, _) = carry(&mut fhir(&empty, rung, 100), &[back]).await;
        assert_eq!(notebook.end(1), "delivered, raised", "{rung:?}");
        assert!(empty.record.all("Observation").is_empty());

        let served = served(behaviour(rung)).await;
        let back = written(&served, rung, weight(1)).await;
        let id = back.location.as_ref().unwrap().split_once('/').unwrap().1.to_owned();
        served.record.delete("Observation", &id);
        let (notebook, _) = carry(&mut fhir(&served, rung, 100), &[back]).await;
        assert!(notebook.end(1).starts_with("delivered"), "{rung:?}: {}", notebook.said(1));
        assert_eq!(served.record.history("Observation", &id).len(), 2, "stays deleted");
    }
}

#[tokio::test]
async fn somebody_elses_is_not_touched() {
    for rung in RUNGS {
        let served = served(behaviour(rung)).await;
        let theirs = written(&served, rung, of(weight(1), "ben")).await;
        let before = served.record.all("Observation");
        let back = Consignment { location: theirs.location, ..retraction(weight(1)) };
        let (notebook, _) = carry(&mut fhir(&served, rung, 100), &[back]).await;
        assert_eq!(notebook.end(1), "parked: Record", "{rung:?}");
        assert_eq!(served.record.all("Observation"), before);
    }
}

/// Where nothing can be searched, the remembered place serves; without one, a person must.
#[tokio::test]
async fn a_record_that_answers_no_search() {
    for remembered in [true, false] {
        let served = served(behaviour(PlainCreate)).await;
        let mut back = written(&served, PlainCreate, weight(1)).await;
        if !remembered {
            back.location = None;
        }
        served.record.script(|seen| match seen.path.contains('?') {
            true => Fault::Answer(Canned::outcome(403, "forbidden", "no search")),
            false => Fault::Pass,
        });
        let (notebook, _) = carry(&mut fhir(&served, PlainCreate, 100), &[back]).await;
        if remembered {
            assert_eq!(notebook.end(1), "delivered");
            assert_eq!(statuses(&served), ["entered-in-error"]);
        } else {
            assert_eq!(notebook.end(1), "parked: Record");
            assert!(notebook.said(1).contains("by hand"), "{}", notebook.said(1));
        }
    }
}

/// A reading that is there twice is taken back twice.
#[tokio::test]
async fn duplicates_are_all_taken_back() {
    let served = served(behaviour(PlainCreate)).await;
    let back = written(&served, PlainCreate, weight(1)).await;
    written(&served, PlainCreate, weight(1)).await;
    assert_eq!(statuses(&served).len(), 2);
    let (notebook, _) = carry(&mut fhir(&served, PlainCreate, 100), &[back]).await;
    assert_eq!(notebook.end(1), "delivered");
    assert_eq!(statuses(&served), ["entered-in-error"; 2]);
}

#[tokio::test]
async fn a_lost_answer_to_a_retraction_is_asked_again() {
    for rung in RUNGS {
        let served = served(behaviour(rung)).await;
        let back = written(&served, rung, weight(1)).await;
        let mut cut = false;
        served.record.script(move |seen| {
            if seen.method != "PUT" || cut {
                return Fault::Pass;
            }
            cut = true;
            Fault::CommitThenCut
        });
        let mut fhir = fhir(&served, rung, 100);
        let (notebook, way) = carry(&mut fhir, std::slice::from_ref(&back)).await;
        assert!(matches!(way, Way::Busy { .. }), "{way:?}");
        let again = in_doubt(&[back], &notebook);
        let (notebook, _) = carry(&mut fhir, &again).await;
        assert_eq!(notebook.end(1), "delivered", "{rung:?}");
        assert_eq!(statuses(&served), ["entered-in-error"]);
    }
}
