//! Who, when, whose: what every resource carries.

use super::super::super::Role;
use super::super::support::*;
use super::{MEASUREMENT, check, roles, says, usual};
use crate::identity::Who;
use crate::parcel::{PatientSupplied, Policy};
use crate::profile::Keeps;
use crate::reading::{Doubt, Issue};
use crate::when::Source;

#[test]
fn clinical_16_who_measured_and_who_sent() {
    let parcel = pressure("04 7C00 5600 6100 3300");
    for role in [MEASUREMENT, Role::Pulse] {
        check(
            "CLINICAL 16",
            &parcel,
            &usual(),
            role,
            &[
                ("/performer", r#"[{"display":"Home measurement, person not verified"}]"#),
                ("/issued", r#""2018-11-11T12:00:00-05:00""#),
                (
                    "/meta/tag",
                    r#"[{"system":"http://hl7.org/fhir/us/core/CodeSystem/us-core-tags","code":"patient-supplied"}]"#,
                ),
            ],
        );
        let untagged = Policy {
            patient_supplied: PatientSupplied::Untagged { reason: "measured in the practice".into() },
            ..usual()
        };
        check("CLINICAL 16", &parcel, &untagged, role, &[("/meta", "-")]);
        check(
            "CLINICAL 16",
            &attested(parcel.clone()),
            &usual(),
            role,
            &[("/performer", r#"[{"reference":"Patient/patientExample-1"}]"#)],
        );
    }
    let ids = read(&parcel, &usual());
    let reference = |role: Role| format!("\"Device/{}\"", ids[&role]["id"].as_str().unwrap());
    let agents = |author: &str| {
        let agent = |kind: &str, who: &str| {
            format!(
                r#"{{"type":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/provenance-participant-type","code":"{kind}"}}]}},"who":{{"reference":{who}}}}}"#
            )
        };
        format!("[{},{}]", agent("author", author), agent("assembler", &reference(Role::Hub)))
    };
    check(
        "CLINICAL 16",
        &parcel,
        &usual(),
        Role::Provenance,
        &[
            ("/recorded", r#""2018-11-11T12:00:00-05:00""#),
            ("/agent", &agents(&reference(Role::Meter))),
            ("/entity", "-"),
        ],
    );
    let own = agents(r#""Patient/patientExample-1""#);
    check("CLINICAL 16", &attested(parcel), &usual(), Role::Provenance, &[("/agent", &own)]);
}

#[test]
fn clinical_18_time_in_the_offset_of_the_reading() {
    // (instant, offset in seconds, printed)
    for (instant, offset, printed) in [
        ("2018-11-11T16:38:15Z", -5 * 3600, "2018-11-11T11:38:15-05:00"),
        ("2026-05-12T13:23:54Z", 5 * 3600 + 1800, "2026-05-12T18:53:54+05:30"),
        ("2026-05-12T13:23:54Z", 0, "2026-05-12T13:23:54+00:00"),
        ("2026-05-12T23:23:54.25Z", 3600, "2026-05-13T00:23:54.25+01:00"),
        ("2026-05-12T13:23:54.000000001Z", -1800, "2026-05-12T12:53:54.000000001-00:30"),
        // Amsterdam before 1937: +00:19:32 is no offset of FHIR's. The instant is the same.
        ("1930-01-01T12:00:00Z", 19 * 60 + 32, "1930-01-01T12:19:00+00:19"),
    ] {
        let mut parcel = pressure("00 7C00 5600 6100");
        parcel.reading.when.effective = at(instant);
        parcel.reading.when.offset = jiff::tz::Offset::from_seconds(offset).unwrap();
        let printed = format!("{printed:?}");
        check("CLINICAL 18", &parcel, &usual(), MEASUREMENT, &[("/effectiveDateTime", &printed)]);
    }
}

#[test]
fn clinical_19_20_doubts_about_time_are_told() {
    let parcel = |doubt| {
        let mut parcel = pressure("04 7C00 5600 6100 3300");
        parcel.reading.doubts = vec![doubt];
        parcel
    };
    for (doubt, note) in [
        (Doubt::ClockUnverified, "The time is the device's own: nobody compared its clock with the hub's"),
        (
            Doubt::OffsetChanged,
            "The device sent this record again with another time offset: the first one stands",
        ),
        (Doubt::ClockOff, "The device's clock differs from the hub's by more than it should"),
        (
            Doubt::Broadcast,
            "Received as a broadcast without protection: anybody in radio range could have sent it",
        ),
    ] {
        for role in [MEASUREMENT, Role::Pulse] {
            says("CLINICAL 19", &parcel(doubt), role, &[note]);
        }
    }
    // Hub 16:43:27 UTC, device 11:38:15 in New York: 5 h and 312 s apart, of which the zone is no fault.
    let slow = sampled(parcel(Doubt::ClockOff), "2018-11-11T11:38:15", 5 * 3600 + 312);
    says(
        "CLINICAL 19",
        &slow,
        MEASUREMENT,
        &["The device's clock was 312 seconds slow: the time is corrected by the hub's"],
    );
    let mut fast = sampled(parcel(Doubt::ClockOff), "2018-11-11T16:48:15", -600);
    fast.profile.clock.keeps = Keeps::Utc;
    says(
        "CLINICAL 19",
        &fast,
        MEASUREMENT,
        &["The device's clock was 600 seconds fast: the time is corrected by the hub's"],
    );
    let mut heard = pressure("00 7C00 5600 6100");
    heard.reading.when.source = Source::Heard;
    says("CLINICAL 20", &heard, MEASUREMENT, &["The device sent no time: this is when the hub received it"]);
}

#[test]
fn facts_2_2_coincident_time() {
    // HL7's coin-example-1: the device is 5 s slow.
    let parcel = taken(pressure("00 7C00 5600 6100"), "2017-06-02T19:02:35Z", -4);
    let parcel = sampled(parcel, "2017-06-02T18:02:30", 4 * 3600 + 5);
    let all = read(&parcel, &usual());
    let id = |role: Role| all[&role]["id"].as_str().unwrap().to_owned();
    check(
        "PHD 2.0, coincident time stamp",
        &parcel,
        &usual(),
        Role::CoincidentTime,
        &[
            ("/code/coding/0/code", r#""67975""#),
            ("/effectiveDateTime", r#""2017-06-02T18:02:35-04:00""#),
            ("/valueDateTime", r#""2017-06-02T18:02:30-04:00""#),
            ("/subject/reference", &format!("\"Device/{}\"", id(Role::Meter))),
            ("/device/reference", &format!("\"Device/{}\"", id(Role::Hub))),
            ("/category", "-"),
            // Not a patient's own data.
            ("/meta", "-"),
        ],
    );
    check(
        "PHD 2.0, coincident time stamp",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[
            (
                "/extension/1/url",
                r#""http://hl7.org/fhir/uv/phd/StructureDefinition/CoincidentTimeStampReference""#,
            ),
            (
                "/extension/1/valueReference/reference",
                &format!("\"Observation/{}\"", id(Role::CoincidentTime)),
            ),
        ],
    );
    // A clock that keeps UTC is printed in UTC.
    let mut parcel = sampled(parcel, "2017-06-02T22:02:30", 5);
    parcel.profile.clock.keeps = Keeps::Utc;
    check(
        "PHD 2.0, coincident time stamp",
        &parcel,
        &usual(),
        Role::CoincidentTime,
        &[
            ("/effectiveDateTime", r#""2017-06-02T18:02:35-04:00""#),
            ("/valueDateTime", r#""2017-06-02T22:02:30+00:00""#),
        ],
    );
}

#[test]
fn clinical_26_a_reissue_has_names_of_its_own_and_says_what_it_replaces() {
    let first = pressure("16 7C00 5600 6100 E807060F11111B 3300 0000");
    let mut second = first.clone();
    second.reading.issue = Issue(1);
    second.replaces = Some((Issue(0), Some("Observation/77".into())));
    check(
        "CLINICAL 26",
        &second,
        &usual(),
        Role::Provenance,
        &[("/entity", r#"[{"role":"revision","what":{"reference":"Observation/77"}}]"#)],
    );
    let old = read(&first, &usual());
    let new = read(&second, &usual());
    for role in [MEASUREMENT, Role::Pulse, Role::Provenance] {
        assert_ne!(old[&role]["id"], new[&role]["id"], "CLINICAL 26: {role:?}");
    }
    // Devices are the same devices.
    assert_eq!(old[&Role::Meter], new[&Role::Meter], "CLINICAL 26");
    // The retracted one may never have come here: it is named, not pointed at.
    second.replaces = Some((Issue(0), None));
    let id = old[&MEASUREMENT]["id"].as_str().unwrap();
    check(
        "CLINICAL 26",
        &second,
        &usual(),
        Role::Provenance,
        &[(
            "/entity/0/what",
            &format!(r#"{{"identifier":{{"system":"urn:hearth:reading","value":"{id}"}}}}"#),
        )],
    );
}

#[test]
fn clinical_29_labels_travel_on_every_resource() {
    let act = |code: &str| {
        format!(r#"{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"{code}"}}"#)
    };
    let confidential = |code: &str| {
        format!(r#"{{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"{code}"}}"#)
    };
    let part_2 = |code: &str| {
        format!(
            r#"{{"extension":[{{"url":"http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-basis","valueCoding":{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"42CFRPart2"}}}}],"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"{code}"}}"#
        )
    };
    let rows: [(&[&str], String); 5] = [
        (&["NORDSCLCD", "SUD"], format!("[{},{}]", act("NORDSCLCD"), act("SUD"))),
        (&["R"], format!("[{}]", confidential("R"))),
        (&["42CFRPart2"], format!("[{}]", part_2("R"))),
        (&["42CFRPart2", "V", "SUD"], format!("[{},{}]", act("SUD"), part_2("V"))),
        (&["42CFRPart2", "SUD"], format!("[{},{}]", part_2("R"), act("SUD"))),
    ];
    for (labels, security) in rows {
        let parcel =
            sampled(labelled(pressure("14 7C00 5600 6100 3300 0100"), labels), "2018-11-11T11:38:15", 18_000);
        for role in [
            Role::Meter,
            Role::Hub,
            Role::CoincidentTime,
            MEASUREMENT,
            Role::Pulse,
            Role::Status,
            Role::Provenance,
        ] {
            check("CLINICAL 29", &parcel, &usual(), role, &[("/meta/security", &security)]);
        }
    }
}

#[test]
fn facts_2_3_devices() {
    let parcel = pressure("00 7C00 5600 6100");
    let identifier = |code: &str, system: &str, value: &str| {
        format!(
            r#"{{"type":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers","code":"{code}"}}]}},"system":"{system}","value":"{value}"}}"#
        )
    };
    let eui = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680";
    let bluetooth = "http://hl7.org/fhir/sid/eui-48/bluetooth";
    check(
        "PHD 2.0",
        &parcel,
        &usual(),
        Role::Meter,
        &[
            ("/identifier/0/system", r#""urn:hearth:device""#),
            ("/identifier/1", &identifier("SYSID", eui, "71-10-00-FE-FF-5F-49-B0")),
            ("/identifier/2", &identifier("BTMAC", bluetooth, "B0-49-5F-00-10-71")),
            ("/manufacturer", r#""OMRONHEALTHCARE""#),
            ("/modelNumber", r#""HEM-9200T""#),
            ("/serialNumber", r#""20150200002A""#),
            ("/deviceName", r#"[{"name":"OMRONHEALTHCARE HEM-9200T","type":"user-friendly-name"}]"#),
            ("/type/coding/0/code", r#""65573""#),
            ("/specialization/0/systemType/coding/0/code", r#""528391""#),
            ("/version/0/type/coding/0/code", r#""531976""#),
            ("/version/0/value", r#""C.00.7AJ-02""#),
        ],
    );
    check(
        "PHD 2.0",
        &parcel,
        &usual(),
        Role::Hub,
        &[
            ("/identifier/1", &identifier("SYSID", eui, "EC-DE-3D-4E-58-53-2D-31")),
            ("/type/coding/0/code", r#""531981""#),
            ("/version/0/type/coding/0/code", r#""531975""#),
            ("/version/0/value", r#""0.1.0""#),
            ("/property/0/type/coding/0/code", r#""68220""#),
        ],
    );
    // A scale and a meter.
    for (parcel, code) in
        [(weight("00 B036"), r#""528399""#), (glucose("02 0F00 E807011E053A1B 6FB0 F8"), r#""528401""#)]
    {
        check(
            "PHD 2.0",
            &parcel,
            &usual(),
            Role::Meter,
            &[("/specialization/0/systemType/coding/0/code", code)],
        );
    }
    // A device that says nothing of itself: PHD's zeros, R4's "unknown", and no name but its kind's.
    let mut silent = parcel;
    silent.facts = crate::identity::Facts {
        advertised_name: silent.facts.advertised_name,
        ..crate::identity::Facts::default()
    };
    let unknown = r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}"#;
    check(
        "PHD 2.0",
        &silent,
        &usual(),
        Role::Meter,
        &[
            ("/identifier/1/value", r#""00-00-00-00-00-00-00-00""#),
            ("/identifier/2", "-"),
            ("/manufacturer", "-"),
            ("/_manufacturer", unknown),
            ("/_modelNumber", unknown),
            ("/serialNumber", "-"),
            ("/version", "-"),
            ("/deviceName/0/name", r#""Blood pressure monitor""#),
        ],
    );
}

#[test]
fn clinical_24_a_test_makes_nothing() {
    let mut parcel = pressure("00 7C00 5600 6100");
    parcel.reading.who = Who::Test;
    roles("CLINICAL 24", &parcel, &usual(), &[]);
}
