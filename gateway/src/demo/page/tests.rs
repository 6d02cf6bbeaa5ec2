//! What a browser gets.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::demo::pki::{self, Pki};
use crate::demo::play::Kept;
use crate::demo::record::Behaviour;
use crate::scratch::Scratch;
use crate::{clock, tls};
use http_body_util::BodyExt;
use serde_json::{Value, json};

const SCRIPT: &str = "<script>alert('x')</script>";

fn record() -> Record {
    let scratch = Scratch::new("page").unwrap();
    let pki = Pki::create(scratch.folder(), clock::now()).unwrap();
    let acceptor = tls::server(&pki.files(pki::SERVER), clock::now()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let record = runtime.block_on(Record::bind(acceptor, Behaviour::default())).unwrap();
    record.write(json!({ "resourceType": "Patient", "id": "ada", "name": [{ "family": "Example" }] }));
    record
}

fn observation(id: &str, taken: &str, more: &Value) -> Value {
    let mut made = json!({
        "resourceType": "Observation", "id": id, "status": "final", "subject": { "reference": "Patient/ada" },
        "code": { "text": id }, "effectiveDateTime": taken,
    });
    made.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made
}

fn page(record: &Record) -> Page {
    let kept = Kept {
        device: SCRIPT.into(),
        note: SCRIPT.into(),
        why: SCRIPT.into(),
        helps: format!("hearth held --close 1 {SCRIPT}"),
    };
    Page::new(Shown {
        counts: vec![("heard".into(), "3".into())],
        faults: vec![SCRIPT.into()],
        held_back: HeldBack { held: vec![kept.clone()], refused: vec![kept] },
        refused_for: vec![(SCRIPT.into(), SCRIPT.into())],
        record: record.clone(),
    })
}

fn body(response: Response<Full<Bytes>>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let octets = runtime.block_on(response.into_body().collect()).unwrap().to_bytes();
    String::from_utf8(octets.to_vec()).unwrap()
}

fn get(record: &Record, path: &str) -> String {
    body(page(record).answer(&Method::GET, path))
}

/// The text of the record's page with one Observation in it.
fn shows(more: &Value) -> String {
    let record = record();
    record.write(observation("o", "2026-05-12T18:53:54-04:00", more));
    get(&record, "/")
}

#[test]
fn a_record_is_text_and_never_markup() {
    let said = json!({ "text": SCRIPT });
    let record = record();
    record.write(json!({ "resourceType": "Patient", "id": "eve", "name": [{ "family": SCRIPT }] }));
    record.write(json!({ "resourceType": "Device", "id": "d", "deviceName": [{ "name": SCRIPT }] }));
    for (id, subject) in [("o", "Patient/eve".to_owned()), (SCRIPT, format!("Patient/{SCRIPT}"))] {
        record.write(json!({
            "resourceType": "Observation", "id": id, "status": SCRIPT, "subject": { "reference": subject },
            "code": said, "effectiveDateTime": SCRIPT, "device": { "reference": "Device/d" }, "note": [said, said],
            "interpretation": [said], "valueQuantity": { "value": 1, "unit": SCRIPT, "comparator": SCRIPT },
            "component": [{ "code": said, "valueString": SCRIPT }, { "code": said, "dataAbsentReason": said }],
        }));
    }
    for path in ["/", "/Observation/o", "/Device/d", "/Patient/eve", &format!("/Observation/{SCRIPT}")] {
        let text = get(&record, path);
        assert!(!text.contains("<script"), "{path}: {text}");
        assert!(text.contains("&lt;script&gt;"), "{path}: {text}");
        assert!(!text.contains("href=\"javascript"), "{path}: {text}");
    }
}

#[test]
fn values_stand_as_the_record_has_them() {
    let digits: serde_json::Number = "61.370".parse().unwrap();
    let absent = json!({ "coding": [{ "code": "not-a-number", "display": "Not a Number (NaN)" }] });
    for (more, wanted) in [
        (json!({ "valueQuantity": { "value": digits, "unit": "kg" } }), "61.370\u{a0}kg<"),
        (
            json!({ "valueQuantity": { "value": 600, "comparator": ">", "unit": "mg/dL" } }),
            "&gt;600\u{a0}mg/dL<",
        ),
        (json!({ "valueQuantity": { "value": 7, "code": "{score}" } }), "7\u{a0}{score}<"),
        (json!({ "valueCodeableConcept": { "text": "after meal" } }), "after meal<"),
        (json!({ "valueBoolean": true }), ">yes<"),
        (json!({ "valueInteger": 12 }), ">12<"),
        (json!({ "valueRange": { "low": { "value": 1 } } }), "{&quot;low&quot;:{&quot;value&quot;:1}}<"),
        (json!({ "dataAbsentReason": absent }), "no value: Not a Number (NaN)<"),
        (json!({}), ">no value<"),
        (
            json!({ "component": [{ "code": { "text": "Systolic" }, "valueQuantity": { "value": 124, "unit": "mm[Hg]" } }] }),
            "Systolic: <span class=\"value\">124\u{a0}mm[Hg]<",
        ),
        (json!({ "note": [{ "text": "first" }, { "text": "second" }] }), "<li>first</li><li>second</li>"),
        (json!({ "interpretation": [{ "coding": [{ "code": "Q" }] }] }), "interpretation: Q<"),
        (json!({ "effectiveDateTime": "2026-05-12T18:53:54-04:00" }), ">2026-05-12 18:53:54 -04:00<"),
        (json!({ "effectiveDateTime": "2026-05-12T18:53:54Z" }), ">2026-05-12 18:53:54 Z<"),
        (json!({ "effectiveDateTime": "2026-05" }), ">2026-05<"),
    ] {
        let text = shows(&more);
        assert!(text.contains(wanted), "{more}: {wanted} in {text}");
    }
}

#[test]
fn a_link_leads_nowhere_else() {
    for reference in ["/example.org/x", "https://example.org/Device/x", "javascript:alert(1)", "Group/x"] {
        let text = shows(&json!({ "device": { "reference": reference } }));
        assert!(text.contains(&format!("\"Device\">{reference}</td>")), "{text}");
    }
    assert!(shows(&json!({ "device": { "reference": "Device/x" } })).contains("<a href=\"/Device/x\">"));
}

#[test]
fn what_was_entered_in_error_says_so_in_words() {
    let weight = json!({ "value": 80, "unit": "kg" });
    let text = shows(&json!({ "status": "entered-in-error", "valueQuantity": weight }));
    let wanted = "Entered in error, no reading:</p><del><span class=\"value\">80\u{a0}kg</span></del>";
    assert!(text.contains(wanted) && text.contains(">entered-in-error<"), "{text}");
    assert!(!shows(&json!({ "valueQuantity": weight })).contains("<del>"));
}

/// CLINICAL 3: by time alone, and what belongs to a measurement behind it; whatever the values are.
#[test]
fn clinical_3_no_order_by_value() {
    let record = record();
    let value = |n: u32| json!({ "valueQuantity": { "value": n, "unit": "u" } });
    let part = |n: u32, of: &str| json!({ "valueQuantity": { "value": n, "unit": "u" }, "derivedFrom": [{ "reference": format!("Observation/{of}") }] });
    // Earlier by the instant, though its local time is later.
    record.write(observation("z-first", "2026-05-12T12:00:00+02:00", &value(900)));
    record.write(observation("a-second", "2026-05-12T11:00:00Z", &value(1)));
    record.write(observation("b-of-first", "2026-05-12T12:00:00+02:00", &part(5, "z-first")));
    record.write(observation("c-third", "2026-05-12T11:00:01Z", &value(500)));
    let text = get(&record, "/");
    let at = |what: &str| text.find(&format!("scope=\"row\">{what}<")).unwrap();
    let order = ["z-first", "b-of-first", "a-second", "c-third"].map(at);
    assert!(order.is_sorted(), "{order:?}");
    assert!(text.contains("b-of-first<span class=\"belongs\">belongs to: z-first<"));
}

#[test]
fn it_says_what_it_is_and_what_the_hub_kept() {
    let text = shows(&json!({}));
    for wanted in [
        "<html lang=\"en\">",
        "The people are made up.",
        "Not watched live; in an emergency call your emergency number.",
        "hearth held --close 1",
        "<dt>heard</dt><dd>3</dd>",
        "scope=\"col\"",
        "scope=\"row\"",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
    assert!(!text.contains("style=") && !text.contains("src=") && !text.contains("//"), "{text}");
}

#[test]
fn every_version_stands_on_the_page_of_its_resource() {
    let record = record();
    let digits: serde_json::Number = "79.960".parse().unwrap();
    let weight = json!({ "valueQuantity": { "value": digits, "unit": "kg" } });
    record.write(observation("o", "2026-05-12T18:53:54-04:00", &weight));
    record.write(observation("o", "2026-05-12T18:53:54-04:00", &json!({ "status": "entered-in-error" })));
    assert!(get(&record, "/").contains("<a class=\"json\" href=\"/Observation/o\">2 (JSON)<"));
    record.delete("Observation", "o");
    let text = get(&record, "/Observation/o");
    let headings = ["<h2>Version 3</h2><p>Deleted.", "<h2>Version 2</h2><pre>", "<h2>Version 1</h2><pre>"];
    let places = headings.map(|heading| text.find(heading).unwrap());
    assert!(places.is_sorted());
    assert!(text.contains("&quot;value&quot;: 79.960,\n"), "pretty, digit by digit: {text}");
    assert!(get(&record, "/").contains("Deleted from the record:</p><del>"));
}

#[test]
fn answers_by_method_and_path() {
    let record = record();
    let page = page(&record);
    for (method, path, status) in [
        (Method::GET, "/", 200),
        (Method::HEAD, "/", 200),
        (Method::GET, "/style.css", 200),
        (Method::GET, "/Patient/ada", 200),
        (Method::GET, "/Patient/ada/", 404),
        (Method::GET, "/Patient", 404),
        (Method::GET, "/Observation/ada", 404),
        (Method::GET, "/Provenance/ada", 404),
        (Method::GET, "//etc/passwd", 404),
        (Method::GET, "", 404),
        (Method::POST, "/", 405),
        (Method::DELETE, "/Patient/ada", 405),
        (Method::OPTIONS, "*", 405),
    ] {
        let answer = page.answer(&method, path);
        let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(header("allow").is_some(), status == 405, "{method} {path}");
        let policy = header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self';") && !policy.contains("unsafe"));
        assert_eq!(header("x-content-type-options").unwrap(), "nosniff");
    }
}
