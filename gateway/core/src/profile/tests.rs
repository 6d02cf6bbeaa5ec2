//! Every capture below `device-profiles/` against what was worked out by hand beside it, and the rules that hold over
//! the whole folder. The two formats: `docs/profiles.md`.
#![allow(clippy::unwrap_used)]

mod devices;
mod table;

use super::{Catalog, EvidenceLevel, Keeps, Kind, Match, Profile, ProfileName, Unit, Via, word};
use crate::admit::{Refusal, Why};
use crate::capture::Uuid16;
use crate::decode::{Measurement, Parsed, Told, decode};
use crate::identity::Facts;
use crate::interpret::{Judged, interpret};
use crate::quirk::Quirk;
use crate::reading::{Doubt, Quantity};
use crate::when::Face;
use data_encoding::HEXUPPER_PERMISSIVE;
use hearth_wire::Value as Number;
use hearth_wire::gatt::{ConcentrationUnit, PressureUnit, TemperatureUnit, WeightUnit};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the octets came from: the first line of a `.hex` file.
const ORIGINS: [&str; 3] =
    ["# origin: device capture, ", "# origin: public test, ", "# origin: made by hand, "];

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../device-profiles")
}

/// Every file below `device-profiles/`, sorted, as `maker/model/01-what.hex`.
pub(super) fn files() -> Vec<String> {
    fn below(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in folder.read_dir().unwrap().map(Result::unwrap) {
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                below(&entry.path(), &format!("{name}/"), found);
            } else {
                found.push(name);
            }
        }
    }
    let mut found = Vec::new();
    below(&folder(), "", &mut found);
    found.sort();
    found
}

/// One capture: `of` is the folder that it lies in, a profile's or a quirk's.
struct Capture {
    of: String,
    file: String,
    text: String,
    lines: Vec<(Uuid16, Vec<u8>)>,
    expected: Value,
}

impl Capture {
    fn read(file: &str) -> Capture {
        let text = std::fs::read_to_string(folder().join(file)).unwrap();
        let beside = file.replace(".hex", ".readings.json");
        let expected = std::fs::read_to_string(folder().join(&beside));
        let expected = expected.unwrap_or_else(|_| panic!("{file} has no {beside}; write what it means"));
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
            let (characteristic, hex) = line.split_once(' ').unwrap_or_else(|| panic!("{file}: {line}"));
            let octets = HEXUPPER_PERMISSIVE.decode(hex.replace(' ', "").as_bytes());
            let octets = octets.unwrap_or_else(|e| panic!("{file}: {line}: {e}"));
            (Uuid16::parse(characteristic).unwrap_or_else(|| panic!("{file}: {line}")), octets)
        });
        Capture {
            of: file.rsplit_once('/').unwrap().0.to_owned(),
            file: file.to_owned(),
            lines: lines.collect(),
            expected: serde_json::from_str(&expected).unwrap_or_else(|e| panic!("{beside}: {e}")),
            text,
        }
    }

    fn all() -> Vec<Capture> {
        files().iter().filter(|file| file.ends_with(".hex")).map(|file| Capture::read(file)).collect()
    }

    /// The profile that the capture is of; for a quirk's, the generic one that calls it.
    fn profile(&self, catalog: &Catalog) -> Profile {
        match self.quirk() {
            None => {
                let profile = catalog.get(&ProfileName(self.of.clone()));
                profile.unwrap_or_else(|| panic!("{} lies in no profile's folder", self.file)).clone()
            }
            Some(quirk) => Profile { quirks: vec![quirk], ..generic(quirk.kind(), catalog) },
        }
    }

    fn quirk(&self) -> Option<Quirk> {
        let name = self.of.strip_prefix("quirks/")?;
        Some(Quirk::parse(name).unwrap_or_else(|| panic!("{}: no quirk has this name", self.file)))
    }

    /// What the house makes of the octets: one value for each line that is no companion of another.
    fn readings(&self, profile: &Profile) -> Vec<Value> {
        let parsed: Vec<_> =
            self.lines.iter().map(|(c, octets)| decode(*c, octets, &profile.quirks)).collect();
        let contexts: BTreeMap<u16, Measurement> = parsed
            .iter()
            .flatten()
            .filter(|p| matches!(p.measurement, Measurement::GlucoseContext(_)))
            .map(|p| (p.measurement.sequence().unwrap(), p.measurement))
            .collect();
        let heads = parsed
            .iter()
            .filter(|p| !matches!(p, Ok(Parsed { measurement: Measurement::GlucoseContext(_), .. })));
        heads
            .map(|head| match head {
                Err(_) => json!({ "refused": "undecodable" }),
                Ok(parsed) => {
                    let context = parsed.measurement.sequence().and_then(|n| contexts.get(&n)).copied();
                    said(parsed, context, profile)
                }
            })
            .collect()
    }
}

