//! The record as a judge of the rest: what it must get right for a checker to rely on it.
#![allow(clippy::unwrap_used)]

use super::chart::Chart;
use super::rest::{self, Request};
use super::{Behaviour, Refuse};
use serde_json::{Value, json};
use std::sync::Arc;

struct Desk {
    chart: Chart,
    behaviour: Behaviour,
}

impl Desk {
    fn new(change: impl FnOnce(&mut Behaviour)) -> Desk {
        let mut behaviour = Behaviour::default();
        change(&mut behaviour);
        Desk { chart: Chart::default(), behaviour }
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.request(Request { body, ..request(method, path) })
    }

    fn request(&mut self, request: Request) -> (u16, Value) {
        let reply = rest::answer(&mut self.chart, &self.behaviour, &request);
        (reply.status, reply.body.unwrap_or_default())
    }

    /// Statuses of the entries of a batch or transaction, or the status of its refusal.
    fn bundle(&mut self, kind: &str, entries: Value) -> Vec<String> {
        let (status, body) =
            self.ask("POST", "", Some(json!({"resourceType": "Bundle", "type": kind, "entry": entries})));
        match body["entry"].as_array() {
            Some(entries) => {
                entries.iter().map(|entry| entry["response"]["status"].as_str().unwrap().into()).collect()
            }
            None => vec![status.to_string()],
        }
    }

    fn versions(&self, kind: &str, id: &str) -> usize {
        self.chart.history(&(kind.into(), id.into())).len()
    }
}

fn request(method: &str, path: &str) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Request { method: method.into(), path: path.into(), query: rest::query(query), ..Request::default() }
}

fn observation(id: &str) -> Value {
    json!({"resourceType": "Observation", "id": id, "subject": {"reference": "Patient/p"},
        "identifier": [{"system": "urn:x", "value": format!("key-{id}")}]})
}

fn nameless(value: &str) -> Value {
    json!({"resourceType": "Observation", "identifier": [{"system": "urn:x", "value": value}]})
}

fn entry(method: &str, url: &str, resource: Value) -> Value {
    json!({"resource": resource, "request": {"method": method, "url": url}})
}

#[test]
fn it_is_blind() {
    let mut desk = Desk::new(|_| {});
    // The same PUT twice makes two versions, the same POST two resources.
    assert_eq!(desk.ask("PUT", "Observation/a", Some(observation("a"))).0, 201);
    assert_eq!(desk.ask("PUT", "Observation/a", Some(observation("a"))).0, 200);
    assert_eq!(desk.versions("Observation", "a"), 2);
    for _ in 0..2 {
        assert_eq!(desk.ask("POST", "Observation", Some(nameless("same"))).0, 201);
    }
    // A condition is ignored.
    let once = Request {
        if_none_exist: Some("identifier=urn:x|same".into()),
        body: Some(nameless("same")),
        ..request("POST", "Observation")
    };
    assert_eq!(desk.request(once).0, 201);
    assert_eq!(desk.ask("GET", "Observation?identifier=urn:x|same", None).1["total"], 3);
}

#[test]
fn reading_deleting_and_history() {
    let mut desk = Desk::new(|_| {});
    assert_eq!(desk.ask("GET", "Observation/a", None).0, 404);
    desk.ask("PUT", "Observation/a", Some(observation("a")));
    assert_eq!(desk.ask("GET", "Observation/a", None).1["meta"]["versionId"], "1");
    assert_eq!(desk.ask("DELETE", "Observation/a", None).0, 204);
    assert_eq!(desk.ask("GET", "Observation/a", None).0, 410);
    assert_eq!(desk.ask("GET", "Observation?_id=a,b", None).1["total"], 0);
    // A PUT brings it back, as with HAPI.
    assert_eq!(desk.ask("PUT", "Observation/a", Some(observation("a"))).0, 201);
    assert_eq!(desk.ask("GET", "Observation/a/_history", None).1["entry"].as_array().unwrap().len(), 3);
    assert_eq!(desk.ask("GET", "Observation/a/_history/1", None).0, 200);
    assert_eq!(desk.ask("GET", "Observation/a/_history/2", None).0, 410);
    assert_eq!(desk.ask("GET", "Observation/a/_history/9", None).0, 404);
    assert_eq!(desk.ask("DELETE", "Observation/never", None).0, 404);
    assert_eq!(desk.ask("PATCH", "Observation/a", None).0, 405);
}

#[test]
fn conditions_where_they_are_honoured() {
    let mut desk = Desk::new(|behaviour| behaviour.conditional = true);
    let once = |value: &str| Request {
        if_none_exist: Some(format!("identifier=urn:x|{value}")),
        body: Some(nameless(value)),
        ..request("POST", "Observation")
    };
    assert_eq!(desk.request(once("k")).0, 201);
    assert_eq!(desk.request(once("k")).0, 200);
    assert_eq!(desk.request(once("other")).0, 201);
    desk.ask("POST", "Observation", Some(nameless("k")));
    assert_eq!(desk.request(once("k")).0, 412);
    let entries = json!([{"resource": nameless("n"),
        "request": {"method": "POST", "url": "Observation", "ifNoneExist": "identifier=urn:x|n"}}]);
    assert_eq!(desk.bundle("transaction", entries.clone()), ["201 Created"]);
    assert_eq!(desk.bundle("transaction", entries), ["200 OK"]);
}

