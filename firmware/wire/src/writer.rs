//! The reader's mirror: writes fields into a borrowed buffer, and says which did not fit.

use core::fmt;

use crate::Value;
use crate::gatt::DateTime;

/// The buffer given to `encode` is too small, or a value does not fit its field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoRoom {
    pub field: &'static str,
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no room for {}: the buffer ends before it, or the field cannot hold its value", self.field)
    }
}

impl core::error::Error for NoRoom {}

pub(crate) struct Writer<'b> {
    buffer: &'b mut [u8],
    at: usize,
}

impl<'b> Writer<'b> {
    pub(crate) fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, at: 0 }
    }

    pub(crate) fn octets(&mut self, field: &'static str, octets: &[u8]) -> Result<(), NoRoom> {
        let (_, free) = self.buffer.split_at_mut(self.at);
        free.get_mut(..octets.len()).ok_or(NoRoom { field })?.copy_from_slice(octets);
        self.at += octets.len();
        Ok(())
    }

    /// How many they are, in two octets, and the octets.
    pub(crate) fn sized(&mut self, field: &'static str, octets: &[u8]) -> Result<(), NoRoom> {
        self.u16(field, u16::try_from(octets.len()).map_err(|_| NoRoom { field })?)?;
        self.octets(field, octets)
    }

    pub(crate) fn u8(&mut self, field: &'static str, value: u8) -> Result<(), NoRoom> {
        self.octets(field, &[value])
    }

    pub(crate) fn u16(&mut self, field: &'static str, value: u16) -> Result<(), NoRoom> {
        self.octets(field, &value.to_le_bytes())
    }

    /// Three octets.
    pub(crate) fn u24(&mut self, field: &'static str, value: u32) -> Result<(), NoRoom> {
        let [a, b, c, 0] = value.to_le_bytes() else { return Err(NoRoom { field }) };
        self.octets(field, &[a, b, c])
    }

    pub(crate) fn u32(&mut self, field: &'static str, value: u32) -> Result<(), NoRoom> {
        self.octets(field, &value.to_le_bytes())
    }

    /// Six octets.
    pub(crate) fn u48(&mut self, field: &'static str, value: u64) -> Result<(), NoRoom> {
        let [a, b, c, d, e, f, 0, 0] = value.to_le_bytes() else { return Err(NoRoom { field }) };
        self.octets(field, &[a, b, c, d, e, f])
    }

    pub(crate) fn i8(&mut self, field: &'static str, value: i8) -> Result<(), NoRoom> {
        self.octets(field, &value.to_le_bytes())
    }

    pub(crate) fn i16(&mut self, field: &'static str, value: i16) -> Result<(), NoRoom> {
        self.octets(field, &value.to_le_bytes())
    }

    /// Two half octets: what the standard calls the least and the most significant four bits.
    pub(crate) fn nibbles(&mut self, field: &'static str, low: u8, high: u8) -> Result<(), NoRoom> {
        if low > 0x0F || high > 0x0F {
            return Err(NoRoom { field });
        }
        self.u8(field, high << 4 | low)
    }

    pub(crate) fn sfloat(&mut self, field: &'static str, value: Value) -> Result<(), NoRoom> {
        self.u16(field, value.to_sfloat().ok_or(NoRoom { field })?)
    }

    pub(crate) fn float(&mut self, field: &'static str, value: Value) -> Result<(), NoRoom> {
        self.u32(field, value.to_float().ok_or(NoRoom { field })?)
    }

    pub(crate) fn date_time(&mut self, field: &'static str, value: DateTime) -> Result<(), NoRoom> {
        self.octets(field, &value.to_octets())
    }

    /// What is written so far.
    pub(crate) fn written(&self) -> &[u8] {
        self.buffer.split_at(self.at).0
    }

    /// What was written.
    pub(crate) fn done(self) -> &'b [u8] {
        self.buffer.split_at(self.at).0
    }
}
