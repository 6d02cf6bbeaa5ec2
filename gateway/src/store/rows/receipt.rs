//! `receipt`: what a destination answered, for each resource of a reading.

use super::{DestinationNo, OutboxNo, ReadingNo, Result, Rows, micros, sound};
use crate::store::payload::ReceiptRow;
use hearth_core::map::fhir::Role;
use jiff::Timestamp;
use rusqlite::params;

impl Rows<'_> {
    pub(crate) fn make_receipt(
        &self,
        outbox: OutboxNo,
        attempt: u32,
        receipt: &ReceiptRow,
        at: Timestamp,
        verified: bool,
    ) -> Result<()> {
        let no = self.next("receipt")?;
        let at = micros(at);
        self.run(
            "INSERT INTO receipt (no, outbox, attempt, at, verified_at, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                no,
                outbox.0,
                attempt,
                at,
                verified.then_some(at),
                self.shut("receipt", "sealed", no, receipt)
            ],
        )?;
        Ok(())
    }

    pub(crate) fn receipts(&self, outbox: OutboxNo) -> Result<Vec<ReceiptRow>> {
        let sql =
            format!("SELECT no, sealed, {} FROM receipt WHERE outbox = ?1 ORDER BY no", sound("receipt"));
        let rows = self.all(&sql, [outbox.0], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        rows.into_iter().map(|(no, sealed)| self.open("receipt", "sealed", no, &sealed)).collect()
    }

    /// Where the measurement itself is at the destination, with its version there: by its role among the receipts
    /// of the rows that sent this reading. Its companions, devices and provenance have receipts of their own.
    pub(crate) fn location(
        &self,
        reading: ReadingNo,
        destination: DestinationNo,
    ) -> Result<Option<(String, Option<String>)>> {
        let sql =
            "SELECT no FROM outbox WHERE reading = ?1 AND destination = ?2 AND intent = 'create' ORDER BY no";
        for outbox in self.all(sql, params![reading.0, destination.0], |row| Ok(OutboxNo(row.get(0)?)))? {
            for receipt in self.receipts(outbox)? {
                let head = receipt.role == Role::Measurement.text();
                if let Some(location) = receipt.location.filter(|_| head) {
                    return Ok(Some((location, receipt.etag)));
                }
            }
        }
        Ok(None)
    }
}
