//! An embedded FHIR R4 record on loopback, behind mutual TLS, in memory.
//!
//! It stores whatever it is sent, blindly, and knows no de-duplication of its own beyond what a FHIR server's
//! PUT does: the same PUT twice makes two versions, the same POST twice makes two resources. What a checker
//! finds in it once was therefore written once. [`Behaviour`] makes it differ where real servers differ,
//! [`Fault`]s make it fail on purpose, and the query side shows all that it holds and all that it was asked.

pub(crate) mod chart;
mod fault;
pub(crate) mod rest;
mod serve;
#[cfg(test)]
mod tests;

pub use chart::{Place, Version};
pub use fault::{Canned, Fault, Seen};

use chart::Chart;
use fault::Script;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Where one record system differs from the next.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// `ifNoneExist` and `If-None-Exist` are honoured; else ignored, as many do.
    pub conditional: bool,
    /// Its statement says that resources can be searched by `identifier`. They can either way.
    pub searched: bool,
    /// PUT may create.
    pub update_create: bool,
    /// The status of a creation by PUT: 201, or Medplum's 200.
    pub created_by_put: u16,
    /// The status of an `If-Match` that does not: 412, or HAPI's 409.
    pub stale_if_match: u16,
    /// `"201 Created"` in entries, or `"201"`.
    pub words: bool,
    /// Batches and transactions are taken.
    pub bundles: bool,
    pub most_entries: usize,
    pub most_octets: usize,
    /// The status with which bodies that are compressed are refused; `None`: they are taken.
    pub refuses_gzip: Option<u16>,
    /// `GET metadata` is answered with a CapabilityStatement.
    pub capability: bool,
    /// Logical ids that may be a subject; `None`: any.
    pub patients: Option<BTreeSet<String>>,
    pub refuse: Option<Refuse>,
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour {
            conditional: false,
            searched: false,
            update_create: true,
            created_by_put: 201,
            stale_if_match: 412,
            words: true,
            bundles: true,
            most_entries: 500,
            most_octets: 4 << 20,
            refuses_gzip: None,
            capability: true,
            patients: None,
            refuse: None,
        }
    }
}

/// Resources that are not taken.
#[derive(Clone)]
pub struct Refuse(pub Arc<Refuses>);

/// `None`: taken.
pub type Refuses = dyn Fn(&Value) -> Option<Refusal> + Send + Sync;

/// Status, issue code and words.
pub type Refusal = (u16, String, String);

impl fmt::Debug for Refuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refuse")
    }
}

/// One request that was answered, or cut.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logged {
    pub seen: Seen,
    /// `None`: the connection ended instead.
    pub status: Option<u16>,
    /// Whether the record itself did what was asked, whatever was answered.
    pub done: bool,
    /// Digest-free, so that repeats can be compared: the body as it came, but not compressed.
    pub octets: bytes::Bytes,
    /// How many octets came, where they were compressed.
    pub compressed: Option<usize>,
    /// Common name of the client's certificate.
    pub client: Option<String>,
}

/// The record. Clones are the same record.
#[derive(Clone)]
pub struct Record(Arc<Inner>);

struct Inner {
    /// `None`: who wants to talk brings the wire.
    listener: Option<TcpListener>,
    authority: String,
    tls: TlsAcceptor,
    outage: watch::Sender<bool>,
    /// A lock of its own: whoever decides may look at the record, and write to it.
    script: Mutex<Script>,
    state: Mutex<State>,
}

struct State {
    chart: Chart,
    behaviour: Behaviour,
    log: Vec<Logged>,
    asked: usize,
    committed_unanswered: usize,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({})", self.url())
    }
}

impl Record {
    /// Takes a free port on loopback. Nobody is served before [`Record::serve`].
    pub async fn bind(tls: TlsAcceptor, behaviour: Behaviour) -> io::Result<Record> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let authority = listener.local_addr()?.to_string();
        Ok(Record::new(Some(listener), authority, tls, behaviour))
    }

    /// Without a socket: [`Record::talk`] serves whoever brings a wire. `authority`: host and port of its URL.
    pub fn unbound(authority: &str, tls: TlsAcceptor, behaviour: Behaviour) -> Record {
        Record::new(None, authority.to_owned(), tls, behaviour)
    }

    fn new(
        listener: Option<TcpListener>,
        authority: String,
        tls: TlsAcceptor,
        behaviour: Behaviour,
    ) -> Record {
        let state =
            State { chart: Chart::default(), behaviour, log: Vec::new(), asked: 0, committed_unanswered: 0 };
        Record(Arc::new(Inner {
            authority,
            listener,
            tls,
            outage: watch::Sender::new(false),
            script: Mutex::default(),
            state: Mutex::new(state),
        }))
    }

    /// The FHIR base URL.
    pub fn url(&self) -> String {
        format!("https://{}/fhir", self.0.authority)
    }

    /// Serves for ever. Dropped, it ends every connection.
    pub async fn serve(self) {
        serve::serve(&self).await;
    }

    /// Serves one connection, to its end. Dropped, it ends it.
    pub async fn talk(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        serve::connection(self, stream).await;
    }

    // ---- What goes wrong

    /// While there is an outage, connections end before they begin, and those that are open end too.
    pub fn outage(&self, outage: bool) {
        self.0.outage.send_replace(outage);
    }

    /// The next requests meet these, one each.
    pub fn queue(&self, faults: impl IntoIterator<Item = Fault>) {
        self.rules().push(faults);
    }

    /// What was queued and not yet met is forgotten.
    pub fn forgive(&self) {
        self.rules().clear();
    }

    /// Requests that find no queue meet what `decide` says.
    pub fn script(&self, decide: impl FnMut(&Seen) -> Fault + Send + 'static) {
        self.rules().decide(Box::new(decide));
    }

    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.state().behaviour);
    }

    // ---- What a clinician does

    /// Writes without asking, past every fault: somebody at the record.
    pub fn write(&self, resource: Value) -> Option<Place> {
        let word = |name: &str| resource[name].as_str().map(str::to_owned);
        let place = (word("resourceType")?, word("id")?);
        self.state().chart.put(place.clone(), resource);
        Some(place)
    }

    pub fn delete(&self, kind: &str, id: &str) {
        self.state().chart.delete(&(kind.into(), id.into()));
    }

    // ---- What a checker asks

    /// Every resource of a type that was ever there, each with all its versions, oldest first.
    pub fn all(&self, kind: &str) -> Vec<(Place, Vec<Version>)> {
        self.state().chart.all(kind).map(|(place, versions)| (place.clone(), versions.to_vec())).collect()
    }

    pub fn history(&self, kind: &str, id: &str) -> Vec<Version> {
        self.state().chart.history(&(kind.into(), id.into())).to_vec()
    }

    /// Requests in the order in which they were decided on.
    pub fn log(&self) -> Vec<Logged> {
        self.state().log.clone()
    }

    /// How often something was done and its answer lost on purpose.
    pub fn committed_unanswered(&self) -> usize {
        self.state().committed_unanswered
    }

    fn next_number(&self) -> usize {
        let state = &mut *self.state();
        state.asked += 1;
        state.asked - 1
    }

    fn rules(&self) -> MutexGuard<'_, Script> {
        self.0.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
