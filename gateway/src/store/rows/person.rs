//! `person` and `person_at`: people by random numbers, and who each is at each destination.

use super::{DestinationNo, Result, Rows, sound};
use crate::store::payload::PersonAtRow;
use hearth_core::identity::PersonNo;
use hearth_core::parcel::Subject;
use rusqlite::params;

impl Rows<'_> {
    fn patient(&self, destination: DestinationNo, id: &str) -> [u8; 32] {
        self.blind("patient", &[&destination.0.to_be_bytes(), id.as_bytes()])
    }

    pub(crate) fn person_by_patient(&self, destination: DestinationNo, id: &str) -> Result<Option<PersonNo>> {
        let sql = format!(
            "SELECT person, {} FROM person_at NOT INDEXED
             WHERE destination = ?1 AND patient = ?2 AND until IS NULL",
            sound("person_at")
        );
        self.one(&sql, params![destination.0, self.patient(destination, id)], |row| Ok(PersonNo(row.get(0)?)))
    }

    pub(crate) fn person_exists(&self, person: PersonNo) -> Result<bool> {
        Ok(self.one("SELECT 1 FROM person WHERE no = ?1", [person.0], |_| Ok(()))?.is_some())
    }

    pub(crate) fn make_person(&self, no: PersonNo) -> Result<()> {
        self.run("INSERT INTO person (no) VALUES (?1)", [no.0])?;
        Ok(())
    }

    /// The person as this destination knows them, from now on. Not to be called with another logical id than
    /// the one that is there: what is on its way must not change its target.
    pub(crate) fn enrol(
        &self,
        person: PersonNo,
        destination: DestinationNo,
        subject: &Subject,
        evidence: Option<&str>,
    ) -> Result<()> {
        let said = PersonAtRow::of(subject, evidence);
        let (no, row) = match self.known_at(person, destination)? {
            Some((no, earlier)) => (no, said.or(earlier)),
            None => (self.next("person_at")?, said),
        };
        let sealed = self.shut("person_at", "sealed", no, &row);
        self.run(
            "INSERT INTO person_at (no, person, destination, patient, sealed) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (no) DO UPDATE SET sealed = excluded.sealed",
            params![no, person.0, destination.0, self.patient(destination, &subject.id), sealed],
        )?;
        Ok(())
    }

    pub(crate) fn subject(&self, person: PersonNo, destination: DestinationNo) -> Result<Option<Subject>> {
        Ok(self.known_at(person, destination)?.map(|(_, row)| row.subject()))
    }

    fn known_at(&self, person: PersonNo, destination: DestinationNo) -> Result<Option<(i64, PersonAtRow)>> {
        let sql = format!(
            "SELECT no, sealed, {} FROM person_at NOT INDEXED
             WHERE person = ?1 AND destination = ?2 AND until IS NULL",
            sound("person_at")
        );
        let found = self.one(&sql, params![person.0, destination.0], |row| {
            Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        found.map(|(no, sealed)| Ok((no, self.open("person_at", "sealed", no, &sealed)?))).transpose()
    }
}
