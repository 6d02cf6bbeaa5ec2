//! The built gateway against a made-up world: one test binary, a module a story.
#![allow(clippy::unwrap_used)]

mod captures;
mod certificates;
mod commands;
mod decoding;
mod demo;
mod devices;
mod fuzz;
mod killed;
mod kills;
mod people;
mod redacted;
mod replays;
mod salvage;
mod scenarios;
mod story;
mod tidy;
mod traces;
mod vectors;
