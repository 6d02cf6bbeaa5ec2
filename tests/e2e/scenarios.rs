//! The scenarios, through the real binary: news in, a record system behind mutual TLS at the other end.
//!
//! Long because the scenarios are one table, in the order of their numbers.

use super::story::*;
use gateway::demo::record::{Fault, Record};
use serde_json::{Value, json};

#[test]
fn sc_01_a_device_resends_its_whole_memory() {
    let story = Story::new("sc-01");
    let memory = |contact, news: News| {
        let news = news.glucose(contact, GLU_04).context(contact, CTX_01).glucose(contact, GLU_05);
        news.context(contact, CTX_02).ended(contact, "drained")
    };
    let news = News::meter("2018-10-07T12:00:00Z").bound("ada", "America/Los_Angeles");
    story.tell(&memory(2, memory(1, news)));
    let twice = ["2018-09-19T22:27:07-07:00", "2018-10-06T08:47:50-07:00"];
    assert_eq!(effective(&story.record, GLUCOSE_MDC), twice);
    let writes = story.record.log().iter().filter(|l| l.seen.writes()).count();
    // Once more, in another life of the process: no row, no upload.
    let again = memory(1, News::meter("2018-10-08T12:00:00Z"));
    let said = story.tell(&again);
    assert!(said.iter().all(|row| row["fate"] != "admitted"), "{said:#?}");
    assert_eq!(effective(&story.record, GLUCOSE_MDC), twice);
    assert_eq!(story.record.log().iter().filter(|l| l.seen.writes()).count(), writes);
}

#[test]
fn sc_03_the_owner_changes_the_meters_clock() {
    let base = || News::meter("2018-09-20T08:00:00Z").bound("ada", "America/Los_Angeles");
    let both =
        base().glucose(1, GLU_04).ended(1, "drained").glucose(2, GLU_04_LATER_OFFSET).ended(2, "drained");
    check("sc-03", &both, GLUCOSE_MDC, &["2018-09-19T22:27:07-07:00"], &[]);
    let alone = base().glucose(1, GLU_04_LATER_OFFSET).ended(1, "drained");
    check("sc-03-alone", &alone, GLUCOSE_MDC, &["2018-09-19T23:27:07-07:00"], &[]);
}

/// A profile that says that base time is UTC: the same instant both times, whatever the offset.
#[test]
fn sc_03_base_time_is_utc() {
    let base = || News::site_meter("2018-09-20T08:00:00Z").bound("ada", "America/Los_Angeles");
    for news in [
        base().glucose(1, GLU_04).ended(1, "drained").glucose(2, GLU_04_LATER_OFFSET).ended(2, "drained"),
        base().glucose(1, GLU_04_LATER_OFFSET).ended(1, "drained"),
    ] {
        let story = Story::new("sc-03-utc").with_profile("keeps = \"local-time\"", "keeps = \"utc\"");
        story.tell(&news);
        assert_eq!(effective(&story.record, GLUCOSE_MDC), ["2018-09-19T22:27:07-07:00"]);
    }
}

#[test]
fn sc_04_the_clock_is_set_back() {
    let told = |end: &str| {
        News::cuff("2024-06-15T21:17:30Z")
            .bound("ada", "America/New_York")
            .clock(1, 40, "2024-06-15T17:17:30")
            .pressure(1, BP_03)
            .ended(1, end)
            .clock(2, 86_400_000, "2020-01-01T00:02:00")
            .pressure(2, BP_S7)
            .ended(2, "drained")
    };
    let first = "2024-06-15T17:17:27-04:00";
    check("sc-04", &told("drained"), PRESSURE, &[first, "2024-06-16T17:15:30-04:00"], &[]);
    check("sc-04-lost", &told("lost"), PRESSURE, &[first], &["time: two timelines"]);
    let silent = News::cuff("2024-06-15T21:17:40Z").bound("ada", "America/New_York");
    let silent = silent.pressure(1, BP_03).ended(1, "drained").pressure(2, BP_S7).ended(2, "drained");
    check("sc-04-silent", &silent, PRESSURE, &[first], &["time: clock reset"]);
}

#[test]
fn sc_05_the_gateway_is_replaced() {
    let story = Story::new("sc-05");
    let hub = |shows: &str| {
        News::cuff("2024-06-15T21:18:00Z")
            .bound("ada", "America/New_York")
            .clock(1, 40, shows)
            .pressure(1, BP_03)
    };
    story.tell(&hub("2024-06-15T17:18:00").ended(1, "drained"));
    let before = story.record.all("Observation");
    let other = story.world.hub(&[("clinic", &story.record)]);
    // The other hub corrects by twenty seconds more, and still finds its reading there.
    other.replay(&hub("2024-06-15T17:17:40").ended(1, "drained").text());
    other.deliver();
    assert_eq!(story.record.all("Observation"), before);
    let status = other.json(&["status"]);
    assert_eq!(status["delivered"], 1, "{status}");
}

