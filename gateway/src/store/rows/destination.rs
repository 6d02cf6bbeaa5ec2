//! `destination`: record systems that readings go to, by the name that the configuration gives them.

use super::{Result, Rows, sound};
use crate::store::StoreError;
use crate::store::payload::ClearedRow;
use hearth_core::identity::Labels;
use rusqlite::params;

/// Row number of a destination. Means nothing elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DestinationNo(pub i64);

impl Rows<'_> {
    pub(crate) fn destination(&self, name: &str) -> Result<Option<DestinationNo>> {
        self.one("SELECT no FROM destination WHERE name = ?1", [name], |row| Ok(DestinationNo(row.get(0)?)))
    }

    /// Destinations that the configuration names or once named, in the order in which they were first named.
    pub(crate) fn all_destinations(&self) -> Result<Vec<(DestinationNo, String)>> {
        self.all("SELECT no, name FROM destination ORDER BY no", [], |row| {
            Ok((DestinationNo(row.get(0)?), row.get(1)?))
        })
    }

    /// Labels that the destination is cleared for (CLINICAL 29).
    pub(crate) fn cleared(&self, no: DestinationNo) -> Result<Labels> {
        let sealed: Vec<u8> = self
            .one(
                &format!("SELECT sealed, {} FROM destination WHERE no = ?1", sound("destination")),
                [no.0],
                |row| row.get(0),
            )?
            .ok_or(StoreError::Unknown("destination"))?;
        Ok(self.open::<ClearedRow>("destination", "sealed", no.0, &sealed)?.labels())
    }

    pub(crate) fn unlist_destinations(&self) -> Result<()> {
        self.run("UPDATE destination SET listed = 0", [])?;
        Ok(())
    }

    pub(crate) fn list_destination(&self, name: &str, cleared: &Labels) -> Result<DestinationNo> {
        let no = match self.destination(name)? {
            Some(no) => no,
            None => DestinationNo(self.next("destination")?),
        };
        let sealed = self.shut("destination", "sealed", no.0, &ClearedRow::of(cleared));
        self.run(
            "INSERT INTO destination (no, name, listed, sealed) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT (no) DO UPDATE SET listed = 1, sealed = excluded.sealed",
            params![no.0, name, sealed],
        )?;
        Ok(no)
    }
}
