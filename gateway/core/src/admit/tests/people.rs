//! Whose: slots, edges, two people, and nobody.

use super::world::*;
use crate::admit::*;
use crate::capture::Uuid16;
use crate::identity::{Revision, Who};
use crate::reading::Doubt;

const AT_17_17_27: &str = "2024-06-15T21:17:40Z";
/// 120/80, user 1, 2024-06-15T17:17:27
const USER_1: &str = "0A78005000FF07E807060F11111B01";
/// The same of an unknown user.
const USER_UNKNOWN: &str = "0A78005000FF07E807060F11111BFF";

fn heard(bindings: impl Into<Vec<crate::identity::Binding>>, hex: &str) -> World {
    let mut w = World::new(cuff());
    w.hub_time(AT_17_17_27).bindings(bindings).cuff_says(1, hex);
    w
}

/// CLINICAL 23: sole use attested, or slots named; a guest or an unknown slot is held.
#[test]
fn clinical_23_a_slot_is_somebodys_only_if_named_or_attested() {
    let ada = || bound(ADA, NEW_YORK);
    for (bindings, hex, whose) in [
        (vec![slotted(1, ada())], USER_1, Ok(ADA)),
        (vec![slotted(2, ada())], USER_1, Err(Why::SlotUnknown)),
        (vec![ada()], USER_1, Err(Why::SlotUnknown)),
        (vec![attested(ada())], USER_1, Ok(ADA)),
        (vec![attested(ada())], USER_UNKNOWN, Err(Why::Guest)),
        (vec![slotted(1, ada())], USER_UNKNOWN, Err(Why::Guest)),
        (vec![slotted(1, ada()), slotted(2, bound(BEN, NEW_YORK))], USER_1, Ok(ADA)),
        (vec![slotted(1, ada())], BP_03, Err(Why::SlotUnknown)),
        (vec![ada()], BP_03, Ok(ADA)),
        (vec![], BP_03, Err(Why::NoPatient)),
        (vec![], USER_1, Err(Why::NoPatient)),
    ] {
        let w = heard(bindings.clone(), hex);
        let is = w.held(1).cloned().map_or_else(|| Ok(w.only().who), Err);
        assert_eq!(is, whose, "{hex} with {bindings:?}");
    }
}

/// CLINICAL 23: whoever shares a device has nothing of it until a person says so, record by record; and it is theirs only while it is
/// theirs by the time, too.
#[test]
fn a_shared_device_is_nobodys_until_a_person_says_whose() {
    let (ada, ben) = (|| shared(bound(ADA, NEW_YORK)), || shared(bound(BEN, NEW_YORK)));
    let give = |w: &mut World, who| {
        let Who::Person(person) = who else { panic!("a test shares nothing") };
        w.take(News::Give(RecordNo(1), person));
    };
    for bindings in [vec![ada()], vec![ada(), ben()]] {
        let mut w = heard(bindings, BP_03);
        assert_eq!(w.held(1), Some(&Why::Shared));
        give(&mut w, ADA);
        assert_eq!(w.only().who, ADA);
    }
    // Given, and taken before it was theirs, or over the edge of when it was.
    let late = |at| heard([ada(), from(at, ben())], BP_03);
    for (at, why) in [("2024-06-16T00:00:00Z", Why::NoPatient), ("2024-06-15T21:17:27.5Z", Why::Edge)] {
        let mut w = late(at);
        give(&mut w, BEN);
        assert_eq!(w.held(1), Some(&why));
        give(&mut w, ADA);
        assert_eq!(w.only().who, ADA);
    }
    // Whoever it was given to has the device no more: it is asked again.
    let mut w = heard([ada(), ben()], BP_03);
    w.bindings([ada()]);
    give(&mut w, BEN);
    assert_eq!(w.held(1), Some(&Why::Shared));
    // All of it from before: the sealed group, not a question for each.
    let w = heard([from("2024-06-16T00:00:00Z", ada()), from("2024-06-16T00:00:00Z", ben())], BP_03);
    assert_eq!(w.held(1), Some(&Why::BeforeBinding(Revision(1))));
    // A guest of a device that knows its users: somebody who was there may know.
    let mut w = heard([slotted(1, bound(ADA, NEW_YORK))], USER_UNKNOWN);
    give(&mut w, ADA);
    assert_eq!(w.only().who, ADA);
}

