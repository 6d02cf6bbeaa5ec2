//! Cuffs, thermometers, straps: what tells by itself.

use super::talk::*;
use crate::admit::End;
use crate::identity::Facts;
use crate::radio::bond::Evidence;
use crate::radio::session::{ClockEnd, Fault, LIMIT_MS, Memory, Offer, Tell};
use hearth_wire::gatt::SystemId;

const CUFF: [Offer; 1] = [offer(0x1810, 0x2A35, INDICATE)];
/// The test cuff of HL7's guide: 124/86, 2024-06-15 17:17:27.
const PRESSURE: &str = "16 7C00 5600 6100 E807060F11111B 3300 0000";

#[test]
fn a_cuff_tells_what_it_has_and_falls_silent() {
    let mut cuff = Talk::with("generic/blood-pressure", known(), &CUFF);
    cuff.subscribes(0x1810, 0x2A35).waits(35_000);
    // What BlueZ was subscribed to before may come before the answer.
    cuff.at(10).measures(0x2A35, PRESSURE);
    cuff.at(20).ok().waits(5_020);
    cuff.at(900).measures(0x2A35, PRESSURE).waits(5_900).silence(5_900);
    let ending = cuff.ends_so(End::Drained, 2, Memory::NotAsked);
    assert_eq!((ending.clock, ending.bond), (ClockEnd::None, Evidence::Proved));
    // And it stays ended; but what the device still says was confirmed, and is kept.
    cuff.ok().at(6_000).measures(0x2A35, PRESSURE).hangs_up();
    assert_eq!(cuff.ends().how, End::Drained);
}

/// What was subscribed to in an earlier connection is told before anything was discovered in this one.
#[test]
fn what_comes_before_the_discovery_is_kept() {
    let profile = profile("generic/blood-pressure");
    let mut early = Talk::up(&profile, known());
    early.waits(35_000).at(10).measures(0x2A35, PRESSURE).ok();
    early.at(900).offers(&profile, &CUFF).subscribes(0x1810, 0x2A35).offers(&profile, &[]).at(950).ok();
    early.silence(5_950).ends_so(End::Drained, 1, Memory::NotAsked);
    let mut cut = Talk::up(&profile, known());
    cut.at(10).measures(0x2A35, PRESSURE).hangs_up();
    assert_eq!(cut.ends_so(End::Lost, 1, Memory::NotAsked).bond, Evidence::Proved);
    let mut never = Talk::up(&profile, known());
    assert_eq!(never.silence(35_000).ends_so(End::Lost, 0, Memory::NotAsked).bond, Evidence::Cut);
}

/// A&D's sample for Android: the time, 100 ms, then indications; it hangs up by itself.
#[test]
fn an_and_cuff_is_told_the_time_first_and_hangs_up() {
    let offers = [CUFF[0], offer(0x1810, 0x2A08, WRITE)];
    let mut cuff = Talk::with("and/ua-651ble", timed("2024-06-15T21:17:40Z", "America/New_York"), &offers);
    cuff.writes(0x1810, 0x2A08, "E807060F111128").at(30).ok();
    cuff.silence(130).subscribes(0x1810, 0x2A35).at(140).ok();
    cuff.at(200).measures(0x2A35, PRESSURE).at(300).measures(0x2A35, PRESSURE);
    cuff.at(350).hangs_up();
    let ending = cuff.ends_so(End::Lost, 2, Memory::NotAsked);
    assert_eq!((ending.clock, ending.bond), (ClockEnd::Set, Evidence::Proved));
}

