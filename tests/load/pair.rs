//! Two hubs in one house hear the same devices and write into one record at the same time.

use crate::size;
use e2e::World;
use e2e::home::{Home, compare, told};
use gateway::demo::pki;
use gateway::demo::record::Behaviour;

#[test]
fn two_hubs_in_one_house_make_one_record() {
    let readings = size(120, 1_000);
    for (tag, rung) in (80..).zip(["update-as-create", "conditional-create"]) {
        let world = World::new("pair");
        let record = world.record(Behaviour { conditional: true, ..Behaviour::default() });
        let home = Home::new(tag, readings);
        let hubs = [0, 1].map(|_| {
            world.hub_with(&[("clinic", &record)], pki::CLIENT, &format!("rung = \"{rung}\"\nbundle = 7"))
        });
        let daemons = hubs.each_ref().map(e2e::Hub::run);
        let mut sources = hubs.each_ref().map(e2e::Hub::source);
        for line in home.news(0..readings).lines() {
            for source in &mut sources {
                source.tell(&serde_json::from_str(line).unwrap()).unwrap();
            }
        }
        for hub in &hubs {
            hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
        }
        for daemon in daemons {
            assert_eq!(daemon.stop(), 0);
        }
        let all = record.all("Observation");
        let versions = all.iter().filter(|(_, versions)| versions.len() > 1).count();
        let chart: Vec<_> = all
            .iter()
            .map(|(_, versions)| told(versions.last().unwrap().resource.as_ref().unwrap()))
            .collect();
        let found = compare(&home, &chart, str::to_owned);
        println!(
            "pair, {rung}: {} Observations of {readings} readings by two hubs, {versions} written again",
            chart.len()
        );
        assert_eq!(found, Default::default(), "{rung}");
        // On rung 1 who is second may write the same once more, at the same place.
        if rung == "conditional-create" {
            assert_eq!(versions, 0, "{rung}");
        }
        for hub in &hubs {
            let status = hub.json(&["status"]);
            assert_eq!(status["raised"], serde_json::json!([]), "{status:#}");
        }
    }
}
