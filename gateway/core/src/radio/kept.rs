//! What is kept of a device of the house from one connection to the next.

use super::bond::{Bond, Evidence, Repair};
use super::session::{Consent, Cursor, Ending, Memory};
use crate::identity::Slot;
use crate::profile::Pairing;
use hearth_wire::frame::{BridgeId, Standing};

/// A user of a scale, and the code that lets the scale tell their weighings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct User {
    pub slot: Slot,
    pub code: u16,
    /// The scale refused it: it is not tried again, since scales lock after a few.
    pub refused: bool,
}

/// A device that a person took into the house.
#[derive(Clone, PartialEq, Debug)]
pub struct Kept {
    pub bond: Bond,
    /// Where its memory was read to.
    pub cursor: Option<Cursor>,
    pub users: Vec<User>,
    /// In percent, when it last said so.
    pub battery: Option<u8>,
    /// The bridge that meets it, and has its bond. `None`: this hub's own radio does.
    pub bridge: Option<BridgeId>,
}

impl Default for Kept {
    fn default() -> Kept {
        Kept { bond: Bond::Fresh, cursor: None, users: vec![], battery: None, bridge: None }
    }
}

/// What a connection or a repair says of a device. It changes what is kept by then: a person may have paired the device
/// anew meanwhile, or given another code.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// A link came to nothing.
    Cut,
    /// The hub made a stale bond anew by itself; `true`: the device took part.
    Mended(bool),
    /// The bridge with this name says what the bond is worth that it has.
    Stands(BridgeId, Standing),
    /// In percent, as a bridge has read it.
    Battery(u8),
    Session {
        bond: Evidence,
        /// Where its memory was read to, if it was read to its end.
        cursor: Option<Option<Cursor>>,
        /// Codes, of which user, that the scale refused.
        refused: Vec<(Slot, u16)>,
        battery: Option<u8>,
    },
}

/// From so many percent on a battery is low: what the Battery Service leaves open, telephones warn at.
const LOW: u8 = 20;

/// What somebody has to see to in a device of the house, beside its bond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matter {
    /// In percent.
    Battery(u8),
    /// The scale refused this user's code.
    Refused(Slot),
    /// It tells nothing without a code, and has none.
    NoCode,
}

impl Kept {
    /// `consents`: its profile says that users have to consent.
    pub fn matters(&self, consents: bool) -> Vec<Matter> {
        let battery = self.battery.filter(|percent| *percent <= LOW).map(Matter::Battery);
        let refused = self.users.iter().filter(|user| user.refused).map(|user| Matter::Refused(user.slot));
        let no_code = (consents && self.users.is_empty()).then_some(Matter::NoCode);
        battery.into_iter().chain(refused).chain(no_code).collect()
    }

