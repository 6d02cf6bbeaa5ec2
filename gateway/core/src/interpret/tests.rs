//! Frames are written out by hand from the characteristics' layouts; blanks only group the octets.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::capture::Uuid16;
use crate::decode::decode;
use crate::profile::{Catalog, ProfileName};
use crate::quirk::Quirk;
use data_encoding::HEXUPPER;

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

/// Glucose: flags, sequence 1, 2026-05-12T18:53:54, concentration, type and location, status.
fn glucose_frame(flags: u8, concentration: &str, type_location: &str, status: &str) -> String {
    format!("{flags:02X} 0100 EA07050C123536 {concentration} {type_location} {status}")
}

/// CLINICAL 1 and 8: the unit that was sent decides, and a stated range is never converted.
#[test]
fn clinical_8_the_unit_that_was_sent_decides() {
    use Quantity::Glucose;
    let mass = |sfloat: &str| glucose_frame(0x02, sfloat, "11", "");
    let moles = |sfloat: &str| glucose_frame(0x06, sfloat, "11", "");
    let generic = profile("generic/glucose");
    let guide = profile("roche/accu-chek-guide");
    let mut only_mass = guide.clone();
    only_mass.readings.retain(|facts| facts.unit == Unit::MilligramPerDecilitre);
    // Frame; what a meter without a stated range, one with 10-600 mg/dL and 0.6-33.3 mmol/L, and one with only the
    // first says.
    let rows: &[(String, Judged, Judged, Judged)] = &[
        (mass("6FB0"), SOUND, SOUND, SOUND),
        (mass("0AB0"), SOUND, SOUND, SOUND),
        (mass("09B0"), extreme(Glucose), impossible(Glucose), impossible(Glucose)),
        (mass("58B2"), SOUND, SOUND, SOUND),
        (mass("59B2"), extreme(Glucose), impossible(Glucose), impossible(Glucose)),
        (mass("0000"), extreme(Glucose), impossible(Glucose), impossible(Glucose)),
        // 0.6, 0.5, 33.3, 33.4 mmol/L
        (moles("06C0"), SOUND, SOUND, SOUND),
        (moles("05C0"), extreme(Glucose), impossible(Glucose), extreme(Glucose)),
        (moles("4DC1"), SOUND, SOUND, SOUND),
        (moles("4EC1"), extreme(Glucose), impossible(Glucose), extreme(Glucose)),
        // -0.1 kg/L, which is no special value; -1e-4 mol/L
        (mass("FFFF"), impossible(Glucose), impossible(Glucose), impossible(Glucose)),
        (moles("FFCF"), impossible(Glucose), impossible(Glucose), impossible(Glucose)),
        // A value that failed is told.
        (mass("FF07"), SOUND, SOUND, SOUND),
        (mass("0008"), SOUND, SOUND, SOUND),
    ];
    for (frame, unstated, both, one) in rows {
        assert_eq!(judged(&generic, frame, &[]), *unstated, "{frame}");
        assert_eq!(judged(&guide, frame, &[]), *both, "{frame}");
        assert_eq!(judged(&only_mass, frame, &[]), *one, "{frame}");
    }
}

/// CLINICAL 7: HI and LO are never held and never blank, however the meter says them.
#[test]
fn clinical_7_hi_and_lo_are_never_held_however_they_are_said() {
    let guide = profile("roche/accu-chek-guide");
    check(
        &guide,
        &[
            // +INF and -INF, with the status bit and without.
            (&glucose_frame(0x0A, "FE07", "11", "2000"), SOUND),
            (&glucose_frame(0x0A, "0208", "11", "4000"), SOUND),
            (&glucose_frame(0x02, "FE07", "11", ""), SOUND),
            // A number outside the stated range beside the bit that explains it, 601, 5 and -10000 mg/dL: HI and LO.
            (&glucose_frame(0x0A, "59B2", "11", "2000"), SOUND),
            (&glucose_frame(0x0A, "05B0", "11", "4000"), SOUND),
            (&glucose_frame(0x0A, "FFFF", "11", "4000"), SOUND),
            // The bit alone, no concentration at all.
            (&glucose_frame(0x08, "", "", "2000"), SOUND),
            (&glucose_frame(0x08, "", "", "4000"), SOUND),
        ],
    );
}

/// CLINICAL 10: by its type or by its location, before any other judgement.
#[test]
fn clinical_10_control_solution_is_nobodys_reading() {
    let guide = profile("roche/accu-chek-guide");
    let refused = Judged::Refuse(Refusal::ControlSolution);
    for type_location in ["1A", "FA", "41", "48", "4A"] {
        for (concentration, status) in
            [("6FB0", "0000"), ("3411", "0000"), ("FE07", "2000"), ("FFFF", "0100")]
        {
            let frame = glucose_frame(0x0A, concentration, type_location, status);
            assert_eq!(judged(&guide, &frame, &[]), refused, "{frame}");
        }
    }
    // The nibbles the other way round: type 4 is venous plasma, location 10 is reserved.
    assert_eq!(judged(&guide, &glucose_frame(0x02, "6FB0", "A4", ""), &[]), SOUND);
}

#[test]
fn a_glucose_record_without_a_concentration() {
    let refused = Judged::Refuse(Refusal::NothingMeasured);
    check(
        &profile("generic/glucose"),
        &[
            ("01 0400 D0070102030405 3456", refused.clone()),
            (&glucose_frame(0x08, "", "", "0000"), refused.clone()),
            (&glucose_frame(0x08, "", "", "0400"), refused),
        ],
    );
}

/// CLINICAL 7, 13: b0 to b10 are the sensor's; HI and LO alone are the reading itself; b11 belongs to dating.
#[test]
fn clinical_13_what_a_meter_reports_is_a_doubt() {
    let meter = profile("generic/glucose");
    let says = |status: u16| {
        let [low, high] = status.to_le_bytes();
        judged(&meter, &glucose_frame(0x0A, "6FB0", "11", &format!("{low:02X}{high:02X}")), &[])
    };
    for bit in 0..16 {
        let expected = match bit {
            5 | 6 | 11.. => SOUND,
            _ => sound(&[Doubt::Sensor(1 << bit)]),
        };
        assert_eq!(says(1 << bit), expected, "b{bit}");
    }
    assert_eq!(says(0x0060), SOUND);
    assert_eq!(says(0x0021), sound(&[Doubt::Sensor(0x0021)]));
    assert_eq!(says(0xFFFF), sound(&[Doubt::Sensor(0x07FF)]));
}

/// CLINICAL 1: CareSens stores ketones with a meal that the standard reserves. Held, until a quirk says what it is; so
/// is its HI: HI of ketones charted as glucose would be another emergency's.
#[test]
fn clinical_1_ketones_in_disguise_are_held() {
    let meter = profile("generic/glucose");
    let frame = glucose_frame(0x02, "0CB0", "11", "");
    assert_eq!(judged(&meter, &frame, &["02 0100 06"]), Judged::Hold(Why::Layout));
    for meal in 0..=5 {
        assert_eq!(judged(&meter, &frame, &[&format!("02 0100 {meal:02X}")]), SOUND, "meal {meal}");
    }
    for hi in [glucose_frame(0x0A, "FE07", "11", "2000"), glucose_frame(0x02, "FE07", "11", "")] {
        assert_eq!(judged(&meter, &hi, &["02 0100 06"]), Judged::Hold(Why::Layout), "{hi}");
    }
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
