//! Refusals beside successes: nobody is blocked, nothing is undercut, nothing is touched in vain.

use super::readings::{head, of, weight, weights};
use super::rig::{RUNGS, assert_once, behaviour, carry, client, destination, fhir, requests, served};
use crate::demo::pki;
use crate::demo::record::{Behaviour, Canned, Fault, Refuse};
use crate::store::{Consignment, Settlement};
use crate::uplink::RungChoice::UpdateAsCreate;
use crate::uplink::fhir::Fhir;
use crate::uplink::ladder::Way;
use hearth_core::delivery::Cure;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn one_bad_reading_blocks_no_other() {
    for rung in RUNGS {
        let bad = head(&weight(42));
        let refuse = move |resource: &Value| {
            let is_bad = resource["identifier"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one["value"] == bad.as_str()));
            is_bad.then(|| (422, "value".to_owned(), "no such unit".to_owned()))
        };
        let served = served(Behaviour { refuse: Some(Refuse(Arc::new(refuse))), ..behaviour(rung) }).await;
        let (notebook, way) = carry(&mut fhir(&served, rung, 100), &weights(1..=100)).await;
        assert_eq!(way, Way::Open);
        for row in 1..=100 {
            let expect = if row == 42 { "parked: Us" } else { "delivered" };
            assert_eq!(notebook.end(row), expect, "{rung:?} row {row}: {}", notebook.said(row));
        }
        assert!(notebook.said(42).contains("no such unit"), "{}", notebook.said(42));
        let others: Vec<_> = weights((1..=100).filter(|n| *n != 42));
        assert_once(&served, &others);
        // 1 + 2 * ceil(log2 100) bundles, each asked first; and the one alone.
        assert!(requests(&served).len() <= 40, "{rung:?}: {:?}", requests(&served));
    }
}

#[tokio::test]
async fn a_person_who_is_not_known_there_keeps_nobody_waiting() {
    for rung in RUNGS {
        for bundle in [1, 100] {
            let patients = Some(["ada".to_owned()].into());
            let served = served(Behaviour { patients, ..behaviour(rung) }).await;
            let mut fhir = fhir(&served, rung, bundle);
            let work = [weight(1), of(weight(2), "nobody"), weight(3), of(weight(4), "nobody"), weight(5)];
            let (notebook, way) = carry(&mut fhir, &work).await;
            assert_eq!(way, Way::Open);
            for row in [1, 3, 5] {
                assert_eq!(notebook.end(row), "delivered", "{rung:?} {bundle} {row}");
            }
            for row in [2, 4] {
                assert_eq!(notebook.end(row), "retry", "{rung:?} {bundle} {row}: {}", notebook.said(row));
            }
            assert_eq!(fhir.memory().persons_unknown(), 1);
            if bundle == 1 {
                let log = served.record.log();
                let nobody = |octets: &[u8]| String::from_utf8_lossy(octets).contains("Patient/nobody");
                let tried = log.iter().filter(|logged| nobody(&logged.octets)).count();
                assert_eq!(tried, 1, "{rung:?}: the second waits with the first");
            }
            assert_once(&served, &weights([1, 3, 5]));

            // Once the person is known, the readings go; no other person is ever tried in their place.
            served.record.behave(|behaviour| behaviour.patients = None);
            let (notebook, _) = carry(&mut fhir, &work).await;
            assert_eq!((notebook.end(2), notebook.end(4)), ("delivered".into(), "delivered".into()));
            assert_eq!(fhir.memory().persons_unknown(), 0);
        }
    }
}

/// 500 without a word counts only while others pass, and parks at the eighth.
#[tokio::test]
async fn failures_count_while_others_pass() {
    for rung in RUNGS {
        for bundle in [1, 100] {
            let bad = head(&weight(2));
            let served = served(behaviour(rung)).await;
            let refuse = move |resource: &Value| {
                resource.to_string().contains(&bad).then(|| (500, "processing".to_owned(), "oops".to_owned()))
            };
            served.record.behave(|behaviour| behaviour.refuse = Some(Refuse(Arc::new(refuse))));
            let mut fhir = fhir(&served, rung, bundle);
            let (notebook, way) = carry(&mut fhir, &weights(1..=3)).await;
            assert_eq!(way, Way::Open, "{rung:?} {bundle}");
            assert_eq!(notebook.end(1), "delivered");
            assert_eq!(notebook.end(2), "retry, counts, in doubt", "{rung:?} {bundle}");
            assert_eq!(notebook.end(3), "delivered", "{rung:?} {bundle}");

            let mut eighth = weights(2..=4);
            eighth[0].attempts = 7;
            eighth[0].counted = 7;
            let (notebook, _) = carry(&mut fhir, &eighth).await;
            assert_eq!(notebook.end(2), "parked: Record, in doubt", "{rung:?} {bundle}");
            assert!(notebook.said(2).starts_with("8 times while others passed"), "{}", notebook.said(2));
            assert_eq!(notebook.end(4), "delivered");
        }
    }
}

