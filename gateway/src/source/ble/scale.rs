//! Scales that broadcast: each weighing committed, and the contact ended when they fall silent.

use super::Radio;
use super::keeper::TalkNo;
use crate::source::lines::Said;
use hearth_core::admit::End;
use hearth_core::capture::{DeviceNo, Link as Road, Uuid16};
use hearth_core::profile::Profile;
use hearth_core::radio::Millis;
use hearth_core::radio::broadcast::{Broadcast, Heard, Poll};

/// One scale.
#[derive(Debug)]
pub(super) struct Scale {
    broadcast: Broadcast,
    talk: TalkNo,
    contact: u64,
    /// Whether the contact is open.
    open: bool,
}

/// What one scale is called in its session.
const SCALE: &str = "scale";

impl Scale {
    pub(super) fn new(profile: &Profile, talk: TalkNo) -> Scale {
        Scale { broadcast: Broadcast::new(profile), talk, contact: 0, open: false }
    }

    /// Nobody knows whether that was all.
    fn ended(&mut self) -> Option<Said> {
        let ended = Said::Ended { device: SCALE.into(), contact: self.contact, how: End::Lost };
        std::mem::take(&mut self.open).then_some(ended)
    }
}

impl Radio<'_> {
    /// A scale that broadcasts said something.
    pub(super) async fn weighed(&mut self, no: DeviceNo, service: Uuid16, octets: Vec<u8>, now: Millis) {
        let (Some(scale), Some(housed)) = (self.scales.get_mut(&no), self.house.get(&no)) else { return };
        let Heard::Keep { begins } = scale.broadcast.heard(service, &octets, now) else { return };
        let mut said = vec![];
        if begins {
            said.extend(scale.ended());
            said.push(Said::Met { device: SCALE.into(), facts: housed.device.facts.clone() });
            scale.contact += 1;
            scale.open = true;
        }
        said.push(Said::Heard {
            device: SCALE.into(),
            contact: scale.contact,
            link: Road::Broadcast,
            origin: None,
            characteristic: service,
            octets,
        });
        let at = self.clock.ticks();
        for said in said {
            self.keeper.take(scale.talk, no, said, at).await;
        }
    }

    /// Ends the contacts of scales that fell silent. When the next one would have.
    pub(super) async fn fall_silent(&mut self) -> Option<Millis> {
        let (at, now) = (self.clock.ticks(), self.now());
        let mut next = None;
        for (no, scale) in &mut self.scales {
            scale.broadcast.timeout(now);
            let until = loop {
                match scale.broadcast.poll() {
                    Poll::Wait(until) => break until,
                    Poll::Ended => {
                        if let Some(said) = scale.ended() {
                            self.keeper.take(scale.talk, *no, said, at).await;
                        }
                    }
                }
            };
            next = next.into_iter().chain(until).min();
        }
        next
    }
}
