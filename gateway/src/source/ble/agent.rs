//! Who pairs for this hub: `org.bluez.Agent1`. Nobody pairs outside a window that was opened for one device.

use super::bus::At;
use super::link::News;
use crate::source::asked::Step;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};
use zbus::{Connection, ObjectPath};

pub(super) const PATH: &str = "/org/hearth/agent";
/// Below it lie the monitors.
pub(super) const MONITORS: &str = "/org/hearth";
const MONITOR: &str = "/org/hearth/monitor";

/// For which device a window is open, and who is asked.
#[derive(Clone, Debug)]
struct Window {
    at: At,
    person: Option<mpsc::UnboundedSender<Step>>,
}

/// Opens and closes windows.
#[derive(Clone, Debug)]
pub(super) struct Doorkeeper {
    window: Arc<Mutex<Option<Window>>>,
    /// Told of devices that want to be paired while none is open for them.
    turned_away: mpsc::UnboundedSender<News>,
}

impl Doorkeeper {
    pub(super) fn new(turned_away: mpsc::UnboundedSender<News>) -> Doorkeeper {
        Doorkeeper { window: Arc::default(), turned_away }
    }

    /// For this device alone. `person`: who is asked; without one, nothing that a person has to type or compare goes on.
    pub(super) fn open(&self, at: At, person: Option<mpsc::UnboundedSender<Step>>) {
        *self.window_now() = Some(Window { at, person });
    }

    pub(super) fn close(&self) {
        *self.window_now() = None;
    }

    fn window_now(&self) -> MutexGuard<'_, Option<Window>> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn window(&self, device: &str) -> Result<Window, Refusal> {
        let at = At::parse(device);
        self.window_now().clone().filter(|window| at == Some(window.at)).ok_or_else(|| {
            _ = at.map(|at| self.turned_away.send(News::TurnedAway(at)));
            Refusal::Rejected("no pairing is open for this device".into())
        })
    }

    fn person(&self, device: &str) -> Result<mpsc::UnboundedSender<Step>, Refusal> {
        let nobody = || Refusal::Rejected("nobody is there to be asked".into());
        self.window(device)?.person.ok_or_else(nobody)
    }

    async fn ask<T>(
        &self,
        device: &str,
        step: impl FnOnce(oneshot::Sender<T>) -> Step,
    ) -> Result<T, Refusal> {
        let gone = || Refusal::Canceled("nobody answered".into());
        let (answer, answered) = oneshot::channel();
        self.person(device)?.send(step(answer)).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())
    }
}

/// In the words that BlueZ knows.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.bluez.Error")]
pub(super) enum Refusal {
    #[zbus(error)]
    ZBus(zbus::Error),
    Rejected(String),
    Canceled(String),
}

#[derive(Clone, Debug)]
pub(super) struct Agent(pub(super) Doorkeeper);

#[zbus::interface(name = "org.bluez.Agent1")]
impl Agent {
    fn release(&self) {}

    async fn request_passkey(&self, device: ObjectPath<'_>) -> Result<u32, Refusal> {
        self.0.ask(&device, Step::Passkey).await
    }

    fn display_passkey(&self, device: ObjectPath<'_>, passkey: u32, _entered: u16) {
        if let Ok(person) = self.0.person(&device) {
            _ = person.send(Step::Show(passkey));
        }
    }

    async fn request_confirmation(&self, device: ObjectPath<'_>, passkey: u32) -> Result<(), Refusal> {
        match self.0.ask(&device, |answer| Step::Compare(passkey, answer)).await? {
            true => Ok(()),
            false => Err(Refusal::Rejected("the digits differ".into())),
        }
    }

    fn request_authorization(&self, device: ObjectPath<'_>) -> Result<(), Refusal> {
        if let Some(person) = self.0.window(&device)?.person {
            _ = person.send(Step::JustWorks);
        }
        Ok(())
    }

    fn authorize_service(&self, device: ObjectPath<'_>, _uuid: &str) -> Result<(), Refusal> {
        self.0.window(&device).map(drop)
    }

    fn request_pin_code(&self, _device: ObjectPath<'_>) -> Result<String, Refusal> {
        Err(Refusal::Rejected("a device of Bluetooth Classic".into()))
    }

    fn cancel(&self) {}
}

/// Matches no advertisement.
struct Monitor;

#[zbus::interface(name = "org.bluez.AdvertisementMonitor1")]
impl Monitor {
    fn release(&self) {}

    fn activate(&self) {}

    fn device_found(&self, _device: ObjectPath<'_>) {}

    fn device_lost(&self, _device: ObjectPath<'_>) {}

    #[zbus(property, name = "Type")]
    fn kind(&self) -> &str {
        "or_patterns"
    }

    /// Start, kind of data, octets: manufacturer data of a company identifier that is reserved for tests.
    #[zbus(property)]
    fn patterns(&self) -> Vec<(u8, u8, Vec<u8>)> {
        vec![(0, 0xFF, vec![0xFF, 0xFF, 0x48, 0x65, 0x61, 0x72, 0x74, 0x68])]
    }
}

/// Puts the monitor on the bus, for [`super::bus::Bus::register`].
pub(super) async fn monitor(connection: &Connection) -> zbus::Result<()> {
    connection.object_server().at(MONITORS, zbus::fdo::ObjectManager).await?;
    connection.object_server().at(MONITOR, Monitor).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(last: u8) -> At {
        At { adapter: 0, address: [0xC0, 0, 0, 0, 0, last] }
    }

    #[tokio::test]
    async fn nobody_pairs_outside_a_window() {
        let (turned_away, mut told) = mpsc::unbounded_channel();
        let keeper = Doorkeeper::new(turned_away);
        let agent = Agent(keeper.clone());
        let (one, other) = (device(1).path(), device(2).path());
        let path = |text: &str| ObjectPath::try_from(text.to_owned()).unwrap();
        assert!(agent.request_authorization(path(&one)).is_err());
        keeper.open(device(1), None);
        assert!(agent.request_authorization(path(&one)).is_ok());
        assert!(agent.request_authorization(path(&other)).is_err(), "another device's");
        assert!(agent.request_passkey(path(&one)).await.is_err(), "nobody can type");
        keeper.close();
        assert!(agent.request_authorization(path(&one)).is_err());
        // Each time but that in which only nobody could type.
        for who in [1, 2, 1] {
            assert!(matches!(told.try_recv(), Ok(News::TurnedAway(at)) if at == device(who)));
        }
        assert!(told.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_person_is_asked_for_what_the_device_shows() {
        let keeper = Doorkeeper::new(mpsc::unbounded_channel().0);
        let agent = Agent(keeper.clone());
        let (person, mut asked) = mpsc::unbounded_channel();
        keeper.open(device(1), Some(person));
        let path = ObjectPath::try_from(device(1).path()).unwrap();
        let answers = async {
            match asked.recv().await {
                Some(Step::Passkey(answer)) => answer.send(123_456).unwrap(),
                other => panic!("{other:?}"),
            }
            match asked.recv().await {
                Some(Step::Compare(42, answer)) => answer.send(false).unwrap(),
                other => panic!("{other:?}"),
            }
        };
        let requests = async {
            assert_eq!(agent.request_passkey(path.clone()).await.unwrap(), 123_456);
            assert!(agent.request_confirmation(path.clone(), 42).await.is_err());
        };
        tokio::join!(answers, requests);
    }
}
