//! Devices as facts in files: `schema` is the file's shape, `check` says what it may not say, [`Catalog`] recognizes a
//! device by them. What each key means, and how a device is added: `docs/profiles.md`.

mod catalog;
mod check;
mod draft;
mod problem;
mod schema;
mod standard;
mod words;

pub use catalog::Catalog;
pub use draft::{Draft, draft};
pub use problem::Problem;
pub use words::word;

use crate::quirk::Quirk;
use crate::reading::{Quantity, Version};
use hearth_wire::Decimal;
use serde::Deserialize;

/// `maker/model` or `generic/service`: the file's path without its ending.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProfileName(pub String);

/// One device model, or one service as the standard has it. Facts, not arithmetic.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    pub name: ProfileName,
    /// Counts up with every change of meaning: refused records are judged again.
    pub version: Version,
    pub kind: Kind,
    pub evidence: Evidence,
    pub matches: Match,
    pub identity: IdentitySource,
    pub collect: Collect,
    pub clock: Clock,
    pub memory: Untimed,
    pub readings: Vec<ReadingFacts>,
    pub body_site: Option<BodySite>,
    /// The device averages several measurements by itself (CLINICAL 2).
    pub averaged: bool,
    pub quirks: Vec<Quirk>,
    pub patience: Patience,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    BloodPressureMonitor,
    GlucoseMeter,
    WeightScale,
    /// A scale that also says what a body is made of.
    BodyCompositionAnalyzer,
    Thermometer,
    PulseOximeter,
    HeartRateMonitor,
}

/// How well a profile is known, and by whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    pub level: EvidenceLevel,
    pub by: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceLevel {
    /// A capture made by hand from the standard.
    Untested,
    /// Public reports of others.
    Reported,
    /// A device's own capture.
    Verified,
}

impl EvidenceLevel {
    /// As a profile writes it.
    pub fn name(self) -> &'static str {
        match self {
            EvidenceLevel::Untested => "untested",
            EvidenceLevel::Reported => "reported",
            EvidenceLevel::Verified => "verified",
        }
    }
}

/// All that is given must hold; the most specific profile wins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Match {
    pub name_prefixes: Vec<String>,
    pub services: Vec<u16>,
    pub manufacturer: Option<String>,
    pub model: Option<String>,
}

/// What names the device (fixed by the profile, never recomputed).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentitySource {
    SystemId,
    Serial,
    Address,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Collect {
    pub via: Via,
    pub pairing: Pairing,
    pub settle_ms: u32,
    pub silence_ms: u32,
    /// A user's records come only after that user's consent code was written to the User Control Point (0x2A9F).
    pub consent: bool,
    /// A scale that tells what a body is made of right after that body's weight, each time. Else only a contact with one of
    /// each joins them.
    pub weight_first: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// Stored records by the record access control point.
    Racp,
    /// Indications or notifications as they come.
    Notify,
    /// Advertisements; the device is never connected to.
    Advertisement,
    /// A maker's own service and memory: [`crate::vendor`] reads its records.
    Vendor,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pairing {
    None,
    JustWorks,
    Passkey,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clock {
    pub keeps: Keeps,
    /// The hub can read this clock in a contact: records wait for the sample.
    pub tells: bool,
    /// The hub may set it, after the memory is drained, by writing this characteristic.
    pub set_by: Option<u16>,
    /// Beyond this the owner's clock is said to be wrong.
    pub drift_limit_s: u32,
    /// Years in which the clock wakes after a battery change: such a stamp alone dates nothing.
    pub resets_to: Vec<i16>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeps {
    Utc,
    LocalTime,
    Nothing,
}

/// What a record without a stamp means (CLINICAL 20).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Untimed {
    LiveOnly,
    MayBeStored,
}

/// What a profile says of one quantity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadingFacts {
    pub quantity: Quantity,
    pub sample: Option<Sample>,
    /// The maker's stated range, in `unit`: lowest and highest value that the device can show.
    pub range: Option<(Decimal, Decimal)>,
    pub unit: Unit,
}

/// The units that devices send and records take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Unit {
    MillimetreOfMercury,
    Kilopascal,
    PerMinute,
    MilligramPerDecilitre,
    MillimolePerLitre,
    Kilogram,
    Pound,
    Metre,
    Inch,
    KilogramPerSquareMetre,
    Percent,
    DegreeCelsius,
    DegreeFahrenheit,
}

