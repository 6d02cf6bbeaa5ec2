//! A device, and what goes wrong while it tells: every reading that it handed over is in the record once, but for those that were
//! lost between BlueZ's confirmation and the hub's commit when the hub, or what it stands on, died; and these are counted.
//!
//! Each pair comes from its seed, nine of them in each test run: every device, and what ends a hub, a service and a controller.
//! `HEARTH_RADIO_SEEDS=from..to` says others, and `HEARTH_RADIO_HOMES` in how many homes beside each other. With `HEARTH_BLUEZ=-d` bluetoothd says what it does, and a failure shows it.

use crate::home::{Asks, BEGUN, Home, LET_GO, asks};
use crate::hub::BETWEEN;
use e2e::disk::Random;
use e2e::seeds;
use hearth_core::radio::adapter::State;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Those that a hub connects to; and the stages of each, beyond those of all.
const DEVICES: [(&str, &[&str]); 5] = [
    ("cuff", &[]),
    ("and", &["encrypted", "clock"]),
    ("beurer", &[]),
    ("meter", &["encrypted", "racp"]),
    ("scale", &["encrypted", "clock", "consent"]),
];
const STAGES: [&str; 6] = ["connected", "discovering", "discovered", "subscribed", "sent", "confirmed"];
const BY_THE_DEVICE: [&str; 5] = ["drop", "hang-up", "stall", "die", "flood"];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Fault {
    /// By the device, when it reaches this stage for the n-th time.
    Device(&'static str, &'static str, usize),
    /// One side of the bond is gone, or has other keys.
    DeviceForgets,
    DeviceHasOtherKeys,
    HubForgets,
    /// bluetoothd.
    ServiceKilled,
    ServiceEnded,
    Unplugged,
    /// Another controller comes, and the first one after it.
    Replaced,
    Blocked,
    /// The controller answers nothing, until its power is switched.
    Silent,
    HubKilled,
    PowerCut,
    /// It advertises a hundred times a second.
    Insistent,
}

use Fault::*;

impl Fault {
    fn of(dice: &mut Random, device: &str, stages: &[&'static str]) -> Fault {
        let all = [
            ServiceKilled,
            ServiceEnded,
            Unplugged,
            Replaced,
            Blocked,
            Silent,
            HubKilled,
            PowerCut,
            Insistent,
            DeviceForgets,
            DeviceHasOtherKeys,
            HubForgets,
        ];
        if dice.coin() {
            let stages = [&STAGES, stages].concat();
            let stage = stages[dice.below(stages.len())];
            let what = BY_THE_DEVICE[dice.below(BY_THE_DEVICE.len())];
            return Device(
                what,
                stage,
                1 + dice.below(if matches!(stage, "sent" | "confirmed") { 3 } else { 1 }),
            );
        }
        // A bond that is lost takes twelve links that come to nothing, and so minutes, to be believed.
        let bonds = if asks(device) == Asks::Nothing && device != "and" { 3 } else { 0 };
        all[dice.below(all.len() - bonds)]
    }

    /// What `hearth status` says of Bluetooth meanwhile: of one of these. A controller that says nothing may be off, or seem to be on.
    fn states(self) -> &'static [State] {
        match self {
            ServiceKilled => &[State::NoDaemon],
            Unplugged | Replaced => &[State::NoAdapter],
            Blocked => &[State::Blocked],
            Silent => &[State::Off, State::Dead],
            _ => &[State::Scanning],
        }
    }
}

/// A device that deletes what was confirmed.
fn forgets(device: &str) -> bool {
    matches!(device, "cuff" | "and" | "scale")
}

pub(crate) fn kill_service(home: &Home, signal: &str) {
    home.guest()
        .run(&format!("kill -{signal} $(pidof bluetoothd); while pidof bluetoothd; do usleep 20000; done"))
        .ok();
}

pub(crate) fn start_service(home: &Home) {
    home.guest().run("/init bluetoothd").ok();
    // What it notes of the neighbourhood is in memory (deploy/bluetooth).
    home.guest().run("for cache in /var/lib/bluetooth/*:*/cache; do [ -L $cache ] || exit 1; done").ok();
}

fn block(home: &Home, blocked: bool) {
    home.guest()
        .run(&format!("for f in /sys/class/rfkill/*/soft; do echo {} > $f; done", u8::from(blocked)))
        .ok();
}

