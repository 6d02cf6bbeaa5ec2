//! The adapter and its daemon: scanning goes on, and comes back after whatever fault.
//!
//! What happens goes in: the daemon's name on the bus has an owner or none, adapters come and go, power, rfkill, something
//! was heard, a command was answered. Commands come out, one at a time. The contract: after every call in, drain
//! [`Adapter::poll`] until it says `Wait`.
//!
//! The ladder, by what BlueZ 5.82 was seen to need after each fault:
//!
//! - The daemon has a new owner: agent and monitors are registered anew, before the scan. Without, nothing can be paired.
//! - The scan is started every half second until it starts: `Busy` right after a start is normal.
//! - `InProgress` means that it still scans, that the discovery is stale, or that the controller is dead. Something
//!   heard within two seconds: it scans. Else it is stopped and started; then the power is switched off and on; then all of
//!   it again, ever more seldom, and a person is told.
//! - Where the daemon refuses so and does not think that it scans itself, the kernel goes on with the scan of a daemon that was
//!   killed, ends it ten seconds later, and nobody scans any more. The power is switched at once: links of that daemon's are gone
//!   for the hub anyway.
//! - Where the daemon can't stop its scan, because the kernel has none any more, it says of the next one that it was started, and starts
//!   none: to it, that one still goes on. The power is switched (5.82, after a controller that said nothing while the daemon asked
//!   it for a pause). A controller that has only just begun to talk again may refuse that: it is asked again, and no scan is believed
//!   before.
//! - **Silence is no fault.** In a house where nobody measures nothing advertises. Only a scan that can't be started is
//!   believed to be one. So after a while without a word the scan is started anew, which tells; a dead controller says
//!   nothing by itself.
//! - The power is never switched while anything is heard: a session may be among it. But where the daemon goes on holding a link that
//!   was ended, nothing else ends it: the kernel gave it up while the controller said nothing, and told nobody (Linux 6.12). No
//!   device behind such a link is ever heard again; whatever else is cut off is asked again.

use super::{Millis, after};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;
mod words;

pub use words::{Answer, Command, Poll, State};

/// The pause between two tries while nothing is known to be wrong.
const TRY_MS: u64 = 500;
/// Something heard so recently: the adapter lives.
const ALIVE_MS: u64 = 2_000;
/// D-Bus' own limit is 30 s.
pub const ANSWER_MS: u64 = 35_000;
/// So many tries on one rung, then the next.
const TRIES: u32 = 4;
/// The longest pause between two rounds of the ladder, or two looks at what is missing.
pub const LONGEST_MS: u64 = 60_000;
/// Without a word for so long, the scan is started anew; after each time that nothing was wrong, for twice as long.
pub const QUIET_MS: u64 = 120_000;
/// So long may a controller be dead in a house where nothing advertises, until it is known.
pub const LONGEST_QUIET_MS: u64 = 600_000;

/// How far up the ladder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rung {
    Start,
    /// The scan is stopped first.
    Anew,
    /// The power is switched off and on first.
    Power,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Register,
    PowerOff,
    PowerOn,
    StopScan,
    StartScan,
}

/// One hub's adapters, of which one is used.
#[derive(Clone, Debug)]
pub struct Adapter {
    daemon: bool,
    blocked: bool,
    present: BTreeSet<u16>,
    used: Option<u16>,
    powered: bool,
    registered: bool,
    scanning: bool,
    heard: Option<Millis>,
    rung: Rung,
    tries: u32,
    /// Rounds of the whole ladder that came to nothing.
    rounds: u32,
    /// What the rung wants done first.
    first: Option<Step>,
    /// The daemon holds a link that is none: the power is switched, whatever else is well.
    undead: bool,
    out: Option<(Command, Millis)>,
    send: bool,
    /// Nothing is done before this instant.
    next: Millis,
    quiet: u64,
    /// When the scan was started, or something was heard.
    word: Millis,
}

impl Adapter {
    pub fn new(now: Millis) -> Adapter {
        let mut adapter = Adapter {
            daemon: false,
            blocked: false,
            present: BTreeSet::new(),
            used: None,
            powered: false,
            registered: false,
            scanning: false,
            heard: None,
            rung: Rung::Start,
            tries: 0,
            rounds: 0,
            first: None,
            undead: false,
            out: None,
            send: false,
            next: now,
            quiet: QUIET_MS,
            word: now,
        };
        adapter.act(now);
        adapter
    }

