//! What all resources of one parcel share: names, references, times.

use super::identifier::{hub_id, meter_id, reading_id, urn};
use super::instant::{Coincident, Printed, coincident};
use super::{Resource, Role, Rung};
use crate::map::json;
use crate::parcel::{Parcel, Policy};

/// One parcel on one rung.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) parcel: &'a Parcel,
    pub(super) policy: &'a Policy,
    pub(super) rung: Rung,
    pub(super) phd_identifier: Option<&'a str>,
    pub(super) patient: String,
    pub(super) effective: String,
    pub(super) issued: String,
    meter_id: String,
    hub_id: String,
    measurement_id: String,
    pub(super) coincident: Option<Coincident>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        parcel: &'a Parcel,
        policy: &'a Policy,
        rung: Rung,
        phd_identifier: Option<&'a str>,
    ) -> Scene<'a> {
        let reading = &parcel.reading;
        let when = &reading.when;
        Scene {
            parcel,
            policy,
            rung,
            phd_identifier,
            patient: format!("Patient/{}", parcel.subject.id),
            effective: Printed { instant: when.effective, offset: when.offset }.to_string(),
            issued: Printed { instant: parcel.issued, offset: when.offset }.to_string(),
            meter_id: meter_id(&parcel.identity),
            hub_id: hub_id(parcel.hub.system_id),
            measurement_id: reading_id(reading, reading.issue, Role::Measurement),
            coincident: coincident(when, parcel.profile.clock.keeps),
        }
    }

    /// Id of a resource of this parcel.
    pub(super) fn id(&self, role: Role) -> String {
        match role {
            Role::Meter => self.meter_id.clone(),
            Role::Hub => self.hub_id.clone(),
            Role::Measurement => self.measurement_id.clone(),
            role => reading_id(&self.parcel.reading, self.parcel.reading.issue, role),
        }
    }

    /// How this rung points at a resource of the same parcel.
    pub(super) fn reference(&self, role: Role) -> String {
        match self.rung {
            Rung::UpdateAsCreate => format!("{}/{}", role.kind(), self.id(role)),
            Rung::PlainCreate if contained(role) => format!("#{}", role.text()),
            Rung::ConditionalCreate | Rung::SearchThenCreate | Rung::PlainCreate => urn(&self.id(role)),
        }
    }

    /// On the lowest rung these have no life of their own.
    pub(super) fn depends_on(&self, roles: impl IntoIterator<Item = Role>) -> Vec<Role> {
        roles.into_iter().filter(|role| !(self.rung == Rung::PlainCreate && contained(*role))).collect()
    }
}

fn contained(role: Role) -> bool {
    matches!(role, Role::Meter | Role::Hub | Role::CoincidentTime | Role::Provenance)
}

/// A resource's JSON with the `urn:uuid:` of others replaced by where the server put them (`Observation/12`):
/// for a server that takes no transaction, one resource at a time in the order of dependency.
pub fn located(resource: &Resource, placed: &[(&Resource, &str)]) -> String {
    placed.iter().fold(resource.json.clone(), |json, (other, location)| {
        let mut quoted = String::with_capacity(location.len() + 2);
        json::string(&mut quoted, location);
        json.replace(&format!("\"{}\"", urn(&other.id)), &quoted)
    })
}
