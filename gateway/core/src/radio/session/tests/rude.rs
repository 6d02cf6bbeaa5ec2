//! Devices that say anything at any time: no panic, no end that does not come, no request without bound.

use super::super::{ANSWER_MS, Ask, Cursor, Fault, Known, LIMIT_MS, MEMORY_LIMIT_MS, Poll, Session};
use super::talk::*;
use crate::capture::{Uuid16, named};
use crate::dice::Dice;
use crate::identity::{Facts, Slot};
use crate::profile::{Catalog, Profile, Via};
use crate::radio::Millis;
use crate::radio::session::{Can, Offer, Place, measures};
use hearth_wire::racp::RecordAccessControlPoint;

const CHARACTERISTICS: [u16; 20] = [
    0x2A35, 0x2B34, 0x2A18, 0x2A34, 0x2A9D, 0x2A9C, 0x2A1C, 0x2A5E, 0x2A37, 0x2A52, 0x2A9F, 0x2A2B, 0x2A08,
    0x2BF2, 0x2A23, 0x2A25, 0x2A29, 0x2A24, 0x2A26, 0x2A19,
];

fn offers(dice: &mut Dice) -> Vec<Offer> {
    let honest = dice.roll(3) > 0;
    let mut all: Vec<Offer> = vec![];
    for characteristic in CHARACTERISTICS {
        let mut bit = || honest && dice.roll(10) > 0 || dice.roll(2) == 0;
        let can = Can { read: bit(), write: bit(), notify: bit(), indicate: bit() };
        let service = dice.one(&[0x1810, 0x1808, 0x181D, 0x1805, 0x180A]);
        if honest || dice.roll(2) == 0 {
            all.push(offer(service, characteristic, can));
        }
    }
    let again = all.clone();
    all.extend(again.into_iter().take(dice.roll(20) as usize));
    all
}

fn any_known(dice: &mut Dice) -> Known {
    let mut known = match dice.roll(3) {
        0 => known(),
        _ => timed("2024-06-15T21:17:40Z", "America/New_York"),
    };
    if dice.roll(2) == 0 {
        known.facts = Facts::default();
        known.battery = false;
    }
    known.cursor = (dice.roll(2) == 0).then(|| {
        let number = if dice.roll(2) == 0 { 1 } else { dice.roll(65_536) as u16 };
        let name = named(Uuid16::GLUCOSE_MEASUREMENT, &[0, 1, 0, 0xE8, 7, 1, 1, 0, 0, 0]).unwrap();
        Cursor { number, name }
    });
    known.all = dice.roll(8) == 0;
    known.users = (0..dice.roll(4)).map(|slot| (Slot(slot as u8), 7)).collect();
    known
}

/// Octets that get a conversation on, or any.
fn octets_of(dice: &mut Dice, characteristic: u16) -> Vec<u8> {
    let of = dice.roll(8);
    match (characteristic, of) {
        (_, 0) => dice.octets(24),
        (0x2A52, 1..=3) => vec![5, 0, dice.roll(4) as u8, 0],
        (0x2A52, _) => vec![6, 0, dice.one(&[1, 4, 3]), dice.one(&[1, 1, 1, 6, 3, 8, 2])],
        (0x2A9F, _) => vec![0x20, 2, dice.one(&[1, 1, 5, 4])],
        (0x2A2B, _) => octets("E807060F101128060000"),
        (0x2A18, _) => vec![0, dice.roll(4) as u8, dice.roll(2) as u8, 0xE8, 7, 1, 1, 0, 0, 0],
        _ => dice.octets(24),
    }
}

struct Seen {
    asks: u32,
    clock_sets: u32,
    drained: bool,
    keeps: u32,
}

