//! NOR flash, and what is where in it. The machine has none: it is the last mebibyte of a memory that is a file of the host's, and so
//! outlives the machine as flash does.
//!
//! | from | pages of 4 KiB | what |
//! |---|---|---|
//! | 0x21F0_0000 | 1 | the bootloader's state (so far: nobody's) |
//! | 0x21F0_1000 | 96 | the image that runs (so far: QEMU's `-kernel` puts it at 0) |
//! | 0x21F6_1000 | 97 | the image that comes next (so far: nobody's) |
//! | 0x21FC_2000 | 48 | the spool |
//! | 0x21FF_2000 | 2 | the settings |
//! | 0x21FF_4000 | 2 | the bonds |
//! | 0x21FF_6000 | 10 | nobody's, but for the last eight octets: the board's EUI-64 |

use core::ptr::{read_volatile, write_volatile};
use embedded_storage_async::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use hearth_wire::frame::BridgeId;

const PAGE: usize = 4_096;
const WORD: usize = 4;

pub(crate) const SPOOL: Region = Region { from: 0x21FC_2000, pages: 48 };
pub(crate) const SETTINGS: Region = Region { from: 0x21FF_2000, pages: 2 };
pub(crate) const BONDS: Region = Region { from: 0x21FF_4000, pages: 2 };
const NAME: Region = Region { from: 0x21FF_F000, pages: 1 };

/// The name of a board whose flash nobody gave one. It is locally administered: no maker's.
const NAMELESS: BridgeId = BridgeId([0x02, 0x00, 0x5E, 0x10, 0xFF, 0xFE, 0x00, 0x01]);

/// The board's name, which whoever made its flash has written there; zeros are a file that was only made as long.
pub(crate) fn bridge() -> BridgeId {
    let name = core::array::from_fn(|octet| NAME.octet(PAGE - 8 + octet));
    if name == [0xFF; 8] || name == [0; 8] { NAMELESS } else { BridgeId(name) }
}

/// What devices know it by: a static random address (Bluetooth Core, Vol 6, Part B, 1.3.2.1) made of the name.
pub(crate) fn address() -> [u8; 6] {
    let BridgeId([a, b, c, _, _, d, e, f]) = bridge();
    [a | 0xC0, b, c, d, e, f]
}

/// Some of it, for one owner.
pub(crate) struct Region {
    from: usize,
    pages: usize,
}

/// What no chip does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    NotAligned,
    OutOfBounds,
    /// It was written before, and not erased since.
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
    pub(crate) const fn pages(&self) -> usize {
        self.pages
    }

    const fn length(&self) -> usize {
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
        // SAFETY: it is within the region, which is memory of this machine, and none that Rust knows of (memory.x leaves it out).
        unsafe { read_volatile((self.from + at) as *const u8) }
    }

    fn word(&self, at: usize) -> u32 {
        assert!(at < self.length() && at.is_multiple_of(WORD));
        // SAFETY: the same, and it is aligned.
        unsafe { read_volatile((self.from + at) as *const u32) }
    }

    fn set_word(&mut self, at: usize, value: u32) {
        assert!(at < self.length() && at.is_multiple_of(WORD));
        // SAFETY: the same; nothing in the region is code that runs, or a reference of anybody's.
        unsafe { write_volatile((self.from + at) as *mut u32, value) }
    }
}

impl ErrorType for Region {
    type Error = Refused;
}

impl ReadNorFlash for Region {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, into: &mut [u8]) -> Result<(), Refused> {
        let octets = self.within(offset, into.len(), Self::READ_SIZE)?;
        octets.zip(into).for_each(|(at, octet)| *octet = self.octet(at));
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.length()
    }
}

impl NorFlash for Region {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Refused> {
        let places = self.within(offset, octets.len(), WORD)?.step_by(WORD);
        if places.clone().any(|at| self.word(at) != u32::MAX) {
            return Err(Refused::NotErased);
        }
        for (at, word) in places.zip(octets.as_chunks::<WORD>().0) {
            // Bits are only ever cleared.
            self.set_word(at, self.word(at) & u32::from_le_bytes(*word));
        }
        Ok(())
    }

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        let length = to.checked_sub(from).ok_or(Refused::OutOfBounds)?;
        let words = self.within(from, length as usize, PAGE)?.step_by(WORD);
        words.for_each(|at| self.set_word(at, u32::MAX));
        Ok(())
    }
}
