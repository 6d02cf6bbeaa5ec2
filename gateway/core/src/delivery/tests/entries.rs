use super::super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn observation(id: &'static str) -> Line<'static> {
    Line { kind: "Observation", id: Some(id), identifier: Some(id), full_url: None }
}

/// A new resource, whose id the record chooses.
fn unnamed(identifier: &'static str) -> Line<'static> {
    Line { kind: "Observation", id: None, identifier: Some(identifier), full_url: None }
}

fn at(status: &str, location: &str) -> Value {
    json!({"response": {"status": status, "location": location}})
}

fn bare(status: &str) -> Value {
    json!({"response": {"status": status}})
}

/// The one door for entries: what each line got, by status; `0` is "nothing that can be believed".
fn matched(lines: &[Line<'_>], said: &[Value], expect: &[u16]) {
    let bundle = json!({"resourceType": "Bundle", "type": "batch-response", "entry": said});
    let got: Vec<u16> = entries(lines, &bundle).iter().map(|a| a.as_ref().map_or(0, |a| a.status)).collect();
    assert_eq!(got, expect, "{bundle}");
}

#[test]
fn entries_are_matched_by_name_before_place() {
    let abc = [observation("a"), observation("b"), observation("c")];
    // As asked; relative, absolute, with history; words or none.
    matched(
        &abc,
        &[
            at("201 Created", "Observation/a/_history/1"),
            at("200", "https://ehr.example/fhir/Observation/b"),
            bare("400 Bad Request"),
        ],
        &[201, 200, 400],
    );
    // All without a name: in order.
    matched(&abc, &[bare("201"), bare("400"), bare("201")], &[201, 400, 201]);
    // Reordered: the named are found; the nameless one might be anybody's.
    matched(
        &abc,
        &[at("201", "Observation/c"), bare("400"), at("200", "Observation/a/_history/3")],
        &[200, 0, 201],
    );
    // Short.
    matched(&abc, &[at("201", "Observation/a"), bare("400")], &[201, 0, 0]);
    matched(&abc, &[], &[0, 0, 0]);
    // Long: an answer nobody asked for makes the nameless ones suspect.
    matched(&abc, &[bare("201"), bare("201"), bare("201"), bare("201")], &[0, 0, 0]);
    // A stranger where our own id was asked for.
    matched(&abc, &[at("201", "Observation/z"), bare("201"), bare("201")], &[0, 0, 0]);
    // The same name twice: the first stands, the other's place is not believed.
    matched(&abc, &[at("201", "Observation/a"), at("400", "Observation/a"), bare("201")], &[201, 0, 0]);
    // By the resource that came back, by our identifier, by fullUrl.
    let named =
        [observation("a"), unnamed("key-b"), Line { full_url: Some("urn:uuid:7"), ..unnamed("key-c") }];
    matched(
        &named,
        &[
            json!({"fullUrl": "urn:uuid:7", "response": {"status": "422"}}),
            json!({"resource": {"resourceType": "Observation", "id": "991", "identifier": [{"value": "key-b"}]},
                "response": {"status": "201 Created"}}),
            json!({"resource": {"resourceType": "Observation", "id": "a"}, "response": {"status": "200 OK"}}),
        ],
        &[200, 201, 422],
    );
    // Ids that the record chose: new ones are nobody's, and their place is believed where all are there.
    let new = [unnamed("x"), unnamed("y")];
    matched(&new, &[at("201", "Observation/1"), at("201", "Observation/2")], &[201, 201]);
    matched(&new, &[at("201", "Observation/1")], &[0, 0]);
    matched(&new, &[at("201", "Observation/1"), at("201", "Device/2")], &[0, 0]);
}

#[test]
fn an_entry_without_a_status_says_nothing() {
    let one = [observation("a")];
    for said in [
        json!({}),
        json!({"response": {}}),
        json!({"response": {"status": 201}}),
        json!({"response": {"status": ""}}),
        json!({"response": {"status": "OK"}}),
        json!({"response": {"status": "é01"}}),
        json!("entry"),
    ] {
        matched(&one, &[said], &[0]);
    }
    matched(&one, &[json!({"response": {"status": " 201 Created"}})], &[201]);
    assert_eq!(entries(&one, &json!({"entry": "none"})), [None]);
}

#[test]
fn an_entry_is_the_records_own_word() {
    // Without an outcome, 400 in a Bundle is still FHIR: this reading, not our credentials.
    let bundle = json!({"resourceType": "Bundle", "entry": [bare("400"), bare("404"),
        {"response": {"status": "400", "outcome": {"resourceType": "OperationOutcome",
            "issue": [{"severity": "error", "code": "value"}]}}},
        {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "value"}]},
            "response": {"status": "400"}}]});
    let lines = [observation("a"), observation("b"), observation("c"), observation("d")];
    let answers: Vec<Receipt> =
        entries(&lines, &bundle).into_iter().map(|a| Receipt::Answer(a.unwrap())).collect();
    assert_eq!(judge(Asked::Put, &answers[0]), Verdict::Park(PointsAt::Record));
    assert_eq!(found(&answers[1]), Found::Absent);
    assert_eq!(judge(Asked::Put, &answers[2]), Verdict::Park(PointsAt::Us));
    assert_eq!(judge(Asked::Put, &answers[3]), Verdict::Park(PointsAt::Us));
}

#[test]
fn places() {
    let rows = [
        ("Observation/7", Some("Observation/7")),
        ("/fhir/Observation/7/_history/2", Some("Observation/7")),
        ("https://ehr.example/fhir/r4/Observation/a-b.c", Some("Observation/a-b.c")),
        ("https://ehr.example/fhir/Observation/7?x=Patient/9", Some("Observation/7")),
        ("Observation/7/", Some("Observation/7")),
        ("https://ehr.example", None),
        ("/fhir/7", None),
        ("Observation/", None),
        ("Observation/sp ace", None),
        ("", None),
    ];
    for (location, expect) in rows {
        assert_eq!(answer::place(location).as_deref(), expect, "{location}");
    }
}

proptest! {
    #[test]
    fn no_bundle_panics(codes in prop::collection::vec(("[0-9]{0,4}", "[A-Za-z/_]{0,20}"), 0..6)) {
        let said: Vec<Value> = codes.iter().map(|(status, location)| at(status, location)).collect();
        let bundle = json!({"resourceType": "Bundle", "entry": said});
        prop_assert_eq!(entries(&[observation("a"), unnamed("b")], &bundle).len(), 2);
    }
}
