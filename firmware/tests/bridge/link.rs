//! A bridge and a hub over a line that loses, garbles and cuts, with either of them started anew at any time: each record that was
//! kept arrives once, in order; nothing else arrives.

use crate::hub::{ADOPTION, Hub, Store, Way};
use crate::nor::{Chip, Dice, Flash, Trouble};
use embassy_futures::block_on as now;
use firmware::bridge::{About, Bridge, Line};
use firmware::flash::Refused;
use firmware::wish::Wish;
use hearth_wire::frame::plan::digest;
use hearth_wire::frame::plan::{Plan, Security, Step};
use hearth_wire::frame::said::{Link, Said, What};
use hearth_wire::frame::{
    AddressKind, BridgeId, Capabilities, PROTOCOL, Peer, Place, Ticks, TimeOfDay, ToBridge, Version,
};
use std::cell::RefCell;
use std::rc::Rc;

const PAGES: usize = 6;
const CUFF: Peer = Peer::Device(AddressKind::Random, [0xC0, 0xFF, 0xEE, 0, 0, 1]);
const ABOUT: About = About {
    bridge: BridgeId([2, 0, 0x5E, 0x10, 0, 0, 0, 1]),
    board: "host",
    firmware: Version { major: 1, minor: 0, patch: 0 },
    can: Capabilities::BLUETOOTH,
};

/// Both, and what is between them.
#[derive(Debug)]
struct World {
    chips: [Rc<RefCell<Chip>>; 2],
    store: Store,
    hub: Hub,
    to_hub: Way,
    to_bridge: Way,
    now: u64,
    dice: Dice,
    bad: bool,
    wishes: Vec<Wish>,
}

type Running = Bridge<Flash, PAGES>;

impl World {
    fn new(seed: u64) -> World {
        World {
            chips: [Chip::new(PAGES, seed), Chip::new(2, seed)],
            store: Store::default(),
            hub: Hub::default(),
            to_hub: Way::default(),
            to_bridge: Way::default(),
            now: 0,
            dice: Dice::new(seed),
            bad: false,
            wishes: vec![],
        }
    }

    fn start(&mut self) -> Result<Running, Refused<Trouble>> {
        let [spool, settings] = self.chips.each_ref().map(Flash::of);
        let mut bridge = now(Bridge::start(ABOUT, spool, settings, None))?;
        now(bridge.hello(Ticks(self.now), &mut self.to_hub))?;
        Ok(bridge)
    }

    fn hub_starts(&mut self) {
        self.hub = Hub::default();
        Hub::say(&ToBridge::Hello { protocol: PROTOCOL }, &mut self.to_bridge);
    }

    /// A tenth of a second: what is on the line arrives, and is answered.
    fn turn(&mut self, bridge: &mut Running) -> Result<(), Refused<Trouble>> {
        self.now += 100;
        let came = self.to_bridge.carry(&mut self.dice, self.bad);
        let wishes = &mut self.wishes;
        now(bridge.received(&came, Ticks(self.now), &mut self.to_hub, |wish| wishes.push(wish)))?;
        now(bridge.tell(Ticks(self.now), &mut self.to_hub))?;
        let came = self.to_hub.carry(&mut self.dice, self.bad);
        self.hub.received(&came, &mut self.store, &mut self.to_bridge);
        Ok(())
    }

    /// What became of requests since it was asked last, adoptions aside.
    fn answers(&mut self) -> Vec<(u16, bool)> {
        let done = std::mem::take(&mut self.hub.done);
        done.into_iter().filter(|(token, _)| *token != ADOPTION).collect()
    }

    /// Until nothing waits; a hub asks now and then how much does.
    fn until_told(&mut self, bridge: &mut Running) {
        for turn in 0..2_000 {
            if turn % 50 == 0 {
                Hub::say(&ToBridge::Hello { protocol: PROTOCOL }, &mut self.to_bridge);
            }
            self.turn(bridge).unwrap();
            if self.hub.hello.take().is_some_and(|(_, waiting)| waiting == 0) && turn > 100 {
                return;
            }
        }
        panic!("something goes on waiting: {self:?}");
    }
}

fn said(n: u32, buffer: &mut [u8]) -> Said<'_> {
    buffer[..4].copy_from_slice(&n.to_le_bytes());
    let what = What::Value { link: Link::Bonded, characteristic: 0x2A35, octets: buffer };
    Said { at: Ticks(n.into()), peer: CUFF, contact: 1, what }
}

/// A bridge that has met its hub, and has an epoch.
fn adopted() -> (World, Running) {
    let mut world = World::new(1);
    let mut bridge = world.start().unwrap();
    world.hub_starts();
    world.turn(&mut bridge).unwrap();
    world.turn(&mut bridge).unwrap();
    (world, bridge)
}

