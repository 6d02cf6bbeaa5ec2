//! The measuring device and the hub as Device resources (PHD 2.0, PhdDevice and PhgDevice; PHD 2.0).

use super::identifier::{DEVICE_SYSTEM, hexadecimal, hub_id, meter_id, system_id};
use super::observation::{concept, meta, own_id};
use super::scene::Named;
use super::{Resource, Role, Rung};
use crate::identity::{AddressKind, Facts, Identity, Labels};
use crate::map::codes::{self, Code, Loinc, extension, system};
use crate::map::json::{Array, Object, document};
use crate::parcel::{Hub, Parcel};
use crate::profile::Kind;

/// Measurements come with it in hundreds, so it is small.
const ROOM: usize = 1_536;

const METER: Code = Code {
    mdc: 65_573,
    name: "MDC_MOC_VMS_MDS_SIMP",
    loinc: None::<Loinc>,
    second_loinc: None,
    text: "Simple PHD",
};
const HUB: Code = Code {
    mdc: 531_981,
    name: "MDC_MOC_VMS_MDS_AHD",
    loinc: None,
    second_loinc: None,
    text: "Application Hosting Device, a.k.a. PHG",
};
const FIRMWARE: Code = Code {
    mdc: 531_976,
    name: "MDC_ID_PROD_SPEC_FW",
    loinc: None,
    second_loinc: None,
    text: "Firmware revision",
};
const SOFTWARE: Code = Code {
    mdc: 531_975,
    name: "MDC_ID_PROD_SPEC_SW",
    loinc: None,
    second_loinc: None,
    text: "Software revision",
};
const TIME_SYNCHRONIZATION: Code = Code {
    mdc: 68_220,
    name: "MDC_TIME_SYNC_PROTOCOL",
    loinc: None,
    second_loinc: None,
    text: "Time synchronization protocol",
};
/// The hub takes UTC from the kernel, and only once that says it is synchronised; by which protocol it does
/// not say.
const SYNCHRONIZED: Code =
    Code { mdc: 532_226, name: "MDC_TIME_SYNC_NTPV4", loinc: None, second_loinc: None, text: "NTPV4" };

/// All that devices are written from: nothing of a reading, nothing of a person.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Origin {
    rung: Rung,
    identity: Identity,
    facts: Facts,
    kind: Kind,
    hub: Hub,
    labels: Labels,
}

impl Origin {
    fn of(parcel: &Parcel, rung: Rung) -> Origin {
        Origin {
            rung,
            identity: parcel.identity.clone(),
            facts: parcel.facts.clone(),
            kind: parcel.profile.kind,
            hub: parcel.hub.clone(),
            labels: parcel.reading.labels.clone(),
        }
    }

    fn is_of(&self, parcel: &Parcel, by: Rung) -> bool {
        let Origin { rung, identity, facts, kind, hub, labels } = self;
        *rung == by
            && *identity == parcel.identity
            && *kind == parcel.profile.kind
            && *labels == parcel.reading.labels
            && *hub == parcel.hub
            && *facts == parcel.facts
    }
}

/// The meter and the hub of a parcel, shared by all readings of the one that the other sends.
#[derive(Debug)]
pub(super) struct Devices {
    origin: Origin,
    pub(super) meter: Device,
    pub(super) hub: Device,
}

/// A device, written.
#[derive(Debug)]
pub(super) struct Device {
    role: Role,
    pub(super) named: Named,
    /// A resource of its own; on the plain rungs as it is contained.
    pub(super) json: String,
}

impl Devices {
    pub(super) fn of(parcel: &Parcel, rung: Rung) -> Devices {
        let origin = Origin::of(parcel, rung);
        let meter = Device::write(Role::Meter, meter_id(&origin.identity), &origin, meter_body);
        let hub = Device::write(Role::Hub, hub_id(origin.hub.system_id), &origin, |o, id, origin| {
            hub_body(o, id, &origin.hub);
        });
        Devices { origin, meter, hub }
    }

    /// Whether this is what [`Devices::of`] would write.
    pub(super) fn is_of(&self, parcel: &Parcel, rung: Rung) -> bool {
        self.origin.is_of(parcel, rung)
    }

    /// Resources of their own.
    pub(super) fn resources(&self) -> [Resource; 2] {
        [&self.meter, &self.hub].map(|device| {
            let id = &device.named.id;
            Resource {
                role: device.role,
                kind: "Device",
                id: id.clone(),
                identifier: Some((DEVICE_SYSTEM.to_owned(), id.clone())),
                json: device.json.clone(),
                depends_on: vec![],
                labels: self.origin.labels.clone(),
            }
        })
    }
}

