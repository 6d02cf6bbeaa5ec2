//! From a frame's octets to FHIR's.

use super::house::{Folder, House};
use super::{median, row};
use hearth_core::capture::Uuid16;
use hearth_core::decode::decode;
use hearth_core::interpret::interpret;
use hearth_core::map::fhir::{Kind, Mapper, Rung, bundle, resources};
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

/// One glucose record, as `house` hears it: what is decoded, understood and written, among others of its meter.
pub(crate) fn print() {
    let folder = Folder::new("mapping");
    let mut house = House::open(folder.path());
    let parcel = &parcel(&mut house);
    let policy = Policy::default();
    let octets = parcel.reading.measure.encode();
    let characteristic = Uuid16::GLUCOSE_MEASUREMENT;
    let once = |mapper: &mut Mapper, rung| {
        let parsed = decode(characteristic, black_box(&octets), &[]).unwrap();
        black_box(interpret(&parsed, &[], &parcel.profile));
        mapper.resources(black_box(parcel), &policy, rung, None)
    };
    let theirs = std::env::var("HEARTH_PYTHON_US").ok().and_then(|us| us.parse::<f64>().ok());
    let print = |what: &str, us: f64, goal: &str| {
        let anchor = theirs.map_or_else(
            || "Python fhir.resources: not here".to_owned(),
            |us| format!("{us:.0} us, Python fhir.resources"),
        );
        let name = format!("frame to FHIR, {what}, CPU");
        row(&name, &format!("{us:.2} us"), &anchor, theirs.map(|theirs| theirs / us), goal);
    };
    let mut mapper = Mapper::default();
    let length: usize = once(&mut mapper, Rung::PlainCreate).iter().map(|resource| resource.json.len()).sum();
    let us = median(15, 20_000, || {
        for _ in 0..20_000 {
            black_box(once(&mut mapper, Rung::PlainCreate));
        }
    });
    print(&format!("one Observation with all in it ({length} octets)"), us, "<= 1.5 us, >= 500 times");

    // As a carry does it: each reading has its own key, and so its own ids.
    let mut parcels = vec![parcel.clone(); IN_A_BUNDLE];
    for (parcel, nth) in parcels.iter_mut().zip(0_u8..) {
        parcel.reading.key.0[0] = nth;
    }
    for (name, rung) in
        [("update-as-create", Rung::UpdateAsCreate), ("conditional-create", Rung::ConditionalCreate)]
    {
        let whole = || {
            let mut mapper = Mapper::default();
            let each = parcels.iter().map(|parcel| {
                let parsed = decode(characteristic, black_box(&octets), &[]).unwrap();
                black_box(interpret(&parsed, &[], &parcel.profile));
                mapper.resources(black_box(parcel), &policy, rung, None)
            });
            bundle(&each.collect::<Vec<_>>(), rung, Kind::Transaction).unwrap()
        };
        let length = whole().len() / IN_A_BUNDLE;
        let us = median(15, 200 * IN_A_BUNDLE, || {
            for _ in 0..200 {
                black_box(whole());
            }
        });
        print(&format!("each of {IN_A_BUNDLE} in a Bundle, {name} ({length} octets)"), us, "");
    }
}

const IN_A_BUNDLE: usize = 100;
