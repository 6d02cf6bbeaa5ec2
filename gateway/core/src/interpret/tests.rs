//! Frames are written out by hand from the characteristics' layouts; blanks only group the octets.
#![allow(clippy::unwrap_used)]

mod glucose;
mod vital;

use super::*;
use crate::capture::Uuid16;
use crate::decode::decode;
use crate::profile::{Catalog, ProfileName};
use crate::quirk::Quirk;
use data_encoding::HEXUPPER;
use glucose::glucose_frame;

fn profile(name: &str) -> Profile {
    Catalog::standard().get(&ProfileName(name.to_owned())).unwrap().clone()
}

fn parse(profile: &Profile, characteristic: u16, hex: &str) -> Parsed {
    let octets = HEXUPPER.decode(hex.replace(' ', "").as_bytes()).unwrap();
    decode(Uuid16(characteristic), &octets, &profile.quirks).unwrap()
}

/// The one door: a frame of a profile's main characteristic, with the contexts that came with it.
fn judged(profile: &Profile, hex: &str, contexts: &[&str]) -> Judged {
    let characteristic = match profile.kind {
        crate::profile::Kind::BloodPressureMonitor => 0x2A35,
        crate::profile::Kind::GlucoseMeter => 0x2A18,
        crate::profile::Kind::WeightScale => 0x2A9D,
        crate::profile::Kind::BodyCompositionAnalyzer => 0x2A9C,
        crate::profile::Kind::Thermometer => 0x2A1C,
        crate::profile::Kind::PulseOximeter => 0x2A5E,
        crate::profile::Kind::HeartRateMonitor => 0x2A37,
    };
    let companions: Vec<Measurement> =
        contexts.iter().map(|hex| parse(profile, 0x2A34, hex).measurement).collect();
    interpret(&parse(profile, characteristic, hex), &companions, profile)
}

fn check(profile: &Profile, rows: &[(&str, Judged)]) {
    for (hex, expected) in rows {
        assert_eq!(judged(profile, hex, &[]), *expected, "{hex}");
    }
}

fn sound(doubts: &[Doubt]) -> Judged {
    Judged::Sound { doubts: doubts.to_vec() }
}

fn impossible(quantity: Quantity) -> Judged {
    Judged::Hold(Why::Impossible(quantity))
}

fn extreme(quantity: Quantity) -> Judged {
    sound(&[Doubt::Extreme(quantity)])
}

const SOUND: Judged = Judged::Sound { doubts: Vec::new() };

/// CLINICAL 1: an extreme pressure is delivered at once, marked; only arithmetic holds one.
#[test]
fn clinical_1_an_extreme_pressure_is_delivered_and_an_impossible_one_held() {
    use Quantity::{Diastolic, PulseRate, Systolic};
    check(
        &profile("generic/blood-pressure"),
        &[
            ("00 7800 5000 6400", SOUND),
            // 310/120, 301/80, 300/80, 40/20, 39/20.
            ("00 3601 7800 6400", extreme(Systolic)),
            ("00 2D01 5000 6400", extreme(Systolic)),
            ("00 2C01 5000 6400", SOUND),
            ("00 2800 1400 6400", SOUND),
            ("00 2700 1400 6400", extreme(Systolic)),
            // 40/19, 250/200, 250/201; 310/201 is two doubts.
            ("00 2800 1300 6400", extreme(Diastolic)),
            ("00 FA00 C800 6400", SOUND),
            ("00 FA00 C900 6400", extreme(Diastolic)),
            ("00 3601 C900 6400", sound(&[Doubt::Extreme(Systolic), Doubt::Extreme(Diastolic)])),
            // Pulse rate 20, 19, 250, 251, 0.
            ("04 7800 5000 6400 1400", SOUND),
            ("04 7800 5000 6400 1300", extreme(PulseRate)),
            ("04 7800 5000 6400 FA00", SOUND),
            ("04 7800 5000 6400 FB00", extreme(PulseRate)),
            ("04 7800 5000 6400 0000", extreme(PulseRate)),
            // Compared by value, not by digits: 120/80.0, and 80.0/120.
            ("00 7800 20F3 6400", SOUND),
            ("00 20F3 7800 6400", impossible(Systolic)),
            // 72/81 is no pressure, 80/80 is a strange one; 120.0/120 is 120/120.
            ("00 4800 5100 4000", impossible(Systolic)),
            ("00 5000 5000 5000", SOUND),
            ("00 B0F4 7800 7800", SOUND),
            // -1/-2, 120/-1, 120/80 with pulse -1.
            ("00 FF0F FE0F FF07", impossible(Systolic)),
            ("00 7800 FF0F 6400", impossible(Diastolic)),
            ("04 7800 5000 6400 FF0F", impossible(PulseRate)),
        ],
    );
}

