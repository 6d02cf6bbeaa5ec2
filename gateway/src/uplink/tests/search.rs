//! The third rung: searched by our identifier, created where absent.

use super::readings::{head, of, pressure, weight, weights};
use super::rig::{Served, assert_once, behaviour, carry, fhir, found, in_doubt, requests, served, versions};
use crate::demo::record::{Behaviour, Canned, Fault};
use crate::store::Consignment;
use crate::uplink::RungChoice::{Auto, SearchThenCreate};
use crate::uplink::ladder::Way;
use hearth_core::delivery::Cure;
use hearth_core::map::fhir::Rung;
use serde_json::{Value, json};

async fn record() -> Served {
    served(behaviour(SearchThenCreate)).await
}

fn is_search(path: &str) -> bool {
    path.contains("?identifier=")
}

/// Changes what is there of a reading, as somebody at the record would.
fn amend(served: &Served, of: &Consignment, change: impl FnOnce(&mut Value)) {
    let place = place(served, of);
    let mut resource = versions(served, &place).pop().unwrap().unwrap();
    change(&mut resource);
    served.record.write(resource);
}

/// Id of the measurement, as the record gave it.
fn place(served: &Served, of: &Consignment) -> String {
    let all = served.record.all("Observation");
    let is_it = |resource: &Value| resource["identifier"].to_string().contains(&head(of));
    let mut places = all.iter().filter(|(_, versions)| versions[0].resource.as_ref().is_some_and(is_it));
    places.next().unwrap().0.1.clone()
}

/// One goes ahead; the others are asked for at once, and created at once.
#[tokio::test]
async fn many_are_asked_for_in_one_search() {
    let served = record().await;
    let mut fhir = fhir(&served, SearchThenCreate, 100);
    let work: Vec<Consignment> = (1..=60).map(|n| if n % 2 == 0 { pressure(n) } else { weight(n) }).collect();
    let (notebook, way) = carry(&mut fhir, &work).await;
    assert_eq!(way, Way::Open);
    assert!((1..=60).all(|row| notebook.end(row) == "delivered"), "{:?}", notebook.ends);
    assert_once(&served, &work);
    // Halved until one is alone, then doubling: 1, 1, 2, 4, 7, 15, 30 readings.
    let log = served.record.log();
    let bundles = log.iter().filter(|logged| logged.seen.path.is_empty()).count();
    let searches = log.iter().filter(|logged| is_search(&logged.seen.path)).count();
    assert!(bundles <= 8 && searches <= 12, "{:?}", requests(&served));
    for logged in log.iter().filter(|logged| is_search(&logged.seen.path)) {
        assert!(logged.seen.path.len() < 4_000, "{} octets of URL", logged.seen.path.len());
    }
    // No condition, which this record would ignore.
    assert!(log.iter().all(|logged| !String::from_utf8_lossy(&logged.octets).contains("ifNoneExist")));

    // Another hub that has the same readings finds them all.
    let asked = log.len();
    let (notebook, _) = carry(&mut super::rig::fhir(&served, SearchThenCreate, 100), &work).await;
    assert!((1..=60).all(|row| notebook.end(row) == "delivered"), "{:?}", notebook.ends);
    assert!(notebook.starts.is_empty());
    assert!(served.record.log()[asked..].iter().all(|logged| !logged.seen.writes()));
    assert_once(&served, &work);
}