impl Device {
    fn write(role: Role, id: String, origin: &Origin, body: fn(&mut Object<'_>, &str, &Origin)) -> Device {
        let json = document(ROOM, |o| {
            o.plain("resourceType", "Device");
            if origin.rung.is_plain() {
                // Contained resources carry no labels of their own (R4 dom-5).
                o.plain("id", &role.text());
            } else {
                own_id(o, &id, origin.rung);
                meta(o, &origin.labels, None);
            }
            body(o, &id, origin);
        });
        Device { role, named: Named::new(role, id, origin.rung), json }
    }
}

fn meter_body(o: &mut Object<'_>, id: &str, origin: &Origin) {
    // The advertised name is left out: owners put their own into it.
    let Facts {
        address,
        system_id: _,
        serial,
        manufacturer,
        model,
        firmware,
        advertised_name: _,
        services: _,
    } = &origin.facts;
    let kind = origin.kind;
    o.array("identifier", |a| {
        identifier(a, None, DEVICE_SYSTEM, id);
        // PHD 2.0: one that the device lacks is all zeros.
        let eui = system_id(&origin.facts).unwrap_or_default();
        identifier(a, Some("SYSID"), system::EUI_64, &hexadecimal(&eui, "-"));
        if let Some(address) = address.filter(|a| a.kind != AddressKind::Private) {
            identifier(a, Some("BTMAC"), system::BLUETOOTH, &hexadecimal(&address.octets, "-"));
        }
    });
    required(o, "manufacturer", "_manufacturer", manufacturer.as_deref());
    if let Some(serial) = present(serial) {
        o.text("serialNumber", serial);
    }
    names(o, &name(present(manufacturer), present(model), kind));
    required(o, "modelNumber", "_modelNumber", model.as_deref());
    o.object("type", |o| concept(o, &METER, false));
    o.array("specialization", |a| {
        a.object(|o| {
            o.object("systemType", |o| concept(o, &codes::specialization(kind), false));
            o.plain("version", "1");
        });
    });
    if let Some(firmware) = present(firmware) {
        o.array("version", |a| a.object(|o| version(o, &FIRMWARE, firmware)));
    }
}

/// The hub inside another resource.
pub(super) fn contained_hub(o: &mut Object<'_>, hub: &Hub) {
    o.plain("resourceType", "Device");
    o.plain("id", &Role::Hub.text());
    hub_body(o, &hub_id(hub.system_id), hub);
}

fn hub_body(o: &mut Object<'_>, id: &str, hub: &Hub) {
    o.array("identifier", |a| {
        identifier(a, None, DEVICE_SYSTEM, id);
        identifier(a, Some("SYSID"), system::EUI_64, &hexadecimal(&hub.system_id, "-"));
    });
    names(o, "Hearth hub");
    o.object("type", |o| concept(o, &HUB, false));
    o.array("version", |a| a.object(|o| version(o, &SOFTWARE, &hub.software)));
    o.array("property", |a| {
        a.object(|o| {
            o.object("type", |o| concept(o, &TIME_SYNCHRONIZATION, false));
            o.array("valueCode", |a| a.object(|o| concept(o, &SYNCHRONIZED, false)));
        });
    });
}

fn present(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|t| !t.is_empty())
}

/// PHD requires it; a device that does not say it gets R4's own word for that.
fn required(o: &mut Object<'_>, name: &'static str, extended: &'static str, value: Option<&str>) {
    match value.filter(|v| !v.is_empty()) {
        Some(value) => o.text(name, value),
        None => o.object(extended, |o| {
            o.array("extension", |a| {
                a.object(|o| {
                    o.plain("url", extension::ABSENT);
                    o.plain("valueCode", "unknown");
                });
            });
        }),
    }
}

/// US Core wants a name on a contained device. It never says whose the device is.
fn names(o: &mut Object<'_>, name: &str) {
    o.array("deviceName", |a| {
        a.object(|o| {
            o.text("name", name);
            o.plain("type", "user-friendly-name");
        });
    });
}

/// What a person calls a device by what it says of itself, or by its kind.
pub fn device_name(facts: &Facts, kind: Option<Kind>) -> String {
    let (maker, model) = (present(&facts.manufacturer), present(&facts.model));
    match kind {
        Some(kind) => name(maker, model, kind),
        None => model.unwrap_or("A device").to_owned(),
    }
}

fn name(manufacturer: Option<&str>, model: Option<&str>, kind: Kind) -> String {
    match (manufacturer, model) {
        (Some(manufacturer), Some(model)) => format!("{manufacturer} {model}"),
        (None, Some(model)) => model.to_owned(),
        (_, None) => codes::specialization(kind).text.to_owned(),
    }
}

fn identifier(a: &mut Array<'_>, kind: Option<&'static str>, system: &'static str, value: &str) {
    a.object(|o| {
        if let Some(kind) = kind {
            o.object("type", |o| {
                o.array("coding", |a| {
                    a.object(|o| {
                        o.plain("system", system::DEVICE_IDENTIFIER);
                        o.plain("code", kind);
                    });
                });
            });
        }
        o.plain("system", system);
        o.plain("value", value);
    });
}

fn version(o: &mut Object<'_>, kind: &Code, value: &str) {
    o.object("type", |o| concept(o, kind, false));
    o.text("value", value);
}