/// CLINICAL 1: in the unit that was sent. 40 mm[Hg] is 5.3328954966 kPa, 300 is 39.9967162245, 20 is
/// 2.6664477483, 200 is 26.664477483.
#[test]
fn clinical_1_kilopascals_are_compared_exactly() {
    use Quantity::{Diastolic, Systolic};
    check(
        &profile("generic/blood-pressure"),
        &[
            // 16.0/10.7
            ("01 A0F0 6BF0 0000", SOUND),
            // 5.34/2.67, 5.33/2.67, 5.34/2.66
            ("01 16E2 0BE1 0000", SOUND),
            ("01 15E2 0BE1 0000", extreme(Systolic)),
            ("01 16E2 0AE1 0000", extreme(Diastolic)),
            // 39.9/26.6, 40.0/26.6, 39.9/26.7
            ("01 8FF1 0AF1 0000", SOUND),
            ("01 90F1 0AF1 0000", extreme(Systolic)),
            ("01 8FF1 0BF1 0000", extreme(Diastolic)),
            ("01 6BF0 A0F0 0000", impossible(Systolic)),
        ],
    );
}

/// CLINICAL 6: a failed pressure is told, not held.
#[test]
fn clinical_6_a_failed_pressure_is_sound() {
    check(
        &profile("generic/blood-pressure"),
        &[
            ("00 FF07 FF07 FF07", SOUND),
            ("00 0008 0008 FF07", SOUND),
            // 156 over nothing, pulse rate NaN; nothing over 80; infinities.
            ("04 9C00 FF07 FF07 FF07", SOUND),
            ("00 FF07 5000 FF07", SOUND),
            ("00 FE07 0208 0108", SOUND),
        ],
    );
}

/// CLINICAL 14: a mean pressure that is none is a matter of mapping, and never holds a pressure.
#[test]
fn clinical_14_no_mean_pressure_holds_one() {
    // 0, -1, 200, NaN
    for mean in ["0000", "FF0F", "C800", "FF07"] {
        check(&profile("generic/blood-pressure"), &[(&format!("00 7800 5000 {mean}"), SOUND)]);
    }
}

/// CLINICAL 12, 13: what the cuff itself reports is stated; bits that the standard reserves are no doubt.
#[test]
fn clinical_12_what_a_cuff_reports_is_a_doubt() {
    let rows: &[(&str, &[Doubt])] = &[
        ("0000", &[]),
        ("0100", &[Doubt::BodyMovement]),
        ("0200", &[Doubt::CuffTooLoose]),
        ("0400", &[Doubt::IrregularPulse]),
        ("0800", &[Doubt::PulseAboveLimit]),
        ("1000", &[Doubt::PulseBelowLimit]),
        ("1800", &[]),
        ("2000", &[Doubt::ImproperPosition]),
        ("C0FF", &[]),
        ("2700", &[Doubt::BodyMovement, Doubt::CuffTooLoose, Doubt::IrregularPulse, Doubt::ImproperPosition]),
    ];
    let cuff = profile("generic/blood-pressure");
    for (status, doubts) in rows {
        assert_eq!(judged(&cuff, &format!("10 7800 5000 6400 {status}"), &[]), sound(doubts), "{status}");
        // A failed measurement keeps what the cuff said of it.
        assert_eq!(judged(&cuff, &format!("10 FF07 FF07 FF07 {status}"), &[]), sound(doubts), "{status}");
    }
    // Reserved flag bits.
    assert_eq!(judged(&cuff, "E0 7800 5000 6400", &[]), SOUND);
}

