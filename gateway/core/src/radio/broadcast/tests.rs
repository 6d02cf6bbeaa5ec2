use super::*;
use crate::dice::Dice;
use crate::profile::{Catalog, ProfileName};

/// What is heard at an instant, and what it is; or what is said then.
#[derive(Clone, Copy, Debug)]
enum Line {
    V1(u64, &'static str, Heard),
    V2(u64, &'static str, Heard),
    Waits(Option<u64>),
    Time(u64),
    Ended,
}
use Line::{Ended, Time, V1, V2, Waits};

const FIRST: Heard = Heard::Keep { begins: true };
const MORE: Heard = Heard::Keep { begins: false };
const AGAIN: Heard = Heard::Again;
const UNSETTLED: Heard = Heard::NotYet("weight-unsettled");
const REMOVED: Heard = Heard::NotYet("weight-removed");

fn scale(name: &str) -> Broadcast {
    Broadcast::new(Catalog::standard().get(&ProfileName(name.into())).unwrap())
}

fn octets(hex: &str) -> Vec<u8> {
    data_encoding::HEXUPPER.decode(hex.replace(' ', "").as_bytes()).unwrap()
}

/// The door: both scales, by the frames of their captures (device-profiles/xiaomi).
#[track_caller]
fn check(name: &str, lines: &[Line]) {
    let mut scale = scale(name);
    for (line, spoken) in lines.iter().enumerate() {
        match *spoken {
            V1(at, hex, heard) => {
                let said = scale.heard(Uuid16::WEIGHT_SCALE_SERVICE_DATA, &octets(hex), Millis(at));
                assert_eq!(said, heard, "line {line}");
            }
            V2(at, hex, heard) => {
                let said = scale.heard(Uuid16::BODY_COMPOSITION_SERVICE_DATA, &octets(hex), Millis(at));
                assert_eq!(said, heard, "line {line}");
            }
            Waits(until) => assert_eq!(scale.poll(), Poll::Wait(until.map(Millis)), "line {line}"),
            Time(at) => scale.timeout(Millis(at)),
            Ended => assert_eq!(scale.poll(), Poll::Ended, "line {line}"),
        }
    }
}

#[test]
fn a_weighing_is_kept_once_when_it_has_settled() {
    check(
        "xiaomi/mi-scale",
        &[
            V1(0, "02 0030 E607020E102939", UNSETTLED),
            Waits(None),
            V1(900, "22 3E30 E607020E10293A", FIRST),
            Waits(Some(5_900)),
            V1(1_000, "22 3E30 E607020E10293A", AGAIN),
            V1(1_100, "22 3E30 E607020E10293A", AGAIN),
            V1(2_000, "A2 3E30 E607020E10293B", REMOVED),
            Waits(Some(7_000)),
            // Somebody else, at once: another weighing of the same contact.
            V1(3_000, "22 3E3A E607020E102A0A", MORE),
            Waits(Some(8_000)),
            Time(7_999),
            Waits(Some(8_000)),
            Time(8_000),
            Ended,
            Waits(None),
            // The last one, told again hours later; then a new one.
            V1(7_200_000, "22 3E3A E607020E102A0A", AGAIN),
            Waits(None),
            V1(7_300_000, "22 3E3A E607020E122A0A", FIRST),
        ],
    );
}

/// The impedance comes seconds after the weight, in the same weighing.
#[test]
fn an_impedance_is_no_second_weighing() {
    check(
        "xiaomi/mi-body-composition-scale-2",
        &[
            V2(0, "02 04 EA07050C123536 0000 A852", UNSETTLED),
            V2(500, "02 24 EA07050C123536 0000 783E", FIRST),
            V2(3_500, "02 26 EA07050C123536 C201 783E", AGAIN),
            V2(4_000, "02 A6 EA07050C123536 C201 783E", REMOVED),
        ],
    );
}

/// A scale without a clock: the same weight is another weighing after the load was moved, or after a silence.
#[test]
fn without_a_stamp_a_weighing_lasts_until_the_load_is_moved() {
    check(
        "xiaomi/mi-scale",
        &[
            V1(0, "20 3E30", FIRST),
            V1(100, "20 3E30", AGAIN),
            V1(200, "A0 3E30", REMOVED),
            V1(2_000, "20 3E30", MORE),
            V1(6_999, "20 3E30", AGAIN),
            // In a new contact, and nobody ends that one.
            V1(11_999, "20 3E30", FIRST),
            Waits(Some(16_999)),
        ],
    );
}

/// A scale that tells its last weighing for ever is in no contact for ever.
#[test]
fn a_contact_has_an_end() {
    let mut scale = scale("xiaomi/mi-scale");
    let frame = octets("22 3E30 E607020E10293A");
    let mut ended = 0;
    for now in (0..600_000).step_by(10) {
        let heard = scale.heard(Uuid16::WEIGHT_SCALE_SERVICE_DATA, &frame, Millis(now));
        assert_eq!(heard, if now == 0 { FIRST } else { AGAIN });
        ended += u32::from(scale.poll() == Poll::Ended);
    }
    assert_eq!(ended, 1);
}

/// Whoever pretends to be a scale does not fill the hub; an hour later the scale is heard again.
#[test]
fn nobody_weighs_himself_a_hundred_times_an_hour() {
    let mut scale = scale("xiaomi/mi-scale");
    let mut hears = |n: u64, now| {
        let frame = [&[0x22, n as u8, (n >> 8) as u8][..], &octets("E607020E10293A")].concat();
        scale.heard(Uuid16::WEIGHT_SCALE_SERVICE_DATA, &frame, Millis(now))
    };
    let kept = (0..1_000).filter(|n| matches!(hears(*n, *n), Heard::Keep { .. })).count();
    assert_eq!(kept, PER_HOUR);
    assert_eq!(hears(1_001, 3_000_000), Heard::TooMany);
    assert_eq!(hears(1_002, 3_600_100), FIRST);
}

/// Any octets, at any time: no panic, and nothing that is not read is kept.
#[test]
fn any_octets() {
    let mut dice = Dice::new(1);
    let mut one = scale("xiaomi/mi-body-composition-scale-2");
    let (mut kept, mut unread) = (0, 0);
    for _ in 0..20_000 {
        let octets = dice.octets(20);
        let any = dice.roll(65_536) as u16;
        let service = dice.one(&[0x181B, 0x181D, 0x2A9D, any]);
        match one.heard(Uuid16(service), &octets, Millis(dice.roll(1_000) * 10_000)) {
            Heard::Keep { .. } => kept += 1,
            Heard::Unreadable(_) => unread += 1,
            Heard::Again | Heard::NotYet(_) | Heard::TooMany => {}
        }
        one.poll();
    }
    assert!(kept > 10 && unread > 1_000, "{kept} kept, {unread} unread");
}
