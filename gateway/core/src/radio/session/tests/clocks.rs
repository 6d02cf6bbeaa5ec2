//! A clock that tells: compared before, set after (CLINICAL 19).

use super::super::Known;
use super::talk::*;
use crate::admit::End;
use crate::profile::{Keeps, Profile};
use crate::radio::Millis;
use crate::radio::session::{ClockEnd, Fault, Memory, Offer, Place, Tell};
use crate::when::{Face, Stamp};

/// An Omron cuff, as hass-omron #67 has it.
const CUFF: [Offer; 2] = [offer(0x1810, 0x2A35, INDICATE), offer(0x1805, 0x2A2B, CLOCK)];
const PRESSURE: &str = "16 7C00 5600 6100 E807060F11111B 3300 0000";

fn here() -> Known {
    timed("2024-06-15T21:17:40Z", "America/New_York")
}

/// The cuff's clock was asked for at 0 ms, and showed this at 100 ms.
fn shows(known: Known, hex: &str) -> Talk {
    let mut cuff = Talk::with("omron/blesmart", known, &CUFF);
    cuff.subscribes(0x1810, 0x2A35).ok().subscribes(0x1805, 0x2A2B).ok();
    cuff.reads(0x1805, 0x2A2B).at(100).gives(hex);
    cuff
}

/// It was 78 s behind, as that of hass-omron #67: within what its profile bears. Day of week 0 is what it says.
#[test]
fn a_clock_that_is_nearly_right_is_left_alone() {
    let mut cuff = shows(here(), "E807060F111016 00 00 00");
    cuff.tells_clock("2024-06-15T17:16:22", 0, 100).at(200).measures(0x2A35, PRESSURE).silence(5_200);
    let ending = cuff.ends_so(End::Drained, 1, Memory::NotAsked);
    assert_eq!(ending.clock, ClockEnd::Right { off_s: -78 });
}

/// An hour behind: everything is told first; then the clock is set, and what is told from there on is another contact,
/// compared anew.
#[test]
fn clinical_19_a_clock_is_set_after_the_memory_and_never_dates_what_came_before() {
    let mut cuff = shows(here(), "E807060F101128 06 00 01");
    cuff.tells_clock("2024-06-15T16:17:40", 0, 100).at(200).measures(0x2A35, PRESSURE).silence(5_200);
    cuff.tells(&Tell::AnotherContact).writes(0x1805, 0x2A2B, "E807060F11112D 06 33 02");
    // It tells that it was set: that is no comparison. What is measured just now is kept, in the new contact.
    cuff.says(0x2A2B, "E807060F11112D 06 33 02").measures(0x2A35, PRESSURE).at(5_300).ok();
    cuff.reads(0x1805, 0x2A2B).at(5_400).gives("E807060F11112D 06 00 02");
    cuff.tells_clock("2024-06-15T17:17:45", 5_300, 5_400);
    assert_eq!(cuff.ends_so(End::Drained, 2, Memory::NotAsked).clock, ClockEnd::Set);
}

/// One that says that it was never set is no comparison, and is set.
#[test]
fn a_clock_that_was_never_set_is_set() {
    let mut cuff = shows(here(), "00000000000000 00 00 00");
    cuff.silence(5_000).tells(&Tell::AnotherContact).writes(0x1805, 0x2A2B, "E807060F11112D 06 00 02");
    cuff.fails(Fault::Att(0x80)).reads(0x1805, 0x2A2B).fails(Fault::Gone);
    assert_eq!(cuff.ends().clock, ClockEnd::Set);
}

#[test]
fn a_wrong_clock_is_left_where_it_may_not_be_set() {
    let slow = "E807060F101128 06 00 01";
    // Nobody knows whether the cuff was done.
    let mut cut = shows(here(), slow);
    cut.tells_clock("2024-06-15T16:17:40", 0, 100).hangs_up();
    assert_eq!(cut.ends_so(End::Lost, 0, Memory::NotAsked).clock, ClockEnd::Wrong { off_s: -3_600 });
    // The hub does not know better.
    for ignorant in [known(), Known { zone: None, ..here() }, Known { time: None, ..here() }] {
        let mut unjudged = shows(ignorant, slow);
        unjudged.tells_clock("2024-06-15T16:17:40", 0, 100).silence(5_000);
        assert_eq!(unjudged.ends_so(End::Drained, 0, Memory::NotAsked).clock, ClockEnd::Unjudged);
    }
    // A part of it could not be subscribed to, and is still there, stamped by this clock.
    let offers = [CUFF[0], CUFF[1], offer(0x1810, 0x2B34, INDICATE)];
    let mut part = Talk::with("omron/blesmart", here(), &offers);
    part.subscribes(0x1810, 0x2A35).ok().subscribes(0x1810, 0x2B34).fails(Fault::Att(0x0E));
    part.subscribes(0x1805, 0x2A2B).ok().reads(0x1805, 0x2A2B).gives(slow);
    part.tells_clock("2024-06-15T16:17:40", 0, 0).silence(5_000);
    assert_eq!(part.ends_so(End::Lost, 0, Memory::NotAsked).clock, ClockEnd::Wrong { off_s: -3_600 });
    // Its profile does not say that the model takes it.
    let profile = Profile { clock: crate::profile::Clock { set_by: None, ..told().clock }, ..told() };
    let mut kept = Talk::of(&profile, here(), &CUFF);
    kept.subscribes(0x1810, 0x2A35).ok().subscribes(0x1805, 0x2A2B).ok();
    kept.reads(0x1805, 0x2A2B).gives(slow).tells_clock("2024-06-15T16:17:40", 0, 0).silence(5_000);
    assert_eq!(kept.ends().clock, ClockEnd::Wrong { off_s: -3_600 });
    // It does not take it.
    let mut refuses = shows(here(), slow);
    refuses.tells_clock("2024-06-15T16:17:40", 0, 100).silence(5_000).tells(&Tell::AnotherContact);
    refuses.writes(0x1805, 0x2A2B, "E807060F11112D 06 00 02").fails(Fault::Att(0x03));
    let ending = refuses.ends_so(End::Drained, 0, Memory::NotAsked);
    assert_eq!(ending.clock, ClockEnd::Refused(Fault::Att(0x03)));
}

