//! The closed list of named device fixes. A profile may call one; each has a capture that shows it.

use crate::decode::Parsed;

/// Odd things devices do. The name in a profile is the kebab-case one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Quirk {
    /// i-SENS CareSens: January is sent as month 13 (Tidepool's uploader, vector glu-s4).
    Month13IsJanuary,
}

/// What was meant by octets that `parsed` is the letter of.
pub fn apply(quirk: Quirk, _octets: &[u8], parsed: Parsed) -> Parsed {
    match quirk {
        Quirk::Month13IsJanuary => month_13_is_january(parsed),
    }
}

fn month_13_is_january(mut parsed: Parsed) -> Parsed {
    if let crate::decode::Measurement::Glucose(m) = &mut parsed.measurement
        && m.base_time.month == 13
    {
        m.base_time.month = 1;
    }
    parsed
}
