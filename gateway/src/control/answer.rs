//! A request, answered by the store: the same code whether a daemon runs or not.

use super::Request;
use super::words::{self, Row};
use crate::intake::{self, Session, Trouble, Wanted};
use crate::open::{Inside, Standing, Time, trouble};
use crate::show::{Ending, Shown, exit};
use crate::source::lines::{self, Line, Said};
use crate::store::{OutboxNo, ReadingNo, Store};
use crate::{clock, store};
use hearth_core::admit::{News, RecordNo};
use hearth_core::capture::DeviceNo;
use hearth_core::identity::{Permission, Revision, Slot, Who, Window};
use hearth_core::when::HubTicks;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::PoisonError;

type Answer = Result<Shown, Ending>;

impl From<Trouble> for Ending {
    fn from(e: Trouble) -> Ending {
        match e {
            Trouble::Line(said) => Ending::new(exit::DATAERR, said),
            Trouble::Store(e) => trouble(e),
        }
    }
}

/// Answers, and gives the session back.
pub(crate) fn answer(
    store: &mut Store,
    mut session: Session,
    inside: &Inside,
    request: Request,
) -> (Answer, Session) {
    let answer = Asked { store, session: &mut session, inside }.answer(request);
    (answer, session)
}

struct Asked<'a> {
    store: &'a mut Store,
    session: &'a mut Session,
    inside: &'a Inside,
}

