use super::DateTime;
use crate::Value;

/// Minutes from base time to user-facing time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeOffset {
    Minutes(i16),
    /// 0x7FFF
    Overrun,
    /// 0x8000
    Underrun,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConcentrationUnit {
    KilogramPerLitre,
    MolePerLitre,
}

/// Concentration with the octet that always comes with it: type in the low nibble, location in the high.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Concentration {
    pub unit: ConcentrationUnit,
    /// In `unit`, as sent: kg/L or mol/L.
    pub value: Value,
    /// 1 capillary whole blood … 9 interstitial fluid, 10 control solution.
    pub kind: u8,
    /// 1 finger, 2 alternate site, 3 earlobe, 4 control solution, 15 not available.
    pub location: u8,
}

/// Sensor Status Annunciation field: the flags as sent, reserved ones included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GlucoseStatus(pub u16);

/// Glucose Measurement, 0x2A18.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GlucoseMeasurement {
    pub sequence: u16,
    pub base_time: DateTime,
    pub time_offset: Option<TimeOffset>,
    pub concentration: Option<Concentration>,
    pub status: Option<GlucoseStatus>,
    pub context_follows: bool,
    pub reserved_flags: u8,
}
