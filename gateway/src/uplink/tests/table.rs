//! The retry-or-park table, row by row, as answers to what is written: singly, and in a bundle.

use super::readings::weights;
use super::rig::{RUNGS, carry, fhir, served};
use crate::demo::record::{Behaviour, Canned, Fault};
use crate::uplink::RungChoice::{self, ConditionalCreate, PlainCreate, SearchThenCreate, UpdateAsCreate};
use crate::uplink::ladder::Way;

fn answer(status: u16, said: &str) -> Canned {
    match said.split_once(": ") {
        _ if said == "html" => Canned::page(status, "<html>no</html>"),
        _ if said.is_empty() => Canned { status, headers: vec![], body: String::new() },
        Some((code, text)) => Canned::outcome(status, code, text),
        None => Canned::outcome(status, said, ""),
    }
}

fn way(way: &Way) -> String {
    match way {
        Way::Open => "open".into(),
        Way::Busy { .. } => "busy".into(),
        Way::Held { cure, .. } => format!("held: {cure:?}"),
    }
}

/// Status and words; what becomes of three readings one by one, and in a bundle; and of the way.
type Line<'a> = (u16, &'a str, [&'a str; 3], [&'a str; 3], &'a str);

/// The one door: everything that is written gets this answer, and nothing is done. Three readings of one person,
/// what became of each, and of the way.
async fn check(rung: RungChoice, bundle: usize, status: u16, said: &str, ends: [&str; 3], then: &str) {
    let served = served(Behaviour::default()).await;
    let canned = answer(status, said);
    served.record.script(move |seen| if seen.writes() { Fault::Answer(canned.clone()) } else { Fault::Pass });
    let mut fhir = fhir(&served, rung, bundle);
    let (notebook, ended) = carry(&mut fhir, &weights(1..=3)).await;
    let got: Vec<String> = (1..=3).map(|row| notebook.end(row)).collect();
    assert_eq!(
        (got, way(&ended)),
        (ends.map(str::to_owned).to_vec(), then.to_owned()),
        "{rung:?} {bundle}: {status} {said}"
    );
    assert!(served.record.all("Observation").is_empty());
}

const UNTOUCHED: &str = "-";
const HAPI_1094: &str =
    "processing: HAPI-1094: Resource Patient/ada not found, specified in path: Observation.subject";

