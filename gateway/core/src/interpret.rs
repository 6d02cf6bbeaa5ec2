//! Measurement to what is known of it: no reading at all, one that a person must look at, or a sound one with
//! what is doubtful about it. Nothing is altered here, and time is not judged here.
//!
//! Held is only what the maker's stated range or arithmetic makes impossible, and what the layout does not explain.
//! A value that is merely extreme is delivered at once, marked: an emergency on a shelf is harm (CLINICAL 1).

use crate::admit::{Refusal, Why};
use crate::decode::{Measurement, Parsed};
use crate::profile::{Profile, Unit};
use crate::reading::{Doubt, Quantity, Version};
use hearth_wire::gatt::{
    BloodPressureMeasurement, BodyCompositionMeasurement, Concentration, ConcentrationUnit,
    GlucoseMeasurement, GlucoseStatus, HeartRateMeasurement, PlxMeasurementStatus, PlxSpotCheckMeasurement,
    PressureUnit, PulseRange, SensorContact, TemperatureMeasurement, TemperatureUnit, WeightMeasurement,
    WeightUnit,
};
use hearth_wire::{Decimal, Value};
use std::cmp::Ordering;

/// Counts up with every change of judgement: kept with each reading that it made.
pub const VERSION: Version = Version(3);

/// What is known of a measurement before anybody asks when it was taken and whose it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judged {
    Sound { doubts: Vec<Doubt> },
    Hold(Why),
    Refuse(Refusal),
}

/// Judges one measurement together with what belongs to it.
///
/// A failed pressure, a weight that did not succeed, HI and LO are sound: they are told, never left out (CLINICAL 6,
/// 7). A context alone has nothing to judge.
pub fn interpret(parsed: &Parsed, companions: &[Measurement], profile: &Profile) -> Judged {
    if let Some(not) = parsed.not_a_reading {
        return Judged::Refuse(Refusal::NotAReading(not.quirk));
    }
    if parsed.trailing > 0 {
        return Judged::Hold(Why::Layout);
    }
    match &parsed.measurement {
        pressed @ (Measurement::Pressure(_) | Measurement::EnhancedPressure(_)) => match pressed.pressure() {
            Some(m) => pressure(&m, profile),
            None => Judged::Hold(Why::Layout),
        },
        Measurement::Glucose(m) => glucose(m, companions, profile),
        Measurement::Weight(m) => weight(m, companions, profile),
        Measurement::BodyComposition(m) => composition(m, profile),
        Measurement::Temperature(m) => temperature(m, profile),
        Measurement::Oximetry(m) => oximetry(m, profile),
        Measurement::HeartRate(m) => heart_rate(m, profile),
        Measurement::GlucoseContext(_) => Judged::Sound { doubts: Vec::new() },
    }
}

/// One number that a device shows, in the unit that it sent.
#[derive(Clone, Copy)]
struct Shown {
    quantity: Quantity,
    unit: Unit,
    value: Decimal,
}

/// Mean arterial pressure is not judged: it is often NaN or 0, and never a reason to hold a pressure (CLINICAL 14).
fn pressure(m: &BloodPressureMeasurement, profile: &Profile) -> Judged {
    let unit = match m.unit {
        PressureUnit::MillimetreOfMercury => Unit::MillimetreOfMercury,
        PressureUnit::Kilopascal => Unit::Kilopascal,
    };
    let shown = |quantity, unit, value: Value| value.finite().map(|value| Shown { quantity, unit, value });
    let systolic = shown(Quantity::Systolic, unit, m.systolic);
    let diastolic = shown(Quantity::Diastolic, unit, m.diastolic);
    let pulse = m.pulse_rate.and_then(|value| shown(Quantity::PulseRate, Unit::PerMinute, value));
    let all = [systolic, diastolic, pulse].into_iter().flatten();
    if let Some(quantity) = impossible(all.clone(), profile) {
        return Judged::Hold(Why::Impossible(quantity));
    }
    if let (Some(systolic), Some(diastolic)) = (systolic, diastolic)
        && systolic.value.compare(diastolic.value).is_lt()
    {
        return Judged::Hold(Why::Impossible(Quantity::Systolic));
    }
    let mut doubts = Vec::new();
    if let Some(status) = m.status {
        let bits = [
            (status.body_movement(), Doubt::BodyMovement),
            (status.cuff_too_loose(), Doubt::CuffTooLoose),
            (status.irregular_pulse(), Doubt::IrregularPulse),
            (status.pulse_range() == PulseRange::AboveUpperLimit, Doubt::PulseAboveLimit),
            (status.pulse_range() == PulseRange::BelowLowerLimit, Doubt::PulseBelowLimit),
            (status.improper_position(), Doubt::ImproperPosition),
        ];
        doubts.extend(bits.into_iter().filter_map(|(set, doubt)| set.then_some(doubt)));
    }
    doubts.extend(extremes(all));
    Judged::Sound { doubts }
}

