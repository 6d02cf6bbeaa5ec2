//! The devices of the house, by the address that a radio knows them by.

use super::keeper::{Member, Zoned};
use hearth_core::admit::Device;
use hearth_core::capture::DeviceNo;
use hearth_core::identity::{Address, Facts, Window};
use hearth_core::profile::{Catalog, Profile, Via};
use hearth_core::radio::Kept;
use hearth_core::when::ZoneName;
use jiff::Timestamp;
use std::sync::Arc;

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
