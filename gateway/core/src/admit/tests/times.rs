//! When: the hub's own clock, the device's, and what is known of neither.

use super::world::*;
use crate::admit::*;
use crate::reading::Doubt;
use crate::when::*;

#[test]
fn the_hub_learns_the_time_in_the_same_boot() {
    let mut w = World::new(telling(cuff()));
    w.bindings([bound(ADA, NEW_YORK)]).at(1_000).clock_shows(1, "2024-06-15T17:17:40").cuff_says(1, BP_03);
    assert_eq!(w.wants(1), [For::HubTime]);
    w.at(50_000).hub_time("2024-06-15T21:18:29Z");
    assert_eq!((said(w.only()), w.only().when.source), ("2024-06-15T17:17:27-04:00".into(), Source::Sample));
}

/// After a reboot the earlier boot is bounded from above only: the sample dates nothing, the zone does, and
/// the reading says that nobody checked the clock.
#[test]
fn the_hub_learns_the_time_after_a_reboot() {
    let mut w = World::new(telling(cuff()));
    w.bindings([bound(ADA, NEW_YORK)]).at(1_000).clock_shows(1, "2024-06-15T17:17:40").cuff_says(1, BP_03);
    w.silence_until(100_000).boot();
    assert_eq!(w.wants(1), [For::HubTime]);
    w.at(60_000).hub_time("2024-06-15T21:30:00Z");
    let span = w.boots.utc(HubTicks { boot: BootNo(1), ms: 1_000 });
    // 21:30:00.05 less a minute, 99 s, and drift.
    assert!(span.latest <= instant("2024-06-15T21:27:22Z") && span.latest >= instant("2024-06-15T21:27:21Z"));
    assert!(span.earliest < instant("2016-01-01T00:00:00Z"));
    assert_eq!((said(w.only()), w.only().when.source), ("2024-06-15T17:17:27-04:00".into(), Source::Zone));
    assert!(w.only().doubts.contains(&Doubt::ClockUnverified));
}

/// With an anchored boot before it, the same sample is bounded on both sides.
#[test]
fn a_boot_between_two_anchored_ones_is_known() {
    let mut w = World::new(telling(cuff()));
    w.bindings([bound(ADA, NEW_YORK)]).hub_time("2024-06-15T21:15:00Z").silence_until(100_000).boot();
    w.at(1_000).clock_shows(1, "2024-06-15T17:17:40").cuff_says(1, BP_03).silence_until(5_000).boot();
    w.at(1_000).hub_time("2024-06-15T21:18:00Z");
    assert_eq!(w.only().when.source, Source::Sample);
}

/// Bounded on both sides to ten minutes, the sample dates nothing; it does show that a clock is two hours slow, whatever
/// the clock keeps. One that is right is believed by its zone.
#[test]
fn a_loose_comparison_holds_a_clock_that_is_wrong() {
    let lives = |profile: Profile, face: Face, shows: &str, zone: &str| {
        let mut w = World::new(telling(profile));
        w.bindings([bound(ADA, zone)]).hub_time("2024-06-15T21:15:00Z").silence_until(1_000).boot();
        w.at(1_000).clock_face(1, face, shows).cuff_says(1, BP_03).silence_until(5_000).boot();
        w.at(1_000).hub_time("2024-06-15T21:25:00Z");
        w
    };
    // BP-03 says 17:17:27, and the hub's time is a quarter past nine, UTC.
    for (profile, face, zone, right, reading) in [
        (cuff(), Face::Shown, NEW_YORK, "2024-06-15T17:17:40", "2024-06-15T17:17:27-04:00"),
        (keeping_utc(cuff()), Face::Base, "Etc/UTC", "2024-06-15T21:17:40", "2024-06-15T17:17:27+00:00"),
    ] {
        let w = lives(profile.clone(), face, right, zone);
        assert_eq!(said(w.only()), reading);
        let w = lives(profile, face, "2024-06-15T19:17:40", zone);
        assert_eq!(w.fate(1), &Fate::Hold(Why::Time(TimeDoubt::TwoTimelines)), "{zone}");
    }
}