/// Concentration type: control solution.
const CONTROL_SOLUTION_TYPE: u8 = 10;
/// Sample location: control solution.
const CONTROL_SOLUTION_LOCATION: u8 = 4;
/// What a meter says by HI and LO: the words are the reading, not a doubt about it (CLINICAL 7).
const HI_LO: u16 = GlucoseStatus::RESULT_TOO_HIGH | GlucoseStatus::RESULT_TOO_LOW;
/// b0 to b10: the sensor. b11 is the clock's.
const SENSOR: u16 = 0x07FF;
/// i-SENS CareSens stores ketones as glucose with this meal, which the standard reserves (xDrip, Tidepool's uploader).
const KETONE_MEAL: u8 = 6;

fn glucose(m: &GlucoseMeasurement, companions: &[Measurement], profile: &Profile) -> Judged {
    let status = m.status.map_or(0, |status| status.0);
    let Some(concentration) = m.concentration else {
        // Some meters show HI or LO by a status bit alone: still a reading, and an urgent one (CLINICAL 7).
        if status & HI_LO == 0 {
            return Judged::Refuse(Refusal::NothingMeasured);
        }
        return Judged::Sound { doubts: sensor(status) };
    };
    if concentration.kind == CONTROL_SOLUTION_TYPE || concentration.location == CONTROL_SOLUTION_LOCATION {
        return Judged::Refuse(Refusal::ControlSolution);
    }
    // Whatever it shows: HI of something else is no HI of glucose.
    if companions.iter().any(is_ketone) {
        return Judged::Hold(Why::Layout);
    }
    let shown = shown_glucose(&concentration);
    let mut doubts = sensor(status);
    match impossible(shown, profile) {
        // Never held where the meter itself says HI or LO: then that is the reading, and not the number (CLINICAL 7).
        Some(_) if status & HI_LO != 0 => {}
        Some(quantity) => return Judged::Hold(Why::Impossible(quantity)),
        None => doubts.extend(extremes(shown)),
    }
    Judged::Sound { doubts }
}

/// Whether a number stands where the maker says that none can: beside HI or LO it is not the result.
pub fn is_no_glucose(concentration: &Concentration, profile: &Profile) -> bool {
    impossible(shown_glucose(concentration), profile).is_some()
}

/// As a meter shows it. kg/L to mg/dL and mol/L to mmol/L are shifts of the exponent: every digit stays.
fn shown_glucose(concentration: &Concentration) -> Option<Shown> {
    let sent = concentration.value.finite()?;
    let (unit, value) = match concentration.unit {
        ConcentrationUnit::KilogramPerLitre => (Unit::MilligramPerDecilitre, sent.shifted(5)),
        ConcentrationUnit::MolePerLitre => (Unit::MillimolePerLitre, sent.shifted(3)),
    };
    Some(Shown { quantity: Quantity::Glucose, unit, value })
}

fn is_ketone(companion: &Measurement) -> bool {
    matches!(companion, Measurement::GlucoseContext(context) if context.meal == Some(KETONE_MEAL))
}

fn sensor(status: u16) -> Vec<Doubt> {
    let bits = status & SENSOR;
    if bits & !HI_LO == 0 { Vec::new() } else { vec![Doubt::Sensor(bits)] }
}

