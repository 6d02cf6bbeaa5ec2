//! A day in a house where a scale advertises a hundred times a second.

use super::*;
use crate::dice::Dice;

/// What the radio is about to say.
#[derive(Clone, Copy, Debug)]
enum Soon {
    Up(DeviceNo),
    Fails(DeviceNo),
    Ends(DeviceNo, Outcome),
}

struct House {
    dice: Dice,
    scout: Scout,
    slots: usize,
    soon: Vec<(u64, Soon)>,
    held: Vec<DeviceNo>,
    connecting: Option<DeviceNo>,
    wait: Option<Millis>,
    connects: BTreeMap<DeviceNo, u32>,
    context: String,
}

impl House {
    fn new(seed: u64) -> House {
        let slots = 1 + seed as usize % 3;
        let mut scout = Scout::new(slots, Millis(0));
        for device in [CUFF, METER, SCALE] {
            scout.add(device, Millis(0));
        }
        House {
            dice: Dice::new(seed),
            scout,
            slots,
            soon: vec![],
            held: vec![],
            connecting: None,
            wait: None,
            connects: BTreeMap::new(),
            context: format!("seed {seed}, {slots} slots"),
        }
    }

    /// Does what the scout says. Who answers does so within half a second; who does not, never.
    fn drain(&mut self, now: u64) -> Option<DeviceNo> {
        let mut connected = None;
        loop {
            match self.scout.poll() {
                Poll::Connect(device) => {
                    assert_eq!(self.connecting, None, "{}: one at a time", self.context);
                    assert!(self.held.len() < self.slots, "{}: no more than there are slots", self.context);
                    assert!(!self.held.contains(&device), "{}", self.context);
                    self.connecting = Some(device);
                    connected = Some(device);
                    *self.connects.entry(device).or_default() += 1;
                    let answers = device == CUFF || self.dice.roll(4) > 0;
                    if answers {
                        self.soon.push((now + 50 + self.dice.roll(450), Soon::Up(device)));
                    } else if self.dice.roll(2) == 0 {
                        self.soon.push((now + self.dice.roll(20_000), Soon::Fails(device)));
                    }
                }
                Poll::GiveUp(device) => {
                    assert_eq!(self.connecting, Some(device), "{}", self.context);
                    self.soon.retain(|(_, soon)| !matches!(soon, Soon::Up(_) | Soon::Fails(_)));
                    self.soon.push((now + self.dice.roll(100), Soon::Fails(device)));
                }
                Poll::Wait(until) => {
                    assert!(until.is_none_or(|until| until.0 > now), "{}: it waits", self.context);
                    self.wait = until;
                    return connected;
                }
            }
        }
    }

    fn happen(&mut self, now: u64) {
        while let Some(at) = self.soon.iter().position(|(at, _)| *at <= now) {
            match self.soon.swap_remove(at).1 {
                Soon::Up(device) => {
                    self.connecting = None;
                    self.held.push(device);
                    self.scout.connected(device, Millis(now));
                    let outcome = [TOLD, NOTHING, CUT, CUT_SHORT][self.dice.roll(4) as usize];
                    self.soon.push((now + 1_000 + self.dice.roll(10_000), Soon::Ends(device, outcome)));
                }
                Soon::Fails(device) => {
                    self.connecting = None;
                    self.scout.failed(device, Millis(now));
                }
                Soon::Ends(device, outcome) => {
                    self.held.retain(|held| *held != device);
                    self.scout.ended(device, outcome, Millis(now));
                }
            }
        }
    }

    /// A scale `every` so many milliseconds, a meter every now and then in routine, and a cuff for half a minute in every `day`.
    fn live(&mut self, day: u64, days: u64, every: u64) {
        let mut shows = 0;
        let (mut since, mut slot_since): (Option<u64>, Option<u64>) = (None, None);
        let mut next_show = 60_000 + self.dice.roll(day - 120_000);
        let mut last_connect = 0;
        for now in (0..day * days).step_by(every as usize) {
            self.happen(now);
            if self.connecting.is_some_and(|_| now >= last_connect + CONNECT_MS) {
                self.connecting = None;
            }
            for device in [SCALE, METER] {
                if !self.held.contains(&device) && (device == SCALE || now % 1_000 == 0) {
                    self.scout.seen(device, None, Millis(now));
                }
            }
            let showing = (next_show..next_show + 30_000).contains(&now) && !self.held.contains(&CUFF);
            if showing && now % 100 == 0 {
                self.scout.seen(CUFF, None, Millis(now));
                if shows < now / day + 1 {
                    shows += 1;
                    since = Some(now);
                }
            }
            if since.is_some() && slot_since.is_none() && self.held.len() < self.slots {
                slot_since = Some(now);
            }
            if self.wait.is_some_and(|until| until.0 <= now) {
                self.scout.timeout(Millis(now));
            }
            if let Some(device) = self.drain(now) {
                last_connect = now;
                if device == CUFF && since.take().is_some() {
                    let waited = now - slot_since.take().unwrap_or(now);
                    assert!(waited <= 1_000, "{}: the cuff waited for {waited} ms", self.context);
                }
            }
            if since.is_some_and(|since| now > since + 20_000) {
                panic!("{}: the cuff was never connected to", self.context);
            }
            if now % day == day - every {
                next_show = now + 60_000 + self.dice.roll(day - 120_000);
            }
        }
        assert_eq!(shows, days, "{}", self.context);
        let connects = |device| self.connects.get(&device).copied().unwrap_or(0);
        assert!(connects(CUFF) >= days as u32, "{}", self.context);
        let (hours, routine) = (day * days / 3_600_000, connects(SCALE).min(connects(METER)));
        assert!(u64::from(routine) >= hours * 3, "{}: {routine} in {hours} h", self.context);
    }
}

#[test]
fn a_cuff_is_connected_to_within_a_second_beside_a_scale_that_never_stops() {
    for seed in 1..=6 {
        House::new(seed).live(600_000, 4, 10);
    }
    // And a whole day of less.
    House::new(7).live(86_400_000, 1, 200);
}
