//! What the board starts first: it makes sure that a whole image is where one runs, and starts that.
#![no_std]
#![no_main]

use core::ptr::read_volatile;
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
    let table = (XIP + ACTIVE.begins()) as *const u32;
    // SAFETY: the flash is there, whatever it holds; and what it holds is an image, or nothing: where nothing is, all bits are set.
    let (stack, start) = unsafe { (read_volatile(table), read_volatile(table.add(1))) };
    let there = table as u32..table as u32 + ACTIVE.length() as u32;
    if stack == u32::MAX || !there.contains(&start) {
        // Nobody has flashed one yet.
        loop {
            cortex_m::asm::wfi()
        }
    }
    watchdog.enable_tick_generation(MEGAHERTZ);
    watchdog.start(WATCHDOG);
    // SAFETY: a register of this chip (RP2040 datasheet, 2.4.8, VTOR), which nobody else writes now; the table stays where it is.
    unsafe { (*SCB::PTR).vtor.write(table as u32) };
    // SAFETY: an image begins with its table: where its stack is, and where it starts.
    unsafe { cortex_m::asm::bootload(table) }
}

/// Nobody is there to read it.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    SCB::sys_reset()
}
