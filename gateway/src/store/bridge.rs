//! What the store knows of bridges: how far their records are committed, and when their ticks were.

use super::payload::{BridgeRow, OddRow};
use super::take::Committed;
use super::{Store, StoreError};
use hearth_core::admit::News;
use hearth_core::bridge::{BridgeNo, Greeting, Known, Met, Told, placed};
use hearth_core::capture::DeviceNo;
use hearth_core::identity::Facts;
use hearth_core::profile::Keeps;
use hearth_core::when::HubTicks;
use hearth_wire::frame::{BridgeId, Capabilities, Place, Ticks, Version};
use std::sync::Arc;

/// A bridge that this hub has met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bridge {
    pub no: BridgeNo,
    pub id: BridgeId,
    pub board: String,
    pub firmware: Version,
    pub can: Capabilities,
    pub taken: Place,
    /// Values that found no room there, as it said.
    pub lost: u64,
    /// Numbers of records that its flash did not keep.
    pub missing: u64,
    /// Records that this version can't read: kept as they came.
    pub odd: u64,
}

/// What the commit of a bridge's records says beside them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tally {
    pub bridge: BridgeNo,
    pub id: BridgeId,
    pub up_to: Place,
    pub missing: u64,
    pub lost: u64,
    /// Records that this version can't read: of a kind that only a later one knows, or none.
    pub odd: Vec<(Place, Vec<u8>)>,
}

impl Tally {
    /// Of nothing so far.
    pub fn of((bridge, id): (BridgeNo, BridgeId)) -> Tally {
        Tally { bridge, id, up_to: Place::default(), missing: 0, lost: 0, odd: vec![] }
    }

    /// With this record, which comes next.
    pub fn count(&mut self, told: &Told) {
        self.up_to = told.place;
        self.missing = self.missing.saturating_add(told.missing.into());
    }
}

/// Epochs that are given to a bridge begin so far apart: it may have started as often without this hub.
const STARTS: u32 = 1 << 16;

impl Store {
    /// A bridge said Hello: what is known of it, and, if it was acknowledged more than is committed here, up to where.
    pub fn greeted(&mut self, greeting: &Greeting) -> Result<(BridgeNo, Known, Option<Place>), StoreError> {
        let BridgeId(id) = greeting.bridge;
        let Version { major, minor, patch } = greeting.firmware;
        let said = BridgeRow {
            id,
            board: greeting.board.clone(),
            firmware: (major, minor, patch),
            can: greeting.can.0,
        };
        self.write(|rows| {
            let found = rows.bridge(id)?;
            let (no, taken, highest) = match &found {
                Some(found) => (found.no, found.taken, found.highest),
                None => (rows.make_bridge(&said)?, Place::default(), 0),
            };
            let highest = highest.max(greeting.epoch).max(greeting.acknowledged.epoch);
            let first_epoch = (highest / STARTS).saturating_add(1).saturating_mul(STARTS).saturating_add(1);
            let first_epoch = if highest == 0 { 1 } else { first_epoch };
            let given = if greeting.is_adopted { highest } else { first_epoch };
            rows.bridge_said(no, &said, given)?;
            let forgotten = Some(greeting.acknowledged).filter(|acknowledged| *acknowledged > taken);
            if let Some(up_to) = forgotten {
                rows.bridge_told(no, up_to, 0, 0)?;
            }
            Ok((BridgeNo(no), Known { taken: forgotten.unwrap_or(taken), first_epoch }, forgotten))
        })
    }

    /// What its ticks were, once more.
    pub fn bridge_met(&mut self, bridge: BridgeNo, epoch: u32, met: Met) -> Result<(), StoreError> {
        self.write(|rows| rows.bridge_met(bridge.0, epoch, met))
    }

    /// When that was, on the hub's line of ticks. Of an epoch of which nothing is known: on a line of its own.
    pub fn placed(
        &mut self,
        bridge: BridgeNo,
        (epoch, ticks): (u32, Ticks),
        now: HubTicks,
    ) -> Result<HubTicks, StoreError> {
        self.write(|rows| {
            let known = rows.bridge_mets(bridge.0, epoch)?;
            if let Some(at) = placed(ticks, &known) {
                // The future is the clocks' disagreement.
                return Ok(if at.boot == now.boot { at.min(now) } else { at });
            }
            let at = HubTicks { boot: rows.boot_of_its_own()?, ms: 0 };
            let begun = Met { ticks: Ticks(0), at };
            rows.bridge_met(bridge.0, epoch, begun)?;
            Ok(placed(ticks, &[begun]).unwrap_or(at))
        })
    }

    /// [`Store::take_all`] of what a bridge told, with how far it has told now: one transaction.
    pub fn take_told(
        &mut self,
        all: &[(News, HubTicks)],
        tally: &Tally,
    ) -> Result<Vec<Committed>, StoreError> {
        self.take_all_with(all, |rows| {
            for (place, octets) in &tally.odd {
                rows.bridge_odd(*place, &OddRow { bridge: tally.id.0, octets: octets.clone() })?;
            }
            rows.bridge_told(tally.bridge.0, tally.up_to, tally.missing, tally.lost)
        })
    }

    /// What the clock of this device keeps, by its profile. `None`: it has none.
    pub fn keeps(&mut self, facts: &Facts) -> Result<Option<Keeps>, StoreError> {
        let catalog = Arc::clone(&self.catalog);
        self.read(|rows| {
            let Some(no) = rows.device_by_handle(facts)? else { return Ok(None) };
            let profile = rows.device(no)?.profile;
            Ok(profile.and_then(|name| catalog.get(&name)).map(|profile| profile.clock.keeps))
        })
    }

    /// The device of which this is known, if it was ever met.
    pub fn device_of(&mut self, facts: &Facts) -> Result<Option<DeviceNo>, StoreError> {
        self.read(|rows| rows.device_by_handle(facts))
    }

    /// All bridges that were ever met.
    pub fn bridges(&mut self) -> Result<Vec<Bridge>, StoreError> {
        self.read(|rows| {
            let odds = rows.bridge_odds()?;
            let bridge = |found: super::rows::FoundBridge| {
                let (major, minor, patch) = found.said.firmware;
                Bridge {
                    no: BridgeNo(found.no),
                    id: BridgeId(found.said.id),
                    board: found.said.board,
                    firmware: Version { major, minor, patch },
                    can: Capabilities(found.said.can),
                    taken: found.taken,
                    lost: found.lost,
                    missing: found.missing,
                    odd: odds.iter().filter(|id| **id == found.said.id).count() as u64,
                }
            };
            Ok(rows.bridges()?.into_iter().map(bridge).collect())
        })
    }
}
