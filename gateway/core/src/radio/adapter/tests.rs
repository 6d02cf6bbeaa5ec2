mod storm;

use super::Answer::{Busy, Done, Failed, InProgress, Inherited, Unanswered};
use super::Command::{Look, PowerOff, PowerOn, Register, StartScan, StopScan};
use super::*;

/// What happens, or what is done.
#[derive(Clone, Copy, Debug)]
enum Line {
    Daemon(u64, bool),
    Added(u64, u16),
    Removed(u64, u16),
    Powered(u64, u16, bool),
    Blocked(u64, bool),
    Heard(u64),
    Undead(u64),
    Does(Command),
    Answers(u64, Answer),
    /// What is waited for comes.
    Silence(u64),
    Is(State),
}
use Line::{Added, Answers, Blocked, Daemon, Does, Heard, Is, Powered, Removed, Silence, Undead};

/// The door: from the hub's start.
#[track_caller]
fn check(conversation: &[Line]) {
    let mut adapter = Adapter::new(Millis(0));
    for (line, spoken) in conversation.iter().enumerate() {
        match *spoken {
            Daemon(at, is_there) => adapter.daemon(is_there, Millis(at)),
            Added(at, number) => adapter.added(number, Millis(at)),
            Removed(at, number) => adapter.removed(number, Millis(at)),
            Powered(at, number, on) => adapter.powered(number, on, Millis(at)),
            Blocked(at, blocked) => adapter.blocked(blocked, Millis(at)),
            Heard(at) => adapter.heard(Millis(at)),
            Undead(at) => adapter.undead(Millis(at)),
            Does(command) => assert_eq!(adapter.poll(), Poll::Do(command), "line {line}"),
            Answers(at, answer) => adapter.answered(answer, Millis(at)),
            Silence(at) => {
                assert_eq!(adapter.poll(), Poll::Wait(Millis(at)), "line {line}");
                adapter.timeout(Millis(at));
            }
            Is(state) => assert_eq!(adapter.state(), state, "line {line}"),
        }
    }
}

/// A hub that scans, at 100 ms.
const SCANS: [Line; 12] = [
    Is(State::NoDaemon),
    Does(Look),
    Daemon(10, true),
    Is(State::NoAdapter),
    Added(10, 0),
    Answers(20, Done),
    Is(State::Starting),
    Does(Register(0)),
    Answers(40, Done),
    Does(PowerOn(0)),
    Answers(90, Done),
    Does(StartScan(0)),
];

#[track_caller]
fn scans_then(lines: &[Line]) {
    check(&[&SCANS[..], &[Answers(100, Done), Is(State::Scanning)], lines].concat());
}

#[test]
fn a_hub_begins_to_scan() {
    scans_then(&[Heard(500), Is(State::Scanning), Silence(500 + QUIET_MS)]);
}

/// In a house where nobody measures: the scan is started anew now and then, and that it starts is all there is to know.
#[test]
fn silence_is_no_fault() {
    let (first, then) = (100 + QUIET_MS, 2 * QUIET_MS);
    scans_then(&[
        Silence(first),
        Does(StopScan(0)),
        Answers(first + 10, Done),
        Does(StartScan(0)),
        Answers(first + 500, Done),
        Is(State::Scanning),
        Silence(first + 500 + then),
        Does(StopScan(0)),
        Answers(first + 600 + then, Done),
        Does(StartScan(0)),
        Answers(first + 700 + then, Done),
        Heard(first + 800 + then),
        Silence(first + 800 + then + QUIET_MS),
    ]);
}

/// A scan that the kernel has ended and the daemon has not: it can't be stopped, and is said to be started.
#[test]
fn a_scan_that_can_t_be_stopped_is_none() {
    let quiet = 100 + QUIET_MS;
    scans_then(&[
        Silence(quiet),
        Does(StopScan(0)),
        Answers(quiet + 10, InProgress),
        Is(State::Starting),
        Does(PowerOff(0)),
        Answers(quiet + 100, Done),
        Does(PowerOn(0)),
        Answers(quiet + 200, Done),
        Does(StartScan(0)),
        Answers(quiet + 300, Done),
        Is(State::Scanning),
    ]);
}

