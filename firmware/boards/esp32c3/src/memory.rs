//! The flash, and what is where in it: `partitions.csv`, of which `hearth` is ours.
//!
//! | from | pages of 4 KiB | what |
//! |---|---|---|
//! | 0x11_0000 | 128 | the spool |
//! | 0x19_0000 | 2 | the settings |
//! | 0x19_2000 | 2 | what the scale was calibrated to |

use esp_hal::peripherals::FLASH;
use esp_storage::FlashStorage;
use firmware_boot::{Chip, Fails, Region};

pub(crate) const SPOOL: Region<Memory> = Region::new(Memory, 0x11_0000, 128);
pub(crate) const SETTINGS: Region<Memory> = Region::new(Memory, 0x19_0000, 2);
pub(crate) const CALIBRATION: Region<Memory> = Region::new(Memory, 0x19_2000, 2);

/// The board's, by its offsets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory;

/// Its words are written where they are: esp-storage's other way erases the sector each time. Whoever works with the flash has the processor to itself.
fn flash() -> FlashStorage<'static> {
    // SAFETY: nobody waits while it works, and each has regions of its own: no two are at it at once, and none runs what it changes.
    FlashStorage::new(unsafe { FLASH::steal() })
}

impl Chip for Memory {
    fn read(&self, from: u32, into: &mut [u8]) -> Result<(), Fails> {
        flash().read_nor(from, into).map_err(|_| Fails)
    }

    fn write(&self, from: u32, octets: &[u8]) -> Result<(), Fails> {
        flash().write_nor(from, octets).map_err(|_| Fails)
    }

    fn erase(&self, from: u32, to: u32) -> Result<(), Fails> {
        flash().erase(from, to).map_err(|_| Fails)
    }
}
