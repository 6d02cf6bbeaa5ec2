//! Shapes for the outside. Nothing here knows a device by its model or asks for anything.

pub mod fhir;
