//! Where news meets the store: hear, take, and only then release.
//!
//! A [`Session`] is one source's talk with the hub: it knows devices and contacts by the names that the source
//! uses, and nothing of them outlives it. What must not be lost is in the store.

use crate::open::{Inside, Time};
use crate::source::lines::{Bind, Said};
use crate::store::{Committed, Desk, DestinationNo, Store, StoreError};
use hearth_core::admit::News;
use hearth_core::capture::{Capture, DeviceNo, Key};
use hearth_core::identity::{
    Attested, Binding, Labels, Permission, PersonNo, Revision, Slot, UNKNOWN_USER, Who, Window,
};
use hearth_core::parcel::Subject;
use hearth_core::reading::Issue;
use hearth_core::when::{ContactNo, HubTicks, Sample, Stamp, ZoneName};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Names that one source uses.
#[derive(Debug, Default)]
pub(crate) struct Session {
    devices: BTreeMap<String, DeviceNo>,
    contacts: BTreeMap<(String, u64), ContactNo>,
    /// Readings admitted in this session, in order.
    readings: Vec<(Key, Issue)>,
}

/// Why news was not taken. Nothing of it is kept, and the source must not forget it.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The line says something that can't be.
    Line(String),
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(e: StoreError) -> Trouble {
        Trouble::Store(e)
    }
}

/// A line, taken: what the store committed, step by step. Empty: nothing was said that concerns the store.
pub(crate) type Taken = Vec<Committed>;

impl Session {
    /// Takes what was said, at this hub's ticks. `asked_before`: how long ago a clock was asked, in milliseconds.
    pub(crate) fn take(&mut self, store: &mut Store, said: &Said, at: HubTicks) -> Result<Taken, Trouble> {
        let news = match said {
            Said::Met { device, facts } => {
                let no = store.meet(facts, at)?;
                self.devices.insert(device.clone(), no);
                News::Identity(no, facts.clone())
            }
            Said::Heard { device, contact, link, origin, characteristic, octets } => {
                let no = self.device(device)?;
                let contact = match self.contacts.get(&(device.clone(), *contact)) {
                    Some(known) => *known,
                    None => self.contact(store, device, *contact, *link, at)?,
                };
                News::Heard(Capture {
                    device: no,
                    contact,
                    link: *link,
                    // Who recorded it first has numbered it; else this hub does.
                    origin: origin.unwrap_or_else(|| store.origin()),
                    at,
                    characteristic: *characteristic,
                    octets: octets.as_slice().into(),
                })
            }
            Said::Clock { device, contact, face, shows, asked } => {
                let no = self.device(device)?;
                let contact = match self.contacts.get(&(device.clone(), *contact)) {
                    Some(known) => *known,
                    None => self.contact(store, device, *contact, hearth_core::capture::Link::Bonded, at)?,
                };
                let asked = HubTicks { ms: asked.unwrap_or(at.ms), ..at };
                if asked > at {
                    return Err(Trouble::Line("clock: asked after it answered".into()));
                }
                News::Clock(
                    no,
                    Sample { contact, clock: Stamp { face: *face, civil: *shows }, asked, answered: at },
                )
            }
            Said::Ended { device, contact, how } => {
                let no = self.device(device)?;
                let key = (device.clone(), *contact);
                let known = self.contacts.get(&key).copied().ok_or_else(|| {
                    Trouble::Line(format!("ended: nothing was heard of {device:?} in contact {contact}"))
                })?;
                News::Ended(no, known, *how)
            }
            Said::HubTime(utc) => {
                let utc = hearth_core::when::Span::at(*utc);
                let source = hearth_core::when::AnchorSource::Stated;
                News::HubTime(hearth_core::when::Anchor { at, utc, source })
            }
            Said::Bind(bind) => return self.bind(store, bind, at),
            Said::Retract { reading } => {
                let (key, issue) = self.reading(*reading)?;
                News::Retract(key, issue)
            }
            Said::Reissue { reading } => News::Reissue(self.reading(*reading)?.0),
            Said::Boot => {
                // A contact does not outlive its boot: the same number is another contact.
                self.contacts.clear();
                News::Booted
            }
            Said::Silence => News::Due,
        };
        let committed = store.take(&news, at)?;
        self.readings.extend(committed.admitted.iter().copied());
        Ok(vec![committed])
    }

