//! Whose a device is and what may leave, as a person says it.

use crate::commands::{house, pressure};
use crate::story::{News, PRESSURE, with_code};
use e2e::World;
use gateway::demo::pki;
use gateway::demo::record::Behaviour;
use serde_json::json;

/// CLINICAL 21: memory from before the binding is one group, and closes as one.
#[test]
fn clinical_21_a_sealed_group_closes_as_one() {
    let (_world, _record, hub) = house("sealed");
    hub.replay(&pressure(false));
    hub.json(&["bind", "add", "1", "--patient", "clinic=ada", "--zone", "America/New_York"]);
    let held = hub.says(&["held"]);
    assert!(held.out.contains("hearth held --close-sealed 1"), "{held:?}");
    assert_eq!(hub.says(&["held", "--close-sealed", "2"]).code, 64);
    let closed = hub.says(&["held", "--close-sealed", "1"]).ok();
    assert!(closed.out.contains("Closed: 1 record from before the binding"), "{closed:?}");
    assert_eq!(hub.json(&["held"]), json!([]));
}

/// A device has one owner at a time, and every change says what it changed.
#[test]
fn a_binding_says_what_it_changes() {
    let (_world, _record, hub) = house("bindings");
    hub.replay(&pressure(false));
    let from = ["--from", "2018-01-01T00:00:00Z"];
    let ada = ["bind", "add", "1", "--patient", "clinic=ada", "--zone", "America/New_York"];
    let ben = ["bind", "add", "1", "--patient", "clinic=ben", "--zone", "America/New_York"];
    let bound = hub.says(&[&ada[..], &from].concat()).ok();
    assert!(bound.out.contains("1 record that waited is a reading now"), "{bound:?}");
    for (arguments, code, part) in [
        ([&ada[..], &from].concat(), 0, "bound so already"),
        (ada.to_vec(), 65, "bound to them already"),
        (ben.to_vec(), 65, "somebody else's from 2018-01-01"),
        ([&ben[..], &["--slot", "1"]].concat(), 0, "Bound."),
        ([&ben[..], &["--slot", "2", "--sole-use-attested-by", "nurse"]].concat(), 0, "Bound."),
        (vec!["bind", "add", "7", "--test"], 64, "no device has row 7"),
        (vec!["bind", "add", "1", "--test", "--from", "yesterday"], 64, "2026-11-24T08:00:00Z"),
        (vec!["bind", "end", "77"], 64, "no device has row 77"),
        (vec!["bind", "end", "one"], 64, "a row number, such as 3"),
        (vec!["bind", "end", "1", "--slot", "3"], 64, "no such binding of that device runs"),
        (vec!["bind", "end", "1", "--slot", "2"], 0, "Ended: revision 3."),
        ([&ben[..], &["--slot", "2", "--from", "2999-01-01T00:00:00Z"]].concat(), 0, "Bound."),
        (
            vec!["bind", "end", "1", "--slot", "2"],
            0,
            "Taken away, since it would have begun later: revision 5.",
        ),
        ([&ada[..], &["--instead", "--sole-use-attested-by", "nurse"]].concat(), 0, "Bound."),
        ([&ben[..], &["--slot", "1"]].concat(), 65, "attested sole use"),
        ([&ada[..], &["--instead", "--label", ""]].concat(), 65, "no label"),
        (vec!["bind", "add", "1", "--zone", "UTC"], 64, "--test"),
        (
            vec!["bind", "permit", "clinic=ada", "--order-until", "2017-01-01T00:00:00Z"],
            65,
            "give --order-from",
        ),
        (
            vec!["bind", "permit", "clinic=ada", "--order-until", "2019-01-01T00:00:00Z"],
            0,
            "from now on: 1 row.",
        ),
        (vec!["bind", "permit", "clinic=ada"], 0, "2019-01-01T00:00:00Z"),
        (vec!["bind", "permit", "clinic=ada", "--order-until", "never"], 0, "no longer: 1 row."),
    ] {
        let answer = hub.says(&arguments);
        assert_eq!(answer.code, code, "{arguments:?}: {answer:?}");
        assert!(format!("{}{}", answer.out, answer.err).contains(part), "{arguments:?}: {answer:?}");
    }
    let told = hub.says(&["bind", "add", "1", "--test", "--instead"]).ok();
    assert!(told.out.contains("No --zone was given") && told.out.contains("Ended: revision"), "{told:?}");
}