#[test]
fn sc_06_the_answer_is_lost() {
    let story = Story::new("sc-06");
    story.record.script({
        let mut cut = 0;
        move |seen| {
            if seen.writes() && cut < 3 {
                cut += 1;
                Fault::CommitThenCut
            } else {
                Fault::Pass
            }
        }
    });
    story.tell(
        &News::cuff("2024-06-15T21:18:00Z")
            .bound("ada", "America/New_York")
            .pressure(1, BP_03)
            .ended(1, "drained"),
    );
    assert_eq!(effective(&story.record, PRESSURE), ["2024-06-15T17:17:27-04:00"]);
    assert!(story.record.committed_unanswered() >= 1);
    assert!(story.record.all("Observation").iter().all(|(_, versions)| versions.len() == 1));
}

#[test]
fn sc_08_a_context_without_its_measurement() {
    let story = Story::new("sc-08");
    let news = News::meter("2018-09-20T06:00:00Z").bound("ada", "America/Los_Angeles").context(1, CTX_01);
    let said = story.tell(&news.ended(1, "drained"));
    assert_eq!(said.last().unwrap()["fate"], "refused");
    assert!(said.last().unwrap()["why"].as_str().unwrap().contains("context"), "{said:#?}");
    assert_eq!(observations(&story.record), Vec::<Value>::new());
}

#[test]
fn sc_09_the_link_is_lost_half_way() {
    let story = Story::new("sc-09");
    let news = News::meter("2018-09-20T06:00:00Z").bound("ada", "America/Los_Angeles").glucose(1, GLU_04);
    let said = story.hub.replay(&news.ended(1, "lost").text());
    assert_eq!(said.last().unwrap()["fate"], "awaits", "{said:#?}");
    let device = &story.hub.json(&["devices"])[0];
    assert_eq!(device["ask_from"], 30, "30 still waits for its context: {device}");
    let later = News(vec![json!({ "at": 600_000, "silence": true })]);
    story.hub.replay(&later.text());
    let device = &story.hub.json(&["devices"])[0];
    assert_eq!(device["ask_from"], 31, "{device}");
    story.hub.deliver();
    assert_eq!(effective(&story.record, GLUCOSE_MDC), ["2018-09-19T22:27:07-07:00"]);
}

#[test]
fn sc_10_the_sequence_wraps() {
    let wrapped = News::meter("2026-01-20T23:54:00Z")
        .bound("ada", "America/New_York")
        .glucose(1, "02FFFFEA070D0C12353678B0F8")
        .glucose(1, "020000EA07011412353678B0F8")
        .ended(1, "drained");
    // 160368: plasma whose origin the meter does not tell.
    check("sc-10", &wrapped, "160368", &["2026-01-20T18:53:54-05:00"], &["time: not a date"]);
}

/// With the quirk named in a profile both are readings.
#[test]
fn sc_10_month_13_is_january() {
    let story = Story::new("sc-10-quirk")
        .with_profile("[memory]", "[quirks]\napply = [\"month-13-is-january\"]\n\n[memory]");
    let news = News::site_meter("2026-01-20T23:54:00Z").bound("ada", "America/New_York");
    let wrapped = news.glucose(1, "02FFFFEA070D0C12353678B0F8").glucose(1, "020000EA07011412353678B0F8");
    story.tell(&wrapped.ended(1, "drained"));
    let both = ["2026-01-12T18:53:54-05:00", "2026-01-20T18:53:54-05:00"];
    assert_eq!(effective(&story.record, "160368"), both);
}

#[test]
fn sc_12_a_fold() {
    let told = |end: &str| {
        let bind = json!({ "device": "d", "slot": 1, "patient": { "clinic": "ada" }, "zone": "America/New_York",
            "from": "2018-01-01T00:00:00Z" });
        News::cuff("2026-11-01T05:30:05Z")
            .say(json!({ "bind": bind }))
            .clock(1, 40, "2026-11-01T01:30:05")
            .pressure(1, "1E760050005D00EA070B01011E004800010000")
            .ended(1, end)
            .clock(2, 3_600_000, "2026-11-01T01:30:05")
            .pressure(2, "1E7A0052005F00EA070B01011E004A00010000")
            .ended(2, "drained")
    };
    let first = "2026-11-01T01:30:00-04:00";
    check("sc-12", &told("drained"), PRESSURE, &[first, "2026-11-01T01:30:00-05:00"], &[]);
    check("sc-12-lost", &told("lost"), PRESSURE, &[first], &["time: two timelines"]);
}

