//! A bridge with a thermometer, on QEMU's machine `mps2-an386`.
#![no_std]
#![no_main]

mod executor;
mod flash;
mod interrupts;
mod registers;
mod sbcon;
mod time;
mod uart;

use cortex_m::peripheral::SCB;
use firmware::bridge::About;
use firmware::sensor::Tmp105;
use firmware_run::Board;
use hearth_wire::frame::{Capabilities, Version};

/// Hertz, of the processor and of all that it is wired to.
const CLOCK: u32 = 25_000_000;

static HUB: uart::Port = uart::Port::new(0x4000_4000);

#[embassy_executor::task]
async fn bridge(from_hub: uart::Input, to_hub: uart::Output) {
    let board = Board {
        about: About {
            bridge: flash::bridge(),
            board: env!("CARGO_PKG_NAME"),
            firmware: const { version() },
            can: Capabilities::THERMOMETER,
        },
        spool: flash::SPOOL,
        settings: flash::SETTINGS,
        from_hub,
        to_hub,
        thermometer: Tmp105::new(sbcon::Bus::new(0x4002_A000), 0x48),
        restart: SCB::sys_reset,
    };
    board.run::<{ flash::SPOOL.pages() }>().await
}

#[cortex_m_rt::entry]
fn main() -> ! {
    time::start();
    let (from_hub, to_hub) = HUB.start(115_200);
    interrupts::start();
    executor::run(|spawner| {
        if let Ok(bridge) = bridge(from_hub, to_hub) {
            spawner.spawn(bridge);
        }
    })
}

/// The package's, as in `1.4.2`.
const fn version() -> Version {
    const fn number(digits: &str) -> u16 {
        match u16::from_str_radix(digits, 10) {
            Ok(number) => number,
            Err(_) => panic!("a version has three numbers"),
        }
    }
    Version {
        major: number(env!("CARGO_PKG_VERSION_MAJOR")),
        minor: number(env!("CARGO_PKG_VERSION_MINOR")),
        patch: number(env!("CARGO_PKG_VERSION_PATCH")),
    }
}

/// Nobody is there to read it; what was kept is in the flash.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    SCB::sys_reset()
}
