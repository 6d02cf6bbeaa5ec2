//! Events and packets, one by one.

use super::write::{CUFF, Kept, sent, x};
use super::*;
use hearth_core::identity::AddressKind;

fn events(kept: &Kept) -> Vec<Event> {
    let (seen, flaw, _) = read(&kept.file, &Options::default());
    assert_eq!(flaw, None);
    seen.into_iter().map(|s| s.event).collect()
}

/// Core, Volume 4, Part E, 7.7.65.1, 7.7.65.10 and its version 2.
#[test]
fn connections_begin_in_three_ways() {
    let rpa = [0x4A, 1, 2, 3, 4, 5];
    for (version, kind, address, want) in [
        (0x01, 0, CUFF, AddressKind::Public),
        (0x01, 1, [0xC0, 1, 2, 3, 4, 5], AddressKind::Identity),
        (0x01, 1, rpa, AddressKind::Private),
        (0x01, 1, [0x0A, 1, 2, 3, 4, 5], AddressKind::Private),
        (0x0A, 1, rpa, AddressKind::Private),
        // The controller resolved it: public and random identity.
        (0x0A, 2, CUFF, AddressKind::Identity),
        (0x29, 3, [0xC0, 1, 2, 3, 4, 5], AddressKind::Identity),
    ] {
        let mut event = vec![version, 0, 0x40, 0x00, 0, kind];
        event.extend(sent(address));
        if version != 0x01 {
            event.extend([0; 6]);
            event.extend(sent(rpa));
        }
        event.extend(x("1800 0000 4800 00"));
        if version == 0x29 {
            event.extend(x("00 FFFF"));
        }
        let mut kept = Kept::btsnoop(1001);
        kept.hci(4, true, &[&[0x3E, event.len() as u8][..], &event].concat());
        let all = events(&kept);
        let Event::Connected(contact) = &all[0] else { panic!("{all:?}") };
        let peer = contact.peer.unwrap();
        assert_eq!((peer.octets, peer.kind, contact.number), (address, want, 1));
        // The log is over, and nobody said goodbye.
        assert!(matches!(all[1], Event::Disconnected { gone: Gone::Lost, .. }));
    }
}

#[test]
fn a_connection_that_failed_is_none() {
    let mut kept = Kept::btsnoop(1001);
    let failed = [&x("3E 13 01 3E 4000 00 00")[..], &sent(CUFF), &x("1800 0000 4800 00")].concat();
    kept.hci(4, true, &failed);
    assert_eq!(events(&kept), []);
}

#[test]
fn who_ended_it_is_told() {
    for (reason, want) in [
        (0x13, Gone::ByDevice),
        (0x15, Gone::ByDevice),
        (0x16, Gone::ByHost),
        (0x08, Gone::Lost),
        (0x3E, Gone::Lost),
    ] {
        let mut kept = Kept::btsnoop(2001);
        kept.connected(0x40, 0, CUFF);
        kept.disconnected(0x40, reason);
        let Event::Disconnected { gone, .. } = events(&kept)[1] else { panic!() };
        assert_eq!(gone, want, "{reason:02X}");
    }
}

/// Two reports in one event; an extended one. 181D 9D: what a scale tells everybody.
#[test]
fn advertisements_are_told() {
    let mut kept = Kept::btsnoop(2001);
    let body = x("02 01 06  07 16 1D18 02 10 27 00  05 FF 5701 ABCD");
    let mut event = vec![0x02, 2];
    for kind in [0, 4] {
        event.extend([kind, 1]);
        event.extend(sent([0xC0, 1, 2, 3, 4, 5]));
        event.push(body.len() as u8);
        event.extend(&body);
        event.push(0xC4);
    }
    kept.hci(4, true, &[&[0x3E, event.len() as u8][..], &event].concat());
    // Event type u16, address, two PHYs, set, power, strength, interval u16, direct address.
    let mut event = x("0D 01 1300 00");
    event.extend(sent(CUFF));
    event.extend(x("01 00 FF 7F C4 0000 00 000000000000"));
    event.push(body.len() as u8);
    event.extend(&body);
    kept.hci(4, true, &[&[0x3E, event.len() as u8][..], &event].concat());
    let all = events(&kept);
    assert_eq!(all.len(), 3);
    for (event, address) in all.iter().zip([[0xC0, 1, 2, 3, 4, 5], [0xC0, 1, 2, 3, 4, 5], CUFF]) {
        let Event::Advertisement(told) = event else { panic!("{event:?}") };
        assert_eq!(told.address.octets, address);
        assert_eq!(told.service_octets, [(0x181D, x("02102700"))]);
        assert_eq!(told.maker_octets, [(0x0157, x("ABCD"))]);
    }
}

