//! What is kept of a device of the house from one connection to the next.

use super::bond::Bond;
use super::session::{Consent, Cursor, Ending, Memory};
use crate::identity::Slot;

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
}

impl Default for Kept {
    fn default() -> Kept {
        Kept { bond: Bond::Fresh, cursor: None, users: vec![], battery: None }
    }
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

    /// What it is after a session.
    #[must_use]
    pub fn after(mut self, ending: &Ending) -> Kept {
        self.bond = self.bond.after(ending.bond);
        if let Memory::Whole { cursor, .. } = ending.memory {
            self.cursor = cursor;
        }
        for (slot, consent) in &ending.consents {
            if let (Consent::Refused(_), Some(user)) =
                (consent, self.users.iter_mut().find(|user| user.slot == *slot))
            {
                user.refused = true;
            }
        }
        self
    }

    /// Where a person gave or took codes while a session ran with what was kept before: theirs stand.
    #[must_use]
    pub fn with_users_of(mut self, now: &Kept) -> Kept {
        let refused = |user: &User| self.users.contains(&User { refused: true, ..*user });
        let users = now.users.iter().map(|user| User { refused: user.refused || refused(user), ..*user });
        self.users = users.collect();
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
    use crate::radio::bond::Evidence;
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
            assert_eq!(kept.clone().after(&ending(memory, vec![])).cursor, then, "{memory:?}");
        }
    }

    #[test]
    fn what_a_person_says_while_a_session_runs_stands() {
        let mut now = Kept::default();
        [(1, 1_111), (2, 2_222), (3, 3_333)]
            .into_iter()
            .for_each(|(slot, code)| now.consent(Slot(slot), Some(code)));
        let refused = |slot| (Slot(slot), Consent::Refused(UserControlResult::USER_NOT_AUTHORIZED));
        let session = now.clone().after(&ending(Memory::NotAsked, vec![refused(1), refused(2), refused(3)]));
        // Meanwhile one gets another code, and one is forgotten.
        now.consent(Slot(1), Some(1_112));
        now.consent(Slot(2), None);
        let kept = session.with_users_of(&now);
        assert_eq!(kept.consenting(), [(Slot(1), 1_112)]);
        assert_eq!(kept.users.len(), 2, "the third is still refused: {kept:?}");
        assert_eq!(kept.bond, Bond::Good);
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
        let kept = kept.after(&ending(Memory::NotAsked, consents));
        assert_eq!(kept.consenting(), [(Slot(1), 1_001), (Slot(3), 1_003)]);
        assert_eq!(kept.bond, Bond::Good);
    }
}
