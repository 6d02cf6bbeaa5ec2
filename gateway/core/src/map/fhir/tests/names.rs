//! Ids, identifiers and queries.

use super::super::{
    Marked, PHD_SYSTEM, PhdIdentifier, READING_SYSTEM, Role, Rung, identifier_query, if_none_exist,
    phd_identifier, resources, urn,
};
use super::support::*;
use crate::capture::Key;
use crate::identity::{Address, AddressKind, Identity};
use crate::parcel::Policy;
use crate::reading::Issue;
use sha2::{Digest, Sha256};

/// HL7's conditional-create identifier: the project's identifier vectors, which were worked out by hand from
/// the text of PHD 2.0 (its own printed example is wrong by 30 seconds).
#[test]
fn facts_2_1_phd_identifier_vectors() {
    let id_01 = PhdIdentifier {
        device: "74E8FFFEFF051C00",
        patient: "sisansarahId-urn:oid:2.999.1.2.3.4.5.6.7.8.10",
        kind: 149_530,
        time: "2018-11-13T17:59:03".parse().unwrap(),
        fraction: None,
        offset: None,
        duration: None,
        supplemental: &[150_588],
    };
    let id_02 = PhdIdentifier {
        device: "00091FFFFE801234",
        patient: "p1-urn:oid:2.999.1",
        kind: 150_020,
        time: "2024-06-15T17:17:27".parse().unwrap(),
        supplemental: &[],
        ..id_01
    };
    let id_03 = PhdIdentifier {
        time: "2021-11-22T11:56:30".parse().unwrap(),
        fraction: Some("567"),
        offset: Some(4),
        ..id_02
    };
    let behind = PhdIdentifier { offset: Some(-20), fraction: None, duration: Some("1.000"), ..id_03 };
    for (id, value, query) in [
        (
            id_01,
            "74E8FFFEFF051C00-sisansarahId-urn:oid:2.999.1.2.3.4.5.6.7.8.10-149530-595447143-150588",
            "identifier=http://hl7.org/fhir/uv/phd/StructureDefinition/PhdBaseObservation%7C74E8FFFEFF051C00-sisansarahId-urn:oid:2.999.1.2.3.4.5.6.7.8.10-149530-595447143-150588",
        ),
        (
            id_02,
            "00091FFFFE801234-p1-urn:oid:2.999.1-150020-771787047",
            "identifier=http://hl7.org/fhir/uv/phd/StructureDefinition/PhdBaseObservation%7C00091FFFFE801234-p1-urn:oid:2.999.1-150020-771787047",
        ),
        (
            id_03,
            "00091FFFFE801234-p1-urn:oid:2.999.1-150020-690897390.567+4",
            "identifier=http://hl7.org/fhir/uv/phd/StructureDefinition/PhdBaseObservation%7C00091FFFFE801234-p1-urn:oid:2.999.1-150020-690897390.567%2B4",
        ),
        (
            behind,
            "00091FFFFE801234-p1-urn:oid:2.999.1-150020-690897390-20..1.000",
            "identifier=http://hl7.org/fhir/uv/phd/StructureDefinition/PhdBaseObservation%7C00091FFFFE801234-p1-urn:oid:2.999.1-150020-690897390-20..1.000",
        ),
    ] {
        assert_eq!(id.to_string(), value);
        assert_eq!(if_none_exist(PHD_SYSTEM, value), query);
    }
}

#[test]
fn facts_2_1_phd_identifier_of_a_parcel() {
    // bp-03, by its System ID and the logical id that the server gave.
    let mut parcel = pressure("16 7C00 5600 6100 E807060F11111B 3300 0000");
    let value = |parcel: &_| phd_identifier(parcel);
    assert_eq!(value(&parcel).unwrap(), "711000FEFF5F49B0-patientExample-1-150020-771787047");
    parcel.subject.identifier = Some(("sisansarahId".into(), "urn:oid:2.999.1".into()));
    assert_eq!(value(&parcel).unwrap(), "711000FEFF5F49B0-sisansarahId-urn:oid:2.999.1-150020-771787047");
    // Without a System ID by the address, if that stays the same.
    parcel.facts.system_id = None;
    assert_eq!(value(&parcel).unwrap(), "B0495F001071-sisansarahId-urn:oid:2.999.1-150020-771787047");
    parcel.facts.address = Some(Address { octets: [1; 6], kind: AddressKind::Private });
    assert_eq!(value(&parcel), None);
    // wt-01: 2021-07-23T21:33:31 is 680 391 211 s after 2000-01-01.
    let scale = weight("0E F22F E507071715211F 02 D400 A406");
    assert_eq!(value(&scale).unwrap(), "711000FEFF5F49B0-patientExample-1-188736-680391211");
    // glu-01: base time 2024-01-30T05:58:27 is 759 909 507 s after; the offset of 339 minutes is not in it.
    let meter = glucose("1B 0F00 E807011E053A1B 5301 6FB0 F8 0000");
    assert_eq!(value(&meter).unwrap(), "711000FEFF5F49B0-patientExample-1-160368-759909507");
    // No stamp, or an unknown one: none.
    assert_eq!(value(&pressure("00 7800 5000 6400")), None);
    assert_eq!(value(&pressure("0E 7800 5000 6400 00000000000000 4800 FF")), None);
}

