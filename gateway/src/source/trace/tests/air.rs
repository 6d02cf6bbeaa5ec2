//! What a sniffer heard.

use super::write::{Kept, sent, x};
use super::*;

const PERIPHERAL: [u8; 6] = [0xC0, 0x11, 0x22, 0x33, 0x44, 0x55];
const CENTRAL: [u8; 6] = [0x5A, 0x01, 0x02, 0x03, 0x04, 0x05];

/// The radio's ten octets: channel, signal, noise, offenses, reference access address, flags. Flags: dewhitened,
/// checksum checked and valid, and who spoke (2 the central, 3 the peripheral) from bit 7.
fn radio(direction: u16, more: u16) -> Vec<u8> {
    let flags = 0x0C01 | direction << 7 | more;
    [&x("00 C4 00 00 00000000")[..], &flags.to_le_bytes()].concat()
}

struct Air {
    kept: Kept,
    radio: bool,
    sequence: [bool; 2],
}

impl Air {
    fn new(link: u32) -> Air {
        Air { kept: Kept::pcap(true, false, link), radio: link == 256, sequence: [false; 2] }
    }

    fn packet(&mut self, direction: u16, more: u16, access: u32, pdu: &[u8]) {
        let mut octets = if self.radio { radio(direction, more) } else { vec![] };
        octets.extend(access.to_le_bytes());
        octets.extend(pdu);
        octets.extend([0xAA, 0xBB, 0xCC]);
        self.kept.record(0, &octets);
    }

    /// Type 5, both addresses random: initiator, advertiser, access address, CRC's start, window, interval and so on.
    fn connect(&mut self) {
        let mut pdu = x("C5 22");
        pdu.extend(sent(CENTRAL));
        pdu.extend(sent(PERIPHERAL));
        pdu.extend(x("78563412 112233 03 0800 1800 0000 4800 FFFFFFFF1F 09"));
        self.packet(0, 0, 0x8E89_BED6, &pdu);
    }

    /// A data PDU: 1 continuation, 2 first, 3 control; bit 3 is the sequence bit.
    fn data(&mut self, by_peripheral: bool, kind: u8, more: u16, payload: &[u8]) {
        let bit = &mut self.sequence[usize::from(by_peripheral)];
        let head = kind | u8::from(*bit) << 3;
        *bit = !*bit;
        let pdu = [&[head, payload.len() as u8][..], payload].concat();
        self.packet(if by_peripheral { 3 } else { 2 }, more, 0x1234_5678, &pdu);
    }

    /// An attribute PDU in packets of at most so many octets.
    fn att(&mut self, by_peripheral: bool, most: usize, hex: &str) {
        let payload = x(hex);
        let mut pdu = (payload.len() as u16).to_le_bytes().to_vec();
        pdu.extend([4, 0]);
        pdu.extend(payload);
        for (nth, part) in pdu.chunks(most).enumerate() {
            self.data(by_peripheral, if nth == 0 { 2 } else { 1 }, 0, part);
        }
    }

    fn meter(&mut self) {
        self.connect();
        self.att(false, 27, "08 0100 0F00 0328");
        self.att(true, 27, "09 07 0200 10 0300 182A");
        // 24 octets in packets of 10; empty PDUs of the other side between them are no part of it.
        let measurement = x("1400 0400 1B 0300 0B 2A00 E807060F080000 0000 6F B0 11 0000");
        let (one, two) = measurement.split_at(10);
        self.data(true, 2, 0, one);
        self.data(false, 1, 0, &[]);
        self.data(true, 1, 0, two);
    }
}

const MEASUREMENT: &str = "0B2A00E807060F08000000006FB0110000";

/// A meter that advertises, is connected to, discovered, sends a record in two packets, and ends it.
pub(in crate::source::trace) fn sniffed(link: u32) -> Vec<u8> {
    let mut air = Air::new(link);
    // ADV_IND, random: address, flags, services 1808, name "meter+1".
    let advertisement =
        [&x("40 17")[..], &sent(PERIPHERAL), &x("02 01 06 03 03 0818 08 09 6D657465722B31")].concat();
    let mut pdu = advertisement.clone();
    pdu[1] = (pdu.len() - 2) as u8;
    air.packet(0, 0, 0x8E89_BED6, &pdu);
    air.meter();
    // LL_TERMINATE_IND, remote user.
    air.data(true, 3, 0, &x("02 13"));
    air.kept.file
}

