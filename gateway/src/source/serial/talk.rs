//! What is said over one opened line, until it ends.

use super::board::{self, Update, Waits};
use super::keeper::Keeper;
use super::near::Near;
use super::pairing::{Awaited, Leaving, Pairing, person};
use super::port;
use super::times::Times;
use super::{Logged, Port, State};
use crate::clock::Clock;
use crate::source::asked::{Ask, NearView};
use crate::source::house::{House, Housed};
use hearth_core::bridge::{self, BridgeNo, Greeting, Line, Note, Poll};
use hearth_core::capture::DeviceNo;
use hearth_core::profile::Catalog;
use hearth_core::radio::{Change, session};
use hearth_core::when::HubTicks;
use hearth_wire::frame::plan;
use hearth_wire::frame::{BridgeId, Capabilities, Level, Peer, Standing, ToBridge, Version};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

/// A board that takes no octets for so long is not there any more.
const STUCK: Duration = Duration::from_secs(5);
/// So long a bridge looks around, once somebody asks.
const LOOKS_S: u16 = 120;
const LOOKS_MS: i64 = LOOKS_S as i64 * 1_000;
/// What can be heard has shown itself after so long.
const FIRST_MS: i64 = 3_000;

/// What outlives a line that ends: somebody pulled the plug, or the board started anew.
pub(super) struct Stays {
    pub(super) port: Port,
    pub(super) keeper: Keeper,
    pub(super) clock: Clock,
    pub(super) state: watch::Sender<State>,
    pub(super) said: watch::Sender<VecDeque<Logged>>,
}

pub(super) struct Talk<'a> {
    pub(super) stays: &'a Stays,
    pub(super) keeper: &'a Keeper,
    pub(super) line: Line,
    pub(super) update: &'a mut Option<Update>,
    /// Who waits for what the board was asked.
    pub(super) waits: Vec<Waits>,
    /// Who is there.
    bridge: Option<(BridgeNo, Greeting)>,
    /// The devices that it meets.
    pub(super) house: BTreeMap<DeviceNo, Housed>,
    pub(super) catalog: Arc<Catalog>,
    /// The digest of the configuration that it is to have.
    wanted: Option<u32>,
    pub(super) times: Times,
    pub(super) near: Near,
    /// Since when it looks around, and until when.
    pub(super) looks: Option<(HubTicks, HubTicks)>,
    /// It has not begun to look around yet: by this request.
    pub(super) look: Option<u16>,
    /// Who waits to be told what is heard, and until when.
    waiting: Vec<(HubTicks, oneshot::Sender<Vec<NearView>>)>,
    pub(super) awaited: Option<Awaited>,
    pub(super) pairing: Option<Pairing>,
    pub(super) leaving: Vec<Leaving>,
    /// The bonds that it has, or should have.
    pub(super) bonds: Vec<(Peer, Standing)>,
}

