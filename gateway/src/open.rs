//! What the daemon, and a command without one, start from: profiles, the store, and what the house knows of itself.

use crate::clock::{self, Clock};
use crate::config::{ClockTrust, Config};
use crate::intake::Strangers;
use crate::show::{Ending, complain, exit};
use crate::source::asked::Ask;
use crate::source::wired::scale::Calibrate;
use crate::source::{serial, wired};
use crate::store::{Committed, DestinationFacts, Now, OpenError, Opened, Seal, Store, StoreError};
use crate::uplink::{self, Wake};
use hearth_core::admit::News;
use hearth_core::bridge::BridgeNo;
use hearth_core::identity::Labels;
use hearth_core::radio::adapter;
use hearth_core::when::{BootNo, HubTicks};
use hearth_wire::frame::{BridgeId, Capabilities};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};

mod profiles;

pub(crate) use profiles::{catalog, catalog_of, say_left_out};

const NO_RADIO: &str =
    "This hub does not use Bluetooth; `bluetooth = true` under [hub] in its configuration lets it.";

/// The door of one who meets devices.
pub(crate) type Asks = mpsc::UnboundedSender<Ask>;

/// What the rooms of one process share besides the store.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(crate) time: Time,
    /// Whether this start told the store what UTC is.
    pub(crate) anchored: bool,
    /// Something was committed: there may be something to send.
    pub(crate) wake: Wake,
    /// The next instant at which silence itself is news.
    due: Mutex<Option<HubTicks>>,
    pub(crate) due_changed: Notify,
    /// How much of what strangers broadcast is kept.
    pub(crate) strangers: Mutex<Strangers>,
    /// Each destination and how it fares; empty without a daemon.
    destinations: Mutex<Vec<(String, watch::Receiver<uplink::State>)>>,
    /// The radio's own door, and how it fares. `None`: this hub uses none.
    radio: Mutex<Option<(Asks, watch::Receiver<adapter::State>)>>,
    /// Each line to a bridge, its door, and how it fares.
    bridges: Mutex<Vec<serial::Door>>,
    /// How the sensors fare that are wired to the hub.
    sensors: Mutex<Vec<watch::Receiver<wired::State>>>,
    /// The door of the scale among them, if there is one.
    scale: Mutex<Option<mpsc::UnboundedSender<Calibrate>>>,
}

/// Whose ticks news is taken at.
#[derive(Debug)]
pub(crate) enum Time {
    /// The daemon's own.
    Running(Clock),
    /// No daemon runs, so no time passes for the store: the last tick that it knows, or those of a replayed log.
    Standing(Mutex<Standing>),
}

/// Where a store without a daemon stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) ticks: HubTicks,
    /// The first boot of the log that is being replayed. `None`: the ticks are the hub's own, which no log may speak of.
    pub(crate) log: Option<BootNo>,
}

