//! An adapter and a daemon to which anything happens: when all is well again, it scans.

use super::*;
use crate::dice::Dice;

/// BlueZ as far as a scan is concerned, as it was seen to behave.
struct Stack {
    /// Which run of the daemon; `None`: none.
    owner: Option<u32>,
    owners: u32,
    /// Busy until then.
    young: u64,
    adapter: Option<u16>,
    powered: bool,
    blocked: bool,
    dead: bool,
    /// It was silent, and its power can't be switched until then.
    grumbles: u64,
    /// A discovery that scans nothing any more.
    stale: bool,
    /// A discovery that the kernel has ended, and the daemon believes in.
    believed: bool,
    /// The kernel scans for a daemon that is gone.
    inherited: bool,
    scans: bool,
    registered: Option<u32>,
}

impl Stack {
    fn works(&self) -> bool {
        self.scans && !self.dead && self.powered && self.registered == self.owner && self.owner.is_some()
    }

    fn has(&self, adapter: u16) -> bool {
        self.owner.is_some() && self.adapter == Some(adapter)
    }

    fn does(&mut self, command: Command, now: u64, hub: &mut Adapter) -> Option<Answer> {
        let at = Millis(now);
        let there = match command {
            Look => true,
            Register(n) | PowerOn(n) | PowerOff(n) | StartScan(n) | StopScan(n) => self.has(n),
        };
        if !there {
            return Some(Failed);
        }
        Some(match command {
            Look => {
                hub.daemon(self.owner.is_some(), at);
                if let (Some(_), Some(adapter)) = (self.owner, self.adapter) {
                    hub.added(adapter, at);
                    hub.powered(adapter, self.powered, at);
                }
                hub.blocked(self.blocked, at);
                Done
            }
            Register(_) => {
                self.registered = self.owner;
                Done
            }
            _ if now < self.young => Busy,
            PowerOn(_) if self.blocked => Failed,
            PowerOn(_) | PowerOff(_) if self.dead => return None,
            PowerOn(_) => {
                self.powered = true;
                Done
            }
            PowerOff(_) if now < self.grumbles => Failed,
            PowerOff(_) => {
                (self.powered, self.scans, self.stale) = (false, false, false);
                (self.believed, self.inherited) = (false, false);
                Done
            }
            StartScan(_) if !self.powered => Failed,
            StartScan(_) if self.inherited => Inherited,
            StartScan(_) if self.dead || self.stale || self.scans => InProgress,
            StartScan(_) => {
                self.scans = !self.believed;
                Done
            }
            StopScan(_) if self.dead => return None,
            StopScan(_) if self.believed => InProgress,
            StopScan(_) => {
                (self.scans, self.stale) = (false, false);
                Done
            }
        })
    }

    fn goes(&mut self) {
        (self.owner, self.scans, self.powered) = (None, false, false);
    }

    fn comes(&mut self, now: u64, stale: bool) {
        self.owners += 1;
        (self.owner, self.young, self.stale) = (Some(self.owners), now + 1_400, stale);
        self.believed = false;
    }

    /// What is told of it by signals.
    fn tells(&self, hub: &mut Adapter, at: Millis) {
        hub.daemon(self.owner.is_some(), at);
        if let (Some(_), Some(adapter)) = (self.owner, self.adapter) {
            hub.added(adapter, at);
            hub.powered(adapter, self.powered, at);
        }
    }

