use super::DateTime;
use crate::Decimal;

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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WeightMeasurement {
    pub unit: WeightUnit,
    /// kg with three decimals (resolution 0.005) or lb with two (0.01). `None`: 0xFFFF, measurement unsuccessful.
    pub weight: Option<Decimal>,
    pub time_stamp: Option<DateTime>,
    /// 255: unknown user.
    pub user_id: Option<u8>,
    pub body_mass_index_height: Option<BodyMassIndexHeight>,
    pub reserved_flags: u8,
}
