//! What waits for a person, and what a person does about it.

use super::{Answer, Asked, trouble};
use crate::clock;
use crate::control::words;
use crate::show::{Ending, Fields, Shown, count, exit};
use crate::store::{Held, OutboxView, StoreError};
use hearth_core::admit::{Fate, News, RecordNo};
use hearth_core::capture::DeviceNo;
use hearth_core::identity::PersonNo;
use jiff::SignedDuration;

impl Asked<'_> {
    pub(super) fn held(&mut self, older_than: Option<SignedDuration>) -> Answer {
        let held = self.store.held(self.inside.now(), older_than).map_err(trouble)?;
        let mut rows = held.iter().map(|held| self.row(held)).collect::<Result<Vec<_>, _>>()?;
        let mut waiting: u64 = held.iter().map(|h| h.records).sum();
        let needs_somebody = |row: &&OutboxView| row.state == "parked" || row.points_at.is_some();
        for row in self.store.outbox(None, false).map_err(trouble)?.iter().filter(needs_somebody) {
            let age = row.changed_at.map_or(SignedDuration::ZERO, |since| clock::now().duration_since(since));
            if older_than.is_none_or(|least| age >= least) {
                waiting += 1;
                rows.push(words::parked(row, age));
            }
        }
        let code = if older_than.is_some() && waiting > 0 { exit::ATTENTION } else { 0 };
        let mut said = match (waiting, older_than) {
            (0, None) => "Nothing waits for a person.".to_owned(),
            (0, Some(_)) => "Nothing has waited so long for a person.".to_owned(),
            (n, _) => format!("Waiting for a person: {n}."),
        };
        if !self.inside.runs() {
            said += " No daemon runs, so nothing new is heard or sent: hearth run.";
        }
        Ok(Shown { code, ..Shown::rows(rows, said) })
    }

    fn row(&mut self, held: &Held) -> Result<Fields, Ending> {
        let mut patients = |person: Option<PersonNo>| {
            let known = person.map(|person| self.store.patients(person)).transpose();
            known.map(Option::unwrap_or_default).map_err(trouble)
        };
        Ok(words::held(held, &patients(held.looks_like)?, &patients(held.given)?))
    }

    /// Names what it was: a person who mistyped the row sees it at once.
    pub(super) fn close(&mut self, record: RecordNo) -> Answer {
        let held = self.store.held(self.inside.now(), None).map_err(trouble)?;
        let closed = held.iter().filter(|held| held.record == Some(record));
        let closed = closed.map(|held| self.row(held)).collect::<Result<_, _>>()?;
        let committed =
            self.store.take(&News::Close(record), self.inside.ticks()).map_err(|e| no_record(record, e))?;
        self.inside.committed(committed.due);
        let said = format!("Record {} is closed: it is kept, and never becomes anybody's reading.", record.0);
        Ok(Shown::rows(closed, said))
    }

    /// Whose it is that nothing else tells.
    pub(super) fn give(&mut self, record: RecordNo, destination: &str, id: &str) -> Answer {
        let person = self.person(destination, id)?;
        let committed = self
            .store
            .take(&News::Give(record, person), self.inside.ticks())
            .map_err(|e| no_record(record, e))?;
        self.inside.committed(committed.due);
        let became = committed.changes.iter().rev().find(|(no, _)| *no == record).map(|(_, fate)| fate);
        let said = match became {
            Some(Fate::Admitted(..) | Fate::Companion(_)) => "is their reading now.",
            Some(Fate::Repeat) => "repeats what is a reading already, by another road: that one stands.",
            Some(Fate::Retracted(..)) => "repeats a reading that was taken back, and stays so.",
            Some(Fate::Await { .. }) => "is given to them, and waits for what belongs to it.",
            _ => "is given to them, and held all the same: `hearth held` says why.",
        };
        let said = format!("Record {} {said}", record.0);
        Ok(Shown { said: Some(said), ..Shown::default() })
    }

    /// Memory from before a binding is one group, and has no rows to name (CLINICAL 21).
    pub(super) fn close_sealed(&mut self, device: DeviceNo) -> Answer {
        let sealed = self.store.sealed(device).map_err(trouble)?;
        if sealed.is_empty() {
            return Err(Ending::usage(format!(
                "no memory from before a binding waits of device {}; `hearth held` lists what waits",
                device.0
            )));
        }
        for record in &sealed {
            let committed = self.store.take(&News::Close(*record), self.inside.ticks()).map_err(trouble)?;
            self.inside.committed(committed.due);
        }
        let closed = count(sealed.len() as u64, "record");
        let said = format!("Closed: {closed} from before the binding, kept, and never anybody's reading.");
        Ok(Shown::rows(vec![], said))
    }
}

fn no_record(record: RecordNo, error: StoreError) -> Ending {
    match error {
        StoreError::Unknown(_) => {
            Ending::usage(format!("no record has row {}; `hearth held` lists those that wait", record.0))
        }
        other => trouble(other),
    }
}
