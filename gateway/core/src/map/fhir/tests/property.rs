//! Whatever the parcel: readable JSON, distinct names, no dangling reference, no label lost, no test data.

use super::super::Kind as BundleKind;
use super::super::instant::Printed;
use super::super::{Resource, Rung, bundle, resources, urn};
use super::support::*;
use crate::capture::{Key, Uuid16};
use crate::decode::{Measurement, decode};
use crate::identity::{Address, AddressKind, Attested, Facts, Identity, Labels};
use crate::parcel::{Parcel, PatientSupplied, Policy};
use crate::profile::{BodySite, Kind, Sample, Unit};
use crate::reading::{Doubt, Issue, Quantity};
use crate::when::Source;
use hearth_wire::Decimal;
use hearth_wire::gatt::SystemId;
use jiff::{Timestamp, tz::Offset};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::HashSet;

const RUNGS: [Rung; 4] =
    [Rung::UpdateAsCreate, Rung::ConditionalCreate, Rung::SearchThenCreate, Rung::PlainCreate];

/// Octets that are long enough decode as something.
fn measurement(characteristic: Uuid16) -> impl Strategy<Value = Measurement> {
    any::<[u8; 26]>().prop_filter_map("decodes", move |octets| {
        Some(decode(characteristic, &octets, &[]).ok()?.measurement)
    })
}

fn measured() -> impl Strategy<Value = Parcel> {
    prop_oneof![
        measurement(Uuid16::BLOOD_PRESSURE_MEASUREMENT).prop_map(|m| parcel(m, Kind::BloodPressureMonitor)),
        measurement(Uuid16::WEIGHT_MEASUREMENT).prop_map(|m| parcel(m, Kind::WeightScale)),
        (
            measurement(Uuid16::GLUCOSE_MEASUREMENT),
            prop::collection::vec(measurement(Uuid16::GLUCOSE_MEASUREMENT_CONTEXT), 0..3)
        )
            .prop_map(|(m, contexts)| {
                let mut parcel = parcel(m, Kind::GlucoseMeter);
                parcel.reading.companions = contexts;
                parcel
            }),
    ]
}

fn doubt() -> impl Strategy<Value = Doubt> {
    prop_oneof![
        any::<u16>().prop_map(Doubt::Sensor),
        prop::sample::select(vec![
            Doubt::BodyMovement,
            Doubt::CuffTooLoose,
            Doubt::ImproperPosition,
            Doubt::IrregularPulse,
            Doubt::PulseAboveLimit,
            Doubt::PulseBelowLimit,
            Doubt::Extreme(Quantity::Glucose),
            Doubt::ClockUnverified,
            Doubt::OffsetChanged,
            Doubt::ClockOff,
            Doubt::Broadcast,
        ]),
    ]
}

fn facts() -> impl Strategy<Value = Facts> {
    let text = || prop::option::of(any::<String>());
    let address = (any::<[u8; 6]>(), prop::sample::select(vec![AddressKind::Public, AddressKind::Private]));
    (prop::option::of(address), prop::option::of(any::<[u8; 8]>()), text(), text(), text(), text()).prop_map(
        |(address, system_id, serial, manufacturer, model, firmware)| Facts {
            address: address.map(|(octets, kind)| Address { octets, kind }),
            system_id: system_id.map(SystemId),
            serial,
            manufacturer,
            model,
            firmware,
            ..Facts::default()
        },
    )
}

fn labels() -> impl Strategy<Value = Labels> {
    let known = prop::sample::select(vec!["42CFRPart2", "R", "V", "N", "SUD", "HIV", "NORDSCLCD"]);
    prop::collection::btree_set(known.prop_map(str::to_owned), 0..4).prop_map(Labels)
}

prop_compose! {
    fn any_parcel()(
        mut parcel in measured(),
        key in any::<[u8; 32]>(),
        issue in any::<u16>(),
        doubts in prop::collection::vec(doubt(), 0..4),
        facts in facts(),
        labels in labels(),
        words in any::<[String; 4]>(),
        second in -2_208_988_800_i64..4_102_444_800,
        nanosecond in 0..1_000_000_000_i32,
        offset in -64_800..=64_800_i32,
        correction in prop::option::of(any::<i64>()),
        flags in any::<[bool; 6]>(),
    ) -> Parcel {
        let [software, patient, place, serial] = words;
        let [attested, heard, averaged, replaces, placed, ranged] = flags;
        let reading = &mut parcel.reading;
        (reading.key, reading.issue, reading.doubts, reading.labels) = (Key(key), Issue(issue), doubts, labels);
        reading.sole_use = attested.then(|| Attested { by: "nurse".into() });
        reading.when.effective = Timestamp::new(second, nanosecond).unwrap();
        reading.when.offset = Offset::from_seconds(offset).unwrap();
        if heard {
            reading.when.source = Source::Heard;
        }
        if let Some(correction) = correction {
            parcel = sampled(parcel, "2024-06-15T17:17:27", correction);
        }
        if ranged {
            let range = Some((Decimal::new(10, 0), Decimal::new(600, 0)));
            parcel.profile.readings = glucose_facts(Some(Sample::Fingerstick), range, Unit::MilligramPerDecilitre);
            parcel.profile.body_site = Some(BodySite::UpperArm);
        }
        parcel.profile.averaged = averaged;
        parcel.facts = facts;
        parcel.identity = Identity::Serial { manufacturer: "Acme".into(), serial };
        parcel.hub.software = software;
        parcel.subject.id = patient;
        parcel.replaces = replaces.then(|| (Issue(0), placed.then_some(place)));
        parcel
    }
}

