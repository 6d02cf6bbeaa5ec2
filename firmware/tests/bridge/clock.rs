//! The clocks of devices, set by a bridge.

use crate::session::{PRESSURE, TIME, at, writes};
use firmware::session::{Fault, Poll, Session};
use hearth_wire::frame::plan::{Place, Step};
use hearth_wire::frame::said::{Ending, What};
use hearth_wire::frame::{Ticks, TimeOfDay};

/// 2024-06-15T21:17:40Z at tick 1 000: 1 718 486 260 s after 1970. It holds for an hour.
const NOW: TimeOfDay = TimeOfDay {
    configuration: 1,
    epoch: 1,
    at: Ticks(1_000),
    utc_ms: 1_718_486_260_000,
    until: Ticks(3_601_000),
};
/// A&D has it in the Blood Pressure Service.
const DATE_TIME: Place = Place { service: 0x1810, characteristic: 0x2A08 };
/// New York, in summer.
const AHEAD_S: i32 = -4 * 3_600;
const SETS: [Step; 3] = [
    Step::ReadClock(TIME),
    Step::Drain,
    Step::SetClock { place: TIME, ahead_s: AHEAD_S, beyond_s: Some(300) },
];
/// 2024-06-15, a Saturday.
const DATE: [u8; 4] = [0xE8, 7, 6, 15];

/// Asked at tick 0, and answered at 2 200, it showed this half-way; then it is silent until 7 200.
fn shows(time: Option<TimeOfDay>, clock: &[u8], then: impl FnOnce(Session<'_>)) {
    at(time, &SETS, |mut session| {
        assert_eq!(session.poll(), Poll::Read(TIME));
        let told = session.answered(clock, Ticks(2_200));
        assert_eq!(told, Some(What::Clock { asked: Ticks(0), characteristic: 0x2A2B, octets: clock }));
        assert_eq!(session.poll(), Poll::Wait(Ticks(7_200)));
        session.timeout(Ticks(7_200));
        then(session);
    });
}

/// At this time of that day.
fn clock(hours: u8, minutes: u8, seconds: u8) -> Vec<u8> {
    [&DATE[..], &[hours, minutes, seconds, 6, 0, 0]].concat()
}

fn is_left_alone(mut session: Session<'_>) {
    assert_eq!(session.poll(), Poll::Done(Ending::Drained));
}

/// One that can't be read is right from the first moment on.
#[test]
fn a_clock_that_tells_nothing_is_set_first() {
    let first = Step::SetClock { place: DATE_TIME, ahead_s: AHEAD_S, beyond_s: None };
    let early = TimeOfDay { at: Ticks(0), ..NOW };
    at(Some(early), &[first, Step::Subscribe(PRESSURE)], |mut session| {
        assert_eq!(writes(&mut session, DATE_TIME), [&DATE[..], &[17, 17, 40]].concat());
        session.answered(&[], Ticks(20));
        assert_eq!(session.poll(), Poll::Subscribe(PRESSURE), "it is asked for nothing in between");
    });
    for untold in [None, Some(NOW), Some(TimeOfDay { until: Ticks(0), ..early })] {
        at(untold, &[first, Step::Subscribe(PRESSURE)], |mut session| {
            assert_eq!(session.poll(), Poll::Subscribe(PRESSURE), "{untold:?}");
        });
    }
}

/// What it told before is kept as a conversation of its own: CLINICAL 19.
#[test]
fn a_wrong_clock_is_set_once_all_is_told() {
    shows(Some(NOW), &clock(16, 17, 40), |mut session| {
        assert_eq!((session.poll(), session.poll()), (Poll::Part, Poll::Part), "until it is kept");
        session.parted(Ticks(8_500));
        // 7.5 s after the moment that the bridge was told.
        let right = [&DATE[..], &[17, 17, 47, 6, 128, 2]].concat();
        assert_eq!(writes(&mut session, TIME), right);
        session.answered(&[], Ticks(8_600));
        assert_eq!(session.poll(), Poll::Read(TIME));
        let told = session.answered(&right, Ticks(8_700));
        assert_eq!(told, Some(What::Clock { asked: Ticks(8_600), characteristic: 0x2A2B, octets: &right }));
        assert_eq!(session.poll(), Poll::Done(Ending::Drained), "once");
    });
    // Never set, or later than it is, by a second more than is borne.
    for wrong in [vec![0; 10], clock(17, 22, 42)] {
        shows(Some(NOW), &wrong, |mut session| assert_eq!(session.poll(), Poll::Part, "{wrong:?}"));
    }
}

#[test]
fn a_clock_is_left_alone() {
    let wrong = clock(16, 17, 40);
    // Right, or nearly; no date; nothing that is a clock.
    for shown in [clock(17, 17, 40), clock(17, 12, 41), clock(17, 22, 39), clock(25, 0, 0), vec![1, 2]] {
        shows(Some(NOW), &shown, is_left_alone);
    }
    shows(None, &wrong, is_left_alone);
    shows(Some(TimeOfDay { until: Ticks(7_200), ..NOW }), &wrong, is_left_alone);
    // Nobody can say by how much it is wrong that could not be read.
    at(Some(NOW), &SETS, |mut session| {
        session.poll();
        session.refused(Fault::Missing, Ticks(2_000));
        session.poll();
        session.timeout(Ticks(7_200));
        is_left_alone(session);
    });
    // What it has no such characteristic for is no fault.
    let steps = [Step::Subscribe(PRESSURE), SETS[0], Step::Subscribe(DATE_TIME), SETS[2]];
    at(Some(NOW), &steps, |mut session| {
        session.poll();
        session.answered(&[], Ticks(1_500));
        session.poll();
        session.answered(&wrong, Ticks(2_000));
        session.poll();
        session.refused(Fault::Missing, Ticks(2_100));
        assert_eq!(session.poll(), Poll::Part);
    });
    // It has more to tell, by the clock that it has.
    let steps = [SETS[0], Step::Subscribe(PRESSURE), SETS[2]];
    at(Some(NOW), &steps, |mut session| {
        session.poll();
        session.answered(&wrong, Ticks(2_000));
        session.poll();
        session.refused(Fault::Att(0x0E), Ticks(2_100));
        assert_eq!(session.poll(), Poll::Done(Ending::Refused(0x0E)));
    });
}

/// However it answers: all that it had to tell is told.
#[test]
fn a_clock_that_is_not_set_is_no_fault() {
    let answers = [
        (Fault::Att(0x80), true),
        (Fault::Att(0x03), false),
        (Fault::Att(0x05), false),
        (Fault::Missing, false),
    ];
    for (fault, is_taken) in answers {
        shows(Some(NOW), &clock(16, 17, 40), |mut session| {
            session.poll();
            session.parted(Ticks(7_300));
            session.poll();
            session.refused(fault, Ticks(7_400));
            if is_taken {
                assert_eq!(session.poll(), Poll::Read(TIME));
                session.refused(Fault::Missing, Ticks(7_500));
            }
            assert_eq!(session.poll(), Poll::Done(Ending::Drained), "{fault:?}");
        });
    }
    // What can't be kept apart is not told apart: the clock stays as it is.
    shows(Some(NOW), &clock(16, 17, 40), |mut session| {
        session.poll();
        session.no_room();
        session.parted(Ticks(7_300));
        assert_eq!(session.poll(), Poll::Done(Ending::NoRoom));
    });
}
