//! The shape of a profile's TOML; `docs/profiles.md` explains every key. What the values may not say: [`super::check`].
//!
//! Every table refuses unknown keys. Decimals are texts in the file, so that their digits are kept.

use super::{
    BodySite, EvidenceLevel, IdentitySource, Keeps, Kind, Pairing, Problem, ProfileName, Sample, Untimed, Via,
};
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

#[derive(Deserialize)]
struct SchemaOnly {
    schema: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    #[serde(rename = "schema")]
    _schema: u32,
    pub(super) version: Spanned<u32>,
    pub(super) kind: Kind,
    pub(super) evidence: EvidenceLevel,
    pub(super) evidence_by: Spanned<String>,
    pub(super) body_site: Option<Spanned<BodySite>>,
    pub(super) averaged: Option<Spanned<bool>>,
    #[serde(rename = "match")]
    pub(super) matches: Spanned<MatchTable>,
    pub(super) identity: IdentityTable,
    pub(super) collect: CollectTable,
    pub(super) clock: Spanned<ClockTable>,
    pub(super) memory: MemoryTable,
    #[serde(default, rename = "reading")]
    pub(super) readings: Vec<Spanned<ReadingTable>>,
    pub(super) quirks: Option<QuirksTable>,
    #[serde(default)]
    pub(super) patience: PatienceTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct MatchTable {
    #[serde(default)]
    pub(super) name_prefixes: Vec<Spanned<String>>,
    pub(super) services: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) manufacturer: Option<Spanned<String>>,
    pub(super) model: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct IdentityTable {
    pub(super) names: IdentitySource,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CollectTable {
    pub(super) via: Spanned<Via>,
    pub(super) pairing: Spanned<Pairing>,
    pub(super) settle_ms: u32,
    pub(super) silence_ms: Spanned<u32>,
    pub(super) consent: Option<Spanned<bool>>,
    pub(super) weight_first: Option<Spanned<bool>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ClockTable {
    pub(super) keeps: Keeps,
    #[serde(default)]
    pub(super) tells: Option<Spanned<bool>>,
    pub(super) set_by: Option<Spanned<String>>,
    pub(super) drift_limit_s: Option<Spanned<u32>>,
    pub(super) resets_to: Option<Spanned<Vec<Spanned<i16>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct MemoryTable {
    pub(super) untimed: Spanned<Untimed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ReadingTable {
    pub(super) quantity: Spanned<String>,
    pub(super) from: Spanned<String>,
    pub(super) sample: Option<Spanned<Sample>>,
    pub(super) range: Option<Spanned<Vec<toml::Value>>>,
    pub(super) unit: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct QuirksTable {
    pub(super) apply: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PatienceTable {
    pub(super) partner_ms: Option<Spanned<u32>>,
    pub(super) clock_ms: Option<Spanned<u32>>,
    pub(super) identity_ms: Option<Spanned<u32>>,
    pub(super) hub_time_ms: Option<Spanned<u32>>,
}

impl File {
    pub(super) fn read(name: &ProfileName, text: &str) -> Result<File, Problem> {
        if !is_name(&name.0) {
            let says = "a profile is named by its file, `maker/model.toml`: small letters, digits and hyphens; rename it";
            return Err(Problem::at(name, text, 0, "", says.into()));
        }
        // The schema first: another one has other keys, and the first unknown key would be a misleading answer.
        let SchemaOnly { schema } = toml::from_str(text).map_err(|e| Problem::of_toml(name, text, &e))?;
        if *schema.get_ref() != 1 {
            let says = format!("this hub reads schema 1, not {}; update the hub", schema.get_ref());
            return Err(Problem::at(name, text, schema.span().start, "schema", says));
        }
        let file = toml::from_str(text).map_err(|e| Problem::of_toml(name, text, &e))?;
        match DeTable::parse(text).ok().and_then(|table| unfilled(table.get_ref())) {
            Some(at) => {
                let says =
                    "the draft is not filled in here; write what a person knows of the device in its place";
                Err(Problem::of_value(name, text, at, says))
            }
            None => Ok(file),
        }
    }
}

/// How a draft marks what only a person knows.
pub(super) const FILL_IN: &str = "FILL IN";

/// Where a value stands that is still a draft's.
fn unfilled(table: &DeTable<'_>) -> Option<usize> {
    fn at(value: &Spanned<DeValue<'_>>) -> Option<usize> {
        match value.get_ref() {
            DeValue::String(text) => text.trim_start().starts_with(FILL_IN).then(|| value.span().start),
            DeValue::Array(all) => all.iter().find_map(at),
            DeValue::Table(table) => unfilled(table),
            _ => None,
        }
    }
    // The first of the file, whatever order a table has.
    table.values().filter_map(at).min()
}

fn is_name(name: &str) -> bool {
    let word = |w: &str| {
        !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.split_once('/').is_some_and(|(maker, model)| word(maker) && word(model))
}