    /// The daemon's name has a new owner, or none. What there was under the old one is told again.
    pub fn daemon(&mut self, is_there: bool, now: Millis) {
        self.daemon = is_there;
        self.present.clear();
        self.used = None;
        self.afresh(now);
    }

    pub fn added(&mut self, adapter: u16, now: Millis) {
        self.daemon = true;
        self.present.insert(adapter);
        if self.used.is_none() {
            self.uses(adapter, now);
        }
    }

    pub fn removed(&mut self, adapter: u16, now: Millis) {
        self.present.remove(&adapter);
        if self.used == Some(adapter) {
            self.used = None;
            match self.present.first().copied() {
                Some(other) => self.uses(other, now),
                None => self.afresh(now),
            }
        }
    }

    /// Of the adapter that is used; of another, nothing.
    pub fn powered(&mut self, adapter: u16, on: bool, now: Millis) {
        if self.used == Some(adapter) && self.powered != on {
            self.powered = on;
            self.undead &= on;
            self.first.take_if(|first| *first == Step::PowerOff && !on);
            self.scanning = false;
            self.soon(now);
        }
    }

    /// By rfkill.
    pub fn blocked(&mut self, blocked: bool, now: Millis) {
        if self.blocked != blocked {
            self.blocked = blocked;
            self.afresh(now);
        }
    }

    /// An advertisement, or a value of a session.
    pub fn heard(&mut self, now: Millis) {
        self.heard = Some(now);
        self.word = self.word.max(now);
        self.quiet = QUIET_MS;
        if self.scanning {
            self.well();
        }
    }

    /// A link was ended, and the daemon goes on holding it.
    pub fn undead(&mut self, now: Millis) {
        if self.powered {
            (self.undead, self.scanning) = (true, false);
            self.soon(now);
        }
    }

    /// What became of the command that is out.
    pub fn answered(&mut self, answer: Answer, now: Millis) {
        if self.send {
            return;
        }
        let Some((command, _)) = self.out.take() else { return };
        if answer == Answer::Unanswered {
            // It took longer than all tries.
            self.tries = TRIES;
        }
        match (command, answer) {
            (Command::Look, _) if self.is_usable() => self.next = now,
            (Command::Look, _) => self.next = after(now, self.pause()),
            (Command::Register(_), Answer::Done) => self.registered = true,
            (Command::Register(_), _) => self.failed(now),
            (Command::PowerOn(_), Answer::Done) => self.powered = true,
            (Command::PowerOn(_), _) => self.failed(now),
            (Command::PowerOff(_), Answer::Done) => {
                (self.powered, self.first, self.undead) = (false, None, false);
            }
            (Command::PowerOff(_), _) => {
                self.failed(now);
                // That was the last try for its sake.
                self.undead &= self.tries != 0;
            }
            (Command::StopScan(_), Answer::InProgress) => {
                (self.rung, self.tries, self.first) = (Rung::Power, 0, Some(Step::PowerOff));
            }
            (Command::StopScan(_), _) => self.first = None,
            (Command::StartScan(_), Answer::Done) => self.scans(now),
            (Command::StartScan(_), Answer::InProgress) if self.is_alive(now) => self.scans(now),
            (Command::StartScan(_), Answer::Inherited) if self.rung < Rung::Power => self.switch(now),
            (Command::StartScan(_), _) => self.failed(now),
        }
        self.act(now);
    }

    /// The instant of [`Poll::Wait`] has come. Too early is ignored.
    pub fn timeout(&mut self, now: Millis) {
        match self.out {
            Some((_, asked)) if now >= after(asked, ANSWER_MS) => {
                self.send = false;
                self.answered(Answer::Unanswered, now);
            }
            Some(_) => {}
            None => {
                if self.scanning && now >= after(self.word, self.quiet) {
                    self.quiet = self.quiet.saturating_mul(2).min(LONGEST_QUIET_MS);
                    self.scanning = false;
                    self.first = Some(Step::StopScan);
                    self.next = now;
                }
                self.act(now);
            }
        }
    }

