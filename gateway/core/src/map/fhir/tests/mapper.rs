//! Parcels that go together: a device is written once, and never taken for another.

use super::super::{Mapper, Rung, resources};
use super::support::*;
use crate::identity::{Identity, Labels};
use crate::parcel::{Parcel, Policy};
use crate::profile::Kind;

/// Parcels whose devices differ from the first one's in one thing each.
fn alike() -> Vec<Parcel> {
    let changed = |change: fn(&mut Parcel)| {
        let mut parcel =
            sampled(glucose("03 0100 E207 0901 0000 075C FE 6FB0 F1"), "2018-11-11T11:38:10", 18_005);
        change(&mut parcel);
        parcel
    };
    vec![
        changed(|_| {}),
        changed(|parcel| parcel.identity = Identity::SystemId([1; 8])),
        changed(|parcel| parcel.facts.firmware = Some("2".into())),
        changed(|parcel| parcel.profile.kind = Kind::WeightScale),
        changed(|parcel| parcel.hub.system_id = [1; 8]),
        changed(|parcel| parcel.hub.software = "2".into()),
        changed(|parcel| parcel.reading.labels = Labels(["R".to_owned()].into())),
        changed(|parcel| parcel.reading.key.0 = [8; 32]),
    ]
}

#[test]
fn together_is_as_one_by_one() {
    let (mut mapper, policy) = (Mapper::default(), Policy::default());
    for round in 0..2 {
        for parcel in alike() {
            for rung in [Rung::UpdateAsCreate, Rung::ConditionalCreate, Rung::PlainCreate] {
                let alone = resources(&parcel, &policy, rung, None);
                assert_eq!(mapper.resources(&parcel, &policy, rung, None), alone, "round {round}, {rung:?}");
            }
        }
    }
}

/// A mapper that lives long does not grow.
#[test]
fn more_devices_than_it_keeps() {
    let (mut mapper, policy) = (Mapper::default(), Policy::default());
    let mut parcel = alike().remove(0);
    for number in (0..100).chain(60..100) {
        parcel.identity = Identity::SystemId([number; 8]);
        let alone = resources(&parcel, &policy, Rung::UpdateAsCreate, None);
        assert_eq!(mapper.resources(&parcel, &policy, Rung::UpdateAsCreate, None), alone, "device {number}");
    }
    assert_eq!(mapper.devices.len(), super::super::DEVICES);
}
