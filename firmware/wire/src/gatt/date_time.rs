use core::fmt;

use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// Date Time, 0x2A08: what a device's clock shows, without a zone, as sent.
///
/// Bluetooth GATT Specification Supplement, "Date Time": year u16, month, day, hours, minutes, seconds u8.
/// Year, month or day 0 is unknown. Any octets are tolerated: a wrong date is the device's to have and
/// ours to keep, and [`DateTime::is_date`] tells. Octets after the seventh are handed back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DateTime {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hours: u8,
    pub minutes: u8,
    pub seconds: u8,
}

impl DateTime {
    pub const UUID: u16 = 0x2A08;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let value = reader.date_time("date time")?;
        Ok(reader.done(value))
    }

    /// Seven octets.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.date_time("date time", *self)?;
        Ok(writer.done())
    }

    /// The device says that it does not know the year, the month or the day.
    pub fn is_unknown(&self) -> bool {
        self.year == 0 || self.month == 0 || self.day == 0
    }

    /// A day of the calendar and a time of that day, in the years that the standard allows (1582 to 9999).
    pub fn is_date(&self) -> bool {
        (1582..=9999).contains(&self.year)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day)
            && self.hours < 24
            && self.minutes < 60
            && self.seconds < 60
    }

    /// The date and time so many seconds after the first of January of `year`, a day having 86,400 of them.
    /// `None`: after the year 9999.
    pub fn since(mut year: u16, seconds: u64) -> Option<Self> {
        let mut days = seconds / 86_400;
        while days >= days_in_year(year) {
            days -= days_in_year(year);
            year = Some(year.checked_add(1)?).filter(|next| *next <= 9999)?;
        }
        let mut month = 1;
        while days >= days_in_month(year, month).into() {
            days -= u64::from(days_in_month(year, month));
            month += 1;
        }
        let second = seconds % 86_400;
        let small = |number: u64| u8::try_from(number).ok();
        Some(Self {
            year,
            month,
            day: small(days + 1)?,
            hours: small(second / 3_600)?,
            minutes: small(second / 60 % 60)?,
            seconds: small(second % 60)?,
        })
    }

    /// The other way round. `None`: no date, or one before that year.
    pub fn seconds_since(&self, year: u16) -> Option<u64> {
        if !self.is_date() || self.year < year {
            return None;
        }
        let years: u64 = (year..self.year).map(days_in_year).sum();
        let months: u64 = (1..self.month).map(|month| u64::from(days_in_month(self.year, month))).sum();
        let days = years + months + u64::from(self.day) - 1;
        let [hours, minutes, seconds] = [self.hours, self.minutes, self.seconds].map(u64::from);
        Some(days * 86_400 + hours * 3_600 + minutes * 60 + seconds)
    }

    pub fn from_octets([y0, y1, month, day, hours, minutes, seconds]: [u8; 7]) -> Self {
        Self { year: u16::from_le_bytes([y0, y1]), month, day, hours, minutes, seconds }
    }

    pub(crate) fn to_octets(self) -> [u8; 7] {
        let [y0, y1] = self.year.to_le_bytes();
        [y0, y1, self.month, self.day, self.hours, self.minutes, self.seconds]
    }
}

/// By the Gregorian calendar.
fn leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_year(year: u16) -> u64 {
    if leap(year) { 366 } else { 365 }
}

/// 0 for what is no month.
fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap(year) => 29,
        2 => 28,
        _ => 0,
    }
}

/// `YYYY-MM-DDTHH:MM:SS`, as sent, even where that is no date.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hours, minutes, seconds } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}")
    }
}