/// What was given is not disputed for having been given; and is, once the device is somebody else's alone.
#[test]
fn what_a_person_gave_is_theirs_while_the_device_is() {
    let mut w = heard([shared(bound(ADA, NEW_YORK)), shared(bound(BEN, NEW_YORK))], BP_03);
    let Who::Person(ben) = BEN else { panic!("a person") };
    w.take(News::Give(RecordNo(1), ben));
    let disputes = |w: &World, given| {
        let house = House { boots: &w.boots, catalog: &w.catalog, bindings: &w.bindings };
        disputed(w.only(), given, w.boots.utc(w.now), &house)
    };
    assert_eq!(disputes(&w, Some(ben)), None);
    // What nobody gave, and a binding that is shared now would not give.
    assert_eq!(disputes(&w, None), Some(Err(Why::Shared)));
    w.bindings([bound(ADA, NEW_YORK)]);
    assert_eq!(disputes(&w, Some(ben)), Some(Err(Why::Shared)));
}

/// CLINICAL 1: doubt about the person holds; it is bound by when it was taken, not by when it was heard.
#[test]
fn clinical_1_two_people_and_edges_are_held() {
    let noon = "2024-06-15T16:00:00Z";
    let at = |t| from(t, bound(BEN, NEW_YORK));
    let cases = [
        (vec![bound(ADA, NEW_YORK), at(noon)], Err(Why::TwoPeople)),
        (vec![until(noon, bound(ADA, NEW_YORK)), at(noon)], Ok(BEN)),
        // A clock that nobody compared may be five minutes off.
        (vec![until("2024-06-15T21:12:27Z", bound(ADA, NEW_YORK)), at("2024-06-15T21:12:27Z")], Ok(BEN)),
        (
            vec![until("2024-06-15T21:12:28Z", bound(ADA, NEW_YORK)), at("2024-06-15T21:12:28Z")],
            Err(Why::Edge),
        ),
        (
            vec![until("2024-06-15T21:17:28Z", bound(ADA, NEW_YORK)), at("2024-06-15T21:17:28Z")],
            Err(Why::Edge),
        ),
        // The second that the stamp names reaches over the edge.
        (
            vec![until("2024-06-15T21:17:27.5Z", bound(ADA, NEW_YORK)), at("2024-06-15T21:17:27.5Z")],
            Err(Why::Edge),
        ),
        (vec![until(noon, bound(ADA, NEW_YORK))], Err(Why::NoPatient)),
        (vec![at("2024-06-16T00:00:00Z")], Err(Why::BeforeBinding(Revision(1)))),
    ];
    for (bindings, whose) in cases {
        let w = heard(bindings.clone(), BP_03);
        let is = w.held(1).cloned().map_or_else(|| Ok(w.only().who), Err);
        assert_eq!(is, whose, "{bindings:?}");
    }
}

/// Without a clock sample the stamp is read in each candidate's zone: exactly one that contains it binds.
#[test]
fn a_stamp_is_read_in_each_candidates_zone() {
    // 17:17:27 is 21:17:27Z in New York and would be 00:17:27Z in Los Angeles.
    let edge = "2024-06-15T22:00:00Z";
    let mut w = World::new(cuff());
    w.hub_time("2024-06-16T01:00:00Z")
        .bindings([until(edge, bound(ADA, NEW_YORK)), from(edge, bound(BEN, LOS_ANGELES))])
        .cuff_says(1, BP_03);
    assert_eq!(w.held(1), Some(&Why::TwoPeople));
    w.bindings([until(edge, bound(ADA, NEW_YORK)), from("2024-06-16T00:30:00Z", bound(BEN, LOS_ANGELES))]);
    assert_eq!(w.only().who, ADA);
}

/// The same person bound twice is one person.
#[test]
fn two_bindings_of_one_person_are_no_doubt() {
    let mut young = bound(ADA, NEW_YORK);
    young.revision = Revision(2);
    let w = heard([bound(ADA, NEW_YORK), young], BP_03);
    assert_eq!(w.only().binding, Revision(2));
}

/// A cuff that nobody has been given yet: kept, and delivered when somebody binds it from before.
#[test]
fn bound_tomorrow() {
    let mut w = heard([], BP_03);
    w.ends(1, End::Drained).boot().at(1).hub_time("2024-06-16T10:00:00Z");
    let mut late = w.clone();
    w.bindings([from("2024-06-15T12:00:00Z", bound(ADA, NEW_YORK))]);
    assert_eq!(w.only().who, ADA);
    late.bindings([from("2024-06-16T10:00:00Z", bound(ADA, NEW_YORK))]);
    assert_eq!(late.held(1), Some(&Why::BeforeBinding(Revision(1))));
}