/// What was taken before the order of somebody already known here is withheld, and that is said at once.
#[test]
fn a_binding_says_what_it_does_not_let_leave() {
    let (_world, _record, hub) = house("withheld");
    hub.replay(&pressure(false));
    let ada = ["bind", "add", "1", "--patient", "clinic=ada", "--zone", "America/New_York", "--from"];
    hub.json(&[&ada[..], &["2024-07-01T00:00:00Z"]].concat());
    let earlier = ["2018-01-01T00:00:00Z", "--until", "2024-07-01T00:00:00Z"];
    let told = hub.says(&[&ada[..], &earlier].concat()).ok();
    assert!(told.out.contains("Withheld all the same: outbox row 1"), "{told:?}");
    let shown = hub.says(&["outbox", "show", "1"]).ok();
    assert!(shown.out.contains("hearth bind permit"), "{shown:?}");
}

/// CLINICAL 23: what a device does not know is nobody's, and whose slot it is must be seen to be said.
#[test]
fn clinical_23_a_slot_is_shown() {
    let (_world, _record, hub) = house("slots");
    for user in ["02", "FF"] {
        let slotted = format!("1E7C0056006100E807060F11111B3300{user}0000");
        hub.replay(&pressure(false).replace("167C0056006100E807060F11111B33000000", &slotted));
    }
    let held = hub.json(&["held"]);
    assert_eq!((&held[0]["slot"], &held[1]["slot"]), (&json!(2), &json!(255)), "{held}");
    assert!(held[0]["what_helps"].as_str().unwrap().contains("bind add 1 --slot 2"), "{held}");
    let attested = ["bind", "add", "1", "--test", "--sole-use-attested-by", "nurse", "--zone", "UTC"];
    hub.json(&[&attested[..], &["--from", "2018-01-01T00:00:00Z"]].concat());
    let held = hub.says(&["held"]);
    assert!(held.out.contains("does not know which user") && held.out.contains("held --close 2"), "{held:?}");
}

