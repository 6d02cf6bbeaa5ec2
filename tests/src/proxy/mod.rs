//! The way between a hub and a record system, and all that goes wrong on it: seeded, and every kind counted.
//!
//! It ends the hub's mutual TLS with the server's certificate of the throw-away PKI, and speaks mutual TLS to who is
//! behind it, so it sees requests and answers. HTTP is read and written octet by octet here, since no library cuts an
//! answer in the middle of its head. What becomes of a request is dealt from a shuffled deck ([`deck`]): the same seed
//! deals the same cards, and every kind comes within one deck.
//!
//! A way may lose, delay, refuse and distort. It must not lie in the record's name: a `410` to a `PUT` and a `412` to a
//! condition say that the reading is known there, so a hub rightly believes them, and they are told here of bundles only.

mod deck;
mod wire;

pub use deck::{Fault, Plan, Searches};

use deck::{Deck, READS, Refusal, Said, WRITES};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use wire::{Answer, Behind, Request};

/// A while for which a hub waits.
const SLOW: Duration = Duration::from_millis(150);
/// Longer than a hub waits, whose timeout is a second, and shorter than the patience of one that is hurried 20 times.
const LATE: Duration = Duration::from_millis(1_300);
/// How far an index lags behind.
const LAG: Duration = Duration::from_secs(1);

/// One way. Clones are the same.
#[derive(Clone, Debug)]
pub struct Proxy(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: String,
    behind: Behind,
    searches: Searches,
    strips_conditions: bool,
    calm: AtomicBool,
    /// Requests that go on although their hub has hung up.
    late: Mutex<JoinSet<()>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    writes: Deck,
    reads: Deck,
    counts: Counts,
}

/// What the way has done so far.
#[derive(Clone, Default, Debug)]
pub struct Counts {
    /// By what was asked and what became of it.
    pub faults: BTreeMap<String, u64>,
    /// Requests that would change something, while it stormed.
    pub writes: u64,
    /// Of these, those of which the hub was left in doubt.
    pub in_doubt: u64,
    /// How many resources were in these.
    pub resources_in_doubt: u64,
    /// Of the writes in doubt, those that the record had committed by then.
    pub committed_unheard: u64,
    /// Committed after the hub had given up.
    pub committed_late: u64,
    /// The longest that the record took for an answer.
    pub slowest: Duration,
}