/// Sound with what is unusual, unless a number is impossible.
fn numbers(all: &[Shown], profile: &Profile, mut doubts: Vec<Doubt>) -> Judged {
    match impossible(all.iter().copied(), profile) {
        Some(quantity) => Judged::Hold(Why::Impossible(quantity)),
        None => {
            doubts.extend(extremes(all.iter().copied()));
            Judged::Sound { doubts }
        }
    }
}

fn mass(unit: WeightUnit) -> Unit {
    match unit {
        WeightUnit::Si => Unit::Kilogram,
        WeightUnit::Imperial => Unit::Pound,
    }
}

/// Height and body mass index were typed in, not measured: they say nothing about a weight (CLINICAL 14).
fn weight(m: &WeightMeasurement, companions: &[Measurement], profile: &Profile) -> Judged {
    let shown = m.weight.map(|value| Shown { quantity: Quantity::BodyWeight, unit: mass(m.unit), value });
    let compositions = companions.iter().filter_map(|companion| match companion {
        Measurement::BodyComposition(m) => Some(composed(m)),
        _ => None,
    });
    let all: Vec<Shown> = shown.into_iter().chain(compositions.flatten()).collect();
    of_a_body(&all, profile)
}

/// One that has nothing but zeros or failures is no reading of a body.
fn composition(m: &BodyCompositionMeasurement, profile: &Profile) -> Judged {
    // Half of a measurement is none: the other half never came.
    if m.multiple_packet {
        return Judged::Hold(Why::Layout);
    }
    let weight = m.weight.map(|value| Shown { quantity: Quantity::BodyWeight, unit: mass(m.unit), value });
    let all: Vec<Shown> = weight.into_iter().chain(composed(m)).collect();
    if all.is_empty() && m.muscle_percent.is_none() && m.muscle_mass.is_none() {
        return Judged::Refuse(Refusal::NothingMeasured);
    }
    of_a_body(&all, profile)
}

/// A body's parts are no more than the body: a part beside the fat that has no room in the weight is of another unit, or
/// of another person (CLINICAL 1). One part in a hundred is left to rounding.
fn of_a_body(all: &[Shown], profile: &Profile) -> Judged {
    let of = |quantity| all.iter().find(move |shown| shown.quantity == quantity);
    let Some(weight) = of(Quantity::BodyWeight) else { return numbers(all, profile, Vec::new()) };
    let fat = of(Quantity::BodyFat).map_or(Decimal::new(0, 0), |fat| fat.value);
    for quantity in [Quantity::FatFreeMass, Quantity::SoftLeanMass, Quantity::BodyWaterMass] {
        let Some(part) = of(quantity).filter(|part| part.unit == weight.unit) else { continue };
        // 100 part + fat weight > 101 weight, without a division: part/weight + fat/100 > 101/100.
        let hundred_parts = Exact::from(part.value).times(Exact { mantissa: 100, exponent: 0 });
        let left =
            Exact { mantissa: 101, exponent: 0 }.minus(Exact::from(fat)).times(Exact::from(weight.value));
        if hundred_parts.compare(left).is_gt() {
            return Judged::Hold(Why::Impossible(quantity));
        }
    }
    numbers(all, profile, Vec::new())
}

