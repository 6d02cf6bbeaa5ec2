//! Where news meets the store: hear, take, and only then release.
//!
//! A [`Session`] is one source's talk with the hub: it knows devices and contacts by the names that the source
//! uses, and nothing of them outlives it. What must not be lost is in the store.

mod bridge;
mod house;
mod radio;
mod strangers;
pub(crate) mod whose;
mod wired;

use crate::open::{Inside, Time, unpoisoned};
use crate::source::lines::{Bind, Said};
use crate::store::{Committed, Desk, Look, NO_ROOM, Store, StoreError};
pub(crate) use bridge::serve_bridges;
use hearth_core::admit::{News, RecordNo};
use hearth_core::capture::{Capture, DeviceNo, Key, Link};
use hearth_core::identity::Facts;
use hearth_core::reading::Issue;
use hearth_core::when::{ContactNo, HubTicks, Sample, Stamp};
pub(crate) use house::{let_go, serve_house};
use jiff::{SignedDuration, Timestamp};
pub(crate) use radio::serve_radio;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
pub(crate) use strangers::Strangers;
use strangers::{Broadcast, Crowd};
use whose::Wanted;
pub(crate) use wired::serve_wired;

/// Names that one source uses.
#[derive(Debug, Default)]
pub(crate) struct Session {
    devices: BTreeMap<String, Met>,
    contacts: BTreeMap<(String, u64), ContactNo>,
    /// Readings admitted in this session, in order.
    readings: Vec<(Key, Issue)>,
    /// Records that this session told.
    told: BTreeSet<RecordNo>,
}

/// What a session knows of a device.
#[derive(Debug)]
enum Met {
    Known(DeviceNo),
    /// New, and met in a crowd of strangers: the store hears of it once it does more than broadcast.
    Told(Facts),
}

/// So many are remembered that way; then all are forgotten, and must be met again.
const TOLD: usize = 1_000;

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

/// What follows from what was said.
enum Follows {
    /// It does not concern the store.
    Nothing,
    Taken(Committed),
    /// The store has to take it.
    News(News),
}

impl Session {
    /// Takes what was said, at this hub's ticks. `strangers`: how much of what they broadcast is kept; none for a recorded
    /// log, of which somebody wants to see all.
    pub(crate) fn take(
        &mut self,
        store: &mut Store,
        said: &Said,
        at: HubTicks,
        strangers: Option<&Mutex<Strangers>>,
    ) -> Result<Taken, Trouble> {
        self.take_all(store, [(said, at)], strangers)
    }

    /// The same of values of one contact, with one commit for all of them.
    pub(crate) fn take_all<'a>(
        &mut self,
        store: &mut Store,
        all: impl IntoIterator<Item = (&'a Said, HubTicks)>,
        strangers: Option<&Mutex<Strangers>>,
    ) -> Result<Taken, Trouble> {
        let (mut taken, mut news) = (vec![], vec![]);
        for (said, at) in all {
            match self.hear(store, said, at, strangers)? {
                Follows::Nothing => {}
                Follows::Taken(committed) => taken.push(committed),
                Follows::News(is) => news.push((is, at)),
            }
        }
        if !news.is_empty() {
            taken.extend(store.take_all(&news)?);
        }
        for committed in &taken {
            self.told.extend(committed.heard.map(|(record, _)| record));
            self.readings.extend(committed.admitted.iter().copied());
        }
        Ok(taken)
    }

