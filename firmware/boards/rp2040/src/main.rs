//! A bridge with a thermometer and a scale, on a Raspberry Pi Pico.
//!
//! | pins | what |
//! |---|---|
//! | USB | the hub |
//! | GP4, GP5 | a TMP117's data and clock |
//! | GP6, GP7 | a NAU7802's data and clock |
#![no_std]
#![no_main]

use cortex_m::peripheral::SCB;
use embassy_executor::Spawner;
use embassy_rp::peripherals::{I2C0, I2C1, USB};
use embassy_rp::watchdog::Watchdog;
use embassy_rp::{bind_interrupts, i2c, usb};
use embassy_time::{Duration, Ticker};
use firmware::bridge::About;
use firmware::sensor::{Nau7802, Tmp117};
use firmware::update::{Room, key};
use firmware_run::{Board, Desk, Scale, mark};
use hearth_wire::frame::Capabilities;
use memory::WATCHDOG;
use static_cell::StaticCell;

bind_interrupts!(struct Interrupts {
    I2C0_IRQ => i2c::InterruptHandler<I2C0>;
    I2C1_IRQ => i2c::InterruptHandler<I2C1>;
    USBCTRL_IRQ => usb::InterruptHandler<USB>;
});

type Usb = usb::Driver<'static, USB>;

static DESK: Desk = Desk::new();
const FED: Duration = Duration::from_secs(1);

#[embassy_executor::task]
async fn usb(mut device: embassy_usb::UsbDevice<'static, Usb>) {
    device.run().await;
}

/// The bootloader has started it.
#[embassy_executor::task]
async fn fed(mut watchdog: Watchdog) {
    let mut seconds = Ticker::every(FED);
    loop {
        watchdog.feed(WATCHDOG);
        seconds.next().await;
    }
}

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let board = embassy_rp::init(Default::default());
    let Some(mark) = mark!() else { SCB::sys_reset() };
    static LINE: StaticCell<firmware_usb::Memory<'static>> = StaticCell::new();
    let driver = usb::Driver::new(board.USB, Interrupts);
    let (device, from_hub, to_hub) =
        firmware_usb::line(driver, memory::name(), LINE.init(firmware_usb::Memory::new()));
    if let Ok(usb) = usb(device) {
        spawner.spawn(usb);
    }
    if let Ok(fed) = fed(Watchdog::new(board.WATCHDOG)) {
        spawner.spawn(fed);
    }
    let probe = i2c::I2c::new_async(board.I2C0, board.PIN_5, board.PIN_4, Interrupts, i2c::Config::default());
    let cell = i2c::I2c::new_async(board.I2C1, board.PIN_7, board.PIN_6, Interrupts, i2c::Config::default());
    let board = Board {
        about: About {
            bridge: memory::name(),
            board: mark.board,
            firmware: mark.version,
            can: Capabilities::THERMOMETER.and(Capabilities::SCALE),
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
        thermometer: Some(Tmp117::new(probe, 0x48)),
        scale: Some(Scale { cell: Nau7802::new(cell), calibration: memory::CALIBRATION }),
        restart: SCB::sys_reset,
    };
    board.run::<{ memory::SPOOL.pages() }>(&DESK).await
}

/// Nobody is there to read it; what was kept is in the flash.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    SCB::sys_reset()
}