#[test]
fn facts_2_1_the_measurement_carries_both_identifiers_and_its_companions_ours() {
    let parcel = pressure("16 7C00 5600 6100 E807060F11111B 3300 0000");
    let all = resources(&parcel, &Policy::default(), Rung::ConditionalCreate, Some("D-p|1-150020-7"));
    let all = by_role(&all);
    let systems = |role: Role| {
        all[&role]["identifier"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i["system"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(systems(Role::Measurement), [READING_SYSTEM, PHD_SYSTEM]);
    assert_eq!(systems(Role::Pulse), [READING_SYSTEM]);
    assert_eq!(all[&Role::Measurement]["identifier"][1]["value"], "D-p|1-150020-7");
    // PHD tells its own by having no type.
    assert_eq!(all[&Role::Measurement]["identifier"][1].get("type"), None);
    assert_eq!(all[&Role::Measurement]["identifier"][0]["type"]["coding"][0]["code"], "FILL");
}

/// FHIR R4, search: `\ $ , |` take a backslash; RFC 3986 does the rest.
#[test]
fn facts_2_1_queries_are_escaped() {
    for (value, query) in [
        ("abc", "identifier=s%7Cabc"),
        ("a+b", "identifier=s%7Ca%2Bb"),
        ("a,b", "identifier=s%7Ca%5C%2Cb"),
        ("a|b", "identifier=s%7Ca%5C%7Cb"),
        ("a$b", "identifier=s%7Ca%5C%24b"),
        (r"a\b", "identifier=s%7Ca%5C%5Cb"),
        ("a b&c=d#e?", "identifier=s%7Ca%20b%26c%3Dd%23e%3F"),
        ("Zoë", "identifier=s%7CZo%C3%AB"),
        ("a%2Bb", "identifier=s%7Ca%252Bb"),
        ("-._~:/", "identifier=s%7C-._~:/"),
    ] {
        assert_eq!(if_none_exist("s", value), query);
    }
    assert_eq!(if_none_exist("a|b", "c"), "identifier=a%5C%7Cb%7Cc");
    assert_eq!(if_none_exist(READING_SYSTEM, "abc"), "identifier=urn:hearth:reading%7Cabc");
}

/// SHA-256 over (length, octets) of each part, as the docs tell it; written out here by hand.
fn name_by_hand(parts: &[&[u8]]) -> [u8; 32] {
    let mut octets = vec![];
    for part in parts {
        octets.extend((part.len() as u64).to_be_bytes());
        octets.extend(*part);
    }
    Sha256::digest(octets).into()
}

fn base32_by_hand(octets: &[u8]) -> String {
    let bits: String = octets.iter().map(|octet| format!("{octet:08b}")).collect();
    let letters = b"abcdefghijklmnopqrstuvwxyz234567";
    let five = |chunk: &[u8]| {
        let padded = format!("{:0<5}", std::str::from_utf8(chunk).unwrap());
        char::from(letters[usize::from_str_radix(&padded, 2).unwrap()])
    };
    bits.as_bytes().chunks(5).map(five).collect()
}

#[test]
fn an_id_follows_from_key_issue_and_role_alone() {
    let parcel = pressure("14 7C00 5600 6100 3300 0100");
    let all = read(&parcel, &Policy::default());
    for (role, text) in [(Role::Measurement, "measurement"), (Role::Pulse, "pulse"), (Role::Status, "status")]
    {
        let expected =
            base32_by_hand(&name_by_hand(&[b"urn:hearth:reading", &[7; 32], &[0, 0], text.as_bytes()]));
        assert_eq!(all[&role]["id"], expected.as_str());
        assert_eq!(all[&role]["identifier"][0]["value"], expected.as_str());
        assert_eq!(expected.len(), 52);
    }
    let meter = base32_by_hand(&name_by_hand(&[
        b"urn:hearth:device",
        b"meter",
        b"system-id:\x71\x10\x00\xFE\xFF\x5F\x49\xB0",
    ]));
    assert_eq!(all[&Role::Meter]["id"], meter.as_str());
    // Another person, another time, another device fact, another profile: the same names.
    let mut other = parcel.clone();
    other.subject.id = "somebody".into();
    other.reading.when.effective = at("2020-01-01T00:00:00Z");
    other.facts.firmware = None;
    other.profile.averaged = true;
    let names = |parcel: &_| {
        resources(parcel, &Policy::default(), Rung::UpdateAsCreate, None)
            .into_iter()
            .map(|r| r.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&parcel), names(&other));
    // Another key, another issue, another device: other names.
    let mut key = parcel.clone();
    key.reading.key = Key([8; 32]);
    let mut issue = parcel.clone();
    issue.reading.issue = Issue(1);
    let mut device = parcel.clone();
    device.identity = Identity::Address([1; 6]);
    let [first, key, issue, device] =
        [&parcel, &key, &issue, &device].map(|parcel| read(parcel, &Policy::default()));
    assert_ne!(first[&Role::Measurement]["id"], key[&Role::Measurement]["id"]);
    assert_ne!(first[&Role::Measurement]["id"], issue[&Role::Measurement]["id"]);
    assert_eq!(first[&Role::Measurement]["id"], device[&Role::Measurement]["id"]);
    assert_ne!(first[&Role::Meter]["id"], device[&Role::Meter]["id"]);
    assert_eq!(first[&Role::Hub]["id"], device[&Role::Hub]["id"]);
}

/// What a changed text would make of every record that was ever written.
#[test]
fn role_texts_are_for_ever() {
    let marked = [
        Marked::Meal,
        Marked::Carbohydrate,
        Marked::Medication,
        Marked::Hba1c,
        Marked::Tester,
        Marked::Health,
    ];
    let roles = [
        Role::Meter,
        Role::Hub,
        Role::CoincidentTime,
        Role::Measurement,
        Role::Pulse,
        Role::Status,
        Role::BodyMassIndex,
        Role::BodyHeight,
        Role::Provenance,
        Role::Context(12, Marked::Meal),
    ];
    let texts: Vec<_> =
        roles.into_iter().chain(marked.map(|marked| Role::Context(0, marked))).map(Role::text).collect();
    assert_eq!(
        texts,
        [
            "meter",
            "hub",
            "coincident-time",
            "measurement",
            "pulse",
            "status",
            "body-mass-index",
            "body-height",
            "provenance",
            "context-12-meal",
            "context-0-meal",
            "context-0-carbohydrate",
            "context-0-medication",
            "context-0-hba1c",
            "context-0-tester",
            "context-0-health",
        ]
    );
}

/// RFC 9562, 5.8: version 8 in the high nibble of octet 6, variant 10 in octet 8.
#[test]
fn a_urn_is_a_version_8_uuid_of_the_same_digest() {
    let digest: [u8; 32] = std::array::from_fn(|n| 0xF0 | n as u8 & 0x0F);
    assert_eq!(urn(&base32_by_hand(&digest)), "urn:uuid:f0f1f2f3-f4f5-86f7-b8f9-fafbfcfdfeff");
    assert_ne!(urn("not base32!"), urn("nor this 1"));
}

/// R4 search 3.1.1.3: alternatives are joined by a comma, which is none of a value's own.
#[test]
fn several_identifiers_are_one_query() {
    let name = |system: &str, value: &str| (system.to_owned(), value.to_owned());
    let (one, other) = (name("urn:hearth:reading", "abc"), name("urn:x", "a,b|c"));
    assert_eq!(
        identifier_query(&[&one, &other]),
        "identifier=urn:hearth:reading%7Cabc,urn:x%7Ca%5C%2Cb%5C%7Cc"
    );
    assert_eq!(identifier_query(&[&one]), if_none_exist(&one.0, &one.1));
}
