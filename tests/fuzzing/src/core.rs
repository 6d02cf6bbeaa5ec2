//! From a frame to what a record system would get of it.

use super::wire::pieces;
use hearth_core::capture::{Capture, DeviceNo, Key, Link, Origin, Uuid16, name, timeless};
use hearth_core::decode::{Measurement, Told, decode};
use hearth_core::identity::{Facts, Identity, Labels, PersonNo, Revision, Who};
use hearth_core::interpret::{Judged, interpret};
use hearth_core::map::fhir::{Kind, Resource, Rung, bundle, compare, phd_identifier, resources};
use hearth_core::parcel::{Hub, Intent, Parcel, Policy, Subject};
use hearth_core::profile::{Catalog, Profile};
use hearth_core::quirk::Quirk;
use hearth_core::reading::{Doubt, Issue, Reading, Version};
use hearth_core::vendor::OmronAdvertisement;
use hearth_core::when::{BootNo, ContactNo, Face, HubTicks, Source, Span, When, ZoneName};
use jiff::{Timestamp, tz::Offset};
use std::sync::LazyLock;

/// What `core` chooses among by the first octet, in this order: the seeds count on it.
pub const FRAMES: [Uuid16; 14] = [
    Uuid16::BLOOD_PRESSURE_MEASUREMENT,
    Uuid16::ENHANCED_BLOOD_PRESSURE_MEASUREMENT,
    Uuid16::GLUCOSE_MEASUREMENT,
    Uuid16::GLUCOSE_MEASUREMENT_CONTEXT,
    Uuid16::WEIGHT_MEASUREMENT,
    Uuid16::BODY_COMPOSITION_MEASUREMENT,
    Uuid16::TEMPERATURE_MEASUREMENT,
    Uuid16::PLX_SPOT_CHECK_MEASUREMENT,
    Uuid16::HEART_RATE_MEASUREMENT,
    Uuid16::WEIGHT_SCALE_SERVICE_DATA,
    Uuid16::BODY_COMPOSITION_SERVICE_DATA,
    Uuid16::OMRON_EEPROM_RECORD,
    Uuid16::BODY_COMPOSITION_IN_TENTHS,
    Uuid16::OMRON_MANUFACTURER_DATA,
];

static ZONE: LazyLock<ZoneName> =
    LazyLock::new(|| ZoneName::parse("America/New_York").expect("the zone is in the compiled-in database"));
static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| Catalog::standard().all().cloned().collect());

/// An octet chooses the characteristic, one the quirks (a bit each), one the profile, one how it is written; then the
/// frame and the frames that came with it, each with its length before it, and 0x2A34 or 0x2A9C by what it came with.
pub fn core(octets: &[u8]) {
    let [frame, quirks, profile, manner, rest @ ..] = octets else { return };
    let characteristic = FRAMES[usize::from(*frame) % FRAMES.len()];
    let chosen = Quirk::ALL.iter().enumerate().filter(|(bit, _)| quirks >> bit & 1 == 1);
    let quirks: Vec<Quirk> = chosen.map(|(_, quirk)| *quirk).collect();
    let profile = &PROFILES[usize::from(*profile) % PROFILES.len()];
    let mut frames = pieces(rest);
    let Some(frame) = frames.next() else { return };
    names(characteristic, frame);
    if characteristic == Uuid16::OMRON_MANUFACTURER_DATA {
        // Tells what a cuff holds, and is no measurement.
        if let Ok(told) = OmronAdvertisement::decode(frame) {
            assert!(4 + 3 * told.users.len() <= frame.len(), "{told:?}");
        }
        return;
    }
    let Ok(parsed) = decode(characteristic, frame, &quirks) else { return };
    at_rest(&parsed.measurement);
    let with = match parsed.measurement {
        Measurement::Weight(_) => Uuid16::BODY_COMPOSITION_MEASUREMENT,
        _ => Uuid16::GLUCOSE_MEASUREMENT_CONTEXT,
    };
    let companions: Vec<Measurement> = frames
        .filter_map(|frame| decode(with, frame, &quirks).ok())
        .map(|parsed| parsed.measurement)
        .take(4)
        .collect();
    let Judged::Sound { doubts } = interpret(&parsed, &companions, profile) else { return };
    written(*manner, parcel(parsed.measurement, companions, doubts, profile));
}

