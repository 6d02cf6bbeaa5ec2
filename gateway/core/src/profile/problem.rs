//! Why a profile is refused, said so that its author finds the place.

use super::ProfileName;
use std::fmt;

/// Why a profile was refused, where, and the cure. Points at the file's author.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    pub profile: ProfileName,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// `clock.resets-to`; empty: the file itself.
    pub key: String,
    pub says: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.toml:{}:{}: ", self.profile.0, self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.says)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    pub(super) fn at(name: &ProfileName, text: &str, offset: usize, key: &str, says: String) -> Problem {
        let before = text.get(..offset).unwrap_or(text);
        let line_starts = before.rfind('\n').map_or(0, |newline| newline + 1);
        Problem {
            profile: name.clone(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_starts..).map_or(0, |line| line.chars().count()) + 1,
            key: key.to_owned(),
            says,
        }
    }

    /// Of the value at this place, whatever its key is.
    pub(super) fn of_value(name: &ProfileName, text: &str, offset: usize, says: &str) -> Problem {
        let (table, key) = key_at(text, offset);
        let both: Vec<&str> = [table, key].into_iter().filter(|part| !part.is_empty()).collect();
        Problem::at(name, text, offset, &both.join("."), says.to_owned())
    }

    pub(super) fn of_toml(name: &ProfileName, text: &str, error: &toml::de::Error) -> Problem {
        let offset = error.span().map_or(0, |span| span.start);
        let (table, key) = key_at(text, offset);
        // What is missing has no place of its own: the parser points at its table.
        let key = if error.message().starts_with("missing field") { "" } else { key };
        let both: Vec<&str> = [table, key].into_iter().filter(|part| !part.is_empty()).collect();
        Problem::at(name, text, offset, &both.join("."), error.message().to_owned())
    }
}

/// The table whose header came last before `offset`, and the key begun last in it.
fn key_at(text: &str, offset: usize) -> (&str, &str) {
    let (mut table, mut key, mut begins) = ("", "", 0);
    for line in text.split_inclusive('\n') {
        if begins > offset {
            break;
        }
        begins += line.len();
        let line = line.split('#').next().unwrap_or(line).trim();
        if line.starts_with('[') && !line.contains('"') {
            (table, key) = (line.trim_matches(['[', ']']), "");
        } else if let Some((name, _)) = line.split_once('=') {
            key = name.trim();
        }
    }
    (table, key)
}
