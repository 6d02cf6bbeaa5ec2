//! Drives a [`Bridge`] on any board: hands it what comes, when it comes, and calls it again at the instant that it names.
//!
//! One task owns the bridge and waits for whatever is first: room on the hub's line, the next sample, the bridge's instant, the hub's
//! octets. So nothing is shared and nothing locked; in between, the processor sleeps. While the task waits for its flash the hub's octets
//! go on to come, and it is the board that has to have room for them: an erase takes a chip up to 90 ms, in which 115 200 baud
//! bring 1036.
//!
//! Deliberately absent: boards, vendors' crates, judgement. What is decided is decided in `firmware`, and tested there without a clock.
#![no_std]
#![forbid(unsafe_code)]

mod desk;
mod outgoing;
mod sensors;

use core::fmt;
use core::future::pending;
pub use desk::{ADVERTISEMENT, Desk, ForRadio, Kept, NoPlan, Plan, Word};
use desk::{Answer, Asked};
use embassy_futures::select::{Either6, select6};
use embassy_time::{Duration, Instant, Timer, with_timeout};
use embedded_io_async::{Read, Write};
use embedded_storage_async::nor_flash::NorFlash;
use firmware::bridge::{About, Bridge, Line, put};
use firmware::flash::Refused;
use firmware::sensor::{LENGTH, LoadCell, Thermometer};
use firmware::update::{Room, Standing};
use firmware::wish::Wish;
pub use hearth_wire::frame::image::Mark;
use hearth_wire::frame::line::LONGEST_ON_THE_LINE;
use hearth_wire::frame::said::Said;
use hearth_wire::frame::{Heard, Level, Outcome, Ticks, ToHub, Version};
use outgoing::Outgoing;
pub use sensors::Scale;
use sensors::{Sensors, Tells};

/// A bus that somebody holds down is given up after so long.
const BUS: Duration = Duration::from_millis(500);
/// Flash that failed is asked again after so long.
const FLASH: Duration = Duration::from_secs(10);
/// A firmware that is new is given up if no hub has confirmed it by then.
const TRIAL: Duration = Duration::from_secs(600);
/// What is still to be said before a restart takes no longer; a hub that takes nothing must not keep a bridge from it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What the image of the package that calls this says of itself, and whoever has the image reads there: its board, by the package's
/// name, and its version. As the image has it: it may have been given another version before it was signed. `None`: whatever it is, it
/// is no firmware that a hub would confirm.
#[macro_export]
macro_rules! mark {
    () => {{
        static MARK: [u8; $crate::Mark::LENGTH] = $crate::Mark {
            board: env!("CARGO_PKG_NAME"),
            version: $crate::version(
                env!("CARGO_PKG_VERSION_MAJOR"),
                env!("CARGO_PKG_VERSION_MINOR"),
                env!("CARGO_PKG_VERSION_PATCH"),
            ),
        }
        .octets();
        $crate::Mark::of(core::hint::black_box(&MARK))
    }};
}

/// For [`mark!`]: panics where the firmware is built, if these are no version's numbers.
#[must_use]
pub const fn version(major: &str, minor: &str, patch: &str) -> Version {
    const fn number(digits: &str) -> u16 {
        match u16::from_str_radix(digits, 10) {
            Ok(number) => number,
            Err(_) => panic!("a version has three numbers"),
        }
    }
    Version { major: number(major), minor: number(minor), patch: number(patch) }
}

/// What a board is made of. The line's two ends lose nothing when a read or a write of theirs is dropped half-way: so it is with those that
/// have a buffer between them and the wire.
pub struct Board<F, R, W, T, C> {
    pub about: About,
    pub spool: F,
    pub settings: F,
    /// Where a new firmware has room. `None`: this board takes none from its hub.
    pub updates: Option<Room<F>>,
    pub from_hub: R,
    pub to_hub: W,
    pub thermometer: Option<T>,
    pub scale: Option<Scale<C, F>>,
    /// Starts the board anew, as after power-on.
    pub restart: fn() -> !,
}

impl<F, R, W, T, C> fmt::Debug for Board<F, R, W, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("about", &self.about).finish_non_exhaustive()
    }
}