/// CLINICAL 26, 27: the same eyes as on the other rungs.
#[tokio::test]
async fn what_is_found_is_looked_at() {
    for bundle in [1, 100] {
        let served = record().await;
        let work = [of(weight(1), "ben"), weight(2), weight(3), pressure(4)];
        carry(&mut fhir(&served, SearchThenCreate, bundle), &work).await;
        amend(&served, &weight(2), |resource| resource["status"] = json!("entered-in-error"));
        amend(&served, &weight(3), |resource| resource["valueQuantity"]["value"] = json!(71.5));
        let before = served.record.all("Observation");
        let mut work = weights(1..=3);
        work.extend([pressure(4), weight(5)]);
        let (notebook, way) = carry(&mut fhir(&served, SearchThenCreate, bundle), &work).await;
        assert_eq!(way, Way::Open);
        assert_eq!(notebook.end(1), "parked: Record", "{bundle}");
        assert!(notebook.said(1).contains("under another person"), "{}", notebook.said(1));
        for (row, what) in [(2, "status"), (3, "values")] {
            assert_eq!(notebook.end(row), "delivered, raised", "{bundle}");
            assert_eq!(
                notebook.said(row),
                format!("the record system has its own {what} of this reading, and keeps it")
            );
        }
        assert_eq!((notebook.end(4), notebook.end(5)), ("delivered".into(), "delivered".into()));
        for (place, versions) in before {
            assert_eq!(served.record.history(&place.0, &place.1), versions, "{place:?} was written again");
        }
    }
}

/// Another hub wrote the measurement and came no further; and one wrote it twice.
#[tokio::test]
async fn what_is_there_by_half_or_twice() {
    for bundle in [1, 100] {
        let served = record().await;
        carry(&mut fhir(&served, SearchThenCreate, bundle), &[pressure(1), weight(2)]).await;
        let pulse = served
            .record
            .all("Observation")
            .into_iter()
            .find(|(_, versions)| versions[0].resource.as_ref().unwrap()["derivedFrom"].is_array());
        served.record.delete("Observation", &pulse.unwrap().0.1);
        let mut twin = versions(&served, &place(&served, &weight(2))).pop().unwrap().unwrap();
        twin["id"] = json!("twin");
        served.record.write(twin);
        let work = [pressure(1), weight(2), weight(3)];
        let (notebook, _) = carry(&mut fhir(&served, SearchThenCreate, bundle), &work).await;
        assert_eq!(notebook.end(1), "delivered", "{bundle}");
        assert_eq!(notebook.end(2), "delivered, raised", "{bundle}");
        assert!(notebook.said(2).contains("more than once"), "{}", notebook.said(2));
        assert_eq!(notebook.end(3), "delivered", "{bundle}");
        served.record.delete("Observation", "twin");
        assert_once(&served, &work);
    }
}

/// An answer that was lost, of what was done or not: looked for, and repeated only once a search has had its time.
#[tokio::test]
async fn what_is_in_doubt_is_repeated_only_after_a_while() {
    for bundle in [1, 100] {
        let served = record().await;
        let mut fhir = fhir(&served, SearchThenCreate, bundle);
        served.record.script(|seen| if seen.writes() { Fault::CutBefore } else { Fault::Pass });
        let work = [weight(1)];
        let (notebook, _) = carry(&mut fhir, &work).await;
        served.record.script(|_| Fault::Pass);
        let again = in_doubt(&work, &notebook);
        let (notebook, way) = carry(&mut fhir, &again).await;
        assert_eq!((way, notebook.end(1).as_str()), (Way::Open, "retry, in doubt"));
        assert!(notebook.said(1).starts_with("not found there yet"), "{}", notebook.said(1));
        assert!(found(&served).is_empty() && notebook.starts.is_empty());
        // A hub that was started anew does not know when it left, and waits as well.
        let (notebook, _) = carry(&mut super::rig::fhir(&served, SearchThenCreate, bundle), &again).await;
        assert_eq!(notebook.end(1), "retry, in doubt");
        fhir.impatient();
        let (notebook, _) = carry(&mut fhir, &again).await;
        assert_eq!(notebook.end(1), "delivered");
        assert_once(&served, &work);
    }
}

