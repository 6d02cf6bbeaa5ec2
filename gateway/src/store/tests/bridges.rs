//! What a bridge told: each record once, dated by the bridge's clock wherever the hub knows what that was.

use super::world::*;
use crate::store::{StoreError, Tally};
use hearth_core::admit::{Fate, For, News};
use hearth_core::bridge::{BridgeNo, Greeting, Known, Met, Told};
use hearth_core::capture::{Capture, Link, Origin, Uuid16};
use hearth_core::when::{BootNo, HubTicks};
use hearth_wire::frame::{BridgeId, Capabilities, Place, Ticks, Version};

const ID: BridgeId = BridgeId([2, 0, 0x5E, 0x10, 0, 0, 0, 1]);
const NONE: Version = Version { major: 0, minor: 0, patch: 0 };

fn place(epoch: u32, number: u32) -> Place {
    Place { epoch, number }
}

fn greeting(epoch: u32, is_adopted: bool, acknowledged: Place) -> Greeting {
    Greeting {
        bridge: ID,
        epoch,
        is_adopted,
        acknowledged,
        firmware: Version { major: 1, minor: 4, patch: 2 },
        board: "host".to_owned(),
        can: Capabilities::THERMOMETER,
        waiting: 0,
        configuration: 0,
        on_trial: false,
        reverted_from: NONE,
    }
}

fn greet(
    w: &mut World,
    epoch: u32,
    is_adopted: bool,
    acknowledged: Place,
) -> (BridgeNo, Known, Option<Place>) {
    w.store().greeted(&greeting(epoch, is_adopted, acknowledged)).unwrap()
}

/// A tally of records up to this one.
fn tally(no: BridgeNo, up_to: Place, missing: u32) -> Tally {
    let mut tally = Tally::of((no, ID));
    tally.count(&Told { place: up_to, said: vec![], missing });
    tally
}

#[test]
fn each_epoch_that_is_given_is_beyond_all_that_were_seen() {
    let mut w = World::new(catalog(&[]));
    let (no, known, forgotten) = greet(&mut w, 0, false, Place::default());
    assert_eq!((known, forgotten), (Known { taken: place(0, 0), first_epoch: 1 }, None));
    // Its answer was lost: it may have taken the first.
    assert_eq!(greet(&mut w, 0, false, Place::default()).1.first_epoch, 65_537);
    greet(&mut w, 65_540, true, Place::default());
    w.restart();
    assert_eq!(
        greet(&mut w, 0, false, Place::default()),
        (no, Known { taken: place(0, 0), first_epoch: 131_073 }, None)
    );
    // What another hub acknowledged is not waited for, and said once.
    let up_to = place(140_000, 7);
    assert_eq!(greet(&mut w, 140_001, true, up_to).2, Some(up_to));
    let (_, known, forgotten) = greet(&mut w, 140_001, true, up_to);
    assert_eq!((known.taken, forgotten), (up_to, None));
}

#[test]
fn how_far_it_told_is_kept_with_what_it_told() {
    let mut w = World::new(catalog(&[]));
    let (no, ..) = greet(&mut w, 7, true, Place::default());
    let mut told = tally(no, place(7, 5), 2);
    told.lost = 3;
    told.odd.push((place(7, 4), b"of a later version".to_vec()));
    w.store().take_told(&[], &told).unwrap();
    w.restart();
    assert_eq!(greet(&mut w, 7, true, Place::default()).1.taken, place(7, 5));
    let [bridge] = w.store().bridges().unwrap().try_into().unwrap();
    assert_eq!((bridge.taken, bridge.lost, bridge.missing, bridge.odd), (place(7, 5), 3, 2, 1));
    assert!(matches!(
        w.store().take_told(&[], &tally(BridgeNo(9), place(7, 6), 0)),
        Err(StoreError::Unknown("bridge"))
    ));
}

/// Its ticks are put on the hub's line where a moment of the epoch is known, and on one of their own where none is: such a record has
/// bounds, and never ends the boot of anybody.
#[test]
fn what_it_told_is_placed_in_time() {
    let mut w = World::new(catalog(&[]));
    let (no, ..) = greet(&mut w, 7, true, Place::default());
    w.at(60_000);
    let now = w.now;
    let met = |ticks, ms| Met { ticks: Ticks(ticks), at: HubTicks { ms, ..now } };
    w.store().bridge_met(no, 7, met(1_000, 50_000)).unwrap();
    w.store().bridge_met(no, 7, met(2_000, 51_000)).unwrap();
    w.store().bridge_met(no, 7, met(3_000, 52_100)).unwrap();
    assert_eq!(w.sql("SELECT count(*) FROM bridge_met"), 3, "none is far enough back to be let go");
    let mut placed = |epoch, ticks| w.store().placed(no, (epoch, Ticks(ticks)), now).unwrap();
    assert_eq!(placed(7, 2_500).ms, 51_550);
    assert_eq!(placed(7, 60_000), now, "never in the future");
    let alone = placed(6, 500);
    assert_ne!(alone.boot, now.boot);
    assert_eq!(placed(6, 700), alone.later(200));
    w.store().take_told(&[], &tally(no, place(7, 1), 0)).unwrap();
    assert_eq!(w.sql("SELECT count(*) FROM bridge_met"), 3, "of earlier epochs nothing comes any more");
    // A tick beyond the last one of an earlier boot says nothing of when that boot ended.
    let before = w.sql("SELECT last FROM boot WHERE no = 1");
    w.power_cut();
    let device = w.device;
    w.store().next_contact(device, Link::Bonded, HubTicks { boot: BootNo(1), ms: 9_000_000 }).unwrap();
    assert_eq!(w.sql("SELECT last FROM boot WHERE no = 1"), before);
}

/// A context comes right behind its measurement, as it did on the bridge: what is waited for counts from when the hub took it.
#[test]
fn what_was_long_on_its_way_still_waits_for_its_partner() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    w.bind(LOS_ANGELES);
    w.at(7_200_000);
    let (no, ..) = greet(&mut w, 7, true, Place::default());
    let heard = HubTicks { ms: 1_000, ..w.now };
    let device = w.device;
    let contact = w.store().next_contact(device, Link::Bonded, heard).unwrap();
    let news = |number, characteristic, hex| {
        News::Heard(Capture {
            device,
            contact,
            link: Link::Bonded,
            origin: Origin { recorder: ID.0, epoch: 7, number },
            at: heard,
            characteristic,
            octets: octets(hex).into(),
        })
    };
    let now = w.now;
    let told = |number| tally(no, place(7, number), 0);
    let measurement = news(1, Uuid16::GLUCOSE_MEASUREMENT, GLU_04);
    let committed = w.store().take_told(&[(measurement, now)], &told(1)).unwrap();
    let [(_, Fate::Await { wants, until })] = committed[0].changes.as_slice() else {
        panic!("{:?}", committed[0].changes)
    };
    assert!(wants.contains(&For::Partner) && *until > now, "{wants:?} {until:?}");
    let context = news(2, Uuid16::GLUCOSE_MEASUREMENT_CONTEXT, CTX_01);
    w.store().take_told(&[(context, now)], &told(2)).unwrap();
    assert_eq!(w.sql("SELECT count(*) FROM record WHERE fate = 'companion'"), 1);
}
