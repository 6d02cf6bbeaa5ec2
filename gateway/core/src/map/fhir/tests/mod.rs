//! The standard is the oracle: expected values are worked out by hand from it, from HL7's examples and from
//! the vectors, before the mapper ran on them.
#![allow(clippy::unwrap_used)]

mod support;

use super::*;
use support::*;

#[test]
fn smoke() {
    let p = pressure("00 7400 4700 5600");
    for r in resources(&p, &Policy::default(), Rung::UpdateAsCreate, None) {
        println!("{}\n", r.json);
    }
    println!(
        "{}",
        bundle(&[resources(&p, &Policy::default(), Rung::PlainCreate, None)], Rung::PlainCreate, Kind::Batch)
            .unwrap()
    );
}
