use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// Database Change Increment, 0x2A99: goes up with each change of a user's own fields.
///
/// Bluetooth GATT Specification Supplement, "Database Change Increment"; User Data Service, "Database Change
/// Increment". Octets after the fourth are handed back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DatabaseChangeIncrement {
    pub count: u32,
}

impl DatabaseChangeIncrement {
    pub const UUID: u16 = 0x2A99;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let value = Self { count: reader.u32("database change increment")? };
        Ok(reader.done(value))
    }

    /// Four octets.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.u32("database change increment", self.count)?;
        Ok(writer.done())
    }
}
