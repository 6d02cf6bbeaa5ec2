//! What is on its way to which record, and what a person takes back.

use super::{Answer, Asked, trouble};
use crate::clock;
use crate::control::words::{self, Row};
use crate::intake::whose;
use crate::show::{Ending, Shown, count, exit};
use crate::store::{OutboxNo, OutboxView, ReadingNo, StoreError};
use hearth_core::admit::News;
use hearth_core::parcel::Intent;
use std::collections::BTreeSet;

/// Every state of a row.
const STATES: [&str; 7] =
    ["waiting", "in-doubt", "parked", "withheld", "delivered", "unverified", "withdrawn"];

fn no_such_row(row: OutboxNo) -> impl FnOnce(StoreError) -> Ending {
    move |e| match e {
        StoreError::Unknown(_) => {
            Ending::usage(format!("the outbox has no row {}; `hearth outbox list` shows them", row.0))
        }
        other => trouble(other),
    }
}

impl Asked<'_> {
    pub(super) fn retract(&mut self, reading: ReadingNo, reissue: bool) -> Answer {
        let (key, issue) = self.store.key_of(reading).map_err(|e| match e {
            StoreError::Unknown(_) => {
                Ending::usage(format!(
                    "no reading has row {}; `hearth outbox list` shows them. One that was delivered long ago is no \
                     longer kept here: mark it as entered in error at the record system, by hand",
                    reading.0
                ))
            }
            other => trouble(other),
        })?;
        let news = if reissue { News::Replace(key, issue) } else { News::Retract(key, issue) };
        let committed = self.store.take(&news, self.inside.ticks()).map_err(|e| match e {
            StoreError::Unknown(_) => Ending::new(
                exit::DATAERR,
                "it was issued anew already, or what it came from is no longer kept; nothing was changed",
            ),
            other => trouble(other),
        })?;
        self.inside.committed(committed.due);
        let all = self.store.outbox(None, true).map_err(trouble)?;
        let deliveries: Vec<String> =
            all.iter().filter(|row| row.reading == reading).filter_map(words::taken_back).collect();
        let fields = Row::new()
            .with("reading", reading.0)
            .with("retracted", true)
            .with("deliveries", deliveries)
            .with("issued_anew", committed.admitted.len())
            .0;
        Ok(Shown::fields(fields))
    }

    pub(super) fn outbox(&mut self, destination: Option<&str>, state: Option<&str>) -> Answer {
        let no = destination.map(|name| whose::destination(self.store, name)).transpose()?;
        let all = self.store.outbox(no, true).map_err(trouble)?;
        if let Some(state) = state.filter(|s| !STATES.contains(s)) {
            let known = STATES.join(", ");
            return Err(Ending::usage(format!("{state:?} is no state of a row; known: {known}")));
        }
        let rows: Vec<_> =
            all.iter().filter(|r| state.is_none_or(|s| r.state == s)).map(words::outbox).collect();
        let said = count(rows.len() as u64, "row") + ".";
        Ok(Shown::rows(rows, said))
    }

    pub(super) fn outbox_show(&mut self, row: OutboxNo) -> Answer {
        let detail = self.store.outbox_row(row).map_err(no_such_row(row))?;
        Ok(Shown::fields(words::outbox_detail(&detail)))
    }

    /// What is still on its way. Rows of a destination that is left out of the configuration go nowhere, and
    /// nobody waits for them.
    pub(super) fn outbox_moving(&mut self) -> Answer {
        let all = self.store.outbox(None, false).map_err(trouble)?;
        let served = self.inside.destinations();
        // What is retracted is not sent any more, also where its retraction waits for a person.
        let retracted: BTreeSet<(ReadingNo, &str)> = all
            .iter()
            .filter(|row| row.intent == Intent::Retract)
            .map(|row| (row.reading, row.destination.as_str()))
            .collect();
        let moves = |row: &&OutboxView| {
            ["waiting", "in-doubt"].contains(&row.state.as_str())
                && served.iter().any(|(name, _)| *name == row.destination)
                && (row.intent == Intent::Retract
                    || !retracted.contains(&(row.reading, row.destination.as_str())))
        };
        Ok(Shown { rows: all.iter().filter(moves).map(words::outbox).collect(), ..Shown::default() })
    }

    pub(super) fn outbox_park(&mut self, row: OutboxNo, because: &str) -> Answer {
        if because.trim().is_empty() {
            return Err(Ending::usage("--because: say why, for whoever finds it parked"));
        }
        self.store.park(row, because, clock::now()).map_err(no_such_row(row))?;
        self.outbox_show(row)
    }

    /// A row each, with what became of it.
    pub(super) fn outbox_retry(&mut self, rows: Vec<i64>, all: bool) -> Answer {
        let wanted: Vec<OutboxNo> = if all {
            let open = self.store.outbox(None, false).map_err(trouble)?;
            open.iter().filter(|row| row.state == "parked").map(|row| row.row).collect()
        } else {
            rows.into_iter().map(OutboxNo).collect()
        };
        for row in &wanted {
            self.store.outbox_row(*row).map_err(no_such_row(*row))?;
        }
        let again = self.store.retry(&wanted, clock::now()).map_err(trouble)?;
        self.inside.wake.wake();
        let mut shown = vec![];
        let mut goes = 0;
        for no in wanted {
            let row = self.store.outbox_row(no).map_err(trouble)?.row;
            let what = if again.contains(&no) && row.state == "waiting" {
                goes += 1;
                "goes again, encoded anew".to_owned()
            } else {
                format!("stays {}", row.state)
            };
            shown.push(Row(words::outbox(&row)).with("what", what).0);
        }
        Ok(Shown::rows(shown, format!("Sent again: {}.", count(goes, "row"))))
    }
}
