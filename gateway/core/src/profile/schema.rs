//! The shape of a profile's TOML.
