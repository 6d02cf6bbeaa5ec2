//! Real Bluetooth: Debian's kernel and bluetoothd in an ARM machine under QEMU, virtual devices outside.
//!
//! The machine's kernel drives a controller over a serial port; its other end is one of bumble's virtual controllers, in
//! reach of virtual devices (`air.py`, `devices`), which a test steers and asks what they have handed over.
#![allow(clippy::unwrap_used)]

mod costs;
// It takes longest, and the tests begin in the order of their names: two at a time, it is over when the others are.
mod faults;
mod guest;
mod home;
mod house;
mod hub;
mod noise;
mod pairing;
mod running;

use e2e::World;
use e2e::air::Air;
use guest::{Machine, bare};
use serde_json::json;

/// Devices on the air, and a machine in reach of them, with an empty disk; all in the world's folder.
#[track_caller]
fn rig(name: &str) -> (World, Air, Machine) {
    let world = World::new(name);
    let air = Air::start(&world.dir);
    let machine = Machine::new(&world.dir.join("machine"), &air);
    (world, air, machine)
}

/// How many values each session of the bare program got: three sessions with a cuff that has three new records each time.
fn sessions(air: &Air, machine: &Machine, order: &str) -> Vec<usize> {
    let guest = machine.boot();
    let cuff = air.address("cuff");
    let told = air.told("cuff").len();
    let before = air.state("cuff")["sessions"].as_u64().unwrap();
    let program = guest.start(&format!("/outside/bare {order} {cuff} 2A35 3 1500"));
    for n in 0..3 {
        air.measure("cuff", 3);
        air.advertise("cuff", true);
        air.wait("cuff", &json!({ "sessions": before + n + 1, "connected": true }));
        // The next session begins when there is something new.
        air.advertise("cuff", false);
        air.wait("cuff", &json!({ "connected": false }));
    }
    let (code, said) = program.end();
    assert_eq!(code, 0, "{said}");
    assert_eq!(air.told("cuff").len() - told, 9, "the cuff believes that all has arrived: {said}");
    let got = |line: &str| line.split_once("session ")?.1.split(' ').nth(1)?.parse().ok();
    said.lines().filter_map(got).collect()
}

/// The control: what a program loses that calls in the obvious order, and one in the right order does not.
#[test]
fn the_obvious_order_loses_readings() {
    let (_world, air, machine) = rig("radio-control");
    machine.give(bare());
    let obvious = sessions(&air, &machine, "obvious");
    let careful = sessions(&air, &machine, "careful");
    println!("three sessions of three records each: obvious order {obvious:?}, careful {careful:?}");
    assert_eq!(obvious.len(), 3, "{obvious:?}");
    assert!(obvious.iter().sum::<usize>() < 9, "nothing was lost: this rig would not find a loss");
    assert_eq!(careful, [3, 3, 3]);
}

/// What other tests stand on.
#[test]
fn a_machine_does_what_it_is_told() {
    let (_world, air, machine) = rig("radio-machine");
    let guest = machine.boot();
    let said = guest.run("echo out; echo err >&2; exit 3");
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (3, "out\n", "err\n"));
    // Several at once.
    let waits = guest.start("sh -c 'until [ -e /run/now ]; do usleep 1000; done; echo done'");
    guest.run("touch /run/now").ok();
    assert_eq!(waits.end(), (0, "done\n".into()));
    let waits = guest.start("sleep 1000");
    guest.signal("KILL", &waits);
    assert_eq!(waits.end().0, 128 + 9);
    // A terminal, as for a person.
    let mut terminal = guest.terminal("sh -c 'tty; read word; echo \"<$word>\"'");
    terminal.shown.wait("/dev/pts/");
    terminal.type_line("hello");
    terminal.shown.wait("<hello>");
    terminal.shown.wait("(gone)");
    // Its disk outlives it.
    guest.run("echo kept > /var/lib/hearth/word; sync").ok();
    guest.cut();
    let guest = machine.boot();
    assert_eq!(guest.run("cat /var/lib/hearth/word").ok().out, "kept\n");
    // A controller that is pulled out, and plugged in again.
    guest.controller(&air, 0, false);
    guest.run("while bluetoothctl list | grep -q Controller; do usleep 50000; done").ok();
    guest.controller(&air, 0, true);
    guest.run("until bluetoothctl list | grep -q Controller; do usleep 50000; done").ok();
}
