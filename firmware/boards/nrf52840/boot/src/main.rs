//! What the UF2 bootloader starts: it makes sure that a whole image is where one runs, and starts that.
#![no_std]
#![no_main]

use cortex_m::peripheral::SCB;
use embassy_nrf::peripherals::WDT;
use embassy_nrf::wdt::{Config, Watchdog};
use firmware_boot::{PAGE, choose};
use memory::{ACTIVE, NEXT, STATE, WATCHDOG_TICKS};

/// The image has the controller's. Here no interrupt is ever let in, and nothing can come between.
struct Alone;
critical_section::set_impl!(Alone);

// SAFETY: the processor has one core, and no interrupt is enabled before the image's own.
unsafe impl critical_section::Impl for Alone {
    unsafe fn acquire() -> critical_section::RawRestoreState {
        Default::default()
    }

    unsafe fn release(_: critical_section::RawRestoreState) {}
}

#[repr(align(32))]
struct Page([u8; PAGE]);

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut page = Page([0; PAGE]);
    if choose(ACTIVE, NEXT, STATE, &mut page.0).is_err() {
        // The next start goes on with it.
        SCB::sys_reset()
    }
    let at = ACTIVE.begins();
    if !ACTIVE.has_image(at) {
        // Nobody has flashed one yet.
        loop {
            cortex_m::asm::wfi()
        }
    }
    let mut config = Config::default();
    config.timeout_ticks = WATCHDOG_TICKS;
    // SAFETY: nobody else has it now, and the image takes it from here. One that runs already goes on.
    _ = Watchdog::try_new::<_, 1>(unsafe { WDT::steal() }, config);
    // SAFETY: a register of this processor (ARMv7-M Architecture Reference Manual, B3.2.5), which nobody else writes now; the table
    // stays where it is.
    unsafe { (*SCB::PTR).vtor.write(at) };
    // SAFETY: an image begins with its table: where its stack is, and where it starts.
    unsafe { cortex_m::asm::bootload(at as *const u32) }
}

/// Nobody is there to read it.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    SCB::sys_reset()
}