/// CLINICAL 24: somebody tries the device.
#[test]
fn a_test_binding_makes_test_readings() {
    let w = heard([bound(Who::Test, NEW_YORK)], BP_03);
    assert_eq!(w.only().who, Who::Test);
}

/// A corrected binding leaves given readings untouched, and says which it disputes.
#[test]
fn a_changed_binding_disputes_what_was_given() {
    let mut w = heard([bound(ADA, NEW_YORK)], BP_03);
    let given = w.only().clone();
    let midday = "2024-06-15T16:00:00Z";
    w.bindings([until(midday, bound(ADA, NEW_YORK)), from(midday, bound(BEN, NEW_YORK))]);
    let house = House { boots: &w.boots, catalog: &w.catalog, bindings: &w.bindings };
    assert_eq!(disputed(w.only(), None, w.boots.utc(w.now), &house), Some(Ok(BEN)));
    assert_eq!(w.only(), &given);
    let house = House { bindings: &[bound(ADA, NEW_YORK)], ..house };
    assert_eq!(disputed(&given, None, w.boots.utc(w.now), &house), None);
}

/// What a clock has dated is not disputed because another clock contradicts it since; only whose it is.
#[test]
fn a_given_time_is_not_disputed() {
    let mut w = World::new(telling(cuff()));
    w.hub_time(AT_17_17_27).bindings([bound(ADA, NEW_YORK)]).at(1_000);
    w.clock_shows(1, "2024-06-15T17:17:40").cuff_says(1, BP_03);
    let house = House { boots: &w.boots, catalog: &w.catalog, bindings: &w.bindings };
    let before = crate::when::Span::at(instant("2024-06-14T00:00:00Z"));
    assert_eq!(w.only().when.source, crate::when::Source::Sample);
    assert_eq!(disputed(w.only(), None, before, &house), None);
    let house = House { bindings: &[bound(BEN, NEW_YORK)], ..house };
    assert_eq!(disputed(w.only(), None, before, &house), Some(Ok(BEN)));
}

/// Two minutes before the cuff changed hands, by its own word: a person looked at that, and it is not asked again for ever.
#[test]
fn what_was_issued_anew_is_not_disputed_by_an_edge() {
    let mut w = heard([bound(ADA, NEW_YORK)], BP_03);
    let (key, hands) = (w.only().key, "2024-06-15T21:19:00Z");
    w.take(News::Retract(key, Issue(0)));
    w.take(News::Reissue(key));
    let bindings = [until(hands, bound(ADA, NEW_YORK)), from(hands, bound(BEN, NEW_YORK))];
    let house = House { boots: &w.boots, catalog: &w.catalog, bindings: &bindings };
    let again = w.all().into_iter().find(|reading| reading.issue == Issue(1));
    assert_eq!(disputed(again.expect("issued anew"), None, w.boots.utc(w.now), &house), None);
    let house = House { bindings: &[bound(BEN, NEW_YORK)], ..house };
    assert_eq!(disputed(again.expect("issued anew"), None, w.boots.utc(w.now), &house), Some(Ok(BEN)));
}

/// Heard before the cuff changed hands, and taken after that by its own word: its clock is a little fast, and a person sees it.
#[test]
fn a_word_from_just_after_a_hand_over_is_held_in_sight() {
    let hands = "2024-06-15T21:17:00Z";
    let mut w = World::new(cuff());
    w.hub_time("2024-06-15T21:16:40Z").cuff_says(1, BP_03);
    w.bindings([until(hands, bound(ADA, NEW_YORK)), from(hands, bound(BEN, NEW_YORK))]);
    assert_eq!(w.held(1), Some(&Why::Edge));
}

