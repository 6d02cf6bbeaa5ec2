#![allow(clippy::unwrap_used)]

mod entries;
mod pace;
mod table;
