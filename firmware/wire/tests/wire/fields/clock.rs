//! Times that are counted from an epoch.

use hearth_wire::gatt::{CurrentElapsedTime, DateTime, Epoch};

use super::no_room;
use crate::octets;

#[test]
fn seconds_since_a_year() {
    // Checked against the well-known turns of other clocks: NTP's, Unix' offset to 2000, GPS' first day.
    let rows = [
        (2000, 0, Some("2000-01-01T00:00:00")),
        (2000, 59, Some("2000-01-01T00:00:59")),
        (2000, 86_399, Some("2000-01-01T23:59:59")),
        (2000, 86_400, Some("2000-01-02T00:00:00")),
        // 2000 is a leap year, 1900 is none
        (2000, 59 * 86_400, Some("2000-02-29T00:00:00")),
        (1900, 59 * 86_400, Some("1900-03-01T00:00:00")),
        (2000, 366 * 86_400 - 1, Some("2000-12-31T23:59:59")),
        (2000, 366 * 86_400, Some("2001-01-01T00:00:00")),
        // NTP's era ends
        (1900, 4_294_967_295, Some("2036-02-07T06:28:15")),
        // Unix counts 946,684,800 s more than 2000 does
        (1970, 946_684_800, Some("2000-01-01T00:00:00")),
        (1970, 315_964_800, Some("1980-01-06T00:00:00")),
        (1970, 2_147_483_647, Some("2038-01-19T03:14:07")),
        // id-02 of the PHD guide
        (2000, 771_787_047, Some("2024-06-15T17:17:27")),
        (9999, 365 * 86_400 - 1, Some("9999-12-31T23:59:59")),
        (9999, 365 * 86_400, None),
        (2000, u64::MAX, None),
        (u16::MAX, u64::MAX, None),
    ];
    for (year, seconds, expected) in rows {
        let time = DateTime::since(year, seconds);
        assert_eq!(time.map(|time| time.to_string()).as_deref(), expected, "{year} + {seconds}");
    }
}

#[test]
fn every_day_of_four_centuries_follows_the_one_before() {
    let day = |day: u64| DateTime::since(1900, day * 86_400).unwrap();
    for number in 0..146_097 {
        let (today, tomorrow) = (day(number), day(number + 1));
        assert!(today.is_date() && today.hours == 0);
        let next = DateTime { day: today.day + 1, ..today };
        if next.is_date() {
            assert_eq!(tomorrow, next);
        } else {
            assert!(
                tomorrow.day == 1 && (tomorrow.year, tomorrow.month) > (today.year, today.month),
                "{today} {tomorrow}"
            );
        }
    }
    assert_eq!(day(146_097).to_string(), "2300-01-01T00:00:00");
}

#[test]
fn an_enhanced_measurement_counts_from_one_of_two_years() {
    let rows = [
        (Epoch::Year1900, 0, "1900-01-01T00:00:00"),
        (Epoch::Year2000, 0, "2000-01-01T00:00:00"),
        (Epoch::Year1900, u32::MAX, "2036-02-07T06:28:15"),
        (Epoch::Year2000, u32::MAX, "2136-02-07T06:28:15"),
    ];
    for (epoch, seconds, expected) in rows {
        assert_eq!(epoch.date_time(seconds).to_string(), expected);
    }
}

#[test]
fn a_time_of_more_than_48_bits_is_not_written() {
    let elapsed = CurrentElapsedTime::decode(&octets("102789002E000007E4")).unwrap().value;
    let last = CurrentElapsedTime { time: (1 << 48) - 1, ..elapsed };
    assert_eq!(last.encode(&mut [0; 9]), Ok(octets("10FFFFFFFFFFFF07E4").as_slice()));
    let long = CurrentElapsedTime { time: 1 << 48, ..elapsed };
    assert_eq!(long.encode(&mut [0; 9]), no_room("time"));
    // a counter of ticks has no date
    assert!(elapsed.date_time().is_some());
    assert_eq!(CurrentElapsedTime { tick_counter: true, ..elapsed }.date_time(), None);
}
