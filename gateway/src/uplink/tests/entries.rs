//! Answers to batches and transactions, entry by entry: refused, reordered, short, in odd words.

use super::readings::{head, weight, weights};
use super::rig::{RUNGS, Served, assert_once, carry, destination, fhir, in_doubt, served};
use crate::demo::record::{Behaviour, Canned, Fault};
use crate::uplink::RungChoice::{Auto, ConditionalCreate, UpdateAsCreate};
use crate::uplink::fhir::Fhir;
use crate::uplink::ladder::Way;
use serde_json::{Value, json};

/// The next answer to something that is written is told otherwise.
fn rewrite_first_write(served: &Served, rewrite: impl FnOnce(&mut Value) + Send + 'static) {
    let mut rewrite = Some(rewrite);
    served.record.script(move |seen| match rewrite.take_if(|_| seen.writes()) {
        Some(rewrite) => Fault::Rewrite(Box::new(rewrite)),
        None => Fault::Pass,
    });
}

fn entries(bundle: &mut Value) -> &mut Vec<Value> {
    bundle["entry"].as_array_mut().unwrap()
}

/// Whatever is wrong with the answer, everything was done: in the end each is delivered, and is there once.
async fn check(name: &str, rewrite: fn(&mut Value)) {
    for rung in RUNGS {
        let served =
            served(Behaviour { conditional: rung == ConditionalCreate, ..Behaviour::default() }).await;
        let mut fhir = fhir(&served, rung, 100);
        rewrite_first_write(&served, rewrite);
        let mut work = weights(1..=4);
        for _ in 0..4 {
            let (notebook, way) = carry(&mut fhir, &work).await;
            assert_eq!(way, Way::Open, "{name} {rung:?}");
            work.retain(|consignment| {
                let end = notebook.end(consignment.row.0);
                assert!(
                    !end.starts_with("parked"),
                    "{name} {rung:?}: {end}, {}",
                    notebook.said(consignment.row.0)
                );
                !end.starts_with("delivered")
            });
            if work.is_empty() {
                break;
            }
            work = in_doubt(&work, &notebook);
        }
        assert!(work.is_empty(), "{name} {rung:?}: {} rows are left", work.len());
        assert_once(&served, &weights(1..=4));
    }
}

#[tokio::test]
async fn odd_answers_to_a_transaction_lose_and_double_nothing() {
    check("reordered", |bundle| entries(bundle).reverse()).await;
    check("short", |bundle| _ = entries(bundle).pop()).await;
    check("the first is missing", |bundle| _ = entries(bundle).remove(0)).await;
    check("empty", |bundle| entries(bundle).clear()).await;
    check("too long", |bundle| entries(bundle).push(json!({"response": {"status": "201"}}))).await;
    check("200 without words", |bundle| {
        entries(bundle).iter_mut().for_each(|entry| entry["response"]["status"] = json!("200"));
    })
    .await;
    check("no status", |bundle| {
        entries(bundle).iter_mut().for_each(|entry| entry["response"]["status"] = Value::Null);
    })
    .await;
    check("no location", |bundle| {
        entries(bundle)
            .iter_mut()
            .for_each(|entry| _ = entry["response"].as_object_mut().unwrap().remove("location"));
    })
    .await;
    check("no response", |bundle| entries(bundle).iter_mut().for_each(|entry| *entry = json!({}))).await;
    check("no entries at all", |bundle| _ = bundle.as_object_mut().unwrap().remove("entry")).await;
    check("another kind of bundle", |bundle| bundle["type"] = json!("searchset")).await;
    check("another resource", |bundle| *bundle = json!({"resourceType": "Patient", "id": "ada"})).await;
    check("no resource", |bundle| *bundle = json!({"fine": true})).await;
}

/// Odd answers to a batch of questions: nobody is taken for absent who was not said to be.
#[tokio::test]
async fn odd_answers_to_questions_overwrite_nothing() {
    type Rewrite = fn(&mut Value);
    let rewrites: [(&str, Rewrite); 6] = [
        ("reordered", |bundle| entries(bundle).reverse()),
        ("short", |bundle| _ = entries(bundle).pop()),
        ("empty", |bundle| entries(bundle).clear()),
        ("no status", |bundle| entries(bundle).iter_mut().for_each(|entry| entry["response"] = json!({}))),
        ("another kind of bundle", |bundle| bundle["type"] = json!("searchset")),
        ("no resource", |bundle| *bundle = json!({"fine": true})),
    ];
    for (name, rewrite) in rewrites {
        let served = served(Behaviour::default()).await;
        carry(&mut fhir(&served, UpdateAsCreate, 100), &weights([2, 4])).await;
        let before = served.record.all("Observation");
        let mut rewrite = Some(rewrite);
        served
            .record
            .script(move |_| rewrite.take().map_or(Fault::Pass, |rewrite| Fault::Rewrite(Box::new(rewrite))));
        let (notebook, _) = carry(&mut fhir(&served, UpdateAsCreate, 100), &weights(1..=4)).await;
        for row in 1..=4 {
            assert_eq!(notebook.end(row), "delivered", "{name} {row}: {}", notebook.said(row));
        }
        assert_once(&served, &weights(1..=4));
        for (place, versions) in before {
            assert_eq!(
                served.record.history(&place.0, &place.1),
                versions,
                "{name}: {place:?} was overwritten"
            );
        }
    }
}

