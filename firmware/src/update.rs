//! A new firmware: it comes octet by octet into the flash beside the one that runs, is judged there, and started on trial. Whoever
//! does not confirm it has the old one back at the next start (`firmware-boot`).
//!
//! What is believed is the signature alone, which is of the image with its board and its version: what the hub says of it is only asked
//! first, so that nobody waits for an image that will be refused.

use crate::bridge::About;
use crate::flash::{Refused, Settings};
use core::fmt;
use embassy_boot::{FirmwareState, FirmwareUpdaterError, State};
use embedded_storage_async::nor_flash::NorFlash;
use firmware_boot::Guarded;
use hearth_wire::frame::image::Manifest;
use hearth_wire::frame::{Outcome, Version};
use salty::{PublicKey, Sha512, Signature};

/// No chip writes more at once.
const WORD: usize = 32;
const NONE_COMES: &str = "no image was to come: begin the update again";
/// So many octets are read again at a time.
const PART: usize = 64;

/// Where a board has room for updates. The regions' lengths are whole pages.
#[derive(Clone, Debug)]
pub struct Room<F> {
    /// For the next image: one page more than the image that runs has.
    pub next: F,
    /// The bootloader's page.
    pub state: F,
    /// Two pages: what was tried last.
    pub tried: F,
    /// Whose images it takes: an Ed25519 public key.
    pub key: [u8; 32],
}

/// How the firmware that runs stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    Confirmed,
    /// Nobody has confirmed it yet.
    OnTrial,
    /// This newer one was tried, and did not hold.
    WentBack(Version),
}

/// The updates of one bridge.
pub struct Updates<F> {
    room: Room<F>,
    standing: Standing,
    coming: Option<Coming>,
}

/// An image that is on its way.
#[derive(Clone, Copy, Debug)]
struct Coming {
    version: Version,
    size: u32,
    came: u32,
    /// Up to here the region is erased.
    erased: u32,
}

impl<F> fmt::Debug for Updates<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates")
            .field("standing", &self.standing)
            .field("coming", &self.coming)
            .finish_non_exhaustive()
    }
}

/// Which firmware tried which: two versions of three numbers.
const TRIED: usize = 12;

fn tried(from: Version, to: Version) -> [u8; TRIED] {
    let mut octets = [0; TRIED];
    let numbers = [from.major, from.minor, from.patch, to.major, to.minor, to.patch];
    for (place, number) in octets.chunks_exact_mut(2).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    octets
}

