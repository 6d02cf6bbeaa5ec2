//! What a board's bootloader takes as a file that is copied onto it.
//!
//! Layout: Microsoft, "USB Flashing Format (UF2)". Blocks of 512 octets, each with 256 octets of flash and where they go. Whole sectors of
//! 4 KiB are written, in their order, from the first to the last: the RP2040's ROM erases one when it meets it first, and leaves what is
//! not named in it undefined (RP2040 datasheet, erratum E14). What lies between is erased, since it may be the journal of a firmware
//! that was there before, or what an nRF52840's bootloader takes for Nordic's SoftDevice.

use std::collections::BTreeMap;

const MAGIC: [u32; 2] = [0x0A32_4655, 0x9E5D_5157];
const END: u32 = 0x0AB1_6F30;
/// The family stands in place of the file's size.
const OF_A_FAMILY: u32 = 0x2000;
const PAYLOAD: u32 = 256;
const SECTOR: u32 = 4_096;
/// No such chip has more than 16 MiB.
const MOST: u32 = 4_096;
const BLOCK: usize = 512;

/// A kind of board whose bootloader shows itself as a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    /// As its firmware calls itself.
    pub board: &'static str,
    /// As the list of families has it, which its bootloader looks at.
    family: u32,
    /// In its `INFO_UF2.TXT`, what the line `Board-ID:` begins with.
    pub id: &'static str,
    /// How it is brought to show its disk.
    pub how: &'static str,
}

pub const KINDS: [Kind; 2] = [
    Kind {
        board: "rp2040",
        family: 0xE48B_FF56,
        id: "RPI-RP2",
        how: "hold its button BOOTSEL while you plug it in",
    },
    Kind {
        board: "nrf52840",
        family: 0xADA5_2840,
        id: "nRF52840",
        how: "press its button RESET twice, within half a second",
    },
];

/// Octets that go to these places of the flash, as such a file. `None`: two of them go to one place, or they are not of one chip.
#[must_use]
pub fn uf2(kind: Kind, parts: &[(u32, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut sectors: BTreeMap<u32, Vec<Option<u8>>> = BTreeMap::new();
    for (at, octets) in parts {
        for (at, octet) in (u64::from(*at)..).zip(octets) {
            let at = u32::try_from(at).ok()?;
            let sector = sectors.entry(at / SECTOR).or_insert_with(|| vec![None; SECTOR as usize]);
            let place = sector.get_mut((at % SECTOR) as usize)?;
            if place.replace(*octet).is_some() {
                return None;
            }
        }
    }
    if let (Some(first), Some(last)) = (sectors.keys().next().copied(), sectors.keys().last().copied()) {
        if last - first > MOST {
            return None;
        }
        for between in first..last {
            sectors.entry(between).or_insert_with(|| vec![None; SECTOR as usize]);
        }
    }
    let of = u32::try_from(sectors.len()).ok()? * (SECTOR / PAYLOAD);
    let mut file = Vec::with_capacity(of as usize * BLOCK);
    let blocks = sectors.iter().flat_map(|(sector, octets)| {
        let from = sector * SECTOR;
        (from..).step_by(PAYLOAD as usize).zip(octets.chunks(PAYLOAD as usize))
    });
    for (n, (at, octets)) in (0..of).zip(blocks) {
        let end = file.len() + BLOCK - 4;
        for word in [MAGIC[0], MAGIC[1], OF_A_FAMILY, at, PAYLOAD, n, of, kind.family] {
            file.extend(word.to_le_bytes());
        }
        // As erased flash reads.
        file.extend(octets.iter().map(|octet| octet.unwrap_or(0xFF)));
        file.resize(end, 0);
        file.extend(END.to_le_bytes());
    }
    Some(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// By the format's table: eight words, 476 octets of data, a word. Two parts in one sector and one in the
    /// next but one make 48 blocks.
    #[test]
    fn a_file_is_as_the_format_says() {
        let parts = [(0x1000_0000, vec![1; 256]), (0x1000_0100, vec![2; 3]), (0x1000_2FFF, vec![3; 1])];
        let file = uf2(KINDS[0], &parts).unwrap();
        let blocks: Vec<&[u8]> = file.chunks(512).collect();
        assert_eq!(blocks.len(), 48);
        for (n, block) in blocks.iter().enumerate() {
            let n = n as u32;
            let words: Vec<u32> =
                block[..32].as_chunks().0.iter().map(|octets| u32::from_le_bytes(*octets)).collect();
            let at = 0x1000_0000 + n * 256;
            assert_eq!(words, [0x0A32_4655, 0x9E5D_5157, 0x2000, at, 256, n, 48, 0xE48B_FF56]);
            assert_eq!(block[288..508], [0; 220]);
            assert_eq!(block[508..], [0x30, 0x6F, 0xB1, 0x0A]);
        }
        assert_eq!(blocks[0][32..288], [1; 256]);
        assert_eq!(blocks[1][32..36], [2, 2, 2, 0xFF]);
        assert_eq!(blocks[2][32..288], [0xFF; 256]);
        assert_eq!(blocks[20][32..288], [0xFF; 256], "what lies between is erased");
        assert_eq!(blocks[47][286..288], [0xFF, 3]);
    }

    #[test]
    fn two_parts_have_two_places() {
        assert_eq!(uf2(KINDS[1], &[(0x1000, vec![1; 10]), (0x1009, vec![1])]), None);
        assert_eq!(uf2(KINDS[1], &[(u32::MAX, vec![1; 2])]), None);
        assert_eq!(uf2(KINDS[1], &[(0x1000, vec![1]), (0x2000_0000, vec![1])]), None, "not of one chip");
        assert_eq!(uf2(KINDS[1], &[]), Some(vec![]));
    }
}
