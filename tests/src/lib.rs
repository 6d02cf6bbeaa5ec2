//! The rig: a made-up house, its record systems, and the real binary.
//!
//! A [`World`] has a throw-away PKI and record systems behind mutual TLS; a [`Hub`] is a folder with a
//! configuration, and the commands that a person would type; a [`Daemon`] is `hearth run` as a process, which is
//! killed like a process.

pub mod disk;
pub mod home;
mod hub;
pub mod proxy;
mod world;

pub use hub::{Daemon, HURRIED, Hub, Said, hearth, said};
pub use world::{Destination, World, root};
