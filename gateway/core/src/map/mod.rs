//! Shapes for the outside. Nothing here knows a device by its model or asks for anything.

pub mod codes;
pub mod fhir;
mod json;
