//! The configuration as it comes in: part by part, each after the one before.

use core::fmt;
use hearth_wire::frame::plan::digest as digest_of;

/// So many octets of configuration there can be.
pub const LONGEST: usize = 2_048;

pub(crate) const TOO_LONG: &str = "the configuration is longer than this bridge has room for";

/// What has come of one.
pub(crate) struct Coming {
    octets: [u8; LONGEST],
    digest: u32,
    came: usize,
}

impl fmt::Debug for Coming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coming").field("came", &self.came).finish_non_exhaustive()
    }
}

impl Coming {
    pub(crate) fn new() -> Coming {
        Coming { octets: [0; LONGEST], digest: 0, came: 0 }
    }

    /// As much as there can be, for whoever wants to read one; what was coming begins anew.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.came = 0;
        &mut self.octets
    }

    /// A part, from this octet of so many, of the one with this digest; one from 0 on begins it. All of it, when it is complete;
    /// `Err`: what is wrong, for a technician.
    pub(crate) fn part(
        &mut self,
        digest: u32,
        from: usize,
        of: usize,
        octets: &[u8],
    ) -> Result<Option<&[u8]>, &'static str> {
        let to = from + octets.len();
        if of > LONGEST || to > of {
            return Err(TOO_LONG);
        }
        if from != 0 && (from != self.came || digest != self.digest) {
            return Err("a part of the configuration is missing: send it from its beginning");
        }
        self.octets[from..to].copy_from_slice(octets);
        (self.came, self.digest) = (to, digest);
        if to < of {
            return Ok(None);
        }
        self.came = 0;
        let whole = &self.octets[..of];
        if digest_of(whole) != digest {
            return Err("the configuration is another than its digest says: send it again");
        }
        Ok(Some(whole))
    }
}
