//! `boot` and `anchor`: the tick lines that everything lies on.

use super::{Result, Rows, code, coded, instant, micros, micros_up};
use crate::store::{BUILT, StoreError};
use hearth_core::when::{Anchor, AnchorSource, Boot, BootNo, Boots, HubTicks, Span};
use jiff::Timestamp;
use rusqlite::params;
use std::collections::BTreeMap;

const SOURCES: &[(AnchorSource, &str)] = &[
    (AnchorSource::Synchronised, "synchronised"),
    (AnchorSource::Remembered, "remembered"),
    (AnchorSource::Stated, "stated"),
];

impl Rows<'_> {
    /// The boot of this hub that the kernel calls so, made if it is new.
    pub(crate) fn boot(&self, system: &str) -> Result<BootNo> {
        let system = self.blind("boot", &[system.as_bytes()]);
        let sql = "SELECT no FROM boot WHERE system = ?1";
        if let Some(no) = self.one(sql, [&system], |row| row.get(0))? {
            return Ok(BootNo(no));
        }
        let no = self.next_boot()?;
        self.run("INSERT INTO boot (no, system, last) VALUES (?1, ?2, 0)", params![no, system])?;
        Ok(BootNo(no))
    }

    /// A new boot of the replayed log that `log` is the first one of; `None`: the log begins with it. `replayed`: when
    /// that is, by the machine's clock.
    pub(crate) fn replayed_boot(&self, log: Option<BootNo>, replayed: Timestamp) -> Result<BootNo> {
        let no = self.next_boot()?;
        self.run(
            "INSERT INTO boot (no, last, log, replayed) VALUES (?1, 0, ?2, ?3)",
            params![no, log.map_or(no, |log| log.0), micros(replayed)],
        )?;
        Ok(BootNo(no))
    }

    pub(super) fn next_boot(&self) -> Result<u32> {
        u32::try_from(self.next("boot")?)
            .map_err(|_| StoreError::Broken("more boots than there are numbers".to_owned()))
    }

    /// When the boots of replayed logs were replayed, by the machine's clock.
    pub(crate) fn replays(&self) -> Result<BTreeMap<BootNo, Timestamp>> {
        let sql = "SELECT no, replayed FROM boot WHERE replayed IS NOT NULL";
        let rows = self.all(sql, [], |row| Ok((BootNo(row.get(0)?), row.get(1)?)))?;
        Ok(rows.into_iter().map(|(no, replayed)| (no, instant(replayed))).collect())
    }

    /// Something was committed at this tick. Of an earlier boot: a bridge had it meanwhile, and when that boot ended is not known by it.
    pub(crate) fn ticked(&self, at: HubTicks) -> Result<()> {
        let sql = "UPDATE boot SET last = CASE WHEN EXISTS
                (SELECT 1 FROM boot AS later WHERE later.no > boot.no AND later.log IS boot.log)
            THEN last ELSE max(last, ?2) END WHERE no = ?1";
        if self.run(sql, params![at.boot.0, at.ms])? == 0 {
            return Err(StoreError::Unknown("boot"));
        }
        Ok(())
    }

    pub(crate) fn anchor(&self, anchor: &Anchor) -> Result<()> {
        let latest = Some(anchor.utc.latest).filter(|t| *t != Timestamp::MAX).map(micros_up);
        self.run(
            "INSERT INTO anchor (boot, ms, earliest, latest, source) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                anchor.at.boot.0,
                anchor.at.ms,
                micros(anchor.utc.earliest),
                latest,
                code(anchor.source, SOURCES)
            ],
        )?;
        Ok(())
    }

    pub(crate) fn boots(&self) -> Result<Boots> {
        let sql = "SELECT no, last, log FROM boot";
        let rows = self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let boot = |(no, last, log): (u32, i64, Option<u32>)| {
            (BootNo(no), Boot { last, anchors: vec![], log: log.map(BootNo) })
        };
        let mut all: BTreeMap<BootNo, Boot> = rows.into_iter().map(boot).collect();
        let sql = "SELECT boot, ms, earliest, latest, source FROM anchor ORDER BY rowid";
        for (boot, ms, earliest, latest, source) in self.all(sql, [], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get::<_, Option<i64>>(3)?,
                row.get::<_, String>(4)?,
            ))
        })? {
            let boot = BootNo(boot);
            let utc = Span { earliest: instant(earliest), latest: latest.map_or(Timestamp::MAX, instant) };
            let anchor =
                Anchor { at: HubTicks { boot, ms }, utc, source: coded("anchor.source", &source, SOURCES)? };
            all.entry(boot).or_default().anchors.push(anchor);
        }
        Ok(Boots { built: BUILT, all })
    }

    /// Lets go of the boots that nothing reaches into, except the last two of the system's and of replayed logs
    /// each: the one before this one says that this one came later.
    pub(crate) fn prune_boots(&self) -> Result<usize> {
        self.run(
            "DELETE FROM boot WHERE no NOT IN (SELECT later.no FROM boot AS later
                    WHERE (later.system IS NULL) = (boot.system IS NULL) ORDER BY later.no DESC LIMIT 2)
                AND no < (SELECT coalesce(min(boot), 9223372036854775807) FROM contact)
                AND no < (SELECT coalesce(min(boot), 9223372036854775807) FROM capture)
                AND no < (SELECT coalesce(min(boot), 9223372036854775807) FROM bridge_met)
                AND no < (SELECT coalesce(min(since_boot), 9223372036854775807) FROM hold)",
            [],
        )
    }
}