/// The power of a controller that was silent can't be switched at once: until it was, no scan is believed.
#[test]
fn a_power_that_can_t_be_switched_is_tried_again() {
    let quiet = 100 + QUIET_MS;
    let begins = [Silence(quiet), Does(StopScan(0)), Answers(quiet + 10, InProgress), Does(PowerOff(0))];
    let again = |from: u64| [Answers(from, Failed), Silence(from + 500), Does(PowerOff(0))];
    let ends = |from: u64| {
        let scans =
            [Does(PowerOn(0)), Answers(from + 100, Done), Does(StartScan(0)), Answers(from + 200, Done)];
        [&scans[..], &[Is(State::Scanning)]].concat()
    };
    scans_then(
        &[
            &begins[..],
            &again(quiet + 100),
            &again(quiet + 700),
            &[Is(State::Starting), Answers(quiet + 1_300, Done)],
            &ends(quiet + 1_300),
        ]
        .concat(),
    );
    // It went off all the same.
    scans_then(
        &[&begins[..], &[Answers(quiet + 100, Failed), Powered(quiet + 150, 0, false)], &ends(quiet + 200)]
            .concat(),
    );
    // It never goes off: the next round asks again whether the scan can be stopped.
    let last = quiet + 1_900;
    let round = [Answers(last, Failed), Is(State::Dead), Silence(last + 2_000), Does(StopScan(0))];
    scans_then(
        &[
            &begins[..],
            &again(quiet + 100),
            &again(quiet + 700),
            &again(quiet + 1_300),
            &round,
            &[Answers(last + 2_010, InProgress), Does(PowerOff(0))],
            &again(last + 2_100),
            &[Answers(last + 2_700, Done)],
            &ends(last + 2_700),
        ]
        .concat(),
    );
    // A link that is none is not worth the scan.
    let mut held = vec![Undead(1_000), Does(PowerOff(0))];
    (0..3).for_each(|n| held.extend(again(1_100 + n * 600)));
    held.extend([Answers(2_900, Failed), Silence(3_400), Does(StopScan(0)), Answers(3_410, Done)]);
    held.extend([Does(StartScan(0)), Answers(3_500, Done), Is(State::Scanning)]);
    scans_then(&held);
}

/// bluetoothd killed: no event of the adapter's, a new owner of the name. The agent first; `InProgress` until the power was
/// switched.
#[test]
fn a_new_daemon_gets_the_agent_and_the_scan() {
    scans_then(&[
        Daemon(5_000, false),
        Is(State::NoDaemon),
        Does(Look),
        Answers(5_010, Failed),
        Silence(7_010),
        Does(Look),
        Daemon(7_020, true),
        Added(7_030, 0),
        Answers(7_040, Done),
        Does(Register(0)),
        Answers(7_050, Done),
        Does(PowerOn(0)),
        Answers(7_100, Busy),
        Silence(7_600),
        Does(PowerOn(0)),
        Answers(7_700, Done),
        Does(StartScan(0)),
        Answers(7_800, Done),
        Is(State::Scanning),
    ]);
}

/// bluetoothd killed, and at once another: the power is on, and the kernel scans for the one that is gone. What is heard comes of that.
#[test]
fn a_scan_that_nobody_hears_is_none() {
    let to_the_scan =
        [Does(PowerOff(0)), Answers(5_300, Done), Does(PowerOn(0)), Answers(5_400, Done), Does(StartScan(0))];
    let again = [
        &[Daemon(5_000, true), Does(Look), Powered(5_010, 0, true), Added(5_010, 0), Powered(5_010, 0, true)]
            [..],
        &[Answers(5_020, Done), Does(Register(0)), Answers(5_100, Done), Does(StartScan(0)), Heard(5_150)],
        &[Answers(5_200, Inherited), Is(State::Starting)],
        &to_the_scan,
    ];
    scans_then(&[again.concat(), vec![Answers(5_500, Done), Is(State::Scanning)]].concat());
    // Switching it once is enough, or nothing is.
    scans_then(
        &[again.concat(), vec![Answers(5_500, Inherited), Silence(6_000), Does(StartScan(0))]].concat(),
    );
}

#[test]
fn in_progress_where_something_is_heard_is_a_scan() {
    check(
        &[&SCANS[..], &[Heard(95), Answers(100, InProgress), Is(State::Scanning), Silence(100 + QUIET_MS)]]
            .concat(),
    );
}

/// A silent controller: stop and start; then the power; then all of it, ever more seldom.
#[test]
fn in_progress_without_a_word_climbs_the_ladder() {
    let tries = |from: u64, answer: Answer| {
        let mut lines = vec![];
        for n in 0..3 {
            lines.extend([
                Answers(from + n * 500, answer),
                Silence(from + (n + 1) * 500),
                Does(StartScan(0)),
            ]);
        }
        lines.push(Answers(from + 1_500, answer));
        lines
    };
    check(
        &[
            &SCANS[..],
            &tries(100, InProgress),
            &[Silence(2_100), Does(StopScan(0)), Answers(2_100, Failed), Does(StartScan(0))],
            &tries(2_100, InProgress),
            &[Is(State::Starting), Silence(4_100), Does(PowerOff(0)), Answers(4_100, Done)],
            &[Does(PowerOn(0)), Answers(4_200, Done), Does(StartScan(0))],
            &tries(4_200, InProgress),
            &[Is(State::Dead), Silence(7_700), Does(StopScan(0)), Answers(7_700, Unanswered)],
            &[Does(StartScan(0)), Answers(7_800, Done), Is(State::Scanning)],
        ]
        .concat(),
    );
}