fn told() -> Profile {
    profile("omron/blesmart")
}

/// Its own first word about the clock compares it, too, if less tightly; only the first, and only until it is set.
#[test]
fn a_clock_that_tells_by_itself() {
    let mut cuff = Talk::with("omron/blesmart", here(), &CUFF);
    cuff.subscribes(0x1810, 0x2A35).at(10).ok().subscribes(0x1805, 0x2A2B).at(20).ok();
    cuff.reads(0x1805, 0x2A2B).at(90).says(0x2A2B, "E807060F111128 06 00 00");
    cuff.tells_clock("2024-06-15T17:17:40", 10, 90).says(0x2A2B, "E807060F111128 06 00 00");
    cuff.fails(Fault::Att(0x02)).silence(5_020);
    assert_eq!(cuff.ends().clock, ClockEnd::Right { off_s: 0 });
}

#[test]
fn what_is_no_date_compares_nothing() {
    for hex in ["", "E807", "E8070D0F111128 06 00 00", "E807061F111128 06 00 00"] {
        let mut cuff = shows(here(), hex);
        cuff.silence(5_000);
        assert_eq!(cuff.ends_so(End::Drained, 0, Memory::NotAsked).clock, ClockEnd::Unread, "{hex}");
    }
}

/// Elapsed Time: local, or UTC with or without an offset, on the face that the device keeps. Date Time is read as it is.
#[test]
fn other_clocks_are_read_on_the_face_that_the_device_keeps() {
    let elapsed = |flags: &str, quarters: &str| format!("{flags} 74C1002E0000 06 {quarters} 00 00");
    // 771801460 seconds after 2000-01-01: 2024-06-15T21:17:40.
    for (keeps, characteristic, hex, shown) in [
        (Keeps::LocalTime, 0x2BF2, elapsed("20", "00"), Some("2024-06-15T21:17:40")),
        (Keeps::LocalTime, 0x2BF2, elapsed("32", "F0"), Some("2024-06-15T17:17:40")),
        (Keeps::LocalTime, 0x2BF2, elapsed("22", "00"), None),
        (Keeps::LocalTime, 0x2BF2, elapsed("21", "00"), None),
        (Keeps::Utc, 0x2BF2, elapsed("22", "00"), Some("2024-06-15T21:17:40")),
        (Keeps::Utc, 0x2BF2, elapsed("20", "00"), None),
        (Keeps::Utc, 0x2A08, "E807060F151128".to_owned(), Some("2024-06-15T21:17:40")),
        (Keeps::LocalTime, 0x2A08, "E807060F111128".to_owned(), Some("2024-06-15T17:17:40")),
    ] {
        let clock = crate::profile::Clock { keeps, set_by: None, ..told().clock };
        let offers = [CUFF[0], offer(0x1810, characteristic, READ)];
        let mut cuff = Talk::of(&Profile { clock, ..told() }, here(), &offers);
        cuff.subscribes(0x1810, 0x2A35).ok().reads(0x1810, characteristic).gives(&hex);
        if let Some(shown) = shown {
            let face = if keeps == Keeps::Utc { Face::Base } else { Face::Shown };
            let shown = Stamp { face, civil: shown.parse().unwrap() };
            cuff.tells(&Tell::Clock { shown, asked: Millis(0), answered: Millis(0) });
        }
        cuff.waits(5_000);
    }
}

/// The one in the measurement's own service is the device's; another may be somebody else's.
#[test]
fn a_date_time_is_written_in_the_service_of_the_measurement() {
    let offers = [offer(0x1805, 0x2A08, WRITE), CUFF[0], offer(0x1810, 0x2A08, WRITE)];
    let mut cuff = Talk::with("and/ua-651ble", here(), &offers);
    cuff.writes(0x1810, 0x2A08, "E807060F111128");
    assert_eq!(offers[2].place, Place { service: 0x1810, ..offers[0].place });
}
