//! More than a house usually has to bear: a neighbour who never stops broadcasting, a meter's whole memory at once, two hubs in
//! one house, a backlog, a year with a record away for a month. What was promised holds, and nobody waits for it.
//!
//! `HEARTH_LOAD=large` makes each as large as it gets, best with `--release` and with `HEARTH_BINARY` naming a release
//! build; `tests/release load` does so.
#![allow(clippy::unwrap_used, clippy::float_arithmetic, reason = "figures of the house, not of a body")]

mod backlog;
mod meter;
mod neighbour;
mod pair;
mod year;

/// How much of it.
fn size<T>(small: T, large: T) -> T {
    match std::env::var("HEARTH_LOAD").as_deref() {
        Ok("large") => large,
        Ok(other) => panic!("HEARTH_LOAD={other:?}: large, or nothing"),
        Err(_) => small,
    }
}

/// The middle one, and the longest.
fn middle_and_longest(mut all: Vec<std::time::Duration>) -> (std::time::Duration, std::time::Duration) {
    all.sort();
    (all[all.len() / 2], all[all.len() - 1])
}
