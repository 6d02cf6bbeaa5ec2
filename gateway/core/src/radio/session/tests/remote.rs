//! What a bridge is told to do, by the profiles of real devices.

use super::super::Known;
use super::super::remote::remote;
use crate::identity::Slot;
use crate::profile::Catalog;
use crate::when::ZoneName;
use hearth_wire::frame::plan::{Place, Step};

/// Noon in New York, in summer.
const NOW: &str = "2024-06-15T16:00:00Z";

fn plan(profile: &str, known: &Known) -> Vec<Step> {
    let catalog = Catalog::standard();
    let profile = catalog.all().find(|one| one.name.0 == profile).unwrap();
    remote(profile, known, NOW.parse().unwrap())
}

fn place(service: u16, characteristic: u16) -> Place {
    Place { service, characteristic }
}

#[test]
fn a_cuff_is_subscribed_to_before_its_facts_are_read() {
    let steps = plan("generic/blood-pressure", &Known::default());
    let subscribed = steps.iter().position(|step| *step == Step::Subscribe(place(0, 0x2A35))).unwrap();
    let serial = steps.iter().position(|step| *step == Step::Read(place(0x180A, 0x2A25))).unwrap();
    assert!(subscribed < serial, "{steps:?}");
    assert_eq!(steps.last(), Some(&Step::Drain));
}

#[test]
fn a_meter_is_asked_by_its_control_point_and_a_scale_by_its_users() {
    let steps = plan("generic/glucose", &Known::default());
    assert!(steps.contains(&Step::Collect { place: place(0x1808, 0x2A52), from: None }), "{steps:?}");
    let users = Known { users: vec![(Slot(2), 1234)], ..Known::default() };
    let steps = plan("beurer/bf720", &users);
    let consent = Step::Consent { place: place(0x181C, 0x2A9F), user: 2, code: 1234 };
    let at = steps.iter().position(|step| *step == consent).unwrap();
    assert_eq!(steps.get(at + 1), Some(&Step::Drain), "{steps:?}");
}

/// In the service that its profile names where several have one; only where the model takes it, and only where its zone is known.
#[test]
fn a_clock_is_set_where_the_hub_itself_would_set_it() {
    let here = Known { zone: ZoneName::parse("America/New_York"), ..Known::default() };
    let clocks = |profile: &str, known: &Known| -> Vec<(usize, Step)> {
        let all = plan(profile, known).into_iter().enumerate();
        all.filter(|(_, step)| matches!(step, Step::SetClock { .. })).collect()
    };
    let first = Step::SetClock { place: place(0x1810, 0x2A08), ahead_s: -4 * 3_600, beyond_s: None };
    assert_eq!(clocks("and/ua-651ble", &here), [(0, first)], "its stamps can't be compared");
    let steps = plan("omron/blesmart", &here);
    let last = Step::SetClock { place: place(0x1810, 0x2A2B), ahead_s: -4 * 3_600, beyond_s: Some(300) };
    assert_eq!(steps.last(), Some(&last), "{steps:?}");
    assert!(steps.contains(&Step::ReadClock(place(0, 0x2A2B))), "{steps:?}");
    assert_eq!(clocks("omron/blesmart", &here).len(), 1);
    assert_eq!(clocks("and/ua-651ble", &Known::default()), []);
    assert_eq!(clocks("generic/blood-pressure", &here), []);
}
