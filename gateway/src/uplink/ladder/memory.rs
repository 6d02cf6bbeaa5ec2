//! What was learned about a destination. Lost with the process, and learned again.

use hearth_core::delivery::backoff;
use std::collections::BTreeSet;
use std::time::Duration;

/// Waits for a whole destination.
const BUSY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5 * 60));
/// Waits for a person: at least this long between two tries.
const HELD: Duration = Duration::from_secs(30);
const HELD_JITTER: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(15 * 60));
/// Waits of one row.
const ROW: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3600));

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
    /// Bundles that were refused although nothing in them was: at the second, no more are sent.
    pub(super) grudges: u8,
    /// Devices that are there.
    pub(super) devices: BTreeSet<String>,
    /// Something was written since anything last failed: a failure now is about the reading.
    pub(super) healthy: bool,
    /// Persons whom the record does not know, by their logical ids.
    pub(super) unknown: BTreeSet<String>,
    /// Failures of the whole destination in a row.
    failures: u32,
    random: u64,
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
            failures: 0,
            random: seed,
        }
    }

    /// How many persons' readings are held because the record does not know them.
    pub fn persons_unknown(&self) -> usize {
        self.unknown.len()
    }

    /// Something was written.
    pub(super) fn wrote(&mut self) {
        self.healthy = true;
        self.reached();
    }

    pub(super) fn reached(&mut self) {
        self.failures = 0;
    }

    /// A Bundle was answered in time.
    pub(super) fn grow(&mut self) {
        self.size = self.size.saturating_mul(2);
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
        let wait = HELD + self.wait(self.failures, HELD_JITTER);
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
        backoff(attempts, base, cap, self.random())
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
