//! The task of a destination with a real store: what is committed arrives, whatever happens in between.

use super::rig::{PKI, RUNGS, Served, destination, directory, found, served};
use crate::clock;
use crate::demo::pki;
use crate::demo::record::{Behaviour, Fault};
use crate::store::{Desk, DestinationFacts, OutboxView, Seal, Store};
use crate::uplink::{Destination, RungChoice, Standing, State, Uplink, Wake};
use hearth_core::admit::News;
use hearth_core::capture::{Capture, DeviceNo, Key, Link, Uuid16};
use hearth_core::identity::{
    Address, AddressKind, Attested, Binding, Facts, Labels, Permission, Revision, Who, Window,
};
use hearth_core::map::fhir::Rung;
use hearth_core::parcel::Subject;
use hearth_core::profile::Catalog;
use hearth_core::reading::Issue;
use hearth_core::when::{Anchor, AnchorSource, ContactNo, HubTicks, Span, ZoneName};
use jiff::SignedDuration;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

/// A hub with a cuff that is Ada's, and what it hears goes to these destinations.
pub(super) struct Hub {
    directory: PathBuf,
    pub(super) desk: Desk,
    wake: Wake,
    device: DeviceNo,
    contact: ContactNo,
    now: HubTicks,
    heard: u8,
    tasks: Vec<AbortHandle>,
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl Hub {
    pub(super) fn new(name: &str, destinations: &[&str]) -> Hub {
        use std::os::unix::fs::PermissionsExt;
        let directory = directory(name);
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o700)).unwrap();
        let mut store = Store::open(&directory, Catalog::standard(), Seal::Clear).unwrap().store;
        let now = HubTicks { boot: store.begin_boot("a boot").unwrap(), ms: 1_000 };
        store.take(&News::Booted, now).unwrap();
        let utc = clock::now();
        let utc = Span { earliest: utc, latest: utc + SignedDuration::from_millis(10) };
        store.take(&News::HubTime(Anchor { at: now, utc, source: AnchorSource::Synchronised }), now).unwrap();
        let address = Address { octets: [0xAA, 0xBB, 0xCC, 0, 0, 1], kind: AddressKind::Public };
        let facts = Facts { address: Some(address), services: [0x1810].into(), ..Facts::default() };
        let device = store.meet(&facts, now).unwrap();
        let facts = |name: &&str| DestinationFacts { name: (*name).into(), cleared: Labels::default() };
        store.set_destinations(&destinations.iter().map(facts).collect::<Vec<_>>()).unwrap();
        let subject = Subject { id: "ada".into(), identifier: None };
        let first = store.destination(destinations[0]).unwrap();
        let ada = store.person_for(first, &subject, None).unwrap();
        let long_ago = "2018-01-01T00:00:00Z".parse().unwrap();
        let window = Window { from: long_ago, until: None };
        for name in destinations {
            let destination = store.destination(name).unwrap();
            store.also_at(ada, destination, &subject, None).unwrap();
            let permission = Permission { order: window, consent: window, revision: Revision(0) };
            store.permit(ada, destination, &permission).unwrap();
        }
        let binding = Binding {
            device,
            slot: None,
            who: Who::Person(ada),
            from: long_ago,
            until: None,
            zone: ZoneName::parse("Europe/Berlin"),
            sole_use: Some(Attested { by: "a technician".into() }),
            shared: false,
            labels: Labels::default(),
            revision: Revision(0),
        };
        store.take(&News::Bindings(vec![binding]), now).unwrap();
        let contact = store.next_contact(device, Link::Bonded, now).unwrap();
        let (desk, _) = Desk::open(store).unwrap();
        Hub { directory, desk, wake: Wake::default(), device, contact, now, heard: 0, tasks: vec![] }
    }

    /// One more pressure, each of its own minute.
    pub(super) async fn hears(&mut self) -> (Key, Issue) {
        self.heard += 1;
        let (device, contact, at, minute) = (self.device, self.contact, self.now, self.heard);
        let committed = self.desk.ask(move |store| {
            // 124/86, 2024-06-15 17:MM:43, pulse 51, by the letter of 2A35.
            let mut octets = data_encoding::HEXUPPER.decode(b"167C0056006100E807060F11002B33000000").unwrap();
            octets[12] = minute;
            let origin = store.origin();
            let characteristic = Uuid16::BLOOD_PRESSURE_MEASUREMENT;
            let octets = octets.into();
            let capture = Capture { device, contact, link: Link::Bonded, origin, at, characteristic, octets };
            store.take(&News::Heard(capture), at).unwrap()
        });
        let committed = committed.await.unwrap();
        let mut admitted = committed.admitted.clone();
        if admitted.is_empty() {
            // It waited for the cuff's clock; the contact ends without one.
            let ended = News::Ended(device, contact, hearth_core::admit::End::Drained);
            admitted =
                self.desk.ask(move |store| store.take(&ended, at).unwrap().admitted.clone()).await.unwrap();
        }
        self.wake.wake();
        admitted[0]
    }

    fn serve(&mut self, destination: Destination) -> watch::Receiver<State> {
        let (uplink, state) = Uplink::new(destination).unwrap();
        self.tasks.push(tokio::spawn(uplink.run(self.desk.clone(), self.wake.clone())).abort_handle());
        state
    }

    async fn outbox(&self) -> Vec<OutboxView> {
        self.desk.ask(|store| store.outbox(None, true).unwrap()).await.unwrap()
    }

    /// Until every row stands like this.
    pub(super) async fn until_all(&self, wanted: &str) {
        while !self.outbox().await.iter().all(|row| row.state == wanted) {
            tokio::task::yield_now().await;
        }
    }
}

