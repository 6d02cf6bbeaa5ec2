//! Temperature, oximetry, heart rate, body composition.

use super::*;

/// CLINICAL 1: an extreme temperature is delivered, in either unit; below nought is cold, and not impossible.
#[test]
fn clinical_1_a_strange_temperature_is_delivered() {
    let strange = extreme(Quantity::BodyTemperature);
    check(
        &profile("generic/thermometer"),
        &[
            ("00 6D0100FF", SOUND),
            // 30.0, 29.9, 44.0, 44.1, -1.0 Cel
            ("00 2C0100FF", SOUND),
            ("00 2B0100FF", strange.clone()),
            ("00 B80100FF", SOUND),
            ("00 B90100FF", strange.clone()),
            ("00 F6FFFFFF", strange.clone()),
            // 98.6, 85.9, 111.3 [degF]
            ("01 DA0300FF", SOUND),
            ("01 5B0300FF", strange.clone()),
            ("01 590400FF", strange),
            // Not a number is told.
            ("00 FFFF7F00", SOUND),
        ],
    );
}

/// CLINICAL 1: more than all of the blood can't carry oxygen; 49 % can.
#[test]
fn clinical_1_a_saturation_is_a_share() {
    check(
        &profile("generic/pulse-oximeter"),
        &[
            ("00 6100 4800", SOUND),
            ("00 6400 4800", SOUND),
            ("00 6500 4800", impossible(Quantity::OxygenSaturation)),
            ("00 FFFF 4800", impossible(Quantity::OxygenSaturation)),
            ("00 3100 4800", extreme(Quantity::OxygenSaturation)),
            ("00 6100 FB00", extreme(Quantity::PulseRate)),
            ("00 FF07 FF07", SOUND),
        ],
    );
}

/// CLINICAL 10's like: what an oximeter shows in a shop, or in a test, is nobody's. Its doubts are told.
#[test]
fn an_oximeter_says_what_is_doubtful() {
    let doubt = |measurement, sensor| sound(&[Doubt::Oximeter { measurement, sensor }]);
    check(
        &profile("generic/pulse-oximeter"),
        &[
            ("02 6100 4800 0004", Judged::Refuse(Refusal::Demonstration)),
            ("02 6100 4800 0008", Judged::Refuse(Refusal::Demonstration)),
            // Early, validated, fully qualified, from storage: nothing against it.
            ("02 6100 4800 C003", SOUND),
            ("02 6100 4800 2000", doubt(0x0020, 0)),
            ("02 6100 4800 00F0", doubt(0xF000, 0)),
            ("04 6100 4800 010000", SOUND),
            ("04 6100 4800 FEFF00", doubt(0, 0xFFFE)),
        ],
    );
}

#[test]
fn a_heart_rate_without_contact_is_doubtful() {
    check(
        &profile("generic/heart-rate"),
        &[
            ("00 48", SOUND),
            ("06 48", SOUND),
            ("04 48", sound(&[Doubt::NoContact])),
            ("02 48", SOUND),
            ("01 FB00", extreme(Quantity::HeartRate)),
        ],
    );
}

/// A composition of nothing is no reading; half of one is not explained by its layout.
#[test]
fn clinical_1_a_body_is_made_of_something() {
    check(
        &profile("generic/body-composition"),
        &[
            ("0000 C200", SOUND),
            ("0000 E803", extreme(Quantity::BodyFat)),
            ("0000 E903", impossible(Quantity::BodyFat)),
            ("0000 FFFF", Judged::Refuse(Refusal::NothingMeasured)),
            ("1000 FFFF 9701", SOUND),
            ("0004 C200 B036", SOUND),
            ("0010 C200", Judged::Hold(Why::Layout)),
        ],
    );
}