/// A boot without a time says nothing of a clock that is two hours slow; the boot before does.
#[test]
fn a_clock_that_was_wrong_is_not_believed_in_a_boot_without_a_time() {
    for (shows, held) in [("2024-06-15T13:00:00", true), ("2024-06-15T15:00:00", false)] {
        let mut w = World::new(telling(cuff()));
        w.bindings([bound(ADA, NEW_YORK)]).hub_time("2024-06-15T19:00:00Z").clock_shows(1, shows);
        w.ends(1, End::Drained).silence_until(1_000).boot();
        w.at(1_000).clock_shows(2, "2024-06-15T17:17:40").cuff_says(2, BP_03).silence_until(5_000).boot();
        w.at(1_000).hub_time("2024-06-16T19:00:00Z");
        assert_eq!(w.held(1) == Some(&Why::Time(TimeDoubt::TwoTimelines)), held, "{shows}: {:?}", w.fate(1));
    }
}

#[test]
fn the_clock_may_be_read_after_the_record() {
    let mut w = World::new(telling(cuff()));
    w.hub_time("2024-06-15T21:27:31Z").bindings([bound(ADA, NEW_YORK)]).cuff_says(1, BP_03);
    assert_eq!(w.wants(1), [For::Clock]);
    w.at(2_000).clock_shows(1, "2024-06-15T17:17:33");
    // A device that is ten minutes slow is moved by the sample, and the correction is kept.
    assert_eq!(said(w.only()), "2024-06-15T17:27:27-04:00");
    assert_eq!(w.only().when.correction_s, Some(4 * 3600 + 600));
    assert!(w.only().doubts.contains(&Doubt::ClockOff));
}

#[test]
fn a_reboot_ends_the_wait_for_a_clock() {
    let mut w = World::new(telling(cuff()));
    w.hub_time("2024-06-15T21:17:31Z").bindings([bound(ADA, NEW_YORK)]).cuff_says(1, BP_03).boot();
    assert_eq!(w.only().when.source, Source::Zone);
}

#[test]
fn a_contact_that_ends_ends_the_wait_for_a_clock() {
    let mut w = World::new(telling(cuff()));
    w.hub_time("2024-06-15T21:17:31Z")
        .bindings([bound(ADA, NEW_YORK)])
        .cuff_says(1, BP_03)
        .ends(1, End::Lost);
    assert_eq!(w.only().when.source, Source::Zone);
}

/// CORE, traps: a sample of one face and a stamp of the other was admitted seven hours wrong, silently.
#[test]
fn a_sample_dates_only_stamps_of_its_own_face() {
    let mut w = World::new(telling(keeping_utc(meter())));
    w.hub_time("2018-09-20T06:00:00Z").bindings([bound(ADA, LOS_ANGELES)]);
    w.clock_shows(1, "2018-09-19T23:00:00").meter_says(1, GLU_04).context(1, CTX_01).ends(1, End::Drained);
    assert_eq!(
        (said(w.only()), w.only().when.source),
        ("2018-09-19T22:27:07-07:00".into(), Source::DeviceUtc)
    );
    let mut w = World::new(telling(keeping_utc(meter())));
    w.hub_time("2018-09-20T06:00:00Z").bindings([bound(ADA, LOS_ANGELES)]);
    w.clock_face(1, Face::Base, "2018-09-20T06:00:00").meter_says(1, GLU_04).context(1, CTX_01);
    assert_eq!((said(w.only()), w.only().when.source), ("2018-09-19T22:27:07-07:00".into(), Source::Sample));
}

/// An NTP step within one boot: anchors that contradict each other widen the span; the sample can't date.
#[test]
fn anchors_that_contradict_each_other_widen() {
    let mut w = World::new(telling(cuff()));
    w.hub_time("2024-06-15T20:00:00Z").hub_time("2024-06-15T21:18:00Z").bindings([bound(ADA, NEW_YORK)]);
    w.clock_shows(1, "2024-06-15T17:18:00").cuff_says(1, BP_03);
    assert!(w.boots.utc(w.now).width() > jiff::SignedDuration::from_mins(70));
    assert_eq!(w.only().when.source, Source::Zone);
}

