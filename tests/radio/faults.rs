//! What a test does to devices and controllers, seen by a plain program: the verbs do what they say.

use crate::air::Air;
use crate::devices::{pair, told, values};
use crate::guest::{Guest, bare};
use crate::rig;
use serde_json::{Value, json};

fn fault(air: &Air, device: &str, what: &str, at: Option<(&str, usize)>) {
    let mut verb = json!({ "do": "fault", "device": device, "what": what });
    if let Some((stage, nth)) = at {
        verb["at"] = json!(stage);
        verb["nth"] = json!(nth);
    }
    air.ask(&verb);
}

/// One session of the careful program: how many values it got, and what it said.
fn session(guest: &Guest, air: &Air, device: &str) -> (usize, String) {
    let (code, out) =
        guest.start(&format!("/outside/bare careful {} 2A35 1 1500", air.address(device))).end();
    assert_eq!(code, 0, "{out}");
    (values(&out).len(), out)
}

/// The hub's side of a bond. After a link that failed for its keys BlueZ 5.82 says that a device is removed, and has only ended its
/// profiles; asked again it removes it. So it is asked until there is none.
fn remove(guest: &Guest, air: &Air, device: &str) {
    let path = air.address(device).replace(':', "_");
    let call =
        "dbus-send --system --print-reply --dest=org.bluez /org/bluez/hci0 org.bluez.Adapter1.RemoveDevice";
    guest.run(&format!("while {call} objpath:/org/bluez/hci0/dev_{path}; do usleep 50000; done")).ok();
}

#[test]
fn faults_are_what_they_say() {
    let (_world, air, machine) = rig("radio-faults");
    machine.give(bare());
    let guest = machine.boot();
    air.advertise("cuff", true);

    // The link breaks at every stage; what was not confirmed is still there, and comes the next time.
    for (stage, nth) in [("discovered", 1), ("subscribed", 1), ("sent", 2), ("confirmed", 1)] {
        air.measure("cuff", 2);
        let before = told(&air, "cuff").len();
        fault(&air, "cuff", "drop", Some((stage, nth)));
        let (got, out) = session(&guest, &air, "cuff");
        let confirmed = told(&air, "cuff").len() - before;
        println!("dropped at {stage} {nth}: {got} values came, {confirmed} were confirmed");
        // BlueZ confirms before it tells; what it told and was not confirmed comes again.
        assert!(got >= confirmed, "{out}");
        assert_eq!(air.state("cuff")["faults"], 0, "it never came to that: {out}\n{}", air.log());
        assert_eq!(air.state("cuff")["holds"], 2 - confirmed, "{out}");
        let (got, out) = session(&guest, &air, "cuff");
        assert_eq!((got, &air.state("cuff")["holds"]), (2 - confirmed, &json!(0)), "{out}");
    }

    // A device that dies, and one that answers nothing.
    air.measure("cuff", 1);
    fault(&air, "cuff", "die", Some(("connected", 1)));
    assert_eq!(session(&guest, &air, "cuff").0, 0);
    assert_eq!(air.state("cuff")["advertising"], false);
    fault(&air, "cuff", "stall", Some(("subscribed", 1)));
    air.advertise("cuff", true);
    let (got, out) = session(&guest, &air, "cuff");
    assert_eq!((got, &air.state("cuff")["holds"]), (0, &json!(1)), "{out}");
    assert_eq!(session(&guest, &air, "cuff").0, 1);

    // A thousand values at once: this program gets what BlueZ can carry, and the next session is as ever.
    air.measure("cuff", 2);
    fault(&air, "cuff", "flood", Some(("confirmed", 1)));
    let (got, _) = session(&guest, &air, "cuff");
    println!("flooded with a thousand values: {got} came");
    air.measure("cuff", 2);
    assert!(session(&guest, &air, "cuff").0 >= 2);
    air.advertise("cuff", false);

    // A bond that one side forgets, or that has other keys.
    air.advertise("and", true);
    pair(&guest, &air, "and");
    for verb in ["forget", "change-keys"] {
        air.ask(&json!({ "do": verb, "device": "and" }));
        air.measure("and", 1);
        let (got, out) = session(&guest, &air, "and");
        assert_eq!((got, told(&air, "and").len()), (0, 0), "{out}");
        println!("bond, {verb}: {}", out.lines().last().unwrap_or_default());
        remove(&guest, &air, "and");
        air.ask(&json!({ "do": "forget", "device": "and" }));
        air.advertise("and", true);
        pair(&guest, &air, "and");
    }
    air.advertise("and", false);

    // Neighbours, and a filter of duplicates.
    let reports = |verb: Value| air.ask(&verb)["reports"].as_u64().unwrap();
    let asks = || json!({ "do": "controller" });
    let scan = || guest.run("/outside/bare scan 3").ok();
    air.ask(&json!({ "do": "noise", "per_second": 500, "devices": 50 }));
    let before = reports(asks());
    scan();
    let noisy = reports(asks()) - before;
    air.ask(&json!({ "do": "controller", "duplicates": "address" }));
    let before = reports(asks());
    scan();
    let filtered = reports(asks()) - before;
    println!("3 s of 500 advertisements a second: {noisy} reports, {filtered} where duplicates are filtered");
    assert!(noisy > 500 && filtered < noisy, "{noisy} {filtered}");
    air.ask(&json!({ "do": "noise", "per_second": 0 }));
    air.ask(&json!({ "do": "controller", "duplicates": "none" }));
    // The controller is pulled out, and another one plugged in.
    guest.controller(0, false);
    guest.controller(1, true);
    guest.run("until bluetoothctl show | grep -q 'Controller 00:1B:DC:07:31:01'; do usleep 50000; done").ok();
    guest.run("until bluetoothctl power on; do usleep 50000; done").ok();
    air.measure("beurer", 1);
    air.advertise("beurer", true);
    assert_eq!(session(&guest, &air, "beurer").0, 1, "by the other controller");
}
