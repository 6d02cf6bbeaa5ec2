//! The standard is the oracle: expected values are worked out by hand from it, from HL7's examples and from
//! the project's vectors, never copied from what the mapper printed.
#![allow(clippy::unwrap_used)]

mod clinical;
mod compared;
mod golden;
mod hl7;
mod mapper;
mod names;
#[cfg(test)]
mod property;
mod rungs;
mod support;
