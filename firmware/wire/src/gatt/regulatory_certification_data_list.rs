use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// IEEE 11073-20601 Regulatory Certification Data List, 0x2A2A: opaque here, every octet as sent.
///
/// Bluetooth GATT Specification Supplement, "IEEE 11073-20601 Regulatory Certification Data List"; its
/// content is IEEE 11073-20601 MDER, most significant octet first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegulatoryCertificationDataList<'a>(pub &'a [u8]);

impl<'a> RegulatoryCertificationDataList<'a> {
    pub const UUID: u16 = 0x2A2A;

    pub fn decode(octets: &'a [u8]) -> Result<Decoded<'a, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let value = Self(reader.rest());
        Ok(reader.done(value))
    }

    /// As many octets as it has.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.octets("regulatory certification data list", self.0)?;
        Ok(writer.done())
    }
}
