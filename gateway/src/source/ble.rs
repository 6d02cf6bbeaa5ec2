//! Bluetooth Low Energy: what the house's devices hold, by btleplug on BlueZ.
//!
//! A thin shell. Whom to connect to, what to ask, what a fault means is asked of [`hearth_core::radio`]; here the
//! answers are done, and what happens is told. One task owns all of it; links and calls are futures that it drives.
//!
//! - [`bus`], [`signals`]: what BlueZ tells by itself, and the calls that btleplug lacks; [`calls`]: what the radio does.
//! - [`link`], [`talk`]: one connection; [`scale`]: one that is not connected to.
//! - [`agent`]: who pairs, and when; [`pairing`]: how a device comes into the house, and leaves it.

mod agent;
mod bus;
mod calls;
mod fault;
mod keeper;
mod link;
mod pairing;
mod scale;
mod signals;
mod talk;

use super::asked::Ask;
use super::house::{House, Housed};
use crate::clock::Clock;
use agent::{Agent, Doorkeeper};
use btleplug::platform::Manager;
use bus::{At, Bus, Signals};
use calls::Call;
use futures_util::stream::{FuturesUnordered, StreamExt};
use hearth_core::capture::DeviceNo;
use hearth_core::profile::Catalog;
use hearth_core::radio::Millis;
use hearth_core::radio::adapter::{self, Adapter, State};
use hearth_core::radio::scout::{self, Scout};
use hearth_core::when::HubTicks;
use keeper::Talks;
pub(crate) use keeper::{Keeper, TalkNo, Wish};
use link::{Line, News, Order, Over};
use scale::Scale;
use signals::{Event, Told};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{RwLock, mpsc, watch};
use tokio::time::sleep;

/// Connections at once: what cheap controllers hold.
const SLOTS: usize = 3;
/// Between two tries to reach the bus, while there is none.
const NO_BUS: Duration = Duration::from_secs(30);
/// So many devices are remembered that were heard and are not of the house.
const NEARBY: usize = 256;

/// For ever: where there is no bus it is looked for again.
pub(crate) async fn run(
    keeper: Keeper,
    clock: Clock,
    mut asked: mpsc::UnboundedReceiver<Ask>,
    state: watch::Sender<State>,
) {
    loop {
        let (news, told) = mpsc::unbounded_channel();
        let doorkeeper = Doorkeeper::new(news.clone());
        let started = async {
            let (bus, signals) = Bus::connect(Agent(doorkeeper.clone())).await.ok()?;
            Some((bus, signals, Manager::new().await.ok()?))
        };
        if let Some((bus, signals, manager)) = started.await {
            let radio = Radio::new(keeper.clone(), clock.clone(), bus, manager, doorkeeper, news, &state);
            radio.run(signals, told, &mut asked).await;
            tracing::warn!("the system's bus is gone, and Bluetooth with it");
        }
        state.send_if_modified(|state| std::mem::replace(state, State::NoDaemon) != State::NoDaemon);
        sleep(NO_BUS).await;
    }
}

/// As the machines of the core count.
fn instant(ticks: HubTicks) -> Millis {
    Millis(ticks.ms.max(0).unsigned_abs())
}

/// A device near by, as far as it told of itself.
#[derive(Clone, Debug)]
struct Near {
    told: Told,
    seen: Millis,
}

struct Radio<'a> {
    keeper: Keeper,
    clock: Clock,
    bus: Bus,
    manager: Manager,
    doorkeeper: Doorkeeper,
    /// How it fares, for `hearth status`.
    state: &'a watch::Sender<State>,
    catalog: Arc<Catalog>,
    adapter: Adapter,
    scout: Scout,
    house: BTreeMap<DeviceNo, Housed>,
    by_address: HashMap<[u8; 6], DeviceNo>,
    near: HashMap<At, Near>,
    talks: Talks,
    scales: BTreeMap<DeviceNo, Scale>,
    lines: BTreeMap<DeviceNo, Line>,
    /// Devices that are being connected to, or are.
    orders: BTreeMap<DeviceNo, mpsc::UnboundedSender<Order>>,
    /// Devices whose line is being looked for, and whether that is given up.
    fetching: BTreeMap<DeviceNo, bool>,
    calls: FuturesUnordered<Call>,
    links: FuturesUnordered<Pin<Box<dyn Future<Output = Over> + Send>>>,
    news: mpsc::UnboundedSender<News>,
    /// Who is being paired with: one at a time.
    pairing: Option<At>,
    /// Many hang up at once, or one is paired with. While bluetoothd waits for the end of a pairing it tells the kernel nothing else
    /// (BlueZ 5.82, src/shared/mgmt.c, `can_write_data`): a link that was to end would go on, without its subscriptions.
    hang_ups: Arc<RwLock<()>>,
    /// Whose link went on for BlueZ when it was ended last.
    undead: BTreeSet<DeviceNo>,
}

