//! Device Information Service 0x180A: the strings that name a device, and its System ID.
//!
//! Deliberately absent: what to believe of them. A profile says whether a serial identifies.

use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

pub const MODEL_NUMBER: u16 = 0x2A24;
pub const SERIAL_NUMBER: u16 = 0x2A25;
pub const FIRMWARE_REVISION: u16 = 0x2A26;
pub const HARDWARE_REVISION: u16 = 0x2A27;
pub const SOFTWARE_REVISION: u16 = 0x2A28;
pub const MANUFACTURER_NAME: u16 = 0x2A29;

/// Model Number, Serial Number, Firmware, Hardware or Software Revision, or Manufacturer Name String, as UTF-8.
///
/// Bluetooth GATT Specification Supplement, "Model Number String" and its neighbours; Device Information
/// Service, "Service Characteristics". Tolerated: NULs and blanks around the text (devices pad with them;
/// they are trimmed), and no text at all, which is `""`.
pub fn text(octets: &[u8]) -> Result<&str, Malformed> {
    let text =
        core::str::from_utf8(octets).map_err(|error| Malformed::NotText { at: error.valid_up_to() })?;
    Ok(text.trim_matches(|c: char| c == '\0' || c.is_ascii_whitespace()))
}

/// The text's octets, without padding.
pub fn encode_text<'b>(text: &str, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
    let mut writer = Writer::new(buffer);
    writer.octets("text", text.as_bytes())?;
    Ok(writer.done())
}

/// System ID, 0x2A23, as sent.
///
/// Bluetooth GATT Specification Supplement, "System ID"; Device Information Service, "System ID": the
/// manufacturer's 40 bits, then the 24 bits of its OUI, each least significant octet first. Octets after
/// the eighth are handed back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SystemId(pub [u8; 8]);

impl SystemId {
    pub const UUID: u16 = 0x2A23;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let value = Self(reader.octets("system id")?);
        Ok(reader.done(value))
    }

    /// Eight octets.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.octets("system id", &self.0)?;
        Ok(writer.done())
    }

    /// The EUI-64, most significant octet (of the OUI) first: the order in which it is written.
    pub fn eui64(&self) -> [u8; 8] {
        let mut octets = self.0;
        octets.reverse();
        octets
    }

    /// Not one of the two values that mean "never set". Says nothing about being unique.
    pub fn is_plausible(&self) -> bool {
        self.0 != [0x00; 8] && self.0 != [0xFF; 8]
    }
}
