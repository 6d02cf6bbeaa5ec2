//! The chip's mebibyte of flash, and what is where in it. Its ends are the UF2 bootloader's: the first page, and what is from 0xF_4000 on.
//!
//! | from | pages of 4 KiB | what |
//! |---|---|---|
//! | 0x0_1000 | 7 | our bootloader: `boot.x` |
//! | 0x0_8000 | 1 | its journal |
//! | 0x0_9000 | 80 | the image that runs, where it is: `bridge.x` |
//! | 0x5_9000 | 81 | the image that comes next |
//! | 0xA_A000 | 48 | the spool |
//! | 0xD_A000 | 2 | the settings |
//! | 0xD_C000 | 2 | the bonds |
//! | 0xD_E000 | 2 | which image was tried last |
#![no_std]

use embassy_nrf::nvmc::Nvmc;
use embassy_nrf::peripherals::{NVMC, WDT};
use embassy_nrf::wdt::WatchdogHandle;
use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use firmware_boot::{Chip, Fails, Region};
use hearth_wire::frame::BridgeId;

pub const STATE: Region<Memory> = Region::new(Memory, 0x0_8000, 1);
pub const ACTIVE: Region<Memory> = Region::new(Memory, 0x0_9000, 80);
pub const NEXT: Region<Memory> = Region::new(Memory, 0x5_9000, 81);
pub const SPOOL: Region<Memory> = Region::new(Memory, 0xA_A000, 48);
pub const SETTINGS: Region<Memory> = Region::new(Memory, 0xD_A000, 2);
pub const BONDS: Region<Memory> = Region::new(Memory, 0xD_C000, 2);
pub const TRIED: Region<Memory> = Region::new(Memory, 0xD_E000, 2);

/// Whoever does not feed it for so long is started anew: four seconds of a clock of 32 768 Hz.
pub const WATCHDOG_TICKS: u32 = 4 * 32_768;

/// The chip's, by its addresses, for a bootloader: while it works nothing else happens, and a link would be lost over it.
#[derive(Clone, Copy, Debug)]
pub struct Memory;

fn flash() -> Nvmc<'static> {
    // SAFETY: nobody waits while it works, and each has regions of its own: no two are at it at once, and none runs what it changes.
    Nvmc::new(unsafe { NVMC::steal() })
}

/// The watchdog goes on over a restart, and an exchange takes longer than it waits. Where it does not run yet this does nothing.
fn fed() {
    // SAFETY: the image that has it does not run: this is the bootloader's.
    unsafe { WatchdogHandle::steal::<WDT>(0) }.pet();
}

impl Chip for Memory {
    fn read(&self, from: u32, into: &mut [u8]) -> Result<(), Fails> {
        flash().read(from, into).map_err(|_| Fails)
    }

    fn write(&self, from: u32, octets: &[u8]) -> Result<(), Fails> {
        fed();
        flash().write(from, octets).map_err(|_| Fails)
    }

    fn erase(&self, from: u32, to: u32) -> Result<(), Fails> {
        fed();
        flash().erase(from, to).map_err(|_| Fails)
    }
}

/// An EUI-64 that is locally administered, made of the number that each chip has from its factory.
pub fn name() -> BridgeId {
    let part = |n: usize| embassy_nrf::pac::FICR.deviceid(n).read();
    let [a, b, c, d] = part(0).to_be_bytes();
    let [e, f, g, h] = part(1).to_be_bytes();
    // Neither a group's nor any maker's.
    BridgeId([a & !1 | 2, b, c, d, e, f, g, h])
}

/// What devices know it by: the static random address that each chip has from its factory (Bluetooth Core, Vol 6, Part B, 1.3.2.1).
pub fn address() -> [u8; 6] {
    let [a, b, c, d] = embassy_nrf::pac::FICR.deviceaddr(0).read().to_be_bytes();
    let [.., e, f] = embassy_nrf::pac::FICR.deviceaddr(1).read().to_be_bytes();
    [e | 0xC0, f, a, b, c, d]
}
