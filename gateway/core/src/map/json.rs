//! JSON, written straight into one string: exact digits, right escapes, and nothing empty.
//!
//! FHIR has neither empty arrays nor empty objects; one that stays empty here takes its name back.

use hearth_wire::Decimal;
use std::fmt::{Display, Write as _};

/// An object being written. It is closed when its filling ends.
#[derive(Debug)]
pub(super) struct Object<'t> {
    text: &'t mut String,
    filled: bool,
}

/// An array being written.
#[derive(Debug)]
pub(super) struct Array<'t> {
    text: &'t mut String,
    filled: bool,
}

/// A whole document: one object.
pub(super) fn document(capacity: usize, fill: impl FnOnce(&mut Object<'_>)) -> String {
    let mut text = String::with_capacity(capacity);
    braces(&mut text, fill);
    text
}

/// Says whether anything is in it.
fn braces(text: &mut String, fill: impl FnOnce(&mut Object<'_>)) -> bool {
    text.push('{');
    let mut object = Object { text, filled: false };
    fill(&mut object);
    let filled = object.filled;
    text.push('}');
    filled
}

impl Object<'_> {
    /// `name` is a FHIR element: letters only. Inlined, so that its length is known where it is written.
    #[inline(always)]
    fn name(&mut self, name: &'static str) {
        self.text.push_str(if self.filled { ",\"" } else { "\"" });
        self.text.push_str(name);
        self.text.push_str("\":");
        self.filled = true;
    }

    /// Any words, escaped.
    pub(super) fn text(&mut self, name: &'static str, value: &str) {
        self.name(name);
        string(self.text, value);
    }

    /// A string of ours that needs no escape: an id, a reference.
    #[inline(always)]
    pub(super) fn plain(&mut self, name: &'static str, value: &str) {
        debug_assert!(!value.bytes().any(needs_escape), "{value} needs escapes");
        self.name(name);
        self.text.push('"');
        self.text.push_str(value);
        self.text.push('"');
    }

    /// A string of what prints without a need for escapes: a code, a time.
    pub(super) fn printed(&mut self, name: &'static str, value: impl Display) {
        self.name(name);
        write!(self.text, "\"{value}\"").expect("a String takes every write");
    }

    /// The digits as they are (CLINICAL 17).
    pub(super) fn number(&mut self, name: &'static str, value: Decimal) {
        self.name(name);
        write!(self.text, "{value}").expect("a String takes every write");
    }

    pub(super) fn truth(&mut self, name: &'static str, value: bool) {
        self.name(name);
        self.text.push_str(if value { "true" } else { "false" });
    }

    pub(super) fn object(&mut self, name: &'static str, fill: impl FnOnce(&mut Object<'_>)) {
        let (before, was) = (self.text.len(), self.filled);
        self.name(name);
        if !braces(self.text, fill) {
            self.text.truncate(before);
            self.filled = was;
        }
    }

    pub(super) fn array(&mut self, name: &'static str, fill: impl FnOnce(&mut Array<'_>)) {
        let (before, was) = (self.text.len(), self.filled);
        self.name(name);
        self.text.push('[');
        let mut array = Array { text: self.text, filled: false };
        fill(&mut array);
        if array.filled {
            self.text.push(']');
        } else {
            self.text.truncate(before);
            self.filled = was;
        }
    }

    /// A value that is JSON already.
    pub(super) fn json(&mut self, name: &'static str, value: &str) {
        self.name(name);
        self.text.push_str(value);
    }
}

impl Array<'_> {
    /// A value that is JSON already.
    pub(super) fn json(&mut self, value: &str) {
        self.comma();
        self.text.push_str(value);
    }

    fn comma(&mut self) {
        if self.filled {
            self.text.push(',');
        }
        self.filled = true;
    }

    pub(super) fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) {
        let (before, was) = (self.text.len(), self.filled);
        self.comma();
        if !braces(self.text, fill) {
            self.text.truncate(before);
            self.filled = was;
        }
    }
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// RFC 8259, 7: quotation mark, reverse solidus and the control characters; everything else as it is.
pub(super) fn string(text: &mut String, value: &str) {
    text.push('"');
    // All of them are looked at: without a way out, many at once.
    if value.bytes().fold(false, |found, byte| found | needs_escape(byte)) {
        for letter in value.chars() {
            match letter {
                '"' => text.push_str("\\\""),
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                control if control < ' ' => {
                    write!(text, "\\u{:04x}", u32::from(control)).expect("a String takes every write");
                }
                other => text.push(other),
            }
        }
    } else {
        text.push_str(value);
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// RFC 8259, 7.
    #[test]
    fn strings_are_escaped() {
        for (value, expected) in [
            ("", r#""""#),
            ("plain", r#""plain""#),
            (r#"a "b" \c/"#, r#""a \"b\" \\c/""#),
            ("a\nb\rc\td", r#""a\nb\rc\td""#),
            ("\u{0}\u{8}\u{1f}\u{7f}", "\"\\u0000\\u0008\\u001f\u{7f}\""),
            ("Zo\u{eb} \u{1f9e1} \u{2028}", "\"Zo\u{eb} \u{1f9e1} \u{2028}\""),
        ] {
            let mut text = String::new();
            string(&mut text, value);
            assert_eq!(text, expected);
            assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
        }
    }

    #[test]
    fn nothing_empty_is_written() {
        let text = document(0, |o| {
            o.object("a", |_| {});
            o.array("b", |_| {});
            o.plain("c", "1");
            o.array("d", |a| {
                a.object(|_| {});
                a.object(|o| o.truth("e", false));
                a.object(|_| {});
                a.object(|o| o.number("f", Decimal::new(50, -1)));
            });
            o.object("g", |o| o.array("h", |a| a.object(|_| {})));
            o.json("i", "[1]");
            o.printed("j", 7);
        });
        assert_eq!(text, r#"{"c":"1","d":[{"e":false},{"f":5.0}],"i":[1],"j":"7"}"#);
        assert_eq!(document(0, |_| {}), "{}");
    }
}
