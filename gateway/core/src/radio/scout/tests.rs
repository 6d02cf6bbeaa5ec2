mod day;

use super::*;

const CUFF: DeviceNo = DeviceNo(1);
const METER: DeviceNo = DeviceNo(2);
const SCALE: DeviceNo = DeviceNo(3);
const NOTHING: Outcome = Outcome { drained: true, heard: false };
const TOLD: Outcome = Outcome { drained: true, heard: true };
const CUT: Outcome = Outcome { drained: false, heard: false };
const CUT_SHORT: Outcome = Outcome { drained: false, heard: true };

/// What happens at an instant, or what is said then.
#[derive(Clone, Copy, Debug)]
enum Line {
    Seen(u64, DeviceNo),
    /// An Omron cuff with its manufacturer data.
    Says(u64, DeviceNo, &'static [u8]),
    Connects(DeviceNo),
    GivesUp(DeviceNo),
    Waits(Option<u64>),
    Up(u64, DeviceNo),
    Fails(u64, DeviceNo),
    Ends(u64, DeviceNo, Outcome),
    Time(u64),
}
use Line::{Connects, Ends, Fails, GivesUp, Says, Seen, Time, Up, Waits};

/// The door: plays a conversation with a house that knows a cuff, a meter and a scale.
#[track_caller]
fn check(slots: usize, conversation: &[Line]) {
    let mut scout = Scout::new(slots, Millis(0));
    for device in [CUFF, METER, SCALE] {
        scout.add(device, Millis(0));
    }
    for (line, spoken) in conversation.iter().enumerate() {
        let mut says = |poll| assert_eq!(scout.poll(), poll, "line {line}, {spoken:?}");
        match *spoken {
            Seen(at, device) => scout.seen(device, None, Millis(at)),
            Says(at, device, maker) => scout.seen(device, Some(maker), Millis(at)),
            Connects(device) => says(Poll::Connect(device)),
            GivesUp(device) => says(Poll::GiveUp(device)),
            Waits(until) => says(Poll::Wait(until.map(Millis))),
            Up(at, device) => scout.connected(device, Millis(at)),
            Fails(at, device) => scout.failed(device, Millis(at)),
            Ends(at, device, outcome) => scout.ended(device, outcome, Millis(at)),
            Time(at) => scout.timeout(Millis(at)),
        }
    }
}

#[test]
fn who_appears_is_connected_to_at_once() {
    check(
        2,
        &[
            Waits(None),
            Seen(5, CUFF),
            Connects(CUFF),
            Waits(Some(25_005)),
            Up(300, CUFF),
            Waits(None),
            // Nobody of this house.
            Seen(400, DeviceNo(9)),
            Waits(None),
            Ends(9_000, CUFF, TOLD),
            // Still there, with nothing new so far: asked after a while, then later and later.
            Seen(9_100, CUFF),
            Waits(Some(19_000)),
            Seen(19_000, CUFF),
            Connects(CUFF),
            Up(19_100, CUFF),
            Ends(25_000, CUFF, NOTHING),
            Seen(44_000, CUFF),
            Waits(Some(45_000)),
            // It went away, and comes again.
            Time(45_000 + ABSENCE_MS),
            Waits(None),
            Seen(80_000, CUFF),
            Connects(CUFF),
        ],
    );
}

#[test]
fn a_connection_that_failed_is_made_again_while_the_device_shows_itself() {
    check(
        1,
        &[
            Seen(0, CUFF),
            Connects(CUFF),
            Fails(100, CUFF),
            // Gone, as far as anybody knows.
            Waits(None),
            Seen(150, CUFF),
            Connects(CUFF),
            Fails(300, CUFF),
            Seen(350, CUFF),
            Waits(Some(1_300)),
            Time(1_300),
            Connects(CUFF),
            Fails(1_400, CUFF),
            Seen(1_500, CUFF),
            Waits(Some(3_400)),
            Time(3_400),
            Connects(CUFF),
            // Nobody said what became of it.
            Time(3_400 + CONNECT_MS),
            Waits(None),
        ],
    );
}

/// A device whose link breaks each time, all day long, is tried ever more seldom; a cut after some values is not a failure.
#[test]
fn a_broken_session_is_repeated_with_growing_pauses() {
    check(
        1,
        &[
            Seen(0, SCALE),
            Connects(SCALE),
            Up(10, SCALE),
            Ends(100, SCALE, CUT),
            Seen(110, SCALE),
            Connects(SCALE),
            Up(120, SCALE),
            Ends(200, SCALE, CUT),
            Seen(210, SCALE),
            Waits(Some(1_200)),
            Time(1_200),
            Connects(SCALE),
            Up(1_300, SCALE),
            Ends(1_400, SCALE, CUT),
            Seen(1_410, SCALE),
            Waits(Some(3_400)),
            Time(3_400),
            Connects(SCALE),
            Up(3_500, SCALE),
            Ends(3_600, SCALE, CUT_SHORT),
            Seen(3_610, SCALE),
            Waits(Some(4_600)),
        ],
    );
}

/// A scale that is there all day gives way to a cuff that has just appeared; a cuff to a meter only after a while.
#[test]
fn a_connection_gives_way() {
    check(
        1,
        &[
            Seen(0, SCALE),
            Connects(SCALE),
            Up(10, SCALE),
            Ends(5_000, SCALE, NOTHING),
            Seen(15_000, SCALE),
            Connects(SCALE),
            Seen(15_100, CUFF),
            Waits(Some(15_500)),
            Time(15_500),
            GivesUp(SCALE),
            Waits(Some(40_000)),
            Fails(15_520, SCALE),
            Connects(CUFF),
            Seen(16_000, METER),
            Waits(Some(23_520)),
            Time(23_520),
            GivesUp(CUFF),
            Fails(23_530, CUFF),
            Connects(METER),
            Up(23_600, METER),
            Seen(23_700, CUFF),
            Waits(None),
            Ends(30_000, METER, TOLD),
            Connects(CUFF),
        ],
    );
}

/// Of two slots, who is there all day leaves one.
#[test]
fn the_last_slot_is_for_who_appears() {
    check(
        2,
        &[
            Seen(0, SCALE),
            Connects(SCALE),
            Up(1, SCALE),
            Ends(10, SCALE, NOTHING),
            Seen(20, METER),
            Connects(METER),
            Up(30, METER),
            Seen(10_010, SCALE),
            Waits(Some(70_010)),
            Seen(10_500, CUFF),
            Connects(CUFF),
            Up(10_600, CUFF),
            Ends(12_000, METER, TOLD),
            Seen(12_000, SCALE),
            // One is held, the other stays free, until the scale has waited for a minute.
            Waits(Some(22_000)),
            Seen(70_010, SCALE),
            Connects(SCALE),
        ],
    );
}

/// Two users, 100 and 17 records (SpeziDevices' example): the cuff is left alone until it says otherwise.
#[test]
fn an_omron_cuff_says_whether_there_is_anything_new() {
    const BEFORE: &[u8] = &[0x0E, 0x02, 0x01, 0xD0, 0x02, 0x64, 0x11, 0x00, 0x11];
    const AFTER: &[u8] = &[0x0E, 0x02, 0x01, 0xD0, 0x03, 0x64, 0x11, 0x00, 0x11];
    check(
        1,
        &[
            Says(0, CUFF, BEFORE),
            Connects(CUFF),
            Up(10, CUFF),
            // It was cut: what it had is not all here.
            Ends(20, CUFF, CUT_SHORT),
            Says(30, CUFF, BEFORE),
            Waits(Some(1_020)),
            Time(1_020),
            Connects(CUFF),
            Up(1_100, CUFF),
            Ends(2_000, CUFF, TOLD),
            Says(15_000, CUFF, BEFORE),
            Waits(None),
            Says(60_000, CUFF, BEFORE),
            Waits(None),
            Says(60_100, CUFF, AFTER),
            Connects(CUFF),
        ],
    );
}

#[test]
fn what_is_removed_is_not_connected_to() {
    let mut scout = Scout::new(0, Millis(0));
    scout.add(CUFF, Millis(0));
    scout.seen(CUFF, None, Millis(1));
    scout.add(CUFF, Millis(2));
    scout.remove(CUFF, Millis(2));
    assert_eq!(scout.poll(), Poll::Wait(None));
    // News of who is not there, or in another order than things happen.
    scout.connected(CUFF, Millis(3));
    scout.failed(CUFF, Millis(3));
    scout.ended(CUFF, TOLD, Millis(1));
    scout.timeout(Millis(u64::MAX));
    assert_eq!(scout.poll(), Poll::Wait(None));
}
