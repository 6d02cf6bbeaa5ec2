//! Logs worked out by hand from the standards, octet by octet, and what they must tell.
#![allow(clippy::unwrap_used)]

pub(super) mod air;
mod bounds;
mod hci;
mod sessions;
pub(super) mod write;

use super::*;
use write::Kept;

/// Everything that a log tells, and how it ended.
fn read(octets: &[u8], options: &Options) -> (Vec<Seen>, Option<String>, Summary) {
    let mut trace = match Trace::open(octets, options) {
        Ok(trace) => trace,
        Err(flaw) => return (vec![], Some(flaw.to_string()), Summary::default()),
    };
    let (mut seen, mut flaw) = (vec![], None);
    for item in trace.by_ref() {
        match item {
            Ok(one) => seen.push(one),
            Err(e) => flaw = Some(e.to_string()),
        }
    }
    (seen, flaw, trace.summary().clone())
}

/// The lines that a log becomes; every one of them must be readable.
fn news(octets: &[u8], options: &Options) -> Vec<String> {
    let owned = std::io::Cursor::new(octets.to_vec());
    let lines: Vec<Line> = lines(owned, options).unwrap().collect();
    lines
        .into_iter()
        .map(|line| {
            let text = line.text.unwrap_or_else(|said| panic!("{}: {said}", line.place));
            crate::source::lines::parse(&text).unwrap().unwrap();
            text
        })
        .collect()
}

/// Values told, by characteristic, octets in hex and how.
fn values(seen: &[Seen]) -> Vec<(String, String, How)> {
    seen.iter()
        .filter_map(|seen| match &seen.event {
            Event::Value(v) => {
                let hex = data_encoding::HEXUPPER.encode(&v.octets);
                Some((format!("{:04X}", v.characteristic), hex, v.how))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn files_are_known_by_their_first_octets() {
    for (first, format) in [
        (&b"btsnoop\0\0\0\0\x01"[..], Format::Btsnoop),
        (b"\xD4\xC3\xB2\xA1\x02\0\x04\0", Format::Pcap),
        (b"\xA1\xB2\xC3\xD4\0\x02\0\x04", Format::Pcap),
        (b"\x4D\x3C\xB2\xA1\x02\0\x04\0", Format::Pcap),
        (b"\xA1\xB2\x3C\x4D\0\x02\0\x04", Format::Pcap),
        (b"\x0A\x0D\x0D\x0A", Format::Pcapng),
        (b"{\"boot\": true}", Format::Lines),
        (b"btsnoop", Format::Lines),
        (b"", Format::Lines),
    ] {
        assert_eq!(sniff(first), format, "{first:02X?}");
        let (looked, mut whole) = look(first).unwrap();
        let mut again = vec![];
        whole.read_to_end(&mut again).unwrap();
        assert_eq!((looked, &again[..]), (format, first));
    }
}

#[test]
fn what_is_not_read_is_refused_with_the_cure() {
    let pcapng = [&b"\x0A\x0D\x0D\x0A"[..], &[0; 40]].concat();
    for (octets, part) in [
        (&pcapng[..], "editcap -F pcap"),
        (&Kept::btsnoop(1003).file, "btmon -w"),
        (&Kept::pcap(true, false, 272).file, "LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR"),
        (b"btsnoop\0\0\0", "16 octets, of which the file holds 10"),
        (b"btsnoop\0\0\0\0\x02\0\0\x03\xEA", "version 1 (it says 2)"),
        (b"\xD4\xC3\xB2\xA1\x02", "24 octets, of which the file holds 5"),
    ] {
        let (_, flaw, _) = read(octets, &Options::default());
        let flaw = flaw.unwrap();
        assert!(flaw.contains(part), "{flaw}");
        let said = lines(std::io::Cursor::new(octets.to_vec()), &Options::default()).unwrap_err();
        assert_eq!(said, flaw);
    }
}