/// Somebody tells it these.
fn keeps(bridge: &mut Running, all: std::ops::RangeInclusive<u32>) {
    for n in all {
        now(bridge.keep(&said(n, &mut [0; 30]))).unwrap();
    }
}

/// What the hub has, by the numbers in its values.
fn numbers(store: &Store) -> Vec<u32> {
    let number = |record: &Vec<u8>| match Said::decode(record).unwrap().value.what {
        What::Value { octets, .. } => u32::from_le_bytes(*octets.first_chunk().unwrap()),
        other => panic!("{other:?}"),
    };
    store.records.iter().map(number).collect()
}

#[test]
fn what_was_kept_arrives_once_and_in_order() {
    let (mut world, mut bridge) = adopted();
    keeps(&mut bridge, 1..=40);
    world.until_told(&mut bridge);
    assert_eq!(numbers(&world.store), (1..=40).collect::<Vec<_>>());
    assert!(world.hub.done.contains(&(ADOPTION, true)), "it was adopted");
}

/// Whatever happens: the line is bad, the hub starts anew, the bridge's power fails in any operation of its flash.
#[test]
fn nothing_is_lost_or_doubled_between_a_bridge_and_its_hub() {
    let mut cuts = 0;
    for seed in 0..150 {
        let mut world = World::new(seed);
        let (mut n, mut kept, mut in_doubt) = (0, vec![], vec![]);
        for _ in 0..30 {
            for chip in &world.chips {
                chip.borrow_mut().starts(Some(1 + world.dice.below(80) as u32));
            }
            let mut live = || -> Result<(), Refused<Trouble>> {
                let mut bridge = world.start()?;
                for _ in 0..200 {
                    match world.dice.below(40) {
                        0 => world.bad = !world.bad,
                        1 => world.hub_starts(),
                        2 => (world.to_hub, world.to_bridge) = (Way::default(), Way::default()),
                        3..20 => {
                            n += 1;
                            in_doubt.push(n);
                            match now(bridge.keep(&said(n, &mut [0; 90]))) {
                                Ok(_) => kept.push(n),
                                Err(Refused::Full | Refused::NoEpoch) => {}
                                Err(refused) => return Err(refused),
                            }
                            in_doubt.pop();
                        }
                        _ => {}
                    }
                    world.turn(&mut bridge)?;
                }
                Ok(())
            };
            match live() {
                Ok(()) => {}
                Err(refused) => {
                    assert_eq!(refused, Refused::Flash(Trouble::Cut), "seed {seed}");
                    cuts += 1;
                }
            }
        }
        world.chips.iter().for_each(|chip| chip.borrow_mut().starts(None));
        world.bad = false;
        let mut bridge = world.start().unwrap();
        world.until_told(&mut bridge);
        let came = numbers(&world.store);
        assert!(came.is_sorted_by(|a, b| a < b), "seed {seed}: {came:?}");
        let missing: Vec<_> = kept.iter().filter(|n| !came.contains(n)).collect();
        assert!(missing.is_empty(), "seed {seed}: {missing:?} were kept, and never arrived");
        let more: Vec<_> = came.iter().filter(|n| !kept.contains(n) && !in_doubt.contains(n)).collect();
        assert!(more.is_empty(), "seed {seed}: {more:?} were refused, and arrived");
    }
    println!("link: {cuts} times the power failed in an operation of the flash");
    assert!(cuts > 1_000, "{cuts}");
}

/// A hub that was set back to an earlier state, or is another: what was acknowledged is gone, and what waits comes.
#[test]
fn a_hub_that_has_forgotten_goes_on() {
    for forgotten in [Place::default(), Place { epoch: 1_000, number: 5 }] {
        let (mut world, mut bridge) = adopted();
        keeps(&mut bridge, 1..=20);
        world.until_told(&mut bridge);
        world.store = Store { last: forgotten, ..Store::default() };
        world.hub_starts();
        keeps(&mut bridge, 21..=30);
        world.until_told(&mut bridge);
        assert_eq!(numbers(&world.store), (21..=30).collect::<Vec<_>>());
    }
}

/// A hub that was slow is told on as soon as it says anything.
#[test]
fn a_hub_that_was_slow_is_told_on() {
    let (mut world, mut bridge) = adopted();
    keeps(&mut bridge, 1..=40);
    for _ in 0..150 {
        world.now += 100;
        now(bridge.tell(Ticks(world.now), &mut world.to_hub)).unwrap();
        world.to_hub = Way::default();
    }
    Hub::say(&ToBridge::AskTime { token: 2 }, &mut world.to_bridge);
    for _ in 0..20 {
        world.turn(&mut bridge).unwrap();
    }
    assert_eq!(numbers(&world.store), (1..=40).collect::<Vec<_>>());
}

