//! A board on its cable, the hub, and the record: what the thermometer measured is there, once, whatever was pulled out or killed
//! meanwhile.

use crate::cable::Cable;
use crate::machine::{Flash, Machine};
use e2e::air::Air;
use e2e::{Hub, World};
use gateway::demo::record::{Behaviour, Record};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::time::Duration;

const NAME: [u8; 8] = [0x02, 0x00, 0x5E, 0x10, 0x00, 0x00, 0x00, 0x09];
const ROOM: i32 = 21_000;
const AWAY: Duration = Duration::from_millis(2_500);

/// A board that is plugged in, or not, and a hub that looks for it.
pub(crate) struct House {
    pub(crate) flash: Flash,
    pub(crate) machine: Machine,
    cable: Option<Cable>,
    pub(crate) hub: Hub,
    pub(crate) record: Record,
    /// The devices around it, if there are any.
    pub(crate) air: Option<Air>,
    _world: World,
    /// What was measured, in the digits of the record, and about when.
    measured: Vec<(&'static str, Timestamp)>,
}

impl House {
    pub(crate) fn new(name: &str) -> House {
        House::with(name, |_| None)
    }

    pub(crate) fn with_devices(name: &str) -> House {
        House::with(name, |flash| Some(Air::start(flash.folder())))
    }

    fn with(name: &str, air: impl FnOnce(&Flash) -> Option<Air>) -> House {
        let world = World::new(name);
        let record = world.record(Behaviour::default());
        let hub = world.hub(&[("clinic", &record)]);
        let line = hub.dir.join("line");
        let config = std::fs::read_to_string(&hub.config).unwrap();
        let bridges = format!("[hub]\nbridges = [\"{}\"]\n", line.display());
        std::fs::write(&hub.config, config.replacen("[hub]\n", &bridges, 1)).unwrap();
        let flash = Flash::new(NAME);
        let air = air(&flash);
        let machine = power_on(&flash, air.as_ref());
        let measured = vec![];
        let mut house = House { flash, machine, cable: None, hub, record, air, _world: world, measured };
        house.plug();
        house
    }

    pub(crate) fn plug(&mut self) {
        self.cable = Some(Cable::plug(&mut self.machine, &self.hub.dir.join("line")));
    }

    /// The board loses its power, off its cable, and has it again.
    pub(crate) fn power_cut(&mut self) {
        self.pull();
        self.machine.cut_power();
        self.machine = power_on(&self.flash, self.air.as_ref());
        self.plug();
    }

    pub(crate) fn pull(&mut self) {
        self.cable.take().unwrap().pull(&mut self.machine);
    }

    /// Somebody takes their temperature: until it lies in the board's flash.
    pub(crate) fn measure(&mut self, thousandths: i32, digits: &'static str) {
        let before = self.flash.temperatures();
        self.machine.set_temperature(thousandths);
        self.flash.until(|flash| flash.temperatures() > before);
        self.measured.push((digits, gateway::clock::now()));
        // And puts it away: whoever asks the sensor, once a second, has to see that.
        self.machine.set_temperature(ROOM);
        std::thread::park_timeout(AWAY);
    }

    fn readings(&self) -> u64 {
        self.hub.json(&["status"])["readings"].as_u64().unwrap()
    }

    /// Until each is a reading.
    pub(crate) fn told(&self) {
        self.hub.until(&["status"], |status| status["readings"].as_u64() == Some(self.measured.len() as u64));
    }

    /// The record has each once, as it was measured, when it was.
    pub(crate) fn compare(&self) {
        self.hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
        let mut charted: Vec<(String, Timestamp)> = vec![];
        for (_, versions) in self.record.all("Observation") {
            assert_eq!(versions.len(), 1, "{versions:?}");
            let observation: &Value = versions[0].resource.as_ref().unwrap();
            let quantity = &observation["valueQuantity"];
            assert_eq!(quantity["code"], "Cel");
            let time = observation["effectiveDateTime"].as_str().unwrap().parse().unwrap();
            charted.push((quantity["value"].to_string(), time));
        }
        charted.sort_by_key(|(_, time)| *time);
        let digits = charted.iter().map(|(digits, _)| digits.as_str());
        assert!(
            digits.eq(self.measured.iter().map(|(digits, _)| *digits)),
            "{charted:?}, {:?}",
            self.measured
        );
        for ((_, charted), (digits, measured)) in charted.iter().zip(&self.measured) {
            let off = charted.duration_since(*measured).abs();
            assert!(
                off < SignedDuration::from_secs(3),
                "{digits}: charted at {charted}, measured at {measured}"
            );
        }
    }

    fn bridge(&self) -> Value {
        let [bridge] = self.hub.json(&["bridge", "list"]).as_array().unwrap().clone().try_into().unwrap();
        bridge
    }
}

fn power_on(flash: &Flash, air: Option<&Air>) -> Machine {
    Machine::start(flash, air.map(|air| air.controllers[0]))
}

#[test]
fn what_a_bridge_measures_is_in_the_record_once() {
    let mut house = House::new("bridge");
    let daemon = house.hub.run();
    house.hub.until(&["bridge", "list"], |all| all[0]["is"] == "there");
    let bridge = house.bridge();
    assert_eq!((&bridge["id"], &bridge["board"]), (&"02005E1000000009".into(), &"mps2-an386".into()));

    // It is nobody's yet, and so is held.
    house.measure(36_600, "36.56");
    let held = house.hub.until(&["held"], |held| held.as_array().is_some_and(|held| held.len() == 1));
    assert!(held.to_string().contains("bind"), "{held}");
    let devices = house.hub.json(&["devices"]);
    assert_eq!(devices[0]["profile"], "hearth/wired-thermometer", "{devices}");
    let bind = ["bind", "add", "1", "--patient", "clinic=ada-1", "--zone", "Europe/Berlin"];
    house.hub.says(&[&bind[..], &["--from", "2020-01-01T00:00:00Z"]].concat()).ok();
    house.told();

    // The cable is pulled, and plugged in when it was measured.
    house.pull();
    house.hub.until(&["status"], |status| status["bridges"].to_string().contains("plug the bridge in"));
    house.measure(37_200, "37.19");
    assert_eq!(house.readings(), 1);
    house.plug();
    house.told();

    // The hub is killed; it is measured, and the board loses its power: another epoch has begun before anybody has heard of it.
    daemon.kill_now();
    house.measure(38_400, "38.38");
    house.power_cut();
    let daemon = house.hub.run();
    house.told();
    // And its button is pressed.
    house.machine.reset();
    house.measure(36_800, "36.75");
    house.told();
    house.compare();
    let bridge = house.bridge();
    assert_eq!((&bridge["lost"], &bridge["missing"], &bridge["unread"]), (&0.into(), &0.into(), &0.into()));
    assert_eq!(daemon.stop(), 0);
}
