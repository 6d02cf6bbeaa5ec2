//! What may be seen from outside.

use super::world::*;
use crate::store::*;
use hearth_core::admit::{End, News, RecordNo, Why};
use hearth_core::identity::Who;
use hearth_core::when::HubTicks;
use jiff::SignedDuration;

fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

/// CLINICAL 21: memory from before the binding is one sealed, counted group for each device.
#[test]
fn memory_from_before_the_binding_is_one_sealed_group() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-12-07T12:00:00Z");
    let mut binding = w.bound(LOS_ANGELES);
    binding.from = instant("2018-11-01T00:00:00Z");
    w.take(News::Bindings(vec![binding]));
    let contact = w.contact();
    for hex in [GLU_04, GLU_05, "024000E20709140B1B0778B0F8"] {
        w.meter_says(contact, hex);
    }
    w.ends(contact, End::Drained);
    assert!(matches!(w.held(1), Some(Why::BeforeBinding(_))));
    let now = w.now;
    let held = w.store().held(daemon(now), None).unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!((held[0].record, held[0].records, held[0].reason.as_str()), (None, 3, "before-binding"));
}

/// CLINICAL 5: with their age, over boots, and what is young is left out.
#[test]
fn held_records_are_shown_with_their_age() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    let contact = w.contact();
    w.meter_says(contact, GLU_04);
    w.ends(contact, End::Drained);
    assert_eq!(w.held(1), Some(Why::NoPatient));
    w.at(hours(2).as_millis() as i64);
    let contact = w.contact();
    // 15:30 in Berlin, after the memory was drained.
    w.meter_says(contact, "033100E2070A07161E005CFE7EB0F1");
    w.ends(contact, End::Drained);
    let now = w.now;
    let ages = |w: &mut World, now, least| -> Vec<(i64, SignedDuration)> {
        let held = w.store().held(daemon(now), least).unwrap();
        held.into_iter().map(|held| (held.record.unwrap().0, held.age)).collect()
    };
    assert_eq!(ages(&mut w, now, None), [(1, hours(2)), (2, hours(0))]);
    assert_eq!(ages(&mut w, now, Some(hours(1))), [(1, hours(2))]);
    assert_eq!(ages(&mut w, now, Some(hours(3))), []);
    // A day later, after a reboot: at least as long as the two clocks allow.
    w.power_cut();
    w.hub_time("2018-10-08T12:00:00Z");
    let now = w.now;
    let later = ages(&mut w, now, Some(hours(21)));
    assert_eq!(later.iter().map(|(record, _)| *record).collect::<Vec<_>>(), [1, 2]);
    let least = hours(24) - SignedDuration::from_secs(1);
    assert!(later[0].1 > least && later[0].1 <= hours(24), "{later:?}");
    // Another reason does not begin the wait anew.
    w.bind("Europe/Berlin");
    let mut zoneless = w.bound(LOS_ANGELES);
    zoneless.zone = None;
    w.take(News::Bindings(vec![zoneless]));
    let status = w.store().status(daemon(now)).unwrap();
    assert_eq!((status.readings, status.held.len()), (2, 0), "they were admitted under the first binding");
}

#[test]
fn a_hold_keeps_its_age_when_its_reason_changes() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    let contact = w.contact();
    w.meter_says(contact, GLU_04);
    w.ends(contact, End::Drained);
    w.at(hours(5).as_millis() as i64);
    let mut zoneless = w.bound(LOS_ANGELES);
    zoneless.zone = None;
    w.take(News::Bindings(vec![zoneless]));
    let now = w.now;
    let held = w.store().held(daemon(now), None).unwrap();
    assert_eq!((held[0].reason.as_str(), held[0].age), ("no-zone", hours(5)));
    assert_eq!(held[0].record, Some(RecordNo(1)));
    let status = w.store().status(daemon(now)).unwrap();
    assert_eq!((status.held[0].reason.as_str(), status.held[0].oldest), ("no-zone", Some(hours(5))));
}

/// The hub never learnt the time: at least as long as this boot runs.
#[test]
fn ages_without_a_clock_are_told_by_ticks() {
    let mut w = World::of(catalog(&[]), 0x1234);
    let contact = w.at(hours(9).as_millis() as i64).contact();
    w.meter_says(contact, GLU_04);
    assert_eq!(w.held(1), Some(Why::UnknownProfile));
    w.power_cut();
    let now = w.at(hours(3).as_millis() as i64).now;
    assert_eq!(w.store().held(daemon(now), None).unwrap()[0].age, hours(3));
}

