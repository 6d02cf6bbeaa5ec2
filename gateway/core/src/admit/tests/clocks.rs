//! When: clocks that were set, compared loosely, or beside a hub that was wrong. Each was found by `tests/model`.

use super::world::*;
use crate::admit::*;
use crate::when::*;

const TWO: Option<&Why> = Some(&Why::Time(TimeDoubt::TwoTimelines));

/// Of a boot without a time of its own, half an hour wide, a comparison dates nothing. That the clock was two hours slow
/// then, it shows.
#[test]
fn clinical_19_a_loose_comparison_shows_that_a_clock_was_set() {
    for (shows, held) in [("2024-06-15T09:05:00", true), ("2024-06-15T11:05:00", false)] {
        let mut w = World::new(telling(cuff()));
        w.bindings([bound(ADA, NEW_YORK)]).hub_time("2024-06-15T15:00:00Z");
        w.clock_shows(1, "2024-06-15T11:00:00").silence_until(1_000).boot();
        w.at(1_000).clock_shows(2, shows).silence_until(5_000).boot();
        w.at(1_000).hub_time("2024-06-15T15:30:00Z").clock_shows(3, "2024-06-15T11:30:00");
        // 09:10:00
        w.cuff_says(3, "02780050006400E807060F090A00");
        assert_eq!(w.held(1) == TWO, held, "{shows}: {:?}", w.fate(1));
    }
}

/// Summer time ended, and the home moved, between two comparisons: the clock may have been set twice, and what it stamped
/// in between is of a timeline that nobody saw.
#[test]
fn clinical_19_a_clock_that_was_set_twice_between_two_comparisons() {
    for (moves, held) in [("2026-11-02T12:00:00Z", true), ("2026-10-31T11:00:00Z", false)] {
        let mut w = World::new(telling(cuff()));
        w.bindings([until(moves, bound(ADA, NEW_YORK)), from(moves, bound(ADA, LOS_ANGELES))]);
        w.hub_time("2026-10-31T12:00:00Z").clock_shows(1, "2026-10-31T08:00:00");
        w.at(2 * 86_400_000 + 10_000).clock_shows(2, "2026-11-02T04:00:10");
        // 06:30:00, in winter time 11:30 UTC.
        w.cuff_says(2, "02780050006400EA070B02061E00");
        assert_eq!(w.held(1) == TWO, held, "{moves}: {:?}", w.fate(1));
    }
}

/// The cuff was set an hour back before it had told all in a boot that only its neighbours date, loosely: since then
/// nothing can be of the hour that was over. Had it not told all, it might be.
#[test]
fn clinical_19_a_timeline_that_was_over_when_the_memory_was_drained() {
    for (end, held) in [(End::Drained, false), (End::Lost, true)] {
        let mut w = World::new(telling(cuff()));
        w.bindings([bound(ADA, NEW_YORK)]).hub_time("2024-06-15T15:00:00Z");
        w.clock_shows(1, "2024-06-15T11:00:00").ends(1, End::Drained).silence_until(1_000).boot();
        w.at(1_000).clock_shows(2, "2024-06-15T10:00:02").ends(2, end).silence_until(5_000).boot();
        w.at(1_000).hub_time("2024-06-15T18:00:00Z").clock_shows(3, "2024-06-15T13:00:00");
        // 12:40:00
        w.cuff_says(3, "02780050006400E807060F0C2800");
        assert_eq!(w.held(1) == TWO, held, "{end:?}: {:?}", w.fate(1));
    }
}

/// The hub's clock was two hours fast when it compared, and right since. What that comparison says dates nothing, nor does
/// it exclude what is right.
#[test]
fn a_comparison_that_is_contradicted_dates_nothing() {
    let mut w = World::new(telling(cuff()));
    w.bindings([bound(ADA, NEW_YORK)]).hub_time("2024-06-15T15:00:00Z").silence_until(600_000).boot();
    w.hub_time("2024-06-15T17:10:00Z").clock_shows(1, "2024-06-15T11:10:00").ends(1, End::Drained);
    w.at(21_600_000).hub_time("2024-06-15T21:10:00Z").boot();
    w.hub_time("2024-06-16T21:10:00Z").at(1_000).clock_shows(2, "2024-06-16T17:10:01");
    // 11:20:00
    w.cuff_says(2, "02780050006400E807060F0B1400");
    assert_eq!(w.held(1), TWO);
}

/// A clock was last seen 95 s ahead, and is heard in a boot that nobody can date: its word stands, and where the device
/// changed hands in between, nobody knows whose it is.
#[test]
fn a_word_that_a_comparison_contradicts_is_nobodys_at_an_edge() {
    for (hands, person) in [("2024-06-15T19:05:00Z", None), ("2024-06-15T19:01:00Z", Some(BEN))] {
        let mut w = World::new(telling(cuff()));
        w.bindings([until(hands, bound(ADA, NEW_YORK)), from(hands, bound(BEN, NEW_YORK))]);
        w.hub_time("2024-06-15T19:00:00Z").clock_shows(1, "2024-06-15T15:01:35").ends(1, End::Drained);
        w.silence_until(1_000).boot();
        // 15:06:00, taken at 15:04:25.
        w.at(1_000).clock_shows(2, "2024-06-15T15:10:00").cuff_says(2, "02780050006400E807060F0F0600");
        w.silence_until(5_000).boot();
        w.at(1_000).hub_time("2024-06-16T19:00:00Z");
        match person {
            None => assert_eq!(w.held(1), Some(&Why::Edge)),
            Some(who) => assert_eq!((w.only().who, w.only().when.source), (who, Source::Zone)),
        }
    }
}

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
