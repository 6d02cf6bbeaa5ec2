//! Frames on a line that loses, garbles and adds octets: each guarded by a checksum, stuffed, and closed by a zero.
//!
//! Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999) keeps zeros out of a frame, so that a reader who comes late, or has
//! lost its place, is in step again at the next one. Before it is stuffed, a frame's content has its CRC-32 after it, least
//! significant octet first: a bit that was turned over on the line must not become a reading.

use crate::NoRoom;
use crate::crc::IsoHdlc;
use core::fmt;

/// The octets of a frame's checksum.
const CHECKSUM: usize = 4;
/// The longest content that goes in a frame: a part of an image has 256 octets, the longest value that a device is known to send some 70.
/// A bridge has a buffer of this length wherever it reads or writes one.
pub const LONGEST: usize = 288;
/// The longest frame as it is on the line, its zero included: stuffing adds an octet to each 254 that were begun.
pub const LONGEST_ON_THE_LINE: usize = {
    let guarded = LONGEST + CHECKSUM;
    guarded + guarded.div_ceil(254) + 1
};

/// The content as a frame, its closing zero included. The buffer has room for any: [`LONGEST_ON_THE_LINE`].
pub fn close<'b>(content: &[u8], buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
    let checksum = IsoHdlc::new().with(content).value().to_le_bytes();
    let guarded = content.iter().chain(&checksum);
    // Each block begins with its length, which is known when the next one begins.
    let (mut length_at, mut at, mut length) = (0, 1, 1_u8);
    let mut put = |at: usize, octet: u8| {
        buffer.get_mut(at).map(|place| *place = octet).ok_or(NoRoom { field: "frame" })
    };
    for octet in guarded {
        if length == u8::MAX {
            put(length_at, length)?;
            (length_at, at, length) = (at, at + 1, 1);
        }
        if *octet == 0 {
            put(length_at, length)?;
            (length_at, at, length) = (at, at + 1, 1);
        } else {
            put(at, *octet)?;
            at += 1;
            length += 1;
        }
    }
    put(length_at, length)?;
    put(at, 0)?;
    Ok(buffer.split_at(at + 1).0)
}

/// Why octets between two zeros are no frame. None of them is lost silently: whoever reads counts them, and what was in them is sent
/// again, since nobody has acknowledged it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// More octets than any frame has.
    TooLong,
    /// A block promises more octets than there are; or there are none but a checksum.
    Cut,
    /// The checksum is of other octets.
    Checksum,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Broken::TooLong => "longer than any frame",
            Broken::Cut => "cut off",
            Broken::Checksum => "its checksum is of other octets",
        })
    }
}

impl core::error::Error for Broken {}

/// Finds frames in what comes over the line.
#[derive(Debug)]
pub struct Reader {
    buffer: [u8; LONGEST_ON_THE_LINE],
    /// More than the buffer has: too long.
    came: usize,
}

impl Default for Reader {
    fn default() -> Self {
        Self { buffer: [0; LONGEST_ON_THE_LINE], came: 0 }
    }
}

impl Reader {
    /// One octet more. A frame's content, once its zero has come; `None` while it has not, and for a zero that closes nothing.
    pub fn push(&mut self, octet: u8) -> Option<Result<&[u8], Broken>> {
        if octet != 0 {
            if let Some(place) = self.buffer.get_mut(self.came) {
                *place = octet;
            }
            self.came = (self.came + 1).min(LONGEST_ON_THE_LINE + 1);
            return None;
        }
        match core::mem::take(&mut self.came) {
            0 => None,
            came => Some(match self.buffer.get_mut(..came) {
                Some(frame) => open(frame),
                None => Err(Broken::TooLong),
            }),
        }
    }
}

