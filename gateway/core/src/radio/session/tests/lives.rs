//! Hundreds of seeded lives of a meter against one truth: whatever breaks on the way, all that a meter holds is here after the
//! next whole session.

use super::super::{Ask, Ending, Fault, Known, Memory, Offer, Poll, Session};
use super::talk::*;
use crate::capture::Uuid16;
use crate::dice::Dice;
use crate::profile::Profile;
use crate::radio::Millis;
use std::collections::{BTreeSet, VecDeque};

const METER: [Offer; 2] = [offer(0x1808, 0x2A18, NOTIFY), offer(0x1808, 0x2A52, CONTROL)];

/// A meter with a memory, by the letter of the Glucose Service, but for what its seed makes of it.
struct Meter {
    records: VecDeque<(u16, u32)>,
    next: u16,
    /// Tells two records of the same number apart, as their times would.
    taken: u32,
    room: usize,
    filters: bool,
    counts: bool,
    reversed: bool,
    /// Filters by plain number, not around the wrap.
    plain: bool,
}

impl Meter {
    fn measures(&mut self) {
        self.records.push_back((self.next, self.taken));
        self.next = self.next.wrapping_add(1);
        self.taken += 1;
        if self.records.len() > self.room {
            self.records.pop_front();
        }
    }

    /// Repaired, or another battery: its numbers begin anew.
    fn begins_anew(&mut self) {
        self.records.clear();
        self.next = 0;
    }

    /// What it sends for what was written to its control point: records, then its last word.
    fn answers(&self, request: &[u8]) -> (Vec<(u16, u32)>, Vec<u8>) {
        let chosen = |from: Option<u16>| {
            let mut chosen: Vec<(u16, u32)> = self
                .records
                .iter()
                .copied()
                .filter(|(n, _)| {
                    from.is_none_or(
                        |from| if self.plain { *n >= from } else { n.wrapping_sub(from) < 0x8000 },
                    )
                })
                .collect();
            if self.reversed {
                chosen.reverse();
            }
            chosen
        };
        let (operation, from) = match *request {
            [operation, 1] => (operation, None),
            [operation, 3, 1, low, high] if self.filters => {
                (operation, Some(u16::from_le_bytes([low, high])))
            }
            [operation, 3, ..] => return (vec![], vec![6, 0, operation, 4]),
            [operation, ..] => return (vec![], vec![6, 0, operation, 1]),
            [] => return (vec![], vec![]),
        };
        let chosen = chosen(from);
        match operation {
            4 if !self.counts => (vec![], vec![6, 0, 4, 2]),
            4 => {
                let [low, high] = (chosen.len() as u16).to_le_bytes();
                (vec![], vec![5, 0, low, high])
            }
            _ if chosen.is_empty() => (vec![], vec![6, 0, 1, 6]),
            _ => (chosen, vec![6, 0, 1, 1]),
        }
    }
}

fn octets_of((number, taken): (u16, u32)) -> Vec<u8> {
    let [low, high] = number.to_le_bytes();
    let [a, b, c, d] = taken.to_le_bytes();
    vec![0, low, high, 0xE8, 7, 1, a, b, c, d]
}

/// One session. `steady`: nothing breaks.
fn session(
    meter: &Meter,
    profile: &Profile,
    known: Known,
    heard: &mut BTreeSet<Vec<u8>>,
    dice: &mut Dice,
    steady: bool,
) -> Ending {
    let mut session = Session::start(profile, known, Millis(0));
    session.discovered(profile, &METER, Millis(0));
    let mut now = 0;
    loop {
        now += 1;
        let ask = match session.poll() {
            Poll::Tell(_) => continue,
            Poll::Done(ending) => return ending,
            Poll::Wait(until) => {
                now = now.max(until.0);
                session.timeout(Millis(now));
                continue;
            }
            Poll::Ask(ask) => ask,
        };
        let breaks = |dice: &mut Dice, odds| !steady && dice.roll(odds) == 0;
        if breaks(dice, 30) {
            session.lost();
            continue;
        }
        let Ask::Write(_, request) = ask else {
            session.answered(Ok(&[]), Millis(now));
            continue;
        };
        if breaks(dice, 30) {
            session.answered(Err(Fault::Att(0xFE)), Millis(now));
            continue;
        }
        let late = dice.roll(2) == 0;
        if !late {
            session.answered(Ok(&[]), Millis(now));
        }
        let (records, mut word) = meter.answers(&request);
        for record in records {
            if breaks(dice, 40) {
                // The rest does not come: lost on the way, not completed, or silence.
                match dice.roll(3) {
                    0 => session.lost(),
                    1 => word = vec![6, 0, 1, 8],
                    _ => word.clear(),
                }
                break;
            }
            // One is lost in the stack; only a count shows that.
            if meter.counts && breaks(dice, 40) {
                continue;
            }
            let octets = octets_of(record);
            assert!(session.value(Uuid16::GLUCOSE_MEASUREMENT, &octets, Millis(now)));
            heard.insert(octets);
        }
        session.value(Uuid16(0x2A52), &word, Millis(now));
        if late {
            session.answered(Ok(&[]), Millis(now));
        }
    }
}

/// The door: one meter's life. How often its numbers began anew.
fn live(seed: u64, profile: &Profile) -> u32 {
    let mut dice = Dice::new(seed);
    let mut meter = Meter {
        records: VecDeque::new(),
        next: [0, 1, 65_530][dice.roll(3) as usize],
        taken: 0,
        room: 3 + dice.roll(12) as usize,
        filters: dice.roll(4) > 0,
        counts: dice.roll(4) > 0,
        reversed: dice.roll(3) == 0,
        plain: dice.roll(2) == 0,
    };
    let (mut heard, mut known, mut anew) = (BTreeSet::new(), known(), 0);
    for round in 0..12 {
        (0..dice.roll(5)).for_each(|_| meter.measures());
        if dice.roll(12) == 0 {
            meter.begins_anew();
            (0..dice.roll(5)).for_each(|_| meter.measures());
            anew += 1;
        }
        let steady = dice.roll(3) == 0 || round == 11;
        let ending = session(&meter, profile, known.clone(), &mut heard, &mut dice, steady);
        let context = format!("seed {seed}, round {round}, {:?}, {ending:?}", known.cursor);
        match ending.memory {
            Memory::Whole { cursor, .. } => {
                let here = meter.records.iter().all(|record| heard.contains(&octets_of(*record)));
                assert!(here, "{context}: it is not whole");
                known.cursor = cursor;
            }
            part => assert!(!steady, "{context}: {part:?}, though nothing broke"),
        }
    }
    anew
}

#[test]
fn whatever_breaks_all_that_a_meter_holds_is_collected() {
    let profile = profile("generic/glucose");
    let anew: u32 = (1..=2_000).map(|seed| live(seed, &profile)).sum();
    assert!(anew > 1_000, "the meters were too much alike: {anew} began anew");
}
