//! How a device comes into the house through a bridge, and how it leaves it.
//!
//! First the bridge is told what to do with the device: what it has to tell, it tells when it has been paired, and may show itself only
//! once. Then it pairs, and what it wants to know is asked of the person who is at the hub.

use super::NOT_THERE;
use super::talk::Talk;
use crate::source::asked::{self, Gone, Step};
use crate::source::house::Housed;
use hearth_core::bridge;
use hearth_core::capture::DeviceNo;
use hearth_core::identity::{Address, Facts};
use hearth_core::profile::{self, Profile, Via};
use hearth_core::when::HubTicks;
use hearth_wire::frame::plan::MOST_DEVICES;
use hearth_wire::frame::{Peer, Prompt, Standing, ToBridge};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// So long it may take until a device that is to be paired shows itself.
const SHOWS_ITSELF_MS: i64 = 30_000;
/// So long somebody waits until a bond is removed; the terminal waits for half a minute.
const UNPAIRS_MS: i64 = 15_000;
/// A bridge looks for the device for half a minute, and waits a minute for the person.
const WHOLE_MS: i64 = 150_000;

/// A device that is to be paired, and has not shown itself yet.
#[derive(Debug)]
pub(super) struct Awaited {
    address: [u8; 6],
    steps: mpsc::UnboundedSender<Step>,
    /// When there is something to do.
    pub(super) until: HubTicks,
    gives_up: HubTicks,
}

/// A device that is being paired: one at a time.
#[derive(Debug)]
pub(super) struct Pairing {
    pub(super) candidate: Candidate,
    steps: mpsc::UnboundedSender<Step>,
    /// Of the request. `None`: the bridge is told what to do with the device.
    token: Option<u16>,
    answer: Answer,
    /// A person had to see something.
    was_asked: bool,
    gave_up: bool,
    pub(super) until: HubTicks,
}

#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) address: Address,
    pub(super) facts: Facts,
    pub(super) profile: Arc<Profile>,
    peer: Peer,
}

/// What a person was asked.
#[derive(Debug)]
enum Answer {
    Nothing,
    Passkey(oneshot::Receiver<u32>),
    Same(oneshot::Receiver<bool>),
}

/// A device whose bond is being removed, by the request with this token.
#[derive(Debug)]
pub(super) struct Leaving {
    token: u16,
    /// So long somebody waits for it. A bridge that listens to another device does it afterwards.
    until: HubTicks,
    done: Option<oneshot::Sender<Result<Gone, String>>>,
}

impl Leaving {
    pub(super) fn over(self, done: Result<(), String>) {
        let but = |why| {
            format!(
                "the device is no longer of the house, but its bond could not be removed from the bridge ({why})"
            )
        };
        let done = done.map(|()| Gone::Whole).map_err(but);
        match self.done {
            Some(waits) => _ = waits.send(done),
            None => _ = done.inspect_err(|why| tracing::warn!("a device that was unpaired: {why}")),
        }
    }
}

/// What the person at the hub said: digits, or that they give up. For ever, while nobody is asked and nobody went away.
pub(super) async fn person(pairing: Option<&mut Pairing>) -> Option<u32> {
    let Some(pairing) = pairing.filter(|pairing| !pairing.gave_up) else {
        return std::future::pending().await;
    };
    let Pairing { answer, steps, .. } = pairing;
    let digits = async {
        match answer {
            Answer::Nothing => std::future::pending().await,
            Answer::Passkey(digits) => digits.await.ok(),
            Answer::Same(same) => same.await.ok().filter(|same| *same).map(|_| SAME),
        }
    };
    tokio::select! {
        digits = digits => digits,
        () = steps.closed() => None,
    }
}

/// For [`ToBridge::Digits`]: both show the same digits.
const SAME: u32 = 1;