impl<F: NorFlash, R: Read, W: Write, T: Thermometer, C: LoadCell> Board<F, R, W, T, C> {
    /// From power-on to power-off, with a spool of so many pages. At the desk is the radio, if the board has one.
    pub async fn run<const PAGES: usize>(mut self, desk: &Desk) -> ! {
        let mut line = Outgoing::new();
        let started = Bridge::<F, PAGES>::start(self.about, self.spool, self.settings, self.updates).await;
        let sensors = Sensors::start(self.thermometer, self.scale).await;
        let (Ok(mut bridge), Ok(mut sensors)) = (started, sensors) else {
            log(Level::Error, "the flash memory cannot be read: starting again", &mut line);
            last_words(&mut self.to_hub, &mut line).await;
            Timer::after(FLASH).await;
            (self.restart)()
        };
        let greeted = bridge.hello(now(), &mut line).await;
        complain(greeted, &mut line);
        desk.greeted();
        let mut octets = [0; 64];
        let trial = Instant::now() + TRIAL;
        loop {
            if bridge.standing() == Standing::OnTrial && Instant::now() >= trial {
                log(Level::Error, "nobody has confirmed this firmware: back to the one before", &mut line);
                last_words(&mut self.to_hub, &mut line).await;
                (self.restart)()
            }
            let told = bridge.tell(now(), &mut line).await;
            let again = match complain(told, &mut line) {
                Some(again) => again.map(|Ticks(at)| Instant::from_millis(at)),
                None => Some(Instant::now() + FLASH),
            };
            // The hub's octets come last: however many it sends, the others have their turn.
            let first = select6(
                written(&mut self.to_hub, line.waiting()),
                sensors.due(),
                until(again),
                desk.asked(),
                said(desk, line.room()),
                self.from_hub.read(&mut octets),
            );
            match first.await {
                Either6::First(Ok(many)) => line.went(many),
                // Whatever of it arrived is no frame; what matters is told again.
                Either6::First(Err(_)) => line.clear(),
                Either6::Second(()) => {
                    let mut value = [0; LENGTH];
                    match sensors.ask(now(), &mut value).await {
                        None => {}
                        Some(Tells::Log(level, words)) => log(level, words, &mut line),
                        Some(Tells::Said(said)) => {
                            let kept = bridge.keep_or_count(&said).await;
                            complain(kept, &mut line);
                        }
                    }
                }
                Either6::Third(()) => {}
                Either6::Fourth((number, asked)) => {
                    let answered = answer(&mut bridge, asked).await;
                    let answered = complain(answered, &mut line);
                    desk.answer(number, answered.unwrap_or(Answer::Kept(Kept::NoRoom)));
                }
                Either6::Fifth(word) => say(&word, &mut line),
                Either6::Sixth(Ok(many)) => {
                    let came = octets.get(..many).unwrap_or_default();
                    let mut restart = false;
                    let (mut busy, mut mass) = (None, None);
                    let wish = |wish| match wish {
                        Wish::Restart => restart = true,
                        Wish::Configured => desk.configured(),
                        Wish::Greeted => desk.greeted(),
                        Wish::Radio(order) if desk.order(order, now()) => {}
                        Wish::Radio(order) => busy = Some(order.token()),
                        Wish::Calibrate { token, mass: lies } => mass = Some((token, lies)),
                    };
                    let heard = bridge.received(came, now(), &mut line, wish).await;
                    complain(heard, &mut line);
                    if let Some(token) = busy {
                        put(&ToHub::Done { token, outcome: Outcome::Busy }, &mut line);
                    }
                    if let Some((token, mass)) = mass {
                        let calibrated = sensors.calibrate(mass).await;
                        let outcome = complain(calibrated, &mut line).unwrap_or(Outcome::Flash);
                        put(&ToHub::Done { token, outcome }, &mut line);
                    }
                    if restart {
                        last_words(&mut self.to_hub, &mut line).await;
                        (self.restart)()
                    }
                }
                // An octet that was garbled or lost on the wire: its frame's checksum says so.
                Either6::Sixth(Err(_)) => {}
            }
        }
    }
}

/// What the radio asked for.
async fn answer<F: NorFlash, const PAGES: usize>(
    bridge: &mut Bridge<F, PAGES>,
    asked: Asked,
) -> Result<Answer, Refused<F::Error>> {
    let octets = match asked {
        Asked::Device(number) => {
            let time = bridge.time();
            let plan = bridge.device(number).await?.map(|device| Plan::of(&device, time));
            return Ok(Answer::Device(plan.transpose()));
        }
        Asked::Keep(ref octets, _) => octets,
    };
    // The radio has just written it.
    let Ok(said) = Said::decode(octets) else { return Ok(Answer::Kept(Kept::NoRoom)) };
    let kept = match asked {
        Asked::Keep(_, true) => bridge.keep_or_count(&said.value).await?.is_some(),
        _ => match bridge.keep(&said.value).await {
            Ok(_) => true,
            Err(Refused::Full | Refused::NoEpoch | Refused::TooLong) => false,
            Err(refused) => return Err(refused),
        },
    };
    Ok(Answer::Kept(if kept { Kept::Safe } else { Kept::NoRoom }))
}

/// The radio's next word, once the line has room for any.
async fn said(desk: &Desk, room: usize) -> Word {
    if room < LONGEST_ON_THE_LINE { pending().await } else { desk.word().await }
}

fn say(word: &Word, line: &mut Outgoing) {
    let frame = match word {
        Word::Heard { at, peer, rssi, octets } => {
            ToHub::Heard(Heard { at: *at, peer: *peer, rssi: *rssi, octets })
        }
        Word::Prompt { token, what } => ToHub::Prompt { token: *token, what: *what },
        Word::Bond { peer, standing } => ToHub::Bond { peer: *peer, standing: *standing },
        Word::Done { token, outcome } => ToHub::Done { token: *token, outcome: *outcome },
        Word::Log { level, text } => ToHub::Log { at: now(), level: *level, text },
    };
    put(&frame, line);
}

/// Milliseconds since the board's start.
pub fn now() -> Ticks {
    Ticks(Instant::now().as_millis())
}

fn log(level: Level, text: &str, line: &mut Outgoing) {
    put(&ToHub::Log { at: now(), level, text }, line);
}

/// What the flash refused is said; the bridge goes on with what it has.
fn complain<T, E>(done: Result<T, Refused<E>>, line: &mut Outgoing) -> Option<T> {
    if done.is_err() {
        log(Level::Error, "the flash memory does not do what it is told", line);
    }
    done.ok()
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => Timer::at(instant).await,
        None => pending().await,
    }
}

/// How many of these octets went out; for ever, if there are none.
async fn written<W: Write>(line: &mut W, octets: &[u8]) -> Result<usize, W::Error> {
    if octets.is_empty() { pending().await } else { line.write(octets).await }
}

/// Until all is on the wire, or the hub has had its time.
async fn last_words<W: Write>(to_hub: &mut W, line: &mut Outgoing) {
    let all = async {
        to_hub.write_all(line.waiting()).await?;
        to_hub.flush().await
    };
    // Either way a restart follows.
    _ = with_timeout(LAST_WORDS, all).await;
    line.clear();
}
