//! Places where a test stops the process, to kill it there; and waits that a test shortens.
//!
//! With the feature `failpoints` and `HEARTH_FAILPOINT=NAME[:N]` in the environment, the N-th reaching of the
//! point (the first, if N is not given) says `failpoint NAME` on standard error and never returns: the thread is
//! parked, and the test ends the process with SIGKILL. Without the feature there is nothing here.

/// One step of the walk at which a power cut must lose nothing and double nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    /// The news is judged and written, and not yet committed.
    TakeBeforeCommit,
    /// Committed, and the source not yet told.
    TakeAfterCommit,
    /// The source is about to be told that it may forget.
    BeforeRelease,
    /// The attempt is on disk, and no octet has left.
    StartAfterCommit,
    BeforeRequest,
    /// The record system has answered, and nobody has looked.
    AfterRequest,
    SettleBeforeCommit,
    SettleAfterCommit,
}

impl Point {
    pub const ALL: [Point; 8] = [
        Point::TakeBeforeCommit,
        Point::TakeAfterCommit,
        Point::BeforeRelease,
        Point::StartAfterCommit,
        Point::BeforeRequest,
        Point::AfterRequest,
        Point::SettleBeforeCommit,
        Point::SettleAfterCommit,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Point::TakeBeforeCommit => "take-before-commit",
            Point::TakeAfterCommit => "take-after-commit",
            Point::BeforeRelease => "before-release",
            Point::StartAfterCommit => "start-after-commit",
            Point::BeforeRequest => "before-request",
            Point::AfterRequest => "after-request",
            Point::SettleBeforeCommit => "settle-before-commit",
            Point::SettleAfterCommit => "settle-after-commit",
        }
    }
}

#[cfg(not(feature = "failpoints"))]
pub fn reach(_: Point) {}

/// By how much the uplink's own waits are divided. What a record system asks for (`Retry-After`) stays as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hurry {
    pub waits: u32,
    /// How long a search that finds nothing is not believed: it must stay longer than a request may be under way.
    pub patience: u32,
}

impl Hurry {
    pub const NONE: Hurry = Hurry { waits: 1, patience: 1 };
}

/// With the feature what `HEARTH_HURRY=WAITS:PATIENCE` says; else [`Hurry::NONE`].
#[cfg(not(feature = "failpoints"))]
pub fn hurry() -> Hurry {
    Hurry::NONE
}

#[cfg(feature = "failpoints")]
pub fn hurry() -> Hurry {
    std::env::var("HEARTH_HURRY").ok().and_then(|said| parse_hurry(&said)).unwrap_or(Hurry::NONE)
}

/// `waits:patience`, neither of them 0.
#[cfg(feature = "failpoints")]
fn parse_hurry(said: &str) -> Option<Hurry> {
    let (waits, patience) = said.split_once(':')?;
    let divisor = |said: &str| said.parse().ok().filter(|by| *by > 0);
    Some(Hurry { waits: divisor(waits)?, patience: divisor(patience)? })
}

#[cfg(feature = "failpoints")]
pub fn reach(point: Point) {
    use std::io::Write;
    use std::sync::atomic::{AtomicU64, Ordering};
    static REACHED: AtomicU64 = AtomicU64::new(0);
    let wanted = std::env::var("HEARTH_FAILPOINT").unwrap_or_default();
    let (name, nth) = parse(&wanted);
    if name == point.name() && REACHED.fetch_add(1, Ordering::SeqCst) + 1 == nth {
        _ = writeln!(std::io::stderr(), "failpoint {name}");
        loop {
            std::thread::park();
        }
    }
}

/// `name[:n]`. What is no number is the first time.
#[cfg(feature = "failpoints")]
fn parse(wanted: &str) -> (&str, u64) {
    let (name, nth) = wanted.split_once(':').unwrap_or((wanted, "1"));
    (name, nth.parse().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::Point;
    use std::collections::BTreeSet;

    #[test]
    fn every_point_has_its_own_name() {
        let names: BTreeSet<&str> = Point::ALL.into_iter().map(Point::name).collect();
        assert_eq!(names.len(), Point::ALL.len());
    }

    #[cfg(feature = "failpoints")]
    #[test]
    fn the_environment_names_a_point_and_a_time() {
        assert_eq!(super::parse("before-request"), ("before-request", 1));
        assert_eq!(super::parse("before-request:3"), ("before-request", 3));
    }

    #[cfg(feature = "failpoints")]
    #[test]
    fn the_environment_says_how_much_shorter_waits_are() {
        use super::{Hurry, parse_hurry};
        assert_eq!(parse_hurry("200:20"), Some(Hurry { waits: 200, patience: 20 }));
        assert!(["", "20", "0:1", "1:0", "a:b"].into_iter().all(|said| parse_hurry(said).is_none()));
    }
}
