//! Pairing, at a hub's request alone: a person is at the hub, and answers what a device asks.

use crate::bonds::whose;
use crate::link::{connect, hang_up};
use crate::peer::on_air;
use crate::{Connected, DEVICES, Host, Radio};
use embassy_futures::select::{Either3, select3};
use embassy_time::{Duration, Instant, Timer};
use embedded_storage_async::nor_flash::NorFlash;
use firmware::wish::Order;
use firmware_run::{ForRadio, Word, now};
use heapless::Vec;
use hearth_wire::frame::{Outcome, Peer, Prompt, Standing, Ticks};
use trouble_host::connection::ConnectionEvent;
use trouble_host::prelude::{BondInformation, Central, DefaultPacketPool, Error, PairingFailedReason};

/// A request that waited for so long, behind a conversation, nobody waits for any more.
const STALE_MS: u64 = 30_000;
/// How long a device has to show itself.
const FIND: Duration = Duration::from_secs(30);
/// Bluetooth Core, Vol 3, Part H, 3.4: a pairing of which nothing is heard for so long has failed; and a person has to type.
const WHOLE: Duration = Duration::from_secs(60);

const LATE: &str = "it was busy with a device for so long that nobody waits for this any more; try again";
const NOT_FOUND: &str = "the device did not show itself; wake it, and try again";
const HUNG_UP: &str = "the device hung up; wake it, and try again";
const TOO_LONG: &str = "the pairing took too long; try again";
const GIVEN_UP: &str = "the pairing was given up";
const NO_BOND: &str = "the device keeps no bond";
const NO_ROOM: &str = "this bridge has bonds with as many devices as it has room for; unpair one";
const ANOTHER: &str = "the device calls itself by another address than it showed: this bridge cannot meet it";
const NOT_ON_AIR: &str = "that is no device on the air";
const WRONG_DIGITS: &str = "the digits were wrong; try again";
const REFUSED: &str = "the device refused to be paired; put it into pairing mode, and try again";

impl<'r, 's, C: Host, F: NorFlash> Radio<'r, 's, C, F> {
    pub(crate) async fn pairs(
        &mut self,
        central: &mut Central<'r, C, DefaultPacketPool>,
        token: u16,
        peer: Peer,
        at: Ticks,
    ) {
        let Some(address) = on_air(peer) else { return self.done(token, Outcome::Refused(NOT_ON_AIR)).await };
        if now().0.saturating_sub(at.0) > STALE_MS {
            return self.done(token, Outcome::Refused(LATE)).await;
        }
        if self.bonds.is_none() {
            return self.done(token, Outcome::Flash).await;
        }
        if self.all().is_full() && !self.is_bonded(peer) {
            return self.done(token, Outcome::Refused(NO_ROOM)).await;
        }
        let Some(link) = connect(central, address, FIND).await else {
            return self.done(token, Outcome::Refused(NOT_FOUND)).await;
        };
        let outcome = self.pairs_over(&link, token, peer).await;
        self.done(token, outcome).await;
        if outcome == Outcome::Good {
            self.stands(peer, Standing::Fresh);
            self.configured().await;
            // What it has to tell, it tells now: it may show itself only once.
            if let Some(plan) = self.plan(peer).await {
                self.converses(&link, &plan).await;
            }
        }
        hang_up(&link).await;
        self.aside.clear();
    }

