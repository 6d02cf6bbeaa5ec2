//! How many frames a second are understood: every figure beside a bare copy of the same frames, in the same run.
//!
//! The frames are the conformant ones of the vectors that are measurements, in the order of the files, over and over.
//! `tests/bench` runs this, and Python's decoders on the same frames beside it. Each row is the best of many short
//! rounds, taken by turns, so that a machine that has something else to do does not change the order.
#![allow(clippy::unwrap_used, clippy::float_arithmetic, reason = "a measurement of the house, not of a body")]
#![allow(clippy::disallowed_methods, reason = "time is what is measured")]

use hearth_core::capture::Uuid16;
use hearth_core::decode::decode;
use hearth_core::interpret::interpret;
use hearth_core::profile::{Catalog, Profile, ProfileName};
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

const MEASUREMENTS: [(&str, &str); 9] = [
    ("2A35", "generic/blood-pressure"),
    ("2B34", "generic/blood-pressure"),
    ("2A18", "generic/glucose"),
    ("2A34", "generic/glucose"),
    ("2A9D", "generic/weight-scale"),
    ("2A9C", "generic/body-composition"),
    ("2A1C", "generic/thermometer"),
    ("2A5E", "generic/pulse-oximeter"),
    ("2A37", "generic/heart-rate"),
];

struct Frame {
    characteristic: Uuid16,
    octets: Vec<u8>,
    profile: Profile,
}

fn main() {
    let frames = frames();
    let mut room = [0_u8; 64];
    let mut copy = || {
        for frame in black_box(&frames) {
            room[..frame.octets.len()].copy_from_slice(&frame.octets);
            black_box(&room);
        }
    };
    let letter = || {
        for frame in black_box(&frames) {
            _ = black_box(decode(frame.characteristic, &frame.octets, &[]));
        }
    };
    let understood = || {
        for frame in black_box(&frames) {
            let parsed = decode(frame.characteristic, &frame.octets, &frame.profile.quirks).unwrap();
            _ = black_box(interpret(&parsed, &[], &frame.profile));
        }
    };
    let mut rows: [(&str, &mut dyn FnMut(), f64); 3] = [
        ("bare copy of the frames", &mut copy, f64::MAX),
        ("decode", &mut { letter }, f64::MAX),
        ("decode and interpret", &mut { understood }, f64::MAX),
    ];
    const PASSES: u32 = 2_000;
    for _ in 0..40 {
        for (_, run, best) in &mut rows {
            let begun = Instant::now();
            (0..PASSES).for_each(|_| run());
            *best = best.min(begun.elapsed().as_secs_f64());
        }
    }
    let read = f64::from(PASSES) * frames.len() as f64;
    for (name, _, best) in &rows {
        println!("{name}\t{:.0}\t{:.1}", read / best, best / rows[0].2);
    }
}

fn frames() -> Vec<Frame> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../firmware/wire/vectors");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let catalog = Catalog::standard();
    let mut frames = vec![];
    for file in files {
        let rows: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for row in rows.as_array().unwrap() {
            let Some((characteristic, profile)) =
                MEASUREMENTS.iter().find(|(of, _)| row["characteristic"] == *of)
            else {
                continue;
            };
            if row["conformance"] == "conformant" {
                frames.push(Frame {
                    characteristic: Uuid16::parse(characteristic).unwrap(),
                    octets: data_encoding::HEXUPPER.decode(row["hex"].as_str().unwrap().as_bytes()).unwrap(),
                    profile: catalog.get(&ProfileName((*profile).to_owned())).unwrap().clone(),
                });
            }
        }
    }
    assert!(frames.len() > 50, "the vectors have moved");
    frames
}
