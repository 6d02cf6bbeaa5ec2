//! Records in segments: joined, or lost with a reason.

use hearth_wire::gatt::BloodPressureRecord;
use hearth_wire::reassembly::{Lost, Reassembly, Why};

use crate::{hex, octets};

/// What came of each segment: `whole SEQUENCE UUID VALUE`, `more`, or the losses.
#[track_caller]
fn check<const N: usize>(segments: &[(&str, &str)], at_end: &str) {
    let mut reassembly = Reassembly::<N>::default();
    for (sent, expected) in segments {
        let sent = octets(&sent.replace(' ', ""));
        let heard = reassembly.hear(&BloodPressureRecord::decode(&sent).unwrap().value);
        let record = match heard.record {
            Ok(None) => "more".into(),
            Ok(Some(record)) => {
                format!("whole {} {:04X} {}", record.sequence, record.characteristic, hex(record.value))
            }
            Err(lost) => lost.to_string(),
        };
        let unfinished = heard.unfinished.map(|lost| format!("{lost}; ")).unwrap_or_default();
        assert_eq!(format!("{unfinished}{record}"), *expected, "{}", hex(&sent));
    }
    let end = reassembly.end().map(|lost| lost.to_string()).unwrap_or_default();
    assert_eq!(end, at_end);
    assert_eq!(reassembly.end(), None, "told once");
}

#[test]
fn records_in_segments_are_joined() {
    check::<8>(
        &[
            // one alone; three; the counter goes on through the connection, and around
            ("F3 0700 352A 0102", "whole 7 2A35 0102"),
            ("F5 0800 342B 0102", "more"),
            ("F8 0800 342B 0304", "more"),
            ("FE 0800 342B 0506", "whole 8 2B34 010203040506"),
            ("F9 FFFF 342B 01", "more"),
            ("FC FFFF 342B", "more"),
            ("02 FFFF 342B 02", "whole 65535 2B34 0102"),
            ("03 0000 342B", "whole 0 2B34 "),
        ],
        "",
    );
}

#[test]
fn a_record_that_is_not_whole_is_lost_once_with_its_reason() {
    check::<8>(
        &[
            // a gap: told at the segment that shows it, and not again
            ("01 0700 342B 01", "more"),
            ("08 0700 342B 03", "record 7 is not whole: segment 1 was to come, 2 came"),
            ("0C 0700 342B 04", "more"),
            ("12 0700 342B 05", "more"),
            // heard twice is a gap too
            ("01 0800 342B 01", "more"),
            ("04 0800 342B 02", "more"),
            ("04 0800 342B 02", "record 8 is not whole: segment 2 was to come, 1 came"),
            // and is no harm to the next
            ("03 0900 342B 09", "whole 9 2B34 09"),
        ],
        "",
    );
}

#[test]
fn a_restart_ends_the_record_before() {
    check::<8>(
        &[
            ("01 0700 342B 01", "more"),
            ("01 0700 342B 01", "record 7 is not whole: another began before it ended; more"),
            ("03 0800 342B 08", "record 7 is not whole: another began before it ended; whole 8 2B34 08"),
            ("01 0900 342B 09", "more"),
        ],
        "record 9 is not whole: the transfer ended before it did",
    );
}

#[test]
fn a_segment_of_another_record_ends_both() {
    let other = "record 7 is not whole: a segment of another record came before it ended; ";
    let headless = |sequence| format!("record {sequence} is not whole: its first segment was not heard");
    check::<8>(
        &[
            ("04 0600 342B 01", &headless(6)),
            ("0A 0600 342B 01", "more"),
            ("01 0700 342B 01", "more"),
            ("04 0800 342B 01", &format!("{other}{}", headless(8))),
            ("08 0700 342B 01", &headless(7)),
            // another characteristic
            ("01 0700 342B 01", "more"),
            ("06 0700 352A 01", &format!("{other}{}", headless(7))),
        ],
        "",
    );
}

#[test]
fn a_value_that_is_too_long_is_lost() {
    let long = "record 7 is not whole: its value has more than 4 octets";
    check::<4>(
        &[
            ("01 0700 342B 0102", "more"),
            ("06 0700 342B 0304", "whole 7 2B34 01020304"),
            ("01 0700 342B 0102", "more"),
            ("04 0700 342B 030405", long),
            ("0A 0700 342B 06", "more"),
            ("03 0700 342B 0102030405", long),
            ("01 0600 342B 01", "more"),
            (
                "03 0700 342B 0102030405",
                &format!("record 6 is not whole: another began before it ended; {long}"),
            ),
        ],
        "",
    );
    check::<0>(&[("03 0700 342B", "whole 7 2B34 "), ("03 0700 342B 01", &long.replace('4', "0"))], "");
}

#[test]
fn a_joined_record_is_written_as_one_segment() {
    let mut reassembly = Reassembly::<64>::default();
    let segments = ["F5 0800 342B 0102", "FA 0800 342B 0304"].map(|hex| octets(&hex.replace(' ', "")));
    let [first, second] = segments.each_ref().map(|sent| BloodPressureRecord::decode(sent).unwrap().value);
    assert_eq!(reassembly.hear(&first).record, Ok(None));
    let record = reassembly.hear(&second).record.unwrap().unwrap();
    assert_eq!(record.unsegmented().encode(&mut [0; 9]), Ok(octets("030800342B01020304").as_slice()));
}

/// Counters that no octets can have are no reason to panic.
#[test]
fn a_counter_beyond_six_bits_is_a_gap() {
    let mut reassembly = Reassembly::<4>::default();
    let segment = BloodPressureRecord {
        first: true,
        last: false,
        counter: 255,
        sequence: 1,
        characteristic: 2,
        part: &[],
    };
    assert_eq!(reassembly.hear(&segment).record, Ok(None));
    let next = BloodPressureRecord { first: false, counter: 200, ..segment };
    let gap = Lost { sequence: 1, why: Why::Gap { expected: 0, heard: 200 } };
    assert_eq!(reassembly.hear(&next).record, Err(gap));
}
