//! Meters: what is asked for, and what is remembered of it.

use super::super::Known;
use super::talk::*;
use crate::admit::End;
use crate::capture::{Uuid16, named};
use crate::profile::Via;
use crate::radio::bond::Evidence;
use crate::radio::session::{Cursor, Fault, Memory, Offer};
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

/// A record of this number, all of one moment.
fn record(number: u16) -> String {
    let [low, high] = number.to_le_bytes();
    format!("00 {low:02X}{high:02X} E807011E053A1B")
}

fn cursor(number: u16) -> Cursor {
    Cursor { number, name: named(Uuid16::GLUCOSE_MEASUREMENT, &octets(&record(number))).unwrap() }
}

fn remembers(number: u16) -> Known {
    Known { cursor: Some(cursor(number)), ..known() }
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
            self.measures(0x2A18, &record(number));
        }
        self
    }
}

/// All is here, up to this number.
fn whole(number: impl Into<Option<u16>>) -> Memory {
    Memory::Whole { cursor: number.into().map(cursor), anew: false }
}

/// The record that was remembered was not there: everything was asked for.
fn anew(number: impl Into<Option<u16>>) -> Memory {
    Memory::Whole { cursor: number.into().map(cursor), anew: true }
}

#[test]
fn a_meter_that_nobody_knows_tells_everything() {
    let mut first = meter(known());
    first.requests("04 01").counts(3).requests("01 01").sends([7, 8]);
    first.measures(0x2A34, "02 0800 02").sends([9]).answers(SUCCESS);
    // A context may come after the meter's last word.
    first.at(900).measures(0x2A34, "02 0900 02").silence(1_900);
    let ending = first.ends_so(End::Drained, 5, whole(9));
    assert_eq!(ending.bond, Evidence::Proved);
}

/// What is asked for begins with the last record that is known: it comes, so this is the memory we know.
#[test]
fn what_is_new_is_asked_for_with_the_last_that_is_known() {
    let mut new = meter(remembers(41));
    new.requests("04 03 01 2900").counts(3).requests("01 03 01 2900").sends([41, 42, 43]).answers(SUCCESS);
    new.silence(1_500).ends_so(End::Drained, 3, whole(43));
    // The newest first, and one number twice.
    let mut reversed = meter(remembers(41));
    reversed.requests("04 03 01 2900").counts(3).requests("01 03 01 2900").sends([43, 43, 42, 41]);
    reversed.answers(SUCCESS).silence(1_500).ends_so(End::Drained, 4, whole(43));
}

/// The answer may overtake the word that the request arrived; one request is out at a time all the same.
#[test]
fn an_answer_may_come_early() {
    let mut early = meter(remembers(41));
    early.writes(0x1808, 0x2A52, "04 03 01 2900").counts(2).waits(35_500).ok();
    early.writes(0x1808, 0x2A52, "01 03 01 2900").sends([41, 42]).answers(SUCCESS).waits(35_500).ok();
    early.silence(1_500).ends_so(End::Drained, 2, whole(42));
}

#[test]
fn nothing_new() {
    let mut same = meter(remembers(41));
    same.requests("04 03 01 2900").counts(1).requests("01 03 01 2900").sends([41]).answers(SUCCESS);
    same.silence(1_500).ends_so(End::Drained, 1, whole(41));
}

/// A new battery, or a repair: a number alone would hide all of these.
#[test]
fn a_meter_whose_numbers_began_anew_tells_everything() {
    // Nothing from the cursor on.
    for said in ["05 00 0000", "06 00 04 06"] {
        let mut fewer = meter(remembers(41));
        fewer.requests("04 03 01 2900").answers(said).requests("04 01").counts(2).requests("01 01");
        fewer.sends([0, 1]).answers(SUCCESS).silence(1_500).ends_so(End::Drained, 2, anew(1));
    }
    // It came past the cursor already, as many records as it had: another one has its number.
    let mut past = meter(remembers(5));
    past.requests("04 03 01 0500").counts(2).requests("01 03 01 0500");
    past.measures(0x2A18, "00 0500 E807020102030405").sends([6]).answers(SUCCESS);
    past.requests("04 01").counts(7).requests("01 01").sends([0, 1, 2, 3, 4]);
    past.measures(0x2A18, "00 0500 E807020102030405").sends([6]).answers(SUCCESS);
    past.silence(1_500).ends_so(End::Drained, 9, anew(6));
    // Somebody erased it: whatever comes next is new.
    let mut erased = meter(remembers(41));
    erased.requests("04 03 01 2900").counts(0).requests("04 01").counts(0);
    erased.silence(1_500).ends_so(End::Drained, 0, anew(None));
}

/// A full memory forgot the record that was remembered; and what is asked for may be cut then, too.
#[test]
fn a_memory_that_forgot_the_last_record_tells_everything() {
    let mut full = meter(remembers(3));
    full.requests("04 03 01 0300").counts(2).requests("01 03 01 0300").sends([9, 10]).answers(SUCCESS);
    full.requests("04 01").counts(2).requests("01 01").sends([9, 10]).answers(SUCCESS);
    full.silence(1_500).ends_so(End::Drained, 4, anew(10));
    let mut cut = meter(remembers(3));
    cut.requests("04 03 01 0300").counts(2).requests("01 03 01 0300").sends([9, 10]).answers(SUCCESS);
    cut.requests("04 01").counts(2).requests("01 01").sends([9]).hangs_up();
    cut.ends_so(End::Lost, 3, Memory::Cut);
}

