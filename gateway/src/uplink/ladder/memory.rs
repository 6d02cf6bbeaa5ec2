//! What was learned about a destination. Lost with the process, and learned again.

use crate::failpoint::Hurry;
use crate::store::OutboxNo;
use hearth_core::delivery::backoff;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Waits for a whole destination.
const BUSY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5 * 60));
/// Waits for a person: at least this long between two tries.
const HELD: Duration = Duration::from_secs(30);
const HELD_JITTER: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(15 * 60));
/// Waits of one row.
const ROW: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3600));

/// How long after its octets left a reading that no search finds is repeated: indexes lag, caches last a minute.
const PATIENCE: Duration = Duration::from_secs(60);
/// Rows of which is remembered when they left.
const LEFT: usize = 10_000;
/// So many searches that say nothing, one after the other over so long: then the record can't be searched.
const DEAF: (u32, Duration) = (8, Duration::from_secs(3600));

/// How many devices are remembered: more than a house has.
const DEVICES: usize = 1_000;

/// What is remembered from carry to carry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    /// More readings than this were too much in one Bundle.
    pub(super) most: usize,
    /// The next Bundle's size: halved when none is answered in time, doubled when one is.
    pub(super) size: usize,
    /// Batches of reads are refused.
    pub(super) asks_singly: bool,
    /// Bundles that were refused although nothing in them was, one after the other: at the second, no more are sent.
    pub(super) grudges: u8,
    /// Devices that are there.
    pub(super) devices: BTreeSet<String>,
    /// Something was written since anything last failed: a failure now is about the reading.
    healthy: bool,
    /// Persons whom the record does not know, by their logical ids.
    pub(super) unknown: BTreeSet<String>,
    /// An identifier that is there: a search of several asks for it too, and is believed if it finds it.
    pub(super) landmark: Option<(String, String)>,
    /// When octets of a row last left. What is not among them left before this process was born.
    left: BTreeMap<OutboxNo, Timestamp>,
    born: Option<Timestamp>,
    patience: Duration,
    /// Searches in a row that said nothing, and since when.
    deaf: Option<(Timestamp, u32)>,
    /// Failures of the whole destination in a row.
    failures: u32,
    random: u64,
    /// [`Hurry::NONE`], but in tests.
    hurry: Hurry,
}

impl Memory {
    /// `seed`: anything; it spreads the waits of many hubs.
    pub fn new(seed: u64) -> Memory {
        Memory {
            most: usize::MAX,
            size: usize::MAX,
            asks_singly: false,
            grudges: 0,
            devices: BTreeSet::new(),
            healthy: false,
            unknown: BTreeSet::new(),
            landmark: None,
            left: BTreeMap::new(),
            born: None,
            patience: PATIENCE,
            deaf: None,
            failures: 0,
            random: seed,
            hurry: Hurry::NONE,
        }
    }

    /// For tests that have no minutes.
    pub(in crate::uplink) fn hurried(self, hurry: Hurry) -> Memory {
        Memory { hurry, patience: PATIENCE / hurry.patience, ..self }
    }

    /// How many persons' readings are held because the record does not know them.
    pub fn persons_unknown(&self) -> usize {
        self.unknown.len()
    }

    /// Of what left before, nobody here knows when.
    pub(super) fn wake(&mut self, now: Timestamp) {
        self.born.get_or_insert(now);
    }

    /// Octets of these rows leave.
    pub(super) fn leave(&mut self, rows: &[OutboxNo], now: Timestamp) {
        if self.left.len() + rows.len() > LEFT {
            self.left.clear();
            self.born = Some(now);
        }
        self.left.extend(rows.iter().map(|row| (*row, now)));
    }

    /// The row is closed.
    pub(super) fn forget(&mut self, row: OutboxNo) {
        self.left.remove(&row);
    }

    /// How long until a search that does not find this row is believed. `None`: now.
    pub(super) fn unripe(&mut self, row: OutboxNo, now: Timestamp) -> Option<Duration> {
        let since = self.left.get(&row).copied().or(self.born).unwrap_or(now);
        if since > now {
            // The clock was set back: nobody knows how long it has been.
            self.left.insert(row, now);
            return Some(self.patience);
        }
        let passed = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        self.patience.checked_sub(passed).filter(|left| !left.is_zero())
    }

    /// A search was answered, or not.
    pub(super) fn searched(&mut self, answered: bool, now: Timestamp) {
        let (since, times) = self.deaf.unwrap_or((now, 0));
        self.deaf = (!answered).then_some((since.min(now), times.saturating_add(1)));
    }

    /// The record is not to be searched: then it is written to as if it could not be.
    pub fn is_unsearchable(&self, now: Timestamp) -> bool {
        self.deaf.is_some_and(|(since, times)| {
            times >= DEAF.0
                && Duration::try_from(now.duration_since(since)).is_ok_and(|passed| passed >= DEAF.1)
        })
    }

    /// What no search finds is believed to be absent at once: for tests that have no minute.
    #[cfg(test)]
    pub(crate) fn impatient(&mut self) {
        self.patience = Duration::ZERO;
    }

    /// Something was written: of a reading, unless it is a device's, which shows nothing of readings.
    pub(super) fn wrote(&mut self, is_device: bool) {
        self.healthy |= !is_device;
        self.reached();
    }

    /// Whether something was written since this was last asked: one success vouches for one failure.
    pub(super) fn others_passed(&mut self) -> bool {
        std::mem::take(&mut self.healthy)
    }

    pub(super) fn reached(&mut self) {
        self.failures = 0;
    }

    /// A Bundle was taken, and answered in time.
    pub(super) fn grow(&mut self) {
        self.size = self.size.saturating_mul(2);
        self.grudges = 0;
    }

    pub(super) fn has_device(&mut self, id: &str) {
        if self.devices.len() >= DEVICES {
            self.devices.clear();
        }
        self.devices.insert(id.to_owned());
    }

    /// How long a busy destination is left alone: never less than it asked for.
    pub fn busy(&mut self, after: Option<Duration>) -> Duration {
        let wait = self.wait(self.failures, BUSY).max(after.unwrap_or_default());
        self.failed();
        wait
    }

    pub fn held(&mut self) -> Duration {
        let wait = HELD / self.hurry.waits + self.wait(self.failures, HELD_JITTER);
        self.failed();
        wait
    }

    /// How long one row waits that was tried so often.
    pub(super) fn row(&mut self, attempts: u32, after: Option<Duration>) -> Duration {
        self.wait(attempts, ROW).max(after.unwrap_or_default())
    }

    fn failed(&mut self) {
        self.healthy = false;
        self.failures = self.failures.saturating_add(1);
    }

    fn wait(&mut self, attempts: u32, (base, cap): (Duration, Duration)) -> Duration {
        backoff(attempts, base, cap, self.random()) / self.hurry.waits
    }

    /// SplitMix64: it only spreads.
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
