//! Steps 7 to 12 in one go, and through the desk.

use super::world::*;
use crate::store::*;
use hearth_core::admit::{End, Hearing};

#[test]
fn from_a_frame_to_a_receipt() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2024-01-30T06:10:00Z");
    w.bind(KOLKATA);
    let contact = w.contact();
    let heard = w.meter_says(contact, GLU_01);
    assert_eq!(heard.heard.map(|(_, h)| h), Some(Hearing::New));
    assert!(heard.admitted.is_empty() && heard.due.is_some(), "{heard:?}");
    let joined = w.context(contact, CONTEXT_OF_15);
    assert_eq!(joined.admitted.len(), 1);
    w.ends(contact, End::Drained);
    let due = w.due("2024-01-30T06:10:01Z");
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].parcel.reading.companions.len(), 1);
    assert_eq!(due[0].parcel.subject, patient("ada-1"));
    assert_eq!(w.deliver("2024-01-30T06:10:02Z"), 1);
    assert_eq!(w.count("ledger_closed"), 1);
}

/// What was read back is what was judged: the whole reading, through its payload.
#[test]
fn a_reading_comes_back_as_it_was_kept() {
    let mut w = World::of(catalog(&[TELLING]), PRESSURE);
    w.hub_time("2024-06-15T21:17:40Z");
    let contact = w.contact();
    w.clock_shows(contact, "2024-06-15T17:17:40");
    let mut binding = w.bound("America/New_York");
    binding.labels = labels_of(&["ETH", "R"]);
    w.take(hearth_core::admit::News::Bindings(vec![binding]));
    w.cuff_says(contact, BP_03);
    let kept = |w: &mut World| w.store().read(|rows| rows.reading(ReadingNo(1))).unwrap().reading;
    let reading = kept(&mut w);
    let sample = reading.when.sample.unwrap();
    assert_eq!(sample.clock.civil.to_string(), "2024-06-15T17:17:40");
    assert_eq!(reading.stamp.unwrap().civil.to_string(), "2024-06-15T17:17:27");
    assert_eq!(reading.when.effective, instant("2024-06-15T21:17:27Z"));
    assert_eq!((reading.when.zone.as_str(), reading.when.offset.seconds()), ("America/New_York", -4 * 3600));
    assert_eq!(reading.sole_use.as_ref().map(|a| a.by.as_str()), Some("technician"));
    assert_eq!(reading.labels, labels_of(&["ETH", "R"]));
    assert_eq!(reading.measure.encode(), octets(BP_03));
    w.power_cut();
    assert_eq!(kept(&mut w), reading);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn desk(room: &Room) -> (Desk, tokio::sync::oneshot::Receiver<Result<(), String>>) {
    Desk::open(Store::open(room.path(), catalog(&[]), Seal::Clear).unwrap().store).unwrap()
}

#[test]
fn everybody_asks_at_the_desk() {
    let room = Room::new();
    let (desk, ended) = desk(&room);
    runtime().block_on(async {
        let other = desk.clone();
        let (one, two) = tokio::join!(
            desk.ask(|store| store.begin_boot("boot 1")),
            other.ask(|_| std::thread::current().name().map(str::to_owned)),
        );
        assert_eq!(one.unwrap().unwrap().0, 1);
        assert_eq!(two.unwrap().as_deref(), Some("store"));
        drop((desk, other));
        assert_eq!(ended.await.unwrap(), Ok(()));
    });
    // The store is closed, and can be opened again.
    Store::open(room.path(), catalog(&[]), Seal::Clear).unwrap();
}

#[test]
fn a_broken_store_ends_the_daemon_with_its_reason() {
    let room = Room::new();
    let (desk, ended) = desk(&room);
    runtime().block_on(async {
        let broken = desk
            .ask(|store| store.write(|_| Err::<(), _>(StoreError::Broken("a page is gone".into()))))
            .await;
        assert!(matches!(broken, Ok(Err(StoreError::Broken(_)))), "{broken:?}");
        assert_eq!(ended.await.unwrap(), Err("a page is gone".into()));
        assert_eq!(desk.ask(|_| ()).await, Err(Gone));
    });
}

#[test]
fn a_panic_ends_the_daemon_with_the_invariants_name() {
    let room = Room::new();
    let (desk, ended) = desk(&room);
    runtime().block_on(async {
        assert_eq!(desk.ask(|_| panic!("a record is in two groups")).await, Err::<(), _>(Gone));
        let said = ended.await.unwrap().unwrap_err();
        assert!(said.ends_with("a record is in two groups"), "{said}");
    });
}
