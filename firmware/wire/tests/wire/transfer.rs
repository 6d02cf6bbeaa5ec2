//! Conversations with meters, polite ones first.

use hearth_wire::racp::{Opcode, ResponseCode};
use hearth_wire::transfer::Arrival::{self, Fresh, Repeat, Unasked};
use hearth_wire::transfer::{Millis, Outcome, Poll, Request, Response, Transfer};

const PATIENCE: u64 = 5_000;
const COUNT: Opcode = Opcode::REPORT_NUMBER_OF_STORED_RECORDS;
const REPORT: Opcode = Opcode::REPORT_STORED_RECORDS;

fn at(millis: u64) -> Millis {
    Millis(millis)
}

fn result(of: Opcode, code: u8) -> Response {
    Response::Result { of, code: ResponseCode(code) }
}

/// One line of a conversation, with the instant at which it is heard.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// We write this.
    Ask(Request),
    /// We wait until this instant.
    Wait(u64),
    /// The meter answers.
    Answer(u64, Response),
    /// The meter sends a record, which is this to us.
    Record(u64, u16, Arrival),
    /// Nobody speaks until then.
    Timeout(u64),
    End(Outcome),
}
use Line::{Answer, Ask, End, Record, Timeout, Wait};

/// The door: plays a conversation from time 0 with a patience of five seconds.
#[track_caller]
fn check(from: Option<u16>, conversation: &[Line]) {
    let mut transfer = Transfer::start(from, PATIENCE, at(0));
    for (line, spoken) in conversation.iter().enumerate() {
        match *spoken {
            Ask(request) => assert_eq!(transfer.poll(), Poll::Write(request), "line {line}"),
            Wait(until) => assert_eq!(transfer.poll(), Poll::Wait(at(until)), "line {line}"),
            Answer(now, response) => transfer.answer(response, at(now)),
            Record(now, sequence, arrival) => {
                assert_eq!(transfer.record(sequence, at(now)), arrival, "line {line}");
            }
            Timeout(now) => transfer.timeout(at(now)),
            End(outcome) => assert_eq!(transfer.poll(), Poll::Done(outcome), "line {line}"),
        }
    }
    assert!(matches!(conversation.last(), Some(End(_))), "a conversation has an end");
}

const fn count(from: Option<u16>) -> Line {
    Ask(Request::Count { from })
}

const fn report(from: Option<u16>) -> Line {
    Ask(Request::Report { from })
}

#[test]
fn all_that_was_counted_comes() {
    check(
        Some(41),
        &[
            count(Some(41)),
            Wait(5_000),
            Answer(100, Response::Count(2)),
            report(Some(41)),
            Wait(5_100),
            Record(200, 41, Fresh),
            Wait(5_200),
            Record(220, 42, Fresh),
            Answer(300, result(REPORT, 1)),
            End(Outcome::Complete { last: 42 }),
            // and stays ended
            Record(400, 43, Unasked),
            Answer(410, result(REPORT, 1)),
            Timeout(99_999),
            End(Outcome::Complete { last: 42 }),
        ],
    );
}

#[test]
fn nothing_new() {
    check(Some(41), &[count(Some(41)), Answer(9, Response::Count(0)), End(Outcome::Empty)]);
    check(Some(41), &[count(Some(41)), Answer(9, result(COUNT, 6)), End(Outcome::Empty)]);
    check(
        None,
        &[
            count(None),
            Answer(1, Response::Count(3)),
            report(None),
            Answer(2, result(REPORT, 6)),
            End(Outcome::Empty),
        ],
    );
}

#[test]
fn fewer_than_were_counted_is_short() {
    check(
        None,
        &[
            count(None),
            Answer(1, Response::Count(3)),
            report(None),
            Record(2, 7, Fresh),
            Record(3, 8, Fresh),
            // the same number again is not the third
            Record(4, 8, Repeat),
            Answer(5, result(REPORT, 1)),
            End(Outcome::Short { expected: 3, received: 2 }),
        ],
    );
}

