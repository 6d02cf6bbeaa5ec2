//! BlueZ over D-Bus, where btleplug is silent or slow: who owns the daemon's name, adapters that come and go, what is
//! advertised, pairing, bonds, power.
//!
//! Signals come in as [`Event`]s, in order. Every call has a limit, and its failure is a value.

use super::agent::{self, Agent};
use super::signals::{Event, Interfaces, added, events};
use futures_util::stream::{Select, StreamExt, select};
use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use zbus::{Connection, DynamicType, MatchRule, Message, MessageStream, ObjectPath, Variant};

/// D-Bus' own limit is 25 s, and BlueZ answers most calls in milliseconds.
const LIMIT: Duration = Duration::from_secs(30);
/// What is answered without asking the controller.
const QUESTION_LIMIT: Duration = Duration::from_secs(2);
/// A person may have to find the device's display first.
const PAIR_LIMIT: Duration = Duration::from_secs(90);
/// A device that was forgotten while it shows itself is known again within a second or two.
const SHOWS_ITSELF: Duration = Duration::from_secs(20);
/// Between two questions whether it is.
const AGAIN: Duration = Duration::from_millis(200);
/// A burst of advertisements from a full house, while a commit is waited for.
const QUEUED: NonZeroUsize = NonZeroUsize::new(4_096).expect("more than none");

pub(super) const BLUEZ: &str = "org.bluez";
pub(super) const ADAPTER: &str = "org.bluez.Adapter1";
pub(super) const DEVICE: &str = "org.bluez.Device1";
const MONITORS: &str = "org.bluez.AdvertisementMonitorManager1";

/// A device as BlueZ numbers it: which adapter saw it, and its address, most significant octet first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct At {
    pub(super) adapter: u16,
    pub(super) address: [u8; 6],
}

impl At {
    pub(super) fn path(self) -> String {
        let [a, b, c, d, e, f] = self.address;
        format!("/org/bluez/hci{}/dev_{a:02X}_{b:02X}_{c:02X}_{d:02X}_{e:02X}_{f:02X}", self.adapter)
    }

    /// Of the device's own path, not of what lies below it.
    pub(super) fn parse(path: &str) -> Option<At> {
        let (adapter, device) = path.strip_prefix("/org/bluez/hci")?.split_once("/dev_")?;
        let octets: Vec<u8> =
            device.split('_').map(|two| u8::from_str_radix(two, 16)).collect::<Result<_, _>>().ok()?;
        Some(At { adapter: adapter.parse().ok()?, address: octets.try_into().ok()? })
    }
}

/// Why a call came to nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Failed {
    Unanswered,
    /// D-Bus' name of it; and what was said, for the log of a person who looks for the cause.
    Error {
        name: String,
        said: String,
    },
}

impl Failed {
    pub(super) fn is(&self, wanted: &str) -> bool {
        matches!(self, Failed::Error { name, .. } if name == wanted)
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failed::Unanswered => f.write_str("no answer"),
            Failed::Error { name, said } => write!(f, "{name}: {said}"),
        }
    }
}

type Called = Result<Message, Failed>;

#[derive(Clone, Debug)]
pub(super) struct Bus(Connection);

/// What comes from the bus.
#[derive(Debug)]
pub(super) struct Signals {
    all: Select<MessageStream, MessageStream>,
    /// One signal may tell several things.
    more: std::collections::VecDeque<Event>,
}

impl Bus {
    /// The system's bus, with this hub's agent on it.
    pub(super) async fn connect(agent: Agent) -> zbus::Result<(Bus, Signals)> {
        let connection = Connection::system().await?;
        connection.object_server().at(agent::PATH, agent).await?;
        agent::monitor(&connection).await?;
        let owners = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .interface("org.freedesktop.DBus")
            .member("NameOwnerChanged")
            .arg(0, BLUEZ)
            .build()?;
        let bluez = MatchRule::builder().msg_type(zbus::message::Type::Signal).sender(BLUEZ).build()?;
        let owners = MessageStream::for_match_rule(owners, &connection, Some(QUEUED)).await?;
        let bluez = MessageStream::for_match_rule(bluez, &connection, Some(QUEUED)).await?;
        Ok((Bus(connection), Signals { all: select(owners, bluez), more: Default::default() }))
    }

