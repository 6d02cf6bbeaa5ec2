//! The measuring device and the hub as Device resources (PHD 2.0, PhdDevice and PhgDevice; PHD 2.0).

use super::identifier::{DEVICE_SYSTEM, hexadecimal, system_id};
use super::observation::{concept, meta, own_id};
use super::scene::Scene;
use super::{Resource, Role};
use crate::identity::{AddressKind, Facts};
use crate::map::codes::{self, Code, Loinc, extension, system};
use crate::map::json::{Array, Object, document};
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

/// The meter, shared by all of its readings: nothing in it comes from a reading or a person.
pub(super) fn meter(scene: &Scene<'_>) -> Resource {
    resource(Role::Meter, scene, meter_body)
}

/// The hub, shared by all that it sends.
pub(super) fn hub(scene: &Scene<'_>) -> Resource {
    resource(Role::Hub, scene, hub_body)
}

fn resource(role: Role, scene: &Scene<'_>, body: fn(&mut Object<'_>, &Scene<'_>)) -> Resource {
    let id = scene.id(role);
    let labels = scene.parcel.reading.labels.clone();
    let json = document(ROOM, |o| {
        o.plain("resourceType", "Device");
        own_id(o, &id, scene);
        meta(o, &labels, None);
        body(o, scene);
    });
    let identifier = Some((DEVICE_SYSTEM.to_owned(), id.clone()));
    Resource { role, kind: "Device", id, identifier, json, depends_on: vec![], labels }
}

/// Contained resources carry no labels of their own (R4 dom-5).
pub(super) fn contained_meter(o: &mut Object<'_>, scene: &Scene<'_>) {
    o.plain("resourceType", "Device");
    o.plain("id", &Role::Meter.text());
    meter_body(o, scene);
}

pub(super) fn contained_hub(o: &mut Object<'_>, scene: &Scene<'_>) {
    o.plain("resourceType", "Device");
    o.plain("id", &Role::Hub.text());
    hub_body(o, scene);
}

fn meter_body(o: &mut Object<'_>, scene: &Scene<'_>) {
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
    } = &scene.parcel.facts;
    let kind = scene.parcel.profile.kind;
    o.array("identifier", |a| {
        identifier(a, None, DEVICE_SYSTEM, &scene.id(Role::Meter));
        // PHD 2.0: one that the device lacks is all zeros.
        let eui = system_id(&scene.parcel.facts).unwrap_or_default();
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

fn hub_body(o: &mut Object<'_>, scene: &Scene<'_>) {
    o.array("identifier", |a| {
        identifier(a, None, DEVICE_SYSTEM, &scene.id(Role::Hub));
        identifier(a, Some("SYSID"), system::EUI_64, &hexadecimal(&scene.parcel.hub.system_id, "-"));
    });
    names(o, "Hearth hub");
    o.object("type", |o| concept(o, &HUB, false));
    o.array("version", |a| a.object(|o| version(o, &SOFTWARE, &scene.parcel.hub.software)));
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