impl Proxy {
    /// Listens on loopback. `to`: the URL of the record behind it, on loopback too.
    pub(crate) async fn bind(
        acceptor: TlsAcceptor,
        client: gateway::tls::Client,
        to: &str,
        plan: Plan,
    ) -> io::Result<(Proxy, impl Future<Output = ()> + use<>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let behind = Behind::new(to, client);
        let url = format!("https://127.0.0.1:{}{}", listener.local_addr()?.port(), behind.path);
        let state = State {
            writes: Deck::new(WRITES, plan.seed),
            reads: Deck::new(READS, !plan.seed),
            counts: Counts::default(),
        };
        let proxy = Proxy(Arc::new(Inner {
            url,
            behind,
            searches: plan.searches,
            strips_conditions: plan.strips_conditions,
            calm: AtomicBool::new(false),
            late: Mutex::default(),
            state: Mutex::new(state),
        }));
        let all = proxy.clone();
        let serve = async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((tcp, _)) = listener.accept() => {
                        let (proxy, acceptor) = (all.clone(), acceptor.clone());
                        connections.spawn(async move {
                            // A handshake that fails, a hub that hangs up: the next connection is another.
                            if let Ok(hub) = acceptor.accept(tcp).await {
                                _ = proxy.connection(hub).await;
                            }
                        });
                    }
                    Some(_) = connections.join_next(), if !connections.is_empty() => {}
                }
            }
        };
        Ok((proxy, serve))
    }

    /// Where a hub finds it.
    pub fn url(&self) -> String {
        self.0.url.clone()
    }

    /// From now on everything passes; but what a record does not do, it still does not.
    pub fn calm(&self) {
        self.0.calm.store(true, Ordering::SeqCst);
    }

    /// Nothing is under way that a hub has given up.
    pub fn is_idle(&self) -> bool {
        let mut late = self.0.late.lock().expect("nobody panics with it");
        while late.try_join_next().is_some() {}
        late.is_empty()
    }

    pub fn counts(&self) -> Counts {
        self.state().counts.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("nobody panics with it")
    }

    async fn connection(self, mut hub: TlsStream<TcpStream>) -> io::Result<()> {
        while let Some(request) = Request::read(&mut hub).await? {
            let goes_on = self.meet(&mut hub, request).await?;
            if !goes_on {
                break;
            }
        }
        hub.shutdown().await
    }

    /// One request. `false`: the connection ends.
    async fn meet(&self, hub: &mut TlsStream<TcpStream>, mut request: Request) -> io::Result<bool> {
        if self.0.strips_conditions {
            request.strip_conditions();
        }
        let fault = self.deal(&request);
        if request.is_search() {
            let told = match self.0.searches {
                Searches::Answered => None,
                Searches::Empty => {
                    Some(Answer::json(200, &json!({"resourceType": "Bundle", "type": "searchset"})))
                }
                Searches::Refused => Some(Answer::outcome(400, "not-supported")),
            };
            if let Some(answer) = told {
                return answer.write(hub).await.map(|()| true);
            }
        }
        use Fault::{
            Cut, CutBetweenEntries, CutInBody, CutInHead, HalfAnswer, HalfClosed, Lagging, Late,
            LostBetweenEntries, LostInBody, LostInHead, OkForCreated, OnlyAccepted, Pass, PlainText, Refused,
            Reordered, Reset, Short, Slow, Told, Unanswered, WithoutPlaces,
        };
        match fault {
            Pass => self.pass(hub, &request, |_| {}).await,
            Slow => {
                sleep(SLOW).await;
                self.pass(hub, &request, |_| {}).await
            }

            Cut => self.unheard(&request).await.map(|_| false),
            Reset => {
                self.unheard(&request).await?;
                self.reset(hub)
            }
            HalfClosed => {
                self.unheard(&request).await?;
                hub.shutdown().await?;
                self.outlast(hub).await
            }
            Unanswered => {
                self.unheard(&request).await?;
                self.outlast(hub).await
            }
            CutInHead | CutInBody | CutBetweenEntries | HalfAnswer => {
                let answer = self.unheard(&request).await?;
                let octets = answer.octets();
                let until = match fault {
                    CutInHead => answer.head().len() / 2,
                    CutBetweenEntries => answer.head().len() + answer.between_entries(),
                    _ => answer.head().len() + answer.body.len() / 2,
                };
                hub.write_all(&octets[..until]).await?;
                hub.flush().await?;
                if fault == HalfAnswer { Ok(false) } else { self.reset(hub) }
            }
            Told(status) => {
                self.unheard(&request).await?;
                Answer::page(status).write(hub).await.map(|()| true)
            }

            LostInHead | LostInBody | LostBetweenEntries => {
                self.doubt(&request);
                let until = match fault {
                    LostInHead => request.head.len() / 2,
                    LostInBody => request.head.len() + request.body.len() / 2,
                    _ => request.head.len() + request.between_entries(),
                };
                self.0.behind.lose(&request, until).await?;
                self.reset(hub)
            }
            Late => {
                self.doubt(&request);
                let proxy = self.clone();
                self.0.late.lock().expect("nobody panics with it").spawn(async move {
                    sleep(LATE).await;
                    if let Ok(answer) = proxy.ask(&request).await {
                        proxy.state().counts.committed_late +=
                            u64::from(answer.is_success() && request.writes());
                    }
                });
                self.outlast(hub).await
            }

            Refused(Refusal { status, retry_after, said }) => {
                let mut answer = match said {
                    Said::Nothing => Answer::new(*status),
                    Said::Page => Answer::page(*status),
                    Said::Outcome(code) => Answer::outcome(*status, code),
                };
                if let Some(seconds) = retry_after {
                    answer.headers.push(("Retry-After".into(), seconds.to_string()));
                }
                if *status == 301 {
                    answer.headers.push(("Location".into(), "https://elsewhere.example/fhir".into()));
                }
                if matches!(status, 408 | 500..) {
                    self.doubt(&request);
                }
                answer.write(hub).await.map(|()| true)
            }

            Reordered => self.pass(hub, &request, Answer::reorder).await,
            Short => self.pass(hub, &request, Answer::shorten).await,
            OkForCreated => self.pass(hub, &request, |answer| answer.restatus(200)).await,
            OnlyAccepted => self.pass(hub, &request, Answer::only_accepted).await,
            WithoutPlaces => self.pass(hub, &request, Answer::without_places).await,
            PlainText => {
                let plain = |answer: &mut Answer| answer.set_header("Content-Type", "text/plain");
                self.pass(hub, &request, plain).await
            }
            Lagging => self.pass(hub, &request, |answer| lag(answer, gateway::clock::now())).await,
        }
    }

    /// What becomes of this request, noted.
    fn deal(&self, request: &Request) -> Fault {
        if self.0.calm.load(Ordering::SeqCst) {
            return Fault::Pass;
        }
        let mut state = self.state();
        let dealt = if request.writes() { state.writes.deal() } else { state.reads.deal() };
        let fault = dealt.fit_for(request.is_bundle(), request.is_search());
        let asked = if request.writes() { "write" } else { "read" };
        *state.counts.faults.entry(format!("{asked}: {fault}")).or_default() += 1;
        state.counts.writes += u64::from(request.writes());
        fault
    }

    async fn ask(&self, request: &Request) -> io::Result<Answer> {
        let since = Instant::now();
        let answer = self.0.behind.ask(request).await?;
        let slowest = &mut self.state().counts.slowest;
        *slowest = since.elapsed().max(*slowest);
        Ok(answer)
    }

    async fn pass(
        &self,
        hub: &mut TlsStream<TcpStream>,
        request: &Request,
        change: impl FnOnce(&mut Answer),
    ) -> io::Result<bool> {
        let mut answer = self.ask(request).await?;
        change(&mut answer);
        answer.write(hub).await.map(|()| true)
    }

    /// It is done, and the hub will not be told.
    async fn unheard(&self, request: &Request) -> io::Result<Answer> {
        self.doubt(request);
        // Though the hub should hang up meanwhile.
        let answer = self.ask(request).await?;
        self.state().counts.committed_unheard += u64::from(answer.is_success() && request.writes());
        Ok(answer)
    }

    fn doubt(&self, request: &Request) {
        if request.writes() {
            let counts = &mut self.state().counts;
            counts.in_doubt += 1;
            counts.resources_in_doubt += request.resources() as u64;
        }
    }

    /// RST.
    fn reset(&self, hub: &mut TlsStream<TcpStream>) -> io::Result<bool> {
        hub.get_ref().0.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }

    /// Until the hub hangs up.
    async fn outlast(&self, hub: &mut TlsStream<TcpStream>) -> io::Result<bool> {
        let mut octets = [0; 1_024];
        while hub.read(&mut octets).await? > 0 {}
        Ok(false)
    }
}

/// What was written just now is not found yet.
fn lag(answer: &mut Answer, now: Timestamp) {
    answer.edit(|bundle| {
        let is_young = |resource: &Value| {
            let written =
                resource["meta"]["lastUpdated"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
            written.is_some_and(|at| now.duration_since(at) < LAG.try_into().unwrap_or_default())
        };
        if let Some(entries) = bundle["entry"].as_array_mut() {
            entries.retain(|entry| !is_young(&entry["resource"]));
        }
    });
}
