//! Several parcels, or several questions, in one request.

use super::identifier::{if_none_exist, urn};
use super::observation::meta;
use super::{Resource, Rung};
use crate::identity::Labels;
use crate::map::json::{Array, Object, document};
use std::collections::HashSet;
use std::fmt;

/// Whether a server takes all or nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// All or nothing; `urn:uuid:` references are resolved.
    Transaction,
    /// Each for itself; for the first rung, whose references are literal.
    Batch,
}

/// Parcels of different label sets never share a bundle (CLINICAL 29).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MixedLabels;

impl fmt::Display for MixedLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("parcels of different label sets in one bundle: send each set by itself")
    }
}

impl std::error::Error for MixedLabels {}

/// A Bundle of all parcels: devices first, each once, then the parcels in their order; nothing twice.
///
/// `Err`: the parcels have different labels. The labels they share are the bundle's too, and so its high-water
/// mark.
pub fn bundle(parcels: &[Vec<Resource>], rung: Rung, kind: Kind) -> Result<String, MixedLabels> {
    let all = || parcels.iter().flatten();
    let none = Labels::default();
    let labels = all().next().map_or(&none, |resource| &resource.labels);
    if all().any(|resource| resource.labels != *labels) {
        return Err(MixedLabels);
    }
    let shared = all().filter(|resource| resource.kind == "Device");
    let own = all().filter(|resource| resource.kind != "Device");
    let mut seen = HashSet::new();
    let room = all().map(|resource| resource.json.len() + 256).sum();
    Ok(document(room, |o| {
        head(o, kind, labels);
        o.array("entry", |a| {
            for resource in shared.chain(own).filter(|resource| seen.insert(resource.id.as_str())) {
                a.object(|o| entry(o, resource, rung));
            }
        });
    }))
}

fn head(o: &mut Object<'_>, kind: Kind, labels: &Labels) {
    o.plain("resourceType", "Bundle");
    meta(o, labels, None);
    o.plain(
        "type",
        match kind {
            Kind::Transaction => "transaction",
            Kind::Batch => "batch",
        },
    );
}

fn entry(o: &mut Object<'_>, resource: &Resource, rung: Rung) {
    let Resource { kind, id, identifier, json, .. } = resource;
    // R4 wants one on every entry; the server's base is not known here.
    o.plain("fullUrl", &urn(id));
    o.json("resource", json);
    o.object("request", |o| match rung {
        Rung::UpdateAsCreate => {
            o.plain("method", "PUT");
            o.printed("url", format_args!("{kind}/{id}"));
        }
        Rung::ConditionalCreate | Rung::SearchThenCreate | Rung::PlainCreate => {
            o.plain("method", "POST");
            o.plain("url", kind);
            if let Some((system, value)) = identifier.as_ref().filter(|_| !rung.is_plain()) {
                o.text("ifNoneExist", &if_none_exist(system, value));
            }
        }
    });
}

/// A batch of reads, one for each (kind, id): what is there already?
pub fn ask(ids: &[(&str, &str)]) -> String {
    document(64 + ids.len() * 160, |o| {
        head(o, Kind::Batch, &Labels::default());
        o.array("entry", |a: &mut Array<'_>| {
            for (kind, id) in ids {
                a.object(|o| {
                    o.object("request", |o| {
                        o.plain("method", "GET");
                        o.text("url", &format!("{kind}/{id}"));
                    });
                });
            }
        });
    })
}
