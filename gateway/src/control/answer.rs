//! A request, answered by the store: the same code whether a daemon runs or not.

use super::Request;
use super::words::{self, Row};
use crate::cli::{Ending, Shown, exit};
use crate::intake::{self, Session, Trouble, Wanted};
use crate::open::{Inside, Time, trouble};
use crate::source::lines::{self, Line, Said};
use crate::store::{OutboxNo, ReadingNo, Store};
use crate::{clock, store};
use hearth_core::admit::News;
use hearth_core::capture::DeviceNo;
use hearth_core::identity::{Permission, Revision, Slot, Window};
use hearth_core::parcel::Subject;
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
            Request::Bindings => self.bindings("Whose devices are."),
            Request::Held { older_than_s } => self.held(older_than_s.map(SignedDuration::from_secs)),
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
                let moving = all.iter().filter(|row| ["waiting", "in-doubt"].contains(&row.state.as_str()));
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
        let bindings = self.store.bindings().map_err(trouble)?;
        Ok(Shown::rows(bindings.iter().map(words::binding).collect(), said))
    }

    fn held(&mut self, older_than: Option<SignedDuration>) -> Answer {
        let held = self.store.held(self.inside.ticks(), older_than).map_err(trouble)?;
        let count: u64 = held.iter().map(|h| h.records).sum();
        let code = if older_than.is_some() && count > 0 { exit::ATTENTION } else { 0 };
        let said = match count {
            0 => "Nothing waits for a person.".to_owned(),
            n => format!("{n} records wait for a person. `hearth bind add` gives a device to somebody."),
        };
        Ok(Shown { code, ..Shown::rows(held.iter().map(words::held).collect(), said) })
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
        self.bindings(&format!("{ended} bindings ended. Readings that were given stay as they are."))
    }

    fn permit(
        &mut self,
        destination: &str,
        patient: String,
        order: (Option<Timestamp>, Option<Timestamp>),
        consent: (Option<Timestamp>, Option<Timestamp>),
    ) -> Answer {
        let no = intake::destination(self.store, destination)?;
        let subject = Subject { id: patient, identifier: None };
        let person = self.store.person_for(no, &subject, None).map_err(trouble)?;
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
        Ok(Shown::fields(words::permission(&permission)))
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
        if reissue {
            committed = self.store.take(&News::Reissue(key), at).map_err(trouble)?;
        }
        self.inside.committed(committed.due);
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

    /// The daemon has its own clock; a log without a daemon brings its own.
    fn timed(&mut self, line: Line) -> Result<(Said, HubTicks), Ending> {
        match &self.inside.time {
            Time::Running(clock) => {
                let now = clock.ticks();
                match line.said {
                    Said::Boot | Said::HubTime(_) => Err(Ending::new(
                        exit::DATAERR,
                        "the daemon has a clock of its own; stop it to replay a log with its own boots and hub time",
                    )),
                    Said::Clock { device, contact, face, shows, asked } => {
                        let before = line.at.map_or(0, |at| at.saturating_sub(asked));
                        let asked = now.ms.saturating_sub(before);
                        Ok((Said::Clock { device, contact, face, shows, asked }, now))
                    }
                    said => Ok((said, now)),
                }
            }
            Time::Standing(ticks) => {
                let mut ticks = ticks.lock().unwrap_or_else(PoisonError::into_inner);
                if line.said == Said::Boot {
                    *ticks = HubTicks { boot: self.store.begin_replayed_boot().map_err(trouble)?, ms: 0 };
                }
                if let Some(at) = line.at {
                    ticks.ms = at;
                }
                let said = match line.said {
                    Said::Clock { device, contact, face, shows, asked } if line.at.is_none() => {
                        Said::Clock { device, contact, face, shows, asked: asked.max(ticks.ms) }
                    }
                    said => said,
                };
                Ok((said, *ticks))
            }
        }
    }
}
