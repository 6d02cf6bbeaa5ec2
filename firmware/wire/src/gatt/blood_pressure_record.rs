use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// Blood Pressure Record, 0x2B36: a stored measurement, or one segment of it.
///
/// Bluetooth GATT Specification Supplement, "Blood Pressure Record"; Blood Pressure Service 1.1, "Blood
/// Pressure Record". Layout: segmentation header u8 (bit 0 first, bit 1 last, bits 2 to 7 a rolling counter),
/// sequence number u16, UUID u16 of the contained characteristic, and its value or a part of it.
///
/// [`Reassembly`](crate::reassembly::Reassembly) joins segments. A device with the feature for it ends the
/// last segment with an E2E-CRC; nothing in the octets tells, so it is the end of `part`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BloodPressureRecord<'a> {
    pub first: bool,
    pub last: bool,
    /// 0 to 63; one more with each segment of a connection.
    pub counter: u8,
    /// Counts the records of one user, from 0 and around.
    pub sequence: u16,
    /// UUID of the contained characteristic: 0x2A35 or 0x2B34.
    pub characteristic: u16,
    pub part: &'a [u8],
}

pub(super) const FIRST: u8 = 1;
pub(super) const LAST: u8 = 1 << 1;

impl<'a> BloodPressureRecord<'a> {
    pub const UUID: u16 = 0x2B36;

    pub fn decode(octets: &'a [u8]) -> Result<Decoded<'a, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let header = reader.u8("segmentation header")?;
        let value = Self {
            first: header & FIRST != 0,
            last: header & LAST != 0,
            counter: header >> 2,
            sequence: reader.u16("sequence number")?,
            characteristic: reader.u16("UUID")?,
            part: reader.rest(),
        };
        Ok(reader.done(value))
    }

    /// Five octets and the part.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        let field = "segmentation header";
        let mut header = self.counter.checked_mul(4).ok_or(NoRoom { field })?;
        header |= if self.first { FIRST } else { 0 };
        header |= if self.last { LAST } else { 0 };
        writer.u8(field, header)?;
        writer.u16("sequence number", self.sequence)?;
        writer.u16("UUID", self.characteristic)?;
        writer.octets("recorded characteristic", self.part)?;
        Ok(writer.done())
    }
}