/// A search that is answered out of a cache, by half, or by somebody who did not understand, doubles nothing.
#[tokio::test]
async fn a_search_that_lies_doubles_nothing() {
    type Lie = fn(&mut Value);
    let empty: Lie = |bundle| bundle["entry"] = json!([]);
    let lies: [(&str, Lie); 5] = [
        ("stale: nothing was there", empty),
        ("no entries at all", |bundle| _ = bundle.as_object_mut().unwrap().remove("entry")),
        ("another kind of bundle", |bundle| bundle["type"] = json!("history")),
        ("another resource", |bundle| *bundle = json!({"resourceType": "Patient", "id": "ada"})),
        ("a next page elsewhere", |bundle| {
            bundle["entry"] = json!([]);
            bundle["link"] = json!([{"relation": "next", "url": "https://elsewhere.example/fhir?page=2"}]);
        }),
    ];
    for (name, lie) in lies {
        let served = record().await;
        let mut hub = fhir(&served, SearchThenCreate, 100);
        carry(&mut hub, &[weight(9)]).await;
        carry(&mut fhir(&served, SearchThenCreate, 100), &weights(1..=4)).await;
        // Only searches for several lie: one as if a comma were part of a word, or out of a cache.
        served.record.script(move |seen| match seen.path.contains(",urn") {
            true => Fault::Rewrite(Box::new(lie)),
            false => Fault::Pass,
        });
        let (notebook, way) = carry(&mut hub, &weights(1..=6)).await;
        assert_eq!(way, Way::Open, "{name}");
        assert!((1..=6).all(|row| notebook.end(row) == "delivered"), "{name}: {:?}", notebook.ends);
        let mut all = weights(1..=6);
        all.push(weight(9));
        assert_once(&served, &all);
    }
}

/// A long answer comes in pages, and all of them are read.
#[tokio::test]
async fn further_pages_are_read() {
    let served = record().await;
    let mut hub = fhir(&served, SearchThenCreate, 100);
    carry(&mut hub, &[weight(9)]).await;
    carry(&mut fhir(&served, SearchThenCreate, 100), &weights(1..=4)).await;
    // The first page holds the landmark alone; the second, the rest.
    let url = served.record.url();
    let pages = std::sync::Arc::new(std::sync::Mutex::new(Vec::<Value>::new()));
    served.record.script(move |seen| {
        if seen.path.contains(",urn") {
            let (url, pages) = (url.clone(), pages.clone());
            return Fault::Rewrite(Box::new(move |bundle| {
                let entries = bundle["entry"].as_array_mut().unwrap();
                let landmark = entries.iter().position(|entry| entry.to_string().contains(&head(&weight(9))));
                let first = entries.remove(landmark.unwrap());
                *pages.lock().unwrap() = std::mem::replace(entries, vec![first]);
                bundle["link"] = json!([{"relation": "next", "url": format!("{url}?_getpages=2")}]);
            }));
        }
        if seen.path == "?_getpages=2" {
            let rest = pages.lock().unwrap().clone();
            let page = json!({"resourceType": "Bundle", "type": "searchset", "entry": rest});
            return Fault::Answer(Canned { body: page.to_string(), ..Canned::outcome(200, "", "") });
        }
        Fault::Pass
    });
    let (notebook, _) = carry(&mut hub, &weights(1..=5)).await;
    assert!((1..=5).all(|row| notebook.end(row) == "delivered"), "{:?}", notebook.ends);
    let log = served.record.log();
    assert_eq!(log.iter().filter(|logged| logged.seen.path == "?_getpages=2").count(), 1);
    let mut all = weights(1..=5);
    all.push(weight(9));
    assert_once(&served, &all);
}

