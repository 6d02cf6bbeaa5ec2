//! NOR flash, and what is where in it. The machine has none: it is the last mebibyte of a memory that is a file of the host's, and so
//! outlives the machine as flash does.
//!
//! | from | pages of 4 KiB | what |
//! |---|---|---|
//! | 0x21F0_0000 | 1 | the bootloader's journal |
//! | 0x21F0_1000 | 96 | the image that runs, where it is: `bridge.x` |
//! | 0x21F6_1000 | 97 | the image that comes next |
//! | 0x21FC_2000 | 48 | the spool |
//! | 0x21FF_2000 | 2 | the settings |
//! | 0x21FF_4000 | 2 | the bonds |
//! | 0x21FF_6000 | 2 | which image was tried last |
//! | 0x21FF_8000 | 8 | nobody's, but for the last eight octets: the board's EUI-64 |
#![no_std]

use core::ptr::{read_volatile, write_volatile};
use firmware_boot::{Chip, Fails, Region};

pub const STATE: Region<Memory> = Region::new(Memory, 0x21F0_0000, 1);
pub const ACTIVE: Region<Memory> = Region::new(Memory, 0x21F0_1000, 96);
pub const NEXT: Region<Memory> = Region::new(Memory, 0x21F6_1000, 97);
pub const SPOOL: Region<Memory> = Region::new(Memory, 0x21FC_2000, 48);
pub const SETTINGS: Region<Memory> = Region::new(Memory, 0x21FF_2000, 2);
pub const BONDS: Region<Memory> = Region::new(Memory, 0x21FF_4000, 2);
pub const TRIED: Region<Memory> = Region::new(Memory, 0x21FF_6000, 2);

const FLASH: core::ops::Range<u32> = 0x21F0_0000..0x2200_0000;
const WORD: usize = 4;

/// What whoever made the flash has written at its end.
pub fn name() -> [u8; 8] {
    let mut name = [0xFF; 8];
    // There is memory: it answers.
    _ = Memory.read(FLASH.end - 8, &mut name);
    name
}

/// The machine's, by its addresses.
#[derive(Clone, Copy, Debug)]
pub struct Memory;

impl Memory {
    fn word(at: u32) -> *mut u32 {
        assert!(FLASH.contains(&at) && (at as usize).is_multiple_of(WORD));
        at as *mut u32
    }
}

impl Chip for Memory {
    fn read(&self, from: u32, into: &mut [u8]) -> Result<(), Fails> {
        for (at, octet) in (from..).zip(into) {
            assert!(FLASH.contains(&at));
            // SAFETY: it is memory of this machine, and none that Rust knows of (bridge.x leaves it out).
            *octet = unsafe { read_volatile(at as *const u8) };
        }
        Ok(())
    }

    /// Bits are only ever cleared: one that was, and was not erased since, can't be set.
    fn write(&self, from: u32, octets: &[u8]) -> Result<(), Fails> {
        let words = || octets.as_chunks::<WORD>().0.iter().copied().map(u32::from_le_bytes);
        let places = || (from..).step_by(WORD).map(Memory::word);
        // SAFETY: the same, and it is aligned.
        if places().zip(words()).any(|(place, word)| unsafe { read_volatile(place) } & word != word) {
            return Err(Fails);
        }
        for (place, word) in places().zip(words()) {
            // SAFETY: the same; whoever owns the region runs no code that is in it, and nobody has a reference to it.
            unsafe { write_volatile(place, word) }
        }
        Ok(())
    }

    fn erase(&self, from: u32, to: u32) -> Result<(), Fails> {
        for place in (from..to).step_by(WORD).map(Memory::word) {
            // SAFETY: the same.
            unsafe { write_volatile(place, u32::MAX) }
        }
        Ok(())
    }
}
