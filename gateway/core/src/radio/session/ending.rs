//! What is said of a session that is over.

use super::{Consent, Ending, Memory, Session};
use crate::admit::End;
use crate::profile::Pairing;
use crate::radio::bond::Evidence;

impl Session {
    /// All that this device has to tell was told, as far as its silence says so.
    pub(super) fn told_all(&self) -> bool {
        // Silence between two users says nothing of those to come.
        let users = self.consents.iter().all(|(_, said)| *said == Consent::Granted);
        if self.unheard || self.collect.consent && (self.consents.is_empty() || !users) {
            return false;
        }
        match self.memory {
            Memory::NotAsked => self.subscribed,
            Memory::Whole { .. } => true,
            Memory::Vendor | Memory::NotOffered | Memory::Part(_) | Memory::Failed(_) | Memory::Cut => false,
        }
    }

    pub(super) fn ending(&self, how: End) -> Ending {
        let granted = self.consents.iter().any(|(_, said)| *said == Consent::Granted);
        let whole = matches!(self.memory, Memory::Whole { .. });
        let bond = match self.collect.pairing {
            Pairing::None => Evidence::Untried,
            _ if self.heard > 0 || granted || whole => Evidence::Proved,
            _ if self.security => Evidence::Refused,
            _ if !self.answered => Evidence::Cut,
            _ => Evidence::Untried,
        };
        Ending {
            how,
            heard: self.heard,
            memory: self.memory,
            consents: self.consents.clone(),
            clock: self.clock.end(),
            faults: self.faults.clone(),
            bond,
        }
    }
}
