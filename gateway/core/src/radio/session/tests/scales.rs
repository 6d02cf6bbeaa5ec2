//! Scales with users: Beurer BF720, from the frames and logs of ble-scale-sync.

use super::super::Known;
use super::talk::*;
use crate::admit::End;
use crate::identity::Slot;
use crate::radio::session::{ClockEnd, Consent, Fault, Memory, Offer};
use hearth_wire::gatt::UserControlResult;

const SCALE: [Offer; 4] = [
    offer(0x181B, 0x2A9C, INDICATE),
    offer(0x181D, 0x2A9D, INDICATE),
    offer(0x181C, 0x2A9F, CONTROL),
    offer(0x1805, 0x2A2B, CLOCK),
];
const WEIGHT: &str = "0E F22F E8070607080900 01 D400 A406";

fn family(users: &[(u8, u16)]) -> Known {
    Known {
        users: users.iter().map(|(slot, code)| (Slot(*slot), *code)).collect(),
        ..timed("2024-06-15T21:17:40Z", "America/New_York")
    }
}

/// The clock is written, everything is subscribed to: it is 0 ms.
fn scale(users: &[(u8, u16)]) -> Talk {
    let mut scale = Talk::with("beurer/bf720", family(users), &SCALE);
    // A Saturday; no fraction; set by an external reference. "Data field ignored" is a success.
    scale.writes(0x1805, 0x2A2B, "E807060F111128 06 00 02").fails(Fault::Att(0x80));
    scale.subscribes(0x181D, 0x2A9D).ok().subscribes(0x181B, 0x2A9C).ok().subscribes(0x181C, 0x2A9F).ok();
    scale
}

#[test]
fn each_user_is_asked_for_until_the_scale_falls_silent() {
    let mut scale = scale(&[(1, 4_242), (2, 7)]);
    scale.writes(0x181C, 0x2A9F, "02 01 9210").ok().at(10).says(0x2A9F, "20 02 01");
    scale.at(100).measures(0x2A9D, WEIGHT).at(150).measures(0x2A9C, "0000 C800").silence(5_150);
    scale.writes(0x181C, 0x2A9F, "02 02 0700").ok().says(0x2A9F, "20 02 01").silence(10_150);
    scale.silence(10_150);
    let ending = scale.ends_so(End::Drained, 2, Memory::NotAsked);
    assert_eq!(ending.consents, [(Slot(1), Consent::Granted), (Slot(2), Consent::Granted)]);
    assert_eq!((ending.clock, ending.faults), (ClockEnd::Set, vec![]));
}

/// A wrong code: that user's records stay on the scale, which is said; the others' come.
#[test]
fn a_refused_code_ends_one_user_and_is_not_tried_again() {
    let mut scale = scale(&[(1, 1), (2, 7)]);
    scale.writes(0x181C, 0x2A9F, "02 01 0100").ok().says(0x2A9F, "20 02 05");
    // The word about the second overtakes the answer.
    scale.writes(0x181C, 0x2A9F, "02 02 0700").says(0x2A9F, "20 02 01").ok();
    scale.at(9).measures(0x2A9D, WEIGHT).silence(5_009).silence(5_009);
    let ending = scale.ends_so(End::Lost, 1, Memory::NotAsked);
    let refused = Consent::Refused(UserControlResult::USER_NOT_AUTHORIZED);
    assert_eq!(ending.consents, [(Slot(1), refused), (Slot(2), Consent::Granted)]);
}

#[test]
fn a_scale_that_does_not_answer_a_code() {
    let mut silent = scale(&[(1, 1)]);
    silent.writes(0x181C, 0x2A9F, "02 01 0100").ok();
    // A word about something else is none about the code.
    silent.says(0x2A9F, "20 01 01 03").silence(5_000).silence(5_000);
    let ending = silent.silence(5_000).ends_so(End::Lost, 0, Memory::NotAsked);
    assert_eq!(ending.consents, [(Slot(1), Consent::Failed(Fault::Unanswered))]);

    let mut refuses = scale(&[(1, 1), (2, 2)]);
    refuses.writes(0x181C, 0x2A9F, "02 01 0100").hangs_up();
    let ending = refuses.ends_so(End::Lost, 0, Memory::NotAsked);
    assert_eq!(ending.consents, [(Slot(1), Consent::Untried), (Slot(2), Consent::Untried)]);
}

/// A composition that can't be subscribed to stays on the scale: weights come, and nobody says that this was all.
#[test]
fn a_measurement_that_is_refused_leaves_the_scale_undrained() {
    let mut scale = Talk::with("generic/body-composition-scale", known(), &SCALE);
    scale.subscribes(0x181D, 0x2A9D).ok().subscribes(0x181B, 0x2A9C).fails(Fault::Att(0x0E));
    scale.at(10).measures(0x2A9D, WEIGHT).silence(5_010);
    scale.ends_so(End::Lost, 1, Memory::NotAsked);
}

/// Without any code the scale may tell of a guest: it is listened to, and nobody says that it is drained.
#[test]
fn without_a_code_nobody_is_drained() {
    let mut scale = scale(&[]);
    scale.at(10).measures(0x2A9D, WEIGHT).silence(5_010);
    scale.ends_so(End::Lost, 1, Memory::NotAsked);
}
