//! How a device comes into the house, and how it leaves it: paired where its profile says so, by a person who is there.

use super::Radio;
use super::bus::{At, Bus, Failed};
use super::calls::Done;
use super::keeper::Keeper;
use super::link::Order;
use crate::source::asked::{self, Ask, Gone, NearView, Step};
use hearth_core::capture::DeviceNo;
use hearth_core::identity::{Address, AddressKind, Facts};
use hearth_core::profile::Pairing;
use hearth_core::radio::bond::Bond;
use tokio::sync::mpsc;

impl Radio<'_> {
    pub(super) async fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::House => self.move_in().await,
            Ask::Nearby(answer) => _ = answer.send(self.nearby()),
            Ask::Pair { address, steps } => self.pair(address, steps),
            Ask::Unpair { device, done } => {
                let at = self.at(device);
                let (bus, keeper) = (self.bus.clone(), self.keeper.clone());
                let hang_ups = self.hang_ups.clone();
                self.calls.push(Box::pin(async move {
                    let _one = hang_ups.read().await;
                    _ = done.send(unpair(&bus, &keeper, device, at).await.map(|()| Gone::Whole));
                    Done::Unpaired
                }));
            }
        }
    }

    fn nearby(&self) -> Vec<NearView> {
        let now = self.now();
        let heard = self.near.iter().filter(|(_, near)| near.told.rssi.is_some());
        let view = |(at, near): (&At, &super::Near)| NearView {
            rssi: near.told.rssi,
            heard_s: now.0.saturating_sub(near.seen.0) / 1_000,
            ..NearView::of(at.address, &near.facts(*at), &self.catalog)
        };
        heard.map(view).collect()
    }

    fn pair(&mut self, address: [u8; 6], steps: mpsc::UnboundedSender<Step>) {
        let refuse = |said: &str| _ = steps.send(Step::Over(Err(said.to_owned())));
        match self.pairing {
            Some(at) if at.address == address => {
                return refuse(
                    "this device is just being paired, by the hub itself or by somebody else; wait until that is over",
                );
            }
            Some(_) => return refuse("another device is being paired; wait until that is over"),
            None => {}
        }
        let Some(adapter) = self.adapter.used() else { return refuse(self.adapter.state().sentence()) };
        let at = At { adapter, address };
        let Some(near) = self.near.get(&at) else {
            return refuse("the device is not heard; press its Bluetooth button near the hub, and try again");
        };
        let facts = near.facts(at);
        let profile = match asked::fitting(&facts, &self.catalog) {
            Ok(profile) => profile,
            Err(why) => return refuse(why),
        };
        let (pairing, ticks) = (profile.collect.pairing, self.clock.ticks());
        // Of a device that may have forgotten its bond BlueZ would only say that it has one.
        let bond =
            self.by_address.get(&address).and_then(|no| self.house.get(no)).map(|housed| housed.kept.bond);
        let is_doubted = bond.is_some_and(|bond| !matches!(bond, Bond::Fresh | Bond::Good));
        let (bus, keeper, doorkeeper) = (self.bus.clone(), self.keeper.clone(), self.doorkeeper.clone());
        self.pairing = Some(at);
        let link = self.gives_way(address);
        let hang_ups = self.hang_ups.clone();
        self.calls.push(Box::pin(async move {
            let free = async {
                until_closed(link).await;
                hang_ups.write().await
            };
            let _none = tokio::select! {
                none = free => none,
                () = steps.closed() => return Done::Paired(None),
            };
            doorkeeper.open(at, Some(steps.clone()));
            let pairs = async {
                if is_doubted { bus.pair_anew(at).await } else { bus.pair(at).await.or_else(already) }
            };
            let bonded = match pairing {
                Pairing::None => Ok(()),
                Pairing::JustWorks | Pairing::Passkey => tokio::select! {
                    paired = pairs => paired.map_err(|failed| why(&failed)),
                    // Nobody is there any more.
                    () = steps.closed() => {
                        bus.cancel_pairing(at).await;
                        Err("nobody waited for the end".into())
                    }
                },
            };
            doorkeeper.close();
            let taken = match bonded {
                Ok(()) => keeper.house.take_in(facts, None, ticks).await,
                Err(said) => {
                    bus.disconnect(at).await;
                    Err(said)
                }
            };
            let no = taken.as_ref().ok().copied();
            _ = steps.send(Step::Over(taken));
            Done::Paired(no)
        }));
    }

    /// The hub's own link with a device, which ends: a person who pairs with it goes first.
    fn gives_way(&mut self, address: [u8; 6]) -> Option<mpsc::UnboundedSender<Order>> {
        let no = *self.by_address.get(&address)?;
        self.order(no, Order::GiveUp);
        self.orders.get(&no).cloned()
    }
}