/// Nothing answers any more: each command has an end of its own.
#[test]
fn what_is_not_answered_has_an_end() {
    scans_then(&[
        Silence(100 + QUIET_MS),
        Does(StopScan(0)),
        Silence(100 + QUIET_MS + ANSWER_MS),
        Does(StartScan(0)),
        Silence(100 + QUIET_MS + 2 * ANSWER_MS),
        Silence(600 + QUIET_MS + 2 * ANSWER_MS),
        Does(StopScan(0)),
        // An answer to what is over is none to what is out.
        Answers(700 + QUIET_MS + 2 * ANSWER_MS, Done),
        Does(StartScan(0)),
        Answers(800 + QUIET_MS + 2 * ANSWER_MS, Done),
        Answers(900 + QUIET_MS + 2 * ANSWER_MS, Failed),
        Is(State::Scanning),
    ]);
}

/// A session goes on while the scan can't be started: nobody takes its power away.
#[test]
fn the_power_stays_on_while_anything_is_heard() {
    let mut lines = vec![];
    for n in 0..3 {
        lines.extend([Answers(100 + n * 500, Failed), Silence(600 + n * 500), Does(StartScan(0))]);
    }
    lines.extend([Answers(1_600, Failed), Silence(2_100), Does(StopScan(0)), Answers(2_100, Failed)]);
    lines.push(Does(StartScan(0)));
    for n in 0..3 {
        lines.extend([Answers(2_100 + n * 500, Failed), Silence(2_600 + n * 500), Does(StartScan(0))]);
    }
    lines.extend([Heard(3_500), Answers(3_600, Failed), Silence(4_100), Does(StartScan(0))]);
    check(&[&SCANS[..], &lines].concat());
}

/// Whatever else is heard: behind such a link nothing ever is.
#[test]
fn the_power_ends_a_link_that_nothing_else_ends() {
    scans_then(&[
        Heard(900),
        Undead(1_000),
        Is(State::Starting),
        Does(PowerOff(0)),
        // Another, meanwhile.
        Undead(1_010),
        Answers(1_100, Done),
        Powered(1_110, 0, false),
        Does(PowerOn(0)),
        Answers(1_200, Done),
        Does(StartScan(0)),
        Answers(1_300, Done),
        Is(State::Scanning),
    ]);
    // While something else is asked: it is answered first.
    check(
        &[
            &SCANS[..],
            &[Undead(150), Answers(200, Done), Is(State::Starting), Does(PowerOff(0)), Answers(300, Done)],
            &[Does(PowerOn(0)), Heard(350), Answers(400, Done), Does(StartScan(0)), Answers(500, Done)],
            &[Is(State::Scanning)],
        ]
        .concat(),
    );
}

#[test]
fn an_adapter_goes_and_comes_back_as_another() {
    scans_then(&[
        Removed(1_000, 0),
        Is(State::NoAdapter),
        Does(Look),
        Answers(1_100, Done),
        Silence(3_100),
        Does(Look),
        Answers(3_200, Done),
        Added(4_000, 1),
        Does(Register(1)),
        Answers(4_010, Done),
        Does(PowerOn(1)),
        Answers(4_020, Done),
        Does(StartScan(1)),
        Answers(4_030, Done),
        Is(State::Scanning),
        // A second one stands by.
        Added(5_000, 0),
        Powered(5_000, 0, false),
        Removed(6_000, 0),
        Is(State::Scanning),
        Added(7_000, 2),
        Removed(8_000, 1),
        Does(Register(2)),
    ]);
}

#[test]
fn power_and_rfkill() {
    scans_then(&[
        Powered(1_000, 0, false),
        Does(PowerOn(0)),
        Answers(1_100, Failed),
        Blocked(1_200, true),
        Is(State::Blocked),
        Does(Look),
        Answers(1_300, Done),
        Blocked(9_000, false),
        Does(PowerOn(0)),
        Answers(9_100, Done),
        Does(StartScan(0)),
        Answers(9_200, Done),
        Is(State::Scanning),
    ]);
}

#[test]
fn each_fault_says_what_helps() {
    for (state, word) in [
        (State::NoDaemon, "systemctl start bluetooth"),
        (State::NoAdapter, "Plug it in"),
        (State::Blocked, "rfkill unblock"),
        (State::Off, "Restart the hub"),
        (State::Dead, "plug it in again"),
        (State::Starting, "being started"),
        (State::Scanning, "listened for"),
    ] {
        assert!(state.sentence().contains(word), "{state:?}");
    }
}
