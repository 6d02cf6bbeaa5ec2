//! What the record holds: every version of every resource, deletions among them.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `Type/id`, split.
pub type Place = (String, String);

/// One version. `resource: None` is a deletion.
#[derive(Clone, PartialEq, Debug)]
pub struct Version {
    pub number: u64,
    pub resource: Option<Value>,
}

/// All resources, in memory, oldest version first.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Chart {
    resources: BTreeMap<Place, Vec<Version>>,
    given: u64,
}

impl Chart {
    /// The newest version, if there ever was one.
    pub(crate) fn current(&self, place: &Place) -> Option<&Version> {
        self.resources.get(place)?.last()
    }

    pub(crate) fn history(&self, place: &Place) -> &[Version] {
        self.resources.get(place).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn all(&self, kind: &str) -> impl Iterator<Item = (&Place, &[Version])> {
        self.resources
            .iter()
            .filter(move |((of, _), _)| of == kind)
            .map(|(place, versions)| (place, versions.as_slice()))
    }

    /// An id that nothing has.
    pub(crate) fn new_id(&mut self, kind: &str) -> String {
        loop {
            self.given += 1;
            let id = self.given.to_string();
            if !self.resources.contains_key(&(kind.to_owned(), id.clone())) {
                return id;
            }
        }
    }

    /// Stores what is sent, whatever it is, as a new version. Gives its number.
    pub(crate) fn put(&mut self, place: Place, mut resource: Value) -> u64 {
        let versions = self.resources.entry(place.clone()).or_default();
        let number = versions.last().map_or(1, |last| last.number + 1);
        if let Value::Object(fields) = &mut resource {
            fields.insert("id".into(), Value::String(place.1));
            match fields.entry("meta").or_insert_with(|| json!({})) {
                Value::Object(meta) => meta.insert("versionId".into(), Value::String(number.to_string())),
                _ => None,
            };
        }
        versions.push(Version { number, resource: Some(resource) });
        number
    }

    /// `None`: it was never there.
    pub(crate) fn delete(&mut self, place: &Place) -> Option<u64> {
        let versions = self.resources.get_mut(place)?;
        let last = versions.last()?;
        let number = last.number + u64::from(last.resource.is_some());
        if number != last.number {
            versions.push(Version { number, resource: None });
        }
        Some(number)
    }

    /// Living resources of a type that meet every `_id` and `identifier` given; other parameters are ignored,
    /// as servers do.
    pub(crate) fn search(&self, kind: &str, query: &[(String, String)]) -> Vec<&Value> {
        let meets = |resource: &Value| {
            query.iter().all(|(name, wanted)| match name.as_str() {
                "_id" => wanted.split(',').any(|id| resource["id"] == id),
                "identifier" => wanted.split(',').any(|token| has_identifier(resource, token)),
                _ => true,
            })
        };
        let newest = self.all(kind).filter_map(|(_, versions)| versions.last()?.resource.as_ref());
        newest.filter(|resource| meets(resource)).collect()
    }
}

/// A token of R4 search 3.1.1.4.10: `value`, `system|value`, `|value`.
fn has_identifier(resource: &Value, token: &str) -> bool {
    let identifiers = resource["identifier"].as_array().into_iter().flatten();
    let (system, value) = match token.split_once('|') {
        Some((system, value)) => (Some(system), value),
        None => (None, token),
    };
    let mut fitting = identifiers.filter(|identifier| identifier["value"] == value);
    fitting.any(|identifier| {
        system.is_none_or(|system| identifier["system"].as_str().unwrap_or_default() == system)
    })
}