/// Its profile takes the System ID for its name: in the first connection nothing that it tells is a reading before that was
/// read, and it may hang up at any moment.
#[test]
fn what_names_a_cuff_is_read_before_its_measurements_may_come() {
    let system = offer(0x180A, 0x2A23, READ);
    let offers = [CUFF[0], offer(0x1810, 0x2A08, WRITE), ITSELF[0], system];
    let here = timed("2024-06-15T21:17:40Z", "America/New_York");
    let first = super::super::Known { facts: Facts::default(), battery: true, ..here };
    let mut cuff = Talk::with("and/ua-651ble", first, &offers);
    cuff.writes(0x1810, 0x2A08, "E807060F111128").at(30).ok().silence(130);
    cuff.reads(0x180A, 0x2A23).at(150).gives("020010 FEFF 12F3C4");
    let named = SystemId::decode(&octets("020010 FEFF 12F3C4")).unwrap().value;
    cuff.tells(&Tell::Facts(Facts { system_id: Some(named), ..Facts::default() }));
    cuff.subscribes(0x1810, 0x2A35).at(170).ok().reads(0x180A, 0x2A25).at(180).measures(0x2A35, PRESSURE);
    cuff.hangs_up();
    cuff.ends_so(End::Lost, 1, Memory::NotAsked);

    // Refused, it is collected all the same, and waits for a person.
    let nameless = super::super::Known { facts: Facts { system_id: None, ..known().facts }, ..known() };
    let mut cuff = Talk::with("and/ua-651ble", nameless, &[CUFF[0], system]);
    cuff.silence(100).reads(0x180A, 0x2A23).fails(Fault::Att(0x02)).subscribes(0x1810, 0x2A35).ok();
    cuff.silence(5_100);
    cuff.ends_so(End::Drained, 0, Memory::NotAsked);
}

/// A hub that does not know the time or the owner's zone sets no clock, and collects all the same.
#[test]
fn without_time_or_zone_no_clock_is_set() {
    let offers = [CUFF[0], offer(0x1810, 0x2A08, WRITE)];
    let here = timed("2024-06-15T21:17:40Z", "America/New_York");
    let mut loose = here.clone();
    if let Some(time) = &mut loose.time {
        time.utc.latest = "2024-06-15T21:17:43Z".parse().unwrap();
    }
    for ignorant in [known(), loose, super::super::Known { zone: None, ..here }] {
        let mut cuff = Talk::with("and/ua-651ble", ignorant, &offers);
        cuff.silence(100).subscribes(0x1810, 0x2A35).ok().at(200).measures(0x2A35, PRESSURE).hangs_up();
        assert_eq!(cuff.ends_so(End::Lost, 1, Memory::NotAsked).clock, ClockEnd::Unjudged);
    }
}

/// What can wait is read after the subscription, once: a refusal is no failure.
#[test]
fn what_a_cuff_says_of_itself_is_read_after_its_measurements_may_come() {
    let offers = [ITSELF[0], ITSELF[1], ITSELF[2], CUFF[0]];
    let mut cuff = Talk::with("generic/blood-pressure", super::super::Known::default(), &offers);
    cuff.subscribes(0x1810, 0x2A35).at(10).ok();
    cuff.reads(0x180A, 0x2A25).at(20).measures(0x2A35, PRESSURE).at(30).gives("303031 0000");
    cuff.tells(&Tell::Facts(Facts { serial: Some("001".into()), ..Facts::default() }));
    cuff.reads(0x180A, 0x2A29).at(40).fails(Fault::Att(0x02));
    cuff.reads(0x180F, 0x2A19).at(50).gives("64").tells(&Tell::Battery { percent: 100 });
    cuff.silence(5_020);
    let ending = cuff.ends_so(End::Drained, 1, Memory::NotAsked);
    assert_eq!(ending.faults, [(ITSELF[1].place, Fault::Att(0x02))]);

    let mut again = Talk::with("generic/blood-pressure", known(), &offers);
    again.subscribes(0x1810, 0x2A35).ok().silence(5_000);
    again.ends_so(End::Drained, 0, Memory::NotAsked);
}

/// ATT allows no request after one that was not answered: nothing else is asked, and nobody says that all was told.
#[test]
fn after_an_unanswered_request_the_hub_only_listens() {
    let offers = [CUFF[0], ITSELF[0], ITSELF[2]];
    let mut cuff = Talk::with("generic/blood-pressure", super::super::Known::default(), &offers);
    cuff.subscribes(0x1810, 0x2A35).ok().reads(0x180A, 0x2A25);
    cuff.at(34_000).measures(0x2A35, PRESSURE).silence(35_000).silence(39_000);
    let ending = cuff.ends_so(End::Lost, 1, Memory::NotAsked);
    assert_eq!(ending.faults, [(ITSELF[0].place, Fault::Unanswered)]);
}

