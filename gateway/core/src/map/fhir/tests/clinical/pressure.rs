//! Blood pressure and what is failed.

use super::super::super::{Role, pressure::millimetres};
use super::super::support::*;
use super::{MEASUREMENT, STATUS_REPORTED, check, roles, says, usual};
use crate::parcel::Policy;
use crate::profile::BodySite;
use crate::reading::{Doubt, Quantity};
use hearth_wire::Decimal;

// bp-03: 124/86, mean 97, pulse 51, 2024-06-15T17:17:27, status 0.
const BP_03: &str = "16 7C00 5600 6100 E807060F11111B 3300 0000";

#[test]
fn a_pressure_is_a_vital_sign() {
    let parcel = pressure(BP_03);
    check(
        "docs/mapping.md",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[
            ("/status", r#""final""#),
            ("/category/0/coding/0/code", r#""vital-signs""#),
            ("/category/1/coding/0/code", r#""phd""#),
            ("/code/coding/0/code", r#""150020""#),
            ("/code/coding/1/code", r#""85354-9""#),
            ("/subject/reference", r#""Patient/patientExample-1""#),
            ("/effectiveDateTime", r#""2024-06-15T17:17:27-05:00""#),
            ("/valueQuantity", "-"),
            ("/dataAbsentReason", "-"),
            ("/interpretation", "-"),
            ("/note", "-"),
            ("/component/0/code/coding/0/code", r#""150021""#),
            ("/component/0/code/coding/1/code", r#""8480-6""#),
            (
                "/component/0/valueQuantity",
                r#"{"value":124,"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}"#,
            ),
            ("/component/1/code/coding/0/code", r#""150022""#),
            ("/component/1/code/coding/1/code", r#""8462-4""#),
            ("/component/1/valueQuantity/value", "86"),
            ("/component/2/code/coding/0/code", r#""150023""#),
            ("/component/2/code/coding/1/code", r#""8478-0""#),
            ("/component/2/valueQuantity/value", "97"),
            ("/component/3", "-"),
        ],
    );
    check(
        "docs/mapping.md",
        &parcel,
        &usual(),
        Role::Pulse,
        &[
            ("/category/0/coding/0/code", r#""vital-signs""#),
            ("/code/coding/0/code", r#""149546""#),
            ("/code/coding/1/code", r#""8867-4""#),
            (
                "/valueQuantity",
                r#"{"value":51,"unit":"beats/min","system":"http://unitsofmeasure.org","code":"/min"}"#,
            ),
        ],
    );
    let all = read(&parcel, &usual());
    let id = all[&MEASUREMENT]["id"].as_str().unwrap();
    assert_eq!(all[&Role::Pulse]["derivedFrom"][0]["reference"], format!("Observation/{id}"));
    // No bit is set: there is no status to report.
    roles(
        "PHD 2.0",
        &parcel,
        &usual(),
        &[Role::Meter, Role::Hub, MEASUREMENT, Role::Pulse, Role::Provenance],
    );
}

#[test]
fn clinical_2_an_average_says_so_and_is_no_other_code() {
    let mut parcel = pressure(BP_03);
    parcel.profile.averaged = true;
    says("CLINICAL 2", &parcel, MEASUREMENT, &["Average of several measurements, calculated by the device"]);
    check(
        "CLINICAL 2",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[("/code/coding/1/code", r#""85354-9""#), ("/code/coding/2", "-")],
    );
}

#[test]
fn clinical_6_a_failed_pressure_keeps_both_components() {
    let absent = |code: &str, display: &str| {
        format!(
            r#"{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"{code}","display":"{display}"}}]}}"#
        )
    };
    let (nan, error) = (absent("not-a-number", "Not a Number (NaN)"), absent("error", "Error"));
    // bp-s1: three NaN. bp-s3: NRes, NRes, NaN.
    for (hex, reason) in [("00 FF07 FF07 FF07", &nan), ("00 0008 0008 FF07", &error)] {
        let parcel = pressure(hex);
        let parts = [
            ("/status", r#""final""#),
            ("/component/0/code/coding/0/code", r#""150021""#),
            ("/component/0/dataAbsentReason", reason.as_str()),
            ("/component/0/valueQuantity", "-"),
            ("/component/1/code/coding/0/code", r#""150022""#),
            ("/component/1/dataAbsentReason", reason.as_str()),
            ("/component/2", "-"),
        ];
        check("CLINICAL 6", &parcel, &usual(), MEASUREMENT, &parts);
        check("CLINICAL 6: status", &parcel, &usual(), MEASUREMENT, &STATUS_REPORTED);
        check("CLINICAL 6: status", &parcel, &usual(), MEASUREMENT, &[("/component/0/code/coding/1", "-")]);
        says(
            "CLINICAL 6",
            &parcel,
            MEASUREMENT,
            &["No pressure was measured: the device reported a failed measurement"],
        );
        let charted = Policy { failed_as_vital_sign: true, ..usual() };
        check("CLINICAL 6: charted", &parcel, &charted, MEASUREMENT, &parts);
        let vital = [
            ("/category/0/coding/0/code", r#""vital-signs""#),
            ("/category/1/coding/0/code", r#""phd""#),
            ("/code/coding/1/code", r#""85354-9""#),
            ("/component/0/code/coding/1/code", r#""8480-6""#),
            ("/component/1/code/coding/1/code", r#""8462-4""#),
        ];
        check("CLINICAL 6: charted", &parcel, &charted, MEASUREMENT, &vital);
    }
}

#[test]
fn clinical_6_failed_pulse_and_weight_are_reported_likewise() {
    // bp-11: 156/NaN, mean NaN, pulse NaN, pulse under limit.
    let parcel = pressure("1E 9C00 FF07 FF07 E30708090D1835 FF07 00 1000");
    check(
        "CLINICAL 6: one missing component has its own reason",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[
            ("/category/0/coding/0/code", r#""vital-signs""#),
            ("/component/0/valueQuantity/value", "156"),
            ("/component/1/dataAbsentReason/coding/0/code", r#""not-a-number""#),
            ("/component/2/code/coding/0/code", r#""150023""#),
            ("/component/2/dataAbsentReason/coding/0/code", r#""not-a-number""#),
        ],
    );
    check("CLINICAL 6", &parcel, &usual(), Role::Pulse, &STATUS_REPORTED);
    check(
        "CLINICAL 6",
        &parcel,
        &usual(),
        Role::Pulse,
        &[("/dataAbsentReason/coding/0/code", r#""not-a-number""#), ("/valueQuantity", "-")],
    );
    // the standard: 0xFFFF, measurement unsuccessful.
    let parcel = weight("00 FFFF");
    check("CLINICAL 6", &parcel, &usual(), MEASUREMENT, &STATUS_REPORTED);
    check(
        "CLINICAL 6",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[
            ("/code/coding/0/code", r#""188736""#),
            ("/dataAbsentReason/coding/0/code", r#""error""#),
            ("/valueQuantity", "-"),
            ("/note/0/text", r#""No weight was measured: the device reported a failed measurement""#),
        ],
    );
    let charted = Policy { failed_as_vital_sign: true, ..usual() };
    check("CLINICAL 6", &parcel, &charted, MEASUREMENT, &[("/code/coding/1/code", r#""29463-7""#)]);
}

#[test]
fn clinical_12_and_13_cuff_flags() {
    // (status octets, note, code of the bit, questionable)
    let rows = [
        ("0100", "Cuff reported: body movement", "8410608.0", true),
        ("0200", "Cuff reported: cuff too loose", "8410608.1", true),
        ("0400", "Device flag: irregular pulse", "8410608.2", false),
        ("0800", "Device flag: pulse rate above the upper limit", "8410608.3", false),
        ("1000", "Device flag: pulse rate below the lower limit", "8410608.4", false),
        ("2000", "Cuff reported: improper measurement position", "8410608.5", true),
    ];
    for (status, note, code, questionable) in rows {
        let parcel = pressure(&format!("10 7C00 5600 6100 {status}"));
        says("CLINICAL 12", &parcel, MEASUREMENT, &[note]);
        check(
            "CLINICAL 12",
            &parcel,
            &usual(),
            Role::Status,
            &[
                ("/code/coding/0/code", r#""8410608""#),
                ("/component/0/code/coding/0/system", r#""http://terminology.hl7.org/CodeSystem/ASN1ToHL7""#),
                ("/component/0/code/coding/0/code", &format!("{code:?}")),
                ("/component/0/valueBoolean", "true"),
                ("/component/1", "-"),
            ],
        );
        let interpretation = if questionable {
            r#"[{"coding":[{"system":"http://hl7.org/fhir/uv/pocd/CodeSystem/measurement-status","code":"questionable","display":"Questionable"}]}]"#
        } else {
            "-"
        };
        check("CLINICAL 13", &parcel, &usual(), MEASUREMENT, &[("/interpretation", interpretation)]);
    }
    // Reserved: pulse range 3 and bits 6 to 15 say nothing.
    let parcel = pressure("10 7C00 5600 6100 D8FF");
    says("CLINICAL 12", &parcel, MEASUREMENT, &[]);
    // The doubts say it too, once.
    let mut parcel = pressure("10 7C00 5600 6100 0100");
    parcel.reading.doubts = vec![Doubt::BodyMovement, Doubt::CuffTooLoose];
    says(
        "CLINICAL 12",
        &parcel,
        MEASUREMENT,
        &["Cuff reported: body movement", "Cuff reported: cuff too loose"],
    );
}

#[test]
fn clinical_12_the_pulse_says_what_is_wrong_with_the_pulse() {
    // 124/86, pulse 51; movement, irregular pulse.
    let parcel = pressure("14 7C00 5600 6100 3300 0500");
    says("CLINICAL 12", &parcel, Role::Pulse, &["Device flag: irregular pulse"]);
    for resource in read(&parcel, &usual()).values() {
        assert!(!resource.to_string().to_lowercase().contains("arrhythmia"), "CLINICAL 12");
    }
}

#[test]
fn clinical_14_the_mean_lies_between_or_stays_out() {
    let outside = "not between diastolic and systolic: left out";
    for (hex, mean, note) in [
        ("00 7C00 5600 6100", "97", None),
        ("00 7C00 5600 5600", "86", None),
        ("00 7C00 5600 7C00", "124", None),
        ("00 7C00 5600 5500", "-", Some(format!("The device sent a mean pressure of 85 mmHg, {outside}"))),
        ("00 7C00 5600 7D00", "-", Some(format!("The device sent a mean pressure of 125 mmHg, {outside}"))),
        // bp-07: many cuffs send 0 for a mean that they don't know.
        ("00 7C00 5600 0000", "-", None),
    ] {
        let parcel = pressure(hex);
        check("CLINICAL 14", &parcel, &usual(), MEASUREMENT, &[("/component/2/valueQuantity/value", mean)]);
        says("CLINICAL 14", &parcel, MEASUREMENT, note.as_deref().as_slice());
    }
    // The order is by value, not by digits: 97.0 lies between 86 and 124.
    let parcel = pressure("00 7C00 5600 CAF3");
    check("CLINICAL 14", &parcel, &usual(), MEASUREMENT, &[("/component/2/valueQuantity/value", "97.0")]);
}

#[test]
fn clinical_14_kilopascals_become_whole_millimetres_once() {
    // bp-s4: 16.0 and 10.7 kPa, mean 0. 16.0 x 7.50062 = 120.00992; 10.7 x 7.50062 = 80.256634.
    let parcel = pressure("01 A0F0 6BF0 0000");
    check(
        "CLINICAL 14",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[
            (
                "/component/0/valueQuantity",
                r#"{"value":120,"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}"#,
            ),
            ("/component/1/valueQuantity/value", "80"),
            ("/component/2", "-"),
        ],
    );
    says(
        "CLINICAL 14: raw kept",
        &parcel,
        MEASUREMENT,
        &["As sent by the device: systolic 16.0 kPa, diastolic 10.7 kPa, mean 0 kPa"],
    );
    // 13.3 kPa between 10.7 and 16.0: 13.3 x 7.50062 = 99.758246.
    let parcel = pressure("01 A0F0 6BF0 85F0");
    check("CLINICAL 14", &parcel, &usual(), MEASUREMENT, &[("/component/2/valueQuantity/value", "100")]);
}

#[test]
fn clinical_15_body_site_by_the_profile_alone() {
    let mut parcel = pressure("04 7C00 5600 6100 3300");
    check("CLINICAL 15", &parcel, &usual(), MEASUREMENT, &[("/bodySite", "-")]);
    for (site, code) in [(BodySite::UpperArm, r#""40983000""#), (BodySite::Wrist, r#""8205005""#)] {
        parcel.profile.body_site = Some(site);
        check(
            "CLINICAL 15",
            &parcel,
            &usual(),
            MEASUREMENT,
            &[
                ("/bodySite/coding/0/system", r#""http://snomed.info/sct""#),
                ("/bodySite/coding/0/code", code),
            ],
        );
        check("CLINICAL 15", &parcel, &usual(), Role::Pulse, &[("/bodySite", "-")]);
    }
    // What a meter says of its sample is told in words.
    let parcel = glucose("02 0F00 E807011E053A1B 6FB0 11");
    check("CLINICAL 15", &parcel, &usual(), MEASUREMENT, &[("/bodySite", "-")]);
    says("CLINICAL 15", &parcel, MEASUREMENT, &["Sample from finger (reported by the meter)"]);
}

#[test]
fn clinical_1_an_extreme_value_goes_out_marked() {
    // 310/140, pulse 51.
    let mut parcel = pressure("04 3601 8C00 FF07 3300");
    parcel.reading.doubts = vec![Doubt::Extreme(Quantity::Systolic)];
    check("CLINICAL 1", &parcel, &usual(), MEASUREMENT, &[("/component/0/valueQuantity/value", "310")]);
    says(
        "CLINICAL 1",
        &parcel,
        MEASUREMENT,
        &["Unusual value, as sent by the device: Systolic blood pressure"],
    );
    says("CLINICAL 1", &parcel, Role::Pulse, &[]);
    parcel.reading.doubts = vec![Doubt::Extreme(Quantity::PulseRate)];
    says("CLINICAL 1", &parcel, Role::Pulse, &["Unusual value, as sent by the device: Pulse rate"]);
}

/// Worked out by hand: kPa x 7.50062, whole, half away from zero.
#[test]
fn clinical_14_kilopascals_are_rounded_in_integers() {
    for (mantissa, exponent, expected) in [
        // 16.0: 120.00992. 10.7: 80.256634. 6.6: 49.504092. 6.599: 49.49659138.
        (160, -1, Some(120)),
        (107, -1, Some(80)),
        (66, -1, Some(50)),
        (6_599, -3, Some(49)),
        // 25000: 187515.5 exactly, either way.
        (25_000, 0, Some(187_516)),
        (-25_000, 0, Some(-187_516)),
        // 16 kPa in other digits.
        (16, 0, Some(120)),
        (16_000, -3, Some(120)),
        // 2e1: 150.0124.
        (2, 1, Some(150)),
        (0, 0, Some(0)),
        (0, 7, Some(0)),
        // The least that an SFLOAT tells, and less.
        (2_047, -8, Some(0)),
        (i32::MAX, -127, Some(0)),
        // More than a whole number of 32 bits, and more than one of 128.
        (2_047, 7, None),
        (1, 127, None),
    ] {
        let expected = expected.map(|whole| Decimal::new(whole, 0));
        assert_eq!(millimetres(Decimal::new(mantissa, exponent)), expected, "{mantissa}e{exponent}");
    }
}
