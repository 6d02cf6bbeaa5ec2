//! A home: the hub in its machine, the devices around it, whose each of them is, and what the record has of them.

use crate::guest::{Guest, Machine, Running, Terminal};
use crate::hub::Hub;
use e2e::World;
use e2e::air::Air;
use e2e::chart::{self, BODY_WEIGHT, Row};
use e2e::servers::{Servers, known, observations};
use gateway::demo::pki;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What was confirmed so long before whoever keeps it died is kept, also by a debug build in an emulated machine beside others.
const WINDOW_MS: i64 = 10_000;

/// What the hub says of a link.
pub(crate) const BEGUN: &str = "is connected to";
pub(crate) const LET_GO: &str = "is let go of";

/// What a person types on a terminal while a device is paired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asks {
    Nothing,
    Passkey,
}

pub(crate) fn asks(device: &str) -> Asks {
    if matches!(device, "meter" | "scale") { Asks::Passkey } else { Asks::Nothing }
}

/// What a device calls its users; of most it knows none.
fn slots(device: &str) -> &'static [Option<u8>] {
    match device {
        "scale" => &[Some(1), Some(2)],
        "beurer" => &[Some(0)],
        _ => &[None],
    }
}

#[derive(Debug)]
pub(crate) struct Home {
    guest: Option<Guest>,
    daemon: Option<Running>,
    pub(crate) machine: Machine,
    pub(crate) air: Air,
    _world: World,
    /// In the names of patients: no other home has it.
    tag: String,
    /// The hub's number of each device.
    numbers: BTreeMap<String, i64>,
    /// All that was measured, with its device.
    measured: Vec<(String, Value)>,
    /// So many of them were handed over, and lost on the way to the store.
    pub(crate) lost: usize,
    /// By device and number, those of which that may be true, and why.
    may_be_lost: BTreeMap<(String, u64), String>,
}

impl Home {
    /// A hub that writes to HAPI behind nginx, on a machine that has just been switched on.
    #[track_caller]
    pub(crate) fn new(tag: &str) -> Home {
        let servers = Servers::get();
        let (world, air, machine) = crate::rig(&format!("radio-{tag}"));
        let pki = machine.outside().join("pki");
        std::fs::create_dir_all(&pki).unwrap();
        let given = |name: &str, file: &std::path::Path| {
            std::fs::copy(file, pki.join(name)).unwrap();
            format!("/outside/pki/{name}")
        };
        let theirs = &servers.world.pki;
        let destination = format!(
            "[[destination]]\nname = \"clinic\"\nurl = \"{}\"\nca = \"{}\"\ncertificate = \"{}\"\nkey = \"{}\"\n",
            // The machine knows this one by that name.
            servers.hapi.wide.replace("127.0.0.1", "localhost"),
            given("ca.pem", &theirs.ca()),
            given("hub.pem", &theirs.certificate(pki::CLIENT)),
            given("hub.key", &theirs.key(pki::CLIENT)),
        );
        Hub::install(&machine, &destination);
        let mut home = Home {
            guest: None,
            daemon: None,
            machine,
            air,
            _world: world,
            tag: tag.to_owned(),
            numbers: BTreeMap::new(),
            measured: vec![],
            lost: 0,
            may_be_lost: BTreeMap::new(),
        };
        home.boot();
        home
    }

    pub(crate) fn guest(&self) -> &Guest {
        self.guest.as_ref().expect("the machine is on")
    }

    pub(crate) fn daemon(&self) -> &Running {
        self.daemon.as_ref().expect("the hub runs")
    }