impl<'a> Radio<'a> {
    fn new(
        keeper: Keeper,
        clock: Clock,
        bus: Bus,
        manager: Manager,
        doorkeeper: Doorkeeper,
        news: mpsc::UnboundedSender<News>,
        state: &'a watch::Sender<State>,
    ) -> Radio<'a> {
        let now = instant(clock.ticks());
        Radio {
            keeper,
            clock,
            bus,
            manager,
            doorkeeper,
            talks: Talks::default(),
            state,
            catalog: Arc::new(Catalog::standard()),
            adapter: Adapter::new(now),
            scout: Scout::new(SLOTS, now),
            house: BTreeMap::new(),
            by_address: HashMap::new(),
            near: HashMap::new(),
            scales: BTreeMap::new(),
            lines: BTreeMap::new(),
            orders: BTreeMap::new(),
            fetching: BTreeMap::new(),
            calls: FuturesUnordered::new(),
            links: FuturesUnordered::new(),
            news,
            pairing: None,
            hang_ups: Arc::default(),
            undead: BTreeSet::new(),
        }
    }

    fn now(&self) -> Millis {
        instant(self.clock.ticks())
    }

    /// Until the bus is gone.
    async fn run(
        mut self,
        mut signals: Signals,
        mut told: mpsc::UnboundedReceiver<News>,
        asked: &mut mpsc::UnboundedReceiver<Ask>,
    ) {
        self.move_in().await;
        loop {
            let silent = self.fall_silent().await;
            let until = self.act().into_iter().chain(silent).min();
            let left = until.map_or(Duration::from_secs(3_600), |until| {
                Duration::from_millis(until.0.saturating_sub(self.now().0))
            });
            tokio::select! {
                event = signals.next() => match event {
                    Some(event) => self.happened(event).await,
                    None => return,
                },
                Some(news) = told.recv() => self.heard_of(&news),
                Some(over) = self.links.next() => self.over(over).await,
                Some(done) = self.calls.next() => self.done(done).await,
                Some(ask) = asked.recv() => self.asked(ask).await,
                () = sleep(left) => {
                    let now = self.now();
                    self.adapter.timeout(now);
                    self.scout.timeout(now);
                }
            }
        }
    }

    /// Drains the machines; the next instant that one of them waits for.
    fn act(&mut self) -> Option<Millis> {
        let waits = loop {
            match self.adapter.poll() {
                adapter::Poll::Do(command) => self.command(command),
                adapter::Poll::Wait(until) => break until,
            }
        };
        let scout = loop {
            match self.scout.poll() {
                scout::Poll::Connect(no) => self.connect(no),
                scout::Poll::GiveUp(no) => self.order(no, Order::GiveUp),
                scout::Poll::Wait(until) => break until,
            }
        };
        let next = scout.into_iter().chain([waits]).min();
        self.say();
        next
    }

    fn say(&self) {
        let said = self.adapter.state();
        self.state.send_if_modified(|state| std::mem::replace(state, said) != said);
    }

    /// The house as the store has it.
    async fn move_in(&mut self) {
        // What cannot be read now is asked for again when the house changes.
        let Some(House { members, catalog }) = self.keeper.house.met_by(None).await else { return };
        self.catalog = catalog;
        let now = self.now();
        let house: BTreeMap<DeviceNo, Housed> = members
            .into_iter()
            .filter_map(|member| Housed::of(member, &self.catalog))
            .map(|housed| (housed.no(), housed))
            .collect();
        for no in self.house.keys().filter(|no| !house.contains_key(no)).copied().collect::<Vec<_>>() {
            self.scout.remove(no, now);
            self.scales.remove(&no);
            self.lines.remove(&no);
            self.undead.remove(&no);
            self.order(no, Order::GiveUp);
        }
        for (no, housed) in &house {
            if housed.is_connected_to() {
                self.scout.add(*no, now);
            } else {
                let talks = &mut self.talks;
                self.scales.entry(*no).or_insert_with(|| Scale::new(&housed.profile, talks.next()));
            }
        }
        self.by_address = house.values().map(|housed| (housed.address.octets, housed.no())).collect();
        self.house = house;
    }

    async fn happened(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::Daemon(there) => {
                if !there {
                    self.near.clear();
                    self.all_lost();
                }
                self.adapter.daemon(there, now);
            }
            Event::Adapter { adapter, there: true } => self.adapter.added(adapter, now),
            Event::Adapter { adapter, there: false } => {
                if self.adapter.used() == Some(adapter) {
                    self.all_lost();
                }
                self.adapter.removed(adapter, now);
            }
            Event::Powered { adapter, on } => {
                if !on && self.adapter.used() == Some(adapter) {
                    self.all_lost();
                }
                self.adapter.powered(adapter, on, now);
            }
            Event::Blocked(blocked) => self.adapter.blocked(blocked, now),
            Event::Device(at, told) => self.device(at, *told, now).await,
            Event::DeviceGone(at) => {
                self.near.remove(&at);
                // Somebody else removed it: what was its link tells nothing more.
                self.lost(at);
            }
        }
    }

    /// A link that another adapter had is none of ours.
    fn lost(&mut self, at: At) {
        if self.adapter.used() == Some(at.adapter)
            && let Some(no) = self.by_address.get(&at.address)
        {
            self.order(*no, Order::Lost);
        }
    }

    fn all_lost(&mut self) {
        self.undead.clear();
        for orders in self.orders.values() {
            _ = orders.send(Order::Lost);
        }
    }

    async fn device(&mut self, at: At, told: Told, now: Millis) {
        let member = self.by_address.get(&at.address).copied();
        if member.is_none() && self.near.len() >= NEARBY && !self.near.contains_key(&at) {
            let strangers = self.near.iter().filter(|(at, _)| !self.by_address.contains_key(&at.address));
            let oldest = strangers.min_by_key(|(_, near)| near.seen).map(|(at, _)| *at);
            oldest.and_then(|oldest| self.near.remove(&oldest));
        }
        let heard = told.is_heard();
        if told.connected == Some(false) {
            self.lost(at);
        }
        let near = self.near.entry(at).or_insert_with(|| Near { told: Told::default(), seen: now });
        near.told.take(&told);
        if !heard {
            return;
        }
        near.seen = now;
        self.adapter.heard(now);
        let Some(no) = member else { return };
        if let Some(line) = self.lines.get_mut(&no) {
            line.drain(self.clock.ticks());
        }
        if self.scales.contains_key(&no) {
            for (service, octets) in told.service_data {
                self.weighed(no, service, octets, now).await;
            }
        } else {
            self.scout.seen(no, told.maker.as_deref(), now);
        }
    }

    fn heard_of(&mut self, news: &News) {
        let now = self.now();
        match news {
            News::Connected(no) => self.scout.connected(*no, now),
            News::Kept => self.adapter.heard(now),
            News::TurnedAway(at) => {
                if let Some(no) = self.by_address.get(&at.address).copied() {
                    self.order(no, Order::TurnedAway);
                }
            }
        }
    }

    fn order(&mut self, no: DeviceNo, order: Order) {
        match (self.orders.get(&no), self.fetching.get_mut(&no)) {
            (Some(orders), _) => _ = orders.send(order),
            (None, Some(given_up)) => *given_up |= matches!(order, Order::GiveUp),
            (None, None) => {}
        }
    }

    /// Where the device was heard last, by the adapter that is used.
    fn at(&self, no: DeviceNo) -> Option<At> {
        let address = self.house.get(&no)?.address.octets;
        Some(At { adapter: self.adapter.used()?, address })
    }
}
