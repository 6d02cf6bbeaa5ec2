//! What of the hub's state concerns one destination: the devices of people that it knows, and what waits because of them.

use super::rows::DestinationNo;
use super::waiting::{Ages, Now, waits};
use super::{Store, StoreError};
use hearth_core::admit::Device;
use hearth_core::identity::Who;
use hearth_core::radio::Kept;
use jiff::Timestamp;
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub struct Concerning {
    pub devices: Vec<Concerned>,
    /// Records of these devices that wait for a person.
    pub held: Option<Waiting>,
    /// Readings that the destination refused.
    pub parked: Option<Waiting>,
}

/// A device that somebody has now, whom the destination knows and may know of.
#[derive(Clone, Debug)]
pub struct Concerned {
    pub device: Device,
    /// `None`: the radio does not collect from it.
    pub kept: Option<Kept>,
    pub last_heard: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub many: u32,
    /// Of what is held: since when it waits. Of what is parked: when it was taken.
    pub oldest: Timestamp,
}

impl Waiting {
    fn with(before: Option<Waiting>, oldest: Timestamp) -> Waiting {
        match before {
            None => Waiting { many: 1, oldest },
            Some(Waiting { many, oldest: before }) => {
                Waiting { many: many.saturating_add(1), oldest: before.min(oldest) }
            }
        }
    }
}

impl Store {
    pub fn concerning(&mut self, destination: DestinationNo, now: Now) -> Result<Concerning, StoreError> {
        self.read(|rows| {
            let mut theirs = BTreeSet::new();
            for binding in rows.bindings()? {
                let has_it = binding.from <= now.utc && binding.until.is_none_or(|until| now.utc < until);
                // What has a label of its own is told nowhere (CLINICAL 29): a report is of all devices together.
                if let (true, Who::Person(person)) = (has_it && binding.labels.0.is_empty(), binding.who)
                    && rows.subject(person, destination)?.is_some()
                    && rows.permission(person, destination)?.is_some_and(|p| p.allows(now.utc))
                {
                    theirs.insert(binding.device);
                }
            }
            let ages = Ages::new(rows, now)?;
            let mut held = None;
            for row in waits(rows)?.into_iter().filter(|row| theirs.contains(&row.device)) {
                let since = now.utc.checked_sub(ages.of(row.since)).unwrap_or(now.utc);
                held = Some(Waiting::with(held, since));
            }
            let boots = rows.boots()?;
            let mut devices = vec![];
            for no in theirs {
                // At least then. What a replayed log heard, this hub did not.
                let last = rows.last_heard(no)?.map(|at| boots.utc(at));
                let last_heard = last.filter(|span| span.latest != Timestamp::MAX).map(|span| span.earliest);
                devices.push(Concerned { device: rows.device(no)?, kept: rows.kept(no)?, last_heard });
            }
            let parked = rows.parked(destination)?;
            let parked =
                parked.map(|(many, oldest)| Waiting { many: many.try_into().unwrap_or(u32::MAX), oldest });
            Ok(Concerning { devices, held, parked })
        })
    }
}
