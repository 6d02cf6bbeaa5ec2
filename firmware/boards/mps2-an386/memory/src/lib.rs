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
use embedded_storage::nor_flash as blocking;
use embedded_storage_async::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

pub const PAGE: usize = 4_096;
const WORD: usize = 4;

pub const STATE: Region = Region { from: 0x21F0_0000, pages: 1 };
pub const ACTIVE: Region = Region { from: 0x21F0_1000, pages: 96 };
pub const NEXT: Region = Region { from: 0x21F6_1000, pages: 97 };
pub const SPOOL: Region = Region { from: 0x21FC_2000, pages: 48 };
pub const SETTINGS: Region = Region { from: 0x21FF_2000, pages: 2 };
pub const BONDS: Region = Region { from: 0x21FF_4000, pages: 2 };
pub const TRIED: Region = Region { from: 0x21FF_6000, pages: 2 };
const NAME: Region = Region { from: 0x21FF_F000, pages: 1 };

/// What whoever made the flash has written at its end.
pub fn name() -> [u8; 8] {
    core::array::from_fn(|octet| NAME.octet(PAGE - 8 + octet))
}

/// Some of it, for one owner. Whoever runs in [`ACTIVE`] has no business there.
#[derive(Debug)]
pub struct Region {
    from: usize,
    pages: usize,
}

/// What no chip does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    NotAligned,
    OutOfBounds,
    /// A bit was cleared before, and not erased since: it can't be set.
    NotErased,
}

impl NorFlashError for Refused {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Refused::NotAligned => NorFlashErrorKind::NotAligned,
            Refused::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            Refused::NotErased => NorFlashErrorKind::Other,
        }
    }
}

impl Region {
    #[must_use]
    pub const fn pages(&self) -> usize {
        self.pages
    }

    /// Where it begins.
    #[must_use]
    pub const fn address(&self) -> usize {
        self.from
    }

    #[must_use]
    pub const fn length(&self) -> usize {
        self.pages * PAGE
    }

    /// Where this begins and ends, if it is a whole number of units, and all of it is here.
    fn within(&self, from: u32, length: usize, unit: usize) -> Result<core::ops::Range<usize>, Refused> {
        let from = from as usize;
        if !from.is_multiple_of(unit) || !length.is_multiple_of(unit) {
            return Err(Refused::NotAligned);
        }
        let to = from.checked_add(length).filter(|to| *to <= self.length());
        Ok(from..to.ok_or(Refused::OutOfBounds)?)
    }

    fn octet(&self, at: usize) -> u8 {
        assert!(at < self.length());
        // SAFETY: it is within the region, which is memory of this machine, and none that Rust knows of (bridge.x leaves it out).
        unsafe { read_volatile((self.from + at) as *const u8) }
    }

    fn word(&self, at: usize) -> u32 {
        assert!(at < self.length() && at.is_multiple_of(WORD));
        // SAFETY: the same, and it is aligned.
        unsafe { read_volatile((self.from + at) as *const u32) }
    }

    fn set_word(&mut self, at: usize, value: u32) {
        assert!(at < self.length() && at.is_multiple_of(WORD));
        // SAFETY: the same; whoever owns the region runs no code that is in it, and nobody has a reference to it.
        unsafe { write_volatile((self.from + at) as *mut u32, value) }
    }
}

impl Region {
    fn get(&self, offset: u32, into: &mut [u8]) -> Result<(), Refused> {
        let octets = self.within(offset, into.len(), 1)?;
        octets.zip(into).for_each(|(at, octet)| *octet = self.octet(at));
        Ok(())
    }

    fn put(&mut self, offset: u32, octets: &[u8]) -> Result<(), Refused> {
        let places = self.within(offset, octets.len(), WORD)?.step_by(WORD);
        let words =
            || places.clone().zip(octets.as_chunks::<WORD>().0.iter().copied().map(u32::from_le_bytes));
        // Bits are only ever cleared.
        if words().any(|(at, word)| self.word(at) & word != word) {
            return Err(Refused::NotErased);
        }
        words().for_each(|(at, word)| self.set_word(at, word));
        Ok(())
    }

    fn clear(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        let length = to.checked_sub(from).ok_or(Refused::OutOfBounds)?;
        let words = self.within(from, length as usize, PAGE)?.step_by(WORD);
        words.for_each(|at| self.set_word(at, u32::MAX));
        Ok(())
    }
}

impl ErrorType for Region {
    type Error = Refused;
}

impl ReadNorFlash for Region {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, into: &mut [u8]) -> Result<(), Refused> {
        self.get(offset, into)
    }

    fn capacity(&self) -> usize {
        self.length()
    }
}

impl NorFlash for Region {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Refused> {
        self.put(offset, octets)
    }

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        self.clear(from, to)
    }
}

/// For the bootloader, which waits.
impl blocking::ReadNorFlash for Region {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, into: &mut [u8]) -> Result<(), Refused> {
        self.get(offset, into)
    }

    fn capacity(&self) -> usize {
        self.length()
    }
}

impl blocking::NorFlash for Region {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Refused> {
        self.put(offset, octets)
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        self.clear(from, to)
    }
}
