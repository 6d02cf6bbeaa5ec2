//! A weight and what its scale says the body is made of, seconds later, without a time or a user of its own.

use super::world::*;
use crate::admit::*;
use crate::capture::Uuid16;
use crate::decode::Measurement;
use crate::profile::{Kind, Profile};
use crate::when::ContactNo;

// 79.960 kg of user 2 at 2021-07-23T21:33:31, 80.000 kg a day later; a composition of a BF720 without time and user: 19.4 %
// fat, 61.180 kg soft lean mass, 43.250 kg water.
const WEIGHT: &str = "06783EE507071715211F02";
const LATER_WEIGHT: &str = "06803EE507071815211F02";
const COMPOSITION: &str = "9803C200DF1A9701CC2FCA21A811";
const OTHER_COMPOSITION: &str = "9803C300DF1A9701CC2FCA21A811";
/// 0x2A9C in two indications: fat and impedance, then fat and weight.
const FIRST_HALF: &str = "0012C200A811";
const SECOND_HALF: &str = "0014C200783E";

fn scale() -> World {
    let mut weight_first = profile(Kind::BodyCompositionAnalyzer);
    weight_first.collect.weight_first = true;
    scale_of(weight_first)
}

fn scale_of(profile: Profile) -> World {
    let mut w = World::new(profile);
    w.hub_time("2021-07-24T02:00:00Z").bindings([slotted(2, bound(ADA, NEW_YORK))]);
    w
}

impl World {
    fn weighs(&mut self, contact: u64, at: i64, hex: &str) -> &mut World {
        self.at(at).hears(contact, Uuid16::WEIGHT_MEASUREMENT, hex)
    }

    fn composes(&mut self, contact: u64, at: i64, hex: &str) -> &mut World {
        self.at(at).hears(contact, Uuid16::BODY_COMPOSITION_MEASUREMENT, hex)
    }

    /// Of each reading: its time, and how many companions it has.
    fn weighings(&self) -> Vec<(String, usize)> {
        let mut all: Vec<_> = self.all().into_iter().map(|r| (said(r), r.companions.len())).collect();
        all.sort();
        all
    }
}

fn once(companions: usize) -> Vec<(String, usize)> {
    vec![("2021-07-23T21:33:31-04:00".to_owned(), companions)]
}

/// sc-11: the weight waits for what comes after it, and both have one time.
#[test]
fn sc_11_a_weight_and_its_composition_are_one_reading() {
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT);
    assert_eq!(w.wants(1), [For::Partner]);
    w.composes(1, 3_000, COMPOSITION);
    assert_eq!(w.weighings(), once(1));
    assert_eq!(w.fate(2), &Fate::Companion(RecordNo(1)));
    assert!(matches!(w.only().companions[..], [Measurement::BodyComposition(_)]));
}

/// A weighing with shoes on: the weight goes when its scale has told all, or nothing came for as long as it may wait.
#[test]
fn a_weight_alone_is_not_kept_waiting() {
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT).ends(1, End::Drained);
    assert_eq!(w.weighings(), once(0));
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT).ends(1, End::Lost).silence_until(601_000);
    assert_eq!(w.weighings(), once(0));
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT).silence_until(601_000);
    assert_eq!(w.weighings(), once(0));
}

/// The link was lost between the two: both come in the next contact.
#[test]
fn a_weight_waits_for_what_was_cut_off() {
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT).ends(1, End::Lost);
    assert_eq!(w.wants(1), [For::Partner]);
    w.weighs(2, 9_000, WEIGHT).composes(2, 9_500, COMPOSITION).ends(2, End::Drained);
    assert_eq!(w.weighings(), once(1));
}

/// Its scale has told all since, and has no composition: it was lost, or never was.
#[test]
fn a_weight_waits_until_its_scale_has_told_all() {
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT).ends(1, End::Lost);
    w.at(9_000).ends(2, End::Lost);
    assert_eq!(w.wants(1), [For::Partner]);
    w.at(19_000).ends(3, End::Drained);
    assert_eq!(w.weighings(), once(0));
}

