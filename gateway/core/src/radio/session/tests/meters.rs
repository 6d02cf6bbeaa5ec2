//! Meters: what is asked for, and what is remembered of it.

use super::super::Known;
use super::talk::*;
use crate::admit::End;
use crate::profile::Via;
use crate::radio::bond::Evidence;
use crate::radio::session::{Fault, Memory, Offer};
use hearth_wire::racp::{Opcode, ResponseCode};
use hearth_wire::transfer::Outcome;

const METER: [Offer; 3] =
    [offer(0x1808, 0x2A18, NOTIFY), offer(0x1808, 0x2A34, NOTIFY), offer(0x1808, 0x2A52, CONTROL)];
const SUCCESS: &str = "06 00 01 01";

/// The meter was left alone for half a second, and everything is subscribed to: it is 500 ms.
fn meter(known: Known) -> Talk {
    let mut meter = Talk::with("generic/glucose", known, &METER);
    meter.silence(500).subscribes(0x1808, 0x2A18).ok().subscribes(0x1808, 0x2A34).ok();
    meter.subscribes(0x1808, 0x2A52).ok();
    meter
}

fn remembers(cursor: u16, total: u16) -> Known {
    Known { cursor: Some(cursor), total: Some(total), ..known() }
}

impl Talk {
    /// To the control point, and taken.
    #[track_caller]
    fn requests(&mut self, hex: &str) -> &mut Talk {
        self.writes(0x1808, 0x2A52, hex).ok()
    }

    fn answers(&mut self, hex: &str) -> &mut Talk {
        self.says(0x2A52, hex)
    }

    fn counts(&mut self, records: u16) -> &mut Talk {
        let [low, high] = records.to_le_bytes();
        self.answers(&format!("05 00 {low:02X}{high:02X}"))
    }

    fn sends(&mut self, numbers: impl IntoIterator<Item = u16>) -> &mut Talk {
        for number in numbers {
            let [low, high] = number.to_le_bytes();
            self.measures(0x2A18, &format!("00 {low:02X}{high:02X} E807011E053A1B"));
        }
        self
    }
}

fn whole(cursor: impl Into<Option<u16>>, total: impl Into<Option<u16>>, anew: bool) -> Memory {
    Memory::Whole { cursor: cursor.into(), total: total.into(), anew }
}

#[test]
fn a_meter_that_nobody_knows_tells_everything() {
    let mut first = meter(known());
    first.requests("04 01").counts(3).requests("01 01").sends([7, 8]);
    first.measures(0x2A34, "02 0800 02").sends([9]).answers(SUCCESS);
    // A context may come after the meter's last word.
    first.at(900).measures(0x2A34, "02 0900 02").silence(1_900);
    let ending = first.ends_so(End::Drained, 5, whole(9, 3, false));
    assert_eq!(ending.bond, Evidence::Proved);
}

#[test]
fn what_is_new_is_asked_for_and_all_is_counted() {
    let mut new = meter(remembers(41, 42));
    new.requests("04 03 01 2A00").counts(2).requests("01 03 01 2A00").sends([42, 43]).answers(SUCCESS);
    new.requests("04 01").counts(44).silence(1_500);
    new.ends_so(End::Drained, 2, whole(43, 44, false));
}

/// The answer may overtake the word that the request arrived; one request is out at a time all the same.
#[test]
fn an_answer_may_come_early() {
    let mut early = meter(remembers(41, 42));
    early.writes(0x1808, 0x2A52, "04 03 01 2A00").counts(2).waits(35_500).ok();
    early.writes(0x1808, 0x2A52, "01 03 01 2A00").sends([42, 43]).answers(SUCCESS).waits(35_500).ok();
    early.writes(0x1808, 0x2A52, "04 01").counts(44).waits(35_500).ok().silence(1_500);
    early.ends_so(End::Drained, 2, whole(43, 44, false));
}

#[test]
fn nothing_new() {
    for said in ["05 00 0000", "06 00 04 06"] {
        let mut same = meter(remembers(41, 42));
        same.requests("04 03 01 2A00").answers(said).requests("04 01").counts(42).silence(1_500);
        same.ends_so(End::Drained, 0, whole(41, 42, false));
    }
    // Of a meter that can't count all, nobody knows whether its numbers began anew.
    let mut cannot = meter(remembers(41, 42));
    cannot.requests("04 03 01 2A00").counts(0).requests("04 01").answers("06 00 04 03").requests("01 01");
    cannot.sends([41]).answers(SUCCESS).silence(1_500);
    cannot.ends_so(End::Drained, 1, whole(41, 1, true));
}

