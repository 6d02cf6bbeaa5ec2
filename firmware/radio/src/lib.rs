//! Meets a bridge's devices over Bluetooth LE, on any controller that speaks HCI.
//!
//! One link at a time: whoever is heard, and has something to tell as far as [`firmware::scout`] knows, is connected to, and the plan
//! that the hub made for it is carried out ([`firmware::session`]). What a device tells is kept by the bridge, then confirmed.
//!
//! Nobody is paired with but at a hub's request: a link is not bondable, and a bond that a device has lost is told, not renewed.
//!
//! Deliberately absent: the controller, flash, judgement, what a value means.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod bonds;
mod ears;
mod h4;
mod link;
mod pairing;
mod peer;
mod talk;
mod tap;

use bonds::{BONDS, Bonds, whose};
use bt_hci::cmd::le::LeSetScanParams;
use bt_hci::controller::ControllerCmdSync;
use core::cell::Cell;
use ears::Ears;
use embassy_futures::select::{Either, Either3, Either4, select, select3, select4};
use embassy_time::{Duration, Instant, Timer};
use embedded_storage_async::nor_flash::NorFlash;
use firmware::session::{Last, Session};
use firmware::wish::Order;
use firmware_run::{Desk, ForRadio, NoPlan, Plan, Word, now};
pub use h4::in_step;
use heapless::Vec;
use hearth_wire::frame::plan::Security;
use hearth_wire::frame::said::{Ending, Link, Said, What};
use hearth_wire::frame::{Level, Outcome, Peer, Standing};
use link::{connect, gone, hang_up};
use peer::{address, on_air};
use talk::{Early, Talk};
use tap::{Aside, Tap};
use trouble_host::Controller;
use trouble_host::connection::{Connection, ScanConfig};
use trouble_host::prelude::{
    Address, Central, DefaultPacketPool, GattClient, HostResources, IoCapabilities, Scanner, Stack,
};

/// So many devices a bridge brings.
pub const DEVICES: usize = BONDS;

/// Who was heard and can't be connected to is gone again after so long.
const CONNECT: Duration = Duration::from_secs(20);
/// A controller that refuses is asked again after so long.
const AGAIN: Duration = Duration::from_secs(2);
/// After a failure of the host.
const RESTING: Duration = Duration::from_secs(60);
/// MTU, then encryption: each has half a minute by itself.
const SECURING: Duration = Duration::from_secs(40);
/// No conversation lasts longer.
const CONVERSATION: Duration = Duration::from_secs(660);
/// Listens all the time: a bridge has a socket on the wall.
pub(crate) const LISTENS: Duration = Duration::from_millis(60);

/// What the host needs of a controller.
pub(crate) trait Host: Controller + ControllerCmdSync<LeSetScanParams> {}

impl<C: Controller + ControllerCmdSync<LeSetScanParams>> Host for C {}

/// Services that are looked for by their name are few.
pub(crate) type Client<'c, C> = GattClient<'c, C, DefaultPacketPool, 4>;
pub(crate) type Connected<'c> = Connection<'c, DefaultPacketPool>;

/// Meets devices over this controller, until its host gives up: then the board has to start anew, since a link that stood would hold its
/// place for ever. `own`: a static random address, as it is written. `bonds`: two pages of flash.
pub async fn run<C, F>(controller: C, own: [u8; 6], bonds: F, desk: &Desk)
where
    C: Controller + ControllerCmdSync<LeSetScanParams>,
    F: NorFlash,
{
    let (aside, ears) = (Aside::new(), Ears::new(desk));
    let mut resources = HostResources::<DefaultPacketPool, 1, 2, 1, BONDS>::new();
    let stack = trouble_host::new(Tap::new(controller, &aside), &mut resources)
        .set_random_address(address(true, own))
        // A device that shows a passkey must not be paired with as one that can't.
        .set_io_capabilities(IoCapabilities::KeyboardDisplay)
        .build();
    let radio = Radio {
        stack: &stack,
        ears: &ears,
        aside: &aside,
        desk,
        bonds: Bonds::open(bonds).await.ok(),
        standings: Vec::new(),
        told: Vec::new(),
        contact: 0,
    };
    let mut runner = stack.runner();
    select(runner.run_with_handler(&ears), radio.run(stack.central())).await;
    ears.fails();
    // Whatever it was, a board that starts anew all the time is of no use to its wired sensors.
    Timer::after(RESTING).await;
}

/// What comes next.
enum Next {
    Meet(Peer),
    For(ForRadio),
}

pub(crate) struct Radio<'r, 's, C, F> {
    stack: &'r Stack<'s, C, DefaultPacketPool>,
    ears: &'r Ears<'r>,
    aside: &'r Aside,
    desk: &'r Desk,
    /// `None`: its flash can't be read.
    bonds: Option<Bonds<F>>,
    standings: Vec<(Peer, Standing), BONDS>,
    /// Up to which record each has told its memory, in this epoch: it is asked for what came since.
    told: Vec<(Peer, Last), DEVICES>,
    /// How many conversations there were in this epoch.
    contact: u32,
}

