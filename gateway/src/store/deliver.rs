//! What may leave, and what goes next.

use super::rows::{DestinationNo, Kept, NewOutbox, OutboxNo, Queued, ReadingNo, Rows, State, micros};
use super::{Store, StoreError};
use hearth_core::capture::Key;
use hearth_core::identity::{Labels, Who};
use hearth_core::parcel::{Hub, Intent, Parcel};
use hearth_core::profile::{Catalog, Profile};
use hearth_core::reading::{Issue, Reading};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Younger readings go before all others (CLINICAL 4).
const FRESH: SignedDuration = SignedDuration::from_hours(1);

/// Rows that are in memory at once while all are weighed.
const AT_ONCE: u32 = 500;

/// A row of the outbox that is due, with all that is needed to send it.
#[derive(Clone, Debug)]
pub struct Consignment {
    pub row: OutboxNo,
    pub parcel: Parcel,
    /// Attempts that were started before.
    pub attempts: u32,
    /// Attempts whose failure counts towards parking.
    pub counted: u32,
    /// An attempt was started and its end is not known: look before sending, and send the same `octets`.
    pub in_doubt: bool,
    /// What was sent by the attempt in doubt.
    pub octets: Option<Vec<u8>>,
    /// Fixed at the first encoding.
    pub phd_identifier: Option<String>,
    /// All consignments of one answer have the same (CLINICAL 29).
    pub labels: Labels,
    /// Where the measurement itself is at the destination, and its version there.
    pub location: Option<String>,
    pub etag: Option<String>,
}

/// Why a reading may not leave for a destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Withheld {
    /// The destination is not cleared for the reading's labels (CLINICAL 29).
    Labels,
    /// The destination does not know the person any more.
    NoSubject,
    /// Nobody ordered it, or nobody consented (CLINICAL 22).
    NoPermission,
    /// Taken outside of order or consent (CLINICAL 22).
    OutsidePermission,
    /// Its profile was taken out of the catalogue: nobody can say what the reading is.
    NoProfile,
}

impl Withheld {
    fn code(self) -> &'static str {
        match self {
            Withheld::Labels => "labels",
            Withheld::NoSubject => "no-subject",
            Withheld::NoPermission => "no-permission",
            Withheld::OutsidePermission => "outside-permission",
            Withheld::NoProfile => "no-profile",
        }
    }
}

/// Whether a reading may leave, by what holds now.
fn may_leave(
    rows: &Rows<'_>,
    catalog: &Catalog,
    reading: &Reading,
    intent: Intent,
    destination: DestinationNo,
) -> Result<Option<Withheld>, StoreError> {
    let Who::Person(person) = reading.who else { return Ok(Some(Withheld::NoSubject)) };
    if !reading.labels.0.is_subset(&rows.cleared(destination)?.0) {
        return Ok(Some(Withheld::Labels));
    }
    if rows.subject(person, destination)?.is_none() {
        return Ok(Some(Withheld::NoSubject));
    }
    if profile(rows, catalog, reading)?.is_none() {
        return Ok(Some(Withheld::NoProfile));
    }
    // Taking back what was disclosed discloses nothing: it needs no permission of its own.
    if intent == Intent::Retract {
        return Ok(None);
    }
    Ok(match rows.permission(person, destination)? {
        None => Some(Withheld::NoPermission),
        Some(permission) if !permission.allows(reading.when.effective) => Some(Withheld::OutsidePermission),
        Some(_) => None,
    })
}

/// The profile that the reading was made by, as it is today; else what the device is taken for today.
fn profile<'c>(
    rows: &Rows<'_>,
    catalog: &'c Catalog,
    reading: &Reading,
) -> Result<Option<&'c Profile>, StoreError> {
    if let Some(profile) = catalog.get(&reading.profile.0) {
        return Ok(Some(profile));
    }
    Ok(rows.device(reading.device)?.profile.and_then(|name| catalog.get(&name)))
}