/// A batch, where the record takes no transactions: each entry is judged by itself.
#[tokio::test]
async fn a_batch_is_judged_entry_by_entry() {
    let third = head(&weight(3));
    let rows: &[(u16, &str, &str)] = &[
        (400, "invalid", "parked: Us"),
        (422, "business-rule", "parked: Record"),
        (500, "exception", "retry, in doubt"),
        (403, "forbidden", "retry, counts"),
        (404, "not-found: Patient/ada", "retry"),
        (422, "duplicate", "delivered"),
        (410, "deleted", "delivered, raised"),
    ];
    for (status, said, expect) in rows {
        let served = batches_only().await;
        let (code, text) = said.split_once(": ").unwrap_or((said, ""));
        let outcome = Canned::outcome(*status, code, text).body;
        let outcome: Value = serde_json::from_str(&outcome).unwrap();
        let (id, status) = (third.clone(), *status);
        rewrite_first_write(&served, move |bundle| {
            let entry = entries(bundle).iter_mut().find(|entry| {
                entry["response"]["location"].as_str().is_some_and(|place| place.contains(&id))
            });
            *entry.unwrap() = json!({"response": {"status": status.to_string(), "outcome": outcome}});
        });
        let mut fhir = Fhir::new(destination(&served, Auto, 100)).unwrap();
        let (notebook, way) = carry(&mut fhir, &weights(1..=5)).await;
        assert_eq!(way, Way::Open, "{status} {said}");
        for row in 1..=5 {
            let expect = if row == 3 { *expect } else { "delivered" };
            assert_eq!(notebook.end(row), expect, "{status} {said}, row {row}: {}", notebook.said(row));
        }
    }
}

/// Its statement names batches and no transactions.
async fn batches_only() -> Served {
    let served = served(Behaviour::default()).await;
    served.record.queue([Fault::Rewrite(Box::new(|statement| {
        statement["rest"][0]["interaction"] = json!([{"code": "batch"}]);
    }))]);
    served
}

#[tokio::test]
async fn batches_go_where_transactions_are_not_taken() {
    let served = batches_only().await;
    let mut fhir = Fhir::new(destination(&served, Auto, 100)).unwrap();
    let (notebook, _) = carry(&mut fhir, &weights(1..=3)).await;
    assert_eq!(notebook.end(3), "delivered");
    let log = served.record.log();
    let kinds: Vec<Value> = log
        .iter()
        .filter(|logged| logged.seen.writes())
        .map(|logged| serde_json::from_slice::<Value>(&logged.octets).unwrap()["type"].clone())
        .collect();
    assert_eq!(kinds, ["batch"]);
    assert_once(&served, &weights(1..=3));
}

/// HAPI's 409 to the losers of a race: looked at again, and found.
#[tokio::test]
async fn who_loses_a_race_looks_again() {
    for bundle in [1, 100] {
        let served = served(Behaviour::default()).await;
        let mut lost = 0;
        served.record.script(move |seen| {
            if seen.writes() && lost < 1 {
                lost += 1;
                // The other hub's write is what is committed.
                return Fault::CommitThenAnswer(Canned::outcome(409, "conflict", "HAPI-0550: constraint"));
            }
            Fault::Pass
        });
        let work = weights(1..=2);
        let (notebook, way) = carry(&mut fhir(&served, UpdateAsCreate, bundle), &work).await;
        assert_eq!(
            (way, notebook.end(1).as_str(), notebook.end(2).as_str()),
            (Way::Open, "delivered", "delivered")
        );
        assert_once(&served, &work);
        assert!(served.record.all("Observation").iter().all(|(_, versions)| versions.len() == 1), "{bundle}");
    }
}

/// A bundle that is not answered in time is halved the next time, and grows again.
#[tokio::test]
async fn a_slow_record_gets_smaller_bundles() {
    let served = served(Behaviour::default()).await;
    let mut fhir = fhir(&served, UpdateAsCreate, 100);
    let (arrived, never) =
        (std::sync::Arc::new(tokio::sync::Notify::new()), std::sync::Arc::new(tokio::sync::Notify::new()));
    served.record.script({
        let arrived = arrived.clone();
        move |seen| {
            if seen.writes() && seen.entries.len() > 12 {
                arrived.notify_one();
                return Fault::Delay(never.clone());
            }
            Fault::Pass
        }
    });
    let mut work = weights(1..=20);
    let mut most = Vec::new();
    for _ in 0..2 {
        let (carried, ()) = tokio::join!(carry(&mut fhir, &work), async {
            arrived.notified().await;
            tokio::time::pause();
        });
        tokio::time::resume();
        let (notebook, way) = carried;
        assert!(matches!(way, Way::Busy { .. }), "{way:?}");
        work.retain(|consignment| notebook.end(consignment.row.0) != "delivered");
        most.push(work.len());
    }
    assert_eq!(most, [20, 20], "twenty, then ten, of two entries each and two devices: both too slow");
    let (notebook, way) = carry(&mut fhir, &work).await;
    assert_eq!(way, Way::Open, "five");
    for row in 1..=5 {
        assert_eq!(notebook.end(row), "delivered");
    }
}
