//! Readings made by hand: the octets of a frame, and around them a house in which nothing is remarkable.

use super::super::{Resource, Role, Rung, resources};
use crate::capture::{DeviceNo, Key, Uuid16};
use crate::decode::{Measurement, Told, decode};
use crate::identity::{Address, AddressKind, Attested, Facts, Identity, Labels, PersonNo, Revision, Who};
use crate::parcel::{Hub, Intent, Parcel, Policy, Subject};
use crate::profile::{
    Clock, Collect, Evidence, EvidenceLevel, IdentitySource, Keeps, Kind, Match, Pairing, Patience, Profile,
    ProfileName, ReadingFacts, Sample, Unit, Untimed, Via,
};
use crate::reading::{Issue, Quantity, Reading, Version};
use crate::when::{BootNo, ContactNo, Face, HubTicks, Source, Span, Stamp, When, ZoneName};
use hearth_wire::Decimal;
use hearth_wire::gatt::SystemId;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Octets from hexadecimal with blanks.
pub(super) fn octets(hex: &str) -> Vec<u8> {
    let digits: String = hex.chars().filter(|c| !c.is_whitespace()).collect();
    data_encoding::HEXUPPER_PERMISSIVE.decode(digits.as_bytes()).unwrap()
}

fn measurement(characteristic: Uuid16, hex: &str) -> Measurement {
    decode(characteristic, &octets(hex), &[]).unwrap().measurement
}

/// A parcel around a 2A35 value.
pub(super) fn pressure(hex: &str) -> Parcel {
    parcel(measurement(Uuid16::BLOOD_PRESSURE_MEASUREMENT, hex), Kind::BloodPressureMonitor)
}

/// A parcel around a 2A18 value.
pub(super) fn glucose(hex: &str) -> Parcel {
    parcel(measurement(Uuid16::GLUCOSE_MEASUREMENT, hex), Kind::GlucoseMeter)
}

/// A parcel around a 2A18 value, and the 2A34 value that came with it.
pub(super) fn glucose_with(hex: &str, context: &str) -> Parcel {
    let mut parcel = glucose(hex);
    parcel.reading.companions = vec![measurement(Uuid16::GLUCOSE_MEASUREMENT_CONTEXT, context)];
    parcel
}

/// A parcel around a 2A9D value.
pub(super) fn weight(hex: &str) -> Parcel {
    parcel(measurement(Uuid16::WEIGHT_MEASUREMENT, hex), Kind::WeightScale)
}

/// A parcel around a 2A9D value, and the 2A9C value that its scale told after it.
pub(super) fn weight_with(hex: &str, composition: &str) -> Parcel {
    let measure = measurement(Uuid16::WEIGHT_MEASUREMENT, hex);
    let mut parcel = parcel(measure, Kind::BodyCompositionAnalyzer);
    parcel.reading.companions = vec![measurement(Uuid16::BODY_COMPOSITION_MEASUREMENT, composition)];
    parcel
}

/// A parcel around a 2A9C value.
pub(super) fn composition(hex: &str) -> Parcel {
    parcel(measurement(Uuid16::BODY_COMPOSITION_MEASUREMENT, hex), Kind::BodyCompositionAnalyzer)
}

/// A parcel around a 2A1C value.
pub(super) fn temperature(hex: &str) -> Parcel {
    parcel(measurement(Uuid16::TEMPERATURE_MEASUREMENT, hex), Kind::Thermometer)
}

/// A parcel around a 2A5E value, with what it says against itself.
pub(super) fn oximetry(hex: &str) -> Parcel {
    let measure = measurement(Uuid16::PLX_SPOT_CHECK_MEASUREMENT, hex);
    let parsed = crate::decode::Parsed { measurement: measure, trailing: 0, not_a_reading: None };
    let mut parcel = parcel(measure, Kind::PulseOximeter);
    match crate::interpret::interpret(&parsed, &[], &parcel.profile) {
        crate::interpret::Judged::Sound { doubts } => parcel.reading.doubts = doubts,
        other => panic!("{hex} is no reading: {other:?}"),
    }
    parcel
}

/// A parcel around a 2A37 value.
pub(super) fn heart_rate(hex: &str) -> Parcel {
    parcel(measurement(Uuid16::HEART_RATE_MEASUREMENT, hex), Kind::HeartRateMonitor)
}

