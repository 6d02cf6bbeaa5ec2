//! The RESTful API of FHIR R4, as far as a hub meets it. Pure: a request and a chart in, an answer out.

use super::Behaviour;
use super::chart::{Chart, Place};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A request below the base URL.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query: `Observation/abc`.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_exist: Option<String>,
    pub(crate) body: Option<Value>,
}

/// An answer, before it is HTTP.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Below the base URL, with `_history`.
    pub(crate) location: Option<String>,
    pub(crate) version: Option<u64>,
    pub(crate) body: Option<Value>,
}

impl Reply {
    fn bare(status: u16, body: Value) -> Reply {
        Reply { status, location: None, version: None, body: Some(body) }
    }

    fn refused(status: u16, code: &str, text: &str) -> Reply {
        Reply::bare(status, outcome(code, text))
    }

    fn stored(status: u16, chart: &Chart, place: &Place) -> Reply {
        let version = chart.current(place);
        let number = version.map(|version| version.number);
        Reply {
            status,
            location: number.map(|number| format!("{}/{}/_history/{number}", place.0, place.1)),
            version: number,
            body: version.and_then(|version| version.resource.clone()),
        }
    }
}

/// An OperationOutcome with one issue.
pub(crate) fn outcome(code: &str, text: &str) -> Value {
    json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": text}]})
}

/// Answers one request, and changes the chart where it says so.
pub(crate) fn answer(chart: &mut Chart, behaviour: &Behaviour, request: &Request) -> Reply {
    let parts: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    let place = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["metadata"]) => Reply::bare(200, capability(behaviour)),
        ("GET", [kind]) => Reply::bare(200, searchset(&chart.search(kind, &request.query))),
        ("GET", [kind, id]) => read(chart, &place(kind, id)),
        ("GET", [kind, id, "_history"]) => history(chart, &place(kind, id)),
        ("GET", [kind, id, "_history", number]) => vread(chart, &place(kind, id), number),
        ("DELETE", [kind, id]) => match chart.delete(&place(kind, id)) {
            Some(number) => Reply { status: 204, location: None, version: Some(number), body: None },
            None => Reply::refused(404, "not-found", "there is no such resource"),
        },
        ("PUT", [kind, id]) => put(chart, behaviour, request, place(kind, id)),
        ("POST", []) => bundle(chart, behaviour, request.body.as_ref()),
        ("POST", [kind]) => post(chart, behaviour, request, kind),
        _ => Reply::refused(405, "not-supported", "no such interaction"),
    }
}

fn read(chart: &Chart, place: &Place) -> Reply {
    match chart.current(place) {
        None => Reply::refused(404, "not-found", &format!("Resource {}/{} is not known", place.0, place.1)),
        Some(version) if version.resource.is_none() => Reply::refused(410, "deleted", "Resource was deleted"),
        Some(_) => Reply { location: None, ..Reply::stored(200, chart, place) },
    }
}

fn vread(chart: &Chart, place: &Place, number: &str) -> Reply {
    let version = chart.history(place).iter().find(|version| version.number.to_string() == number);
    match version {
        None => Reply::refused(404, "not-found", "there is no such version"),
        Some(version) => match &version.resource {
            None => Reply::refused(410, "deleted", "that version is a deletion"),
            Some(resource) => Reply { version: Some(version.number), ..Reply::bare(200, resource.clone()) },
        },
    }
}

fn history(chart: &Chart, place: &Place) -> Reply {
    let entries: Vec<Value> = chart.history(place).iter().rev().map(|version| match &version.resource {
        Some(resource) => json!({"resource": resource, "response": {"status": "200", "etag": etag(version.number)}}),
        None => json!({"request": {"method": "DELETE"}, "response": {"status": "204", "etag": etag(version.number)}}),
    }).collect();
    match entries.as_slice() {
        [] => Reply::refused(404, "not-found", "there is no such resource"),
        _ => Reply::bare(200, json!({"resourceType": "Bundle", "type": "history", "entry": entries})),
    }
}

pub(crate) fn etag(number: u64) -> String {
    format!("W/\"{number}\"")
}

fn searchset(found: &[&Value]) -> Value {
    let entries: Vec<Value> = found.iter().map(|resource| json!({"resource": resource})).collect();
    json!({"resourceType": "Bundle", "type": "searchset", "total": found.len(), "entry": entries})
}

