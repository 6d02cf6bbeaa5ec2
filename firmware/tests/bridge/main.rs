//! The firmware on a host: the same code, over a flash that loses its power wherever it hurts.
#![allow(clippy::unwrap_used)]

mod clock;
mod drain;
mod hub;
mod link;
mod nor;
mod session;
mod settings;
mod spool;
mod update;
