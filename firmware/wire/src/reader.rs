//! A cursor that can't overrun, and whose remainder is handed back.

use core::fmt;

use crate::gatt::DateTime;
use crate::{Decoded, Value};

/// Why octets are not the value that they were said to be. Points at the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// No octets at all.
    Empty,
    /// The flags (or the op code) promise a field that is not, or not wholly, there.
    Truncated { field: &'static str, at: usize, needed: usize, left: usize },
    /// A field has a value that the standard does not give it.
    Unexpected { field: &'static str, at: usize, value: u32 },
    /// A text is not UTF-8.
    NotText { at: usize },
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Malformed::Empty => f.write_str("the device sent no octets"),
            Malformed::Truncated { field, at, needed, left } => {
                let plural = if needed == 1 { "" } else { "s" };
                write!(f, "truncated: {field} at octet {at} needs {needed} octet{plural}, {left} left")
            }
            Malformed::Unexpected { field, at, value } => {
                write!(
                    f,
                    "unexpected: {field} at octet {at} is {value}, which the standard does not allow here"
                )
            }
            Malformed::NotText { at } => write!(f, "not text: the octets from {at} on are not UTF-8"),
        }
    }
}

impl core::error::Error for Malformed {}

/// Reads little-endian fields, front to back. Each read names its field, for [`Malformed::Truncated`].
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// [`Malformed::Empty`] for no octets: no characteristic of ours has an empty value.
    pub(crate) fn new(octets: &'a [u8]) -> Result<Self, Malformed> {
        if octets.is_empty() { Err(Malformed::Empty) } else { Ok(Self { rest: octets, at: 0 }) }
    }

    pub(crate) fn octets<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Malformed> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(Malformed::Truncated { field, at: self.at, needed: N, left: self.rest.len() });
        };
        self.rest = rest;
        self.at += N;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, Malformed> {
        self.octets(field).map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, Malformed> {
        self.octets(field).map(u16::from_le_bytes)
    }

    pub(crate) fn i16(&mut self, field: &'static str) -> Result<i16, Malformed> {
        self.octets(field).map(i16::from_le_bytes)
    }

    pub(crate) fn sfloat(&mut self, field: &'static str) -> Result<Value, Malformed> {
        self.u16(field).map(Value::from_sfloat)
    }

    pub(crate) fn date_time(&mut self, field: &'static str) -> Result<DateTime, Malformed> {
        self.octets(field).map(DateTime::from_octets)
    }

    /// All that is left, as one field.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.at += self.rest.len();
        core::mem::take(&mut self.rest)
    }

    /// The value, with what was not read.
    pub(crate) fn done<T>(self, value: T) -> Decoded<'a, T> {
        Decoded { value, trailing: self.rest }
    }
}
