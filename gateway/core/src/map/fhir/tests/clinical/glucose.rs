//! Glucose, and digits.

use super::super::super::Role;
use super::super::support::*;
use super::{MEASUREMENT, check, roles, says, usual};
use crate::parcel::Policy;
use crate::profile::{Sample, Unit};
use hearth_wire::Decimal;

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
        // So does one beside a number that no glucose can be: 0xFFFF is -0.1 kg/L, -10000 mg/dL.
        (
            "0A 0500 E807060F11111B FFFF 11 4000",
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
    // 601 mg/dL beside "result too high": the meter can't show it, and shows HI.
    parcel.reading.measure = glucose("0A 0500 E807060F11111B 59B2 11 2000").reading.measure;
    let beside = r#""The frame also held 601 mg/dL, which this meter can't have measured""#;
    let hi =
        [("/valueQuantity/value", "600"), ("/valueQuantity/comparator", r#"">""#), ("/note/1/text", beside)];
    check("CLINICAL 7", &parcel, &usual(), MEASUREMENT, &hi);
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
fn clinical_7_a_bit_without_any_concentration_is_told_too() {
    // Status alone: b5.
    let mut parcel = glucose("08 0500 E807060F11111B 2000");
    check(
        "CLINICAL 7",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[
            ("/code/coding/0/code", r#""160020""#),
            ("/code/coding/1", "-"),
            ("/dataAbsentReason/text", r#""meter shows HI""#),
        ],
    );
    let range = Some((Decimal::new(10, 0), Decimal::new(600, 0)));
    parcel.profile.readings = glucose_facts(None, range, Unit::MilligramPerDecilitre);
    check("CLINICAL 7", &parcel, &usual(), MEASUREMENT, &[("/valueQuantity/comparator", r#"">""#)]);
    // Neither number nor bit: nothing was measured, and that is reported and not charted (CLINICAL 6).
    let parcel = glucose("02 0500 E807060F11111B FF07 11");
    check(
        "CLINICAL 6",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[
            ("/category/0/coding/0/code", r#""phd""#),
            ("/code/coding/1", "-"),
            ("/dataAbsentReason/coding/0/code", r#""not-a-number""#),
            ("/note/0/text", r#""No glucose was measured: the meter reported no result""#),
        ],
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
            "PHD 2.0",
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
    says("PHD 2.0", &parcel, MEASUREMENT, &["Meter reported: time fault"]);
    roles("PHD 2.0", &parcel, &usual(), &[Role::Meter, Role::Hub, MEASUREMENT, Role::Provenance]);
    check("CLINICAL 13", &parcel, &usual(), MEASUREMENT, &[("/interpretation", "-")]);
}

#[test]
fn clinical_17_the_digits_of_the_frame() {
    // (SFLOAT as on the wire, what it prints): IEEE 11073-20601 and 0xF4F6 of bp-01.
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