/// The generic profile of a kind, without what it may say about quirks.
fn generic(kind: Kind, catalog: &Catalog) -> Profile {
    let of_kind = |p: &&Profile| p.kind == kind && p.name.0.starts_with("generic/");
    catalog.all().find(of_kind).unwrap().clone()
}

/// One reading in the words of a `.readings.json`.
fn said(parsed: &Parsed, context: Option<Measurement>, profile: &Profile) -> Value {
    let companions: Vec<Measurement> = context.into_iter().collect();
    let doubts: Vec<String> = match interpret(parsed, &companions, profile) {
        Judged::Refuse(Refusal::NotAReading(_)) => {
            return json!({ "refused": parsed.not_a_reading.unwrap().because });
        }
        Judged::Refuse(Refusal::ControlSolution) => return json!({ "refused": "control-solution" }),
        Judged::Refuse(Refusal::Demonstration) => return json!({ "refused": "demonstration" }),
        Judged::Refuse(Refusal::NothingMeasured) => return json!({ "refused": "nothing-measured" }),
        Judged::Refuse(other) => panic!("{other:?} is not for interpret to say"),
        Judged::Hold(Why::Impossible(quantity)) => {
            return json!({ "held": format!("impossible {}", word(quantity)) });
        }
        Judged::Hold(Why::Layout) => return json!({ "held": "layout" }),
        Judged::Hold(other) => panic!("{other:?} is not for interpret to say"),
        Judged::Sound { doubts } => doubts.into_iter().map(doubted).collect(),
    };
    let mut reading = json!({ "values": values(&parsed.measurement), "doubts": doubts });
    let face = if profile.clock.keeps == Keeps::Utc { Face::Base } else { Face::Shown };
    match parsed.measurement.told(face) {
        Told::Nothing => {}
        Told::At(stamp) => reading["stamp"] = json!(stamp.civil.to_string()),
        Told::NotADate(_) => reading["stamp"] = json!("not a date"),
        Told::OffsetLost => reading["stamp"] = json!("offset lost"),
    }
    if let Some(slot) = parsed.measurement.slot() {
        reading["slot"] = json!(slot);
    }
    if let Some(sequence) = parsed.measurement.sequence() {
        reading["sequence"] = json!(sequence);
    }
    if let Measurement::Glucose(m) = parsed.measurement
        && let Some(concentration) = m.concentration
    {
        reading["sample"] = json!({ "type": concentration.kind, "location": concentration.location });
    }
    if let Some(Measurement::GlucoseContext(context)) = context {
        reading["meal"] = json!(context.meal);
    }
    reading
}

fn doubted(doubt: Doubt) -> String {
    match doubt {
        Doubt::BodyMovement => "body-movement".into(),
        Doubt::CuffTooLoose => "cuff-too-loose".into(),
        Doubt::ImproperPosition => "improper-position".into(),
        Doubt::IrregularPulse => "irregular-pulse".into(),
        Doubt::PulseAboveLimit => "pulse-above-limit".into(),
        Doubt::PulseBelowLimit => "pulse-below-limit".into(),
        Doubt::Extreme(quantity) => format!("extreme {}", word(quantity)),
        Doubt::Sensor(bits) => format!("sensor {bits:04X}"),
        Doubt::Oximeter { measurement, sensor } => format!("oximeter {measurement:04X} {sensor:06X}"),
        Doubt::NoContact => "no-contact".into(),
        other => panic!("{other:?} is not for interpret to say"),
    }
}

