//! A reading, as the display of its meter might say it.

use super::Row;
use super::reasons::why;
use crate::show::Fields;
use crate::store::fate_code;
use hearth_core::admit::{Fate, RecordNo};
use hearth_core::decode::Measurement;
use hearth_core::reading::{Doubt, Reading};
use hearth_core::when::Source;
use hearth_wire::gatt::{
    BloodPressureMeasurement, ConcentrationUnit, PressureUnit, TemperatureUnit, WeightUnit,
};
use hearth_wire::{Decimal, Special, Value};
use serde_json::{Value as Json, json};

/// What became of a record: what it says by its octets, and when, if it became a reading.
pub(in crate::control) fn change(
    record: RecordNo,
    fate: &Fate,
    reading: Option<&Reading>,
    said_by_octets: Option<Measurement>,
) -> Fields {
    let said = match fate {
        Fate::Reissue(issue) => Some(format!("issue {}", issue.0)),
        Fate::Companion(head) => Some(format!("of record {}", head.0)),
        _ => why(fate),
    };
    let name = match fate {
        Fate::Await { .. } => "awaits",
        Fate::Hold(_) => "held",
        Fate::Reissue(_) => "issued anew",
        _ => fate_code(fate).0,
    };
    let row = Row::new().with("record", record.0).with("fate", name).with("why", said);
    let row = match reading.map(|reading| reading.measure).or(said_by_octets) {
        Some(measure) => row.with("measured", measured(&measure)).with("values", values(&measure)),
        None => row,
    };
    let Some(reading) = reading else { return row.0 };
    let civil = reading.when.offset.to_datetime(reading.when.effective);
    let source = match reading.when.source {
        Source::Sample => "clock sample",
        Source::DeviceUtc => "the device's UTC",
        Source::Zone => "the binding's zone",
        Source::Heard => "hearing it live",
    };
    row.with("taken", format!("{civil}{}", offset(reading.when.offset)))
        .with("dated_by", source)
        .with("companions", reading.companions.len())
        .with("doubts", reading.doubts.iter().map(|d| json!(doubt(*d))).collect::<Json>())
        .0
}

/// `-04:00`
fn offset(offset: jiff::tz::Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", seconds.abs() / 3_600, seconds.abs() / 60 % 60)
}

/// As a meter's display might say it.
fn measured(measure: &Measurement) -> String {
    match measure {
        Measurement::Pressure(_) | Measurement::EnhancedPressure(_) => {
            measure.pressure().map_or_else(String::new, |m| pressure(&m))
        }
        Measurement::BodyComposition(m) => {
            let fat = m
                .body_fat_percent
                .map_or_else(|| "no body fat".to_owned(), |fat| format!("{fat} % body fat"));
            m.weight.map_or_else(|| fat.clone(), |weight| format!("{}, {fat}", mass(weight, m.unit)))
        }
        Measurement::Temperature(m) => match (m.temperature, m.unit) {
            (Value::Special(special), _) => format!("no value: {special}"),
            (value, TemperatureUnit::Celsius) => format!("{value} °C"),
            (value, TemperatureUnit::Fahrenheit) => format!("{value} °F"),
        },
        Measurement::Oximetry(m) => format!("{} %, pulse {} /min", m.spo2_percent, m.pulse_rate),
        Measurement::HeartRate(m) => format!("{} /min", m.beats_per_minute),
        Measurement::Glucose(m) => m.concentration.map_or_else(
            || "no concentration".into(),
            |c| match (c.unit, c.value) {
                (ConcentrationUnit::KilogramPerLitre, Value::Finite(d)) => format!("{} mg/dL", d.shifted(5)),
                (ConcentrationUnit::MolePerLitre, Value::Finite(d)) => format!("{} mmol/L", d.shifted(3)),
                (_, Value::Special(Special::PositiveInfinity)) => "HI".into(),
                (_, Value::Special(Special::NegativeInfinity)) => "LO".into(),
                (_, special) => format!("no value: {special}"),
            },
        ),
        Measurement::GlucoseContext(_) => "a context".into(),
        Measurement::Weight(m) => {
            m.weight.map_or_else(|| "failed: no weight".into(), |weight| mass(weight, m.unit))
        }
    }
}

fn pressure(m: &BloodPressureMeasurement) -> String {
    if m.systolic.finite().is_none() && m.diastolic.finite().is_none() {
        return "failed: no pressure".into();
    }
    let unit = match m.unit {
        PressureUnit::MillimetreOfMercury => "mmHg",
        PressureUnit::Kilopascal => "kPa",
    };
    format!("{}/{} {unit}", m.systolic, m.diastolic)
}

fn mass(mass: Decimal, unit: WeightUnit) -> String {
    match unit {
        WeightUnit::Si => format!("{mass} kg"),
        WeightUnit::Imperial => format!("{mass} lb"),
    }
}

/// Every field, by the names of `hearth decode`.
fn values(measure: &Measurement) -> Json {
    let octets = measure.encode();
    crate::fields::fields(measure.characteristic(), &octets, &[]).map_or(Json::Null, Json::Object)
}

fn doubt(doubt: Doubt) -> String {
    match doubt {
        Doubt::BodyMovement => "body movement".into(),
        Doubt::CuffTooLoose => "cuff too loose".into(),
        Doubt::ImproperPosition => "improper position".into(),
        Doubt::IrregularPulse => "device flag: irregular pulse".into(),
        Doubt::PulseAboveLimit => "device flag: pulse above its limit".into(),
        Doubt::PulseBelowLimit => "device flag: pulse below its limit".into(),
        Doubt::Extreme(quantity) => format!("an unusual {}", hearth_core::profile::word(quantity)),
        Doubt::Sensor(bits) => format!("sensor status {bits:#06x}"),
        Doubt::Oximeter { measurement, sensor } => {
            let said: Vec<_> = hearth_core::map::bits::oximeter(measurement, sensor).collect();
            said.join("; ")
        }
        Doubt::NoContact => "no contact with the skin".into(),
        Doubt::ClockUnverified => "clock not checked".into(),
        Doubt::OffsetChanged => "time offset changed later".into(),
        Doubt::ClockOff => "clock was wrong, corrected".into(),
        Doubt::Broadcast => "anybody could have sent it".into(),
    }
}
