//! A device's clock: what it shows, and what it is set to.

use crate::gatt::{CurrentTime, DateTime};

/// What is before this year is so long ago that it need not be told apart.
const FIRST: u16 = 1970;
/// Current Time Service, "Current Time": the device took the time, and left a part of it aside.
const DATA_FIELD_IGNORED: u8 = 0x80;
/// Adjust Reason: by an external reference. Current Time Service.
const EXTERNAL_REFERENCE: u8 = 1 << 1;

/// What a clock showed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// It says that it was never set.
    Unset,
    /// In milliseconds since 1970-01-01T00:00:00, as the clock has it; before that, 0.
    Time(u64),
}

/// What Date Time or Current Time say. `None`: another characteristic, or no date.
pub fn shown(characteristic: u16, octets: &[u8]) -> Option<Shown> {
    let (date_time, fractions256) = match characteristic {
        DateTime::UUID => (DateTime::decode(octets).ok()?.value, 0),
        CurrentTime::UUID => {
            let told = CurrentTime::decode(octets).ok()?.value;
            (told.date_time, told.fractions256)
        }
        _ => return None,
    };
    if date_time.is_unknown() {
        return Some(Shown::Unset);
    }
    let ms = u64::from(fractions256) * 1_000 / 256;
    let time = date_time.seconds_since(FIRST).map(|seconds| seconds * 1_000 + ms);
    date_time.is_date().then_some(Shown::Time(time.unwrap_or(0)))
}

/// Whether this ATT error, to whoever sets a clock by this characteristic, says that it was set.
pub fn takes_a_part(characteristic: u16, error: u8) -> bool {
    characteristic == CurrentTime::UUID && error == DATA_FIELD_IGNORED
}

/// What is written to set a clock that is to show so many milliseconds since 1970-01-01T00:00:00: Date Time, to the second that is
/// nearest, or Current Time. `None`: another characteristic, no room, or a year after 9999.
pub fn setting(characteristic: u16, shows_ms: u64, buffer: &mut [u8]) -> Option<&[u8]> {
    match characteristic {
        DateTime::UUID => {
            let nearest = shows_ms.checked_add(500)? / 1_000;
            DateTime::since(FIRST, nearest)?.encode(buffer).ok()
        }
        CurrentTime::UUID => {
            let seconds = shows_ms / 1_000;
            let time = CurrentTime {
                date_time: DateTime::since(FIRST, seconds)?,
                // The first day of 1970 was a Thursday.
                day_of_week: u8::try_from((seconds / 86_400 + 3) % 7 + 1).ok()?,
                fractions256: u8::try_from(shows_ms % 1_000 * 256 / 1_000).ok()?,
                adjust_reason: EXTERNAL_REFERENCE,
            };
            time.encode(buffer).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// 2026-11-25T07:08:09.500 is 1 795 590 489.5 s after 1970 (20 782 days, 25 689 s), and a Wednesday.
    const MS: u64 = 1_795_590_489_500;
    const DATE_TIME: &[u8] = &[0xEA, 7, 11, 25, 7, 8, 9];

    #[test]
    fn a_clock_is_set_and_shows_what_it_was_set_to() {
        let mut room = [0; 10];
        // A half is rounded up, where there are no fractions.
        assert_eq!(setting(0x2A08, MS, &mut room).unwrap(), [0xEA, 7, 11, 25, 7, 8, 10]);
        assert_eq!(setting(0x2A08, MS - 1, &mut room).unwrap(), DATE_TIME);
        assert_eq!(setting(0x2A2B, MS, &mut room).unwrap(), [DATE_TIME, &[3, 128, 2]].concat());
        assert_eq!(shown(0x2A2B, &room), Some(Shown::Time(MS)));
        assert_eq!(shown(0x2A08, DATE_TIME), Some(Shown::Time(MS - 500)));
        assert_eq!(setting(0x2A2B, MS, &mut room[..9]), None);
        assert_eq!(setting(0x2A0F, MS, &mut room), None);
        assert_eq!(setting(0x2A08, u64::MAX, &mut room), None);
    }

    #[test]
    fn what_shows_no_time_is_told_apart() {
        assert_eq!(shown(0x2A08, &[0, 0, 0, 0, 0, 0, 0]), Some(Shown::Unset));
        assert_eq!(shown(0x2A08, &[0xEA, 7, 13, 1, 0, 0, 0]), None, "a thirteenth month");
        assert_eq!(shown(0x2A08, &[0xAD, 7, 1, 1, 0, 0, 0]), Some(Shown::Time(0)), "1965");
        assert_eq!(shown(0x2A08, &DATE_TIME[..6]), None);
        assert_eq!(shown(0x2A0F, DATE_TIME), None);
    }
}
