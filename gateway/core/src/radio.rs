//! The radio's judgement, without a radio: whom to connect to, what to ask, when to let go, what a bond and an adapter
//! are worth.
//!
//! Five machines, each sans-IO: events and instants go in, commands come out, and after every call in, `poll` is drained
//! until it waits or is done. No clock, no Bluetooth: whoever holds a radio does what is said and tells what happened.
//!
//! - [`session`]: one connection with one device, from its discovered services to the hang-up.
//! - [`scout`]: sightings in, "connect to this one now" out.
//! - [`bond`]: how good a bond is, by what came of it.
//! - [`adapter`]: scanning, and the way back after a fault of the adapter or of its daemon.
//! - [`broadcast`]: a scale that nobody connects to.
//!
//! [`Kept`] is what is left of a device between two connections.
//!
//! Every wait has an end, every ending is a value, and nothing is ever deleted on a device. Which person a value is of
//! is nothing that anybody here knows.

pub mod adapter;
pub mod bond;
pub mod broadcast;
mod kept;
pub mod scout;
pub mod session;

pub use kept::{Change, Kept, Matter, User};

pub use hearth_wire::transfer::Millis;

/// What an instant of these machines is: milliseconds since the hub's boot, as in [`crate::when::HubTicks`].
fn after(now: Millis, ms: u64) -> Millis {
    Millis(now.0.saturating_add(ms))
}
