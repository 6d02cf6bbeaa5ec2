//! Whose a device is, as a person says it: checked against what was said before, then written.

use super::Trouble;
use crate::store::{Committed, DestinationNo, Store, StoreError};
use hearth_core::capture::DeviceNo;
use hearth_core::identity::{
    Attested, Binding, Labels, Permission, PersonNo, Revision, Slot, UNKNOWN_USER, Who, Window,
};
use hearth_core::parcel::Subject;
use hearth_core::when::{HubTicks, ZoneName};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A binding as a person asks for it.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) device: DeviceNo,
    pub(crate) slot: Option<u8>,
    /// Destination to logical id there. Empty: a test.
    pub(crate) patient: &'a BTreeMap<String, String>,
    pub(crate) zone: Option<&'a str>,
    pub(crate) from: Timestamp,
    pub(crate) until: Option<Timestamp>,
    pub(crate) sole_use_attested_by: Option<&'a str>,
    pub(crate) shared: bool,
    pub(crate) labels: &'a [String],
    pub(crate) instead: bool,
}

impl Wanted<'_> {
    /// As it would stand among the others. Errors name what can't be.
    fn binding(&self, who: Who) -> Result<Binding, Trouble> {
        let zone = match self.zone {
            None => None,
            Some(name) => Some(ZoneName::parse(name).ok_or_else(|| {
                Trouble::Line(format!("{name:?} is no time zone; give an IANA name such as America/New_York"))
            })?),
        };
        if self.until.is_some_and(|until| until <= self.from) {
            return Err(Trouble::Line("the binding ends before it begins".into()));
        }
        if self.sole_use_attested_by.is_some_and(|by| by.trim().is_empty()) {
            return Err(Trouble::Line("say who attests sole use".into()));
        }
        let plain = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_graphic());
        if let Some(label) = self.labels.iter().find(|label| !plain(label)) {
            return Err(Trouble::Line(format!("{label:?} is no label; give a code such as 42CFRPart2")));
        }
        let slot = self.slot.map(Slot);
        if slot == Some(Slot(UNKNOWN_USER)) {
            return Err(Trouble::Line(
                "slot 255 means that the device does not know the user: it is nobody's".into(),
            ));
        }
        if self.shared && (slot.is_some() || self.sole_use_attested_by.is_some() || who == Who::Test) {
            return Err(Trouble::Line(
                "a device that several share is bound to each of them, without a slot, and nobody attests sole use".into(),
            ));
        }
        Ok(Binding {
            device: self.device,
            slot,
            who,
            from: self.from,
            until: self.until,
            zone,
            sole_use: self.sole_use_attested_by.map(|by| Attested { by: by.to_owned() }),
            shared: self.shared,
            labels: Labels(self.labels.iter().cloned().collect()),
            // The store counts.
            revision: Revision(0),
        })
    }
}

/// What adding a binding did.
#[derive(Debug)]
pub(crate) struct Added {
    pub(crate) committed: Committed,
    /// What it came instead of.
    pub(crate) ended: Ended,
}

/// Adds a binding to those that are. A person who is new to a destination may send there what is taken from the
/// binding's start; `hearth bind permit` narrows it. `None`: it stands already, word for word.
///
/// A device has one owner at a time: what would make two, or one twice, is refused.
pub(crate) fn add(
    store: &mut Store,
    wanted: &Wanted<'_>,
    author: &str,
    at: HubTicks,
) -> Result<Option<Added>, Trouble> {
    let whom = Whom::find(store, wanted.patient)?;
    // Who is new here is nobody that any other binding names.
    let stranger = Who::Person(PersonNo(i64::MIN));
    let mut binding = wanted.binding(whom.who().unwrap_or(stranger))?;
    let mut bindings = store.bindings()?;
    if bindings.iter().any(|b| Binding { revision: binding.revision, ..b.clone() } == binding) {
        return Ok(None);
    }
    // Whether it is shared is never changed on the way: that says whose all is that waits.
    let clash = |b: &&Binding| b.shared != binding.shared && b.meets(&binding);
    if let Some(other) = bindings.iter().find(clash) {
        return Err(Trouble::Line(in_the_way(other, &binding)));
    }
    let mut ended = Ended::default();
    if wanted.instead {
        let who = Some(binding.who).filter(|_| binding.shared);
        ended = end(&mut bindings, &Which { device: wanted.device, slot: binding.slot, who }, wanted.from);
    }
    if let Some(other) = bindings.iter().find(|b| b.meets(&binding)) {
        return Err(Trouble::Line(in_the_way(other, &binding)));
    }
    binding.who = whom.enrol(store, wanted.from, author)?;
    bindings.push(binding);
    Ok(Some(Added { committed: store.bind(bindings, "command", author, at)?, ended }))
}

/// The same, unless it was said before: then whatever became of it since stands.
pub(crate) fn add_once(
    store: &mut Store,
    wanted: &Wanted<'_>,
    author: &str,
    at: HubTicks,
) -> Result<Option<Committed>, Trouble> {
    if let Some(who) = Whom::find(store, wanted.patient)?.who() {
        let binding = wanted.binding(who)?;
        if store.was_bound(&binding)? {
            return Ok(None);
        }
    }
    Ok(add(store, wanted, author, at)?.map(|added| added.committed))
}

