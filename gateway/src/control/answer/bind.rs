//! Whose a device is, and what may leave of whom.

use super::{AUTHOR, Answer, Asked, trouble};
use crate::clock;
use crate::control::{BindAdd, words};
use crate::intake::whose::{self, Wanted, Which};
use crate::show::{Ending, Shown, count, exit};
use crate::store::{DestinationNo, OutboxNo};
use hearth_core::capture::DeviceNo;
use hearth_core::identity::{Permission, PersonNo, Revision, Slot, Who, Window};
use jiff::Timestamp;

pub(super) const LIST: &str = "Whose the devices are.";

/// From, and until before when.
type Instants = (Option<Timestamp>, Option<Timestamp>);

impl Asked<'_> {
    pub(super) fn bindings(&mut self, said: &str) -> Answer {
        let mut rows = vec![];
        for binding in self.store.bindings().map_err(trouble)? {
            let patients = match binding.who {
                Who::Person(person) => self.store.patients(person).map_err(trouble)?,
                Who::Test => vec![],
            };
            rows.push(words::binding(&binding, &patients));
        }
        let said = if rows.is_empty() && said == LIST { "No device is bound to anybody." } else { said };
        Ok(Shown::rows(rows, said))
    }

    fn known(&mut self, device: DeviceNo) -> Result<(), Ending> {
        match self.store.devices().map_err(trouble)?.iter().any(|d| d.device == device) {
            true => Ok(()),
            false => {
                Err(Ending::usage(format!("no device has row {}; `hearth devices` lists them", device.0)))
            }
        }
    }

    pub(super) fn bind_add(&mut self, add: &BindAdd) -> Answer {
        self.known(DeviceNo(add.device))?;
        let wanted = Wanted {
            device: DeviceNo(add.device),
            slot: add.slot,
            patient: &add.patient,
            zone: add.zone.as_deref(),
            from: add.from.unwrap_or_else(clock::now),
            until: add.until,
            sole_use_attested_by: add.sole_use_attested_by.as_deref(),
            shared: add.shared,
            labels: &add.labels,
            instead: add.instead,
        };
        let before: Vec<OutboxNo> = self.withheld(None)?;
        let Some(added) = whose::add(self.store, &wanted, AUTHOR, self.inside.ticks())? else {
            return self.bindings("It is bound so already; nothing was changed.");
        };
        self.inside.committed(added.committed.due);
        let mut said = match added.committed.admitted.len() {
            0 => "Bound. ".to_owned(),
            1 => "Bound. 1 record that waited is a reading now. ".to_owned(),
            n => format!("Bound. {n} records that waited are readings now. "),
        };
        said += &added.ended.said();
        let withheld: Vec<String> = self
            .withheld(None)?
            .into_iter()
            .filter(|row| !before.contains(row))
            .map(|row| row.0.to_string())
            .collect();
        if !withheld.is_empty() {
            said += &format!(
                "Withheld all the same: outbox row {}; `hearth outbox show` says why. ",
                withheld.join(", ")
            );
        }
        if add.zone.is_none() {
            said += "No --zone was given: readings that only the device dates are held until the binding has one.";
        }
        self.bindings(said.trim_end())
    }

    pub(super) fn bind_end(
        &mut self,
        device: DeviceNo,
        slot: Option<u8>,
        patient: Option<(String, String)>,
        at: Option<Timestamp>,
    ) -> Answer {
        self.known(device)?;
        let who = match patient {
            Some((destination, id)) => Some(Who::Person(self.person(&destination, &id)?)),
            None => None,
        };
        let mut bindings = self.store.bindings().map_err(trouble)?;
        let which = Which { device, slot: slot.map(Slot), who };
        let ended = whose::end(&mut bindings, &which, at.unwrap_or_else(clock::now));
        if ended == whose::Ended::default() {
            return Err(Ending::usage(
                "no such binding of that device runs then, or begins later; `hearth bind list` shows them",
            ));
        }
        let committed = self.store.bind(bindings, "command", AUTHOR, self.inside.ticks()).map_err(trouble)?;
        self.inside.committed(committed.due);
        self.bindings(&format!("{}Readings that were given stay as they are.", ended.said()))
    }

    /// Somebody whom a binding has named.
    pub(super) fn person(&mut self, destination: &str, patient: &str) -> Result<PersonNo, Ending> {
        let no = whose::destination(self.store, destination)?;
        self.store.known_person(no, patient).map_err(trouble)?.ok_or_else(|| {
            Ending::usage(format!(
                "{destination} knows no patient {patient:?} here; `hearth bind list` shows who is bound"
            ))
        })
    }

    /// Without any instant it only says what may leave now.
    pub(super) fn permit(
        &mut self,
        destination: &str,
        patient: &str,
        order: Instants,
        consent: Instants,
    ) -> Answer {
        let no = whose::destination(self.store, destination)?;
        let person = self.person(destination, patient)?;
        let was = self.store.permission_of(person, no).map_err(trouble)?;
        let shown = |permission: &Permission, said: String| Shown {
            said: Some(said),
            ..Shown::fields(words::permission(destination, patient, permission))
        };
        if (order, consent) == ((None, None), (None, None)) {
            return Ok(match was {
                Some(was) => shown(&was, "What was taken inside both may leave. Nothing was changed.".into()),
                None => Shown { said: Some("Nothing may leave.".into()), ..Shown::default() },
            });
        }
        let permission = Permission {
            order: window("order", order, was.as_ref().map(|p| p.order))?,
            consent: window("consent", consent, was.as_ref().map(|p| p.consent))?,
            revision: Revision(0),
        };
        let before = self.withheld(Some(no))?.len() as u64;
        self.store.permit(person, no, &permission).map_err(trouble)?;
        self.inside.wake.wake();
        let after = self.withheld(Some(no))?.len() as u64;
        let said = if after > before {
            format!("Withheld from now on: {}.", count(after - before, "row"))
        } else if before > after {
            format!("Withheld no longer: {}.", count(before - after, "row"))
        } else {
            "Of what waits in the outbox, nothing changes.".to_owned()
        };
        Ok(shown(&permission, said))
    }

    fn withheld(&mut self, destination: Option<DestinationNo>) -> Result<Vec<OutboxNo>, Ending> {
        let open = self.store.outbox(destination, false).map_err(trouble)?;
        Ok(open.iter().filter(|row| row.state == "withheld").map(|row| row.row).collect())
    }
}

/// What is not said stays as it was; what never was begins now.
fn window(what: &str, (from, until): Instants, was: Option<Window>) -> Result<Window, Ending> {
    let window = Window {
        from: from.or(was.map(|w| w.from)).unwrap_or_else(clock::now),
        until: match until {
            Some(never) if never == Timestamp::MAX => None,
            given => given.or(was.and_then(|w| w.until)),
        },
    };
    match window.until {
        Some(until) if until < window.from => Err(Ending::new(
            exit::DATAERR,
            format!(
                "the {what} would end at {until}, before it begins at {}; give --{what}-from and --{what}-until in order",
                window.from
            ),
        )),
        _ => Ok(window),
    }
}
