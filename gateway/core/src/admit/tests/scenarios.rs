//! The scenarios of the vectors, as far as judgement goes.

use super::world::*;
use crate::admit::*;
use crate::decode::Measurement;
use crate::reading::{Doubt, Issue};
use crate::when::Source;

/// sc-01: a device resends its whole memory on every connection.
#[test]
fn a_resent_memory_makes_no_row() {
    let mut w = World::new(keeping_utc(meter()));
    w.hub_time("2018-10-07T12:00:00Z").bindings([bound(ADA, LOS_ANGELES)]);
    for pass in 1..4 {
        w.at(pass as i64 * 1_000);
        w.meter_says(pass, GLU_04).context(pass, CTX_01).meter_says(pass, GLU_05).context(pass, CTX_02);
        w.ends(pass, End::Drained);
    }
    assert_eq!(w.times(), ["2018-09-19T22:27:07-07:00", "2018-10-06T08:47:50-07:00"]);
    assert!(w.all().iter().all(|r| r.companions.len() == 1));
    assert_eq!(w.records(), 4);
}

/// sc-03: the owner changes the meter's clock between two syncs.
#[test]
fn a_changed_offset_is_the_same_record() {
    for (device, first) in
        [(keeping_utc(meter()), "2018-09-19T22:27:07-07:00"), (meter(), "2018-09-19T22:27:07-07:00")]
    {
        let mut w = World::new(device);
        w.hub_time("2018-09-20T06:00:00Z").bindings([bound(ADA, LOS_ANGELES)]);
        w.meter_says(1, GLU_04).ends(1, End::Drained);
        w.meter_says(2, GLU_04_LATER_OFFSET).ends(2, End::Drained);
        assert_eq!(said(w.only()), first);
        assert!(w.opens[&DEVICE].records[&RecordNo(1)].changed);
    }
    // The second frame alone: base is UTC, or base is local.
    for (device, alone) in
        [(keeping_utc(meter()), "2018-09-19T22:27:07-07:00"), (meter(), "2018-09-19T23:27:07-07:00")]
    {
        let mut w = World::new(device);
        w.hub_time("2018-09-20T08:00:00Z").bindings([bound(ADA, LOS_ANGELES)]);
        w.meter_says(1, GLU_04_LATER_OFFSET).ends(1, End::Drained);
        assert_eq!(said(w.only()), alone);
    }
}

/// CLINICAL 19: heard again with another offset while it is held; the first written time stands, and says so.
#[test]
fn clinical_19_the_first_offset_stands() {
    let mut w = World::new(meter());
    w.hub_time("2018-09-20T06:00:00Z");
    w.meter_says(1, GLU_04).ends(1, End::Drained).meter_says(2, GLU_04_LATER_OFFSET).ends(2, End::Drained);
    assert_eq!(w.held(1), Some(&Why::NoPatient));
    w.bindings([bound(ADA, LOS_ANGELES)]);
    assert_eq!(said(w.only()), "2018-09-19T22:27:07-07:00");
    assert!(w.only().doubts.contains(&Doubt::OffsetChanged));
}

/// sc-04: the clock is set back by a battery change.
#[test]
fn clinical_19_a_clock_set_back_is_two_timelines() {
    let told = |end| {
        let mut w = World::new(telling(cuff()));
        w.hub_time("2024-06-15T21:17:30Z").bindings([bound(ADA, NEW_YORK)]);
        w.clock_shows(1, "2024-06-15T17:17:30").cuff_says(1, BP_03).ends(1, end);
        w.at(86_400_000).clock_shows(2, "2020-01-01T00:02:00").cuff_says(2, BP_S7).ends(2, End::Drained);
        w
    };
    assert_eq!(told(End::Drained).times(), ["2024-06-15T17:17:27-04:00", "2024-06-16T17:15:30-04:00"]);
    let lost = told(End::Lost);
    assert_eq!((lost.all().len(), lost.held(2)), (1, Some(&Why::Time(TimeDoubt::TwoTimelines))));
    // Nobody asks the clock: the year in which it wakes dates nothing.
    let mut w = World::new(cuff());
    w.hub_time("2024-06-15T21:17:30Z").bindings([bound(ADA, NEW_YORK)]).cuff_says(1, BP_03);
    w.at(86_400_000).cuff_says(2, BP_S7);
    assert_eq!((w.all().len(), w.held(2)), (1, Some(&Why::Time(TimeDoubt::Reset))));
}

