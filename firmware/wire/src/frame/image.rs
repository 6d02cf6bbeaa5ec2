//! What a firmware's image says of itself, and what is signed of it.

use super::Version;
use crate::NoRoom;
use crate::reader::Reader;
use crate::writer::Writer;

/// No kind of board has a longer name.
pub const LONGEST_BOARD: usize = 32;

/// What is signed of an image: an old image can't be given out as a new one, nor one board's as another's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Manifest<'a> {
    pub board: &'a str,
    pub version: Version,
    /// In octets.
    pub size: u32,
    /// SHA-512 of the image.
    pub digest: [u8; 64],
}

/// What the signature is over begins so, and nothing else that anybody signs does.
const PURPOSE: &[u8; 20] = b"Hearth bridge image\x01";

impl Manifest<'_> {
    /// As many octets as one may have.
    pub const LONGEST: usize = PURPOSE.len() + 6 + 4 + 64 + 2 + LONGEST_BOARD;

    /// The octets that are signed with Ed25519 (RFC 8032).
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.octets("purpose", PURPOSE)?;
        self.version.write(&mut writer)?;
        writer.u32("size", self.size)?;
        writer.octets("digest", &self.digest)?;
        writer.sized("board", self.board.as_bytes())?;
        Ok(writer.done())
    }
}

/// What stands in every image, once: by it whoever has the image alone knows for which board it is, and which version. The firmware says
/// of itself what stands here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark<'a> {
    pub board: &'a str,
    pub version: Version,
}

impl<'a> Mark<'a> {
    /// By this it is found.
    pub const MAGIC: [u8; 16] =
        [0x9B, 0xE1, 0x48, 0x65, 0x61, 0x72, 0x74, 0x68, 0xC3, 0x5D, 0x21, 0x8E, 0x77, 0x02, 0xFA, 0x16];
    pub const LENGTH: usize = Mark::MAGIC.len() + 6 + 1 + LONGEST_BOARD;
    const VERSION: usize = Mark::MAGIC.len();
    const BOARD: usize = Mark::VERSION + 6;

    /// For a `static` of the firmware. Panics where it is evaluated, that is where the firmware is built, if the name is too long.
    #[must_use]
    pub const fn octets(self) -> [u8; Mark::LENGTH] {
        let mut octets = [0; Mark::LENGTH];
        let mut at = 0;
        while at < Mark::MAGIC.len() {
            octets[at] = Mark::MAGIC[at];
            at += 1;
        }
        let Version { major, minor, patch } = self.version;
        let numbers = [major.to_le_bytes(), minor.to_le_bytes(), patch.to_le_bytes()];
        let mut number = 0;
        while number < numbers.len() {
            octets[Mark::VERSION + 2 * number] = numbers[number][0];
            octets[Mark::VERSION + 2 * number + 1] = numbers[number][1];
            number += 1;
        }
        let board = self.board.as_bytes();
        assert!(board.len() <= LONGEST_BOARD, "no board has so long a name");
        octets[Mark::BOARD] = board.len() as u8;
        let mut at = 0;
        while at < board.len() {
            octets[Mark::BOARD + 1 + at] = board[at];
            at += 1;
        }
        octets
    }

    /// The mark that these octets begin with. `None`: they don't.
    #[must_use]
    pub fn read(octets: &'a [u8]) -> Option<Mark<'a>> {
        octets.starts_with(&Mark::MAGIC).then(|| octets.first_chunk().and_then(Mark::of))?
    }

    /// The mark in these octets, by whoever knows that they are one: a firmware that looked for the magic would have it twice.
    /// `None`: its board's name is none.
    #[must_use]
    pub fn of(octets: &'a [u8; Mark::LENGTH]) -> Option<Mark<'a>> {
        let mut reader = Reader::new(&octets[Mark::VERSION..]).ok()?;
        let version = Version::read(&mut reader).ok()?;
        let length = usize::from(reader.u8("board").ok()?);
        let board = reader.rest().get(..length)?;
        Some(Mark { board: core::str::from_utf8(board).ok()?, version })
    }

    /// The mark of a whole image. `None`: it has none, or more than one, and so is no firmware of a bridge.
    #[must_use]
    pub fn find(image: &'a [u8]) -> Option<Mark<'a>> {
        let places = image.windows(Mark::MAGIC.len()).enumerate();
        let mut found = places.filter(|(_, octets)| *octets == Mark::MAGIC).map(|(at, _)| at);
        let (at, None) = (found.next()?, found.next()) else { return None };
        Mark::read(image.get(at..)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: Version = Version { major: 1, minor: 0x0203, patch: 4 };

    #[test]
    fn what_is_signed_is_fixed() {
        let manifest = Manifest { board: "rp2040", version: VERSION, size: 0x0001_0203, digest: [0xAB; 64] };
        let mut buffer = [0; Manifest::LONGEST];
        let octets = manifest.encode(&mut buffer).expect("there is room");
        let mut expected = b"Hearth bridge image\x01\x01\x00\x03\x02\x04\x00\x03\x02\x01\x00".to_vec();
        expected.extend([0xAB; 64]);
        expected.extend(b"\x06\x00rp2040");
        assert_eq!(octets, expected);
        let board = "b".repeat(LONGEST_BOARD);
        assert!(Manifest { board: &board, ..manifest }.encode(&mut buffer).is_ok());
    }

    #[test]
    fn an_image_has_one_mark() {
        let mark = Mark { board: "nrf52840", version: VERSION };
        let mut image = vec![0x55; 100];
        assert_eq!(Mark::find(&image), None);
        image.extend(mark.octets());
        assert_eq!(Mark::find(&image), Some(mark));
        assert_eq!(Mark::find(&image[..image.len() - 1]), None, "cut off");
        image.extend([0xFF; 50]);
        assert_eq!(Mark::find(&image), Some(mark));
        image.extend(mark.octets());
        assert_eq!(Mark::find(&image), None, "two firmwares in one");
    }

    #[test]
    fn a_board_is_a_name() {
        let longest = "b".repeat(LONGEST_BOARD);
        let mark = Mark { board: &longest, version: VERSION };
        let mut octets = mark.octets();
        assert_eq!(Mark::read(&octets), Some(mark));
        octets[Mark::BOARD] += 1;
        assert_eq!(Mark::read(&octets), None, "longer than there is room for");
        octets[Mark::BOARD] = 1;
        octets[Mark::BOARD + 1] = 0xFF;
        assert_eq!(Mark::read(&octets), None, "no text");
    }
}
