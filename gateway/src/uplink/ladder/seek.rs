//! Looking for what is there by our identifier: on rung 3 before anything is written, on rungs 3 and 4 where
//! something is in doubt.
//!
//! A search is believed as little as it can be. It goes with `Cache-Control: no-cache`. What it finds must have
//! our identifier; one that finds something else has ignored the question. One for several at once asks for a
//! landmark too, which is known to be there: a server that reads `a,b` as one word, or answers out of a cache or a
//! lagging index, does not find that, and each is asked for by itself.

use super::climb::Climb;
use super::row::Row;
use hearth_core::delivery::{Asked, Found, Receipt, Scope, Verdict, found, judge};
use hearth_core::map::fhir::{Resource, identifier_query, if_none_exist};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Identifiers in one search: a URL of 3 KB, where servers take 8.
const SOUGHT_AT_ONCE: usize = 40;
/// Pages of one answer that are read.
const PAGES: usize = 20;

/// What a search by our identifier showed.
pub(super) enum Sought {
    There(Vec<Value>),
    Nowhere,
    /// Not answered in a way that could be believed.
    Unknown,
    /// The carry is over.
    Closed,
}

/// What searches by our identifiers showed, by our ids.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) there: BTreeMap<String, Vec<Value>>,
    /// Not answered in a way that could be believed.
    pub(super) unknown: BTreeSet<String>,
    /// The first answer that could not be.
    pub(super) unanswered: Option<Receipt>,
}

impl Seen {
    pub(super) fn is_nowhere(&self, ours: &Resource) -> bool {
        !self.there.contains_key(&ours.id) && !self.unknown.contains(&ours.id)
    }
}

/// Why a search tells nothing.
enum Silent {
    /// The carry is over.
    Closed,
    /// It was not answered in a way that could be believed.
    Unbelieved(Receipt),
}

impl Climb {
    /// Looks for a resource by our identifier.
    pub(super) async fn seek(&mut self, ours: &Resource) -> Sought {
        let Some(name) = &ours.identifier else { return Sought::Unknown };
        match self.search(ours.kind, &[name]).await {
            Ok(theirs) if theirs.is_empty() => Sought::Nowhere,
            Ok(theirs) => Sought::There(theirs),
            Err(Silent::Unbelieved(_)) => Sought::Unknown,
            Err(Silent::Closed) => Sought::Closed,
        }
    }

    /// Looks for Observations. `in_doubt`: each by itself, and all of them whatever is said of the first. `None`: the
    /// carry is over.
    pub(super) async fn look_for(&mut self, wanted: &[&Resource], in_doubt: bool) -> Option<Seen> {
        let mut seen = Seen::default();
        for several in wanted.chunks(if in_doubt { 1 } else { SOUGHT_AT_ONCE }) {
            match self.look_for_several(several).await {
                Some(Ok(there)) => {
                    seen.there.extend(there);
                    continue;
                }
                Some(Err(())) => {}
                None => return None,
            }
            for ours in several {
                if !in_doubt && seen.unanswered.is_some() {
                    seen.unknown.insert(ours.id.clone());
                    continue;
                }
                let Some(name) = &ours.identifier else { continue };
                match self.search(ours.kind, &[name]).await {
                    Ok(theirs) if theirs.is_empty() => {}
                    Ok(theirs) => _ = seen.there.insert(ours.id.clone(), theirs),
                    Err(Silent::Closed) => return None,
                    Err(Silent::Unbelieved(receipt)) => {
                        seen.unknown.insert(ours.id.clone());
                        seen.unanswered.get_or_insert(receipt);
                    }
                }
            }
        }
        // A refusal that is met once a carry, not once a reading.
        self.memory.searched(seen.unanswered.is_none(), self.wire.now());
        Some(seen)
    }

    /// In one search, where a landmark can show that it was understood. `Err`: they are to be asked for one by one.
    async fn look_for_several(
        &mut self,
        wanted: &[&Resource],
    ) -> Option<Result<BTreeMap<String, Vec<Value>>, ()>> {
        let kind = wanted.first().map_or("Observation", |ours| ours.kind);
        let Some(landmark) = self.memory.landmark.clone().filter(|_| wanted.len() > 1) else {
            return Some(Err(()));
        };
        let mut names: Vec<&(String, String)> =
            wanted.iter().filter_map(|ours| ours.identifier.as_ref()).collect();
        names.push(&landmark);
        let theirs = match self.search(kind, &names).await {
            Ok(theirs) => theirs,
            Err(Silent::Closed) => return None,
            Err(Silent::Unbelieved(_)) => return Some(Err(())),
        };
        if !theirs.iter().any(|theirs| has_identifier(theirs, &landmark)) {
            // Gone, or never understood: the next one that arrives takes its place.
            self.memory.landmark = None;
            return Some(Err(()));
        }
        let mut there: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for ours in wanted {
            let Some(name) = &ours.identifier else { continue };
            let found: Vec<Value> =
                theirs.iter().filter(|theirs| has_identifier(theirs, name)).cloned().collect();
            if !found.is_empty() {
                there.insert(ours.id.clone(), found);
            }
        }
        Some(Ok(there))
    }