/// A hub of a later version asks for something that this firmware has not.
#[test]
fn what_it_does_not_know_it_says() {
    let mut world = World::new(1);
    let mut bridge = world.start().unwrap();
    Hub::say(&ToBridge::Other { kind: 0x63, octets: &[7, 0, 1] }, &mut world.to_bridge);
    Hub::say(&ToBridge::Confirm { token: 9 }, &mut world.to_bridge);
    world.turn(&mut bridge).unwrap();
    assert_eq!(world.answers(), [(7, false), (9, false)]);
}

#[test]
fn a_configuration_holds_when_all_of_it_has_come() {
    let mut world = World::new(1);
    let mut bridge = world.start().unwrap();
    let mut room = [0; 2_048];
    let mut plan = Plan::new(&mut room).unwrap();
    let device = |n: u8| Peer::Device(AddressKind::Public, [n; 6]);
    for n in 0..10 {
        plan.device(device(n), Security::Bonded, 5_000, [Step::Drain; 28]).unwrap();
    }
    let whole = plan.done();
    assert_eq!(whole.len(), 691);
    let digest = digest(whole);
    let part = |token, from: usize, octets| ToBridge::Configure {
        token,
        digest,
        from: from as u16,
        of: 691,
        octets,
    };
    Hub::say(&part(2, 0, &whole[..250]), &mut world.to_bridge);
    Hub::say(&part(3, 500, &whole[500..]), &mut world.to_bridge);
    world.turn(&mut bridge).unwrap();
    assert_eq!(world.answers(), [(2, true), (3, false)], "a part is missing");
    assert_eq!(world.wishes, []);
    Hub::say(&part(4, 250, &whole[250..500]), &mut world.to_bridge);
    Hub::say(&part(5, 500, &whole[500..]), &mut world.to_bridge);
    world.turn(&mut bridge).unwrap();
    assert_eq!(world.answers(), [(4, true), (5, true)]);
    // Adopted meanwhile, it has said Hello: whoever hears that knows of no bonds.
    assert_eq!(world.wishes, [Wish::Greeted, Wish::Configured]);
    // What time it is holds for this configuration, in this epoch.
    let time = |configuration, epoch| TimeOfDay {
        configuration,
        epoch,
        at: Ticks(0),
        utc_ms: 1_718_486_260_000,
        until: Ticks(60_000),
    };
    let epoch = world.store.first_epoch;
    for (told, holds) in
        [(time(digest, epoch), true), (time(1, epoch), false), (time(digest, epoch + 1), false)]
    {
        Hub::say(&ToBridge::TimeOfDay { token: 6, time: told }, &mut world.to_bridge);
        world.turn(&mut bridge).unwrap();
        assert_eq!((world.answers(), bridge.time()), (vec![(6, true)], Some(told).filter(|_| holds)));
    }
    let mut bridge = world.start().unwrap();
    assert_eq!(bridge.time(), None);
    for n in 0..10 {
        assert_eq!(now(bridge.device(n.into())).unwrap().map(|device| device.peer), Some(device(n)));
    }
    assert_eq!(now(bridge.device(10)).unwrap(), None);
    let long = ToBridge::Configure { token: 6, digest: 1, from: 0, of: 4_000, octets: &[] };
    Hub::say(&long, &mut world.to_bridge);
    world.turn(&mut bridge).unwrap();
    assert_eq!(world.answers(), [(6, false)]);
}

/// What no device will say again, and found no room: how many is told as soon as there is some.
#[test]
fn what_found_no_room_is_counted() {
    let (mut world, mut bridge) = adopted();
    let (mut kept, mut lost) = (0, 0);
    while lost < 25 {
        match now(bridge.keep_or_count(&said(kept, &mut [0; 240]))).unwrap() {
            Some(_) => kept += 1,
            None => lost += 1,
        }
    }
    world.until_told(&mut bridge);
    let losses =
        world.store.records.iter().filter_map(|record| match Said::decode(record).unwrap().value.what {
            What::Lost { count, .. } => Some(count),
            _ => None,
        });
    let losses: Vec<u32> = losses.collect();
    assert_eq!(
        (losses.contains(&0), losses.iter().sum()),
        (true, 25),
        "that some were, and then how many: {losses:?}"
    );
    assert_eq!(world.store.records.len(), kept as usize + losses.len());
}

/// Any octets on the line: nothing breaks, and what follows is understood.
#[test]
fn garbage_is_named_and_passed_over() {
    for seed in 0..300 {
        let mut world = World::new(seed);
        let mut bridge = world.start().unwrap();
        let garbage: Vec<u8> = (0..2_000).map(|_| world.dice.next() as u8).collect();
        world.to_bridge.put(&garbage);
        world.to_bridge.put(&[0]);
        Hub::say(&ToBridge::Confirm { token: 9 }, &mut world.to_bridge);
        world.turn(&mut bridge).unwrap();
        assert_eq!(world.answers(), [(9, false)], "seed {seed}");
        assert!(world.hub.logs > 0, "seed {seed}: it is named");
    }
}
