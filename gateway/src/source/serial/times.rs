//! What time it is, for a bridge: told when it works by what the hub made of the same time.

use super::talk::Talk;
use hearth_core::bridge::{self, Met};
use hearth_core::when::{HubTicks, ZoneName};
use hearth_wire::frame::{TimeOfDay, ToBridge};

/// A hub that does not know the time may know it soon: its network has just come.
const AGAIN_MS: i64 = 60_000;

/// How far a bridge has it.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// A moment of the epoch in which the bridge is.
    met: Option<(u32, Met)>,
    /// For the configuration that it is to have.
    tells: Option<TimeOfDay>,
    /// When to try again.
    pub(super) again: Option<HubTicks>,
}

impl Times {
    pub(super) fn met(&mut self, epoch: u32, met: Met) {
        self.met = Some((epoch, met));
    }
}

impl Talk<'_> {
    /// The bridge is to work by the configuration with this digest, which was made for this time and these zones.
    pub(super) fn is_timed(&mut self, digest: u32, zones: Vec<ZoneName>) {
        let (anchor, now) = (self.stays.clock.anchor(), self.now());
        let times = &mut self.times;
        let Some(met) = times.met else { return };
        times.tells = anchor.and_then(|anchor| bridge::time_of_day(digest, met, &anchor, zones));
        times.again = times.tells.is_none().then(|| now.later(AGAIN_MS));
    }

    /// It works by that configuration.
    pub(super) fn tells_time(&mut self) {
        if let Some(time) = self.times.tells.take() {
            _ = self.line.request(|token| ToBridge::TimeOfDay { token, time });
        }
    }
}
