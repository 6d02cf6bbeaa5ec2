//! Where news comes from. A source knows no patient; what it hears it may forget only once it is committed.
//!
//! [`ble`], the radio; [`serial`], bridges, which both meet the devices of the [`house`]; [`wired`], a sensor on the hub's own I2C; and two
//! that somebody hands in: [`lines`], news written as JSON, one a line, from a file or over the control socket; and [`trace`], which makes
//! such lines of what other programs recorded of Bluetooth.

pub(crate) mod asked;
pub(crate) mod ble;
pub(crate) mod house;
pub mod lines;
pub(crate) mod serial;
pub mod trace;
pub(crate) mod wired;
mod wishes;
