//! Doors for the fuzz targets, to what outside octets meet in rooms that are closed otherwise.

use crate::source::trace::Options;
use crate::source::trace::redact::{RedactError, Redacted, with_key};
use crate::{control, uplink};
use hearth_core::profile::Catalog;
use std::io::{Read, Seek, Write};

/// A request over the control socket, written as a command writes it. `None`: it is none.
pub fn request(line: &str) -> Option<String> {
    let request = control::read_request(line).ok()?;
    Some(serde_json::to_string(&request).expect("names, numbers and texts always have a JSON form"))
}

/// Reads what a daemon answers, and whether it is one of the answers that there are.
pub fn answer(line: &str) -> bool {
    control::read_answer(line).is_ok()
}

/// Reads a CapabilityStatement, or whatever came in its place.
pub fn ability(statement: &serde_json::Value) -> uplink::ability::Ability {
    uplink::ability::ability(statement)
}

/// As [`crate::source::trace::redact::redact`], with a key that is always the same: a finding can be found again.
pub fn redact(
    reader: impl Read + Seek,
    writer: &mut impl Write,
    options: &Options,
    catalog: &Catalog,
) -> Result<Redacted, RedactError> {
    with_key([7; 32], reader, writer, options, catalog)
}