fn values(measurement: &Measurement) -> Value {
    let show = |number: Number, shift: i8, unit: Unit| match number {
        Number::Finite(decimal) => json!(format!("{} {}", decimal.shifted(shift), unit.ucum())),
        Number::Special(special) => json!(special.to_string()),
    };
    let mut values = json!({});
    let finite = |decimal| Number::Finite(decimal);
    match measurement {
        Measurement::EnhancedPressure(_) => {
            return self::values(&Measurement::Pressure(measurement.pressure().unwrap()));
        }
        Measurement::BodyComposition(m) => {
            let mass = if m.unit == WeightUnit::Si { Unit::Kilogram } else { Unit::Pound };
            for (quantity, value, unit) in [
                (Quantity::BodyWeight, m.weight, mass),
                (Quantity::BodyFat, m.body_fat_percent, Unit::Percent),
                (Quantity::FatFreeMass, m.fat_free_mass, mass),
                (Quantity::SoftLeanMass, m.soft_lean_mass, mass),
                (Quantity::BodyWaterMass, m.body_water_mass, mass),
            ] {
                if let Some(value) = value {
                    values[word(quantity)] = show(finite(value), 0, unit);
                }
            }
        }
        Measurement::Temperature(m) => {
            let unit = match m.unit {
                TemperatureUnit::Celsius => Unit::DegreeCelsius,
                TemperatureUnit::Fahrenheit => Unit::DegreeFahrenheit,
            };
            values[word(Quantity::BodyTemperature)] = show(m.temperature, 0, unit);
        }
        Measurement::Oximetry(m) => {
            values[word(Quantity::OxygenSaturation)] = show(m.spo2_percent, 0, Unit::Percent);
            values[word(Quantity::PulseRate)] = show(m.pulse_rate, 0, Unit::PerMinute);
        }
        Measurement::HeartRate(m) => {
            let rate = hearth_wire::Decimal::new(m.beats_per_minute.into(), 0);
            values[word(Quantity::HeartRate)] = show(finite(rate), 0, Unit::PerMinute);
        }
        Measurement::Pressure(m) => {
            let unit = match m.unit {
                PressureUnit::MillimetreOfMercury => Unit::MillimetreOfMercury,
                PressureUnit::Kilopascal => Unit::Kilopascal,
            };
            values[word(Quantity::Systolic)] = show(m.systolic, 0, unit);
            values[word(Quantity::Diastolic)] = show(m.diastolic, 0, unit);
            values[word(Quantity::MeanArterialPressure)] = show(m.mean_arterial_pressure, 0, unit);
            if let Some(pulse) = m.pulse_rate {
                values[word(Quantity::PulseRate)] = show(pulse, 0, Unit::PerMinute);
            }
        }
        Measurement::Glucose(m) => {
            if let Some(concentration) = m.concentration {
                let (shift, unit) = match concentration.unit {
                    ConcentrationUnit::KilogramPerLitre => (5, Unit::MilligramPerDecilitre),
                    ConcentrationUnit::MolePerLitre => (3, Unit::MillimolePerLitre),
                };
                values[word(Quantity::Glucose)] = show(concentration.value, shift, unit);
            }
        }
        Measurement::Weight(m) => {
            let (weight, height) = match m.unit {
                WeightUnit::Si => (Unit::Kilogram, Unit::Metre),
                WeightUnit::Imperial => (Unit::Pound, Unit::Inch),
            };
            values[word(Quantity::BodyWeight)] =
                m.weight.map_or(json!("unsuccessful"), |w| show(Number::Finite(w), 0, weight));
            if let Some(typed) = m.body_mass_index_height {
                values[word(Quantity::BodyMassIndex)] =
                    show(Number::Finite(typed.body_mass_index), 0, Unit::KilogramPerSquareMetre);
                values[word(Quantity::BodyHeight)] = show(Number::Finite(typed.height), 0, height);
            }
        }
        Measurement::GlucoseContext(_) => {}
    }
    values
}

/// The one door: every capture of every profile and quirk.
#[test]
fn every_capture_means_what_was_worked_out_by_hand() {
    let catalog = Catalog::standard();
    for capture in Capture::all() {
        let readings = json!(capture.readings(&capture.profile(&catalog)));
        assert_eq!(
            readings,
            capture.expected["readings"],
            "{}: the house reads\n{}\nwhere its .readings.json says\n{}",
            capture.file,
            serde_json::to_string_pretty(&readings).unwrap(),
            serde_json::to_string_pretty(&capture.expected["readings"]).unwrap(),
        );
    }
}

#[test]
fn every_capture_says_where_it_is_from_and_how_it_was_worked_out() {
    for capture in Capture::all() {
        let first = capture.text.lines().next().unwrap();
        let source = ORIGINS.iter().find_map(|origin| first.strip_prefix(origin));
        assert!(source.is_some_and(|s| s.len() > 10), "{}: `{first}`: begin with {ORIGINS:?}", capture.file);
        let worked_out = capture.expected["worked-out"].as_str().unwrap_or("");
        assert!(worked_out.starts_with("by hand, "), "{}: `worked-out` says how, by hand", capture.file);
        let keys: Vec<&String> = capture.expected.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["worked-out", "readings"], "{}", capture.file);
        assert!(!capture.lines.is_empty(), "{} has no frame", capture.file);
    }
}