/// The memory comes again: the weight is known by its stamp, the composition by its octets beside that weight.
#[test]
fn a_weighing_that_comes_again_is_one() {
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT).composes(1, 2_000, COMPOSITION).ends(1, End::Drained);
    w.weighs(2, 9_000, WEIGHT).composes(2, 9_500, COMPOSITION).ends(2, End::Drained);
    assert_eq!(w.weighings(), once(1));
    assert_eq!(w.fate(3), &Fate::Repeat);
    // A new weighing after the old ones has its own.
    w.weighs(3, 86_400_000, WEIGHT).composes(3, 86_400_500, COMPOSITION);
    w.weighs(3, 86_401_000, LATER_WEIGHT).composes(3, 86_401_500, OTHER_COMPOSITION);
    let later = ("2021-07-24T21:33:31-04:00".to_owned(), 1);
    assert_eq!(w.weighings(), [once(1), vec![later]].concat());
}

/// Never a wrong value: a composition that may be another weight's is held, with its time unknown.
#[test]
fn a_composition_between_two_weights_is_nobodys() {
    let mut w = scale();
    w.at(86_400_000).weighs(1, 86_401_000, WEIGHT).weighs(1, 86_402_000, LATER_WEIGHT);
    w.composes(1, 86_403_000, COMPOSITION).ends(1, End::Drained);
    assert_eq!(w.held(3), Some(&Why::Time(TimeDoubt::Untimed)));
    assert!(w.all().iter().all(|reading| reading.companions.is_empty()));
    // Too long after it, too.
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT).composes(1, 32_000, COMPOSITION).ends(1, End::Drained);
    assert_eq!(w.held(2), Some(&Why::Time(TimeDoubt::Untimed)));
    assert_eq!(w.weighings(), once(0));
    // And in another contact.
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT).ends(1, End::Lost).composes(2, 3_000, COMPOSITION).ends(2, End::Drained);
    assert_eq!(w.held(2), Some(&Why::Time(TimeDoubt::Untimed)));
}

/// A composition too long for one indication is put together, whatever it is part of.
#[test]
fn two_halves_are_one_composition() {
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT).composes(1, 2_000, FIRST_HALF);
    w.composes(1, 2_500, SECOND_HALF).ends(1, End::Drained);
    assert_eq!(w.weighings(), once(1));
    let Measurement::BodyComposition(whole) = w.only().companions[0] else { panic!("no composition") };
    assert!(whole.impedance_ohm.is_some() && whole.weight.is_some() && !whole.multiple_packet);
    // Half of one is none.
    let mut w = scale();
    w.composes(1, 2_000, FIRST_HALF).ends(1, End::Drained);
    assert_eq!(w.held(1), Some(&Why::Layout));
}

/// Of user 3, who is nobody's: his weighing is held, and must not take or lose a part.
const HIS_WEIGHT: &str = "06803EE507071715301F03";
const HIS_COMPOSITION: &str = "9803C300E01A9701CD2FCB21A911";

/// Told again between the two, a weight is the last that was told: the composition is its own, and not that of the weight
/// that is new.
#[test]
fn a_weight_that_is_told_again_comes_where_it_is_told() {
    // Whether the first contact admitted it alone or it still waits.
    for end in [End::Lost, End::Drained] {
        let mut w = scale();
        w.weighs(1, 1_000, WEIGHT).ends(1, end);
        w.weighs(2, 9_000, HIS_WEIGHT).weighs(2, 9_500, WEIGHT).composes(2, 10_000, COMPOSITION);
        w.ends(2, End::Drained);
        assert_ne!(w.fate(3), &Fate::Companion(RecordNo(2)), "{end:?}");
        assert!(w.held(2).is_some(), "{end:?}: {:?}", w.fate(2));
    }
    // At one tick nobody knows the order.
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT).ends(1, End::Lost);
    w.weighs(2, 9_000, HIS_WEIGHT)
        .weighs(2, 9_000, WEIGHT)
        .composes(2, 9_000, COMPOSITION)
        .ends(2, End::Drained);
    assert_eq!(w.held(3), Some(&Why::Time(TimeDoubt::Untimed)));
}

