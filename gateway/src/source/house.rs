//! The devices of the house, by the address that a radio knows them by, and what those who meet them wish of the hub: this hub's own
//! radio ([`super::ble`]), and bridges ([`super::serial`]). Neither sees a store or a person.

use super::wishes::Wishes;
use hearth_core::admit::Device;
use hearth_core::capture::DeviceNo;
use hearth_core::identity::{Address, Facts, Window};
use hearth_core::profile::{Catalog, Profile, Via};
use hearth_core::radio::{Change, Kept};
use hearth_core::when::{HubTicks, ZoneName};
use hearth_wire::frame::BridgeId;
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// A device of the house.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) device: Device,
    pub(crate) kept: Kept,
    pub(crate) zones: Vec<Zoned>,
}

/// From when until when a device was in whose zone, as far as that is known.
pub(crate) type Zoned = (Timestamp, Option<Timestamp>, Option<ZoneName>);

/// All of them, and all profiles.
#[derive(Clone, Debug)]
pub(crate) struct House {
    pub(crate) members: Vec<Member>,
    pub(crate) catalog: Arc<Catalog>,
}

#[derive(Debug)]
pub(crate) enum Wish {
    /// `None`: the store could not be read.
    House(oneshot::Sender<Option<House>>),
    Keep {
        no: DeviceNo,
        change: Change,
        done: oneshot::Sender<Option<Kept>>,
    },
    TakeIn {
        facts: Facts,
        /// Which one meets it. `None`: this hub's own radio.
        bridge: Option<BridgeId>,
        at: HubTicks,
        done: oneshot::Sender<Result<DeviceNo, String>>,
    },
    LetGo {
        no: DeviceNo,
        done: oneshot::Sender<Result<(), String>>,
    },
}

/// So many wishes may wait: a slow store slows who meets devices.
const WAITING: usize = 64;

#[derive(Clone, Debug)]
pub(crate) struct Keeper(Wishes<Wish>);

impl Keeper {
    pub(crate) fn new() -> (Keeper, mpsc::Receiver<Wish>) {
        let (wishes, wished) = Wishes::new(WAITING);
        (Keeper(wishes), wished)
    }

    /// The devices that this bridge meets, or this hub's own radio, and all profiles. `None`: the store could not be read.
    pub(super) async fn met_by(&self, bridge: Option<BridgeId>) -> Option<House> {
        let House { mut members, catalog } = self.0.wish(Wish::House).await?;
        members.retain(|member| member.kept.bridge == bridge);
        Some(House { members, catalog })
    }

    /// What is kept of a device of the house with this change. `None`: it is not of the house any more, or the
    /// store refused.
    pub(super) async fn keep(&self, no: DeviceNo, change: Change) -> Option<Kept> {
        self.0.wish(|done| Wish::Keep { no, change, done }).await
    }

    /// Takes a device into the house. Whoever met it before does so no more.
    pub(super) async fn take_in(
        &self,
        facts: Facts,
        bridge: Option<BridgeId>,
        at: HubTicks,
    ) -> Result<DeviceNo, String> {
        self.0.wish(|done| Wish::TakeIn { facts, bridge, at, done }).await
    }

    pub(super) async fn let_go(&self, no: DeviceNo) -> Result<(), String> {
        self.0.wish(|done| Wish::LetGo { no, done }).await
    }
}

/// A device of the house that this radio can hear.
#[derive(Clone, Debug)]
pub(super) struct Housed {
    pub(super) device: Device,
    pub(super) kept: Kept,
    zones: Vec<Zoned>,
    pub(super) address: Address,
    pub(super) profile: Arc<Profile>,
}

impl Housed {
    /// `None`: it has no address, or no profile.
    pub(super) fn of(member: Member, catalog: &Catalog) -> Option<Housed> {
        let Member { device, kept, zones } = member;
        let address = device.facts.address?;
        let profile = Arc::new(catalog.get(device.profile.as_ref()?)?.clone());
        Some(Housed { device, kept, zones, address, profile })
    }

    pub(super) fn no(&self) -> DeviceNo {
        self.device.no
    }

    /// Whether it is connected to; else it broadcasts.
    pub(super) fn is_connected_to(&self) -> bool {
        self.profile.collect.via != Via::Advertisement
    }

    /// What its clock shows, if it is known: the one zone of all whose device it is now.
    pub(super) fn zone(&self, now: Timestamp) -> Option<ZoneName> {
        let mut zones = self
            .zones
            .iter()
            .filter(|(from, until, _)| Window { from: *from, until: *until }.holds(now))
            .map(|(.., zone)| zone.as_ref());
        let first = zones.next()??;
        zones.all(|zone| zone == Some(first)).then(|| first.clone())
    }

    /// What it said of itself, as news that the store knows it by.
    pub(super) fn facts_and(&self, more: &Facts) -> Facts {
        Facts { address: Some(self.address), ..more.clone() }
    }
}
