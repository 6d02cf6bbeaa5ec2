//! What in a characteristic's value names somebody or a day. GATT Specification Supplement, section by section.

use super::mask::Mask;
use hearth_wire::gatt::{DateTime, SystemId, device_information};
use jiff::civil;

/// How a value tells a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stamp {
    /// Seven octets, Date Time.
    Civil,
    /// u32, seconds.
    Seconds,
    /// u48, so many of them a second.
    Elapsed(u64),
}

/// What to do with a value.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Rule {
    /// It names nobody but by these stamps.
    Stamps(Vec<(usize, Stamp)>),
    Name,
    Serial,
    SystemId,
    /// Not understood.
    Zeros,
}

/// More calendar years than this before the log: a clock that was never set.
const UNSET: i16 = 2;

/// The value as it may be shared, with the same length. `year`: of the log, where it is known.
pub(super) fn value(mask: &mut Mask, characteristic: u16, octets: &[u8], year: Option<i16>) -> Vec<u8> {
    let mut made = octets.to_vec();
    match rule(characteristic, octets) {
        Rule::Name => return mask.name(octets),
        Rule::Serial => return mask.text(octets),
        Rule::SystemId => match octets.first_chunk::<8>() {
            Some(sent) => {
                let mut eui = mask.eui64(SystemId(*sent).eui64());
                eui.reverse();
                made.fill(0);
                made.splice(..8, eui);
            }
            None => made.fill(0),
        },
        Rule::Zeros => made.fill(0),
        Rule::Stamps(stamps) => {
            if [device_information::MODEL_NUMBER, device_information::MANUFACTURER_NAME]
                .contains(&characteristic)
            {
                mask.word(octets);
            }
            for (at, stamp) in stamps {
                move_stamp(&mut made, at, stamp, mask.days, year);
            }
        }
    }
    made
}

/// A part of a value that is not its first.
pub(super) fn part(characteristic: u16, octets: &[u8]) -> Vec<u8> {
    match plain(characteristic) {
        true => octets.to_vec(),
        false => vec![0; octets.len()],
    }
}

fn rule(characteristic: u16, octets: &[u8]) -> Rule {
    let flags = octets.first().copied().unwrap_or(0);
    let civil = |there: bool, at| Rule::Stamps(if there { vec![(at, Stamp::Civil)] } else { vec![] });
    match characteristic {
        0x2A00 => Rule::Name,
        0x2A25 => Rule::Serial,
        0x2A23 => Rule::SystemId,
        // Date Time; Current Time; CGM Session Start Time: they begin with it
        0x2A08 | 0x2A2B | 0x2AAA => civil(true, 0),
        // Glucose Measurement: flags, sequence u16, base time
        0x2A18 => civil(true, 3),
        // Blood Pressure Measurement, Intermediate Cuff Pressure: flags, three pressures
        0x2A35 | 0x2A36 => civil(flags & 0b10 != 0, 7),
        // Weight Measurement: flags, weight
        0x2A9D => civil(flags & 0b10 != 0, 3),
        // What a scale broadcasts: laid out as the characteristic of its service; two octets of state, and the stamp
        0x181D => civil(flags & 0b10 != 0, 3),
        0x181B => civil(true, 2),
        // Body Composition Measurement: flags u16, fat
        0x2A9C => civil(flags & 0b10 != 0, 4),
        // Temperature Measurement, Intermediate Temperature: flags, FLOAT
        0x2A1C | 0x2A1E => civil(flags & 0b10 != 0, 5),
        // PLX Spot-Check Measurement: flags, two SFLOATs
        0x2A5E => civil(flags & 0b1 != 0, 5),
        // Record Access Control Point: op code, operator, filter by user-facing time, one or two of them
        0x2A52 => Rule::Stamps(match octets.get(2) {
            Some(2) if flags <= 4 => vec![(3, Stamp::Civil), (10, Stamp::Civil)],
            _ => vec![],
        }),
        // Enhanced Blood Pressure Measurement and its intermediate: pressures, [time], [pulse], [user], [status],
        // [user-facing time]
        0x2B34 | 0x2B35 => {
            let has = |bit: u8| flags >> bit & 1 == 1;
            let size = |bit, octets| if has(bit) { octets } else { 0 };
            let time = has(1).then_some((7, Stamp::Seconds));
            let facing = 7 + size(1, 4) + size(2, 2) + size(3, 1) + size(4, 2);
            Rule::Stamps(time.into_iter().chain(has(5).then_some((facing, Stamp::Seconds))).collect())
        }
        // Current Elapsed Time: flags, u48; a tick counter tells no day
        0x2BF2 => Rule::Stamps(match flags & 1 {
            1 => vec![],
            _ => vec![(1, Stamp::Elapsed([1, 10, 1_000, 10_000][usize::from(flags >> 2 & 0b11)]))],
        }),
        _ if plain(characteristic) => Rule::Stamps(vec![]),
        _ => Rule::Zeros,
    }
}

