//! Where nothing can be read back: repeats, and what is said of them.

use super::readings::{pressure, weight};
use super::rig::{assert_once, behaviour, carry, fhir, in_doubt, served};
use crate::demo::record::{Canned, Fault};
use crate::uplink::RungChoice::{PlainCreate, UpdateAsCreate};
use serde_json::json;

/// Where nothing can be read back, what is in doubt is sent again, octet by octet the same, and said.
#[tokio::test]
async fn a_repeat_in_the_dark_is_identical_and_listed() {
    for ignored in [false, true] {
        let served = served(behaviour(PlainCreate)).await;
        let mut fhir = fhir(&served, PlainCreate, 1);
        let mut writes = 0;
        served.record.script(move |seen| {
            writes += usize::from(seen.writes());
            match (seen.writes(), writes) {
                // A parameter that a server does not know finds everything.
                (false, _) if ignored => Fault::Answer(Canned {
                    body: json!({"resourceType": "Bundle", "type": "searchset", "entry": [
                        {"resource": {"resourceType": "Observation", "id": "another", "status": "final"}}]})
                    .to_string(),
                    ..Canned::outcome(200, "", "")
                }),
                (false, _) => Fault::Answer(Canned::outcome(403, "forbidden", "no reading here")),
                (true, 1) => Fault::CommitThenCut,
                (true, _) => Fault::Pass,
            }
        });
        let work = [weight(1)];
        let (notebook, _) = carry(&mut fhir, &work).await;
        let mut again = in_doubt(&work, &notebook);
        // A mapping that was changed meanwhile does not change the repeat.
        again[0].parcel.subject.id = "somebody-else".into();
        let (notebook, _) = carry(&mut fhir, &again).await;
        assert_eq!(notebook.end(1), "delivered, raised");
        assert!(notebook.said(1).contains("it may be there twice"), "{}", notebook.said(1));
        let log = served.record.log();
        let posts: Vec<_> =
            log.iter().filter(|logged| logged.seen.method == "POST").map(|logged| &logged.octets).collect();
        assert_eq!(posts.len(), 2);
        assert_eq!(posts[0], posts[1]);
    }
}

/// A lost answer, then a refusal for good, then a person who has it sent again: it may be there since the first time, and
/// that is said; also where the destination's rung was changed meanwhile. What was refused is encoded anew.
#[tokio::test]
async fn a_refusal_does_not_clear_up_what_was_in_doubt() {
    for rung in [PlainCreate, UpdateAsCreate] {
        let served = served(behaviour(PlainCreate)).await;
        let mut writes = 0;
        served.record.script(move |seen| {
            writes += usize::from(seen.writes());
            match (seen.writes(), writes) {
                (false, _) => Fault::Answer(Canned::outcome(403, "forbidden", "no reading here")),
                (true, 1) => Fault::CommitThenCut,
                (true, 2) => Fault::Answer(Canned::outcome(422, "business-rule", "not now")),
                (true, _) => Fault::Pass,
            }
        });
        let mut work = vec![weight(1)];
        for end in ["retry, in doubt", "parked: Record, in doubt"] {
            let (notebook, _) = carry(&mut fhir(&served, PlainCreate, 1), &work).await;
            assert_eq!(notebook.end(1), end);
            work = in_doubt(&work, &notebook);
        }
        work[0].parcel.subject.id = "somebody-else".into();
        let (notebook, _) = carry(&mut fhir(&served, rung, 1), &work).await;
        assert_eq!(notebook.end(1), "delivered, raised", "{rung:?}");
        assert!(notebook.said(1).contains("it may be there twice"), "{}", notebook.said(1));
        let last = served.record.log().last().unwrap().octets.clone();
        assert!(String::from_utf8_lossy(&last).contains("Patient/somebody-else"));
    }
}

/// On the last rung one resource may be taken and the next not: what was taken is not sent again.
#[tokio::test]
async fn what_was_taken_by_half_is_not_sent_again() {
    for (refusal, expect) in [
        (Canned::outcome(429, "throttled", ""), "retry, in doubt"),
        (Canned::outcome(422, "value", "not here"), "delivered, raised"),
    ] {
        let served = served(behaviour(PlainCreate)).await;
        let mut fhir = fhir(&served, PlainCreate, 1);
        fhir.impatient();
        let mut posts = 0;
        served.record.script(move |seen| {
            posts += usize::from(seen.writes());
            if seen.writes() && posts == 2 { Fault::Answer(refusal.clone()) } else { Fault::Pass }
        });
        let work = [pressure(1)];
        let (notebook, _) = carry(&mut fhir, &work).await;
        assert_eq!(notebook.end(1), expect);
        if expect == "delivered, raised" {
            let said = notebook.said(1);
            assert_eq!(said, "the record system refused its pulse: HTTP 422, value: not here");
            continue;
        }
        let (notebook, _) = carry(&mut fhir, &in_doubt(&work, &notebook)).await;
        assert_eq!(notebook.end(1), "delivered");
        assert_once(&served, &work);
    }
}
