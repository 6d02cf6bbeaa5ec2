//! Instants as FHIR prints them.

use crate::profile::Keeps;
use crate::when::{Face, When, as_utc};
use jiff::{SignedDuration, Timestamp, tz::Offset};
use std::fmt::{self, Display, Write as _};

/// An instant in an offset: FHIR R4 `dateTime` and `instant`, `2018-11-11T11:38:15-05:00`. Seconds always,
/// fractions only where there are any, the offset always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Printed {
    pub(super) instant: Timestamp,
    pub(super) offset: Offset,
}

impl Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // FHIR's offsets have no seconds; local mean time of old does. The instant stays the same.
        let minutes = self.offset.seconds() / 60;
        let whole = Offset::from_seconds(minutes * 60).unwrap_or(Offset::UTC);
        let minutes = whole.seconds() / 60;
        let civil = whole.to_datetime(self.instant);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second()
        )?;
        fraction(f, civil.subsec_nanosecond())?;
        let sign = if minutes < 0 { '-' } else { '+' };
        write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
    }
}

/// Without the zeros at its end.
fn fraction(f: &mut fmt::Formatter<'_>, nanoseconds: i32) -> fmt::Result {
    if nanoseconds == 0 {
        return Ok(());
    }
    let (mut digits, mut places) = (nanoseconds, 9);
    while digits % 10 == 0 {
        digits /= 10;
        places -= 1;
    }
    f.write_char('.')?;
    write!(f, "{digits:0places$}")
}

/// What the device's clock showed, and the hub's time at that moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Coincident {
    pub(super) shown: Printed,
    pub(super) hub: Printed,
}

/// The moment at which the two clocks were compared. `None`: nobody compared them.
///
/// [`When`] keeps the correction (hub in UTC minus the device's stamp read as if it were UTC), not the hub's
/// instant: the instant is the stamp plus the correction. A clock that keeps UTC is printed in UTC, any other
/// in the offset of the reading.
pub(super) fn coincident(when: &When, keeps: Keeps) -> Option<Coincident> {
    let (clock, correction) = (when.sample.as_ref()?.clock, when.correction_s?);
    let in_utc = keeps == Keeps::Utc && clock.face == Face::Shown;
    let offset = if in_utc { Offset::UTC } else { when.offset };
    let shown = Printed { instant: offset.to_timestamp(clock.civil).ok()?, offset };
    let instant = as_utc(clock.civil).checked_add(SignedDuration::from_secs(correction)).ok()?;
    Some(Coincident { shown, hub: Printed { instant, offset: when.offset } })
}
