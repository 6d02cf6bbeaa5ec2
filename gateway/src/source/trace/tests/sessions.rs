//! Whole sessions, from the log to the lines of news.

use super::write::{Kept, cuff};
use super::*;

/// What the cuff's session must become. Ticks are counted from the first record, a tenth of a second each: discovery
/// is 9 questions with answers, so the encryption change is record 20, and reads follow in pairs.
const CUFF: &str = r#"{"at":0,"boot":true}
{"at":0,"hub_time":"2024-06-15T21:17:40Z"}
{"at":3300,"met":{"device":"00:09:1F:80:12:34","address":"00:09:1F:80:12:34","address_kind":"public","name":"A&D_UA-651BLE_801234","services":["1800","1805","180A","1810"],"system_id":"341280FEFF1F0900","serial":"5140600123","manufacturer":"A&D Medical","model":"UA-651BLE","firmware":"BLP006_d016"}}
{"at":3300,"clock":{"device":"00:09:1F:80:12:34","contact":1,"face":"shown","shows":"2024-06-15T17:17:41","asked":3200}}
{"at":3600,"heard":{"device":"00:09:1F:80:12:34","contact":1,"link":"bonded","characteristic":"2A35","hex":"16800054006300E807060F11101B37000000"}}
{"at":3800,"heard":{"device":"00:09:1F:80:12:34","contact":1,"link":"bonded","characteristic":"2A35","hex":"167C0056006100E807060F11111B33000000"}}
{"at":4000,"ended":{"device":"00:09:1F:80:12:34","contact":1,"how":"drained"}}"#;

#[test]
fn a_cuff_is_told_alike_by_every_kind_of_log() {
    for kept in [
        Kept::btsnoop(1001),
        Kept::btsnoop(1002),
        Kept::btsnoop(2001),
        Kept::pcap(true, false, 187),
        Kept::pcap(false, false, 201),
        Kept::pcap(true, true, 201),
        Kept::pcap(false, true, 187),
    ] {
        let told = news(&cuff(kept), &Options::default());
        let want: Vec<&str> = CUFF.lines().collect();
        assert_eq!(told, want);
    }
}

/// A glucose meter over its record access control point. The measurement's PDU, 4 + 3 + 17 octets, comes in three
/// ACL packets of 9, the context's, 4 + 3 + 4, in three of 5.
///
/// 2A18 by hand: flags 0B (offset, concentration, status), sequence 002A, 2024-06-15 08:00:00, offset 0, B06F (111 with
/// exponent -5, kg/L), type 1 at location 1, no status. 2A34: flags 02 (meal), sequence 002A, preprandial.
fn glucose(mut kept: Kept, report: &str, answer: &str) -> Vec<u8> {
    let handle = 0x0001;
    kept.connected(handle, 1, [0xC0, 0x11, 0x22, 0x33, 0x44, 0x55]);
    kept.ask(handle, "10 0100 FFFF 0028", "11 06 0100 0F00 0818");
    kept.ask(handle, "08 0100 0F00 0328", "09 07 0200 10 0300 182A 0500 10 0600 342A 0800 28 0900 522A");
    kept.att(handle, false, &format!("12 0900 {report}"));
    kept.att(handle, true, "13");
    let measurement = super::write::x("1B 0300  0B 2A00 E807060F080000 0000 6F B0 11 0000");
    kept.l2cap(handle, true, 4, &measurement, 9);
    kept.l2cap(handle, true, 4, &super::write::x("1B 0600  02 2A00 01"), 5);
    kept.att(handle, true, &format!("1D 0900 {answer}"));
    kept.att(handle, false, "1E");
    // Ended by the host.
    kept.disconnected(handle, 0x16);
    kept.file
}