#[test]
fn if_match_guards_a_version() {
    let mut desk = Desk::new(|_| {});
    desk.ask("PUT", "Observation/a", Some(observation("a")));
    let amend = |version: &str| Request {
        if_match: Some(format!("W/\"{version}\"")),
        body: Some(observation("a")),
        ..request("PUT", "Observation/a")
    };
    assert_eq!(desk.request(amend("7")).0, 412);
    assert_eq!(desk.request(amend("1")).0, 200);
    assert_eq!(desk.request(amend("1")).0, 412);
    assert_eq!(desk.versions("Observation", "a"), 2);
}

#[test]
fn a_batch_is_answered_one_by_one_a_transaction_all_or_nothing() {
    let refuse =
        |resource: &Value| (resource["id"] == "bad").then(|| (422, "value".to_owned(), "no".to_owned()));
    let three = json!([
        entry("PUT", "Observation/a", observation("a")),
        entry("PUT", "Observation/bad", observation("bad")),
        entry("PUT", "Observation/c", observation("c")),
    ]);
    let mut desk = Desk::new(|behaviour| behaviour.refuse = Some(Refuse(Arc::new(refuse))));
    assert_eq!(desk.bundle("transaction", three.clone()), ["422"]);
    assert_eq!(desk.versions("Observation", "a"), 0);
    assert_eq!(desk.bundle("batch", three), ["201 Created", "422", "201 Created"]);
    assert_eq!(desk.versions("Observation", "a"), 1);
    let reads = json!([
        {"request": {"method": "GET", "url": "Observation/a"}},
        {"request": {"method": "GET", "url": "Observation/x"}},
    ]);
    assert_eq!(desk.bundle("batch", reads), ["200 OK", "404 Not Found"]);
    assert_eq!(desk.bundle("searchset", json!([])), ["400"]);
}

#[test]
fn a_transaction_resolves_its_own_names() {
    let mut desk = Desk::new(|_| {});
    let device = json!({"fullUrl": "urn:uuid:d", "resource": {"resourceType": "Device"},
        "request": {"method": "POST", "url": "Device"}});
    let head = json!({"fullUrl": "urn:uuid:o", "resource": {"resourceType": "Observation",
        "device": {"reference": "urn:uuid:d"}}, "request": {"method": "POST", "url": "Observation"}});
    assert_eq!(desk.bundle("transaction", json!([device, head])), ["201 Created", "201 Created"]);
    let found = desk.ask("GET", "Observation", None).1;
    assert_eq!(found["entry"][0]["resource"]["device"]["reference"], "Device/1");
}

#[test]
fn it_differs_where_it_is_told_to() {
    let mut desk = Desk::new(|behaviour| {
        *behaviour = Behaviour {
            patients: Some(["p".to_owned()].into()),
            update_create: false,
            words: false,
            most_entries: 1,
            capability: false,
            ..Behaviour::default()
        }
    });
    assert_eq!(desk.ask("PUT", "Observation/a", Some(observation("a"))).0, 405);
    assert_eq!(desk.bundle("batch", json!([entry("POST", "Observation", observation("a"))])), ["201"]);
    assert_eq!(desk.bundle("batch", json!([{}, {}])), ["400"]);
    assert_eq!(desk.ask("GET", "metadata", None).1["resourceType"], "Bundle");
    let stranger = json!({"resourceType": "Observation", "subject": {"reference": "Patient/nobody"}});
    let (status, body) = desk.ask("POST", "Observation", Some(stranger));
    assert_eq!((status, body["issue"][0]["code"].as_str()), (400, Some("processing")));
    let mut desk = Desk::new(|behaviour| behaviour.bundles = false);
    assert_eq!(desk.bundle("batch", json!([])), ["422"]);
    assert_eq!(desk.ask("GET", "metadata", None).1["rest"][0]["interaction"], json!([]));
}

#[test]
fn what_is_no_resource_is_refused() {
    let mut desk = Desk::new(|_| {});
    assert_eq!(desk.ask("POST", "Observation", None).0, 400);
    assert_eq!(desk.ask("POST", "Observation", Some(json!({"resourceType": "Device"}))).0, 400);
    assert_eq!(desk.ask("PUT", "Observation/a", Some(observation("b"))).0, 400);
    assert_eq!(desk.ask("POST", "", Some(json!([]))).0, 400);
}

#[test]
fn queries_are_decoded_as_servers_do() {
    let rows = [
        ("a=1&b=2", vec![("a", "1"), ("b", "2")]),
        ("identifier=urn%3Ax%7Ck", vec![("identifier", "urn:x|k")]),
        ("v=1+2%2B3", vec![("v", "1 2+3")]),
        ("v=%zz%4", vec![("v", "%zz%4")]),
        ("lonely", vec![("lonely", "")]),
        ("", vec![]),
    ];
    for (text, expect) in rows {
        let got = rest::query(text);
        let got: Vec<(&str, &str)> =
            got.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(got, expect, "{text}");
    }
}