/// The content of a frame, whose closing zero is gone. It is unstuffed where it lies: that is never longer.
fn open(frame: &mut [u8]) -> Result<&[u8], Broken> {
    let (mut from, mut to) = (0, 0);
    while from < frame.len() {
        let length = usize::from(frame[from]);
        let next = from + length;
        if length == 0 || next > frame.len() {
            return Err(Broken::Cut);
        }
        frame.copy_within(from + 1..next, to);
        to += length - 1;
        if length < 255 && next < frame.len() {
            frame[to] = 0;
            to += 1;
        }
        from = next;
    }
    let (content, checksum) = frame.split_at(to).0.split_last_chunk::<CHECKSUM>().ok_or(Broken::Cut)?;
    if content.len() > LONGEST {
        return Err(Broken::TooLong);
    }
    if content.is_empty() {
        // The checksum of nothing is zeros, which garbage is easily.
        return Err(Broken::Cut);
    }
    let right = IsoHdlc::new().with(content).value() == u32::from_le_bytes(*checksum);
    if right { Ok(content) } else { Err(Broken::Checksum) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Wikipedia, "Consistent Overhead Byte Stuffing", encoding examples 1 to 11: what is stuffed, without the zero that closes it.
    fn examples() -> Vec<(Vec<u8>, Vec<u8>)> {
        let run = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        vec![
            (vec![0], vec![1, 1]),
            (vec![0, 0], vec![1, 1, 1]),
            (vec![0, 0x11, 0], vec![1, 2, 0x11, 1]),
            (vec![0x11, 0x22, 0, 0x33], vec![3, 0x11, 0x22, 2, 0x33]),
            (vec![0x11, 0x22, 0x33, 0x44], vec![5, 0x11, 0x22, 0x33, 0x44]),
            (vec![0x11, 0, 0, 0], vec![2, 0x11, 1, 1, 1]),
            (run(1, 0xFE), [vec![0xFF], run(1, 0xFE)].concat()),
            ([vec![0], run(1, 0xFE)].concat(), [vec![1, 0xFF], run(1, 0xFE)].concat()),
            (run(1, 0xFF), [vec![0xFF], run(1, 0xFE), vec![2, 0xFF]].concat()),
            ([run(2, 0xFF), vec![0]].concat(), [vec![0xFF], run(2, 0xFF), vec![1, 1]].concat()),
            ([run(3, 0xFF), vec![0, 1]].concat(), [vec![0xFE], run(3, 0xFF), vec![2, 1]].concat()),
        ]
    }

    /// Content whose four last octets are what would be its checksum: so that an example of stuffing is a frame.
    fn closes(stuffed: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut reader = Reader::default();
        assert!(stuffed.iter().all(|octet| reader.push(*octet).is_none()));
        reader.push(0).unwrap().map(<[u8]>::to_vec)
    }

    #[test]
    fn stuffing_is_as_its_authors_wrote_it() {
        for (plain, stuffed) in examples() {
            // The reader takes its four last octets for a checksum, which they are not.
            let expected = if plain.len() <= CHECKSUM { Broken::Cut } else { Broken::Checksum };
            assert_eq!(closes(&stuffed), Err(expected), "{plain:02X?}");
            let mut frame = stuffed.clone();
            _ = open(&mut frame);
            assert_eq!(frame.split_at(plain.len()).0, plain, "unstuffed where it lies");
        }
    }

    /// The octets of a frame, and those before its checksum stuffed as the examples have it.
    #[test]
    fn a_frame_is_content_checksum_and_zero() {
        let mut buffer = [0xAA; LONGEST_ON_THE_LINE];
        // The check value of the CRC RevEng catalogue: 0xCBF43926.
        let frame = close(b"123456789", &mut buffer).unwrap();
        assert_eq!(frame, b"\x0E123456789\x26\x39\xF4\xCB\0");
        for length in [1, 249, 250, 251, 253, 254, 255, LONGEST] {
            for octet in [0, 1, 0xFF] {
                let content = vec![octet; length];
                let frame = close(&content, &mut buffer).unwrap().to_vec();
                let (zero, stuffed) = frame.split_last().unwrap();
                assert_eq!(*zero, 0);
                assert!(!stuffed.contains(&0), "{length} of {octet}");
                assert_eq!(closes(stuffed).unwrap(), content, "{length} of {octet}");
                assert_eq!(close(&content, &mut vec![0; frame.len() - 1]), Err(NoRoom { field: "frame" }));
            }
        }
    }

    #[test]
    fn no_octet_is_changed_unnoticed() {
        let mut buffer = [0; LONGEST_ON_THE_LINE];
        let content: Vec<u8> = (0..=70).collect();
        let frame = close(&content, &mut buffer).unwrap().to_vec();
        for at in 0..frame.len() {
            for bit in 0..8 {
                let mut changed = frame.clone();
                changed[at] ^= 1 << bit;
                let mut reader = Reader::default();
                let came: Vec<_> = changed
                    .iter()
                    .chain(&[0])
                    .filter_map(|octet| reader.push(*octet).map(|r| r.is_ok()))
                    .collect();
                assert!(!came.is_empty() && came.iter().all(|good| !good), "octet {at}, bit {bit}: {came:?}");
            }
        }
    }

    /// Whatever came before: the next frame is found, if a zero comes before it or was its end.
    #[test]
    fn a_reader_is_in_step_again_at_the_next_zero() {
        let mut buffer = [0; LONGEST_ON_THE_LINE];
        let frame = close(b"a reading", &mut buffer).unwrap().to_vec();
        for garbage in
            [vec![], vec![7; 3], vec![0xFF; LONGEST_ON_THE_LINE + 40], frame[3..].to_vec(), vec![0; 9]]
        {
            let mut reader = Reader::default();
            let line: Vec<u8> = garbage.iter().copied().chain([0]).chain(frame.clone()).collect();
            let mut found = vec![];
            for octet in line {
                if let Some(content) = reader.push(octet) {
                    found.push(content.map(<[u8]>::to_vec));
                }
            }
            assert_eq!(found.pop(), Some(Ok(b"a reading".to_vec())), "after {garbage:02X?}");
            assert!(found.iter().all(Result::is_err), "{found:?}");
        }
    }
}
