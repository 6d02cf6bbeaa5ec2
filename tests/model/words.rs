//! What can happen in a home, around its hub and at the records: words that proptest puts together and takes away
//! again, each of them a sentence.

use proptest::prelude::*;
use std::fmt;

/// A device, by its place in [`crate::home::DEVICES`].
pub(crate) type Device = usize;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Who {
    Ada,
    Ben,
    /// Nobody: what a technician does to try a device.
    Test,
}

/// What the next requests to a record meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    CutBefore,
    CutAfter,
    HalfAnswer,
    Stall,
    Refused,
    Busy,
    TooMany,
    Broken,
    Conflict,
    Page,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// So many seconds after what was before.
    Measure {
        device: Device,
        after: u32,
        context: bool,
    },
    /// So many frames, if the device has so many; then the link is lost, or all was sent.
    Contact {
        device: Device,
        frames: usize,
    },
    /// It sends once more what it was told is kept.
    Again {
        device: Device,
    },
    Pass {
        seconds: u32,
    },
    Kill,
    /// `unset`: the clock has no battery.
    Cut {
        torn: bool,
        unset: bool,
    },
    /// The power goes at the n-th time from now that the disk is touched.
    CutSoon {
        calls: u64,
        torn: bool,
    },
    DiskFull,
    DiskFree,
    Trouble {
        record: usize,
        trouble: Trouble,
        requests: usize,
    },
    Outage {
        record: usize,
        begins: bool,
    },
    /// The system clock is wrong by this, and nobody vouches for it.
    ClockLost {
        hours: i64,
    },
    ClockSet,
    /// The system clock is set wrong by this, and vouched for.
    ClockJumps {
        seconds: i64,
    },
    Bind {
        device: Device,
        who: Who,
    },
    /// It turns out that for so many hours it has been another's.
    Mistaken {
        device: Device,
        who: Who,
        hours: i64,
    },
    /// A person corrects every reading that is disputed.
    Correct,
    /// The home is in another zone from now on.
    Move {
        zone: usize,
    },
    /// The second hub of the house hears all that the device remembers.
    Overheard {
        device: Device,
    },
    /// Of the readings that there are the n-th.
    TakeBack {
        nth: usize,
        anew: bool,
    },
    Clinician {
        record: usize,
        nth: usize,
        deletes: bool,
    },
}

const YEAR: i64 = 365 * 24;

pub(crate) fn word() -> impl Strategy<Value = Word> {
    let device = || 0..crate::home::DEVICES.len();
    let hours = prop_oneof![Just(-10 * YEAR), Just(10 * YEAR), Just(-1), Just(1), Just(-56 * YEAR)];
    let jump = prop_oneof![
        Just(-93_600),
        Just(-7_200),
        Just(-90),
        Just(45),
        Just(7_200),
        Just(93_600),
        Just(400 * 86_400)
    ];
    let who = || prop_oneof![3 => Just(Who::Ada), 3 => Just(Who::Ben), 1 => Just(Who::Test)];
    let trouble = prop_oneof![
        1 => Just(Trouble::CutBefore),
        3 => Just(Trouble::CutAfter),
        2 => Just(Trouble::HalfAnswer),
        1 => Just(Trouble::Stall),
        1 => Just(Trouble::Refused),
        1 => Just(Trouble::Busy),
        1 => Just(Trouble::TooMany),
        1 => Just(Trouble::Broken),
        1 => Just(Trouble::Conflict),
        1 => Just(Trouble::Page),
    ];
    let seconds = prop_oneof![4 => 1..60u32, 4 => 60..7_200u32, 1 => 7_200..172_800u32];
    prop_oneof![
        12 => (device(), 10..900u32, any::<bool>())
            .prop_map(|(device, after, context)| Word::Measure { device, after, context }),
        10 => (device(), 1..7usize).prop_map(|(device, frames)| Word::Contact { device, frames }),
        2 => device().prop_map(|device| Word::Again { device }),
        6 => seconds.prop_map(|seconds| Word::Pass { seconds }),
        2 => Just(Word::Kill),
        2 => any::<(bool, bool)>().prop_map(|(torn, unset)| Word::Cut { torn, unset }),
        3 => (1..80u64, any::<bool>()).prop_map(|(calls, torn)| Word::CutSoon { calls, torn }),
        1 => Just(Word::DiskFull),
        1 => Just(Word::DiskFree),
        5 => (0..2usize, trouble, 1..4usize)
            .prop_map(|(record, trouble, requests)| Word::Trouble { record, trouble, requests }),
        2 => (0..2usize, any::<bool>()).prop_map(|(record, begins)| Word::Outage { record, begins }),
        1 => hours.prop_map(|hours| Word::ClockLost { hours }),
        2 => Just(Word::ClockSet),
        1 => jump.prop_map(|seconds| Word::ClockJumps { seconds }),
        2 => (device(), who()).prop_map(|(device, who)| Word::Bind { device, who }),
        1 => (device(), who(), 1..72i64)
            .prop_map(|(device, who, hours)| Word::Mistaken { device, who, hours }),
        1 => Just(Word::Correct),
        1 => (0..crate::home::ZONES.len()).prop_map(|zone| Word::Move { zone }),
        3 => device().prop_map(|device| Word::Overheard { device }),
        2 => (0..32usize, any::<bool>()).prop_map(|(nth, anew)| Word::TakeBack { nth, anew }),
        2 => (0..2usize, 0..32usize, any::<bool>())
            .prop_map(|(record, nth, deletes)| Word::Clinician { record, nth, deletes }),
    ]
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Who::Ada => "Ada",
            Who::Ben => "Ben",
            Who::Test => "nobody, for a test",
        })
    }
}