    /// All that BlueZ has, as if it came just now. Asking it starts the daemon where the bus can.
    pub(super) async fn look(&self) -> Vec<Event> {
        let called = self.call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &()).await;
        let Ok(answer) = called else { return vec![Event::Daemon(false)] };
        let body = answer.body();
        let Ok(objects) = body.deserialize::<HashMap<ObjectPath<'_>, Interfaces<'_>>>() else {
            return vec![Event::Daemon(false)];
        };
        let mut events = vec![];
        // Adapters first: a device belongs to one.
        for (path, interfaces) in objects.iter().collect::<BTreeMap<_, _>>() {
            events.extend(added(path, interfaces));
        }
        events.sort_by_key(|event| matches!(event, Event::Device(..)));
        events.push(Event::Blocked(is_blocked()));
        events
    }

    /// The agent that pairs, and a monitor: it matches nothing, and switches off the filter by which a controller tells
    /// each device once only.
    pub(super) async fn register(&self, adapter: u16) -> Result<(), Failed> {
        let agent = path(agent::PATH);
        let manager = "org.bluez.AgentManager1";
        match self.call("/org/bluez", manager, "RegisterAgent", &(&agent, "KeyboardDisplay")).await {
            Err(failed) if !failed.is("org.bluez.Error.AlreadyExists") => return Err(failed),
            _ => self.call("/org/bluez", manager, "RequestDefaultAgent", &(&agent,)).await?,
        };
        let monitors = path(agent::MONITORS);
        // BlueZ has none on some controllers, and before 5.66.
        _ = self.call(&hci(adapter), MONITORS, "RegisterMonitor", &(&monitors,)).await;
        Ok(())
    }

    pub(super) async fn power(&self, adapter: u16, on: bool) -> Result<(), Failed> {
        let set = (ADAPTER, "Powered", Variant::Bool(on));
        self.call(&hci(adapter), "org.freedesktop.DBus.Properties", "Set", &set).await.map(drop)
    }

    pub(super) async fn pair(&self, at: At) -> Result<(), Failed> {
        self.call_within(PAIR_LIMIT, &at.path(), DEVICE, "Pair", &()).await.map(drop)
    }

    /// Removes the bond, and pairs once the device has shown itself again: BlueZ forgets with a bond all that it knew of its device.
    pub(super) async fn pair_anew(&self, at: At) -> Result<(), Failed> {
        self.remove(at).await?;
        let is_known = async {
            while self.says(&at.path(), DEVICE, "Paired").await.is_none() {
                sleep(AGAIN).await;
            }
        };
        timeout(SHOWS_ITSELF, is_known).await.map_err(|_| Failed::Unanswered)?;
        self.pair(at).await
    }

    /// Ends a pairing that is under way.
    pub(super) async fn cancel_pairing(&self, at: At) {
        _ = self.call(&at.path(), DEVICE, "CancelPairing", &()).await;
    }

    /// Forgets the device, with its bond. BlueZ 5.82 may say that it did and only end the device's profiles, after a link
    /// that failed for lost keys: it is asked until it knows no such device, or one that it has just heard, without a bond.
    pub(super) async fn remove(&self, at: At) -> Result<(), Failed> {
        const TIMES: usize = 5;
        let device = at.path();
        for _ in 0..TIMES {
            match self.call(&hci(at.adapter), ADAPTER, "RemoveDevice", &(path(&device),)).await {
                Ok(_) => {}
                Err(failed) if failed.is("org.bluez.Error.DoesNotExist") => return Ok(()),
                Err(failed) => return Err(failed),
            }
            if self.says(&device, DEVICE, "Paired").await == Some(false) {
                return Ok(());
            }
        }
        Err(Failed::Error { name: "bus".into(), said: "BlueZ keeps the device's bond".into() })
    }

    /// Hangs up, and ends a connection that is being made. Answered when the link is gone: of a device that is out of reach after its
    /// supervision timeout, 32 s at the very most (Bluetooth Core, Vol 4, Part E, 7.8.12), mostly less than one.
    pub(super) async fn disconnect(&self, at: At) {
        _ = self.call(&at.path(), DEVICE, "Disconnect", &()).await;
    }

    /// Whether there is a link, for BlueZ.
    pub(super) async fn is_connected(&self, at: At) -> bool {
        self.says(&at.path(), DEVICE, "Connected").await == Some(true)
    }

    /// Whether BlueZ itself thinks that it scans. `None`: it does not say.
    pub(super) async fn scans(&self, adapter: u16) -> Option<bool> {
        self.says(&hci(adapter), ADAPTER, "Discovering").await
    }

    async fn says(&self, path: &str, interface: &str, property: &str) -> Option<bool> {
        let asked = (interface, property);
        let get =
            self.call_within(QUESTION_LIMIT, path, "org.freedesktop.DBus.Properties", "Get", &asked).await;
        match get.ok()?.body().deserialize::<Variant<'_>>() {
            Ok(Variant::Bool(said)) => Some(said),
            _ => None,
        }
    }

    async fn call<B: serde::Serialize + DynamicType>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) -> Called {
        self.call_within(LIMIT, path, interface, method, body).await
    }

    async fn call_within<B: serde::Serialize + DynamicType>(
        &self,
        limit: Duration,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) -> Called {
        match timeout(limit, self.0.call_method(Some(BLUEZ), path, Some(interface), method, body)).await {
            Err(_) => Err(Failed::Unanswered),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(zbus::Error::MethodError(name, said, _))) => {
                Err(Failed::Error { name: name.to_string(), said: said.unwrap_or_default() })
            }
            Ok(Err(error)) => Err(Failed::Error { name: "bus".into(), said: error.to_string() }),
        }
    }
}