/// Time passes, and nothing else does.
pub(super) async fn skip(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

const LONG: Duration = Duration::from_secs(2 * 3600);

/// Every Observation of ours is there once: how many there are.
fn once(served: &Served) -> usize {
    let found = found(served);
    assert!(found.values().all(|times| *times == 1), "{found:?}");
    found.len()
}

#[tokio::test]
async fn what_is_committed_arrives() {
    let served = served(Behaviour::default()).await;
    let mut hub = Hub::new("arrives", &["record"]);
    hub.hears().await;
    let mut state = hub.serve(destination(&served, RungChoice::Auto, 100));
    hub.until_all("delivered").await;
    let one = once(&served);
    assert!(one >= 2, "measurement and pulse");
    // Nobody asks the store again before something was committed.
    hub.hears().await;
    hub.hears().await;
    hub.until_all("delivered").await;
    assert_eq!(once(&served), 3 * one);
    let ready = state.wait_for(|state| state.rung == Some(Rung::UpdateAsCreate)).await.unwrap().clone();
    assert_eq!(ready.to_string(), "answers");
}

#[tokio::test]
async fn an_outage_ends_and_everything_arrives_once() {
    let served = served(Behaviour::default()).await;
    served.record.outage(true);
    let mut hub = Hub::new("outage", &["record"]);
    for _ in 0..3 {
        hub.hears().await;
    }
    let mut state = hub.serve(destination(&served, RungChoice::UpdateAsCreate, 100));
    state.wait_for(|state| matches!(state.standing, Standing::Busy { .. })).await.unwrap();
    assert!(hub.outbox().await.iter().all(|row| row.attempts == 0), "nothing was begun");
    served.record.outage(false);
    skip(LONG).await;
    hub.until_all("delivered").await;
    assert!(once(&served) >= 6);
    state.wait_for(|state| state.standing == Standing::Ready).await.unwrap();
}

#[tokio::test]
async fn lost_answers_make_no_duplicates() {
    for rung in RUNGS {
        let conditional = rung == RungChoice::ConditionalCreate;
        let served = served(Behaviour { conditional, ..Behaviour::default() }).await;
        let mut lost = false;
        served.record.script(move |seen| {
            if !seen.writes() || lost {
                return Fault::Pass;
            }
            lost = true;
            Fault::CommitThenCut
        });
        let mut hub = Hub::new("lost", &["record"]);
        hub.hears().await;
        let mut state = hub.serve(destination(&served, rung, 100));
        state.wait_for(|state| matches!(state.standing, Standing::Busy { .. })).await.unwrap();
        assert_eq!(served.record.committed_unanswered(), 1, "{rung:?}");
        let rows: Vec<_> = hub.outbox().await.into_iter().map(|row| (row.row, row.state)).collect();
        assert_eq!(
            rows.iter().map(|(_, state)| state.as_str()).collect::<Vec<_>>(),
            ["in-doubt"],
            "{rung:?}"
        );
        hub.hears().await;
        // Somebody wants it now.
        hub.desk.ask(move |store| store.retry(&[rows[0].0], clock::now()).unwrap()).await.unwrap();
        skip(LONG).await;
        hub.until_all("delivered").await;
        once(&served);
    }
}

/// The process dies after the record did what it was asked, before it said so.
#[tokio::test]
async fn a_task_that_dies_in_the_middle_doubles_nothing() {
    for rung in RUNGS {
        let conditional = rung == RungChoice::ConditionalCreate;
        let served = served(Behaviour { conditional, ..Behaviour::default() }).await;
        let (arrived, released) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        served.record.script({
            let (arrived, released) = (arrived.clone(), released.clone());
            move |seen| {
                if !seen.writes() {
                    return Fault::Pass;
                }
                arrived.notify_one();
                Fault::Delay(released.clone())
            }
        });
        let mut hub = Hub::new("dies", &["record"]);
        hub.hears().await;
        hub.serve(destination(&served, rung, 100));
        arrived.notified().await;
        hub.tasks.pop().unwrap().abort();
        released.notify_one();
        // What was on its way is done all the same.
        while found(&served).is_empty() {
            tokio::task::yield_now().await;
        }
        served.record.script(|_| Fault::Pass);
        let row = hub.outbox().await.remove(0);
        assert_eq!((row.state.as_str(), row.attempts), ("in-doubt", 1), "{rung:?}");
        hub.serve(destination(&served, rung, 100));
        hub.until_all("delivered").await;
        once(&served);
    }
}

/// One is dead, the other's readings arrive all the same.
#[tokio::test]
async fn a_dead_destination_keeps_nobody_waiting() {
    let (alive, dead) = (served(Behaviour::default()).await, served(Behaviour::default()).await);
    dead.record.outage(true);
    let mut hub = Hub::new("dead", &["alive", "dead"]);
    let named = |served: &Served, name: &str| Destination {
        name: name.into(),
        ..destination(served, RungChoice::UpdateAsCreate, 100)
    };
    let mut waiting = hub.serve(named(&dead, "dead"));
    hub.serve(named(&alive, "alive"));
    hub.hears().await;
    waiting.wait_for(|state| matches!(state.standing, Standing::Busy { .. })).await.unwrap();
    while hub.outbox().await.iter().any(|row| row.destination == "alive" && row.state != "delivered") {
        tokio::task::yield_now().await;
    }
    let left = hub.outbox().await.into_iter().filter(|row| row.destination == "dead");
    assert_eq!(left.map(|row| row.state).collect::<Vec<_>>(), ["waiting"]);
    once(&alive);
}

/// A certificate that has ended holds its destination, and nothing else; a new one is taken without a restart.
#[tokio::test]
async fn a_certificate_is_mended_without_a_restart() {
    let served = served(Behaviour::default()).await;
    let mut hub = Hub::new("mended", &["record"]);
    let (certificate, key) = (hub.directory.join("hub.pem"), hub.directory.join("hub.key.pem"));
    let install = |name: &str| {
        std::fs::copy(PKI.certificate(name), &certificate).unwrap();
        std::fs::copy(PKI.key(name), &key).unwrap();
    };
    install(pki::CLIENT_EXPIRED);
    let mut destination = destination(&served, RungChoice::UpdateAsCreate, 100);
    (destination.certificate, destination.key) = (certificate.clone(), key.clone());
    let mut state = hub.serve(destination);
    hub.hears().await;
    let held =
        state.wait_for(|state| matches!(state.standing, Standing::Held { .. })).await.unwrap().to_string();
    assert!(held.contains("hub.pem: expired at") && held.starts_with("held, next try at"), "{held}");
    assert!(hub.outbox().await.iter().all(|row| row.attempts == 0));
    install(pki::CLIENT);
    skip(LONG).await;
    hub.until_all("delivered").await;
    once(&served);
}

#[tokio::test]
async fn clinical_26_a_retraction_follows_what_it_takes_back() {
    let served = served(Behaviour::default()).await;
    let mut hub = Hub::new("retract", &["record"]);
    hub.serve(destination(&served, RungChoice::UpdateAsCreate, 100));
    let (key, issue) = hub.hears().await;
    hub.until_all("delivered").await;
    let at = hub.now;
    hub.desk.ask(move |store| store.take(&News::Retract(key, issue), at).unwrap()).await.unwrap();
    hub.wake.wake();
    while hub.outbox().await.len() < 2 {
        tokio::task::yield_now().await;
    }
    hub.until_all("delivered").await;
    for (place, versions) in served.record.all("Observation") {
        let newest = versions.last().unwrap().resource.as_ref().unwrap();
        if newest["identifier"].to_string().contains("urn:hearth:reading") {
            assert_eq!(newest["status"], "entered-in-error", "{place:?}");
        }
    }
}

#[test]
fn a_state_reads_as_a_sentence() {
    let until = "2026-11-24T12:00:00Z".parse().unwrap();
    let state = |standing, persons_unknown| {
        State { standing, rung: None, persons_unknown, told: None, remarks: vec![] }.to_string()
    };
    assert_eq!(
        state(Standing::Ready, 2),
        "not asked yet: nothing was to be sent; 2 persons are not known there: their readings wait"
    );
    assert_eq!(
        state(Standing::Busy { until, said: "HTTP 503".into() }, 1),
        "tried again at 2026-11-24T12:00:00Z: HTTP 503; one person is not known there: their readings wait"
    );
    let cure = hearth_core::delivery::Cure::Redirect;
    let held = state(Standing::Held { until, cure, said: "HTTP 301, without a body".into() }, 0);
    assert!(held.starts_with("held, next try at 2026-11-24T12:00:00Z: the server redirects"), "{held}");
}
