//! Five readings that a naive decoder gets wrong: each was seen in a published library.

use hearth_wire::{Malformed, Value};
use serde_json::json;

use crate::octets;
use crate::render::decode;

#[test]
fn a_weight_of_ffff_is_unsuccessful_and_not_327_kilograms() {
    for (hex, unit) in [("00FFFF", "kg"), ("01FFFF", "[lb_av]")] {
        let seen = decode("2A9D", &octets(hex)).unwrap();
        assert_eq!(seen.rendered, json!({"unit": unit, "weight": "unsuccessful"}), "{hex}");
        assert_eq!(seen.encoded, octets(hex), "{hex}");
    }
    // One step below is a weight, if not a plausible one.
    let seen = decode("2A9D", &octets("00FEFF")).unwrap();
    assert_eq!(seen.rendered, json!({"unit": "kg", "weight": "327.670"}));
}

#[test]
fn a_time_stamp_of_zeros_keeps_its_reading() {
    let zeros = json!({"unknown": true, "raw": "0000-00-00T00:00:00"});
    let weight = decode("2A9D", &octets("02B03600000000000000")).unwrap();
    assert_eq!(weight.rendered, json!({"unit": "kg", "weight": "70.000", "timestamp": zeros}));
    let pressure = decode("2A35", &octets("0278005000640000000000000000")).unwrap();
    assert_eq!(pressure.rendered["systolic"], "120");
    assert_eq!(pressure.rendered["timestamp"], zeros);
}

#[test]
fn a_frame_that_breaks_off_is_not_read_with_fields_missing() {
    let rows = [
        // height missing
        ("2A9D", "08B036F500", "height", 5, 2, 0),
        // HbA1c is half there
        ("2A34", "402C0141", "HbA1c", 3, 2, 1),
        // "greater than or equal to", but than what
        ("2A52", "010301", "sequence number", 3, 2, 0),
        ("2A52", "0103", "filter type", 2, 1, 0),
        ("2A52", "0104010A00", "last sequence number", 5, 2, 0),
        ("2A52", "0500", "number of records", 2, 2, 0),
        ("2A52", "060001", "response code", 3, 1, 0),
        ("2A52", "01", "operator", 1, 1, 0),
    ];
    for (characteristic, hex, field, at, needed, left) in rows {
        let why = Malformed::Truncated { field, at, needed, left };
        assert_eq!(decode(characteristic, &octets(hex)), Err(why), "{characteristic} {hex}");
    }
}

#[test]
fn an_exponent_is_signed_and_not_biased() {
    assert_eq!(Value::from_sfloat(0x0073).to_string(), "115");
    assert_eq!(Value::from_sfloat(0x8078).to_string(), "0.00000120");
}

#[test]
fn no_binary_fraction_comes_near_a_weight() {
    let seen = decode("2A9D", &octets("00F22F")).unwrap();
    assert_eq!(seen.rendered["weight"], "61.370");
}
