//! What is asked of the radio: these answers take as long as a device, or a person, takes.

use super::Request;
use super::words::Row;
use crate::open::{Inside, trouble};
use crate::show::{Ending, Shown, count, exit};
use crate::source::asked::{Ask, Gone, NearView, Step};
use crate::source::lines;
use crate::store::{Desk, Member, Store};
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
pub(super) async fn answer(
    inside: &Inside,
    desk: &Desk,
    talk: &mut Talk,
    request: &Request,
) -> Option<Answer> {
    Some(match request {
        Request::Nearby => nearby(inside, desk).await,
        Request::Pair { address, bridge } => talk.begin(inside, desk, address, *bridge).await,
        Request::PairAnswer { passkey, same } => talk.go_on(*passkey, *same).await,
        Request::Unpair { device } => unpair(inside, desk, DeviceNo(*device)).await,
        _ => return None,
    })
}

fn gone() -> Ending {
    Ending::new(exit::UNAVAILABLE, "the Bluetooth service is gone; `hearth status` says more")
}

fn bridge_gone() -> Ending {
    Ending::new(exit::UNAVAILABLE, "the bridge is gone; `hearth status` says more")
}

/// Whoever takes longer than this to say what it hears, hears nothing.
const HEARS: Duration = Duration::from_secs(5);

/// All that is heard, whoever hears it.
async fn heard(inside: &Inside, desk: &Desk) -> Result<Vec<NearView>, Ending> {
    let bridges = inside.bridge_radios();
    let mut asked = vec![];
    for (_, _, bridge) in &bridges {
        let (answer, answered) = oneshot::channel();
        _ = bridge.send(Ask::Nearby(answer));
        asked.push(answered);
    }
    let (answer, answered) = oneshot::channel();
    match inside.radio(Ask::Nearby(answer)) {
        Ok(()) => asked.push(answered),
        Err(none) if bridges.is_empty() => return Err(none),
        Err(_) => {}
    }
    let mut all: Vec<NearView> = vec![];
    for answered in asked {
        // One that has just gone hears nothing.
        all.extend(timeout(HEARS, answered).await.unwrap_or(Ok(vec![])).unwrap_or_default());
    }
    // Whoever hears a device may not be the one that meets it.
    let members = at(desk, |store| store.house()).await?.map_err(trouble)?;
    for view in &mut all {
        let is = |member: &&Member| member.device.facts.address.is_some_and(|own| own.octets == view.address);
        view.device = members.iter().find(is).map(|member| member.device.no);
    }
    all.sort_by_key(|view| (view.profile.is_err(), std::cmp::Reverse(view.rssi), view.address));
    Ok(all)
}

async fn nearby(inside: &Inside, desk: &Desk) -> Answer {
    let all = heard(inside, desk).await?;
    let said = match all.len() {
        0 => {
            "Nothing is heard. Press the device's Bluetooth button near the hub, or measure once.".to_owned()
        }
        n if all.iter().all(|view| view.profile.is_ok()) => count(n as u64, "device") + ".",
        n => {
            count(n as u64, "device")
                + "; of one that no profile knows, `hearth devices --nearby ADDRESS` prints a draft."
        }
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
        .with("device", view.device.map(|no| no.0))
        .with("bridge", view.bridge.map(|no| no.0));
    match &view.profile {
        Ok(_) => row.0,
        Err(draft) => row.with("draft", json!({ "text": draft })).0,
    }
}

async fn unpair(inside: &Inside, desk: &Desk, device: DeviceNo) -> Answer {
    let kept = at(desk, move |store| store.kept(device)).await?.map_err(trouble)?;
    let bridge = kept.as_ref().and_then(|kept| kept.bridge);
    let there = inside.bridge_radios().into_iter().find(|(_, id, _)| Some(*id) == bridge);
    let (done, answered) = oneshot::channel();
    let ask = Ask::Unpair { device, done };
    let gone = match (bridge, there) {
        (None, _) if kept.is_some() => {
            inside.radio(ask)?;
            answered.await.map_err(|_| gone())?
        }
        (Some(_), Some((_, _, bridge))) => {
            _ = bridge.send(ask);
            answered.await.map_err(|_| bridge_gone())?
        }
        // Its bridge is away. Or it is not of the house, which is said.
        _ => {
            let left = at(desk, move |store| crate::intake::let_go(store, device)).await?;
            inside.house_changed();
            left.map(|()| Gone::ButForItsBond)
        }
    };
    let stays = match gone.map_err(|said| Ending::new(exit::DATAERR, said))? {
        Gone::Whole => "",
        Gone::ButForItsBond => " Its bond may stay in its bridge for a while, where it opens nothing.",
    };
    let said = format!("Device {} is no longer of the house. What it told stays.{stays}", device.0);
    Ok(Shown { said: Some(said), ..Shown::default() })
}

/// What the store says.
async fn at<T: Send + 'static>(
    desk: &Desk,
    ask: impl FnOnce(&mut Store) -> T + Send + 'static,
) -> Result<T, Ending> {
    desk.ask(ask).await.map_err(|gone| Ending::new(exit::UNAVAILABLE, gone.to_string()))
}

/// As a person types it.
pub(crate) fn address(typed: &str) -> Result<[u8; 6], Ending> {
    lines::address(typed)
        .map_err(|_| Ending::usage(format!("{typed:?} is no address; `hearth devices --nearby` shows them")))
}

impl Talk {
    async fn begin(&mut self, inside: &Inside, desk: &Desk, address: &str, bridge: Option<i64>) -> Answer {
        let address = self::address(address)?;
        let (steps, next) = mpsc::unbounded_channel();
        let ask = Ask::Pair { address, steps };
        let bridges = inside.bridge_radios();
        let through = match bridge {
            None if bridges.is_empty() => None,
            // Whoever hears it best. A bridge waits for one that nobody hears yet.
            None => match heard(inside, desk).await?.into_iter().find(|view| view.address == address) {
                Some(view) => view.bridge.map(|no| no.0),
                None if inside.hears_itself() => None,
                None => bridges.first().map(|(no, ..)| no.0),
            },
            named => named,
        };
        match through {
            None => inside.radio(ask)?,
            Some(no) => {
                let there = bridges.iter().find(|(bridge, ..)| bridge.0 == no);
                let (_, _, door) = there.ok_or_else(|| {
                    let said = format!("bridge {no} is not there, or has no Bluetooth; hearth bridge list");
                    Ending::new(exit::UNAVAILABLE, said)
                })?;
                door.send(ask).map_err(|_| bridge_gone())?;
            }
        }
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
