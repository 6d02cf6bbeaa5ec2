//! Readings over the ladder into the record.

use super::readings::{head, mapped, of, pressure, weight, weights};
use super::rig::{
    Notebook, RUNGS, assert_once, behaviour, carry, destination, fhir, in_doubt, requests, served, versions,
};
use crate::demo::record::{Behaviour, Canned, Fault};
use crate::store::{Consignment, OutboxNo, Settlement};
use crate::uplink::RungChoice::{Auto, ConditionalCreate, UpdateAsCreate};
use crate::uplink::fhir::Fhir;
use crate::uplink::ladder::Way;
use hearth_core::delivery::Cure;
use hearth_core::identity::{Labels, Who};
use hearth_core::map::fhir::{Kind, Rung};
use serde_json::{Value, json};

#[tokio::test]
async fn each_rung_delivers_singly_and_in_bundles() {
    for rung in RUNGS {
        for bundle in [1, 100] {
            let served = served(behaviour(rung)).await;
            let mut fhir = fhir(&served, rung, bundle);
            let work = [weight(1), pressure(2), weight(3)];
            let (notebook, way) = carry(&mut fhir, &work).await;
            assert_eq!(way, Way::Open, "{rung:?} {bundle}");
            for row in 1..=3 {
                assert_eq!(
                    notebook.end(row),
                    "delivered",
                    "{rung:?} {bundle} row {row}: {}",
                    notebook.said(row)
                );
            }
            assert_eq!(notebook.starts.len(), 3);
            assert_once(&served, &work);
            let bundles = served.record.log().iter().any(|logged| logged.seen.path.is_empty());
            assert_eq!(bundles, bundle > 1, "{rung:?} {bundle}");
        }
    }
}

/// Receipts name every resource of the reading, the measurement with its place, its version and its digest.
#[tokio::test]
async fn a_receipt_for_each_resource() {
    for rung in RUNGS {
        let places = rung == UpdateAsCreate;
        let served = served(behaviour(rung)).await;
        let work = [pressure(1)];
        let (notebook, _) = carry(&mut fhir(&served, rung, 100), &work).await;
        let Some((_, Settlement::Delivered { receipts, .. })) = notebook.ends.first() else { panic!() };
        let measurement = receipts.iter().find(|receipt| receipt.role == "measurement").unwrap();
        let place = measurement.location.clone().unwrap();
        let (kind, id) = place.split_once('/').unwrap();
        assert_eq!(kind, "Observation");
        assert_eq!(id == head(&work[0]), places, "{rung:?}");
        assert_eq!(versions(&served, id).len(), 1, "{rung:?}");
        assert_eq!(measurement.etag.as_deref(), Some("W/\"1\""));
        assert!(receipts.iter().any(|receipt| receipt.role == "pulse"), "{rung:?}");
        let digests: std::collections::BTreeSet<_> = receipts.iter().map(|receipt| receipt.digest).collect();
        assert_eq!(digests.len(), receipts.len(), "each of its own octets");
    }
}

/// The heart of it: an answer is lost after the record did what it was asked.
#[tokio::test]
async fn a_lost_answer_makes_no_duplicate() {
    for rung in RUNGS {
        for bundle in [1, 100] {
            for half in [false, true] {
                let served = served(behaviour(rung)).await;
                let mut fhir = fhir(&served, rung, bundle);
                fhir.impatient();
                let work = if bundle == 1 { vec![pressure(1)] } else { vec![pressure(1), weight(2)] };
                let mut done = false;
                served.record.script(move |seen| {
                    match (seen.writes() && !std::mem::replace(&mut done, seen.writes()), half) {
                        (false, _) => Fault::Pass,
                        (true, false) => Fault::CommitThenCut,
                        (true, true) => Fault::HalfAnswer,
                    }
                });
                let (notebook, way) = carry(&mut fhir, &work).await;
                let context = format!("{rung:?} {bundle} {half}");
                assert!(matches!(way, Way::Busy { .. }), "{context}");
                assert_eq!(served.record.committed_unanswered(), 1, "{context}");

                let again = in_doubt(&work, &notebook);
                let (notebook, way) = carry(&mut fhir, &again).await;
                assert_eq!(way, Way::Open, "{context}");
                for consignment in &work {
                    assert_eq!(
                        notebook.end(consignment.row.0),
                        "delivered",
                        "{context}: {}",
                        notebook.said(consignment.row.0)
                    );
                }
                assert_once(&served, &work);
                // And no second version either, but for what a condition cannot help.
                for (place, versions) in served.record.all("Observation") {
                    assert_eq!(versions.len(), 1, "{context}: {place:?}");
                }
            }
        }
    }
}

