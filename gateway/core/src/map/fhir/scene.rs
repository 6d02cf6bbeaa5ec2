//! What all resources of one parcel share: names, references, times.

use super::identifier::{hub_id, meter_id, reading_id, urn};
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
    /// The resources that others point at.
    meter: Named,
    hub: Named,
    /// Only where there is one: an id is a digest.
    coincident_time: Option<Named>,
    measurement: Named,
}

/// A resource's id, and how this rung points at it.
#[derive(Debug)]
struct Named {
    id: String,
    reference: String,
}

impl Named {
    fn new(role: Role, id: String, rung: Rung) -> Named {
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
    ) -> Scene<'a> {
        let reading = &parcel.reading;
        let when = &reading.when;
        let named = |role, id| Named::new(role, id, rung);
        let of_reading = |role| named(role, reading_id(reading, reading.issue, role));
        let coincident = coincident(when, parcel.profile.clock.keeps);
        Scene {
            parcel,
            policy,
            rung,
            phd_identifier,
            patient: format!("Patient/{}", parcel.subject.id),
            effective: Printed { instant: when.effective, offset: when.offset }.to_string(),
            issued: Printed { instant: parcel.issued, offset: when.offset }.to_string(),
            coincident,
            meter: named(Role::Meter, meter_id(&parcel.identity)),
            hub: named(Role::Hub, hub_id(parcel.hub.system_id)),
            coincident_time: coincident.map(|_| of_reading(Role::CoincidentTime)),
            measurement: of_reading(Role::Measurement),
        }
    }

    fn known(&self, role: Role) -> Option<&Named> {
        match role {
            Role::Meter => Some(&self.meter),
            Role::Hub => Some(&self.hub),
            Role::CoincidentTime => self.coincident_time.as_ref(),
            Role::Measurement => Some(&self.measurement),
            _ => None,
        }
    }

    /// Id of a resource of this parcel.
    pub(super) fn id(&self, role: Role) -> String {
        let reading = &self.parcel.reading;
        self.known(role).map_or_else(|| reading_id(reading, reading.issue, role), |named| named.id.clone())
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
