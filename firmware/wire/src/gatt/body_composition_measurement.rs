use core::fmt;

use super::resolution::TENTH;
use super::{DateTime, WeightUnit};
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decimal, Decoded, Malformed, NoRoom};

/// Body Composition Measurement, 0x2A9C.
///
/// Bluetooth GATT Specification Supplement, "Body Composition Measurement"; Body Composition Service, "Body
/// Composition Measurement". Layout: flags u16, body fat percentage u16; then, as flagged, time stamp, user
/// id u8, basal metabolism u16, muscle percentage u16, muscle, fat-free, soft lean and body water mass u16,
/// impedance u16, weight u16, height u16. Tolerated: reserved flag bits (kept), octets after the last field
/// (handed back).
///
/// A measurement too long for one indication comes in two: see [`BodyCompositionMeasurement::merge`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyCompositionMeasurement {
    /// Masses and weight in kg with three decimals (resolution 0.005) or lb with two (0.01).
    pub unit: WeightUnit,
    /// Resolution 0.1. `None`: 0xFFFF, measurement unsuccessful.
    pub body_fat_percent: Option<Decimal>,
    pub time_stamp: Option<DateTime>,
    /// 255: unknown user.
    pub user_id: Option<u8>,
    pub basal_metabolism_kilojoule: Option<u16>,
    /// Resolution 0.1.
    pub muscle_percent: Option<Decimal>,
    pub muscle_mass: Option<Decimal>,
    pub fat_free_mass: Option<Decimal>,
    pub soft_lean_mass: Option<Decimal>,
    pub body_water_mass: Option<Decimal>,
    /// Resolution 0.1.
    pub impedance_ohm: Option<Decimal>,
    pub weight: Option<Decimal>,
    /// m, resolution 0.001; or inch, resolution 0.1
    pub height: Option<Decimal>,
    /// One of two indications of one measurement.
    pub multiple_packet: bool,
    /// Flag bits that the standard reserves and the device set nevertheless.
    pub reserved_flags: u16,
}

const IMPERIAL: u16 = 1;
pub(super) const TIME_STAMP: u16 = 1 << 1;
const USER_ID: u16 = 1 << 2;
const BASAL_METABOLISM: u16 = 1 << 3;
const MUSCLE_PERCENTAGE: u16 = 1 << 4;
const MUSCLE_MASS: u16 = 1 << 5;
const FAT_FREE_MASS: u16 = 1 << 6;
const SOFT_LEAN_MASS: u16 = 1 << 7;
const BODY_WATER_MASS: u16 = 1 << 8;
const IMPEDANCE: u16 = 1 << 9;
const WEIGHT: u16 = 1 << 10;
const HEIGHT: u16 = 1 << 11;
const MULTIPLE_PACKET: u16 = 1 << 12;
const RESERVED: u16 = 0b1110_0000_0000_0000;

const UNSUCCESSFUL: u16 = 0xFFFF;

