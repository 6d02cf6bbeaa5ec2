//! Commands that need no hub.

use e2e::{hearth, said};
use serde_json::json;
use std::process::Command;

/// A record of a cuff's memory, made by hand (omblepy's layout): 120 over 80, pulse 60, 2024-06-15T17:17:27, with both
/// flags set, and two octets too many.
#[test]
fn decode_tells_all_of_a_memory_record() {
    let record = "5F503C18F1D95B04000000000000";
    let decode =
        |hex: &str| said(Command::new(hearth()).args(["--json", "decode", "omron-eeprom", hex])).ok().json();
    let whole = decode(record);
    assert_eq!(
        (&whole["systolic"], &whole["timestamp"]),
        (&json!(120), &json!("2024-06-15T17:17:27")),
        "{whole}"
    );
    assert_eq!(whole["status"], json!(["body-movement", "irregular-pulse"]));
    assert_eq!(whole["trailing_octets"], json!(null));
    assert_eq!(decode(&format!("{record}ABCD"))["trailing_octets"], "abcd");
    // 0x19F1: neither flag.
    assert_eq!(decode("5F503C18F1195B04000000000000")["status"], json!(null));
    let odd = said(Command::new(hearth()).args(["decode", "2A19", "6"]));
    assert!(odd.code == 64 && odd.err.contains("has 1 digit; give two"), "{odd:?}");
}

/// A script is for a shell, whatever else was asked for.
#[test]
fn completions_are_a_script() {
    let plain = said(Command::new(hearth()).args(["completions", "bash"])).ok().out;
    assert!(plain.contains("complete -F _hearth"), "{plain}");
    assert_eq!(said(Command::new(hearth()).args(["--json", "completions", "bash"])).ok().out, plain);
}
