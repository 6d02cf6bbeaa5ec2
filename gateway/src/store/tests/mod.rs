//! The store on real files: no mocks, no clocks, no sleeping.
#![allow(clippy::unwrap_used)]

mod world;

mod walk;
