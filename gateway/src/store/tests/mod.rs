//! The store on real files: no mocks, no clocks, no sleeping.
#![allow(clippy::unwrap_used)]

mod world;

mod bridges;
mod correcting;
mod described;
mod doubting;
mod hearing;
mod leaving;
mod linear;
mod opening;
mod orders;
mod power;
mod pruning;
mod roads;
mod salvaging;
mod seeing;
mod turned;
mod walk;
mod weighings;
