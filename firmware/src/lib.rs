//! What a sensor bridge does, without a board and without a vendor's radio.
//!
//! A bridge brings to the hub what a device tells that the hub cannot hear, or that has no radio. It carries octets, with who said
//! them and when they came; what they mean is decided on the hub, where it can be corrected.
//!
//! The one promise: what a device told is in flash before the device hears that it was taken, and stays there until the hub says
//! that it is committed ([`flash::Spool`]). What had no room becomes a record that says how many.
//!
//! Deliberately absent: boards, pins, interrupts, a clock, an allocator, patients.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod bridge;
pub mod configuration;
pub mod flash;
pub mod scout;
pub mod sensor;
pub mod session;
pub mod telling;
pub mod update;
pub mod wish;
