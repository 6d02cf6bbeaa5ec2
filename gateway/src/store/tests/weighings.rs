//! A scale's parts, over contacts, restarts and what was forgotten.

use super::world::*;
use hearth_core::admit::{End, Fate, RecordNo, TimeDoubt, Why};
use hearth_core::capture::{Link, Uuid16};
use hearth_core::profile::{Catalog, ProfileName};
use hearth_core::when::ContactNo;

const NEW_YORK: &str = "America/New_York";
/// 79.960 kg at 2021-07-23T21:33:31, 80.000 kg a day later; a composition without a time.
const WEIGHT: &str = "02783EE507071715211F";
const LATER_WEIGHT: &str = "02803EE507071815211F";
const COMPOSITION: &str = "9803C200DF1A9701CC2FCA21A811";

/// The generic scale, as one that tells its weight first.
fn scales() -> Catalog {
    let scale = include_str!("../../../../device-profiles/generic/body-composition-scale.toml");
    let text = [("[\"181B\", \"181D\"]", "[\"181B\"]"), ("[collect]", "[collect]\nweight-first = true")]
        .iter()
        .fold(scale.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
    Catalog::build([(ProfileName("test/scale".to_owned()), text)]).unwrap()
}

fn scale() -> World {
    let mut w = World::of(scales(), 0x181B);
    w.hub_time("2021-07-25T02:00:00Z");
    w.bind(NEW_YORK);
    w
}

/// The link was lost behind a weight, which waits; and the hub started anew.
fn cut_off() -> World {
    let mut w = scale();
    let contact = w.contact();
    assert_eq!(w.weighs(contact, WEIGHT) + w.ends(contact, End::Lost).admitted.len(), 0);
    w.restart();
    w
}

impl World {
    fn weighs(&mut self, contact: ContactNo, hex: &str) -> usize {
        self.hears(contact, Uuid16::WEIGHT_MEASUREMENT, hex).admitted.len()
    }

    fn composes(&mut self, contact: ContactNo) -> usize {
        self.hears(contact, Uuid16::BODY_COMPOSITION_MEASUREMENT, COMPOSITION).admitted.len()
    }
}

/// The link was lost between the two, and the hub started anew: they are one reading all the same.
#[test]
fn a_weight_waits_for_what_was_cut_off() {
    let mut w = cut_off();
    let contact = w.contact();
    assert_eq!(w.weighs(contact, WEIGHT) + w.composes(contact), 1);
    w.ends(contact, End::Drained);
    assert_eq!((w.count("reading"), w.fate(2)), (1, Fate::Companion(RecordNo(1))));
}

/// The scale has told all since, and no composition: the weight goes alone.
#[test]
fn a_weight_waits_until_its_scale_has_told_all() {
    let mut w = cut_off();
    let (device, at) = (w.device, w.now);
    let told = w.store().told_nothing(device, Link::Bonded, at).unwrap();
    assert_eq!(told.expect("a weight waits").admitted.len(), 1);
    assert!(w.store().told_nothing(device, Link::Bonded, at).unwrap().is_none(), "nothing waits any more");
    assert_eq!(w.count("contact"), 2);
}

/// Of a weight that was delivered and forgotten only its place is left, where it is told again: what follows may be its own.
#[test]
fn a_forgotten_weight_parts_what_is_around_it() {
    let mut w = scale();
    let contact = w.contact();
    w.weighs(contact, WEIGHT);
    w.weighs(contact, "02763EE507071716211F");
    assert_eq!(w.ends(contact, End::Drained).admitted.len(), 2);
    w.deliver("2021-07-25T02:00:10Z");
    let contact = w.contact();
    w.weighs(contact, LATER_WEIGHT);
    w.store().prune(instant("2022-01-01T00:00:00Z")).unwrap();
    assert_eq!(w.sql("SELECT min(no) FROM record"), 2, "the first is forgotten");
    w.weighs(contact, WEIGHT);
    w.composes(contact);
    w.ends(contact, End::Drained);
    assert_eq!(w.held(4), Some(Why::Time(TimeDoubt::Untimed)));
    assert_eq!(w.sql("SELECT count(*) FROM record WHERE fate = 'companion'"), 0);
}