/// A scale that broadcasts, of two people: what each of them weighed waits for whoever knows. Whose it looks like is said, and
/// nothing more comes of it. What was given wrongly is taken back, and asked for again.
#[test]
fn a_shared_scale_asks_whose_each_weighing_is() {
    let (_world, record, hub) = house("shared");
    let weighs = |raw: u16, minute: u8| {
        let [low, high] = raw.to_le_bytes();
        let mut news = News::of("181D", "2022-02-14T21:58:00Z");
        news.0[2]["met"]["name"] = json!("MI_SCALE");
        let hex = format!("22{low:02X}{high:02X}E607020E10{minute:02X}3A");
        let heard = json!({ "device": "d", "contact": 1, "link": "broadcast", "characteristic": "adv:181D", "hex": hex });
        hub.replay(&news.say(json!({ "heard": heard })).text());
    };
    // In 5 g: 61.75 kg and 80 kg.
    weighs(12_350, 41);
    weighs(16_000, 42);
    let share = |patient| {
        let shared =
            ["bind", "add", "1", "--shared", "--zone", "America/New_York", "--from", "2018-01-01T00:00:00Z"];
        hub.says(&[&shared[..], &["--patient", patient]].concat())
    };
    for patient in ["clinic=ada", "clinic=ben"] {
        share(patient).ok();
    }
    let held = hub.json(&["held"]);
    assert_eq!(held[0]["why"], "several people share the device", "{held}");
    let whose: Vec<_> = held.as_array().unwrap().iter().map(|row| &row["looks_like"]).collect();
    assert_eq!(whose, [&json!([]), &json!([])], "nobody was weighed yet");
    let give = |record, patient| hub.says(&["held", "--give", record, "--patient", patient]);
    let given = give("1", "clinic=ada").ok();
    assert!(given.out.contains("Record 1 is their reading now."), "{given:?}");
    give("2", "clinic=ben").ok();
    // Nearly what Ada weighed, and nothing like Ben.
    weighs(12_400, 43);
    let held = hub.json(&["held"]);
    assert_eq!(held[0]["looks_like"], json!(["clinic=ada"]), "{held}");
    for (answer, code, part) in [
        (give("3", "clinic=zoe"), 64, "knows no patient"),
        // All that waits would be hers.
        (hub.says(&["bind", "add", "1", "--instead", "--patient", "clinic=ada"]), 65, "device 1 is shared"),
        (give("9", "clinic=ada"), 64, "no record has row 9"),
        (give("1", "clinic=ben"), 65, "can be given"),
        (share("clinic=ada"), 0, "bound so already"),
        (hub.says(&["bind", "add", "1", "--patient", "clinic=ada"]), 65, "device 1 is shared"),
        (hub.says(&["bind", "add", "1", "--shared", "--slot", "1", "--patient", "clinic=ada"]), 64, "--slot"),
    ] {
        assert_eq!(answer.code, code, "{answer:?}");
        assert!(format!("{}{}", answer.out, answer.err).contains(part), "{answer:?}");
    }
    // Given to somebody who had not come yet: held all the same, and given again.
    hub.says(&["bind", "add", "1", "--shared", "--zone", "America/New_York", "--patient", "clinic=eve"]).ok();
    let told = give("3", "clinic=eve").ok();
    assert!(told.out.contains("held all the same"), "{told:?}");
    let held = hub.json(&["held"]);
    assert_eq!((&held[0]["record"], &held[0]["given_to"]), (&json!(3), &json!(["clinic=eve"])), "{held}");
    let ended = hub.says(&["bind", "end", "1", "--patient", "clinic=eve"]).ok();
    assert!(ended.out.contains("Ended: revision"), "{ended:?}");
    let run =
        hub.json(&["bind", "list"]).as_array().unwrap().iter().filter(|row| row["until"].is_null()).count();
    assert_eq!(run, 2, "only hers has ended");
    // It was Ben's.
    give("3", "clinic=ada").ok();
    hub.deliver();
    hub.json(&["retract", "3", "--reissue"]);
    assert_eq!(hub.json(&["held"])[0]["why"], "several people share the device");
    give("3", "clinic=ben").ok();
    hub.deliver();
    let mut weights: Vec<String> = with_code(&record, "29463-7")
        .into_iter()
        .map(|o| {
            format!(
                "{} {} {}",
                o["valueQuantity"]["value"],
                o["subject"]["reference"].as_str().unwrap(),
                o["status"].as_str().unwrap()
            )
        })
        .collect();
    weights.sort();
    let wanted = [
        "61.750 Patient/ada final",
        "62.000 Patient/ada entered-in-error",
        "62.000 Patient/ben final",
        "80.000 Patient/ben final",
    ];
    assert_eq!(weights, wanted);
}

