//! Bridges: boards that bring what devices tell out of the hub's reach, each on a serial line of its own.
//!
//! A thin shell. What a bridge is told, and when, is asked of [`hearth_core::bridge::Line`]; [`talk`] carries octets, and hands on what
//! is wished of the store ([`keeper`]); [`pairing`] brings devices into the house through it. A line that ends, because somebody pulled
//! the plug, is opened again when it is there again.

pub(crate) mod board;
mod keeper;
mod near;
mod pairing;
mod port;
mod talk;
mod times;

use super::asked::{Ask, Step};
use crate::clock::Clock;
use board::Update;
use hearth_core::bridge::{BridgeNo, Greeting};
use hearth_core::when::HubTicks;
use hearth_wire::frame::Level;
pub(crate) use keeper::{Keeper, Wish};
use port::{open, why};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;
use talk::{Stays, Talk};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// What both ends of a UART have agreed on; a USB line takes any.
const BAUD: u32 = 115_200;
/// Between two tries to open a line that is not there.
const AGAIN: Duration = Duration::from_secs(2);

const NOT_THERE: &str = "the bridge is not there; plug it in, and try again";

/// How a line fares, for `hearth status`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// It can't be opened: why.
    Closed(String),
    /// Open, and nobody has said anything that makes sense.
    Silent,
    Talks {
        no: BridgeNo,
        greeting: Greeting,
        /// Why it does not do what it has to do with its devices.
        trouble: Option<String>,
    },
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    /// Which of those that the configuration names, from 1.
    pub(crate) no: usize,
    pub(crate) path: PathBuf,
}

/// What a bridge said to a technician.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Logged {
    pub(crate) at: HubTicks,
    pub(crate) level: Level,
    pub(crate) text: String,
}

/// So much of it is kept, in memory.
const LOGGED: usize = 200;

/// The hub's side of one line.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) port: Port,
    pub(crate) asks: mpsc::UnboundedSender<Ask>,
    pub(crate) board: mpsc::UnboundedSender<board::Ask>,
    pub(crate) state: watch::Receiver<State>,
    /// The latest first.
    pub(crate) said: watch::Receiver<VecDeque<Logged>>,
}

/// The other side of it, which carries the line.
#[derive(Debug)]
pub(crate) struct Behind {
    port: Port,
    asked: mpsc::UnboundedReceiver<Ask>,
    board: mpsc::UnboundedReceiver<board::Ask>,
    state: watch::Sender<State>,
    said: watch::Sender<VecDeque<Logged>>,
}

impl Door {
    pub(crate) fn new(port: Port) -> (Door, Behind) {
        let (asks, asked) = mpsc::unbounded_channel();
        let (board, of_the_board) = mpsc::unbounded_channel();
        let (state, seen) = watch::channel(State::Silent);
        let (said, read) = watch::channel(VecDeque::new());
        let behind = Behind { port: port.clone(), asked, board: of_the_board, state, said };
        (Door { port, asks, board, state: seen, said: read }, behind)
    }
}

/// For ever.
pub(crate) async fn run(behind: Behind, keeper: Keeper, clock: Clock) {
    let Behind { port, mut asked, board: mut of_the_board, state, said } = behind;
    let stays = Stays { port, keeper, clock, state, said };
    let mut update = None;
    loop {
        let why = match open(&stays.port.path, BAUD) {
            Ok(line) => {
                _ = stays.state.send_replace(State::Silent);
                tracing::info!("bridge line {}: open", stays.port.no);
                let why = Talk::new(&stays, &mut update).run(line, &mut asked, &mut of_the_board).await;
                tracing::warn!("bridge line {}: {why}", stays.port.no);
                why
            }
            Err(error) => why(&error),
        };
        stays.state.send_if_modified(|state| {
            let closed = State::Closed(why);
            std::mem::replace(state, closed.clone()) != closed
        });
        Update::line_ended(&mut update);
        let away = async {
            loop {
                tokio::select! {
                    Some(ask) = asked.recv() => refuse(ask),
                    Some(ask) = of_the_board.recv() => board::refuse(ask),
                    else => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            () = sleep(AGAIN) => {}
            () = away => {}
        }
        Update::waits(&mut update, stays.clock.ticks());
    }
}

/// What is asked of a bridge that is not there.
fn refuse(ask: Ask) {
    match ask {
        // It is asked for when the bridge is there again.
        Ask::House => {}
        Ask::Nearby(answer) => _ = answer.send(vec![]),
        Ask::Pair { steps, .. } => _ = steps.send(Step::Over(Err(NOT_THERE.to_owned()))),
        Ask::Unpair { done, .. } => _ = done.send(Err(NOT_THERE.to_owned())),
    }
}
