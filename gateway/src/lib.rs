//! The hub: hears home health devices, keeps what they said, and writes it into the patient's record once.
//!
//! ```text
//! source ─ News ▶ intake ─ take ▶ store ◀─ due, start, settle ─ uplink ─ carry ▶ record system
//!    ▲                 └ release ┘                                 │
//!    └──────────────── only after the commit                       └ map, judge: hearth_core
//! ```
//!
//! All IO of the product lives in this crate, and no judgement: what octets mean, whose a reading is and what a
//! record system's answer means is asked of `hearth_core`. `main` and `cli` may see every room; no room sees them.
//!
//! Invariants: only [`store`] writes readings to disk; tasks start in this file only; [`clock`] alone asks what
//! time it is; [`tls`] alone builds rustls configurations; logs carry row numbers, never values, names, serials
//! or secrets.
#![forbid(unsafe_code)]

pub mod clock;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod failpoint;
pub mod source;
pub mod store;
pub mod tls;
pub mod uplink;
