//! The frames' octets, worked out by hand from the tables in the types' documentation.
#![allow(clippy::unwrap_used)]

use super::said::{Ending, Link, Said, What};
use super::*;
use crate::Malformed;

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|octet| *octet != b' ').collect();
    let octet = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

/// These octets say this, and this is said in these octets; each octet less is refused, and each more is left alone.
macro_rules! check {
    ($type:ty, $frame:expr, $octets:expr) => {{
        let (frame, octets): ($type, Vec<u8>) = ($frame, hex($octets));
        let mut buffer = [0; line::LONGEST];
        assert_eq!(frame.encode(&mut buffer).unwrap(), octets, "{frame:?}");
        let decoded = <$type>::decode(&octets).unwrap();
        assert_eq!((decoded.value, decoded.trailing), (frame, &[][..]));
        for short in 1..octets.len() {
            let (short, _) = octets.split_at(short);
            assert!(
                matches!(<$type>::decode(short), Err(Malformed::Truncated { .. })),
                "{short:02X?} of {frame:?}"
            );
            assert!(frame.encode(&mut buffer[..short.len()]).is_err());
        }
        let more = [&octets[..], &[7, 0]].concat();
        let decoded = <$type>::decode(&more).unwrap();
        assert_eq!((decoded.value, decoded.trailing), (frame, &[7, 0][..]), "what a later version adds");
    }};
}

const CUFF: Peer = Peer::Device(AddressKind::Random, [0xC0, 0xFF, 0xEE, 0x00, 0x01, 0x02]);