impl Trouble {
    fn said(self) -> &'static str {
        match self {
            Trouble::CutBefore => "get lost on the way",
            Trouble::CutAfter => "are done, and their answers get lost",
            Trouble::HalfAnswer => "are done, and their answers come by half",
            Trouble::Stall => "are never answered",
            Trouble::Refused => "find no connection",
            Trouble::Busy => "are answered 503",
            Trouble::TooMany => "are answered 429",
            Trouble::Broken => "are answered 500",
            Trouble::Conflict => "are answered 409",
            Trouble::Page => "are answered with a web page",
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let device = |n: &usize| crate::home::DEVICES[*n].name;
        let record = |n: &usize| crate::home::RECORDS[*n];
        match self {
            Word::Measure { device: n, after, context } => {
                let with = if *context { ", with a context if it has such" } else { "" };
                write!(f, "{after} s later the {} measures{with}.", device(n))
            }
            Word::Contact { device: n, frames } => {
                write!(f, "The {} sends up to {frames} frames.", device(n))
            }
            Word::Again { device: n } => {
                write!(f, "The {} sends once more what it was told is kept.", device(n))
            }
            Word::Pass { seconds } => write!(f, "{seconds} s pass."),
            Word::Kill => f.write_str("The hub's process is killed, and started again."),
            Word::Cut { torn, unset } => write!(
                f,
                "The power is cut{}{}, and comes back.",
                if *torn { ", what was being written is torn" } else { "" },
                if *unset { ", the clock stands at 1970" } else { "" }
            ),
            Word::CutSoon { calls, torn } => write!(
                f,
                "The power will be cut when the disk is touched for the {calls}. time from now{}.",
                if *torn { ", and what is being written torn" } else { "" }
            ),
            Word::DiskFull => f.write_str("The disk is full."),
            Word::DiskFree => f.write_str("The disk has room again."),
            Word::Trouble { record: n, trouble, requests } => {
                write!(f, "The next {requests} requests to the {} {}.", record(n), trouble.said())
            }
            Word::Outage { record: n, begins: true } => write!(f, "The {} is down.", record(n)),
            Word::Outage { record: n, begins: false } => write!(f, "The {} is up.", record(n)),
            Word::ClockLost { hours } => write!(f, "The hub's clock is {hours} h wrong, and says so."),
            Word::ClockSet => f.write_str("The hub's clock is set."),
            Word::ClockJumps { seconds } => {
                write!(f, "The hub's clock is set, {seconds} s wrong, and believed.")
            }
            Word::Bind { device: n, who } => write!(f, "From now on the {} is {who}'s.", device(n)),
            Word::Mistaken { device: n, who, hours } => {
                write!(f, "It turns out that for {hours} h the {} has been {who}'s.", device(n))
            }
            Word::Correct => f.write_str("A person corrects every reading that is disputed."),
            Word::Move { zone } => write!(f, "The home moves to {}.", crate::home::ZONES[*zone]),
            Word::Overheard { device: n } => {
                write!(f, "A second hub, if there is one, hears all that the {} remembers.", device(n))
            }
            Word::TakeBack { nth, anew: false } => write!(f, "A person takes reading no. {nth} back."),
            Word::TakeBack { nth, anew: true } => {
                write!(f, "A person takes reading no. {nth} back and issues it anew.")
            }
            Word::Clinician { record: n, nth, deletes: false } => {
                write!(f, "A clinician changes observation no. {nth} at the {}.", record(n))
            }
            Word::Clinician { record: n, nth, deletes: true } => {
                write!(f, "A clinician deletes observation no. {nth} at the {}.", record(n))
            }
        }
    }
}