    /// What somebody has to do about its bond.
    pub fn bond_trouble(&self, pairing: Pairing) -> Option<&'static str> {
        (self.bond.repair(pairing) != Repair::Nothing).then(|| self.bond.sentence(pairing))
    }

    /// What a session that began with this makes of it.
    pub fn change(&self, ending: &Ending, battery: Option<u8>) -> Change {
        let refused = |slot: &Slot| {
            ending.consents.iter().any(|(of, consent)| of == slot && matches!(consent, Consent::Refused(_)))
        };
        Change::Session {
            bond: ending.bond,
            cursor: if let Memory::Whole { cursor, .. } = ending.memory { Some(cursor) } else { None },
            refused: self.consenting().into_iter().filter(|(slot, _)| refused(slot)).collect(),
            battery,
        }
    }

    /// What it is after this.
    #[must_use]
    pub fn with(mut self, change: &Change) -> Kept {
        match change {
            Change::Cut => self.bond = self.bond.after(Evidence::Cut),
            Change::Mended(done) => self.bond = self.bond.mended(*done),
            Change::Stands(bridge, standing) if self.bridge == Some(*bridge) => {
                self.bond = match standing {
                    Standing::Good => Bond::Good,
                    // A bridge makes none anew by itself.
                    Standing::Stale | Standing::Unpaired => Bond::Stale { mended: true },
                    Standing::Fresh | Standing::Other(_) => self.bond,
                };
            }
            Change::Stands(..) => {}
            Change::Battery(percent) => self.battery = Some(*percent),
            Change::Session { bond, cursor, refused, battery } => {
                self.bond = self.bond.after(*bond);
                self.cursor = cursor.unwrap_or(self.cursor);
                for user in &mut self.users {
                    user.refused |= refused.contains(&(user.slot, user.code));
                }
                self.battery = battery.or(self.battery);
            }
        }
        self
    }

    /// Gives this user's code, which may be tried again; without one it is forgotten.
    pub fn consent(&mut self, slot: Slot, code: Option<u16>) {
        self.users.retain(|user| user.slot != slot);
        self.users.extend(code.map(|code| User { slot, code, refused: false }));
        self.users.sort_by_key(|user| user.slot.0);
    }

    /// Users whose code may be given.
    pub fn consenting(&self) -> Vec<(Slot, u16)> {
        self.users.iter().filter(|user| !user.refused).map(|user| (user.slot, user.code)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admit::End;
    use crate::capture::Name;
    use crate::radio::session::ClockEnd;
    use hearth_wire::gatt::UserControlResult;

    fn ending(memory: Memory, consents: Vec<(Slot, Consent)>) -> Ending {
        Ending {
            how: End::Drained,
            heard: 0,
            memory,
            consents,
            clock: ClockEnd::None,
            faults: vec![],
            bond: Evidence::Proved,
        }
    }

    #[test]
    fn only_a_whole_memory_moves_the_cursor() {
        let cursor = |number| Some(Cursor { number, name: Name([7; 32]) });
        let kept = Kept { cursor: cursor(5), ..Kept::default() };
        for (memory, then) in [
            (Memory::Whole { cursor: cursor(9), anew: false }, cursor(9)),
            (Memory::Whole { cursor: None, anew: true }, None),
            (Memory::Cut, cursor(5)),
            (Memory::NotAsked, cursor(5)),
        ] {
            let change = kept.change(&ending(memory, vec![]), None);
            assert_eq!(kept.clone().with(&change).cursor, then, "{memory:?}");
        }
    }

    #[test]
    fn what_a_person_says_while_a_session_runs_stands() {
        let mut now = Kept::default();
        [(1, 1_111), (2, 2_222), (3, 3_333)]
            .into_iter()
            .for_each(|(slot, code)| now.consent(Slot(slot), Some(code)));
        let refused = |slot| (Slot(slot), Consent::Refused(UserControlResult::USER_NOT_AUTHORIZED));
        let session = now.change(&ending(Memory::NotAsked, vec![refused(1), refused(2), refused(3)]), None);
        // Meanwhile one gets another code, and one is forgotten.
        now.consent(Slot(1), Some(1_112));
        now.consent(Slot(2), None);
        let kept = now.with(&session);
        assert_eq!(kept.consenting(), [(Slot(1), 1_112)]);
        assert_eq!(kept.users.len(), 2, "the third is still refused: {kept:?}");
        assert_eq!(kept.bond, Bond::Good);
    }

    /// What a session did not look at is as it was; what a repair came to is the bond's alone.
    #[test]
    fn a_bond_that_was_made_anew_meanwhile_stands() {
        let stale = Kept { bond: Bond::Stale { mended: false }, battery: Some(80), ..Kept::default() };
        let untried = Ending { bond: Evidence::Untried, ..ending(Memory::Cut, vec![]) };
        let session = stale.change(&untried, None);
        let paired = Kept { bond: Bond::Fresh, ..stale.clone() };
        assert_eq!(paired.clone().with(&session), paired);
        assert_eq!(
            paired.clone().with(&Change::Mended(false)),
            paired,
            "what a repair came to is told too late"
        );
        assert_eq!(stale.with(&Change::Mended(false)).bond, Bond::Stale { mended: true });
        assert_eq!(paired.with(&Change::Cut).bond, Bond::Doubtful { against: 1, mended: false });
    }

    #[test]
    fn a_bond_is_worth_what_the_bridge_says_that_has_it() {
        let (ours, another) = (BridgeId([1; 8]), BridgeId([2; 8]));
        let kept = Kept { bridge: Some(ours), ..Kept::default() };
        for (standing, bond) in [
            (Standing::Fresh, Bond::Fresh),
            (Standing::Good, Bond::Good),
            (Standing::Stale, Bond::Stale { mended: true }),
            (Standing::Unpaired, Bond::Stale { mended: true }),
            (Standing::Other(9), Bond::Fresh),
        ] {
            assert_eq!(kept.clone().with(&Change::Stands(ours, standing)).bond, bond, "{standing:?}");
            assert_eq!(kept.clone().with(&Change::Stands(another, standing)), kept);
        }
        let stale = kept.with(&Change::Stands(ours, Standing::Unpaired));
        assert!(stale.bond_trouble(Pairing::JustWorks).unwrap().contains("Pair it again"));
        assert_eq!(stale.bond_trouble(Pairing::None), None);
        assert_eq!(Kept::default().bond_trouble(Pairing::Passkey), None);
    }

    #[test]
    fn a_code_that_was_refused_is_not_given_again() {
        let user = |slot| User { slot: Slot(slot), code: 1_000 + u16::from(slot), refused: false };
        let kept = Kept { users: vec![user(1), user(2), user(3)], ..Kept::default() };
        let consents = vec![
            (Slot(1), Consent::Granted),
            (Slot(2), Consent::Refused(UserControlResult::USER_NOT_AUTHORIZED)),
            (Slot(3), Consent::Untried),
        ];
        let change = kept.change(&ending(Memory::NotAsked, consents), Some(40));
        let kept = kept.with(&change);
        assert_eq!(kept.battery, Some(40));
        assert_eq!(kept.consenting(), [(Slot(1), 1_001), (Slot(3), 1_003)]);
        assert_eq!(kept.bond, Bond::Good);
    }
}
