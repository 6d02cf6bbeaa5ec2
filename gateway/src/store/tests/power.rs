//! Power cuts: committed means kept, and what was not committed never was.

use super::world::*;
use crate::store::*;
use hearth_core::admit::{End, Fate, For, News, TimeDoubt, Why};
use hearth_core::capture::Uuid16;
use hearth_core::when::{ContactNo, HubTicks};

/// News of one glucose reading, from a step to a step.
fn tell(w: &mut World, step: usize, contact: hearth_core::when::ContactNo) {
    match step {
        0 => drop(w.meter_says(contact, GLU_01)),
        1 => drop(w.context(contact, CONTEXT_OF_15)),
        2 => drop(w.clock_shows(contact, "2024-01-30T11:40:00")),
        3 => drop(w.hub_time("2024-01-30T06:10:00Z")),
        4 => drop(w.system_id()),
        5 => drop(w.bind(KOLKATA)),
        6 => drop(w.take(News::Due)),
        _ => drop(w.ends(contact, End::Drained)),
    }
}

/// One or two cuts after every step; then the meter repeats what it has.
#[test]
fn a_cut_after_every_step() {
    for first in 0..8 {
        for second in [first, (first + 3) % 8] {
            let mut w = World::new(catalog(&[BY_SYSTEM_ID, TELLING]));
            let mut contact = w.contact();
            for (i, step) in [3, 0, 2, 1, 4, 5, 7, 6].into_iter().enumerate() {
                let ms = w.now.ms + 1_000;
                tell(w.at(ms), step, contact);
                if i == first || i == second {
                    w.power_cut();
                    contact = w.contact();
                }
            }
            let ms = w.now.ms + 1_000;
            w.at(ms).hub_time("2024-01-30T06:30:00Z");
            let contact = w.contact();
            w.meter_says(contact, GLU_01);
            w.context(contact, CONTEXT_OF_15);
            w.ends(contact, End::Drained);
            let ms = w.now.ms + 700_000;
            w.at(ms).take(News::Due);
            let cuts = format!("cuts after {first} and {second}");
            assert_eq!((w.count("reading"), w.count("outbox")), (1, 1), "{cuts}");
            assert_eq!(w.sql("SELECT count(*) FROM record WHERE fate IN ('new', 'await')"), 0, "{cuts}");
            assert_eq!(w.deliver("2024-01-30T06:40:00Z"), 1, "{cuts}");
        }
    }
}

/// sc-19: between glucose and context. The wait starts anew, and ends.
#[test]
fn a_cut_between_glucose_and_context() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2024-01-30T06:10:00Z");
    w.bind(KOLKATA);
    let contact = w.contact();
    w.at(300_000).meter_says(contact, GLU_01);
    w.at(599_000).take(News::Due);
    w.power_cut();
    match w.fate(1) {
        Fate::Await { wants, until } => {
            assert!(wants.contains(&For::Partner), "{wants:?}");
            assert_eq!((until.boot, until.ms), (w.now.boot, 600_000));
        }
        other => panic!("{other:?}"),
    }
    w.hub_time("2024-01-30T06:30:00Z");
    assert!(w.at(599_999).take(News::Due).admitted.is_empty());
    assert_eq!(w.at(600_000).take(News::Due).admitted.len(), 1);
}

/// sc-04: a cuff's battery was changed between two contacts. Its clock is compared with what it showed in the
/// contact before, which nothing else loads; if that one was not drained, either timeline fits (CLINICAL 19).
#[test]
fn a_clock_is_compared_over_contacts_and_boots() {
    for (end, held) in [(End::Drained, None), (End::Lost, Some(Why::Time(TimeDoubt::TwoTimelines)))] {
        let mut w = World::of(cuffs(&[TELLING]), PRESSURE);
        w.hub_time("2024-06-15T21:17:30Z");
        w.bind("America/New_York");
        let contact = w.contact();
        w.clock_shows(contact, "2024-06-15T17:17:30");
        w.cuff_says(contact, BP_03);
        w.ends(contact, end);
        w.power_cut();
        w.hub_time("2024-06-16T21:17:30Z");
        // A contact without a sample lies between.
        let contact = w.contact();
        w.ends(contact, End::Drained);
        let contact = w.contact();
        w.clock_shows(contact, "2020-01-01T00:02:00");
        w.cuff_says(contact, BP_S7);
        w.ends(contact, End::Drained);
        assert_eq!(w.held(2), held, "{end:?}");
        assert_eq!(w.count("reading"), if held.is_none() { 2 } else { 1 }, "{end:?}");
    }
}

