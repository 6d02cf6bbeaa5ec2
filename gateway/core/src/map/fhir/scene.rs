//! What all resources of one parcel share: names, references, times.

use super::device::Devices;
use super::identifier::{reading_id, urn};
use super::instant::{Coincident, Printed, coincident};
use super::{Resource, Role, Rung};
use crate::map::json;
use crate::parcel::{Parcel, Policy};
use std::borrow::Cow;

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
    pub(super) coincident: Option<Coincident>,
    pub(super) devices: &'a Devices,
    /// An id is a digest: what is asked for more than once is kept, and only where there is one.
    coincident_time: Option<Named>,
    measurement: String,
}

/// A resource's id, and how this rung points at it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) id: String,
    reference: String,
}

impl Named {
    pub(super) fn new(role: Role, id: String, rung: Rung) -> Named {
        let reference = match rung {
            Rung::UpdateAsCreate => format!("{}/{id}", role.kind()),
            Rung::SearchThenCreate | Rung::PlainCreate if contained(role) => format!("#{}", role.text()),
            Rung::ConditionalCreate | Rung::SearchThenCreate | Rung::PlainCreate => urn(&id),
        };
        Named { id, reference }
    }
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        parcel: &'a Parcel,
        policy: &'a Policy,
        rung: Rung,
        phd_identifier: Option<&'a str>,
        devices: &'a Devices,
    ) -> Scene<'a> {
        let reading = &parcel.reading;
        let when = &reading.when;
        let id = |role| reading_id(reading, reading.issue, role);
        let coincident = coincident(when, parcel.profile.clock.keeps);
        Scene {
            parcel,
            policy,
            rung,
            phd_identifier,
            patient: format!("Patient/{}", parcel.subject.id),
            effective: Printed { instant: when.effective, offset: when.offset }.text(),
            issued: Printed { instant: parcel.issued, offset: when.offset }.text(),
            coincident,
            devices,
            coincident_time: coincident
                .map(|_| Named::new(Role::CoincidentTime, id(Role::CoincidentTime), rung)),
            measurement: id(Role::Measurement),
        }
    }

    fn known(&self, role: Role) -> Option<&Named> {
        match role {
            Role::Meter => Some(&self.devices.meter.named),
            Role::Hub => Some(&self.devices.hub.named),
            Role::CoincidentTime => self.coincident_time.as_ref(),
            _ => None,
        }
    }

    /// Id of a resource of this parcel.
    pub(super) fn id(&self, role: Role) -> String {
        let reading = &self.parcel.reading;
        match self.known(role) {
            Some(named) => named.id.clone(),
            None if role == Role::Measurement => self.measurement.clone(),
            None => reading_id(reading, reading.issue, role),
        }
    }

    /// How this rung points at a resource of the same parcel.
    pub(super) fn reference(&self, role: Role) -> Cow<'_, str> {
        match self.known(role) {
            Some(named) => named.reference.as_str().into(),
            None => Named::new(role, self.id(role), self.rung).reference.into(),
        }
    }

    /// On the plain rungs these have no life of their own.
    pub(super) fn depends_on(&self, roles: impl IntoIterator<Item = Role>) -> Vec<Role> {
        roles.into_iter().filter(|role| !(self.rung.is_plain() && contained(*role))).collect()
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
