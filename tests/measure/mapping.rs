//! From a frame's octets to FHIR's.

use super::house::{Folder, House};
use super::{median, row};
use hearth_core::capture::Uuid16;
use hearth_core::decode::decode;
use hearth_core::interpret::interpret;
use hearth_core::map::fhir::{Rung, resources};
use hearth_core::parcel::{Parcel, Policy};
use std::hint::black_box;

fn parcel(house: &mut House) -> Parcel {
    house.begin_contact();
    house.hear();
    house.due(1).pop().unwrap().parcel
}

/// The Observation of the first row.
pub(crate) fn sample() {
    let folder = Folder::new("sample");
    let parcel = parcel(&mut House::open(folder.path()));
    println!("{}", resources(&parcel, &Policy::default(), Rung::PlainCreate, None)[0].json);
}

/// One glucose record, as `house` hears it: what is decoded, understood and written as one Observation.
pub(crate) fn print() {
    let folder = Folder::new("mapping");
    let mut house = House::open(folder.path());
    let parcel = &parcel(&mut house);
    let policy = Policy::default();
    let octets = parcel.reading.measure.encode();
    let characteristic = Uuid16::GLUCOSE_MEASUREMENT;
    let once = |rung| {
        let parsed = decode(characteristic, black_box(&octets), &[]).unwrap();
        black_box(interpret(&parsed, &[], &parcel.profile));
        resources(black_box(parcel), &policy, rung, None)
    };
    for (name, rung) in
        [("one Observation", Rung::PlainCreate), ("with devices and times", Rung::ConditionalCreate)]
    {
        let length: usize = once(rung).iter().map(|resource| resource.json.len()).sum();
        let us = median(7, 20_000, || {
            for _ in 0..20_000 {
                black_box(once(rung));
            }
        });
        let theirs = std::env::var("HEARTH_PYTHON_US").ok().and_then(|us| us.parse::<f64>().ok());
        row(
            &format!("frame to FHIR, {name} ({length} octets), CPU"),
            &format!("{us:.2} us"),
            &theirs.map_or_else(
                || "Python fhir.resources: not here".to_owned(),
                |us| format!("{us:.0} us, Python fhir.resources"),
            ),
            theirs.map(|theirs| theirs / us),
            if rung == Rung::PlainCreate { "<= 1.5 us, >= 500 times" } else { "" },
        );
    }
}
