//! The codecs against the standard: vectors worked out by hand, traps, and laws over frames made at random.
#![allow(clippy::unwrap_used)]

mod fields;
mod frames;
mod kept;
mod number;
mod racp;
mod random;
mod render;
mod rude;
mod transfer;
mod traps;
mod vectors;

/// `00FF07` to octets.
fn octets(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2) && hex.is_ascii(), "not hex: {hex}");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}
