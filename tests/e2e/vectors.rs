//! The vectors of the standard's characteristics and of makers' frames, through the real binary.

use e2e::{hearth, root, said};
use serde_json::{Value, json};
use std::process::Command;

fn decode(arguments: &[&str]) -> e2e::Said {
    said(Command::new(hearth()).args(["--json", "decode"]).args(arguments))
}

fn vectors() -> Vec<Value> {
    let folders =
        ["firmware/wire/vectors", "tests/vectors"].map(|folder| std::fs::read_dir(root().join(folder)));
    let mut all = vec![];
    for entry in folders.into_iter().flat_map(Result::unwrap) {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        all.extend(file.as_array().unwrap().iter().filter(|v| v["characteristic"].is_string()).cloned());
    }
    all
}

#[test]
fn every_vector_through_the_binary() {
    let vectors = vectors();
    assert!(vectors.len() >= 190, "only {} vectors", vectors.len());
    let mut wrong = vec![];
    for vector in &vectors {
        let (id, hex) = (vector["id"].as_str().unwrap(), vector["hex"].as_str().unwrap());
        let characteristic = vector["characteristic"].as_str().unwrap();
        let said = decode(&[characteristic, hex]);
        if vector["expected"]["error"].is_string() {
            if said.code != 65 || said.err.trim().is_empty() {
                wrong.push(format!("{id}: must exit 65 with a reason: {said:?}"));
            }
        } else if said.code != 0 || said.json() != vector["expected"] {
            wrong.push(format!("{id}: {said:?}\n  expected {}", vector["expected"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `with_quirk` lists what must hold once the quirk is applied; other fields are not compared, null is absent.
#[test]
fn every_quirk_of_the_vectors() {
    let mut quirks = 0;
    for vector in vectors().iter().filter(|v| v["quirk"].is_string()) {
        let (id, quirk) = (&vector["id"], vector["quirk"].as_str().unwrap());
        let (hex, characteristic) =
            (vector["hex"].as_str().unwrap(), vector["characteristic"].as_str().unwrap());
        let shown = decode(&[characteristic, hex, "--quirk", quirk]).ok().json();
        for (name, value) in vector["with_quirk"].as_object().unwrap() {
            assert_eq!(&shown[name], value, "{id}, {name}");
        }
        quirks += 1;
    }
    assert!(quirks >= 6, "only {quirks} vectors with a quirk");
}

/// What no vector holds: text, and several records in one value.
#[test]
fn values_that_are_no_vectors() {
    let first = json!({"value": "120", "unit": "mg/dL", "time_offset_min": 30});
    let second = json!({"value": "121", "unit": "mg/dL", "time_offset_min": 35});
    for (characteristic, hex, expected) in [
        ("2A27", "312E300000", json!({"text": "1.0"})),
        ("2A28", "20762D32", json!({"text": "v-2"})),
        ("2AA7", "060078001E00060079002300", json!({"records": [first, second]})),
    ] {
        assert_eq!(decode(&[characteristic, hex]).ok().json(), expected, "{characteristic} {hex}");
    }
    // a second record that breaks off: none is shown, and the place is that in the whole value
    let said = decode(&["2AA7", "060078001E000600790023"]);
    assert!(said.code == 65 && said.err.contains("time offset at octet 10"), "{said:?}");
}

/// What a person may type wrong: a sentence, a code of sysexits.h, and no panic.
#[test]
fn wrong_arguments_are_answered() {
    for (arguments, code, part) in [
        (&["2A3", "zz"][..], 64, "hexadecimal"),
        (&["2A35", "0"], 64, "two for each octet"),
        (&["2A35", "0G"], 64, "digit 2"),
        (&["02A35", "00"], 64, "assigned number"),
        (&["xyzw", "00"], 64, "assigned number"),
        (&["2A5F", "00"], 65, "no codec"),
        (&["2A35", "00", "--quirk", "nope"], 64, "month-13-is-january"),
        (&["2A35", "00", "--profile", "no/such"], 64, "no/such"),
        (&["2A35"], 64, "HEX"),
    ] {
        let said = decode(arguments);
        assert_eq!(said.code, code, "{arguments:?}: {said:?}");
        assert!(said.err.contains(part), "{arguments:?}: {}", said.err);
    }
}

/// A profile applies its quirks; a table is for people.
#[test]
fn a_table_is_for_people() {
    let table =
        said(Command::new(hearth()).args(["decode", "2A9D", "00B036", "--profile", "and/uc-352ble"])).ok();
    assert!(table.out.contains("70.000") && table.out.contains("kg"), "{table:?}");
}
