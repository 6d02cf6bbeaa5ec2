//! The same judgement: what a value, a clock or a name means to a profile, it means afterwards.

use super::*;
use hearth_core::identity::Facts;
use hearth_core::profile::ProfileName;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

fn values(log: &[u8]) -> Vec<String> {
    news(log).iter().filter_map(|line| line["heard"]["hex"].as_str().map(str::to_owned)).collect()
}

/// A link that lost the confirmation sends a packet again. Half of a value twice would be another value, or none.
#[test]
fn what_is_sent_again_is_no_part_of_a_value() {
    let log = sniffed_twice();
    let before = values(&log);
    assert_eq!(before.len(), 1);
    let (made, told) = redacted(&log, &Options::default());
    let day = data_encoding::HEXUPPER.encode(&stamp(told.days));
    assert_eq!(values(&made), [before[0].replace("E807060F", &day)]);
    assert_eq!(told.left_out, 2);
}

/// A serial number that one link reads in three pieces and another in one names one device.
#[test]
fn a_long_value_is_one_value() {
    let serial = b"514060012351406001239876543210987654321098765432";
    let mut kept = Kept::btsnoop(1002);
    for (contact, mtu) in [(1, 23), (2, 247)] {
        kept.connected(contact, 0, CUFF);
        kept.ask(contact, &format!("02 {mtu:02X}00"), &format!("03 {mtu:02X}00"));
        kept.ask(contact, "08 0100 0F00 0328", "09 07 0200 02 0300 252A");
        let mut pieces = serial.chunks(mtu - 1);
        kept.read(contact, 3, pieces.next().unwrap());
        for (nth, piece) in pieces.enumerate() {
            let at = (nth + 1) * (mtu - 1);
            let piece = data_encoding::HEXUPPER.encode(piece);
            kept.ask(contact, &format!("0C 0300 {at:02X}00"), &format!("0D {piece}"));
        }
        kept.disconnected(contact, 0x13);
    }
    let serials = |log: &[u8]| -> Vec<Vec<u8>> {
        let value = |seen: Seen| match seen.event {
            super::super::super::Event::Value(value) => Some(value.octets),
            _ => None,
        };
        seen(log).into_iter().filter_map(value).collect()
    };
    assert_eq!(serials(&kept.file), [serial, serial]);
    let (made, _) = redacted(&kept.file, &Options::default());
    let after = serials(&made);
    assert_eq!(after[0], after[1]);
    assert!(after[0].len() == serial.len() && after[0].iter().all(u8::is_ascii_digit), "{after:?}");
    for part in serial.windows(12) {
        assert!(!holds(&made, part));
    }
}

/// A value that fills its message might go on, and nobody knows before the next question: however long that takes, it is
/// no zeros then.
#[test]
fn a_value_that_fills_its_message_waits_for_nothing() {
    let serial = b"5140600123514060012345";
    let mut kept = Kept::btsnoop(1002);
    kept.connected(1, 0, CUFF);
    kept.ask(1, "08 0100 0F00 0328", "09 07 0200 02 0300 252A 0400 02 0500 372A");
    kept.read(1, 3, serial);
    for _ in 0..2_000 {
        kept.att(1, true, "1B 0500 00 48");
    }
    kept.disconnected(1, 0x13);
    let (made, _) = redacted(&kept.file, &Options::default());
    let met = news(&made).into_iter().find(|line| line["met"]["serial"].is_string()).unwrap();
    let told = met["met"]["serial"].as_str().unwrap();
    assert!(told.len() == serial.len() && told.bytes().all(|b| b.is_ascii_digit()), "{told:?}");
    assert!(!holds(&made, serial));
}

/// The second half of a long advertisement begins anywhere: here it looks like a list of services.
#[test]
fn half_an_advertisement_is_not_read() {
    let mut kept = Kept::btsnoop(1002);
    for (more, data) in [("2000", &x("0A FF 6900 01")[..]), ("0000", &[&x("07 03")[..], b"SECRET"].concat())]
    {
        let mut event = x("0D 01");
        event.extend(x(more));
        event.push(0);
        event.extend(sent(CUFF));
        event.extend(x("01 00 FF 7F C4 0000 00 000000000000"));
        event.push(data.len() as u8);
        event.extend(data);
        kept.hci(4, true, &[&[0x3E, event.len() as u8][..], &event].concat());
    }
    let (made, _) = redacted(&kept.file, &Options::default());
    assert!(!holds(&made, b"SECRET"));
    assert!(seen(&kept.file).is_empty(), "{:?}", seen(&kept.file));
}

