//! `binding`: whose device it is, and whose it was. Nothing is overwritten: a change replaces rows.

use super::{Result, Rows, instant, micros, sound};
use crate::store::error::unreadable;
use crate::store::payload::{BindingRow, CertifiedRow};
use crate::store::{Place, StoreError};
use hearth_core::capture::DeviceNo;
use hearth_core::identity::{Binding, Revision};
use rusqlite::params;
use std::collections::BTreeMap;

impl Rows<'_> {
    /// All bindings as they are now.
    pub(crate) fn bindings(&self) -> Result<Vec<Binding>> {
        Ok(self.numbered_bindings(false)?.into_iter().map(|(_, binding)| binding).collect())
    }

    /// Those, and all that were changed or taken away since.
    pub(crate) fn every_binding(&self) -> Result<Vec<Binding>> {
        Ok(self.numbered_bindings(true)?.into_iter().map(|(_, binding)| binding).collect())
    }

    fn numbered_bindings(&self, replaced: bool) -> Result<Vec<(i64, Binding)>> {
        let sql = format!(
            "SELECT no, device, since, until, revision, sealed, {} FROM binding NOT INDEXED
             WHERE ?1 OR replaced IS NULL ORDER BY no",
            sound("binding")
        );
        let rows = self.all(&sql, [replaced], |row| {
            let (since, until) = (instant(row.get(2)?), row.get::<_, Option<i64>>(3)?.map(instant));
            Ok((
                row.get(0)?,
                DeviceNo(row.get(1)?),
                since,
                until,
                Revision(row.get(4)?),
                row.get::<_, Vec<u8>>(5)?,
            ))
        })?;
        rows.into_iter()
            .map(|(no, device, since, until, revision, sealed)| {
                let row: BindingRow = self.open("binding", "sealed", no, &sealed)?;
                let place = Place { table: "binding", column: "sealed", row: no };
                let binding =
                    row.binding(device, since, until, revision).map_err(|why| unreadable(place, why))?;
                Ok((no, binding))
            })
            .collect()
    }

    /// The last revision in which anything was said of a device, also what was replaced.
    pub(crate) fn last_said(&self) -> Result<BTreeMap<DeviceNo, Revision>> {
        let sql = "SELECT device, max(max(revision, coalesce(replaced, 0))) FROM binding GROUP BY device";
        let all = self.all(sql, [], |row| Ok((DeviceNo(row.get(0)?), Revision(row.get(1)?))))?;
        Ok(all.into_iter().collect())
    }

    /// From now on these are all. What stays as it was keeps its revision; what is new or changed gets the next
    /// one, whatever revision it came with.
    pub(crate) fn replace_bindings(&self, wanted: &[Binding], by: Option<&CertifiedRow>) -> Result<()> {
        let next: u32 = self
            .one(
                // After a salvage the bindings are gone, and readings still name theirs: no revision is given twice.
                "SELECT coalesce(max(max(revision, coalesce(replaced, 0))), (SELECT max(binding) FROM reading), 0) + 1
                 FROM binding",
                [],
                |row| row.get(0),
            )?
            .unwrap_or(1);
        let mut wanted: Vec<&Binding> = wanted.iter().collect();
        for (no, have) in self.numbered_bindings(false)? {
            let same = |w: &&Binding| Binding { revision: have.revision, ..(**w).clone() } == have;
            match wanted.iter().position(same) {
                Some(stays) => {
                    wanted.remove(stays);
                }
                None => {
                    self.run("UPDATE binding SET replaced = ?2 WHERE no = ?1", params![no, next])?;
                }
            }
        }
        for binding in wanted {
            self.make_binding(binding, Revision(next), by)?;
        }
        Ok(())
    }

    fn make_binding(&self, binding: &Binding, revision: Revision, by: Option<&CertifiedRow>) -> Result<()> {
        let no = self.next("binding")?;
        if self.one("SELECT 1 FROM device WHERE no = ?1", [binding.device.0], |_| Ok(()))?.is_none() {
            return Err(StoreError::Unknown("device to bind"));
        }
        let sealed = self.shut("binding", "sealed", no, &BindingRow::of(binding, by.cloned()));
        self.run(
            "INSERT INTO binding (no, device, since, until, revision, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![no, binding.device.0, micros(binding.from), binding.until.map(micros), revision.0, sealed],
        )?;
        Ok(())
    }
}