#[test]
fn sc_13_the_meter_shows_hi() {
    let story = Story::new("sc-13");
    let news = News::meter("2024-06-15T22:00:00Z").bound("ada", "America/New_York");
    story.tell(&news.glucose(1, "0A0500E807060F11111BFE07112000").ended(1, "drained"));
    let all = with_code(&story.record, GLUCOSE_MDC);
    let [hi] = all.as_slice() else { panic!("one reading was expected: {all:#?}") };
    assert_eq!(hi["dataAbsentReason"]["coding"][0]["code"], "positive-infinity");
    assert_eq!(hi["dataAbsentReason"]["text"], "meter shows HI");
    assert!(!hi["note"].as_array().unwrap().is_empty());
}

#[test]
fn sc_14_retracted_and_issued_to_the_right_person() {
    let story = Story::new("sc-14");
    let first = News::cuff("2024-06-15T21:18:00Z").bound("ada", "America/New_York").pressure(1, BP_03);
    story.tell(&first.ended(1, "drained"));
    story.hub.json(&["bind", "end", "1", "--at", "2018-01-01T00:00:00Z"]);
    let bind = ["bind", "add", "1", "--patient", "clinic=ben", "--zone", "America/New_York"];
    story.hub.json(&[&bind[..], &["--from", "2018-01-01T00:00:00Z"]].concat());
    story.hub.json(&["retract", "1", "--reissue"]);
    story.hub.deliver();
    let check = |record: &Record| {
        let mut all: Vec<(String, String, String)> = with_code(record, PRESSURE)
            .iter()
            .map(|o| {
                let text = |v: &Value| v.as_str().unwrap().to_owned();
                (text(&o["subject"]["reference"]), text(&o["status"]), text(&o["id"]))
            })
            .collect();
        all.sort();
        all
    };
    let all = check(&story.record);
    let told: Vec<(&str, &str)> =
        all.iter().map(|(subject, status, _)| (subject.as_str(), status.as_str())).collect();
    assert_eq!(told, [("Patient/ada", "entered-in-error"), ("Patient/ben", "final")]);
    assert_ne!(all[0].2, all[1].2);
    let pointing = story.record.all("Provenance").into_iter().filter_map(|(_, v)| v.last()?.resource.clone());
    let retracted = format!("Observation/{}", all[0].2);
    let points = |p: &Value| {
        p["entity"].as_array().into_iter().flatten().any(|e| e["what"]["reference"] == *retracted)
    };
    let pointing: Vec<Value> = pointing.collect();
    assert_eq!(pointing.iter().filter(|p| points(p)).count(), 1, "{retracted}: {pointing:#?}");
    // The meter sends it again: nothing changes.
    let again = News::cuff("2024-06-16T21:18:00Z").pressure(1, BP_03).ended(1, "drained");
    story.tell(&again);
    assert_eq!(check(&story.record), all);
}

/// CLINICAL 27: a clinician's mark stands, whatever hub comes with the same reading; and it says so.
#[test]
fn clinical_27_sc_15_entered_in_error_stays_so() {
    let story = Story::new("sc-15");
    let news = News::cuff("2024-06-15T21:18:00Z").bound("ada", "America/New_York").pressure(1, BP_03);
    let news = news.ended(1, "drained");
    story.tell(&news);
    let (place, versions) = story
        .record
        .all("Observation")
        .into_iter()
        .find(|(_, v)| codes(v.last().unwrap().resource.as_ref().unwrap()).contains(&PRESSURE.to_owned()))
        .unwrap();
    let mut marked = versions.last().unwrap().resource.clone().unwrap();
    marked["status"] = json!("entered-in-error");
    story.record.write(marked);
    let before = story.record.all("Observation");
    assert_eq!(story.record.history(&place.0, &place.1).len(), 2);
    let other = story.world.hub(&[("clinic", &story.record)]);
    other.replay(&news.text());
    other.deliver();
    assert_eq!(story.record.all("Observation"), before, "the history at the record is unchanged");
    let raised = other.json(&["status"])["raised"].clone();
    assert!(raised.to_string().contains("status"), "the other hub says what differs: {raised}");
    assert_eq!(other.json(&["status"])["delivered"], 1);
}