/// Nobody leaves one of these half changed, whatever else goes wrong.
pub(crate) fn unpoisoned<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inside {
    fn new(time: Time, anchored: bool) -> Inside {
        Inside {
            time,
            anchored,
            wake: Wake::default(),
            due: Mutex::new(None),
            due_changed: Notify::new(),
            strangers: Mutex::default(),
            destinations: Mutex::default(),
            radio: Mutex::default(),
            bridges: Mutex::default(),
            sensors: Mutex::default(),
            scale: Mutex::default(),
        }
    }

    /// From now on there is a radio.
    pub(crate) fn has_radio(&self, asks: Asks, state: watch::Receiver<adapter::State>) {
        *unpoisoned(&self.radio) = Some((asks, state));
    }

    /// From now on there is a line to a bridge.
    pub(crate) fn has_bridge(&self, door: serial::Door) {
        unpoisoned(&self.bridges).push(door);
    }

    /// From now on there is a wired sensor.
    pub(crate) fn has_sensor(&self, state: watch::Receiver<wired::State>) {
        unpoisoned(&self.sensors).push(state);
    }

    /// One of them is a scale.
    pub(crate) fn has_scale(&self, door: mpsc::UnboundedSender<Calibrate>) {
        *unpoisoned(&self.scale) = Some(door);
    }

    pub(crate) fn scale(&self) -> Option<mpsc::UnboundedSender<Calibrate>> {
        unpoisoned(&self.scale).clone()
    }

    /// What is wrong with the wired sensors, for a person.
    pub(crate) fn sensor_trouble(&self) -> Option<String> {
        let sensors = unpoisoned(&self.sensors);
        let troubles: Vec<String> = sensors.iter().filter_map(|state| state.borrow().clone()).collect();
        (!troubles.is_empty()).then(|| troubles.join("; "))
    }

    /// Each line to a bridge, and how it fares.
    pub(crate) fn bridges(&self) -> Vec<(serial::Port, serial::State)> {
        let bridges = unpoisoned(&self.bridges);
        bridges.iter().map(|door| (door.port.clone(), door.state.borrow().clone())).collect()
    }

    /// The bridge with this number, if it is there.
    pub(crate) fn bridge(&self, no: BridgeNo) -> Option<serial::Door> {
        let is = |door: &&serial::Door| matches!(&*door.state.borrow(), serial::State::Talks { no: own, .. } if *own == no);
        unpoisoned(&self.bridges).iter().find(is).cloned()
    }

    /// The bridges that are there and have a radio, each with its door.
    pub(crate) fn bridge_radios(&self) -> Vec<(BridgeNo, BridgeId, Asks)> {
        let radio = |door: &serial::Door| match &*door.state.borrow() {
            serial::State::Talks { no, greeting, .. } if greeting.can.has(Capabilities::BLUETOOTH) => {
                Some((*no, greeting.bridge, door.asks.clone()))
            }
            _ => None,
        };
        unpoisoned(&self.bridges).iter().filter_map(radio).collect()
    }

    /// Whether it has a radio of its own.
    pub(crate) fn hears_itself(&self) -> bool {
        unpoisoned(&self.radio).is_some()
    }

    /// Asks the radio, if there is one.
    pub(crate) fn radio(&self, ask: Ask) -> Result<(), Ending> {
        let sent = unpoisoned(&self.radio).as_ref().map(|(asks, _)| asks.send(ask));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(Ending::new(exit::UNAVAILABLE, NO_RADIO)),
        }
    }

    /// The house, or whose its devices are, is another.
    pub(crate) fn house_changed(&self) {
        _ = self.radio(Ask::House);
        unpoisoned(&self.bridges).iter().for_each(|door| _ = door.asks.send(Ask::House));
    }

    /// How the radio fares, for a person.
    pub(crate) fn radio_said(&self) -> &'static str {
        unpoisoned(&self.radio).as_ref().map_or(NO_RADIO, |(_, state)| state.borrow().sentence())
    }

    /// What somebody has to see to, so that devices are heard.
    pub(crate) fn radio_trouble(&self) -> Option<&'static str> {
        let state = unpoisoned(&self.radio).as_ref().map(|(_, state)| *state.borrow())?;
        (!state.is_well()).then(|| state.sentence())
    }

    /// For the daemon: counts the boot and takes it as news, and the hub's time where it is known.
    pub(crate) fn running(store: &mut Store, trust: ClockTrust) -> Result<Inside, Ending> {
        let boot = store.begin_boot(&clock::boot_id()).map_err(trouble)?;
        let clock = Clock::new(boot, trust);
        let mut taken = store.take(&News::Booted, clock.ticks()).map_err(trouble)?;
        let anchor = clock.anchor();
        if let Some(anchor) = anchor {
            taken = store.take(&News::HubTime(anchor), anchor.at).map_err(trouble)?;
        }
        let inside = Inside::new(Time::Running(clock), anchor.is_some());
        inside.committed(taken.due);
        Ok(inside)
    }

    /// For a command without a daemon.
    pub(crate) fn standing(store: &mut Store) -> Result<Inside, Ending> {
        let ticks = match store.last_ticks().map_err(trouble)? {
            Some(ticks) => ticks,
            None => HubTicks { boot: store.begin_boot(&clock::boot_id()).map_err(trouble)?, ms: 0 },
        };
        Ok(Inside::new(Time::Standing(Mutex::new(Standing { ticks, log: None })), false))
    }

    /// Whether a daemon runs, and this is it.
    pub(crate) fn runs(&self) -> bool {
        matches!(self.time, Time::Running(_))
    }

    pub(crate) fn said(&self) -> &'static str {
        match self.time {
            Time::Running(_) => "runs",
            Time::Standing(_) => "none runs, so nothing is heard or sent: hearth run",
        }
    }

    pub(crate) fn clock_believed(&self) -> bool {
        matches!(&self.time, Time::Running(clock) if clock.anchor().is_some())
    }

    /// Whether readings are dated yet, and else what is missing.
    pub(crate) fn clock_said(&self) -> String {
        match &self.time {
            Time::Running(clock) => clock.said(),
            Time::Standing(_) => "-".into(),
        }
    }

    /// For ages: a store without a daemon counts no ticks.
    pub(crate) fn now(&self) -> Now {
        Now { ticks: self.ticks(), counted: self.runs(), utc: clock::now() }
    }

    pub(crate) fn ticks(&self) -> HubTicks {
        match &self.time {
            Time::Running(clock) => clock.ticks(),
            Time::Standing(standing) => unpoisoned(standing).ticks,
        }
    }

    /// Something was committed.
    pub(crate) fn committed(&self, due: Option<HubTicks>) {
        *unpoisoned(&self.due) = due;
        self.due_changed.notify_one();
        self.wake.wake();
    }

    /// All of it was, and whoever waits for that goes on.
    pub(crate) fn released(&self, all: impl IntoIterator<Item = Committed>) {
        for committed in all {
            self.committed(committed.due);
            committed.release();
        }
    }

    pub(crate) fn watch(&self, destination: &str, state: watch::Receiver<uplink::State>) {
        unpoisoned(&self.destinations).push((destination.to_owned(), state));
    }

    pub(crate) fn destinations(&self) -> Vec<(String, uplink::State)> {
        let all = unpoisoned(&self.destinations);
        all.iter().map(|(name, state)| (name.clone(), state.borrow().clone())).collect()
    }

    pub(crate) fn due(&self) -> Option<HubTicks> {
        *unpoisoned(&self.due)
    }
}

