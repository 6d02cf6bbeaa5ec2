//! What is asked of a bridge's board: these answers take as long as the board takes.

use super::Request;
use super::words::Row;
use crate::open::{Inside, Time};
use crate::show::{Ending, Fields, Shown, count, exit};
use crate::source::serial::board::{Ask, Step};
use crate::source::serial::{Door, State};
use crate::source::wired::scale::Calibrate;
use data_encoding::BASE64;
use hearth_core::bridge::BridgeNo;
use hearth_core::bridge::image::Signed;
use hearth_wire::frame::{BridgeId, Capabilities, Level};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// The longest pause between two steps of an update: the bridge exchanges its images meanwhile.
const PATIENCE: Duration = Duration::from_secs(200);
/// A bridge answers, or starts anew, in less.
const ANSWERS: Duration = Duration::from_secs(15);

/// An update that one peer has begun. If the peer goes, it goes on.
#[derive(Debug, Default)]
pub(super) struct Talk {
    steps: Option<mpsc::UnboundedReceiver<Step>>,
}

type Answer = Result<Shown, Ending>;

/// Answers what concerns a board. `None`: that does not.
pub(super) async fn answer(inside: &Inside, talk: &mut Talk, request: &Request) -> Option<Answer> {
    Some(match request {
        Request::BridgeInfo { bridge } => there(inside, *bridge).map(|door| info(&door)),
        Request::BridgeLogs { bridge } => there(inside, *bridge).map(|door| logs(inside, &door)),
        Request::BridgeReset { bridge } => reset(inside, *bridge).await,
        Request::BridgeCalibrate { bridge, grams } => calibrate(inside, *bridge, *grams).await,
        Request::BridgeUpdate { bridge, file, forced } => talk.begin(inside, *bridge, file, *forced).await,
        Request::BridgeUpdateNext => talk.next().await,
        _ => return None,
    })
}

fn there(inside: &Inside, bridge: i64) -> Result<Door, Ending> {
    inside.bridge(BridgeNo(bridge)).ok_or_else(|| {
        let said = format!("bridge {bridge} is not there; `hearth bridge list` shows which are");
        Ending::new(exit::UNAVAILABLE, said)
    })
}

fn gone() -> Ending {
    Ending::new(exit::UNAVAILABLE, "the bridge is gone; `hearth bridge list` says more")
}

fn info(door: &Door) -> Shown {
    let State::Talks { no, greeting, .. } = &*door.state.borrow() else { return Shown::default() };
    let BridgeId(id) = greeting.bridge;
    let can = [
        (Capabilities::BLUETOOTH, "Bluetooth"),
        (Capabilities::THERMOMETER, "thermometer"),
        (Capabilities::SCALE, "scale"),
        (Capabilities::UPDATE, "updates"),
    ];
    let can = can.into_iter().filter(|(what, _)| greeting.can.has(*what)).map(|(_, word)| word);
    let reverted = greeting.went_back_from().map(|from| from.to_string());
    let row = Row::new()
        .with("bridge", no.0)
        .with("id", data_encoding::HEXUPPER.encode(&id))
        .with("line", door.port.path.display().to_string())
        .with("board", greeting.board.as_str())
        .with("firmware", greeting.firmware.to_string())
        .with("on_trial", greeting.on_trial)
        .with("went_back_from", reverted)
        .with("can", can.collect::<Vec<_>>().join(", "))
        .with("epoch", greeting.epoch)
        .with("waited_there", greeting.waiting);
    Shown::fields(row.0)
}

fn logs(inside: &Inside, door: &Door) -> Shown {
    let now = match &inside.time {
        Time::Running(clock) => Some(clock.ticks()),
        Time::Standing(_) => None,
    };
    let level = |level| match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Other(_) => "other",
    };
    let said = door.said.borrow();
    let rows: Vec<Fields> = said
        .iter()
        .map(|logged| {
            let age = now.map(|now| now.ms.saturating_sub(logged.at.ms) / 1_000);
            Row::new()
                .with("age_s", age)
                .with("level", level(logged.level))
                .with("said", logged.text.as_str())
                .0
        })
        .collect();
    let said = match rows.len() {
        0 => "It has said nothing since the hub was started.".to_owned(),
        n => count(n as u64, "line") + ", the latest first.",
    };
    Shown::rows(rows, said)
}