#[test]
fn a_reading_taken_meanwhile_is_one_more_than_counted() {
    check(
        None,
        &[
            count(None),
            Answer(1, Response::Count(1)),
            report(None),
            Record(2, 7, Fresh),
            Record(3, 8, Fresh),
            Answer(4, result(REPORT, 1)),
            End(Outcome::Complete { last: 8 }),
        ],
    );
}

#[test]
fn a_meter_that_cannot_count_reports_all_the_same() {
    check(
        Some(41),
        &[
            count(Some(41)),
            Answer(1, result(COUNT, 2)),
            report(Some(41)),
            Record(2, 41, Fresh),
            Answer(3, result(REPORT, 1)),
            End(Outcome::Complete { last: 41 }),
        ],
    );
    // Success promises at least one.
    check(
        Some(41),
        &[
            count(Some(41)),
            Answer(1, result(COUNT, 2)),
            report(Some(41)),
            Answer(3, result(REPORT, 1)),
            End(Outcome::Short { expected: 1, received: 0 }),
        ],
    );
    // A word for it that we do not know: the records are what we came for.
    check(
        None,
        &[
            count(None),
            Answer(1, result(COUNT, 99)),
            report(None),
            Record(2, 0, Fresh),
            Answer(3, result(REPORT, 1)),
            End(Outcome::Complete { last: 0 }),
        ],
    );
}

#[test]
fn a_meter_that_knows_no_filter_is_asked_for_all() {
    for code in [3, 4, 5, 9] {
        check(
            Some(41),
            &[
                count(Some(41)),
                Answer(1, result(COUNT, code)),
                count(None),
                Answer(2, Response::Count(2)),
                report(None),
                // before 41, and asked for now
                Record(3, 40, Fresh),
                Record(4, 41, Fresh),
                Answer(5, result(REPORT, 1)),
                End(Outcome::Complete { last: 41 }),
            ],
        );
    }
    for code in [2, 3, 4, 5, 9] {
        check(
            Some(41),
            &[
                count(Some(41)),
                Answer(1, result(COUNT, 2)),
                report(Some(41)),
                Answer(2, result(REPORT, code)),
                report(None),
                Record(3, 40, Fresh),
                Answer(4, result(REPORT, 1)),
                End(Outcome::Complete { last: 40 }),
            ],
        );
        // It counted from 41, but will not report from there: one of 41 on is no longer enough.
        check(
            Some(41),
            &[
                count(Some(41)),
                Answer(1, Response::Count(1)),
                report(Some(41)),
                Answer(2, result(REPORT, code)),
                count(None),
                Answer(3, Response::Count(2)),
                report(None),
                Record(4, 40, Fresh),
                Answer(5, result(REPORT, 1)),
                End(Outcome::Short { expected: 2, received: 1 }),
            ],
        );
    }
}

#[test]
fn a_refusal_without_a_filter_is_final() {
    for code in [2, 3, 4, 5, 7, 9, 0, 200] {
        let refused = Outcome::Refused { of: REPORT, code: ResponseCode(code) };
        check(
            None,
            &[
                count(None),
                Answer(1, Response::Count(1)),
                report(None),
                Answer(2, result(REPORT, code)),
                End(refused),
            ],
        );
    }
    // After the first record it is no longer about the filter.
    check(
        Some(41),
        &[
            count(Some(41)),
            Answer(1, Response::Count(2)),
            report(Some(41)),
            Record(2, 41, Fresh),
            Answer(3, result(REPORT, 4)),
            End(Outcome::Refused { of: REPORT, code: ResponseCode::OPERATOR_NOT_SUPPORTED }),
        ],
    );
}