    fn device(&self, name: &str) -> Result<DeviceNo, Trouble> {
        let unknown =
            || Trouble::Line(format!("nobody met the device {name:?} yet; put its `met` line first"));
        self.devices.get(name).copied().ok_or_else(unknown)
    }

    fn contact(
        &mut self,
        store: &mut Store,
        device: &str,
        contact: u64,
        link: hearth_core::capture::Link,
        at: HubTicks,
    ) -> Result<ContactNo, Trouble> {
        let no = store.next_contact(self.device(device)?, link, at)?;
        self.contacts.insert((device.to_owned(), contact), no);
        Ok(no)
    }

    fn reading(&self, nth: usize) -> Result<(Key, Issue), Trouble> {
        nth.checked_sub(1).and_then(|at| self.readings.get(at)).copied().ok_or_else(|| {
            Trouble::Line(format!(
                "there is no reading {nth}; this session has admitted {}",
                self.readings.len()
            ))
        })
    }

    fn bind(&self, store: &mut Store, bind: &Bind, at: HubTicks) -> Result<Taken, Trouble> {
        let wanted = Wanted {
            device: self.device(&bind.device)?,
            slot: bind.slot,
            patient: &bind.patient,
            zone: bind.zone.as_deref(),
            from: bind.from,
            until: bind.until,
            sole_use_attested_by: bind.sole_use_attested_by.as_deref(),
            labels: &bind.labels,
            instead: bind.instead,
        };
        Ok(vec![add_binding(store, &wanted, "replay", at)?])
    }
}

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
    pub(crate) labels: &'a [String],
    pub(crate) instead: bool,
}

/// Adds a binding to those that are. A person who is new to a destination may send there what is taken from the
/// binding's start; `hearth bind permit` narrows it.
pub(crate) fn add_binding(
    store: &mut Store,
    wanted: &Wanted<'_>,
    author: &str,
    at: HubTicks,
) -> Result<Committed, Trouble> {
    let zone = match wanted.zone {
        None => None,
        Some(name) => Some(ZoneName::parse(name).ok_or_else(|| {
            Trouble::Line(format!("{name:?} is no time zone; give an IANA name such as America/New_York"))
        })?),
    };
    if wanted.until.is_some_and(|until| until <= wanted.from) {
        return Err(Trouble::Line("the binding ends before it begins".into()));
    }
    if wanted.sole_use_attested_by.is_some_and(|by| by.trim().is_empty()) {
        return Err(Trouble::Line("say who attests sole use".into()));
    }
    let slot = wanted.slot.map(Slot);
    if slot == Some(Slot(UNKNOWN_USER)) {
        return Err(Trouble::Line(
            "slot 255 means that the device does not know the user: it is nobody's".into(),
        ));
    }
    let who = match person(store, wanted.patient, wanted.from, author)? {
        Some(person) => Who::Person(person),
        None => Who::Test,
    };
    let mut bindings = store.bindings()?;
    if wanted.instead {
        end_bindings(&mut bindings, wanted.device, slot, wanted.from);
    }
    let revision = Revision(bindings.iter().map(|b| b.revision.0).max().unwrap_or(0).saturating_add(1));
    bindings.push(Binding {
        device: wanted.device,
        slot,
        who,
        from: wanted.from,
        until: wanted.until,
        zone,
        sole_use: wanted.sole_use_attested_by.map(|by| Attested { by: by.to_owned() }),
        labels: Labels(wanted.labels.iter().cloned().collect()),
        revision,
    });
    Ok(store.bind(bindings, "command", author, at)?)
}

/// Ends what runs at an instant, and takes away what would begin after it: of one slot, or of the whole device.
pub(crate) fn end_bindings(
    bindings: &mut Vec<Binding>,
    device: DeviceNo,
    slot: Option<Slot>,
    at: Timestamp,
) -> usize {
    let same = |b: &Binding| b.device == device && (slot.is_none() || b.slot == slot);
    let before = bindings.len();
    bindings.retain(|b| !(same(b) && b.from >= at));
    let mut ended = before - bindings.len();
    for binding in bindings.iter_mut().filter(|b| same(b) && b.until.is_none_or(|until| until > at)) {
        binding.until = Some(at);
        ended += 1;
    }
    ended
}

