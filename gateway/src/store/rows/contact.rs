//! `contact`: connections and bursts of advertisements, with what the device's clock showed in them.

use super::{Result, Rows, code, coded, sound};
use crate::store::StoreError;
use crate::store::payload::SamplesRow;
use hearth_core::admit::{Contact, End, RecordNo, Telling};
use hearth_core::capture::{DeviceNo, Link};
use hearth_core::when::{BootNo, ContactNo, HubTicks, Sample};
use rusqlite::params;

const LINKS: &[(Link, &str)] =
    &[(Link::Bonded, "bonded"), (Link::Open, "open"), (Link::Broadcast, "broadcast"), (Link::Wired, "wired")];
const ENDS: &[(End, &str)] = &[(End::Drained, "drained"), (End::Lost, "lost")];

/// How many earlier contacts with a clock sample are looked at, at least: the last one may be of the other face of the
/// clock, or from before the hub knew the time.
const EARLIER_SAMPLES: u32 = 4;
/// And at most, of a device whose memory is never drained.
const MOST_SAMPLES: u32 = 64;

impl Rows<'_> {
    pub(crate) fn make_contact(&self, device: DeviceNo, link: Link, at: HubTicks) -> Result<ContactNo> {
        let no = self.next("contact")?;
        self.run(
            "INSERT INTO contact (no, device, boot, ms, link) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![no, device.0, at.boot.0, at.ms, code(link, LINKS)],
        )?;
        Ok(ContactNo(no.unsigned_abs()))
    }

    /// That the contact exists, and is this device's.
    pub(crate) fn expect_contact(&self, device: DeviceNo, no: ContactNo) -> Result<()> {
        let sql = format!("SELECT {} FROM contact WHERE no = ?1 AND device = ?2", sound("contact"));
        match self.one(&sql, params![number(no), device.0], |_| Ok(()))? {
            Some(()) => Ok(()),
            None => Err(StoreError::Unknown("contact of this device")),
        }
    }

    pub(crate) fn contact(&self, no: ContactNo) -> Result<Contact> {
        let sql =
            format!("SELECT boot, ms, link, ended, sealed, {} FROM contact WHERE no = ?1", sound("contact"));
        let (began, link, ended, sealed) = self
            .one(&sql, [number(no)], |row| {
                let began = HubTicks { boot: BootNo(row.get(0)?), ms: row.get(1)? };
                let link: String = row.get(2)?;
                Ok((began, link, row.get::<_, Option<String>>(3)?, row.get::<_, Option<Vec<u8>>>(4)?))
            })?
            .ok_or(StoreError::Unknown("contact"))?;
        let samples = match sealed {
            Some(sealed) => self.samples(no, &sealed)?,
            None => vec![],
        };
        Ok(Contact {
            began,
            link: Some(coded("contact.link", &link, LINKS)?),
            samples,
            end: ended.map(|code| coded("contact.ended", &code, ENDS)).transpose()?,
            told: vec![],
        })
    }

    /// A part of a weighing was told in it.
    pub(crate) fn tell(&self, contact: ContactNo, telling: Telling) -> Result<()> {
        let Telling { record, at } = telling;
        self.run(
            "INSERT INTO told (no, contact, record, boot, ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![self.next("told")?, number(contact), record.map(|no| no.0), at.boot.0, at.ms],
        )?;
        Ok(())
    }

    /// The parts of weighings that it told, in their order.
    pub(crate) fn told(&self, contact: ContactNo) -> Result<Vec<Telling>> {
        let sql =
            format!("SELECT record, boot, ms, {} FROM told WHERE contact = ?1 ORDER BY no", sound("told"));
        self.all(&sql, [number(contact)], |row| {
            let at = HubTicks { boot: BootNo(row.get(1)?), ms: row.get(2)? };
            Ok(Telling { record: row.get::<_, Option<i64>>(0)?.map(RecordNo), at })
        })
    }

    fn samples(&self, no: ContactNo, sealed: &[u8]) -> Result<Vec<Sample>> {
        let row: SamplesRow = self.open("contact", "sealed", number(no), sealed)?;
        let place = crate::store::Place { table: "contact", column: "sealed", row: number(no) };
        row.samples().map_err(|why| crate::store::error::unreadable(place, why))
    }

    pub(crate) fn sampled(&self, no: ContactNo, sample: &Sample) -> Result<()> {
        let mut samples = self.contact(no)?.samples;
        samples.push(*sample);
        let sealed = self.shut("contact", "sealed", number(no), &SamplesRow::of(&samples));
        self.run(
            "UPDATE contact SET samples = samples + 1, sealed = ?2 WHERE no = ?1",
            params![number(no), sealed],
        )?;
        Ok(())
    }

    /// How it ended is said once; drained says more than lost.
    pub(crate) fn ended(&self, no: ContactNo, end: End) -> Result<()> {
        self.run(
            "UPDATE contact SET ended = ?2 WHERE no = ?1 AND (ended IS NULL OR ended = 'lost')",
            params![number(no), code(end, ENDS)],
        )?;
        Ok(())
    }

    /// The device's last contact before this one in which its memory was drained.
    pub(crate) fn drained_before(&self, device: DeviceNo, no: ContactNo) -> Result<Option<ContactNo>> {
        self.one(
            "SELECT max(no) FROM contact WHERE device = ?1 AND no < ?2 AND ended = 'drained'",
            params![device.0, number(no)],
            |row| Ok(row.get::<_, Option<i64>>(0)?.map(|no| ContactNo(no.unsigned_abs()))),
        )
        .map(Option::flatten)
    }

    /// The device's last contact in which its memory was drained.
    pub(crate) fn last_drained(&self, device: DeviceNo) -> Result<Option<ContactNo>> {
        self.drained_before(device, ContactNo(u64::MAX))
    }

    /// The device's last contacts before this one in which its clock was read, newest first: back to the last one in which
    /// its memory was drained too, in a boot that knew the time. Since then the clock may have been set.
    pub(crate) fn sampled_before(&self, device: DeviceNo, no: ContactNo) -> Result<Vec<ContactNo>> {
        let all = self.all(
            "SELECT no, ended = 'drained' AND EXISTS (SELECT 1 FROM anchor WHERE anchor.boot = contact.boot)
                FROM contact WHERE device = ?1 AND no < ?2 AND samples > 0 ORDER BY no DESC LIMIT ?3",
            params![device.0, number(no), MOST_SAMPLES],
            |row| {
                Ok((
                    ContactNo(row.get::<_, i64>(0)?.unsigned_abs()),
                    row.get::<_, Option<bool>>(1)? == Some(true),
                ))
            },
        )?;
        let last = all.iter().position(|(_, drained)| *drained).map_or(all.len(), |n| n + 1);
        Ok(all.into_iter().take(last.max(EARLIER_SAMPLES as usize)).map(|(no, _)| no).collect())
    }

    /// Lets go of contacts that no record and no capture names, nor what such a contact is compared with
    /// ([`Rows::drained_before`], [`Rows::sampled_before`]): the last drained one before each, and before what will be heard
    /// next, and the sampled ones since. What is issued anew is judged by the same evidence again.
    pub(crate) fn prune_contacts(&self) -> Result<usize> {
        self.run(
            "WITH known AS (
                SELECT no, device, samples > 0 AS sampled, ended, ended = 'drained' AS drained,
                    EXISTS (SELECT 1 FROM anchor WHERE anchor.boot = contact.boot) AS timed,
                    no = (SELECT max(no) FROM contact)
                        OR EXISTS (SELECT 1 FROM capture WHERE capture.contact = contact.no)
                        OR EXISTS (SELECT 1 FROM record
                            WHERE record.device = contact.device AND record.last_contact = contact.no) AS used
                FROM contact),
            followed AS (
                SELECT no, sampled, ended, drained, used,
                    ifnull(min(CASE WHEN used THEN no END) OVER later, 9223372036854775807) AS next,
                    min(CASE WHEN drained THEN no END) OVER later AS next_drained,
                    min(CASE WHEN drained AND sampled AND timed THEN no END) OVER later AS next_compared,
                    ifnull(sum(sampled) OVER later, 0) AS sampled_later
                FROM known
                WINDOW later AS (PARTITION BY device ORDER BY no ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING))
            DELETE FROM contact WHERE no IN (
                SELECT no FROM followed
                WHERE ended IS NOT NULL AND NOT used
                AND (NOT drained OR next_drained < next)
                AND (NOT sampled OR sampled_later >= ?1 AND next_compared < next OR sampled_later >= ?2))",
            [EARLIER_SAMPLES, MOST_SAMPLES],
        )
    }
}

pub(super) fn number(no: ContactNo) -> i64 {
    i64::try_from(no.0).unwrap_or(i64::MAX)
}