#[test]
fn what_a_bridge_says() {
    let hello = Hello {
        protocol: 1,
        bridge: BridgeId(*b"\x02\x00\x5E\x10\x00\x00\x00\x2A"),
        epoch: 7,
        is_adopted: true,
        acknowledged: Place { epoch: 6, number: 3 },
        now: Ticks(0x01_02_03_04_05_06),
        firmware: Version { major: 1, minor: 4, patch: 2 },
        board: "nrf52840",
        can: Capabilities::BLUETOOTH.and(Capabilities::UPDATE),
        waiting: 3,
        configuration: 0xDEAD_BEEF,
        on_trial: true,
        reverted_from: Version { major: 1, minor: 5, patch: 0 },
    };
    check!(
        ToHub<'_>,
        ToHub::Hello(hello),
        "01 01 02005E100000002A 07000000 01 06000000 03000000 060504030201 0100 0400 0200 0800 6E72663532383430 0900 03000000 EFBEADDE 01 0100 0500 0000"
    );
    assert!(hello.can.has(Capabilities::BLUETOOTH) && !hello.can.has(Capabilities::SCALE));
    check!(
        ToHub<'_>,
        ToHub::Record {
            after: Place { epoch: 6, number: 3 },
            place: Place { epoch: 7, number: 0x0102 },
            said: &[0xAA, 0xBB],
        },
        "02 06000000 03000000 07000000 02010000 0200 AABB"
    );
    let heard = Heard { at: Ticks(9), peer: CUFF, rssi: -61, octets: &[2, 1, 6] };
    check!(ToHub<'_>, ToHub::Heard(heard), "03 090000000000 01 C0FFEE000102 C3 0300 020106");
    for (what, octets) in [
        (Prompt::Enter, "04 0500 00 00000000"),
        (Prompt::Show(123_456), "04 0500 01 40E20100"),
        (Prompt::Compare(7), "04 0500 02 07000000"),
        (Prompt::Other(9, 1), "04 0500 09 01000000"),
    ] {
        check!(ToHub<'_>, ToHub::Prompt { token: 5, what }, octets);
    }
    for (standing, code) in [
        (Standing::Unpaired, "00"),
        (Standing::Fresh, "01"),
        (Standing::Good, "02"),
        (Standing::Stale, "03"),
        (Standing::Other(4), "04"),
    ] {
        check!(ToHub<'_>, ToHub::Bond { peer: CUFF, standing }, &format!("05 01 C0FFEE000102 {code}"));
    }
    for (level, code) in [
        (Level::Error, "00"),
        (Level::Warning, "01"),
        (Level::Info, "02"),
        (Level::Debug, "03"),
        (Level::Other(4), "04"),
    ] {
        check!(
            ToHub<'_>,
            ToHub::Log { at: Ticks(1), level, text: "up" },
            &format!("06 010000000000 {code} 0200 7570")
        );
    }
    check!(ToHub<'_>, ToHub::Time { token: 1, epoch: 2, now: Ticks(3) }, "07 0100 02000000 030000000000");
    for (outcome, octets) in [
        (Outcome::Good, "08 0100 00"),
        (Outcome::Unknown, "08 0100 01"),
        (Outcome::Busy, "08 0100 02"),
        (Outcome::Refused("no"), "08 0100 03 0200 6E6F"),
        (Outcome::Flash, "08 0100 04"),
    ] {
        check!(ToHub<'_>, ToHub::Done { token: 1, outcome }, octets);
    }
}

#[test]
fn what_a_hub_says() {
    for (frame, octets) in [
        (ToBridge::Hello { protocol: 1 }, "01 01"),
        (ToBridge::Acknowledge { up_to: Place { epoch: 1, number: 2 } }, "02 01000000 02000000"),
        (ToBridge::Adopt { token: 1, epoch: 2 }, "03 0100 02000000"),
        (ToBridge::AskTime { token: 0x0102 }, "04 0201"),
        (
            ToBridge::Configure { token: 1, digest: 4, from: 2, of: 3, octets: &[9] },
            "05 0100 04000000 0200 0300 0100 09",
        ),
        (ToBridge::Look { token: 1, seconds: 30 }, "06 0100 1E00"),
        (ToBridge::Pair { token: 1, peer: CUFF }, "07 0100 01 C0FFEE000102"),
        (ToBridge::Digits { token: 1, digits: Some(42) }, "08 0100 2A000000"),
        (ToBridge::Digits { token: 1, digits: None }, "08 0100 FFFFFFFF"),
        (ToBridge::Unpair { token: 1, peer: Peer::Wired(3) }, "09 0100 02 030000000000"),
        (
            ToBridge::Update {
                token: 1,
                size: 0x0001_0000,
                version: Version { major: 2, minor: 0, patch: 1 },
                forced: false,
                board: "rp2040",
            },
            "0A 0100 00000100 0200 0000 0100 00 0600 727032303430",
        ),
        (ToBridge::Image { token: 1, from: 512, octets: &[1, 2] }, "0B 0100 00020000 0200 0102"),
        (ToBridge::Confirm { token: 1 }, "0D 0100"),
        (ToBridge::Restart { token: 1 }, "0E 0100"),
        (ToBridge::Calibrate { token: 1, grams: 20_000 }, "0F 0100 204E0000"),
        (
            ToBridge::TimeOfDay {
                token: 1,
                time: TimeOfDay {
                    configuration: 0xDEAD_BEEF,
                    epoch: 7,
                    at: Ticks(9),
                    utc_ms: 0x0190_1D7D_2820,
                    until: Ticks(0x0102),
                },
            },
            "10 0100 EFBEADDE 07000000 090000000000 20287D1D9001 020100000000",
        ),
    ] {
        check!(ToBridge<'_>, frame, octets);
    }
    check!(
        ToBridge<'_>,
        ToBridge::Start { token: 1, signature: [0x5A; 64] },
        &format!("0C 0100 {}", "5A".repeat(64))
    );
}

#[test]
fn what_a_record_says() {
    let (value, answer, clock) = (&[0x16, 0x75][..], &b"7000001"[..], &[0xE8, 0x07][..]);
    for (what, octets) in [
        (What::Value { link: Link::Bonded, characteristic: 0x2A35, octets: value }, "01 00 352A 0200 1675"),
        (What::Value { link: Link::Open, characteristic: 0x2A35, octets: &[] }, "01 01 352A 0000"),
        (What::Value { link: Link::Broadcast, characteristic: 0x181D, octets: &[] }, "01 02 1D18 0000"),
        (What::Value { link: Link::Wired, characteristic: 0x2A1C, octets: &[] }, "01 03 1C2A 0000"),
        (What::Value { link: Link::Other(9), characteristic: 0x2A1C, octets: &[] }, "01 09 1C2A 0000"),
        (What::Answer { characteristic: 0x2A25, octets: answer }, "02 252A 0700 37303030303031"),
        (
            What::Clock { asked: Ticks(0x0102), characteristic: 0x2A08, octets: clock },
            "03 020100000000 082A 0200 E807",
        ),
        (What::Ended { how: Ending::Drained, values: 3 }, "04 00 00000000 0300"),
        (What::Ended { how: Ending::Lost, values: 0 }, "04 01 00000000 0000"),
        (What::Ended { how: Ending::Short { counted: 300, came: 7 }, values: 7 }, "04 02 2C01 0700 0700"),
        (What::Ended { how: Ending::Silent, values: 0 }, "04 03 00000000 0000"),
        (What::Ended { how: Ending::BondLost, values: 0 }, "04 04 00000000 0000"),
        (What::Ended { how: Ending::Refused(5), values: 0 }, "04 05 05000000 0000"),
        (What::Ended { how: Ending::NoRoom, values: 1 }, "04 06 00000000 0100"),
        (What::Ended { how: Ending::Other(7, [1, 2, 3, 4]), values: 1 }, "04 07 01020304 0100"),
        (What::Lost { count: 5, until: Ticks(9) }, "05 05000000 090000000000"),
    ] {
        check!(
            Said<'_>,
            Said { at: Ticks(8), peer: CUFF, contact: 2, what },
            &format!("080000000000 01 C0FFEE000102 02000000 {octets}")
        );
    }
}

/// An older reader names what it does not know, and passes it on.
#[test]
fn what_a_later_version_says_survives() {
    let mut buffer = [0; line::LONGEST];
    for octets in ["63", "63 010203"] {
        let octets = hex(octets);
        let (kind, rest) = octets.split_first().unwrap();
        let said = ToHub::decode(&octets).unwrap().value;
        assert_eq!(said, ToHub::Other { kind: *kind, octets: rest });
        assert_eq!(said.encode(&mut buffer).unwrap(), octets);
        let said = ToBridge::decode(&octets).unwrap().value;
        assert_eq!(said, ToBridge::Other { kind: *kind, octets: rest });
        assert_eq!(said.encode(&mut buffer).unwrap(), octets);
    }
    let octets = hex("08 0100 63 0102");
    let said = ToHub::decode(&octets).unwrap().value;
    assert_eq!(said, ToHub::Done { token: 1, outcome: Outcome::Other { code: 0x63, octets: &[1, 2] } });
    assert_eq!(said.encode(&mut buffer).unwrap(), octets);
    let octets = hex("080000000000 09 C0FFEE000102 02000000 63 0102");
    let said = Said::decode(&octets).unwrap().value;
    assert_eq!(said.peer, Peer::Other(9, [0xC0, 0xFF, 0xEE, 0, 1, 2]));
    assert_eq!(said.what, What::Other { kind: 0x63, octets: &[1, 2] });
    assert_eq!(said.encode(&mut buffer).unwrap(), octets);
    assert_eq!(ToHub::decode(&[]), Err(Malformed::Empty));
    assert_eq!(
        ToHub::decode(&hex("06 010000000000 00 0200 FFFF")),
        Err(Malformed::NotText { at: 10 }),
        "text is UTF-8"
    );
}

#[test]
fn records_are_in_the_order_in_which_they_were_made() {
    let place = |epoch, number| Place { epoch, number };
    assert!(place(1, 9) < place(2, 1) && place(2, 1) < place(2, 2) && Place::default() < place(1, 1));
}

/// The longest value that a single packet of a link carries (Core, Vol 6, Part B, 2.4: 251 octets, with L2CAP's four and ATT's three) has
/// room.
#[test]
fn the_longest_value_has_room() {
    let mut buffer = [0; line::LONGEST];
    let octets = [0xFF; 244];
    let what = What::Value { link: Link::Bonded, characteristic: 0x2A18, octets: &octets };
    let said = Said { at: Ticks(1), peer: CUFF, contact: 1, what }.encode(&mut buffer).unwrap().to_vec();
    let mut buffer = [0; line::LONGEST];
    let frame = ToHub::Record { after: Place::default(), place: Place::default(), said: &said };
    assert!(frame.encode(&mut buffer).is_ok());
}
