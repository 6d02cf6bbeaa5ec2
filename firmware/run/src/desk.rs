//! Between the bridge, which owns the flash, and the radio, which waits for devices: each asks, and the other answers.
//!
//! Both run beside each other on one board. The radio asks one thing at a time and waits for the answer: what a device said is in
//! flash when [`Desk::keep`] says so, and may be confirmed then.

use core::sync::atomic::{AtomicU32, Ordering};
use embassy_futures::select::{Either3, select3};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;
use embassy_sync::signal::Signal;
use embassy_time::{Duration, with_timeout};
use firmware::wish::Order;
use heapless::Vec;
use hearth_wire::NoRoom;
use hearth_wire::frame::plan::{self, Security, Steps};
use hearth_wire::frame::said::Said;
use hearth_wire::frame::{Level, Outcome, Peer, Prompt, Standing, Ticks, TimeOfDay};

/// What a radio hears is no longer: 128 octets of a value, with who, what and when.
const LONGEST: usize = 160;
/// The steps of one device: the longest plan of the hub's profiles has 90 octets.
const STEPS: usize = 256;
/// How long a word waits for the hub.
const PATIENCE: Duration = Duration::from_secs(5);
/// An advertisement of Bluetooth 4.
pub const ADVERTISEMENT: usize = 31;

type Queue<T, const N: usize> = Channel<CriticalSectionRawMutex, T, N>;

/// The counter between the two.
pub struct Desk {
    asked: Queue<(u32, Asked), 1>,
    answers: Queue<(u32, Answer), 1>,
    /// How often something was asked: each answer is to one of them. One asks, so that nothing need be exchanged.
    number: AtomicU32,
    orders: Queue<(Order, Ticks), 4>,
    /// Once is as good as many times, and none of it gets lost behind a long conversation.
    is_configured: Signal<CriticalSectionRawMutex, ()>,
    is_greeted: Signal<CriticalSectionRawMutex, ()>,
    words: Queue<Word, 4>,
}

/// What the radio asks of the bridge.
#[allow(clippy::large_enum_variant, reason = "there is one of it, and nothing to put it in elsewhere")]
pub(crate) enum Asked {
    /// Keep this. True: no device will say it again.
    Keep(Vec<u8, LONGEST>, bool),
    /// The device with this number in the configuration.
    Device(usize),
}

#[allow(clippy::large_enum_variant, reason = "there is one of it, and nothing to put it in elsewhere")]
pub(crate) enum Answer {
    Kept(Kept),
    /// `None`: there are no more.
    Device(Result<Option<Plan>, NoPlan>),
}

/// Why a device of the configuration has no plan here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoPlan {
    /// The flash can't be read.
    Flash,
    /// It has more steps than there is room for.
    TooLong,
}

/// What became of something that was to be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// It is in flash: whoever said it may forget it.
    Safe,
    /// There is no room for it.
    NoRoom,
}

/// One device of the configuration.
#[derive(Clone, Debug)]
pub struct Plan {
    pub peer: Peer,
    pub security: Security,
    pub silence_ms: u16,
    /// What time it is, if the hub said so.
    pub time: Option<TimeOfDay>,
    steps: Vec<u8, STEPS>,
}

impl Plan {
    pub fn device(&self) -> plan::Device<'_> {
        let Plan { peer, security, silence_ms, ref steps, .. } = *self;
        plan::Device { peer, security, silence_ms, steps: Steps::of(steps) }
    }

    pub(crate) fn of(device: &plan::Device<'_>, time: Option<TimeOfDay>) -> Result<Plan, NoPlan> {
        let plan::Device { peer, security, silence_ms, steps } = *device;
        let steps = Vec::from_slice(steps.octets()).map_err(|_| NoPlan::TooLong)?;
        Ok(Plan { peer, security, silence_ms, time, steps })
    }
}

/// What the bridge has for the radio.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForRadio {
    /// The configuration is another.
    Configured,
    /// A hub is there, and wants to know how the bonds stand.
    Greeted,
    /// From the hub, and when it came.
    Order(Order, Ticks),
}

