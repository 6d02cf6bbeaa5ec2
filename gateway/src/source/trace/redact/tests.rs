//! What may be shared: the same readings, and nobody in them.
#![allow(clippy::unwrap_used)]

mod judged;
mod packets;
mod stamped;

use super::super::tests::air::{sniffed, sniffed_twice};
use super::super::tests::write::{CUFF, Kept, cuff, sent, x};
use super::super::{How, Seen, Trace, lines};
use super::*;
use hearth_core::profile::Catalog;
use std::io::Cursor;

/// The first octet of what the key makes of "days" decides the shift; which one it is, no test relies on.
const KEY: [u8; 32] = [7; 32];

fn redacted(log: &[u8], options: &Options) -> (Vec<u8>, Redacted) {
    let mut made = vec![];
    let told = with_key(KEY, Cursor::new(log), &mut made, options, &Catalog::standard()).unwrap();
    (made, told)
}

fn refused(log: &[u8]) -> RedactError {
    let mut made = vec![];
    let error =
        with_key(KEY, Cursor::new(log), &mut made, &Options::default(), &Catalog::standard()).unwrap_err();
    assert_eq!(made, b"");
    error
}

fn seen(log: &[u8]) -> Vec<Seen> {
    Trace::open(log, &Options::default()).unwrap().map(Result::unwrap).collect()
}

fn news(log: &[u8]) -> Vec<serde_json::Value> {
    lines(std::io::Cursor::new(log.to_vec()), &Options::default())
        .unwrap()
        .map(|line| serde_json::from_str(&line.text.unwrap()).unwrap())
        .collect()
}

fn holds(log: &[u8], octets: &[u8]) -> bool {
    log.windows(octets.len()).any(|part| part == octets)
}

/// 2024-06-15 and so many days, as a stamp has it: year, month, day.
fn stamp(days: i64) -> [u8; 4] {
    let date = jiff::civil::date(2024, 6, 15).checked_add(jiff::Span::new().days(days)).unwrap();
    let [y0, y1] = (date.year() as u16).to_le_bytes();
    [y0, y1, date.month() as u8, date.day() as u8]
}

#[test]
fn the_same_readings_of_nobody() {
    for kept in [
        Kept::btsnoop(1001),
        Kept::btsnoop(1002),
        Kept::btsnoop(2001),
        Kept::pcap(true, false, 187),
        Kept::pcap(false, true, 201),
    ] {
        let log = cuff(kept);
        let (made, told) = redacted(&log, &Options::default());
        assert_eq!((told.left_out, told.cut), (0, None));
        // Octet for octet as long: every record of this log is understood.
        assert_eq!(made.len(), log.len());
        for original in [
            &sent(CUFF)[..],
            &CUFF,
            b"5140600123",
            b"A&D_UA-651BLE_801234",
            &x("341280FEFF1F0900"),
            &x("00091FFFFE801234"),
        ] {
            assert!(holds(&log, original) || original == CUFF || original[0] == 0);
            assert!(!holds(&made, original), "{original:02X?}");
        }
        let (before, after) = (news(&log), news(&made));
        assert_eq!(before.len(), after.len());
        for (b, a) in before.iter().zip(&after) {
            assert_eq!(b["at"], a["at"], "distances stay");
        }
        // Values digit for digit, but for the day.
        assert_eq!(told.days % 7, 0);
        let day = data_encoding::HEXUPPER.encode(&stamp(told.days));
        for line in [4, 5] {
            let want = before[line]["heard"]["hex"].as_str().unwrap().replace("E807060F", &day);
            assert_eq!(after[line]["heard"]["hex"], want.as_str());
            assert_eq!(after[line]["heard"]["link"], "bonded");
        }
        let (met, was) = (&after[2]["met"], &before[2]["met"]);
        for same in ["address_kind", "services", "model", "manufacturer", "firmware"] {
            assert_eq!(met[same], was[same], "{same}");
        }
        for other in ["address", "serial", "system_id", "name"] {
            assert_ne!(met[other], was[other], "{other}");
            let (a, b) = (met[other].as_str().unwrap(), was[other].as_str().unwrap());
            assert_eq!(a.len(), b.len(), "{other}");
        }
        assert_eq!(after[6]["ended"]["how"], "drained");
        // The same device all through the file, under one name.
        assert!(after[3..].iter().all(|line| !line.to_string().contains("00:09:1F")));
        assert_eq!(after[3]["clock"]["device"], met["device"]);
    }
}