/// A full memory forgets the oldest: as many as before, with new ones among them.
#[test]
fn a_full_memory_is_the_same_memory() {
    let mut full = meter(remembers(700, 500));
    full.requests("04 03 01 BD02").counts(2).requests("01 03 01 BD02").sends([701, 702]).answers(SUCCESS);
    full.requests("04 01").counts(500).silence(1_500);
    full.ends_so(End::Drained, 2, whole(702, 500, false));
}

/// Numbers wrap at 65,535.
#[test]
fn the_cursor_wraps() {
    let mut wrap = meter(remembers(65_535, 10));
    wrap.requests("04 03 01 0000").counts(1).requests("01 03 01 0000").sends([0]).answers(SUCCESS);
    wrap.requests("04 01").counts(11).silence(1_500);
    wrap.ends_so(End::Drained, 1, whole(0, 11, false));
}

/// A new battery, or a repair: a cursor alone would lose all of these.
#[test]
fn a_meter_whose_numbers_began_anew_tells_everything() {
    // Nothing after the cursor, and fewer than there were.
    let mut fewer = meter(remembers(41, 42));
    fewer.requests("04 03 01 2A00").counts(0).requests("04 01").counts(2).requests("01 01");
    fewer.sends([0, 1]).answers(SUCCESS).silence(1_500);
    fewer.ends_so(End::Drained, 2, whole(1, 2, true));
    // It came past the cursor already.
    let mut past = meter(remembers(5, 300));
    past.requests("04 03 01 0600").counts(2).requests("01 03 01 0600").sends([6, 7]).answers(SUCCESS);
    past.requests("04 01").counts(8).requests("01 01").sends(0..8).answers(SUCCESS).silence(1_500);
    past.ends_so(End::Drained, 10, whole(7, 8, true));
    // More than there were, though nothing is new by its number.
    let mut more = meter(remembers(500, 2));
    more.requests("04 03 01 F501").counts(0).requests("04 01").counts(3).requests("01 01");
    more.sends([1, 2, 3]).answers(SUCCESS).silence(1_500);
    more.ends_so(End::Drained, 3, whole(3, 3, true));
    // Somebody erased it: whatever comes next is new.
    let mut erased = meter(remembers(41, 42));
    erased.requests("04 03 01 2A00").counts(0).requests("04 01").counts(0).silence(1_500);
    erased.ends_so(End::Drained, 0, whole(None, 0, true));
}

/// What counts can't show, asking for all now and then does. So is a meter asked of which no total is known.
#[test]
fn all_is_asked_for_where_the_hub_says_so_or_knows_no_total() {
    let mut all = meter(Known { all: true, ..remembers(41, 42) });
    all.requests("04 01").counts(1).requests("01 01").sends([3]).answers(SUCCESS).silence(1_500);
    all.ends_so(End::Drained, 1, whole(3, 1, false));
    let mut unknown = meter(Known { total: None, ..remembers(1, 0) });
    unknown.requests("04 03 01 0200").counts(0).requests("04 01").counts(2).requests("01 01");
    unknown.sends([0, 1]).answers(SUCCESS).silence(1_500);
    unknown.ends_so(End::Drained, 2, whole(1, 2, true));
}

#[test]
fn a_meter_without_the_filter_is_asked_for_all() {
    let mut plain = meter(remembers(41, 42));
    plain.requests("04 03 01 2A00").answers("06 00 04 03").requests("04 01").counts(2).requests("01 01");
    plain.sends([42, 41]).answers(SUCCESS).silence(1_500);
    plain.ends_so(End::Drained, 2, whole(42, 2, false));
}

/// Fewer than were counted, or "not completed": once more, and then what is remembered stands.
#[test]
fn short_once_is_asked_again_and_short_twice_is_said() {
    let mut twice = meter(remembers(41, 42));
    for _ in 0..2 {
        twice.requests("04 03 01 2A00").counts(2).requests("01 03 01 2A00").sends([42]).answers(SUCCESS);
    }
    twice.silence(1_500);
    twice.ends_so(End::Lost, 2, Memory::Part(Outcome::Short { expected: 2, received: 1 }));

    let mut mended = meter(known());
    mended.requests("04 01").counts(2).requests("01 01").sends([1]).answers("06 00 01 08");
    mended.requests("04 01").counts(2).requests("01 01").sends([1, 2]).answers(SUCCESS).silence(1_500);
    mended.ends_so(End::Drained, 3, whole(2, 2, false));
}

