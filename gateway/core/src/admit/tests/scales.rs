//! Hundreds of seeded, rude scales against one truth: whatever is told again, cut or told at once, nobody gets what
//! another person's body is made of.

use super::world::*;
use crate::admit::*;
use crate::capture::Uuid16;
use crate::decode::Measurement;
use crate::dice::Dice;
use crate::identity::Who;
use crate::profile::Kind;
use std::collections::BTreeSet;

/// Three weighings so alike that no arithmetic tells them apart: the weight, the composition, its fat in tenths of a percent, when
/// it was, and whose.
const WEIGHINGS: [(&str, &str, i64, &str, Who); 3] = [
    ("06783EE507071715211F02", "9803C200DF1A9701CC2FCA21A811", 194, "2021-07-23T21:33:31-04:00", ADA),
    ("06103EE507071715300A03", "9803C400DF1A9701CC2FCA21A811", 196, "2021-07-23T21:48:10-04:00", BEN),
    ("06803EE507071815211F02", "9803C300DF1A9701CC2FCA21A811", 195, "2021-07-24T21:33:31-04:00", ADA),
];

struct Life {
    w: World,
    dice: Dice,
    contact: u64,
    /// Equal ticks now and then: a log without times.
    hasty: bool,
}

impl Life {
    fn tell(&mut self, characteristic: Uuid16, hex: &str) {
        if !self.hasty {
            self.w.now.ms += 20 + i64::try_from(self.dice.roll(400)).unwrap();
        }
        self.w.hears(self.contact, characteristic, hex);
    }

    /// A connection: some of the memory, oldest or newest first, some without what the body is made of (shoes on), each
    /// told twice now and then, and cut anywhere.
    fn connects(&mut self, known: usize) {
        self.contact += 1;
        self.w.now.ms += 60_000;
        let from = usize::try_from(self.dice.roll(known as u64)).unwrap();
        let mut told: Vec<_> = WEIGHINGS[from..known].iter().collect();
        if self.dice.roll(2) == 0 {
            told.reverse();
        }
        for (weight, composition, ..) in told {
            let shoes = self.dice.roll(4) == 0;
            for (characteristic, hex) in
                [(Uuid16::WEIGHT_MEASUREMENT, *weight), (Uuid16::BODY_COMPOSITION_MEASUREMENT, *composition)]
            {
                if shoes && characteristic == Uuid16::BODY_COMPOSITION_MEASUREMENT {
                    continue;
                }
                self.tell(characteristic, hex);
                if self.dice.roll(5) == 0 {
                    self.tell(characteristic, hex);
                }
                if self.dice.roll(6) == 0 {
                    self.w.ends(self.contact, End::Lost);
                    return;
                }
            }
        }
        self.w.ends(self.contact, End::Drained);
    }

    /// Each weight is a reading once at the most, at its time and its person's, with nobody else's composition.
    fn check(&self, context: &str) {
        let mut weighed = BTreeSet::new();
        for reading in self.w.all() {
            let truth = WEIGHINGS.iter().find(|(hex, ..)| {
                let parsed = crate::decode::decode(Uuid16::WEIGHT_MEASUREMENT, &octets(hex), &[]).unwrap();
                parsed.measurement == reading.measure
            });
            let Some((hex, _, fat, when, whose)) = truth else {
                panic!("{context}: a composition alone: {reading:?}")
            };
            assert!(weighed.insert(*hex), "{context}: twice: {reading:?}");
            assert_eq!((said(reading).as_str(), &reading.who), (*when, whose), "{context}");
            let fats: Vec<i64> = reading
                .companions
                .iter()
                .map(|companion| match companion {
                    Measurement::BodyComposition(told) => i64::from(told.body_fat_percent.unwrap().mantissa),
                    _ => panic!("{context}: {companion:?}"),
                })
                .collect();
            assert!(fats.is_empty() || fats == [*fat], "{context}: somebody else's composition: {fats:?}");
        }
    }
}

fn lives(weight_first: bool) {
    let mut joined = 0;
    for seed in 1..=400 {
        let mut scale = profile(Kind::BodyCompositionAnalyzer);
        scale.collect.weight_first = weight_first;
        let mut w = World::new(scale);
        w.hub_time("2021-07-23T01:00:00Z");
        w.bindings([slotted(2, bound(ADA, NEW_YORK)), slotted(3, bound(BEN, NEW_YORK))]);
        w.now.ms = 2 * 86_400_000;
        let mut life = Life { w, dice: Dice::new(seed), contact: 0, hasty: seed % 5 == 0 };
        let context = format!("seed {seed}, weight first: {weight_first}");
        for known in [1, 1, 2, 2, 3, 3, 3] {
            life.connects(known);
            if life.dice.roll(4) == 0 {
                life.w.boot();
                life.w.now.ms = 1_000;
                life.w.hub_time("2021-07-26T01:00:00Z");
            }
            life.check(&context);
        }
        joined += life.w.all().iter().filter(|reading| !reading.companions.is_empty()).count();
    }
    assert!(joined > 200, "{joined} compositions found their weight in 400 lives");
}

#[test]
fn rude_scales_that_weigh_first() {
    lives(true);
}

#[test]
fn rude_scales_of_unstated_order() {
    lives(false);
}
