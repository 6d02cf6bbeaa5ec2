//! What a hub tells of itself: a state, told anew when it changes and once a day, so that silence can be noticed
//! elsewhere (CLINICAL 28). It is nobody's reading, and in nobody's chart.
//!
//! One Observation whose subject is the hub, a Device, with a component for each finding. A patient's Flag would put a
//! matter for a technician into a chart; a Task is somebody's, and a hub knows nobody by name; `Device.status` and
//! DeviceMetric say on or off, and neither how many nor since when.

use super::Rung;
use super::device::contained_hub;
use super::identifier::{DEVICE_SYSTEM, REPORT_SYSTEM, meter_id, report_id};
use crate::identity::Identity;
use crate::map::json::{Object, document};
use crate::parcel::Hub;
use hearth_wire::Decimal;
use jiff::Timestamp;

const ROOM: usize = 2_048;

/// A hub's state, as far as it concerns one destination.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    pub hub: Hub,
    /// When it was so.
    pub at: Timestamp,
    pub findings: Vec<Finding>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub about: About,
    /// The device of the house that it concerns. `None`: the hub.
    pub device: Option<Identity>,
    /// For a person: no value, nobody's name.
    pub said: String,
    pub told: Told,
}

/// What a finding is about; its code is stable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// No report came from this hub for so long, whatever the reason.
    Absent,
    /// The Bluetooth adapter, or the service that drives it.
    Radio,
    /// The bond with a device.
    Bond,
    Battery,
    /// The code by which a scale tells a user's weighings.
    UserCode,
    /// Records that wait on the hub for a person, and since when the oldest does.
    Held,
    HeldSince,
    /// What was refused on its way to this record system, and the oldest of it.
    Parked,
    ParkedSince,
    /// When a device was last heard.
    LastHeard,
}

impl About {
    fn code(self) -> &'static str {
        match self {
            About::Absent => "absent",
            About::Radio => "radio",
            About::Bond => "bond",
            About::Battery => "battery",
            About::UserCode => "user-code",
            About::Held => "held",
            About::HeldSince => "held-since",
            About::Parked => "parked",
            About::ParkedSince => "parked-since",
            About::LastHeard => "last-heard",
        }
    }

    /// Whether somebody has to see to it.
    pub fn needs_somebody(self) -> bool {
        !matches!(self, About::Absent | About::HeldSince | About::ParkedSince | About::LastHeard)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    Count(u32),
    /// Of a hundred.
    Percent(u8),
    /// Since then, or then.
    At(Timestamp),
    Between(Timestamp, Timestamp),
    /// What is said is all.
    Words,
}

/// Where a report is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// Logical id where the record takes ours.
    pub id: String,
    /// `identifier` (system, value).
    pub identifier: (String, String),
}

impl Report {
    /// The same for all reports of a hub, except where none can be found again: then each is its own.
    pub fn written(&self, rung: Rung) -> Written {
        let at = (rung == Rung::PlainCreate).then_some(self.at);
        let id = report_id(self.hub.system_id, at);
        Written { identifier: (REPORT_SYSTEM.to_owned(), id.clone()), id }
    }

    /// Findings that somebody has to see to.
    pub fn urgent(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.about.needs_somebody())
    }

    /// The Observation. `id`: its logical id, where that is known.
    pub fn json(&self, rung: Rung, id: Option<&str>) -> String {
        let (system, value) = self.written(rung).identifier;
        document(ROOM, |o| {
            o.plain("resourceType", "Observation");
            if let Some(id) = id {
                o.text("id", id);
            }
            o.array("contained", |a| a.object(|o| contained_hub(o, &self.hub)));
            o.array("identifier", |a| {
                a.object(|o| {
                    o.plain("system", &system);
                    o.plain("value", &value);
                });
            });
            o.plain("status", "final");
            o.object("code", |o| concept(o, "hub-state", None, "State of a home hub"));
            o.object("subject", |o| o.plain("reference", "#hub"));
            o.plain("effectiveDateTime", &second(self.at));
            o.plain("issued", &second(self.at));
            let (code, said) = match self.urgent().count() {
                0 => ("well", "Nothing needs anybody".to_owned()),
                1 => ("see-to-it", "One matter needs somebody".to_owned()),
                n => ("see-to-it", format!("{n} matters need somebody")),
            };
            o.object("valueCodeableConcept", |o| concept(o, code, None, &said));
            o.array("component", |a| {
                for finding in &self.findings {
                    a.object(|o| component(o, finding));
                }
            });
        })
    }
}

fn component(o: &mut Object<'_>, finding: &Finding) {
    let device = finding.device.as_ref().map(meter_id);
    o.object("code", |o| concept(o, finding.about.code(), device.as_deref(), &finding.said));
    match finding.told {
        Told::Count(count) => o.number("valueInteger", whole(count)),
        Told::Percent(percent) => o.object("valueQuantity", |o| {
            o.number("value", whole(percent.into()));
            o.plain("unit", "%");
            o.plain("system", crate::map::codes::system::UCUM);
            o.plain("code", "%");
        }),
        Told::At(then) => o.plain("valueDateTime", &second(then)),
        Told::Between(from, until) => o.object("valuePeriod", |o| {
            o.plain("start", &second(from));
            o.plain("end", &second(until));
        }),
        Told::Words => o.truth("valueBoolean", true),
    }
}

fn second(t: Timestamp) -> String {
    t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn whole(count: u32) -> Decimal {
    Decimal::new(i32::try_from(count).unwrap_or(i32::MAX), 0)
}

fn concept(o: &mut Object<'_>, code: &'static str, device: Option<&str>, said: &str) {
    o.array("coding", |a| {
        a.object(|o| {
            o.plain("system", REPORT_SYSTEM);
            o.plain("code", code);
        });
        if let Some(device) = device {
            a.object(|o| {
                o.plain("system", DEVICE_SYSTEM);
                o.plain("code", device);
            });
        }
    });
    o.text("text", said);
}