/// A clock that was set may have stamped a record before or after that. The hub's times that contradict each other since
/// are one doubt more, and lift no other.
#[test]
fn a_doubt_is_not_lifted_by_another() {
    let mut w = World::new(telling(cuff()));
    w.bindings([bound(ADA, NEW_YORK)]).hub_time("2024-06-15T21:18:29Z").clock_shows(1, "2024-06-15T18:17:40");
    w.clock_shows(2, "2024-06-15T17:17:40").cuff_says(2, BP_03);
    assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::TwoTimelines)));
    w.silence_until(100_000).boot();
    w.at(1_000).hub_time("2024-06-14T19:00:00Z");
    assert!(w.boots.utc(HubTicks { boot: BootNo(1), ms: 0 }).width() > jiff::SignedDuration::from_hours(24));
    assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::TwoTimelines)));
}

/// Where the hub's times contradict each other, what it believed when it compared dates nothing. It still counts against a
/// stamp.
#[test]
fn a_clock_is_seen_to_be_wrong_by_a_hub_that_was_deceived() {
    for (shows, held) in [("2024-06-15T17:17:40", false), ("2024-06-15T18:17:40", true)] {
        let mut w = World::new(telling(cuff()));
        w.bindings([bound(ADA, NEW_YORK)]).hub_time("2024-06-16T07:00:00Z").silence_until(1_000).boot();
        w.hub_time("2024-06-15T21:17:30Z").at(10_000).clock_shows(1, shows).cuff_says(1, BP_03);
        assert!(w.boots.utc(w.now).width() > jiff::SignedDuration::from_hours(9));
        match held {
            true => assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::TwoTimelines)), "{shows}"),
            false => assert_eq!(w.only().when.source, Source::Zone, "{shows}"),
        }
    }
}

/// What was held for its time is dated when it is heard again beside a clock.
#[test]
fn heard_again_with_a_clock() {
    let mut device = telling(meter());
    device.clock.resets_to = vec![2024];
    let mut w = World::new(device);
    w.bindings([bound(ADA, KOLKATA)])
        .hub_time("2024-01-30T06:30:00Z")
        .meter_says(1, GLU_01)
        .ends(1, End::Drained);
    assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::Reset)));
    w.boot()
        .at(5_000)
        .hub_time("2024-01-30T07:00:00Z")
        .meter_says(2, GLU_01)
        .clock_shows(2, "2024-01-30T12:29:50");
    assert_eq!((said(w.only()), w.only().when.source), ("2024-01-30T11:37:37+05:30".into(), Source::Sample));
}

/// CLINICAL 20: no stamp. Live devices are dated by hearing them; what may be stored is held.
#[test]
fn clinical_20_an_untimed_record_is_dated_only_if_it_was_live() {
    const UNTIMED: &str = "00780050006400";
    let mut w = World::new(cuff());
    w.hub_time("2024-06-15T21:17:31Z").bindings([bound(ADA, NEW_YORK)]).cuff_says(1, UNTIMED);
    assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::Untimed)));
    let mut w = World::new(live(cuff()));
    w.hub_time("2024-06-15T21:17:31Z").bindings([bound(ADA, NEW_YORK)]);
    // A link-layer repeat within one contact is one; the same octets a minute later are another measurement.
    w.cuff_says(1, UNTIMED).at(900).cuff_says(1, UNTIMED).at(90_000).cuff_says(2, UNTIMED);
    assert_eq!(w.times(), ["2024-06-15T17:17:31-04:00", "2024-06-15T17:19:01-04:00"]);
    assert!(w.all().iter().all(|r| r.when.source == Source::Heard));
    // A stamp of zeros is no stamp (bp-s5).
    let mut w = World::new(live(cuff()));
    w.hub_time("2024-06-15T21:17:31Z").bindings([bound(ADA, NEW_YORK)]);
    w.cuff_says(1, "0278005000640000000000000000");
    assert_eq!(w.only().when.source, Source::Heard);
}

/// CLINICAL 20: heard in a boot that never knew the time, and so bounded from above only: not dated by the hearing.
#[test]
fn clinical_20_a_hearing_at_an_unknown_time_dates_nothing() {
    let mut w = World::new(live(cuff()));
    w.bindings([bound(ADA, NEW_YORK)]).cuff_says(1, "00780050006400");
    w.boot();
    w.hub_time("2024-06-15T21:17:31Z");
    assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::HubClock)));
}

