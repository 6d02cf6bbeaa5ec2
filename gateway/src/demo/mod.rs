//! A made-up world to show the hub in. Behind the feature `demo`; packages leave it out.

pub mod pki;
pub mod record;