/// A row for each destination that knows the person, listed today or not: one that is left out of the
/// configuration for a day finds its rows waiting. A test goes nowhere (CLINICAL 24).
pub(super) fn queue(
    rows: &Rows<'_>,
    catalog: &Catalog,
    no: ReadingNo,
    reading: &Reading,
) -> Result<(), StoreError> {
    let Who::Person(person) = reading.who else { return Ok(()) };
    for (destination, _) in rows.all_destinations()? {
        if rows.subject(person, destination)?.is_none() {
            continue;
        }
        // Only after a salvage: what arrived before is not sent again, and stays known, so that it can be taken back.
        let arrived = rows.closed(&reading.key, reading.issue, destination)?;
        let withheld = may_leave(rows, catalog, reading, Intent::Create, destination)?.filter(|_| !arrived);
        let in_doubt =
            !arrived && rows.doubtful(&reading.key, reading.issue, destination, reading.when.effective)?;
        rows.queue(&NewOutbox {
            reading: no,
            destination,
            intent: Intent::Create,
            labels: &reading.labels,
            effective: reading.when.effective,
            state: match (arrived, withheld) {
                (true, _) => State::Unverified,
                (false, Some(_)) => State::Withheld,
                (false, None) => State::Waiting,
            },
            reason: withheld.map(Withheld::code),
            issued: None,
            in_doubt,
            said: super::payload::SaidRow::default(),
        })?;
    }
    Ok(())
}