/// What stands in front of the record, or the record, refuses one reading for want of something else than FHIR: tried
/// while nobody knows, parked at the eighth time that others passed, pointing at who must let it through.
#[tokio::test]
async fn one_that_is_refused_while_others_pass_does_not_wait_for_ever() {
    for rung in RUNGS {
        for bundle in [1, 100] {
            let bad = head(&weight(2));
            let firewall = rung == UpdateAsCreate && bundle == 1;
            let served = served(behaviour(rung)).await;
            if firewall {
                served.record.script(move |seen| match seen.writes() && seen.path.contains(&bad) {
                    true => Fault::Answer(Canned::page(403, "<html>blocked</html>")),
                    false => Fault::Pass,
                });
            } else {
                let refuse = move |resource: &Value| {
                    resource.to_string().contains(&bad).then(|| (403, "forbidden".to_owned(), String::new()))
                };
                served.record.behave(|behaviour| behaviour.refuse = Some(Refuse(Arc::new(refuse))));
            }
            let mut fhir = fhir(&served, rung, bundle);
            let context = format!("{rung:?} {bundle}");
            // Nothing has passed yet: it may be everybody's.
            let (notebook, _) = carry(&mut fhir, &weights([2])).await;
            assert_eq!(notebook.end(2), "retry", "{context}");
            let (notebook, way) = carry(&mut fhir, &weights(1..=3)).await;
            assert_eq!((way, notebook.end(2).as_str()), (Way::Open, "retry, counts"), "{context}");
            assert!(
                notebook.ends.iter().any(|(_, end)| matches!(end, Settlement::RetryAt { acts: Some(_), .. }))
            );
            assert_eq!(
                (notebook.end(1), notebook.end(3)),
                ("delivered".into(), "delivered".into()),
                "{context}"
            );
            let mut eighth = weights(2..=2);
            eighth[0].counted = 7;
            let (notebook, _) = carry(&mut fhir, &eighth).await;
            let who = if firewall { "parked: Network" } else { "parked: Record" };
            assert_eq!(notebook.end(2), who, "{context}");
            assert!(
                notebook.said(2).starts_with("8 times while others passed: HTTP 403"),
                "{}",
                notebook.said(2)
            );
            // One success vouches for one failure.
            let (notebook, _) = carry(&mut fhir, &eighth).await;
            assert_eq!(notebook.end(2), "retry", "{context}");
        }
    }
}

#[tokio::test]
async fn retry_after_is_never_undercut() {
    let served = served(Behaviour::default()).await;
    let mut fhir = fhir(&served, UpdateAsCreate, 100);
    // Both forms of RFC 9110 10.2.3; the date is longer than anybody is believed.
    for (header, at_least) in [("90", 90), ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400)] {
        let canned = Canned::outcome(429, "throttled", "").header("Retry-After", header);
        served
            .record
            .script(move |seen| if seen.writes() { Fault::Answer(canned.clone()) } else { Fault::Pass });
        let before = crate::clock::now();
        let (notebook, way) = carry(&mut fhir, &weights(1..=2)).await;
        let Way::Busy { wait, .. } = way else { panic!("{way:?}") };
        assert!(wait >= Duration::from_secs(at_least), "{header}: {wait:?}");
        for (_, end) in &notebook.ends {
            let Settlement::RetryAt { when, .. } = end else { panic!("{end:?}") };
            assert!(*when >= before + Duration::from_secs(at_least));
        }
    }
}

/// Nothing is begun for a destination that nobody reaches: an outage of a month writes nothing to disk.
#[tokio::test]
async fn an_outage_touches_no_reading() {
    for rung in RUNGS {
        let served = served(behaviour(rung)).await;
        served.record.outage(true);
        let mut fhir = fhir(&served, rung, 100);
        let mut waits = Vec::new();
        for _ in 0..12 {
            let (notebook, way) = carry(&mut fhir, &weights(1..=3)).await;
            let Way::Busy { wait, .. } = way else { panic!("{way:?}") };
            waits.push(wait);
            assert!(notebook.starts.is_empty() && notebook.ends.is_empty(), "{rung:?} {notebook:?}");
        }
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(300)), "{waits:?}");
        served.record.outage(false);
        let (notebook, way) = carry(&mut fhir, &weights(1..=3)).await;
        assert_eq!((way, notebook.end(3).as_str()), (Way::Open, "delivered"));
    }
}

/// Something on the way refuses a bundle now and then: those that are taken between show that the record takes them.
#[tokio::test]
async fn bundles_that_are_refused_now_and_then_are_sent_on() {
    for rung in RUNGS {
        let served = served(behaviour(rung)).await;
        let mut fhir = fhir(&served, rung, 100);
        for round in 0..6 {
            let mut refuses = round % 2 == 0;
            served.record.script(move |seen| {
                let refused = seen.writes() && seen.path.is_empty() && std::mem::take(&mut refuses);
                if refused {
                    Fault::Answer(Canned::outcome(400, "processing", "not now"))
                } else {
                    Fault::Pass
                }
            });
            let before = served.record.log().len();
            let (notebook, _) = carry(&mut fhir, &[weight(round + 1)]).await;
            assert_eq!(notebook.end(i64::from(round) + 1), "delivered", "{rung:?} round {round}");
            let log = served.record.log();
            let mut new = log[before..].iter().map(|logged| &logged.seen);
            assert!(
                new.any(|seen| seen.writes() && seen.path.is_empty()),
                "{rung:?} round {round}: no bundle"
            );
        }
    }
}

