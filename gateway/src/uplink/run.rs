//! The task of one destination: what is due, carried, settled; then waiting for more, or for its time.

use super::Destination;
use super::fhir::{Books, Fhir};
use super::http::IDLE;
use super::ladder::Way;
use super::report::{Look, Reporter, Telling};
use super::standing::{Standing, State};
use crate::clock;
use crate::failpoint::hurry;
use crate::store::{Attempt, Desk, DestinationNo, Gone, NO_ROOM, OutboxNo, Settlement, Store, StoreError};
use hearth_core::delivery::Cure;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Something was committed: there may be something to send. Clones wake the same tasks.
#[derive(Clone, Debug)]
pub struct Wake(Arc<watch::Sender<()>>);

impl Default for Wake {
    fn default() -> Wake {
        Wake(Arc::new(watch::Sender::new(())))
    }
}

impl Wake {
    pub fn wake(&self) {
        self.0.send_replace(());
    }
}

/// A destination that is going to be served.
#[derive(Debug)]
pub struct Uplink {
    name: String,
    fhir: Fhir,
    /// It is told how the hub fares.
    reporter: Option<Reporter>,
    state: watch::Sender<State>,
}

/// How often the hub's own files are looked at while nothing is sent.
const LOOKED_AT: Duration = Duration::from_secs(60);
/// After a carry that came to nothing.
const IN_VAIN: Duration = Duration::from_secs(1);

impl Uplink {
    /// The error is a sentence about the configuration. Certificates are read when they are needed: a hub whose
    /// certificate has ended still hears and keeps, and says so in its state.
    pub fn new(destination: Destination) -> Result<(Uplink, watch::Receiver<State>), String> {
        let name = destination.name.clone();
        let fhir = Fhir::new(destination).map_err(|said| format!("destination {name:?}, url: {said}"))?;
        let ready =
            State { standing: Standing::Ready, rung: None, persons_unknown: 0, told: None, remarks: vec![] };
        let (state, watched) = watch::channel(ready);
        Ok((Uplink { name, fhir, reporter: None, state }, watched))
    }

    /// The same, which also tells how the hub fares, if the destination wants that.
    #[must_use]
    pub fn telling(mut self, look: Look) -> Uplink {
        self.reporter = self.fhir.reports().map(|every| Reporter::new(look, every));
        self
    }

    /// Serves the destination until the store is closed.
    pub async fn run(mut self, desk: Desk, wake: Wake) {
        let mut woken = wake.0.subscribe();
        // Gone: the daemon is ending, and has said why.
        let _: Result<(), Gone> = self.serve(&desk, &mut woken).await;
    }

    async fn serve(&mut self, desk: &Desk, woken: &mut watch::Receiver<()>) -> Result<(), Gone> {
        let name = self.name.clone();
        let destination = match desk.ask(move |store| store.destination(&name)).await? {
            Ok(destination) => destination,
            Err(error) => {
                // Nobody listed it: the configuration and the store disagree, and nothing is ever due.
                tracing::error!(destination = self.name, "{error}");
                return std::future::pending().await;
            }
        };
        // What is taken at the start is no news.
        self.fhir.look(clock::now());
        self.fhir.taken();
        self.remark();
        loop {
            woken.mark_unchanged();
            let mut wait = self.once(desk, destination).await?;
            let rests = matches!(wait, Next::Woken(_));
            if rests || matches!(self.state.borrow().standing, Standing::Ready) {
                wait = self.tell(desk, destination).await?.unwrap_or(wait);
            }
            match wait {
                Next::Now => {}
                // News does not make a busy destination less busy.
                Next::After(wait) => self.rest(wait).await,
                Next::Woken(wait) => {
                    let looks =
                        self.reporter.as_ref().map(|reporter| reporter.due().duration_since(Instant::now()));
                    self.wait(woken, wait.into_iter().chain(looks).min()).await?;
                }
            }
        }
    }

