//! The fuzz targets as a normal test: over what they begin with, and over what once broke something.

#[path = "../fuzzing/src/lib.rs"]
#[allow(unreachable_pub, reason = "a crate of its own, for libFuzzer")]
mod fuzzing;

use fuzzing::{TARGETS, seeds};

#[test]
fn every_input_that_is_kept_passes_its_target() {
    let root = e2e::root();
    for (name, target) in TARGETS {
        let inputs = seeds::all(&root, name);
        assert!(inputs.len() >= 4, "{name} begins with nothing");
        inputs.iter().for_each(|input| target(input));
    }
}

#[test]
fn a_finding_names_its_target() {
    for (of, _) in seeds::found(&e2e::root()) {
        assert!(TARGETS.iter().any(|(name, _)| *name == of), "found/{of}-….hex: no such target");
    }
}
