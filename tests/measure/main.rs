//! What a reading costs, and what a hub costs that hears nothing: every figure beside its anchor, in the same run.
//!
//! `tests/bench` runs it in release and prints the table; docs/measured.md says what the rows mean. Counts (flushes,
//! octets) are exact, by the disk of the power cuts; times are CPU times of this process or of the hub's, medians of
//! several rounds.
#![allow(clippy::unwrap_used, clippy::float_arithmetic, reason = "a measurement of the house, not of a body")]

mod drain;
mod house;
mod idle;
mod life;
mod mapping;

use std::time::Duration;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    // For by_python.py: the octets of the row that it stands beside.
    if wanted == ["sample"] {
        return mapping::sample();
    }
    // First: what a larger row had would hide what grows here.
    if runs("slope") {
        let many = std::env::var("HEARTH_READINGS").ok().and_then(|many| many.parse().ok()).unwrap_or(50_000);
        life::print_slope(many);
    }
    if runs("life") {
        life::print();
    }
    if runs("mapping") {
        mapping::print();
    }
    if runs("reopen") {
        life::print_reopen();
    }
    if runs("drain") {
        drain::print();
    }
    if runs("idle") {
        idle::print();
    }
}

/// CPU time that this process has used.
fn cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), u32::try_from(used.tv_nsec).unwrap())
}

/// Of several rounds the middle one, in microseconds of CPU for one of `many`.
fn median(rounds: usize, many: usize, mut round: impl FnMut()) -> f64 {
    let mut all: Vec<f64> = (0..rounds)
        .map(|_| {
            let begun = cpu();
            round();
            (cpu() - begun).as_secs_f64() * 1e6 / many as f64
        })
        .collect();
    all.sort_by(f64::total_cmp);
    all[rounds / 2]
}

/// One row of the table: what, how much, the anchor, the ratio, the goal.
fn row(what: &str, ours: &str, anchor: &str, ratio: Option<f64>, goal: &str) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    println!("| {what} | {ours} | {anchor} | {ratio} | {goal} |");
}
