//! Heard again, and again: one record, one reading.

use super::world::*;
use crate::store::StoreError;
use hearth_core::admit::{End, Fate, Hearing, News, RecordNo, Refusal};
use hearth_core::capture::{DeviceNo, Link, Uuid16};
use hearth_core::profile::{Catalog, ProfileName};
use hearth_core::when::ContactNo;

/// Ada's meter in Los Angeles, the day after glu-04 was measured.
fn meter() -> World {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    w.bind(LOS_ANGELES);
    w
}

/// sc-01: the meter sends all it has in every connection.
#[test]
fn resends_are_counted() {
    let mut w = meter();
    for nth in 1..=3 {
        w.at(nth * 1_000);
        let contact = w.contact();
        let mut admitted = 0;
        for (characteristic, hex) in [
            (Uuid16::GLUCOSE_MEASUREMENT, GLU_04),
            (Uuid16::GLUCOSE_MEASUREMENT_CONTEXT, CTX_01),
            (Uuid16::GLUCOSE_MEASUREMENT, GLU_05),
            (Uuid16::GLUCOSE_MEASUREMENT_CONTEXT, CTX_02),
        ] {
            let committed = w.hears(contact, characteristic, hex);
            let expected = if nth == 1 { "new" } else { "again" };
            let said = match committed.heard {
                Some((_, Hearing::New)) => "new",
                Some((_, Hearing::Again(_))) => "again",
                None => "not heard",
            };
            assert_eq!(said, expected, "{hex} in contact {nth}");
            admitted += committed.admitted.len();
        }
        admitted += w.ends(contact, End::Drained).admitted.len();
        assert_eq!(admitted, if nth == 1 { 2 } else { 0 });
        w.restart();
    }
    assert_eq!((w.count("record"), w.count("reading"), w.count("outbox")), (4, 2, 2));
    assert_eq!(w.sql("SELECT sum(times) FROM record"), 12);
    // Of a settled record, later hearings are counted and not kept.
    assert_eq!(w.count("capture"), 4);
}

/// sc-03: the owner set the meter's displayed clock; the first written time stands (CLINICAL 19).
#[test]
fn a_changed_offset_is_the_same_record() {
    let mut w = meter();
    let contact = w.contact();
    w.meter_says(contact, GLU_04);
    w.ends(contact, End::Drained);
    let contact = w.contact();
    let again = w.meter_says(contact, GLU_04_LATER_OFFSET);
    assert_eq!(again.heard, Some((RecordNo(1), Hearing::Again(RecordNo(1)))));
    assert_eq!(w.sql("SELECT changed FROM record WHERE no = 1"), 1);
    assert_eq!(w.count("reading"), 1);
}

/// A context has no time: its octets come again for another measurement after a sequence reset.
#[test]
fn a_context_recurs_after_a_sequence_reset() {
    let mut w = meter();
    w.hub_time("2018-12-20T06:00:00Z");
    let contact = w.contact();
    w.meter_says(contact, GLU_04);
    w.context(contact, CTX_01);
    w.ends(contact, End::Drained);
    let contact = w.contact();
    w.context(contact, CTX_01);
    w.meter_says(contact, "131E00E2070B14051B075CFE6FB0F1");
    w.ends(contact, End::Drained);
    assert_eq!((w.count("reading"), w.count("record")), (2, 4));
    assert_eq!(w.sql("SELECT count(*) FROM record WHERE fate = 'companion'"), 2);
    assert_eq!(w.sql("SELECT count(DISTINCT name) FROM record"), 3, "the contexts share a name");
}

/// Without sequence and stamp only its contact says that a frame is a repeat.
#[test]
fn without_a_time_equal_octets_repeat_within_a_contact_only() {
    let mut w = World::of(cuffs(&[LIVE_ONLY]), PRESSURE);
    w.hub_time("2026-01-05T08:00:00Z");
    w.bind(KOLKATA);
    let frame = "00780050006400";
    let contact = w.contact();
    w.cuff_says(contact, frame);
    let again = w.cuff_says(contact, frame);
    assert_eq!(again.heard, Some((RecordNo(1), Hearing::Again(RecordNo(1)))));
    w.at(120_000);
    let contact = w.contact();
    let other = w.cuff_says(contact, frame);
    assert_eq!(other.heard, Some((RecordNo(2), Hearing::New)));
    assert_eq!(w.count("reading"), 2);
}