/// Measures, lets it go wrong, and mends what a person would mend. So many readings may be lost by it.
#[track_caller]
fn suffer(home: &mut Home, device: &str, fault: Fault, dice: &mut Random) -> usize {
    let n = 1 + dice.below(4);
    // Whoever fails at its third record has a third one.
    let n = if let Device(_, _, nth) = fault { n.max(nth) } else { n };
    if let Device(..) | DeviceForgets | DeviceHasOtherKeys | HubForgets = fault {
        // It tells over another link than before: in which it comes to every stage, and which its bond has to encrypt.
        home.air.wait(device, &json!({ "connected": false }));
    }
    let before = home.air.state(device);
    let [told, deaths] = ["told", "deaths"].map(|count| before[count].as_u64().unwrap());
    match fault {
        Device(what, at, nth) => {
            home.air.ask(&json!({ "do": "fault", "device": device, "what": what, "at": at, "nth": nth }));
        }
        DeviceForgets => _ = home.air.ask(&json!({ "do": "forget", "device": device })),
        DeviceHasOtherKeys => _ = home.air.ask(&json!({ "do": "change-keys", "device": device })),
        HubForgets => forget(home, device),
        Insistent => _ = home.air.ask(&json!({ "do": "advertise", "device": device, "every_ms": 10 })),
        _ => {}
    }
    home.measure(device, n);
    home.air.advertise(device, true);
    let begun = match dice.coin() {
        true => json!({ "connected": true }),
        false => json!({ "told": told + 1 + dice.below(n) as u64 }),
    };
    if let Device(what, ..) = fault {
        home.air.wait(device, &json!({ "faults": 0 }));
        if what == "die" {
            home.air.wait(device, &json!({ "deaths": deaths + 1, "connected": false }));
            home.air.advertise(device, true);
        }
        return 0;
    }
    if let DeviceForgets | DeviceHasOtherKeys | HubForgets | Insistent = fault {
        return 0;
    }
    // Others have links, too, which the kernel gives up when its controller says nothing.
    let others = ["cuff", "beurer", "scale"].into_iter().filter(|other| fault == Silent && *other != device);
    others.clone().for_each(|other| home.air.advertise(other, true));
    home.air.wait(device, &begun);
    let ends = gateway::clock::now();
    let says = |home: &Home| {
        let is = |said: &Value| fault.states().iter().any(|state| *said == state.sentence());
        home.hub().until("status", |status| is(&status["bluetooth"]));
    };
    let mut may_be_lost = 0;
    match fault {
        ServiceKilled | ServiceEnded => {
            kill_service(home, if fault == ServiceKilled { "KILL" } else { "TERM" });
            may_be_lost = home.ended(device, told as usize, ends);
            if fault == ServiceKilled {
                says(home);
            }
            start_service(home);
        }
        Unplugged => {
            home.guest().controller(&home.air, 0, false);
            says(home);
            home.guest().controller(&home.air, 0, true);
        }
        Replaced => {
            home.guest().controller(&home.air, 0, false);
            says(home);
            home.guest().controller(&home.air, 1, true);
            home.listens();
            home.guest().controller(&home.air, 1, false);
            home.guest().controller(&home.air, 0, true);
        }
        Blocked => {
            block(home, true);
            says(home);
            block(home, false);
        }
        Silent => {
            home.air.ask(&json!({ "do": "controller", "silent": true }));
            says(home);
            home.air.ask(&json!({ "do": "controller", "silent": false }));
            others.for_each(|other| home.air.advertise(other, false));
        }
        HubKilled => {
            home.kill();
            // BlueZ notices that nobody listens, and confirms until then.
            home.air.wait(device, &json!({ "subscribed": [] }));
            may_be_lost = home.ended(device, told as usize, ends);
            home.start();
        }
        PowerCut => {
            home.cut();
            may_be_lost = home.ended(device, told as usize, ends);
            home.boot();
        }
        Device(..) | DeviceForgets | DeviceHasOtherKeys | HubForgets | Insistent => {}
    }
    may_be_lost
}

/// The hub's side of its bond. After a link that failed for its keys BlueZ 5.82 says that a device is removed, and has only ended
/// its profiles; asked again it removes it.
pub(crate) fn forget(home: &Home, device: &str) {
    let path = home.air.address(device).replace(':', "_");
    let call =
        "dbus-send --system --print-reply --dest=org.bluez /org/bluez/hci0 org.bluez.Adapter1.RemoveDevice";
    home.guest().run(&format!("while {call} objpath:/org/bluez/hci0/dev_{path}; do usleep 50000; done")).ok();
}

/// Whoever sees nothing come uses the device again: it shows itself for half a minute, and is away for as long as makes it one that has
/// just appeared.
const SHOWS_S: u64 = 30;
const AWAY_S: u64 = 25;