impl<'r, 's, C: Host, F: NorFlash> Radio<'r, 's, C, F> {
    async fn run(mut self, mut central: Central<'r, C, DefaultPacketPool>) -> ! {
        let kept = match &mut self.bonds {
            Some(bonds) => bonds.all().await.ok(),
            None => None,
        };
        if kept.is_none() {
            // And so none is written over them.
            self.bonds = None;
            self.log(Level::Error, "the bonds in the flash memory cannot be read: no device is paired with");
        }
        for bond in kept.unwrap_or_default() {
            // There is room for as many as are kept.
            _ = self.standings.push((whose(&bond), Standing::Fresh));
            _ = self.stack.add_bond_information(bond);
        }
        self.configured().await;
        let mut looks = None;
        loop {
            match self.next(&mut central, looks).await {
                None => looks = None,
                Some(Next::Meet(peer)) => self.meets(&mut central, peer).await,
                Some(Next::For(ForRadio::Configured)) => self.configured().await,
                Some(Next::For(ForRadio::Greeted)) => self.bonds_stand().await,
                Some(Next::For(ForRadio::Order(order, at))) => match order {
                    Order::Look { token, seconds } => {
                        looks = Some(Instant::now() + Duration::from_secs(seconds.into()));
                        self.done(token, Outcome::Good).await;
                    }
                    Order::Pair { token, peer } => {
                        looks = None;
                        self.pairs(&mut central, token, peer, at).await;
                    }
                    // Nothing waits for an answer.
                    Order::Digits { .. } => {}
                    Order::Unpair { token, peer } => self.unpairs(token, peer).await,
                },
            }
        }
    }

    /// Listens until there is something to do. `None`: the hub has looked around for as long as it wanted.
    async fn next(
        &mut self,
        central: &mut Central<'r, C, DefaultPacketPool>,
        looks: Option<Instant>,
    ) -> Option<Next> {
        let devices: Vec<Address, DEVICES> = self.ears.scout.borrow().peers().filter_map(on_air).collect();
        if looks.is_none() && devices.is_empty() {
            return Some(Next::For(self.desk.ordered().await));
        }
        self.ears.begin(looks.is_some());
        let mut scanner = Scanner::new(central);
        let config = ScanConfig {
            active: looks.is_some(),
            filter_accept_list: if looks.is_some() { &[] } else { &devices },
            interval: LISTENS,
            window: LISTENS,
            ..ScanConfig::default()
        };
        let Ok(_listens) = scanner.scan(&config).await else {
            return match select(self.desk.ordered(), Timer::after(AGAIN)).await {
                Either::First(order) => Some(Next::For(order)),
                Either::Second(()) => None,
            };
        };
        let over = async {
            match looks {
                Some(until) => Timer::at(until).await,
                None => core::future::pending().await,
            }
        };
        match select3(self.ears.next(), self.desk.ordered(), over).await {
            Either3::First(peer) => Some(Next::Meet(peer)),
            Either3::Second(order) => Some(Next::For(order)),
            Either3::Third(()) => None,
        }
    }

    /// The configuration is another: devices that may be connected to are those that need no bond, and those that have one.
    async fn configured(&mut self) {
        let mut peers = Vec::<Peer, DEVICES>::new();
        let bonded: Vec<Peer, DEVICES> = self.all().iter().map(whose).collect();
        self.standings.retain(|(of, _)| bonded.contains(of));
        for number in 0..DEVICES {
            let plan = match self.desk.device(number).await {
                Ok(Some(plan)) => plan,
                Ok(None) => break,
                Err(NoPlan::TooLong) => {
                    self.log(Level::Error, "a device's plan has more steps than this bridge has room for");
                    continue;
                }
                // Those that were known stay.
                Err(NoPlan::Flash) => return self.log(Level::Error, "the configuration cannot be read"),
            };
            if plan.security == Security::Open || self.is_bonded(plan.peer) {
                _ = peers.push(plan.peer);
            } else {
                // The hub believes that there is a bond.
                self.stands(plan.peer, Standing::Unpaired);
            }
        }
        self.ears.scout.borrow_mut().look_for(peers.into_iter());
    }

    async fn plan(&self, peer: Peer) -> Option<Plan> {
        for number in 0..DEVICES {
            match self.desk.device(number).await {
                Ok(Some(plan)) if plan.peer == peer => return Some(plan),
                Ok(None) | Err(NoPlan::Flash) => return None,
                Ok(Some(_)) | Err(NoPlan::TooLong) => {}
            }
        }
        None
    }

