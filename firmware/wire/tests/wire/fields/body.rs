//! Body composition: two indications of one measurement, and values that no field can hold.

use hearth_wire::Decimal;
use hearth_wire::gatt::{BodyCompositionMeasurement, Unmergeable};

use super::no_room;
use crate::octets;

fn body(hex: &str) -> BodyCompositionMeasurement {
    BodyCompositionMeasurement::decode(&octets(hex)).unwrap().value
}

/// bc-h2 and bc-h3 of the vectors, and bc-h1: the frame that did not fit.
const FIRST: &str = "3E10D200EA070309060504034C1DA501901A";
const SECOND: &str = "C01FD200B42D5C2B082050142A3AD106";
const WHOLE: &str = "FE0FD200EA070309060504034C1DA501901AB42D5C2B082050142A3AD106";

#[test]
fn two_packets_are_the_one_that_did_not_fit() {
    let merged = BodyCompositionMeasurement::merge(&body(FIRST), &body(SECOND)).unwrap();
    assert_eq!(merged, body(WHOLE));
    assert_eq!(merged.encode(&mut [0; 30]), Ok(octets(WHOLE).as_slice()));
}

#[test]
fn packets_that_are_not_one_measurement_say_why() {
    use Unmergeable::{Differs, SecondBegins, Single};
    let rows = [
        // a whole one beside half a one
        (WHOLE, SECOND, Err(Single)),
        (FIRST, WHOLE, Err(Single)),
        // the wrong order; a second first one; user alone
        (SECOND, FIRST, Err(SecondBegins { field: "time stamp" })),
        ("3410D200034C1DA501901A", FIRST, Err(SecondBegins { field: "time stamp" })),
        (SECOND, "0410D20003", Err(SecondBegins { field: "user id" })),
        // pounds, and another fat
        (FIRST, "C11FD200B42D5C2B082050142A3AD106", Err(Differs { field: "unit" })),
        (FIRST, "C01FD300B42D5C2B082050142A3AD106", Err(Differs { field: "body fat percentage" })),
        (FIRST, "0014FFFF2A3A", Err(Differs { field: "body fat percentage" })),
        // said twice, alike and not
        (FIRST, "0A10D200EA070309060504 4C1D", Ok(())),
        (FIRST, "0210D200EA070309060505", Err(Differs { field: "time stamp" })),
        (FIRST, "0410D20004", Err(Differs { field: "user id" })),
        (FIRST, "0810D2004D1D", Err(Differs { field: "basal metabolism" })),
        (FIRST, "1010D200A601", Err(Differs { field: "muscle percentage" })),
        (FIRST, "2010D200911A", Err(Differs { field: "muscle mass" })),
        ("C01FD200B42D5C2B082050142A3AD106", "4010D200B52D", Err(Differs { field: "fat-free mass" })),
        (SECOND, "8010D2005D2B", Err(Differs { field: "soft lean mass" })),
        (SECOND, "0011D2000920", Err(Differs { field: "body water mass" })),
        (SECOND, "0012D2005114", Err(Differs { field: "impedance" })),
        (SECOND, "0014D2002B3A", Err(Differs { field: "weight" })),
        (SECOND, "0018D200D206", Err(Differs { field: "height" })),
    ];
    for (first, second, expected) in rows {
        let [first, second] = [first, second].map(|hex| body(&hex.replace(' ', "")));
        let merged = BodyCompositionMeasurement::merge(&first, &second);
        assert_eq!(merged.map(|_| ()), expected, "{first:?} {second:?}");
    }
}

#[test]
fn reserved_flags_of_both_packets_are_kept() {
    let merged = BodyCompositionMeasurement::merge(&body("0030D200"), &body("0050D200")).unwrap();
    assert_eq!(merged.reserved_flags, 0x6000);
}

/// Body Composition Service, "Body Composition Measurement": 0.1 %, 0.005 kg, 0.1 ohm, 0.001 m.
#[test]
fn a_composition_that_is_no_step_of_the_scale_is_not_written() {
    let whole = body(WHOLE);
    let tenths = |tenths| Some(Decimal::new(tenths, -1));
    type Body = BodyCompositionMeasurement;
    let rows = [
        // 0xFFFF tenths would be read as unsuccessful
        (Body { body_fat_percent: tenths(65_535), ..whole }, "body fat percentage"),
        (Body { body_fat_percent: Some(Decimal::new(21, 0)), ..whole }, "body fat percentage"),
        (Body { muscle_percent: tenths(65_536), ..whole }, "muscle percentage"),
        (Body { muscle_mass: Some(Decimal::new(34_001, -3)), ..whole }, "muscle mass"),
        (Body { fat_free_mass: Some(Decimal::new(3_400, -2)), ..whole }, "fat-free mass"),
        (Body { soft_lean_mass: tenths(-5), ..whole }, "soft lean mass"),
        (Body { body_water_mass: tenths(410), ..whole }, "body water mass"),
        (Body { impedance_ohm: Some(Decimal::new(5_200, -2)), ..whole }, "impedance"),
        (Body { weight: Some(Decimal::new(74_452, -3)), ..whole }, "weight"),
        (Body { height: Some(Decimal::new(175, -2)), ..whole }, "height"),
    ];
    for (body, field) in rows {
        assert_eq!(body.encode(&mut [0; 30]), no_room(field));
    }
    // Every other field holds 0xFFFF as a number.
    let most = Body { muscle_percent: tenths(65_535), ..whole };
    assert!(most.encode(&mut [0; 30]).is_ok());
}

#[test]
fn every_reason_is_one_sentence() {
    let rows = [
        (Unmergeable::Single, "not two parts: one of the two is a whole measurement"),
        (Unmergeable::Differs { field: "weight" }, "not one measurement: the two parts differ in weight"),
        (
            Unmergeable::SecondBegins { field: "user id" },
            "not in order: the second part has a user id, which only a first part has",
        ),
    ];
    for (reason, sentence) in rows {
        assert_eq!(reason.to_string(), sentence);
    }
}
