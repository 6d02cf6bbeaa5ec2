//! A bridge with a thermometer and a scale, on an ESP32-C3. Its Bluetooth is not used: esp-radio is for another version of bt-hci than our
//! host. Its bootloader is Espressif's, so that it takes no updates from the hub: it is flashed.
//!
//! | pins | what |
//! |---|---|
//! | USB | the hub |
//! | GPIO5, GPIO6 | data and clock of a TMP117 and a NAU7802 |
#![no_std]
#![no_main]

mod line;
mod memory;

use embassy_embedded_hal::shared_bus::asynch::i2c::I2cDevice;
use embassy_executor::Spawner;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::mutex::Mutex;
use esp_hal::Async;
use esp_hal::i2c::master::{Config, I2c};
use esp_hal::system::software_reset;
use esp_hal::timer::timg::TimerGroup;
use esp_hal::usb::usb_serial_jtag::UsbSerialJtag;
use firmware::bridge::About;
use firmware::sensor::{Nau7802, Tmp117};
use firmware_run::{Board, Desk, Scale, mark};
use hearth_wire::frame::{BridgeId, Capabilities};
use static_cell::StaticCell;

// What Espressif's bootloader looks for.
esp_bootloader_esp_idf::esp_app_desc!();

static DESK: Desk = Desk::new();

/// An EUI-64, of the EUI-48 that each chip has from its factory.
fn name() -> BridgeId {
    let [a, b, c, d, e, f] = esp_hal::efuse::base_mac_address().as_bytes().try_into().unwrap_or([2; 6]);
    BridgeId([a, b, c, 0xFF, 0xFE, d, e, f])
}

#[esp_rtos::main]
async fn main(_spawner: Spawner) {
    let board = esp_hal::init(esp_hal::Config::default());
    esp_rtos::start(TimerGroup::new(board.TIMG0).timer0, board.FROM_CPU_INTR0);
    let (Some(mark), Ok(wires)) = (mark!(), I2c::new(board.I2C0, Config::default())) else {
        software_reset()
    };
    static WIRES: StaticCell<Mutex<NoopRawMutex, I2c<'static, Async>>> = StaticCell::new();
    let wires = WIRES.init(Mutex::new(wires.with_sda(board.GPIO5).with_scl(board.GPIO6).into_async()));
    let (from_hub, to_hub) = UsbSerialJtag::new(board.USB_DEVICE).into_async().split();
    let board = Board {
        about: About {
            bridge: name(),
            board: mark.board,
            firmware: mark.version,
            can: Capabilities::THERMOMETER.and(Capabilities::SCALE),
        },
        spool: memory::SPOOL,
        settings: memory::SETTINGS,
        updates: None,
        from_hub,
        to_hub: line::Output(to_hub),
        thermometer: Some(Tmp117::new(I2cDevice::new(wires), 0x48)),
        scale: Some(Scale { cell: Nau7802::new(I2cDevice::new(wires)), calibration: memory::CALIBRATION }),
        restart: || software_reset(),
    };
    board.run::<{ memory::SPOOL.pages() }>(&DESK).await
}

/// Nobody is there to read it; what was kept is in the flash.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    software_reset()
}
