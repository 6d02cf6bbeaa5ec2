//! What the board starts first: it makes sure that a whole image is where one runs, and starts that.
#![no_std]
#![no_main]

use cortex_m::peripheral::SCB;
use embassy_rp::peripherals::WATCHDOG as Dog;
use embassy_rp::watchdog::Watchdog;
use firmware_boot::{PAGE, choose};
use memory::{ACTIVE, NEXT, STATE, WATCHDOG, XIP};

/// The ring oscillator by which the processor starts has some 6 MHz (RP2040 datasheet, 2.17): an image that hangs is on trial no
/// longer than the watchdog takes by it.
const MEGAHERTZ: u8 = 6;

#[repr(align(256))]
struct Page([u8; PAGE]);

#[cortex_m_rt::entry]
fn main() -> ! {
    // SAFETY: nobody else has it now, and the image takes it from here.
    let mut watchdog = Watchdog::new(unsafe { Dog::steal() });
    // It goes on over a restart, and an exchange takes longer than it waits.
    watchdog.stop();
    let mut page = Page([0; PAGE]);
    if choose(ACTIVE, NEXT, STATE, &mut page.0).is_err() {
        // The next start goes on with it.
        SCB::sys_reset()
    }
    let at = XIP + ACTIVE.begins();
    if !ACTIVE.has_image(at) {
        // Nobody has flashed one yet.
        loop {
            cortex_m::asm::wfi()
        }
    }
    watchdog.enable_tick_generation(MEGAHERTZ);
    watchdog.start(WATCHDOG);
    // SAFETY: a register of this chip (RP2040 datasheet, 2.4.8, VTOR), which nobody else writes now; the table stays where it is.
    unsafe { (*SCB::PTR).vtor.write(at) };
    // SAFETY: an image begins with its table: where its stack is, and where it starts.
    unsafe { cortex_m::asm::bootload(at as *const u32) }
}

/// Nobody is there to read it.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    SCB::sys_reset()
}