#[test]
fn a_model_that_profiles_know_by_its_name_is_kept() {
    let options = Options::default();
    let log = cuff(Kept::btsnoop(1002));
    let (made, _) = redacted(&log, &options);
    assert!(holds(&made, b"A&D_UA-651BLE_"));
    assert!(!holds(&made, b"801234"));
    // A shortened name, as an advertisement may have it, is a part of the model's: nobody's, and no leak.
    let mut kept = Kept::btsnoop(1002);
    kept.connected(1, 0, CUFF);
    kept.ask(1, "08 0100 0F00 0328", "09 07 0200 02 0300 002A");
    kept.read(1, 3, b"A&D_UA-651BLE_801234");
    kept.read(1, 3, b"A&D_UA");
    redacted(&kept.file, &options);
}

/// Two runs with two keys: nothing in common. One run: the same by the same.
#[test]
fn pseudonyms_last_for_one_run() {
    let log = cuff(Kept::btsnoop(1002));
    let (one, _) = redacted(&log, &Options::default());
    let (again, _) = redacted(&log, &Options::default());
    assert_eq!(one, again);
    let mut other = vec![];
    redact(Cursor::new(&log), &mut other, &Options::default(), &Catalog::standard()).unwrap();
    assert_ne!(news(&one)[2]["met"]["address"], news(&other)[2]["met"]["address"]);
    assert_ne!(news(&one)[2]["met"]["serial"], news(&other)[2]["met"]["serial"]);
}

/// A serial number in three ACL packets gets the pseudonym that it has in one.
#[test]
fn values_in_pieces_are_replaced_as_a_whole() {
    let mut kept = Kept::pcap(true, false, 201);
    kept.connected(1, 0, CUFF);
    kept.ask(1, "08 0100 0F00 0328", "09 07 0200 02 0300 252A");
    kept.read(1, 3, b"5140600123");
    kept.att(1, false, "0A 0300");
    kept.l2cap(1, true, 4, b"\x0B5140600123", 6);
    let (made, _) = redacted(&kept.file, &Options::default());
    let serials: Vec<Vec<u8>> = seen(&made)
        .into_iter()
        .filter_map(|s| match s.event {
            super::super::Event::Value(v) if v.how == How::Read => Some(v.octets),
            _ => None,
        })
        .collect();
    assert_eq!(serials.len(), 2);
    assert_eq!(serials[0], serials[1]);
    assert!(serials[0].iter().all(u8::is_ascii_digit) && serials[0] != b"5140600123");
}

/// A type of a maker's own that holds the address would carry it out: refused, and nothing written.
#[test]
fn what_still_holds_an_original_is_not_handed_out() {
    let mut kept = Kept::btsnoop(1002);
    kept.connected(1, 0, CUFF);
    // Find Information: a handle and a type of sixteen octets.
    kept.ask(1, "04 0100 0F00", "05 02 0300 00010203040506070809 00091F801234");
    let error = refused(&kept.file);
    assert!(matches!(error, RedactError::Leak { .. }), "{error}");
    assert!(error.to_string().contains("nothing was written"));
}

