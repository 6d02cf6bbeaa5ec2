//! Which answer of a batch or transaction response belongs to which request.
//!
//! R4 http 3.1.0.11.2: the response has one entry for each request, in the same order. Servers have been seen
//! to reorder, to leave out, and to say `"200"` where `"200 OK"` is meant. What an entry names is believed
//! before its place; a place is believed only where nothing speaks against it.

use super::answer::{Answer, Body, Outcome, place};
use serde_json::Value;

/// One request of a bundle, as far as an answer can name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line<'a> {
    /// Resource type.
    pub kind: &'a str,
    /// `None`: the record chooses it.
    pub id: Option<&'a str>,
    /// Value of our own identifier.
    pub identifier: Option<&'a str>,
    pub full_url: Option<&'a str>,
}

/// The answers to `lines`, in their order. `None`: nothing that can be believed was said of it, so whatever it
/// asked is in doubt.
pub fn entries(lines: &[Line<'_>], bundle: &Value) -> Vec<Option<Answer>> {
    let said: Vec<&Value> = bundle.get("entry").and_then(Value::as_array).into_iter().flatten().collect();
    let claims: Vec<Claim> = said.iter().map(|entry| claim(lines, entry)).collect();

    let mut answers = vec![None; lines.len()];
    for (entry, claim) in said.iter().zip(&claims) {
        if let Claim::Line(n) = claim
            && let Some(slot @ None) = answers.get_mut(*n)
        {
            *slot = answer(entry);
        }
    }
    // Places are believed where all are there, and no entry names another's.
    let in_order = said.len() == lines.len()
        && claims.iter().enumerate().all(|(at, claim)| match claim {
            Claim::Line(n) => *n == at,
            Claim::Stranger(kind) => lines[at].id.is_none() && lines[at].kind == kind,
            Claim::Nameless => true,
        });
    if in_order {
        for (slot, entry) in answers.iter_mut().zip(&said).filter(|(slot, _)| slot.is_none()) {
            *slot = answer(entry);
        }
    }
    answers
}

/// Whom an entry says that it answers.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Claim {
    Line(usize),
    /// A resource of this type that none of our lines names: new, if the record chose its id.
    Stranger(String),
    Nameless,
}

fn claim(lines: &[Line<'_>], entry: &Value) -> Claim {
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
    let find = |fits: &dyn Fn(&Line<'_>) -> bool| lines.iter().position(fits).map(Claim::Line);

    // Our own identifier is the surest name.
    let identifiers = entry.pointer("/resource/identifier").and_then(Value::as_array).into_iter().flatten();
    let mut values = identifiers.filter_map(|identifier| identifier.get("value")?.as_str());
    if let Some(claim) = values.find_map(|value| find(&|line| line.identifier == Some(value))) {
        return claim;
    }
    let resource = match (text("/resource/resourceType"), text("/resource/id")) {
        (Some(kind), Some(id)) if kind != "OperationOutcome" => Some(format!("{kind}/{id}")),
        _ => None,
    };
    let full_url = text("/fullUrl");
    if let Some(url) = full_url
        && let Some(claim) = find(&|line| line.full_url == Some(url))
    {
        return claim;
    }
    let places = [resource, text("/response/location").and_then(place), full_url.and_then(place)];
    let Some(named) = places.into_iter().flatten().next() else { return Claim::Nameless };
    let (kind, id) = named.split_once('/').unwrap_or((&named, ""));
    find(&|line| line.kind == kind && line.id == Some(id)).unwrap_or_else(|| Claim::Stranger(kind.to_owned()))
}

/// An entry as an answer of its own. `None`: it has no status.
fn answer(entry: &Value) -> Option<Answer> {
    let response = entry.get("response")?;
    let text = |name: &str| response.get(name).and_then(Value::as_str).map(str::to_owned);
    let digits = response.get("status")?.as_str()?.trim().get(..3)?.parse().ok()?;
    let resource = entry.get("resource").cloned().map(Body::of);
    let outcome = response.get("outcome").cloned().map(Body::of);
    let body = match (resource, outcome) {
        (Some(body @ Body::Resource(_)), _) => body,
        (_, Some(body @ Body::Outcome(_))) => body,
        (Some(body @ Body::Outcome(_)), _) => body,
        // It stands in a FHIR Bundle: a refusal without a reason, yet the record's own.
        _ => Body::Outcome(Outcome::default()),
    };
    Some(Answer { location: text("location"), etag: text("etag"), ..Answer::new(digits, body) })
}
