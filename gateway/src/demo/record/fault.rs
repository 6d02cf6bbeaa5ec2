//! What goes wrong on the way, by script.

use serde_json::Value;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Notify;

/// One request, as the script sees it before anything is done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Counted from 0.
    pub number: usize,
    pub method: String,
    /// Below the base, with the query: `Observation/abc`, empty for a Bundle.
    pub path: String,
    /// Methods of the entries, where it is a Bundle.
    pub entries: Vec<String>,
}

impl Seen {
    /// Whether it would change anything.
    pub fn writes(&self) -> bool {
        match self.method.as_str() {
            "GET" | "HEAD" => false,
            "POST" if self.path.is_empty() => self.entries.iter().any(|method| method != "GET"),
            _ => true,
        }
    }
}

/// What becomes of one request.
pub enum Fault {
    /// Nothing is wrong.
    Pass,
    /// The connection ends, and nothing was done.
    CutBefore,
    /// It is done, and the connection ends without an answer. Counted.
    CommitThenCut,
    /// It is done, and the answer stops in the middle. Counted too.
    HalfAnswer,
    /// Nothing is done, and this is said.
    Answer(Canned),
    /// It is done, and this is said.
    CommitThenAnswer(Canned),
    /// It waits until released, then passes.
    Delay(Arc<Notify>),
    /// It is done, and its answer is told otherwise: reordered, shortened.
    Rewrite(Box<dyn FnOnce(&mut Value) + Send>),
}

/// An answer made beforehand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Canned {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Canned {
    /// A web page, as a proxy shows.
    pub fn page(status: u16, body: &str) -> Canned {
        Canned { status, headers: vec![("content-type".into(), "text/html".into())], body: body.into() }
    }

    /// An OperationOutcome with one issue.
    pub fn outcome(status: u16, code: &str, text: &str) -> Canned {
        Canned {
            status,
            headers: vec![("content-type".into(), "application/fhir+json".into())],
            body: super::rest::outcome(code, text).to_string(),
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Canned {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Pass => "Pass",
            Fault::CutBefore => "CutBefore",
            Fault::CommitThenCut => "CommitThenCut",
            Fault::HalfAnswer => "HalfAnswer",
            Fault::Answer(_) => "Answer",
            Fault::CommitThenAnswer(_) => "CommitThenAnswer",
            Fault::Delay(_) => "Delay",
            Fault::Rewrite(_) => "Rewrite",
        })
    }
}

type Decide = Box<dyn FnMut(&Seen) -> Fault + Send>;

/// Asked once a request: the queue first, then whoever decides.
#[derive(Default)]
pub(super) struct Script {
    queue: VecDeque<Fault>,
    decide: Option<Decide>,
}

impl Script {
    pub(super) fn push(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.queue.extend(faults);
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }

    pub(super) fn decide(&mut self, decide: Decide) {
        self.decide = Some(decide);
    }

    pub(super) fn next(&mut self, seen: &Seen) -> Fault {
        self.queue
            .pop_front()
            .unwrap_or_else(|| self.decide.as_mut().map_or(Fault::Pass, |decide| decide(seen)))
    }
}
