//! The quantities that devices measure, in the words of profiles and captures.

use super::{Kind, Unit};
use crate::reading::Quantity;

/// One row per quantity: its word, the codec's field that carries it, the kind of device that has the field, and
/// the units in which it can come.
pub(super) struct Row {
    pub(super) word: &'static str,
    pub(super) quantity: Quantity,
    pub(super) from: &'static str,
    pub(super) kind: Kind,
    pub(super) units: &'static [Unit],
}

const PRESSURE: &[Unit] = &[Unit::MillimetreOfMercury, Unit::Kilopascal];

pub(super) const ROWS: [Row; 8] = {
    use Kind::{BloodPressureMonitor as Cuff, GlucoseMeter as Meter, WeightScale as Scale};
    const fn row(
        word: &'static str,
        quantity: Quantity,
        from: &'static str,
        kind: Kind,
        units: &'static [Unit],
    ) -> Row {
        Row { word, quantity, from, kind, units }
    }
    [
        row("systolic", Quantity::Systolic, "blood-pressure.systolic", Cuff, PRESSURE),
        row("diastolic", Quantity::Diastolic, "blood-pressure.diastolic", Cuff, PRESSURE),
        row(
            "mean-arterial-pressure",
            Quantity::MeanArterialPressure,
            "blood-pressure.mean-arterial-pressure",
            Cuff,
            PRESSURE,
        ),
        row("pulse-rate", Quantity::PulseRate, "blood-pressure.pulse-rate", Cuff, &[Unit::PerMinute]),
        row(
            "glucose",
            Quantity::Glucose,
            "glucose.concentration",
            Meter,
            &[Unit::MilligramPerDecilitre, Unit::MillimolePerLitre],
        ),
        row("body-weight", Quantity::BodyWeight, "weight.weight", Scale, &[Unit::Kilogram, Unit::Pound]),
        row("body-height", Quantity::BodyHeight, "weight.height", Scale, &[Unit::Metre, Unit::Inch]),
        row(
            "body-mass-index",
            Quantity::BodyMassIndex,
            "weight.body-mass-index",
            Scale,
            &[Unit::KilogramPerSquareMetre],
        ),
    ]
};

/// What a kind of device must speak of, or its profile says nothing.
pub(super) fn essential(kind: Kind) -> &'static [Quantity] {
    match kind {
        Kind::BloodPressureMonitor => &[Quantity::Systolic, Quantity::Diastolic],
        Kind::GlucoseMeter => &[Quantity::Glucose],
        Kind::WeightScale => &[Quantity::BodyWeight],
    }
}

/// The word for a quantity, in profiles and captures.
pub fn word(quantity: Quantity) -> &'static str {
    let row = ROWS.iter().find(|row| row.quantity == quantity);
    row.expect("ROWS has every quantity, which a test holds").word
}
