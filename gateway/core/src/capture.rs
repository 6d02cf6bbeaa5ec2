//! Octets, with who, what, where and when they were heard; and the names that follow from them.

use crate::when::{ContactNo, HubTicks};
use hearth_wire::gatt;
use sha2::{Digest, Sha256};

/// Row number of a device in this hub's store. Means nothing elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DeviceNo(pub i64);

/// A 16-bit UUID assigned by the Bluetooth SIG.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Uuid16(pub u16);

impl Uuid16 {
    pub const BLOOD_PRESSURE_MEASUREMENT: Uuid16 = Uuid16(0x2A35);
    pub const GLUCOSE_MEASUREMENT: Uuid16 = Uuid16(0x2A18);
    pub const GLUCOSE_MEASUREMENT_CONTEXT: Uuid16 = Uuid16(0x2A34);
    pub const WEIGHT_MEASUREMENT: Uuid16 = Uuid16(0x2A9D);
}

impl std::fmt::Display for Uuid16 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

/// How the octets came: how hard it is for a stranger to have sent them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    Bonded,
    Open,
    /// Anybody in reach could have sent it.
    Broadcast,
    Wired,
}

/// Given once, durably, by the hub or bridge that first recorded the octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    pub recorder: [u8; 8],
    pub epoch: u32,
    pub number: u64,
}

/// One value of one characteristic, as heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capture {
    pub device: DeviceNo,
    pub contact: ContactNo,
    pub link: Link,
    pub origin: Origin,
    pub at: HubTicks,
    pub characteristic: Uuid16,
    pub octets: Box<[u8]>,
}

/// Who a record is on its own device. Comes from octets alone, so that neither a profile nor an identity nor a
/// clock can change it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub [u8; 32]);

/// Who a record is anywhere: the device's identity and the record's name. Never recomputed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub [u8; 32]);

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Name({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// SHA-256 over parts, each with its length before it, so that no two lists of parts run together.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Characteristic and the octets that the record keeps for ever (sequence, stamp and slot are among them). A
/// record with neither sequence nor stamp is named by its origin: equal octets may be two measurements.
pub fn name(capture: &Capture) -> Name {
    let characteristic = capture.characteristic.0.to_be_bytes();
    if gatt::timeless(capture.characteristic.0, &capture.octets) {
        let Origin { recorder, epoch, number } = capture.origin;
        return Name(digest([
            &b"origin"[..],
            &characteristic,
            &recorder,
            &epoch.to_be_bytes(),
            &number.to_be_bytes(),
        ]));
    }
    let kept: Vec<u8> =
        gatt::kept(capture.characteristic.0, &capture.octets).parts().flatten().copied().collect();
    Name(digest([&b"octets"[..], &characteristic, &kept]))
}