    async fn pairs_over(&mut self, link: &Connected<'r>, token: u16, peer: Peer) -> Outcome<'static> {
        self.told.retain(|(of, _)| *of != peer);
        // If it fails, every bond is as good as it was.
        let before = self.all();
        if let Some(bond) = self.bond(peer) {
            _ = self.stack.remove_bond_information(bond.identity);
        }
        self.aside.pairs(true);
        let bonded = self.bonds_over(link, token).await;
        self.aside.pairs(false);
        let outcome = match bonded {
            // Who calls itself by another name would not be known again, or take another's place.
            Ok(of) if of != peer => Outcome::Refused(ANOTHER),
            Ok(_) => self.keep().await,
            Err(why) => Outcome::Refused(why),
        };
        if outcome != Outcome::Good {
            let now = self.all();
            now.iter().for_each(|bond| _ = self.stack.remove_bond_information(bond.identity));
            before.into_iter().for_each(|bond| _ = self.stack.add_bond_information(bond));
        }
        outcome
    }

    /// Until there is a bond: with whom.
    async fn bonds_over(&mut self, link: &Connected<'r>, token: u16) -> Result<Peer, &'static str> {
        // Before anything is waited for: a device may ask for it at once.
        link.set_bondable(true).and_then(|()| link.request_security()).map_err(|_| HUNG_UP)?;
        let until = Instant::now() + WHOLE;
        let mut compares = false;
        loop {
            let prompt = match select3(link.next(), self.desk.ordered(), Timer::at(until)).await {
                Either3::First(ConnectionEvent::PassKeyInput) => Prompt::Enter,
                Either3::First(ConnectionEvent::PassKeyDisplay(digits)) => Prompt::Show(digits.value()),
                Either3::First(ConnectionEvent::PassKeyConfirm(digits)) => Prompt::Compare(digits.value()),
                Either3::First(ConnectionEvent::PairingComplete { bond: Some(bond), .. }) => {
                    return Ok(whose(&bond));
                }
                Either3::First(ConnectionEvent::PairingComplete { bond: None, .. }) => return Err(NO_BOND),
                Either3::First(ConnectionEvent::PairingFailed(error)) => return Err(words(&error)),
                Either3::First(ConnectionEvent::Disconnected { .. }) => return Err(HUNG_UP),
                Either3::First(_) => continue,
                Either3::Second(ForRadio::Order(Order::Digits { token: of, digits }, _)) if of == token => {
                    let answered = match digits {
                        Some(1) if compares => link.pass_key_confirm(),
                        Some(digits) if !compares => link.pass_key_input(digits),
                        _ => {
                            _ = link.pass_key_cancel();
                            return Err(GIVEN_UP);
                        }
                    };
                    answered.map_err(|_| HUNG_UP)?;
                    continue;
                }
                Either3::Second(ForRadio::Order(order, _)) => {
                    self.done(order.token(), Outcome::Busy).await;
                    continue;
                }
                Either3::Second(ForRadio::Greeted) => {
                    self.bonds_stand().await;
                    continue;
                }
                // It is read when the pairing is over.
                Either3::Second(ForRadio::Configured) => continue,
                Either3::Third(()) => return Err(TOO_LONG),
            };
            compares = matches!(prompt, Prompt::Compare(_));
            self.desk.say(Word::Prompt { token, what: prompt }).await;
        }
    }

    /// All bonds as they are now, in flash.
    async fn keep(&mut self) -> Outcome<'static> {
        let all = self.all();
        let Some(bonds) = &mut self.bonds else { return Outcome::Flash };
        match bonds.keep(&all).await {
            Ok(()) => Outcome::Good,
            Err(_) => Outcome::Flash,
        }
    }

    pub(crate) async fn unpairs(&mut self, token: u16, peer: Peer) {
        self.told.retain(|(of, _)| *of != peer);
        if let Some(bond) = self.bond(peer) {
            _ = self.stack.remove_bond_information(bond.identity);
        }
        let outcome = self.keep().await;
        if outcome == Outcome::Good {
            self.stands(peer, Standing::Unpaired);
            self.configured().await;
        }
        self.done(token, outcome).await;
    }

    pub(crate) fn bond(&self, of: Peer) -> Option<BondInformation> {
        self.all().into_iter().find(|bond| whose(bond) == of)
    }

    /// All bonds as the host has them.
    pub(crate) fn all(&self) -> Vec<BondInformation, DEVICES> {
        self.stack.with_bond_information(|all| all.iter().cloned().collect())
    }
}

fn words(error: &Error) -> &'static str {
    match error {
        Error::Security(
            PairingFailedReason::ConfirmValueFailed
            | PairingFailedReason::PasskeyEntryFailed
            | PairingFailedReason::NumericComparisonFailed
            | PairingFailedReason::DHKeyCheckFailed,
        ) => WRONG_DIGITS,
        Error::Timeout => TOO_LONG,
        Error::Disconnected => HUNG_UP,
        _ => REFUSED,
    }
}