    /// All that has one of these identifiers, page by page.
    async fn search(&mut self, kind: &str, names: &[&(String, String)]) -> Result<Vec<Value>, Silent> {
        let mut path = match names {
            [(system, value)] => format!("{kind}?{}", if_none_exist(system, value)),
            several => format!("{kind}?{}&_count={}", identifier_query(several), 2 * several.len()),
        };
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let receipt = self.read(path).await;
            let page = match found(&receipt) {
                Found::Present(page) if page["type"] == "searchset" => page,
                Found::Refused(verdict @ Verdict::Retry { scope: Scope::Destination, .. }) => {
                    self.close(verdict, &receipt);
                    return Err(Silent::Closed);
                }
                _ => return Err(Silent::Unbelieved(receipt)),
            };
            let entries = page["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"]);
            let (ours, others): (Vec<&Value>, Vec<&Value>) = entries
                .filter(|resource| resource["resourceType"] != "OperationOutcome")
                .partition(|resource| names.iter().any(|name| has_identifier(resource, name)));
            all.extend(ours.into_iter().cloned());
            // A parameter that the server ignores finds everything: of one, that it is there is known all the same.
            match (
                names.len() == 1 && !all.is_empty(),
                others.is_empty(),
                next_page(&page, &self.manner.base),
            ) {
                (true, ..) | (false, true, Next::None) => return Ok(all),
                (false, true, Next::Below(next)) => path = next,
                (false, false, _) | (false, true, Next::Elsewhere) => {
                    return Err(Silent::Unbelieved(receipt));
                }
            }
        }
        Err(Silent::Unbelieved(Receipt::Transport(hearth_core::delivery::Transport::TooLarge)))
    }

    /// Nobody says whether this reading is there: it waits. A refusal of the question is none of the reading, and is
    /// final for nobody.
    pub(super) async fn unsought(&mut self, row: &Row, receipt: &Receipt) {
        let verdict = match judge(Asked::Read, receipt) {
            verdict @ (Verdict::Retry { .. } | Verdict::Hold(_)) => verdict,
            _ => Verdict::Retry { after: None, counts: true, scope: Scope::Reading },
        };
        self.stumble(row, verdict, receipt).await;
    }
}

enum Next {
    None,
    /// Below the base.
    Below(String),
    /// At another address, where nothing of ours is sent.
    Elsewhere,
}

/// R4 bundle.html#searchset: the link `next`, absolute as a rule.
fn next_page(page: &Value, base: &str) -> Next {
    let mut links = page["link"].as_array().into_iter().flatten();
    let Some(url) = links.find(|link| link["relation"] == "next").and_then(|link| link["url"].as_str())
    else {
        return Next::None;
    };
    let below = match url.contains("://") {
        true => url.strip_prefix(base.trim_end_matches('/')).filter(|rest| rest.starts_with(['/', '?'])),
        false => Some(url).filter(|url| !url.starts_with('/')),
    };
    match below.map(|below| below.trim_start_matches('/')) {
        Some(below) if below.chars().all(|c| c.is_ascii_graphic()) && !below.contains("..") => {
            Next::Below(below.to_owned())
        }
        _ => Next::Elsewhere,
    }
}

pub(in crate::uplink) fn has_identifier(resource: &Value, (system, value): &(String, String)) -> bool {
    let mut identifiers = resource["identifier"].as_array().into_iter().flatten();
    identifiers
        .any(|identifier| identifier["system"] == system.as_str() && identifier["value"] == value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn further_pages_are_asked_for_below_the_base_only() {
        let next = |url: &str| {
            let page = json!({"link": [{"relation": "self", "url": "https://other/"}, {"relation": "next", "url": url}]});
            match next_page(&page, "https://ehr.example:8443/fhir/") {
                Next::None => "none".to_owned(),
                Next::Below(path) => path,
                Next::Elsewhere => "elsewhere".into(),
            }
        };
        let rows = [
            // HAPI's, with and without a slash.
            ("https://ehr.example:8443/fhir?_getpages=1&_offset=50", "?_getpages=1&_offset=50"),
            ("https://ehr.example:8443/fhir/Observation?page=2", "Observation?page=2"),
            ("Observation?page=2", "Observation?page=2"),
            ("?page=2", "?page=2"),
            ("https://ehr.example:8443/fhirother/Observation", "elsewhere"),
            ("https://ehr.example/fhir/Observation", "elsewhere"),
            ("http://ehr.example:8443/fhir/Observation", "elsewhere"),
            ("https://evil.example/https://ehr.example:8443/fhir/", "elsewhere"),
            ("https://ehr.example:8443/fhir/../admin", "elsewhere"),
            ("/admin", "elsewhere"),
            ("//evil.example/", "elsewhere"),
            ("Observation?a b", "elsewhere"),
        ];
        for (url, expect) in rows {
            assert_eq!(next(url), expect, "{url}");
        }
        assert!(matches!(next_page(&json!({"link": [{"relation": "self", "url": "x"}]}), ""), Next::None));
        assert!(matches!(next_page(&json!({}), ""), Next::None));
    }
}
