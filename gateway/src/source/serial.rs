//! Bridges: boards that bring what devices tell out of the hub's reach, each on a serial line of its own.
//!
//! A thin shell. What a bridge is told, and when, is asked of [`hearth_core::bridge::Line`]; [`talk`] carries octets, and hands on what
//! is wished of the store ([`keeper`]); [`pairing`] brings devices into the house through it. A line that ends, because somebody pulled
//! the plug, is opened again when it is there again.

mod keeper;
mod near;
mod pairing;
mod port;
mod talk;

use super::asked::{Ask, Step};
use crate::clock::Clock;
use hearth_core::bridge::{BridgeNo, Greeting};
pub(crate) use keeper::{Keeper, Wish};
use port::{open, why};
use std::path::PathBuf;
use std::time::Duration;
use talk::Talk;
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

/// For ever.
pub(crate) async fn run(
    port: Port,
    keeper: Keeper,
    clock: Clock,
    mut asked: mpsc::UnboundedReceiver<Ask>,
    state: watch::Sender<State>,
) {
    loop {
        let why = match open(&port.path, BAUD) {
            Ok(line) => {
                _ = state.send_replace(State::Silent);
                tracing::info!("bridge line {}: open", port.no);
                let why = Talk::new(&port, &keeper, &clock, &state).run(line, &mut asked).await;
                tracing::warn!("bridge line {}: {why}", port.no);
                why
            }
            Err(error) => why(&error),
        };
        state.send_if_modified(|state| {
            let closed = State::Closed(why);
            std::mem::replace(state, closed.clone()) != closed
        });
        let away = async {
            while let Some(ask) = asked.recv().await {
                refuse(ask);
            }
            std::future::pending().await
        };
        tokio::select! {
            () = sleep(AGAIN) => {}
            () = away => {}
        }
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
