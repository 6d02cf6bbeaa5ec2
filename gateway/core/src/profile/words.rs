//! The quantities that devices measure, in the words of profiles and captures.

use super::{Kind, Unit};
use crate::reading::Quantity;

/// A quantity of a kind of device: its word, the codec's field that carries it, and the units in which it can come.
pub(super) struct Row {
    pub(super) word: &'static str,
    pub(super) quantity: Quantity,
    pub(super) from: &'static str,
    pub(super) kind: Kind,
    pub(super) units: &'static [Unit],
}

const PRESSURE: &[Unit] = &[Unit::MillimetreOfMercury, Unit::Kilopascal];
const CONCENTRATION: &[Unit] = &[Unit::MilligramPerDecilitre, Unit::MillimolePerLitre];
const MASS: &[Unit] = &[Unit::Kilogram, Unit::Pound];
const LENGTH: &[Unit] = &[Unit::Metre, Unit::Inch];
const INDEX: &[Unit] = &[Unit::KilogramPerSquareMetre];
const RATE: &[Unit] = &[Unit::PerMinute];
const PERCENT: &[Unit] = &[Unit::Percent];
const TEMPERATURE: &[Unit] = &[Unit::DegreeCelsius, Unit::DegreeFahrenheit];

const fn row(
    word: &'static str,
    quantity: Quantity,
    from: &'static str,
    kind: Kind,
    units: &'static [Unit],
) -> Row {
    Row { word, quantity, from, kind, units }
}

pub(super) const ROWS: [Row; 20] = {
    use Kind::{
        BloodPressureMonitor as Cuff, BodyCompositionAnalyzer as Analyzer, GlucoseMeter as Meter,
        HeartRateMonitor as Strap, PulseOximeter as Oximeter, Thermometer, WeightScale as Scale,
    };
    use Quantity as Q;
    [
        row("systolic", Q::Systolic, "blood-pressure.systolic", Cuff, PRESSURE),
        row("diastolic", Q::Diastolic, "blood-pressure.diastolic", Cuff, PRESSURE),
        row(
            "mean-arterial-pressure",
            Q::MeanArterialPressure,
            "blood-pressure.mean-arterial-pressure",
            Cuff,
            PRESSURE,
        ),
        row("pulse-rate", Q::PulseRate, "blood-pressure.pulse-rate", Cuff, RATE),
        row("pulse-rate", Q::PulseRate, "spot-check.pulse-rate", Oximeter, RATE),
        row("glucose", Q::Glucose, "glucose.concentration", Meter, CONCENTRATION),
        row("body-weight", Q::BodyWeight, "weight.weight", Scale, MASS),
        row("body-weight", Q::BodyWeight, "weight.weight", Analyzer, MASS),
        row("body-weight", Q::BodyWeight, "body-composition.weight", Analyzer, MASS),
        row("body-height", Q::BodyHeight, "weight.height", Scale, LENGTH),
        row("body-height", Q::BodyHeight, "weight.height", Analyzer, LENGTH),
        row("body-mass-index", Q::BodyMassIndex, "weight.body-mass-index", Scale, INDEX),
        row("body-mass-index", Q::BodyMassIndex, "weight.body-mass-index", Analyzer, INDEX),
        row("body-fat", Q::BodyFat, "body-composition.body-fat-percentage", Analyzer, PERCENT),
        row("fat-free-mass", Q::FatFreeMass, "body-composition.fat-free-mass", Analyzer, MASS),
        row("soft-lean-mass", Q::SoftLeanMass, "body-composition.soft-lean-mass", Analyzer, MASS),
        row("body-water-mass", Q::BodyWaterMass, "body-composition.body-water-mass", Analyzer, MASS),
        row("body-temperature", Q::BodyTemperature, "temperature.temperature", Thermometer, TEMPERATURE),
        row("oxygen-saturation", Q::OxygenSaturation, "spot-check.spo2", Oximeter, PERCENT),
        row("heart-rate", Q::HeartRate, "heart-rate.heart-rate", Strap, RATE),
    ]
};

/// What a kind of device must speak of, or its profile says nothing.
pub(super) fn essential(kind: Kind) -> &'static [Quantity] {
    match kind {
        Kind::BloodPressureMonitor => &[Quantity::Systolic, Quantity::Diastolic],
        Kind::GlucoseMeter => &[Quantity::Glucose],
        Kind::WeightScale | Kind::BodyCompositionAnalyzer => &[Quantity::BodyWeight],
        Kind::Thermometer => &[Quantity::BodyTemperature],
        Kind::PulseOximeter => &[Quantity::OxygenSaturation],
        Kind::HeartRateMonitor => &[Quantity::HeartRate],
    }
}

/// The word for a quantity, in profiles and captures.
pub fn word(quantity: Quantity) -> &'static str {
    let row = ROWS.iter().find(|row| row.quantity == quantity);
    row.expect("ROWS has every quantity, which a test holds").word
}