    async fn meets(&mut self, central: &mut Central<'r, C, DefaultPacketPool>, peer: Peer) {
        let (Some(plan), Some(address)) = (self.plan(peer).await, on_air(peer)) else { return };
        let Some(link) = connect(central, address, CONNECT).await else {
            return self.ears.scout.borrow_mut().over(peer, Ending::Lost, 0, now());
        };
        self.converses(&link, &plan).await;
        hang_up(&link).await;
        self.aside.clear();
    }

    /// The whole of a conversation over a link that stands.
    async fn converses(&mut self, link: &Connected<'r>, plan: &Plan) {
        self.contact += 1;
        let (peer, contact) = (plan.peer, self.contact);
        let number = self.aside.link();
        let (mut early, lost) = (Early::new(), Cell::new(false));
        let client = {
            // A device that remembers a subscription tells as soon as it can, and its words must not stand in the way of the answers.
            let listens = async {
                loop {
                    if early.push(self.aside.value(number).await).is_err() {
                        self.log(Level::Warning, "a device told more than there was room for at once");
                    }
                }
            };
            let securing = Client::new(self.stack, link);
            match select4(securing, gone(link, self.stack, &lost), listens, Timer::after(SECURING)).await {
                Either4::First(Ok(client)) => Some(client),
                _ => None,
            }
        };
        let is_bonded = self.is_bonded(peer);
        let secured = match (client, link.security_level()) {
            (Some(client), Ok(level)) if level.authenticated() && is_bonded => Ok((client, Link::Bonded)),
            (Some(client), Ok(level))
                if level.encrypted() && is_bonded && plan.security != Security::Authenticated =>
            {
                Ok((client, Link::Bonded))
            }
            (Some(client), Ok(_)) if plan.security == Security::Open => Ok((client, Link::Open)),
            (_, _) if lost.get() => Err(Ending::BondLost),
            (Some(_), Ok(level)) if level.encrypted() => Err(Ending::Refused(INSUFFICIENT_AUTHENTICATION)),
            _ => Err(Ending::Lost),
        };
        let (how, values, before) = match secured {
            Err(how) => (how, 0, 0),
            Ok((client, kind)) => {
                if kind == Link::Bonded {
                    self.stands(peer, Standing::Good);
                }
                let device = plan.device();
                let told = self.told.iter().find(|(of, _)| *of == peer).map(|(_, last)| *last);
                let session = Session::start(&device, told, plan.time, now());
                let mut talk =
                    Talk::new((self.desk, self.aside), (peer, contact, kind, number), session, early);
                let how = match select4(
                    talk.all(&client),
                    client.task(),
                    gone(link, self.stack, &lost),
                    Timer::after(CONVERSATION),
                )
                .await
                {
                    Either4::First(how) => how,
                    Either4::Fourth(()) => Ending::Silent,
                    Either4::Second(_) | Either4::Third(()) => Ending::Lost,
                };
                talk.rest().await;
                let (furthest, values, before) =
                    (talk.session.furthest(), talk.session.values(), talk.before);
                self.contact = talk.contact;
                if how == Ending::Drained {
                    self.told.retain(|(of, _)| *of != peer);
                    // Of one for which there is no room all is asked for again.
                    _ = furthest.map(|last| self.told.push((peer, last)));
                }
                (how, values, before)
            }
        };
        if how == Ending::BondLost {
            self.stands(peer, Standing::Stale);
        }
        let what = What::Ended { how, values: values - before };
        let said = Said { at: now(), peer, contact: self.contact, what };
        // A conversation that told something is known by that; of one that told nothing nothing is lost.
        _ = self.desk.keep(&said, false).await;
        self.ears.scout.borrow_mut().over(peer, how, values, now());
    }

    fn stands(&mut self, peer: Peer, standing: Standing) {
        match self.standings.iter_mut().find(|(of, _)| *of == peer) {
            Some((_, before)) if *before == standing => return,
            Some((_, before)) => *before = standing,
            // There is room for as many as there are bonds.
            None => _ = self.standings.push((peer, standing)),
        }
        // It is told again when a hub says Hello.
        self.desk.try_say(Word::Bond { peer, standing });
    }

    async fn bonds_stand(&self) {
        for (peer, standing) in &self.standings {
            self.desk.say(Word::Bond { peer: *peer, standing: *standing }).await;
        }
    }

    fn is_bonded(&self, of: Peer) -> bool {
        self.bond(of).is_some()
    }

    async fn done(&self, token: u16, outcome: Outcome<'static>) {
        self.desk.say(Word::Done { token, outcome }).await;
    }

    fn log(&self, level: Level, text: &'static str) {
        self.desk.try_say(Word::Log { level, text });
    }
}

/// Bluetooth Core, Vol 3, Part F, 3.4.1.1.
const INSUFFICIENT_AUTHENTICATION: u8 = 0x05;
