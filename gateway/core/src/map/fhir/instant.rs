//! Instants as FHIR prints them.

use crate::profile::Keeps;
use crate::when::{Face, When, as_utc};
use jiff::{SignedDuration, Timestamp, tz::Offset};
use std::fmt::Write as _;

/// `2018-11-11T11:38:15.123456789-05:00`
const ROOM: usize = 35;

/// An instant in an offset: FHIR R4 `dateTime` and `instant`, `2018-11-11T11:38:15-05:00`. Seconds always,
/// fractions only where there are any, the offset always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Printed {
    pub(super) instant: Timestamp,
    pub(super) offset: Offset,
}

impl Printed {
    /// Two of them in every reading: by hand, since `{:02}` takes longer than the hash of its id.
    pub(super) fn text(self) -> String {
        // FHIR's offsets have no seconds; local mean time of old does. The instant stays the same.
        let minutes = self.offset.seconds() / 60;
        let whole = Offset::from_seconds(minutes * 60).unwrap_or(Offset::UTC);
        let minutes = whole.seconds() / 60;
        let civil = whole.to_datetime(self.instant);
        let mut text = String::with_capacity(ROOM);
        write!(text, "{:04}", civil.year()).expect("a String takes every write");
        two_digits(&mut text, '-', civil.month().into());
        two_digits(&mut text, '-', civil.day().into());
        two_digits(&mut text, 'T', civil.hour().into());
        two_digits(&mut text, ':', civil.minute().into());
        two_digits(&mut text, ':', civil.second().into());
        fraction(&mut text, civil.subsec_nanosecond());
        two_digits(&mut text, if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60);
        two_digits(&mut text, ':', minutes.abs() % 60);
        text
    }
}

fn two_digits(text: &mut String, before: char, number: i32) {
    let digit = |number: i32| char::from(b'0' + (number % 10) as u8);
    [before, digit(number / 10), digit(number)].into_iter().for_each(|letter| text.push(letter));
}

/// Without the zeros at its end.
fn fraction(text: &mut String, nanoseconds: i32) {
    if nanoseconds == 0 {
        return;
    }
    let (mut digits, mut places) = (nanoseconds, 9);
    while digits % 10 == 0 {
        digits /= 10;
        places -= 1;
    }
    write!(text, ".{digits:0places$}").expect("a String takes every write");
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