/// Taken in New York at 11:38:15 on 11 November 2018, by the device's own words if it has any.
pub(super) fn parcel(measure: Measurement, kind: Kind) -> Parcel {
    let offset = Offset::from_hours(-5).unwrap();
    let stamp = match measure.told(Face::Shown) {
        Told::At(stamp) => Some(stamp),
        _ => None,
    };
    let effective =
        stamp.map_or(at("2018-11-11T16:38:15Z"), |stamp| offset.to_timestamp(stamp.civil).unwrap());
    let profile = profile(kind);
    Parcel {
        reading: Reading {
            key: Key([7; 32]),
            issue: Issue(0),
            supersedes: None,
            semantic: None,
            device: DeviceNo(1),
            measure,
            companions: vec![],
            doubts: vec![],
            stamp,
            when: When {
                span: Span::at(effective),
                source: Source::Zone,
                effective,
                zone: ZoneName::parse("America/New_York").unwrap(),
                offset,
                correction_s: None,
                sample: None,
            },
            who: Who::Person(PersonNo(1)),
            sole_use: None,
            labels: Labels::default(),
            binding: Revision(1),
            profile: (profile.name.clone(), profile.version),
            interpreter: Version(1),
        },
        intent: Intent::Create,
        facts: Facts {
            address: Some(Address {
                octets: [0xB0, 0x49, 0x5F, 0x00, 0x10, 0x71],
                kind: AddressKind::Public,
            }),
            advertised_name: Some("Ada's cuff".into()),
            services: BTreeSet::new(),
            // On the wire the least significant octet comes first.
            system_id: Some(SystemId([0xB0, 0x49, 0x5F, 0xFF, 0xFE, 0x00, 0x10, 0x71])),
            serial: Some("20150200002A".into()),
            manufacturer: Some("OMRONHEALTHCARE".into()),
            model: Some("HEM-9200T".into()),
            firmware: Some("C.00.7AJ-02".into()),
        },
        identity: Identity::SystemId([0x71, 0x10, 0x00, 0xFE, 0xFF, 0x5F, 0x49, 0xB0]),
        profile,
        hub: Hub { system_id: [0xEC, 0xDE, 0x3D, 0x4E, 0x58, 0x53, 0x2D, 0x31], software: "0.1.0".into() },
        subject: Subject { id: "patientExample-1".into(), identifier: None },
        issued: at("2018-11-11T17:00:00Z"),
        replaces: None,
    }
}

/// A profile that says nothing beyond its kind.
pub(super) fn profile(kind: Kind) -> Profile {
    Profile {
        name: ProfileName("generic/test".into()),
        version: Version(1),
        kind,
        evidence: Evidence { level: EvidenceLevel::Untested, by: "made by hand".into() },
        matches: Match::default(),
        identity: IdentitySource::SystemId,
        collect: Collect {
            via: Via::Notify,
            pairing: Pairing::None,
            settle_ms: 0,
            silence_ms: 5_000,
            consent: false,
            weight_first: false,
        },
        clock: Clock {
            keeps: Keeps::LocalTime,
            tells: false,
            set_by: None,
            drift_limit_s: 300,
            resets_to: vec![],
        },
        memory: Untimed::LiveOnly,
        readings: vec![],
        body_site: None,
        averaged: false,
        quirks: vec![],
        patience: Patience::default(),
    }
}

/// What a profile says of glucose.
pub(super) fn glucose_facts(
    sample: Option<Sample>,
    range: Option<(Decimal, Decimal)>,
    unit: Unit,
) -> Vec<ReadingFacts> {
    vec![ReadingFacts { quantity: Quantity::Glucose, sample, range, unit }]
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Nobody else uses the device.
pub(super) fn attested(mut parcel: Parcel) -> Parcel {
    parcel.reading.sole_use = Some(Attested { by: "nurse".into() });
    parcel
}

/// The device's clock showed `clock`; hub UTC minus that, read as UTC, is `correction_s`.
pub(super) fn sampled(mut parcel: Parcel, clock: &str, correction_s: i64) -> Parcel {
    let ticks = HubTicks { boot: BootNo(1), ms: 1_000 };
    parcel.reading.when.source = Source::Sample;
    parcel.reading.when.correction_s = Some(correction_s);
    parcel.reading.when.sample = Some(crate::when::Sample {
        contact: ContactNo(1),
        clock: Stamp { face: Face::Shown, civil: clock.parse().unwrap() },
        asked: ticks,
        answered: ticks,
    });
    parcel
}

/// Taken at this instant, printed in this offset of whole hours.
pub(super) fn taken(mut parcel: Parcel, instant: &str, hours: i8) -> Parcel {
    parcel.reading.when.effective = at(instant);
    parcel.reading.when.offset = Offset::from_hours(hours).unwrap();
    parcel
}

pub(super) fn labelled(mut parcel: Parcel, labels: &[&str]) -> Parcel {
    parcel.reading.labels = Labels(labels.iter().map(|label| (*label).to_owned()).collect());
    parcel
}

/// All resources of the first rung, read back.
pub(super) fn read(parcel: &Parcel, policy: &Policy) -> BTreeMap<Role, Value> {
    by_role(&resources(parcel, policy, Rung::UpdateAsCreate, None))
}

pub(super) fn by_role(resources: &[Resource]) -> BTreeMap<Role, Value> {
    resources.iter().map(|resource| (resource.role, json(&resource.json))).collect()
}

/// The words beside a value.
pub(super) fn notes(resource: &Value) -> Vec<&str> {
    resource["note"].as_array().into_iter().flatten().map(|note| note["text"].as_str().unwrap()).collect()
}
