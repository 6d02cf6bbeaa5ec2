//! How payload lies on disk: the one place to change when it is to be encrypted at rest.
//!
//! A sealed payload is one BLOB that says itself how to open it:
//!
//! ```text
//! format 0 (clear)   00 | octets
//! any other          format | key id, u32 BE | length of nonce | nonce | octets
//! ```
//!
//! One packed BLOB and not four columns: a row in the clear pays one octet instead of three columns, no
//! statement has to name four columns to move one value, and header and octets can't be torn apart. What a
//! change of keys needs is still a query: `substr(sealed, 1, 5)` is format and key id.
//!
//! A payload is sealed for its place (table, column, row), so that one moved to another row won't open there.

use std::fmt;

/// Where a payload lies. Associated data of every format that has such.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub table: &'static str,
    pub column: &'static str,
    pub row: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} of row {}", self.table, self.column, self.row)
    }
}

/// A payload as it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// 0: clear.
    pub format: u8,
    pub key_id: u32,
    pub nonce: Vec<u8>,
    pub octets: Vec<u8>,
}

/// Why a payload does not open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unopened {
    /// The header is cut off.
    Torn,
    /// This software, or this key, is not the one that sealed it.
    NotOurs { place: Place, format: u8, key_id: u32 },
}

impl Sealed {
    const CLEAR: u8 = 0;

    pub fn pack(&self) -> Vec<u8> {
        if self.format == Sealed::CLEAR {
            return [&[Sealed::CLEAR][..], &self.octets].concat();
        }
        let length =
            u8::try_from(self.nonce.len()).expect("a nonce is shorter than 256 octets in every format");
        [&[self.format][..], &self.key_id.to_be_bytes(), &[length], &self.nonce, &self.octets].concat()
    }

    pub fn unpack(blob: &[u8]) -> Result<Sealed, Unopened> {
        let (&format, rest) = blob.split_first().ok_or(Unopened::Torn)?;
        if format == Sealed::CLEAR {
            return Ok(Sealed { format, key_id: 0, nonce: vec![], octets: rest.to_vec() });
        }
        let (key_id, rest) = rest.split_first_chunk::<4>().ok_or(Unopened::Torn)?;
        let (&length, rest) = rest.split_first().ok_or(Unopened::Torn)?;
        let (nonce, octets) = rest.split_at_checked(usize::from(length)).ok_or(Unopened::Torn)?;
        Ok(Sealed {
            format,
            key_id: u32::from_be_bytes(*key_id),
            nonce: nonce.to_vec(),
            octets: octets.to_vec(),
        })
    }
}

/// How this house seals. A closed set: another way is another variant, and rows sealed before stay readable by
/// their own header.
#[derive(Clone, Debug, Default)]
pub enum Seal {
    /// Format 0: the disk is trusted, or encrypted as a whole.
    #[default]
    Clear,
    /// Format 255, for tests only: shows that every payload goes through here, and opens only in its place.
    #[cfg(test)]
    Scrambled,
}

impl Seal {
    #[cfg_attr(not(test), expect(unused_variables, reason = "format 0 has no associated data"))]
    pub fn seal(&self, place: Place, plain: &[u8]) -> Sealed {
        match self {
            Seal::Clear => Sealed { format: Sealed::CLEAR, key_id: 0, nonce: vec![], octets: plain.to_vec() },
            #[cfg(test)]
            Seal::Scrambled => scrambled::seal(place, plain),
        }
    }

    pub fn open(&self, place: Place, sealed: &Sealed) -> Result<Vec<u8>, Unopened> {
        match (self, sealed.format) {
            (_, Sealed::CLEAR) => Ok(sealed.octets.clone()),
            #[cfg(test)]
            (Seal::Scrambled, scrambled::FORMAT) => scrambled::open(place, sealed),
            (_, format) => Err(Unopened::NotOurs { place, format, key_id: sealed.key_id }),
        }
    }
}

#[cfg(test)]
mod scrambled {
    use super::{Place, Sealed, Unopened};
    use sha2::{Digest, Sha256};

    pub(super) const FORMAT: u8 = 255;

    fn pad(place: Place, octets: &[u8]) -> Vec<u8> {
        let pad = Sha256::digest(place.to_string());
        octets.iter().zip(pad.iter().cycle()).map(|(a, b)| a ^ b).collect()
    }

    pub(super) fn seal(place: Place, plain: &[u8]) -> Sealed {
        let whole = [plain, &[0xA5; 4]].concat();
        Sealed { format: FORMAT, key_id: 7, nonce: vec![1, 2, 3], octets: pad(place, &whole) }
    }

    pub(super) fn open(place: Place, sealed: &Sealed) -> Result<Vec<u8>, Unopened> {
        let mut whole = pad(place, &sealed.octets);
        let tag = whole.split_off(whole.len().saturating_sub(4));
        let stranger = Unopened::NotOurs { place, format: FORMAT, key_id: sealed.key_id };
        (tag == [0xA5; 4]).then_some(whole).ok_or(stranger)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn place(row: i64) -> Place {
        Place { table: "record", column: "sealed", row }
    }

    #[test]
    fn what_is_sealed_opens_in_its_place() {
        for seal in [Seal::Clear, Seal::Scrambled] {
            for plain in [&b""[..], b"1", b"some octets of a payload"] {
                let packed = seal.seal(place(7), plain).pack();
                let sealed = Sealed::unpack(&packed).unwrap();
                assert_eq!(seal.open(place(7), &sealed).unwrap(), plain, "{seal:?}");
            }
        }
        let moved = Seal::Scrambled.seal(place(7), b"one");
        assert!(Seal::Scrambled.open(place(8), &moved).is_err());
    }

    #[test]
    fn a_clear_row_pays_one_octet_and_stays_readable_later() {
        let packed = Seal::Clear.seal(place(1), b"abc").pack();
        assert_eq!(packed, b"\0abc");
        let sealed = Sealed::unpack(&packed).unwrap();
        assert_eq!(Seal::Scrambled.open(place(1), &sealed).unwrap(), b"abc");
    }

    #[test]
    fn what_is_not_ours_is_named() {
        let later = Sealed { format: 1, key_id: 3, nonce: vec![9; 12], octets: vec![1, 2] };
        let sealed = Sealed::unpack(&later.pack()).unwrap();
        assert_eq!(sealed, later);
        assert_eq!(
            Seal::Clear.open(place(1), &sealed),
            Err(Unopened::NotOurs { place: place(1), format: 1, key_id: 3 })
        );
        for cut in 0..18 {
            assert_eq!(Sealed::unpack(&later.pack()[..cut]), Err(Unopened::Torn), "{cut}");
        }
    }
}
