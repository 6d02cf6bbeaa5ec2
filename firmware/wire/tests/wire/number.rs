//! SFLOAT and FLOAT (IEEE 11073-20601), and the decimals that they become.

use std::cmp::Ordering::{self, Equal, Greater, Less};

use hearth_wire::{Decimal, Special, Value};

#[test]
fn every_sfloat_comes_back_as_it_was() {
    let mut specials = 0;
    for raw in 0..=u16::MAX {
        let value = Value::from_sfloat(raw);
        assert_eq!(value.to_sfloat(), Some(raw), "{raw:#06X}");
        match value {
            Value::Special(_) => specials += 1,
            Value::Finite(Decimal { mantissa, exponent }) => {
                // The standard's own definition, by arithmetic instead of by shifts.
                let (top, low) = (i32::from(raw) / 0x1000, i32::from(raw) % 0x1000);
                assert_eq!(i32::from(exponent), if top < 8 { top } else { top - 16 }, "{raw:#06X}");
                assert_eq!(mantissa, if low < 0x800 { low } else { low - 0x1000 }, "{raw:#06X}");
            }
        }
    }
    assert_eq!(specials, 5);
}

#[test]
fn a_float_comes_back_as_it_was() {
    let edges =
        [0, 1, 0x007F_FFFD, 0x0080_0003, 0x7F7F_FFFF, 0x8080_0000, 0xFFFF_FFFF, 0x017F_FFFF, u32::MAX];
    let sample = (0..200_000_u32).map(|step| step.wrapping_mul(0x9E37_79B9));
    for raw in edges.into_iter().chain(sample) {
        let value = Value::from_float(raw);
        assert_eq!(value.to_float(), Some(raw), "{raw:#010X}");
        let Value::Finite(Decimal { mantissa, exponent }) = value else { panic!("{raw:#010X} is {value}") };
        let (top, low) = (i64::from(raw) / 0x100_0000, i64::from(raw) % 0x100_0000);
        assert_eq!(i64::from(exponent), if top < 0x80 { top } else { top - 0x100 }, "{raw:#010X}");
        assert_eq!(i64::from(mantissa), if low < 0x80_0000 { low } else { low - 0x100_0000 }, "{raw:#010X}");
    }
}

/// IEEE 11073-20601, table of special values.
#[test]
fn specials_are_exactly_five() {
    let rows = [
        (Special::NotANumber, "NaN", 0x07FF, 0x007F_FFFF),
        (Special::NotAtThisResolution, "NRes", 0x0800, 0x0080_0000),
        (Special::PositiveInfinity, "+INF", 0x07FE, 0x007F_FFFE),
        (Special::NegativeInfinity, "-INF", 0x0802, 0x0080_0002),
        (Special::Reserved, "reserved", 0x0801, 0x0080_0001),
    ];
    for (special, name, sfloat, float) in rows {
        let value = Value::Special(special);
        assert_eq!(Value::from_sfloat(sfloat), value, "{name}");
        assert_eq!(Value::from_float(float), value, "{name}");
        assert_eq!(value.to_sfloat(), Some(sfloat), "{name}");
        assert_eq!(value.to_float(), Some(float), "{name}");
        assert_eq!(value.to_string(), name);
        assert_eq!(value.finite(), None, "{name}");
    }
    // Only with exponent 0: the same mantissas elsewhere are numbers, and 0xFFFF is -0.1.
    for (sfloat, digits) in [(0x17FF, "20470"), (0xF800, "-204.8"), (0xFFFF, "-0.1"), (0xF7FE, "204.6")] {
        assert_eq!(Value::from_sfloat(sfloat).to_string(), digits, "{sfloat:#06X}");
    }
}

#[test]
fn a_number_is_written_digit_by_digit_or_not_at_all() {
    let rows = [
        (2045, 0, Some(0x07FD), Some(0x0000_07FD)),
        // would be read as +INF, NaN, NRes, reserved, -INF
        (2046, 0, None, Some(0x0000_07FE)),
        (2047, 0, None, Some(0x0000_07FF)),
        (-2048, 0, None, Some(0x00FF_F800)),
        (-2047, 0, None, Some(0x00FF_F801)),
        (-2046, 0, None, Some(0x00FF_F802)),
        (-2045, 0, Some(0x0803), Some(0x00FF_F803)),
        (2047, -1, Some(0xF7FF), Some(0xFF00_07FF)),
        (2048, -1, None, Some(0xFF00_0800)),
        (-2049, 2, None, Some(0x02FF_F7FF)),
        // 1200 x 10^1 would fit, but says less
        (12_000, 0, None, Some(0x0000_2EE0)),
        (1, 7, Some(0x7001), Some(0x0700_0001)),
        (1, 8, None, Some(0x0800_0001)),
        (1, -8, Some(0x8001), Some(0xF800_0001)),
        (1, -9, None, Some(0xF700_0001)),
        (8_388_605, 0, None, Some(0x007F_FFFD)),
        (8_388_606, 0, None, None),
        (8_388_607, 1, None, Some(0x017F_FFFF)),
        (8_388_608, 1, None, None),
        (-8_388_608, 1, None, Some(0x0180_0000)),
        (-8_388_609, 1, None, None),
        (i32::MAX, 127, None, None),
        (i32::MIN, -128, None, None),
    ];
    for (mantissa, exponent, sfloat, float) in rows {
        let value = Value::Finite(Decimal::new(mantissa, exponent));
        assert_eq!(value.to_sfloat(), sfloat, "{mantissa}e{exponent}");
        assert_eq!(value.to_float(), float, "{mantissa}e{exponent}");
    }
}

