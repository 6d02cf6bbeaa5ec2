//! What is asked of the radio: these answers take as long as a device, or a person, takes.

use super::Request;
use super::words::Row;
use crate::open::Inside;
use crate::show::{Ending, Shown, count, exit};
use crate::source::ble::{Ask, NearView, Step};
use crate::source::lines;
use hearth_core::capture::DeviceNo;
use serde_json::json;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// The longest that a person is waited for. A device gives up sooner.
const PATIENCE: Duration = Duration::from_secs(120);

/// A pairing that one peer has begun. Dropped, it ends.
#[derive(Debug, Default)]
pub(super) struct Talk {
    steps: Option<mpsc::UnboundedReceiver<Step>>,
    waits: Option<Waits>,
}

#[derive(Debug)]
enum Waits {
    Passkey(oneshot::Sender<u32>),
    Same(oneshot::Sender<bool>),
}

type Answer = Result<Shown, Ending>;

/// Answers what concerns the radio. `None`: that does not.
pub(super) async fn answer(inside: &Inside, talk: &mut Talk, request: &Request) -> Option<Answer> {
    Some(match request {
        Request::Nearby => nearby(inside).await,
        Request::Pair { address } => talk.begin(inside, address).await,
        Request::PairAnswer { passkey, same } => talk.go_on(*passkey, *same).await,
        Request::Unpair { device } => unpair(inside, DeviceNo(*device)).await,
        _ => return None,
    })
}

fn gone() -> Ending {
    Ending::new(exit::UNAVAILABLE, "the Bluetooth service is gone; `hearth status` says more")
}

async fn nearby(inside: &Inside) -> Answer {
    let (answer, answered) = oneshot::channel();
    inside.radio(Ask::Nearby(answer))?;
    let all = answered.await.map_err(|_| gone())?;
    let said = match all.len() {
        0 => {
            "Nothing is heard. Press the device's Bluetooth button near the hub, or measure once.".to_owned()
        }
        n => count(n as u64, "device") + ".",
    };
    Ok(Shown::rows(all.iter().map(row).collect(), said))
}

fn row(view: &NearView) -> crate::show::Fields {
    let [a, b, c, d, e, f] = view.address;
    let row = Row::new()
        .with("address", format!("{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{f:02X}"))
        .with("name", view.name.clone())
        .with("strength_dbm", view.rssi)
        .with("heard_s", view.heard_s)
        .with("profile", view.profile.as_ref().ok().cloned())
        .with("device", view.device.map(|no| no.0));
    match &view.profile {
        Ok(_) => row.0,
        Err(draft) => row.with("draft", json!({ "text": draft })).0,
    }
}

async fn unpair(inside: &Inside, device: DeviceNo) -> Answer {
    let (done, answered) = oneshot::channel();
    inside.radio(Ask::Unpair { device, done })?;
    match answered.await.map_err(|_| gone())? {
        Ok(()) => {
            let said = format!("Device {} is no longer of the house. What it told stays.", device.0);
            Ok(Shown { said: Some(said), ..Shown::default() })
        }
        Err(said) => Err(Ending::new(exit::DATAERR, said)),
    }
}

impl Talk {
    async fn begin(&mut self, inside: &Inside, address: &str) -> Answer {
        let address = lines::address(address).map_err(|_| {
            Ending::usage(format!("{address:?} is no address; `hearth devices --nearby` shows them"))
        })?;
        let (steps, next) = mpsc::unbounded_channel();
        inside.radio(Ask::Pair { address, steps })?;
        self.steps = Some(next);
        self.next().await
    }

    async fn go_on(&mut self, passkey: Option<u32>, same: Option<bool>) -> Answer {
        match (self.waits.take(), passkey, same) {
            (Some(Waits::Passkey(answer)), Some(passkey), _) => _ = answer.send(passkey),
            (Some(Waits::Same(answer)), _, Some(same)) => _ = answer.send(same),
            // Only the next step is asked for.
            (None, None, None) => {}
            (waits, ..) => {
                self.waits = waits;
                return Err(Ending::usage("that is not what is asked"));
            }
        }
        self.next().await
    }

    /// The next thing that a person has to see or say.
    async fn next(&mut self) -> Answer {
        let Some(steps) = &mut self.steps else { return Err(Ending::usage("no pairing was begun")) };
        let step = match timeout(PATIENCE, steps.recv()).await {
            Ok(Some(step)) => step,
            Ok(None) => return Err(gone()),
            Err(_) => {
                self.steps = None;
                return Err(Ending::new(exit::TEMPFAIL, "the device did not answer; try again"));
            }
        };
        let row = |step: &str| Row::new().with("step", step);
        let digits = |passkey: u32| format!("{passkey:06}");
        let row = match step {
            Step::Passkey(answer) => {
                self.waits = Some(Waits::Passkey(answer));
                row("passkey")
            }
            Step::Compare(passkey, answer) => {
                self.waits = Some(Waits::Same(answer));
                row("compare").with("digits", digits(passkey))
            }
            Step::Show(passkey) => row("show").with("digits", digits(passkey)),
            Step::JustWorks => row("just-works"),
            Step::Over(Ok(device)) => {
                self.steps = None;
                row("paired").with("device", device.0)
            }
            Step::Over(Err(said)) => {
                self.steps = None;
                return Err(Ending::new(exit::TEMPFAIL, said));
            }
        };
        Ok(Shown::fields(row.0))
    }
}