/// What this record refuses although it stores blindly: no resource at all, and what its behaviour names.
fn refusal(behaviour: &Behaviour, kind: &str, resource: Option<&Value>) -> Option<Reply> {
    let Some(resource) = resource.filter(|resource| resource["resourceType"] == kind) else {
        return Some(Reply::refused(400, "structure", &format!("the body is no {kind}")));
    };
    if let Some(patients) = &behaviour.patients
        && let Some(subject) = resource["subject"]["reference"].as_str()
        && let Some(id) = subject.strip_prefix("Patient/")
        && !patients.contains(id)
    {
        // HAPI's words and status for it.
        let text = format!("HAPI-1094: Resource {subject} not found, specified in path: {kind}.subject");
        return Some(Reply::refused(400, "processing", &text));
    }
    let (status, code, text) = behaviour.refuse.as_ref().and_then(|refuse| refuse.0(resource))?;
    Some(Reply::refused(status, &code, &text))
}

fn put(chart: &mut Chart, behaviour: &Behaviour, request: &Request, place: Place) -> Reply {
    if let Some(refused) = refusal(behaviour, &place.0, request.body.as_ref()) {
        return refused;
    }
    let Some(resource) = request.body.clone().filter(|resource| resource["id"] == place.1.as_str()) else {
        return Reply::refused(400, "invalid", "the id of the resource is not that of the URL");
    };
    let living =
        chart.current(&place).filter(|version| version.resource.is_some()).map(|version| version.number);
    if let Some(wanted) = &request.if_match
        && living.map(etag).as_deref() != Some(wanted)
    {
        return Reply::refused(behaviour.stale_if_match, "conflict", "the version is another one by now");
    }
    if living.is_none() && !behaviour.update_create {
        return Reply::refused(405, "not-supported", "this record chooses the ids");
    }
    chart.put(place.clone(), resource);
    Reply::stored(if living.is_some() { 200 } else { behaviour.created_by_put }, chart, &place)
}

fn post(chart: &mut Chart, behaviour: &Behaviour, request: &Request, kind: &str) -> Reply {
    if let Some(refused) = refusal(behaviour, kind, request.body.as_ref()) {
        return refused;
    }
    if let Some(condition) = request.if_none_exist.as_deref().filter(|_| behaviour.conditional) {
        let found = chart.search(kind, &query(condition));
        match found.as_slice() {
            [] => {}
            [one] => {
                let place = (kind.to_owned(), one["id"].as_str().unwrap_or_default().to_owned());
                return Reply::stored(200, chart, &place);
            }
            several => {
                let text = format!("HAPI-0929: this search matched {} resources", several.len());
                return Reply::refused(412, "multiple-matches", &text);
            }
        }
    }
    let place = (kind.to_owned(), chart.new_id(kind));
    chart.put(place.clone(), request.body.clone().unwrap_or_default());
    Reply::stored(201, chart, &place)
}

/// R4 http 3.1.0.11: a batch is answered entry by entry, a transaction happens or does not.
fn bundle(chart: &mut Chart, behaviour: &Behaviour, body: Option<&Value>) -> Reply {
    let Some(bundle) = body.filter(|bundle| bundle["resourceType"] == "Bundle") else {
        return Reply::refused(400, "structure", "the body is no Bundle");
    };
    if !behaviour.bundles {
        return Reply::refused(422, "not-supported", "this record takes no bundles");
    }
    let entries: &[Value] = bundle["entry"].as_array().map_or(&[], Vec::as_slice);
    if entries.len() > behaviour.most_entries {
        let text =
            format!("The number of entries exceeded the configured limit of {}.", behaviour.most_entries);
        return Reply::refused(400, "invalid", &text);
    }
    match bundle["type"].as_str() {
        Some("batch") => {
            let replies: Vec<Reply> = entries
                .iter()
                .map(|entry| answer(chart, behaviour, &request(entry, &BTreeMap::new())))
                .collect();
            Reply::bare(200, response("batch-response", behaviour, &replies))
        }
        Some("transaction") => transaction(chart, behaviour, entries),
        _ => Reply::refused(400, "value", "neither a batch nor a transaction"),
    }
}

fn transaction(chart: &mut Chart, behaviour: &Behaviour, entries: &[Value]) -> Reply {
    let mut after = chart.clone();
    // What has a `urn:uuid` gets its place first, so that others can refer to it (3.1.0.11.2).
    let mut places = BTreeMap::new();
    let mut replies: Vec<Option<Reply>> = vec![None; entries.len()];
    for methods in [&["DELETE"][..], &["POST"], &["PUT"], &["GET"]] {
        for (entry, slot) in entries.iter().zip(&mut replies) {
            let request = request(entry, &places);
            if !methods.contains(&request.method.as_str()) {
                continue;
            }
            let reply = answer(&mut after, behaviour, &request);
            if reply.status >= 400 && request.method != "GET" {
                // One bad entry fails them all.
                return reply;
            }
            if let (Some(urn), Some(location)) = (entry["fullUrl"].as_str(), &reply.location) {
                let place = location.split("/_history").next().unwrap_or_default();
                places.insert(urn.to_owned(), place.to_owned());
            }
            *slot = Some(reply);
        }
    }
    *chart = after;
    let replies: Vec<Reply> = replies
        .into_iter()
        .map(|reply| reply.unwrap_or_else(|| Reply::refused(405, "not-supported", "no such interaction")))
        .collect();
    Reply::bare(200, response("transaction-response", behaviour, &replies))
}

