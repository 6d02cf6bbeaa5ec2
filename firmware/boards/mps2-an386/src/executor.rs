//! Runs tasks, and lets the processor sleep while none of them has anything to do.

use core::sync::atomic::{AtomicBool, Ordering};
use embassy_executor::{Spawner, raw};
use static_cell::StaticCell;

/// A task can go on.
static PENDING: AtomicBool = AtomicBool::new(false);

// SAFETY: embassy-executor calls it by this name, with this signature, and has none of its own without a platform.
#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {
    PENDING.store(true, Ordering::SeqCst);
}

/// Spawns the first tasks, and runs them.
pub(crate) fn run(spawn: impl FnOnce(Spawner)) -> ! {
    static EXECUTOR: StaticCell<raw::Executor> = StaticCell::new();
    let executor = EXECUTOR.init(raw::Executor::new(core::ptr::null_mut()));
    spawn(executor.spawner());
    loop {
        // SAFETY: it is polled here alone, and never by what it polls.
        unsafe { executor.poll() };
        cortex_m::interrupt::disable();
        if !PENDING.swap(false, Ordering::SeqCst) {
            // While they are masked an interrupt calls nobody, but ends this at once.
            cortex_m::asm::wfi();
        }
        // SAFETY: no critical section is open: this is its end.
        unsafe { cortex_m::interrupt::enable() };
    }
}
