//! When to connect to which device of the configuration: what is heard goes in, with instants.
//!
//! A device that shows itself is connected to at once. One that goes on showing itself afterwards is let alone for a while, longer each
//! time that it had nothing to tell; one that was away and shows itself again begins anew, since somebody used it.

use hearth_wire::frame::said::Ending;
use hearth_wire::frame::{Peer, Ticks};

/// Who was not heard for so long was away.
const ABSENCE_MS: u64 = 20_000;
/// Between two conversations with a device that goes on showing itself, at least and at most: a meter's battery.
const REST_MS: u64 = 10_000;
const LONGEST_MS: u64 = 900_000;
/// After a conversation that did not go well, so much less.
const SOONER: u64 = 10;

/// A device, and what is remembered of it until the next start.
#[derive(Clone, Copy, Debug)]
struct Known {
    peer: Peer,
    heard: Option<Ticks>,
    /// Until then it is let alone.
    rests: Ticks,
    /// After the next conversation it rests so long, if that brings nothing.
    next_ms: u64,
}

/// Up to `N` devices.
#[derive(Clone, Debug)]
pub struct Scout<const N: usize> {
    known: [Option<Known>; N],
}

impl<const N: usize> Default for Scout<N> {
    fn default() -> Self {
        Scout { known: [None; N] }
    }
}

impl<const N: usize> Scout<N> {
    /// The devices to connect to from now on. Those that stay keep their rests. False: there are more than it has room for.
    pub fn look_for(&mut self, peers: impl Iterator<Item = Peer>) -> bool {
        let before = core::mem::replace(&mut self.known, [None; N]);
        let mut places = self.known.iter_mut();
        for peer in peers {
            let Some(place) = places.next() else { return false };
            let known = before.iter().flatten().find(|known| known.peer == peer);
            let new = Known { peer, heard: None, rests: Ticks(0), next_ms: REST_MS };
            *place = Some(known.copied().unwrap_or(new));
        }
        true
    }

    pub fn peers(&self) -> impl Iterator<Item = Peer> {
        self.known.iter().flatten().map(|known| known.peer)
    }

    /// A device showed itself. True: connect to it now.
    pub fn heard(&mut self, peer: Peer, now: Ticks) -> bool {
        let Some(known) = self.find(peer) else { return false };
        let was_away = known.heard.is_none_or(|heard| now.0.saturating_sub(heard.0) >= ABSENCE_MS);
        known.heard = Some(now);
        if was_away {
            (known.rests, known.next_ms) = (now, REST_MS);
        }
        now >= known.rests
    }

    /// A conversation with it is over, and brought so many values.
    pub fn over(&mut self, peer: Peer, how: Ending, values: u16, now: Ticks) {
        let Some(known) = self.find(peer) else { return };
        // It was there until now, although nobody listened for it.
        known.heard = Some(now);
        if values > 0 {
            known.next_ms = REST_MS;
        }
        let rest_ms = match how {
            Ending::Drained => known.next_ms,
            _ => known.next_ms / SOONER,
        };
        known.rests = now.later(rest_ms);
        if values == 0 {
            known.next_ms = (known.next_ms * 2).min(LONGEST_MS);
        }
    }

    fn find(&mut self, peer: Peer) -> Option<&mut Known> {
        self.known.iter_mut().flatten().find(|known| known.peer == peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearth_wire::frame::AddressKind;

    const CUFF: Peer = Peer::Device(AddressKind::Public, [1; 6]);
    const SCALE: Peer = Peer::Device(AddressKind::Random, [0xC2; 6]);

    fn scout() -> Scout<2> {
        let mut scout = Scout::default();
        assert!(scout.look_for([CUFF, SCALE].into_iter()));
        scout
    }

    fn at(seconds: u64) -> Ticks {
        Ticks(seconds * 1_000)
    }

    #[test]
    fn who_shows_itself_is_connected_to_and_then_let_alone() {
        let mut scout = scout();
        assert!(scout.heard(CUFF, at(1)));
        scout.over(CUFF, Ending::Drained, 3, at(5));
        assert!(!scout.heard(CUFF, at(6)) && !scout.heard(CUFF, at(14)));
        assert!(scout.heard(SCALE, at(14)), "the other one is no matter of its");
        assert!(scout.heard(CUFF, at(15)));
        assert!(!scout.heard(Peer::Wired(1), at(15)), "nobody asked for that");
    }

    /// One that tells nothing is asked less and less often, until it has been away.
    #[test]
    fn who_has_nothing_to_tell_is_asked_less() {
        let mut scout = scout();
        let mut now = 0;
        for rest in [10, 20, 40, 80, 160, 320, 640, 900, 900] {
            assert!(scout.heard(CUFF, at(now)), "after {now} s");
            scout.over(CUFF, Ending::Drained, 0, at(now));
            for second in 1..rest {
                assert!(!scout.heard(CUFF, at(now + second)), "{second} s of {rest}");
            }
            now += rest;
        }
        assert!(scout.heard(CUFF, at(now)));
        scout.over(CUFF, Ending::Drained, 0, at(now));
        assert!(scout.heard(CUFF, at(now + 20)), "it was away");
        scout.over(CUFF, Ending::Drained, 0, at(now + 20));
        assert!(!scout.heard(CUFF, at(now + 29)) && scout.heard(CUFF, at(now + 30)));
    }

    #[test]
    fn a_link_that_was_lost_is_tried_again_soon() {
        let mut scout = scout();
        assert!(scout.heard(CUFF, at(1)));
        scout.over(CUFF, Ending::Lost, 0, at(1));
        assert!(scout.heard(CUFF, at(2)));
        scout.over(CUFF, Ending::BondLost, 0, at(2));
        assert!(!scout.heard(CUFF, at(3)) && scout.heard(CUFF, at(4)));
    }

    #[test]
    fn a_new_configuration_keeps_what_is_known_of_those_that_stay() {
        let mut scout = scout();
        assert!(scout.heard(CUFF, at(1)) && scout.heard(SCALE, at(1)));
        scout.over(CUFF, Ending::Drained, 1, at(1));
        assert!(scout.look_for([CUFF].into_iter()));
        assert!(!scout.heard(CUFF, at(2)) && !scout.heard(SCALE, at(2)));
        assert!(!scout.look_for([CUFF, SCALE, Peer::Wired(9)].into_iter()), "it has room for two");
        assert!(scout.peers().eq([CUFF, SCALE]));
    }
}