/// One entry as a request of its own, its `urn:uuid`s replaced by the places that are known by now.
fn request(entry: &Value, places: &BTreeMap<String, String>) -> Request {
    let asked = &entry["request"];
    let text = |name: &str| asked[name].as_str().map(str::to_owned);
    let url = text("url").unwrap_or_default();
    let (path, rest) = url.split_once('?').unwrap_or((&url, ""));
    let mut body = entry.get("resource").cloned();
    if let Some(body) = &mut body {
        resolve(body, places);
    }
    Request {
        method: text("method").unwrap_or_default(),
        path: path.to_owned(),
        query: query(rest),
        if_match: text("ifMatch"),
        if_none_exist: text("ifNoneExist"),
        body,
    }
}

fn resolve(value: &mut Value, places: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(place) = places.get(text.as_str()) {
                place.clone_into(text);
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|value| resolve(value, places)),
        Value::Object(fields) => fields.values_mut().for_each(|value| resolve(value, places)),
        _ => {}
    }
}

fn response(kind: &str, behaviour: &Behaviour, replies: &[Reply]) -> Value {
    let entries: Vec<Value> = replies.iter().map(|reply| entry(behaviour, reply)).collect();
    json!({"resourceType": "Bundle", "type": kind, "entry": entries})
}

fn entry(behaviour: &Behaviour, reply: &Reply) -> Value {
    let words = match reply.status {
        200 => " OK",
        201 => " Created",
        404 => " Not Found",
        410 => " Gone",
        _ => "",
    };
    let words = if behaviour.words { words } else { "" };
    let mut response = json!({"status": format!("{}{words}", reply.status)});
    if let Some(location) = &reply.location {
        response["location"] = Value::String(location.clone());
    }
    if let Some(version) = reply.version {
        response["etag"] = Value::String(etag(version));
    }
    let mut entry = json!({});
    match &reply.body {
        Some(body) if body["resourceType"] == "OperationOutcome" => response["outcome"] = body.clone(),
        // What was asked for comes back, and what was there before; what was just sent need not.
        Some(body) if reply.status == 200 => entry["resource"] = body.clone(),
        _ => {}
    }
    entry["response"] = response;
    entry
}

fn capability(behaviour: &Behaviour) -> Value {
    if !behaviour.capability {
        // As Medplum's router.
        return json!({"resourceType": "Bundle", "type": "searchset"});
    }
    let parameters = match behaviour.searched {
        true => json!([{"name": "identifier", "type": "token"}]),
        false => json!([]),
    };
    let resource = |kind: &str| {
        json!({"type": kind, "searchParam": parameters, "updateCreate": behaviour.update_create, "conditionalCreate": behaviour.conditional,
            "versioning": "versioned",
            "interaction": [{"code": "read"}, {"code": "vread"}, {"code": "update"}, {"code": "create"},
                {"code": "delete"}, {"code": "history-instance"}, {"code": "search-type"}]})
    };
    let interactions = match behaviour.bundles {
        true => json!([{"code": "batch"}, {"code": "transaction"}]),
        false => json!([]),
    };
    json!({"resourceType": "CapabilityStatement", "status": "active", "kind": "instance", "fhirVersion": "4.0.1",
        "format": ["json"], "rest": [{"mode": "server", "interaction": interactions,
            "resource": [resource("Observation"), resource("Device"), resource("Provenance"), resource("Patient")]}]})
}

/// A query string, decoded.
pub(crate) fn query(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Percent-decoding; a plus is a blank, as servers do (the trap of a `+` in an identifier).
fn decode(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'+', _) => octets.push(b' '),
            (b'%', [high, low, after @ ..]) => {
                let digit = |octet: u8| char::from(octet).to_digit(16);
                match (digit(*high), digit(*low)) {
                    (Some(high), Some(low)) => octets.push(u8::try_from(high * 16 + low).unwrap_or(b'?')),
                    _ => octets.extend([b'%', *high, *low]),
                }
                rest = after;
            }
            (octet, _) => octets.push(*octet),
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}