/// The second guard: one meter met under two addresses is one meter.
#[test]
fn one_meter_under_two_addresses_makes_one_reading() {
    let mut w = World::new(catalog(&[BY_SYSTEM_ID]));
    w.hub_time("2018-10-07T12:00:00Z");
    let now = w.now;
    let other: DeviceNo = w.store().meet(&facts(2, GLUCOSE), now).unwrap();
    let first = w.device;
    let mut bindings = vec![w.bound(LOS_ANGELES)];
    w.device = other;
    bindings.push(w.bound(LOS_ANGELES));
    w.take(News::Bindings(bindings));
    for device in [first, other] {
        w.device = device;
        w.system_id();
        let contact = w.contact();
        w.meter_says(contact, GLU_04);
        w.ends(contact, End::Drained);
    }
    assert_eq!((w.count("record"), w.count("reading"), w.count("outbox")), (2, 1, 1));
    assert_eq!(w.fate(2), Fate::Repeat);
    assert_ne!(first, other);
}

#[test]
fn a_device_is_met_again_by_its_address() {
    let mut w = meter();
    let (device, now) = (w.device, w.now);
    w.restart();
    assert_eq!(w.store().meet(&facts(1, GLUCOSE), now), Ok(device));
    assert_ne!(w.store().meet(&facts(2, GLUCOSE), now), Ok(device));
    let nameless = hearth_core::identity::Facts::default();
    assert!(matches!(w.store().meet(&nameless, now), Err(StoreError::Unknown(_))));
    let mut labelled = nameless.clone();
    labelled.advertised_name = Some("bridge port 3".into());
    let no = w.store().meet(&labelled, now).unwrap();
    assert_eq!(w.store().meet(&labelled, now), Ok(no));
}

/// What the store never gave a number is refused, and the store stays well.
#[test]
fn strangers_are_refused() {
    let mut w = meter();
    let contact = w.contact();
    let unknown = |w: &mut World, news: News| {
        let now = w.now;
        let said = w.store().take(&news, now);
        assert!(matches!(said, Err(StoreError::Unknown(_))), "{news:?}: {said:?}");
    };
    let mut of_a_stranger = w.capture(contact, Uuid16::GLUCOSE_MEASUREMENT, GLU_04);
    of_a_stranger.device = DeviceNo(99);
    unknown(&mut w, News::Heard(of_a_stranger));
    let mut of_no_contact = w.capture(contact, Uuid16::GLUCOSE_MEASUREMENT, GLU_04);
    of_no_contact.contact = ContactNo(99);
    unknown(&mut w, News::Heard(of_no_contact));
    let mut of_no_boot = w.capture(contact, Uuid16::GLUCOSE_MEASUREMENT, GLU_04);
    of_no_boot.at.boot.0 = 99;
    unknown(&mut w, News::Heard(of_no_boot));
    unknown(&mut w, News::Ended(DeviceNo(99), contact, End::Lost));
    let mut binding = w.bound(LOS_ANGELES);
    binding.device = DeviceNo(99);
    unknown(&mut w, News::Bindings(vec![binding]));
    assert_eq!((w.count("record"), w.store().broken()), (0, None));
    w.meter_says(contact, GLU_04);
    assert_eq!(w.count("record"), 1);
}

/// A number is used up by the commit of its capture, and never comes again after that, whatever happens.
#[test]
fn no_two_captures_have_one_origin() {
    let mut w = World::of(cuffs(&[LIVE_ONLY]), PRESSURE);
    w.hub_time("2026-01-05T08:00:00Z");
    w.bind(KOLKATA);
    let mut seen = std::collections::BTreeSet::new();
    for nth in 0..6 {
        let contact = w.contact();
        let capture = w.capture(contact, Uuid16::BLOOD_PRESSURE_MEASUREMENT, "00780050006400");
        let number = capture.origin.number;
        if nth % 2 == 0 {
            w.take(News::Heard(capture));
            assert!(seen.insert(number), "origin {number} was given twice");
        }
        if nth % 3 == 0 {
            w.power_cut()
        } else {
            w.restart()
        };
    }
    w.hub_time("2026-01-05T09:00:00Z");
    assert_eq!(w.count("record"), 3);
}