fn in_the_way(other: &Binding, wanted: &Binding) -> String {
    let device = other.device.0;
    let slot = other.slot.map_or_else(String::new, |slot| format!(", slot {}", slot.0));
    let ends = other.slot.map_or_else(String::new, |slot| format!(" --slot {}", slot.0));
    let until = other.until.map_or_else(|| "further notice".to_owned(), |until| until.to_string());
    let whose = match other.who == wanted.who {
        true => "bound to them already",
        false => "somebody else's",
    };
    if other.shared != wanted.shared {
        let is = if other.shared { "shared" } else { "one person's" };
        return format!(
            "device {device} is {is} from {} until {until} (revision {} of `hearth bind list`); bind it to each of \
             them with --shared, or first `hearth bind end {device}` and then to one alone",
            other.from, other.revision.0,
        );
    }
    let alone = match other.slot != wanted.slot {
        true => ", by the word of whoever attested sole use,",
        false => "",
    };
    format!(
        "device {device}{slot} is {whose}{alone} from {} until {until} (revision {} of `hearth bind list`); bind it \
         with --instead from when on that ends, or first `hearth bind end {device}{ends}`",
        other.from, other.revision.0,
    )
}

/// What the end of a device's bindings changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Ended {
    /// These ran, and run no longer.
    pub(crate) ended: Vec<Binding>,
    /// These would have begun later, and never do.
    pub(crate) taken_away: Vec<Binding>,
}

impl Ended {
    /// For a person: which revisions. Empty, if nothing was changed.
    pub(crate) fn said(&self) -> String {
        let revisions = |all: &[Binding]| -> String {
            all.iter().map(|b| b.revision.0.to_string()).collect::<Vec<_>>().join(", ")
        };
        let mut said = String::new();
        if !self.ended.is_empty() {
            said += &format!("Ended: revision {}. ", revisions(&self.ended));
        }
        if !self.taken_away.is_empty() {
            let all = revisions(&self.taken_away);
            said += &format!("Taken away, since it would have begun later: revision {all}. ");
        }
        said
    }
}

/// Which bindings are meant: those of a device, of one slot or of all, of one person or of all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Which {
    pub(crate) device: DeviceNo,
    pub(crate) slot: Option<Slot>,
    pub(crate) who: Option<Who>,
}

/// Ends what runs at an instant, and takes away what would begin after it.
pub(crate) fn end(bindings: &mut Vec<Binding>, which: &Which, at: Timestamp) -> Ended {
    let same = |b: &Binding| {
        b.device == which.device
            && which.slot.is_none_or(|slot| b.slot == Some(slot))
            && which.who.is_none_or(|who| b.who == who)
    };
    let taken_away = bindings.extract_if(.., |b| same(b) && b.from >= at).collect();
    let mut ended = vec![];
    for binding in bindings.iter_mut().filter(|b| same(b) && b.until.is_none_or(|until| until > at)) {
        ended.push(binding.clone());
        binding.until = Some(at);
    }
    Ended { ended, taken_away }
}

/// One person under all their ids: found by any that is known.
struct Whom {
    /// Empty: a test.
    places: Vec<(DestinationNo, Subject)>,
    known: Option<PersonNo>,
}

impl Whom {
    fn find(store: &mut Store, patient: &BTreeMap<String, String>) -> Result<Whom, Trouble> {
        let mut places = vec![];
        let mut person = None;
        for (name, id) in patient {
            patient_id(id).map_err(|said| Trouble::Line(format!("{name}: {said}")))?;
            let no = destination(store, name)?;
            let known = store.known_person(no, id)?;
            match (person, known) {
                (Some(one), Some(other)) if one != other => {
                    let said = format!(
                        "{name}: this id is known as another person; bind one of them, then look again"
                    );
                    return Err(Trouble::Line(said));
                }
                (None, Some(_)) => person = known,
                _ => {}
            }
            places.push((no, Subject { id: id.clone(), identifier: None }));
        }
        Ok(Whom { places, known: person })
    }

    /// `None`: somebody whom nobody has named yet.
    fn who(&self) -> Option<Who> {
        if self.places.is_empty() { Some(Who::Test) } else { self.known.map(Who::Person) }
    }

    /// Makes the person where there is none. Who was never permitted anything at a destination may send there what
    /// is taken from `from` on: the order and the consent that binding stands for.
    fn enrol(self, store: &mut Store, from: Timestamp, author: &str) -> Result<Who, Trouble> {
        let mut person = self.known;
        for (destination, subject) in self.places {
            let no = match person {
                None => store.person_for(destination, &subject, Some(author))?,
                Some(known) => store.also_at(known, destination, &subject, Some(author)).map(|()| known)?,
            };
            person = Some(no);
            if store.permission_of(no, destination)?.is_none() {
                let open = Window { from, until: None };
                let permission = Permission { order: open, consent: open, revision: Revision(0) };
                store.permit(no, destination, &permission)?;
            }
        }
        Ok(person.map_or(Who::Test, Who::Person))
    }
}

/// A logical id, as FHIR R4 allows it; it stands in URLs.
pub(crate) fn patient_id(id: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if id.is_empty() || id.len() > 64 || !id.chars().all(plain) {
        return Err(format!("{id:?} is no FHIR id: 1 to 64 letters, digits, hyphens and dots"));
    }
    Ok(())
}

pub(crate) fn destination(store: &mut Store, name: &str) -> Result<DestinationNo, Trouble> {
    store.destination(name).map_err(|e| match e {
        StoreError::Unknown(_) => {
            Trouble::Line(format!("no destination is named {name:?}; the configuration names them"))
        }
        other => Trouble::Store(other),
    })
}