/// The door: one device, one life.
fn live(seed: u64, profile: &Profile) -> Seen {
    let mut dice = Dice::new(seed);
    let (known, offers) = (any_known(&mut dice), offers(&mut dice));
    let context = format!("seed {seed}, {}", profile.name.0);
    let mut session = Session::start(profile, known, Millis(1_000));
    let limit = if profile.collect.via == Via::Racp { MEMORY_LIMIT_MS } else { LIMIT_MS };
    let mut now = 1_000;
    let mut out: Option<(Ask, u64)> = None;
    let mut seen = Seen { asks: 0, clock_sets: 0, drained: false, keeps: 0 };
    let (mut turned, mut timeouts) = (false, 0);
    let talkative = dice.roll(2_000);
    for event in 0.. {
        // Drained to the last word, as whoever holds it must.
        let ending = loop {
            match session.poll() {
                Poll::Tell(tell) => {
                    if tell == super::super::Tell::AnotherContact {
                        assert!(!turned, "{context}: a clock is set once");
                        turned = true;
                    }
                }
                Poll::Ask(ask) => {
                    let over = out.as_ref().is_none_or(|(_, asked)| now >= asked + ANSWER_MS);
                    assert!(over, "{context}: one request at a time");
                    assert!(offers.iter().any(|o| o.place == ask.place()), "{context}: it was offered");
                    if let Ask::Write(place, octets) = &ask {
                        let records = place.characteristic.0 == RecordAccessControlPoint::UUID;
                        assert!(!records || octets[0] != 2, "{context}: nothing is ever deleted");
                        seen.clock_sets += u32::from(Some(place.characteristic.0) == profile.clock.set_by);
                    }
                    seen.asks += 1;
                    out = Some((ask, now));
                }
                Poll::Wait(until) => {
                    assert!(until.0 <= 1_000 + limit, "{context}: it has an end");
                    break None;
                }
                Poll::Done(ending) => break Some(ending),
            }
        };
        if let Some(ending) = ending {
            seen.drained = ending.how == crate::admit::End::Drained;
            assert_eq!(ending.heard, seen.keeps, "{context}");
            break;
        }
        assert!(now <= 1_000 + limit + ANSWER_MS, "{context}: time is up");
        let Poll::Wait(until) = session.poll() else { panic!("{context}") };
        match dice.roll(12) {
            _ if event > talkative => {
                timeouts += 1;
                assert!(timeouts < 400, "{context}: silence, and no end");
                now = now.max(until.0);
                session.timeout(Millis(now));
            }
            0..=3 => {
                let characteristic = Uuid16(dice.one(&CHARACTERISTICS));
                let octets = octets_of(&mut dice, characteristic.0);
                let kept = session.value(characteristic, &octets, Millis(now));
                assert_eq!(kept, measures(profile.kind).contains(&characteristic), "{context}");
                seen.keeps += u32::from(kept);
            }
            4..=8 => {
                let place = out.take().map(|(ask, _)| ask.place().characteristic.0);
                let octets = octets_of(&mut dice, place.unwrap_or(0x2A00));
                let fault = dice.one(&[
                    Fault::Att(0x80),
                    Fault::Att(0x05),
                    Fault::Att(0xFE),
                    Fault::NotAllowed,
                    Fault::Gone,
                    Fault::Unanswered,
                ]);
                let answer = if dice.roll(12) == 0 { Err(fault) } else { Ok(octets.as_slice()) };
                session.answered(answer, Millis(now));
            }
            9 => now += dice.roll(ANSWER_MS),
            10 => session.timeout(Millis(now)),
            _ if dice.roll(200) == 0 => session.lost(),
            _ if dice.roll(2) == 0 => session.discovered(profile, &offers, Millis(now)),
            _ => now += dice.roll(50),
        }
    }
    seen
}

#[test]
fn no_rude_device_hangs_a_session() {
    let catalog = Catalog::standard();
    let mut profiles: Vec<Profile> = catalog.all().cloned().collect();
    let mut oximeter = profile("generic/pulse-oximeter");
    oximeter.collect.via = Via::Racp;
    profiles.push(oximeter);
    let (mut drained, mut set, mut most) = (0, 0, 0);
    for seed in 1..=6_000 {
        let profile = &profiles[seed as usize % profiles.len()];
        let seen = live(seed, profile);
        drained += u32::from(seen.drained);
        set += seen.clock_sets;
        most = most.max(seen.asks);
    }
    assert!(most <= 60, "{most} requests");
    assert!(drained > 300 && set > 100, "the devices were too much alike: {drained} drained, {set} set");
}

/// Nothing overflows at the end of time.
#[test]
fn time_at_its_end() {
    let place = Place { service: 0x1810, characteristic: Uuid16::BLOOD_PRESSURE_MEASUREMENT };
    let offers = [Offer { place, can: INDICATE }];
    let cuff = profile("generic/blood-pressure");
    let mut session = Session::start(&cuff, known(), Millis(u64::MAX));
    session.discovered(&cuff, &offers, Millis(u64::MAX));
    assert_eq!(session.poll(), Poll::Ask(Ask::Subscribe(place)));
    session.answered(Ok(&[]), Millis(u64::MAX));
    session.timeout(Millis(u64::MAX));
    assert!(matches!(session.poll(), Poll::Done(_)));
}
