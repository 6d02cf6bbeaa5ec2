//! Devices around a board: paired with through it, and what they tell.

use crate::debugger::Debugger;
use crate::hub::{Hub, Plugged};
use crate::machine::{Flash, PATIENCE, SPOOL_ADDRESSES, TO_CONTROLLER};
use crate::{NAME, adopt};
use e2e::air::Air;
use hearth_wire::crc::IsoHdlc;
use hearth_wire::frame::plan::{self, Plan, Security, Step};
use hearth_wire::frame::said::{Ending, Link, Said, What};
use hearth_wire::frame::{AddressKind, Outcome, Peer, Place, Prompt, ToBridge, ToHub};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// A house, and a board in it that a hub has adopted.
struct House {
    air: Air,
    flash: Flash,
    board: Option<Plugged>,
}

const ANYWHERE: u16 = 0;
/// Who says nothing for so long has told all.
const SILENCE_MS: u16 = 1_000;
/// And before that nothing is written for so long, when it is told and confirmed.
const NOTHING: Duration = Duration::from_millis(500);

const fn at(service: u16, characteristic: u16) -> plan::Place {
    plan::Place { service, characteristic }
}

impl House {
    #[track_caller]
    fn new() -> House {
        let flash = Flash::new(NAME);
        let air = Air::start(flash.folder());
        let mut house = House { air, flash, board: None };
        house.power_on(Hub::default());
        house.board().greeting();
        house.board().ask(adopt(1_000));
        house
    }

    fn power_on(&mut self, hub: Hub) {
        self.board = Some(Plugged::with_radio(&self.flash, hub, Some(self.air.controllers[0])));
    }

    fn board(&mut self) -> &mut Plugged {
        self.board.as_mut().expect("it has power")
    }

    fn power_cut(&mut self) -> Hub {
        self.board.take().expect("it has power").cut_power()
    }

    /// A board that has just been started lets no device rest.
    fn begins_anew(&mut self) {
        let hub = self.power_cut();
        self.power_on(hub);
        self.board().greet();
    }

    fn peer(&self, device: &str) -> Peer {
        let written: String =
            self.air.address(device).chars().filter(char::is_ascii_hexdigit).take(12).collect();
        Peer::Device(AddressKind::Random, octets(&written).try_into().unwrap())
    }

    /// What the bridge does with each of them from now on.
    #[track_caller]
    fn configure(&mut self, devices: &[(&str, Security, &[Step])]) {
        let mut room = [0; 512];
        let mut plan = Plan::new(&mut room).unwrap();
        for (device, security, steps) in devices {
            plan.device(self.peer(device), *security, SILENCE_MS, steps.iter().copied()).unwrap();
        }
        let octets: &'static [u8] = plan.done().to_vec().leak();
        let (digest, of) = (IsoHdlc::new().with(octets).value(), octets.len() as u16);
        self.board().ask(|token| ToBridge::Configure { token, digest, from: 0, of, octets });
    }

    /// As a person does who is at the hub: the device shows itself, and what it wants to know is answered.
    #[track_caller]
    fn pair(&mut self, device: &str, digits: Option<u32>) -> Result<(), String> {
        let peer = self.peer(device);
        self.air.advertise(device, true);
        let board = self.board();
        let asked = board.token();
        board.say(&ToBridge::Pair { token: asked, peer });
        loop {
            let prompt = board.wait("the end of a pairing, or a question", |frame| match frame {
                ToHub::Done { token, outcome } if *token == asked => Some(Err(match outcome {
                    Outcome::Good => Ok(()),
                    Outcome::Refused(why) => Err((*why).to_owned()),
                    other => Err(format!("{other:?}")),
                })),
                ToHub::Prompt { token, what } if *token == asked => Some(Ok(*what)),
                _ => None,
            });
            match prompt {
                Err(done) => return done,
                Ok(Prompt::Enter) => board.say(&ToBridge::Digits { token: asked, digits }),
                Ok(other) => panic!("{other:?}"),
            }
        }
    }

    /// The cuff shows itself; the board stands at each store into its spool.
    #[track_caller]
    fn meets_the_cuff(&mut self) -> Debugger {
        let mut debugger = Debugger::attach(&self.flash.debugger());
        debugger.watch(SPOOL_ADDRESSES);
        debugger.goes_on();
        self.air.advertise("cuff", true);
        debugger
    }

    /// One more measurement, and the power is cut. It is told afterwards; whether the cuff knew before that it was confirmed.
    #[track_caller]
    fn cut(&mut self, cut: Cut) -> bool {
        self.begins_anew();
        let measured = self.air.measure("cuff", 1);
        let told = self.air.state("cuff")["told"].as_u64();
        let mut debugger = self.meets_the_cuff();
        let Cut { stores, octets } = cut;
        for store in 0..stores {
            assert!(debugger.stops(PATIENCE), "{cut:?}: after {store} stores");
            if store + 1 < stores {
                debugger.goes_on();
            }
        }
        if octets > 0 {
            debugger.watch(TO_CONTROLLER);
        }
        for octet in 0..octets {
            debugger.goes_on();
            assert!(debugger.stops(PATIENCE), "{cut:?}: after {octet} octets");
        }
        let hub = self.power_cut();
        self.air.wait("cuff", &json!({ "connected": false }));
        let was_confirmed = self.air.state("cuff")["told"].as_u64() > told;
        let before = hub.records.len();
        self.power_on(hub);
        self.board().greet();
        let (_, how) = self.conversation();
        assert_eq!(how, Ending::Drained, "{cut:?}");
        let [(_, characteristic, octets)] = &told_by(&measured)[..] else { panic!("{measured:?}") };
        let board = self.board();
        let since = board.hub.records.values().skip(before);
        let times = since.filter(|record| match said(record).what {
            What::Value { characteristic: of, octets: value, .. } => (of, value) == (*characteristic, octets),
            _ => false,
        });
        let times = times.count();
        // What it was told again the hub knows by its octets.
        assert!(if was_confirmed { times == 1 } else { (1..=2).contains(&times) }, "{cut:?}: {times} times");
        self.air.wait("cuff", &json!({ "holds": 0 }));
        self.air.advertise("cuff", false);
        self.air.wait("cuff", &json!({ "connected": false }));
        was_confirmed
    }

