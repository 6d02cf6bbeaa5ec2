//! Bridges: boards that bring what devices tell out of the hub's reach, each on a serial line of its own.
//!
//! A thin shell. What a bridge is told, and when, is asked of [`hearth_core::bridge::Line`]; here octets are carried, and what is wished
//! of the store is handed on ([`keeper`]). A line that ends, because somebody pulled the plug, is opened again when it is there again.

mod keeper;
mod port;

use crate::clock::Clock;
use hearth_core::bridge::{Greeting, Line, Note, Poll};
use hearth_core::when::HubTicks;
use hearth_wire::frame::{Level, Version};
pub(crate) use keeper::{Keeper, Wish};
use port::{open, why};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// What both ends of a UART have agreed on; a USB line takes any.
const BAUD: u32 = 115_200;
/// Between two tries to open a line that is not there.
const AGAIN: Duration = Duration::from_secs(2);
/// A board that takes no octets for so long is not there any more.
const STUCK: Duration = Duration::from_secs(5);

/// How a line fares, for `hearth status`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// It can't be opened: why.
    Closed(String),
    /// Open, and nobody has said anything that makes sense.
    Silent,
    Talks(Greeting),
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    /// Which of those that the configuration names, from 1.
    pub(crate) no: usize,
    pub(crate) path: PathBuf,
}

/// For ever.
pub(crate) async fn run(port: Port, keeper: Keeper, clock: Clock, state: watch::Sender<State>) {
    loop {
        let why = match open(&port.path, BAUD) {
            Ok(line) => {
                _ = state.send_replace(State::Silent);
                tracing::info!("bridge line {}: open", port.no);
                let why = talk(&port, line, &keeper, &clock, &state).await;
                tracing::warn!("bridge line {}: {why}", port.no);
                why
            }
            Err(error) => why(&error),
        };
        state.send_if_modified(|state| {
            let closed = State::Closed(why);
            std::mem::replace(state, closed.clone()) != closed
        });
        sleep(AGAIN).await;
    }
}

/// Until the line ends: why it did.
async fn talk(
    port: &Port,
    (mut from, mut to): port::Line,
    keeper: &Keeper,
    clock: &Clock,
    state: &watch::Sender<State>,
) -> String {
    let mut line = Line::new(clock.ticks());
    let mut bridge = None;
    let mut buffer = [0; 1_024];
    loop {
        let until = match line.poll() {
            Poll::Wait(until) => until,
            Poll::Send(octets) => match timeout(STUCK, to.write_all(&octets)).await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => return error.to_string(),
                Err(_) => return "it takes nothing any more".to_owned(),
            },
            Poll::Greet(greeting) => {
                let (no, known) = keeper.greet(greeting.clone()).await;
                let Version { major, minor, patch } = greeting.firmware;
                tracing::info!(
                    "bridge line {}: bridge {}, firmware {major}.{minor}.{patch}, {} records wait there",
                    port.no,
                    no.0,
                    greeting.waiting
                );
                bridge = Some((no, greeting.bridge));
                _ = state.send_replace(State::Talks(greeting));
                line.known(known, clock.ticks());
                continue;
            }
            Poll::Keep(epoch, met) => {
                if let Some((no, _)) = bridge {
                    keeper.met(no, epoch, met).await;
                    line.kept(clock.ticks());
                }
                continue;
            }
            Poll::Take(told) => {
                if let Some(bridge) = bridge {
                    tracing::debug!("bridge {}: {} records", bridge.0.0, told.len());
                    keeper.take(bridge, told).await;
                    line.committed();
                }
                continue;
            }
            Poll::Done(token, outcome) => {
                tracing::debug!("bridge line {}: request {token}: {outcome:?}", port.no);
                continue;
            }
            Poll::Note(note) => {
                if note == Note::Silent {
                    _ = state.send_replace(State::Silent);
                }
                say(port, &note);
                continue;
            }
        };
        tokio::select! {
            came = from.read(&mut buffer) => match came {
                Ok(0) => return "it was unplugged".to_owned(),
                Ok(many) => line.octets(&buffer[..many], clock.ticks()),
                Err(error) => return error.to_string(),
            },
            () = sleep(left(until, clock.ticks())) => line.timeout(clock.ticks()),
        }
    }
}

fn left(until: HubTicks, now: HubTicks) -> Duration {
    Duration::from_millis(until.ms.saturating_sub(now.ms).max(0).unsigned_abs())
}

/// What a bridge says to a technician is its firmware's own word, which names nobody.
fn say(port: &Port, note: &Note) {
    let no = port.no;
    match note {
        Note::Log(Level::Error, said) => tracing::error!("bridge line {no}: {said}"),
        Note::Log(Level::Warning, said) => tracing::warn!("bridge line {no}: {said}"),
        Note::Log(Level::Info, said) => tracing::info!("bridge line {no}: {said}"),
        Note::Log(_, said) => tracing::debug!("bridge line {no}: {said}"),
        Note::NotAdopted(why) => tracing::error!("bridge line {no}: the bridge takes nothing: {why}"),
        Note::Silent => tracing::warn!("bridge line {no}: the bridge says nothing any more"),
        Note::Broken => tracing::debug!("bridge line {no}: octets that are no frame"),
    }
}
