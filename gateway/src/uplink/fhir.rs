//! Moves the octets of a [`Ladder`]: to one FHIR record system, one request at a time.

use super::ability::{Ability, ability};
use super::credentials::Credentials;
use super::http::{Base, Http, Request};
use super::ladder::{Call, End, Ladder, Manner, Memory, Method, Step, Way};
use super::{Destination, RungChoice};
use crate::clock;
use crate::failpoint::{Point, hurry, reach};
use crate::store::{Attempt, Consignment, OutboxNo, Settlement};
use crate::tls;
use bytes::Bytes;
use hearth_core::delivery::{Answer, Asked, Body, Receipt, TlsFault, Transport, Verdict, judge};
use hearth_core::map::fhir::{Kind, Rung};
use hyper::header;
use jiff::Timestamp;
use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};

/// Where attempts and their ends are written down.
pub trait Books {
    type Error: Send;

    /// Octets of these are about to leave. Which of them still may.
    fn start(
        &mut self,
        attempts: Vec<Attempt>,
    ) -> impl Future<Output = Result<Vec<OutboxNo>, Self::Error>> + Send;

    fn settle(
        &mut self,
        rows: Vec<(OutboxNo, Settlement)>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// One record system, and what was learned about it.
#[derive(Debug)]
pub struct Fhir {
    destination: Destination,
    http: Http,
    credentials: Credentials,
    /// Another certificate was taken, and nobody was told yet.
    taken: bool,
    memory: Memory,
    ability: Option<Ability>,
    gzip: Gzip,
}

/// What is known of bodies that are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Gzip {
    Off,
    /// Asked for, and nobody knows yet.
    Untried,
    Taken,
    /// For as long as this process lives.
    Refused,
}

impl Fhir {
    /// The error is a sentence about the destination's URL.
    pub fn new(destination: Destination) -> Result<Fhir, String> {
        let base = Base::parse(&destination.base_url)?;
        let http = Http::new(base, destination.timeout);
        // Anything that differs between hubs will do.
        let memory = Memory::new(RandomState::new().build_hasher().finish()).hurried(hurry());
        let gzip = if destination.gzip { Gzip::Untried } else { Gzip::Off };
        let credentials = Credentials::new(destination.files());
        Ok(Fhir { destination, http, credentials, taken: false, memory, ability: None, gzip })
    }

    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Known once something was to be sent.
    pub fn ability(&self) -> Option<Ability> {
        self.ability
    }

    /// What no search finds is believed to be absent at once.
    #[cfg(test)]
    pub(crate) fn impatient(&mut self) {
        self.memory.impatient();
    }

    /// Nothing is to be sent for a while.
    pub fn rest(&mut self) {
        self.http.close();
    }

    /// How many rows are worth asking the store for.
    pub fn appetite(&self) -> usize {
        self.destination.bundle.max(1)
    }

    /// Carries these rows as far as they go. Rows of which `books` hears nothing were not touched.
    pub async fn carry<B: Books>(&mut self, work: &[Consignment], books: &mut B) -> Result<Way, B::Error> {
        let ability = match self.ask_ability().await {
            Ok(ability) => ability,
            Err(receipt) => return Ok(self.closed(receipt)),
        };
        let manner = Manner {
            base: self.destination.base_url.clone(),
            rung: ability.rung,
            bundle: if ability.bundles.is_some() { self.destination.bundle } else { 1 },
            kind: ability.bundles.unwrap_or(Kind::Transaction),
            policy: self.destination.policy.clone(),
            cleared: self.destination.cleared.clone(),
        };
        let mut ladder = Ladder::new(manner, self.memory.clone(), work, clock::now());
        loop {
            match ladder.step() {
                Step::Settle(rows) => books.settle(rows).await?,
                Step::Start(attempts) => match self.open().await {
                    Ok(()) => ladder.started(books.start(attempts).await?, clock::now()),
                    Err(transport) => ladder.answer(Receipt::Transport(transport), clock::now()),
                },
                Step::Ask(call) => {
                    let changes = call.method != Method::Get;
                    if changes {
                        reach(Point::BeforeRequest);
                    }
                    let receipt = self.send(&request(call)).await;
                    if changes {
                        reach(Point::AfterRequest);
                    }
                    ladder.answer(receipt, clock::now());
                }
                Step::Done(End { memory, way }) => {
                    self.memory = memory;
                    if way != Way::Open {
                        self.forget(&way);
                    }
                    return Ok(way);
                }
            }
        }
    }

    /// Opens the connection, and sends nothing. The way, if it is closed.
    pub async fn knock(&mut self) -> Option<Way> {
        let knocked = self.open().await;
        knocked.err().map(|transport| self.closed(Receipt::Transport(transport)))
    }

    async fn open(&mut self) -> Result<(), Transport> {
        let client = self.client()?;
        self.http.open(&client).await
    }

    /// Sends it, compressed where that is asked for and taken. What is refused because of it is sent as it is, at once:
    /// nothing of it was done.
    async fn send(&mut self, request: &Request) -> Receipt {
        let client = &match self.client() {
            Ok(client) => client,
            Err(fault) => return Receipt::Transport(fault),
        };
        let is_bundle = request.path.is_empty();
        let tries = is_bundle && matches!(self.gzip, Gzip::Untried | Gzip::Taken);
        let Some(compressed) = tries.then(|| request.compressed()).flatten() else {
            return self.http.send(client, request).await;
        };
        let receipt = self.http.send(client, &compressed).await;
        let Receipt::Answer(answer) = &receipt else { return receipt };
        let was_read =
            |answer: &Answer| matches!((answer.status, &answer.body), (200..=299, Body::Resource(_)));
        match (answer.status, self.gzip) {
            (200..=299, _) if was_read(answer) => self.gzip = Gzip::Taken,
            // RFC 9110 15.5.16 names 415 for it. Others say 400 or 501 of whatever they cannot read; that it was because
            // of this, only a success without it shows.
            (415, _) | (400 | 501, Gzip::Untried) => {
                let plain = self.http.send(client, request).await;
                if matches!(&plain, Receipt::Answer(answer) if was_read(answer)) {
                    self.gzip = Gzip::Refused;
                }
                return plain;
            }
            _ => {}
        }
        receipt
    }

