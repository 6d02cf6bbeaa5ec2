//! The device's clock: compared where it was read, set where the hub says so, by the hub's time.

use super::words::Octets;
pub(super) use hearth_wire::clock::takes_a_part;
use hearth_wire::clock::{Shown, setting, shown};
use hearth_wire::frame::plan::{Place, Step};
use hearth_wire::frame::{Ticks, TimeOfDay};

#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    time: Option<TimeOfDay>,
    /// Where it was read, what it showed, and when.
    read: Option<(Place, Shown, Ticks)>,
    is_parted: bool,
}

impl Clock {
    pub(super) fn new(time: Option<TimeOfDay>) -> Clock {
        Clock { time, read: None, is_parted: false }
    }

    /// The first answer is the one that is compared: what comes after is what it was set to.
    pub(super) fn read(&mut self, place: Place, octets: &[u8], at: Ticks) {
        if self.read.is_none() {
            self.read = shown(place.characteristic, octets).map(|shown| (place, shown, at));
        }
    }

    /// Whether it is to be set: always, or if it was seen to be off by more than so many seconds, or never to have been set.
    pub(super) fn is_due(&self, ahead_s: i32, beyond_s: Option<u32>, now: Ticks) -> bool {
        let Some(time) = self.time.filter(|time| time.holds(now)) else { return false };
        let Some(limit) = beyond_s else { return true };
        self.read.is_some_and(|(_, shown, at)| match shown {
            Shown::Unset => true,
            Shown::Time(ms) => {
                let right = time.local_ms(ahead_s, at);
                right.is_some_and(|right| ms.abs_diff(right) > u64::from(limit) * 1_000)
            }
        })
    }

    pub(super) fn parted(&mut self) {
        self.is_parted = true;
    }

    pub(super) fn is_parted(&self) -> bool {
        self.is_parted
    }

    pub(super) fn setting(&self, place: Place, ahead_s: i32, now: Ticks) -> Option<Octets> {
        let shows = self.time?.local_ms(ahead_s, now)?;
        Octets::of(|room| setting(place.characteristic, shows, room).map(<[u8]>::len))
    }

    /// It was set: it is read once more, so that the hub knows what it shows from now on.
    pub(super) fn again(&self) -> Option<Step> {
        self.read.map(|(place, ..)| Step::ReadClock(place))
    }
}