impl Signals {
    /// The next event. `None`: the bus is gone.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.more.pop_front() {
                return Some(event);
            }
            let message = self.all.next().await?.ok()?;
            self.more.extend(events(&message));
        }
    }
}

fn hci(adapter: u16) -> String {
    format!("/org/bluez/hci{adapter}")
}

fn path(text: &str) -> ObjectPath<'_> {
    ObjectPath::from_str_unchecked(text)
}

/// Whether rfkill blocks Bluetooth: some switch of its kind, by software or by hand.
fn is_blocked() -> bool {
    let Ok(switches) = std::fs::read_dir("/sys/class/rfkill") else { return false };
    switches.flatten().any(|switch| {
        let says = |file: &str| std::fs::read_to_string(switch.path().join(file)).unwrap_or_default();
        says("type").trim() == "bluetooth" && (says("soft").trim() == "1" || says("hard").trim() == "1")
    })
}

#[cfg(test)]
mod tests {
    use super::At;

    #[test]
    fn paths_are_read_and_written() {
        let at = At { adapter: 0, address: [0xC0, 0xFF, 0xEE, 0, 1, 0x1A] };
        assert_eq!(at.path(), "/org/bluez/hci0/dev_C0_FF_EE_00_01_1A");
        assert_eq!(At::parse(&at.path()), Some(at));
        for none in [
            "/org/bluez/hci0",
            "/org/bluez/hci0/dev_C0_FF_EE_00_01",
            "/org/bluez/hci0/dev_C0_FF_EE_00_01_1A/service0010",
            "/org/bluez/hcix/dev_C0_FF_EE_00_01_1A",
        ] {
            assert_eq!(At::parse(none), None, "{none}");
        }
    }
}
