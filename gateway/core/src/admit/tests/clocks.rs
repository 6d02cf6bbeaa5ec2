//! When: clocks that were set, compared loosely, or beside a hub that was wrong. Each was found by `tests/model`.

use super::world::*;

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