#[tokio::test]
async fn row_by_row_on_the_first_rung() {
    let doubt = "retry, in doubt";
    let (us, record) = ("parked: Us", "parked: Record");
    #[rustfmt::skip]
    let rows: &[Line<'_>] = &[
        // Busy: nothing else is tried.
        (408, "", [doubt, UNTOUCHED, UNTOUCHED], [doubt; 3], "busy"),
        (429, "throttled", ["retry", UNTOUCHED, UNTOUCHED], ["retry"; 3], "busy"),
        (403, "throttled", ["retry", UNTOUCHED, UNTOUCHED], ["retry"; 3], "busy"),
        (502, "html", [doubt, UNTOUCHED, UNTOUCHED], [doubt; 3], "busy"),
        (503, "transient", [doubt, UNTOUCHED, UNTOUCHED], [doubt; 3], "busy"),
        (504, "html", [doubt, UNTOUCHED, UNTOUCHED], [doubt; 3], "busy"),
        // One after the other fails: the second in a row shows that it is everybody's. Nothing counts, since
        // nothing else passes.
        (500, "exception", [doubt, doubt, UNTOUCHED], [doubt; 3], "busy"),
        (500, "html", [doubt, doubt, UNTOUCHED], [doubt; 3], "busy"),
        (500, "", [doubt, doubt, UNTOUCHED], [doubt; 3], "busy"),
        (507, "no-store", [doubt, doubt, UNTOUCHED], [doubt; 3], "busy"),
        (422, "html", ["retry", "retry", UNTOUCHED], ["retry"; 3], "busy"),
        (400, "timeout", ["retry", "retry", UNTOUCHED], ["retry"; 3], "busy"),
        // Refused without FHIR while our reads are answered: about what was sent, until the next one too.
        (400, "html", ["retry", "retry", UNTOUCHED], ["retry"; 3], "held: Credentials"),
        (401, "html", ["retry", "retry", UNTOUCHED], ["retry"; 3], "held: Credentials"),
        (403, "html", ["retry", "retry", UNTOUCHED], ["retry"; 3], "held: Credentials"),
        (496, "html", ["retry", "retry", UNTOUCHED], ["retry"; 3], "held: Credentials"),
        (401, "login", ["retry", "retry", UNTOUCHED], ["retry"; 3], "held: Credentials"),
        (403, "forbidden", ["retry", "retry", UNTOUCHED], ["retry"; 3], "held: Permission"),
        // The whole destination: a person must act.
        (301, "", ["retry", UNTOUCHED, UNTOUCHED], ["retry"; 3], "held: Redirect"),
        (308, "html", ["retry", UNTOUCHED, UNTOUCHED], ["retry"; 3], "held: Redirect"),
        (200, "html", [doubt, UNTOUCHED, UNTOUCHED], [doubt; 3], "held: Portal"),
        (404, "html", ["retry", UNTOUCHED, UNTOUCHED], ["retry"; 3], "held: BaseUrl"),
        (404, "not-supported", ["retry", UNTOUCHED, UNTOUCHED], ["retry"; 3], "held: BaseUrl"),
        (405, "not-supported", ["retry", UNTOUCHED, UNTOUCHED], ["retry"; 3], "held: ClientIds"),
        // Final for each of them.
        (400, "invalid", [us; 3], [us; 3], "open"),
        (400, "structure", [us; 3], [us; 3], "open"),
        (422, "required", [us; 3], [us; 3], "open"),
        (422, "value", [us; 3], [us; 3], "open"),
        (422, "invariant", [us; 3], [us; 3], "open"),
        (400, "code-invalid", [us; 3], [us; 3], "open"),
        (422, "business-rule", [record; 3], [record; 3], "open"),
        (400, "processing", [record; 3], [record; 3], "open"),
        (413, "too-long", [us; 3], [us; 3], "open"),
        (413, "html", [us; 3], [us; 3], "open"),
        (400, "invalid: exceeded the configured limit of 1", [us; 3], [us; 3], "open"),
        // The person is not known there: the others of the same person wait unsent.
        (404, "not-found: Patient/ada", ["retry"; 3], ["retry"; 3], "open"),
        (400, HAPI_1094, ["retry"; 3], ["retry"; 3], "open"),
        // Somebody is first, again and again.
        (409, "conflict", [doubt; 3], [doubt; 3], "open"),
        (412, "conflict", [doubt; 3], [doubt; 3], "open"),
        // There already, by the record's word.
        (412, "multiple-matches", ["delivered, raised"; 3], ["delivered, raised"; 3], "open"),
        (422, "duplicate", ["delivered"; 3], ["delivered"; 3], "open"),
        (410, "deleted", ["delivered, raised"; 3], ["delivered, raised"; 3], "open"),
        // Accepted, and not there when it is looked for.
        (202, "", ["unverified"; 3], ["unverified"; 3], "open"),
    ];
    for (status, said, singly, bundled, then) in rows {
        check(UpdateAsCreate, 100, *status, said, *bundled, then).await;
        check(UpdateAsCreate, 1, *status, said, *singly, then).await;
    }
}

/// Where the rungs that let the record choose its ids differ from the first.
#[tokio::test]
async fn row_by_row_where_the_record_chooses_ids() {
    let doubt = "retry, in doubt";
    #[rustfmt::skip]
    let rows: &[Line<'_>] = &[
        (429, "throttled", ["retry", UNTOUCHED, UNTOUCHED], ["retry"; 3], "busy"),
        (503, "transient", [doubt, UNTOUCHED, UNTOUCHED], [doubt; 3], "busy"),
        (500, "html", [doubt, doubt, UNTOUCHED], [doubt; 3], "busy"),
        // A read shows whether it is about what was sent.
        (400, "html", ["retry", "retry", UNTOUCHED], ["retry"; 3], "held: Credentials"),
        (403, "forbidden", ["retry", "retry", UNTOUCHED], ["retry"; 3], "held: Permission"),
        (301, "", ["retry", UNTOUCHED, UNTOUCHED], ["retry"; 3], "held: Redirect"),
        (200, "html", [doubt, UNTOUCHED, UNTOUCHED], [doubt; 3], "held: Portal"),
        (400, "invalid", ["parked: Us"; 3], ["parked: Us"; 3], "open"),
        (422, "business-rule", ["parked: Record"; 3], ["parked: Record"; 3], "open"),
        (413, "too-long", ["parked: Us"; 3], ["parked: Us"; 3], "open"),
        (400, HAPI_1094, ["retry"; 3], ["retry"; 3], "open"),
        (422, "duplicate", ["delivered"; 3], ["delivered"; 3], "open"),
        // Accepted without a place, and not found by our identifier.
        (202, "", ["unverified"; 3], ["unverified"; 3], "open"),
        (201, "", ["unverified"; 3], ["unverified"; 3], "open"),
    ];
    for rung in [ConditionalCreate, PlainCreate] {
        for (status, said, singly, bundled, then) in rows {
            check(rung, 100, *status, said, *bundled, then).await;
            check(rung, 1, *status, said, *singly, then).await;
        }
    }
}