/// Before and after a home moved, one stamp can be two times of one person.
#[test]
fn a_stamp_that_fits_both_zones_of_a_home_that_moved_is_held() {
    // Taken at 17:17:27 in New York, or two hours later in Denver.
    let moved = "2024-06-15T22:00:00Z";
    let told = |at: &str, then: Who| {
        let mut w = World::new(cuff());
        w.hub_time(at);
        w.bindings([until(moved, bound(ADA, NEW_YORK)), from(moved, bound(then, "America/Denver"))]);
        w.cuff_says(1, BP_03);
        w
    };
    assert_eq!(told("2024-06-15T23:30:00Z", ADA).held(1), Some(&Why::Edge));
    assert_eq!(told("2024-06-15T23:30:00Z", BEN).held(1), Some(&Why::TwoPeople));
    // Two hours later was not yet when it was heard; unless the clock is wrong, and it is somebody else's.
    assert_eq!(told("2024-06-15T22:30:00Z", ADA).only().when.effective, instant("2024-06-15T21:17:27Z"));
    assert_eq!(told("2024-06-15T22:30:00Z", BEN).held(1), Some(&Why::Time(TimeDoubt::Future)));
    // Moved the other way, hours before: what New York would make of it was not yet, nor was it Ada's then.
    let mut w = World::new(cuff());
    let moved = "2024-06-15T12:00:00Z";
    w.hub_time(AT_17_17_27);
    w.bindings([until(moved, bound(ADA, "America/Denver")), from(moved, bound(BEN, NEW_YORK))]);
    assert_eq!(w.cuff_says(1, BP_03).only().who, BEN);
    // Moved and handed over after it was heard, and after any hour that Denver could make of it.
    let mut w = World::new(cuff());
    let moved = "2024-06-16T00:00:00Z";
    w.hub_time("2024-06-15T22:00:00Z");
    w.bindings([until(moved, bound(ADA, NEW_YORK)), from(moved, bound(BEN, "America/Denver"))]);
    assert_eq!(w.cuff_says(1, BP_03).only().who, ADA);
}

/// What anybody in reach could have sent is marked so.
#[test]
fn a_broadcast_is_marked() {
    let mut w = World::new(live(profile(crate::profile::Kind::WeightScale)));
    w.hub_time(AT_17_17_27).bindings([bound(ADA, NEW_YORK)]).hears(1, Uuid16::WEIGHT_MEASUREMENT, "00B036");
    assert!(!w.only().doubts.contains(&Doubt::Broadcast));
}

/// A model that nobody described is kept, and judged once its profile exists.
#[test]
fn an_unknown_profile_is_held() {
    let mut w = World::new(cuff());
    w.hub_time(AT_17_17_27).bindings([bound(ADA, NEW_YORK)]);
    w.catalog = Default::default();
    w.cuff_says(1, BP_03);
    assert_eq!(w.held(1), Some(&Why::UnknownProfile));
    w.catalog.insert(cuff());
    w.take(News::Profiles);
    assert_eq!(w.all().len(), 1);
}

/// What can't be read is refused, and read again by a newer profile.
#[test]
fn what_cannot_be_read_is_refused_by_name() {
    let mut w = heard([bound(ADA, NEW_YORK)], "1E780050006400EA07050C1235");
    assert!(matches!(w.refused(1), Some(Refusal::Undecodable(_))));
    w.take(News::Profiles);
    assert!(matches!(w.refused(1), Some(Refusal::Undecodable(_))));
}

/// A meter that is named by its System ID tells another one: its records are nobody's until a person looks.
#[test]
fn a_device_that_contradicts_its_identity_is_held() {
    let mut w = World::new(by_system_id(cuff()));
    w.hub_time(AT_17_17_27).bindings([bound(ADA, NEW_YORK)]).system_id().cuff_says(1, BP_03);
    assert_eq!(w.only().who, ADA);
    let other = Some(hearth_wire::gatt::SystemId([8, 7, 6, 5, 4, 3, 2, 1]));
    w.take(News::Identity(DEVICE, crate::identity::Facts { system_id: other, ..Default::default() }));
    w.cuff_says(2, "02780050006400E807060F0A0000");
    assert_eq!((w.held(2), w.all().len()), (Some(&Why::Identity), 1));
}

/// Only a person closes a held record, and then no binding, profile or hearing opens it again.
#[test]
fn a_closed_record_stays_closed() {
    let mut w = heard([], BP_03);
    w.take(News::Close(RecordNo(1)));
    let mut newer = cuff();
    newer.version = crate::reading::Version(2);
    w.catalog.insert(newer);
    w.take(News::Profiles);
    w.bindings([bound(ADA, NEW_YORK)]).cuff_says(2, BP_03);
    assert_eq!((w.refused(1), w.all().len(), w.records()), (Some(Refusal::Closed), 0, 1));
}
