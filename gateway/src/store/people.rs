//! People, destinations and permissions, as the command line and the configuration set them.

use super::deliver::reweigh;
use super::rows::DestinationNo;
use super::{Store, StoreError};
use hearth_core::identity::{Binding, Labels, Permission, PersonNo};
use hearth_core::parcel::Subject;
use std::sync::Arc;

/// What the configuration says of a destination that concerns the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DestinationFacts {
    pub name: String,
    /// Labels that may go there (CLINICAL 29).
    pub cleared: Labels,
}

impl Store {
    /// These are the destinations from now on. Rows of one that is not named any more wait until it is again.
    pub fn set_destinations(&mut self, destinations: &[DestinationFacts]) -> Result<(), StoreError> {
        let catalog = Arc::clone(&self.catalog);
        self.write(|rows| {
            rows.unlist_destinations()?;
            for destination in destinations {
                rows.list_destination(&destination.name, &destination.cleared)?;
            }
            reweigh(rows, &catalog, None)
        })
    }

    pub fn destination(&mut self, name: &str) -> Result<DestinationNo, StoreError> {
        self.read(|rows| rows.destination(name)?.ok_or(StoreError::Unknown("destination")))
    }

    /// The person that a destination knows by this logical id: the same number for the same id, a random one the
    /// first time. A business identifier that is said anew is taken over.
    pub fn person_for(
        &mut self,
        destination: DestinationNo,
        subject: &Subject,
        evidence: Option<&str>,
    ) -> Result<PersonNo, StoreError> {
        let catalog = Arc::clone(&self.catalog);
        self.write(|rows| {
            rows.cleared(destination)?;
            let person = match rows.person_by_patient(destination, &subject.id)? {
                Some(person) => person,
                None => {
                    // Positive, so that it reads well; that it is unused is what the primary key holds.
                    let person = PersonNo(i64::from_be_bytes(super::open::random()) & i64::MAX);
                    rows.make_person(person)?;
                    person
                }
            };
            rows.enrol(person, destination, subject, evidence)?;
            reweigh(rows, &catalog, Some(destination))?;
            Ok(person)
        })
    }

    /// The same person, as another destination knows them. Readings from now on go there, too.
    ///
    /// Errors: [`StoreError::Unknown`] if there is no such person, [`StoreError::Refused`] if the destination knows
    /// somebody else by this id, or this person by another one: what is on its way must not change its target.
    pub fn also_at(
        &mut self,
        person: PersonNo,
        destination: DestinationNo,
        subject: &Subject,
        evidence: Option<&str>,
    ) -> Result<(), StoreError> {
        let catalog = Arc::clone(&self.catalog);
        self.write(|rows| {
            rows.cleared(destination)?;
            if !rows.person_exists(person)? {
                return Err(StoreError::Unknown("person"));
            }
            if rows.person_by_patient(destination, &subject.id)?.is_some_and(|known| known != person) {
                return Err(StoreError::Refused("another person has this patient id at the destination"));
            }
            if rows.subject(person, destination)?.is_some_and(|known| known.id != subject.id) {
                return Err(StoreError::Refused("the destination knows this person by another patient id"));
            }
            rows.enrol(person, destination, subject, evidence)?;
            reweigh(rows, &catalog, Some(destination))
        })
    }

    /// Whom a destination knows by this id, without making anybody.
    pub fn known_person(
        &mut self,
        destination: DestinationNo,
        id: &str,
    ) -> Result<Option<PersonNo>, StoreError> {
        self.read(|rows| rows.person_by_patient(destination, id))
    }

    /// Names of destinations, and what each calls the person. For whoever administers the hub, never for logs.
    pub fn patients(&mut self, person: PersonNo) -> Result<Vec<(String, String)>, StoreError> {
        self.read(|rows| {
            let mut known = vec![];
            for (destination, name) in rows.all_destinations()? {
                known.extend(rows.subject(person, destination)?.map(|subject| (name, subject.id)));
            }
            Ok(known)
        })
    }

    /// A person as a destination knows them. `None`: not there.
    pub fn subject(
        &mut self,
        person: PersonNo,
        destination: DestinationNo,
    ) -> Result<Option<Subject>, StoreError> {
        self.read(|rows| rows.subject(person, destination))
    }

    /// All bindings as they are now.
    pub fn bindings(&mut self) -> Result<Vec<Binding>, StoreError> {
        self.read(|rows| rows.bindings())
    }

    /// Whether somebody said before that from then on it is theirs, whatever became of that since.
    pub fn was_bound(&mut self, wanted: &Binding) -> Result<bool, StoreError> {
        let same = |b: &Binding| (b.device, b.slot, b.who, b.from);
        self.read(|rows| Ok(rows.every_binding()?.iter().any(|b| same(b) == same(wanted))))
    }

    /// What may leave for a person and a destination from now on, instead of what might before (CLINICAL 22).
    /// Its revision is counted here.
    pub fn permit(
        &mut self,
        person: PersonNo,
        destination: DestinationNo,
        permission: &Permission,
    ) -> Result<(), StoreError> {
        self.permission(person, destination, Some(permission))
    }

    /// Nothing leaves any more for this person and destination: the next send is already stopped (CLINICAL 22).
    pub fn revoke(&mut self, person: PersonNo, destination: DestinationNo) -> Result<(), StoreError> {
        self.permission(person, destination, None)
    }

    /// What may leave for a person and a destination. `None`: nothing.
    pub fn permission_of(
        &mut self,
        person: PersonNo,
        destination: DestinationNo,
    ) -> Result<Option<Permission>, StoreError> {
        self.read(|rows| rows.permission(person, destination))
    }

    fn permission(
        &mut self,
        person: PersonNo,
        destination: DestinationNo,
        permission: Option<&Permission>,
    ) -> Result<(), StoreError> {
        let catalog = Arc::clone(&self.catalog);
        self.write(|rows| {
            rows.cleared(destination)?;
            if !rows.person_exists(person)? {
                return Err(StoreError::Unknown("person"));
            }
            match permission {
                Some(permission) => rows.permit(person, destination, permission)?,
                None => rows.revoke(person, destination)?,
            }
            reweigh(rows, &catalog, Some(destination))
        })
    }
}