impl<'a> Talk<'a> {
    pub(super) fn new(stays: &'a Stays, update: &'a mut Option<Update>) -> Talk<'a> {
        Talk {
            stays,
            keeper: &stays.keeper,
            line: Line::new(stays.clock.ticks()),
            update,
            waits: vec![],
            bridge: None,
            house: BTreeMap::new(),
            catalog: Arc::new(Catalog::standard()),
            wanted: None,
            times: Times::default(),
            near: Near::default(),
            looks: None,
            look: None,
            waiting: vec![],
            awaited: None,
            pairing: None,
            leaving: vec![],
            bonds: vec![],
        }
    }

    pub(super) fn now(&self) -> HubTicks {
        self.stays.clock.ticks()
    }

    /// The bridge that is there.
    pub(super) fn greeting(&self) -> Option<&Greeting> {
        self.bridge.as_ref().map(|(_, greeting)| greeting)
    }

    /// The bridge that is there, if it has a radio.
    pub(super) fn radio(&self) -> Option<BridgeId> {
        let greeting = self.greeting()?;
        greeting.can.has(Capabilities::BLUETOOTH).then_some(greeting.bridge)
    }

    /// Until the line ends: why it did.
    pub(super) async fn run(
        mut self,
        (mut from, mut to): port::Line,
        asked: &mut mpsc::UnboundedReceiver<Ask>,
        boards: &mut mpsc::UnboundedReceiver<board::Ask>,
    ) -> String {
        let mut buffer = [0; 1_024];
        let why = loop {
            let line = match self.line.poll() {
                Poll::Wait(until) => until,
                Poll::Send(octets) => match timeout(STUCK, to.write_all(&octets)).await {
                    Ok(Ok(())) => continue,
                    Ok(Err(error)) => break error.to_string(),
                    Err(_) => break "it takes nothing any more".to_owned(),
                },
                poll => {
                    self.happened(poll).await;
                    continue;
                }
            };
            let paired = self.pairing.as_ref().map(|pairing| pairing.until);
            let paired = paired.or(self.awaited.as_ref().map(|awaited| awaited.until));
            let waited_for = self.waiting.iter().map(|(until, _)| *until);
            let updated = self.update.as_ref().map(Update::until);
            let until = waited_for.chain(paired).chain(self.waits_for_a_bond()).chain(updated);
            let until = until.chain(self.times.again);
            let until = until.fold(line, HubTicks::min);
            let left = u64::try_from(until.ms.saturating_sub(self.now().ms)).unwrap_or(0);
            tokio::select! {
                came = from.read(&mut buffer) => match came {
                    Ok(0) => break "it was unplugged".to_owned(),
                    Ok(many) => self.line.octets(&buffer[..many], self.now()),
                    Err(error) => break error.to_string(),
                },
                Some(ask) = asked.recv() => self.asked(ask).await,
                Some(ask) = boards.recv() => self.board(ask),
                digits = person(self.pairing.as_mut()) => self.said(digits),
                () = sleep(Duration::from_millis(left)) => self.timeout(),
            }
        };
        self.forget("the bridge is not there any more; plug it in, and try again");
        why
    }

    fn timeout(&mut self) {
        let now = self.now();
        self.line.timeout(now);
        let (due, waiting) =
            std::mem::take(&mut self.waiting).into_iter().partition(|(until, _)| *until <= now);
        self.waiting = waiting;
        let due: Vec<(HubTicks, oneshot::Sender<Vec<NearView>>)> = due;
        due.into_iter().for_each(|(_, answer)| _ = answer.send(self.views()));
        if self.pairing.as_ref().is_some_and(|pairing| pairing.until <= now) {
            self.over(Err("the bridge did not say what came of it; try again".to_owned()));
            self.configure();
        }
        self.awaits();
        self.leaves(now);
        self.board_timeout(now);
        if self.times.again.take_if(|again| *again <= now).is_some() {
            self.configure();
        }
    }

    /// Another bridge may be there, or none: nothing that was asked of the one before is answered any more.
    fn forget(&mut self, why: &str) {
        self.over(Err(why.to_owned()));
        self.leaving.drain(..).for_each(|leaving| leaving.over(Err(why.to_owned())));
        self.waits.drain(..).for_each(Waits::gone);
        (self.looks, self.look, self.bonds) = (None, None, vec![]);
        self.times = Times::default();
    }

    async fn happened(&mut self, poll: Poll) {
        match poll {
            Poll::Greet(greeting) => self.greeted(greeting).await,
            Poll::Keep(epoch, met) => {
                if let Some((no, _)) = self.bridge {
                    self.keeper.met(no, epoch, met).await;
                    self.line.kept(self.now());
                    self.times.met(epoch, met);
                    self.configure();
                }
            }
            Poll::Take(told) => {
                if let Some((no, greeting)) = &self.bridge {
                    tracing::debug!("bridge {}: {} records", no.0, told.len());
                    self.keeper.take((*no, greeting.bridge), told).await;
                    self.line.committed();
                }
            }
            Poll::Done(token, outcome) if self.board_done(token, &outcome) => {}
            Poll::Done(token, outcome) => self.done(token, outcome).await,
            Poll::Configured(digest, done) if self.wanted == Some(digest) => self.configured(done).await,
            Poll::Heard(Peer::Device(kind, octets), rssi, told) => {
                self.near.heard(bridge::on_the_air(kind, octets), rssi, &told, self.now());
                self.awaits();
            }
            Poll::Prompt(token, prompt) => self.prompted(token, prompt),
            Poll::Bond(peer, standing) => self.stands(peer, standing).await,
            Poll::Note(note) => {
                if note == Note::Silent {
                    _ = self.stays.state.send_replace(State::Silent);
                }
                self.says(&note);
            }
            Poll::Configured(..) | Poll::Heard(..) | Poll::Send(_) | Poll::Wait(_) => {}
        }
    }

    async fn greeted(&mut self, greeting: Greeting) {
        self.forget("the bridge started anew; try again");
        let (no, known) = self.keeper.greet(greeting.clone()).await;
        let Version { major, minor, patch } = greeting.firmware;
        tracing::info!(
            "bridge line {}: bridge {}, firmware {major}.{minor}.{patch}, {} records wait there",
            self.stays.port.no,
            no.0,
            greeting.waiting
        );
        _ = self.stays.state.send_replace(State::Talks { no, greeting: greeting.clone(), trouble: None });
        self.judges(&greeting);
        self.bridge = Some((no, greeting));
        self.move_in().await;
        self.line.known(known, self.now());
    }

    /// The devices that this bridge meets, as the store has them.
    pub(super) async fn move_in(&mut self) {
        let Some(id) = self.radio() else { return };
        let Some(House { members, catalog }) = self.keeper.house.met_by(Some(id)).await else {
            self.troubled(Some("the hub cannot read which devices are of the house".to_owned()));
            return;
        };
        let housed = members.into_iter().filter_map(|member| Housed::of(member, &catalog));
        self.house = housed.map(|housed| (housed.no(), housed)).collect();
        self.catalog = catalog;
        self.configure();
    }

    /// What it has to do with them, and with one that is being paired.
    pub(super) fn configure(&mut self) {
        if self.radio().is_none() {
            return;
        }
        let candidate = self.pairing.as_ref().map(|pairing| &pairing.candidate);
        let now = crate::clock::now();
        let known = |facts: &hearth_core::identity::Facts, zone| session::Known {
            facts: facts.clone(),
            zone,
            ..session::Known::default()
        };
        let mut all = vec![];
        for housed in self.house.values() {
            if candidate.is_none_or(|candidate| candidate.address != housed.address) {
                let known = known(&housed.device.facts, housed.zone(now));
                all.push((housed.address, Arc::clone(&housed.profile), known));
            }
        }
        all.extend(candidate.map(|one| (one.address, Arc::clone(&one.profile), known(&one.facts, None))));
        let housed =
            all.iter().map(|(address, profile, known)| bridge::Housed { address: *address, profile, known });
        match bridge::configuration(housed, now) {
            Some(octets) => {
                let digest = plan::digest(&octets);
                self.wanted = Some(digest);
                self.is_timed(digest, all.into_iter().filter_map(|(.., known)| known.zone).collect());
                self.line.configure(octets, self.now());
            }
            None => {
                tracing::error!("bridge line {}: it cannot be told of all its devices", self.stays.port.no)
            }
        }
    }

    async fn configured(&mut self, done: Result<(), String>) {
        let why = done.as_ref().err().cloned();
        if let Some(why) = &why {
            tracing::error!("bridge line {}: it does not take what it has to do: {why}", self.stays.port.no);
        }
        self.troubled(why);
        if done.is_ok() {
            self.tells_time();
        }
        self.pairs(done).await;
    }

    fn troubled(&self, why: Option<String>) {
        self.stays.state.send_if_modified(|state| match state {
            State::Talks { trouble, .. } => std::mem::replace(trouble, why.clone()) != why,
            State::Closed(_) | State::Silent => false,
        });
    }

    /// What a bond is worth, the bridge has to say.
    async fn stands(&mut self, peer: Peer, standing: Standing) {
        match self.bonds.iter_mut().find(|(of, _)| *of == peer) {
            Some((_, before)) => *before = standing,
            None => self.bonds.push((peer, standing)),
        }
        let Some(id) = self.radio() else { return };
        let of = |housed: &&mut Housed| bridge::peer(housed.address) == Some(peer);
        if let Some(housed) = self.house.values_mut().find(of) {
            let kept = self.keeper.house.keep(housed.no(), Change::Stands(id, standing)).await;
            housed.kept = kept.unwrap_or_else(|| housed.kept.clone());
        }
    }

    async fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::House => self.move_in().await,
            Ask::Nearby(answer) => self.nearby(answer),
            Ask::Pair { address, steps } => self.pair(address, steps),
            Ask::Unpair { device, done } => self.unpair(device, done).await,
        }
    }

    fn nearby(&mut self, answer: oneshot::Sender<Vec<NearView>>) {
        let now = self.now();
        let known = match self.radio().is_some() && self.pairing.is_none() {
            true => self.look().later(FIRST_MS),
            false => now,
        };
        match known <= now {
            true => _ = answer.send(self.views()),
            false => self.waiting.push((known, answer)),
        }
    }

    /// It looks around for a while yet: since when.
    pub(super) fn look(&mut self) -> HubTicks {
        let now = self.now();
        let looks = self.looks.filter(|(_, until)| now < *until);
        let since = looks.map_or(now, |(since, _)| since);
        if looks.is_none_or(|(_, until)| until <= now.later(LOOKS_MS / 2)) {
            self.look = Some(self.line.request(|token| ToBridge::Look { token, seconds: LOOKS_S }));
            self.looks = Some((since, now.later(LOOKS_MS)));
        }
        since
    }

    fn views(&self) -> Vec<NearView> {
        let bridge = self.bridge.as_ref().map(|(no, _)| *no);
        let view = |view: NearView| NearView { bridge, ..view };
        self.near.views(&self.catalog, self.now()).into_iter().map(view).collect()
    }

    /// What a bridge says to a technician is its firmware's own word, which names nobody.
    fn says(&self, note: &Note) {
        let no = self.stays.port.no;
        match note {
            Note::Log(level, text) => {
                match level {
                    Level::Error => tracing::error!("bridge line {no}: {text}"),
                    Level::Warning => tracing::warn!("bridge line {no}: {text}"),
                    Level::Info => tracing::info!("bridge line {no}: {text}"),
                    Level::Debug | Level::Other(_) => tracing::debug!("bridge line {no}: {text}"),
                }
                let logged = Logged { at: self.now(), level: *level, text: text.clone() };
                self.stays.said.send_modify(|said| {
                    said.truncate(super::LOGGED - 1);
                    said.push_front(logged);
                });
            }
            Note::NotAdopted(why) => tracing::error!("bridge line {no}: the bridge takes nothing: {why}"),
            Note::Silent => tracing::warn!("bridge line {no}: the bridge says nothing any more"),
            Note::Broken => tracing::debug!("bridge line {no}: octets that are no frame"),
        }
    }
}