/// CLINICAL 27: a clinician's word stands. Nothing is written, and somebody is told.
#[tokio::test]
async fn clinical_27_what_a_clinician_changed_is_not_overwritten() {
    for bundle in [1, 100] {
        for attempted in [false, true] {
            let served = served(Behaviour::default()).await;
            let mut fhir = fhir(&served, UpdateAsCreate, bundle);
            let mut work = vec![pressure(1), weight(2)];
            carry(&mut fhir, &work).await;
            let id = head(&work[0]);
            let mut changed = versions(&served, &id)[0].clone().unwrap();
            changed["status"] = json!("entered-in-error");
            served.record.write(changed);
            let before = served.record.all("Observation");
            let asked = served.record.log().len();

            // Another hub, with an empty ledger; or this one, unsure.
            for consignment in &mut work {
                consignment.attempts = u32::from(attempted);
            }
            let (notebook, way) = carry(&mut super::rig::fhir(&served, UpdateAsCreate, bundle), &work).await;
            assert_eq!(way, Way::Open);
            assert_eq!(notebook.end(1), "delivered, raised");
            let kept = "the record system has its own status of this reading, and keeps it";
            assert_eq!(notebook.said(1), kept);
            assert_eq!(notebook.end(2), "delivered");
            assert_eq!(served.record.all("Observation"), before, "its history is unchanged");
            assert!(served.record.log()[asked..].iter().all(|logged| !logged.seen.writes()));
            assert!(notebook.starts.is_empty());
        }
    }
}

/// A hub that wrote the measurement and is gone: another one that has the same reading writes what is missing.
#[tokio::test]
async fn what_another_hub_began_is_finished() {
    for bundle in [1, 100] {
        let served = served(Behaviour::default()).await;
        let work = [pressure(1), weight(2)];
        for consignment in &work {
            let parts = mapped(consignment, Rung::UpdateAsCreate);
            let began = parts.iter().filter(|part| part.role.text() == "measurement");
            for part in began {
                served.record.write(serde_json::from_str(&part.json).unwrap());
            }
        }
        let (notebook, _) = carry(&mut fhir(&served, UpdateAsCreate, bundle), &work).await;
        assert_eq!((notebook.end(1), notebook.end(2)), ("delivered".into(), "delivered".into()));
        assert_once(&served, &work);
        for part in work.iter().flat_map(|consignment| mapped(consignment, Rung::UpdateAsCreate)) {
            assert_eq!(served.record.history(part.kind, &part.id).len(), 1, "{bundle}: {:?}", part.role);
        }
        // Whole: nothing is written, and what a clinician changed of a companion is told, too (CLINICAL 27).
        let pulse = mapped(&work[0], Rung::UpdateAsCreate);
        let pulse = pulse.iter().find(|part| part.role.text() == "pulse").unwrap();
        let mut changed = versions(&served, &pulse.id)[0].clone().unwrap();
        changed["status"] = json!("entered-in-error");
        served.record.write(changed);
        let (notebook, _) = carry(&mut fhir(&served, UpdateAsCreate, bundle), &work).await;
        assert_eq!((notebook.end(1), notebook.end(2)), ("delivered, raised".into(), "delivered".into()));
        assert!(notebook.starts.is_empty());
    }
}

#[tokio::test]
async fn what_somebody_deleted_is_not_brought_back() {
    let served = served(Behaviour::default()).await;
    let work = [weight(1)];
    carry(&mut fhir(&served, UpdateAsCreate, 100), &work).await;
    served.record.delete("Observation", &head(&work[0]));
    let (notebook, _) = carry(&mut fhir(&served, UpdateAsCreate, 100), &work).await;
    assert_eq!(notebook.end(1), "delivered, raised");
    assert!(notebook.said(1).contains("it stays deleted"), "{}", notebook.said(1));
    assert_eq!(versions(&served, &head(&work[0])).len(), 2, "written, deleted");
}

