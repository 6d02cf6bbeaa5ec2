//! The steps of a plan, against devices that do what is right, and that do not.

use firmware::session::{Fault, Poll, Session};
use hearth_wire::frame::plan::{Device, Entries, Place, Plan, Security, Step};
use hearth_wire::frame::said::{Ending, What};
use hearth_wire::frame::{AddressKind, Peer, Ticks, TimeOfDay};

const CUFF: Peer = Peer::Device(AddressKind::Random, [0xC0, 0xFF, 0xEE, 0, 0, 1]);
pub(crate) const PRESSURE: Place = Place { service: 0x1810, characteristic: 0x2A35 };
const SERIAL: Place = Place { service: 0x180A, characteristic: 0x2A25 };
pub(crate) const TIME: Place = Place { service: 0x1805, characteristic: 0x2A2B };
const GLUCOSE: Place = Place { service: 0x1808, characteristic: 0x2A18 };
const RACP: Place = Place { service: 0x1808, characteristic: 0x2A52 };
const WEIGHT: Place = Place { service: 0x181D, characteristic: 0x2A9D };
const USERS: Place = Place { service: 0x181C, characteristic: 0x2A9F };

/// A conversation by these steps, which begins at 0.
fn with<T>(steps: &[Step], talk: impl FnOnce(Session<'_>) -> T) -> T {
    at(None, steps, talk)
}

/// By a bridge that was told what time it is.
pub(crate) fn at<T>(time: Option<TimeOfDay>, steps: &[Step], talk: impl FnOnce(Session<'_>) -> T) -> T {
    let mut room = [0; 256];
    let mut plan = Plan::new(&mut room).unwrap();
    plan.device(CUFF, Security::Bonded, 5_000, steps.iter().copied()).unwrap();
    let device: Device<'_> = Entries::of(plan.done()).unwrap().next().unwrap().unwrap();
    talk(Session::start(&device, None, time, Ticks(0)))
}

/// What is written, as octets.
pub(crate) fn writes(session: &mut Session<'_>, place: Place) -> Vec<u8> {
    match session.poll() {
        Poll::Write(at, octets) if at == place => octets.get().to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cuff_is_heard_until_it_falls_silent() {
    let steps = [
        Step::Pause { ms: 40 },
        Step::Subscribe(PRESSURE),
        Step::ReadClock(TIME),
        Step::Drain,
        Step::Read(SERIAL),
    ];
    with(&steps, |mut session| {
        assert_eq!(session.poll(), Poll::Wait(Ticks(40)));
        session.timeout(Ticks(39));
        assert_eq!(session.poll(), Poll::Wait(Ticks(40)));
        session.timeout(Ticks(40));
        assert_eq!(session.poll(), Poll::Subscribe(PRESSURE));
        // It tells before it has answered.
        assert!(session.value(0x2A35, &[0; 9], Ticks(50)));
        assert_eq!(session.answered(&[], Ticks(60)), None);
        assert_eq!(session.poll(), Poll::Read(TIME));
        let clock = session.answered(&[1; 10], Ticks(70));
        assert_eq!(clock, Some(What::Clock { asked: Ticks(60), characteristic: 0x2A2B, octets: &[1; 10] }));
        assert_eq!(session.poll(), Poll::Wait(Ticks(5_070)));
        assert!(session.value(0x2A35, &[0; 9], Ticks(4_000)));
        session.timeout(Ticks(5_070));
        assert_eq!(session.poll(), Poll::Wait(Ticks(9_000)));
        session.timeout(Ticks(9_000));
        assert_eq!(session.poll(), Poll::Read(SERIAL));
        let fact = session.answered(b"7000001", Ticks(9_010));
        assert_eq!(fact, Some(What::Answer { characteristic: 0x2A25, octets: b"7000001" }));
        assert_eq!((session.poll(), session.values()), (Poll::Done(Ending::Drained), 2));
    });
}

/// Count 06 as Number of Stored Records Response, result 06 00 01 01 as success. Glucose Service, "Record Access Control Point".
#[test]
fn a_meter_is_asked_for_what_it_has() {
    let steps = [Step::Subscribe(RACP), Step::Collect { place: RACP, from: Some(301) }];
    with(&steps, |mut session| {
        session.poll();
        session.answered(&[], Ticks(10));
        assert_eq!(writes(&mut session, RACP), [4, 3, 1, 0x2D, 1]);
        assert!(!session.value(0x2A52, &[5, 0, 2, 0], Ticks(20)), "an answer is no value");
        assert_eq!(writes(&mut session, RACP), [1, 3, 1, 0x2D, 1]);
        for number in [301_u16, 302] {
            let [low, high] = number.to_le_bytes();
            assert!(session.value(0x2A18, &[0, low, high, 0], Ticks(30)));
        }
        assert!(!session.value(0x2A52, &[6, 0, 1, 1], Ticks(40)));
        assert_eq!(session.poll(), Poll::Done(Ending::Drained));
    });
    // It has nothing of that number any more: its numbers began anew.
    with(&[Step::Collect { place: RACP, from: Some(301) }], |mut session| {
        assert_eq!(writes(&mut session, RACP), [4, 3, 1, 0x2D, 1]);
        session.value(0x2A52, &[5, 0, 0, 0], Ticks(20));
        assert_eq!(writes(&mut session, RACP), [4, 1]);
        session.value(0x2A52, &[5, 0, 0, 0], Ticks(30));
        assert_eq!(session.poll(), Poll::Done(Ending::Drained));
    });
    // It can't be asked from a number on: operand not supported.
    with(&[Step::Collect { place: RACP, from: Some(301) }], |mut session| {
        assert_eq!(writes(&mut session, RACP), [4, 3, 1, 0x2D, 1]);
        session.value(0x2A52, &[6, 0, 4, 5], Ticks(20));
        assert_eq!(writes(&mut session, RACP), [4, 1]);
    });
    // It says that it has three, tells one, and that it is done.
    with(&[Step::Collect { place: RACP, from: None }, Step::Subscribe(GLUCOSE)], |mut session| {
        assert_eq!(writes(&mut session, RACP), [4, 1]);
        session.value(0x2A52, &[5, 0, 3, 0], Ticks(20));
        assert_eq!(writes(&mut session, RACP), [1, 1]);
        session.value(0x2A18, &[0, 1, 0, 0], Ticks(30));
        session.value(0x2A52, &[6, 0, 1, 1], Ticks(40));
        assert_eq!(session.poll(), Poll::Subscribe(GLUCOSE), "what follows is done all the same");
        session.answered(&[], Ticks(50));
        assert_eq!(session.poll(), Poll::Done(Ending::Short { counted: 3, came: 1 }));
    });
}

/// What it told in the last conversation it is not asked for again, but for the last one: by that it is known to be the same memory.
/// A number alone would lose what a meter measured whose numbers began anew.
#[test]
fn a_meter_is_asked_for_what_came_since() {
    let mut room = [0; 64];
    let mut plan = Plan::new(&mut room).unwrap();
    plan.device(CUFF, Security::Bonded, 5_000, [Step::Collect { place: RACP, from: None }]).unwrap();
    let device = Entries::of(plan.done()).unwrap().next().unwrap().unwrap();
    // It tells this record, and that it was all: whether the record is to be kept, and the conversation.
    let told = |last, octets: &[u8]| {
        let mut session = Session::start(&device, last, None, Ticks(0));
        let request = writes(&mut session, RACP);
        session.value(0x2A52, &[5, 0, 1, 0], Ticks(20));
        writes(&mut session, RACP);
        let kept = session.value(0x2A18, octets, Ticks(30));
        session.value(0x2A34, &[2, octets[1], octets[2], 1], Ticks(35));
        session.value(0x2A52, &[6, 0, 1, 1], Ticks(40));
        (request, kept, session)
    };
    let (request, kept, session) = told(None, &[0, 0x2D, 1, 7]);
    let last = session.furthest();
    assert_eq!((request, kept, session.values()), (vec![4, 1], true, 2));

    let (request, kept, mut session) = told(last, &[0, 0x2D, 1, 7]);
    assert_eq!((request, kept, session.values()), (vec![4, 3, 1, 0x2D, 1], false, 0), "it is known");
    assert_eq!((session.poll(), session.furthest()), (Poll::Done(Ending::Drained), last));

    let (_, kept, mut session) = told(last, &[0, 0x2D, 1, 8]);
    assert!(kept, "another with that number");
    assert_eq!(writes(&mut session, RACP), [4, 1], "and so all is asked for");

    let near = told(None, &[0, 0, 0xFF, 7]).2.furthest();
    assert_eq!(told(near, &[0, 0, 0xFF, 7]).0, [4, 1], "its numbers are about to begin anew");
}

#[test]
fn each_user_consents_and_tells() {
    let consent = |user, code| Step::Consent { place: USERS, user, code };
    with(&[Step::Subscribe(WEIGHT), consent(1, 1234), consent(2, 9)], |mut session| {
        session.poll();
        session.answered(&[], Ticks(1));
        assert_eq!(writes(&mut session, USERS), [2, 1, 0xD2, 4]);
        session.answered(&[], Ticks(2));
        assert!(!session.value(0x2A9F, &[0x20, 2, 1], Ticks(3)));
        assert!(session.value(0x2A9D, &[0, 1, 2], Ticks(4)));
        assert_eq!(session.poll(), Poll::Wait(Ticks(5_004)));
        session.timeout(Ticks(5_004));
        assert_eq!(writes(&mut session, USERS), [2, 2, 9, 0]);
        session.answered(&[], Ticks(5_005));
        session.value(0x2A9F, &[0x20, 2, 5], Ticks(5_006));
        assert_eq!(session.poll(), Poll::Done(Ending::Refused(5)), "the code is wrong");
    });
    with(&[consent(1, 1)], |mut session| {
        session.poll();
        session.answered(&[], Ticks(0));
        assert_eq!(session.poll(), Poll::Wait(Ticks(5_000)));
        session.timeout(Ticks(5_000));
        assert_eq!(session.poll(), Poll::Done(Ending::Silent));
    });
}

/// Every way in which a device ends a conversation has its name.
#[test]
fn what_goes_wrong_is_named() {
    type Does = fn(&mut Session<'_>);
    let cases: [(Does, Ending); 10] = [
        (|session| session.refused(Fault::Att(0x0E), Ticks(1)), Ending::Refused(0x0E)),
        (|session| session.refused(Fault::Missing, Ticks(1)), Ending::Refused(0x0A)),
        (|session| session.refused(Fault::Att(0x05), Ticks(1)), Ending::BondLost),
        (|session| session.refused(Fault::Att(0x0F), Ticks(1)), Ending::BondLost),
        (|session| session.timeout(Ticks(30_000)), Ending::Silent),
        (|session| session.timeout(Ticks(600_000)), Ending::Silent),
        (|session| session.lost(), Ending::Lost),
        (|session| session.no_room(), Ending::NoRoom),
        (|session| _ = session.answered(&[], Ticks(1)), Ending::Drained),
        // What comes after the end changes nothing.
        (
            |session| {
                session.lost();
                session.no_room();
                session.refused(Fault::Att(0x05), Ticks(1));
                session.value(0x2A35, &[], Ticks(1));
            },
            Ending::Lost,
        ),
    ];
    for (nth, (does, how)) in cases.into_iter().enumerate() {
        with(&[Step::Subscribe(PRESSURE)], |mut session| {
            assert_eq!(session.poll(), Poll::Subscribe(PRESSURE));
            does(&mut session);
            assert_eq!(session.poll(), Poll::Done(how), "case {nth}");
        });
    }
    // A fact that it does not tell is no fault.
    with(&[Step::Read(SERIAL)], |mut session| {
        session.poll();
        session.refused(Fault::Att(0x02), Ticks(1));
        assert_eq!(session.poll(), Poll::Done(Ending::Drained));
    });
}

/// A device that never falls silent keeps nobody else from being heard.
#[test]
fn no_conversation_lasts_for_ever() {
    with(&[Step::Drain], |mut session| {
        let mut now = 0;
        while let Poll::Wait(until) = session.poll() {
            now = (now + 1_000).min(until.0);
            assert!(now <= 600_000);
            session.value(0x2A35, &[], Ticks(now));
            session.timeout(Ticks(now));
        }
        assert_eq!(session.poll(), Poll::Done(Ending::Silent));
    });
}
