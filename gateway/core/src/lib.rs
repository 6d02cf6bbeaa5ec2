//! All judgement of the house: what octets mean, whose reading it is, when it was taken, how a record
//! system wants it, and what its answer means.
//!
//! ```text
//! Capture ─ decode ▶ Measurement ─ interpret ▶ Understood ─ date, bind ▶ Reading ─ map ▶ octets ─ judge ▶ Verdict
//!                    └────────────────── admit ───────────────────────┘
//! ```
//!
//! [`admit`] is one door over small pure functions. It is told everything that is known about one device's
//! unfinished business ([`admit::Open`]) and about the house ([`admit::House`]), and says what is not yet so.
//! Facts are written first and judged as a whole: asked twice, the second answer is empty, and no order of
//! the same news leads to another end.
//!
//! Deliberately absent: IO, clocks, tokio, logging. Time comes in as a parameter ([`when::HubTicks`]), the tz
//! database is compiled in. [`reading::Reading`] is not `Serialize`: what goes out has a shape only in [`map`].
//! A medical value stays mantissa and exponent until it is printed.
#![forbid(unsafe_code)]

pub mod admit;
pub mod bridge;
pub mod capture;
pub mod decode;
pub mod delivery;
#[cfg(test)]
mod dice;
pub mod identity;
pub mod interpret;
pub mod map;
pub mod parcel;
pub mod profile;
pub mod quirk;
pub mod radio;
pub mod reading;
pub mod vendor;
pub mod when;
