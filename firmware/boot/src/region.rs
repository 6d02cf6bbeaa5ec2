//! A board's flash, cut into regions, each for one owner.

use core::ops::Range;
use embedded_storage::nor_flash as blocking;
use embedded_storage_async::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

/// What is erased at once.
pub const PAGE: usize = 4_096;
/// What is written at once. Chips that write octets get words all the same: a journal of words is not made by chance.
const WORD: usize = 4;

/// NOR flash. What it is asked is aligned, and within what the board's plan says that it has. While it works, nothing else happens.
pub trait Chip {
    /// # Errors
    /// The chip's: what is there now nobody knows.
    fn read(&self, from: u32, into: &mut [u8]) -> Result<(), Fails>;
    /// # Errors
    /// The same.
    fn write(&self, from: u32, octets: &[u8]) -> Result<(), Fails>;
    /// # Errors
    /// The same.
    fn erase(&self, from: u32, to: u32) -> Result<(), Fails>;
}

/// The chip did not do what it was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fails;

/// Some of a chip, for one owner. Whoever runs in it has no business there.
#[derive(Debug)]
pub struct Region<C> {
    chip: C,
    from: u32,
    pages: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    NotAligned,
    OutOfBounds,
    Chip,
}

impl NorFlashError for Refused {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Refused::NotAligned => NorFlashErrorKind::NotAligned,
            Refused::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            Refused::Chip => NorFlashErrorKind::Other,
        }
    }
}

impl From<Fails> for Refused {
    fn from(Fails: Fails) -> Self {
        Refused::Chip
    }
}

impl<C> Region<C> {
    /// So many pages from here on, as the board's plan has them.
    pub const fn new(chip: C, from: u32, pages: u32) -> Self {
        assert!((from as usize).is_multiple_of(PAGE), "a region begins with a page");
        Region { chip, from, pages }
    }

    #[must_use]
    pub const fn pages(&self) -> usize {
        self.pages as usize
    }

    /// Where the chip has it.
    #[must_use]
    pub const fn begins(&self) -> u32 {
        self.from
    }

    #[must_use]
    pub const fn length(&self) -> usize {
        self.pages() * PAGE
    }

    /// Where this begins and ends on the chip, if it is a whole number of units, and all of it is here.
    fn within(&self, from: u32, length: usize, unit: usize) -> Result<Range<u32>, Refused> {
        if !(from as usize).is_multiple_of(unit) || !length.is_multiple_of(unit) {
            return Err(Refused::NotAligned);
        }
        let to = (from as usize).checked_add(length).filter(|to| *to <= self.length());
        let to = to.ok_or(Refused::OutOfBounds)?;
        Ok(self.from + from..self.from + to as u32)
    }
}

impl<C: Chip> Region<C> {
    /// Whether it begins with what an image for a Cortex-M begins with: where its stack is, and where in it it starts (ARMv7-M
    /// Architecture Reference Manual, B1.5.3). Where nothing was flashed all bits are set. `runs_at`: where the processor sees the region.
    #[must_use]
    pub fn has_image(&self, runs_at: u32) -> bool {
        let mut table = [0xFF; 2 * WORD];
        let is_read = self.get(0, &mut table).is_ok();
        let [stack, start] =
            [0, WORD].map(|at| table[at..].first_chunk().map_or(u32::MAX, |word| u32::from_le_bytes(*word)));
        is_read && stack != u32::MAX && (runs_at..runs_at + self.length() as u32).contains(&start)
    }

    fn get(&self, from: u32, into: &mut [u8]) -> Result<(), Refused> {
        let place = self.within(from, into.len(), 1)?;
        Ok(self.chip.read(place.start, into)?)
    }

    fn put(&self, from: u32, octets: &[u8]) -> Result<(), Refused> {
        let place = self.within(from, octets.len(), WORD)?;
        Ok(self.chip.write(place.start, octets)?)
    }

    fn clear(&self, from: u32, to: u32) -> Result<(), Refused> {
        let length = to.checked_sub(from).ok_or(Refused::OutOfBounds)?;
        let place = self.within(from, length as usize, PAGE)?;
        Ok(self.chip.erase(place.start, place.end)?)
    }
}

impl<C> ErrorType for Region<C> {
    type Error = Refused;
}

impl<C: Chip> ReadNorFlash for Region<C> {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, from: u32, into: &mut [u8]) -> Result<(), Refused> {
        self.get(from, into)
    }

    fn capacity(&self) -> usize {
        self.length()
    }
}

impl<C: Chip> NorFlash for Region<C> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn write(&mut self, from: u32, octets: &[u8]) -> Result<(), Refused> {
        self.put(from, octets)
    }

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        self.clear(from, to)
    }
}

/// For the bootloader.
impl<C: Chip> blocking::ReadNorFlash for Region<C> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, from: u32, into: &mut [u8]) -> Result<(), Refused> {
        self.get(from, into)
    }

    fn capacity(&self) -> usize {
        self.length()
    }
}

impl<C: Chip> blocking::NorFlash for Region<C> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn write(&mut self, from: u32, octets: &[u8]) -> Result<(), Refused> {
        self.put(from, octets)
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Refused> {
        self.clear(from, to)
    }
}