/// CLINICAL 18: the hub's own zone never counts, the binding's does.
#[test]
fn sc_16_no_zone() {
    for clock in [false, true] {
        let story = Story::new("sc-16");
        let bind = json!({ "device": "d", "patient": { "clinic": "ada" }, "from": "2018-01-01T00:00:00Z" });
        let mut news = News::cuff("2024-06-15T21:17:40Z").say(json!({ "bind": bind }));
        if clock {
            news = news.clock(1, 40, "2024-06-15T17:17:40");
        }
        let said = story.tell(&news.pressure(1, BP_03).ended(1, "drained"));
        assert_eq!(held(&said).last(), Some(&"the binding has no zone"), "clock {clock}: {said:#?}");
        assert_eq!(observations(&story.record), Vec::<Value>::new());
        let bind = ["bind", "add", "1", "--patient", "clinic=ada", "--zone", "America/New_York", "--instead"];
        story.hub.json(&[&bind[..], &["--from", "2018-01-01T00:00:00Z"]].concat());
        story.hub.deliver();
        assert_eq!(effective(&story.record, PRESSURE), ["2024-06-15T17:17:27-04:00"], "clock {clock}");
    }
}

#[test]
fn sc_17_memory_from_before_the_binding() {
    let story = Story::new("sc-17");
    let news =
        News::meter("2018-12-07T12:00:00Z").bound_from("ada", "America/Los_Angeles", "2018-11-01T00:00:00Z");
    story.tell(&news.glucose(1, GLU_04).glucose(1, GLU_05).ended(1, "drained"));
    assert_eq!(observations(&story.record), Vec::<Value>::new());
    let held = story.hub.json(&["held"]);
    let [group] = held.as_array().unwrap().as_slice() else { panic!("one sealed group: {held}") };
    assert_eq!(group["records"], 2, "{group}");
}

#[test]
fn sc_19_a_power_cut_between_glucose_and_context() {
    let base = || News::meter("2024-01-30T06:10:00Z").bound("ada", "Asia/Kolkata").glucose(1, GLU_01);
    let later = || {
        News(vec![
            json!({ "boot": true }),
            json!({ "met": { "device": "d", "address": "C0:FF:EE:00:00:01", "services": ["1808"] } }),
        ])
    };
    let story = Story::new("sc-19");
    let said = story.hub.replay(&base().text());
    assert_eq!(said.last().unwrap()["fate"], "awaits");
    story.hub.replay(
        &later()
            .say(json!({ "at": 60_000 , "silence": true }))
            .context(2, "020F0002")
            .ended(2, "drained")
            .text(),
    );
    story.hub.deliver();
    assert_eq!(effective(&story.record, "160368"), ["2024-01-30T11:37:27+05:30"]);
    assert_eq!(with_code(&story.record, "8417864").len(), 1, "with its meal");
    // Without the context it goes on alone, and never twice.
    let story = Story::new("sc-19-alone");
    story.hub.replay(&base().text());
    story.hub.replay(&later().say(json!({ "at": 600_000, "silence": true })).text());
    story.hub.replay(&later().context(2, "020F0002").ended(2, "drained").text());
    story.hub.deliver();
    assert_eq!(effective(&story.record, "160368"), ["2024-01-30T11:37:27+05:30"]);
    assert_eq!(with_code(&story.record, "8417864").len(), 0);
    // A profile that says that base time is UTC.
    let story = Story::new("sc-19-utc").with_profile("keeps = \"local-time\"", "keeps = \"utc\"");
    let news = News::site_meter("2024-01-30T06:10:00Z").bound("ada", "Asia/Kolkata").glucose(1, GLU_01);
    story.tell(&news.ended(1, "drained"));
    assert_eq!(effective(&story.record, "160368"), ["2024-01-30T11:28:27+05:30"]);
}

/// The owner's meter stores ketones as glucose: two records of one second, one of them no glucose.
#[test]
fn sc_02_the_same_second_and_another_record() {
    let news = News::site_meter("2020-03-15T12:00:00Z").bound("ada", "Europe/Berlin").glucose(1, GLU_06);
    let news = news.glucose(1, GLU_07).ended(1, "drained");
    let quirk = ("[memory]", "[quirks]\napply = [\"ketone-pseudo-record\"]\n\n[memory]");
    let story = Story::new("sc-02").with_profile(quirk.0, quirk.1);
    let said = story.tell(&news);
    assert_eq!(effective(&story.record, GLUCOSE_MDC), ["2020-03-14T23:23:00+01:00"], "{said:#?}");
    let refused: Vec<_> = said.iter().filter(|row| row["fate"] == "refused").collect();
    assert_eq!(refused.len(), 1, "{said:#?}");
    assert!(refused[0]["why"].as_str().unwrap().contains("ketone-pseudo-record"));
}