impl<F: NorFlash> Updates<F> {
    /// What the bootloader has left. `running`: the version of the firmware that asks.
    pub async fn open(mut room: Room<F>, running: Version) -> Result<Self, Refused<F::Error>> {
        let state = state(&mut room).await?;
        let mut buffer = [0; TRIED];
        let last = Settings::open(&mut room.tried).await?.load(&mut buffer).await?;
        let number =
            |n: usize| last.and_then(|last| last.as_chunks().0.get(n)).map(|n| u16::from_le_bytes(*n));
        let version = |n| Some(Version { major: number(n)?, minor: number(n + 1)?, patch: number(n + 2)? });
        let standing = match (state, version(0), version(3)) {
            (State::Swap, ..) => Standing::OnTrial,
            // By the versions: a bootloader that was cut off may say that it went back, and have started the new one.
            (_, Some(from), Some(to)) if from == running && to != running => Standing::WentBack(to),
            _ => Standing::Confirmed,
        };
        Ok(Updates { room, standing, coming: None })
    }

    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// An image is to come: so many octets, for this board, of this version.
    pub(crate) fn begin(
        &mut self,
        about: &About,
        size: u32,
        version: Version,
        forced: bool,
        board: &str,
    ) -> Outcome<'static> {
        self.coming = None;
        if board != about.board {
            return Outcome::Refused("the image is for another kind of board");
        }
        // The last page of the region is the bootloader's, for the exchange.
        let most = self.room.next.capacity() - F::ERASE_SIZE;
        if size == 0 || size as usize > most {
            return Outcome::Refused("the image is larger than this board has room for, or empty");
        }
        if version < about.firmware && !forced {
            return Outcome::Refused("the image is older than the firmware that runs");
        }
        if version == about.firmware && !forced {
            return Outcome::Refused("the firmware that runs is of this version already");
        }
        if self.standing == Standing::OnTrial {
            return Outcome::Refused(
                "the firmware that runs is on trial itself: it has to be confirmed first",
            );
        }
        self.coming = Some(Coming { version, size, came: 0, erased: 0 });
        Outcome::Good
    }

    /// Octets of it, from this one on.
    pub(crate) async fn part(
        &mut self,
        from: u32,
        octets: &[u8],
    ) -> Result<Outcome<'static>, Refused<F::Error>> {
        let Some(coming) = &mut self.coming else {
            return Ok(Outcome::Refused(NONE_COMES));
        };
        let to = from.saturating_add(octets.len() as u32);
        if to == coming.came && !octets.is_empty() {
            // The answer to it was lost.
            return Ok(Outcome::Good);
        }
        let is_whole = octets.len().is_multiple_of(F::WRITE_SIZE) || to == coming.size;
        if from != coming.came || to > coming.size || !is_whole {
            return Ok(Outcome::Refused("octets of the image are missing: begin the update again"));
        }
        let next = &mut self.room.next;
        // A page is erased right before it is written.
        while coming.erased < to {
            let end = coming.erased + F::ERASE_SIZE as u32;
            next.erase(coming.erased, end).await?;
            coming.erased = end;
        }
        let mut at = from;
        for part in octets.chunks(WORD) {
            let mut written = [0xFF; WORD];
            written[..part.len()].copy_from_slice(part);
            let whole = part.len().next_multiple_of(F::WRITE_SIZE);
            next.write(at, &written[..whole]).await?;
            let mut read = [0; WORD];
            next.read(at, &mut read[..whole]).await?;
            if read[..whole] != written[..whole] {
                self.coming = None;
                return Ok(Outcome::Flash);
            }
            at += part.len() as u32;
        }
        coming.came = to;
        Ok(Outcome::Good)
    }

    /// All of it came: with this signature. [`Outcome::Good`]: the next start is by it.
    pub(crate) async fn mark(
        &mut self,
        about: &About,
        signature: &[u8; 64],
    ) -> Result<Outcome<'static>, Refused<F::Error>> {
        let Some(Coming { version, size, came, .. }) = self.coming else {
            return Ok(Outcome::Refused(NONE_COMES));
        };
        if came != size {
            return Ok(Outcome::Refused("the image is not complete"));
        }
        self.coming = None;
        let manifest = Manifest { board: about.board, version, size, digest: self.digest(size).await? };
        if !self.is_signed(&manifest, signature) {
            return Ok(Outcome::Refused(
                "the signature is not of this image by the key that this bridge takes updates from",
            ));
        }
        let saved = Settings::open(&mut self.room.tried).await?.save(&tried(about.firmware, version)).await;
        match saved {
            Ok(()) => {}
            Err(Refused::DoesNotKeep) => return Ok(Outcome::Flash),
            Err(refused) => return Err(refused),
        }
        let mut buffer = [0; WORD];
        let mut states = states(&mut self.room.state, &mut buffer);
        states.mark_updated().await.map_err(failed)?;
        Ok(Outcome::Good)
    }

    async fn digest(&mut self, size: u32) -> Result<[u8; 64], F::Error> {
        let mut digest = Sha512::new();
        let mut part = [0; PART];
        for from in (0..size).step_by(PART) {
            let many = PART.min((size - from) as usize);
            let whole = many.next_multiple_of(F::READ_SIZE.max(F::WRITE_SIZE));
            self.room.next.read(from, &mut part[..whole]).await?;
            digest.update(&part[..many]);
        }
        Ok(digest.finalize())
    }

    fn is_signed(&self, manifest: &Manifest<'_>, signature: &[u8; 64]) -> bool {
        let mut buffer = [0; Manifest::LONGEST];
        let (Ok(octets), Ok(key)) = (manifest.encode(&mut buffer), PublicKey::try_from(&self.room.key))
        else {
            return false;
        };
        key.verify(octets, &Signature::from(signature)).is_ok()
    }

    /// The hub finds the firmware that runs good.
    pub(crate) async fn confirm(&mut self) -> Result<(), Refused<F::Error>> {
        if self.standing == Standing::OnTrial {
            let mut buffer = [0; WORD];
            states(&mut self.room.state, &mut buffer).mark_booted().await.map_err(failed)?;
            self.standing = Standing::Confirmed;
        }
        Ok(())
    }
}

fn states<'b, F: NorFlash>(
    page: &'b mut F,
    buffer: &'b mut [u8; WORD],
) -> FirmwareState<'b, Guarded<&'b mut F>> {
    FirmwareState::new(Guarded(page), &mut buffer[..F::WRITE_SIZE.max(F::READ_SIZE)])
}

async fn state<F: NorFlash>(room: &mut Room<F>) -> Result<State, Refused<F::Error>> {
    let mut buffer = [0; WORD];
    states(&mut room.state, &mut buffer).get_state().await.map_err(failed)
}

fn failed<E>(_: FirmwareUpdaterError) -> Refused<E> {
    Refused::DoesNotKeep
}

/// The key by which a firmware is built: 64 hexadecimal digits, as `hearth bridge key` prints them. `None`: it takes no
/// updates. Panics where it is evaluated, that is where the firmware is built, if they are no key's.
#[must_use]
pub const fn key(digits: Option<&str>) -> Option<[u8; 32]> {
    let Some(digits) = digits else { return None };
    let digits = digits.as_bytes();
    assert!(digits.len() == 64, "HEARTH_UPDATE_KEY has 64 hexadecimal digits");
    const fn value(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            b'A'..=b'F' => digit - b'A' + 10,
            _ => panic!("HEARTH_UPDATE_KEY has 64 hexadecimal digits"),
        }
    }
    let mut key = [0; 32];
    let mut at = 0;
    while at < key.len() {
        key[at] = value(digits[2 * at]) << 4 | value(digits[2 * at + 1]);
        at += 1;
    }
    Some(key)
}