/// One person under all their ids: found by any that is known, made if none is. Everything is looked at before
/// anything is written. Who was never permitted anything at a destination may send there what is taken from `from`
/// on: the order and the consent that binding stands for.
fn person(
    store: &mut Store,
    patient: &BTreeMap<String, String>,
    from: Timestamp,
    author: &str,
) -> Result<Option<PersonNo>, Trouble> {
    let mut places = vec![];
    let mut person = None;
    for (name, id) in patient {
        patient_id(id).map_err(|said| Trouble::Line(format!("{name}: {said}")))?;
        let no = destination(store, name)?;
        let known = store.known_person(no, id)?;
        match (person, known) {
            (Some(one), Some(other)) if one != other => {
                let said =
                    format!("{name}: this id is known as another person; bind one of them, then look again");
                return Err(Trouble::Line(said));
            }
            (None, Some(_)) => person = known,
            _ => {}
        }
        places.push((no, Subject { id: id.clone(), identifier: None }));
    }
    for (destination, subject) in places {
        let no = match person {
            None => store.person_for(destination, &subject, Some(author))?,
            Some(known) => store.also_at(known, destination, &subject, Some(author)).map(|()| known)?,
        };
        person = Some(no);
        if store.permission_of(no, destination)?.is_none() {
            let open = Window { from, until: None };
            store.permit(
                no,
                destination,
                &Permission { order: open, consent: open, revision: Revision(0) },
            )?;
        }
    }
    Ok(person)
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

/// How often an hub that does not know the time looks for it, and how often one that does looks again.
const LOOK_FOR_TIME: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_secs(6 * 3_600);

/// Sends `Due` when a deadline passes, and tells the store what UTC is once the hub's clock may be believed.
pub(crate) async fn keep_time(desk: Desk, inside: Arc<Inside>, keep: SignedDuration) {
    let Time::Running(clock) = &inside.time else { return };
    let mut anchored = clock.anchor().is_some();
    let mut look = tokio::time::Instant::now() + if anchored { LOOK_AGAIN } else { LOOK_FOR_TIME };
    loop {
        let deadline = inside.due().map(|due| {
            let left = due.ms.saturating_sub(clock.ticks().ms).max(0);
            tokio::time::Instant::now() + Duration::from_millis(left.unsigned_abs())
        });
        let next = deadline.map_or(look, |deadline| deadline.min(look));
        tokio::select! {
            () = inside.due_changed.notified() => continue,
            () = tokio::time::sleep_until(next) => {}
        }
        let mut news = vec![];
        if deadline.is_some_and(|deadline| deadline <= tokio::time::Instant::now()) {
            news.push(News::Due);
        }
        if look <= tokio::time::Instant::now() {
            let anchor = clock.anchor();
            if let Some(anchor) = anchor {
                news.push(News::HubTime(anchor));
                let old = anchor.utc.earliest.checked_sub(keep).unwrap_or(Timestamp::MIN);
                if let Ok(Err(e)) = desk.ask(move |store| store.prune(old)).await {
                    tracing::error!("what is long delivered could not be let go: {e}");
                }
            }
            look = tokio::time::Instant::now() + LOOK_AGAIN;
        }
        for news in news {
            let at = clock.ticks();
            let told = matches!(news, News::HubTime(_));
            match desk.ask(move |store| store.take(&news, at)).await {
                Ok(Ok(committed)) => {
                    anchored |= told;
                    inside.committed(committed.due);
                }
                Ok(Err(e)) => {
                    tracing::error!("a deadline could not be kept: {e}");
                    tokio::time::sleep(LOOK_FOR_TIME).await;
                }
                Err(_) => return,
            }
        }
        if !anchored {
            look = look.min(tokio::time::Instant::now() + LOOK_FOR_TIME);
        }
    }
}
