//! A bridge with Bluetooth, on an nRF52840: a dongle, or a board with the UF2 bootloader. USB is the hub's.
#![no_std]
#![no_main]

use cortex_m::peripheral::SCB;
use embassy_embedded_hal::flash::partition::Partition;
use embassy_executor::Spawner;
use embassy_nrf::config::LfclkSource;
use embassy_nrf::peripherals::{RNG, USBD};
use embassy_nrf::rng::Rng;
use embassy_nrf::usb::vbus_detect::SoftwareVbusDetect;
use embassy_nrf::wdt::WatchdogHandle;
use embassy_nrf::{bind_interrupts, mode, rng, usb};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::mutex::Mutex;
use embassy_time::{Duration, Ticker};
use firmware::bridge::About;
use firmware::sensor::Absent;
use firmware::update::{Room, key};
use firmware_boot::Region;
use firmware_run::{Board, Desk, Scale, mark};
use hearth_wire::frame::Capabilities;
use memory::Memory;
use nrf_mpsl::{Flash, Hfclk, MultiprotocolServiceLayer, raw};
use nrf_sdc::SoftdeviceController;
use static_cell::StaticCell;

bind_interrupts!(struct Interrupts {
    EGU0_SWI0 => nrf_mpsl::LowPrioInterruptHandler;
    CLOCK_POWER => nrf_mpsl::ClockInterruptHandler;
    RADIO => nrf_mpsl::HighPrioInterruptHandler;
    TIMER0 => nrf_mpsl::HighPrioInterruptHandler;
    RTC0 => nrf_mpsl::HighPrioInterruptHandler;
    RNG => rng::InterruptHandler<RNG>;
    USBD => usb::InterruptHandler<USBD>;
});

type Usb = usb::Driver<'static, &'static SoftwareVbusDetect>;
/// The controller says when the flash may be written: a link must not be lost over it.
type Shared = Mutex<NoopRawMutex, Flash<'static>>;

static DESK: Desk = Desk::new();
const FED: Duration = Duration::from_secs(1);
/// One link, and what a device says while another's word is kept.
const PACKETS: u8 = 3;
const LONGEST_PACKET: u16 = 251;
/// More than Nordic's controller needs for that: it refuses what is too little, and says how much only when it runs.
const CONTROLLER: usize = 8_192;
/// A crystal of 32 768 Hz, as all these boards have.
const SLOW_CLOCK: raw::mpsl_clock_lfclk_cfg_t = raw::mpsl_clock_lfclk_cfg_t {
    source: raw::MPSL_CLOCK_LF_SRC_XTAL as u8,
    rc_ctiv: 0,
    rc_temp_ctiv: 0,
    accuracy_ppm: 50,
    skip_wait_lfclk_started: false,
};

#[embassy_executor::task]
async fn usb(mut device: embassy_usb::UsbDevice<'static, Usb>) {
    device.run().await;
}

#[embassy_executor::task]
async fn layer(layer: &'static MultiprotocolServiceLayer<'static>) {
    layer.run().await;
}

#[embassy_executor::task]
async fn radio(controller: SoftdeviceController<'static>, flash: &'static Shared) {
    firmware_radio::run(controller, memory::address(), part(flash, &memory::BONDS), &DESK).await;
    SCB::sys_reset()
}

/// The bootloader has started it.
#[embassy_executor::task]
async fn fed() {
    // SAFETY: nobody else has it, and it has one to be fed by.
    let mut watchdog = unsafe { WatchdogHandle::steal::<embassy_nrf::peripherals::WDT>(0) };
    let mut seconds = Ticker::every(FED);
    loop {
        watchdog.pet();
        seconds.next().await;
    }
}