/// A maker's own words that hold what names somebody: replaced there, although the serial number is told later. A model
/// that advertises itself is nobody's.
#[test]
fn what_names_somebody_is_replaced_in_a_makers_words() {
    for (serial, model, stays) in [
        ("5140600123", "UA 5140600123", "UA "),
        ("A1234", "UA/A1234/2", "UA/"),
        ("5140600123", "UA-00091F801234", "UA-"),
        ("5140600123", "UA-34:12:80:1f:09:00", "UA-"),
        // Said twice of one device, and too short to tell anything.
        ("12", "UA-651BLE 12", "UA-651BLE 12"),
    ] {
        let mut kept = Kept::btsnoop(1002);
        kept.connected(1, 0, CUFF);
        kept.ask(1, "08 0100 0F00 0328", "09 07 0200 02 0300 252A 0400 02 0500 242A");
        kept.read(1, 5, model.as_bytes());
        kept.read(1, 3, serial.as_bytes());
        let (made, _) = redacted(&kept.file, &Options::default());
        assert_eq!(holds(&made, model.as_bytes()), stays == model, "{model}");
        assert!(holds(&made, stays.as_bytes()), "{model}");
        assert!(stays == model || !holds(&made, serial.as_bytes()));
    }
    let mut kept = Kept::btsnoop(1002);
    kept.connected(1, 0, CUFF);
    kept.ask(1, "08 0100 0F00 0328", "09 07 0200 02 0300 002A 0400 02 0500 242A");
    kept.read(1, 3, b"UA-651BLE");
    kept.read(1, 5, b"UA-651BLE");
    let (made, _) = redacted(&kept.file, &Options::default());
    assert!(holds(&made, b"UA-651BLE"));
}

#[test]
fn news_is_redacted_line_by_line() {
    let text = r#"# Anna's cuff
{"boot": true}
{"at": 0, "hub_time": "2024-06-15T21:17:40Z", "note": "Anna"}
{"at": 10, "met": {"device": "annas-cuff", "address": "00:09:1F:80:12:34", "name": "Anna-cuff-1", "serial": "5140600123", "services": ["1810"], "model": "UA-651BLE"}}
{"bind": {"device": "annas-cuff", "patient": {"clinic": "patient-4711"}, "zone": "America/New_York", "from": "2024-06-01T00:00:00Z", "sole_use_attested_by": "Nurse Adams"}}
{"at": 20, "heard": {"device": "annas-cuff", "contact": 1, "characteristic": "2A35", "hex": "167C0056006100E807060F11111B33000000"}}
{"at": 20, "heard": {"device": "annas-cuff", "contact": 1, "characteristic": "2A8A", "hex": "414E4E41"}}
{"at": 60, "clock": {"device": "annas-cuff", "contact": 1, "shows": "2024-06-15T17:17:41", "asked": 20}}
nonsense about Anna
{"at": 90, "ended": {"device": "annas-cuff", "contact": 1, "how": "drained"}}
"#;
    let (made, told) = redacted(text.as_bytes(), &Options::default());
    assert_eq!((told.kept, told.left_out), (8, 2));
    let made = String::from_utf8(made).unwrap();
    for original in ["nna", "00:09:1F", "5140600123", "4711", "clinic", "Adams", "414E4E41", "2024-06"] {
        assert!(!made.contains(original), "{original}: {made}");
    }
    let all: Vec<serde_json::Value> = made.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(all[2..].iter().all(|line| line.to_string().contains("device-1")));
    let day = data_encoding::HEXUPPER.encode(&stamp(told.days));
    assert_eq!(all[4]["heard"]["hex"], format!("167C0056006100{day}11111B33000000").as_str());
    assert_eq!(all[3]["bind"]["zone"], "America/New_York");
    // Distances: the hub's time and the clock's are as far apart as before, and the binding is as old.
    let days = jiff::SignedDuration::from_hours(24 * told.days);
    let moved = |text: &str| (text.parse::<jiff::Timestamp>().unwrap() + days).to_string();
    assert_eq!(all[1]["hub_time"], moved("2024-06-15T21:17:40Z"));
    assert_eq!(all[3]["bind"]["from"], moved("2024-06-01T00:00:00Z"));
    assert_eq!(all[6]["clock"]["shows"], moved("2024-06-15T17:17:41Z").trim_end_matches('Z'));
    // The patient's id is still one.
    assert_eq!(all[3]["bind"]["patient"]["system-1"].as_str().unwrap().len(), "patient-4711".len());
}

