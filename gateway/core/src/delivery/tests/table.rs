//! Long because it is one table: each row is an answer and what comes of it.

use super::super::*;
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

/// Short names for the columns of the table.
const PUT: Asked = Asked::Put;
const AMEND: Asked = Asked::Amend;
const POST: Asked = Asked::Create { conditional: false };
const ONCE: Asked = Asked::Create { conditional: true };
const BUNDLE: Asked = Asked::Bundle;

const WAIT: Verdict = Verdict::Retry { after: None, counts: false, scope: Scope::Destination };
const COUNT: Verdict = Verdict::Retry { after: None, counts: true, scope: Scope::Reading };
const AGAIN: Verdict = Verdict::Retry { after: None, counts: false, scope: Scope::Reading };
const US: Verdict = Verdict::Park(PointsAt::Us);
const RECORD: Verdict = Verdict::Park(PointsAt::Record);
use Accepted::*;
use Verdict::{Accept, Conflict, Hold, Identity, Split};

fn outcome(code: &str, text: &str) -> String {
    json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": text}]})
        .to_string()
}

/// A web page, nothing, an OperationOutcome's code, or anything else word for word.
fn body(said: &str) -> String {
    match said {
        "html" => "<html><body>No required SSL certificate was sent</body></html>".into(),
        "" => String::new(),
        said if said.starts_with(['{', '[', '"']) => said.into(),
        said => match said.split_once(": ") {
            Some((code, text)) => outcome(code, text),
            None => outcome(said, ""),
        },
    }
}

/// The one door: an answer's status and body, asked in one way, comes to this.
fn check(asked: Asked, status: u16, said: &str, verdict: Verdict) {
    let answer = Answer::new(status, Body::parse(body(said).as_bytes()));
    assert_eq!(judge(asked, &Receipt::Answer(answer)), verdict, "{asked:?} {status} {said}");
}

const OBSERVATION: &str = r#"{"resourceType":"Observation","id":"abc","status":"final"}"#;
/// EHR-RIG 1: HAPI's words.
const HAPI_1094: &str =
    "processing: HAPI-1094: Resource Patient/nobody not found, specified in path: Observation.subject";
/// microsoft/fhir-server.
const AZURE: &str = "invalid: The number of entries in the bundle exceeded the configured limit of 500.";

