//! Parcel to FHIR R4: resources that are valid at once against R4 vital signs, HL7 PHD 2.0 and US Core.
//!
//! One reading becomes one measurement with its companions, each with an id that follows from the reading's
//! key, its issue and the role alone: whoever maps it again, on whichever hub, names it alike. What goes out
//! on each rung, and where it departs from HL7's examples and why, is told in docs/mapping.md.
//!
//! Thinking comes first: [`content`] says as plain values what is observed, [`observation`] writes them.

mod bundle;
mod compare;
mod composition;
mod content;
mod context;
mod device;
mod glucose;
mod identifier;
mod instant;
mod notes;
mod observation;
mod pressure;
mod provenance;
mod report;
mod scene;
mod vital;
mod weight;

#[cfg(test)]
mod tests;

pub use bundle::{Kind, MixedLabels, ask, bundle};
pub use compare::{Comparison, compare, retraction};
pub use device::device_name;
pub use identifier::{
    DEVICE_SYSTEM, PHD_SYSTEM, PhdIdentifier, READING_SYSTEM, REPORT_SYSTEM, identifier_query, if_none_exist,
    phd_identifier, urn,
};
pub use report::{About, Finding, Report, Told, Written};
pub use scene::located;

use crate::decode::Measurement;
use crate::identity::{Labels, Who};
use crate::parcel::{Parcel, Policy};
use crate::reading::Version;
use content::Content;
use device::Devices;
use scene::Scene;

/// Version of this mapping, kept with everything that it sent. Counts up with every change of the octets.
pub const VERSION: Version = Version(1);

/// How a destination is written to: the ladder of docs/mapping.md, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rung {
    /// `PUT` to an id of ours, asked first. References are literal.
    UpdateAsCreate,
    /// `POST` in a transaction with `ifNoneExist`. References are `urn:uuid:`.
    ConditionalCreate,
    /// `POST` of what a search by our identifier did not find. Written as on [`Rung::PlainCreate`].
    SearchThenCreate,
    /// `POST`, and nothing else: devices, coincident time and provenance travel inside each Observation.
    PlainCreate,
}

impl Rung {
    /// `POST` without a condition, to a record that promises nothing but to take a patient's Observations.
    pub fn is_plain(self) -> bool {
        matches!(self, Rung::SearchThenCreate | Rung::PlainCreate)
    }
}

/// What a resource is to its reading. Its text is hashed into the id: a changed text is another resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    Meter,
    Hub,
    CoincidentTime,
    Measurement,
    Pulse,
    /// Status bits of cuff or meter.
    Status,
    BodyMassIndex,
    BodyHeight,
    BodyFat,
    FatFreeMass,
    SoftLeanMass,
    BodyWaterMass,
    /// What was marked on the meter; the number counts the reading's contexts from 0.
    Context(u8, Marked),
    Provenance,
}

/// A part of a glucose measurement context that is an Observation of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Marked {
    Meal,
    Carbohydrate,
    Medication,
    Hba1c,
    Tester,
    Health,
}

impl Role {
    /// The stable text.
    pub fn text(self) -> std::borrow::Cow<'static, str> {
        match self {
            Role::Meter => "meter".into(),
            Role::Hub => "hub".into(),
            Role::CoincidentTime => "coincident-time".into(),
            Role::Measurement => "measurement".into(),
            Role::Pulse => "pulse".into(),
            Role::Status => "status".into(),
            Role::BodyMassIndex => "body-mass-index".into(),
            Role::BodyHeight => "body-height".into(),
            Role::BodyFat => "body-fat".into(),
            Role::FatFreeMass => "fat-free-mass".into(),
            Role::SoftLeanMass => "soft-lean-mass".into(),
            Role::BodyWaterMass => "body-water-mass".into(),
            Role::Context(number, marked) => format!("context-{number}-{}", marked.text()).into(),
            Role::Provenance => "provenance".into(),
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Role::Meter | Role::Hub => "Device",
            Role::Provenance => "Provenance",
            Role::CoincidentTime
            | Role::Measurement
            | Role::Pulse
            | Role::Status
            | Role::BodyMassIndex
            | Role::BodyHeight
            | Role::BodyFat
            | Role::FatFreeMass
            | Role::SoftLeanMass
            | Role::BodyWaterMass
            | Role::Context(..) => "Observation",
        }
    }
}