/// Until the hub's own link with the device is no more.
async fn until_closed(link: Option<mpsc::UnboundedSender<Order>>) {
    if let Some(link) = link {
        link.closed().await;
    }
}

async fn unpair(bus: &Bus, keeper: &Keeper, device: DeviceNo, at: Option<At>) -> Result<(), String> {
    // First, so that nobody connects to it again, whatever BlueZ says.
    keeper.house.let_go(device).await?;
    match at {
        Some(at) => bus.remove(at).await.map_err(|failed| {
            format!("the device is no longer of the house, but its bond could not be removed ({failed})")
        }),
        None => Ok(()),
    }
}

/// A bond that is there already serves.
fn already(failed: Failed) -> Result<(), Failed> {
    if failed.is("org.bluez.Error.AlreadyExists") { Ok(()) } else { Err(failed) }
}

/// What a person can do about it.
fn why(failed: &Failed) -> String {
    const ERROR: &str = "org.bluez.Error.";
    let name = match failed {
        Failed::Error { name, .. } => name.strip_prefix(ERROR).unwrap_or(name),
        Failed::Unanswered => "",
    };
    let said = match name {
        "AuthenticationFailed" | "AuthenticationRejected" => {
            "the device refused: the passkey was wrong, or it is paired with somebody else. End its pairing there, put it \
             into pairing mode, and try again"
        }
        "AuthenticationCanceled" => {
            "the pairing was broken off; put the device into pairing mode, and try again"
        }
        "AuthenticationTimeout" | "" => {
            "the device did not answer in time; hold it near the hub, and try again"
        }
        "ConnectionAttemptFailed" | "Failed" | "DoesNotExist" | "NotReady" => {
            "the device could not be reached; put it into pairing mode near the hub, and try again"
        }
        _ => {
            return format!(
                "the device could not be paired ({failed}); put it into pairing mode, and try again"
            );
        }
    };
    said.to_owned()
}

impl super::Near {
    /// What it says of itself to everybody.
    fn facts(&self, at: At) -> Facts {
        // The two highest bits of a random address: static if both are set.
        let kind = match (self.told.random, at.address[0] >> 6, self.told.bonded) {
            (Some(true), 0b11, _) | (Some(true), _, Some(true)) => AddressKind::Identity,
            (Some(true), ..) => AddressKind::Private,
            _ => AddressKind::Public,
        };
        // It need not list these.
        let broadcast = self.told.service_data.iter().map(|(service, _)| service.0);
        Facts {
            address: Some(Address { octets: at.address, kind }),
            advertised_name: self.told.name.clone(),
            services: self.told.services.iter().flatten().copied().chain(broadcast).collect(),
            ..Facts::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_says_what_helps() {
        for name in
            ["AuthenticationFailed", "AuthenticationCanceled", "AuthenticationTimeout", "Failed", "Odd"]
        {
            let failed = Failed::Error { name: format!("org.bluez.Error.{name}"), said: String::new() };
            let said = why(&failed);
            assert!(said.contains("try again"), "{name}: {said}");
        }
        assert!(why(&Failed::Unanswered).contains("near the hub"));
    }
}
