//! Every device once: paired as a person would, and what it tells is in the record.

use crate::home::Home;
use serde_json::json;

#[test]
fn what_each_device_tells_is_in_the_record() {
    let mut home = Home::new("house");

    // A cuff that forgets what was confirmed: nothing is lost on the way, in any session.
    home.measure("cuff", 2);
    home.air.advertise("cuff", true);
    home.pair("cuff");
    home.bind("cuff");
    home.collected();
    for _ in 1..3 {
        home.air.wait("cuff", &json!({ "connected": false }));
        home.measure("cuff", 3);
        home.air.advertise("cuff", true);
        home.collected();
    }
    assert_eq!(home.air.told("cuff").len(), 8);
    home.air.advertise("cuff", false);

    // A&D's, which has its clock written, is left alone, and hangs up. It shows itself for as long as it is on. In its first
    // session nobody knows whose clock it is yet.
    home.air.advertise("and", true);
    home.pair("and");
    home.bind("and");
    home.air.wait("and", &json!({ "connected": false }));
    for n in [3, 1] {
        home.measure("and", n);
        home.collected();
        home.air.wait("and", &json!({ "connected": false }));
    }
    let written = home.air.ask(&json!({ "do": "written", "device": "and" }));
    assert_eq!(written[0]["characteristic"], "2A08", "{written}");

    // Beurer's, which tells all of it each time.
    home.air.advertise("beurer", true);
    home.pair("beurer");
    home.bind("beurer");
    for n in [2, 1] {
        home.measure("beurer", n);
        home.collected();
    }
    home.air.advertise("beurer", false);

    // A meter with a passkey and a memory: all of it once, and then what is new.
    home.measure("meter", 300);
    home.air.advertise("meter", true);
    home.pair("meter");
    home.bind("meter");
    home.collected();
    home.air.wait("meter", &json!({ "connected": false }));
    let told =
        |home: &Home| home.air.told("meter").iter().filter(|told| told["characteristic"] != "2A52").count();
    let before = told(&home);
    home.measure("meter", 2);
    home.air.advertise("meter", true);
    home.collected();
    home.air.wait("meter", &json!({ "connected": false }));
    // The last one of before is asked for once more, and each may have a context.
    let again = told(&home) - before;
    assert!(again <= 6, "{again} values for two new records");
    home.air.advertise("meter", false);

    // A scale with users, who consent; the composition comes in two packets.
    home.air.advertise("scale", true);
    home.pair("scale");
    let status = home.hub().json("status");
    let words = status["devices"].to_string();
    assert!(words.contains("hearth consent"), "{status}");
    home.bind("scale");
    home.measure("scale", 4);
    home.air.advertise("scale", true);
    home.collected();
    assert_eq!(home.air.state("scale")["holds"], 0);
    // A code that is wrong: the other user's weighings come, and status says what helps.
    let no = home.number("scale");
    home.hub().said(&format!("consent {no} --slot 2 --code 1111")).ok();
    home.air.wait("scale", &json!({ "connected": false }));
    home.measure("scale", 2);
    home.hub().until("status", |status| status["devices"].to_string().contains("refused user 2's code"));
    home.hub().said(&format!("consent {no} --slot 2 --code 4321")).ok();
    home.collected();
    home.air.advertise("scale", false);

    // A scale that broadcasts.
    home.air.advertise("mi", true);
    home.pair("mi");
    home.bind("mi");
    home.air.advertise("mi", false);
    home.measure("mi", 2);
    home.collected();

    home.compare();
    let status = home.hub().json("status");
    assert_eq!(status["held"], json!([]), "{status}");
}

/// A person who pairs keeps nobody else from being heard.
#[test]
fn two_devices_tell_while_a_third_is_paired() {
    let mut home = Home::new("third");
    let two = ["cuff", "beurer"];
    for device in two {
        home.air.advertise(device, true);
        home.pair(device);
        home.bind(device);
        home.air.advertise(device, false);
    }
    home.air.ask(&json!({ "do": "noise", "per_second": 5 }));
    home.air.advertise("meter", true);
    let mut terminal = home.begins_to_pair("meter");
    terminal.shown.wait("six digits");
    for (device, n) in two.into_iter().zip([3, 2]) {
        home.measure(device, n);
        home.air.advertise(device, true);
    }
    home.collected();
    home.types_passkey("meter", &mut terminal);
    terminal.shown.wait("Whose is it?");
    terminal.type_line("");
    terminal.shown.wait("Paired, as device 3.");
    // And whoever leaves makes nobody deaf: the other's stream of values is younger.
    home.air.advertise("cuff", false);
    home.hub().said(&format!("unpair {}", home.number("cuff"))).ok();
    home.measure("beurer", 2);
    home.collected();
    home.compare();
}

/// Whoever does everything wrong is heard, and keeps nobody else from being heard.
#[test]
fn a_device_that_answers_everything_wrong_harms_nobody() {
    let mut home = Home::new("wrong");
    home.air.advertise("cuff", true);
    home.pair("cuff");
    home.bind("cuff");
    home.air.advertise("wrong", true);
    home.pair("wrong");
    let no = home.number("wrong");
    home.hub().said(&format!("bind add {no} --test --zone Etc/UTC --from 2020-01-01T00:00:00Z")).ok();
    for way in ["errors", "garbage", "lengths", "all"] {
        home.air.ask(&json!({ "do": "set", "device": "wrong", "way": way }));
        let sessions = home.air.state("wrong")["sessions"].as_u64().unwrap();
        home.air.wait("wrong", &json!({ "sessions": sessions + 1 }));
        home.measure("cuff", 1);
        home.air.wait("cuff", &json!({ "holds": 0 }));
        home.air.wait("wrong", &json!({ "connected": false }));
    }
    home.air.advertise("wrong", false);
    home.compare();
    let devices = home.hub().json("devices");
    let wrong = devices.as_array().unwrap().iter().find(|row| row["device"] == no).unwrap();
    let told = home.air.told("wrong").iter().filter(|told| told["characteristic"] == "2A35").count() as u64;
    println!("{told} values of a device that does everything wrong: {wrong}");
    assert!(told > 0 && wrong["heard"].as_u64() >= Some(told), "{told}: {wrong}");
}