#[test]
fn the_table_of_answers() {
    let rows: &[(Asked, u16, &str, Verdict)] = &[
        // Delivered.
        (PUT, 201, OBSERVATION, Accept(Written)),
        (PUT, 201, "", Accept(Written)),
        (PUT, 200, OBSERVATION, Accept(Written)),
        (PUT, 200, "", Accept(Written)),
        (PUT, 204, "", Accept(Written)),
        (AMEND, 200, OBSERVATION, Accept(Written)),
        (POST, 201, OBSERVATION, Accept(Written)),
        (POST, 200, OBSERVATION, Accept(Written)),
        (ONCE, 201, OBSERVATION, Accept(Written)),
        (ONCE, 200, OBSERVATION, Accept(AlreadyThere)),
        // No place: nobody can look.
        (POST, 201, "", Accept(Unverified)),
        (POST, 200, "", Accept(Unverified)),
        (ONCE, 200, "", Accept(Unverified)),
        (POST, 202, "", Accept(Unverified)),
        (PUT, 202, "", Accept(Unverified)),
        (
            POST,
            201,
            r#"{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational"}]}"#,
            Accept(Unverified),
        ),
        // A smile that is no success.
        (PUT, 200, "html", Hold(Cure::Portal)),
        (POST, 200, "html", Hold(Cure::Portal)),
        (POST, 200, r#"{"ok":true}"#, Hold(Cure::Portal)),
        (POST, 200, "\"ok\"", Hold(Cure::Portal)),
        (POST, 200, "{not json", Hold(Cure::Portal)),
        (BUNDLE, 200, "html", Hold(Cure::Portal)),
        (POST, 200, "value: bad", US),
        (PUT, 200, "throttled", COUNT),
        (BUNDLE, 200, OBSERVATION, COUNT),
        (BUNDLE, 200, "", COUNT),
        // Redirects are never followed on a write.
        (POST, 301, "", Hold(Cure::Redirect)),
        (PUT, 302, "html", Hold(Cure::Redirect)),
        (BUNDLE, 307, "", Hold(Cure::Redirect)),
        (BUNDLE, 308, "", Hold(Cure::Redirect)),
        // The way there.
        (PUT, 408, "", WAIT),
        (PUT, 429, "throttled", WAIT),
        (BUNDLE, 429, "html", WAIT),
        (PUT, 502, "html", WAIT),
        (BUNDLE, 502, "transient", WAIT),
        (PUT, 503, "", WAIT),
        (PUT, 504, "html", WAIT),
        // athenahealth limits rates by 403.
        (PUT, 403, "throttled", WAIT),
        // 5xx with children of `transient`.
        (PUT, 500, "transient", AGAIN),
        (PUT, 500, "lock-error", AGAIN),
        (PUT, 500, "no-store", AGAIN),
        (PUT, 500, "exception", AGAIN),
        (PUT, 500, "timeout", AGAIN),
        (PUT, 500, "incomplete", AGAIN),
        (PUT, 507, "no-store", AGAIN),
        // 500 without a word counts.
        (PUT, 500, "", COUNT),
        (PUT, 500, "html", COUNT),
        (BUNDLE, 500, "html", COUNT),
        (PUT, 500, "processing", COUNT),
        (PUT, 501, "html", COUNT),
        (PUT, 505, "", COUNT),
        // Not FHIR: credentials, never the reading.
        (PUT, 400, "html", Hold(Cure::Credentials)),
        (PUT, 400, "", Hold(Cure::Credentials)),
        (PUT, 400, r#"{"error":"bad"}"#, Hold(Cure::Credentials)),
        (PUT, 401, "html", Hold(Cure::Credentials)),
        (PUT, 403, "html", Hold(Cure::Credentials)),
        (PUT, 407, "html", Hold(Cure::Credentials)),
        (PUT, 495, "html", Hold(Cure::Credentials)),
        (PUT, 496, "html", Hold(Cure::Credentials)),
        (BUNDLE, 400, "html", Hold(Cure::Credentials)),
        (BUNDLE, 403, "", Hold(Cure::Credentials)),
        (PUT, 404, "html", Hold(Cure::BaseUrl)),
        (BUNDLE, 404, "html", Hold(Cure::BaseUrl)),
        (BUNDLE, 405, "html", Hold(Cure::BaseUrl)),
        (PUT, 422, "html", COUNT),
        (PUT, 415, "", COUNT),
        // The record speaks of us.
        (PUT, 401, "login", Hold(Cure::Credentials)),
        (PUT, 401, "expired", Hold(Cure::Credentials)),
        (PUT, 400, "security", Hold(Cure::Permission)),
        (PUT, 400, "login", Hold(Cure::Permission)),
        (PUT, 400, "unknown", Hold(Cure::Permission)),
        (PUT, 403, "forbidden", Hold(Cure::Permission)),
        (PUT, 403, "suppressed", Hold(Cure::Permission)),
        (PUT, 403, "processing", Hold(Cure::Permission)),
        (BUNDLE, 403, "forbidden", Hold(Cure::Permission)),
        // Final for this reading.
        (PUT, 400, "invalid", US),
        (PUT, 400, "structure", US),
        (PUT, 422, "required", US),
        (PUT, 422, "value", US),
        (PUT, 422, "invariant", US),
        (POST, 400, "code-invalid", US),
        (POST, 422, "extension", US),
        (POST, 422, "processing", RECORD),
        (POST, 422, "business-rule: the encounter is closed", RECORD),
        (POST, 400, "not-supported", RECORD),
        (POST, 400, "a-code-of-tomorrow", RECORD),
        (POST, 400, r#"{"resourceType":"OperationOutcome","issue":[]}"#, RECORD),
        // The largest of several issues stands.
        (
            POST,
            422,
            r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"duplicate"},
            {"severity":"error","code":"required"}]}"#,
            US,
        ),
        // A warning beside is none.
        (
            POST,
            422,
            r#"{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"security"},
            {"severity":"error","code":"business-rule"}]}"#,
            RECORD,
        ),
        // In a bundle nobody knows whose fault it is.
        (BUNDLE, 400, "invalid", Split),
        (BUNDLE, 400, "processing", Split),
        (BUNDLE, 422, "value", Split),
        (BUNDLE, 400, HAPI_1094, Split),
        (BUNDLE, 412, "multiple-matches", Split),
        (BUNDLE, 400, "duplicate", Split),
        (BUNDLE, 404, "not-found", Split),
        (BUNDLE, 405, "not-supported", Split),
        (BUNDLE, 501, "not-supported", Split),
        (BUNDLE, 400, "throttled", COUNT),
        // Too much at once; one that is too large alone.
        (BUNDLE, 413, "html", Split),
        (BUNDLE, 413, "too-long", Split),
        (BUNDLE, 400, AZURE, Split),
        (BUNDLE, 400, "too-costly", Split),
        (PUT, 413, "too-long", US),
        (PUT, 413, "html", US),
        (PUT, 400, "too-long", US),
        (PUT, 400, AZURE, US),
        // Whose record: held, never re-targeted.
        (PUT, 404, "not-found: Patient/nobody", Identity),
        (PUT, 400, HAPI_1094, Identity),
        (POST, 422, "not-found: Unknown patient", Identity),
        (
            POST,
            422,
            r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-found",
            "expression":["Observation.subject"]}]}"#,
            Identity,
        ),
        (
            POST,
            400,
            "processing: Resource Patient/7 is deleted, specified in path: Observation.subject",
            Identity,
        ),
        // The tag of US Core is no person.
        (POST, 422, "code-invalid: Unknown code 'patient-supplied'", US),
        (POST, 422, "value: unknown code patient-supplied in Observation.meta.tag", US),
        // Something else that it refers to.
        (PUT, 400, "not-found: Resource Device/d not found, specified in path: Observation.device", COUNT),
        // No door.
        (PUT, 404, "not-supported", Hold(Cure::BaseUrl)),
        (PUT, 404, "not-found: Unknown resource type 'Observation'", Hold(Cure::BaseUrl)),
        (PUT, 405, "not-supported", Hold(Cure::ClientIds)),
        (POST, 405, "not-supported", Hold(Cure::BaseUrl)),
        // There already.
        (POST, 409, "duplicate", Accept(Duplicate)),
        (POST, 422, "duplicate", Accept(Duplicate)),
        (ONCE, 412, "multiple-matches", Accept(DuplicatesAtRecord)),
        (ONCE, 412, "processing: matched 2 resources", Accept(DuplicatesAtRecord)),
        (ONCE, 412, "html", Accept(DuplicatesAtRecord)),
        (PUT, 412, "multiple-matches", Accept(DuplicatesAtRecord)),
        (PUT, 410, "deleted", Accept(DeletedAtRecord)),
        (PUT, 410, "html", COUNT),
        // Somebody was first.
        (PUT, 409, "conflict", Conflict),
        (PUT, 409, "html", Conflict),
        (AMEND, 409, "processing", Conflict),
        (AMEND, 412, "processing", Conflict),
        (PUT, 412, "", Conflict),
        (POST, 422, "conflict", Conflict),
        (BUNDLE, 409, "conflict", Conflict),
        // A refusal that may pass, yet not for ever.
        (PUT, 400, "timeout", COUNT),
        (PUT, 422, "lock-error", COUNT),
        // No HTTP that anybody knows.
        (PUT, 0, "", COUNT),
        (PUT, 199, "", COUNT),
        (PUT, 600, "html", COUNT),
        (PUT, 999, "value", COUNT),
    ];
    for (asked, status, said, verdict) in rows {
        check(*asked, *status, said, *verdict);
    }
}

