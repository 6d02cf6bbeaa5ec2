//! Who the hub is, while it runs: a renewed certificate, one that can't be used, one that ends soon.

use crate::story::BP_03;
use e2e::{Hub, World};
use gateway::demo::pki;
use gateway::demo::record::{Behaviour, Record};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A hub whose certificate lies in its own folder, where somebody renews it.
struct House {
    world: World,
    record: Record,
    hub: Hub,
    certificate: PathBuf,
    key: PathBuf,
}

impl House {
    fn new(name: &str, client: &str) -> House {
        let world = World::new(name);
        let record = world.record(Behaviour::default());
        let hub = world.hub(&[("clinic", &record)]);
        let (certificate, key) = (hub.dir.join("hub.pem"), hub.dir.join("hub.key.pem"));
        let config = std::fs::read_to_string(&hub.config).unwrap();
        let config = config
            .replace(
                &world.pki.certificate(pki::CLIENT).display().to_string(),
                &certificate.display().to_string(),
            )
            .replace(&world.pki.key(pki::CLIENT).display().to_string(), &key.display().to_string());
        std::fs::write(&hub.config, config).unwrap();
        let house = House { world, record, hub, certificate, key };
        house.put(&house.world.pki.certificate(client), &house.certificate);
        house.put(&house.world.pki.key(client), &house.key);
        house
    }

    /// As a tool that renews certificates does: written beside, then renamed.
    fn put(&self, from: &Path, to: &Path) {
        std::fs::copy(from, to.with_extension("new")).unwrap();
        std::fs::rename(to.with_extension("new"), to).unwrap();
    }

    /// The first pressure of one more cuff, delivered: with which certificate its requests came.
    fn delivers(&self, cuff: u8) -> Vec<String> {
        let asked = self.record.log().len();
        let address = format!("C0:FF:EE:00:00:{cuff:02X}");
        let lines = [
            json!({ "met": { "device": "d", "address": address, "services": ["1810"] } }),
            json!({ "bind": { "device": "d", "patient": { "clinic": "ada" }, "zone": "America/New_York",
                "from": "2018-01-01T00:00:00Z" } }),
            json!({ "heard": { "device": "d", "contact": 1, "characteristic": "2A35", "hex": BP_03 } }),
            json!({ "ended": { "device": "d", "contact": 1, "how": "drained" } }),
        ];
        self.hub.replay(&lines.map(|line| format!("{line}\n")).concat());
        self.hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
        let log = self.record.log();
        let mut names: Vec<String> = log[asked..].iter().filter_map(|logged| logged.client.clone()).collect();
        assert_eq!(names.len(), log.len() - asked, "each with a certificate");
        names.dedup();
        names
    }

    fn stands(&self) -> String {
        let status: Value = self.hub.json(&["status"]);
        assert_eq!((&status["parked"], &status["in_doubt"]), (&json!(0), &json!(0)), "{status}");
        status["destinations"][0].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_renewed_certificate_is_taken_without_a_restart() {
    let house = House::new("renewed", pki::CLIENT);
    let daemon = house.hub.run();
    assert_eq!(house.delivers(1), [pki::CLIENT]);
    assert_eq!(house.delivers(2), [pki::CLIENT]);
    assert_eq!(house.stands(), "clinic: answers");

    // Half of it: what was there goes on, on the connection that is open, and a person is told.
    let renewed = |path: fn(&pki::Pki, &str) -> PathBuf| path(&house.world.pki, pki::CLIENT_RENEWED);
    house.put(&renewed(pki::Pki::certificate), &house.certificate);
    assert_eq!(house.delivers(3), [pki::CLIENT]);
    let stands = house.stands();
    assert!(
        stands.starts_with("clinic: answers; ") && stands.contains("hub.key.pem: is not the key of"),
        "{stands}"
    );
    assert!(stands.contains("have been made together. Until then the certificate goes on"), "{stands}");
    daemon.wait_for("hub.key.pem: is not the key of");

    // All of it: the next request comes with the new one, although the old connection was good.
    house.put(&renewed(pki::Pki::key), &house.key);
    assert_eq!(house.delivers(4), [pki::CLIENT_RENEWED]);
    assert_eq!(house.stands(), "clinic: answers");
    daemon.wait_for("its certificate files changed and are taken");

    // One that has ended is not taken.
    house.put(&house.world.pki.certificate(pki::CLIENT_EXPIRED), &house.certificate);
    house.put(&house.world.pki.key(pki::CLIENT_EXPIRED), &house.key);
    assert_eq!(house.delivers(5), [pki::CLIENT_RENEWED]);
    assert!(house.stands().contains("hub.pem: expired at"), "{}", house.stands());
    assert_eq!(daemon.stop(), 0);
    // Each reading is there once, whichever certificate it came with.
    assert!(house.record.all("Observation").iter().all(|(_, versions)| versions.len() == 1));
}

#[test]
fn a_certificate_that_ends_soon_is_shown_with_its_date() {
    let house = House::new("ending", pki::CLIENT_ENDING);
    let check = house.hub.says(&["check"]).ok();
    assert!(check.out.contains("have it renewed"), "{}", check.out);
    let daemon = house.hub.run();
    daemon.wait_for("hub.pem: expires at 2");
    let stands =
        house.hub.until(&["status"], |status| status["destinations"].to_string().contains("expires"));
    let stands = stands["destinations"].to_string();
    assert!(stands.contains("hub.pem: expires at 2") && stands.contains("Z; have it renewed"), "{stands}");
    assert_eq!(daemon.stop(), 0);
}