/// What may leave has changed: looks at every open row again, of one destination or of all.
pub(super) fn reweigh(
    rows: &Rows<'_>,
    catalog: &Catalog,
    destination: Option<DestinationNo>,
) -> Result<(), StoreError> {
    let mut after = OutboxNo(0);
    loop {
        let page = rows.still_open_after(destination, after, AT_ONCE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.no;
        for row in page.into_iter().filter(|row| row.state != State::Parked) {
            weigh_again(rows, catalog, row)?;
        }
    }
}

/// Writes down whether the row may leave. What is in doubt stays in doubt meanwhile.
fn weigh(rows: &Rows<'_>, row: Queued, withheld: Option<Withheld>) -> Result<(), StoreError> {
    let state = if withheld.is_some() { State::Withheld } else { State::Waiting };
    let reason = withheld.map(|why| why.code().to_owned());
    if (state, &reason) == (row.state, &row.reason) {
        return Ok(());
    }
    rows.rewrite(&Queued { state, reason, ..row })
}

/// What is retracted is not sent any more: its retraction goes instead.
pub(super) fn superseded(row: &Queued, kept: &Kept) -> bool {
    kept.retracted && row.intent == Intent::Create
}

impl Store {
    /// What goes next to a destination: at most `limit` rows that may leave and whose time has come, all of one
    /// label set, no two of one measurement. Readings under one hour old first, then the backlog, each oldest
    /// first; never by value (CLINICAL 4). A row's `issued` is fixed when it is first in an answer.
    pub fn due(
        &mut self,
        destination: DestinationNo,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Consignment>, StoreError> {
        let catalog = Arc::clone(&self.catalog);
        let hub = self.hub.clone();
        self.write(|rows| {
            let mut dispatch = Dispatch {
                rows,
                catalog: &catalog,
                hub: &hub,
                now,
                labels: None,
                measurements: BTreeSet::new(),
                due: vec![],
            };
            let hour_ago = now.checked_sub(FRESH).map_or(i64::MIN, micros);
            dispatch.lane(destination, hour_ago, i64::MAX, limit)?;
            dispatch.lane(destination, i64::MIN, hour_ago, limit)?;
            Ok(dispatch.due)
        })
    }

    /// When the first of the rows that wait for their time may be tried again.
    pub fn earliest_retry(&mut self, destination: DestinationNo) -> Result<Option<Timestamp>, StoreError> {
        self.read(|rows| rows.earliest_retry(destination))
    }
}

/// One answer to [`Store::due`], as it grows.
struct Dispatch<'a> {
    rows: &'a Rows<'a>,
    catalog: &'a Catalog,
    hub: &'a Hub,
    now: Timestamp,
    /// Blinded label set of the whole answer.
    labels: Option<[u8; 32]>,
    measurements: BTreeSet<Key>,
    due: Vec<Consignment>,
}

impl Dispatch<'_> {
    /// Rows taken after `from` and not after `to`.
    fn lane(
        &mut self,
        destination: DestinationNo,
        from: i64,
        to: i64,
        limit: usize,
    ) -> Result<(), StoreError> {
        let mut after = (from, OutboxNo(i64::MAX));
        while self.due.len() < limit {
            let page = self.rows.due_page(destination, self.now, to, after, limit.max(16))?;
            let Some(last) = page.last() else { break };
            after = (last.effective, last.no);
            for listed in page {
                if self.due.len() < limit && self.labels.is_none_or(|labels| labels == listed.labels) {
                    self.consider(listed.no)?;
                }
            }
        }
        Ok(())
    }

    fn consider(&mut self, no: OutboxNo) -> Result<(), StoreError> {
        let rows = self.rows;
        let row = rows.queued(no)?;
        let kept = rows.reading(row.reading)?;
        let key = kept.reading.key;
        if superseded(&row, &kept) || self.measurements.contains(&key) || rows.another_first(&row, &key)? {
            return Ok(());
        }
        if let Some(withheld) = may_leave(rows, self.catalog, &kept.reading, row.intent, row.destination)? {
            return weigh(rows, row, Some(withheld));
        }
        self.labels = Some(row.labels);
        self.measurements.insert(key);
        let issued = row.issued.unwrap_or(self.now);
        if row.issued.is_none() {
            rows.rewrite(&Queued { issued: Some(issued), ..row.clone() })?;
        }
        let consignment = self.consign(row, kept.reading, issued)?;
        self.due.push(consignment);
        Ok(())
    }

    fn consign(&self, row: Queued, reading: Reading, issued: Timestamp) -> Result<Consignment, StoreError> {
        let rows = self.rows;
        let broken =
            |what: &str| StoreError::Broken(format!("outbox row {} may leave without {what}", row.no.0));
        let Who::Person(person) = reading.who else { return Err(broken("a person")) };
        let device = rows.device(reading.device)?;
        let (location, etag) = rows.location(row.reading, row.destination)?.unzip();
        let labels = reading.labels.clone();
        let parcel = Parcel {
            intent: row.intent,
            facts: device.facts,
            identity: device.identity.ok_or_else(|| broken("an identity"))?,
            profile: profile(rows, self.catalog, &reading)?.ok_or_else(|| broken("a profile"))?.clone(),
            hub: self.hub.clone(),
            subject: rows.subject(person, row.destination)?.ok_or_else(|| broken("a subject"))?,
            issued,
            replaces: self.replaces(&row, &reading)?,
            reading,
        };
        Ok(Consignment {
            row: row.no,
            parcel,
            attempts: row.attempts,
            counted: row.counted,
            in_doubt: row.in_doubt || self.create_in_doubt(&row)?,
            octets: row.octets.filter(|_| row.in_doubt),
            phd_identifier: row.said.phd,
            labels,
            location,
            etag: etag.flatten(),
        })
    }

    /// Of a retraction: whether it is not even known that there is something to retract.
    fn create_in_doubt(&self, row: &Queued) -> Result<bool, StoreError> {
        let create = |other: &Queued| other.intent == Intent::Create && other.destination == row.destination;
        Ok(row.intent == Intent::Retract
            && self.rows.queued_for(row.reading)?.iter().any(|other| create(other) && other.in_doubt))
    }

    fn replaces(
        &self,
        row: &Queued,
        reading: &Reading,
    ) -> Result<Option<(Issue, Option<String>)>, StoreError> {
        let Some(superseded) = reading.supersedes else { return Ok(None) };
        let location = match self.rows.reading_by_key(&reading.key, superseded)? {
            Some(kept) => self.rows.location(kept.no, row.destination)?.map(|(location, _)| location),
            None => None,
        };
        Ok(Some((superseded, location)))
    }
}

/// [`reweigh`] of one row.
pub(super) fn weigh_again(rows: &Rows<'_>, catalog: &Catalog, row: Queued) -> Result<(), StoreError> {
    let reading = rows.reading(row.reading)?.reading;
    let withheld = may_leave(rows, catalog, &reading, row.intent, row.destination)?;
    weigh(rows, row, withheld)
}