impl Asked<'_> {
    fn answer(&mut self, request: Request) -> Answer {
        match request {
            Request::Status => self.status(),
            Request::Devices => self.devices(),
            Request::Bindings => self.bindings("Whose the devices are."),
            Request::Held { older_than_s } => self.held(older_than_s.map(SignedDuration::from_secs)),
            Request::HeldClose { record } => {
                let news = News::Close(RecordNo(record));
                let committed = self.store.take(&news, self.inside.ticks()).map_err(trouble)?;
                self.inside.committed(committed.due);
                self.held(None)
            }
            Request::BindAdd { .. } => self.bind_add(request),
            Request::BindEnd { device, slot, at } => self.bind_end(DeviceNo(device), slot.map(Slot), at),
            Request::Permit { destination, patient, order, consent } => {
                self.permit(&destination, patient, order, consent)
            }
            Request::Retract { reading, reissue } => self.retract(ReadingNo(reading), reissue),
            Request::OutboxList { destination, state } => {
                self.outbox(destination.as_deref(), state.as_deref())
            }
            Request::OutboxShow { row } => self.outbox_show(OutboxNo(row)),
            Request::OutboxRetry { rows, all } => self.outbox_retry(rows, all),
            Request::OutboxPark { row, because } => {
                self.store.park(OutboxNo(row), &because, clock::now()).map_err(trouble)?;
                self.outbox_show(OutboxNo(row))
            }
            Request::OutboxMoving => {
                let all = self.store.outbox(None, false).map_err(trouble)?;
                // Rows of a destination that is left out of the configuration go nowhere, and nobody waits for them.
                let served = self.inside.destinations();
                let moves = |row: &&store::OutboxView| {
                    ["waiting", "in-doubt"].contains(&row.state.as_str())
                        && served.iter().any(|(name, _)| *name == row.destination)
                };
                let moving = all.iter().filter(moves);
                Ok(Shown { rows: moving.map(words::outbox).collect(), ..Shown::default() })
            }
            Request::Take { line } => self.take(&line),
        }
    }

    fn status(&mut self) -> Answer {
        let status = self.store.status(self.inside.ticks()).map_err(trouble)?;
        let raised = self.store.raised().map_err(trouble)?;
        let disputed = self.store.disputed().map_err(trouble)?;
        let destinations = self.inside.destinations();
        Ok(Shown::fields(words::status(&status, &raised, &disputed, &destinations)))
    }

    fn devices(&mut self) -> Answer {
        let mut rows = vec![];
        for device in self.store.devices().map_err(trouble)? {
            let ask_from = self.store.cursor(device.device).map_err(trouble)?;
            rows.push(words::device(&device, ask_from));
        }
        let said = match rows.len() {
            0 => "No device was heard yet.".to_owned(),
            n => format!("{n} devices."),
        };
        Ok(Shown::rows(rows, said))
    }

    fn bindings(&mut self, said: &str) -> Answer {
        let mut rows = vec![];
        for binding in self.store.bindings().map_err(trouble)? {
            let patients = match binding.who {
                Who::Person(person) => self.store.patients(person).map_err(trouble)?,
                Who::Test => vec![],
            };
            rows.push(words::binding(&binding, &patients));
        }
        Ok(Shown::rows(rows, said))
    }

    fn held(&mut self, older_than: Option<SignedDuration>) -> Answer {
        let held = self.store.held(self.inside.ticks(), older_than).map_err(trouble)?;
        let mut rows: Vec<_> = held.iter().map(words::held).collect();
        let mut count: u64 = held.iter().map(|h| h.records).sum();
        for row in self.store.outbox(None, false).map_err(trouble)?.iter().filter(|row| row.state == "parked")
        {
            let age = row.changed_at.map_or(SignedDuration::ZERO, |since| clock::now().duration_since(since));
            if older_than.is_none_or(|least| age >= least) {
                count += 1;
                rows.push(words::parked(row, age));
            }
        }
        let code = if older_than.is_some() && count > 0 { exit::ATTENTION } else { 0 };
        let said = match count {
            0 => "Nothing waits for a person.".to_owned(),
            n => format!("Waiting for a person: {n}."),
        };
        Ok(Shown { code, ..Shown::rows(rows, said) })
    }

    fn bind_add(&mut self, request: Request) -> Answer {
        let Request::BindAdd {
            device,
            slot,
            patient,
            zone,
            from,
            until,
            sole_use_attested_by,
            labels,
            instead,
        } = request
        else {
            return Err(Ending::new(exit::SOFTWARE, "not a binding"));
        };
        let known = self.store.devices().map_err(trouble)?.iter().any(|d| d.device.0 == device);
        if !known {
            return Err(Ending::usage(format!("no device has row {device}; `hearth devices` lists them")));
        }
        let wanted = Wanted {
            device: DeviceNo(device),
            slot,
            patient: &patient,
            zone: zone.as_deref(),
            from: from.unwrap_or_else(clock::now),
            until,
            sole_use_attested_by: sole_use_attested_by.as_deref(),
            labels: &labels,
            instead,
        };
        let committed =
            intake::add_binding(self.store, &wanted, "a person at the command line", self.inside.ticks())?;
        self.inside.committed(committed.due);
        let admitted = committed.admitted.len();
        self.bindings(&format!("Bound. {admitted} records that waited are readings now."))
    }

    fn bind_end(&mut self, device: DeviceNo, slot: Option<Slot>, at: Option<Timestamp>) -> Answer {
        let mut bindings = self.store.bindings().map_err(trouble)?;
        let ended = intake::end_bindings(&mut bindings, device, slot, at.unwrap_or_else(clock::now));
        if ended == 0 {
            return Err(Ending::usage(
                "no binding of that device and slot runs then; `hearth bind list` shows them",
            ));
        }
        let author = "a person at the command line";
        let committed = self.store.bind(bindings, "command", author, self.inside.ticks()).map_err(trouble)?;
        self.inside.committed(committed.due);
        self.bindings(&format!("Bindings ended: {ended}. Readings that were given stay as they are."))
    }

    fn permit(
        &mut self,
        destination: &str,
        patient: String,
        order: (Option<Timestamp>, Option<Timestamp>),
        consent: (Option<Timestamp>, Option<Timestamp>),
    ) -> Answer {
        let no = intake::destination(self.store, destination)?;
        let person = self.store.known_person(no, &patient).map_err(trouble)?.ok_or_else(|| {
            Ending::usage(format!(
                "{destination} knows no patient {patient:?} here; `hearth bind list` shows who is bound"
            ))
        })?;
        let was = self.store.permission_of(person, no).map_err(trouble)?;
        let now = clock::now();
        let window = |(from, until): (Option<Timestamp>, Option<Timestamp>), was: Option<Window>| Window {
            from: from.or(was.map(|w| w.from)).unwrap_or(now),
            until: until.or(was.and_then(|w| w.until)),
        };
        let permission = Permission {
            order: window(order, was.as_ref().map(|p| p.order)),
            consent: window(consent, was.as_ref().map(|p| p.consent)),
            revision: Revision(0),
        };
        self.store.permit(person, no, &permission).map_err(trouble)?;
        self.inside.wake.wake();
        Ok(Shown::fields(words::permission(destination, &patient, &permission)))
    }

    fn retract(&mut self, reading: ReadingNo, reissue: bool) -> Answer {
        let (key, issue) = self.store.key_of(reading).map_err(|e| match e {
            store::StoreError::Unknown(_) => {
                Ending::usage(format!("no reading has row {}; `hearth outbox list` shows them", reading.0))
            }
            other => trouble(other),
        })?;
        let at = self.inside.ticks();
        let mut committed = self.store.take(&News::Retract(key, issue), at).map_err(trouble)?;
        self.inside.committed(committed.due);
        if reissue {
            let retracted =
                |e: Ending| Ending { said: format!("retracted, but not issued anew: {}", e.said), ..e };
            committed = self.store.take(&News::Reissue(key), at).map_err(|e| retracted(trouble(e)))?;
            self.inside.committed(committed.due);
        }
        let fields = Row::new()
            .with("reading", reading.0)
            .with("retracted", true)
            .with("issued_anew", committed.admitted.len())
            .0;
        Ok(Shown::fields(fields))
    }

    fn outbox(&mut self, destination: Option<&str>, state: Option<&str>) -> Answer {
        let no = destination.map(|name| intake::destination(self.store, name)).transpose()?;
        let all = self.store.outbox(no, true).map_err(trouble)?;
        let known: BTreeSet<&str> =
            ["waiting", "in-doubt", "parked", "withheld", "delivered", "unverified", "withdrawn"].into();
        if let Some(state) = state.filter(|s| !known.contains(s)) {
            let known: Vec<&str> = known.into_iter().collect();
            return Err(Ending::usage(format!(
                "{state:?} is no state of a row; known: {}",
                known.join(", ")
            )));
        }
        let rows: Vec<_> =
            all.iter().filter(|r| state.is_none_or(|s| r.state == s)).map(words::outbox).collect();
        let said = format!("{} rows.", rows.len());
        Ok(Shown::rows(rows, said))
    }

    fn outbox_show(&mut self, row: OutboxNo) -> Answer {
        let detail = self.store.outbox_row(row).map_err(|e| match e {
            store::StoreError::Unknown(_) => {
                Ending::usage(format!("the outbox has no row {}; `hearth outbox list` shows them", row.0))
            }
            other => trouble(other),
        })?;
        Ok(Shown::fields(words::outbox_detail(&detail)))
    }

    fn outbox_retry(&mut self, rows: Vec<i64>, all: bool) -> Answer {
        let rows: Vec<OutboxNo> = if all {
            let open = self.store.outbox(None, false).map_err(trouble)?;
            open.iter().filter(|row| row.state == "parked").map(|row| row.row).collect()
        } else {
            rows.into_iter().map(OutboxNo).collect()
        };
        let again = self.store.retry(&rows, clock::now()).map_err(trouble)?;
        self.inside.wake.wake();
        Ok(Shown::rows(vec![], format!("{again} rows are sent again, encoded anew.")))
    }

    /// A line of news: everything that it means is committed before this returns.
    fn take(&mut self, line: &str) -> Answer {
        let parsed = lines::parse(line).map_err(|said| Ending::new(exit::DATAERR, said))?;
        let Some(line) = parsed else { return Ok(Shown::default()) };
        let (said, at) = self.timed(line)?;
        let mut rows = vec![];
        for committed in self.session.take(self.store, &said, at)? {
            self.inside.committed(committed.due);
            for (record, fate) in &committed.changes {
                let reading = self.store.reading_of(fate).map_err(trouble)?;
                rows.push(words::change(*record, fate, reading.as_ref()));
            }
            if let (Some((record, hearth_core::admit::Hearing::Again(_))), []) =
                (committed.heard, committed.changes.as_slice())
            {
                rows.push(Row::new().with("record", record.0).with("fate", "heard again").0);
            }
            committed.release();
        }
        Ok(Shown { rows, ..Shown::default() })
    }

    /// The daemon has its own clock, and a recorded log must not be taken for now. Without a daemon the log brings
    /// its own time, on a boot of its own: never on one that this hub has lived.
    fn timed(&mut self, line: Line) -> Result<(Said, HubTicks), Ending> {
        let Line { at, said } = line;
        match &self.inside.time {
            Time::Running(clock) => {
                let recorded = at.is_some()
                    || matches!(said, Said::Boot | Said::HubTime(_) | Said::Clock { asked: Some(_), .. });
                if recorded {
                    return Err(Ending::new(
                        exit::DATAERR,
                        "the daemon has a clock of its own, and this line is of another time; stop the daemon to replay a log",
                    ));
                }
                Ok((said, clock.ticks()))
            }
            Time::Standing(standing) => {
                let mut standing = standing.lock().unwrap_or_else(PoisonError::into_inner);
                if said == Said::Boot || !standing.replayed {
                    let boot = self.store.begin_replayed_boot().map_err(trouble)?;
                    *standing = Standing { ticks: HubTicks { boot, ms: 0 }, replayed: true };
                }
                standing.ticks.ms = at.unwrap_or(standing.ticks.ms);
                Ok((said, standing.ticks))
            }
        }
    }
}