    pub fn poll(&mut self) -> Poll {
        match self.out {
            Some((command, _)) if self.send => {
                self.send = false;
                Poll::Do(command)
            }
            Some((_, asked)) => Poll::Wait(after(asked, ANSWER_MS)),
            None if self.scanning => Poll::Wait(after(self.word, self.quiet)),
            None => Poll::Wait(self.next),
        }
    }

    pub fn state(&self) -> State {
        match () {
            () if !self.daemon => State::NoDaemon,
            () if self.used.is_none() => State::NoAdapter,
            () if self.blocked => State::Blocked,
            () if self.scanning => State::Scanning,
            () if self.rounds == 0 => State::Starting,
            () if !self.powered => State::Off,
            () => State::Dead,
        }
    }

    /// The adapter that is used.
    pub fn used(&self) -> Option<u16> {
        self.used
    }

    fn uses(&mut self, adapter: u16, now: Millis) {
        self.used = Some(adapter);
        (self.powered, self.registered) = (false, false);
        self.afresh(now);
    }

    /// Something changed that makes all that was tried worth nothing.
    fn afresh(&mut self, now: Millis) {
        (self.scanning, self.undead) = (false, false);
        self.well();
        self.soon(now);
    }

    fn well(&mut self) {
        (self.rung, self.tries, self.rounds, self.first) = (Rung::Start, 0, 0, None);
    }

    fn soon(&mut self, now: Millis) {
        self.next = now;
        self.act(now);
    }

    fn scans(&mut self, now: Millis) {
        self.scanning = !self.undead;
        (self.word, self.next) = (now, now);
        self.well();
    }

    fn is_usable(&self) -> bool {
        self.daemon && !self.blocked && self.used.is_some()
    }

    fn is_alive(&self, now: Millis) -> bool {
        self.heard.is_some_and(|heard| now.0.saturating_sub(heard.0) <= ALIVE_MS)
    }

    /// The power is switched at once, whatever is heard.
    fn switch(&mut self, now: Millis) {
        (self.rung, self.tries, self.first) = (Rung::Power, 0, Some(Step::PowerOff));
        (self.heard, self.next) = (None, now);
    }

    /// A try came to nothing: the same again, or the next rung, or all of it after a while.
    fn failed(&mut self, now: Millis) {
        self.tries = self.tries.saturating_add(1);
        self.next = after(now, TRY_MS);
        if self.tries < TRIES {
            return;
        }
        self.tries = 0;
        (self.rung, self.first) = match self.rung {
            Rung::Start => (Rung::Anew, Some(Step::StopScan)),
            Rung::Anew => (Rung::Power, Some(Step::PowerOff)),
            Rung::Power => {
                self.rounds = self.rounds.saturating_add(1);
                self.next = after(now, self.pause());
                (Rung::Anew, Some(Step::StopScan))
            }
        };
    }

    /// Between two rounds: 1, 2, 4 … seconds.
    fn pause(&self) -> u64 {
        1_000_u64.saturating_mul(1 << self.rounds.min(10)).min(LONGEST_MS)
    }

    /// The next command, if one is due and none is out.
    fn act(&mut self, now: Millis) {
        if self.out.is_some() || self.scanning || now < self.next {
            return;
        }
        let command = match self.used {
            Some(adapter) if self.is_usable() => self.step(now).of(adapter),
            // What is missing is told by signals; one may have been lost.
            _ => {
                self.rounds = self.rounds.saturating_add(1);
                Command::Look
            }
        };
        self.out = Some((command, now));
        self.send = true;
    }

    fn step(&mut self, now: Millis) -> Step {
        if self.undead && self.powered {
            return Step::PowerOff;
        }
        match self.first {
            // Where something is heard, a session may be: the power stays on.
            Some(Step::PowerOff) if self.is_alive(now) => self.first = None,
            Some(first) if self.powered && self.registered => return first,
            _ => {}
        }
        match () {
            () if !self.registered => Step::Register,
            () if !self.powered => Step::PowerOn,
            () => Step::StartScan,
        }
    }
}

impl Step {
    fn of(self, adapter: u16) -> Command {
        match self {
            Step::Register => Command::Register(adapter),
            Step::PowerOff => Command::PowerOff(adapter),
            Step::PowerOn => Command::PowerOn(adapter),
            Step::StopScan => Command::StopScan(adapter),
            Step::StartScan => Command::StartScan(adapter),
        }
    }
}