/// CLINICAL 1: an unresolved layout is held, whatever the value says.
#[test]
fn clinical_1_octets_that_nothing_explains_are_held() {
    let held = Judged::Hold(Why::Layout);
    check(&profile("generic/blood-pressure"), &[("00 7800 5000 6400 AABB", held.clone())]);
    check(&profile("generic/glucose"), &[("02 0100 EA07050C123536 0AB0 1A 00", held.clone())]);
    check(&profile("generic/weight-scale"), &[("00 B036 00", held)]);
}

/// CLINICAL 1, 6: a weight that did not succeed is told; 2 kg is 4.4092 lb.
#[test]
fn clinical_1_a_strange_weight_is_delivered() {
    let heavy = extreme(Quantity::BodyWeight);
    check(
        &profile("generic/weight-scale"),
        &[
            ("00 B036", SOUND),
            ("00 FFFF", SOUND),
            ("01 FFFF", SOUND),
            // 2.000, 1.995, 0.000, 327.670 kg
            ("00 9001", SOUND),
            ("00 8F01", heavy.clone()),
            ("00 0000", heavy.clone()),
            ("00 FEFF", SOUND),
            // 157.00, 4.41, 4.40 lb
            ("01 543D", SOUND),
            ("01 B901", SOUND),
            ("01 B801", heavy),
            // A height of 65.535 m and a body mass index of 0 were typed in.
            ("08 B036 0000 FFFF", SOUND),
        ],
    );
}

/// CLINICAL 1: what a maker says that a scale can show, in the unit that it sent.
#[test]
fn clinical_1_what_a_maker_excludes_is_held() {
    let mut scale = profile("generic/weight-scale");
    scale.readings[0].range = Some((Decimal::new(50, -1), Decimal::new(150, 0)));
    assert_eq!(scale.readings[0].unit, Unit::Kilogram);
    let held = impossible(Quantity::BodyWeight);
    check(
        &scale,
        &[
            // 5.000, 4.995, 150.000, 150.005 kg; 4.41 lb is not compared with kilograms.
            ("00 E803", SOUND),
            ("00 E703", held.clone()),
            ("00 3075", SOUND),
            ("00 3175", held),
            ("01 B901", SOUND),
        ],
    );
}

#[test]
fn what_a_quirk_calls_no_reading_is_refused_by_its_name() {
    let mut meter = profile("generic/glucose");
    meter.quirks = vec![Quirk::KetonePseudoRecord];
    check(
        &meter,
        &[
            (
                &glucose_frame(0x02, "FFFF", "11", ""),
                Judged::Refuse(Refusal::NotAReading(Quirk::KetonePseudoRecord)),
            ),
            (&glucose_frame(0x02, "6FB0", "11", ""), SOUND),
        ],
    );
}

#[test]
fn a_context_has_nothing_to_judge() {
    let meter = profile("generic/glucose");
    assert_eq!(interpret(&parse(&meter, 0x2A34, "021E0002"), &[], &meter), SOUND);
}

/// Numbers far beyond any device: compared, never overflowed.
#[test]
fn comparing_is_total() {
    let number = |mantissa, exponent, unit| Shown {
        quantity: Quantity::BodyWeight,
        unit,
        value: Decimal { mantissa, exponent },
    };
    let limit = Decimal::new(2, 0);
    let rows = [
        (i32::MAX, i8::MAX, Ordering::Greater),
        (i32::MIN, i8::MAX, Ordering::Less),
        (i32::MAX, i8::MIN, Ordering::Less),
        (0, i8::MAX, Ordering::Less),
        (20, -1, Ordering::Equal),
    ];
    for (mantissa, exponent, expected) in rows {
        let kilograms = number(mantissa, exponent, Unit::Kilogram);
        assert_eq!(against(&kilograms, Unit::Kilogram, limit), Some(expected), "{mantissa}e{exponent}");
    }
    // 4409245243697551 x 10^-15 lb is just below 2 kg.
    let pounds = number(440_924_524, -8, Unit::Pound);
    assert_eq!(against(&pounds, Unit::Kilogram, limit), Some(Ordering::Less));
    assert_eq!(
        against(&number(440_924_525, -8, Unit::Pound), Unit::Kilogram, limit),
        Some(Ordering::Greater)
    );
    assert_eq!(against(&number(1, 0, Unit::Metre), Unit::Kilogram, limit), None);
}
