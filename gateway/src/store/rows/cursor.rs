//! `cursor`: how far each device's memory was read, by each recorder.

use super::{Result, Rows, sound};
use hearth_core::capture::{DeviceNo, Origin};
use rusqlite::params;

/// Devices here number their records for all users together.
const NO_SLOT: i64 = -1;

impl Rows<'_> {
    fn recorder(&self, recorder: &[u8; 8]) -> [u8; 32] {
        self.blind("recorder", &[recorder])
    }

    /// A record with this sequence is new.
    pub(crate) fn move_cursor(&self, device: DeviceNo, origin: Origin, sequence: u16) -> Result<()> {
        self.run(
            "INSERT INTO cursor (recorder, device, slot, epoch, sequence) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET sequence = excluded.sequence",
            params![self.recorder(&origin.recorder), device.0, NO_SLOT, origin.epoch, sequence],
        )?;
        Ok(())
    }

    /// The last new sequence that this recorder heard of the device.
    pub(crate) fn last_sequence(
        &self,
        device: DeviceNo,
        recorder: &[u8; 8],
        epoch: u32,
    ) -> Result<Option<u16>> {
        self.one(
            &format!(
                "SELECT sequence, {} FROM cursor WHERE recorder = ?1 AND device = ?2 AND slot = ?3 AND epoch = ?4",
                sound("cursor")
            ),
            params![self.recorder(recorder), device.0, NO_SLOT, epoch],
            |row| row.get(0),
        )
    }

    /// The least sequence among the device's records that wait for their partner.
    pub(crate) fn least_without_partner(&self, device: DeviceNo) -> Result<Option<u16>> {
        let sql = "SELECT min(sequence) FROM record
            WHERE device = ?1 AND fate IN ('new', 'await', 'hold', 'reissue') AND partner = 1";
        Ok(self.one(sql, [device.0], |row| row.get(0))?.flatten())
    }
}