/// sc-05: the gateway is replaced, and the memory read again: one key, whatever either hub corrected.
#[test]
fn two_hubs_give_one_key() {
    let hub = |utc: &str| {
        let mut w = World::new(telling(cuff()));
        w.hub_time(utc).bindings([bound(ADA, NEW_YORK)]);
        w.clock_shows(1, "2024-06-15T17:18:00").cuff_says(1, BP_03);
        w.only().clone()
    };
    let (a, b) = (hub("2024-06-15T21:18:00Z"), hub("2024-06-15T21:18:20Z"));
    assert_eq!(a.key, b.key);
    assert_ne!(a.when.effective, b.when.effective);
}

/// sc-08: a context before, or without, its measurement.
#[test]
fn an_orphan_context_is_named() {
    let mut w = World::new(meter());
    w.hub_time("2018-09-20T06:00:00Z").bindings([bound(ADA, LOS_ANGELES)]).context(1, CTX_01);
    assert_eq!(w.wants(1), [For::Partner]);
    assert_eq!(w.due().map(|d| d.ms), Some(600_000));
    let (mut ended, mut silent) = (w.clone(), w.clone());
    w.meter_says(1, GLU_04);
    assert_eq!(w.only().companions.len(), 1);
    ended.ends(1, End::Drained);
    silent.silence_until(600_000);
    for w in [ended, silent] {
        assert_eq!((w.refused(1), w.all().len()), (Some(Refusal::Orphan), 0));
    }
}

/// An orphan that comes again with its measurement is joined, in either order, and adds no row.
#[test]
fn an_orphan_may_still_find_its_measurement() {
    let mut w = World::new(meter());
    w.hub_time("2018-09-20T06:00:00Z").bindings([bound(ADA, LOS_ANGELES)]);
    w.context(1, CTX_01).ends(1, End::Lost).silence_until(600_000);
    w.context(2, CTX_01).meter_says(2, GLU_04).ends(2, End::Drained);
    assert_eq!((w.only().companions.len(), w.records()), (1, 2));
}

/// sc-09: the link is lost half way.
#[test]
fn a_lost_link_leaves_the_glucose_waiting_for_its_context() {
    let mut w = World::new(meter());
    w.hub_time("2018-09-20T06:00:00Z").bindings([bound(ADA, LOS_ANGELES)]);
    w.meter_says(1, GLU_04).ends(1, End::Lost);
    assert_eq!(w.wants(1), [For::Partner]);
    w.silence_until(600_000);
    assert!(w.only().companions.is_empty());
}

/// sc-10: the sequence wraps; month 13 is not a date until a profile names the quirk.
#[test]
fn a_sequence_alone_is_no_key() {
    let mut w = World::new(meter());
    w.hub_time("2026-01-20T23:54:00Z").bindings([bound(ADA, NEW_YORK)]);
    w.meter_says(1, "02FFFFEA070D0C12353678B0F8").meter_says(1, "020000EA07011412353678B0F8");
    assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::NotADate)));
    assert_eq!(w.times(), ["2026-01-20T18:53:54-05:00"]);
    let mut quirky = meter();
    quirky.version = crate::reading::Version(2);
    quirky.quirks = vec![crate::quirk::Quirk::Month13IsJanuary];
    w.catalog.insert(quirky);
    w.take(News::Profiles);
    assert_eq!(w.times(), ["2026-01-12T18:53:54-05:00", "2026-01-20T18:53:54-05:00"]);
}

/// A context has no time: the same octets come again for another measurement 30.
#[test]
fn the_same_context_belongs_to_the_measurement_of_its_contact() {
    let mut w = World::new(meter());
    w.hub_time("2018-12-20T06:00:00Z").bindings([bound(ADA, LOS_ANGELES)]);
    w.meter_says(1, GLU_04).context(1, CTX_01).ends(1, End::Drained);
    w.at(172_800_000)
        .context(2, CTX_01)
        .meter_says(2, "131E00E2070C15051B075CFE6FB0F1")
        .ends(2, End::Drained);
    assert_eq!(w.all().iter().map(|r| r.companions.len()).collect::<Vec<_>>(), [1, 1]);
    // A held record 30 meets a new one: the context goes to its own contact's.
    let mut w = World::new(meter());
    w.hub_time("2018-12-20T06:00:00Z").meter_says(1, GLU_04).ends(1, End::Drained);
    w.at(172_800_000)
        .meter_says(2, "131E00E2070C15051B075CFE6FB0F1")
        .context(2, CTX_01)
        .ends(2, End::Drained);
    w.bindings([bound(ADA, LOS_ANGELES)]);
    let with: Vec<String> = w.all().into_iter().filter(|r| !r.companions.is_empty()).map(said).collect();
    assert_eq!(with, ["2018-12-20T22:27:07-08:00"]);
}

