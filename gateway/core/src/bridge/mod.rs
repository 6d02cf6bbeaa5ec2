//! A bridge, from the hub: what it tells, in which order that is taken, and when it was.
//!
//! A bridge keeps what devices told in its own flash until the hub says that it is committed (`docs/bridge.md`). [`Line`] is the
//! conversation with one of them, as a machine: octets and instants in; frames, and what the hub has to do, out. [`follows`] decides
//! whether a record may be taken, [`placed`] when it was.

mod configuration;
pub mod image;
mod line;
mod said;
#[cfg(test)]
mod tests;
mod time_of_day;
pub mod uf2;
pub mod update;

use crate::when::HubTicks;
pub use configuration::{Housed, configuration, peer};
use hearth_wire::frame::{BridgeId, Capabilities, Place, Ticks, Version};
pub use line::{Line, Note, Poll};
pub use said::{Meaning, Said, on_the_air, read, wired};
pub use time_of_day::time_of_day;

/// Row number of a bridge in this hub's store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BridgeNo(pub i64);

/// Who a bridge is, and how it stands, as its Hello said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Greeting {
    pub bridge: BridgeId,
    /// 0: it takes no records, since no hub has adopted it, or its memory is full.
    pub epoch: u32,
    pub is_adopted: bool,
    pub acknowledged: Place,
    pub firmware: Version,
    pub board: String,
    pub can: Capabilities,
    pub waiting: u32,
    /// CRC-32 of the configuration that it works by. 0: none.
    pub configuration: u32,
    pub on_trial: bool,
    /// Zeros: it has not gone back.
    pub reverted_from: Version,
}

impl Greeting {
    /// The newer firmware that did not hold, if there was one.
    #[must_use]
    pub fn went_back_from(&self) -> Option<Version> {
        const NONE: Version = Version { major: 0, minor: 0, patch: 0 };
        Some(self.reverted_from).filter(|from| *from != NONE)
    }
}

/// What the hub's store knows of a bridge.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// All records up to this one are committed here.
    pub taken: Place,
    /// An epoch that this bridge never had, if it needs one.
    pub first_epoch: u32,
}

/// A record that the hub has to commit, as the bridge kept it: [`hearth_wire::frame::said::Said`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    pub place: Place,
    pub said: Vec<u8>,
    /// So many numbers before it are lost for good: their octets have rotted in the bridge's flash.
    pub missing: u32,
}

/// One moment of which the ticks of a bridge, in one of its epochs, and those of the hub are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Met {
    pub ticks: Ticks,
    pub at: HubTicks,
}

/// What a record is to a hub that has committed all up to `taken`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Follows {
    /// Committed already.
    Again,
    /// The next one. So many numbers between are lost: a bridge gives each once, in order.
    Next { missing: u32 },
    /// One that the bridge has comes between: it tells again from there.
    Gap,
}

/// `after`: the record that comes before this one, for its bridge.
pub fn follows(taken: Place, after: Place, place: Place) -> Follows {
    if place <= taken {
        return Follows::Again;
    }
    if after > taken {
        return Follows::Gap;
    }
    let first = if taken.epoch == place.epoch { taken.number } else { 0 };
    Follows::Next { missing: place.number.saturating_sub(first).saturating_sub(1) }
}

/// A bridge's instant on the hub's line of ticks, by moments of the same epoch that are known, in their order. Between two of the same
/// boot it is where their share says; else as far from the nearest one as the bridge counted. A bridge's crystal is off by 50 parts in
/// a million at most, as a hub's is. `None`: nothing is known of that epoch.
pub fn placed(ticks: Ticks, known: &[Met]) -> Option<HubTicks> {
    let before = known.iter().rfind(|met| met.ticks <= ticks);
    let after = known.iter().find(|met| met.ticks > ticks);
    let from = |met: &Met| {
        let ms = i64::try_from(ticks.0.abs_diff(met.ticks.0)).unwrap_or(i64::MAX);
        met.at.later(if ticks < met.ticks { ms.saturating_neg() } else { ms })
    };
    match (before, after) {
        (Some(before), Some(after)) if before.at.boot == after.at.boot => {
            let share = i128::from(ticks.0 - before.ticks.0);
            let whole = i128::from(after.ticks.0 - before.ticks.0);
            let ms = i128::from(after.at.ms.saturating_sub(before.at.ms)) * share / whole;
            Some(before.at.later(i64::try_from(ms).unwrap_or(i64::MAX)))
        }
        (Some(before), Some(after)) => {
            let is_nearer = ticks.0 - before.ticks.0 <= after.ticks.0 - ticks.0;
            Some(from(if is_nearer { before } else { after }))
        }
        (one, other) => one.or(other).map(from),
    }
}
