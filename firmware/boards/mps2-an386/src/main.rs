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
mod watchdog;

use bt_hci::controller::ExternalController;
use bt_hci_serial::SerialTransport;
use cortex_m::peripheral::SCB;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use firmware::bridge::About;
use firmware::sensor::{Absent, Tmp105};
use firmware::update::{Room, key};
use firmware_run::{Board, Desk, Scale, mark};
use hearth_wire::frame::Capabilities;

/// Hertz, of the processor and of all that it is wired to.
const CLOCK: u32 = 25_000_000;

/// While the bridge waits for its flash three frames of the longest kind may come.
const FROM_HUB: usize = 2_048;
const FROM_RADIO: usize = 256;
static HUB: uart::Port<FROM_HUB> = uart::Port::new(0x4000_4000);
/// H4, to a controller.
static RADIO: uart::Port<FROM_RADIO> = uart::Port::new(0x4000_5000);
static DESK: Desk = Desk::new();
/// So many commands to the controller are waited for at once.
const COMMANDS: usize = 4;

#[embassy_executor::task]
async fn bridge(from_hub: uart::Input<FROM_HUB>, to_hub: uart::Output<FROM_HUB>) {
    let Some(mark) = mark!() else { SCB::sys_reset() };
    let board = Board {
        about: About {
            bridge: flash::bridge(),
            board: mark.board,
            firmware: mark.version,
            can: Capabilities::THERMOMETER.and(Capabilities::BLUETOOTH),
        },
        spool: memory::SPOOL,
        settings: memory::SETTINGS,
        updates: const { key(option_env!("HEARTH_UPDATE_KEY")) }.map(|key| Room {
            next: memory::NEXT,
            state: memory::STATE,
            tried: memory::TRIED,
            key,
        }),
        from_hub,
        to_hub,
        thermometer: Some(Tmp105::new(sbcon::Bus::new(0x4002_A000), 0x48)),
        scale: None::<Scale<Absent, _>>,
        restart: SCB::sys_reset,
    };
    board.run::<{ memory::SPOOL.pages() }>(&DESK).await
}

#[embassy_executor::task]
async fn radio(mut from_radio: uart::Input<FROM_RADIO>, mut to_radio: uart::Output<FROM_RADIO>) {
    firmware_radio::in_step(&mut from_radio, &mut to_radio, &DESK).await;
    let transport = SerialTransport::<NoopRawMutex, _, _>::new(from_radio, to_radio);
    let controller = ExternalController::<_, COMMANDS>::new(transport);
    firmware_radio::run(controller, flash::address(), memory::BONDS, &DESK).await;
    SCB::sys_reset()
}

#[cortex_m_rt::entry]
fn main() -> ! {
    time::start();
    let (from_hub, to_hub) = HUB.start(115_200);
    let (from_radio, to_radio) = RADIO.start(1_000_000);
    interrupts::start();
    executor::run(|spawner| {
        if let Ok(bridge) = bridge(from_hub, to_hub) {
            spawner.spawn(bridge);
        }
        if let Ok(radio) = radio(from_radio, to_radio) {
            spawner.spawn(radio);
        }
        if let Ok(watchdog) = watchdog::fed() {
            spawner.spawn(watchdog);
        }
    })
}

/// Nobody is there to read it; what was kept is in the flash.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    SCB::sys_reset()
}
