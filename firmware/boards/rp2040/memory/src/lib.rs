//! The two mebibytes of NOR flash beside the chip, and what is where in them.
//!
//! | from | pages of 4 KiB | what |
//! |---|---|---|
//! | 0x00_0000 | 7 | the bootloader: `boot.x` |
//! | 0x00_7000 | 1 | its journal |
//! | 0x00_8000 | 96 | the image that runs, where it is: `bridge.x` |
//! | 0x06_8000 | 97 | the image that comes next |
//! | 0x0C_9000 | 128 | the spool |
//! | 0x14_9000 | 2 | the settings |
//! | 0x14_B000 | 2 | which image was tried last |
//! | 0x14_D000 | 2 | what the scale was calibrated to |
#![no_std]

use embassy_rp::flash::{Blocking, Flash};
use embassy_rp::peripherals::FLASH;
use embassy_time::Duration;
use firmware_boot::{Chip, Fails, Region};
use hearth_wire::frame::BridgeId;

const SIZE: usize = 2 << 20;
/// Where the processor sees it.
pub const XIP: u32 = 0x1000_0000;

pub const STATE: Region<Memory> = Region::new(Memory, 0x00_7000, 1);
pub const ACTIVE: Region<Memory> = Region::new(Memory, 0x00_8000, 96);
pub const NEXT: Region<Memory> = Region::new(Memory, 0x06_8000, 97);
pub const SPOOL: Region<Memory> = Region::new(Memory, 0x0C_9000, 128);
pub const SETTINGS: Region<Memory> = Region::new(Memory, 0x14_9000, 2);
pub const TRIED: Region<Memory> = Region::new(Memory, 0x14_B000, 2);
pub const CALIBRATION: Region<Memory> = Region::new(Memory, 0x14_D000, 2);

/// Whoever does not feed it for so long is started anew. It takes no longer than 8.3 s (RP2040 datasheet, 4.7.2 and erratum E1).
pub const WATCHDOG: Duration = Duration::from_secs(4);

/// The board's, by its offsets.
#[derive(Clone, Copy, Debug)]
pub struct Memory;

/// Whoever works with the flash has the processor to itself.
fn flash() -> Flash<'static, FLASH, Blocking, SIZE> {
    // SAFETY: nobody waits while it works, and each has regions of its own: no two are at it at once, and none runs what it changes.
    Flash::new_blocking(unsafe { FLASH::steal() })
}

/// An EUI-64 that is locally administered, made of what the flash chip calls itself; of one that says nothing, a name that all such have.
pub fn name() -> BridgeId {
    let mut name = [0xFF; 8];
    if flash().blocking_unique_id(&mut name).is_err() {
        name = [0xFF; 8];
    }
    // Neither a group's nor any maker's.
    name[0] = name[0] & !1 | 2;
    BridgeId(name)
}

impl Chip for Memory {
    fn read(&self, from: u32, into: &mut [u8]) -> Result<(), Fails> {
        flash().blocking_read(from, into).map_err(|_| Fails)
    }

    fn write(&self, from: u32, octets: &[u8]) -> Result<(), Fails> {
        flash().blocking_write(from, octets).map_err(|_| Fails)
    }

    fn erase(&self, from: u32, to: u32) -> Result<(), Fails> {
        flash().blocking_erase(from, to).map_err(|_| Fails)
    }
}