/// Some meters filter by plain number: near the wrap, nothing would be after the last one.
#[test]
fn near_the_wrap_all_is_asked_for() {
    for number in [0xFF00, 65_535] {
        let mut wrap = meter(remembers(number));
        wrap.requests("04 01").counts(2).requests("01 01").sends([65_535, 0]).answers(SUCCESS);
        wrap.silence(1_500).ends_so(End::Drained, 2, whole(0));
    }
    let mut before = meter(remembers(0xFEFF));
    before.requests("04 03 01 FFFE");
}

#[test]
fn all_is_asked_for_where_the_hub_says_so() {
    let mut all = meter(Known { all: true, ..remembers(41) });
    all.requests("04 01").counts(1).requests("01 01").sends([3]).answers(SUCCESS).silence(1_500);
    all.ends_so(End::Drained, 1, whole(3));
}

#[test]
fn a_meter_without_the_filter_is_asked_for_all() {
    let mut plain = meter(remembers(41));
    plain.requests("04 03 01 2900").answers("06 00 04 03").requests("04 01").counts(2).requests("01 01");
    plain.sends([43, 42]).answers(SUCCESS).silence(1_500).ends_so(End::Drained, 2, whole(43));
    // Nor can this one count.
    let mut plainer = meter(remembers(41));
    plainer.requests("04 03 01 2900").answers("06 00 04 02").requests("01 03 01 2900");
    plainer.answers("06 00 01 03").requests("01 01").sends([42]).answers(SUCCESS);
    plainer.silence(1_500).ends_so(End::Drained, 1, whole(42));
}

/// Fewer than were counted, or "not completed": once more, and then what is remembered stands.
#[test]
fn short_once_is_asked_again_and_short_twice_is_said() {
    let mut twice = meter(remembers(41));
    for _ in 0..2 {
        twice.requests("04 03 01 2900").counts(2).requests("01 03 01 2900").sends([41]).answers(SUCCESS);
    }
    twice.silence(1_500);
    twice.ends_so(End::Lost, 2, Memory::Part(Outcome::Short { expected: 2, received: 1 }));

    let mut mended = meter(known());
    mended.requests("04 01").counts(2).requests("01 01").sends([1]).answers("06 00 01 08");
    mended.requests("04 01").counts(2).requests("01 01").sends([1, 2]).answers(SUCCESS).silence(1_500);
    mended.ends_so(End::Drained, 3, whole(2));
}

/// A meter that falls silent half way is told to stop; what came is kept, and asked for again next time.
#[test]
fn an_abort_half_way_leaves_the_cursor() {
    let mut silent = meter(remembers(41));
    silent.requests("04 03 01 2900").counts(3).requests("01 03 01 2900").at(600).sends([41]);
    silent.silence(30_600).requests("03 00").silence(60_600).silence(61_600);
    silent.ends_so(End::Lost, 1, Memory::Part(Outcome::Silent { received: 1 }));

    let mut cut = meter(remembers(41));
    cut.requests("04 03 01 2900").counts(3).requests("01 03 01 2900").sends([41, 42]).hangs_up();
    cut.ends_so(End::Lost, 2, Memory::Cut);

    let refused = Outcome::Refused { of: Opcode::REPORT_STORED_RECORDS, code: ResponseCode(2) };
    let mut refuses = meter(known());
    refuses.requests("04 01").counts(3).requests("01 01").answers("06 00 01 02").silence(1_500);
    refuses.ends_so(End::Lost, 0, Memory::Part(refused));
}

#[test]
fn a_control_point_that_does_not_take_the_request() {
    // "Procedure already in progress": the same a second later, three times.
    let mut busy = meter(known());
    busy.writes(0x1808, 0x2A52, "04 01").fails(Fault::Att(0xFE)).silence(1_500);
    busy.requests("04 01").counts(0).silence(2_500);
    busy.ends_so(End::Drained, 0, whole(None));
    let mut counted = meter(known());
    counted.requests("04 01").counts(1);
    counted.writes(0x1808, 0x2A52, "01 01").fails(Fault::Att(0xFE)).silence(1_500);
    counted.requests("01 01").answers("06 00 01 02").silence(2_500);
    let refused = Outcome::Refused { of: Opcode::REPORT_STORED_RECORDS, code: ResponseCode(2) };
    counted.ends_so(End::Lost, 0, Memory::Part(refused));
    let mut busier = meter(known());
    for until in [1_500, 2_500, 3_500, 4_500] {
        busier.writes(0x1808, 0x2A52, "04 01").fails(Fault::Att(0xFE)).silence(until);
    }
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
    let mut oximeter = Talk::of(&profile, remembers(41), &offers);
    oximeter.subscribes(0x1822, 0x2A5E).ok().subscribes(0x1822, 0x2A52).ok();
    oximeter.writes(0x1822, 0x2A52, "04 01").ok().counts(2).writes(0x1822, 0x2A52, "01 01").ok();
    oximeter.measures(0x2A5E, "00 6200 3C00").measures(0x2A5E, "00 6200 3C00").answers(SUCCESS);
    oximeter.silence(1_000);
    oximeter.ends_so(End::Drained, 2, whole(None));
}
