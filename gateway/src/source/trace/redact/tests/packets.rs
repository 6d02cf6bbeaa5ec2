//! What must not pass, packet by packet.

use super::*;

/// What is not understood does not pass: each of these records holds `53454352 4554` ("SECRET") somewhere.
#[test]
fn what_is_not_understood_does_not_pass() {
    let secret = b"SECRET";
    let mut kept = Kept::btsnoop(1002);
    kept.connected(0x40, 0, CUFF);
    let packets: [(u8, bool, Vec<u8>); 6] = [
        // A vendor's event; a vendor's command; Write Local Name.
        (4, true, [&x("FF 06")[..], secret].concat()),
        (1, false, [&x("01FC 06")[..], secret].concat()),
        (1, false, [&x("130C 06")[..], secret].concat()),
        // Command Complete of Read Local Name.
        (4, true, [&x("0E 0A 01 140C 00")[..], secret].concat()),
        // LE Enable Encryption: handle, random, diversifier, key.
        (1, false, [&x("1920 1C 4000 0102030405060708 0910")[..], secret, &[0; 10]].concat()),
        // Add Device To Resolving List: kind, address, two keys.
        (1, false, [&x("2720 27 00")[..], &sent(CUFF), secret, &[0; 26]].concat()),
    ];
    for (kind, received, packet) in packets {
        kept.hci(kind, received, &packet);
    }
    // Security manager: Encryption Information, Identity Information (keys).
    for opcode in [6, 8] {
        kept.l2cap(0x40, true, 6, &[&[opcode][..], secret, &[0; 10]].concat(), 27);
    }
    // A handle that nobody declared; a channel that is not read; a characteristic that is not known (2A8A, First Name).
    kept.l2cap(0x40, true, 4, &[&x("1B 7700")[..], secret].concat(), 27);
    kept.l2cap(0x40, true, 0x41, secret, 27);
    kept.ask(0x40, "08 0100 0F00 0328", "09 07 0200 02 0300 8A2A");
    kept.read(0x40, 0x0003, secret);
    // An advertisement: manufacturer's octets after the company identifier.
    let mut report = x("3E 16 02 01 00 00");
    report.extend(sent(CUFF));
    report.extend(x("0A 09 FF 6900"));
    report.extend(secret);
    report.push(0xC4);
    kept.hci(4, true, &report);
    let (made, told) = redacted(&kept.file, &Options::default());
    assert!(!holds(&made, secret));
    // The vendor's two, and the name's one.
    assert_eq!(told.left_out, 3);
    // Yet it is a log of the same things.
    let kinds = |log: &[u8]| seen(log).iter().map(|s| std::mem::discriminant(&s.event)).collect::<Vec<_>>();
    assert_eq!(kinds(&made), kinds(&kept.file));
}

