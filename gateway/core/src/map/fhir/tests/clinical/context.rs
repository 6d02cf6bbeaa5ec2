//! What a patient marked on the meter.

use super::super::super::{Marked, Role};
use super::super::support::*;
use super::{MEASUREMENT, check, roles, says, usual};

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
