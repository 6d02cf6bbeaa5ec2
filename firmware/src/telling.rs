//! Which record is told next, and when again: the window between a bridge and its hub.
//!
//! Instants and acknowledgements go in, permission to tell the next record comes out. A record is told once more when it was not
//! acknowledged in time, and all after it, since the hub takes them in order. A hub that says nothing at all is told nothing, until it
//! says something: so a cable that ends nowhere costs nothing.

use hearth_wire::frame::{Place, Ticks};

/// So many records may be on their way: what the hub commits together, and what a UART carries while it does.
const WINDOW: u32 = 16;
/// A hub commits within milliseconds; a full disk, or a start, takes longer.
const PATIENCE_MS: u64 = 3_000;
/// After so many times in a row without a word the hub is taken to be away.
const TIMES: u32 = 3;

/// Whether a record may be told, and which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// The one after this place, if there is one: then call [`Telling::told`].
    After(Place),
    /// Nothing before this instant, unless the hub says something; then call [`Telling::poll`] again.
    Wait(Option<Ticks>),
}

#[derive(Clone, Debug)]
pub struct Telling {
    is_there: bool,
    acknowledged: Place,
    told: Place,
    on_their_way: u32,
    /// When all that is on its way should have been acknowledged.
    until: Ticks,
    times: u32,
}

impl Telling {
    /// Nothing was acknowledged, as far as is known.
    #[must_use]
    pub fn new() -> Telling {
        Telling {
            is_there: false,
            acknowledged: Place::default(),
            told: Place::default(),
            on_their_way: 0,
            until: Ticks(0),
            times: 0,
        }
    }

    /// The hub said Hello: it may have forgotten what it was told.
    pub fn greeted(&mut self) {
        self.is_there = true;
        self.again();
        self.times = 0;
    }

    /// The hub said anything: it is there.
    pub fn heard(&mut self) {
        (self.is_there, self.times) = (true, 0);
    }

    fn again(&mut self) {
        (self.told, self.on_their_way) = (self.acknowledged, 0);
    }

    /// All up to this place is committed.
    pub fn acknowledged(&mut self, up_to: Place, now: Ticks) {
        if up_to <= self.acknowledged {
            return;
        }
        self.acknowledged = up_to;
        self.on_their_way = match self.told {
            told if up_to >= told => 0,
            told if up_to.epoch == told.epoch => told.number - up_to.number,
            _ => self.on_their_way.saturating_sub(1),
        };
        self.told = self.told.max(up_to);
        self.until = Ticks(now.0 + PATIENCE_MS);
    }

    pub fn poll(&mut self, now: Ticks) -> Next {
        if !self.is_there {
            return Next::Wait(None);
        }
        if self.on_their_way > 0 && now >= self.until {
            self.times += 1;
            if self.times >= TIMES {
                self.is_there = false;
                return Next::Wait(None);
            }
            self.again();
        }
        match self.on_their_way {
            WINDOW.. => Next::Wait(Some(self.until)),
            _ => Next::After(self.told),
        }
    }

    /// When to look again, though there is nothing more to tell.
    #[must_use]
    pub fn until(&self) -> Option<Ticks> {
        (self.is_there && self.on_their_way > 0).then_some(self.until)
    }

    /// The record after the place that was said went out.
    pub fn told(&mut self, place: Place, now: Ticks) {
        if self.on_their_way == 0 {
            self.until = Ticks(now.0 + PATIENCE_MS);
        }
        self.told = place;
        self.on_their_way += 1;
    }
}

impl Default for Telling {
    fn default() -> Self {
        Self::new()
    }
}
