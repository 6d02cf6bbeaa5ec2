//! Devices around a board, and a hub that meets them through it: somebody pairs them at the hub, and each reading is in the record
//! once, whatever was pulled out or killed meanwhile.

use crate::air::octets;
use crate::house::House;

use e2e::air::Air;
use e2e::chart::{self, Row};
use e2e::{Said, hearth};
use hearth_wire::clock::{Shown, shown};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

struct Devices {
    house: House,
    /// All that was measured, with its device.
    measured: Vec<(String, Value)>,
}

impl Devices {
    fn air(&self) -> &Air {
        self.house.air.as_ref().expect("there are devices")
    }

    /// `hearth pair`, as somebody types it who then types these digits.
    fn pairs(&self, device: &str, digits: &str) -> Said {
        self.air().advertise(device, true);
        let mut pair = Command::new(hearth());
        pair.arg("--json").arg("--config").arg(&self.house.hub.config);
        pair.args(["pair", self.air().address(device), "--bridge", "1"]);
        let piped = || Stdio::piped();
        let mut pair = pair.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
        pair.stdin.take().unwrap().write_all(digits.as_bytes()).unwrap();
        let output = pair.wait_with_output().unwrap();
        let said = |octets| String::from_utf8(octets).unwrap();
        Said { code: output.status.code().unwrap(), out: said(output.stdout), err: said(output.stderr) }
    }

    /// Paired with, and its patient named.
    #[track_caller]
    fn moves_in(&self, device: &str, digits: &str) -> i64 {
        let paired = self.pairs(device, digits).ok().json();
        let no = paired["device"].as_i64().unwrap_or_else(|| panic!("{paired}"));
        let patient = format!("clinic={}", patient(device));
        let bind = ["bind", "add", &no.to_string(), "--patient", &patient, "--zone", "Etc/UTC"];
        let whose = ["--sole-use-attested-by", "technician", "--from", "2020-01-01T00:00:00Z"];
        self.house.hub.says(&[&bind[..], &whose].concat()).ok();
        no
    }

    /// Somebody measures so often, and the device shows itself.
    fn measure(&mut self, device: &str, n: usize) {
        let measured = self.air().measure(device, n);
        self.measured.extend(measured.into_iter().map(|record| (device.to_owned(), record)));
    }

    /// Its clock was set, and to the time that it is.
    #[track_caller]
    fn clock_is_right(&self, device: &str) {
        let written = self.air().ask(&json!({ "do": "written", "device": device }));
        let last = written.as_array().and_then(|all| all.last()).unwrap_or_else(|| panic!("{written}"));
        assert_eq!(last["characteristic"], "2A08", "{written}");
        let octets = octets(last["hex"].as_str().unwrap());
        let Some(Shown::Time(ms)) = shown(0x2A08, &octets) else { panic!("{written}") };
        let off = gateway::clock::now().as_millisecond() - i64::try_from(ms).unwrap();
        // As long ago as it was written: what it then measured has come since.
        assert!((-1_000..15_000).contains(&off), "{off} ms: {written}");
    }

    /// Until each is a reading.
    #[track_caller]
    fn told(&self) {
        let due = self.measured.len() as u64;
        self.house.hub.until(&["status"], |status| status["readings"].as_u64() == Some(due));
    }

    /// The record has each once, and nothing else.
    #[track_caller]
    fn compare(&self) {
        self.house.hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
        for left in [&["held"][..], &["outbox", "list", "--state", "parked"]] {
            assert_eq!(self.house.hub.json(left), json!([]), "{left:?}");
        }
        let mut charted: BTreeMap<Row, usize> = BTreeMap::new();
        for (_, versions) in self.house.record.all("Observation") {
            assert_eq!(versions.len(), 1, "{versions:?}");
            for row in chart::charted(versions[0].resource.as_ref().unwrap()) {
                *charted.entry(row).or_default() += 1;
            }
        }
        let rows =
            self.measured.iter().flat_map(|(device, record)| chart::measured(record, |_| patient(device)));
        let measured: BTreeMap<Row, usize> = rows.map(|row| (row, 1)).collect();
        assert_eq!(charted, measured);
    }
}

fn patient(device: &str) -> String {
    format!("bridge-{device}")
}

#[test]
fn what_devices_tell_a_bridge_is_in_the_record_once() {
    let mut home = Devices { house: House::with_devices("through"), measured: vec![] };
    let daemon = home.house.hub.run();
    home.house.hub.until(&["bridge", "list"], |all| all[0]["is"] == "there");

    // Heard by the bridge, since the hub itself has no radio.
    home.air().advertise("cuff", true);
    let address = home.air().address("cuff").to_owned();
    home.house.hub.until(&["devices", "--nearby"], |near| {
        let is = |row: &&Value| row["address"] == address.as_str();
        near.as_array()
            .unwrap()
            .iter()
            .find(is)
            .is_some_and(|row| row["bridge"] == 1 && !row["profile"].is_null())
    });
    home.measure("cuff", 2);
    let cuff = home.moves_in("cuff", "");
    home.told();
    home.house.hub.until(&["devices", "--nearby"], |near| {
        near.as_array().unwrap().iter().any(|row| row["address"] == address.as_str() && row["device"] == cuff)
    });

    // By its passkey.
    home.measure("meter", 3);
    home.air().advertise("meter", true);
    let refused = home.pairs("meter", "000000\n");
    assert!(refused.code != 0 && refused.err.contains("the digits were wrong"), "{refused:?}");
    home.moves_in("meter", "438271\n");
    home.told();

    // A cuff whose clock nobody can read: in its second conversation its zone is known, and the bridge sets it first.
    home.measure("and", 1);
    home.moves_in("and", "");
    home.told();
    home.air().wait("and", &json!({ "connected": false }));
    home.measure("and", 1);
    home.told();
    home.clock_is_right("and");

    // The cable is out, and the bridge meets whom it knows.
    home.house.pull();
    home.measure("cuff", 1);
    home.air().wait("cuff", &json!({ "holds": 0 }));
    home.house.plug();
    home.told();

    // Nobody listens, and then the board has no power for a moment.
    daemon.kill_now();
    home.measure("cuff", 1);
    home.measure("meter", 2);
    home.air().wait("cuff", &json!({ "holds": 0 }));
    home.house.power_cut();
    let daemon = home.house.hub.run();
    home.told();

    // Its button is pressed, whoever tells just then: the controller is not started anew with the board, and may be in the middle of a
    // packet.
    home.house.machine.reset();
    home.measure("cuff", 1);
    home.told();

    // Let go with its bond, and paired with again.
    home.house.hub.says(&["unpair", &cuff.to_string()]).ok();
    home.air().ask(&json!({ "do": "forget", "device": "cuff" }));
    home.measure("cuff", 1);
    home.moves_in("cuff", "");
    home.told();

    home.compare();
    let status = home.house.hub.json(&["status"]);
    assert!(status["bonds"].is_null(), "{status}");
    assert_eq!(daemon.stop(), 0);
}
