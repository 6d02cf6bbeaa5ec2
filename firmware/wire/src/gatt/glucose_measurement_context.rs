use crate::Value;

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
    pub tester: u8,
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
    pub id: u8,
    pub unit: MedicationUnit,
    /// In `unit`, as sent.
    pub amount: Value,
}

/// Glucose Measurement Context, 0x2A34. Joins its measurement by `sequence`.
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
