#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn a_line_says_one_thing() {
    let line = parse(
        r#"{"at":20,"heard":{"device":"cuff","contact":1,"characteristic":"2a35","hex":"00ff"},"note":"n"}"#,
    );
    let said = Said::Heard {
        device: "cuff".into(),
        contact: 1,
        link: Link::Bonded,
        origin: None,
        characteristic: Uuid16(0x2A35),
        octets: vec![0, 0xFF],
    };
    assert_eq!(line.unwrap(), Some(Line { at: Some(20), said }));
    assert_eq!(parse("").unwrap(), None);
    assert_eq!(parse("  # a comment").unwrap(), None);
}

#[test]
fn a_bad_line_names_the_place_and_the_cure() {
    for (text, part) in [
        ("{", "at column 1; a line is one JSON object"),
        ("{}", "says 0"),
        (r#"{"boot":true,"silence":true}"#, "says 2"),
        (r#"{"hurd":1}"#, "unknown field `hurd`"),
        (
            r#"{"heard":{"device":"c","contact":1,"characteristic":"2A3","hex":""}}"#,
            "four hexadecimal digits",
        ),
        (r#"{"heard":{"device":"c","contact":1,"characteristic":"2A35","hex":"0"}}"#, "two digits an octet"),
        (r#"{"met":{"device":"c","address":"00:09"}}"#, "six octets"),
        (r#"{"met":{"address":"00:09:1F:80:12:34"}}"#, "give the device a name"),
        (r#"{"clock":{"device":"c","contact":1,"shows":"2024-02-30T00:00:00"}}"#, "day"),
        (r#"{"ended":{"device":"c","contact":1,"how":"tired"}}"#, "drained"),
        (r#"{"hub_time":"yesterday"}"#, "column"),
    ] {
        let said = parse(text).unwrap_err();
        assert!(said.contains(part), "{text}: {said}");
    }
}

/// What is written is read as it was, whatever is said.
#[test]
fn what_is_written_is_read_again() {
    for text in [
        r#"{"boot":true}"#,
        r#"{"at":0,"hub_time":"2024-06-15T21:17:40Z"}"#,
        r#"{"at":-5,"met":{"device":"cuff","services":[]}}"#,
        r#"{"met":{"device":"c","address":"00:09:1F:80:12:34","address_kind":"private","name":"n","services":["1810","180A"],"system_id":"0102030405060708","serial":"s","manufacturer":"m","model":"o","firmware":"f"}}"#,
        r#"{"heard":{"device":"c","contact":1,"link":"open","characteristic":"2A35","hex":"00FF"}}"#,
        r#"{"heard":{"device":"c","contact":1,"link":"broadcast","origin":{"recorder":"0102030405060708","epoch":1,"number":2},"characteristic":"2A35","hex":""}}"#,
        r#"{"heard":{"device":"c","contact":1,"link":"wired","characteristic":"2A35","hex":"00"}}"#,
        r#"{"clock":{"device":"c","contact":1,"face":"base","shows":"2024-06-15T17:17:41","asked":20}}"#,
        r#"{"clock":{"device":"c","contact":1,"shows":"2024-06-15T17:17:41"}}"#,
        r#"{"ended":{"device":"c","contact":1,"how":"drained"}}"#,
        r#"{"ended":{"device":"c","contact":1,"how":"lost"}}"#,
        r#"{"bind":{"device":"c","slot":1,"patient":{"clinic":"p"},"zone":"Europe/Berlin","from":"2024-06-15T21:17:40Z","until":"2024-07-15T21:17:40Z","sole_use_attested_by":"n","labels":["R"],"instead":true}}"#,
        r#"{"retract":1}"#,
        r#"{"reissue":2}"#,
        r#"{"silence":true}"#,
    ] {
        let line = parse(text).unwrap().unwrap();
        assert_eq!(parse(&write(&line)).unwrap(), Some(line), "{text}");
    }
}