/// Packets that tell an address, the host's name or a person: none of it passes, also where the reader reads on.
#[test]
fn whoever_a_packet_names_does_not_pass() {
    let (secret, address) = (b"SECRET", sent(CUFF));
    let name = [&[7, 9][..], secret].concat();
    // Kind, received, what stands before the length and after it.
    let packets: Vec<(u8, bool, Vec<u8>, Vec<u8>)> = vec![
        // Write Extended Inquiry Response; LE Set Advertising Data, Scan Response Data.
        (1, false, x("520C"), [&[0][..], &name].concat()),
        (1, false, x("0820"), [&[8][..], &name].concat()),
        (1, false, x("0920"), [&[8][..], &name].concat()),
        // LE Set Random Address; remove from the accept list, from the resolving list; BR/EDR Create Connection.
        (1, false, x("0520"), address.clone()),
        (1, false, x("1220"), [&[0][..], &address].concat()),
        (1, false, x("2820"), [&[0][..], &address].concat()),
        (1, false, x("0504"), [&address[..], &x("18CC 01 00 0000 01")].concat()),
        // LE Create Connection, LE Add Device To Accept List, LE Extended Create Connection.
        (
            1,
            false,
            x("0D20"),
            [&x("6000 3000 00 00")[..], &address, &x("00 1800 2800 0000 4800 0000 0000")].concat(),
        ),
        (1, false, x("1120"), [&[0][..], &address].concat()),
        (
            1,
            false,
            x("4320"),
            [&x("00 00 00")[..], &address, &x("01 6000 3000 1800 2800 0000 4800 0000 0000")].concat(),
        ),
        // Command Complete of Read BD_ADDR; Remote Name Request Complete; Connection Request.
        (4, true, x("0E"), [&x("01 0910 00")[..], &address].concat()),
        (4, true, x("07"), [&[0][..], &address, secret].concat()),
        (4, true, x("04"), [&address[..], &x("0C025A 01")].concat()),
        // LE: Directed Advertising Report; Enhanced Connection Complete, whose tail has more than the standard has.
        (4, true, x("3E"), [&x("0B 01 01 00")[..], &address, &[1], &address, &[0xC4]].concat()),
        (
            4,
            true,
            x("3E"),
            [&x("0A 00 4000 00 00")[..], &address, &address, &address, &x("1800 0000 4800 00"), secret]
                .concat(),
        ),
        // Number Of Completed Packets and Encryption Key Refresh Complete, with more than they have.
        (4, true, x("13"), [&x("01 4000 0100")[..], secret].concat()),
        (4, true, x("30"), [&x("00 4000")[..], secret].concat()),
        // A scan response with a name and a maker's octets.
        (
            4,
            true,
            x("3E"),
            [&x("02 01 04 00")[..], &address, &[18], &name, &x("09 FF 6900"), &address, &[0xC4]].concat(),
        ),
    ];
    let mut kept = Kept::btsnoop(1002);
    for (kind, received, head, body) in &packets {
        kept.hci(*kind, *received, &[&head[..], &[body.len() as u8], body].concat());
    }
    kept.connected(0x41, 0, CUFF);
    // Pairing Request with more than it has; Identity Address Information.
    kept.l2cap(0x41, true, 6, &[&x("01 03 00 01 10 07 07")[..], secret].concat(), 27);
    kept.l2cap(0x41, true, 6, &[&x("09 00")[..], &address].concat(), 27);
    // A read by a group that is no service's; user data: last name, index with more behind it.
    kept.ask(0x41, "10 0100 FFFF 8A2A", "11 0A 0100 0200 534543524554");
    kept.ask(0x41, "08 0100 0F00 0328", "09 07 0200 02 0300 902A 0400 02 0500 9A2A");
    kept.read(0x41, 3, secret);
    kept.read(0x41, 5, &[&[1][..], secret].concat());
    // Written and signed; prepared; to a handle that is not known.
    for opcode in ["D2 0300", "16 0300 0000", "52 7700"] {
        kept.l2cap(0x41, false, 4, &[&x(opcode)[..], secret].concat(), 27);
    }
    // Whoever recorded it left the last four octets out.
    let at = kept.file.len();
    kept.l2cap(0x41, true, 4, &[&x("1B 0300")[..], secret, &[0; 4]].concat(), usize::MAX);
    let length = u32::from_be_bytes(kept.file[at..at + 4].try_into().unwrap());
    kept.file.splice(at + 4..at + 8, (length - 4).to_be_bytes());
    kept.file.truncate(kept.file.len() - 4);
    let (made, told) = redacted(&kept.file, &Options::default());
    for (part, what) in
        [(&secret[..], "a name"), (&address, "an address"), (&CUFF, "an address"), (&address[..3], "a part")]
    {
        assert!(!holds(&made, part), "{what} passed: {part:02X?}");
    }
    // All that is one address is one address: the cuff's.
    assert_eq!(told.addresses, 1);
    let peers = |log: &[u8]| {
        let peer = |seen: &Seen| match seen.event {
            super::super::super::Event::Connected(contact) => contact.peer.map(|peer| peer.octets),
            super::super::super::Event::Identity { address, .. } => Some(address.octets),
            _ => None,
        };
        seen(log).iter().filter_map(peer).collect::<Vec<_>>()
    };
    let (before, after) = (peers(&kept.file), peers(&made));
    assert_eq!(before, [CUFF; 3]);
    assert!(after.len() == 3 && after.iter().all(|peer| *peer == after[0]), "{after:02X?}");
}

/// btmon's own records: New Index (kind, bus, address, name), Index Information, a system's and a user's notes.
#[test]
fn the_hosts_own_notes_do_not_pass() {
    let mut kept = Kept::btsnoop(2001);
    kept.record(0, &[&x("00 01")[..], &sent(CUFF), b"annas-pc"].concat());
    kept.record(10, &[&sent(CUFF)[..], &x("0200")].concat());
    kept.record(12, b"Linux version on annas-pc");
    kept.record(13, b"\x06\x06bluetoothd annas-pc");
    kept.connected(1, 0, CUFF);
    let (made, told) = redacted(&kept.file, &Options::default());
    assert_eq!((told.kept, told.left_out), (1, 4));
    assert!(!holds(&made, b"annas-pc") && !holds(&made, &sent(CUFF)));
}
