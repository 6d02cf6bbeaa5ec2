//! Which profile a device has, why, and what helps where it has none; and a site's own folder of profiles.

use crate::commands::{house, pressure};
use e2e::Hub;
use serde_json::{Value, json};

/// A device that was met, and nothing else: row 1.
fn met(hub: &Hub, facts: &Value) {
    let mut device = json!({ "device": "d", "address": "C0:FF:EE:00:00:01" });
    for (name, fact) in facts.as_object().unwrap() {
        device[name] = fact.clone();
    }
    let lines = [json!({ "boot": true }), json!({ "met": device })];
    hub.replay(&lines.iter().map(|line| format!("{line}\n")).collect::<String>());
}

/// What the hub says of device 1, for machines and for people.
fn explained(hub: &Hub) -> (Value, String) {
    let all = hub.json(&["devices", "explain", "1"]);
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    (all[0].clone(), hub.says(&["devices", "explain", "1"]).ok().out)
}

/// A profile of this site, made of a built-in one.
fn own_profile(hub: &Hub, of: &str, name: &str, change: impl Fn(String) -> String) {
    let text =
        std::fs::read_to_string(e2e::root().join("device-profiles").join(format!("{of}.toml"))).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text, "nothing was changed");
    let file = hub.dir.join("profiles").join(format!("{name}.toml"));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, changed).unwrap();
}

#[test]
fn a_device_with_its_own_profile() {
    let (_world, _record, hub) = house("explain-own");
    met(&hub, &json!({ "name": "BM85", "services": ["1810"] }));
    let (row, out) = explained(&hub);
    assert_eq!(row["profile"], "beurer/bm85", "{row}");
    assert_eq!(row["because"], json!(["its name begins with \"BM85\"", "it offers 1810"]));
    assert_eq!((&row["evidence"], &row["generic"]), (&json!("verified"), &json!(false)));
    assert_eq!(row["quirks"], json!(["beurer-be"]));
    assert!(row["by"].as_str().unwrap().contains("#735"), "{row}");
    assert!(out.contains("works by the profile of its model"), "{out}");
}

#[test]
fn a_device_that_follows_a_service() {
    let (_world, _record, hub) = house("explain-generic");
    met(&hub, &json!({ "name": "Somebody's", "services": ["1809", "180A"] }));
    let (row, out) = explained(&hub);
    assert_eq!(row["profile"], "generic/thermometer", "{row}");
    assert_eq!((&row["because"], &row["generic"]), (&json!(["it offers 1809"]), &json!(true)));
    assert!(out.contains("no profile of its own, and works by the generic one"), "{out}");
}

#[test]
fn a_device_that_nobody_knows() {
    let (_world, _record, hub) = house("explain-unknown");
    met(&hub, &json!({ "name": "Acme_12AB34", "services": ["181C"] }));
    let (row, out) = explained(&hub);
    assert_eq!(row["profile"], Value::Null);
    assert_eq!(row["draft"]["file"], "unknown/acme.toml");
    let helps = row["draft"]["helps"].as_str().unwrap();
    assert!(helps.contains("no service that this hub reads (181C)"), "{helps}");
    assert!(out.contains("no service that this hub reads") && out.contains("\n[match]\n"), "{out}");
    assert!(!out.contains("12AB34") && out.contains("FILL IN"), "{out}");
    for (arguments, part) in [
        (&["devices", "explain", "2"][..], "no device has row 2; `hearth devices` lists them"),
        (&["devices", "explain", "one"], "a row number, such as 3"),
        (&["devices", "--profiles", "explain", "1"], "cannot be used with"),
    ] {
        let answer = hub.says(arguments);
        assert!(answer.code == 64 && answer.err.contains(part), "{arguments:?}: {answer:?}");
    }
}

