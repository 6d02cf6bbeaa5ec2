//! Sums over tables, for those who look.

use super::{DestinationNo, Result, Rows, instant};
use hearth_core::capture::DeviceNo;
use hearth_core::when::{BootNo, HubTicks};
use jiff::Timestamp;

/// Records of one fate and reason.
pub(crate) struct FateCount {
    pub(crate) fate: String,
    pub(crate) reason: Option<String>,
    pub(crate) records: u64,
}

/// Rows of one destination and state.
pub(crate) struct OutboxCount {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) in_doubt: bool,
    pub(crate) rows: u64,
    pub(crate) oldest: Timestamp,
}

/// A held record.
pub(crate) struct HeldRow {
    pub(crate) record: i64,
    pub(crate) device: DeviceNo,
    pub(crate) reason: String,
    pub(crate) since: HubTicks,
}

fn unsigned(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.unsigned_abs())
}

impl Rows<'_> {
    pub(crate) fn fate_counts(&self) -> Result<Vec<FateCount>> {
        let sql = "SELECT fate, reason, count(*) FROM record GROUP BY fate, reason ORDER BY fate, reason";
        self.all(sql, [], |row| {
            Ok(FateCount { fate: row.get(0)?, reason: row.get(1)?, records: unsigned(row, 2)? })
        })
    }

    /// How often anything was heard, and how many of that only repeated what was forgotten already.
    pub(crate) fn hearings(&self) -> Result<(u64, u64)> {
        let sql = "SELECT (SELECT coalesce(sum(times), 0) FROM record), (SELECT coalesce(sum(heard_since), 0) FROM ledger)";
        let sums = self.one(sql, [], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))?;
        Ok(sums.unwrap_or_default())
    }

    /// Readings that stand, and retracted ones.
    pub(crate) fn reading_counts(&self) -> Result<(u64, u64)> {
        let sql = "SELECT count(*) - coalesce(sum(retracted), 0), coalesce(sum(retracted), 0) FROM reading";
        let counts = self.one(sql, [], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))?;
        Ok(counts.unwrap_or_default())
    }

    pub(crate) fn outbox_counts(&self) -> Result<Vec<OutboxCount>> {
        let sql = "SELECT destination.name, state, in_doubt AND state = 'waiting' AS doubt, count(*), min(effective)
            FROM outbox JOIN destination ON destination.no = destination
            GROUP BY destination, state, doubt ORDER BY destination, state, doubt";
        self.all(sql, [], |row| {
            Ok(OutboxCount {
                name: row.get(0)?,
                state: row.get(1)?,
                in_doubt: row.get(2)?,
                rows: unsigned(row, 3)?,
                oldest: instant(row.get(4)?),
            })
        })
    }

    pub(crate) fn holds(&self) -> Result<Vec<HeldRow>> {
        let sql = "SELECT hold.record, record.device, hold.reason, since_boot, since_ms
            FROM hold JOIN record ON record.no = hold.record ORDER BY hold.record";
        self.all(sql, [], |row| {
            Ok(HeldRow {
                record: row.get(0)?,
                device: DeviceNo(row.get(1)?),
                reason: row.get(2)?,
                since: HubTicks { boot: BootNo(row.get(3)?), ms: row.get(4)? },
            })
        })
    }

    /// Records that are not dated, and that only replayed logs ever told: a log that is over tells no time any more.
    /// Device, record, and where it was told first.
    pub(crate) fn without_log_time(&self) -> Result<Vec<(DeviceNo, i64, HubTicks)>> {
        let sql = "SELECT record.device, record.no, min(capture.boot), capture.ms
            FROM record JOIN capture ON capture.record = record.no JOIN boot ON boot.no = capture.boot
            WHERE record.fate IN ('await', 'hold') AND record.reason IN ('hub-time', 'time-hub-clock')
            GROUP BY record.no HAVING count(*) = count(boot.replayed) ORDER BY record.no";
        self.all(sql, [], |row| {
            Ok((DeviceNo(row.get(0)?), row.get(1)?, HubTicks { boot: BootNo(row.get(2)?), ms: row.get(3)? }))
        })
    }

    /// Records of a device, how often they were heard, and its last contact.
    pub(crate) fn device_counts(&self, device: DeviceNo) -> Result<(u64, u64, Option<HubTicks>)> {
        let sql = "SELECT count(*), coalesce(sum(times), 0) FROM record WHERE device = ?1";
        let (records, heard) =
            self.one(sql, [device.0], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))?.unwrap_or_default();
        let sql = "SELECT boot, ms FROM contact WHERE device = ?1 ORDER BY no DESC LIMIT 1";
        let last =
            self.one(sql, [device.0], |row| Ok(HubTicks { boot: BootNo(row.get(0)?), ms: row.get(1)? }))?;
        Ok((records, heard, last))
    }

    /// When this hub heard a device last, by its own ticks.
    pub(crate) fn last_heard(&self, device: DeviceNo) -> Result<Option<HubTicks>> {
        let sql = "SELECT contact.boot, contact.ms FROM contact JOIN boot ON boot.no = contact.boot
            WHERE device = ?1 AND log IS NULL ORDER BY contact.no DESC LIMIT 1";
        self.one(sql, [device.0], |row| Ok(HubTicks { boot: BootNo(row.get(0)?), ms: row.get(1)? }))
    }

    /// How many rows of a destination are parked, and when the oldest of their readings was taken.
    pub(crate) fn parked(&self, destination: DestinationNo) -> Result<Option<(u64, Timestamp)>> {
        let sql = "SELECT count(*), min(effective) FROM outbox WHERE destination = ?1 AND state = 'parked'";
        let counted =
            self.one(sql, [destination.0], |row| Ok((unsigned(row, 0)?, row.get::<_, Option<i64>>(1)?)))?;
        Ok(counted.and_then(|(many, oldest)| Some((many, instant(oldest?)))))
    }

    pub(crate) fn is_bonded(&self, device: DeviceNo) -> Result<bool> {
        let sql = "SELECT bond = 'bonded' FROM device WHERE no = ?1";
        Ok(self.one(sql, [device.0], |row| row.get(0))?.unwrap_or(false))
    }
}
