//! A scale that tells a user's weighings only after that user's consent (User Data Service, "User Control Point").

use super::plan::{Place, Step};
use super::{Consent, Doing, Fault, Memory, Millis, Session};
use crate::identity::Slot;
use hearth_wire::gatt::user_control_point::CONSENT;
use hearth_wire::gatt::{UserControlPoint, UserControlResult};
use hearth_wire::racp::RecordAccessControlPoint;

impl Session {
    /// A control point that can't answer is not asked.
    pub(super) fn no_control_point(&mut self, place: Place, fault: Fault) {
        match place.characteristic.0 {
            RecordAccessControlPoint::UUID => {
                self.plan.retain(|step| !matches!(step, Step::Collect(_)));
                self.memory = Memory::Failed(fault);
            }
            UserControlPoint::UUID => {
                self.plan.retain(|step| !matches!(step, Step::Consent(..)));
                self.consents.iter_mut().for_each(|(_, said)| *said = Consent::Failed(fault));
            }
            _ => {}
        }
    }

    pub(super) fn consent_request(&self, user: usize) -> Option<Vec<u8>> {
        let (Slot(user_index), consent) = *self.known.users.get(user)?;
        let mut room = [0; 4];
        UserControlPoint::Consent { user_index, consent }.encode(&mut room).ok().map(<[u8]>::to_vec)
    }

    pub(super) fn user_control_point(&mut self, octets: &[u8], now: Millis) {
        let user = match self.doing {
            Doing::Consenting(user, _) => user,
            Doing::Asking(Step::Consent(_, user)) if self.send.is_none() => user,
            _ => return,
        };
        let Ok(decoded) = UserControlPoint::decode(octets) else { return };
        let UserControlPoint::Response { request: CONSENT, result, .. } = decoded.value else { return };
        let granted = result == UserControlResult::SUCCESS;
        self.consent(user, if granted { Consent::Granted } else { Consent::Refused(result) });
        if granted {
            self.heard_at = self.heard_at.max(now);
        } else if matches!(self.plan.front(), Some(Step::Drain)) && self.plan.len() > 1 {
            // Nothing comes for a user who did not consent; whoever else may speak does so at the end.
            self.plan.pop_front();
        }
        if matches!(self.doing, Doing::Consenting(..)) {
            self.next(now);
        }
    }

    pub(super) fn is_untried(&self, user: usize) -> bool {
        self.consents.get(user).is_some_and(|(_, said)| *said == Consent::Untried)
    }

    /// The first word about a user stands.
    pub(super) fn consent(&mut self, user: usize, said: Consent) {
        if let Some((_, untried)) = self.consents.get_mut(user).filter(|(_, s)| *s == Consent::Untried) {
            *untried = said;
        }
    }
}