/// What a scale says of what a body is made of, without its weight.
fn composed(m: &BodyCompositionMeasurement) -> Vec<Shown> {
    let shown = |quantity, unit, value: Option<Decimal>| value.map(|value| Shown { quantity, unit, value });
    let mass = mass(m.unit);
    [
        shown(Quantity::BodyFat, Unit::Percent, m.body_fat_percent),
        shown(Quantity::FatFreeMass, mass, m.fat_free_mass),
        shown(Quantity::SoftLeanMass, mass, m.soft_lean_mass),
        shown(Quantity::BodyWaterMass, mass, m.body_water_mass),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn temperature(m: &TemperatureMeasurement, profile: &Profile) -> Judged {
    let unit = match m.unit {
        TemperatureUnit::Celsius => Unit::DegreeCelsius,
        TemperatureUnit::Fahrenheit => Unit::DegreeFahrenheit,
    };
    let quantity = Quantity::BodyTemperature;
    let shown = m.temperature.finite().map(|value| Shown { quantity, unit, value });
    numbers(shown.as_slice(), profile, Vec::new())
}

/// Demonstration and test values are nobody's (Pulse Oximeter Service, "Measurement Status").
fn oximetry(m: &PlxSpotCheckMeasurement, profile: &Profile) -> Judged {
    let status = m.measurement_status.unwrap_or(PlxMeasurementStatus(0));
    if status.has(PlxMeasurementStatus::FOR_DEMONSTRATION | PlxMeasurementStatus::FOR_TESTING) {
        return Judged::Refuse(Refusal::Demonstration);
    }
    let shown = |quantity, unit, value: Value| value.finite().map(|value| Shown { quantity, unit, value });
    let all: Vec<Shown> = [
        shown(Quantity::OxygenSaturation, Unit::Percent, m.spo2_percent),
        shown(Quantity::PulseRate, Unit::PerMinute, m.pulse_rate),
    ]
    .into_iter()
    .flatten()
    .collect();
    let measurement = status.0 & DOUBTFUL_MEASUREMENT;
    let sensor = m.sensor_status.map_or(0, |status| status.0) & DOUBTFUL_SENSOR;
    let doubts =
        if measurement | sensor as u16 == 0 { vec![] } else { vec![Doubt::Oximeter { measurement, sensor }] };
    numbers(&all, profile, doubts)
}

/// What an oximeter says against its own value. Not among them: early, validated, fully qualified, from storage.
const DOUBTFUL_MEASUREMENT: u16 = PlxMeasurementStatus::MEASUREMENT_ONGOING
    | PlxMeasurementStatus::CALIBRATION_ONGOING
    | PlxMeasurementStatus::MEASUREMENT_UNAVAILABLE
    | PlxMeasurementStatus::QUESTIONABLE_MEASUREMENT
    | PlxMeasurementStatus::INVALID_MEASUREMENT;
/// All that the standard names but b0, a display that is still being updated.
const DOUBTFUL_SENSOR: u32 = 0xFFFE;

fn heart_rate(m: &HeartRateMeasurement, profile: &Profile) -> Judged {
    let doubts = match m.sensor_contact {
        SensorContact::NotDetected => vec![Doubt::NoContact],
        SensorContact::NotSupported | SensorContact::Detected => vec![],
    };
    let value = Decimal::new(m.beats_per_minute.into(), 0);
    let shown = Shown { quantity: Quantity::HeartRate, unit: Unit::PerMinute, value };
    numbers(&[shown], profile, doubts)
}

/// The first number that is negative, or outside what its maker says the device can show.
fn impossible(shown: impl IntoIterator<Item = Shown>, profile: &Profile) -> Option<Quantity> {
    let excluded = |number: &Shown| {
        let stated = profile.of_unit(number.quantity, number.unit).and_then(|facts| facts.range);
        let outside = |(low, high): (Decimal, Decimal)| {
            number.value.compare(low).is_lt() || number.value.compare(high).is_gt()
        };
        // More than all of it.
        let beyond = number.unit == Unit::Percent && number.value.compare(Decimal::new(100, 0)).is_gt();
        let negative = number.value.mantissa < 0 && number.quantity != Quantity::BodyTemperature;
        negative || beyond || stated.is_some_and(outside)
    };
    shown.into_iter().find(excluded).map(|number| number.quantity)
}

/// What such devices usually show, both ends included: quantity, its unit, lowest, highest.
///
/// Nothing else is "usual" for a pressure in kPa or a weight in lb: [`against`] compares them exactly. Glucose has a
/// row for each unit, since one is never converted into the other (CLINICAL 8); so has temperature, whose zero moves.
const USUAL: [(Quantity, Unit, i32, i32, i8); 11] = [
    (Quantity::Systolic, Unit::MillimetreOfMercury, 40, 300, 0),
    (Quantity::Diastolic, Unit::MillimetreOfMercury, 20, 200, 0),
    (Quantity::PulseRate, Unit::PerMinute, 20, 250, 0),
    (Quantity::Glucose, Unit::MilligramPerDecilitre, 10, 600, 0),
    (Quantity::Glucose, Unit::MillimolePerLitre, 6, 333, -1),
    (Quantity::BodyWeight, Unit::Kilogram, 2, 400, 0),
    (Quantity::BodyTemperature, Unit::DegreeCelsius, 300, 440, -1),
    (Quantity::BodyTemperature, Unit::DegreeFahrenheit, 860, 1112, -1),
    (Quantity::OxygenSaturation, Unit::Percent, 50, 100, 0),
    (Quantity::HeartRate, Unit::PerMinute, 20, 250, 0),
    (Quantity::BodyFat, Unit::Percent, 2, 75, 0),
];

fn extremes(shown: impl IntoIterator<Item = Shown>) -> Vec<Doubt> {
    let unusual = |number: &Shown| {
        USUAL.iter().filter(|row| row.0 == number.quantity).any(|(_, unit, low, high, exponent)| {
            let than = |limit| against(number, *unit, Decimal::new(limit, *exponent));
            than(*low) == Some(Ordering::Less) || than(*high) == Some(Ordering::Greater)
        })
    };
    shown.into_iter().filter(unusual).map(|number| Doubt::Extreme(number.quantity)).collect()
}

/// Compares a number with a limit in another unit, exactly: both are multiplied, neither is divided or rounded.
/// `None`: units that are never compared.
fn against(number: &Shown, unit: Unit, limit: Decimal) -> Option<Ordering> {
    const ONE: Exact = Exact { mantissa: 1, exponent: 0 };
    // 1 lb is 0.45359237 kg; 1 mm[Hg] is 0.133322387415 kPa (13.5951 x 9.80665 Pa). Both by definition.
    const KILOGRAM_IN_POUND: Exact = Exact { mantissa: 45_359_237, exponent: -8 };
    const KILOPASCAL_IN_MILLIMETRE: Exact = Exact { mantissa: 133_322_387_415, exponent: -12 };
    let (times_value, times_limit) = match (number.unit, unit) {
        (sent, of) if sent == of => (ONE, ONE),
        (Unit::Pound, Unit::Kilogram) => (KILOGRAM_IN_POUND, ONE),
        (Unit::Kilopascal, Unit::MillimetreOfMercury) => (ONE, KILOPASCAL_IN_MILLIMETRE),
        _ => return None,
    };
    Some(Exact::from(number.value).times(times_value).compare(Exact::from(limit).times(times_limit)))
}

/// mantissa x 10^exponent, with room for the product of a [`Decimal`] and a factor of twelve digits.
#[derive(Clone, Copy)]
struct Exact {
    mantissa: i128,
    exponent: i32,
}

impl From<Decimal> for Exact {
    fn from(decimal: Decimal) -> Exact {
        Exact { mantissa: decimal.mantissa.into(), exponent: decimal.exponent.into() }
    }
}

impl Exact {
    fn times(self, factor: Exact) -> Exact {
        Exact { mantissa: self.mantissa * factor.mantissa, exponent: self.exponent + factor.exponent }
    }

    /// Of numbers with few digits: both fit at the lower exponent, or the other counts as nothing.
    fn minus(self, other: Exact) -> Exact {
        let exponent = self.exponent.min(other.exponent);
        let raised = |number: Exact| {
            let scale = 10_i128.checked_pow(number.exponent.abs_diff(exponent))?;
            number.mantissa.checked_mul(scale)
        };
        match raised(self).zip(raised(other)).and_then(|(one, two)| one.checked_sub(two)) {
            Some(mantissa) => Exact { mantissa, exponent },
            None => self,
        }
    }

    fn compare(self, other: Exact) -> Ordering {
        if self.exponent < other.exponent {
            return other.compare(self).reverse();
        }
        let raised = 10_i128
            .checked_pow(self.exponent.abs_diff(other.exponent))
            .and_then(|scale| self.mantissa.checked_mul(scale));
        match raised {
            Some(mantissa) => mantissa.cmp(&other.mantissa),
            // Too large to write down: it outweighs any product, unless it is nothing.
            None if self.mantissa == 0 => 0.cmp(&other.mantissa),
            None => self.mantissa.cmp(&0),
        }
    }
}

#[cfg(test)]
mod tests;
