//! The disk refuses one call, for every call that a life of the hub makes that touches the medium; or it has no room from a
//! call on, and for the 200 after it, for each tenth of them.
//!
//! After the refusal the daemon goes on if the store says that the disk is full, and else ends and is started
//! again. At the end, and after a power cut at any time since, every promise must be kept.

use crate::home::{Home, Stop};
use e2e::disk::folder::{Folder, LOG};
use e2e::disk::{Call, Fault, Left, Random};
use gateway::store::StoreError;

const RECORDS: usize = 3;
const STEPS: usize = 10;

/// How the disk fares from a call on, and for so many.
#[derive(Clone, Copy, Debug)]
struct Illness {
    fault: Fault,
    many: u64,
    /// Every so many of the calls that it concerns are tried.
    every: usize,
}

const ILLNESSES: [Illness; 4] = [
    Illness { fault: Fault::Io, many: 1, every: 1 },
    Illness { fault: Fault::Short, many: 1, every: 1 },
    Illness { fault: Fault::NoRoom, many: 1, every: 1 },
    Illness { fault: Fault::NoRoom, many: 200, every: 10 },
];

impl Illness {
    fn concerns(self, call: &Call) -> bool {
        match self.fault {
            Fault::Io => true,
            Fault::Short => matches!(call, Call::Write { .. }),
            Fault::NoRoom => matches!(call, Call::Create | Call::Write { .. }),
        }
    }
}

/// What came of one illness.
struct Course {
    refused: u64,
    full: usize,
    ended: usize,
    broken: Vec<String>,
}

fn life(seed: u64, nth: u64, illness: Illness) -> Course {
    let mut random = Random::new(seed);
    let folder = Folder::new();
    let mut home = Home::new(&folder, RECORDS, &mut random);
    home.disk.fail(nth, illness.many, illness.fault);
    let mut course = Course { refused: 0, full: 0, ended: 0, broken: vec![] };
    let mut started = false;
    let mut steps = 0;
    let mut finished = false;
    // Bounded: each round makes calls, and the illness ends after so many of them.
    for _ in 0..2_000 {
        let done = match (started, steps < STEPS) {
            (false, _) => home.start().map(|()| started = true),
            (true, true) => {
                steps += 1;
                home.step(&mut random)
            }
            (true, false) => home.finish().map(|()| finished = true),
        };
        match done {
            Ok(()) if finished => break,
            Ok(()) => {}
            Err(Stop::Store(said @ StoreError::Full)) => {
                course.full += 1;
                assert!(said.to_string().contains("free some"), "{said}");
                if !started {
                    home.stop();
                }
            }
            Err(Stop::Store(said @ StoreError::Broken(_))) => {
                course.ended += 1;
                assert!(said.to_string().contains("restart hearth"), "{said}");
                home.stop();
                started = false;
                if let Some(what) = asked_again(&home) {
                    course.broken.push(what);
                }
            }
            Err(Stop::Open(said)) => {
                course.ended += 1;
                assert!(said.contains(&*folder.path().to_string_lossy()), "{said}");
                home.stop();
                started = false;
            }
            Err(Stop::Store(other)) => panic!("{other}"),
        }
    }
    // The last calls are those of an end without haste, and may be refused, too.
    home.stop();
    course.refused = home.disk.heal();
    if !finished {
        course.broken.push("STUCK: it never came to its end".into());
    }
    course.broken.extend(home.outside().broken());
    if home.released_early > 0 {
        course.broken.push("RELEASED: somebody was told of what was not on the medium".into());
    }
    // The power is cut once more: a refused sync may have left less on the medium than the page cache showed.
    let end = home.disk.at();
    let refused_sync = home.disk.steps().iter().any(|step| step.call == Call::SyncFailed);
    for left in [Left::Dropped, Left::Torn].into_iter().take(if refused_sync { 2 } else { 1 }) {
        let at = end - random.below(end / 2 + 1);
        let image = home.disk.cut(at, left, &mut random);
        let folder = Folder::new();
        let mut again = Home::with(&folder, image, home.outside_at(at));
        match again.start().and_then(|()| again.finish()) {
            Ok(()) => {
                let said = again.outside().broken().into_iter();
                course.broken.extend(said.map(|what| format!("cut at {at} of {end}, {left:?}: {what}")));
            }
            Err(stop) => course.broken.push(format!("cut at {at} of {end}, {left:?}: UNOPENABLE: {stop}")),
        }
    }
    course
}

/// After a refused sync of the log the connection must not ask the disk for anything more: what it would sync then is
/// what the kernel has already given up.
fn asked_again(home: &Home<'_>) -> Option<String> {
    let steps = home.disk.steps();
    let refused = steps.iter().rposition(|step| step.file == LOG && step.call == Call::SyncFailed)?;
    let after = steps.get(refused + 1)?;
    Some(format!("AGAIN: after a refused sync the disk was asked for {after:?}"))
}

/// What a life without illness asks of the disk, call by call.
fn healthy(seed: u64) -> Vec<Call> {
    let mut random = Random::new(seed);
    let folder = Folder::new();
    let mut home = Home::new(&folder, RECORDS, &mut random);
    home.start().unwrap();
    for _ in 0..STEPS {
        home.step(&mut random).unwrap();
    }
    home.finish().unwrap();
    assert_eq!(home.outside().broken(), [""; 0]);
    home.stop();
    home.disk.steps().into_iter().map(|step| step.call).collect()
}

#[test]
fn every_call_may_fail() {
    let seed = 3;
    let calls = healthy(seed);
    let mut broken = vec![];
    let (mut lives, mut refused, mut full, mut ended) = (0, 0, 0, 0);
    for illness in ILLNESSES {
        let concerned = (1..).zip(&calls).filter(|(_, call)| illness.concerns(call)).step_by(illness.every);
        for (nth, _) in concerned {
            let course = life(seed, nth, illness);
            assert!(course.refused > 0, "{illness:?}, call {nth}: nothing was refused");
            lives += 1;
            refused += course.refused;
            full += course.full;
            ended += course.ended;
            broken.extend(course.broken.into_iter().map(|what| format!("{illness:?}, call {nth}: {what}")));
        }
    }
    println!(
        "failing disks: seed {seed}, {} calls, {lives} lives, {refused} calls refused; {full} times full, {ended} times the hub ended",
        calls.len()
    );
    assert!(full > 0 && ended > 0, "too little was refused");
    assert!(broken.is_empty(), "{} promises broken: {:#?}", broken.len(), &broken[..broken.len().min(20)]);
}