#[test]
fn the_house_in_numbers() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    let contact = w.contact();
    w.meter_says(contact, "02");
    w.meter_says(contact, GLU_04);
    w.meter_says(contact, GLU_04);
    w.ends(contact, End::Drained);
    w.bind(LOS_ANGELES);
    let contact = w.contact();
    w.meter_says(contact, GLU_01);
    let now = w.now;
    let status = w.store().status(daemon(now)).unwrap();
    assert_eq!((status.heard, status.records, status.readings, status.retracted), (4, 3, 1, 0));
    let words = |groups: &[Group]| -> Vec<(String, u64)> {
        groups.iter().map(|group| (group.reason.clone(), group.records)).collect()
    };
    assert_eq!(words(&status.refused), [("undecodable".to_owned(), 1)]);
    assert_eq!(words(&status.waiting), [("partner".to_owned(), 1)]);
    assert_eq!(words(&status.held), []);
    assert_eq!(status.outbox.len(), 1);
    let clinic = &status.outbox[0];
    assert_eq!((clinic.destination.as_str(), clinic.state.as_str(), clinic.rows), ("clinic", "waiting", 1));
    assert_eq!(clinic.oldest, instant("2018-09-20T05:27:07Z"));
    w.deliver("2018-10-07T12:00:10Z");
    assert_eq!(w.store().status(daemon(now)).unwrap().outbox[0].state, "delivered");
    assert!(w.store().outbox(None, false).unwrap().is_empty());
    assert_eq!(w.store().outbox(None, true).unwrap().len(), 1);
}

#[test]
fn devices_with_what_they_said() {
    let mut w = World::new(catalog(&[BY_SYSTEM_ID]));
    let device = w.device;
    w.system_id();
    let other = hearth_wire::gatt::SystemId([9; 8]);
    let more = hearth_core::identity::Facts { system_id: Some(other), ..Default::default() };
    w.take(News::Identity(device, more));
    w.contact();
    let devices = w.store().devices().unwrap();
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].contradicted, ["system id"]);
    assert_eq!(devices[0].profile.as_ref().map(|p| p.0.as_str()), Some("test/meter"));
    assert_eq!(
        devices[0].identity,
        Some(hearth_core::identity::Identity::SystemId([8, 7, 6, 5, 4, 3, 2, 1]))
    );
    assert!(devices[0].bonded && devices[0].last_contact.is_some());
}

/// A corrected binding leaves given readings untouched, and shows them.
#[test]
fn a_corrected_binding_disputes_what_was_given() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    w.bind(LOS_ANGELES);
    let contact = w.contact();
    w.meter_says(contact, GLU_04);
    w.meter_says(contact, GLU_05);
    w.ends(contact, End::Drained);
    assert!(w.store().disputed().unwrap().is_empty());
    let (ada, clinic) = (w.ada, w.clinic);
    let ben = w.store().person_for(clinic, &patient("ben-2"), None).unwrap();
    let (mut hers, mut his) = (w.bound(LOS_ANGELES), w.bound(LOS_ANGELES));
    hers.until = Some(instant("2018-10-01T00:00:00Z"));
    his.from = instant("2018-10-01T00:00:00Z");
    his.who = Who::Person(ben);
    w.take(News::Bindings(vec![hers, his]));
    let disputed = w.store().disputed().unwrap();
    assert_eq!(
        disputed,
        [Disputed { reading: ReadingNo(2), given_to: Who::Person(ada), today: Ok(Who::Person(ben)) }]
    );
    assert_eq!(w.count("outbox"), 2);
    let (key, issue) = w.store().key_of(ReadingNo(2)).unwrap();
    w.take(News::Retract(key, issue));
    assert!(w.store().disputed().unwrap().is_empty());
}

/// Bindings are history: what stays keeps its revision, what changes gets the next.
#[test]
fn bindings_keep_their_history() {
    let mut w = World::new(catalog(&[]));
    let now = w.now;
    let (one, mut two) = (w.bound(LOS_ANGELES), w.bound(LOS_ANGELES));
    two.until = Some(instant("2019-01-01T00:00:00Z"));
    let revisions =
        |w: &mut World| -> Vec<u32> { w.store().bindings().unwrap().iter().map(|b| b.revision.0).collect() };
    w.take(News::Bindings(vec![one.clone()]));
    assert_eq!(revisions(&mut w), [1]);
    w.store().bind(vec![one.clone(), two.clone()], "command", "technician", now).unwrap();
    assert_eq!(revisions(&mut w), [1, 2]);
    w.take(News::Bindings(vec![two]));
    assert_eq!(revisions(&mut w), [2]);
    w.take(News::Bindings(vec![]));
    w.take(News::Bindings(vec![one]));
    assert_eq!(revisions(&mut w), [5]);
    assert_eq!(w.count("binding"), 3, "nothing is overwritten");
}

