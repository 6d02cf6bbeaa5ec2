//! Conversations with one house: a store in memory, and the same news in many orders.
#![allow(clippy::unwrap_used)]

mod clocks;
mod people;
mod permuted;
mod rude;
mod scales;
mod scenarios;
mod times;
mod tongue;
mod weighings;
mod world;
