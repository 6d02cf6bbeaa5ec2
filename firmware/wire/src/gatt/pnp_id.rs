use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// PnP ID, 0x2A50: who registered the product, and which it is.
///
/// Bluetooth GATT Specification Supplement, "PnP ID"; Device Information Service, "PnP ID". Sources that the
/// standard does not list are kept; octets after the seventh are handed back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PnpId {
    /// Who gave the vendor id: 1 the Bluetooth SIG, 2 the USB Implementers Forum.
    pub vendor_id_source: u8,
    pub vendor_id: u16,
    pub product_id: u16,
    /// Binary coded decimal: 0x0213 is 2.1.3.
    pub product_version: u16,
}

impl PnpId {
    pub const UUID: u16 = 0x2A50;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let value = Self {
            vendor_id_source: reader.u8("vendor id source")?,
            vendor_id: reader.u16("vendor id")?,
            product_id: reader.u16("product id")?,
            product_version: reader.u16("product version")?,
        };
        Ok(reader.done(value))
    }

    /// Seven octets.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.u8("vendor id source", self.vendor_id_source)?;
        writer.u16("vendor id", self.vendor_id)?;
        writer.u16("product id", self.product_id)?;
        writer.u16("product version", self.product_version)?;
        Ok(writer.done())
    }
}
