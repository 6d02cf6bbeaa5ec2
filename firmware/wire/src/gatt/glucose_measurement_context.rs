use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom, Value};

/// Carbohydrate: what it was taken with, and how much, in kilograms as sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Carbohydrate {
    /// 1 breakfast … 7 brunch
    pub id: u8,
    pub kilograms: Value,
}

/// Low nibble tester, high nibble health.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TesterHealth {
    /// 1 self, 2 health care professional, 3 laboratory, 15 not available
    pub tester: u8,
    /// 1 minor issues, 2 major issues, 3 during menses, 4 under stress, 5 none, 15 not available
    pub health: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exercise {
    /// 65535: overrun
    pub seconds: u16,
    pub intensity_percent: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MedicationUnit {
    Kilogram,
    Litre,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Medication {
    /// 1 rapid, 2 short, 3 intermediate, 4 long acting insulin, 5 pre-mixed insulin
    pub id: u8,
    pub unit: MedicationUnit,
    /// In `unit`, as sent.
    pub amount: Value,
}

/// Glucose Measurement Context, 0x2A34. Joins its measurement by `sequence`.
///
/// Bluetooth GATT Specification Supplement, "Glucose Measurement Context"; Glucose Service, "Glucose
/// Measurement Context". Layout: flags u8, sequence number u16; then, as flagged, extended flags u8,
/// carbohydrate id u8 with SFLOAT, meal u8, tester and health u8, exercise duration u16 with intensity u8,
/// medication id u8 with SFLOAT, HbA1c SFLOAT. Tolerated: codes that the standard does not list (kept), a
/// medication unit without a medication (dropped), octets after the last field (handed back).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GlucoseMeasurementContext {
    pub sequence: u16,
    pub extended_flags: Option<u8>,
    pub carbohydrate: Option<Carbohydrate>,
    /// 1 before, 2 after, 3 fasting, 4 casual, 5 bedtime
    pub meal: Option<u8>,
    pub tester_health: Option<TesterHealth>,
    pub exercise: Option<Exercise>,
    pub medication: Option<Medication>,
    pub hba1c_percent: Option<Value>,
}

const CARBOHYDRATE: u8 = 1;
const MEAL: u8 = 1 << 1;
const TESTER_HEALTH: u8 = 1 << 2;
const EXERCISE: u8 = 1 << 3;
const MEDICATION: u8 = 1 << 4;
const MEDICATION_IN_LITRES: u8 = 1 << 5;
const HBA1C: u8 = 1 << 6;
const EXTENDED_FLAGS: u8 = 1 << 7;

impl GlucoseMeasurementContext {
    pub const UUID: u16 = 0x2A34;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let flags = reader.u8("flags")?;
        let has = |flag: u8| flags & flag != 0;
        let unit = if has(MEDICATION_IN_LITRES) { MedicationUnit::Litre } else { MedicationUnit::Kilogram };
        let value = Self {
            sequence: reader.u16("sequence number")?,
            extended_flags: has(EXTENDED_FLAGS).then(|| reader.u8("extended flags")).transpose()?,
            carbohydrate: has(CARBOHYDRATE).then(|| carbohydrate(&mut reader)).transpose()?,
            meal: has(MEAL).then(|| reader.u8("meal")).transpose()?,
            tester_health: has(TESTER_HEALTH).then(|| tester_health(&mut reader)).transpose()?,
            exercise: has(EXERCISE).then(|| exercise(&mut reader)).transpose()?,
            medication: has(MEDICATION).then(|| medication(unit, &mut reader)).transpose()?,
            hba1c_percent: has(HBA1C).then(|| reader.sfloat("HbA1c")).transpose()?,
        };
        Ok(reader.done(value))
    }

    /// At most 17 octets.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut flags = 0;
        let mut flag = |set: bool, bit: u8| flags |= if set { bit } else { 0 };
        flag(self.carbohydrate.is_some(), CARBOHYDRATE);
        flag(self.meal.is_some(), MEAL);
        flag(self.tester_health.is_some(), TESTER_HEALTH);
        flag(self.exercise.is_some(), EXERCISE);
        flag(self.medication.is_some(), MEDICATION);
        flag(self.medication.is_some_and(|m| m.unit == MedicationUnit::Litre), MEDICATION_IN_LITRES);
        flag(self.hba1c_percent.is_some(), HBA1C);
        flag(self.extended_flags.is_some(), EXTENDED_FLAGS);

        let mut writer = Writer::new(buffer);
        writer.u8("flags", flags)?;
        writer.u16("sequence number", self.sequence)?;
        if let Some(extended_flags) = self.extended_flags {
            writer.u8("extended flags", extended_flags)?;
        }
        if let Some(carbohydrate) = self.carbohydrate {
            writer.u8("carbohydrate id", carbohydrate.id)?;
            writer.sfloat("carbohydrate", carbohydrate.kilograms)?;
        }
        if let Some(meal) = self.meal {
            writer.u8("meal", meal)?;
        }
        if let Some(TesterHealth { tester, health }) = self.tester_health {
            writer.nibbles("tester and health", tester, health)?;
        }
        if let Some(exercise) = self.exercise {
            writer.u16("exercise duration", exercise.seconds)?;
            writer.u8("exercise intensity", exercise.intensity_percent)?;
        }
        if let Some(medication) = self.medication {
            writer.u8("medication id", medication.id)?;
            writer.sfloat("medication", medication.amount)?;
        }
        if let Some(hba1c_percent) = self.hba1c_percent {
            writer.sfloat("HbA1c", hba1c_percent)?;
        }
        Ok(writer.done())
    }
}

fn carbohydrate(reader: &mut Reader<'_>) -> Result<Carbohydrate, Malformed> {
    Ok(Carbohydrate { id: reader.u8("carbohydrate id")?, kilograms: reader.sfloat("carbohydrate")? })
}

fn tester_health(reader: &mut Reader<'_>) -> Result<TesterHealth, Malformed> {
    let octet = reader.u8("tester and health")?;
    Ok(TesterHealth { tester: octet & 0x0F, health: octet >> 4 })
}

fn exercise(reader: &mut Reader<'_>) -> Result<Exercise, Malformed> {
    Ok(Exercise {
        seconds: reader.u16("exercise duration")?,
        intensity_percent: reader.u8("exercise intensity")?,
    })
}

fn medication(unit: MedicationUnit, reader: &mut Reader<'_>) -> Result<Medication, Malformed> {
    Ok(Medication { id: reader.u8("medication id")?, unit, amount: reader.sfloat("medication")? })
}
