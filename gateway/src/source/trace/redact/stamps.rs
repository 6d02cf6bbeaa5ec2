//! Stamps in octets, moved by the days of the whole log.

use super::devices::Devices;
use super::mask::Mask;
use hearth_core::vendor::OmronLayout;
use hearth_wire::gatt::DateTime;
use jiff::civil::{self, Date};

/// How a value tells a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stamp {
    /// Seven octets, Date Time. `january`: this device's month 13.
    Civil { january: bool },
    /// u32, seconds since the year began.
    Seconds { since: i16 },
    /// u48, so many of them a second, since 2000.
    Elapsed { each: u64 },
    /// Of an Omron cuff's memory: its year is at octet 2 or 3, the word with day and month is at octet 4.
    Omron(OmronLayout),
}

/// Moves a stamp where it stands. Of one that is cut nothing stays.
pub(super) fn apply(
    made: &mut [u8],
    at: usize,
    stamp: Stamp,
    mask: &mut Mask,
    devices: &mut Devices,
    who: &str,
) {
    let Some(from_stamp) = made.get_mut(at..) else { return };
    let size = match stamp {
        Stamp::Civil { .. } => 7,
        Stamp::Seconds { .. } => 4,
        Stamp::Elapsed { .. } => 6,
        Stamp::Omron(layout) => return omron(made, layout, mask, devices, who),
    };
    let Some(field) = from_stamp.get_mut(..size) else { return from_stamp.fill(0) };
    match stamp {
        Stamp::Civil { january } => {
            let Some(sent) = field.first_chunk::<7>() else { return };
            let shown = civil(DateTime::from_octets(*sent), january, mask, devices, who);
            let mut room = [0; 7];
            match shown.encode(&mut room) {
                Ok(written) => field.copy_from_slice(written),
                Err(_) => field.fill(0),
            }
        }
        Stamp::Seconds { since } => {
            let told = field.iter().rev().fold(0, |all: u64, octet| all << 8 | u64::from(*octet));
            // No seconds are no time.
            if told == 0 {
                return;
            }
            let last = u32::MAX.into();
            let moved = elapsed(told, 1, since, last, mask, devices, who);
            field.copy_from_slice(moved.to_le_bytes().first_chunk::<4>().unwrap_or(&[0; 4]));
        }
        Stamp::Elapsed { each } => {
            let told = field.iter().rev().fold(0, |all: u64, octet| all << 8 | u64::from(*octet));
            let moved = elapsed(told, each, 2000, (1 << 48) - 1, mask, devices, who);
            field.copy_from_slice(moved.to_le_bytes().first_chunk::<6>().unwrap_or(&[0; 6]));
        }
        Stamp::Omron(_) => {}
    }
}

/// `last`: more can't be told; a stamp that would be later tells nothing.
fn elapsed(
    told: u64,
    each: u64,
    since: i16,
    last: u64,
    mask: &mut Mask,
    devices: &mut Devices,
    who: &str,
) -> u64 {
    let day = |count: u64| {
        let days = i64::try_from(count / each / 86_400).ok()?;
        civil::date(since, 1, 1).checked_add(jiff::Span::new().try_days(days).ok()?).ok()
    };
    let Some(date) = day(told) else { return 0 };
    devices.tell(who, date, day(last));
    if devices.of(who).stays(date) {
        mask.stayed += 1;
        return told;
    }
    let more = u64::try_from(mask.days.saturating_mul(86_400)).unwrap_or(0).saturating_mul(each);
    match told.checked_add(more).filter(|moved| *moved <= last) {
        Some(moved) => moved,
        None => {
            mask.stayed += 1;
            0
        }
    }
}

fn civil(shown: DateTime, january: bool, mask: &mut Mask, devices: &mut Devices, who: &str) -> DateTime {
    let small = |n: u8| i8::try_from(n).ok();
    let thirteenth = january && shown.month == 13;
    let month = if thirteenth { 1 } else { shown.month };
    let date = i16::try_from(shown.year)
        .ok()
        .zip(small(month).zip(small(shown.day)))
        .and_then(|(year, (month, day))| Date::new(year, month, day).ok())
        .filter(|date| (1582..=9999).contains(&date.year()));
    let Some(date) = date else { return no_date(shown, mask.days) };
    devices.tell(who, date, None);
    if devices.of(who).stays(date) {
        mask.stayed += 1;
        return shown;
    }
    let Some(moved) = moved(date, mask.days) else {
        mask.stayed += 1;
        return DateTime { year: 0, ..shown };
    };
    let octet = |n: i8| u8::try_from(n).unwrap_or(0);
    let month = if thirteenth && moved.month() == 1 { 13 } else { octet(moved.month()) };
    DateTime { year: u16::try_from(moved.year()).unwrap_or(0), month, day: octet(moved.day()), ..shown }
}

/// What is no date, or not known, must stay so; its year moves.
fn no_date(shown: DateTime, days: i64) -> DateTime {
    if !(1582..=9900).contains(&shown.year) {
        return shown;
    }
    let years = u16::try_from((days * 10_000 + 1_826_213) / 3_652_425).unwrap_or(0);
    let mut made = DateTime { year: shown.year.saturating_add(years), ..shown };
    // 29 February of another year may be one.
    if made.month == 2 && made.day == 29 {
        made.day = 30;
    }
    made
}

/// `None`: after the year 9999.
pub(super) fn moved(date: Date, days: i64) -> Option<Date> {
    date.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// Year less 2000, six bits or eight; hour five bits, day five, month four, and two bits that are no time.
fn omron(made: &mut [u8], layout: OmronLayout, mask: &mut Mask, devices: &mut Devices, who: &str) {
    let big = layout == OmronLayout::BigEndian;
    let (year_at, year_bits) = if big { (2, 0xFF) } else { (3, 0x3F) };
    let (Some(&year), Some(&[low, high])) = (made.get(year_at), made.get(4..6)) else { return };
    let word = if big { u16::from_be_bytes([low, high]) } else { u16::from_le_bytes([low, high]) };
    let bits = |from: u32, mask: u16| (word >> from & mask) as u8;
    let sent = DateTime {
        year: 2000 + u16::from(year & year_bits),
        month: bits(10, 0x0F),
        day: bits(5, 0x1F),
        hours: 0,
        minutes: 0,
        seconds: 0,
    };
    let last = civil::date(if big { 2255 } else { 2063 }, 12, 31);
    let small = |n: u8| i8::try_from(n).unwrap_or(0);
    if let Ok(date) = Date::new(2000 + i16::from(year & year_bits), small(sent.month), small(sent.day)) {
        devices.tell(who, date, Some(last));
    }
    let mut now = civil(sent, false, mask, devices, who);
    if now.year > last.year().unsigned_abs() {
        mask.stayed += 1;
        now = DateTime { year: 2000, month: 0, day: 0, ..now };
    }
    let day = word & 0b1100_0000_0001_1111 | u16::from(now.month) << 10 | u16::from(now.day) << 5;
    let octets = if big { day.to_be_bytes() } else { day.to_le_bytes() };
    if let Some(field) = made.get_mut(4..6) {
        field.copy_from_slice(&octets);
    }
    if let Some(octet) = made.get_mut(year_at) {
        *octet = year & !year_bits | (now.year.saturating_sub(2000) as u8 & year_bits);
    }
}