/// CLINICAL 26: the natural repair of a wrong person, in the natural order.
#[test]
fn clinical_26_a_reissue_waits_for_its_person() {
    let (_world, record, hub) = house("reissue");
    hub.replay(&pressure(true));
    hub.deliver();
    hub.json(&["bind", "end", "1", "--at", "2018-01-01T00:00:00Z"]);
    hub.json(&["retract", "1", "--reissue"]);
    let bind = ["bind", "add", "1", "--patient", "clinic=ben", "--zone", "America/New_York"];
    let told = hub.says(&[&bind[..], &["--from", "2018-01-01T00:00:00Z"]].concat()).ok();
    assert!(told.out.contains("1 record that waited is a reading now"), "{told:?}");
    hub.deliver();
    let mut panels: Vec<String> = with_code(&record, PRESSURE)
        .into_iter()
        .map(|o| format!("{} {}", o["subject"]["reference"], o["status"]))
        .collect();
    panels.sort();
    assert_eq!(panels, [r#""Patient/ada" "entered-in-error""#, r#""Patient/ben" "final""#]);
}

/// A log that is read again does not bring back a binding that a person has ended or taken away since.
#[test]
fn a_binding_that_was_ended_stays_so() {
    let (_world, _record, hub) = house("ended");
    for end in [&["bind", "end", "1"][..], &["bind", "end", "1", "--at", "2018-01-01T00:00:00Z"]] {
        hub.replay(&pressure(true));
        hub.json(end);
        let ended = hub.json(&["bind", "list"]);
        hub.replay(&pressure(true));
        assert_eq!(hub.json(&["bind", "list"]), ended, "after {end:?}");
    }
}

/// CLINICAL 22: what was taken after the consent ended stays.
#[test]
fn clinical_22_a_revocation_stops_the_next_send() {
    let (_world, record, hub) = house("consent");
    hub.replay(&pressure(true));
    hub.json(&["bind", "permit", "clinic=ada", "--consent-until", "2024-06-15T00:00:00Z"]);
    hub.deliver();
    assert_eq!((record.all("Observation").len(), hub.json(&["status"])["withheld"].as_u64()), (0, Some(1)));
    hub.json(&["bind", "permit", "clinic=ada", "--consent-until", "2025-01-01T00:00:00Z"]);
    hub.deliver();
    assert_eq!(hub.json(&["status"])["delivered"], 1);
}

/// CLINICAL 24: a device that somebody tries sends nothing.
#[test]
fn clinical_24_a_test_is_not_sent() {
    let (_world, record, hub) = house("test");
    hub.replay(&pressure(false));
    hub.json(&["bind", "add", "1", "--test", "--zone", "America/New_York", "--from", "2018-01-01T00:00:00Z"]);
    hub.deliver();
    assert_eq!(record.all("Observation").len(), 0);
    assert_eq!(hub.json(&["status"])["readings"], 1);
}

/// CLINICAL 29: a label that the destination is not cleared for keeps the reading on the hub.
#[test]
fn clinical_29_labels_stay_where_they_are_not_cleared() {
    let world = World::new("labels");
    let record = world.record(Behaviour::default());
    for (more, delivered) in [("", 0), ("cleared-labels = [\"42CFRPart2\"]", 1)] {
        let hub = world.hub_with(&[("clinic", &record)], pki::CLIENT, more);
        hub.replay(&pressure(false));
        let bind = ["bind", "add", "1", "--patient", "clinic=ada", "--zone", "America/New_York", "--label"];
        hub.json(&[&bind[..], &["42CFRPart2", "--from", "2018-01-01T00:00:00Z"]].concat());
        hub.deliver();
        assert_eq!(hub.json(&["status"])["delivered"], delivered);
    }
    let labelled = record.all("Observation");
    assert!(labelled.iter().all(|(_, v)| {
        v[0].resource.as_ref().unwrap()["meta"]["security"].to_string().contains("42CFRPart2")
    }));
    assert!(!labelled.is_empty());
}

/// A record that does not know the patient: nobody there tells us when that is mended, so a person here must see it.
#[test]
fn a_patient_whom_the_record_does_not_know_is_shown() {
    let (_world, record, hub) = house("unknown-patient");
    record.behave(|b| b.patients = Some(["ben".to_owned()].into()));
    hub.replay(&pressure(true));
    let daemon = hub.run();
    let held = hub.until(&["held"], |held| held[0]["outbox_row"] == 1);
    assert_eq!(held[0]["why"], "clinic does not know the patient", "{held}");
    assert!(daemon.wait_for_any(&["does not know its patient"]).is_some(), "the log says so, too");
    record.behave(|b| b.patients = None);
    hub.json(&["outbox", "retry", "1"]);
    hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
    assert_eq!(hub.json(&["held"]), json!([]));
    assert_eq!(hub.json(&["status"])["delivered"], 1);
    assert_eq!(daemon.stop(), 0);
}
