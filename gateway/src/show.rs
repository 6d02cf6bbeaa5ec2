//! What a person reads: rows of named cells, as a table or as JSON; and how a command ends.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value as Json, json};

/// Exit codes of sysexits.h, and 1.
pub(crate) mod exit {
    /// Something was found that a person must see to.
    pub(crate) const ATTENTION: u8 = 1;
    pub(crate) const USAGE: u8 = 64;
    pub(crate) const DATAERR: u8 = 65;
    pub(crate) const NOINPUT: u8 = 66;
    pub(crate) const UNAVAILABLE: u8 = 69;
    pub(crate) const SOFTWARE: u8 = 70;
    pub(crate) const CANTCREAT: u8 = 73;
    pub(crate) const IOERR: u8 = 74;
    pub(crate) const TEMPFAIL: u8 = 75;
    pub(crate) const NOPERM: u8 = 77;
    pub(crate) const CONFIG: u8 = 78;
}

/// A command that could not be done: why, and with which code it exits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ending {
    pub(crate) code: u8,
    pub(crate) said: String,
}

impl Ending {
    pub(crate) fn new(code: u8, said: impl Into<String>) -> Ending {
        Ending { code, said: said.into() }
    }

    pub(crate) fn usage(said: impl Into<String>) -> Ending {
        Ending::new(exit::USAGE, said)
    }
}

pub(crate) type Fields = Map<String, Json>;

/// `1 row`, `2 rows`
pub(crate) fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// A cell that holds a text; empty if it does not.
pub(crate) fn text<'r>(row: &'r Fields, name: &str) -> &'r str {
    row.get(name).and_then(Json::as_str).unwrap_or_default()
}

/// Says something on standard error. That nobody reads it any more is no reason to end.
pub(crate) fn complain(said: impl std::fmt::Display) {
    use std::io::Write;
    _ = writeln!(std::io::stderr(), "hearth: {said}");
}

/// What a command has to show, and whether a person must see to it.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) rows: Vec<Fields>,
    /// One object rather than a list of them.
    pub(crate) single: bool,
    /// A sentence under the table; stands on standard error beside JSON.
    pub(crate) said: Option<String>,
    /// After the rows in JSON, as the last element: what the sentence says, for machines.
    pub(crate) summary: Option<Fields>,
    pub(crate) code: u8,
}

impl Shown {
    pub(crate) fn fields(fields: Fields) -> Shown {
        Shown { rows: vec![fields], single: true, ..Shown::default() }
    }

    pub(crate) fn rows(rows: Vec<Fields>, said: impl Into<String>) -> Shown {
        Shown { rows, said: Some(said.into()), ..Shown::default() }
    }

    /// All was said before.
    #[cfg(feature = "demo")]
    pub(crate) fn nothing_more(code: u8) -> Shown {
        Shown { single: true, code, ..Shown::default() }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.single && self.rows.is_empty() && self.said.is_none()
    }

    pub(crate) fn json(&self) -> String {
        let summary = self.summary.iter().map(|summary| json!({ "summary": summary }));
        let all: Vec<Json> = self.rows.iter().cloned().map(Json::Object).chain(summary).collect();
        match (self.single, all.as_slice()) {
            (true, [one]) => one.to_string(),
            _ => Json::Array(all).to_string(),
        }
    }

    /// A table of the rows, or of one row's fields.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        match (self.single, self.rows.as_slice()) {
            (true, [one]) => {
                for (name, value) in one {
                    table.add_row([head(name), cell(name, value)]);
                }
            }
            (_, []) => return String::new(),
            (_, rows) => {
                // Objects are for machines: they stand in the JSON only.
                let mut columns: Vec<&String> = vec![];
                for (name, _) in rows.iter().flatten().filter(|(_, value)| !value.is_object()) {
                    if !columns.contains(&name) {
                        columns.push(name);
                    }
                }
                table.set_header(columns.iter().map(|name| head(name)));
                for row in rows {
                    let cells = columns.iter().map(|name| row.get(*name).map(|value| cell(name, value)));
                    table.add_row(cells.map(Option::unwrap_or_default));
                }
            }
        }
        table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}

/// What ends in `_s` is in seconds, for machines; a person reads an age.
const SECONDS: &str = "_s";

fn head(name: &str) -> String {
    name.strip_suffix(SECONDS).unwrap_or(name).replace('_', " ")
}

fn cell(name: &str, value: &Json) -> String {
    match value {
        Json::Null => "-".into(),
        Json::String(text) => text.clone(),
        Json::Bool(true) => "yes".into(),
        Json::Bool(false) => "no".into(),
        Json::Array(all) if all.is_empty() => "-".into(),
        Json::Array(all) => all.iter().map(|one| cell("", one)).collect::<Vec<_>>().join("\n"),
        // Of a field that is true its name is said.
        Json::Object(fields) => fields
            .iter()
            .filter(|(_, value)| **value != Json::Bool(false))
            .map(|(name, value)| if *value == Json::Bool(true) { head(name) } else { cell(name, value) })
            .collect::<Vec<_>>()
            .join(", "),
        Json::Number(seconds) if name.ends_with(SECONDS) => seconds.as_i64().map_or_else(String::new, age),
        other => other.to_string(),
    }
}

fn age(seconds: i64) -> String {
    match seconds {
        s if s >= 172_800 => format!("{} days", s / 86_400),
        s if s >= 7_200 => format!("{} h", s / 3_600),
        s if s >= 120 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}