#[test]
fn a_procedure_not_completed_does_not_advance() {
    check(None, &[count(None), Answer(1, result(COUNT, 8)), End(Outcome::Incomplete { received: 0 })]);
    check(
        None,
        &[
            count(None),
            Answer(1, Response::Count(1)),
            report(None),
            Record(2, 5, Fresh),
            Answer(3, result(REPORT, 8)),
            End(Outcome::Incomplete { received: 1 }),
        ],
    );
    // It sent one, and says that there is none.
    check(
        None,
        &[
            count(None),
            Answer(1, Response::Count(1)),
            report(None),
            Record(2, 5, Fresh),
            Answer(3, result(REPORT, 6)),
            End(Outcome::Incomplete { received: 1 }),
        ],
    );
}

#[test]
fn silence_is_answered_by_one_abort() {
    check(
        None,
        &[
            count(None),
            // too early
            Timeout(4_999),
            Wait(5_000),
            Timeout(5_000),
            Ask(Request::Abort),
            Wait(10_000),
            Timeout(9_999),
            Wait(10_000),
            Timeout(10_000),
            End(Outcome::Silent { received: 0 }),
        ],
    );
    check(
        None,
        &[
            count(None),
            Answer(10, Response::Count(3)),
            report(None),
            Record(1_000, 1, Fresh),
            Timeout(6_000),
            Ask(Request::Abort),
            // late, and welcome; but no sign that the rest will come
            Record(6_500, 2, Fresh),
            Record(6_600, 2, Repeat),
            Wait(11_000),
            Answer(6_700, result(REPORT, 1)),
            Wait(11_000),
            Answer(6_800, result(Opcode::ABORT_OPERATION, 1)),
            End(Outcome::Silent { received: 2 }),
        ],
    );
}

#[test]
fn what_is_no_answer_to_the_request_is_ignored_and_buys_no_time() {
    check(
        Some(41),
        &[
            // before anything is written
            Answer(1, Response::Count(9)),
            Record(2, 41, Unasked),
            count(Some(41)),
            Record(3, 41, Unasked),
            Answer(4, result(REPORT, 1)),
            Answer(5, result(Opcode(0), 2)),
            Answer(5, result(Opcode::ABORT_OPERATION, 1)),
            Wait(5_000),
            Answer(100, Response::Count(1)),
            Record(101, 41, Unasked),
            report(Some(41)),
            Answer(200, Response::Count(7)),
            Answer(200, result(COUNT, 6)),
            Record(200, 40, Unasked),
            Wait(5_100),
            Record(300, 41, Fresh),
            Record(400, 41, Repeat),
            Wait(5_300),
            Answer(500, result(REPORT, 1)),
            End(Outcome::Complete { last: 41 }),
        ],
    );
}

/// A meter that ignores the filter must not pass old records off as the new ones.
#[test]
fn records_from_before_do_not_make_up_for_new_ones() {
    check(
        Some(41),
        &[
            count(Some(41)),
            Answer(1, Response::Count(2)),
            report(Some(41)),
            Record(2, 39, Unasked),
            Record(3, 40, Unasked),
            Answer(4, result(REPORT, 1)),
            End(Outcome::Short { expected: 2, received: 0 }),
        ],
    );
}

#[test]
fn the_last_is_the_furthest_on() {
    let orders: [(&str, Option<u16>, &[u16], u16); 6] = [
        ("rising", Some(41), &[41, 42, 43], 43),
        ("newest first (DM30b)", Some(41), &[43, 42, 41], 43),
        ("over the wrap", Some(65_534), &[65_534, 65_535, 0, 1], 1),
        ("over the wrap, newest first", None, &[1, 0, 65_535], 1),
        ("half the circle apart, which is no order: the first stays", None, &[0, 0x8000], 0),
        ("after a wrap, filtered by plain number", Some(10), &[65_534, 65_535, 10, 11], 11),
    ];
    for (order, from, numbers, last) in orders {
        let mut lines = vec![count(from), Answer(1, Response::Count(numbers.len() as u16)), report(from)];
        lines.extend(numbers.iter().map(|number| Record(2, *number, Fresh)));
        lines.extend([Answer(3, result(REPORT, 1)), End(Outcome::Complete { last })]);
        println!("{order}");
        check(from, &lines);
    }
}