/// The connection is gone before the commit: nothing of the transaction was ever there.
#[test]
fn what_was_not_committed_never_was() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    w.bind(LOS_ANGELES);
    let contact = w.contact();
    let before = ["record", "capture", "reading", "outbox", "ledger", "hold"].map(|table| w.count(table));
    let capture = w.capture(contact, hearth_core::capture::Uuid16::GLUCOSE_MEASUREMENT, GLU_04);
    let now = w.now;
    let cut = w.store().write(|rows| -> Result<(), StoreError> {
        rows.make_record(&capture, now)?;
        rows.origin_used(capture.origin.number)?;
        Err(StoreError::Broken("the power was cut here".into()))
    });
    assert!(matches!(cut, Err(StoreError::Broken(_))));
    // From then on nothing is done, and everybody is told why.
    let said = w.store().take(&News::Heard(capture.clone()), now).unwrap_err();
    assert_eq!(said, StoreError::Broken("the power was cut here".into()));
    assert_eq!(w.store().broken(), Some("the power was cut here"));
    w.restart();
    let after = ["record", "capture", "reading", "outbox", "ledger", "hold"].map(|table| w.count(table));
    assert_eq!(after, before);
    assert_eq!(w.store().origin(), capture.origin, "it left no trace, so its number comes again");
}

/// The number of a boot is the system's: a daemon that starts again counts the same ticks.
#[test]
fn a_boot_has_one_number() {
    let mut w = World::new(catalog(&[]));
    let first = w.now.boot;
    w.restart();
    assert_eq!(w.store().begin_boot("boot 1"), Ok(first));
    let second = w.store().begin_boot("boot 2").unwrap();
    let replayed = w.store().begin_replayed_boot(None, instant("2024-06-15T12:00:00Z")).unwrap();
    let another = w.store().begin_replayed_boot(Some(replayed), instant("2024-06-15T12:00:00Z")).unwrap();
    assert!(first < second && second < replayed && replayed < another);
    assert_eq!(w.store().begin_boot("boot 1"), Ok(first));
}

/// Seventeen boots, each too short for the wait: a boot loop must not starve a record.
#[test]
fn a_boot_loop_ends_the_wait() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2024-01-30T06:10:00Z");
    w.bind(KOLKATA);
    let contact = w.contact();
    w.meter_says(contact, GLU_01);
    let mut boots = 0;
    while w.count("reading") == 0 {
        w.power_cut();
        w.at(1_000).take(News::Due);
        boots += 1;
        assert!(boots < 20, "it starves");
    }
    assert!(boots > 10, "it hardly waited: {boots} boots");
}

/// Values that share a commit, each from 10 ms on; the last one tells the first again.
fn burst(w: &mut World) -> Vec<(News, HubTicks)> {
    let contact = w.contact();
    let told = [
        (Uuid16::GLUCOSE_MEASUREMENT, GLU_04),
        (Uuid16::GLUCOSE_MEASUREMENT_CONTEXT, CTX_01),
        (Uuid16::GLUCOSE_MEASUREMENT, GLU_05),
        (Uuid16::GLUCOSE_MEASUREMENT_CONTEXT, CTX_02),
        (Uuid16::GLUCOSE_MEASUREMENT, GLU_04),
    ];
    let mut news = vec![];
    for (ms, (characteristic, hex)) in (10..).zip(told) {
        let capture = w.at(ms).capture(contact, characteristic, hex);
        news.push((News::Heard(capture), w.now));
    }
    news
}

/// What shares a commit ends as if each had come alone, also if the power goes right after it.
#[test]
fn what_shares_a_commit_is_judged_one_after_the_other() {
    let ends = [false, true].map(|together| {
        let mut w = World::new(catalog(&[]));
        w.hub_time("2018-10-07T12:00:00Z");
        w.bind(LOS_ANGELES);
        let news = burst(&mut w);
        let committed = match together {
            true => w.store().take_all(&news).unwrap(),
            false => news.iter().map(|(news, at)| w.store().take(news, *at).unwrap()).collect(),
        };
        let said: Vec<_> =
            committed.iter().map(|c| (c.due, c.admitted.clone(), c.changes.clone(), c.heard)).collect();
        // The next number is nobody's yet.
        let next = w.store().origin().number;
        w.power_cut();
        (format!("{said:?}"), next, w.count("record"), w.count("capture"), w.count("reading"))
    });
    assert_eq!(ends[0], ends[1]);
    assert_eq!((ends[1].2, ends[1].4), (4, 2));
}

/// All of it or nothing: the device is asked to keep what was not committed.
#[test]
fn what_shares_a_commit_is_kept_whole_or_not_at_all() {
    let mut w = World::new(catalog(&[]));
    let mut news = burst(&mut w);
    let (News::Heard(last), _) = news.last_mut().unwrap() else { unreachable!() };
    last.contact = ContactNo(99);
    assert!(matches!(w.store().take_all(&news), Err(StoreError::Unknown(_))));
    assert_eq!((w.count("record"), w.count("capture")), (0, 0));
}
