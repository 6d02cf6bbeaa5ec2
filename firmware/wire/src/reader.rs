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
    /// The octets before a checksum do not make it: one of them was changed on the way.
    Checksum { field: &'static str, at: usize, sent: u16, computed: u16 },
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
            Malformed::Checksum { field, at, sent, computed } => {
                write!(
                    f,
                    "checksum: {field} at octet {at} is {sent:#06X}, and the octets make {computed:#06X}"
                )
            }
            Malformed::NotText { at } => write!(f, "not text: the octets from {at} on are not UTF-8"),
        }
    }
}

impl core::error::Error for Malformed {}

impl Malformed {
    /// The same reason where what was read began so many octets further on.
    pub(crate) fn further(self, by: usize) -> Self {
        match self {
            Malformed::Empty => Malformed::Empty,
            Malformed::Truncated { field, at, needed, left } => {
                Malformed::Truncated { field, at: at + by, needed, left }
            }
            Malformed::Unexpected { field, at, value } => Malformed::Unexpected { field, at: at + by, value },
            Malformed::Checksum { field, at, sent, computed } => {
                Malformed::Checksum { field, at: at + by, sent, computed }
            }
            Malformed::NotText { at } => Malformed::NotText { at: at + by },
        }
    }
}

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

    /// Three octets.
    pub(crate) fn u24(&mut self, field: &'static str) -> Result<u32, Malformed> {
        self.octets(field).map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, Malformed> {
        self.octets(field).map(u32::from_le_bytes)
    }

    /// Six octets.
    pub(crate) fn u48(&mut self, field: &'static str) -> Result<u64, Malformed> {
        self.octets(field).map(|[a, b, c, d, e, f]| u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    pub(crate) fn i8(&mut self, field: &'static str) -> Result<i8, Malformed> {
        self.octets(field).map(i8::from_le_bytes)
    }

    pub(crate) fn i16(&mut self, field: &'static str) -> Result<i16, Malformed> {
        self.octets(field).map(i16::from_le_bytes)
    }

    pub(crate) fn sfloat(&mut self, field: &'static str) -> Result<Value, Malformed> {
        self.u16(field).map(Value::from_sfloat)
    }

    pub(crate) fn float(&mut self, field: &'static str) -> Result<Value, Malformed> {
        self.u32(field).map(Value::from_float)
    }

    pub(crate) fn date_time(&mut self, field: &'static str) -> Result<DateTime, Malformed> {
        self.octets(field).map(DateTime::from_octets)
    }

    /// How many octets were read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Octets that say how many they are, in two octets before them.
    pub(crate) fn sized(&mut self, field: &'static str) -> Result<&'a [u8], Malformed> {
        let needed = self.u16(field)?;
        self.take(field, needed.into())
    }

    /// So many octets.
    pub(crate) fn take(&mut self, field: &'static str, needed: usize) -> Result<&'a [u8], Malformed> {
        let Some((taken, rest)) = self.rest.split_at_checked(needed) else {
            return Err(Malformed::Truncated { field, at: self.at, needed, left: self.rest.len() });
        };
        self.rest = rest;
        self.at += needed;
        Ok(taken)
    }

    /// UTF-8, sized.
    pub(crate) fn text(&mut self, field: &'static str) -> Result<&'a str, Malformed> {
        let octets = self.sized(field)?;
        core::str::from_utf8(octets).map_err(|_| Malformed::NotText { at: self.at - octets.len() })
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