impl BodyCompositionMeasurement {
    pub const UUID: u16 = 0x2A9C;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let flags = reader.u16("flags")?;
        let has = |flag: u16| flags & flag != 0;
        let unit = if has(IMPERIAL) { WeightUnit::Imperial } else { WeightUnit::Si };
        let (mass, height) = (unit.mass(), unit.height());
        let fat = reader.u16("body fat percentage")?;
        let value = Self {
            unit,
            body_fat_percent: (fat != UNSUCCESSFUL).then(|| TENTH.decimal(fat)),
            time_stamp: has(TIME_STAMP).then(|| reader.date_time("time stamp")).transpose()?,
            user_id: has(USER_ID).then(|| reader.u8("user id")).transpose()?,
            basal_metabolism_kilojoule: has(BASAL_METABOLISM)
                .then(|| reader.u16("basal metabolism"))
                .transpose()?,
            muscle_percent: has(MUSCLE_PERCENTAGE)
                .then(|| TENTH.read(&mut reader, "muscle percentage"))
                .transpose()?,
            muscle_mass: has(MUSCLE_MASS).then(|| mass.read(&mut reader, "muscle mass")).transpose()?,
            fat_free_mass: has(FAT_FREE_MASS).then(|| mass.read(&mut reader, "fat-free mass")).transpose()?,
            soft_lean_mass: has(SOFT_LEAN_MASS)
                .then(|| mass.read(&mut reader, "soft lean mass"))
                .transpose()?,
            body_water_mass: has(BODY_WATER_MASS)
                .then(|| mass.read(&mut reader, "body water mass"))
                .transpose()?,
            impedance_ohm: has(IMPEDANCE).then(|| TENTH.read(&mut reader, "impedance")).transpose()?,
            weight: has(WEIGHT).then(|| mass.read(&mut reader, "weight")).transpose()?,
            height: has(HEIGHT).then(|| height.read(&mut reader, "height")).transpose()?,
            multiple_packet: has(MULTIPLE_PACKET),
            reserved_flags: flags & RESERVED,
        };
        Ok(reader.done(value))
    }

    /// At most 30 octets. Reserved flags are not sent.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut flags = 0;
        let mut flag = |set: bool, bit: u16| flags |= if set { bit } else { 0 };
        flag(self.unit == WeightUnit::Imperial, IMPERIAL);
        flag(self.time_stamp.is_some(), TIME_STAMP);
        flag(self.user_id.is_some(), USER_ID);
        flag(self.basal_metabolism_kilojoule.is_some(), BASAL_METABOLISM);
        flag(self.muscle_percent.is_some(), MUSCLE_PERCENTAGE);
        flag(self.muscle_mass.is_some(), MUSCLE_MASS);
        flag(self.fat_free_mass.is_some(), FAT_FREE_MASS);
        flag(self.soft_lean_mass.is_some(), SOFT_LEAN_MASS);
        flag(self.body_water_mass.is_some(), BODY_WATER_MASS);
        flag(self.impedance_ohm.is_some(), IMPEDANCE);
        flag(self.weight.is_some(), WEIGHT);
        flag(self.height.is_some(), HEIGHT);
        flag(self.multiple_packet, MULTIPLE_PACKET);

        let mut writer = Writer::new(buffer);
        writer.u16("flags", flags)?;
        let fat = match self.body_fat_percent {
            None => Some(UNSUCCESSFUL),
            Some(fat) => TENTH.raw(fat).filter(|raw| *raw != UNSUCCESSFUL),
        };
        let field = "body fat percentage";
        writer.u16(field, fat.ok_or(NoRoom { field })?)?;
        if let Some(time_stamp) = self.time_stamp {
            writer.date_time("time stamp", time_stamp)?;
        }
        if let Some(user_id) = self.user_id {
            writer.u8("user id", user_id)?;
        }
        if let Some(kilojoule) = self.basal_metabolism_kilojoule {
            writer.u16("basal metabolism", kilojoule)?;
        }
        let (mass, height) = (self.unit.mass(), self.unit.height());
        for (field, resolution, decimal) in [
            ("muscle percentage", TENTH, self.muscle_percent),
            ("muscle mass", mass, self.muscle_mass),
            ("fat-free mass", mass, self.fat_free_mass),
            ("soft lean mass", mass, self.soft_lean_mass),
            ("body water mass", mass, self.body_water_mass),
            ("impedance", TENTH, self.impedance_ohm),
            ("weight", mass, self.weight),
            ("height", height, self.height),
        ] {
            if let Some(decimal) = decimal {
                resolution.write(&mut writer, field, decimal)?;
            }
        }
        Ok(writer.done())
    }

    /// The two indications of one measurement, as the one frame that did not fit.
    ///
    /// Body Composition Service, "Multiple Packet Measurement": both have the flag and repeat the body fat
    /// percentage; time stamp and user id are in the first only. What both say, they must say alike.
    pub fn merge(first: &Self, second: &Self) -> Result<Self, Unmergeable> {
        if !first.multiple_packet || !second.multiple_packet {
            return Err(Unmergeable::Single);
        }
        if first.unit != second.unit {
            return Err(Unmergeable::Differs { field: "unit" });
        }
        if first.body_fat_percent != second.body_fat_percent {
            return Err(Unmergeable::Differs { field: "body fat percentage" });
        }
        let decimal = |field, of: fn(&Self) -> Option<Decimal>| either(field, of(first), of(second));
        Ok(Self {
            unit: first.unit,
            body_fat_percent: first.body_fat_percent,
            time_stamp: only_first("time stamp", first.time_stamp, second.time_stamp)?,
            user_id: only_first("user id", first.user_id, second.user_id)?,
            basal_metabolism_kilojoule: either(
                "basal metabolism",
                first.basal_metabolism_kilojoule,
                second.basal_metabolism_kilojoule,
            )?,
            muscle_percent: decimal("muscle percentage", |m| m.muscle_percent)?,
            muscle_mass: decimal("muscle mass", |m| m.muscle_mass)?,
            fat_free_mass: decimal("fat-free mass", |m| m.fat_free_mass)?,
            soft_lean_mass: decimal("soft lean mass", |m| m.soft_lean_mass)?,
            body_water_mass: decimal("body water mass", |m| m.body_water_mass)?,
            impedance_ohm: decimal("impedance", |m| m.impedance_ohm)?,
            weight: decimal("weight", |m| m.weight)?,
            height: decimal("height", |m| m.height)?,
            multiple_packet: false,
            reserved_flags: first.reserved_flags | second.reserved_flags,
        })
    }
}

/// Why two indications are not one measurement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unmergeable {
    /// One of them is a measurement of its own.
    Single,
    /// Both have the field, and not alike.
    Differs { field: &'static str },
    /// The second has a field that only a first one has: the order is wrong, or it begins another measurement.
    SecondBegins { field: &'static str },
}

impl fmt::Display for Unmergeable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Unmergeable::Single => f.write_str("not two parts: one of the two is a whole measurement"),
            Unmergeable::Differs { field } => {
                write!(f, "not one measurement: the two parts differ in {field}")
            }
            Unmergeable::SecondBegins { field } => {
                write!(f, "not in order: the second part has a {field}, which only a first part has")
            }
        }
    }
}

impl core::error::Error for Unmergeable {}

fn either<T: PartialEq>(
    field: &'static str,
    first: Option<T>,
    second: Option<T>,
) -> Result<Option<T>, Unmergeable> {
    match (first, second) {
        (Some(first), Some(second)) if first != second => Err(Unmergeable::Differs { field }),
        (first, second) => Ok(first.or(second)),
    }
}

/// As [`either`], but a part that has the field alone must be the first.
fn only_first<T: PartialEq>(
    field: &'static str,
    first: Option<T>,
    second: Option<T>,
) -> Result<Option<T>, Unmergeable> {
    if first.is_none() && second.is_some() {
        return Err(Unmergeable::SecondBegins { field });
    }
    either(field, first, second)
}