#[test]
fn a_place_makes_a_success_of_any_body() {
    for (asked, verdict) in [(POST, Accept(Written)), (PUT, Accept(Written))] {
        for said in ["html", "", "value: a complaint"] {
            let answer = Answer {
                location: Some("https://ehr.example/fhir/Observation/7/_history/1".into()),
                ..Answer::new(201, Body::parse(body(said).as_bytes()))
            };
            assert_eq!(judge(asked, &Receipt::Answer(answer)), verdict, "{asked:?} {said}");
        }
    }
}

#[test]
fn retry_after_goes_with_the_verdict() {
    for status in [429, 503, 500] {
        let answer = Answer { retry_after: Some(Duration::from_secs(7)), ..Answer::new(status, Body::Empty) };
        let Verdict::Retry { after, .. } = judge(PUT, &Receipt::Answer(answer)) else { panic!("{status}") };
        assert_eq!(after, Some(Duration::from_secs(7)), "{status}");
    }
}

#[test]
fn the_table_of_silence() {
    use Transport::*;
    let rows: &[(Transport, Verdict, bool)] = &[
        (Dns("no such host".into()), WAIT, false),
        (Connect("refused".into()), WAIT, false),
        (Cut { sent: Sent::No, said: "reset".into() }, WAIT, false),
        (Cut { sent: Sent::Maybe, said: "reset".into() }, WAIT, true),
        (Timeout { sent: Sent::No }, WAIT, false),
        (Timeout { sent: Sent::Maybe }, WAIT, true),
        (TooLarge, COUNT, true),
        (Garbled("SSH-2.0".into()), COUNT, true),
        (Tls(TlsFault::Ours("a file".into())), Hold(Cure::OurFiles), false),
        (Tls(TlsFault::OursRefused("certificate required".into())), Hold(Cure::OurCertificate), false),
        (Tls(TlsFault::NotTrusted), Hold(Cure::Trust), false),
        (Tls(TlsFault::NameMismatch("other.example".into())), Hold(Cure::ServerName), false),
        (Tls(TlsFault::ServerExpired), Hold(Cure::ServerCertificate), false),
        (Tls(TlsFault::ServerNotYetValid), Hold(Cure::ServerCertificate), false),
        (Tls(TlsFault::Other("handshake failure".into())), WAIT, false),
    ];
    for (transport, verdict, in_doubt) in rows {
        let receipt = Receipt::Transport(transport.clone());
        assert_eq!(judge(PUT, &receipt), *verdict, "{transport:?}");
        assert_eq!(receipt.in_doubt(), *in_doubt, "{transport:?}");
    }
    assert_eq!(judge(BUNDLE, &Receipt::Transport(TooLarge)), Split);
}