    /// Tells how the hub fares, if it is time. What is to be done then, if that is another thing than before.
    async fn tell(&mut self, desk: &Desk, destination: DestinationNo) -> Result<Option<Next>, Gone> {
        let Some(reporter) = &mut self.reporter else { return Ok(None) };
        let told = reporter.tell(&mut self.fhir, desk, destination).await?;
        match told {
            Telling::Nothing => {}
            // It answers: what waited for that is asked for again.
            Telling::Told => return Ok(Some(self.publish(Way::Open))),
            Telling::Busy(way) => return Ok(Some(self.publish(way))),
        }
        self.remark();
        Ok(None)
    }

    /// Until something is committed, or a row's time has come. A connection that nobody needs is not kept.
    async fn wait(&mut self, woken: &mut watch::Receiver<()>, wait: Option<Duration>) -> Result<(), Gone> {
        let due = async {
            match wait {
                Some(wait) => sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        let mut due = std::pin::pin!(due);
        let mut quiet = IDLE;
        loop {
            tokio::select! {
                changed = woken.changed() => return changed.map_err(|_| Gone),
                () = &mut due => return Ok(()),
                () = sleep(quiet) => {
                    self.fhir.rest();
                    self.look();
                    quiet = LOOKED_AT;
                }
            }
        }
    }

    /// Leaves the destination alone for so long; less, where it is held for certificates and there are others.
    async fn rest(&mut self, wait: Duration) {
        let mut over = std::pin::pin!(sleep(wait));
        loop {
            tokio::select! {
                () = &mut over => return,
                () = sleep(LOOKED_AT) => {
                    let about_them = matches!(
                        self.state.borrow().standing,
                        Standing::Held { cure: Cure::OurFiles | Cure::OurCertificate | Cure::Credentials | Cure::Trust, .. }
                    );
                    if self.look() && about_them {
                        return;
                    }
                }
            }
        }
    }

    /// Looks at the hub's own files. `true`: other ones are taken.
    fn look(&mut self) -> bool {
        self.fhir.look(clock::now());
        let taken = self.remark();
        taken.is_some()
    }

    /// Says what there is to say of the hub's own files, once each. Until when a certificate is valid that was taken.
    fn remark(&mut self) -> Option<Timestamp> {
        let taken = self.fhir.taken();
        if let Some(until) = taken {
            tracing::info!(
                destination = self.name,
                "its certificate files changed and are taken: valid until {until:.0}"
            );
        }
        let mut remarks = self.fhir.remarks(clock::now());
        remarks.extend(self.reporter.as_ref().and_then(Reporter::remark));
        let known = self.state.borrow().remarks.clone();
        for remark in remarks.iter().filter(|remark| !known.contains(remark)) {
            tracing::warn!(destination = self.name, "{remark}");
        }
        self.state
            .send_if_modified(|state| std::mem::replace(&mut state.remarks, remarks.clone()) != remarks);
        taken
    }

    /// One answer of the store's, carried.
    async fn once(&mut self, desk: &Desk, destination: DestinationNo) -> Result<Next, Gone> {
        let (now, appetite) = (clock::now(), self.fhir.appetite());
        let answered = matches!(self.state.borrow().standing, Standing::Ready);
        let limit = if answered { appetite } else { 1 };
        let asked = desk.ask(move |store| {
            let due = store.due(destination, now, limit)?;
            let next = if due.is_empty() { store.earliest_retry(destination)? } else { None };
            Ok((due, next))
        });
        let (mut due, next) = match asked.await? {
            Ok(asked) => asked,
            Err(error) => return Ok(self.trouble(&error)),
        };
        if due.is_empty() {
            return Ok(Next::Woken(next.map(|next| until(next, clock::now()))));
        }
        // In an outage of a month nothing is read and encoded for nobody, each five minutes.
        if !answered {
            if let Some(way) = self.fhir.knock().await {
                return Ok(self.publish(way));
            }
            due = match desk.ask(move |store| store.due(destination, now, appetite)).await? {
                Ok(due) => due,
                Err(error) => return Ok(self.trouble(&error)),
            };
        }
        let mut ledger = Ledger { desk, name: &self.name, settled: 0 };
        let way = match self.fhir.carry(&due, &mut ledger).await {
            // Rows that were retracted or parked meanwhile; asked for again at once, they are not due.
            Ok(Way::Open) if ledger.settled == 0 => return Ok(Next::After(IN_VAIN / hurry().waits)),
            Ok(way) => way,
            Err(Trouble::Gone) => return Err(Gone),
            Err(Trouble::Store(error)) => return Ok(self.trouble(&error)),
        };
        Ok(self.publish(way))
    }

    fn publish(&mut self, way: Way) -> Next {
        let at = |wait| clock::now().checked_add(wait).unwrap_or(Timestamp::MAX);
        let (standing, next) = match way {
            Way::Open => (Standing::Ready, Next::Now),
            Way::Busy { wait, said } => (Standing::Busy { until: at(wait), said }, Next::After(wait)),
            Way::Held { wait, cure, said } => {
                (Standing::Held { until: at(wait), cure, said }, Next::After(wait))
            }
        };
        self.remark();
        let state = State {
            standing,
            rung: self.fhir.ability().map(|ability| ability.rung),
            persons_unknown: self.fhir.memory().persons_unknown(),
            told: self.reporter.as_ref().and_then(Reporter::last),
            remarks: self.state.borrow().remarks.clone(),
        };
        self.log(&state.standing);
        self.state.send_replace(state);
        next
    }

    /// Changes only: an outage of a month is one line. The record's own words may name people, and stay in the
    /// store and in `status`.
    fn log(&self, standing: &Standing) {
        let before = &*self.state.borrow();
        match (&before.standing, standing) {
            (Standing::Ready, Standing::Busy { .. }) => {
                tracing::warn!(
                    destination = self.name,
                    "does not answer as it should, and is tried again until it does; `hearth status` says why"
                );
            }
            (Standing::Held { cure: before, .. }, Standing::Held { cure, .. }) if before == cure => {}
            // Names a file of ours, and nobody.
            (_, Standing::Held { cure: Cure::OurFiles, said, .. }) => {
                tracing::error!(destination = self.name, "held: {said}");
            }
            (_, Standing::Held { cure, .. }) => tracing::error!(destination = self.name, "held: {cure}"),
            (Standing::Busy { .. } | Standing::Held { .. }, Standing::Ready) => {
                tracing::info!(destination = self.name, "answers again");
            }
            _ => {}
        }
    }

    /// The store could not say or note something: nothing is sent meanwhile.
    fn trouble(&self, error: &StoreError) -> Next {
        tracing::error!(destination = self.name, "{error}");
        Next::Woken(Some(NO_ROOM))
    }
}

enum Next {
    Now,
    After(Duration),
    /// When something is committed; or after this long.
    Woken(Option<Duration>),
}

/// How long until then, never backwards. A clock that was set meanwhile is looked at again within the hour.
fn until(then: Timestamp, now: Timestamp) -> Duration {
    let (least, most) = (Duration::from_secs(1) / hurry().waits, Duration::from_secs(3600));
    Duration::try_from(then.duration_since(now)).unwrap_or(least).clamp(least, most)
}

/// The store, as a carry writes to it.
struct Ledger<'a> {
    desk: &'a Desk,
    /// Of the destination.
    name: &'a str,
    settled: usize,
}

enum Trouble {
    Gone,
    Store(StoreError),
}

impl Ledger<'_> {
    async fn ask<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Trouble> {
        self.desk.ask(verb).await.map_err(|Gone| Trouble::Gone)?.map_err(Trouble::Store)
    }
}

impl Books for Ledger<'_> {
    type Error = Trouble;

    async fn start(&mut self, attempts: Vec<Attempt>) -> Result<Vec<OutboxNo>, Trouble> {
        self.ask(move |store| store.start(&attempts, clock::now())).await
    }

    async fn settle(&mut self, rows: Vec<(OutboxNo, Settlement)>) -> Result<(), Trouble> {
        self.settled += rows.len();
        for (row, settlement) in &rows {
            match settlement {
                Settlement::Parked { .. } => {
                    tracing::warn!(
                        destination = self.name,
                        row = row.0,
                        "parked: `hearth outbox show` says why"
                    );
                }
                Settlement::RetryAt { acts: Some(_), .. } => {
                    tracing::warn!(
                        destination = self.name,
                        row = row.0,
                        "the record system does not know its patient: `hearth outbox show` says more"
                    );
                }
                _ => {}
            }
        }
        self.ask(move |store| store.settle(&rows, clock::now())).await
    }
}