/// sc-07: an Omron cuff tells a pressure by the standard's characteristic, and its memory holds it, too.
#[test]
fn sc_07_two_roads_to_one_measurement() {
    // 124/86, 51 /min at 2024-06-15T17:17:27, as bp-03: 99 + 25, 86, 51, 24; hour 17, day 15, month 6; 27 s, 17 min.
    const MEMORY: &str = "63563318F1195B04000000000000";
    let roads = [("2A35", BP_03), ("omron-eeprom", MEMORY)];
    for turn in [[0, 1], [1, 0]] {
        let mut news = News::model("OMRON HEALTHCARE", "HEM-7142T2", "1810", "2024-06-15T21:18:00Z");
        news = news.bound("ada", "America/New_York");
        for (contact, road) in (1..).zip(turn) {
            news = news.heard(contact, roads[road].0, roads[road].1).ended(contact, "drained");
        }
        let story = Story::new("sc-07");
        let said = story.tell(&news);
        assert_eq!(effective(&story.record, PRESSURE), ["2024-06-15T17:17:27-04:00"], "{said:#?}");
        assert!(said.iter().any(|row| row["fate"] == "repeat"), "{said:#?}");
    }
}

/// A maker's own frame from a device whose profile does not speak of it: nobody knows how it is laid out.
#[test]
fn a_makers_frame_needs_its_profile() {
    let news = News::cuff("2024-06-15T21:18:00Z").bound("ada", "America/New_York");
    let news = news.heard(1, "omron-eeprom", "63563318F1195B04000000000000").ended(1, "drained");
    check("makers-frame", &news, PRESSURE, &[], &["no profile knows the device"]);
}

/// A Beurer scale: the weight, and two seconds later what the body is made of, without time and user.
#[test]
fn sc_11_weight_then_body_composition() {
    let met = json!({ "device": "d", "address": "C0:FF:EE:00:00:01", "services": ["181B", "181D"], "name": "BF720" });
    let mut news = News::of("181D", "2026-05-12T22:54:00Z");
    news.0[2] = json!({ "met": met });
    let bind = json!({ "device": "d", "slot": 1, "patient": { "clinic": "ada" }, "zone": "America/New_York",
        "from": "2018-01-01T00:00:00Z" });
    let news = news
        .say(json!({ "bind": bind }))
        .say(json!({ "at": 1_000, "heard": { "device": "d", "contact": 1, "characteristic": "2A9D", "hex": WT_02 } }))
        .say(json!({ "at": 3_000, "heard": { "device": "d", "contact": 1, "characteristic": "2A9C", "hex": BC_01 } }))
        .ended(1, "drained");
    let story = Story::new("sc-11");
    let said = story.tell(&news);
    for (code, value) in
        [("29463-7", "79.960"), ("41982-0", "19.4"), ("188760", "61.180"), ("188764", "43.250")]
    {
        let found = with_code(&story.record, code);
        assert_eq!(found.len(), 1, "{code}: {said:#?}");
        assert_eq!(found[0]["valueQuantity"]["value"].to_string(), value);
        assert_eq!(found[0]["effectiveDateTime"], "2026-05-12T18:53:54-04:00", "one time");
        assert_eq!(found[0]["subject"]["reference"], "Patient/ada");
    }
}

/// A broadcasting scale that two hubs of one house hear: one weight, by whichever hub, whenever it wrote.
#[test]
fn sc_18_two_hubs_hear_one_broadcast() {
    let story = Story::new("sc-18");
    let second = story.world.hub(&[("clinic", &story.record)]);
    for hub in [&story.hub, &second] {
        let mut news = News::of("181D", "2022-02-14T21:42:10Z").bound("ada", "America/New_York");
        news.0[2]["met"]["name"] = json!("MI_SCALE");
        let heard = json!({ "device": "d", "contact": 1, "link": "broadcast", "characteristic": "adv:181D", "hex": ADV_01 });
        // The same settled frame for many seconds.
        let news = news.say(json!({ "heard": heard })).say(json!({ "heard": heard }));
        hub.replay(&news.text());
        hub.deliver();
    }
    assert_eq!(effective(&story.record, "29463-7"), ["2022-02-14T16:41:58-05:00"]);
    let weight = &with_code(&story.record, "29463-7")[0];
    assert_eq!(weight["valueQuantity"]["value"].to_string(), "61.750");
    assert!(weight["note"].to_string().contains("anybody in radio range could have sent it"), "{weight}");
}