const FOLD_FIRST: &str = "1E760050005D00EA070B01011E004800010000";
const FOLD_SECOND: &str = "1E7A0052005F00EA070B01011E004A00010000";

/// sc-12: DST fold.
#[test]
fn a_fold_is_told_apart_by_clock_samples_only() {
    let told = |end| {
        let mut w = World::new(telling(cuff()));
        w.hub_time("2026-11-01T05:30:05Z").bindings([slotted(1, bound(ADA, NEW_YORK))]);
        w.cuff_says(1, FOLD_FIRST).clock_shows(1, "2026-11-01T01:30:05").ends(1, end);
        w.at(3_600_000).cuff_says(2, FOLD_SECOND).clock_shows(2, "2026-11-01T01:30:05").ends(2, End::Drained);
        w
    };
    assert_eq!(told(End::Drained).times(), ["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00"]);
    let lost = told(End::Lost);
    assert_eq!((lost.all().len(), lost.held(2)), (1, Some(&Why::Time(TimeDoubt::TwoTimelines))));
    let mut w = World::new(cuff());
    w.hub_time("2026-11-01T07:30:05Z").bindings([slotted(1, bound(ADA, NEW_YORK))]).cuff_says(1, FOLD_FIRST);
    assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::Fold)));
}

/// sc-13 and CLINICAL 7: "HI" is delivered, never held.
#[test]
fn clinical_7_hi_is_never_held() {
    let mut w = World::new(meter());
    w.hub_time("2024-06-15T22:00:00Z").bindings([bound(ADA, NEW_YORK)]);
    w.meter_says(1, "0A0500E807060F11111BFE07112000").meter_says(1, "0A0600E807060F11111C0208114000");
    assert_eq!(w.all().len(), 2);
}

/// sc-14 and CLINICAL 26: retracted, then re-issued to the right person; the meter sends it again.
#[test]
fn clinical_26_a_retracted_reading_stays_retracted() {
    let mut w = World::new(cuff());
    w.hub_time("2024-06-15T21:17:40Z").bindings([bound(ADA, NEW_YORK)]).cuff_says(1, BP_03);
    let first = w.only().clone();
    w.take(News::Retract(first.key, first.issue));
    w.cuff_says(2, BP_03).bindings([bound(BEN, NEW_YORK)]);
    assert_eq!(w.all().len(), 1, "neither hearing it again nor another binding brings it back");
    w.take(News::Reissue(first.key));
    let second = &w.readings[&(first.key, Issue(1))].0;
    assert_eq!((second.who, second.supersedes, second.key), (BEN, Some(Issue(0)), first.key));
    w.cuff_says(3, BP_03);
    assert_eq!(w.all().len(), 2);
}

/// CLINICAL 26: a re-issue that must wait for a person, or for anything else, stays a re-issue.
#[test]
fn clinical_26_a_reissue_may_be_held_first() {
    let mut w = World::new(cuff());
    w.hub_time("2024-06-15T21:17:40Z").bindings([bound(ADA, NEW_YORK)]).cuff_says(1, BP_03);
    let first = w.only().clone();
    w.bindings([]);
    w.take(News::Retract(first.key, first.issue));
    w.take(News::Reissue(first.key));
    assert_eq!(w.held(1), Some(&Why::NoPatient));
    w.bindings([bound(BEN, NEW_YORK)]);
    let second = &w.readings[&(first.key, Issue(1))].0;
    assert_eq!((second.who, second.supersedes, second.key), (BEN, Some(Issue(0)), first.key));
}

/// What was heard in a boot that never knew the time, and again in one that does, was taken before that.
#[test]
fn a_second_hearing_bounds_the_first() {
    let mut w = World::new(cuff());
    w.bindings([bound(ADA, NEW_YORK)]).cuff_says(1, BP_03);
    assert_eq!(w.all().len(), 0);
    w.boot();
    w.hub_time("2024-06-15T21:18:00Z").cuff_says(2, BP_03);
    assert_eq!(said(w.only()), "2024-06-15T17:17:27-04:00");
}