async fn reset(inside: &Inside, bridge: i64) -> Answer {
    answered(inside, bridge, |done| Ask::Restart { done }).await?;
    let said = format!("Bridge {bridge} starts anew. What it keeps stays.");
    Ok(Shown { said: Some(said), ..Shown::default() })
}

async fn calibrate(inside: &Inside, bridge: Option<i64>, grams: u32) -> Answer {
    let (named, whose) = match bridge {
        Some(bridge) => {
            answered(inside, bridge, |done| Ask::Calibrate { grams, done }).await?;
            (format!("{bridge} "), format!("bridge {bridge}"))
        }
        None => {
            own_scale(inside, grams).await?;
            (String::new(), "the hub".to_owned())
        }
    };
    let said = match grams {
        0 => format!(
            "The empty scale is known. Put a known mass on it, wait until it is still, and: hearth bridge calibrate {named}--mass KG"
        ),
        _ => format!("The scale of {whose} is calibrated. Take the mass off: it weighs once it was empty."),
    };
    Ok(Shown { said: Some(said), ..Shown::default() })
}

/// The scale that is wired to the hub.
async fn own_scale(inside: &Inside, grams: u32) -> Result<(), Ending> {
    let none = || {
        let said = "no scale is wired to this hub ([scale] of its configuration); name the bridge whose scale it is: `hearth bridge list`";
        Ending::new(exit::UNAVAILABLE, said)
    };
    let (done, answered) = oneshot::channel();
    inside.scale().ok_or_else(none)?.send(Calibrate { grams, done }).map_err(|_| none())?;
    match answered.await {
        Ok(done) => done.map_err(|why| Ending::new(exit::UNAVAILABLE, why)),
        Err(_) => Err(none()),
    }
}

/// Asks its board, and waits for the answer.
async fn answered(
    inside: &Inside,
    bridge: i64,
    ask: impl FnOnce(oneshot::Sender<Result<(), String>>) -> Ask,
) -> Result<(), Ending> {
    let door = there(inside, bridge)?;
    let (done, answered) = oneshot::channel();
    door.board.send(ask(done)).map_err(|_| gone())?;
    match timeout(ANSWERS, answered).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(why))) => Err(Ending::new(exit::UNAVAILABLE, why)),
        Ok(Err(_)) => Err(gone()),
        Err(_) => Err(Ending::new(
            exit::TEMPFAIL,
            "the bridge does not answer: press its button, or pull its plug and put it in again",
        )),
    }
}

impl Talk {
    async fn begin(&mut self, inside: &Inside, bridge: i64, file: &str, forced: bool) -> Answer {
        let file = BASE64.decode(file.as_bytes()).map_err(|_| Ending::usage("the file is not in base64"))?;
        let image = Signed::read(&file).map_err(|why| Ending::new(exit::DATAERR, why.to_string()))?;
        let (steps, next) = mpsc::unbounded_channel();
        there(inside, bridge)?.board.send(Ask::Update { image, forced, steps }).map_err(|_| gone())?;
        self.steps = Some(next);
        self.next().await
    }

    async fn next(&mut self) -> Answer {
        let Some(steps) = &mut self.steps else { return Err(Ending::usage("no update was begun")) };
        let mut step = match timeout(PATIENCE, steps.recv()).await {
            Ok(Some(step)) => step,
            Ok(None) => return Err(gone()),
            Err(_) => {
                return Err(Ending::new(exit::TEMPFAIL, "the bridge does not answer; `hearth bridge list`"));
            }
        };
        // Whoever asks seldom sees the last of them.
        while let (false, Ok(later)) = (matches!(step, Step::Over(_)), steps.try_recv()) {
            step = later;
        }
        let row = |step: &str| Row::new().with("step", step);
        Ok(Shown::fields(match step {
            Step::Sent(sent, of) => row("sent").with("sent", sent).with("of", of).0,
            Step::Restarts => row("restarts").0,
            Step::Over(how) => {
                self.steps = None;
                let version = how.map_err(|why| Ending::new(exit::TEMPFAIL, why))?;
                row("updated").with("firmware", version.to_string()).0
            }
        }))
    }
}