/// What the radio has to say to the hub, and nobody keeps.
#[derive(Clone, Debug)]
pub enum Word {
    Heard { at: Ticks, peer: Peer, rssi: i8, octets: Vec<u8, ADVERTISEMENT> },
    Prompt { token: u16, what: Prompt },
    Bond { peer: Peer, standing: Standing },
    Done { token: u16, outcome: Outcome<'static> },
    Log { level: Level, text: &'static str },
}

impl core::fmt::Debug for Desk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Default for Desk {
    fn default() -> Self {
        Desk::new()
    }
}

impl Desk {
    pub const fn new() -> Desk {
        Desk {
            asked: Channel::new(),
            answers: Channel::new(),
            number: AtomicU32::new(0),
            orders: Channel::new(),
            is_configured: Signal::new(),
            is_greeted: Signal::new(),
            words: Channel::new(),
        }
    }

    // ---- the radio's side

    /// Keeps what a device said. When this says [`Kept::Safe`] it is in flash, and has been read there again.
    pub async fn keep(&self, said: &Said<'_>, is_said_once: bool) -> Result<Kept, NoRoom> {
        let mut octets = Vec::new();
        // There is as much room as it has.
        _ = octets.resize_default(LONGEST);
        let length = said.encode(&mut octets)?.len();
        octets.truncate(length);
        match self.ask(Asked::Keep(octets, is_said_once)).await {
            Answer::Kept(kept) => Ok(kept),
            Answer::Device(_) => Ok(Kept::NoRoom),
        }
    }

    /// The device with this number in the configuration, from 0 on. `None`: there are no more.
    pub async fn device(&self, number: usize) -> Result<Option<Plan>, NoPlan> {
        match self.ask(Asked::Device(number)).await {
            Answer::Device(plan) => plan,
            Answer::Kept(_) => Err(NoPlan::Flash),
        }
    }

    /// Whoever asked before may have gone away without its answer, which still comes.
    async fn ask(&self, asked: Asked) -> Answer {
        let number = self.number.load(Ordering::Relaxed).wrapping_add(1);
        self.number.store(number, Ordering::Relaxed);
        self.asked.send((number, asked)).await;
        loop {
            let (to, answer) = self.answers.receive().await;
            if to == number {
                return answer;
            }
        }
    }

    pub async fn ordered(&self) -> ForRadio {
        match select3(self.is_configured.wait(), self.is_greeted.wait(), self.orders.receive()).await {
            Either3::First(()) => ForRadio::Configured,
            Either3::Second(()) => ForRadio::Greeted,
            Either3::Third((order, at)) => ForRadio::Order(order, at),
        }
    }

    /// Says what somebody waits for. A hub that takes nothing for so long is not there.
    pub async fn say(&self, word: Word) {
        _ = with_timeout(PATIENCE, self.words.send(word)).await;
    }

    /// Says it if there is room: it comes again, or is for nobody but a technician. A hub that takes nothing must not keep the radio from
    /// its devices.
    pub fn try_say(&self, word: Word) {
        _ = self.words.try_send(word);
    }

    // ---- the bridge's side

    pub(crate) async fn asked(&self) -> (u32, Asked) {
        self.asked.receive().await
    }

    pub(crate) fn answer(&self, to: u32, answer: Answer) {
        // The one before was taken, or is nobody's.
        self.answers.clear();
        _ = self.answers.try_send((to, answer));
    }

    pub(crate) fn configured(&self) {
        self.is_configured.signal(());
    }

    pub(crate) fn greeted(&self) {
        self.is_greeted.signal(());
    }

    /// False: the radio has enough to do.
    pub(crate) fn order(&self, order: Order, at: Ticks) -> bool {
        self.orders.try_send((order, at)).is_ok()
    }

    pub(crate) async fn word(&self) -> Word {
        self.words.receive().await
    }
}