/// Held while two generic profiles fit it; the draft, finished and saved, settles it.
#[test]
fn a_draft_that_is_saved_is_the_device_s_profile() {
    let (_world, _record, hub) = house("explain-draft");
    let lines = pressure(true)
        .replace("\"services\":[\"1810\"]", "\"name\":\"Both\",\"services\":[\"1808\",\"1810\"]");
    assert_ne!(lines, pressure(true));
    hub.replay(&lines);
    let held = hub.says(&["held"]).out;
    assert!(held.contains("hearth devices explain 1"), "{held}");
    let (row, _) = explained(&hub);
    assert_eq!(row["fits_as_well"], json!(["generic/blood-pressure", "generic/glucose"]), "{row}");
    assert_eq!(hub.json(&["status"])["readings"], 0);
    let file = hub.dir.join("profiles").join(row["draft"]["file"].as_str().unwrap());
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let draft = row["draft"]["text"].as_str().unwrap();
    // As it is it says nothing that anybody knows.
    std::fs::write(&file, draft).unwrap();
    let refused = hub.says(&["check"]);
    assert!(refused.out.contains("the draft is not filled in here"), "{refused:?}");
    std::fs::write(&file, draft.replace("\"FILL IN", "\"Ada")).unwrap();
    hub.run().stop();
    assert_eq!(explained(&hub).0["profile"], "unknown/both");
    assert_eq!(hub.json(&["status"])["readings"], 1);
}

/// A folder on disk adds a profile, and a file of the same name takes a built-in one's place.
#[test]
fn a_site_s_folder_adds_and_overrides() {
    let (_world, _record, hub) = house("explain-folder");
    let built_in = hub.json(&["devices", "--profiles"]).as_array().unwrap().len();
    met(&hub, &json!({ "name": "BM85", "services": ["1810"] }));
    own_profile(&hub, "beurer/bm85", "beurer/bm85", |text| {
        text.replace("evidence = \"verified\"", "evidence = \"untested\"")
            .replace("version = 1", "version = 7")
    });
    let (row, _) = explained(&hub);
    assert_eq!((&row["profile"], &row["evidence"]), (&json!("beurer/bm85"), &json!("untested")), "{row}");
    own_profile(&hub, "beurer/bm85", "site/our-cuffs", |text| {
        text.replace("[\"BM85\"]", "[\"BM85\", \"BM85-ward\"]")
    });
    let check = hub.says(&["check"]);
    assert!(check.out.contains("fits the same devices as"), "a tie is told: {check:?}");
    own_profile(&hub, "beurer/bm85", "site/our-cuffs", |text| text.replace("[\"BM85\"]", "[\"BM8\"]"));
    let profiles = hub.json(&["devices", "--profiles"]);
    assert_eq!(profiles.as_array().unwrap().len(), built_in + 1);
    let version = |name: &str| {
        let of = profiles.as_array().unwrap().iter().find(|row| row["profile"] == name);
        of.unwrap_or_else(|| panic!("no {name} in {profiles}"))["version"].clone()
    };
    assert_eq!((version("beurer/bm85"), version("site/our-cuffs")), (json!(7), json!(1)));
    // The longer prefix is the closer fit.
    assert_eq!(explained(&hub).0["profile"], "beurer/bm85");
}