/// CLINICAL 19: what was heard before the last comparison was not taken after it, whatever the clock says now.
#[test]
fn clinical_19_what_was_heard_before_a_jump_keeps_its_time() {
    let mut w = World::new(telling(cuff()));
    w.hub_time("2024-06-15T21:17:40Z").cuff_says(1, BP_03).ends(1, End::Lost);
    w.at(60_000).clock_shows(2, "2024-06-15T17:18:40").ends(2, End::Drained);
    // Set back by 22 hours: the record is sent again beside the new clock, and then somebody is bound.
    w.at(86_400_000).clock_shows(3, "2024-06-15T19:17:40").cuff_says(3, BP_03).ends(3, End::Drained);
    w.bindings([bound(ADA, NEW_YORK)]);
    assert_eq!(w.times(), ["2024-06-15T17:17:27-04:00"]);
}

/// A hub that never learns the time holds what needs it, and delivers once it does.
#[test]
fn a_hub_without_time_holds_and_then_delivers() {
    let mut w = World::new(cuff());
    w.bindings([bound(ADA, NEW_YORK)]).cuff_says(1, BP_03).silence_until(86_400_000);
    assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::HubClock)));
    w.hub_time("2024-06-16T21:17:40Z");
    assert_eq!(w.times(), ["2024-06-15T17:17:27-04:00"]);
}

/// CLINICAL 1: a time after it was heard, a date that is none, and a meter that distrusts itself are held.
#[test]
fn clinical_1_impossible_times_are_held() {
    for (hex, doubt) in [
        ("02780050006400EA07021E0A0000", TimeDoubt::NotADate),
        ("02780050006400EA070C010A0000", TimeDoubt::Future),
    ] {
        let mut w = World::new(cuff());
        w.hub_time("2026-05-12T22:00:00Z").bindings([bound(ADA, NEW_YORK)]).cuff_says(1, hex);
        assert_eq!(w.held(1), Some(&Why::Time(doubt)), "{hex}");
    }
    // glu-s2: the offset ran over, and status bit 11 says time fault.
    let mut w = World::new(meter());
    w.hub_time("2026-05-12T23:00:00Z").bindings([bound(ADA, NEW_YORK)]);
    w.meter_says(1, "0B0200EA07050C123536FF7FFF07110008").meter_says(1, "010300EA07050C123536FF7F");
    assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::DeviceFault)));
}

/// CLINICAL 18: the hour that is skipped is no time; held until a clock says more.
#[test]
fn clinical_18_a_gap_is_held() {
    // 2026-03-08T02:30:00 does not exist in New York.
    let mut w = World::new(cuff());
    w.hub_time("2026-03-08T12:00:00Z")
        .bindings([bound(ADA, NEW_YORK)])
        .cuff_says(1, "02780050006400EA070308021E00");
    assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::Gap)));
}

/// CLINICAL 19: an owner changes to winter time a week late; what was stored before keeps its old correction.
#[test]
fn clinical_19_a_late_dst_change() {
    let mut w = World::new(telling(cuff()));
    w.hub_time("2026-10-31T12:00:00Z").bindings([bound(ADA, NEW_YORK)]);
    w.clock_shows(1, "2026-10-31T08:00:00").ends(1, End::Drained);
    // Two days later the clock, still on summer time, took a reading at its 07:00 (06:00 EST); then it was set
    // back an hour. The hub hears it at 14:00Z, when the clock shows 09:00.
    w.at(2 * 86_400_000 + 7_200_000).clock_shows(2, "2026-11-02T09:00:00");
    w.cuff_says(2, "02780050006400EA070B02070000").ends(2, End::Drained);
    assert_eq!(w.held(1), Some(&Why::Time(TimeDoubt::TwoTimelines)));
}

/// CLINICAL 19: the hub sets a clock that is an hour behind, after all was told. In a contact of its own the clock is compared
/// anew: without that, what is measured next could be of either timeline.
#[test]
fn clinical_19_a_clock_that_the_hub_set_holds_nothing() {
    for compared in [true, false] {
        let mut w = World::new(telling(cuff()));
        w.hub_time("2024-06-15T21:17:40Z").bindings([bound(ADA, NEW_YORK)]);
        w.clock_shows(1, "2024-06-15T16:17:40").cuff_says(1, "02780050006400E807060F10111B");
        w.at(6_000).ends(1, End::Drained);
        if compared {
            w.at(6_100).clock_shows(2, "2024-06-15T17:17:46").ends(2, End::Drained);
        }
        w.at(86_400_000).clock_shows(3, "2024-06-16T17:17:40");
        w.cuff_says(3, "02780050006400E8070610080000").ends(3, End::Drained);
        if compared {
            assert_eq!(w.times(), ["2024-06-15T17:17:27-04:00", "2024-06-16T08:00:00-04:00"]);
        } else {
            assert_eq!(w.held(2), Some(&Why::Time(TimeDoubt::TwoTimelines)));
        }
    }
}

