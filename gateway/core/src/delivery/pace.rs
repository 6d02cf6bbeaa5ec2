//! How long to wait, and how to halve.

use jiff::Timestamp;
use std::time::{Duration, SystemTime};

/// The longest that a `Retry-After` is believed: a wrong digit there must not end a queue.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// `Retry-After`, in seconds or as an HTTP-date (RFC 9110 10.2.3); a date in the past is now. `None`: neither.
pub fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    let wait = if !header.is_empty() && header.bytes().all(|octet| octet.is_ascii_digit()) {
        header.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let date = httpdate::parse_http_date(header).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        date.saturating_sub(Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0)))
    };
    Some(wait.min(LONGEST))
}

/// Full jitter: anywhere between nothing and `base * 2^attempt`, at most `cap`. `random` is uniform over `u64`.
pub fn backoff(attempt: u32, base: Duration, cap: Duration, random: u64) -> Duration {
    let doublings = 1u32.checked_shl(attempt.min(31)).unwrap_or(u32::MAX);
    let ceiling = base.saturating_mul(doublings).min(cap).as_nanos();
    let share = ceiling.saturating_mul(u128::from(random)) >> 64;
    Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX))
}

/// Groups that wait to be carried, the next one last. What is refused as a whole comes back in halves, so that
/// one that nobody takes is found in about two times log2 questions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bisection<T> {
    groups: Vec<Vec<T>>,
}

impl<T> Bisection<T> {
    /// Groups of at most `size`, in order.
    pub fn of(all: Vec<T>, size: usize) -> Bisection<T> {
        let mut groups: Vec<Vec<T>> = Vec::new();
        for one in all {
            match groups.last_mut() {
                Some(group) if group.len() < size.max(1) => group.push(one),
                _ => groups.push(vec![one]),
            }
        }
        groups.reverse();
        Bisection { groups }
    }

    pub fn take(&mut self) -> Option<Vec<T>> {
        self.groups.pop()
    }

    /// Puts back both halves of a group of at least two; a smaller one comes back to the caller.
    pub fn split(&mut self, mut group: Vec<T>) -> Result<(), Vec<T>> {
        if group.len() < 2 {
            return Err(group);
        }
        let later = group.split_off(group.len() / 2);
        self.groups.extend([later, group]);
        Ok(())
    }
}
