//! Laws that hold for any octets, over frames made at random from a printed seed.

use hearth_wire::Malformed;
use hearth_wire::crc::mcrf4xx;

use crate::random::Random;
use crate::render::{CHARACTERISTICS, decode};
use crate::{clear, hex};

fn frame(random: &mut Random) -> Vec<u8> {
    let length = random.below(24);
    // Small octets half the time: they are op codes, flags and dates more often.
    let octets = if random.below(2) == 0 { 8 } else { 256 };
    (0..length).map(|_| random.below(octets) as u8).collect()
}

/// Half of the CGM records say their true size, and half of those end with the checksum that they make.
fn with_size(random: &mut Random, mut frame: Vec<u8>) -> Vec<u8> {
    let says = random.below(4);
    let length = frame.len() as u8;
    if let Some(size) = frame.first_mut().filter(|_| says < 2) {
        *size = if says == 0 { length + 2 } else { length };
        if says == 0 {
            frame.extend(mcrf4xx(&frame).to_le_bytes());
        }
    }
    frame
}

/// A unit without its value, or a contact without the sensor for it, says nothing and is not written back.
fn idle_flag(characteristic: &str, flags: u8) -> u16 {
    match characteristic {
        "2A18" if flags & 1 << 1 == 0 => 1 << 2,
        "2A34" if flags & 1 << 4 == 0 => 1 << 5,
        "2A37" if flags & 1 << 2 == 0 => 1 << 1,
        _ => 0,
    }
}

#[test]
fn whatever_is_sent_is_refused_with_its_place_or_read_without_loss() {
    let (mut read, mut refused, mut checked) = (0, 0, 0);
    for seed in 1..=20_000 {
        let mut random = Random::from_seed(seed);
        let plain = frame(&mut random);
        for characteristic in CHARACTERISTICS {
            let frame = match characteristic {
                "2AA7" => with_size(&mut random, plain.clone()),
                _ => plain.clone(),
            };
            let told = || format!("seed {seed}: {characteristic} {}", hex(&frame));
            match decode(characteristic, &frame) {
                Ok(seen) => {
                    read += 1;
                    let (fields, trailing) = frame.split_at(frame.len() - seen.trailing.len());
                    assert_eq!(seen.trailing, trailing, "{}", told());
                    let mut sent = fields.to_vec();
                    clear(
                        characteristic,
                        &mut sent,
                        seen.reserved_flags | idle_flag(characteristic, frame[0]),
                    );
                    if seen.rendered.get("crc").is_some() {
                        checked += 1;
                        // It covers the flags that were cleared.
                        let (fields, crc) = sent.split_last_chunk_mut::<2>().unwrap();
                        *crc = mcrf4xx(fields).to_le_bytes();
                    }
                    assert_eq!(hex(&seen.encoded), hex(&sent), "{}", told());
                }
                Err(Malformed::Empty) => assert!(frame.is_empty(), "{}", told()),
                Err(Malformed::Truncated { field, at, needed, left }) => {
                    refused += 1;
                    assert!(!field.is_empty(), "{}", told());
                    assert_eq!(at + left, frame.len(), "{}", told());
                    assert!(left < needed, "{}", told());
                }
                Err(Malformed::Unexpected { field: "size", at: 0, value }) if characteristic == "2AA7" => {
                    assert_eq!(Some(value), frame.first().map(|size| u32::from(*size)), "{}", told());
                }
                Err(Malformed::Checksum { at, .. }) if characteristic == "2AA7" => {
                    assert!(at + 2 <= frame.len(), "{}", told());
                }
                Err(other) => panic!("{}: {other}", told()),
            }
        }
    }
    assert!(checked > 100, "{checked} checksums");
    assert!(read > 40_000 && refused > 40_000, "one-sided: {read} read, {refused} refused");
}
