//! The codecs against the standard: vectors worked out by hand, traps, and laws over frames made at random.
#![allow(clippy::unwrap_used)]

mod fields;
mod frames;
mod kept;
mod number;
mod racp;
mod random;
mod reassembly;
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

/// Clears flags, which are one or two octets at the front; of a CGM record after its size.
fn clear(characteristic: &str, octets: &mut [u8], flags: u16) {
    let flags = flags.to_le_bytes();
    let at = usize::from(characteristic == "2AA7");
    octets.iter_mut().skip(at).zip(flags).for_each(|(octet, flags)| *octet &= !flags);
}