#[test]
fn nothing_to_subscribe_to_is_the_end() {
    let mut none = Talk::with("generic/blood-pressure", known(), &[offer(0x1810, 0x2A35, READ), ITSELF[0]]);
    none.ends_so(End::Lost, 0, Memory::NotAsked);
    for (fault, evidence) in [
        (Fault::NotAllowed, Evidence::Refused),
        (Fault::Att(0x05), Evidence::Refused),
        (Fault::Att(0x0F), Evidence::Refused),
        (Fault::Att(0x0E), Evidence::Untried),
        (Fault::Gone, Evidence::Cut),
    ] {
        let mut refused = Talk::with("generic/blood-pressure", known(), &CUFF);
        refused.subscribes(0x1810, 0x2A35).fails(fault);
        assert_eq!(refused.ends_so(End::Lost, 0, Memory::NotAsked).bond, evidence, "{fault:?}");
    }
}

#[test]
fn a_link_that_breaks_says_what_it_says_of_the_bond() {
    // What is discovered may come from the stack's own memory: that is no answer of the device.
    let mut early = Talk::with("generic/blood-pressure", known(), &CUFF);
    early.subscribes(0x1810, 0x2A35).hangs_up();
    assert_eq!(early.ends_so(End::Lost, 0, Memory::NotAsked).bond, Evidence::Cut);
    let mut later = Talk::with("generic/blood-pressure", known(), &CUFF);
    later.subscribes(0x1810, 0x2A35).ok().hangs_up();
    assert_eq!(later.ends_so(End::Lost, 0, Memory::NotAsked).bond, Evidence::Untried);
    let mut wants = Talk::with("generic/blood-pressure", known(), &CUFF);
    wants.subscribes(0x1810, 0x2A35).session.wants_a_bond();
    assert_eq!(wants.ends_so(End::Lost, 0, Memory::NotAsked).bond, Evidence::Refused);
    let mut open = Talk::with("generic/heart-rate", known(), &[offer(0x180D, 0x2A37, NOTIFY)]);
    open.subscribes(0x180D, 0x2A37).fails(Fault::NotAllowed);
    assert_eq!(open.ends_so(End::Lost, 0, Memory::NotAsked).bond, Evidence::Untried, "it has none");
}

/// Two roads for one measurement: both are walked, nobody knows which one a cuff uses.
#[test]
fn every_measurement_of_the_kind_is_subscribed_to_once() {
    let offers = [
        offer(0x1810, 0x2A36, NOTIFY),
        offer(0x1810, 0x2B34, INDICATE),
        CUFF[0],
        CUFF[0],
        offer(0x1808, 0x2A18, NOTIFY),
    ];
    let mut cuff = Talk::with("generic/blood-pressure", known(), &offers);
    cuff.subscribes(0x1810, 0x2A35).ok().subscribes(0x1810, 0x2B34).ok().waits(5_000);
    // A pressure on the way is none, and another kind's value is not this device's.
    cuff.says(0x2A36, PRESSURE).says(0x2A18, "00 0100").waits(5_000);
}

/// A strap streams for as long as it is worn.
#[test]
fn nobody_is_held_on_to_for_ever() {
    let mut strap = Talk::with("generic/heart-rate", known(), &[offer(0x180D, 0x2A37, NOTIFY)]);
    strap.subscribes(0x180D, 0x2A37).ok();
    for second in 1..LIMIT_MS / 1_000 {
        strap.at(second * 1_000).measures(0x2A37, "00 3C");
    }
    strap.silence(LIMIT_MS);
    strap.ends_so(End::Lost, 599, Memory::NotAsked);
}

/// One that streams faster than anybody keeps leaves no moment in which time is up: the value that comes then ends it, and is
/// kept.
#[test]
fn nobody_is_held_on_to_for_ever_without_a_pause() {
    let mut strap = Talk::with("generic/heart-rate", known(), &[offer(0x180D, 0x2A37, NOTIFY)]);
    strap.subscribes(0x180D, 0x2A37).ok();
    strap.at(LIMIT_MS - 1).measures(0x2A37, "00 3C");
    strap.at(LIMIT_MS).measures(0x2A37, "00 3C");
    strap.ends_so(End::Lost, 2, Memory::NotAsked);
}

/// An Omron cuff's memory is its maker's: what is there is said, and nothing is pretended.
#[test]
fn a_makers_own_memory_is_left_alone() {
    let offers = [ITSELF[0], ITSELF[2]];
    let mut cuff = Talk::with("omron/hem-7142t2", super::super::Known::default(), &offers);
    cuff.reads(0x180A, 0x2A25).gives("").reads(0x180F, 0x2A19).gives("65");
    cuff.ends_so(End::Lost, 0, Memory::Vendor);
}
