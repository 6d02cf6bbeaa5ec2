//! What goes out, clinical rule by clinical rule, by one door.

use super::super::{Marked, Role, Rung, resources};
use super::support::*;
use crate::parcel::{Parcel, PatientSupplied, Policy};
use crate::profile::{BodySite, Keeps, Sample, Unit};
use crate::reading::{Doubt, Issue, Quantity};
use crate::when::Source;
use hearth_wire::Decimal;
use serde_json::Value;

/// One resource of a parcel: JSON pointers, and the JSON that must be there. `-`: nothing is there.
#[track_caller]
fn check(rule: &str, parcel: &Parcel, policy: &Policy, role: Role, expected: &[(&str, &str)]) {
    let all = read(parcel, policy);
    let resource = all.get(&role).unwrap_or_else(|| panic!("{rule}: no {role:?}"));
    for (pointer, expected) in expected {
        let found = resource.pointer(pointer).map_or("-".to_owned(), Value::to_string);
        let expected = if *expected == "-" { "-".to_owned() } else { json(expected).to_string() };
        assert_eq!(found, expected, "{rule}: {role:?} {pointer}");
    }
}

/// The words beside a resource's value, all of them.
#[track_caller]
fn says(rule: &str, parcel: &Parcel, role: Role, expected: &[&str]) {
    let all = read(parcel, &Policy::default());
    assert_eq!(notes(&all[&role]), expected, "{rule}: {role:?}");
}

#[track_caller]
fn roles(rule: &str, parcel: &Parcel, policy: &Policy, expected: &[Role]) {
    let all: Vec<Role> =
        resources(parcel, policy, Rung::UpdateAsCreate, None).iter().map(|resource| resource.role).collect();
    assert_eq!(all, expected, "{rule}");
}

/// Everything as CLINICAL has it by default.
fn usual() -> Policy {
    Policy::default()
}

