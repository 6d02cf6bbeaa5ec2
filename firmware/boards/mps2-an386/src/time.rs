//! Time, and an alarm at the instant when something is due next: nothing ticks in between, and the processor sleeps.
//!
//! Layout: Arm, Cortex-M System Design Kit Technical Reference Manual, "APB dual timer". Its first timer only counts, its second is the
//! alarm. Time is never counted by interrupts: an emulator that has to wait for its host would lose some.

use crate::CLOCK;
use crate::registers::Registers;
use core::cell::RefCell;
use core::task::Waker;
use critical_section::Mutex;
use embassy_time_driver::{Driver, TICK_HZ};
use embassy_time_queue_utils::Queue;

const TIMER: Registers = Registers::at(0x4000_2000);
const COUNTER_LOAD: usize = 0x00;
const COUNTER_VALUE: usize = 0x04;
const COUNTER_CONTROL: usize = 0x08;
const ALARM_LOAD: usize = 0x20;
const ALARM_CONTROL: usize = 0x28;
const ALARM_CLEAR: usize = 0x2C;
const ENABLED: u32 = 1 << 7;
const INTERRUPTS: u32 = 1 << 5;
const BY_SIXTEEN: u32 = 1 << 2;
const OF_32_BITS: u32 = 1 << 1;
const ONCE: u32 = 1;

/// Counts in a second.
const HERTZ: u64 = CLOCK as u64 / 16;
/// No alarm is later than in so many ticks: the counter comes round every 2748 s, and somebody has to see it each time.
const LATEST: u64 = 1_000 * TICK_HZ;

embassy_time_driver::time_driver_impl!(static TIME: Time = Time(Mutex::new(RefCell::new(Inner {
    rounds: 0,
    last: 0,
    next: u64::MAX,
    queue: Queue::new(),
}))));

struct Time(Mutex<RefCell<Inner>>);

struct Inner {
    /// How often the counter came round, and what it showed last.
    rounds: u32,
    last: u32,
    /// For when the alarm is set.
    next: u64,
    queue: Queue,
}

impl Inner {
    fn now(&mut self) -> u64 {
        // It counts down from all ones.
        let shown = !TIMER.read(COUNTER_VALUE);
        if shown < self.last {
            self.rounds += 1;
        }
        self.last = shown;
        (u64::from(self.rounds) << 32 | u64::from(shown)) * TICK_HZ / HERTZ
    }

    fn set_alarm(&mut self, at: u64) {
        self.next = at;
        let ticks = at.saturating_sub(self.now()).clamp(1, LATEST);
        TIMER.write(ALARM_CONTROL, 0);
        TIMER.write(ALARM_CLEAR, 1);
        TIMER.write(ALARM_LOAD, (ticks * HERTZ / TICK_HZ + 1) as u32);
        TIMER.write(ALARM_CONTROL, ENABLED | INTERRUPTS | BY_SIXTEEN | OF_32_BITS | ONCE);
    }
}

impl Driver for Time {
    fn now(&self) -> u64 {
        critical_section::with(|cs| self.0.borrow_ref_mut(cs).now())
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| {
            let mut inner = self.0.borrow_ref_mut(cs);
            if inner.queue.schedule_wake(at, waker) && at < inner.next {
                inner.set_alarm(at);
            }
        });
    }
}

/// Time begins.
pub(crate) fn start() {
    TIMER.write(COUNTER_LOAD, u32::MAX);
    TIMER.write(COUNTER_CONTROL, ENABLED | BY_SIXTEEN | OF_32_BITS);
    critical_section::with(|cs| TIME.0.borrow_ref_mut(cs).set_alarm(u64::MAX));
}

/// The alarm went off: something may be due.
pub(crate) fn interrupted() {
    critical_section::with(|cs| {
        let mut inner = TIME.0.borrow_ref_mut(cs);
        let now = inner.now();
        let next = inner.queue.next_expiration(now);
        inner.set_alarm(next);
    });
}
