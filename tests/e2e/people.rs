//! Whose a device is and what may leave, as a person says it.

use crate::commands::{house, pressure};
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
        (vec!["bind", "end", "1", "--slot", "3"], 64, "no binding of that device and slot runs"),
        (vec!["bind", "end", "1", "--slot", "2"], 0, "Ended: revision 3."),
        ([&ben[..], &["--slot", "2", "--from", "2999-01-01T00:00:00Z"]].concat(), 0, "Bound."),
        (
            vec!["bind", "end", "1", "--slot", "2"],
            0,
            "Taken away, since it would have begun later: revision 5.",
        ),
        ([&ada[..], &["--instead", "--sole-use-attested-by", "nurse"]].concat(), 0, "Bound."),
        ([&ben[..], &["--slot", "1"]].concat(), 65, "attested sole use"),
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
        (
            vec!["bind", "permit", "clinic=ada", "--order-until", "2999-01-01T00:00:00Z"],
            0,
            "no longer: 1 row.",
        ),
    ] {
        let answer = hub.says(&arguments);
        assert_eq!(answer.code, code, "{arguments:?}: {answer:?}");
        assert!(format!("{}{}", answer.out, answer.err).contains(part), "{arguments:?}: {answer:?}");
    }
    let told = hub.says(&["bind", "add", "1", "--test", "--instead"]).ok();
    assert!(told.out.contains("No --zone was given"), "{told:?}");
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
