//! What goes out, clinical rule by clinical rule, by one door.

mod context;
mod glucose;
mod pressure;
mod shared;
mod vital;
mod weight;

use super::super::{Role, Rung, resources};
use super::support::*;
use crate::parcel::{Parcel, Policy};
use serde_json::Value;

/// One resource of a parcel: JSON pointers, and the JSON that must be there. `-`: nothing is there.
#[track_caller]
fn check(rule: &str, parcel: &Parcel, policy: &Policy, role: Role, expected: &[(&str, &str)]) {
    let all = read(parcel, policy);
    let resource = all.get(&role).unwrap_or_else(|| panic!("{rule}: no {role:?}"));
    for (pointer, expected) in expected {
        let found = resource.pointer(pointer).map_or("-".to_owned(), Value::to_string);
        let expected = if *expected == "-" { "-".to_owned() } else { json(expected).to_string() };
        assert_eq!(found, expected, "{rule}: {role:?} {pointer}");
    }
}

/// The words beside a resource's value, all of them.
#[track_caller]
fn says(rule: &str, parcel: &Parcel, role: Role, expected: &[&str]) {
    let all = read(parcel, &Policy::default());
    assert_eq!(notes(&all[&role]), expected, "{rule}: {role:?}");
}

#[track_caller]
fn roles(rule: &str, parcel: &Parcel, policy: &Policy, expected: &[Role]) {
    let all: Vec<Role> =
        resources(parcel, policy, Rung::UpdateAsCreate, None).iter().map(|resource| resource.role).collect();
    assert_eq!(all, expected, "{rule}");
}

/// Everything as CLINICAL has it by default.
fn usual() -> Policy {
    Policy::default()
}

const MEASUREMENT: Role = Role::Measurement;
const STATUS_REPORTED: [(&str, &str); 3] = [
    ("/category/0/coding/0/code", r#""phd""#),
    ("/category/1", "-"),
    // MDC alone.
    ("/code/coding/1", "-"),
];
