//! `permission`: what may leave, for whom and whereto (CLINICAL 22). Nothing is overwritten.

use super::{DestinationNo, Result, Rows, instant, micros, sound};
use hearth_core::identity::{Permission, PersonNo, Revision, Window};
use rusqlite::params;

impl Rows<'_> {
    pub(crate) fn permission(
        &self,
        person: PersonNo,
        destination: DestinationNo,
    ) -> Result<Option<Permission>> {
        let sql = format!(
            "SELECT order_from, order_until, consent_from, consent_until, revision, {}
             FROM permission NOT INDEXED WHERE person = ?1 AND destination = ?2 AND replaced = 0",
            sound("permission")
        );
        self.one(&sql, params![person.0, destination.0], |row| {
            let until = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(instant));
            Ok(Permission {
                order: Window { from: instant(row.get(0)?), until: until(1)? },
                consent: Window { from: instant(row.get(2)?), until: until(3)? },
                revision: Revision(row.get(4)?),
            })
        })
    }

    pub(crate) fn permit(
        &self,
        person: PersonNo,
        destination: DestinationNo,
        permission: &Permission,
    ) -> Result<()> {
        self.revoke(person, destination)?;
        let sql = "INSERT INTO permission
            (no, person, destination, order_from, order_until, consent_from, consent_until, revision)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,
                (SELECT count(*) + 1 FROM permission WHERE person = ?2 AND destination = ?3))";
        let Permission { order, consent, .. } = permission;
        self.run(
            sql,
            params![
                self.next("permission")?,
                person.0,
                destination.0,
                micros(order.from),
                order.until.map(micros),
                micros(consent.from),
                consent.until.map(micros)
            ],
        )?;
        Ok(())
    }

    pub(crate) fn revoke(&self, person: PersonNo, destination: DestinationNo) -> Result<()> {
        let sql =
            "UPDATE permission SET replaced = 1 WHERE person = ?1 AND destination = ?2 AND replaced = 0";
        self.run(sql, params![person.0, destination.0])?;
        Ok(())
    }
}
