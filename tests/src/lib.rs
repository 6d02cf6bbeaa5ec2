//! The rig: a made-up house, its record systems, and the real binary.
//!
//! A [`World`] has a throw-away PKI and record systems behind mutual TLS; a [`Hub`] is a folder with a
//! configuration, and the commands that a person would type; a [`Daemon`] is `hearth run` as a process, which is
//! killed like a process.

pub mod air;
pub mod chart;
pub mod disk;
pub mod home;
mod hub;
pub mod null;
pub mod proxy;
pub mod servers;
pub mod simulated;
mod used;
mod world;

pub use hub::{Daemon, HURRIED, Hub, Said, Source, build, build_package, cargo, hearth, ran, said};
pub use used::Used;
pub use world::{Destination, RUNGS, World, root};

/// The seeds of a run: `variable` may say others, as `from..to`.
pub fn seeds(variable: &str, fallback: std::ops::Range<u64>) -> std::ops::Range<u64> {
    let Ok(said) = std::env::var(variable) else { return fallback };
    let parsed = said.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed.unwrap_or_else(|| panic!("{variable}={said:?}: say it as 100..200"))
}