/// sc-09: the link was lost half way. Asked from 30 while 30 waits for its context, else from 31.
#[test]
fn the_cursor_never_passes_a_record_that_waits_for_its_partner() {
    let mut w = meter();
    let device = w.device;
    assert_eq!(w.store().cursor(device), Ok(None));
    let contact = w.contact();
    w.meter_says(contact, GLU_04);
    w.ends(contact, End::Lost);
    assert_eq!(w.store().cursor(device), Ok(Some(30)));
    w.restart();
    assert_eq!(w.store().cursor(device), Ok(Some(30)));
    w.at(600_000);
    w.take(News::Due);
    assert_eq!(w.count("reading"), 1);
    assert_eq!(w.store().cursor(device), Ok(Some(31)));
    // sc-10: after 65535 comes 0.
    let contact = w.contact();
    w.meter_says(contact, "02FFFFE2070914051B0778B0F8");
    assert_eq!(w.store().cursor(device), Ok(Some(0)));
}

/// sc-08: a context alone waits for its partner, and is then refused by name; heard again, it waits again.
#[test]
fn an_orphan_is_refused_and_may_come_again() {
    let mut w = meter();
    let contact = w.contact();
    let heard = w.context(contact, CTX_01);
    assert_eq!(heard.due.map(|due| due.ms), Some(600_000));
    w.ends(contact, End::Lost);
    w.at(600_000);
    w.take(News::Due);
    assert!(matches!(w.fate(1), Fate::Refused(Refusal::Orphan, ..)));
    let contact = w.contact();
    w.context(contact, CTX_01);
    let joined = w.meter_says(contact, GLU_04);
    assert_eq!(joined.admitted.len(), 1);
    assert_eq!(w.fate(1), Fate::Companion(RecordNo(2)));
}

/// Another catalogue judges refused and held records again.
#[test]
fn what_was_not_understood_is_judged_by_the_next_catalogue() {
    let mut w = meter();
    let contact = w.contact();
    // Month 13: not a date by the letter.
    w.meter_says(contact, "02FFFFE2070D0C051B0778B0F8");
    // Cut off.
    w.meter_says(contact, "02");
    w.ends(contact, End::Drained);
    assert!(w.held(1).is_some());
    assert!(matches!(w.fate(2), Fate::Refused(Refusal::Undecodable(_), _, version) if version.0 == 1));
    let better = meters(&[("version = 1\n", "version = 2\n"), MONTH_13]);
    w.store().set_catalog(better.clone());
    w.catalog = better;
    let judged = w.take(News::Profiles);
    assert_eq!(judged.admitted.len(), 1, "{judged:?}");
    assert!(matches!(w.fate(2), Fate::Refused(Refusal::Undecodable(_), _, version) if version.0 == 2));
}

#[test]
fn a_contact_is_numbered_once_and_only_for_a_device_that_is_there() {
    let mut w = meter();
    let (one, two) = (w.contact(), w.contact());
    assert_eq!((one.0, two.0), (1, 2));
    let now = w.restart().now;
    assert_eq!(w.contact().0, 3);
    let stranger = w.store().next_contact(DeviceNo(99), Link::Open, now);
    assert_eq!(stranger, Err(StoreError::Unknown("device")));
}

/// Heart rates are notified one by one, and nobody repeats what nobody confirms: equal ones are as many readings
/// (CLINICAL 2). What is confirmed repeats only what was told last.
#[test]
fn clinical_2_equal_heart_rates_are_as_many() {
    let strap = include_str!("../../../../device-profiles/generic/heart-rate.toml");
    let strap = Catalog::build([(ProfileName("test/strap".to_owned()), strap.to_owned())]).unwrap();
    let mut w = World::of(strap, 0x180D);
    w.hub_time("2024-06-15T21:18:00Z");
    w.bind(LOS_ANGELES);
    let contact = w.contact();
    for _ in 0..3 {
        for rate in ["0648", "0648", "0660"] {
            w.hears(contact, Uuid16::HEART_RATE_MEASUREMENT, rate);
        }
    }
    assert_eq!(w.count("reading"), 9);
    let thermometer = include_str!("../../../../device-profiles/generic/thermometer.toml");
    let thermometer = Catalog::build([(ProfileName("test/it".to_owned()), thermometer.to_owned())]).unwrap();
    let mut w = World::of(thermometer, 0x1809);
    let contact = w.contact();
    // 37.0, once more because nobody confirmed it, 38.5, 37.0.
    for celsius in ["00720100FF", "00720100FF", "00810100FF", "00720100FF"] {
        w.hears(contact, Uuid16::TEMPERATURE_MEASUREMENT, celsius);
    }
    assert_eq!(w.count("record"), 3);
}
