//! Bundles that are sent compressed, to records that take it and to others.

use super::readings::weights;
use super::rig::{RUNGS, Served, assert_once, behaviour, carry, destination, served};
use crate::demo::record::{Behaviour, Canned, Fault};
use crate::uplink::fhir::Fhir;
use crate::uplink::ladder::Way;
use crate::uplink::{Destination, RungChoice};

fn fhir(served: &Served, rung: RungChoice) -> Fhir {
    Fhir::new(Destination { gzip: true, ..destination(served, rung, 100) }).unwrap()
}

/// Method, path, octets on the way if they were compressed, and octets.
fn sent(served: &Served) -> Vec<(String, Option<usize>, usize)> {
    let log = served.record.log().into_iter();
    log.map(|logged| (logged.seen.path, logged.compressed, logged.octets.len())).collect()
}

#[tokio::test]
async fn bundles_go_compressed_and_say_the_same() {
    for rung in RUNGS {
        let (plain, zipped) = (served(behaviour(rung)).await, served(behaviour(rung)).await);
        let (mut as_it_is, mut compressed) =
            (Fhir::new(destination(&plain, rung, 100)).unwrap(), fhir(&zipped, rung));
        let (expect, _) = carry(&mut as_it_is, &weights(1..=20)).await;
        let (notebook, way) = carry(&mut compressed, &weights(1..=20)).await;
        assert_eq!(way, Way::Open, "{rung:?}");
        assert_once(&zipped, &weights(1..=20));
        let octets = |served: &Served| -> Vec<_> {
            served.record.log().into_iter().map(|logged| (logged.seen, logged.octets)).collect()
        };
        assert_eq!(octets(&zipped), octets(&plain), "{rung:?}: what arrives is the same");
        // What is kept for a repeat is what it was.
        assert_eq!(notebook.starts, expect.starts, "{rung:?}");
        let bundles: Vec<_> = sent(&zipped)
            .into_iter()
            .filter(|(path, _, octets)| path.is_empty() && *octets > 8_000)
            .collect();
        assert!(!bundles.is_empty());
        for (_, came, octets) in bundles {
            assert!(came.is_some_and(|came| came * 4 < octets), "{rung:?}: {came:?} of {octets}");
        }
        // Singles and what is small go as they are.
        assert!(
            sent(&zipped)
                .iter()
                .all(|(path, came, octets)| came.is_none() || path.is_empty() && *octets > 1_024)
        );
        assert!(compressed.remarks(crate::clock::now()).is_empty());
    }
}

/// A record that takes nothing compressed is told once, and nothing is lost or doubled by it.
#[tokio::test]
async fn a_record_that_does_not_take_it_is_learned() {
    for rung in RUNGS {
        for status in [415, 400, 501] {
            let served = served(Behaviour { refuses_gzip: Some(status), ..behaviour(rung) }).await;
            let mut fhir = fhir(&served, rung);
            let (notebook, way) = carry(&mut fhir, &weights(1..=20)).await;
            assert_eq!(way, Way::Open, "{rung:?} {status}");
            assert!(
                (1..=20).all(|row| notebook.end(row) == "delivered"),
                "{rung:?} {status}: {:?}",
                notebook.ends
            );
            assert_once(&served, &weights(1..=20));
            carry(&mut fhir, &weights(21..=40)).await;
            let refused = sent(&served).into_iter().filter(|(_, came, _)| came.is_some()).count();
            assert_eq!(refused, 1, "{rung:?} {status}");
            let log = served.record.log();
            let bundles =
                log.iter().filter(|logged| logged.seen.path.is_empty() && logged.seen.writes()).count();
            assert!(bundles >= 2, "{rung:?} {status}: bundles are still sent");
            assert!(fhir.remarks(crate::clock::now())[0].contains("compressed"));
        }
    }
}

/// A refusal that has nothing to do with it is not learned; once it was taken, no 400 is blamed on it.
#[tokio::test]
async fn other_refusals_are_not_blamed_on_it() {
    let served = served(behaviour(RungChoice::ConditionalCreate)).await;
    let mut fhir = fhir(&served, RungChoice::ConditionalCreate);
    served.record.script(|_| Fault::Answer(Canned::page(400, "No required SSL certificate was sent")));
    let (_, way) = carry(&mut fhir, &weights(1..=20)).await;
    assert!(matches!(way, Way::Held { .. }), "{way:?}");
    served.record.script(|_| Fault::Pass);
    carry(&mut fhir, &weights(1..=20)).await;
    assert!(sent(&served).last().unwrap().1.is_some(), "it is tried again");
    let asked = sent(&served).len();
    served.record.script(|seen| match seen.path.is_empty() {
        true => Fault::Answer(Canned::outcome(400, "invalid", "")),
        false => Fault::Answer(Canned::outcome(429, "throttled", "")),
    });
    carry(&mut fhir, &weights([21, 22, 23, 24])).await;
    let later = &sent(&served)[asked..];
    assert!(
        later[0].1.is_some()
            && later
                .iter()
                .filter(|(path, ..)| path.is_empty())
                .all(|(_, came, octets)| came.is_some() || *octets < 4_000),
        "{later:?}"
    );
}