#[test]
fn a_cut_log_is_redacted_up_to_the_cut() {
    let log = cuff(Kept::btsnoop(1002));
    let (made, told) = redacted(&log[..log.len() - 3], &Options::default());
    assert!(told.cut.unwrap().contains("the log is cut here"));
    assert_eq!(seen(&made).iter().filter(|s| matches!(s.event, super::super::Event::Value(_))).count(), 9);
    let (made, told) = redacted(b"{\"boot\": true}\n\xFF\n", &Options::default());
    assert_eq!((told.kept, &made[..]), (1, &b"{\"boot\":true}\n"[..]));
    assert_eq!((told.left_out, told.cut), (1, None));
    let pcapng = [&b"\x0A\x0D\x0D\x0A"[..], &[0; 40]].concat();
    let error = refused(&pcapng);
    assert!(error.to_string().contains("editcap"));
}

#[test]
fn a_search_finds_what_lies_across_its_windows() {
    let mut wanted = search::Wanted::default();
    wanted.add(b"needle", "n");
    wanted.add(b"needless", "m");
    wanted.add(b"short", "s");
    for at in [0, 1, 65_530, 65_536, 131_070] {
        let mut hay = vec![b'n'; 140_000];
        hay[at..at + 6].copy_from_slice(b"needle");
        assert_eq!(search::search(&hay[..], &wanted).unwrap(), Some(("n", at as u64)));
    }
    assert_eq!(search::search(&b"a short needl"[..], &wanted).unwrap(), None);
}

/// On the air: addresses of advertisements, of who connects and is connected to; the meter's name.
#[test]
fn what_a_sniffer_heard_names_nobody_either() {
    for link in [251, 256] {
        let log = sniffed(link);
        let (made, told) = redacted(&log, &Options::default());
        assert_eq!((made.len(), told.left_out), (log.len(), 0));
        assert_eq!((told.addresses, told.texts), (2, 1));
        for original in [&x("5544332211C0")[..], &x("C01122334455"), &x("050403 02015A"), b"meter+1"] {
            assert!(!holds(&made, original), "{original:02X?}");
        }
        let values = |log: &[u8]| {
            let hex = |line: &serde_json::Value| line["heard"]["hex"].as_str().map(str::to_owned);
            news(log).iter().filter_map(hex).collect::<Vec<_>>()
        };
        let day = data_encoding::HEXUPPER.encode(&stamp(told.days));
        assert_eq!(values(&made), [values(&log)[0].replace("E807060F", &day)]);
        // Both are random static addresses or resolvable ones still.
        let met = news(&made).into_iter().find(|line| line["met"].is_object()).unwrap();
        assert_eq!(met["met"]["address_kind"], "identity");
    }
}

/// A scale that broadcasts (adv-01, between an unsettled frame and its own repeats): told once each, and redacted to the
/// same weight of another day.
#[test]
fn a_broadcast_weight_is_told_once_and_redacted() {
    let mut kept = Kept::btsnoop(1002);
    for octets in ["023E30E607020E10293A", "223E30E607020E10293A", "223E30E607020E10293A"] {
        // Advertising report: one, connectable, public, address; flags, service octets of 181D; strength.
        let body = x(&format!("02 01 06 0D 16 1D18 {octets}"));
        let mut event = x("02 01 00 00");
        event.extend(sent(CUFF));
        event.push(body.len() as u8);
        event.extend(&body);
        event.push(0xC4);
        kept.hci(4, true, &[&[0x3E, event.len() as u8][..], &event].concat());
    }
    let log = kept.file;
    let heard = |log: &[u8]| -> Vec<String> {
        let lines = news(log).into_iter().filter(|line| line["heard"].is_object());
        lines.map(|line| format!("{} {}", line["heard"]["link"], line["heard"]["hex"])).collect()
    };
    let frames = ["\"broadcast\" \"023E30E607020E10293A\"", "\"broadcast\" \"223E30E607020E10293A\""];
    assert_eq!(heard(&log), frames);
    let (made, _) = redacted(&log, &Options::default());
    assert!(!holds(&made, &sent(CUFF)));
    let after = heard(&made);
    // Flags, weight and time of day stay; the day moves.
    let without_day = |frames: &[String]| -> Vec<String> {
        frames
            .iter()
            .map(|frame| [&frame[..frame.len() - 17 + 2], &frame[frame.len() - 7..]].concat())
            .collect()
    };
    assert_eq!(without_day(&after), without_day(&frames.map(str::to_owned)));
    assert_ne!(after, frames);
}