impl Talk<'_> {
    /// As soon as the device shows itself.
    pub(super) fn pair(&mut self, address: [u8; 6], steps: mpsc::UnboundedSender<Step>) {
        // Nobody waits for that one any more.
        self.awaited.take_if(|awaited| awaited.steps.is_closed());
        let why = if self.radio().is_none() {
            NOT_THERE
        } else if self.pairing.is_some() || self.awaited.is_some() {
            "another device is being paired through this bridge; wait until that is over"
        } else {
            self.look();
            let now = self.now();
            self.awaited = Some(Awaited { address, steps, until: now, gives_up: now.later(SHOWS_ITSELF_MS) });
            self.awaits();
            return;
        };
        _ = steps.send(Step::Over(Err(why.to_owned())));
    }

    /// Whether the device that is awaited is there.
    pub(super) fn awaits(&mut self) {
        let now = self.now();
        let Some(Awaited { address, steps, gives_up, .. }) = self.awaited.take() else { return };
        let candidate = match self.near.facts(address) {
            Some((facts, whole)) if whole <= now => self.candidate(address, facts),
            // Nobody waits any more.
            _ if steps.is_closed() => return,
            heard if now < gives_up => {
                let until = heard.map_or(gives_up, |(_, whole)| whole);
                self.awaited = Some(Awaited { address, steps, until, gives_up });
                return;
            }
            _ if self.look.is_some() => {
                Err("the bridge listens to another device; try again when it is done")
            }
            _ => Err(
                "the bridge does not hear the device; press its Bluetooth button near the bridge, and try again",
            ),
        };
        match candidate {
            Ok(candidate) => {
                let until = now.later(WHOLE_MS);
                let (token, answer, was_asked, gave_up) = (None, Answer::Nothing, false, false);
                self.pairing = Some(Pairing { candidate, steps, token, answer, was_asked, gave_up, until });
                self.configure();
            }
            Err(why) => _ = steps.send(Step::Over(Err(why.to_owned()))),
        }
    }

    fn candidate(&self, address: [u8; 6], facts: &Facts) -> Result<Candidate, &'static str> {
        let profile = asked::fitting(facts, &self.catalog)?;
        if profile.collect.via == Via::Advertisement {
            return Err(
                "the device only broadcasts, which a bridge does not bring yet: pair it with the hub itself",
            );
        }
        if profile.collect.consent {
            return Err(
                "the device tells a user's weighings only by that user's code, which a bridge cannot give yet: pair it with \
                 the hub itself",
            );
        }
        let another = |housed: &&Housed| housed.address.octets != address;
        if self.house.values().filter(another).count() >= MOST_DEVICES {
            return Err("the bridge meets as many devices as it can; unpair one of them");
        }
        let whole = facts.address.and_then(|address| Some((address, bridge::peer(address)?)));
        let (address, peer) = whole.ok_or(
            "the device changes its address, which a bridge cannot follow: pair it with the hub itself",
        )?;
        Ok(Candidate { address, facts: facts.clone(), profile: Arc::new(profile.clone()), peer })
    }

    /// The bridge knows what to do with the device, or can't do it.
    pub(super) async fn pairs(&mut self, configured: Result<(), String>) {
        let Some(pairing) = self.pairing.as_mut().filter(|pairing| pairing.token.is_none()) else { return };
        let peer = pairing.candidate.peer;
        match configured {
            Err(why) => {
                self.over(Err(format!("the bridge cannot meet the device: {why}")));
                self.configure();
            }
            Ok(()) if pairing.candidate.profile.collect.pairing == profile::Pairing::None => {
                self.paired().await
            }
            Ok(()) => {
                let bonded = self.bonds.iter().filter(|(_, standing)| *standing != Standing::Unpaired);
                let bonded: Vec<Peer> = bonded.map(|(peer, _)| *peer).collect();
                if bonded.len() >= MOST_DEVICES && !bonded.contains(&peer) {
                    // One that left while the bridge was away still has its place there.
                    let here = |of: &&Peer| {
                        self.house.values().any(|housed| bridge::peer(housed.address) == Some(**of))
                    };
                    if let Some(peer) = bonded.iter().find(|of| !here(of)).copied() {
                        self.line.request(|token| ToBridge::Unpair { token, peer });
                    }
                }
                self.looks = None;
                let token = self.line.request(|token| ToBridge::Pair { token, peer });
                if let Some(pairing) = &mut self.pairing {
                    pairing.token = Some(token);
                }
            }
        }
    }

    /// The device, or the bridge, wants something of a person.
    pub(super) fn prompted(&mut self, token: u16, prompt: Prompt) {
        let Some(pairing) = self.pairing.as_mut().filter(|pairing| pairing.token == Some(token)) else {
            return;
        };
        pairing.was_asked = true;
        let step = match prompt {
            Prompt::Enter => {
                let (digits, typed) = oneshot::channel();
                pairing.answer = Answer::Passkey(typed);
                Step::Passkey(digits)
            }
            Prompt::Compare(shown) => {
                let (same, said) = oneshot::channel();
                pairing.answer = Answer::Same(said);
                Step::Compare(shown, same)
            }
            Prompt::Show(digits) => Step::Show(digits),
            Prompt::Other(..) => return self.said(None),
        };
        _ = pairing.steps.send(step);
    }

    /// A person has answered; or gave up, or went away.
    pub(super) fn said(&mut self, digits: Option<u32>) {
        let Some(pairing) = &mut self.pairing else { return };
        pairing.answer = Answer::Nothing;
        pairing.gave_up |= digits.is_none();
        match pairing.token {
            // The bridge answers the request, not this.
            Some(token) => self.line.send(&ToBridge::Digits { token, digits }),
            None => {
                self.pairing = None;
                self.configure();
            }
        }
    }

    /// A request was carried out, or not.
    pub(super) async fn done(&mut self, token: u16, done: Result<(), String>) {
        if self.pairing.as_ref().is_some_and(|pairing| pairing.token == Some(token)) {
            match done {
                Ok(()) => self.paired().await,
                Err(why) => {
                    self.over(Err(why));
                    self.configure();
                }
            }
        } else if self.look == Some(token) {
            self.look = None;
            if let Err(why) = done {
                // The next one who wants to know asks again.
                self.looks = None;
                tracing::debug!("a bridge does not look around: {why}");
            }
        } else if let Some(at) = self.leaving.iter().position(|leaving| leaving.token == token) {
            self.leaving.swap_remove(at).over(done);
        } else {
            tracing::debug!("request {token} of a bridge: {done:?}");
        }
    }

    /// There is a bond, where the device keeps one: it is of the house.
    async fn paired(&mut self) {
        let (Some(pairing), Some(id)) = (self.pairing.take(), self.radio()) else { return };
        let Pairing {
            candidate: Candidate { address, facts, profile, peer }, steps, was_asked, gave_up, ..
        } = pairing;
        let is_known = self.house.values().any(|housed| housed.address == address);
        let is_bonded = profile.collect.pairing != profile::Pairing::None;
        let taken = if gave_up && !is_known {
            Err("nobody waited for the end".to_owned())
        } else if profile.collect.pairing == profile::Pairing::Passkey && !was_asked {
            Err("the device asked for no passkey, as such a device does: it may be another; try again"
                .to_owned())
        } else {
            if is_bonded && !was_asked {
                _ = steps.send(Step::JustWorks);
            }
            self.keeper.house.take_in(facts, Some(id), self.now()).await
        };
        if taken.is_err() && is_bonded {
            self.line.request(|token| ToBridge::Unpair { token, peer });
        }
        _ = steps.send(Step::Over(taken));
        self.move_in().await;
    }

    /// Whoever has waited long enough for the end of a bond.
    pub(super) fn leaves(&mut self, now: HubTicks) {
        for leaving in self.leaving.iter_mut().filter(|leaving| leaving.until <= now) {
            leaving.done.take().map(|waits| waits.send(Ok(Gone::ButForItsBond)));
        }
    }

    /// When that is.
    pub(super) fn waits_for_a_bond(&self) -> Option<HubTicks> {
        self.leaving.iter().filter(|leaving| leaving.done.is_some()).map(|leaving| leaving.until).min()
    }

    /// Whoever waits for the end of a pairing is told.
    pub(super) fn over(&mut self, how: Result<DeviceNo, String>) {
        let awaited = self.awaited.take().map(|awaited| awaited.steps);
        if let Some(steps) = self.pairing.take().map(|pairing| pairing.steps).or(awaited) {
            _ = steps.send(Step::Over(how));
        }
    }

    pub(super) async fn unpair(&mut self, device: DeviceNo, done: oneshot::Sender<Result<Gone, String>>) {
        let peer = self.house.get(&device).and_then(|housed| bridge::peer(housed.address));
        if let Err(why) = self.keeper.house.let_go(device).await {
            _ = done.send(Err(why));
            return;
        }
        self.move_in().await;
        match peer {
            Some(peer) => {
                let token = self.line.request(|token| ToBridge::Unpair { token, peer });
                let until = self.now().later(UNPAIRS_MS);
                self.leaving.push(Leaving { token, until, done: Some(done) });
            }
            None => _ = done.send(Ok(Gone::Whole)),
        }
    }
}
