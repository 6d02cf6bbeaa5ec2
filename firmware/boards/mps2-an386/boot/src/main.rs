//! What the board starts first: it makes sure that a whole image is where one runs, and starts that.
#![no_std]
#![no_main]

use core::ptr::write_volatile;
use firmware_boot::{PAGE, choose};
use memory::{ACTIVE, NEXT, STATE};

/// Whoever does not feed it for so long is started anew: an image that hangs is on trial no longer. It bites at the second time.
const WATCHDOG_S: u32 = 3;
/// Hertz, of the processor and of the watchdog.
const CLOCK: u32 = 25_000_000;

/// Arm, Cortex-M System Design Kit Technical Reference Manual, "APB watchdog".
const WATCHDOG: usize = 0x4000_8000;
const WATCHDOG_LOAD: usize = WATCHDOG;
const WATCHDOG_CONTROL: usize = WATCHDOG + 0x08;
const WATCHDOG_LOCK: usize = WATCHDOG + 0xC00;
const UNLOCKED: u32 = 0x1ACC_E551;
const BITES: u32 = 1 << 1 | 1;
/// ARMv7-M Architecture Reference Manual, B3.2.5: where the processor looks for its handlers.
const VECTOR_TABLE_OFFSET: usize = 0xE000_ED08;

#[repr(align(32))]
struct Page([u8; PAGE]);

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut page = Page([0; PAGE]);
    if choose(ACTIVE, NEXT, STATE, &mut page.0).is_err() {
        // The next start goes on with it.
        cortex_m::peripheral::SCB::sys_reset()
    }
    let at = ACTIVE.begins();
    if !ACTIVE.has_image(at) {
        // Nobody has flashed one yet.
        loop {
            cortex_m::asm::wfi()
        }
    }
    for (register, value) in [
        (WATCHDOG_LOCK, UNLOCKED),
        (WATCHDOG_LOAD, CLOCK * WATCHDOG_S),
        (WATCHDOG_CONTROL, BITES),
        (VECTOR_TABLE_OFFSET, at),
    ] {
        // SAFETY: registers of this machine, which nobody else writes now; the table stays where it is.
        unsafe { write_volatile(register as *mut u32, value) };
    }
    // SAFETY: an image begins with its table: where its stack is, and where it starts.
    unsafe { cortex_m::asm::bootload(at as *const u32) }
}

unsafe extern "C" {
    /// What cortex-m-rt has for those that nobody waits for.
    fn DefaultHandler();
}

// SAFETY: cortex-m-rt's link.x puts this section where the processor looks, and keeps this name for it.
#[unsafe(link_section = ".vector_table.interrupts")]
// SAFETY: the same.
#[unsafe(no_mangle)]
static __INTERRUPTS: [unsafe extern "C" fn(); 1] = [DefaultHandler];

/// Nobody is there to read it.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}