#[test]
fn every_digit_is_printed_and_none_is_made_up() {
    let rows = [
        (200, -2, "2.00"),
        (2, 2, "200"),
        (200, 0, "200"),
        (-256, 3, "-256000"),
        (10, -3, "0.010"),
        (-1, -1, "-0.1"),
        (0, -1, "0.0"),
        (0, 0, "0"),
        (0, 5, "0"),
        (0, -3, "0.000"),
        (5, 0, "5"),
        (50, -1, "5.0"),
        (-5, -3, "-0.005"),
        (-1234, -2, "-12.34"),
        (61_370, -3, "61.370"),
        (1, -9, "0.000000001"),
        (1, -10, "0.0000000001"),
        (i32::MAX, -9, "2.147483647"),
        (i32::MIN, -9, "-2.147483648"),
        (i32::MAX, -10, "0.2147483647"),
        (i32::MIN, -12, "-0.002147483648"),
        (i32::MIN, 1, "-21474836480"),
    ];
    for (mantissa, exponent, digits) in rows {
        let decimal = Decimal::new(mantissa, exponent);
        assert_eq!(decimal.to_string(), digits);
        // A width or a precision must not cut a digit off.
        assert_eq!(format!("{decimal:.1}"), digits);
        assert_eq!(Value::Finite(decimal).to_string(), digits);
    }
    let (most, least) = (Decimal::new(-7, 127).to_string(), Decimal::new(-7, -128).to_string());
    assert_eq!(most, format!("-7{}", "0".repeat(127)));
    assert_eq!(least, format!("-0.{}7", "0".repeat(127)));
}

#[test]
fn a_unit_of_another_power_is_a_shift() {
    // 111e-5 kg/L is 111 mg/dL; 55e-4 mol/L is 5.5 mmol/L.
    assert_eq!(Decimal::new(111, -5).shifted(5), Decimal::new(111, 0));
    assert_eq!(Decimal::new(55, -4).shifted(3).to_string(), "5.5");
    assert_eq!(Decimal::new(7, 126).shifted(5), Decimal::new(7, 127));
    assert_eq!(Decimal::new(7, -126).shifted(-5), Decimal::new(7, -128));
}

#[test]
fn order_is_by_value_and_equality_by_digits() {
    type Pair = (i32, i8);
    let rows: [(Pair, Pair, Ordering); 22] = [
        ((5, 0), (50, -1), Equal),
        ((5, 0), (51, -1), Less),
        ((5, 0), (49, -1), Greater),
        ((-5, 0), (-50, -1), Equal),
        ((-5, 0), (-51, -1), Greater),
        ((2, 2), (200, 0), Equal),
        ((0, 127), (0, -128), Equal),
        ((0, 127), (1, -128), Less),
        ((0, 127), (-1, -128), Greater),
        ((0, -128), (1, 127), Less),
        ((0, -128), (-1, 127), Greater),
        ((1, 127), (i32::MAX, -128), Greater),
        ((-1, 127), (i32::MIN, -128), Less),
        ((1, 9), (1_000_000_000, 0), Equal),
        ((2, 9), (i32::MAX, 0), Less),
        ((1, 10), (i32::MAX, 0), Greater),
        ((-1, 10), (i32::MIN, 0), Less),
        ((1, 11), (i32::MAX, 0), Greater),
        ((i32::MAX, 9), (i32::MAX, 0), Greater),
        ((i32::MIN, 9), (i32::MIN, 0), Less),
        ((i32::MIN, 0), (i32::MAX, 0), Less),
        ((600, 0), (6001, -1), Less),
    ];
    for ((mantissa, exponent), (other_mantissa, other_exponent), order) in rows {
        let (a, b) = (Decimal::new(mantissa, exponent), Decimal::new(other_mantissa, other_exponent));
        assert_eq!(a.compare(b), order, "{a:?} {b:?}");
        assert_eq!(b.compare(a), order.reverse(), "{b:?} {a:?}");
    }
    assert_ne!(Decimal::new(5, 0), Decimal::new(50, -1));
}