/// Waits until everything that is to be had is a reading; a person pairs again where the hub asks for it. So many were
/// lost, of `may_be_lost`.
#[allow(clippy::disallowed_methods, reason = "a person uses a device again after so long")]
#[track_caller]
fn collect(home: &mut Home, device: &str, fault: Fault, may_be_lost: usize) -> usize {
    let mut begun = None;
    let since = Instant::now();
    let mut shows = true;
    // Five minutes, and what the asking takes.
    for _ in 0..300_000 / BETWEEN.as_millis() {
        // A bond that is gone is told from a bad link by how often it happens.
        let again = since.elapsed().as_secs() % (SHOWS_S + AWAY_S) < SHOWS_S;
        if matches!(fault, DeviceForgets | DeviceHasOtherKeys) && again != shows {
            shows = again;
            home.air.advertise(device, shows);
        }
        let status = home.hub().asked("status");
        let readings = status["readings"].as_u64().unwrap() as usize;
        let due = home.due();
        if readings >= due {
            return 0;
        }
        let state = home.air.state(device);
        let told_all = forgets(device) && state["holds"] == 0 && state["connected"] == false;
        // What came to the hub is kept when it has let go of the link.
        // A weight waits for its composition until its scale has told all.
        let waits = status["waiting"] != json!([]);
        if told_all
            && !waits
            && home.links(device, LET_GO) >= *begun.get_or_insert_with(|| home.links(device, BEGUN))
        {
            let lost = due - home.readings();
            let late = home.told_late(device);
            assert!(
                lost <= may_be_lost + late,
                "{device}, {fault:?}: {lost} were lost, of {may_be_lost} on their way, and {late} told late\n{}",
                home.told()
            );
            home.lost += lost;
            return lost;
        }
        let bonds = status["bonds"].to_string();
        if bonds.contains("end its pairing with any telephone") {
            home.air.ask(&json!({ "do": "forget", "device": device }));
            home.air.advertise(device, true);
            shows = true;
            home.pair(device);
        }
        std::thread::park_timeout(BETWEEN);
    }
    panic!("{device}, {fault:?}: {} of {} came\n{}", home.readings(), home.due(), home.told());
}

fn pair(dice: &mut Random) -> (&'static str, Fault) {
    let (device, stages) = DEVICES[dice.below(DEVICES.len())];
    (device, Fault::of(dice, device, stages))
}

/// The pairs of a test run.
const SEEDS: std::ops::Range<u64> = 50_187..50_196;

/// Another version of the dice, or of what goes wrong, has other pairs.
#[test]
fn a_test_run_has_every_device_and_ends_a_hub_a_service_and_a_controller() {
    let (devices, faults): (BTreeSet<_>, BTreeSet<_>) =
        SEEDS.map(|seed| pair(&mut Random::new(seed))).unzip();
    assert_eq!(devices, DEVICES.map(|(device, _)| device).into());
    for fault in [HubKilled, PowerCut, ServiceKilled, Unplugged, Blocked, Silent] {
        assert!(faults.contains(&fault), "{fault:?}: {faults:?}");
    }
    assert!(faults.iter().any(|fault| matches!(fault, Device(..))), "{faults:?}");
}

#[test]
fn what_goes_wrong_loses_nothing_that_a_device_still_holds() {
    let seeds = seeds("HEARTH_RADIO_SEEDS", SEEDS);
    let homes = std::env::var("HEARTH_RADIO_HOMES").map_or(1, |homes| homes.parse().expect("a number"));
    std::thread::scope(|all| {
        for nth in 0..homes {
            let seeds = seeds.clone().skip(nth).step_by(homes).collect();
            all.spawn(move || suffers_and_loses_nothing(nth, seeds));
        }
    });
}

#[track_caller]
fn suffers_and_loses_nothing(nth: usize, seeds: Vec<u64>) {
    let mut home = Home::new(&format!("pairs-{nth}"));
    for (device, _) in DEVICES {
        home.air.advertise(device, true);
        home.pair(device);
        home.bind(device);
        home.measure(device, 1);
        home.collected();
        home.air.wait(device, &json!({ "connected": false }));
        home.air.advertise(device, false);
    }
    let mut lost: BTreeMap<String, usize> = BTreeMap::new();
    for seed in seeds {
        let mut dice = Random::new(seed);
        let (device, fault) = pair(&mut dice);
        println!("radio, seed {seed}: {device}, {fault:?}");
        home.told_late(device);
        let may_be_lost = suffer(&mut home, device, fault, &mut dice);
        let n = collect(&mut home, device, fault, may_be_lost);
        if n > 0 {
            println!("radio, seed {seed}: {n} lost between confirmation and commit");
            *lost.entry(format!("{fault:?}")).or_default() += n;
        }
        home.air.ask(&json!({ "do": "clear", "device": device }));
        home.air.ask(&json!({ "do": "advertise", "device": device, "on": false, "every_ms": 100 }));
    }
    let parts = home.compare();
    let status = home.hub().json("status");
    println!(
        "radio: {} readings, {} and {parts} compositions lost between confirmation and commit: {lost:?}",
        home.due(),
        home.lost
    );
    assert_eq!(status["bonds"], Value::Null, "{status}");
}
