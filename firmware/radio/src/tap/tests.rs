#![allow(clippy::unwrap_used)]

use super::*;
use bt_hci::data::AclBroadcastFlag;
use bt_hci::param::ConnHandle;

/// What becomes of packets of one link: first ones, and those that go on.
fn taken(packets: &[(bool, &[u8])]) -> Vec<Option<Value>, 8> {
    taken_by(&Aside::new(), packets)
}

fn taken_by(aside: &Aside, packets: &[(bool, &[u8])]) -> Vec<Option<Value>, 8> {
    let tap = Tap::new((), aside);
    let was = packets.iter().map(|(begins, octets)| {
        let boundary = match begins {
            true => AclPacketBoundary::FirstFlushable,
            false => AclPacketBoundary::Continuing,
        };
        let packet = AclPacket::new(ConnHandle::new(0x40), boundary, AclBroadcastFlag::PointToPoint, octets);
        match tap.take(&packet) {
            Was::Hosts => None,
            Was::Taken => Some(nothing()),
            Was::Complete(value) => Some(value),
        }
    });
    was.collect()
}

/// For a packet of which nobody gets anything, or not yet.
fn nothing() -> Value {
    let octets = Vec::new();
    Value { link: 0, handle: 0, is_indicated: true, is_encrypted: false, octets, is_cut: false }
}

fn told(was: &Option<Value>) -> Option<(u16, &[u8], bool, bool)> {
    was.as_ref().map(|value| (value.handle, &value.octets[..], value.is_indicated, value.is_cut))
}

/// An indication of 16 7C 00 at handle 0x0012: L2CAP length 6 and channel 4, then ATT 1D.
const INDICATED: &[u8] = &[6, 0, 4, 0, 0x1D, 0x12, 0, 0x16, 0x7C, 0];
const NOTIFIED: &[u8] = &[4, 0, 4, 0, 0x1B, 0x34, 0x12, 0xAA];

#[test]
fn values_are_taken_and_nothing_else() {
    let was = taken(&[(true, INDICATED), (true, NOTIFIED)]);
    assert_eq!(told(&was[0]), Some((0x0012, &[0x16, 0x7C, 0][..], true, false)));
    assert_eq!(told(&was[1]), Some((0x1234, &[0xAA][..], false, false)));
    // A write's response, an indication on another channel.
    for other in [&[1, 0, 4, 0, 0x13][..], &[6, 0, 5, 0, 0x1D, 0x12, 0, 1, 2, 3]] {
        assert!(taken(&[(true, other)])[0].is_none(), "{other:02X?}");
    }
    // What goes on a packet that was the host's is the host's.
    assert!(taken(&[(true, &[9, 0, 4, 0, 0x0B, 1, 2, 3]), (false, &[4, 5])])[1].is_none());
}

#[test]
fn a_value_in_pieces_is_put_together() {
    let was = taken(&[(true, &INDICATED[..8]), (false, &INDICATED[8..9]), (false, &INDICATED[9..])]);
    assert_eq!(told(&was[0]), told(&Some(nothing())), "taken, and not complete");
    assert_eq!(told(&was[2]), Some((0x0012, &[0x16, 0x7C, 0][..], true, false)));
    // It never ended: another begins.
    let was = taken(&[(true, &INDICATED[..8]), (true, NOTIFIED), (false, &INDICATED[8..])]);
    assert_eq!(told(&was[1]), Some((0x1234, &[0xAA][..], false, false)));
    assert_eq!(told(&was[2]), told(&Some(nothing())), "it goes on what is over");
}

/// Packets on which the host would pair, panic, or lose its memory.
#[test]
fn the_host_does_not_get_what_is_not_for_it() {
    let security_request = &[2, 0, 6, 0, 0x0B, 0x05][..];
    let pairing_response = &[7, 0, 6, 0, 0x02, 3, 0, 1, 16, 0, 1][..];
    let read_request = &[3, 0, 4, 0, 0x0A, 1, 0][..];
    let write_command = &[4, 0, 4, 0, 0x52, 1, 0, 9][..];
    let nothing_at_all = &[0, 0, 4, 0][..];
    let cut = &[6, 0, 4, 0, 0x1D, 0x12][..];
    let aside = Aside::new();
    for pairs in [false, true] {
        aside.pairs(pairs);
        let is_hosts = |octets| taken_by(&aside, &[(true, octets)])[0].is_none();
        for octets in [security_request, read_request, write_command, nothing_at_all, cut, &[6, 0, 4]] {
            assert!(!is_hosts(octets), "{octets:02X?}");
        }
        assert_eq!(is_hosts(pairing_response), pairs);
        assert!(is_hosts(&[3, 0, 4, 0, 0x02, 247, 0]), "it may ask for longer packets");
    }
    // Nor what goes on one.
    assert!(taken(&[(true, write_command), (false, &[1, 2])])[1].is_some());
}

/// Whose a value is, and whether anybody may have said it.
#[test]
fn a_value_is_of_its_link() {
    let aside = Aside::new();
    let tap = Tap::new((), &aside);
    let event = |kind, data| tap.notes(&EventPacket { kind, data });
    let tells = || {
        let first = AclPacketBoundary::FirstFlushable;
        let packet = AclPacket::new(ConnHandle::new(0x40), first, AclBroadcastFlag::PointToPoint, NOTIFIED);
        let Was::Complete(value) = tap.take(&packet) else { panic!("it is whole") };
        (value.link, value.is_encrypted)
    };
    event(EventKind::Le, &[0x01, 0, 0x40, 0]);
    assert_eq!((aside.link(), tells()), (1, (1, false)));
    event(EventKind::EncryptionChangeV1, &[0x06, 0x40, 0, 0]);
    assert_eq!(tells(), (1, false), "the device has lost its key");
    event(EventKind::EncryptionChangeV1, &[0, 0x40, 0, 1]);
    assert_eq!(tells(), (1, true));
    event(EventKind::Le, &[0x0A, 0, 0x40, 0]);
    assert_eq!((aside.link(), tells()), (2, (2, false)));
}

/// A device that promises more than any value has, and one that sends more than it promised.
#[test]
fn a_value_that_is_too_long_is_cut_and_says_so() {
    let mut first = [0xEE; 200];
    first[..7].copy_from_slice(&[200, 0, 4, 0, 0x1D, 0x12, 0]);
    let was = taken(&[(true, &first), (false, &[0xEE; 4])]);
    let (handle, octets, _, is_cut) = told(&was[1]).unwrap();
    assert_eq!((handle, octets.len(), is_cut), (0x12, LONGEST, true));
    let was = taken(&[(true, &[0, 0, 4, 0, 0x1B, 1, 0, 9, 9])]);
    assert_eq!(told(&was[0]), Some((1, &[9, 9][..], false, false)));
}
