use super::DateTime;
use super::resolution::TENTH;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decimal, Decoded, Malformed, NoRoom};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WeightUnit {
    /// kg; height in m
    Si,
    /// lb; height in inch
    Imperial,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyMassIndexHeight {
    /// kg/m2, resolution 0.1
    pub body_mass_index: Decimal,
    /// m, resolution 0.001; or inch, resolution 0.1
    pub height: Decimal,
}

/// Weight Measurement, 0x2A9D.
///
/// Bluetooth GATT Specification Supplement, "Weight Measurement"; Weight Scale Service, "Weight
/// Measurement". Layout: flags u8, weight u16; then, as flagged, time stamp, user id u8, body mass index u16
/// with height u16. Tolerated: reserved flag bits (kept), octets after the last field (handed back).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WeightMeasurement {
    pub unit: WeightUnit,
    /// kg with three decimals (resolution 0.005) or lb with two (0.01). `None`: 0xFFFF, measurement unsuccessful.
    pub weight: Option<Decimal>,
    pub time_stamp: Option<DateTime>,
    /// 255: unknown user.
    pub user_id: Option<u8>,
    pub body_mass_index_height: Option<BodyMassIndexHeight>,
    /// Flag bits that the standard reserves and the device set nevertheless.
    pub reserved_flags: u8,
}

const IMPERIAL: u8 = 1;
pub(super) const TIME_STAMP: u8 = 1 << 1;
const USER_ID: u8 = 1 << 2;
const BODY_MASS_INDEX_HEIGHT: u8 = 1 << 3;
const RESERVED: u8 = 0b1111_0000;

const UNSUCCESSFUL: u16 = 0xFFFF;

impl WeightMeasurement {
    pub const UUID: u16 = 0x2A9D;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let flags = reader.u8("flags")?;
        let has = |flag: u8| flags & flag != 0;
        let unit = if has(IMPERIAL) { WeightUnit::Imperial } else { WeightUnit::Si };
        let weight = reader.u16("weight")?;
        let value = Self {
            unit,
            weight: (weight != UNSUCCESSFUL).then(|| unit.mass().decimal(weight)),
            time_stamp: has(TIME_STAMP).then(|| reader.date_time("time stamp")).transpose()?,
            user_id: has(USER_ID).then(|| reader.u8("user id")).transpose()?,
            body_mass_index_height: has(BODY_MASS_INDEX_HEIGHT)
                .then(|| body_mass_index_height(unit, &mut reader))
                .transpose()?,
            reserved_flags: flags & RESERVED,
        };
        Ok(reader.done(value))
    }

    /// At most 15 octets. Reserved flags are not sent.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut flags = 0;
        let mut flag = |set: bool, bit: u8| flags |= if set { bit } else { 0 };
        flag(self.unit == WeightUnit::Imperial, IMPERIAL);
        flag(self.time_stamp.is_some(), TIME_STAMP);
        flag(self.user_id.is_some(), USER_ID);
        flag(self.body_mass_index_height.is_some(), BODY_MASS_INDEX_HEIGHT);

        let mut writer = Writer::new(buffer);
        writer.u8("flags", flags)?;
        let weight = match self.weight {
            None => Some(UNSUCCESSFUL),
            Some(weight) => self.unit.mass().raw(weight).filter(|raw| *raw != UNSUCCESSFUL),
        };
        writer.u16("weight", weight.ok_or(NoRoom { field: "weight" })?)?;
        if let Some(time_stamp) = self.time_stamp {
            writer.date_time("time stamp", time_stamp)?;
        }
        if let Some(user_id) = self.user_id {
            writer.u8("user id", user_id)?;
        }
        if let Some(BodyMassIndexHeight { body_mass_index, height }) = self.body_mass_index_height {
            TENTH.write(&mut writer, "body mass index", body_mass_index)?;
            self.unit.height().write(&mut writer, "height", height)?;
        }
        Ok(writer.done())
    }
}

fn body_mass_index_height(
    unit: WeightUnit,
    reader: &mut Reader<'_>,
) -> Result<BodyMassIndexHeight, Malformed> {
    Ok(BodyMassIndexHeight {
        body_mass_index: TENTH.read(reader, "body mass index")?,
        height: unit.height().read(reader, "height")?,
    })
}
