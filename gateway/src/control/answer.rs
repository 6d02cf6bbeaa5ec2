//! A request, answered by the store: the same code whether a daemon runs or not.

mod bind;
mod bridges;
mod devices;
mod held;
mod outbox;

use super::Request;
use super::words::{self, Row};
use crate::clock;
use crate::intake::{Session, Trouble};
use crate::open::{Inside, Standing, Time, trouble, unpoisoned};
use crate::show::{Ending, Shown, exit};
use crate::source::lines::{self, Line, Said};
use crate::store::{OutboxNo, ReadingNo, Store};
use hearth_core::admit::RecordNo;
use hearth_core::capture::DeviceNo;
use hearth_core::identity::Slot;
use hearth_core::when::HubTicks;
use jiff::SignedDuration;

type Answer = Result<Shown, Ending>;

/// Why a daemon takes no line of a recorded log.
pub(crate) const ANOTHER_TIME: &str = "the daemon has a clock of its own, and this line is of another time; stop the daemon to \
                                       replay a log";

/// Marks a record that a line changed and that its log did not tell.
pub(crate) const EARLIER: &str = "earlier";

/// Who changed what a person changes by a command.
const AUTHOR: &str = "a person at the command line";

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
            Request::Bridges => self.bridges(),
            Request::DevicesExplain { device } => self.devices_explain(DeviceNo(device)),
            Request::Bindings => self.bindings(bind::LIST),
            Request::Held { older_than_s } => self.held(older_than_s.map(SignedDuration::from_secs)),
            Request::HeldClose { record } => self.close(RecordNo(record)),
            Request::HeldCloseSealed { device } => self.close_sealed(DeviceNo(device)),
            Request::HeldGive { record, patient: (destination, id) } => {
                self.give(RecordNo(record), &destination, &id)
            }
            Request::BindAdd(wanted) => self.bind_add(&wanted),
            Request::Consent { device, slot, code } => self.consent(DeviceNo(device), Slot(slot), code),
            Request::BindEnd { device, slot, patient, at } => {
                self.bind_end(DeviceNo(device), slot, patient, at)
            }
            Request::Permit { destination, patient, order, consent } => {
                self.permit(&destination, &patient, order, consent)
            }
            Request::Retract { reading, reissue } => self.retract(ReadingNo(reading), reissue),
            Request::OutboxList { destination, state } => {
                self.outbox(destination.as_deref(), state.as_deref())
            }
            Request::OutboxShow { row } => self.outbox_show(OutboxNo(row)),
            Request::OutboxRetry { rows, all } => self.outbox_retry(rows, all),
            Request::OutboxPark { row, because } => self.outbox_park(OutboxNo(row), &because),
            Request::OutboxMoving => self.outbox_moving(),
            Request::Take { line } => self.take(&line),
            // The daemon's radio answers these.
            Request::BridgeInfo { .. }
            | Request::BridgeLogs { .. }
            | Request::BridgeReset { .. }
            | Request::BridgeCalibrate { .. }
            | Request::BridgeUpdate { .. }
            | Request::BridgeUpdateNext => Err(Ending::new(
                exit::UNAVAILABLE,
                "no daemon runs that could talk to a bridge; start `hearth run`",
            )),
            Request::Nearby | Request::Pair { .. } | Request::PairAnswer { .. } | Request::Unpair { .. } => {
                Err(Ending::new(exit::UNAVAILABLE, "no daemon runs, so nothing is heard; start `hearth run`"))
            }
        }
    }

    fn status(&mut self) -> Answer {
        let status = self.store.status(self.inside.now()).map_err(trouble)?;
        let raised = self.store.raised().map_err(trouble)?;
        let disputed = self.store.disputed().map_err(trouble)?;
        let mut fields =
            Row::new().with("daemon", self.inside.said()).with("clock", self.inside.clock_said()).0;
        let left_out = self.store.catalog().left_out();
        if !left_out.is_empty() {
            fields.insert("profiles_left_out".into(), left_out.into());
        }
        let not_kept = unpoisoned(&self.inside.strangers).not_kept();
        if not_kept > 0 {
            fields.insert("strangers_not_kept".into(), not_kept.into());
        }
        fields.insert("bluetooth".into(), self.inside.radio_said().into());
        let bonds = self.bonds()?;
        if !bonds.is_empty() {
            fields.insert("bonds".into(), bonds.into());
        }
        let bridges = self.bridge_troubles()?;
        if !bridges.is_empty() {
            fields.insert("bridges".into(), bridges.into());
        }
        if let Some(trouble) = self.inside.sensor_trouble() {
            fields.insert("sensor".into(), trouble.into());
        }
        let attention = self.attention()?;
        if !attention.is_empty() {
            fields.insert("devices".into(), attention.into());
        }
        fields.extend(words::status(&status, &raised, &disputed, &self.inside.destinations()));
        Ok(Shown::fields(fields))
    }

    /// A line of news: everything that it means is committed before this returns.
    fn take(&mut self, line: &str) -> Answer {
        let parsed = lines::parse(line).map_err(|said| Ending::new(exit::DATAERR, said))?;
        let Some(line) = parsed else { return Ok(Shown::default()) };
        let (said, at) = self.timed(line)?;
        let strangers = self.inside.runs().then_some(&self.inside.strangers);
        let mut rows = vec![];
        for committed in self.session.take(self.store, &said, at, strangers)? {
            self.inside.committed(committed.due);
            for (record, fate) in &committed.changes {
                // The line is no news of it, and its values are another log's.
                if !self.session.told(*record) {
                    rows.push(Row::new().with("record", record.0).with(EARLIER, true).0);
                    continue;
                }
                let reading = self.store.reading_of(fate).map_err(trouble)?;
                let measured = self.store.measured(*record).map_err(trouble)?;
                rows.push(words::change(*record, fate, reading.as_ref(), measured));
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
        match &self.inside.time {
            Time::Running(clock) => {
                if line.is_recorded() {
                    return Err(Ending::new(exit::DATAERR, ANOTHER_TIME));
                }
                Ok((line.said, clock.ticks()))
            }
            Time::Standing(standing) => {
                let Line { at, said } = line;
                let mut standing = unpoisoned(standing);
                if said == Said::Boot || standing.log.is_none() {
                    let boot = self.store.begin_replayed_boot(standing.log, clock::now()).map_err(trouble)?;
                    let log = standing.log.or(Some(boot));
                    *standing = Standing { ticks: HubTicks { boot, ms: 0 }, log };
                }
                standing.ticks.ms = at.unwrap_or(standing.ticks.ms);
                Ok((said, standing.ticks))
            }
        }
    }
}