fn names(characteristic: Uuid16, octets: &[u8]) {
    let capture = |number| Capture {
        device: DeviceNo(1),
        contact: ContactNo(1),
        link: Link::Open,
        origin: Origin { recorder: [1; 8], epoch: 1, number },
        at: HubTicks { boot: BootNo(1), ms: 0 },
        characteristic,
        octets: octets.into(),
    };
    let same = name(&capture(1)) == name(&capture(2));
    assert_eq!(same, !timeless(characteristic, octets), "named by its octets, unless it has no time");
}

/// A measurement is kept as the standard's own octets, and read from them as it was, but for reserved flags.
fn at_rest(measurement: &Measurement) {
    let kept = measurement.encode();
    let again = decode(measurement.characteristic(), &kept, &[]).expect("what is kept is read");
    assert_eq!((again.trailing, again.not_a_reading), (0, None));
    assert_eq!(again.measurement, unreserved(*measurement));
    assert_eq!(again.measurement.encode(), kept);
    assert_eq!(again.measurement.slot(), measurement.slot());
    assert_eq!(again.measurement.sequence(), measurement.sequence());
    for face in [Face::Base, Face::Shown] {
        assert_eq!(again.measurement.told(face), measurement.told(face));
    }
}

fn unreserved(mut measurement: Measurement) -> Measurement {
    match &mut measurement {
        Measurement::Pressure(m) => m.reserved_flags = 0,
        Measurement::EnhancedPressure(m) => m.reserved_flags = 0,
        Measurement::Glucose(m) => m.reserved_flags = 0,
        Measurement::Weight(m) => m.reserved_flags = 0,
        Measurement::BodyComposition(m) => m.reserved_flags = 0,
        Measurement::Temperature(m) => m.reserved_flags = 0,
        Measurement::Oximetry(m) => m.reserved_flags = 0,
        Measurement::HeartRate(m) => m.reserved_flags = 0,
        Measurement::GlucoseContext(_) => {}
    }
    measurement
}

/// A reading of somebody made up, in a house in which nothing else is remarkable.
pub(crate) fn parcel(
    measure: Measurement,
    companions: Vec<Measurement>,
    doubts: Vec<Doubt>,
    profile: &Profile,
) -> Parcel {
    let offset = Offset::constant(-5);
    let stamp = match measure.told(Face::Shown) {
        Told::At(stamp) => Some(stamp),
        _ => None,
    };
    let effective =
        stamp.and_then(|stamp| offset.to_timestamp(stamp.civil).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    Parcel {
        reading: Reading {
            key: Key([7; 32]),
            issue: Issue(0),
            supersedes: None,
            semantic: None,
            device: DeviceNo(1),
            measure,
            companions,
            doubts,
            stamp,
            when: When {
                span: Span::at(effective),
                source: Source::Zone,
                effective,
                zone: ZONE.clone(),
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
        facts: Facts::default(),
        identity: Identity::SystemId([0x71, 0x10, 0, 0xFE, 0xFF, 0x5F, 0x49, 0xB0]),
        profile: profile.clone(),
        hub: Hub { system_id: [1, 2, 3, 4, 5, 6, 7, 8], software: "0".into() },
        subject: Subject { id: "made-up".into(), identifier: None },
        issued: Timestamp::UNIX_EPOCH,
        replaces: None,
    }
}

/// Whatever is sound has a form for the record, and that form is JSON that holds what we meant.
fn written(manner: u8, parcel: Parcel) {
    let policy = Policy {
        failed_as_vital_sign: manner & 1 != 0,
        glucose_laboratory: manner & 2 != 0,
        height_and_bmi: manner & 4 != 0,
        ..Policy::default()
    };
    let rung = match manner >> 3 & 3 {
        0 => Rung::UpdateAsCreate,
        1 => Rung::ConditionalCreate,
        2 => Rung::SearchThenCreate,
        _ => Rung::PlainCreate,
    };
    let identifier = phd_identifier(&parcel);
    let all = resources(&parcel, &policy, rung, identifier.as_deref());
    all.iter().for_each(well_written);
    if !all.is_empty() {
        let whole = bundle(&[all], rung, Kind::Transaction).expect("one reading has one set of labels");
        _ = serde_json::from_str::<serde_json::Value>(&whole).expect("a bundle is JSON");
    }
}

fn well_written(resource: &Resource) {
    let json = serde_json::from_str(&resource.json).expect("a resource is JSON");
    if resource.kind == "Observation" {
        assert_eq!(compare(resource, &json), hearth_core::map::fhir::Comparison::Equal, "{}", resource.json);
    }
}