/// Who has the store: a daemon that answers, or now this process.
pub(crate) enum Holder {
    Daemon(UnixStream),
    Us(Box<Store>),
}

/// How long a store that another command holds for a moment is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN: Duration = Duration::from_millis(50);

/// The daemon, if one answers; else the store. A command that holds it for a moment, or a daemon that is just starting,
/// is waited for.
pub(crate) fn holder(config: &Config) -> Result<Holder, Ending> {
    let mut left = PATIENCE;
    loop {
        match UnixStream::connect(&config.socket) {
            Ok(stream) => return Ok(Holder::Daemon(stream)),
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
                let said = format!(
                    "{}: {e}; run as root, or as a member of the socket's group",
                    config.socket.display()
                );
                return Err(Ending::new(exit::NOPERM, said));
            }
            // A socket that nobody listens on is no daemon.
            Err(_) => {}
        }
        match Store::open(&config.state, catalog_of(config), Seal::Clear) {
            Ok(opened) => return served(opened, config).map(Box::new).map(Holder::Us),
            Err(OpenError::InUse { .. }) if !left.is_zero() => std::thread::park_timeout(BETWEEN),
            Err(e) => return Err(not_open(e)),
        }
        left = left.saturating_sub(BETWEEN);
    }
}

/// Opens the store with the site's profiles and destinations. A damaged one is set aside, and said aloud.
pub(crate) fn store(config: &Config) -> Result<Store, Ending> {
    let opened = Store::open(&config.state, catalog_of(config), Seal::Clear).map_err(not_open)?;
    served(opened, config)
}

fn served(opened: Opened, config: &Config) -> Result<Store, Ending> {
    if let Some(aside) = &opened.set_aside {
        let said = opened.salvage.as_ref().map_or_else(
            || "nothing in it could be carried over; it is never deleted".to_owned(),
            crate::control::salvaged,
        );
        complain(format_args!(
            "the store was damaged and is set aside as {}; a new one is made: {said}",
            aside.display()
        ));
    }
    let mut store = opened.store;
    say_left_out(store.catalog());
    let facts: Vec<DestinationFacts> = config
        .destinations
        .iter()
        .map(|d| DestinationFacts { name: d.name.clone(), cleared: Labels(d.cleared.clone()) })
        .collect();
    store.set_destinations(&facts).map_err(trouble)?;
    Ok(store)
}

fn not_open(e: OpenError) -> Ending {
    let code = match &e {
        OpenError::InUse { .. } => exit::TEMPFAIL,
        OpenError::Missing(_)
        | OpenError::NotADirectory(_)
        | OpenError::Newer { .. }
        | OpenError::Foreign(_) => exit::CONFIG,
        OpenError::ReadOnly(_) | OpenError::Owner { .. } | OpenError::Mode { .. } => exit::NOPERM,
        OpenError::HubKey { .. }
        | OpenError::Full(_)
        | OpenError::SalvageFull(_)
        | OpenError::Salvage { .. }
        | OpenError::Io { .. } => exit::IOERR,
    };
    Ending::new(code, e.to_string())
}

/// A verb of the store that could not be done.
pub(crate) fn trouble(e: StoreError) -> Ending {
    let code = match &e {
        StoreError::Full => exit::TEMPFAIL,
        StoreError::Broken(_) => exit::IOERR,
        StoreError::Unknown(_) | StoreError::Refused(_) => exit::DATAERR,
    };
    Ending::new(code, e.to_string())
}
