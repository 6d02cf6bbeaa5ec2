//! Meters that talk out of turn: none may hang a transfer.

use hearth_wire::racp::{Opcode, ResponseCode};
use hearth_wire::transfer::Arrival::Fresh;
use hearth_wire::transfer::{Millis, Outcome, Poll, Request, Response, Transfer};

use crate::random::Random;

const PATIENCE: u64 = 5_000;

fn result(of: Opcode, code: u64) -> Response {
    Response::Result { of, code: ResponseCode(code as u8) }
}

fn any_response(random: &mut Random) -> Response {
    match random.below(3) {
        0 => Response::Count(random.below(4) as u16),
        _ => result(Opcode(random.below(7) as u8), random.below(11)),
    }
}

/// Whatever a meter says, in whatever order and at whatever time: what is written is bounded, the deadline
/// moves only on progress, and when it falls silent the transfer ends after two deadlines at most.
#[test]
fn no_rude_meter_hangs_a_transfer() {
    let mut endings = [0_u32; 6];
    for seed in 1..=20_000 {
        let mut random = Random::from_seed(seed);
        let from = (random.below(2) == 0).then(|| random.below(70_000) as u16);
        let mut now = 0;
        let mut transfer = Transfer::start(from, PATIENCE, Millis(now));
        let (mut written, mut fresh, mut moved, mut deadline) = (Vec::new(), 0, 0, None);
        let lines = random.below(60);
        let mut silence = 0;
        let mut heard = 0;
        let outcome = loop {
            match transfer.poll() {
                Poll::Write(request) => {
                    written.push(request);
                    continue;
                }
                Poll::Done(outcome) => break outcome,
                Poll::Wait(until) => {
                    if deadline != Some(until) {
                        deadline = Some(until);
                        moved += 1;
                    }
                    assert!(until <= Millis(now + PATIENCE), "seed {seed}: waits too long");
                    heard += 1;
                    match random.below(10) {
                        _ if heard > lines => {
                            silence += 1;
                            assert!(silence <= 2, "seed {seed}: {written:?}, then silence, and no end");
                            now = now.max(until.0);
                            transfer.timeout(Millis(now));
                        }
                        0..=2 => transfer.answer(any_response(&mut random), Millis(now)),
                        // the answer that is waited for, so that conversations get on
                        3 => transfer.answer(Response::Count(1 + random.below(3) as u16), Millis(now)),
                        4 => transfer
                            .answer(result(Opcode::REPORT_STORED_RECORDS, 1 + random.below(9)), Millis(now)),
                        5..=7 => {
                            let near = from.unwrap_or(65_530).wrapping_add(random.below(8) as u16);
                            let number =
                                if random.below(8) == 0 { random.below(65_536) as u16 } else { near };
                            fresh += u32::from(transfer.record(number, Millis(now)) == Fresh);
                        }
                        8 => now += random.below(PATIENCE * 3 / 2),
                        _ => transfer.timeout(Millis(now)),
                    }
                }
            }
        };
        let number_of = |wanted: fn(&Request) -> bool| written.iter().filter(|each| wanted(each)).count();
        assert!(number_of(|each| matches!(each, Request::Count { .. })) <= 2, "seed {seed}: {written:?}");
        assert!(number_of(|each| matches!(each, Request::Report { .. })) <= 2, "seed {seed}: {written:?}");
        assert!(number_of(|each| *each == Request::Abort) <= 1, "seed {seed}: {written:?}");
        assert!(moved <= written.len() as u32 + fresh, "seed {seed}: time was bought without progress");
        endings[match outcome {
            Outcome::Complete { .. } => 0,
            Outcome::Empty => 1,
            Outcome::Short { .. } => 2,
            Outcome::Incomplete { .. } => 3,
            Outcome::Refused { .. } => 4,
            Outcome::Silent { .. } => 5,
        }] += 1;
    }
    assert!(endings.iter().all(|count| *count > 100), "the meters were too much alike: {endings:?}");
}

#[test]
fn a_full_memory_is_collected_and_an_endless_one_is_not() {
    let mut transfer = Transfer::start(None, PATIENCE, Millis(0));
    transfer.poll();
    transfer.answer(Response::Count(u16::MAX), Millis(0));
    transfer.poll();
    for number in 0..u16::MAX {
        assert_eq!(transfer.record(number, Millis(u64::from(number))), Fresh);
    }
    let mut endless = transfer.clone();
    transfer.answer(result(Opcode::REPORT_STORED_RECORDS, 1), Millis(70_000));
    assert_eq!(transfer.poll(), Poll::Done(Outcome::Complete { last: u16::MAX - 1 }));
    assert_eq!(endless.record(u16::MAX, Millis(70_000)), Fresh);
    assert_eq!(endless.poll(), Poll::Done(Outcome::Incomplete { received: u16::MAX }));
}

#[test]
fn time_at_its_end_does_not_overflow() {
    let mut transfer = Transfer::start(None, u64::MAX, Millis(u64::MAX));
    assert_eq!(transfer.poll(), Poll::Write(Request::Count { from: None }));
    assert_eq!(transfer.poll(), Poll::Wait(Millis(u64::MAX)));
    transfer.timeout(Millis(u64::MAX));
    assert_eq!(transfer.poll(), Poll::Write(Request::Abort));
}