#[test]
fn stored_records_come_in_fragments_and_the_meter_says_when_that_is_all() {
    for (report, answer, how) in [
        ("01 01", "06 00 01 01", "drained"),
        ("01 03 01 2A00", "06 00 01 01", "drained"),
        ("01 01", "06 00 01 06", "drained"),
        // The last one only; the procedure was not completed; the answer is to an abort.
        ("01 06", "06 00 01 01", "lost"),
        ("01 01", "06 00 01 08", "lost"),
        ("01 01", "06 00 03 01", "lost"),
    ] {
        let log = glucose(Kept::pcap(true, false, 201), report, answer);
        let told = news(&log, &Options::default());
        let place = r#""device":"C0:11:22:33:44:55","contact":1"#;
        let want = [
            r#"{"at":0,"boot":true}"#.to_owned(),
            r#"{"at":0,"hub_time":"2024-06-15T21:17:40Z"}"#.into(),
            // A random static address (it begins with two ones) stays.
            r#"{"at":900,"met":{"device":"C0:11:22:33:44:55","address":"C0:11:22:33:44:55","address_kind":"identity","services":["1808"]}}"#.into(),
            format!(r#"{{"at":900,"heard":{{{place},"link":"open","characteristic":"2A18","hex":"0B2A00E807060F08000000006FB0110000"}}}}"#),
            format!(r#"{{"at":1200,"heard":{{{place},"link":"open","characteristic":"2A34","hex":"022A0001"}}}}"#),
            format!(r#"{{"at":1500,"ended":{{{place},"how":"{how}"}}}}"#),
        ];
        assert_eq!(told, want, "{report}, {answer}");
    }
}

/// A phone that knows the cuff from before discovers nothing: the handle is nobody's until somebody names it.
#[test]
fn a_handle_without_its_discovery_is_said_and_may_be_named() {
    let mut kept = Kept::btsnoop(1002);
    kept.connected(0x0040, 0, super::write::CUFF);
    kept.att(0x0040, true, "1D 1200 16 7C00 5600 6100 E807060F11111B 3300 0000");
    kept.att(0x0040, true, "1D 1200 00");
    kept.disconnected(0x0040, 0x13);
    let (seen, flaw, summary) = read(&kept.file, &Options::default());
    assert_eq!((values(&seen).len(), flaw), (0, None));
    let key = ("00:09:1F:80:12:34".to_owned(), 0x0012);
    let want = BTreeMap::from([(key, Values { count: 2, shortest: 1, longest: 18 })]);
    assert_eq!(summary.unattributed, want);
    let said = summary.sentences().join("\n");
    assert!(said.contains("handle 0x0012: 2 values of 1 to 18 octets, not attributed"), "{said}");
    assert!(said.contains("--handle 0x0012=2A35"), "{said}");

    let named = Options { handles: BTreeMap::from([(0x0012, 0x2A35)]) };
    let (seen, _, summary) = read(&kept.file, &named);
    assert_eq!(values(&seen).len(), 2);
    assert!(summary.unattributed.is_empty());
}

/// What a host wrote into the clock is not what stamps from before were made by.
#[test]
fn a_clock_that_was_set_dates_nothing_in_the_same_contact() {
    let mut kept = Kept::btsnoop(2001);
    kept.connected(1, 0, super::write::CUFF);
    kept.cuff_discovered(1);
    kept.read(1, 0x0031, &super::write::x("E807 06 0F 11 11 29 06 00 00"));
    kept.ask(1, "12 3100 E807 06 0F 11 15 00 06 00 01", "13");
    kept.read(1, 0x0031, &super::write::x("E807 06 0F 11 15 01 06 00 00"));
    // Not a date.
    kept.disconnected(1, 0x16);
    let mut told = lines(std::io::Cursor::new(kept.file), &Options::default()).unwrap();
    let clocks: Vec<String> =
        told.by_ref().map(|line| line.text.unwrap()).filter(|text| text.contains("clock")).collect();
    assert_eq!(clocks.len(), 1);
    assert!(clocks[0].contains("17:17:41"), "{clocks:?}");
    assert!(
        told.summary()
            .iter()
            .any(|said| said.starts_with("clock readings after the host had set the clock: 1;"))
    );
}

/// News that is written as lines passes as it is; what is neither is said with its line.
#[test]
fn lines_pass_as_they_are() {
    let text = "{\"boot\": true}\r\n\n# note\n{\"at\": 1, \"silence\": true}";
    let got: Vec<Line> = lines(text.as_bytes(), &Options::default()).unwrap().collect();
    let want = ["{\"boot\": true}", "", "# note", "{\"at\": 1, \"silence\": true}"];
    for (nth, (line, want)) in got.iter().zip(want).enumerate() {
        assert_eq!(line, &Line { place: format!("line {}", nth + 1), text: Ok(want.to_owned()) });
    }
    assert_eq!(got.len(), 4);
    let got: Vec<Line> = lines(&b"\xFF\xFE\n{}\n"[..], &Options::default()).unwrap().collect();
    assert_eq!(got.len(), 2, "{got:?}");
    assert_eq!(got[1].text.as_deref(), Ok("{}"));
    assert!(got[0].text.as_ref().unwrap_err().contains("btsnoop or pcap"));
}

/// `logs/` holds three of them as files, for whoever wants to see one with other programs: they are these.
#[test]
fn the_logs_on_disk_are_these() {
    let meter = glucose(Kept::pcap(true, false, 201), "01 01", "06 00 01 01");
    for (name, octets, file) in [
        (
            "cuff-android.btsnoop",
            cuff(Kept::btsnoop(1002)),
            &include_bytes!("../logs/cuff-android.btsnoop")[..],
        ),
        ("meter-racp.pcap", meter, include_bytes!("../logs/meter-racp.pcap")),
        ("meter-sniffed.pcap", super::air::sniffed(256), include_bytes!("../logs/meter-sniffed.pcap")),
    ] {
        assert!(octets == file, "{name}");
    }
}

/// What a user says of a handle, and what the log has to say to it.
#[test]
fn a_handle_that_is_named_wrongly_is_told() {
    let mut kept = Kept::btsnoop(1002);
    kept.connected(1, 0, super::write::CUFF);
    kept.cuff_discovered(1);
    kept.att(1, true, "1D 1200 16 7C00 5600 6100 E807060F11111B 3300 0000");
    kept.disconnected(1, 0x13);
    for (handle, says, told) in [
        (0x0012, 0x2A35, None),
        (0x0012, 0x2A37, Some("--handle 0x0012=2A37 is not so: the log itself says 2A35, which stands")),
        (
            0x0099,
            0x2A35,
            Some("--handle 0x0099=2A35 explains nothing: no value of this handle is in the log"),
        ),
    ] {
        let named = Options { handles: BTreeMap::from([(handle, says)]) };
        let (seen, _, summary) = read(&kept.file, &named);
        assert_eq!(values(&seen).len(), 1);
        let said = summary.sentences();
        let said: Vec<&str> =
            said.iter().map(String::as_str).filter(|said| said.starts_with("--handle")).collect();
        assert_eq!(said, Vec::from_iter(told));
    }
}
