//! What time it is, for a bridge that sets clocks.

use super::Met;
use crate::radio::Millis;
use crate::radio::session::HubTime;
use crate::when::{Anchor, HubTicks, ZoneName};
use hearth_wire::frame::{Ticks, TimeOfDay};
use jiff::Timestamp;

/// So long a bridge sets clocks by it, unless it is told again, as it is every hour: its crystal is off by a second by then.
const HOLDS_MS: i64 = 6 * 3_600_000;
/// So long before the clocks of a zone change it sets none: by so much it may be off itself.
const BEFORE_MS: i64 = 5_000;

/// For the configuration with this digest, made at a time in which the hub's clock was believed, for devices in these zones. `met`: of
/// the bridge's epoch. `None`: the hub does not know the time well enough, or has not met the bridge in this boot.
pub fn time_of_day(
    configuration: u32,
    (epoch, met): (u32, Met),
    anchor: &Anchor,
    zones: impl IntoIterator<Item = ZoneName>,
) -> Option<TimeOfDay> {
    let millis = |ticks: HubTicks| u64::try_from(ticks.ms).ok().map(Millis);
    if anchor.at.boot != met.at.boot {
        return None;
    }
    let utc = HubTime { at: millis(anchor.at)?, utc: anchor.utc }.instant(millis(met.at)?)?;
    let change = |zone: ZoneName| zone.zone().following(utc).next().map(|change| change.timestamp());
    let until_change = |change: Timestamp| {
        let ms = change.duration_since(utc).as_millis();
        i64::try_from(ms).unwrap_or(i64::MAX).saturating_sub(BEFORE_MS)
    };
    let holds = zones.into_iter().filter_map(change).map(until_change).fold(HOLDS_MS, i64::min);
    Some(TimeOfDay {
        configuration,
        epoch,
        at: met.ticks,
        utc_ms: u64::try_from(utc.as_millisecond()).ok()?,
        until: Ticks(met.ticks.0.saturating_add_signed(holds.max(0))),
    })
}