/// The address that stays: Identity Address Information of the security manager, from the device.
#[test]
fn a_bond_reveals_the_address_that_stays() {
    let mut kept = Kept::btsnoop(2001);
    kept.connected(0x40, 1, [0x4A, 1, 2, 3, 4, 5]);
    kept.l2cap(0x40, true, 6, &[&x("09 00")[..], &sent(CUFF)].concat(), 27);
    kept.cuff_discovered(0x40);
    kept.att(0x40, true, "1D 1200 16 7C00 5600 6100 E807060F11111B 3300 0000");
    let told = news(&kept.file, &Options::default());
    assert!(told[2].contains(r#""address":"00:09:1F:80:12:34","address_kind":"identity""#), "{told:?}");
}

/// What the device asks the phone, and the phone's answers, are no values of the device.
#[test]
fn what_the_phone_serves_is_not_the_devices() {
    let mut kept = Kept::btsnoop(2001);
    kept.connected(0x40, 0, CUFF);
    // The device looks for the phone's Current Time and reads it; the phone's handle 3 is not the device's handle 3.
    kept.att(0x40, true, "08 0100 FFFF 0328");
    kept.att(0x40, false, "09 07 0200 02 0300 2B2A");
    kept.att(0x40, true, "0A 0300");
    kept.att(0x40, false, "0B E807060F11111B 06 00 00");
    kept.read(0x40, 0x0003, &x("01"));
    let (seen, _, summary) = read(&kept.file, &Options::default());
    assert_eq!(values(&seen), []);
    assert_eq!(summary.unattributed.len(), 1);
}

/// Core, Volume 3, Part F, 3.4.3 and 3.4.4: other ways to learn a handle.
#[test]
fn handles_are_learned_in_every_way() {
    let measurement = "00 7C00 5600 6100";
    let indicated = format!("1D 1200 {measurement}");
    for (question, answer) in [
        // Read By Type of declarations; Find Information with short and with long types; a long type of the base.
        ("08 0100 FFFF 0328", "09 07 1100 20 1200 352A"),
        ("08 0100 FFFF 0328", "09 15 1100 20 1200 FB349B5F80000080 00100000 352A0000"),
        ("04 1200 1300", "05 01 1200 352A 1300 0229"),
        ("04 1200 1200", "05 02 1200 FB349B5F80000080 00100000 352A0000"),
    ] {
        let mut kept = Kept::btsnoop(1002);
        kept.connected(1, 0, CUFF);
        kept.ask(1, question, answer);
        kept.att(1, true, &indicated);
        let (seen, _, _) = read(&kept.file, &Options::default());
        assert_eq!(values(&seen), [("2A35".into(), "007C0056006100".into(), How::Indication)], "{answer}");
    }
    // Several notifications in one PDU: handle, length, value.
    let mut kept = Kept::btsnoop(1002);
    kept.connected(1, 0, CUFF);
    kept.ask(1, "08 0100 FFFF 0328", "09 07 1100 10 1200 182A 1400 10 1500 342A");
    kept.att(1, true, "23 1200 0300 AABBCC 1500 0100 DD");
    let (seen, _, _) = read(&kept.file, &Options::default());
    let want = [("2A18", "AABBCC"), ("2A34", "DD")];
    assert_eq!(values(&seen), want.map(|(c, hex)| (c.into(), hex.into(), How::Notification)));
    // What a cache remembers lasts over connections of the same device, and of no other.
    for (address, told) in [(CUFF, 1), ([0, 9, 0x1F, 0x80, 0x12, 0x35], 0)] {
        let mut kept = Kept::btsnoop(1002);
        kept.connected(1, 0, CUFF);
        kept.ask(1, "08 0100 FFFF 0328", "09 07 1100 20 1200 352A");
        kept.disconnected(1, 0x16);
        kept.connected(2, 0, address);
        kept.att(2, true, &indicated);
        let (seen, _, _) = read(&kept.file, &Options::default());
        assert_eq!(values(&seen).len(), told);
    }
    // A maker's own characteristic.
    let mut kept = Kept::btsnoop(1002);
    kept.connected(1, 0, CUFF);
    kept.ask(1, "08 0100 FFFF 0328", "09 15 1100 20 1200 000102030405060708090A0B0C0D0E0F");
    kept.att(1, true, &indicated);
    let (_, _, summary) = read(&kept.file, &Options::default());
    assert_eq!(summary.own.values().next().unwrap().count, 1);
    assert!(summary.sentences()[0].contains("0f0e0d0c0b0a09080706050403020100"));
}

/// Core, Volume 3, Part F, 3.4.4.5: a value longer than a PDU is read on from where it ended.
#[test]
fn long_values_are_read_on() {
    let text = b"A manufacturer with a rather long name";
    let declared = |kept: &mut Kept| {
        kept.connected(1, 0, CUFF);
        // The host takes 247 octets, the device 23: the smaller counts.
        kept.ask(1, "02 F700", "03 1700");
        kept.ask(1, "08 0100 FFFF 0328", "09 07 0200 02 0300 292A");
    };
    let hex = |octets: &[u8]| data_encoding::HEXUPPER.encode(octets);
    let mut kept = Kept::btsnoop(1002);
    declared(&mut kept);
    kept.read(1, 3, &text[..22]);
    kept.ask(1, "0C 0300 1600", &format!("0D {}", hex(&text[22..])));
    // Just as long as a PDU; asked on, there is no more.
    kept.read(1, 3, &text[..22]);
    kept.ask(1, "0C 0300 1600", "0D");
    kept.read(1, 3, &text[..22]);
    kept.ask(1, "0C 0300 1600", "01 0C 0300 0B");
    // Not asked on.
    kept.read(1, 3, &text[..22]);
    kept.disconnected(1, 0x16);
    let (seen, _, _) = read(&kept.file, &Options::default());
    let all: Vec<String> = values(&seen).into_iter().map(|(_, hex, _)| hex).collect();
    assert_eq!(all, [hex(text), hex(&text[..22]), hex(&text[..22]), hex(&text[..22])]);
}