    fn hear(
        &mut self,
        store: &mut Store,
        said: &Said,
        at: HubTicks,
        strangers: Option<&Mutex<Strangers>>,
    ) -> Result<Follows, Trouble> {
        Ok(Follows::News(match said {
            Said::Met { device, facts } => {
                if let Some(strangers) = strangers
                    && !store.knows(facts)?
                    && !unpoisoned(strangers).may_be_kept(at)
                {
                    self.tell_later(device, facts);
                    return Ok(Follows::Nothing);
                }
                let no = store.meet(facts, at)?;
                self.devices.insert(device.clone(), Met::Known(no));
                News::Identity(no, facts.clone())
            }
            Said::Heard { device, contact, link, origin, characteristic, octets } => {
                if let (Link::Broadcast, Some(strangers)) = (link, strangers) {
                    let heard =
                        Broadcast { device, contact: *contact, characteristic: *characteristic, octets };
                    match self.crowd(store, &heard, at, &mut unpoisoned(strangers))? {
                        Crowd::Taken => {}
                        Crowd::Repeated => return Ok(Follows::Nothing),
                        Crowd::NotKept => return Err(Trouble::Line(strangers::NOT_KEPT.into())),
                    }
                }
                let no = self.device(store, device, at)?;
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
                let no = self.device(store, device, at)?;
                let contact = match self.contacts.get(&(device.clone(), *contact)) {
                    Some(known) => *known,
                    None => self.contact(store, device, *contact, Link::Bonded, at)?,
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
                let no = self.device(store, device, at)?;
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
            Said::Bind(bind) => {
                let taken = self.bind(store, bind, at)?;
                return Ok(taken.map_or(Follows::Nothing, Follows::Taken));
            }
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
        }))
    }

    /// Whether this session told the record; else it is an earlier one's.
    pub(crate) fn told(&self, record: RecordNo) -> bool {
        self.told.contains(&record)
    }

    fn device(&mut self, store: &mut Store, name: &str, at: HubTicks) -> Result<DeviceNo, Trouble> {
        let facts = match self.devices.get(name) {
            Some(Met::Known(no)) => return Ok(*no),
            Some(Met::Told(facts)) => facts.clone(),
            None => {
                let said = format!("nobody met the device {name:?} yet; put its `met` line first");
                return Err(Trouble::Line(said));
            }
        };
        let no = store.meet(&facts, at)?;
        store.take(&News::Identity(no, facts), at)?.release();
        self.devices.insert(name.to_owned(), Met::Known(no));
        Ok(no)
    }

    fn tell_later(&mut self, device: &str, facts: &Facts) {
        let told = self.devices.values().filter(|met| matches!(met, Met::Told(_))).count();
        if told >= TOLD {
            self.devices.retain(|_, met| matches!(met, Met::Known(_)));
        }
        self.devices.insert(device.to_owned(), Met::Told(facts.clone()));
    }

    fn contact(
        &mut self,
        store: &mut Store,
        device: &str,
        contact: u64,
        link: Link,
        at: HubTicks,
    ) -> Result<ContactNo, Trouble> {
        let device_no = self.device(store, device, at)?;
        let no = store.next_contact(device_no, link, at)?;
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

    fn bind(&mut self, store: &mut Store, bind: &Bind, at: HubTicks) -> Result<Option<Committed>, Trouble> {
        let wanted = Wanted {
            device: self.device(store, &bind.device, at)?,
            slot: bind.slot,
            patient: &bind.patient,
            zone: bind.zone.as_deref(),
            from: bind.from,
            until: bind.until,
            sole_use_attested_by: bind.sole_use_attested_by.as_deref(),
            shared: bind.shared,
            labels: &bind.labels,
            instead: bind.instead,
        };
        // A log that is read again must not bring back what a person has ended or changed since.
        whose::add_once(store, &wanted, "replay", at)
    }
}

/// How long after a full disk something is tried again.
const FULL: Duration = Duration::from_secs(1);

/// Asks the store until the disk has room: whoever told it may have forgotten it already. With what it was asked with. `None`: the store
/// is closed.
async fn until_room<W: Send + 'static, T: Send + 'static>(
    desk: &Desk,
    what: &str,
    mut with: W,
    attempt: impl Fn(&mut Store, &mut W) -> Result<T, Trouble> + Clone + Send + 'static,
) -> Option<(W, Result<T, String>)> {
    let mut warned = false;
    loop {
        let attempt = attempt.clone();
        let asked = desk.ask(move |store| {
            let done = attempt(store, &mut with);
            (with, done)
        });
        let (back, done) = asked.await.ok()?;
        with = back;
        let done = match done {
            Ok(done) => Ok(done),
            Err(Trouble::Store(StoreError::Full)) => {
                if !std::mem::replace(&mut warned, true) {
                    tracing::error!("{what}: the disk is full, and it waits in memory: make room");
                }
                tokio::time::sleep(FULL).await;
                continue;
            }
            Err(Trouble::Store(error)) => Err(error.to_string()),
            Err(Trouble::Line(why)) => Err(why),
        };
        return Some((with, done));
    }
}

/// How long after a start, and how often then, every row on disk has to prove itself; and how long others may ask between
/// two looks.
const LOOK_FIRST: Duration = Duration::from_secs(10);
const LOOK_DAILY: Duration = Duration::from_secs(24 * 3_600);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// A row that does not prove itself breaks the store, which ends the daemon; the next start salvages what is sound.
pub(crate) async fn look_over(desk: Desk) {
    tokio::time::sleep(LOOK_FIRST).await;
    loop {
        let mut look = Some(Look::default());
        while let Some(from) = look {
            look = match desk.ask(move |store| store.look_over(&from)).await {
                Ok(Ok(next)) => next,
                // A full disk: another day. A broken store: the desk says so.
                Ok(Err(_)) => None,
                Err(_) => return,
            };
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        tokio::time::sleep(LOOK_DAILY).await;
    }
}

/// How often a hub that does not know the time looks for it, and how often one that does looks again.
const LOOK_FOR_TIME: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_secs(6 * 3_600);

/// Sends `Due` when a deadline passes, and tells the store what UTC is once the hub's clock may be believed.
pub(crate) async fn keep_time(desk: Desk, inside: Arc<Inside>, keep: SignedDuration) {
    let Time::Running(clock) = &inside.time else { return };
    let mut anchored = inside.anchored;
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
                    tokio::select! {
                        () = inside.due_changed.notified() => {}
                        () = tokio::time::sleep(NO_ROOM) => {}
                    }
                }
                Err(_) => return,
            }
        }
        if !anchored {
            look = look.min(tokio::time::Instant::now() + LOOK_FOR_TIME);
        }
    }
}