/// What becomes of three readings that were never tried, by what their searches are answered with. Nothing is
/// created that nobody looked for.
#[tokio::test]
async fn row_by_row_what_a_search_is_answered_with() {
    let outcome = Canned::outcome;
    let page = |status| Canned::page(status, "<html>no</html>");
    #[rustfmt::skip]
    let rows: [(Option<Canned>, [&str; 3], &str); 16] = [
        (None, ["-"; 3], "busy"),
        (Some(outcome(429, "throttled", "")), ["-"; 3], "busy"),
        (Some(page(502)), ["-"; 3], "busy"),
        // Of one reading or of all: the second in a row shows.
        (Some(outcome(500, "exception", "")), ["retry", "retry", "-"], "busy"),
        (Some(page(500)), ["retry", "retry", "-"], "busy"),
        (Some(outcome(400, "invalid", "no such parameter")), ["retry", "retry", "-"], "busy"),
        (Some(outcome(410, "deleted", "")), ["retry", "retry", "-"], "busy"),
        (Some(outcome(412, "multiple-matches", "")), ["retry", "retry", "-"], "busy"),
        (Some(outcome(200, "informational", "")), ["retry", "retry", "-"], "busy"),
        // In front of the record, or the record itself: as long as it answers a read, it is about the search.
        (Some(page(400)), ["retry", "retry", "-"], "held: Credentials"),
        (Some(page(403)), ["retry", "retry", "-"], "held: Credentials"),
        (Some(outcome(403, "forbidden", "")), ["retry", "retry", "-"], "held: Permission"),
        // The way there.
        (Some(page(200)), ["-"; 3], "held: Portal"),
        (Some(page(301)), ["-"; 3], "held: Redirect"),
        (Some(page(404)), ["-"; 3], "held: BaseUrl"),
        (Some(outcome(405, "not-supported", "")), ["-"; 3], "held: BaseUrl"),
    ];
    for (answer, ends, then) in rows {
        for bundle in [1, 100] {
            let served = record().await;
            let canned = answer.clone();
            served.record.script(move |seen| match (is_search(&seen.path), canned.clone()) {
                (false, _) => Fault::Pass,
                (true, None) => Fault::CutBefore,
                (true, Some(canned)) => Fault::Answer(canned),
            });
            let mut fhir = fhir(&served, SearchThenCreate, bundle);
            let (notebook, way) = carry(&mut fhir, &weights(1..=3)).await;
            let way = match way {
                Way::Open => "open".to_owned(),
                Way::Busy { .. } => "busy".into(),
                Way::Held { cure, .. } => format!("held: {cure:?}"),
            };
            let got: Vec<String> = (1..=3).map(|row| notebook.end(row).replace(", in doubt", "")).collect();
            assert_eq!((got, way.as_str()), (ends.map(str::to_owned).to_vec(), then), "{bundle}: {answer:?}");
            assert!(found(&served).is_empty() && notebook.starts.is_empty(), "{bundle}: {answer:?}");
        }
    }
}

/// The measurement is taken and its companion refused: a person sees that, and has it sent again. What is there is found,
/// and what is not is written.
#[tokio::test]
async fn what_was_taken_by_half_is_completed() {
    let served = record().await;
    let mut fhir = fhir(&served, SearchThenCreate, 1);
    fhir.impatient();
    let mut posts = 0;
    served.record.script(move |seen| {
        posts += usize::from(seen.writes());
        match seen.writes() && posts == 2 {
            true => Fault::Answer(Canned::outcome(422, "value", "not here")),
            false => Fault::Pass,
        }
    });
    let work = [pressure(1)];
    let (notebook, _) = carry(&mut fhir, &work).await;
    assert_eq!(notebook.end(1), "parked: Us, in doubt");
    let (notebook, _) = carry(&mut fhir, &in_doubt(&work, &notebook)).await;
    assert_eq!(notebook.end(1), "delivered");
    assert_once(&served, &work);
}

/// Where the statement says so, and nothing better.
#[tokio::test]
async fn the_statement_chooses_it() {
    for (searched, rung) in [(true, Rung::SearchThenCreate), (false, Rung::PlainCreate)] {
        let behaviour = Behaviour { update_create: false, searched, ..Behaviour::default() };
        let served = served(behaviour).await;
        let mut fhir = fhir(&served, Auto, 100);
        let (notebook, way) = carry(&mut fhir, &weights(1..=2)).await;
        assert_eq!((way, notebook.end(2).as_str()), (Way::Open, "delivered"));
        assert_eq!(fhir.ability().unwrap().rung, rung);
    }
    let served = record().await;
    served.record.script(|_| Fault::Answer(Canned::page(400, "no certificate")));
    let (_, way) = carry(&mut fhir(&served, Auto, 100), &weights(1..=2)).await;
    assert!(matches!(way, Way::Held { cure: Cure::Credentials, .. }), "{way:?}");
}