    /// What a person should know of this destination beside how it stands. Names files and dates, and nobody.
    pub fn remarks(&self, now: Timestamp) -> Vec<String> {
        let mut remarks = self.credentials.remarks(now);
        if self.memory.is_unsearchable(now) && self.ability.is_some_and(|a| a.rung == Rung::SearchThenCreate)
        {
            remarks.push(
                "its searches are not answered, so readings are written as with `rung = \"plain-create\"`: have it let \
                 this hub search Observations by identifier"
                    .to_owned(),
            );
        }
        if self.gzip == Gzip::Refused {
            remarks.push("it takes nothing compressed: take `gzip` out of its configuration".to_owned());
        }
        remarks
    }

    /// Looks at our own files, so that a renewed certificate is shown from the next request on.
    pub fn look(&mut self, now: Timestamp) {
        if self.credentials.refresh(now) {
            self.http.close();
            self.taken = true;
        }
    }

    /// Whether other files of ours were taken since this was last asked, and until when that certificate is valid.
    pub fn taken(&mut self) -> Option<Timestamp> {
        std::mem::take(&mut self.taken).then(|| self.credentials.until()).flatten()
    }

    fn client(&mut self) -> Result<tls::Client, Transport> {
        let now = clock::now();
        self.look(now);
        self.credentials.client(now).map_err(|fault| Transport::Tls(TlsFault::Ours(fault.to_string())))
    }

    /// How often, at least, this destination is told how the hub fares.
    pub(super) fn reports(&self) -> Option<std::time::Duration> {
        self.destination.reports
    }

    /// Somebody asked to be left alone for so long.
    pub(super) fn busy(&mut self, after: std::time::Duration, said: String) -> Way {
        Way::Busy { wait: self.memory.busy(Some(after)), said }
    }

    /// One question, answered as it is.
    pub(super) async fn ask(&mut self, call: Call) -> Receipt {
        self.send(&request(call)).await
    }

    pub(super) async fn ask_ability(&mut self) -> Result<Ability, Receipt> {
        if let Some(ability) = self.ability {
            return Ok(ability);
        }
        let chosen = |rung| Ability { rung, bundles: Some(Kind::Transaction) };
        let ability = match self.destination.rung {
            RungChoice::UpdateAsCreate => chosen(Rung::UpdateAsCreate),
            RungChoice::ConditionalCreate => chosen(Rung::ConditionalCreate),
            RungChoice::SearchThenCreate => chosen(Rung::SearchThenCreate),
            RungChoice::PlainCreate => chosen(Rung::PlainCreate),
            RungChoice::Auto => {
                let call = Call {
                    method: Method::Get,
                    path: "metadata".into(),
                    if_match: None,
                    if_none_exist: None,
                    body: String::new(),
                };
                match self.send(&request(call)).await {
                    Receipt::Answer(Answer { status: 200, body: Body::Resource(statement), .. }) => {
                        ability(&statement)
                    }
                    // The record itself says that it has none.
                    Receipt::Answer(Answer { status: 404 | 405 | 501, body: Body::Outcome(_), .. }) => {
                        chosen(Rung::PlainCreate)
                    }
                    receipt => return Err(receipt),
                }
            }
        };
        self.ability = Some(ability);
        Ok(ability)
    }

    /// The way was not open before anything was carried.
    fn closed(&mut self, receipt: Receipt) -> Way {
        let said = receipt.to_string();
        let way = match judge(Asked::Read, &receipt) {
            Verdict::Hold(cure) => Way::Held { wait: self.memory.held(), cure, said },
            Verdict::Retry { after, .. } => Way::Busy { wait: self.memory.busy(after), said },
            _ => Way::Busy { wait: self.memory.busy(None), said },
        };
        self.forget(&way);
        way
    }

    /// Whatever may be mended meanwhile is looked at again: a server behind the same name, and of one that a person has
    /// to see to, what it says that it can.
    fn forget(&mut self, way: &Way) {
        self.http.close();
        if let Way::Held { .. } = way {
            self.ability = None;
        }
    }
}

fn request(call: Call) -> Request {
    let mut headers = vec![];
    let method = match call.method {
        Method::Get => hyper::Method::GET,
        Method::Put => hyper::Method::PUT,
        Method::Post => hyper::Method::POST,
    };
    if call.method == Method::Get {
        // HAPI remembers a search for a minute.
        headers.push((header::CACHE_CONTROL, "no-cache".to_owned()));
    } else {
        headers.push((header::CONTENT_TYPE, "application/fhir+json".to_owned()));
        // One resource comes back, so that it can be compared; a hundred need not.
        let wanted = if call.path.is_empty() { "return=minimal" } else { "return=representation" };
        headers.push((header::HeaderName::from_static("prefer"), wanted.to_owned()));
    }
    headers.extend(call.if_match.map(|version| (header::IF_MATCH, version)));
    let if_none_exist = header::HeaderName::from_static("if-none-exist");
    headers.extend(call.if_none_exist.map(|condition| (if_none_exist, condition)));
    Request { method, path: call.path, headers, body: Bytes::from(call.body) }
}