/// A meter that falls silent half way is told to stop; what came is kept, and asked for again next time.
#[test]
fn an_abort_half_way_leaves_the_cursor() {
    let mut silent = meter(remembers(41, 42));
    silent.requests("04 03 01 2A00").counts(3).requests("01 03 01 2A00").at(600).sends([42]);
    silent.silence(30_600).requests("03 00").silence(60_600).silence(61_600);
    silent.ends_so(End::Lost, 1, Memory::Part(Outcome::Silent { received: 1 }));

    let mut cut = meter(remembers(41, 42));
    cut.requests("04 03 01 2A00").counts(3).requests("01 03 01 2A00").sends([42]).hangs_up();
    cut.ends_so(End::Lost, 1, Memory::Cut);

    let refused = Outcome::Refused { of: Opcode::REPORT_STORED_RECORDS, code: ResponseCode(2) };
    let mut refuses = meter(known());
    refuses.requests("04 01").counts(3).requests("01 01").answers("06 00 01 02").silence(1_500);
    refuses.ends_so(End::Lost, 0, Memory::Part(refused));
}

/// A count that stays unanswered takes nothing back that came; next time all is asked for.
#[test]
fn a_meter_that_falls_silent_at_the_last_count_has_told_what_is_new() {
    let mut silent = meter(remembers(41, 42));
    silent.requests("04 03 01 2A00").counts(1).requests("01 03 01 2A00").sends([42]).answers(SUCCESS);
    silent.requests("04 01").silence(30_500).requests("03 00").silence(60_500).silence(61_500);
    silent.ends_so(End::Drained, 1, whole(42, None, false));
}

#[test]
fn a_control_point_that_does_not_take_the_request() {
    // "Procedure already in progress": a second later, once.
    let mut busy = meter(known());
    busy.writes(0x1808, 0x2A52, "04 01").fails(Fault::Att(0xFE)).silence(1_500);
    busy.requests("04 01").counts(0).silence(2_500);
    busy.ends_so(End::Drained, 0, whole(None, 0, false));
    let mut busier = meter(known());
    busier.writes(0x1808, 0x2A52, "04 01").fails(Fault::Att(0xFE)).silence(1_500);
    busier.writes(0x1808, 0x2A52, "04 01").fails(Fault::Att(0xFE)).silence(2_500);
    busier.ends_so(End::Lost, 0, Memory::Failed(Fault::Att(0xFE)));
    // A bond that is good enough to subscribe, and not to write.
    let mut refused = meter(known());
    refused.writes(0x1808, 0x2A52, "04 01").fails(Fault::NotAllowed).silence(1_500);
    let ending = refused.ends_so(End::Lost, 0, Memory::Failed(Fault::NotAllowed));
    assert_eq!(ending.bond, Evidence::Refused);
    // It can't answer: it is not asked.
    let mut deaf = Talk::with("generic/glucose", known(), &METER);
    deaf.silence(500).subscribes(0x1808, 0x2A18).ok().subscribes(0x1808, 0x2A34).ok();
    deaf.subscribes(0x1808, 0x2A52).fails(Fault::Att(0x0E)).silence(1_500);
    deaf.ends_so(End::Lost, 0, Memory::Failed(Fault::Att(0x0E)));
    let mut none = Talk::with("generic/glucose", known(), &METER[..2]);
    none.silence(500).subscribes(0x1808, 0x2A18).ok().subscribes(0x1808, 0x2A34).ok().silence(1_500);
    none.ends_so(End::Lost, 0, Memory::NotOffered);
}

/// An oximeter's records have no numbers: they are counted, all are asked for, and no cursor is remembered.
#[test]
fn an_oximeters_memory_has_no_cursor() {
    let mut profile = profile("generic/pulse-oximeter");
    profile.collect.via = Via::Racp;
    let offers = [offer(0x1822, 0x2A5E, INDICATE), offer(0x1822, 0x2A52, CONTROL)];
    let mut oximeter = Talk::of(&profile, remembers(41, 2), &offers);
    oximeter.subscribes(0x1822, 0x2A5E).ok().subscribes(0x1822, 0x2A52).ok();
    oximeter.writes(0x1822, 0x2A52, "04 01").ok().counts(2).writes(0x1822, 0x2A52, "01 01").ok();
    oximeter.measures(0x2A5E, "00 6200 3C00").measures(0x2A5E, "00 6200 3C00").answers(SUCCESS);
    oximeter.silence(1_000);
    oximeter.ends_so(End::Drained, 2, whole(None, 2, false));
}
