//! One entry: checksum u32, length u16, kind u8, a zero, the octets, then ones up to the next word.

use embedded_storage_async::nor_flash::NorFlash;
use hearth_wire::crc::IsoHdlc;
use hearth_wire::frame::line;

const HEADER: usize = 8;

/// The longest octets of an entry: a frame's content.
pub(super) const LONGEST: usize = line::LONGEST;
/// The longest entry, for flashes whose words have up to 16 octets.
pub(super) const ROOM: usize = (HEADER + LONGEST).next_multiple_of(16);

/// What entries are aligned to: what can be read, and written, alone.
pub(super) const fn word<F: NorFlash>() -> usize {
    let mut word = 4;
    if word < F::WRITE_SIZE {
        word = F::WRITE_SIZE;
    }
    if word < F::READ_SIZE {
        word = F::READ_SIZE;
    }
    assert!(word <= 16 && word.is_power_of_two(), "words have up to 16 octets");
    assert!(
        F::ERASE_SIZE.is_multiple_of(word) && F::ERASE_SIZE >= 4 * ROOM,
        "a page has room for some records"
    );
    word
}

/// Its octets are in the buffer, from [`OCTETS`] on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) kind: u8,
    pub(super) octets: usize,
    /// Where what follows it begins.
    pub(super) next: u32,
}

/// What is at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    Entry(Entry),
    /// Nothing was written here.
    Erased,
    /// What is no entry of this life.
    Other,
}

pub(super) const OCTETS: usize = HEADER;

/// How much room an entry with so many octets takes.
pub(super) fn length<F: NorFlash>(octets: usize) -> usize {
    (HEADER + octets).next_multiple_of(const { word::<F>() })
}

/// `life`: of the page; `at`: from its beginning.
fn checksum(life: u32, at: u32, after_checksum: &[u8]) -> u32 {
    let crc = IsoHdlc::new().with(&life.to_le_bytes()).with(&at.to_le_bytes());
    crc.with(after_checksum).value()
}

/// Reads what is at `at` of the page that begins at `page`.
pub(super) async fn read<F: NorFlash>(
    flash: &mut F,
    page: u32,
    life: u32,
    at: u32,
    buffer: &mut [u8; ROOM],
) -> Result<Found, F::Error> {
    let left = F::ERASE_SIZE.saturating_sub(at as usize);
    let first = length::<F>(0);
    if left < first {
        return Ok(Found::Other);
    }
    flash.read(page + at, &mut buffer[..first]).await?;
    let [c0, c1, c2, c3, l0, l1, kind, ..] = *buffer;
    if buffer[..HEADER] == [0xFF; HEADER] {
        return Ok(Found::Erased);
    }
    let octets = usize::from(u16::from_le_bytes([l0, l1]));
    let length = length::<F>(octets);
    if octets > LONGEST || length > left {
        return Ok(Found::Other);
    }
    if length > first {
        flash.read(page + at + first as u32, &mut buffer[first..length]).await?;
    }
    let right = checksum(life, at, &buffer[4..HEADER + octets]) == u32::from_le_bytes([c0, c1, c2, c3]);
    Ok(if right { Found::Entry(Entry { kind, octets, next: at + length as u32 }) } else { Found::Other })
}

/// Writes an entry, whose octets the buffer has from [`OCTETS`] on, and reads it again. `None`: it is not there.
pub(super) async fn write<F: NorFlash>(
    flash: &mut F,
    page: u32,
    life: u32,
    at: u32,
    kind: u8,
    octets: usize,
    buffer: &mut [u8; ROOM],
) -> Result<Option<Entry>, F::Error> {
    let length = length::<F>(octets);
    let [l0, l1] = (octets as u16).to_le_bytes();
    buffer[4..HEADER].copy_from_slice(&[l0, l1, kind, 0]);
    buffer[HEADER + octets..length].fill(0xFF);
    let sum = checksum(life, at, &buffer[4..HEADER + octets]);
    buffer[..4].copy_from_slice(&sum.to_le_bytes());
    flash.write(page + at, &buffer[..length]).await?;
    let written = Entry { kind, octets, next: at + length as u32 };
    Ok((read(flash, page, life, at, buffer).await? == Found::Entry(written)).then_some(written))
}
