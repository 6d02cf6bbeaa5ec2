//! The firmware of a board, on an emulated board: what its thermometer measures, and what devices around it tell, reaches the hub once,
//! whatever happens to its power.
#![allow(clippy::unwrap_used)]

mod air;
mod cable;
mod debugger;
mod house;
mod hub;
mod machine;
mod through;
mod update;

use e2e::air::Air;
use hearth_wire::frame::said::{Link, Said, What};
use hearth_wire::frame::{Capabilities, Peer, Place, Ticks, ToBridge};
use hub::{Hub, Plugged};
use machine::Flash;

const NAME: [u8; 8] = [0x02, 0x00, 0x5E, 0x10, 0xFF, 0xFE, 0x00, 0x2A];

/// Where no body is.
const ROOM: i32 = 21_000;

/// What a record says: that this board's thermometer measured this, and when.
#[track_caller]
fn measured(said: &[u8], octets: [u8; 5]) -> Ticks {
    let said = Said::decode(said).unwrap().value;
    let what = What::Value { link: Link::Wired, characteristic: 0x2A1C, octets: &octets };
    assert_eq!(said, Said { at: said.at, peer: Peer::Wired(1), contact: 0, what });
    said.at
}

fn adopt(epoch: u32) -> impl FnOnce(u16) -> ToBridge<'static> {
    move |token| ToBridge::Adopt { token, epoch }
}

fn place(epoch: u32, number: u32) -> Place {
    Place { epoch, number }
}

#[test]
fn a_measurement_is_told_until_it_is_acknowledged() {
    let flash = Flash::new(NAME);
    let air = Air::start(flash.folder());
    let mut plugged = Plugged::with_radio(&flash, Hub::default(), Some(air.controllers[0]));
    let greeting = plugged.greeting();
    assert_eq!((greeting.bridge, greeting.board.as_str()), (NAME, "mps2-an386"));
    assert_eq!(greeting.firmware, env!("CARGO_PKG_VERSION"));
    let can = [Capabilities::THERMOMETER, Capabilities::BLUETOOTH, Capabilities::UPDATE];
    assert_eq!(greeting.can, can.into_iter().reduce(Capabilities::and).unwrap().0);
    assert_eq!((greeting.epoch, greeting.is_adopted, greeting.waiting), (0, false, 0));
    plugged.ask(adopt(1_000));

    let put = plugged.time();
    plugged.machine.set_temperature(36_600);
    assert_eq!(plugged.record(), (Place::default(), place(1_000, 1)));
    // 36.6 is 36.5625 in sixteenths, and 36.56 is 3656, which is 0E48.
    let at = measured(&plugged.hub.records[&place(1_000, 1)], [0x00, 0x48, 0x0E, 0x00, 0xFE]);
    assert!((20_000..40_000).contains(&(at.0 - put.0)), "put at {put:?}, settled at {at:?}");
    assert_eq!(plugged.record().1, place(1_000, 1), "nobody has acknowledged it");

    // The processor sleeps in between.
    let (used, passed) = (plugged.machine.used().cpu, plugged.time());
    println!("the host's processor: {} ms in {} ms of the board's", used.as_millis(), passed.0);
    assert!(used.as_millis() * 5 < u128::from(passed.0), "{used:?} in {passed:?}");

    plugged.machine.set_temperature(ROOM);
    plugged.machine.reset();
    let greeting = plugged.greeting();
    assert_eq!((greeting.epoch, greeting.is_adopted, greeting.waiting), (1_001, true, 1));
    plugged.greet();
    assert_eq!(plugged.record(), (Place::default(), place(1_000, 1)), "nor after a reset");
    plugged.acknowledge(place(1_000, 1));
    plugged.is_told_nothing();

    plugged.machine.reset();
    let greeting = plugged.greeting();
    assert_eq!((greeting.epoch, greeting.waiting), (1_002, 0));
    assert_eq!(greeting.acknowledged, place(1_000, 1));
    plugged.is_told_nothing();
    assert_eq!(plugged.hub.records.len(), 1);
}

#[test]
fn what_waits_outlives_a_loss_of_power() {
    let flash = Flash::new(NAME);
    let mut plugged = Plugged::start(&flash, Hub::default());
    plugged.greeting();
    plugged.ask(adopt(7));
    plugged.machine.set_temperature(37_200);
    assert_eq!(plugged.record().1, place(7, 1));

    let mut plugged = Plugged::start(&flash, plugged.cut_power());
    let greeting = plugged.greeting();
    assert_eq!((greeting.epoch, greeting.is_adopted, greeting.waiting), (8, true, 1));
    plugged.greet();
    assert_eq!(plugged.record(), (Place::default(), place(7, 1)));
    // A hub that says something and acknowledges nothing is told all of it again, each three seconds.
    plugged.machine.set_temperature(38_400);
    while plugged.hub.records.len() < 2 {
        plugged.record();
        plugged.time();
    }
    plugged.acknowledge(place(8, 1));
    plugged.is_told_nothing();

    let mut plugged = Plugged::start(&flash, plugged.cut_power());
    let greeting = plugged.greeting();
    assert_eq!((greeting.epoch, greeting.waiting, greeting.acknowledged), (9, 0, place(8, 1)));
    plugged.is_told_nothing();

    // 37.2 is 37.1875 in sixteenths, and 37.19 is 3719, which is 0E87; 38.4 is 38.375, and 38.38 is 3838, which is 0EFE.
    let records = plugged.hub.records;
    assert_eq!(records.keys().copied().collect::<Vec<_>>(), [place(7, 1), place(8, 1)]);
    measured(&records[&place(7, 1)], [0x00, 0x87, 0x0E, 0x00, 0xFE]);
    measured(&records[&place(8, 1)], [0x00, 0xFE, 0x0E, 0x00, 0xFE]);
}

#[test]
fn a_thermometer_that_fails_is_said_and_a_restart_is_one() {
    let flash = Flash::new([0xFF; 8]);
    let mut plugged = Plugged::start(&flash, Hub::default());
    assert_eq!(plugged.greeting().bridge, [0x02, 0x00, 0x5E, 0x10, 0xFF, 0xFE, 0x00, 0x01], "it has no name");
    plugged.ask(adopt(1));
    plugged.machine.set_temperature(100_000);
    assert_eq!(plugged.log(), "the thermometer shows what cannot be");
    plugged.machine.set_temperature(ROOM);
    assert_eq!(plugged.log(), "the thermometer works again", "and was said once");
    plugged.ask(|token| ToBridge::Restart { token });
    assert_eq!(plugged.greeting().epoch, 2);
    assert!(plugged.time().0 < 60_000, "its time begins anew");
}
