//! The ladder without sockets: conversations, and storms.
#![allow(clippy::unwrap_used)]

mod storm;
mod talk;
