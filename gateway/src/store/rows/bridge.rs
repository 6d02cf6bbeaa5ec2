//! `bridge`, `bridge_met`, `bridge_odd`: how far each bridge's records are committed, and when its ticks were.

use super::{Result, Rows, sound};
use crate::store::StoreError;
use crate::store::payload::{BridgeRow, OddRow};
use hearth_core::bridge::Met;
use hearth_core::when::{BootNo, HubTicks};
use hearth_wire::frame::{Place, Ticks};
use rusqlite::params;

/// A bridge that was met.
pub(crate) struct FoundBridge {
    pub(crate) no: i64,
    pub(crate) taken: Place,
    /// The highest epoch that it was ever seen in, or given.
    pub(crate) highest: u32,
    pub(crate) lost: u64,
    pub(crate) missing: u64,
    pub(crate) said: BridgeRow,
}

impl Rows<'_> {
    pub(crate) fn bridges(&self) -> Result<Vec<FoundBridge>> {
        let sound = sound("bridge");
        let sql = format!(
            "SELECT no, epoch, number, highest, lost, missing, sealed, {sound} FROM bridge ORDER BY no"
        );
        let rows = self.all(&sql, [], |row| {
            let counted = |n: i64| n.unsigned_abs();
            Ok((
                row.get(0)?,
                Place { epoch: row.get(1)?, number: row.get(2)? },
                row.get(3)?,
                counted(row.get(4)?),
                counted(row.get(5)?),
                row.get::<_, Vec<u8>>(6)?,
            ))
        })?;
        let found = |(no, taken, highest, lost, missing, sealed): (_, _, _, _, _, Vec<u8>)| {
            let said = self.open("bridge", "sealed", no, &sealed)?;
            Ok(FoundBridge { no, taken, highest, lost, missing, said })
        };
        rows.into_iter().map(found).collect()
    }

    pub(crate) fn bridge(&self, id: [u8; 8]) -> Result<Option<FoundBridge>> {
        Ok(self.bridges()?.into_iter().find(|bridge| bridge.said.id == id))
    }

    pub(crate) fn make_bridge(&self, said: &BridgeRow) -> Result<i64> {
        let no = self.next("bridge")?;
        let handle = self.blind("bridge", &[&said.id]);
        self.run(
            "INSERT INTO bridge (no, handle, epoch, number, highest, sealed) VALUES (?1, ?2, 0, 0, 0, ?3)",
            params![no, handle, self.shut("bridge", "sealed", no, said)],
        )?;
        Ok(no)
    }

    pub(crate) fn bridge_said(&self, no: i64, said: &BridgeRow, highest: u32) -> Result<()> {
        let sealed = self.shut("bridge", "sealed", no, said);
        self.run("UPDATE bridge SET sealed = ?2, highest = ?3 WHERE no = ?1", params![no, sealed, highest])?;
        Ok(())
    }

    /// All records of the bridge up to this one are committed, or gone; with them so many numbers that nobody has, and so many values
    /// that found no room there.
    pub(crate) fn bridge_told(&self, no: i64, up_to: Place, missing: u64, lost: u64) -> Result<()> {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let changed = self.run(
            "UPDATE bridge SET epoch = ?2, number = ?3, missing = missing + ?4, lost = lost + ?5 WHERE no = ?1",
            params![no, up_to.epoch, up_to.number, count(missing), count(lost)],
        )?;
        if changed == 0 {
            return Err(StoreError::Unknown("bridge"));
        }
        // Nothing of earlier epochs comes any more.
        self.run("DELETE FROM bridge_met WHERE bridge = ?1 AND epoch < ?2", params![no, up_to.epoch])?;
        Ok(())
    }

    /// The moments of an epoch that are known, in their order.
    pub(crate) fn bridge_mets(&self, no: i64, epoch: u32) -> Result<Vec<Met>> {
        let sound = sound("bridge_met");
        let sql = format!(
            "SELECT ticks, boot, ms, {sound} FROM bridge_met WHERE bridge = ?1 AND epoch = ?2 ORDER BY ticks"
        );
        self.all(&sql, params![no, epoch], |row| {
            let at = HubTicks { boot: BootNo(row.get(1)?), ms: row.get(2)? };
            Ok(Met { ticks: Ticks(row.get::<_, i64>(0)?.unsigned_abs()), at })
        })
    }

    /// One more, beside those before: what was told between two of them lies there, also if the line has come and gone since.
    pub(crate) fn bridge_met(&self, no: i64, epoch: u32, met: Met) -> Result<()> {
        self.run(
            "INSERT INTO bridge_met (no, bridge, epoch, ticks, boot, ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                self.next("bridge_met")?,
                no,
                epoch,
                i64::try_from(met.ticks.0).unwrap_or(i64::MAX),
                met.at.boot.0,
                met.at.ms
            ],
        )?;
        self.run(
            "DELETE FROM bridge_met WHERE bridge = ?1 AND epoch = ?2 AND no NOT IN
                (SELECT no FROM bridge_met WHERE bridge = ?1 AND epoch = ?2 ORDER BY no DESC LIMIT 64)",
            params![no, epoch],
        )?;
        Ok(())
    }

    /// A record of a kind that only a later version knows, or that is none.
    pub(crate) fn bridge_odd(&self, place: Place, odd: &OddRow) -> Result<()> {
        let no = self.next("bridge_odd")?;
        self.run(
            "INSERT INTO bridge_odd (no, epoch, number, sealed) VALUES (?1, ?2, ?3, ?4)",
            params![no, place.epoch, place.number, self.shut("bridge_odd", "sealed", no, odd)],
        )?;
        Ok(())
    }

    /// How many of those there are, by their bridges.
    pub(crate) fn bridge_odds(&self) -> Result<Vec<[u8; 8]>> {
        let sql = format!("SELECT no, sealed, {} FROM bridge_odd ORDER BY no", sound("bridge_odd"));
        let rows = self.all(&sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let of = |(no, sealed): (i64, Vec<u8>)| {
            Ok(self.open::<OddRow>("bridge_odd", "sealed", no, &sealed)?.bridge)
        };
        rows.into_iter().map(of).collect()
    }

    /// A boot for the ticks of an epoch of which no moment is known: it bounds, and is bounded by, nothing else.
    pub(crate) fn boot_of_its_own(&self) -> Result<BootNo> {
        let no = self.next_boot()?;
        self.run("INSERT INTO boot (no, last, log) VALUES (?1, 0, ?1)", [no])?;
        Ok(BootNo(no))
    }
}
