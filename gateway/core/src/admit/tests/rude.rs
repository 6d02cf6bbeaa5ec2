//! Thousands of seeded, rude meters against one truth.

use super::world::*;
use crate::admit::*;
use crate::capture::Key;
use crate::decode::Measurement;
use crate::dice::Dice;
use crate::reading::{Issue, Reading};
use crate::when::*;
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// The truth: the meter's clock runs ten seconds behind the wall. Record 15 was taken at 06:07:47 of it.
fn truth(measure: &Measurement) -> jiff::Timestamp {
    match measure {
        Measurement::Glucose(m) if m.sequence == 15 => instant("2024-01-30T06:07:37Z"),
        _ => instant("2024-01-30T06:06:54Z"),
    }
}

struct Life {
    w: World,
    dice: Dice,
    contact: u64,
    wall: i64,
    told: BTreeMap<(Key, Issue), Reading>,
}

impl Life {
    fn step(&mut self) {
        let passed = 1 + self.dice.roll(200_000) as i64;
        self.wall += passed;
        self.w.now.ms += passed;
        let wall = SignedDuration::from_millis(self.wall);
        match self.dice.roll(14) {
            0 => {
                self.w.hub_time_is(instant("2024-01-30T06:10:00Z") + wall);
            }
            1..=3 => {
                self.w.meter_says(self.contact, GLU_01);
            }
            4 | 5 => {
                self.w.context(self.contact, CONTEXT_OF_15);
            }
            6 => {
                self.w.meter_says(self.contact, "131000E807011E05391B53016FB0F8");
            }
            7 => {
                let shown = as_utc("2024-01-30T11:39:50".parse().unwrap()) + wall;
                let shown = jiff::tz::Offset::UTC.to_datetime(shown).to_string();
                self.w.clock_shows(self.contact, shown.split('.').next().unwrap());
            }
            8 => {
                self.w.system_id();
            }
            9 => {
                self.w.bindings([bound(ADA, KOLKATA)]);
            }
            10 => {
                let end = if self.dice.roll(2) == 0 { End::Drained } else { End::Lost };
                self.w.ends(self.contact, end);
                self.contact += 1;
            }
            11 => {
                self.wall += self.dice.roll(100_000) as i64;
                self.w.boot();
                self.contact += 1;
            }
            12 => {
                let given = self.w.readings.iter().find(|(_, (_, retracted))| !retracted).map(|(id, _)| *id);
                let news = given.map_or(News::Due, |(key, issue)| News::Retract(key, issue));
                self.w.take(news);
            }
            _ => {
                let gone = self.w.readings.iter().rfind(|(_, (_, retracted))| *retracted).map(|(id, _)| id.0);
                self.w.take(gone.map_or(News::Due, News::Reissue));
            }
        }
    }

    fn check(&mut self, seed: u64) {
        if let Some(due) = self.w.due() {
            assert!(due > self.w.now, "seed {seed}: due in the past, {due:?} at {:?}", self.w.now);
        }
        for (id, reading) in &self.told {
            assert_eq!(&self.w.readings[id].0, reading, "seed {seed}: a given reading changed");
        }
        self.told = self.w.readings.iter().map(|(id, (reading, _))| (*id, reading.clone())).collect();
        let keys: BTreeSet<Key> = self.told.keys().map(|(key, _)| *key).collect();
        assert!(keys.len() <= 2, "seed {seed}: two records became {}", keys.len());
        for reading in self.told.values() {
            let off = reading.when.effective.duration_since(truth(&reading.measure)).as_secs().abs();
            assert!(off <= 30, "seed {seed}: {off} s off, {:?}", reading.when);
        }
    }

    /// Silence ends everything: what waits is admitted, held or refused.
    fn fall_silent(&mut self, seed: u64) {
        let wall = SignedDuration::from_millis(self.wall);
        self.w.hub_time_is(instant("2024-01-30T06:10:00Z") + wall);
        for _ in 0..10 {
            let Some(due) = self.w.due() else { break };
            assert_eq!(due.boot, self.w.now.boot, "seed {seed}");
            self.w.silence_until(due.ms);
        }
        for record in self.w.opens[&DEVICE].records.values() {
            assert!(
                !matches!(record.fate, Fate::New | Fate::Await { .. }),
                "seed {seed}: {:?} waits for ever",
                record.fate
            );
        }
    }
}

#[test]
fn thousands_of_rude_meters() {
    let mut reached = 0;
    for seed in 0..3_000u64 {
        let mut w = World::new(by_system_id(telling(meter())));
        w.take(News::Booted);
        let dice = Dice::new(seed);
        let mut life = Life { w, dice, contact: 1, wall: 0, told: BTreeMap::new() };
        for _ in 0..30 {
            life.step();
            life.check(seed);
        }
        life.fall_silent(seed);
        reached += usize::from(!life.w.all().is_empty());
    }
    assert!(reached > 1_000, "the dice reached a reading in {reached} lives only");
}