/// Between two people a weight came that can't be read: what follows may be its own.
#[test]
fn a_weight_that_cannot_be_read_parts_what_is_around_it() {
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT).weighs(1, 2_000, "06803EE5070717").composes(1, 3_000, COMPOSITION);
    w.ends(1, End::Drained);
    assert_eq!(w.held(3), Some(&Why::Time(TimeDoubt::Untimed)));
    assert_eq!(w.weighings(), once(0));
}

/// So does one that the hub has forgotten, since it was delivered long ago and is told again.
#[test]
fn a_weight_that_was_forgotten_parts_what_is_around_it() {
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT);
    let forgotten = Telling { record: None, at: w.now };
    w.opens.get_mut(&DEVICE).unwrap().contacts.get_mut(&ContactNo(1)).unwrap().told.push(forgotten);
    w.composes(1, 3_000, COMPOSITION).ends(1, End::Drained);
    assert_eq!(w.held(2), Some(&Why::Time(TimeDoubt::Untimed)));
    assert_eq!(w.weighings(), once(0));
}

/// A scale whose order nobody states: one of each in a contact belong together, whichever came first; of two of each
/// nobody knows.
#[test]
fn an_unstated_order_is_not_guessed() {
    let unstated = || scale_of(profile(Kind::BodyCompositionAnalyzer));
    for composition_first in [false, true] {
        let mut w = unstated();
        if composition_first {
            w.composes(1, 1_000, COMPOSITION).weighs(1, 2_000, WEIGHT);
        } else {
            w.weighs(1, 1_000, WEIGHT).composes(1, 2_000, COMPOSITION);
        }
        assert!(w.all().is_empty(), "more may come");
        w.ends(1, End::Drained);
        assert_eq!(w.weighings(), once(1), "composition first: {composition_first}");
    }
    let mut w = unstated();
    w.composes(1, 1_000, COMPOSITION).weighs(1, 2_000, WEIGHT);
    w.composes(1, 3_000, HIS_COMPOSITION).weighs(1, 4_000, HIS_WEIGHT).ends(1, End::Drained);
    assert_eq!(w.weighings(), once(0));
    for composition in [1, 3] {
        assert_eq!(w.held(composition), Some(&Why::Time(TimeDoubt::Untimed)));
    }
    // Two halves and their weight.
    let mut w = unstated();
    w.weighs(1, 1_000, WEIGHT).composes(1, 2_000, FIRST_HALF).composes(1, 2_500, SECOND_HALF);
    w.ends(1, End::Drained);
    assert_eq!(w.weighings(), once(1));
}

/// Equal octets are the same composition only if nothing was told since.
#[test]
fn equal_compositions_of_two_weights_are_two() {
    let mut w = scale();
    w.bindings([slotted(2, bound(ADA, NEW_YORK)), slotted(3, bound(BEN, NEW_YORK))]);
    w.at(900_000).weighs(1, 901_000, WEIGHT).composes(1, 902_000, COMPOSITION).composes(
        1,
        902_100,
        COMPOSITION,
    );
    w.weighs(1, 903_000, HIS_WEIGHT).composes(1, 904_000, COMPOSITION).ends(1, End::Drained);
    let companions: Vec<usize> = w.all().iter().map(|reading| reading.companions.len()).collect();
    assert_eq!(companions, [1, 1]);
}

/// Cut between its halves, it comes whole in the next contact.
#[test]
fn a_composition_that_was_cut_is_put_together_later() {
    let mut w = scale();
    w.weighs(1, 1_000, WEIGHT).composes(1, 2_000, FIRST_HALF).ends(1, End::Lost);
    w.weighs(2, 9_000, WEIGHT).composes(2, 9_500, FIRST_HALF).composes(2, 10_000, SECOND_HALF);
    w.ends(2, End::Drained);
    // The half that was cut stays for a person, if it was not told again under its own number.
    assert_eq!(w.weighings(), once(1));
}

/// CLINICAL 1: parts that have no room in their weight are somebody else's, or in another unit.
#[test]
fn clinical_1_a_body_is_no_less_than_its_parts() {
    let mut w = scale();
    // 61.370 kg.
    w.weighs(1, 1_000, "06F22FE507071715211F02").composes(1, 2_000, COMPOSITION).ends(1, End::Drained);
    assert!(matches!(w.held(1), Some(Why::Impossible(_))), "{:?}", w.fate(1));
}
