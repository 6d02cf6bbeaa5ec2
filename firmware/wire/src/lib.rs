//! Bytes to values and back, for the health services of Bluetooth LE.
//!
//! What this crate is: one file per GATT characteristic ([`gatt`]), the medical numbers they carry
//! ([`number`]), what a device's clock shows and is set to ([`clock`]), the record access control point ([`racp`]), the machine that
//! collects a meter's records with it ([`transfer`]), and the one that joins their segments ([`reassembly`]). A hub and a `no_std` bridge both stand on it, and the smaller side sets
//! the terms: no allocator, no std, no unsafe, no dependency.
//!
//! Deliberately absent: devices and their quirks, patients, unit conversion, the time of day, radios.
//! Reserved bits and trailing octets are tolerated, as the standard asks, and reported, as an honest
//! reader must: they betray quirky firmware. A frame that promises more than it holds is refused whole.
//!
//! Contract of every codec: `decode` takes the characteristic's value as on the wire (no ATT header) and
//! never panics; `encode` gives back the same octets, but for reserved flags (the standard has senders clear
//! them), a flag that qualifies a value which is not there, and trailing octets.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod advertising;
pub mod clock;
pub mod crc;
pub mod frame;
pub mod gatt;
pub mod number;
pub mod racp;
mod reader;
pub mod reassembly;
pub mod transfer;
mod writer;

pub use number::{Decimal, Special, Value};
pub use reader::Malformed;
pub use writer::NoRoom;

/// What a codec read, and what it did not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decoded<'a, T> {
    pub value: T,
    /// Octets after the last field that the flags promise: tolerated, and a sign of quirky firmware.
    pub trailing: &'a [u8],
}