#[test]
fn what_reading_shows() {
    let read =
        |status, said: &str| found(&Receipt::Answer(Answer::new(status, Body::parse(body(said).as_bytes()))));
    assert_eq!(read(200, OBSERVATION), Found::Present(serde_json::from_str(OBSERVATION).unwrap()));
    assert_eq!(read(404, "not-found"), Found::Absent);
    assert_eq!(read(410, "deleted"), Found::Gone);
    // A page by somebody else is no empty record.
    assert_eq!(read(404, "html"), Found::Refused(Hold(Cure::BaseUrl)));
    assert_eq!(read(404, ""), Found::Refused(Hold(Cure::BaseUrl)));
    assert_eq!(read(410, "html"), Found::Refused(COUNT));
    assert_eq!(read(200, "html"), Found::Refused(Hold(Cure::Portal)));
    assert_eq!(read(200, "value"), Found::Refused(US));
    assert_eq!(read(400, "html"), Found::Refused(Hold(Cure::Credentials)));
    assert_eq!(read(503, ""), Found::Refused(WAIT));
    assert_eq!(found(&Receipt::Transport(Transport::TooLarge)), Found::Refused(COUNT));
}

proptest! {
    /// Nothing from outside makes any of this panic, and nothing but FHIR can end a reading's journey.
    #[test]
    fn no_answer_panics(status in any::<u16>(), octets in prop::collection::vec(any::<u8>(), 0..64), which in 0usize..6) {
        let asked = [PUT, AMEND, POST, ONCE, BUNDLE, Asked::Read][which];
        let receipt = Receipt::Answer(Answer::new(status, Body::parse(&octets)));
        let verdict = judge(asked, &receipt);
        prop_assert!(receipt.to_string().len() < 3_000);
        prop_assert!(!matches!(verdict, Verdict::Park(_)) || status == 413);
        found(&receipt);
    }
}