/// News of devices: what each row holds must come out so, and never as what it was.
fn lines_of(rows: &[&str]) -> (Vec<serde_json::Value>, Redacted) {
    let (made, told) = redacted(rows.join("\n").as_bytes(), &Options::default());
    let made = String::from_utf8(made).unwrap();
    (made.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), told)
}

/// Ids of one digit, and of two that are each other's: as many afterwards, and none of those that were.
#[test]
fn two_stay_two() {
    let ids = ["1", "2", "3", "A7", "B7", "0"];
    let rows: Vec<String> = ids
        .iter()
        .map(|id| {
            let bind = serde_json::json!({"device": id, "patient": {"a": id, "b": id}, "from": "2024-06-01T00:00:00Z"});
            serde_json::json!({ "bind": bind }).to_string()
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let (made, _) = lines_of(&rows);
    let patients: Vec<&str> =
        made.iter().map(|line| line["bind"]["patient"]["system-1"].as_str().unwrap()).collect();
    for (line, id) in made.iter().zip(&patients) {
        assert_eq!(line["bind"]["patient"]["system-2"], *id, "the same by the same");
        assert!(!ids.contains(id), "{patients:?}");
    }
    let different: std::collections::BTreeSet<&&str> = patients.iter().collect();
    assert_eq!(different.len(), ids.len(), "{patients:?}");
}

/// A serial number of zeros, and one that stands in hexadecimal digits or a tick by chance, is no leak there.
#[test]
fn digits_that_are_no_text_are_no_leak() {
    let (made, _) = lines_of(&[
        r#"{"at": 5140600123, "met": {"device": "a", "address": "00:00:00:00:00:01", "serial": "000000"}}"#,
        r#"{"at": 5140600123, "met": {"device": "b", "address": "00:00:00:00:00:02", "serial": "140600"}}"#,
        r#"{"heard": {"device": "a", "contact": 1, "characteristic": "2A35", "hex": "1414060000003300E807060F0000003300000000"}}"#,
    ]);
    assert_ne!(made[0]["met"]["serial"], "000000");
    assert_ne!(made[1]["met"]["serial"], "140600");
    assert!(made[2]["heard"]["hex"].as_str().unwrap().starts_with("141406"));
}

/// What profiles know a model by is kept, also where a name is nothing else; and no name becomes another model's.
#[test]
fn a_name_is_a_model_as_before() {
    // A house whose own profile knows its cuffs by one letter: a name must not come to begin so.
    let own = include_str!("../../../../../../device-profiles/beurer/bm59.toml");
    let own = own.replace(r#"["BM59"]"#, r#"["C", "D", "E", "F", "Gabc"]"#);
    let catalog = Catalog::standard().overridden([(ProfileName("site/cuff".into()), own)]).unwrap();
    let known = |name: &str| {
        let prefixes = catalog.all().flat_map(|profile| profile.matches.name_prefixes.iter());
        prefixes.filter(|prefix| name.starts_with(prefix.as_str())).map(String::len).max()
    };
    for seed in 0..32 {
        let mut mask = Mask::new([seed; 32], &catalog);
        mask.learns = false;
        for name in [
            "MI_SCALE",
            "MIBCS",
            "BM59",
            "BM5",
            "BM",
            "BF105-0042",
            "meter+7",
            "Anna",
            "Gab",
            "BLEsmart_00091F801234",
        ] {
            let made = String::from_utf8(mask.name(name.as_bytes())).unwrap();
            assert_eq!(known(&made), known(name), "seed {seed}: {name} became {made}");
            assert_eq!(made == name, known(name) == Some(name.len()), "seed {seed}: {name} became {made}");
        }
    }
}

/// By which days times move, by 64 keys: not such that an unset clock's year, an hour of summer, or the end of what
/// octets can tell comes between.
#[test]
fn all_is_judged_as_before() {
    let catalog = Catalog::standard();
    let cuff = Facts { services: [0x1810].into(), ..Facts::default() };
    let unset = [2020, 2021];
    let zone = TimeZone::get("America/New_York").unwrap();
    let noon = |date: Date| zone.to_offset(TimeZone::UTC.to_timestamp(date.at(12, 0, 0, 0)).unwrap());
    let mut chosen = std::collections::BTreeSet::new();
    for seed in 0..64 {
        let mut mask = Mask::new([seed; 32], &catalog);
        let mut devices = Devices::new();
        devices.met("cuff", &cuff);
        // Before summer time begins in 2014, and after.
        let dates = [date(2014, 3, 8), date(2014, 3, 10), date(2018, 11, 3), date(2018, 11, 5)];
        for date in dates {
            devices.tell("cuff", date, None);
        }
        devices.zone("America/New_York");
        // Seconds since 1900 in u32 end on 2036-02-07.
        devices.tell("cuff", date(2032, 1, 1), Some(date(2036, 2, 7)));
        let (days, different) = devices.settle(&catalog, &mask);
        assert_eq!(different, 0, "key {seed}");
        mask.days = days;
        let moved = |date: Date| stamps::moved(date, days).unwrap();
        assert!(moved(date(2032, 1, 1)) <= date(2036, 2, 7), "key {seed}: {days}");
        for date in dates {
            assert!(!unset.contains(&moved(date).year()), "key {seed}: {date} by {days}");
            assert_eq!(noon(moved(date)), noon(date), "key {seed}: {date} by {days}");
            assert_eq!(moved(date).weekday(), date.weekday());
        }
        chosen.insert(days);
    }
    assert!(!chosen.is_empty());
    // Without such reasons, any of the eight.
    let all: std::collections::BTreeSet<i64> =
        (0..64).map(|seed| Devices::new().settle(&catalog, &Mask::new([seed; 32], &catalog)).0).collect();
    assert_eq!(all.len(), 8, "{all:?}");
}

/// A stamp of an unset clock stays, and that is said; where the clock was read, both move. CareSens's January is its
/// thirteenth month, of which nobody else has one.
#[test]
fn odd_clocks_are_as_odd_as_before() {
    let met = |device: &str, name: &str, service: &str| {
        format!(
            r#"{{"met": {{"device": "{device}", "address": "00:09:1F:80:12:34", "name": "{name}", "services": ["{service}"]}}}}"#
        )
    };
    let heard = |device: &str, characteristic: &str, hex: &str| {
        format!(
            r#"{{"heard": {{"device": "{device}", "contact": 1, "characteristic": "{characteristic}", "hex": "{hex}"}}}}"#
        )
    };
    let clock = r#"{"at": 9, "clock": {"device": "told", "contact": 1, "shows": "2021-01-01T00:10:00"}}"#;
    let pressure = "127C0056006100E507010100050000";
    let rows = [
        r#"{"at": 0, "hub_time": "2021-06-15T21:17:40Z"}"#.to_owned(),
        heard("unset", "2A35", pressure),
        met("unset", "cuff", "1810"),
        met("told", "cuff", "1810"),
        heard("told", "2A35", pressure),
        clock.to_owned(),
        met("sens", "CareSens 74", "1808"),
        heard("sens", "2A18", "020100E8070D0F08000078B0F8"),
        met("other", "meter", "1808"),
        heard("other", "2A18", "020100E8070D0F08000078B0F8"),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let (made, told) = lines_of(&rows);
    let hex = |at: usize| made[at]["heard"]["hex"].as_str().unwrap().to_owned();
    assert_eq!(hex(1), pressure);
    assert_eq!(told.stayed, 1);
    let moved = stamps::moved(date(2021, 1, 1), told.days).unwrap();
    assert_eq!(made[5]["clock"]["shows"], format!("{moved}T00:10:00").as_str());
    let octets = |hex: String| data_encoding::HEXUPPER.decode(hex.as_bytes()).unwrap();
    let written = |at: usize, from: usize| {
        let octets = octets(hex(at));
        (i16::from_le_bytes([octets[from], octets[from + 1]]), octets[from + 2], octets[from + 3])
    };
    assert_eq!(written(4, 7), (moved.year(), moved.month() as u8, moved.day() as u8));
    let january = stamps::moved(date(2024, 1, 15), told.days).unwrap();
    assert_eq!(written(7, 3), (january.year(), 13, january.day() as u8));
    // No date: another year, and still none.
    let (year, month, day) = written(9, 3);
    assert!(year > 2024 && (month, day) == (13, 15));
}