#[tokio::test]
async fn what_is_there_under_another_person_is_parked() {
    for bundle in [1, 100] {
        let served = served(Behaviour::default()).await;
        carry(&mut fhir(&served, UpdateAsCreate, bundle), &[of(weight(1), "ben")]).await;
        let (notebook, _) = carry(&mut fhir(&served, UpdateAsCreate, bundle), &[weight(1), weight(2)]).await;
        assert_eq!((notebook.end(1).as_str(), notebook.end(2).as_str()), ("parked: Record", "delivered"));
        assert!(notebook.said(1).contains("under another person"), "{}", notebook.said(1));
        assert_eq!(versions(&served, &head(&weight(1))).len(), 1);
    }
}

/// CLINICAL 26: on the second rung a 200 is looked at.
#[tokio::test]
async fn a_condition_that_finds_something_else_is_no_success() {
    for bundle in [1, 100] {
        let served = served(behaviour(ConditionalCreate)).await;
        carry(&mut fhir(&served, ConditionalCreate, bundle), &[of(weight(1), "ben"), weight(2)]).await;
        let (place, versions) = served
            .record
            .all("Observation")
            .into_iter()
            .find(|(_, versions)| {
                versions[0].resource.as_ref().unwrap().to_string().contains(&head(&weight(2)))
            })
            .unwrap();
        let mut changed = versions[0].resource.clone().unwrap();
        changed["status"] = json!("amended");
        served.record.write(changed);
        let (notebook, _) =
            carry(&mut fhir(&served, ConditionalCreate, bundle), &[weight(1), weight(2), weight(3)]).await;
        assert_eq!(notebook.end(1), "parked: Record", "{bundle}");
        assert_eq!(notebook.end(2), "delivered, raised", "{bundle}");
        assert_eq!(notebook.end(3), "delivered", "{bundle}");
        assert_eq!(served.record.history(&place.0, &place.1).len(), 2, "written, amended");
    }
}

/// Nor where the record is too busy to say what it found; it is asked later. Of devices it is never asked.
#[tokio::test]
async fn what_a_condition_found_waits_until_it_was_looked_at() {
    let served = served(behaviour(ConditionalCreate)).await;
    let work = [weight(1)];
    carry(&mut fhir(&served, ConditionalCreate, 100), &work).await;
    // As HAPI answers: where it is, not what.
    let places_alone = || {
        Fault::Rewrite(Box::new(|answer| {
            let entries = answer["entry"].as_array_mut().into_iter().flatten();
            entries.filter_map(Value::as_object_mut).for_each(|entry| _ = entry.remove("resource"));
        }))
    };
    served.record.script(move |seen| match seen.method.as_str() {
        "POST" => places_alone(),
        _ => Fault::Answer(Canned::outcome(429, "throttled", "slowly").header("retry-after", "2")),
    });
    let (notebook, way) = carry(&mut fhir(&served, ConditionalCreate, 100), &work).await;
    assert_eq!(notebook.end(1), "retry, in doubt");
    assert!(matches!(way, Way::Busy { .. }), "{way:?}");
    served.record.script(move |seen| if seen.method == "POST" { places_alone() } else { Fault::Pass });
    let again = in_doubt(&work, &notebook);
    let (notebook, _) = carry(&mut fhir(&served, ConditionalCreate, 100), &again).await;
    assert_eq!(notebook.end(1), "delivered");
    assert_once(&served, &work);
    assert!(served.record.log().iter().all(|logged| !logged.seen.path.starts_with("Device/")));
}