/// CLINICAL 5: a log's ticks and its time are none of this hub's: what it left has waited since it was replayed, whatever year it
/// speaks of, and whether or not a daemon runs.
#[test]
fn what_a_log_left_is_as_old_as_its_replay() {
    for stated in ["2024-06-15T12:00:00Z", "2031-06-15T12:00:00Z"] {
        let mut w = World::new(catalog(&[]));
        let own = w.now;
        let boot = w.store().begin_replayed_boot(None, instant("2026-11-24T08:00:00Z")).unwrap();
        w.now = HubTicks { boot, ms: 0 };
        w.hub_time(stated);
        let contact = w.contact();
        w.meter_says(contact, GLU_04);
        w.ends(contact, End::Drained);
        assert_eq!(w.held(1), Some(Why::NoPatient));
        for counted in [true, false] {
            let now = Now { ticks: own, counted, utc: instant("2026-11-24T11:00:00Z") };
            assert_eq!(w.store().held(now, None).unwrap()[0].age, hours(3), "{stated}, counted: {counted}");
            let status = w.store().status(now).unwrap();
            assert_eq!(status.held[0].oldest, Some(hours(3)), "{stated}, counted: {counted}");
        }
    }
}

/// A log that is over tells no time any more: what waits for it waits for a person, who may close it.
#[test]
fn what_a_log_did_not_date_waits_for_a_person() {
    let mut w = World::new(catalog(&[]));
    let own = w.now;
    // Another log's time, before and after, says nothing of it.
    for (stated, record) in [(Some("2024-06-15T12:00:00Z"), 1), (None, 2), (Some("2024-06-16T12:00:00Z"), 3)]
    {
        let boot = w.store().begin_replayed_boot(None, instant("2026-11-24T08:00:00Z")).unwrap();
        w.now = HubTicks { boot, ms: 0 };
        if let Some(stated) = stated {
            w.hub_time(stated);
        }
        w.bind(LOS_ANGELES);
        let contact = w.contact();
        let hex = [GLU_04, GLU_05, "024000E20709140B1B0778B0F8"][record - 1];
        w.meter_says(contact, hex);
        w.ends(contact, End::Drained);
    }
    w.now = own;
    let now = Now { ticks: own, counted: true, utc: instant("2026-11-24T09:00:00Z") };
    let held = w.store().held(now, None).unwrap();
    let words: Vec<_> = held.iter().map(|h| (h.record.map(|r| r.0), h.reason.as_str(), h.age)).collect();
    assert_eq!(words, [(Some(2), "time-of-log", hours(1))]);
    let status = w.store().status(now).unwrap();
    assert_eq!((status.waiting, status.held.len(), status.readings), (vec![], 1, 2));
    w.take(News::Close(RecordNo(2)));
    assert_eq!(w.store().held(now, None).unwrap(), []);
}

/// CLINICAL 22 and 29: a destination hears of devices only of people whom it knows and may know of now, and of none that
/// has a label.
#[test]
fn clinical_29_what_concerns_a_destination() {
    let concerning = |w: &mut World, utc: &str| {
        let now = Now { utc: instant(utc), ..daemon(w.now) };
        let clinic = w.clinic;
        let found = w.store().concerning(clinic, now).unwrap();
        (found.devices.len(), found.devices.first().and_then(|one| one.last_heard), found.held)
    };
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    w.bind(LOS_ANGELES);
    let contact = w.contact();
    w.ends(contact, End::Drained);
    let (devices, heard, held) = concerning(&mut w, "2018-10-07T13:00:00Z");
    assert_eq!((devices, held), (1, None));
    let early = instant("2018-10-07T12:00:00Z").duration_since(heard.unwrap());
    assert!(early.abs() < SignedDuration::from_secs(2), "{heard:?}");

    let mut binding = w.bound(LOS_ANGELES);
    binding.labels = labels_of(&["42CFRPart2"]);
    w.take(News::Bindings(vec![binding]));
    assert_eq!(concerning(&mut w, "2018-10-07T13:00:00Z").0, 0, "a label");

    w.bind(LOS_ANGELES);
    let (ada, clinic) = (w.ada, w.clinic);
    let mut over = always();
    over.consent.until = Some(instant("2018-10-07T12:30:00Z"));
    w.store().permit(ada, clinic, &over).unwrap();
    assert_eq!(concerning(&mut w, "2018-10-07T12:10:00Z").0, 1);
    assert_eq!(concerning(&mut w, "2018-10-07T13:00:00Z").0, 0, "consent is over");
}