/// Every stamp that a device can send, and every hub time: no panic, and nothing unnamed.
#[test]
fn the_ends_of_time() {
    for stamp in
        ["0000000000000000", "2E06010100000000", "0F270C1F173B3B00", "FFFFFFFFFFFFFF00", "B20701010000FF00"]
    {
        for utc in ["1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "9990-01-01T00:00:00Z"] {
            let mut w = World::new(telling(cuff()));
            w.at(i64::MAX / 2)
                .hub_time(utc)
                .bindings([bound(ADA, NEW_YORK)])
                .clock_shows(1, "9999-12-31T23:59:59");
            w.cuff_says(1, &format!("02780050006400{}", &stamp[..14])).ends(1, End::Drained).boot();
            assert!(!matches!(w.fate(1), Fate::New), "{stamp} {utc}");
        }
    }
}

/// CLINICAL 20: what has neither stamp nor sequence is known again by the origin that its recorder gave it.
#[test]
fn an_untimed_record_is_known_again_by_its_origin() {
    const UNTIMED: &str = "00780050006400";
    let mut w = World::new(live(cuff()));
    w.hub_time("2024-06-15T21:17:31Z").bindings([bound(ADA, NEW_YORK)]).cuff_says(1, UNTIMED);
    w.origins -= 1;
    w.at(90_000).cuff_says(2, UNTIMED);
    assert_eq!((w.all().len(), w.records()), (1, 1));
    w.at(180_000).cuff_says(3, UNTIMED);
    assert_eq!((w.all().len(), w.records()), (2, 2));
}

/// CLINICAL 19: the link was lost once after the clock was set and read, and before the record was told: it may be of the
/// clock that was.
#[test]
fn clinical_19_a_clock_that_jumped_before_the_last_comparison() {
    for (told, held) in [(true, false), (false, true)] {
        let mut w = World::new(telling(cuff()));
        w.hub_time("2026-10-31T12:00:00Z").bindings([bound(ADA, NEW_YORK)]);
        w.clock_shows(1, "2026-10-31T08:00:00").ends(1, End::Drained);
        // Set back an hour at nine; at ten the clock is read.
        w.at(7_200_000).clock_shows(2, "2026-10-31T09:00:00");
        if told {
            w.ends(2, End::Drained);
        }
        // Taken at 8:30, before it was set or after.
        w.at(7_300_000).clock_shows(3, "2026-10-31T09:01:40");
        w.cuff_says(3, "02780050006400EA070A1F081E00").ends(3, End::Drained);
        assert_eq!(w.held(1) == Some(&Why::Time(TimeDoubt::TwoTimelines)), held, "{told}");
    }
}

/// CLINICAL 19: what is new since the memory was drained was taken after that; a stamp from before is of another
/// timeline. What the memory held then is not new.
#[test]
fn clinical_19_a_new_record_is_not_older_than_the_drained_memory() {
    // 2024-03-01T10:00:00, 120/80
    const OLD: &str = "02780050006400E80703010A0000";
    for (device, utc) in [(cuff(), false), (keeping_utc(cuff()), true)] {
        let mut w = World::new(device);
        w.hub_time("2024-06-15T21:18:00Z")
            .bindings([bound(ADA, NEW_YORK)])
            .cuff_says(1, BP_03)
            .ends(1, End::Drained);
        w.at(86_400_000).cuff_says(2, OLD).ends(2, End::Drained);
        assert_eq!(w.held(2), Some(&Why::Time(TimeDoubt::TwoTimelines)), "base time is UTC: {utc}");
    }
    let mut w = World::new(cuff());
    w.hub_time("2024-06-15T21:18:00Z")
        .bindings([bound(ADA, NEW_YORK)])
        .cuff_says(1, BP_03)
        .ends(1, End::Lost);
    w.at(86_400_000).cuff_says(2, OLD).ends(2, End::Drained);
    assert_eq!(w.all().len(), 2);
}
