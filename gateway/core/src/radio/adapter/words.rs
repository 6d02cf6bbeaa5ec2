//! What is commanded, what is answered, and how it stands.

use crate::radio::Millis;

/// What to do. Numbers are those of `hciN`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Which adapters are there, and is the daemon? Told by [`super::Adapter::daemon`], [`super::Adapter::added`], [`super::Adapter::removed`],
    /// [`super::Adapter::powered`] and [`super::Adapter::blocked`], then answered.
    Look,
    /// The agent and, where there are any, the monitors.
    Register(u16),
    PowerOn(u16),
    PowerOff(u16),
    StartScan(u16),
    StopScan(u16),
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Done,
    Busy,
    /// The daemon scans already, as far as it knows.
    InProgress,
    /// The kernel goes on with a scan of a daemon that is gone; the one that is here knows nothing of it, and hears nothing.
    Inherited,
    Failed,
    Unanswered,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Poll {
    Do(Command),
    /// Nothing to do before this instant; then call [`super::Adapter::timeout`].
    Wait(Millis),
}

/// How it stands, for `hearth status`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    NoDaemon,
    NoAdapter,
    Blocked,
    Off,
    /// On its way; nothing is wrong yet.
    Starting,
    Scanning,
    /// Every rung was tried, and it does not scan.
    Dead,
}

impl State {
    /// Whether nobody has to see to it.
    pub fn is_well(self) -> bool {
        matches!(self, State::Starting | State::Scanning)
    }

    pub fn sentence(self) -> &'static str {
        match self {
            State::NoDaemon => {
                "The Bluetooth service does not run: no device is heard. Start it with `systemctl start bluetooth`, or restart the hub."
            }
            State::NoAdapter => "There is no Bluetooth adapter: no device is heard. Plug it in.",
            State::Blocked => {
                "Bluetooth is blocked: no device is heard. Unblock it with `rfkill unblock bluetooth`."
            }
            State::Off => {
                "The Bluetooth adapter is off, and does not let itself be switched on. Restart the hub."
            }
            State::Starting => "The Bluetooth adapter is being started.",
            State::Scanning => "Devices are listened for.",
            State::Dead => {
                "The Bluetooth adapter does not answer: no device is heard. Unplug it and plug it in again, or restart the hub."
            }
        }
    }
}
