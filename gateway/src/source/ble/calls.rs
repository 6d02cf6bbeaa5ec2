//! What the radio does: each call is a future that it drives beside the others, and what it came to is told back.

use super::bus::{At, Failed};
use super::link::{Line, Link, Over};
use super::signals::Event;
use super::{Radio, fault};
use btleplug::api::{Central as _, Manager as _, Peripheral as _, ScanFilter};
use btleplug::platform::{Adapter as Central, Manager};
use hearth_core::capture::DeviceNo;
use hearth_core::radio::Change;
use hearth_core::radio::adapter::{Answer, Command};
use hearth_core::radio::bond::Repair;
use hearth_core::radio::scout::Outcome;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// With the question after it, less than the adapter's machine waits.
const SCAN_LIMIT: Duration = Duration::from_secs(32);
/// No call of btleplug is waited for longer; its own limit is 30 s.
const CALL_LIMIT: Duration = Duration::from_secs(34);

pub(super) type Call = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What a call came to.
pub(super) enum Done {
    Commanded(Answer, Vec<Event>),
    Line(DeviceNo, Option<Box<Line>>),
    Mended(DeviceNo, bool),
    /// Somebody was paired with; `None`: it came to nothing, and that was said.
    Paired(Option<DeviceNo>),
    Unpaired,
}

impl Radio<'_> {
    pub(super) fn connect(&mut self, no: DeviceNo) {
        // What was begun before goes on, and tells how it ends.
        if self.orders.contains_key(&no) || self.fetching.contains_key(&no) {
            return;
        }
        let (Some(at), Some(housed)) = (self.at(no), self.house.get(&no)) else {
            return self.scout.failed(no, self.now());
        };
        // A person who pairs with it goes first, and one is paired with at a time.
        let mends = housed.kept.bond.repair(housed.profile.collect.pairing) == Repair::PairAgain;
        match self.pairing {
            Some(paired) if mends || paired == at => return self.scout.failed(no, self.now()),
            None if mends => return self.mend(no, at),
            _ => {}
        }
        match self.lines.remove(&no).filter(|line| line.at == at) {
            Some(line) => self.hold(no, at, line),
            None => {
                self.fetching.insert(no, false);
                self.calls.push(Box::pin(async move {
                    let found = timeout(CALL_LIMIT, line(at)).await.ok().flatten();
                    Done::Line(no, found.map(Box::new))
                }));
            }
        }
    }

    pub(super) fn hold(&mut self, no: DeviceNo, at: At, line: Line) {
        let Some(member) = self.house.get(&no).cloned() else { return };
        let (send, orders) = mpsc::unbounded_channel();
        self.orders.insert(no, send);
        let link = Link {
            at,
            member,
            bonded: self.near.get(&at).and_then(|near| near.told.bonded) == Some(true),
            bus: self.bus.clone(),
            keeper: self.keeper.clone(),
            talk: self.talks.next(),
            clock: self.clock.clone(),
            orders,
            news: self.news.clone(),
            hang_ups: self.hang_ups.clone(),
        };
        self.links.push(Box::pin(link.hold(line)));
    }

    /// A bond that is stale is removed and made anew, by the hub alone.
    fn mend(&mut self, no: DeviceNo, at: At) {
        let (bus, doorkeeper) = (self.bus.clone(), self.doorkeeper.clone());
        let hang_ups = self.hang_ups.clone();
        self.pairing = Some(at);
        self.calls.push(Box::pin(async move {
            let _none = hang_ups.write().await;
            doorkeeper.open(at, None);
            let paired = bus.pair_anew(at).await;
            doorkeeper.close();
            bus.disconnect(at).await;
            Done::Mended(no, paired.is_ok())
        }));
    }

    pub(super) fn command(&mut self, command: Command) {
        tracing::debug!("{command:?}");
        let (bus, manager) = (self.bus.clone(), self.manager.clone());
        let plain = move |done: Result<(), Failed>| match done {
            Ok(()) => Answer::Done,
            Err(Failed::Unanswered) => Answer::Unanswered,
            Err(failed) if failed.is("org.bluez.Error.Busy") => Answer::Busy,
            Err(failed) => {
                tracing::debug!("{command:?}: {failed}");
                Answer::Failed
            }
        };
        self.calls.push(Box::pin(async move {
            let mut seen = vec![];
            let answer = match command {
                Command::Look => {
                    seen = bus.look().await;
                    Answer::Done
                }
                Command::Register(adapter) => plain(bus.register(adapter).await),
                Command::PowerOn(adapter) => plain(bus.power(adapter, true).await),
                Command::PowerOff(adapter) => plain(bus.power(adapter, false).await),
                Command::StartScan(adapter) => match scan(&manager, adapter, true).await {
                    Answer::InProgress if bus.scans(adapter).await == Some(false) => Answer::Inherited,
                    answer => answer,
                },
                Command::StopScan(adapter) => scan(&manager, adapter, false).await,
            };
            Done::Commanded(answer, seen)
        }));
    }

    pub(super) async fn done(&mut self, done: Done) {
        match done {
            Done::Commanded(answer, seen) => {
                for event in seen {
                    self.adopt(&event).await;
                    self.happened(event).await;
                }
                self.adapter.answered(answer, self.now());
            }
            Done::Line(no, line) => {
                let given_up = self.fetching.remove(&no).unwrap_or(true);
                match (line, self.at(no)) {
                    (Some(line), Some(at)) if !given_up => self.hold(no, at, *line),
                    (line, _) => {
                        self.lines.extend(line.map(|line| (no, *line)));
                        self.scout.failed(no, self.now());
                    }
                }
            }
            Done::Mended(no, done) => {
                self.pairing = None;
                let now = self.now();
                self.keep(no, Change::Mended(done)).await;
                self.scout.failed(no, now);
            }
            Done::Paired(no) => {
                // Whom the hub had left alone meanwhile begins afresh.
                let was = self.pairing.take().and_then(|at| self.by_address.get(&at.address).copied());
                was.inspect(|no| self.scout.remove(*no, self.now()));
                self.move_in().await;
                if let Some(no) = no {
                    // It is connected, so that it shows itself to nobody.
                    self.scout.seen(no, None, self.now());
                }
            }
            Done::Unpaired => self.move_in().await,
        }
    }

    /// A link is over.
    pub(super) async fn over(&mut self, over: Over) {
        tracing::debug!("device {}: is let go of", over.no.0);
        let now = self.now();
        self.orders.remove(&over.no);
        if !self.house.contains_key(&over.no) {
            return;
        }
        self.lines.extend(over.line.map(|line| (over.no, line)));
        // BlueZ lets nobody hang up while somebody is paired with; so once is not enough.
        if !over.undead {
            self.undead.remove(&over.no);
        } else if self.pairing.is_none() && !self.undead.insert(over.no) {
            tracing::warn!("device {}: BlueZ goes on holding its link, which is none", over.no.0);
            self.undead.clear();
            self.adapter.undead(now);
        }
        match over.ending {
            Some(ending) => {
                self.scout.ended(over.no, Outcome::from(&ending), now);
                // What it said of itself may have given it another profile.
                self.move_in().await;
            }
            None => {
                self.scout.failed(over.no, now);
                if !over.given_up {
                    self.keep(over.no, Change::Cut).await;
                }
            }
        }
    }

    /// What is kept of a device is another.
    async fn keep(&mut self, no: DeviceNo, change: Change) {
        if let Some(kept) = self.keeper.house.keep(no, change).await
            && let Some(housed) = self.house.get_mut(&no)
        {
            housed.kept = kept;
        }
    }

    /// A link that a hub which died left standing: its device shows itself to nobody until it ends.
    async fn adopt(&mut self, event: &Event) {
        if let Event::Device(at, told) = event
            && told.connected == Some(true)
            && let Some(no) = self.by_address.get(&at.address)
            && !self.orders.contains_key(no)
        {
            self.bus.disconnect(*at).await;
        }
    }
}