const MEASUREMENT: Role = Role::Measurement;
const STATUS_REPORTED: [(&str, &str); 3] = [
    ("/category/0/coding/0/code", r#""phd""#),
    ("/category/1", "-"),
    // MDC alone.
    ("/code/coding/1", "-"),
];

// bp-03: 124/86, mean 97, pulse 51, 2024-06-15T17:17:27, status 0.
const BP_03: &str = "16 7C00 5600 6100 E807060F11111B 3300 0000";

#[test]
fn a_pressure_is_a_vital_sign() {
    let parcel = pressure(BP_03);
    check(
        "FACTS 2.4",
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
        "FACTS 2.4",
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
        "FACTS 2.3",
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
    // FACTS 1.4: 0xFFFF, measurement unsuccessful.
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

// glu-s8 and glu-s9: infinity with "result too high", minus infinity with "result too low".
const HI: &str = "0A 0500 E807060F11111B FE07 11 2000";
const LO: &str = "0A 0600 E807060F11111B 0208 11 4000";

#[test]
fn clinical_7_hi_and_lo_without_an_evidenced_range_have_a_reason_and_words() {
    for (hex, code, text, note) in [
        (
            HI,
            "positive-infinity",
            "meter shows HI",
            "Meter shows HI: the result is above what the meter can measure",
        ),
        (
            LO,
            "negative-infinity",
            "meter shows LO",
            "Meter shows LO: the result is below what the meter can measure",
        ),
        // A status bit without a number means the same: NaN with b5, NaN with b6.
        (
            "0A 0500 E807060F11111B FF07 11 2000",
            "positive-infinity",
            "meter shows HI",
            "Meter shows HI: the result is above what the meter can measure",
        ),
        (
            "0A 0500 E807060F11111B FF07 11 4000",
            "negative-infinity",
            "meter shows LO",
            "Meter shows LO: the result is below what the meter can measure",
        ),
    ] {
        let parcel = glucose(hex);
        check(
            "CLINICAL 7",
            &parcel,
            &usual(),
            MEASUREMENT,
            &[
                ("/valueQuantity", "-"),
                ("/dataAbsentReason/coding/0/code", &format!("{code:?}")),
                ("/dataAbsentReason/text", &format!("{text:?}")),
                ("/note/0/text", &format!("{note:?}")),
                // It is a result, and stands in the row of results.
                ("/code/coding/1/code", r#""41653-7""#),
                ("/interpretation", "-"),
            ],
        );
        let bit = if code.starts_with('p') { r#""8417752.5""# } else { r#""8417752.6""# };
        check(
            "CLINICAL 7: bits",
            &parcel,
            &usual(),
            Role::Status,
            &[("/component/0/code/coding/0/code", bit)],
        );
    }
}

#[test]
fn clinical_7_hi_and_lo_take_the_makers_bound_only_in_its_own_unit() {
    let range = Some((Decimal::new(10, 0), Decimal::new(600, 0)));
    let mut parcel = glucose(HI);
    parcel.profile.readings = glucose_facts(None, range, Unit::MilligramPerDecilitre);
    check(
        "CLINICAL 7",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[
            (
                "/valueQuantity",
                r#"{"value":600,"comparator":">","unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}"#,
            ),
            ("/dataAbsentReason", "-"),
            ("/note/0/text", r#""Meter shows HI: the result is above what the meter can measure""#),
        ],
    );
    parcel.reading.measure = glucose(LO).reading.measure;
    check(
        "CLINICAL 7",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[("/valueQuantity/value", "10"), ("/valueQuantity/comparator", r#""<""#)],
    );
    // A bound in mmol/L says nothing about a record in mg/dL: the two are never converted (CLINICAL 8).
    let range = Some((Decimal::new(6, -1), Decimal::new(333, -1)));
    parcel.profile.readings = glucose_facts(None, range, Unit::MillimolePerLitre);
    check(
        "CLINICAL 7",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[("/valueQuantity", "-"), ("/dataAbsentReason/text", r#""meter shows LO""#)],
    );
}

#[test]
fn clinical_7_a_number_beside_the_bit_stays_a_number() {
    // 600 mg/dL = 600e-5 kg/L: mantissa 0x258, exponent -5 (B); b5 set.
    let parcel = glucose("0A 0500 E807060F11111B 58B2 11 2000");
    check(
        "CLINICAL 17",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[
            ("/valueQuantity/value", "600"),
            ("/valueQuantity/comparator", "-"),
            ("/interpretation/0/coding/0/code", r#""questionable""#),
        ],
    );
}

#[test]
fn clinical_8_glucose_codes() {
    // (nibble, profile says fingerstick, LOINC for mg/dL, LOINC for mmol/L, MDC)
    let rows: [(u8, bool, &str, &str, u32); 17] = [
        (1, true, "41653-7", "14743-9", 160_184),
        (2, true, "41653-7", "14743-9", 160_188),
        (7, true, "41653-7", "14743-9", 160_364),
        (8, true, "41653-7", "14743-9", 160_368),
        (1, false, "41653-7", "14743-9", 160_184),
        (2, false, "41653-7", "14743-9", 160_188),
        (3, false, "41652-9", "39480-9", 160_192),
        (4, true, "41652-9", "39480-9", 160_196),
        (5, false, "41651-1", "39481-7", 160_200),
        (6, true, "41651-1", "39481-7", 160_204),
        (7, false, "2339-0", "15074-8", 160_364),
        (8, false, "2339-0", "15074-8", 160_368),
        (9, false, "99504-3", "105272-9", 160_212),
        (9, true, "99504-3", "105272-9", 160_212),
        (0, true, "-", "-", 160_020),
        (11, false, "-", "-", 160_020),
        (15, true, "-", "-", 160_020),
    ];
    for (nibble, fingerstick, mass, moles, mdc) in rows {
        // flags: concentration, and b2 for mol/L. 111e-5 kg/L; 62e-4 mol/L. Location 15: not available.
        for (flags, value, loinc, number, unit) in
            [("02", "6FB0", mass, "111", "mg/dL"), ("06", "3EC0", moles, "6.2", "mmol/L")]
        {
            let mut parcel = glucose(&format!("{flags} 0F00 E807011E053A1B {value} F{nibble:X}"));
            let sample = fingerstick.then_some(Sample::Fingerstick);
            parcel.profile.readings = glucose_facts(sample, None, Unit::MilligramPerDecilitre);
            let loinc = if loinc == "-" { "-".to_owned() } else { format!("{loinc:?}") };
            check(
                &format!("CLINICAL 8: nibble {nibble}, fingerstick {fingerstick}"),
                &parcel,
                &usual(),
                MEASUREMENT,
                &[
                    ("/code/coding/0/code", &format!("\"{mdc}\"")),
                    ("/code/coding/1/code", &loinc),
                    ("/valueQuantity/value", number),
                    ("/valueQuantity/code", &format!("{unit:?}")),
                    ("/valueQuantity/unit", &format!("{unit:?}")),
                ],
            );
        }
    }
}

#[test]
fn clinical_9_glucose_is_no_vital_sign() {
    // glu-s1: 5.5 mmol/L, capillary whole blood, finger.
    let parcel = glucose("06 0100 EA07050C123536 37C0 11");
    check(
        "CLINICAL 9",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[("/category/0/coding/0/code", r#""phd""#), ("/category/1", "-"), ("/valueQuantity/value", "5.5")],
    );
    let laboratory = Policy { glucose_laboratory: true, ..usual() };
    check(
        "CLINICAL 9",
        &parcel,
        &laboratory,
        MEASUREMENT,
        &[("/category/0/coding/0/code", r#""laboratory""#), ("/category/1/coding/0/code", r#""phd""#)],
    );
}

#[test]
fn clinical_10_control_solution_makes_nothing() {
    // glu-17: type 10. Then type 1 at location 4.
    for hex in ["02 0100 D0070102030405 3411 1A", "02 0100 D0070102030405 6FB0 41"] {
        roles("CLINICAL 10", &glucose(hex), &usual(), &[]);
    }
}

const GLU_01: &str = "13 0F00 E807011E053A1B 5301 6FB0 F8";

#[test]
fn clinical_11_meal_is_a_note_and_an_observation_of_its_own() {
    for (meal, note, mdc) in [
        ("01", "before meal (marked on meter)", r#""8417868""#),
        ("02", "after meal (marked on meter)", r#""8417872""#),
        ("03", "fasting (marked on meter)", r#""8417876""#),
        ("04", "casual (marked on meter)", r#""8417880""#),
    ] {
        let parcel = glucose_with(GLU_01, &format!("02 0F00 {meal}"));
        says("CLINICAL 11", &parcel, MEASUREMENT, &[note]);
        // The base code stays.
        check("CLINICAL 11", &parcel, &usual(), MEASUREMENT, &[("/code/coding/1/code", r#""2339-0""#)]);
        check(
            "CLINICAL 11",
            &parcel,
            &usual(),
            Role::Context(0, Marked::Meal),
            &[
                ("/code/coding/0/code", r#""8417864""#),
                ("/code/coding/1", "-"),
                ("/valueCodeableConcept/coding/0/system", r#""urn:iso:std:iso:11073:10101""#),
                ("/valueCodeableConcept/coding/0/code", mdc),
                ("/category/0/coding/0/code", r#""phd""#),
            ],
        );
    }
    // Bedtime has no verified code; 6 is what a meter makes of a ketone.
    for (meal, note) in [
        ("05", "bedtime (marked on meter)"),
        ("06", "meal marker 6, which has no defined meaning (marked on meter)"),
    ] {
        let parcel = glucose_with(GLU_01, &format!("02 0F00 {meal}"));
        says("CLINICAL 11: text only", &parcel, MEASUREMENT, &[note]);
        roles(
            "CLINICAL 11: text only",
            &parcel,
            &usual(),
            &[Role::Meter, Role::Hub, MEASUREMENT, Role::Provenance],
        );
    }
}

#[test]
fn what_was_marked_on_the_meter_is_told_in_words_and_in_codes() {
    // ctx-s1: everything. 50e-3 kg, 10e-6 L, 65e-1 %.
    let parcel = glucose_with(GLU_01, "FF 0F00 00 01 32D0 03 11 5802 4B 04 0AA0 41F0");
    says(
        "11073-10417",
        &parcel,
        MEASUREMENT,
        &[
            "fasting (marked on meter)",
            "carbohydrate 50 g, breakfast (marked on meter)",
            "medication 0.010 mL, long acting insulin (marked on meter)",
            "exercise 600 s at 75 % intensity (marked on meter)",
            "HbA1c 6.5 % (from the meter)",
            "tested by: self (marked on meter)",
            "health: minor health issues (marked on meter)",
        ],
    );
    let rows: [(Marked, &[(&str, &str)]); 5] = [
        (
            Marked::Carbohydrate,
            &[
                ("/code/coding/0/code", r#""8417768""#),
                ("/valueQuantity/value", "50"),
                ("/valueQuantity/code", r#""g""#),
            ],
        ),
        (
            Marked::Medication,
            &[
                ("/code/coding/0/code", r#""8417812""#),
                ("/valueQuantity/value", "0.010"),
                ("/valueQuantity/code", r#""mL""#),
            ],
        ),
        (
            Marked::Hba1c,
            &[
                ("/code/coding/0/code", r#""160220""#),
                ("/valueQuantity/value", "6.5"),
                ("/valueQuantity/code", r#""%""#),
            ],
        ),
        (
            Marked::Tester,
            &[
                ("/code/coding/0/code", r#""8417884""#),
                ("/valueCodeableConcept/coding/0/code", r#""8417888""#),
            ],
        ),
        (
            Marked::Health,
            &[
                ("/code/coding/0/code", r#""8417820""#),
                ("/valueCodeableConcept/coding/0/code", r#""8417824""#),
            ],
        ),
    ];
    for (marked, expected) in rows {
        check("11073-10417", &parcel, &usual(), Role::Context(0, marked), expected);
    }
    // Unknown meanings and missing numbers are said and not guessed at: carbohydrate 9 of NaN, medication 6 of
    // 2e-6 kg, exercise overrun, tester 15 (not available), health 9.
    let parcel = glucose_with(GLU_01, "1D 0F00 09 FF07 9F FFFF 32 06 02A0");
    says(
        "11073-10417",
        &parcel,
        MEASUREMENT,
        &[
            "carbohydrate without a number, kind 9, which has no defined meaning (marked on meter)",
            "medication 2 mg, kind 6, which has no defined meaning (marked on meter)",
            "exercise longer than the meter can count at 50 % intensity (marked on meter)",
            "health: 9, which has no defined meaning (marked on meter)",
        ],
    );
    roles("11073-10417", &parcel, &usual(), &[Role::Meter, Role::Hub, MEASUREMENT, Role::Provenance]);
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
fn clinical_13_glucose_sensor_bits_and_no_word_of_bit_11() {
    let rows: [(u16, &str, &str, bool); 11] = [
        (0, "Meter reported: battery low", "8417752.0", false),
        (1, "Meter reported: sensor malfunction or fault", "8417752.1", true),
        (2, "Meter reported: sample insufficient", "8417752.2", true),
        (3, "Meter reported: strip insertion error", "8417752.3", true),
        (4, "Meter reported: wrong strip type", "8417752.4", true),
        (5, "Meter reported: result too high for the meter", "8417752.5", true),
        (6, "Meter reported: result too low for the meter", "8417752.6", true),
        (7, "Meter reported: temperature too high", "8417752.7", true),
        (8, "Meter reported: temperature too low", "8417752.8", true),
        (9, "Meter reported: strip pulled too soon", "8417752.9", true),
        (10, "Meter reported: general device fault", "8417752.10", true),
    ];
    for (bit, note, code, questionable) in rows {
        let [low, high] = (1u16 << bit).to_le_bytes();
        let parcel = glucose(&format!("0A 0F00 E807011E053A1B 6FB0 F8 {low:02X}{high:02X}"));
        says("CLINICAL 13", &parcel, MEASUREMENT, &[note]);
        check(
            "FACTS 2.3",
            &parcel,
            &usual(),
            Role::Status,
            &[
                ("/code/coding/0/code", r#""8417752""#),
                ("/component/0/code/coding/0/code", &format!("{code:?}")),
            ],
        );
        let interpretation = if questionable { r#""questionable""# } else { "-" };
        check(
            "CLINICAL 13",
            &parcel,
            &usual(),
            MEASUREMENT,
            &[("/interpretation/0/coding/0/code", interpretation)],
        );
    }
    // Bit 11 is "time fault" in the frame and "temperature out of range" in the code system.
    let parcel = glucose("0A 0F00 E807011E053A1B 6FB0 F8 0008");
    says("FACTS 2.3", &parcel, MEASUREMENT, &["Meter reported: time fault"]);
    roles("FACTS 2.3", &parcel, &usual(), &[Role::Meter, Role::Hub, MEASUREMENT, Role::Provenance]);
    check("CLINICAL 13", &parcel, &usual(), MEASUREMENT, &[("/interpretation", "-")]);
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
fn clinical_14_height_and_index_only_where_asked() {
    // wt-01: 61.370 kg, BMI 21.2, 1.700 m.
    let parcel = weight("0E F22F E507071715211F 02 D400 A406");
    roles("CLINICAL 14", &parcel, &usual(), &[Role::Meter, Role::Hub, MEASUREMENT, Role::Provenance]);
    let asked = Policy { height_and_bmi: true, ..usual() };
    check(
        "CLINICAL 14",
        &parcel,
        &asked,
        Role::BodyMassIndex,
        &[
            ("/code/coding/0/code", r#""188752""#),
            ("/code/coding/1/code", r#""39156-5""#),
            (
                "/valueQuantity",
                r#"{"value":21.2,"unit":"kg/m2","system":"http://unitsofmeasure.org","code":"kg/m2"}"#,
            ),
            ("/note/0/text", r#""Calculated by the scale from a height that was typed in""#),
        ],
    );
    check(
        "CLINICAL 14",
        &parcel,
        &asked,
        Role::BodyHeight,
        &[
            ("/code/coding/0/code", r#""188740""#),
            ("/code/coding/1/code", r#""8302-2""#),
            (
                "/valueQuantity",
                r#"{"value":170.0,"unit":"cm","system":"http://unitsofmeasure.org","code":"cm"}"#,
            ),
        ],
    );
    // wt-12: 157.00 lb, BMI 24.5, 68.0 in.
    let parcel = weight("0F 543D E7070C190E1E2D 03 F500 A802");
    check(
        "CLINICAL 14",
        &parcel,
        &asked,
        Role::BodyHeight,
        &[("/valueQuantity/value", "68.0"), ("/valueQuantity/code", r#""[in_i]""#)],
    );
}

#[test]
fn clinical_14_and_17_weight_in_the_unit_that_was_sent() {
    let parcel = weight("0E F22F E507071715211F 02 D400 A406");
    check(
        "CLINICAL 14",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[
            ("/category/0/coding/0/code", r#""vital-signs""#),
            ("/code/coding/0/code", r#""188736""#),
            ("/code/coding/1/code", r#""29463-7""#),
            (
                "/valueQuantity",
                r#"{"value":61.370,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}"#,
            ),
        ],
    );
    // wt-08: 157.00 lb.
    check(
        "CLINICAL 14",
        &weight("01 543D"),
        &usual(),
        MEASUREMENT,
        &[(
            "/valueQuantity",
            r#"{"value":157.00,"unit":"lb","system":"http://unitsofmeasure.org","code":"[lb_av]"}"#,
        )],
    );
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
fn clinical_17_the_digits_of_the_frame() {
    // (SFLOAT as on the wire, what it prints): FACTS 1.1 and 0xF4F6 of bp-01.
    for (sfloat, digits) in [
        ("0200", "2"),
        ("14F0", "2.0"),
        ("C8E0", "2.00"),
        ("F6F4", "127.0"),
        ("0C10", "120"),
        ("FFFF", "-0.1"),
        ("0000", "0"),
        ("00F0", "0.0"),
        ("0180", "0.00000001"),
        ("0170", "10000000"),
    ] {
        let parcel = pressure(&format!("00 {sfloat} {sfloat} FF07"));
        check("CLINICAL 17", &parcel, &usual(), MEASUREMENT, &[("/component/0/valueQuantity/value", digits)]);
    }
    // glu-01: 111 mg/dL, although the meter shows 6.2 mmol/L.
    let parcel = glucose("1B 0F00 E807011E053A1B 5301 6FB0 F8 0000");
    check(
        "CLINICAL 17",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[("/valueQuantity/value", "111"), ("/valueQuantity/code", r#""mg/dL""#)],
    );
    // 1110e-6 kg/L is 111.0 mg/dL; 550e-5 mol/L is 5.50 mmol/L.
    let parcel = glucose("02 0F00 E807011E053A1B 56A4 F8");
    check("CLINICAL 17", &parcel, &usual(), MEASUREMENT, &[("/valueQuantity/value", "111.0")]);
    let parcel = glucose("06 0F00 E807011E053A1B 26B2 F8");
    check("CLINICAL 17", &parcel, &usual(), MEASUREMENT, &[("/valueQuantity/value", "5.50")]);
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

#[test]
fn facts_2_2_coincident_time() {
    // HL7's coin-example-1: the device is 5 s slow.
    let parcel = taken(pressure("00 7C00 5600 6100"), "2017-06-02T19:02:35Z", -4);
    let parcel = sampled(parcel, "2017-06-02T18:02:30", 4 * 3600 + 5);
    let all = read(&parcel, &usual());
    let id = |role: Role| all[&role]["id"].as_str().unwrap().to_owned();
    check(
        "FACTS 2.2",
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
        "FACTS 2.2",
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
        "FACTS 2.2",
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
    let first = pressure(BP_03);
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
        "FACTS 2.3",
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
        "FACTS 2.3",
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
    for (parcel, code) in [(weight("00 B036"), r#""528399""#), (glucose(GLU_01), r#""528401""#)] {
        check(
            "FACTS 2.3",
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
        "FACTS 2.3",
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
