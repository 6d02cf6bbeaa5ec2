//! Measurement to what is known of it: specials, plausibility, doubts.

use crate::admit::{Refusal, Why};
use crate::decode::{Measurement, Parsed};
use crate::profile::Profile;
use crate::reading::{Doubt, Version};

pub const VERSION: Version = Version(1);

/// What a measurement is worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judged {
    Sound { doubts: Vec<Doubt> },
    Hold(Why),
    Refuse(Refusal),
}

pub fn interpret(_parsed: &Parsed, _companions: &[Measurement], _profile: &Profile) -> Judged {
    Judged::Sound { doubts: vec![] }
}
