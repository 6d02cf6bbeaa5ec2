//! A firmware for a bridge as a file: the image, and who vouches for it.

use core::fmt;
use hearth_wire::frame::Version;
use hearth_wire::frame::image::{Manifest, Mark};
use sha2::{Digest as _, Sha512};

/// What such a file begins with; then the image's length, its signature, and the image.
const MAGIC: &[u8; 16] = b"Hearth firmware\n";
const SIGNATURE: usize = 64;
const HEAD: usize = MAGIC.len() + 4 + SIGNATURE;

/// An image and its signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    pub board: String,
    pub version: Version,
    pub octets: Vec<u8>,
    /// Ed25519, of what [`to_sign`] makes of the image.
    pub signature: [u8; SIGNATURE],
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of {} octets", self.board, self.version, self.octets.len())
    }
}

/// Why octets are no firmware.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoImage {
    /// It is none of these files.
    NotSigned,
    /// It has so many octets of so many.
    Cut(usize, usize),
    /// What is in it is no firmware of a bridge.
    NoMark,
}

impl fmt::Display for NoImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoImage::NotSigned => {
                f.write_str("it is no signed firmware; `hearth bridge sign` makes one of what was built")
            }
            NoImage::Cut(came, of) => {
                write!(f, "it has {came} of {of} octets: it was cut off on its way here; fetch it again")
            }
            NoImage::NoMark => f.write_str("it is no firmware of a bridge"),
        }
    }
}

impl core::error::Error for NoImage {}

impl Signed {
    /// # Errors
    /// What is wrong with the file. Whether the signature is right, the bridge judges.
    pub fn read(file: &[u8]) -> Result<Signed, NoImage> {
        let head = file.strip_prefix(MAGIC).ok_or(NoImage::NotSigned)?;
        let cut = |of| NoImage::Cut(file.len(), of);
        let (size, rest) = head.split_first_chunk().ok_or(cut(HEAD))?;
        let (signature, octets) = rest.split_first_chunk().ok_or(cut(HEAD))?;
        let size = u32::from_le_bytes(*size) as usize;
        if octets.len() != size {
            return Err(cut(HEAD + size));
        }
        let Mark { board, version } = Mark::find(octets).ok_or(NoImage::NoMark)?;
        Ok(Signed { board: board.to_owned(), version, octets: octets.to_vec(), signature: *signature })
    }

    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let size = u32::try_from(self.octets.len()).unwrap_or(u32::MAX).to_le_bytes();
        [MAGIC.as_slice(), &size, &self.signature, &self.octets].concat()
    }
}

/// The octets that are signed of an image.
///
/// # Errors
/// It is no firmware.
pub fn to_sign(image: &[u8]) -> Result<Vec<u8>, NoImage> {
    let Mark { board, version } = Mark::find(image).ok_or(NoImage::NoMark)?;
    let size = u32::try_from(image.len()).map_err(|_| NoImage::NoMark)?;
    let manifest = Manifest { board, version, size, digest: Sha512::digest(image).into() };
    let mut buffer = [0; Manifest::LONGEST];
    manifest.encode(&mut buffer).map(<[u8]>::to_vec).map_err(|_| NoImage::NoMark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> Signed {
        let version = Version { major: 1, minor: 2, patch: 3 };
        let mut octets = vec![0x5A; 100];
        octets.extend(Mark { board: "rp2040", version }.octets());
        Signed { board: "rp2040".into(), version, octets, signature: [7; 64] }
    }

    #[test]
    fn a_file_says_what_is_wrong_with_it() {
        let signed = signed();
        let file = signed.write();
        assert_eq!(Signed::read(&file), Ok(signed.clone()));
        for cut in 0..file.len() {
            let why = if cut < 16 {
                NoImage::NotSigned
            } else {
                NoImage::Cut(cut, if cut < HEAD { HEAD } else { file.len() })
            };
            assert_eq!(Signed::read(&file[..cut]), Err(why), "{cut}");
        }
        assert_eq!(Signed::read(&signed.octets), Err(NoImage::NotSigned), "as it was built");
        let none = Signed { octets: vec![1; 300], ..signed };
        assert_eq!(Signed::read(&none.write()), Err(NoImage::NoMark));
        assert_eq!(to_sign(&none.octets), Err(NoImage::NoMark));
    }

    #[test]
    fn what_is_signed_names_board_and_version() {
        let signed = signed();
        let octets = to_sign(&signed.octets).unwrap();
        assert!(octets.starts_with(b"Hearth bridge image\x01\x01\x00\x02\x00\x03\x00"));
        assert!(octets.ends_with(b"rp2040"));
        assert!(octets.windows(64).any(|window| window == Sha512::digest(&signed.octets).as_slice()));
    }
}
