//! What a person asks of whoever meets devices: this hub's own radio ([`super::ble`]), and bridges ([`super::serial`]).

use hearth_core::bridge::BridgeNo;
use hearth_core::capture::DeviceNo;
use hearth_core::identity::Facts;
use hearth_core::profile::{Catalog, Profile, draft};
use std::collections::BTreeSet;
use tokio::sync::{mpsc, oneshot};

/// What the rest of the hub says to its own radio, or to a bridge.
#[derive(Debug)]
pub(crate) enum Ask {
    /// The house, or whose its devices are, is another.
    House,
    /// What is heard.
    Nearby(oneshot::Sender<Vec<NearView>>),
    /// Pairs with the device of this address, most significant octet first, and takes it into the house.
    Pair { address: [u8; 6], steps: mpsc::UnboundedSender<Step> },
    /// Lets a device go, with its bond.
    Unpair { device: DeviceNo, done: oneshot::Sender<Result<Gone, String>> },
}

/// How a device has left the house.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Gone {
    Whole,
    /// Its bridge listens to another device, and removes the bond afterwards.
    ButForItsBond,
}

/// What a person has to see or to say while a device is paired, and how it ended.
#[derive(Debug)]
pub(crate) enum Step {
    /// The device shows six digits: type them here.
    Passkey(oneshot::Sender<u32>),
    /// Type these digits on the device.
    Show(u32),
    /// Do both show these digits?
    Compare(u32, oneshot::Sender<bool>),
    /// The device shows nothing and asks for nothing: anybody in reach may be between.
    JustWorks,
    /// The device is of the house; or why not, and what helps.
    Over(Result<DeviceNo, String>),
}

/// A device that is heard, for whoever administers the hub.
#[derive(Clone, Debug)]
pub(crate) struct NearView {
    pub(crate) address: [u8; 6],
    pub(crate) name: Option<String>,
    /// In dBm, when it was heard last.
    pub(crate) rssi: Option<i16>,
    pub(crate) heard_s: u64,
    /// The one profile that fits; of a device that none fits, or several do, a draft.
    pub(crate) profile: Result<String, String>,
    /// Of the house, by this number; filled in by whoever knows the whole house.
    pub(crate) device: Option<DeviceNo>,
    /// Which one hears it. `None`: this hub's own radio.
    pub(crate) bridge: Option<BridgeNo>,
}

/// The one profile that fits a device which is to be paired; or what helps.
pub(super) fn fitting<'c>(facts: &Facts, catalog: &'c Catalog) -> Result<&'c Profile, &'static str> {
    match catalog.fitting(facts).as_slice() {
        [one] => Ok(one),
        _ => Err(
            "no profile fits the device; `hearth devices --nearby ADDRESS` prints a draft of one (docs/profiles.md)",
        ),
    }
}

impl NearView {
    /// What is known by what it says of itself.
    pub(super) fn of(address: [u8; 6], facts: &Facts, catalog: &Catalog) -> NearView {
        let fitting = catalog.fitting(facts);
        let profile = match fitting.as_slice() {
            [one] => Ok(one.name.0.clone()),
            _ => Err(draft(facts, &BTreeSet::new(), &fitting).text),
        };
        let name = facts.advertised_name.clone();
        NearView { address, name, rssi: None, heard_s: 0, profile, device: None, bridge: None }
    }
}