/// Neither a name nor a day in it, and known here.
fn plain(characteristic: u16) -> bool {
    matches!(
        characteristic,
        // Declarations; client configuration, presentation format
        0x2800..=0x2803 | 0x2902 | 0x2904
        // Appearance, preferred connection parameters, service changed
        | 0x2A01 | 0x2A04 | 0x2A05
        // Local time information, reference time information, battery
        | 0x2A0F | 0x2A14 | 0x2A19
        // Temperature type, measurement interval, model, revisions, manufacturer, PnP
        | 0x2A1D | 0x2A21 | 0x2A24 | 0x2A26..=0x2A29 | 0x2A50
        // Glucose context and feature, cuff feature, heart rate and where
        | 0x2A34 | 0x2A51 | 0x2A49 | 0x2A37 | 0x2A38
        // Oximetry, continuous, and its features; scale and body composition features
        | 0x2A5F | 0x2A60 | 0x2A9E | 0x2A9B
        // User index, database change
        | 0x2A9A | 0x2A99
        // CGM measurement, feature, status, session run time
        | 0x2AA7..=0x2AA9 | 0x2AAB
    )
}

pub(super) fn year(utc: jiff::Timestamp) -> i16 {
    jiff::tz::TimeZone::UTC.to_datetime(utc).year()
}

fn move_stamp(octets: &mut [u8], at: usize, stamp: Stamp, days: i64, year: Option<i16>) {
    let seconds = u64::try_from(days.saturating_mul(86_400)).unwrap_or(0);
    match stamp {
        Stamp::Civil => {
            let Some(field) = octets.get_mut(at..at + 7) else { return };
            let Ok(shown) = DateTime::decode(field) else { return };
            let Some(moved) = moved_civil(shown.value, days, year) else { return };
            let mut buffer = [0; 7];
            if let Ok(written) = moved.encode(&mut buffer) {
                field.copy_from_slice(written);
            }
        }
        Stamp::Seconds => {
            let Some(field) = octets.get_mut(at..at + 4) else { return };
            let told = u32::from_le_bytes([field[0], field[1], field[2], field[3]]);
            let moved = u64::from(told).saturating_add(seconds).min(u64::from(u32::MAX)) as u32;
            field.copy_from_slice(&moved.to_le_bytes());
        }
        Stamp::Elapsed(each) => {
            let Some(field) = octets.get_mut(at..at + 6) else { return };
            let told = field.iter().rev().fold(0, |all: u64, octet| all << 8 | u64::from(*octet));
            let moved = told.saturating_add(seconds.saturating_mul(each)).min((1 << 48) - 1);
            field.copy_from_slice(moved.to_le_bytes().first_chunk::<6>().unwrap_or(&[0; 6]));
        }
    }
}

fn moved_civil(shown: DateTime, days: i64, year: Option<i16>) -> Option<DateTime> {
    if !shown.is_date() {
        return None;
    }
    let small = |n: u8| i8::try_from(n).ok();
    let date =
        civil::Date::new(i16::try_from(shown.year).ok()?, small(shown.month)?, small(shown.day)?).ok()?;
    let moved = moved_date(date, days, year)?;
    let octet = |n: i8| u8::try_from(n).ok();
    let (month, day) = (octet(moved.month())?, octet(moved.day())?);
    Some(DateTime { year: u16::try_from(moved.year()).ok()?, month, day, ..shown })
}

/// `None`: it stays.
pub(super) fn moved_date(date: civil::Date, days: i64, year: Option<i16>) -> Option<civil::Date> {
    if year.is_some_and(|year| date.year() < year.saturating_sub(UNSET)) {
        return None;
    }
    date.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}
