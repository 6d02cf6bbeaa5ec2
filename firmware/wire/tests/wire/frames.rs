//! Laws that hold for any octets, over frames made at random from a printed seed.

use hearth_wire::Malformed;

use crate::hex;
use crate::random::Random;
use crate::render::{CHARACTERISTICS, decode};

fn frame(random: &mut Random) -> Vec<u8> {
    let length = random.below(24);
    // Small octets half the time: they are op codes, flags and dates more often.
    let octets = if random.below(2) == 0 { 8 } else { 256 };
    (0..length).map(|_| random.below(octets) as u8).collect()
}

/// A unit without its field says nothing, and is not written back.
fn idle_unit(characteristic: &str, flags: u8) -> u8 {
    match characteristic {
        "2A18" if flags & 1 << 1 == 0 => 1 << 2,
        "2A34" if flags & 1 << 4 == 0 => 1 << 5,
        _ => 0,
    }
}

#[test]
fn whatever_is_sent_is_refused_with_its_place_or_read_without_loss() {
    let (mut read, mut refused) = (0, 0);
    for seed in 1..=20_000 {
        let frame = frame(&mut Random::from_seed(seed));
        for characteristic in CHARACTERISTICS {
            let told = || format!("seed {seed}: {characteristic} {}", hex(&frame));
            match decode(characteristic, &frame) {
                Ok(seen) => {
                    read += 1;
                    let (fields, trailing) = frame.split_at(frame.len() - seen.trailing.len());
                    assert_eq!(seen.trailing, trailing, "{}", told());
                    let mut sent = fields.to_vec();
                    sent[0] &= !(seen.reserved_flags | idle_unit(characteristic, frame[0]));
                    assert_eq!(hex(&seen.encoded), hex(&sent), "{}", told());
                }
                Err(Malformed::Empty) => assert!(frame.is_empty(), "{}", told()),
                Err(Malformed::Truncated { field, at, needed, left }) => {
                    refused += 1;
                    assert!(!field.is_empty(), "{}", told());
                    assert_eq!(at + left, frame.len(), "{}", told());
                    assert!(left < needed, "{}", told());
                }
                Err(other) => panic!("{}: {other}", told()),
            }
        }
    }
    assert!(read > 40_000 && refused > 40_000, "one-sided: {read} read, {refused} refused");
}
