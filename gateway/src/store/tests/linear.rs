//! Work grows with the news, not with what is stored: counted in SQLite's own steps, not in time.

use super::world::*;
use hearth_core::admit::End;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// glu-04 under another sequence number, a minute later each.
fn frame(nth: u16) -> String {
    let [low, high] = nth.to_le_bytes();
    let (minute, hour, day) = (nth % 60, nth / 60 % 24, 1 + nth / 60 / 24);
    format!("03{low:02X}{high:02X}E20709{day:02X}{hour:02X}{minute:02X}075CFE6FB0F1")
}

/// Steps of SQLite's machine that `work` takes.
fn steps(w: &mut World, work: impl FnOnce(&mut World)) -> u64 {
    let counted = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&counted);
    let sql = w.store().sql.as_mut().unwrap();
    let handler = move || {
        count.fetch_add(1, Ordering::Relaxed);
        false
    };
    sql.progress_handler(10, Some(handler)).unwrap();
    work(w);
    w.store().sql.as_mut().unwrap().progress_handler(10, None::<fn() -> bool>).unwrap();
    counted.load(Ordering::Relaxed) * 10
}

fn hundred(w: &mut World, from: u16) -> u64 {
    let contact = w.contact();
    steps(w, |w| {
        for nth in from..from + 100 {
            w.meter_says(contact, &frame(nth));
        }
    })
}

/// A meter with a thousand records that all wait for a person: the last hundred cost what the first did.
#[test]
fn a_thousand_held_records_take_linear_time() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    let costs: Vec<u64> = (0..10).map(|nth| hundred(&mut w, nth * 100)).collect();
    assert_eq!(w.count("hold"), 1_000);
    assert!(costs[9] < costs[0] * 5 / 4, "the last hundred cost more than the first: {costs:?}");
    // Repeats, too.
    let again = hundred(&mut w, 500);
    assert!(again < costs[0] * 5 / 4, "{again} steps for repeats, {costs:?}");
    // And one look at all of them is about ten looks at a hundred.
    let contact = w.contact();
    let all = steps(&mut w, |w| drop(w.ends(contact, End::Drained)));
    assert!(all < costs[9] * 20, "{all} steps for all, {costs:?}");
}

/// A held memory that is told again in every contact, for a year: each telling costs what the one before did.
#[test]
fn a_memory_told_daily_takes_linear_time() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    let mut day = |_| {
        let contact = w.contact();
        steps(&mut w, |w| {
            w.meter_says(contact, &frame(1));
            w.ends(contact, End::Drained);
        })
    };
    let costs: Vec<u64> = (0..365).map(&mut day).collect();
    assert_eq!(w.count("capture"), i64::try_from(hearth_core::admit::HEARINGS).unwrap());
    let (bounded, last) = (costs[hearth_core::admit::HEARINGS], costs[364]);
    assert!(last < bounded * 5 / 4, "{bounded} steps once bounded, {last} on the last day");
}

/// Sending a backlog of a thousand, in whichever order it was told: what goes first is not what was told first.
#[test]
fn a_backlog_takes_linear_time() {
    for newest_first in [false, true] {
        let mut w = World::new(catalog(&[]));
        w.hub_time("2018-10-07T12:00:00Z");
        w.bind(LOS_ANGELES);
        let mut told: Vec<u16> = (0..1_000).collect();
        if newest_first {
            told.reverse();
        }
        let contact = w.contact();
        told.iter().for_each(|nth| drop(w.meter_says(contact, &frame(*nth))));
        let mut costs = vec![];
        for _ in 0..10 {
            let mut sent = 0;
            costs.push(steps(&mut w, |w| {
                let due = w.due("2018-10-07T13:00:00Z");
                for row in w.start(&due, "2018-10-07T13:00:00Z") {
                    w.settle(row, arrived("Observation/1"), "2018-10-07T13:00:01Z");
                    sent += 1;
                }
            }));
            assert_eq!(sent, 100);
        }
        assert!(w.due("2018-10-07T13:00:00Z").is_empty());
        let (least, most) = (costs.iter().min().unwrap(), costs.iter().max().unwrap());
        assert!(*most < least * 5 / 4, "newest first {newest_first}: {costs:?}");
    }
}