    /// One fault, or the end of one. Of some nothing is told.
    fn suffers(&mut self, dice: &mut Dice, now: u64, hub: &mut Adapter) {
        let at = Millis(now);
        match dice.roll(7) {
            0 => {
                self.goes();
                if dice.roll(2) == 0 {
                    self.tells(hub, at);
                }
            }
            1 => {
                let (stale, inherited) = (dice.roll(2) == 0, self.works());
                let powered = self.powered;
                self.goes();
                self.comes(now, stale);
                // A daemon that was killed leaves the power on, and the kernel's scan.
                (self.powered, self.inherited) = (powered, inherited && powered);
                self.tells(hub, at);
            }
            2 => {
                if let Some(adapter) = self.adapter.take() {
                    (self.powered, self.scans, self.dead) = (false, false, false);
                    hub.removed(adapter, at);
                }
            }
            3 if self.adapter.is_none() => {
                let number = dice.roll(3) as u16;
                self.adapter = Some(number);
                hub.added(number, at);
            }
            3 | 4 => {
                // Silent for a while: what it scanned, it does not scan when it is back.
                self.dead = !self.dead;
                self.grumbles = now + dice.roll(8) * 1_000;
                match dice.roll(2) {
                    0 => self.stale |= self.scans,
                    _ => self.believed |= self.scans,
                }
                self.scans = false;
            }
            5 => {
                self.blocked = !self.blocked;
                hub.blocked(self.blocked, at);
                if self.blocked {
                    (self.powered, self.scans) = (false, false);
                    self.adapter.into_iter().for_each(|n| hub.powered(n, false, at));
                }
            }
            _ => {
                (self.powered, self.scans) = (false, false);
                self.adapter.into_iter().for_each(|n| hub.powered(n, false, at));
            }
        }
    }

    fn heals(&mut self, now: u64, hub: &mut Adapter) {
        let at = Millis(now);
        if std::mem::take(&mut self.dead) {
            self.grumbles = now + 5_000;
        }
        if self.blocked {
            self.blocked = false;
            hub.blocked(false, at);
        }
        if self.adapter.is_none() {
            self.adapter = Some(1);
            hub.added(1, at);
        }
        if self.owner.is_none() {
            self.comes(now, false);
            self.tells(hub, at);
        }
    }
}

/// The door: an hour of faults, then none. How long it then took until it scanned.
fn live(seed: u64) -> u64 {
    let mut dice = Dice::new(seed);
    let mut hub = Adapter::new(Millis(0));
    let mut stack = Stack {
        owner: Some(0),
        owners: 0,
        young: 0,
        adapter: Some(0),
        powered: false,
        blocked: false,
        dead: false,
        grumbles: 0,
        inherited: false,
        stale: false,
        believed: false,
        scans: false,
        registered: None,
    };
    let quiet_house = dice.roll(2) == 0;
    let storm = 3_600_000;
    let (mut commands, mut well_since) = (0u64, None);
    let mut answer: Option<(u64, Answer)> = None;
    for now in (0..storm + 2 * LONGEST_QUIET_MS).step_by(50) {
        if now < storm && dice.roll(1_200) == 0 {
            stack.suffers(&mut dice, now, &mut hub);
        }
        if now == storm {
            stack.heals(now, &mut hub);
        }
        if stack.works() && !quiet_house && now % 1_000 == 0 {
            hub.heard(Millis(now));
        }
        if let Some((_, said)) = answer.take_if(|(at, _)| *at <= now) {
            hub.answered(said, Millis(now));
        }
        for turn in 0.. {
            assert!(turn < 20, "seed {seed}: it spins");
            match hub.poll() {
                Poll::Do(command) => {
                    commands += 1;
                    let said = stack.does(command, now, &mut hub);
                    answer = said.map(|said| (now + 50 + dice.roll(200), said));
                }
                Poll::Wait(until) if until.0 <= now => hub.timeout(Millis(now)),
                Poll::Wait(until) => {
                    assert!(until.0 <= now + LONGEST_QUIET_MS, "seed {seed}: waits too long");
                    break;
                }
            }
        }
        if now >= storm && stack.works() && hub.state() == State::Scanning {
            well_since.get_or_insert(now - storm);
        }
    }
    let seconds = (storm + 2 * LONGEST_QUIET_MS) / 1_000;
    assert!(commands < seconds * 2, "seed {seed}: {commands} commands in {seconds} s");
    assert!(stack.works(), "seed {seed}: it does not scan, and says {:?}", hub.state());
    well_since.unwrap_or_else(|| panic!("seed {seed}: it never scanned again"))
}

#[test]
fn after_any_storm_it_scans_again() {
    for seed in 1..=60 {
        let took = live(seed);
        assert!(took <= LONGEST_QUIET_MS + 180_000, "seed {seed}: {took} ms");
    }
}
