//! Octets, with who, what, where and when they were heard; and the names that follow from them.

use crate::profile::Via;
use crate::when::{ContactNo, HubTicks};
use hearth_wire::gatt;
use sha2::{Digest, Sha256};

/// Row number of a device in this hub's store. Means nothing elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DeviceNo(pub i64);

/// What octets are: a characteristic by the 16-bit UUID that the Bluetooth SIG assigned, the service data of an
/// advertisement by its service's UUID, or a maker's own frame by a number of ours, below all UUIDs of the SIG.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Uuid16(pub u16);

impl Uuid16 {
    pub const BLOOD_PRESSURE_MEASUREMENT: Uuid16 = Uuid16(0x2A35);
    pub const ENHANCED_BLOOD_PRESSURE_MEASUREMENT: Uuid16 = Uuid16(0x2B34);
    pub const GLUCOSE_MEASUREMENT: Uuid16 = Uuid16(0x2A18);
    pub const GLUCOSE_MEASUREMENT_CONTEXT: Uuid16 = Uuid16(0x2A34);
    pub const WEIGHT_MEASUREMENT: Uuid16 = Uuid16(0x2A9D);
    pub const BODY_COMPOSITION_MEASUREMENT: Uuid16 = Uuid16(0x2A9C);
    pub const TEMPERATURE_MEASUREMENT: Uuid16 = Uuid16(0x2A1C);
    pub const PLX_SPOT_CHECK_MEASUREMENT: Uuid16 = Uuid16(0x2A5E);
    pub const HEART_RATE_MEASUREMENT: Uuid16 = Uuid16(0x2A37);
    /// Service data of the Weight Scale Service: Xiaomi Mi Scale, first model.
    pub const WEIGHT_SCALE_SERVICE_DATA: Uuid16 = Uuid16(0x181D);
    /// Service data of the Body Composition Service: Xiaomi Mi Scale 2.
    pub const BODY_COMPOSITION_SERVICE_DATA: Uuid16 = Uuid16(0x181B);
    /// One record of an Omron cuff's memory.
    pub const OMRON_EEPROM_RECORD: Uuid16 = Uuid16(0x00F1);
    /// A Body Composition Measurement whose masses count tenths of a kilogram: how one is kept at rest.
    pub const BODY_COMPOSITION_IN_TENTHS: Uuid16 = Uuid16(0x00F2);

    /// What an Omron cuff advertises of itself: no measurement.
    pub const OMRON_MANUFACTURER_DATA: Uuid16 = Uuid16(0x00F3);

    /// What is no characteristic, by the name under which people write it.
    const NAMED: [(Uuid16, &'static str); 5] = [
        (Uuid16::OMRON_MANUFACTURER_DATA, "adv:020E"),
        (Uuid16::WEIGHT_SCALE_SERVICE_DATA, "adv:181D"),
        (Uuid16::BODY_COMPOSITION_SERVICE_DATA, "adv:181B"),
        (Uuid16::OMRON_EEPROM_RECORD, "omron-eeprom"),
        (Uuid16::BODY_COMPOSITION_IN_TENTHS, "body-composition-in-tenths"),
    ];

    /// How a device must be collected for such a frame to be its own. `None`: any may send it.
    pub fn way(self) -> Option<Via> {
        match self {
            Uuid16::WEIGHT_SCALE_SERVICE_DATA | Uuid16::BODY_COMPOSITION_SERVICE_DATA => {
                Some(Via::Advertisement)
            }
            Uuid16::OMRON_EEPROM_RECORD => Some(Via::Vendor),
            _ => None,
        }
    }

    /// `2A35`, `adv:181D`, `omron-eeprom`. `None`: no such thing.
    pub fn parse(text: &str) -> Option<Uuid16> {
        if let Some((named, _)) = Uuid16::NAMED.iter().find(|(_, name)| *name == text) {
            return Some(*named);
        }
        let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
        digits.then(|| u16::from_str_radix(text, 16).ok().map(Uuid16)).flatten()
    }
}

impl std::fmt::Display for Uuid16 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match Uuid16::NAMED.iter().find(|(named, _)| named == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "{:04X}", self.0),
        }
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

/// A record that its device did not date: see [`gatt::timeless`]. Service data is laid out as the characteristic of its
/// service, or has its stamp at a place of its own.
pub fn timeless(characteristic: Uuid16, octets: &[u8]) -> bool {
    match characteristic {
        Uuid16::WEIGHT_SCALE_SERVICE_DATA => gatt::timeless(Uuid16::WEIGHT_MEASUREMENT.0, octets),
        Uuid16::BODY_COMPOSITION_SERVICE_DATA => {
            let stamp = octets.get(2..).and_then(|from_stamp| from_stamp.first_chunk::<7>());
            stamp.is_none_or(|stamp| gatt::DateTime::from_octets(*stamp).is_unknown())
        }
        other => gatt::timeless(other.0, octets),
    }
}

/// Of a Mi Scale 2, whose impedance comes seconds after the weight, in the same weighing: all but the impedance and the bit
/// that tells of it (Theengs, openScale).
fn broadcast_kept(characteristic: Uuid16, octets: &[u8]) -> Option<Vec<u8>> {
    const IMPEDANCE: u8 = 1 << 1;
    if characteristic != Uuid16::BODY_COMPOSITION_SERVICE_DATA {
        return None;
    }
    let (&[unit, state, ref stamp @ .., _, _, low, high], true) =
        (octets.first_chunk::<13>()?, octets.len() == 13)
    else {
        return None;
    };
    Some([&[unit, state & !IMPEDANCE][..], stamp, &[low, high]].concat())
}

/// Characteristic and the octets that the record keeps for ever (sequence, stamp and slot are among them), whoever heard it,
/// and when. `None`: a record with neither sequence nor stamp, of which equal octets may be two measurements.
pub fn named(characteristic: Uuid16, octets: &[u8]) -> Option<Name> {
    if timeless(characteristic, octets) {
        return None;
    }
    let kept: Vec<u8> = match broadcast_kept(characteristic, octets) {
        Some(kept) => kept,
        None => gatt::kept(characteristic.0, octets).parts().flatten().copied().collect(),
    };
    Some(Name(digest([&b"octets"[..], &characteristic.0.to_be_bytes(), &kept])))
}

/// By what it says ([`named`]), else by its origin.
pub fn name(capture: &Capture) -> Name {
    let Origin { recorder, epoch, number } = capture.origin;
    named(capture.characteristic, &capture.octets).unwrap_or_else(|| {
        Name(digest([
            &b"origin"[..],
            &capture.characteristic.0.to_be_bytes(),
            &recorder,
            &epoch.to_be_bytes(),
            &number.to_be_bytes(),
        ]))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A Mi Scale 2 tells a weighing, and seconds later the same with an impedance: one record. Another weight, unit, time or
    /// state is another.
    #[test]
    fn an_impedance_makes_no_second_weighing() {
        let named = |hex: &str| {
            let octets = data_encoding::HEXUPPER.decode(hex.as_bytes()).unwrap();
            named(Uuid16::BODY_COMPOSITION_SERVICE_DATA, &octets).unwrap()
        };
        let weighing = named("0224EA07050C1235360000783E");
        assert_eq!(named("0226EA07050C123536C201783E"), weighing);
        for other in [
            "0324EA07050C1235360000783E",
            "0204EA07050C1235360000783E",
            "0224EA07050C1235370000783E",
            "0224EA07050C1235360000793E",
        ] {
            assert_ne!(named(other), weighing, "{other}");
        }
    }
}