/// Where glucose is measured, by the maker's word (CLINICAL 8).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sample {
    Fingerstick,
}

/// Where a cuff is worn (CLINICAL 15: only from the profile).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodySite {
    UpperArm,
    Wrist,
}

/// How long a record waits for what may still come without a person, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    pub partner_ms: i64,
    pub clock_ms: i64,
    pub identity_ms: i64,
    pub hub_time_ms: i64,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { partner_ms: 600_000, clock_ms: 60_000, identity_ms: 3_600_000, hub_time_ms: 86_400_000 }
    }
}

impl ProfileName {
    /// A service as the standard has it, rather than a model.
    pub fn is_generic(&self) -> bool {
        self.0.starts_with("generic/")
    }
}

impl Profile {
    /// What is said of a quantity, in whatever unit comes first.
    pub fn of(&self, quantity: Quantity) -> Option<&ReadingFacts> {
        self.readings.iter().find(|r| r.quantity == quantity)
    }

    /// What is said of a quantity where the device sends it in this unit: a range is never converted (CLINICAL 8).
    pub fn of_unit(&self, quantity: Quantity, unit: Unit) -> Option<&ReadingFacts> {
        self.readings.iter().find(|r| r.quantity == quantity && r.unit == unit)
    }
}

impl Kind {
    pub const ALL: [Kind; 7] = [
        Kind::BloodPressureMonitor,
        Kind::GlucoseMeter,
        Kind::WeightScale,
        Kind::BodyCompositionAnalyzer,
        Kind::Thermometer,
        Kind::PulseOximeter,
        Kind::HeartRateMonitor,
    ];

    /// As a profile writes it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::BloodPressureMonitor => "blood-pressure-monitor",
            Kind::GlucoseMeter => "glucose-meter",
            Kind::WeightScale => "weight-scale",
            Kind::BodyCompositionAnalyzer => "body-composition-analyzer",
            Kind::Thermometer => "thermometer",
            Kind::PulseOximeter => "pulse-oximeter",
            Kind::HeartRateMonitor => "heart-rate-monitor",
        }
    }

    /// The GATT service that a device of this kind offers.
    pub fn service(self) -> u16 {
        match self {
            Kind::BloodPressureMonitor => 0x1810,
            Kind::GlucoseMeter => 0x1808,
            Kind::WeightScale => 0x181D,
            Kind::BodyCompositionAnalyzer => 0x181B,
            Kind::Thermometer => 0x1809,
            Kind::PulseOximeter => 0x1822,
            Kind::HeartRateMonitor => 0x180D,
        }
    }
}

impl Unit {
    /// As UCUM writes it, and as a profile does.
    pub fn ucum(self) -> &'static str {
        match self {
            Unit::MillimetreOfMercury => "mm[Hg]",
            Unit::Kilopascal => "kPa",
            Unit::PerMinute => "/min",
            Unit::MilligramPerDecilitre => "mg/dL",
            Unit::MillimolePerLitre => "mmol/L",
            Unit::Kilogram => "kg",
            Unit::Pound => "[lb_av]",
            Unit::Metre => "m",
            Unit::Inch => "[in_i]",
            Unit::KilogramPerSquareMetre => "kg/m2",
            Unit::Percent => "%",
            Unit::DegreeCelsius => "Cel",
            Unit::DegreeFahrenheit => "[degF]",
        }
    }
}

#[cfg(test)]
mod tests;
