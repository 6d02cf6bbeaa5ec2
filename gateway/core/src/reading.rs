//! What the house believes about a body.

use crate::capture::{DeviceNo, Key};
use crate::decode::Measurement;
use crate::identity::{Attested, Labels, Revision, Who};
use crate::profile::ProfileName;
use crate::when::{Stamp, When};

/// 0 as captured; a person's re-issue after a retraction counts up (CLINICAL 26).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Issue(pub u16);

/// Version of a profile or of [`crate::interpret`], kept with every reading that it made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Version(pub u32);

/// What is doubtful about a reading that is delivered all the same: stated, never a reason to alter it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Doubt {
    BodyMovement,
    CuffTooLoose,
    ImproperPosition,
    IrregularPulse,
    PulseAboveLimit,
    PulseBelowLimit,
    /// Outside what such meters usually show, yet possible (CLINICAL 1).
    Extreme(Quantity),
    /// A glucose meter's sensor status bits, b0–b10.
    Sensor(u16),
    /// What an oximeter reports of the measurement and of its sensor; docs/mapping.md names them.
    Oximeter {
        measurement: u16,
        sensor: u32,
    },
    /// A heart-rate sensor that can tell says that it has no contact with the skin.
    NoContact,
    /// The device's clock was never compared with the hub's in a contact that heard this record.
    ClockUnverified,
    /// The record was heard again with another time offset; the first one stands (CLINICAL 19).
    OffsetChanged,
    /// The device's clock differs from the hub's by more than its profile allows.
    ClockOff,
    /// Anybody in reach could have sent it.
    Broadcast,
}

/// What is measured, whatever device measures it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Quantity {
    Systolic,
    Diastolic,
    MeanArterialPressure,
    PulseRate,
    Glucose,
    BodyWeight,
    BodyHeight,
    BodyMassIndex,
    BodyFat,
    FatFreeMass,
    SoftLeanMass,
    BodyWaterMass,
    BodyTemperature,
    OxygenSaturation,
    HeartRate,
}

/// One measurement with its companions: dated, and somebody's.
#[derive(Clone, PartialEq, Debug)]
pub struct Reading {
    pub key: Key,
    pub issue: Issue,
    pub supersedes: Option<Issue>,
    /// The same measurement heard by two roads has one of these.
    pub semantic: Option<Key>,
    pub device: DeviceNo,
    pub measure: Measurement,
    pub companions: Vec<Measurement>,
    pub doubts: Vec<Doubt>,
    /// The device's own words, before any correction.
    pub stamp: Option<Stamp>,
    pub when: When,
    pub who: Who,
    pub sole_use: Option<Attested>,
    pub labels: Labels,
    pub binding: Revision,
    pub profile: (ProfileName, Version),
    pub interpreter: Version,
}
