//! A configuration's octets, worked out by hand.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::frame::AddressKind;
use crate::frame::tests::hex;

const CUFF: Peer = Peer::Device(AddressKind::Random, [0xC0, 0xFF, 0xEE, 0, 0, 1]);
const PLACE: Place = Place { service: 0x181D, characteristic: 0x2A9D };

fn read(octets: &[u8]) -> Result<Vec<(Device<'_>, Vec<Step>)>, Malformed> {
    Entries::of(octets)?
        .map(|device| {
            let device = device?;
            let steps = { device.steps }.collect::<Result<_, _>>()?;
            Ok((device, steps))
        })
        .collect()
}

/// Each step's octets, worked out by hand from the layout above.
#[test]
fn a_plan_is_written_and_read() {
    let steps = [
        (Step::Pause { ms: 0x0102 }, "01 02 0201"),
        (Step::Subscribe(PLACE), "02 04 1D189D2A"),
        (Step::Read(PLACE), "03 04 1D189D2A"),
        (Step::ReadClock(PLACE), "04 04 1D189D2A"),
        (Step::Consent { place: PLACE, user: 2, code: 1234 }, "05 07 1D189D2A 02 D204"),
        (Step::Collect { place: PLACE, from: None }, "06 04 1D189D2A"),
        (Step::Collect { place: PLACE, from: Some(301) }, "06 06 1D189D2A 2D01"),
        (Step::Drain, "07 00"),
        (Step::SetClock { place: PLACE, ahead_s: -3_600, beyond_s: None }, "08 08 1D189D2A F0F1FFFF"),
        (
            Step::SetClock { place: PLACE, ahead_s: 3_600, beyond_s: Some(300) },
            "08 0C 1D189D2A 100E0000 2C010000",
        ),
    ];
    let mut room = [0; 256];
    let mut plan = Plan::new(&mut room).unwrap();
    plan.device(CUFF, Security::Authenticated, 5_000, steps.map(|(step, _)| step)).unwrap();
    plan.device(Peer::Wired(1), Security::Open, 0, []).unwrap();
    let written = plan.done();
    let of_steps: String = steps.map(|(_, octets)| octets).concat();
    let first = hex(&format!("01 01 C0FFEE000001 02 8813 {of_steps}"));
    let length = (first.len() as u16).to_le_bytes();
    let expected = [&[FORMAT], &length[..], &first, &hex("0B00 01 02 010000000000 00 0000")].concat();
    assert_eq!(written, expected);
    let all = read(written).unwrap();
    assert_eq!(all[0].1, steps.map(|(step, _)| step));
    let [(cuff, _), (wired, none)] = &all[..] else { panic!("{all:?}") };
    assert_eq!((cuff.peer, cuff.security, cuff.silence_ms), (CUFF, Security::Authenticated, 5_000));
    assert_eq!((wired.peer, none.len()), (Peer::Wired(1), 0));
    for short in 0..written.len() {
        let octets = &written[..short];
        let ends_between = [1, 3 + first.len()].contains(&short);
        assert_eq!(read(octets).is_ok(), ends_between, "{octets:02X?}");
    }
}

/// What a later version has is passed over, and what follows it is read.
#[test]
fn an_unknown_entry_and_an_unknown_step_are_passed_over() {
    let octets = hex("01 0300 63 AABB 1100 01 01 C0FFEE000001 00 0000 63 02 AABB 07 00");
    let all = read(&octets).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].1, [Step::Drain]);
    assert_eq!(read(&[2]), Err(Malformed::Unexpected { field: "format", at: 0, value: 2 }));
}

#[test]
fn what_has_no_room_leaves_nothing() {
    let mut room = [0; 20];
    let mut plan = Plan::new(&mut room).unwrap();
    plan.device(CUFF, Security::Bonded, 1, []).unwrap();
    assert!(plan.device(CUFF, Security::Bonded, 1, []).is_err());
    assert_eq!(plan.done().len(), 14);
}