fn policy() -> impl Strategy<Value = Policy> {
    any::<[bool; 4]>().prop_map(|[failed_as_vital_sign, glucose_laboratory, height_and_bmi, tagged]| Policy {
        failed_as_vital_sign,
        glucose_laboratory,
        height_and_bmi,
        patient_supplied: if tagged {
            PatientSupplied::Tagged
        } else {
            PatientSupplied::Untagged { reason: "asked".into() }
        },
    })
}

/// Every value in a document, with the name it stands under.
fn walk<'v>(name: &'v str, value: &'v Value, visit: &mut impl FnMut(&'v str, &'v Value)) {
    visit(name, value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(name, item, visit)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| walk(name, value, visit)),
        _ => {}
    }
}

/// Where references of this rung may point.
fn targets(all: &[Resource], own: &Value, rung: Rung, parcel: &Parcel) -> HashSet<String> {
    let mut targets: HashSet<String> = match rung {
        Rung::UpdateAsCreate => all.iter().map(|r| format!("{}/{}", r.kind, r.id)).collect(),
        _ => all.iter().map(|r| urn(&r.id)).collect(),
    };
    targets.insert("#".into());
    targets.insert(format!("Patient/{}", parcel.subject.id));
    targets.extend(parcel.replaces.iter().filter_map(|(_, place)| place.clone()));
    let contained = own["contained"].as_array().into_iter().flatten();
    targets.extend(contained.map(|c| format!("#{}", c["id"].as_str().unwrap())));
    targets
}

fn is_control(parcel: &Parcel) -> bool {
    matches!(&parcel.reading.measure, Measurement::Glucose(m)
        if m.concentration.is_some_and(|c| c.kind == 10 || c.location == 4))
}

proptest! {
    /// Written by hand, as the formatter would.
    #[test]
    fn an_instant_is_printed_digit_by_digit(
        second in -2_208_988_800_i64..4_102_444_800,
        nanosecond in prop_oneof![Just(0), Just(120_000_000), 0..1_000_000_000_i32],
        minutes in -1_080..=1_080_i32,
    ) {
        let instant = Timestamp::new(second, nanosecond).unwrap();
        let offset = Offset::from_seconds(minutes * 60).unwrap();
        let whole = offset.to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%S%.f").to_string();
        let sign = if minutes < 0 { '-' } else { '+' };
        let expected = format!("{whole}{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
        prop_assert_eq!(Printed { instant, offset }.text(), expected);
    }

    #[test]
    fn whatever_the_parcel(parcel in any_parcel(), policy in policy(), phd in prop::option::of(any::<String>())) {
        for rung in RUNGS {
            let all = resources(&parcel, &policy, rung, phd.as_deref());
            prop_assert_eq!(all.is_empty(), is_control(&parcel), "CLINICAL 10: only control solution makes nothing");
            let mut names = HashSet::new();
            let mut ready = HashSet::new();
            for resource in &all {
                let read: Value = serde_json::from_str(&resource.json).unwrap();
                prop_assert!(names.insert(resource.id.clone()), "{:?}: a name twice", resource.role);
                prop_assert_eq!(resource.id.len(), 52);
                prop_assert!(resource.depends_on.iter().all(|role| ready.contains(role)), "{:?}", resource);
                ready.insert(resource.role);
                let security = read["meta"]["security"].to_string();
                for label in &parcel.reading.labels.0 {
                    prop_assert!(security.contains(&format!("{label:?}")), "{label} is lost");
                }
                let targets = targets(&all, &read, rung, &parcel);
                let mut wrong = vec![];
                walk("", &read, &mut |name, value| match value {
                    Value::Array(items) if items.is_empty() => wrong.push(format!("{name} is empty")),
                    Value::Object(fields) if fields.is_empty() => wrong.push(format!("{name} is empty")),
                    Value::String(text) if name == "reference" && !targets.contains(text) => {
                        wrong.push(format!("{text} points nowhere"));
                    }
                    Value::String(text) if text == "HTEST" => wrong.push("test data".into()),
                    // FHIR R4, decimal; and no exponents, which servers rewrite.
                    Value::Number(number) if number.to_string().contains(['e', 'E']) => {
                        wrong.push(format!("{number} has an exponent"));
                    }
                    _ => {}
                });
                prop_assert!(wrong.is_empty(), "{:?}: {:?}", resource.role, wrong);
            }
            let again = resources(&parcel, &policy, rung, phd.as_deref());
            prop_assert_eq!(&again, &all, "the same parcel gives the same octets");
            let whole: Value = serde_json::from_str(&bundle(&[all], rung, BundleKind::Transaction).unwrap()).unwrap();
            prop_assert_eq!(&whole["resourceType"], "Bundle");
        }
    }
}
