//! One string of octets that is replaced as a whole: the old one or the new one is there, never a mixture.

use super::Refused;
use super::entry::{self, Entry, Found, OCTETS, ROOM};
use core::fmt;
use embedded_storage_async::nor_flash::NorFlash;

/// A page's first entry: its life u32.
const FIRST: u8 = 1;
/// Some of the octets.
const PART: u8 = 2;
/// All are there: how many, u32. Written twice: the first may have been torn, and read as whole by chance; with the second it was not.
const COMPLETE: u8 = 3;

/// How many octets a part has.
const PART_LENGTH: usize = 256;

/// A region of flash with two pages: one that holds, and the one that is written next.
pub struct Settings<F> {
    flash: F,
    holds: Option<Holds>,
    buffer: [u8; ROOM],
}

/// The page that is complete: surely, before one that may be torn; then by its life.
#[derive(Clone, Copy, Debug)]
struct Holds {
    page: u32,
    is_sure: bool,
    life: u32,
    length: usize,
}

impl<F> fmt::Debug for Settings<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("holds", &self.holds).finish_non_exhaustive()
    }
}

impl<F: NorFlash> Settings<F> {
    /// As many octets as always have room.
    pub const LONGEST: usize = (F::ERASE_SIZE - 96) / (PART_LENGTH + 32) * PART_LENGTH;

    pub async fn open(flash: F) -> Result<Self, F::Error> {
        let mut settings = Settings { flash, holds: None, buffer: [0; ROOM] };
        for page in [0, F::ERASE_SIZE as u32] {
            let found = settings.find(page).await?;
            let worth = |holds: Option<Holds>| holds.map(|holds| (holds.is_sure, holds.life));
            if worth(found) > worth(settings.holds) {
                settings.holds = found;
            }
        }
        Ok(settings)
    }

    /// `None`: the page is not complete.
    async fn find(&mut self, page: u32) -> Result<Option<Holds>, F::Error> {
        let Found::Entry(Entry { kind: FIRST, next, .. }) = self.entry(page, 0, 0).await? else {
            return Ok(None);
        };
        let life = self.word();
        let (mut at, mut length, mut holds) = (next, 0, None);
        while let Found::Entry(Entry { kind, octets, next }) = self.entry(page, life, at).await? {
            match kind {
                PART => length += octets,
                COMPLETE if self.word() as usize == length => {
                    let is_sure = holds.is_some();
                    holds = Some(Holds { page, is_sure, life, length });
                    if is_sure {
                        break;
                    }
                }
                _ => return Ok(None),
            }
            at = next;
        }
        Ok(holds)
    }

    async fn entry(&mut self, page: u32, life: u32, at: u32) -> Result<Found, F::Error> {
        entry::read(&mut self.flash, page, life, at, &mut self.buffer).await
    }

    fn word(&self) -> u32 {
        let [.., a, b, c, d] = *self.buffer.first_chunk::<{ OCTETS + 4 }>().unwrap_or(&[0; OCTETS + 4]);
        u32::from_le_bytes([a, b, c, d])
    }

    /// What was kept last, into this buffer. `None`: nothing was, or it is too long for it.
    pub async fn load<'b>(&mut self, into: &'b mut [u8]) -> Result<Option<&'b [u8]>, F::Error> {
        let Some(Holds { page, life, length, .. }) = self.holds else { return Ok(None) };
        if length > into.len() {
            return Ok(None);
        }
        let (mut filled, mut at) = (0, entry::length::<F>(4) as u32);
        while filled < length {
            let Found::Entry(Entry { kind: PART, octets, next }) = self.entry(page, life, at).await? else {
                return Ok(None);
            };
            into[filled..filled + octets].copy_from_slice(&self.buffer[OCTETS..OCTETS + octets]);
            (filled, at) = (filled + octets, next);
        }
        Ok(Some(&into[..length]))
    }

    /// Replaces what was kept. When this returns, the new octets are kept; if the power fails before, the old ones or the new ones.
    pub async fn save(&mut self, octets: &[u8]) -> Result<(), Refused<F::Error>> {
        if octets.len() > Self::LONGEST {
            return Err(Refused::TooLong);
        }
        let (page, life) = match self.holds {
            Some(Holds { page: 0, life, .. }) => (F::ERASE_SIZE as u32, life + 1),
            Some(Holds { life, .. }) => (0, life + 1),
            None => (0, 1),
        };
        self.flash.erase(page, page + F::ERASE_SIZE as u32).await?;
        let mut at = self.put(page, 0, 0, FIRST, &life.to_le_bytes()).await?;
        for part in octets.chunks(PART_LENGTH) {
            at = self.put(page, life, at, PART, part).await?;
        }
        for _ in 0..2 {
            at = self.put(page, life, at, COMPLETE, &(octets.len() as u32).to_le_bytes()).await?;
        }
        self.holds = Some(Holds { page, is_sure: true, life, length: octets.len() });
        Ok(())
    }

    /// Where the next entry begins.
    async fn put(
        &mut self,
        page: u32,
        life: u32,
        at: u32,
        kind: u8,
        octets: &[u8],
    ) -> Result<u32, Refused<F::Error>> {
        self.buffer[OCTETS..OCTETS + octets.len()].copy_from_slice(octets);
        let put = entry::write(&mut self.flash, page, life, at, kind, octets.len(), &mut self.buffer).await?;
        put.map(|entry| entry.next).ok_or(Refused::DoesNotKeep)
    }
}
