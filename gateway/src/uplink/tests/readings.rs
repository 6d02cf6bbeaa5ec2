//! Readings of made-up people, as the store would hand them over.

use crate::store::{Consignment, OutboxNo};
use hearth_core::capture::{DeviceNo, Key, Uuid16};
use hearth_core::decode::{Measurement, decode};
use hearth_core::identity::{Facts, Identity, Labels, PersonNo, Revision, Who};
use hearth_core::map::fhir::{Resource, Rung, resources};
use hearth_core::parcel::{Hub, Intent, Parcel, Policy, Subject};
use hearth_core::profile::{Catalog, ProfileName};
use hearth_core::reading::{Issue, Reading, Version};
use hearth_core::when::{Source, Span, When, ZoneName};
use jiff::Timestamp;
use jiff::tz::Offset;
use std::sync::LazyLock;

/// 70.500 kg, taken at 2024-06-15T17:17:43 by the scale's own words: scale, hub, measurement, provenance.
pub(crate) fn weight(n: u8) -> Consignment {
    consignment(n, "generic/weight-scale", Uuid16::WEIGHT_MEASUREMENT, "021437E807060F11112B")
}

/// 124/86 mmHg with pulse 51 (vector bp-03): companions beside the measurement.
pub(crate) fn pressure(n: u8) -> Consignment {
    consignment(
        n,
        "generic/blood-pressure",
        Uuid16::BLOOD_PRESSURE_MEASUREMENT,
        "167C0056006100E807060F11111B33000000",
    )
}

pub(crate) fn weights(numbers: impl IntoIterator<Item = u8>) -> Vec<Consignment> {
    numbers.into_iter().map(weight).collect()
}

/// Of this patient instead.
pub(crate) fn of(mut consignment: Consignment, patient: &str) -> Consignment {
    consignment.parcel.subject.id = patient.into();
    consignment
}

/// The same row, to be taken back.
pub(crate) fn retraction(mut consignment: Consignment) -> Consignment {
    consignment.parcel.intent = Intent::Retract;
    consignment
}

/// What `consignment` is made into.
pub(crate) fn mapped(consignment: &Consignment, rung: Rung) -> Vec<Resource> {
    let phd = hearth_core::map::fhir::phd_identifier(&consignment.parcel);
    resources(&consignment.parcel, &Policy::default(), rung, phd.as_deref())
}

/// Id of the measurement on the first rung, and value of its identifier on all.
pub(crate) fn head(consignment: &Consignment) -> String {
    let all = mapped(consignment, Rung::UpdateAsCreate);
    all.into_iter().find(|resource| resource.role.text() == "measurement").unwrap().id
}

fn consignment(n: u8, profile: &str, characteristic: Uuid16, hex: &str) -> Consignment {
    let octets = data_encoding::HEXUPPER.decode(hex.as_bytes()).unwrap();
    let measure = decode(characteristic, &octets, &[]).unwrap().measurement;
    Consignment {
        row: OutboxNo(i64::from(n)),
        parcel: parcel(n, profile, measure),
        attempts: 0,
        counted: 0,
        in_doubt: false,
        octets: None,
        phd_identifier: None,
        labels: Labels::default(),
        location: None,
        etag: None,
    }
}

fn parcel(n: u8, profile: &str, measure: Measurement) -> Parcel {
    let effective: Timestamp = "2024-06-15T15:17:43Z".parse().unwrap();
    static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::standard);
    let profile = CATALOG.get(&ProfileName(profile.into())).unwrap().clone();
    Parcel {
        reading: Reading {
            key: Key([n; 32]),
            issue: Issue(0),
            supersedes: None,
            semantic: None,
            device: DeviceNo(1),
            measure,
            companions: vec![],
            doubts: vec![],
            stamp: None,
            when: When {
                span: Span::at(effective),
                source: Source::Zone,
                effective,
                zone: ZoneName::parse("Europe/Berlin").unwrap(),
                offset: Offset::from_hours(2).unwrap(),
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
            serial: Some("000042".into()),
            manufacturer: Some("Acme".into()),
            model: Some("Scale-1".into()),
            ..Facts::default()
        },
        identity: Identity::Serial { manufacturer: "Acme".into(), serial: "000042".into() },
        profile,
        hub: Hub { system_id: [0x02, 0x48, 0x45, 0xFF, 0xFE, 0x41, 0x52, 0x54], software: "0.1.0".into() },
        subject: Subject { id: "ada".into(), identifier: None },
        issued: "2024-06-15T15:20:00Z".parse().unwrap(),
        replaces: None,
    }
}
