//! The hub, devices, and what their clocks showed.

use super::time::{SampleRow, TicksRow};
use super::{Payload, Unreadable};
use hearth_core::admit::Device;
use hearth_core::capture::DeviceNo;
use hearth_core::identity::{Address, AddressKind, Facts, Identity};
use hearth_core::profile::ProfileName;
use hearth_core::when::{HubTicks, Sample};
use hearth_wire::gatt::SystemId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Serialize, Deserialize)]
pub(crate) struct HubRow {
    /// EUI-64, most significant octet first.
    pub(crate) system_id: [u8; 8],
}

impl Payload for HubRow {
    const VERSION: u8 = 1;
}

super::twin!(AddressKindRow = AddressKind { Public, Identity, Private });

#[derive(Serialize, Deserialize)]
struct FactsRow {
    address: Option<([u8; 6], AddressKindRow)>,
    advertised_name: Option<String>,
    services: Vec<u16>,
    system_id: Option<[u8; 8]>,
    serial: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    firmware: Option<String>,
}

impl From<&Facts> for FactsRow {
    fn from(facts: &Facts) -> FactsRow {
        FactsRow {
            address: facts.address.map(|a| (a.octets, a.kind.into())),
            advertised_name: facts.advertised_name.clone(),
            services: facts.services.iter().copied().collect(),
            system_id: facts.system_id.map(|s| s.0),
            serial: facts.serial.clone(),
            manufacturer: facts.manufacturer.clone(),
            model: facts.model.clone(),
            firmware: facts.firmware.clone(),
        }
    }
}

impl From<FactsRow> for Facts {
    fn from(row: FactsRow) -> Facts {
        Facts {
            address: row.address.map(|(octets, kind)| Address { octets, kind: kind.into() }),
            advertised_name: row.advertised_name,
            services: BTreeSet::from_iter(row.services),
            system_id: row.system_id.map(SystemId),
            serial: row.serial,
            manufacturer: row.manufacturer,
            model: row.model,
            firmware: row.firmware,
        }
    }
}

#[derive(Serialize, Deserialize)]
enum IdentityRow {
    SystemId([u8; 8]),
    Serial { manufacturer: String, serial: String },
    Address([u8; 6]),
}

impl From<&Identity> for IdentityRow {
    fn from(identity: &Identity) -> IdentityRow {
        match identity.clone() {
            Identity::SystemId(eui) => IdentityRow::SystemId(eui),
            Identity::Serial { manufacturer, serial } => IdentityRow::Serial { manufacturer, serial },
            Identity::Address(address) => IdentityRow::Address(address),
        }
    }
}

impl From<IdentityRow> for Identity {
    fn from(row: IdentityRow) -> Identity {
        match row {
            IdentityRow::SystemId(eui) => Identity::SystemId(eui),
            IdentityRow::Serial { manufacturer, serial } => Identity::Serial { manufacturer, serial },
            IdentityRow::Address(address) => Identity::Address(address),
        }
    }
}

/// One time that a device said something of itself: when, and which words contradicted earlier ones.
#[derive(Serialize, Deserialize)]
struct SaidRow {
    at: TicksRow,
    contradicts: Vec<String>,
}

/// How many tellings are remembered: the first ones, where contradictions begin.
const TELLINGS: usize = 16;

/// What a device is known by. `said` is the evidence: a telling that adds or contradicts something.
#[derive(Serialize, Deserialize)]
pub(crate) struct DeviceRow {
    facts: FactsRow,
    identity: Option<IdentityRow>,
    profile: Option<String>,
    said: Vec<SaidRow>,
}

impl Payload for DeviceRow {
    const VERSION: u8 = 1;
}

impl DeviceRow {
    pub(crate) fn new(facts: &Facts, at: HubTicks) -> DeviceRow {
        let said = vec![SaidRow { at: at.into(), contradicts: vec![] }];
        DeviceRow { facts: facts.into(), identity: None, profile: None, said }
    }

    /// The row as it is after the device said more; the evidence grows with it.
    pub(crate) fn told(mut self, device: &Device, contradicts: &[&'static str], at: HubTicks) -> DeviceRow {
        let known = self.contradicted();
        let contradicts: Vec<&str> = contradicts.iter().copied().filter(|c| !known.contains(*c)).collect();
        if self.said.len() < TELLINGS || !contradicts.is_empty() {
            let contradicts = contradicts.iter().map(|field| (*field).to_owned()).collect();
            self.said.push(SaidRow { at: at.into(), contradicts });
        }
        self.judged(device)
    }

    pub(crate) fn judged(self, device: &Device) -> DeviceRow {
        DeviceRow {
            facts: (&device.facts).into(),
            identity: device.identity.as_ref().map(Into::into),
            profile: device.profile.clone().map(|p| p.0),
            said: self.said,
        }
    }

    /// Names of the facts that a later word contradicted; the first word stands.
    pub(crate) fn contradicted(&self) -> BTreeSet<String> {
        self.said.iter().flat_map(|said| said.contradicts.iter().cloned()).collect()
    }

    pub(crate) fn device(self, no: DeviceNo) -> Device {
        let contradicted = self.contradicted();
        let identity: Option<Identity> = self.identity.map(Into::into);
        Device {
            no,
            facts: self.facts.into(),
            impostor: identity.as_ref().is_some_and(|i| contradicted.iter().any(|fact| i.rests_on(fact))),
            identity,
            profile: self.profile.map(ProfileName),
        }
    }
}

/// What a device's clock showed in one contact.
#[derive(Serialize, Deserialize, Default)]
pub(crate) struct SamplesRow(Vec<SampleRow>);

impl Payload for SamplesRow {
    const VERSION: u8 = 1;
}

impl SamplesRow {
    pub(crate) fn of(samples: &[Sample]) -> SamplesRow {
        SamplesRow(samples.iter().copied().map(Into::into).collect())
    }

    pub(crate) fn samples(self) -> Result<Vec<Sample>, Unreadable> {
        self.0.into_iter().map(Sample::try_from).collect()
    }
}
