//! Clocks of one thread, for a simulation: time is tokio's, which is paused there and moves when nobody has anything to
//! do; UTC is that and whatever the hub's clock is wrong by.

use jiff::{SignedDuration, Timestamp};
use std::cell::Cell;
use tokio::time::Instant;

/// The clocks of a simulated machine.
#[derive(Clone, Copy, Debug)]
pub struct Simulated {
    /// When the simulation began, in both times.
    pub began: (Instant, Timestamp),
    /// When the machine was switched on, and how often it was until then.
    pub booted: (Instant, u32),
    /// By so much the system clock is ahead of UTC.
    pub ahead: SignedDuration,
    /// Whether the system says that it is synchronised.
    pub trusted: bool,
}

thread_local! {
    static SET: Cell<Option<Simulated>> = const { Cell::new(None) };
}

/// From now on this thread's hubs have these clocks; `None`: the machine's own.
pub fn set_to(clock: Option<Simulated>) {
    SET.set(clock);
}

pub(super) fn set() -> Option<Simulated> {
    SET.get()
}

fn between(from: Instant, to: Instant) -> SignedDuration {
    SignedDuration::try_from(to.duration_since(from)).unwrap_or(SignedDuration::MAX)
}

impl Simulated {
    /// What UTC is, whatever the hub thinks.
    pub fn truth(&self) -> Timestamp {
        let (began, utc) = self.began;
        utc.saturating_add(between(began, Instant::now())).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn utc(&self) -> Timestamp {
        self.truth().saturating_add(self.ahead).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn since_boot(&self) -> i64 {
        i64::try_from(between(self.booted.0, Instant::now()).as_millis()).unwrap_or(i64::MAX)
    }

    pub(super) fn boot_id(&self) -> String {
        format!("simulated boot {}", self.booted.1)
    }
}
