//! Which of two images a board starts: [`embassy_boot`]'s exchange of the image that runs for the next one, and back if nobody confirms
//! it, over flash whose power fails.
//!
//! Its journal is one page: a word that says what is to be done (the magic), one that says whether the progress counts, and the progress.
//! By itself it can start an image that is half the old and half the new one, where the power fails twice:
//!
//! - An erase that was cut off may leave the magic and take the progress. So the magic is cleared before each erase ([`Guarded`]).
//! - A word whose write was cut off may read as written at one start, and as erased at the next. So whatever the start relies on is
//!   written again before it does anything by it: the magic on a page that was erased anew, the last word of the progress, and, since
//!   words that were erased can't be made sure of, a word of its own that says that the old image is being put back.
//!
//! What is left is a torn erase that leaves the four octets of the magic by chance.
//!
//! Deliberately absent: signatures, versions. They are judged before an image is marked, by `firmware`.
#![no_std]
#![forbid(unsafe_code)]

mod region;

use core::fmt;
use embassy_boot::{BootError, BootLoader, BootLoaderConfig};
use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use embedded_storage_async::nor_flash as not_blocking;

pub use embassy_boot::State;
pub use region::{Chip, Fails, PAGE, Refused, Region};

/// [`embassy_boot`]'s magic for "exchange them": `State::from` of it.
const SWAP: u8 = 0xF0;
const ERASED: u8 = 0xFF;
const CLEARED: u8 = 0;
/// No chip writes more at once.
const WORD: usize = 32;

/// The page of the journal, whose magic is cleared before it is erased. For the bootloader, and for the image that marks the next one.
pub struct Guarded<F>(pub F);

impl<F> fmt::Debug for Guarded<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guarded").finish_non_exhaustive()
    }
}

impl<F: ErrorType> ErrorType for Guarded<F> {
    type Error = F::Error;
}

impl<F: ReadNorFlash> ReadNorFlash for Guarded<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), F::Error> {
        self.0.read(offset, octets)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: NorFlash> NorFlash for Guarded<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        self.0.write(0, &[CLEARED; WORD][..F::WRITE_SIZE])?;
        self.0.erase(from, to)
    }

    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), F::Error> {
        self.0.write(offset, octets)
    }
}

impl<F: not_blocking::ReadNorFlash> not_blocking::ReadNorFlash for Guarded<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), F::Error> {
        self.0.read(offset, octets).await
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: not_blocking::NorFlash> not_blocking::NorFlash for Guarded<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        self.0.write(0, &[CLEARED; WORD][..F::WRITE_SIZE]).await?;
        self.0.erase(from, to).await
    }

    async fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), F::Error> {
        self.0.write(offset, octets).await
    }
}

/// The journal, as the bootloader sees it.
struct Journal<F> {
    page: Guarded<F>,
    /// The old image is being put back: the progress counts, whatever the word for it reads.
    puts_back: bool,
}

impl<F: ErrorType> ErrorType for Journal<F> {
    type Error = F::Error;
}

impl<F: NorFlash> ReadNorFlash for Journal<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), F::Error> {
        self.page.read(offset, octets)?;
        if self.puts_back && offset as usize == F::WRITE_SIZE {
            octets[..F::WRITE_SIZE].fill(ERASED);
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.page.capacity()
    }
}

impl<F: NorFlash> NorFlash for Journal<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        self.page.erase(from, to)
    }

    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), F::Error> {
        self.page.write(offset, octets)
    }
}

impl<F: NorFlash> Journal<F> {
    /// Words before the progress: the magic, and whether the progress counts.
    const PROGRESS: usize = 2;

    /// Whether all octets of this word are that.
    fn is(&mut self, word: usize, octet: u8) -> Result<bool, F::Error> {
        Ok(self.word(word)?[..F::WRITE_SIZE].iter().all(|read| *read == octet))
    }

    fn word(&mut self, word: usize) -> Result<[u8; WORD], F::Error> {
        let mut octets = [0; WORD];
        self.page.read((word * F::WRITE_SIZE) as u32, &mut octets[..F::WRITE_SIZE])?;
        Ok(octets)
    }

    fn put(&mut self, word: usize, octet: u8) -> Result<(), F::Error> {
        self.page.write((word * F::WRITE_SIZE) as u32, &[octet; WORD][..F::WRITE_SIZE])
    }

    /// Makes sure of what it is about to be read for. `pages`: of the image that runs.
    fn settle(&mut self, pages: usize) -> Result<(), F::Error> {
        if !self.is(0, SWAP)? {
            return Ok(());
        }
        let (exchanged, put_back) = (2 * pages, 4 * pages);
        let puts_back_at = self.capacity() / F::WRITE_SIZE - 1;
        // Steps are written down by clearing their words, one after the other; embassy-boot takes any without an erased octet for cleared.
        let mut steps = 0;
        while steps < put_back && !self.word(Self::PROGRESS + steps)?[..F::WRITE_SIZE].contains(&ERASED) {
            steps += 1;
        }
        let counts = self.is(1, ERASED)?;
        if steps == 0 && counts {
            self.page.erase(0, self.capacity() as u32)?;
            return self.put(0, SWAP);
        }
        if let Some(last) = steps.checked_sub(1) {
            self.put(Self::PROGRESS + last, CLEARED)?;
        }
        // The image was started, and nobody confirmed it.
        self.puts_back = steps >= exchanged && (counts || !self.is(puts_back_at, ERASED)?);
        if self.puts_back {
            self.put(puts_back_at, CLEARED)?;
        }
        Ok(())
    }
}

/// Makes the image that is to start the one in `active`: the one that is there; or the one in `next`, once, if it was marked; or the
/// one before, if that one was started and not confirmed. `next` has one page more than `active`. `buffer`: as the chip wants it
/// aligned, and a page's part.
///
/// # Errors
/// The chip's. Nothing is half done then that the next start does not go on with.
pub fn choose<A, N, S>(active: A, next: N, state: S, buffer: &mut [u8]) -> Result<State, BootError>
where
    A: NorFlash,
    N: NorFlash,
    S: NorFlash,
{
    let page = if A::ERASE_SIZE > N::ERASE_SIZE { A::ERASE_SIZE } else { N::ERASE_SIZE };
    let mut state = Journal { page: Guarded(state), puts_back: false };
    state.settle(active.capacity() / page)?;
    BootLoader::new(BootLoaderConfig { active, dfu: next, state }).prepare_boot(buffer)
}