/// The third rung looks before each, and lets one go ahead: what is written is answered as on the last one.
#[tokio::test]
async fn row_by_row_after_a_search() {
    let doubt = "retry, in doubt";
    #[rustfmt::skip]
    let rows: &[(u16, &str, [&str; 3], &str)] = &[
        (408, "", [doubt, UNTOUCHED, UNTOUCHED], "busy"),
        (429, "throttled", ["retry", UNTOUCHED, UNTOUCHED], "busy"),
        (503, "transient", [doubt, UNTOUCHED, UNTOUCHED], "busy"),
        (500, "exception", [doubt, doubt, UNTOUCHED], "busy"),
        (400, "html", ["retry", "retry", UNTOUCHED], "held: Credentials"),
        (403, "html", ["retry", "retry", UNTOUCHED], "held: Credentials"),
        (403, "forbidden", ["retry", "retry", UNTOUCHED], "held: Permission"),
        (301, "", ["retry", UNTOUCHED, UNTOUCHED], "held: Redirect"),
        (200, "html", [doubt, UNTOUCHED, UNTOUCHED], "held: Portal"),
        (404, "html", ["retry", UNTOUCHED, UNTOUCHED], "held: BaseUrl"),
        (400, "invalid", ["parked: Us"; 3], "open"),
        (422, "business-rule", ["parked: Record"; 3], "open"),
        (413, "too-long", ["parked: Us"; 3], "open"),
        (400, HAPI_1094, ["retry"; 3], "open"),
        // Somebody was first: looked for again before it is sent again.
        (409, "conflict", ["retry"; 3], "open"),
        (412, "conflict", ["retry"; 3], "open"),
        (410, "deleted", ["retry", "retry", UNTOUCHED], "busy"),
        (422, "duplicate", ["delivered"; 3], "open"),
        (202, "", ["unverified"; 3], "open"),
        (201, "", ["unverified"; 3], "open"),
    ];
    for (status, said, ends, then) in rows {
        check(SearchThenCreate, 100, *status, said, *ends, then).await;
        check(SearchThenCreate, 1, *status, said, *ends, then).await;
    }
    // Of a bundle that something between us and the record failed, nothing is sought before a search has had its time.
    check(SearchThenCreate, 100, 500, "html", [doubt, UNTOUCHED, UNTOUCHED], "busy").await;
    check(SearchThenCreate, 1, 500, "html", [doubt, doubt, UNTOUCHED], "busy").await;
}

/// Before anybody has answered a read, a refusal without FHIR is about us: no reading is touched.
#[tokio::test]
async fn a_lapsed_certificate_costs_no_reading() {
    for rung in RUNGS {
        for (status, said) in [(400, "html"), (401, "html"), (403, ""), (495, "html")] {
            let served = served(Behaviour::default()).await;
            let canned = answer(status, said);
            served.record.script(move |_| Fault::Answer(canned.clone()));
            let (notebook, ended) = carry(&mut fhir(&served, rung, 100), &weights(1..=3)).await;
            assert_eq!(way(&ended), "held: Credentials", "{rung:?} {status}");
            // Two rungs ask before they begin; the others find out by the first that they send.
            let asks = [UpdateAsCreate, SearchThenCreate].contains(&rung);
            let expect = if asks { UNTOUCHED } else { "retry" };
            assert!((1..=3).all(|row| notebook.end(row) == expect), "{rung:?} {status}: {:?}", notebook.ends);
            assert!(served.record.log().len() <= 2, "{rung:?} {status}: {:?}", served.record.log());
        }
    }
}
