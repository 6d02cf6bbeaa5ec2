//! The octets that go out, reviewed by a person once. `UPDATE_GOLDEN=1` rewrites the files; what they must say
//! is held by the other tests, which were written by hand.

use super::super::{Kind, Rung, bundle, phd_identifier, resources};
use super::support::*;
use crate::parcel::{Parcel, Policy};
use crate::profile::{BodySite, Sample, Unit};
use crate::reading::{Doubt, Issue};
use hearth_wire::Decimal;
use std::path::PathBuf;

#[track_caller]
fn golden(name: &str, parcel: &Parcel, policy: &Policy, rung: Rung, kind: Kind) {
    // Ready a minute after it was taken.
    let issued = parcel.reading.when.effective + jiff::SignedDuration::from_secs(60);
    let parcel = &Parcel { issued, ..parcel.clone() };
    let phd = phd_identifier(parcel);
    let all = resources(parcel, policy, rung, phd.as_deref());
    let sent = bundle(&[all], rung, kind).unwrap();
    // One line goes out; laid out it can be read. Digits and order stay.
    let laid_out = format!("{}\n", serde_json::to_string_pretty(&json(&sent)).unwrap());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("src/map/golden/{name}.json"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &laid_out).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == laid_out, "{} differs: review it, then UPDATE_GOLDEN=1\n{laid_out}", path.display());
}

/// 124/86, mean 97, pulse 51; body movement and irregular pulse; the device 5 s slow.
fn cuff() -> Parcel {
    let mut parcel = pressure("16 7C00 5600 6100 E807060F11111B 3300 0500");
    parcel.profile.body_site = Some(BodySite::UpperArm);
    parcel.reading.doubts = vec![Doubt::BodyMovement, Doubt::IrregularPulse];
    sampled(taken(parcel, "2024-06-15T22:17:32Z", -5), "2024-06-15T17:20:00", 5 * 3600 + 5)
}

#[test]
fn a_pressure_on_each_rung() {
    let parcel = attested(cuff());
    let policy = Policy::default();
    golden("pressure-1-update-as-create", &parcel, &policy, Rung::UpdateAsCreate, Kind::Batch);
    golden("pressure-2-conditional-create", &parcel, &policy, Rung::ConditionalCreate, Kind::Transaction);
    golden("pressure-4-plain-create", &parcel, &policy, Rung::PlainCreate, Kind::Transaction);
}

#[test]
fn a_failed_pressure() {
    let parcel = pressure("02 FF07 FF07 FF07 E807060F11111B");
    golden("pressure-failed", &parcel, &Policy::default(), Rung::UpdateAsCreate, Kind::Batch);
    let charted = Policy { failed_as_vital_sign: true, ..Policy::default() };
    golden("pressure-failed-charted", &parcel, &charted, Rung::UpdateAsCreate, Kind::Batch);
}

#[test]
fn a_pressure_in_kilopascals() {
    let parcel = pressure("03 A0F0 6BF0 85F0 E807060F11111B");
    golden("pressure-kilopascals", &parcel, &Policy::default(), Rung::UpdateAsCreate, Kind::Batch);
}

#[test]
fn a_glucose_with_everything_marked() {
    let mut parcel = glucose_with(
        "1B 0F00 E807011E053A1B 5301 6FB0 F8 0000",
        "FF 0F00 00 01 32D0 03 11 5802 4B 04 0AA0 41F0",
    );
    parcel.profile.readings = glucose_facts(Some(Sample::Fingerstick), None, Unit::MilligramPerDecilitre);
    golden("glucose", &parcel, &Policy::default(), Rung::UpdateAsCreate, Kind::Batch);
}

#[test]
fn a_glucose_beyond_the_meter() {
    let mut parcel = glucose("0A 0500 E807060F11111B FE07 11 2000");
    golden("glucose-hi-without-range", &parcel, &Policy::default(), Rung::UpdateAsCreate, Kind::Batch);
    let range = Some((Decimal::new(10, 0), Decimal::new(600, 0)));
    parcel.profile.readings = glucose_facts(Some(Sample::Fingerstick), range, Unit::MilligramPerDecilitre);
    golden("glucose-hi", &parcel, &Policy::default(), Rung::UpdateAsCreate, Kind::Batch);
}

#[test]
fn a_weight_with_height_and_index() {
    let parcel = weight("0E F22F E507071715211F 02 D400 A406");
    let asked = Policy { height_and_bmi: true, ..Policy::default() };
    golden("weight", &parcel, &asked, Rung::UpdateAsCreate, Kind::Batch);
}

#[test]
fn a_weight_with_what_the_body_is_made_of() {
    let parcel = weight_with("0E F22F E507071715211F 02 D400 A406", "9803 C200 DF1A 9701 CC2F CA21 A811");
    golden("weight-with-composition", &parcel, &Policy::default(), Rung::UpdateAsCreate, Kind::Batch);
}

#[test]
fn a_temperature_an_oximetry_and_a_heart_rate() {
    let policy = Policy::default();
    let rung = Rung::UpdateAsCreate;
    golden("temperature", &temperature("06 6D0100FF E807060F11111B 09"), &policy, rung, Kind::Batch);
    // 97 %, 72 /min; questionable, low perfusion.
    let parcel = oximetry("07 6100 4800 E807060F11111B 0040 200000");
    golden("oximetry", &parcel, &policy, rung, Kind::Batch);
    golden("heart-rate", &heart_rate("0E 48 0500"), &policy, rung, Kind::Batch);
}

#[test]
fn a_labelled_reissue() {
    let mut parcel = labelled(weight("03 543D E7070C190E1E2D"), &["42CFRPart2", "SUD"]);
    parcel.reading.issue = Issue(1);
    parcel.replaces = Some((Issue(0), Some("Observation/77".into())));
    golden(
        "weight-reissued-labelled",
        &parcel,
        &Policy::default(),
        Rung::ConditionalCreate,
        Kind::Transaction,
    );
}
