//! Glucose: HI and LO, control solution, status bits, ketones in disguise.

use super::*;

/// Glucose: flags, sequence 1, 2026-05-12T18:53:54, concentration, type and location, status.
pub(super) fn glucose_frame(flags: u8, concentration: &str, type_location: &str, status: &str) -> String {
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