impl Marked {
    fn text(self) -> &'static str {
        match self {
            Marked::Meal => "meal",
            Marked::Carbohydrate => "carbohydrate",
            Marked::Medication => "medication",
            Marked::Hba1c => "hba1c",
            Marked::Tester => "tester",
            Marked::Health => "health",
        }
    }
}

/// One resource, ready to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resource {
    pub role: Role,
    /// `Observation`, `Device` or `Provenance`.
    pub kind: &'static str,
    /// Ours, derived: the resource's id on the first rung; on the others the name behind its `urn:uuid:`
    /// ([`urn`]), while the server gives the id.
    pub id: String,
    /// Our identifier (system, value). `None`: R4 has none for a Provenance.
    pub identifier: Option<(String, String)>,
    pub json: String,
    /// Resources of the same parcel that this one refers to.
    pub depends_on: Vec<Role>,
    /// Of the reading, as in `meta.security` (CLINICAL 29).
    pub labels: Labels,
}

/// Maps parcels that go together: a device that many of them name is written once.
#[derive(Debug, Default)]
pub struct Mapper {
    /// As they were written, the latest last.
    devices: Vec<Devices>,
}

/// Devices that a mapper keeps: more than a house has.
const DEVICES: usize = 32;

/// [`Mapper::resources`] of a parcel that goes by itself.
pub fn resources(
    parcel: &Parcel,
    policy: &Policy,
    rung: Rung,
    phd_identifier: Option<&str>,
) -> Vec<Resource> {
    Mapper::default().resources(parcel, policy, rung, phd_identifier)
}

impl Mapper {
    /// All resources of a parcel, in the order of their dependency: devices, coincident time, measurement,
    /// companions, provenance.
    ///
    /// `phd_identifier`: HL7's identifier of the measurement, as stored at the first encoding.
    ///
    /// Nothing comes out of what is no measurement of a patient: a context without its measurement, control solution
    /// (CLINICAL 10), and somebody trying the device (CLINICAL 24). Nobody queues such a parcel.
    pub fn resources(
        &mut self,
        parcel: &Parcel,
        policy: &Policy,
        rung: Rung,
        phd_identifier: Option<&str>,
    ) -> Vec<Resource> {
        if parcel.reading.who == Who::Test {
            return vec![];
        }
        let devices = self.devices(parcel, rung);
        let scene = Scene::new(parcel, policy, rung, phd_identifier, devices);
        let observed = observed(&scene);
        if observed.is_empty() {
            return vec![];
        }
        let mut all = Vec::with_capacity(observed.len() + 4);
        if !rung.is_plain() {
            all.extend(devices.resources());
            all.extend(observation::coincident_time(&scene));
        }
        all.extend(observed.iter().map(|content| observation::write(content, &scene)));
        if rung == Rung::UpdateAsCreate {
            let targets: Vec<Role> = all.iter().filter(|r| r.kind == "Observation").map(|r| r.role).collect();
            all.push(provenance::resource(&targets, &scene));
        }
        all
    }

    fn devices(&mut self, parcel: &Parcel, rung: Rung) -> &Devices {
        let known = self.devices.iter().rposition(|devices| devices.is_of(parcel, rung));
        let place = known.unwrap_or_else(|| {
            if self.devices.len() == DEVICES {
                self.devices.remove(0);
            }
            self.devices.push(Devices::of(parcel, rung));
            self.devices.len() - 1
        });
        &self.devices[place]
    }
}

fn observed(scene: &Scene<'_>) -> Vec<Content> {
    match &scene.parcel.reading.measure {
        measure @ (Measurement::Pressure(_) | Measurement::EnhancedPressure(_)) => {
            measure.pressure().map_or_else(Vec::new, |pressure| pressure::observed(&pressure, scene))
        }
        Measurement::Glucose(glucose) => glucose::observed(glucose, scene),
        Measurement::Weight(weight) => weight::observed(weight, scene),
        Measurement::BodyComposition(composition) => composition::observed(composition, scene),
        Measurement::Temperature(temperature) => vital::temperature(temperature, scene),
        Measurement::Oximetry(oximetry) => vital::oximetry(oximetry, scene),
        Measurement::HeartRate(rate) => vital::heart_rate(rate, scene),
        Measurement::GlucoseContext(_) => vec![],
    }
}
