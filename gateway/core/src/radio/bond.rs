//! How good a bond is, by what came of it.
//!
//! No error text is believed, and neither is the stack's "paired": a device that lost its keys stays paired there, and the
//! connection fails in words that mean many things. A result that only a good bond gives proves it at once, whatever
//! failed before. Failures count, since a link may break for a hundred reasons; a device that itself wants a better bond
//! counts more.
//!
//! A stale bond is not removed where it can't be made anew: while the device is not there, or where a person has to type.

use crate::profile::Pairing;

/// What a session, or a connection that never became one, says of the bond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evidence {
    /// Values, records or a consent came over it.
    Proved,
    /// The device wanted a bond, or a better one.
    Refused,
    /// The device showed itself, and the link came to nothing before it had answered anything.
    Cut,
    /// Nothing was tried that shows it.
    Untried,
}

/// What a bond is worth. To be kept with the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bond {
    /// Just made; nothing came over it yet.
    Fresh,
    Good,
    /// So much speaks against it, less than [`STALE`]. `mended`: the hub made it anew by itself, and nothing came since.
    Doubtful {
        against: u8,
        mended: bool,
    },
    /// The device has forgotten it, or has another. `mended`: making it anew did not help.
    Stale {
        mended: bool,
    },
}

/// From so much evidence on: two refusals, or a dozen links in a row that came to nothing, which is more than a device is tried
/// while it shows itself once. A bond that is removed wrongly takes a person to make anew.
pub const STALE: u8 = 12;

/// What is to be done about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repair {
    Nothing,
    /// Remove the bond and pair, as soon as the device shows itself.
    PairAgain,
    /// A person has to: the device asks for a passkey, or the hub's own try did not help.
    Person,
}

impl Bond {
    /// What it is worth after this.
    pub fn after(self, evidence: Evidence) -> Bond {
        let against = match evidence {
            Evidence::Proved => return Bond::Good,
            Evidence::Untried => return self,
            Evidence::Refused => STALE / 2,
            Evidence::Cut => 1,
        };
        let (so_far, mended) = match self {
            Bond::Fresh | Bond::Good => (0, false),
            Bond::Doubtful { against, mended } => (against, mended),
            Bond::Stale { .. } => return self,
        };
        match so_far.saturating_add(against) {
            enough if enough >= STALE => Bond::Stale { mended },
            against => Bond::Doubtful { against, mended },
        }
    }

    /// The hub removed the bond and tried to pair by itself; `done`: the device took part. Whether that helped, results
    /// show. One try: who refuses a new bond, too, has another host, or waits for a button.
    pub fn mended(self, done: bool) -> Bond {
        match self {
            Bond::Stale { .. } if done => Bond::Doubtful { against: 0, mended: true },
            Bond::Stale { .. } => Bond::Stale { mended: true },
            other => other,
        }
    }

    pub fn repair(self, pairing: Pairing) -> Repair {
        match (self, pairing) {
            (_, Pairing::None) | (Bond::Fresh | Bond::Good | Bond::Doubtful { .. }, _) => Repair::Nothing,
            (Bond::Stale { mended: false }, Pairing::JustWorks) => Repair::PairAgain,
            (Bond::Stale { .. }, Pairing::JustWorks | Pairing::Passkey) => Repair::Person,
        }
    }

    /// For whoever stands before the hub.
    pub fn sentence(self, pairing: Pairing) -> &'static str {
        match (self, self.repair(pairing)) {
            (_, Repair::PairAgain) => {
                "The device does not know this hub any more. Press its Bluetooth button near the hub: it is paired again by itself."
            }
            (_, Repair::Person) => {
                "The device does not know this hub any more. Pair it again, and end its pairing with any telephone."
            }
            (Bond::Fresh, _) => "Paired. Nothing has come from it yet: measure once.",
            (Bond::Good, _) => "Paired, and in use.",
            (Bond::Doubtful { .. } | Bond::Stale { .. }, _) => {
                "Paired. The last connections came to nothing; the hub goes on trying."
            }
        }
    }
}

#[cfg(test)]
mod tests;