/// The measurement is there, a companion is not: only that is written.
#[tokio::test]
async fn what_was_written_by_half_is_completed() {
    let served = served(Behaviour::default()).await;
    let mut fhir = fhir(&served, UpdateAsCreate, 1);
    let mut puts = 0;
    served.record.script(move |seen| {
        puts += usize::from(seen.writes());
        // Meter, hub and measurement are written; the next answer never comes.
        if seen.writes() && puts == 4 { Fault::CutBefore } else { Fault::Pass }
    });
    let work = [pressure(1)];
    let (notebook, _) = carry(&mut fhir, &work).await;
    assert_eq!(versions(&served, &head(&work[0])).len(), 1);
    let (notebook, _) = carry(&mut fhir, &in_doubt(&work, &notebook)).await;
    assert_eq!(notebook.end(1), "delivered");
    assert_once(&served, &work);
    assert!(served.record.all("Observation").iter().all(|(_, versions)| versions.len() == 1));
    assert!(served.record.all("Device").iter().all(|(_, versions)| versions.len() == 1));
}

/// What may not leave does not: labels (CLINICAL 29), a test (CLINICAL 24), a row retracted a moment ago.
#[tokio::test]
async fn clinical_29_24_what_may_not_leave_does_not() {
    let labelled = |n: u8, labels: &[&str]| {
        let labels = Labels(labels.iter().map(|label| (*label).to_owned()).collect());
        let mut consignment = weight(n);
        consignment.parcel.reading.labels = labels.clone();
        Consignment { labels, ..consignment }
    };
    let served = served(Behaviour::default()).await;
    let mut destination = destination(&served, UpdateAsCreate, 100);
    destination.cleared = ["ETH".to_owned()].into();
    let mut fhir = Fhir::new(destination).unwrap();
    let mut test = weight(4);
    test.parcel.reading.who = Who::Test;
    let work = [weight(1), labelled(2, &["ETH"]), labelled(3, &["ETH", "42CFRPart2"]), test, weight(5)];
    let mut notebook = Notebook { forbidden: [OutboxNo(5)].into(), ..Notebook::default() };
    let Ok(way) = fhir.carry(&work, &mut notebook).await;
    assert_eq!(way, Way::Open);
    let ends: Vec<String> = (1..=5).map(|row| notebook.end(row)).collect();
    assert_eq!(ends, ["delivered", "delivered", "parked: SetUp", "withdrawn", "-"]);
    assert_once(&served, &[weight(1), labelled(2, &["ETH"])]);
    // No bundle holds two label sets.
    for logged in served.record.log().iter().filter(|logged| logged.seen.writes()) {
        let bundle: Value = serde_json::from_slice(&logged.octets).unwrap();
        let entries = bundle["entry"].as_array().unwrap();
        let sets: std::collections::BTreeSet<String> =
            entries.iter().map(|entry| entry["resource"]["meta"]["security"].to_string()).collect();
        assert_eq!(sets.len(), 1, "{sets:?}");
    }
}

/// The rung that the record's own statement names.
#[tokio::test]
async fn the_record_says_what_it_can() {
    let rows = [
        (Behaviour::default(), Rung::UpdateAsCreate, Some(Kind::Transaction)),
        (
            Behaviour { update_create: false, conditional: true, ..Behaviour::default() },
            Rung::ConditionalCreate,
            Some(Kind::Transaction),
        ),
        (Behaviour { update_create: false, bundles: false, ..Behaviour::default() }, Rung::PlainCreate, None),
        (Behaviour { capability: false, ..Behaviour::default() }, Rung::PlainCreate, Some(Kind::Transaction)),
    ];
    for (behaviour, rung, bundles) in rows {
        let served = served(behaviour).await;
        let mut fhir = fhir(&served, Auto, 100);
        let work = weights(1..=2);
        let (notebook, way) = carry(&mut fhir, &work).await;
        assert_eq!((way, notebook.end(2).as_str()), (Way::Open, "delivered"), "{rung:?}");
        let ability = fhir.ability().unwrap();
        assert_eq!((ability.rung, ability.bundles), (rung, bundles));
        assert_once(&served, &work);
        assert_eq!(requests(&served).iter().filter(|request| *request == "GET metadata").count(), 1);
    }
    let refused = served(Behaviour::default()).await;
    refused.record.script(|_| Fault::Answer(Canned::page(400, "no certificate")));
    let (notebook, way) = carry(&mut fhir(&refused, Auto, 100), &weights(1..=2)).await;
    assert!(matches!(way, Way::Held { cure: Cure::Credentials, .. }), "{way:?}");
    assert!(notebook.ends.is_empty());
}
