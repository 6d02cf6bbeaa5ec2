//! Devices, people, and what ties them: `bind` is the only maker of [`Bound`].

use crate::capture::DeviceNo;
use crate::profile::{IdentitySource, Profile};
use crate::when::ZoneName;
use hearth_wire::gatt::SystemId;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// A Bluetooth device address, most significant octet first, and whether it names the device for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Address {
    pub octets: [u8; 6],
    pub kind: AddressKind,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AddressKind {
    Public,
    /// Random static, or the identity address that a bond revealed.
    Identity,
    /// Changes by itself: names nothing.
    Private,
}

/// What a device says of itself. Only ever added to; what it said first stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    pub address: Option<Address>,
    /// Advertised name. Recognizes a model, never a device.
    pub advertised_name: Option<String>,
    /// 16-bit services seen in advertisements or discovery.
    pub services: BTreeSet<u16>,
    /// 2A23
    pub system_id: Option<SystemId>,
    /// 2A25
    pub serial: Option<String>,
    /// 2A29
    pub manufacturer: Option<String>,
    /// 2A24
    pub model: Option<String>,
    /// 2A26
    pub firmware: Option<String>,
}

impl Facts {
    /// Adds what is new. What contradicts an earlier word is left out, and its field named.
    pub fn add(&mut self, more: &Facts) -> Vec<&'static str> {
        fn one<T: Clone + PartialEq>(
            field: &'static str,
            have: &mut Option<T>,
            new: &Option<T>,
        ) -> Option<&'static str> {
            match (&have, new) {
                (_, None) => None,
                (Some(a), Some(b)) => (a != b).then_some(field),
                (None, Some(b)) => {
                    *have = Some(b.clone());
                    None
                }
            }
        }
        self.services.extend(more.services.iter().copied());
        // Firmware may be updated, and a name changed by its owner: the last word stands, and is no contradiction.
        self.firmware = more.firmware.clone().or_else(|| self.firmware.take());
        self.advertised_name = more.advertised_name.clone().or_else(|| self.advertised_name.take());
        [
            one("address", &mut self.address, &more.address),
            one("system id", &mut self.system_id, &more.system_id),
            one("serial number", &mut self.serial, &more.serial),
            one("manufacturer", &mut self.manufacturer, &more.manufacturer),
            one("model", &mut self.model, &more.model),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// What names a device, everywhere and for ever. Its octets go into every key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Identity {
    /// EUI-64, most significant octet first.
    SystemId([u8; 8]),
    /// Maker's serial number, with the maker, since serials are unique only there.
    Serial {
        manufacturer: String,
        serial: String,
    },
    Address([u8; 6]),
}

impl Identity {
    /// The one spelling that is hashed.
    pub fn octets(&self) -> Vec<u8> {
        match self {
            Identity::SystemId(eui) => [&b"system-id:"[..], eui].concat(),
            Identity::Serial { manufacturer, serial } => {
                format!("serial:{manufacturer}\u{1f}{serial}").into_bytes()
            }
            Identity::Address(address) => [&b"address:"[..], address].concat(),
        }
    }
}

impl Identity {
    /// Whether a fact of this name, as [`Facts::add`] names it, is part of what names the device.
    pub fn rests_on(&self, fact: &str) -> bool {
        match self {
            Identity::SystemId(_) => fact == "system id",
            Identity::Serial { .. } => fact == "serial number" || fact == "manufacturer",
            Identity::Address(_) => fact == "address",
        }
    }
}

/// The identity of a device by what its profile vouches for. `None`: not told yet.
pub fn identify(facts: &Facts, profile: &Profile) -> Option<Identity> {
    match profile.identity {
        IdentitySource::SystemId => {
            facts.system_id.filter(SystemId::is_plausible).map(|s| Identity::SystemId(s.eui64()))
        }
        IdentitySource::Serial => {
            let serial = facts.serial.clone().filter(|s| !s.is_empty())?;
            Some(Identity::Serial { manufacturer: facts.manufacturer.clone()?, serial })
        }
        IdentitySource::Address => {
            facts.address.filter(|a| a.kind != AddressKind::Private).map(|a| Identity::Address(a.octets))
        }
    }
}

/// Random; means nothing outside this hub.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PersonNo(pub i64);

/// Counts the changes of all bindings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Revision(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot(pub u8);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Who {
    Person(PersonNo),
    /// Somebody tries the device: HTEST, never sent (CLINICAL 24).
    Test,
}

/// Security labels that come with a programme and travel on everything made from its readings (CLINICAL 29).
/// Codes of HL7 v3-ActCode and v3-Confidentiality, sorted; empty: none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Labels(pub BTreeSet<String>);

/// Who said that nobody else uses the device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attested {
    pub by: String,
}

/// (device, slot) is this person's, from one instant until before another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    pub device: DeviceNo,
    pub slot: Option<Slot>,
    pub who: Who,
    pub from: Timestamp,
    pub until: Option<Timestamp>,
    /// `None`: stamps without a zone are held (CLINICAL 18).
    pub zone: Option<ZoneName>,
    pub sole_use: Option<Attested>,
    /// Others use it, too, and it tells nobody apart: a record is theirs only if a person gave it to them.
    pub shared: bool,
    pub labels: Labels,
    pub revision: Revision,
}

impl Binding {
    /// Unknown users are nobody's; a named slot is this binding's if it names the same one, or names none and
    /// somebody attested sole use (CLINICAL 23). Whoever shares a device has nothing of it by that alone.
    pub(crate) fn covers(&self, device: DeviceNo, slot: Option<Slot>) -> bool {
        self.device == device
            && !self.shared
            && match (self.slot, slot) {
                (mine, heard) if mine == heard => true,
                (None, Some(_)) => self.sole_use.is_some(),
                _ => false,
            }
    }

    /// Whether one record could lie in both: the same device, a slot that both cover, and an instant in both. Several share a
    /// device, each once, and nobody has it alone meanwhile.
    pub fn meets(&self, other: &Binding) -> bool {
        let begins_in_time = |a: &Binding, b: &Binding| b.until.is_none_or(|until| a.from < until);
        let same = match (self.shared, other.shared) {
            (true, true) => self.device == other.device && self.who == other.who,
            (true, false) | (false, true) => self.device == other.device && self.slot == other.slot,
            (false, false) => self.covers(other.device, other.slot) || other.covers(self.device, self.slot),
        };
        same && begins_in_time(self, other) && begins_in_time(other, self)
    }
}

/// What a device says when it knows users and does not know which one this was.
pub const UNKNOWN_USER: u8 = 255;

/// A half-open interval in which something is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    pub from: Timestamp,
    pub until: Option<Timestamp>,
}

impl Window {
    pub fn holds(&self, instant: Timestamp) -> bool {
        self.from <= instant && self.until.is_none_or(|until| instant < until)
    }
}

/// What may leave for one destination: readings taken inside the order and the consent (CLINICAL 22).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Permission {
    pub order: Window,
    pub consent: Window,
    pub revision: Revision,
}

impl Permission {
    pub fn allows(&self, taken: Timestamp) -> bool {
        self.order.holds(taken) && self.consent.holds(taken)
    }
}
