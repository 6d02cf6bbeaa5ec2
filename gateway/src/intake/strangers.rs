//! Anybody in radio range can broadcast, as often as they like. What devices that nobody is bound to broadcast is held, so
//! that a scale can be bound after it was first stood on; but a neighbour must not fill the disk, nor wear it out.

use super::{Met, Session, Trouble};
use crate::store::Store;
use hearth_core::capture::{Capture, Link, Origin, Uuid16};
use hearth_core::when::HubTicks;

/// So much is kept at once of what strangers are and broadcast: each device that is new, and each new value of one that
/// nobody is bound to. A household's first day is less.
const AT_ONCE: i64 = 100;
/// And one more for each of these, in milliseconds.
const ONE_MORE: i64 = 30 * 60_000;

/// What is said of a broadcast that is not kept.
pub(super) const NOT_KEPT: &str = "not kept: too much is broadcast by devices that nobody is bound to; bind the device if it is the \
                                   household's: hearth bind add";

/// How much more of strangers may be kept.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    /// In milliseconds of waiting that are used up.
    used: i64,
    last: i64,
    /// Broadcasts that were not kept, since the daemon was started.
    not_kept: u64,
}

impl Strangers {
    /// Whether one more thing may, now.
    pub(super) fn may_be_kept(&mut self, at: HubTicks) -> bool {
        self.used = self.used.saturating_sub(at.ms.saturating_sub(self.last).max(0)).max(0);
        self.last = at.ms;
        let may = self.used + ONE_MORE <= AT_ONCE * ONE_MORE;
        self.used += if may { ONE_MORE } else { 0 };
        may
    }

    pub(crate) fn not_kept(&self) -> u64 {
        self.not_kept
    }
}

/// What was broadcast.
pub(super) struct Broadcast<'a> {
    pub(super) device: &'a str,
    pub(super) contact: u64,
    pub(super) characteristic: Uuid16,
    pub(super) octets: &'a [u8],
}

/// What becomes of a broadcast, before anything is written.
pub(super) enum Crowd {
    /// As any news is.
    Taken,
    /// A stranger's, known already: not even counted, since that would be written.
    Repeated,
    NotKept,
}

impl Session {
    pub(super) fn crowd(
        &self,
        store: &mut Store,
        heard: &Broadcast<'_>,
        at: HubTicks,
        strangers: &mut Strangers,
    ) -> Result<Crowd, Trouble> {
        let device = match self.devices.get(heard.device) {
            // Nobody met it: that is said further on.
            None => return Ok(Crowd::Taken),
            Some(Met::Told(_)) => return Ok(not_kept(strangers)),
            Some(Met::Known(no)) => *no,
        };
        if store.is_bound(device)? {
            return Ok(Crowd::Taken);
        }
        if let Some(contact) = self.contacts.get(&(heard.device.to_owned(), heard.contact)) {
            let capture = Capture {
                device,
                contact: *contact,
                link: Link::Broadcast,
                // Of one that is never kept.
                origin: Origin { recorder: [0; 8], epoch: 0, number: 0 },
                at,
                characteristic: heard.characteristic,
                octets: heard.octets.into(),
            };
            if store.repeats(&capture)? {
                return Ok(Crowd::Repeated);
            }
        }
        Ok(if strangers.may_be_kept(at) { Crowd::Taken } else { not_kept(strangers) })
    }
}

fn not_kept(strangers: &mut Strangers) -> Crowd {
    strangers.not_kept = strangers.not_kept.saturating_add(1);
    if strangers.not_kept == 1 {
        tracing::warn!(
            "more is broadcast by devices that nobody is bound to than is kept; `hearth status` counts what is not"
        );
    }
    Crowd::NotKept
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, ONE_MORE, Strangers};
    use hearth_core::when::{BootNo, HubTicks};

    #[test]
    fn what_is_kept_of_strangers_is_bounded_by_time() {
        let mut strangers = Strangers::default();
        let at = |ms| HubTicks { boot: BootNo(1), ms };
        let kept = (0..1_000).filter(|ms| strangers.may_be_kept(at(*ms))).count() as i64;
        assert_eq!(kept, AT_ONCE);
        let hours = 10;
        let day = (0..hours * 3_600).filter(|s| strangers.may_be_kept(at(1_000 * s))).count() as i64;
        assert!((hours * 3_600_000 / ONE_MORE - day).abs() <= 1, "{day}");
        // A quiet week, and as much at once as at first.
        let later = (0..1_000).filter(|ms| strangers.may_be_kept(at(7 * 24 * 3_600_000 + ms))).count() as i64;
        assert_eq!(later, AT_ONCE);
    }
}
