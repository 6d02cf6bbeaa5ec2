//! The built gateway against a made-up world: one test binary, a module a story.
#![allow(clippy::unwrap_used)]

mod commands;
mod kills;
mod people;
mod scenarios;
mod story;
mod tidy;
mod vectors;
