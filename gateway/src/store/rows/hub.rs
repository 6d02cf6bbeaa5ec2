//! `hub`: who this hub is. One row.

use super::{Result, Rows};
use crate::store::payload::HubRow;
use rusqlite::params;

pub(crate) struct HubFound {
    pub(crate) system_id: [u8; 8],
    pub(crate) epoch: u32,
    pub(crate) next_origin: u64,
    /// The blinded keys of this database were made with the key at hand.
    pub(crate) key_is_ours: bool,
}

impl Rows<'_> {
    pub(crate) fn hub(&self) -> Result<Option<HubFound>> {
        let sql = "SELECT key_check, epoch, next_origin, sealed FROM hub";
        let found = self.one(sql, [], |row| {
            Ok((
                row.get::<_, [u8; 32]>(0)?,
                row.get(1)?,
                row.get::<_, i64>(2)?.unsigned_abs(),
                row.get::<_, Vec<u8>>(3)?,
            ))
        })?;
        let Some((check, epoch, next_origin, sealed)) = found else { return Ok(None) };
        let key_is_ours = check == self.blind("check", &[]);
        let HubRow { system_id } = self.open("hub", "sealed", 1, &sealed)?;
        Ok(Some(HubFound { system_id, epoch, next_origin, key_is_ours }))
    }

    pub(crate) fn make_hub(&self, system_id: &[u8; 8]) -> Result<HubFound> {
        let sealed = self.shut("hub", "sealed", 1, &HubRow { system_id: *system_id });
        let sql = "INSERT INTO hub (one, key_check, epoch, next_origin, sealed) VALUES (1, ?1, 1, 1, ?2)";
        self.run(sql, params![self.blind("check", &[]), sealed])?;
        Ok(HubFound { system_id: *system_id, epoch: 1, next_origin: 1, key_is_ours: true })
    }

    /// A capture with this number of ours is on disk: the next one is greater.
    pub(crate) fn origin_used(&self, number: u64) -> Result<()> {
        let sql = "UPDATE hub SET next_origin = ?1 WHERE next_origin < ?1";
        self.run(sql, [i64::try_from(number.saturating_add(1)).unwrap_or(i64::MAX)])?;
        Ok(())
    }
}
