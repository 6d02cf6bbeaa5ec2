//! News in the words of a conversation, and the house and record that it is told to.

use e2e::{Hub, World};
use gateway::demo::record::{Behaviour, Record};
use serde_json::{Value, json};

pub(crate) const BP_03: &str = "167C0056006100E807060F11111B33000000";
pub(crate) const BP_S7: &str = "02780050006400E4070101000000";
pub(crate) const GLU_01: &str = "1B0F00E807011E053A1B53016FB0F80000";
pub(crate) const GLU_04: &str = "131E00E2070914051B075CFE6FB0F1";
pub(crate) const GLU_04_LATER_OFFSET: &str = "131E00E2070914051B0798FE6FB0F1";
pub(crate) const GLU_05: &str = "133100E2070A060F2F325CFE7EB0F1";
pub(crate) const GLU_06: &str = "030000E407030E171700000070B011";
pub(crate) const GLU_07: &str = "030100E407030E1717000000FFFF11";
pub(crate) const WT_02: &str = "0E783EEA07050C12353601EE002607";
pub(crate) const BC_01: &str = "9803C200DF1A9701CC2FCA21A811";
pub(crate) const ADV_01: &str = "223E30E607020E10293A";
pub(crate) const CTX_01: &str = "021E0002";
pub(crate) const CTX_02: &str = "02310001";

/// News in the words of a conversation.
pub(crate) struct News(pub(crate) Vec<Value>);

impl News {
    /// A hub that knows UTC from its first tick, and one device of a generic kind at a fixed address.
    pub(crate) fn of(service: &str, hub_time: &str) -> News {
        let met = json!({ "device": "d", "address": "C0:FF:EE:00:00:01", "services": [service] });
        News(vec![json!({ "boot": true }), json!({ "at": 0, "hub_time": hub_time }), json!({ "met": met })])
    }

    /// A meter that the site's own profile `site/meter` describes.
    pub(crate) fn site_meter(hub_time: &str) -> News {
        let News(mut lines) = News::of("1808", hub_time);
        lines[2]["met"]["name"] = json!("Site meter");
        News(lines)
    }

    /// A device that says who made it.
    pub(crate) fn model(manufacturer: &str, model: &str, service: &str, hub_time: &str) -> News {
        let News(mut lines) = News::of(service, hub_time);
        lines[2]["met"]["manufacturer"] = json!(manufacturer);
        lines[2]["met"]["model"] = json!(model);
        News(lines)
    }

    pub(crate) fn cuff(hub_time: &str) -> News {
        News::of("1810", hub_time)
    }

    pub(crate) fn meter(hub_time: &str) -> News {
        News::of("1808", hub_time)
    }

    pub(crate) fn say(mut self, line: Value) -> News {
        self.0.push(line);
        self
    }

    pub(crate) fn bound(self, patient: &str, zone: &str) -> News {
        self.bound_from(patient, zone, "2018-01-01T00:00:00Z")
    }

    pub(crate) fn bound_from(self, patient: &str, zone: &str, from: &str) -> News {
        self.say(json!({ "bind": { "device": "d", "patient": { "clinic": patient }, "zone": zone, "from": from } }))
    }

    pub(crate) fn heard(self, contact: u64, characteristic: &str, hex: &str) -> News {
        let heard =
            json!({ "device": "d", "contact": contact, "characteristic": characteristic, "hex": hex });
        self.say(json!({ "heard": heard }))
    }

    pub(crate) fn pressure(self, contact: u64, hex: &str) -> News {
        self.heard(contact, "2A35", hex)
    }

    pub(crate) fn glucose(self, contact: u64, hex: &str) -> News {
        self.heard(contact, "2A18", hex)
    }

    pub(crate) fn context(self, contact: u64, hex: &str) -> News {
        self.heard(contact, "2A34", hex)
    }

    pub(crate) fn clock(self, contact: u64, at: i64, shows: &str) -> News {
        self.say(json!({ "at": at, "clock": { "device": "d", "contact": contact, "shows": shows } }))
    }

    pub(crate) fn ended(self, contact: u64, how: &str) -> News {
        self.say(json!({ "ended": { "device": "d", "contact": contact, "how": how } }))
    }

    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// Observations that stand in the record now, without those of a device's clock.
pub(crate) fn observations(record: &Record) -> Vec<Value> {
    let all =
        record.all("Observation").into_iter().filter_map(|(_, versions)| versions.last()?.resource.clone());
    all.filter(|o| !codes(o).contains(&"67975".to_owned())).collect()
}

pub(crate) fn codes(place: &Value) -> Vec<String> {
    let codings = place["code"]["coding"].as_array().cloned().unwrap_or_default();
    codings.iter().filter_map(|c| c["code"].as_str().map(str::to_owned)).collect()
}

pub(crate) fn with_code(record: &Record, code: &str) -> Vec<Value> {
    observations(record).into_iter().filter(|o| codes(o).iter().any(|c| c == code)).collect()
}

pub(crate) fn effective(record: &Record, code: &str) -> Vec<String> {
    let mut all: Vec<String> =
        with_code(record, code).iter().map(|o| o["effectiveDateTime"].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

pub(crate) const PRESSURE: &str = "85354-9";
pub(crate) const GLUCOSE_MDC: &str = "160184";

pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) record: Record,
    pub(crate) hub: Hub,
}

impl Story {
    pub(crate) fn new(name: &str) -> Story {
        let world = World::new(name);
        let record = world.record(Behaviour::default());
        let hub = world.hub(&[("clinic", &record)]);
        Story { world, record, hub }
    }

    /// A site's own profile: the generic meter's, changed.
    pub(crate) fn with_profile(self, from: &str, to: &str) -> Story {
        let generic =
            std::fs::read_to_string(e2e::root().join("device-profiles/generic/glucose.toml")).unwrap();
        let named = generic.replace("[match]", "[match]\nname-prefixes = [\"Site\"]");
        assert!(named.contains(from), "the generic meter's profile has no {from}");
        let folder = self.hub.dir.join("profiles/site");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("meter.toml"), named.replace(from, to)).unwrap();
        self
    }

    /// Hands the news over, and delivers what there is.
    pub(crate) fn tell(&self, news: &News) -> Vec<Value> {
        let said = self.hub.replay(&news.text());
        self.hub.deliver();
        said
    }
}

/// Why records are held, in the order of the lines.
pub(crate) fn held(said: &[Value]) -> Vec<&str> {
    said.iter().filter(|row| row["fate"] == "held").filter_map(|row| row["why"].as_str()).collect()
}

#[track_caller]
pub(crate) fn check(name: &str, news: &News, code: &str, times: &[&str], why: &[&str]) {
    let story = Story::new(name);
    let said = story.tell(news);
    assert_eq!(effective(&story.record, code), times, "{said:#?}");
    assert_eq!(held(&said), why, "{said:#?}");
}
