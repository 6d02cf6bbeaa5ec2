//! When: clocks that were set, compared loosely, or beside a hub that was wrong. Each was found by `tests/model`.

use super::world::*;
use crate::admit::*;

/// In an hour that is skipped where the home is now, and in no other: both that it could mean there were before it came.
#[test]
fn a_skipped_hour_is_no_doubt_for_a_binding_that_had_not_begun() {
    const MOVES: &str = "2026-03-08T09:30:00Z";
    for (moves, held) in [(MOVES, false), ("2026-03-08T08:30:00Z", true)] {
        let mut w = World::new(cuff());
        w.bindings([until(moves, bound(ADA, "America/Phoenix")), from(moves, bound(ADA, "America/Denver"))]);
        // 02:02:20
        w.hub_time("2026-03-08T09:31:00Z").cuff_says(1, "02780050006400EA070308020214");
        match held {
            true => assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::Gap))),
            false => assert_eq!(w.times(), ["2026-03-08T02:02:20-07:00"]),
        }
    }
}

/// What has run in later and in earlier boots is counted by the same crystal.
#[test]
fn ticks_of_neighbours_drift_too() {
    let mut w = World::new(cuff());
    w.hub_time("2024-06-15T15:00:00Z").boot();
    w.hub_time("2024-06-15T15:00:00Z").at(70_000_000);
    let span = w.boots.utc(w.now);
    let truth = instant("2024-06-16T10:26:40Z");
    let (before, after) = (truth.duration_since(span.earliest), span.latest.duration_since(truth));
    assert_eq!((before.as_secs(), after.as_secs()), (7, 7));
}