    pub(crate) fn hub(&self) -> Hub<'_> {
        Hub { guest: self.guest() }
    }

    pub(crate) fn number(&self, device: &str) -> i64 {
        self.numbers[device]
    }

    /// Power on, and the hub runs.
    #[track_caller]
    pub(crate) fn boot(&mut self) {
        self.guest = Some(self.machine.boot());
        self.start();
    }

    #[track_caller]
    pub(crate) fn start(&mut self) {
        let (_, daemon) = Hub::start(self.guest());
        self.daemon = Some(daemon);
        self.listens();
    }

    #[track_caller]
    pub(crate) fn listens(&self) {
        self.hub().until("status", |status| status["bluetooth"] == "Devices are listened for.");
    }

    /// The hub is killed.
    #[track_caller]
    pub(crate) fn kill(&mut self) {
        let daemon = self.daemon.take().expect("the hub runs");
        self.guest().signal("KILL", &daemon);
        daemon.end();
    }

    /// The power fails.
    pub(crate) fn cut(&mut self) {
        self.daemon = None;
        self.guest = None;
    }

    fn patient(&self, device: &str, slot: Option<u8>) -> String {
        match slot {
            Some(slot) => format!("radio-{}-{device}-{slot}", self.tag),
            None => format!("radio-{}-{device}", self.tag),
        }
    }

    /// Waits until the hub hears it, and knows what it is.
    #[track_caller]
    pub(crate) fn heard(&self, device: &str) {
        let address = self.air.address(device);
        self.hub().until("nearby", |near| {
            let ready = |row: &Value| row["address"] == address && !row["profile"].is_null();
            near.as_array().unwrap().iter().any(ready)
        });
    }

    /// A person begins to pair, on a terminal.
    #[track_caller]
    pub(crate) fn begins_to_pair(&self, device: &str) -> Terminal {
        self.heard(device);
        self.guest().terminal(&Hub::command(&format!("pair {}", self.air.address(device))))
    }

    /// The digits that a device shows now.
    #[track_caller]
    pub(crate) fn shows(&self, device: &str) -> String {
        self.air.wait(device, &json!({ "connected": true }))["shows"].as_str().unwrap().to_owned()
    }

    /// Reads what the device shows, and types it.
    #[track_caller]
    pub(crate) fn types_passkey(&self, device: &str, terminal: &mut Terminal) {
        terminal.shown.wait("six digits");
        terminal.type_line(&self.shows(device));
    }

    /// Pairs as a person would, who says later whose it is.
    #[track_caller]
    pub(crate) fn pair(&mut self, device: &str) {
        let mut terminal = self.begins_to_pair(device);
        if asks(device) == Asks::Passkey {
            self.types_passkey(device, &mut terminal);
        }
        terminal.shown.wait("Whose is it?");
        terminal.type_line("");
        terminal.shown.wait("Nobody's yet");
        let said = terminal.shown.said();
        let (_, no) = said.rsplit_once("Paired, as device ").unwrap();
        self.numbers.insert(device.to_owned(), no.split('.').next().unwrap().parse().unwrap());
    }

    /// Says whose it is, and gives the codes of its users.
    #[track_caller]
    pub(crate) fn bind(&self, device: &str) {
        let no = self.number(device);
        for slot in slots(device) {
            let patient = self.patient(device, *slot);
            known(&Servers::get().hapi, &patient);
            let (slot, whose) = match slot {
                Some(slot) => (format!("--slot {slot}"), ""),
                None => (String::new(), "--sole-use-attested-by technician"),
            };
            self.hub()
                .said(&format!(
                    "bind add {no} {slot} {whose} --patient clinic={patient} --zone Etc/UTC --from 2020-01-01T00:00:00Z"
                ))
                .ok();
        }
        if device == "scale" {
            for (slot, code) in [(1, 1234), (2, 4321)] {
                self.hub().said(&format!("consent {no} --slot {slot} --code {code}")).ok();
            }
        }
    }

    /// Somebody measures so often. Scales weigh their users by turns.
    pub(crate) fn measure(&mut self, device: &str, n: usize) {
        let verbs: Vec<Value> = match device {
            "scale" => (0..n).map(|k| json!({ "n": 1, "user": 1 + k % 2 })).collect(),
            _ => vec![json!({ "n": n })],
        };
        for mut verb in verbs {
            verb["do"] = json!("measure");
            verb["device"] = json!(device);
            let records = self.air.ask(&verb);
            let records = records.as_array().unwrap().iter();
            self.measured.extend(records.map(|record| (device.to_owned(), record.clone())));
        }
    }

    /// How many readings the hub has to have.
    pub(crate) fn due(&self) -> usize {
        self.measured.len() - self.lost
    }

    #[track_caller]
    pub(crate) fn readings(&self) -> usize {
        self.hub().asked("status")["readings"].as_u64().unwrap() as usize
    }

    /// So many records of the device, which it has told for the `told`-th time or later, may be lost: something ended meanwhile, which was
    /// well until `ends`.
    pub(crate) fn ended(&mut self, device: &str, told: usize, ends: Timestamp) -> usize {
        let told = self.air.told(device).split_off(told);
        let told = told.iter().filter(|told| told["confirmed"] == true && told["n"].is_u64());
        let mut new = BTreeMap::new();
        for told in told {
            let window = (ends.as_microsecond() - told["at_us"].as_i64().unwrap()) / 1_000;
            if window < WINDOW_MS {
                new.insert(
                    (device.to_owned(), told["n"].as_u64().unwrap()),
                    format!("confirmed {window} ms before the end"),
                );
            }
        }
        let many = new.len();
        self.may_be_lost.extend(new);
        many
    }

    /// So may these: while it is unsubscribed from, BlueZ confirms what a device tells, and hands it to nobody. How many are new.
    pub(crate) fn told_late(&mut self, device: &str) -> usize {
        let late = self.air.state(device)["late"].take();
        let late = late.as_array().unwrap().iter().map(|n| (device.to_owned(), n.as_u64().unwrap()));
        let before = self.may_be_lost.len();
        for record in late {
            self.may_be_lost.entry(record).or_insert_with(|| "told while it was unsubscribed from".into());
        }
        self.may_be_lost.len() - before
    }

    /// How many links with it the hub, since its start, has begun, or let go of.
    pub(crate) fn links(&self, device: &str, said: &str) -> usize {
        self.daemon().arrivals(&format!("device {}: {said}", self.number(device))).len()
    }

    /// What the devices, bluetoothd and the hub have to say.
    pub(crate) fn told(&self) -> String {
        let bluez = self.guest().run("tail -n 1500 /run/bluetoothd.log");
        format!("{}\nbluetoothd:\n{}\nhub:\n{}", self.air.log(), bluez.out, self.daemon().said())
    }

    /// Waits until all that was measured is a reading.
    #[track_caller]
    pub(crate) fn collected(&self) {
        let due = self.due() as u64;
        self.hub().until("status", |status| status["readings"].as_u64() >= Some(due));
    }

    /// Waits until nothing is on its way any more, and looks into the record: each reading is there once, whose it is, when it
    /// was taken, with its digits, but for those that were lost; and nothing else is. How many compositions were lost.
    #[track_caller]
    pub(crate) fn compare(&self) -> usize {
        self.hub().said("outbox wait --timeout 170").ok();
        let parked = self.hub().json("outbox list --state parked");
        let shown = |row: &Value| self.hub().json(&format!("outbox show {}", row["row"]));
        let refused: Vec<Value> = parked.as_array().unwrap().iter().map(shown).collect();
        assert!(refused.is_empty(), "the record refused {refused:?}");
        let (mut missing, mut parts) = (0, 0);
        let excuse = |device: &str, record: &Value| {
            let record = (device.to_owned(), record["n"].as_u64().unwrap());
            let why = self.may_be_lost.get(&record);
            let why = why.unwrap_or_else(|| panic!("{record:?} is missing, for no reason\n{}", self.told()));
            println!("radio: lost from {device}: {why}");
        };
        let mut charted: BTreeMap<Row, usize> = BTreeMap::new();
        let patients = self.numbers.keys().flat_map(|device| {
            slots(device).iter().map(|slot| self.patient(device, *slot)).collect::<Vec<_>>()
        });
        for observation in observations(&Servers::get().hapi, &patients.collect::<Vec<_>>()) {
            for row in chart::charted(&observation) {
                *charted.entry(row).or_default() += 1;
            }
        }
        for (device, record) in &self.measured {
            let wanted = chart::measured(record, |slot| self.patient(device, slot));
            let there: Vec<usize> = wanted.iter().map(|row| charted.remove(row).unwrap_or(0)).collect();
            if there.iter().all(|times| *times == 0) {
                excuse(device, record);
                missing += 1;
                continue;
            }
            let is_weight = |row: &Row| row[2] == BODY_WEIGHT;
            if device == "scale"
                && wanted.iter().zip(&there).all(|(row, times)| *times == usize::from(is_weight(row)))
            {
                excuse(device, record);
                parts += 1;
                continue;
            }
            assert!(there.iter().all(|times| *times == 1), "{device}: {there:?} of {wanted:?}");
        }
        assert_eq!(charted, BTreeMap::new(), "nobody measured that");
        assert_eq!(missing, self.lost, "missing in the record");
        parts
    }
}
