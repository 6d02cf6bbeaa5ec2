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