/// btleplug's adapter of that number.
async fn central(manager: &Manager, adapter: u16) -> Result<Central, Answer> {
    for central in manager.adapters().await.map_err(|error| fault::of_command(&error))? {
        let info = central.adapter_info().await.unwrap_or_default();
        if info.split(' ').next() == Some(&format!("hci{adapter}")) {
            return Ok(central);
        }
    }
    Err(Answer::Failed)
}

async fn scan(manager: &Manager, adapter: u16, on: bool) -> Answer {
    let done = timeout(SCAN_LIMIT, async {
        let central = central(manager, adapter).await?;
        let done =
            if on { central.start_scan(ScanFilter::default()).await } else { central.stop_scan().await };
        done.map_err(|error| fault::of_command(&error))
    });
    match done.await {
        Err(_) => Answer::Unanswered,
        Ok(Ok(())) => Answer::Done,
        Ok(Err(answer)) => answer,
    }
}

/// btleplug's object of a device, and the stream of its values, which stands before any connection does.
///
/// Each has a connection to the bus of its own. dbus-daemon (1.16.2, `match_rule_equal`) does not look at the path when a rule with
/// `path_namespace` is removed, and takes away the newest of that connection that is alike: another device's, which is deaf from then
/// on, while BlueZ goes on confirming what it tells. btleplug adds and removes such a rule with each connection as well.
async fn line(at: At) -> Option<Line> {
    let central = central(&Manager::new().await.ok()?, at.adapter).await.ok()?;
    let all = central.peripherals().await.ok()?;
    let peripheral = all.into_iter().find(|peripheral| peripheral.address().into_inner() == at.address)?;
    let values = peripheral.notifications().await.ok()?;
    Some(Line { at, peripheral, values, early: vec![] })
}
