//! What a record still waits for.

use super::{Fate, For, Why};
use crate::when::HubTicks;

/// What is still missing: what may come until a deadline, and what becomes a hold without it.
#[derive(Default)]
pub(super) struct Waits {
    wants: Vec<For>,
    until: Option<HubTicks>,
    hold: Option<Why>,
}

impl Waits {
    /// May come; goes on without it.
    pub(super) fn may(&mut self, what: For, until: Option<HubTicks>) {
        if let Some(until) = until {
            self.wants.push(what);
            self.until = Some(self.until.map_or(until, |u| u.min(until)));
        }
    }

    /// Must come; held without it.
    pub(super) fn need(&mut self, what: For, until: Option<HubTicks>, otherwise: Why) {
        match until {
            Some(_) => self.may(what, until),
            None => self.hold = self.hold.take().or(Some(otherwise)),
        }
    }

    pub(super) fn verdict(mut self) -> Option<Fate> {
        self.wants.sort_unstable();
        match self.until {
            Some(until) => Some(Fate::Await { wants: self.wants, until }),
            None => self.hold.map(Fate::Hold),
        }
    }
}
