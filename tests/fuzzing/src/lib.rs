//! What the hub makes of octets that anybody may send: one function a target, from octets to nothing, or a panic.
//!
//! A target asserts more than that nothing breaks: what was decoded is encoded and decoded to the same, what was
//! written is read as it was meant. `tests/fuzz` runs them under libFuzzer; `tests/e2e/fuzz.rs` runs them over the
//! corpora and over everything that was ever found, as a normal test.

mod answer;
mod core;
mod frames;
mod lines;
mod profile;
pub mod seeds;
mod trace;
mod wire;

pub use answer::answer;
pub use core::core;
pub use frames::frames;
pub use lines::lines;
pub use profile::profile;
pub use trace::{redact, trace};
pub use wire::wire;

/// A target: its name, and what it does with octets.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 8] = [
    ("wire", wire),
    ("frames", frames),
    ("core", core),
    ("profile", profile),
    ("answer", answer),
    ("trace", trace),
    ("redact", redact),
    ("lines", lines),
];