/// CLINICAL 26: a re-issue of a glucose reading takes its context along.
#[test]
fn a_reissue_keeps_its_companions() {
    let mut w = World::new(meter());
    w.hub_time("2018-09-20T06:00:00Z").bindings([bound(ADA, LOS_ANGELES)]);
    w.meter_says(1, GLU_04).context(1, CTX_01);
    let key = w.only().key;
    w.take(News::Retract(key, Issue(0)));
    w.take(News::Reissue(key));
    let again = &w.readings[&(key, Issue(1))].0;
    assert!(matches!(again.companions.as_slice(), [Measurement::GlucoseContext(_)]));
}

/// sc-16 and CLINICAL 18: no zone, no instant; the printed offset is the one valid then.
#[test]
fn clinical_18_a_binding_without_a_zone_holds() {
    for tells in [false, true] {
        let mut w = World::new(if tells { telling(cuff()) } else { cuff() });
        w.hub_time("2024-06-15T21:17:40Z").bindings([bound(ADA, "no such zone")]);
        if tells {
            w.clock_shows(1, "2024-06-15T17:17:40");
        }
        w.cuff_says(1, BP_03);
        assert_eq!(w.held(1), Some(&Why::NoZone), "with a clock sample: {tells}");
        w.bindings([bound(ADA, NEW_YORK)]);
        assert_eq!(said(w.only()), "2024-06-15T17:17:27-04:00");
        assert_eq!(w.only().when.source, if tells { Source::Sample } else { Source::Zone });
    }
}

/// sc-17 and CLINICAL 21: memory from before the binding is one sealed group.
#[test]
fn clinical_21_memory_from_before_the_binding_is_sealed() {
    let mut w = World::new(meter());
    w.hub_time("2018-12-07T12:00:00Z").bindings([from("2018-11-01T00:00:00Z", bound(ADA, LOS_ANGELES))]);
    w.meter_says(1, GLU_04).meter_says(1, GLU_05).ends(1, End::Drained);
    let before = Why::BeforeBinding(crate::identity::Revision(1));
    assert_eq!((w.held(1), w.held(2), w.all().len()), (Some(&before), Some(&before), 0));
}

/// CLINICAL 21: a clock in 2020 is time doubt, not "earlier".
#[test]
fn clinical_21_a_reset_clock_is_not_earlier() {
    let mut w = World::new(cuff());
    w.hub_time("2024-06-15T21:17:40Z").bindings([from("2024-01-01T00:00:00Z", bound(ADA, NEW_YORK))]);
    w.cuff_says(1, BP_S7);
    assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::Reset)));
}

/// sc-19: a power cut between glucose and context.
#[test]
fn a_power_cut_between_glucose_and_context() {
    let cut = |device| {
        let mut w = World::new(device);
        w.hub_time("2024-01-30T06:10:00Z").bindings([bound(ADA, KOLKATA)]);
        w.at(300_000).meter_says(1, GLU_01).silence_until(599_000).boot();
        w
    };
    let mut w = cut(meter());
    assert_eq!((w.wants(1), w.all().len()), (vec![For::Partner], 0));
    w.at(60_000).context(2, CONTEXT_OF_15);
    assert_eq!((said(w.only()), w.only().companions.len()), ("2024-01-30T11:37:27+05:30".into(), 1));
    let mut w = cut(meter());
    w.silence_until(600_000);
    assert!(w.only().companions.is_empty());
    w.context(2, CONTEXT_OF_15).ends(2, End::Drained);
    assert_eq!(w.refused(2), Some(Refusal::LateContext));
    let mut w = cut(keeping_utc(meter()));
    w.silence_until(600_000);
    assert_eq!(said(w.only()), "2024-01-30T11:28:27+05:30");
}

/// A boot loop starves no reading.
#[test]
fn patience_is_counted_in_boots_too() {
    let mut w = World::new(meter());
    w.hub_time("2024-01-30T06:10:00Z").bindings([bound(ADA, KOLKATA)]).meter_says(1, GLU_01);
    for boot in 1..=PATIENT_BOOTS {
        assert!(w.all().is_empty(), "boot {boot}");
        w.boot();
        w.silence_until(599_000);
    }
    w.boot();
    assert_eq!(w.all().len(), 1);
}