/// The same without the advertisement, and whatever the meter says is sent twice: the first was not confirmed.
pub(in crate::source::trace) fn sniffed_twice() -> Vec<u8> {
    let mut air = Air::new(256);
    air.connect();
    air.att(false, 27, "08 0100 0F00 0328");
    air.att(true, 27, "09 07 0200 10 0300 182A");
    let measurement = x("1400 0400 1B 0300 0B 2A00 E807060F080000 0000 6F B0 11 0000");
    for (kind, part) in [(2, &measurement[..10]), (1, &measurement[10..])] {
        air.data(true, kind, 0, part);
        air.sequence[1] = !air.sequence[1];
        air.data(true, kind, 0, part);
    }
    air.kept.file
}

#[test]
fn a_sniffed_session_is_told() {
    for link in [251, 256] {
        let log = sniffed(link);
        let (seen, flaw, summary) = read(&log, &Options::default());
        assert_eq!(flaw, None);
        assert_eq!(values(&seen), [("2A18".into(), MEASUREMENT.into(), How::Notification)], "{link}");
        assert_eq!(summary.sentences(), Vec::<String>::new(), "{link}");
        let Event::Advertisement(told) = &seen[0].event else { panic!("{seen:?}") };
        assert_eq!(told.name.as_deref(), Some("meter+1"));
        assert_eq!(told.services, [0x1808]);
        assert_eq!(told.address.octets, PERIPHERAL);
        // 251 does not tell who ended it.
        let gone = if link == 256 { Gone::ByDevice } else { Gone::Lost };
        let Event::Disconnected { contact, gone: was } = seen.last().unwrap().event else {
            panic!("{seen:?}")
        };
        assert_eq!((was, contact.peer.unwrap().octets), (gone, PERIPHERAL));
        let told = news(&log, &Options::default());
        assert!(told.iter().any(|line| line.contains(r#""name":"meter+1","services":["1808"]"#)), "{told:?}");
    }
}

#[test]
fn what_is_sent_again_is_heard_once() {
    let mut air = Air::new(256);
    air.meter();
    let notification = x("0700 0400 1B 0300 02 2A00 01");
    for again in [true, false] {
        air.data(true, 2, 0, &notification);
        if again {
            // The same sequence bit: nobody confirmed it.
            air.sequence[1] = !air.sequence[1];
        }
    }
    // The next sequence bit: the same octets, said anew.
    air.data(true, 2, 0, &notification);
    let (seen, ..) = read(&air.kept.file, &Options::default());
    assert_eq!(values(&seen).len(), 1 + 2);
}

#[test]
fn encryption_is_said_and_never_guessed_at() {
    let mut air = Air::new(256);
    air.meter();
    // LL_ENC_REQ … LL_START_ENC_REQ; what follows is cipher text, though it looks like a notification.
    air.data(true, 3, 0, &x("05"));
    air.att(true, 27, "1B 0300 0B 2B00 E807060F080100 0000 6F B0 11 0000");
    // The sniffer had the key: told, and the link was bonded. The four octets at the end are the MIC.
    air.data(true, 2, 0x0008, &x("1400 0400 1B 0300 0B 2C00 E807060F080200 0000 6F B0 11 0000 DEADBEEF"));
    let (seen, _, summary) = read(&air.kept.file, &Options::default());
    let last = seen.iter().rev().find_map(|s| match &s.event {
        Event::Value(value) => Some(value.clone()),
        _ => None,
    });
    let last = last.unwrap();
    assert_eq!(last.octets, x("0B 2C00 E807060F080200 0000 6F B0 11 0000"));
    assert_eq!(last.link, hearth_core::capture::Link::Bonded);
    assert_eq!(values(&seen).len(), 2);
    assert_eq!(summary.losses[&Loss::Encrypted].0, 1);
    assert!(summary.sentences().join("\n").contains("packets that are encrypted: 1; not read"));
}

#[test]
fn what_the_sniffer_missed_is_counted() {
    // No CONNECT_IND; a checksum that failed; a continuation without its beginning.
    let mut air = Air::new(256);
    air.att(true, 27, "1B 0300 00");
    let (seen, _, summary) = read(&air.kept.file, &Options::default());
    assert!(seen.is_empty());
    assert_eq!(summary.losses[&Loss::BeganEarlier].0, 1);
    let mut air = Air::new(256);
    air.meter();
    air.data(true, 1, 0, &x("0102"));
    let mut garbled = radio(3, 0);
    garbled[9] &= !0x08;
    air.kept.record(0, &[&garbled[..], &x("78563412 02 00 AABBCC")].concat());
    let (_, _, summary) = read(&air.kept.file, &Options::default());
    let losses: Vec<_> = summary.losses.iter().map(|(loss, (count, _))| (*loss, *count)).collect();
    assert_eq!(losses, [(Loss::Astray, 1), (Loss::Garbled, 1)]);
}