    /// How many stores into the flash keep one measurement.
    #[track_caller]
    fn stores(&mut self) -> usize {
        self.begins_anew();
        self.air.measure("cuff", 1);
        let mut debugger = self.meets_the_cuff();
        assert!(debugger.stops(PATIENCE), "nothing was stored");
        let mut stores = 1;
        loop {
            debugger.goes_on();
            if !debugger.stops(NOTHING) {
                break;
            }
            stores += 1;
        }
        debugger.leaves();
        self.air.wait("cuff", &json!({ "holds": 0 }));
        self.conversation();
        self.air.advertise("cuff", false);
        stores
    }

    /// What a conversation that was not told before brought, up to its end, and acknowledges it.
    #[track_caller]
    fn conversation(&mut self) -> (Vec<(Link, u16, Vec<u8>)>, Ending) {
        let board = self.board();
        let before: BTreeSet<Place> = board.hub.records.keys().copied().collect();
        let (last, how) = loop {
            let (_, place) = board.record();
            if let What::Ended { how, .. } = said(&board.hub.records[&place]).what
                && !before.contains(&place)
            {
                break (place, how);
            }
        };
        board.acknowledge(last);
        let fresh = board.hub.records.iter().filter(|(place, _)| !before.contains(place) && **place <= last);
        let values = fresh.filter_map(|(_, octets)| match said(octets).what {
            What::Value { link, characteristic, octets } => Some((link, characteristic, octets.to_vec())),
            _ => None,
        });
        (values.collect(), how)
    }
}

/// When the power is cut: after so many stores into the flash, from the first one of a conversation on, and then so many octets to the
/// controller.
#[derive(Clone, Copy, Debug)]
struct Cut {
    stores: usize,
    octets: usize,
}

fn said(record: &[u8]) -> Said<'_> {
    Said::decode(record).unwrap().value
}

pub(crate) fn octets(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().as_chunks::<2>().0.iter();
    digits.map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// What a device measured, as it tells it.
fn told_by(measured: &[Value]) -> Vec<(Link, u16, Vec<u8>)> {
    let parts = measured.iter().flat_map(|record| record["octets"].as_array().unwrap());
    parts
        .map(|part| {
            let characteristic = u16::from_str_radix(part[0].as_str().unwrap(), 16).unwrap();
            (Link::Bonded, characteristic, octets(part[1].as_str().unwrap()))
        })
        .collect()
}

const CUFF: &[Step] = &[Step::Subscribe(at(ANYWHERE, 0x2A35)), Step::Read(at(0x180A, 0x2A29)), Step::Drain];

const METER: &[Step] = &[
    Step::Subscribe(at(0x1808, 0x2A18)),
    Step::Subscribe(at(0x1808, 0x2A34)),
    Step::Subscribe(at(0x1808, 0x2A52)),
    Step::Collect { place: at(0x1808, 0x2A52), from: None },
];

#[test]
fn a_cuff_is_paired_with_and_tells() {
    let mut house = House::new();
    house.configure(&[("cuff", Security::Bonded, CUFF)]);
    let measured = house.air.measure("cuff", 3);
    house.pair("cuff", None).unwrap();
    assert_eq!(house.conversation(), (told_by(&measured), Ending::Drained));
    house.air.wait("cuff", &json!({ "holds": 0 }));
}

#[test]
fn a_meter_is_paired_with_by_its_passkey() {
    let mut house = House::new();
    house.configure(&[("meter", Security::Authenticated, METER)]);
    let measured = house.air.measure("meter", 5);
    assert_eq!(house.pair("meter", Some(123_456)), Err("the digits were wrong; try again".into()));
    assert_eq!(house.pair("meter", None), Err("the pairing was given up".into()));
    house.pair("meter", Some(438_271)).unwrap();
    assert_eq!(house.conversation(), (told_by(&measured), Ending::Drained));
    house.air.advertise("meter", false);

    // The bond is in the board's flash.
    let hub = house.power_cut();
    let measured = [measured, house.air.measure("meter", 2)].concat();
    house.air.advertise("meter", true);
    house.power_on(hub);
    house.board().greet();
    assert_eq!(house.conversation(), (told_by(&measured), Ending::Drained));
}

/// A confirmation is ten octets (H4, ACL, L2CAP, ATT), and the controller may be owed some before it.
const MOST_OCTETS: usize = 60;

/// The cuff deletes what was confirmed. Whenever the power is cut between its indication and its confirmation, the value is in the
/// bridge's flash, or still in the cuff.
#[test]
fn no_moment_loses_what_a_cuff_deletes() {
    let mut house = House::new();
    house.configure(&[("cuff", Security::Bonded, &[CUFF[0], Step::Drain])]);
    house.pair("cuff", None).unwrap();
    house.conversation();
    house.air.advertise("cuff", false);
    let stores = house.stores();
    println!("one value is kept by {stores} stores");
    for stores in 1..=stores {
        house.cut(Cut { stores, octets: 0 });
    }
    let mut octets = 1..=MOST_OCTETS;
    let confirmed = octets.find(|octets| house.cut(Cut { stores, octets: *octets }));
    let confirmed = confirmed.expect("the last cut came after the confirmation");
    println!("the power was cut {} times, the last one after the confirmation", stores + confirmed);
}