/// CLINICAL 1: a site's file that is refused takes the built-in profile of its name with it, since somebody found that one
/// wrong: the device's records are held until it is mended. Every other device goes on, and everybody who looks is told.
#[test]
fn clinical_1_a_broken_override_holds() {
    let (_world, _record, hub) = house("broken-override");
    let count =
        |hub: &Hub| hub.says(&["--json", "devices", "--profiles"]).json().as_array().map(Vec::len).unwrap();
    let built_in = count(&hub);
    own_profile(&hub, "beurer/bm85", "beurer/bm85", |text| text.replace("beurer-be", "beurer-new"));
    met(&hub, &json!({ "name": "BM85", "services": ["1810"] }));
    let place = format!("{}/profiles/beurer/bm85.toml:", hub.dir.display());
    let profiles = hub.says(&["devices", "--profiles"]);
    assert!(profiles.code == 78 && profiles.err.contains(&place), "{profiles:?}");
    assert!(!profiles.out.contains("beurer/bm85") && profiles.out.contains("beurer/bm59"), "{profiles:?}");
    assert_eq!(count(&hub), built_in - 1);
    assert!(hub.says(&["check"]).out.contains("profiles/beurer/bm85.toml:"), "the table may wrap");
    let status = hub.json(&["status"]);
    assert!(status["profiles_left_out"][0].as_str().unwrap().starts_with(&place), "{status}");
    let (row, out) = explained(&hub);
    assert_eq!(row["profile"], Value::Null, "{row}");
    assert!(out.contains("can't be used") && out.contains("are held"), "{out}");
    hub.replay(
        &pressure(true).replace("\"services\":[\"1810\"]", "\"name\":\"BM85\",\"services\":[\"1810\"]"),
    );
    assert_eq!(hub.json(&["held"])[0]["why"], "no profile knows the device");
    std::fs::remove_file(hub.dir.join("profiles/beurer/bm85.toml")).unwrap();
    hub.run().stop();
    assert_eq!(explained(&hub).0["profile"], "beurer/bm85");
    assert_eq!(hub.json(&["status"])["readings"], 1);
}

/// `hearth decode` knows the site's own folder, where a configuration is there.
#[test]
fn decode_knows_the_site_s_profiles() {
    let (_world, _record, hub) = house("decode-profile");
    own_profile(&hub, "xiaomi/mi-body-composition-scale-2", "site/scale", |text| {
        text.replace("name-prefixes", "manufacturer = \"Site\"\nname-prefixes")
    });
    let unsettled = ["decode", "adv:181B", "0206B20705040F0201AC018642"];
    let with = |more: &[&str]| hub.json(&[&unsettled[..], more].concat());
    assert_eq!(with(&[])["not_a_reading"], Value::Null);
    for named in [["--profile", "site/scale"], ["--quirk", "xiaomi-mi-scale-v2"]] {
        assert_eq!(with(&named)["not_a_reading"], "weight-unsettled", "{named:?}");
    }
}

/// Sensors that are wired to the hub, on a bus that is not there: status names the bus, and what helps; the hub goes on.
#[test]
fn a_wired_sensor_without_a_bus_is_named() {
    let (_world, _record, hub) = house("sensor");
    let mut config = std::fs::read_to_string(&hub.config).unwrap();
    config += "\n[sensor]\nchip = \"tmp117\"\nbus = \"/dev/i2c-nowhere\"\n";
    std::fs::write(&hub.config, config).unwrap();
    let daemon = hub.run();
    let status = hub.until(&["status"], |status| status["sensor"].is_string());
    let said = status["sensor"].as_str().unwrap();
    assert!(said.contains("/dev/i2c-nowhere can't be opened (No such file"), "{said}");
    assert!(said.contains("mend `bus` of [sensor]"), "{said}");
    let none = hub.says(&["bridge", "calibrate", "--empty"]);
    assert!(none.code == 69 && none.err.contains("no scale is wired to this hub"), "{none:?}");
    assert_eq!(daemon.stop(), 0);

    let config = std::fs::read_to_string(&hub.config).unwrap();
    std::fs::write(&hub.config, config + "[scale]\nchip = \"nau7802\"\nbus = \"/dev/i2c-elsewhere\"\n")
        .unwrap();
    let daemon = hub.run();
    hub.until(&["status"], |status| {
        let said = status["sensor"].as_str().unwrap_or_default();
        said.contains("mend `bus` of [sensor]") && said.contains("mend `bus` of [scale]")
    });
    let silent = hub.says(&["bridge", "calibrate", "--empty"]);
    assert!(silent.code == 69 && silent.err.contains("is not still yet"), "{silent:?}");
    assert_eq!(daemon.stop(), 0);
}
