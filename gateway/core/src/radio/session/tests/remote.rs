//! What a bridge is told to do, by the profiles of real devices.

use super::super::Known;
use super::super::remote::remote;
use crate::identity::Slot;
use crate::profile::Catalog;
use hearth_wire::frame::plan::{Place, Step};

fn plan(profile: &str, known: &Known) -> Vec<Step> {
    let catalog = Catalog::standard();
    let profile = catalog.all().find(|one| one.name.0 == profile).unwrap();
    remote(profile, known)
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