/// A server that takes no bundles, and one that takes batches only: learned, and remembered.
#[tokio::test]
async fn a_record_that_takes_no_bundles_is_written_to_all_the_same() {
    for rung in RUNGS {
        let served = served(Behaviour { bundles: false, ..behaviour(rung) }).await;
        let mut fhir = fhir(&served, rung, 100);
        let (notebook, way) = carry(&mut fhir, &weights(1..=9)).await;
        assert_eq!(way, Way::Open);
        for row in 1..=9 {
            assert_eq!(notebook.end(row), "delivered", "{rung:?} {row}");
        }
        assert_once(&served, &weights(1..=9));
        let asked = requests(&served).len();
        carry(&mut fhir, &weights(10..=12)).await;
        let later = &requests(&served)[asked..];
        assert!(later.iter().all(|request| !request.starts_with("bundle")), "{rung:?}: {later:?}");
    }
}

#[tokio::test]
async fn a_bundle_that_is_too_large_is_halved() {
    for (limit, octets) in [(8, 4 << 20), (500, 9_000)] {
        let served =
            served(Behaviour { most_entries: limit, most_octets: octets, ..Behaviour::default() }).await;
        let mut fhir = fhir(&served, UpdateAsCreate, 100);
        let (notebook, way) = carry(&mut fhir, &weights(1..=20)).await;
        assert_eq!(way, Way::Open);
        for row in 1..=20 {
            assert_eq!(notebook.end(row), "delivered", "{row}: {}", notebook.said(row));
        }
        assert_once(&served, &weights(1..=20));
        // Learned: the next ones are small enough from the start.
        let asked = requests(&served).len();
        carry(&mut fhir, &weights(21..=40)).await;
        let later = requests(&served).len() - asked;
        assert!(later < asked, "{later} requests after {asked}");
    }
}

/// Ours has ended: the hub goes on, nothing is touched, and the sentence names the file.
#[tokio::test]
async fn a_certificate_of_ours_that_has_ended_is_said() {
    let served = served(Behaviour::default()).await;
    let mut destination = destination(&served, UpdateAsCreate, 100);
    destination.certificate = super::rig::PKI.certificate(pki::CLIENT_EXPIRED);
    destination.key = super::rig::PKI.key(pki::CLIENT_EXPIRED);
    let (notebook, way) = carry(&mut Fhir::new(destination).unwrap(), &weights(1..=2)).await;
    let Way::Held { cure: Cure::OurFiles, said, .. } = &way else { panic!("{way:?}") };
    assert!(said.contains("client-expired.pem: expired at "), "{said}");
    assert!(notebook.starts.is_empty() && notebook.ends.is_empty());
    assert!(client(pki::CLIENT).until > crate::clock::now());
}

/// One reading whose octets make somebody hang up waits longer each time, and the others go first.
#[tokio::test]
async fn a_reading_that_makes_somebody_hang_up_blocks_nobody() {
    let served = served(behaviour(UpdateAsCreate)).await;
    let bad = head(&weight(1));
    served.record.script(move |seen| {
        if seen.writes() && seen.path.contains(&bad) { Fault::CutBefore } else { Fault::Pass }
    });
    let mut fhir = fhir(&served, UpdateAsCreate, 1);
    // What each row waits for, on a clock of the test's own.
    let mut rows = [weight(1), weight(2), weight(3)].map(|row| (jiff::SignedDuration::ZERO, Some(row)));
    let mut now = jiff::SignedDuration::ZERO;
    for _ in 0..30 {
        let ready: Vec<Consignment> =
            rows.iter().filter(|(due, _)| *due <= now).filter_map(|(_, row)| row.clone()).collect();
        let (notebook, way) = carry(&mut fhir, &ready).await;
        for (no, end) in &notebook.ends {
            let slot =
                rows.iter_mut().find(|(_, row)| row.as_ref().is_some_and(|row| row.row == *no)).unwrap();
            match end {
                Settlement::Delivered { .. } => slot.1 = None,
                Settlement::RetryAt { when, .. } => {
                    slot.0 = now + when.duration_since(crate::clock::now());
                    let row = slot.1.as_mut().unwrap();
                    row.attempts += 1;
                    row.in_doubt = true;
                    row.octets = Some(notebook.octets(no.0));
                }
                other => panic!("{no:?}: {other:?}"),
            }
        }
        now += match way {
            Way::Busy { wait, .. } => jiff::SignedDuration::try_from(wait).unwrap(),
            _ => jiff::SignedDuration::from_secs(1),
        };
    }
    let waiting: Vec<i64> = rows.iter().filter_map(|(_, row)| row.as_ref()).map(|row| row.row.0).collect();
    assert_eq!(waiting, [1]);
}
