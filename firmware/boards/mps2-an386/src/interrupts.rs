//! Which interrupt calls whom.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;

/// By their numbers on this machine: QEMU, hw/arm/mps2.c.
#[derive(Clone, Copy)]
enum Interrupt {
    HubSaid = 0,
    HubTook = 1,
    RadioSaid = 2,
    RadioTook = 3,
    Alarm = 10,
}

// SAFETY: each has a number of its own, which does not change, and which this machine has.
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self as u16
    }
}

pub(crate) union Vector {
    handler: extern "C" fn(),
    other: unsafe extern "C" fn(),
}

unsafe extern "C" {
    /// What cortex-m-rt has for those that nobody waits for.
    fn DefaultHandler();
}

extern "C" fn hub() {
    crate::HUB.interrupted();
}

extern "C" fn radio() {
    crate::RADIO.interrupted();
}

extern "C" fn alarm() {
    crate::time::interrupted();
}

// SAFETY: cortex-m-rt's link.x puts this section where the processor looks, and keeps this name for it.
#[unsafe(link_section = ".vector_table.interrupts")]
// SAFETY: the same.
#[unsafe(no_mangle)]
static __INTERRUPTS: [Vector; 32] = {
    let mut all = [const { Vector { other: DefaultHandler } }; 32];
    all[Interrupt::HubSaid as usize] = Vector { handler: hub };
    all[Interrupt::HubTook as usize] = Vector { handler: hub };
    all[Interrupt::RadioSaid as usize] = Vector { handler: radio };
    all[Interrupt::RadioTook as usize] = Vector { handler: radio };
    all[Interrupt::Alarm as usize] = Vector { handler: alarm };
    all
};

/// From now on they come.
pub(crate) fn start() {
    let all = [
        Interrupt::HubSaid,
        Interrupt::HubTook,
        Interrupt::RadioSaid,
        Interrupt::RadioTook,
        Interrupt::Alarm,
    ];
    for interrupt in all {
        // SAFETY: nothing here relies on their being masked: what they share is behind critical sections.
        unsafe { NVIC::unmask(interrupt) };
    }
}
