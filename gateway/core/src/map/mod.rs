//! Shapes for the outside. Nothing here knows a device by its model or asks for anything.

pub mod bits;
pub mod codes;
pub mod fhir;
mod json;