fn part(flash: &'static Shared, region: &Region<Memory>) -> Partition<'static, NoopRawMutex, Flash<'static>> {
    Partition::new(flash, region.begins(), region.length() as u32)
}

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let mut clocks = embassy_nrf::config::Config::default();
    clocks.lfclk_source = LfclkSource::ExternalXtal;
    let board = embassy_nrf::init(clocks);
    let Some(mark) = mark!() else { SCB::sys_reset() };

    let services = nrf_mpsl::Peripherals::new(
        board.RTC0,
        board.TIMER0,
        board.TEMP,
        board.PPI_CH19,
        board.PPI_CH30,
        board.PPI_CH31,
    );
    static LAYER: StaticCell<MultiprotocolServiceLayer<'static>> = StaticCell::new();
    static SLOTS: StaticCell<nrf_mpsl::SessionMem<1>> = StaticCell::new();
    let slots = SLOTS.init(nrf_mpsl::SessionMem::new());
    let Ok(started) = MultiprotocolServiceLayer::with_timeslots(services, Interrupts, SLOW_CLOCK, slots)
    else {
        SCB::sys_reset()
    };
    let services = LAYER.init(started);
    let channels = nrf_sdc::Peripherals::new(
        board.PPI_CH17,
        board.PPI_CH18,
        board.PPI_CH20,
        board.PPI_CH21,
        board.PPI_CH22,
        board.PPI_CH23,
        board.PPI_CH24,
        board.PPI_CH25,
        board.PPI_CH26,
        board.PPI_CH27,
        board.PPI_CH28,
        board.PPI_CH29,
    );
    static CHANCE: StaticCell<Rng<'static, mode::Async>> = StaticCell::new();
    static ROOM: StaticCell<nrf_sdc::Mem<CONTROLLER>> = StaticCell::new();
    let chance = CHANCE.init(Rng::new(board.RNG, Interrupts));
    let controller = nrf_sdc::Builder::new()
        .map(|builder| builder.support_scan().support_central().support_dle_central())
        .and_then(|builder| builder.central_count(1))
        .and_then(|builder| builder.buffer_cfg(LONGEST_PACKET, LONGEST_PACKET, PACKETS, PACKETS))
        .and_then(|builder| builder.build(channels, chance, services, ROOM.init(nrf_sdc::Mem::new())));
    let Ok(controller) = controller else { SCB::sys_reset() };
    static FLASH: StaticCell<Shared> = StaticCell::new();
    let flash: &'static Shared = FLASH.init(Mutex::new(Flash::take(services, board.NVMC)));

    if let Ok(layer) = layer(services) {
        spawner.spawn(layer);
    }
    // USB runs by the crystal, which the controller has for itself, and lets rest: it is held for ever.
    let Ok(_crystal) = services.request_hfclk().await else { SCB::sys_reset() };
    if Hfclk::wait().await.is_err() {
        SCB::sys_reset()
    }
    // Its power is the controller's matter, which has the interrupt: it is plugged in, or would not run.
    static POWER: StaticCell<SoftwareVbusDetect> = StaticCell::new();
    let power: &'static SoftwareVbusDetect = POWER.init(SoftwareVbusDetect::new(true, true));
    static LINE: StaticCell<firmware_usb::Memory<'static>> = StaticCell::new();
    let driver = usb::Driver::new(board.USBD, Interrupts, power);
    let line = LINE.init(firmware_usb::Memory::new());
    let (device, from_hub, to_hub) = firmware_usb::line(driver, memory::name(), line);

    if let (Ok(radio), Ok(usb), Ok(fed)) = (radio(controller, flash), usb(device), fed()) {
        spawner.spawn(radio);
        spawner.spawn(usb);
        spawner.spawn(fed);
    }
    let board = Board {
        about: About {
            bridge: memory::name(),
            board: mark.board,
            firmware: mark.version,
            can: Capabilities::BLUETOOTH,
        },
        spool: part(flash, &memory::SPOOL),
        settings: part(flash, &memory::SETTINGS),
        updates: const { key(option_env!("HEARTH_UPDATE_KEY")) }.map(|key| Room {
            next: part(flash, &memory::NEXT),
            state: part(flash, &memory::STATE),
            tried: part(flash, &memory::TRIED),
            key,
        }),
        from_hub,
        to_hub,
        thermometer: None::<Absent>,
        scale: None::<Scale<Absent, _>>,
        restart: SCB::sys_reset,
    };
    board.run::<{ memory::SPOOL.pages() }>(&DESK).await
}

/// Nobody is there to read it; what was kept is in the flash.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    SCB::sys_reset()
}
