//! The rules that hold over the whole folder.

use super::*;

/// `NN-what.hex` beside `NN-what.readings.json`, counted from 01, and nothing else.
#[test]
fn the_folder_holds_profiles_and_their_captures_only() {
    let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files() {
        if let Some(hex) = file.strip_suffix(".readings.json") {
            assert!(folder().join(format!("{hex}.hex")).exists(), "{file} has no .hex");
        } else if let Some(name) = file.strip_suffix(".hex") {
            let (folder, what) = name.rsplit_once('/').unwrap();
            of.entry(folder.to_owned()).or_default().push(what.to_owned());
        } else {
            assert!(file.ends_with(".toml"), "{file} is neither a profile nor a capture");
            assert!(!file.starts_with("quirks/"), "{file}: `quirks` is no maker");
        }
    }
    for (folder, names) in of {
        for (number, name) in (1..).zip(names) {
            assert!(name.starts_with(&format!("{number:02}-")), "{folder}/{name} is not number {number:02}");
        }
    }
}

/// A profile is believed by its captures: each has one, and a verified one has its own device's.
#[test]
fn every_profile_has_captures_that_bear_its_evidence() {
    let captures = Capture::all();
    for profile in Catalog::standard().all() {
        let of: Vec<&Capture> = captures.iter().filter(|c| c.of == profile.name.0).collect();
        assert!(!of.is_empty(), "{} has no capture", profile.name.0);
        if profile.evidence.level == EvidenceLevel::Verified {
            let own = of.iter().any(|c| c.text.starts_with(ORIGINS[0]));
            assert!(own, "{} is verified by no capture of the device", profile.name.0);
        }
    }
}

/// A quirk without a capture does not exist, and neither does one that changes nothing.
#[test]
fn every_quirk_has_a_capture_that_shows_it() {
    let catalog = Catalog::standard();
    let captures = Capture::all();
    for quirk in Quirk::ALL {
        let of = captures.iter().filter(|c| c.quirk() == Some(quirk));
        let shows = |capture: &&Capture| {
            capture.readings(&capture.profile(&catalog)) != capture.readings(&generic(quirk.kind(), &catalog))
        };
        assert!(of.clone().any(|c| shows(&c)), "{} has no capture that shows it", quirk.name());
    }
}

/// A stated range is one that is used (CLINICAL 1), and a healthy person is inside it.
#[test]
fn stated_ranges_are_sane() {
    let healthy = |quantity, unit| match (quantity, unit) {
        (Quantity::Systolic, Unit::MillimetreOfMercury) => (120, 0),
        (Quantity::Systolic, Unit::Kilopascal) => (160, -1),
        (Quantity::Diastolic, Unit::MillimetreOfMercury) => (80, 0),
        (Quantity::Diastolic, Unit::Kilopascal) => (107, -1),
        (Quantity::PulseRate, _) => (70, 0),
        (Quantity::Glucose, Unit::MilligramPerDecilitre) => (100, 0),
        (Quantity::Glucose, Unit::MillimolePerLitre) => (55, -1),
        (Quantity::BodyWeight, Unit::Kilogram) => (70, 0),
        (Quantity::BodyWeight, Unit::Pound) => (154, 0),
        (Quantity::BodyTemperature, Unit::DegreeCelsius) => (368, -1),
        (Quantity::BodyTemperature, Unit::DegreeFahrenheit) => (982, -1),
        (Quantity::OxygenSaturation, _) => (97, 0),
        (Quantity::HeartRate, _) => (70, 0),
        (Quantity::BodyFat, _) => (22, 0),
        (other, _) => panic!("nothing uses a range of {}", word(other)),
    };
    for profile in Catalog::standard().all() {
        for facts in &profile.readings {
            let Some((low, high)) = facts.range else { continue };
            let (mantissa, exponent) = healthy(facts.quantity, facts.unit);
            let person = hearth_wire::Decimal::new(mantissa, exponent);
            let inside = low.compare(person).is_lt() && person.compare(high).is_lt();
            assert!(inside, "{}: {} {low} to {high}", profile.name.0, word(facts.quantity));
        }
    }
}

/// Whatever follows a service works: each kind of device has a generic profile, which its service finds.
#[test]
fn every_kind_has_a_generic_profile() {
    let catalog = Catalog::standard();
    for kind in Kind::ALL {
        let facts = Facts { services: [kind.service()].into(), ..Facts::default() };
        let found = catalog.recognize(&facts).unwrap_or_else(|| panic!("{} has none", kind.name()));
        assert!(found.name.is_generic() && found.kind == kind, "{}: {}", kind.name(), found.name.0);
    }
}

/// A device that is as its profile says is recognized by it, under every name; and by no other.
#[test]
fn every_profile_is_found_by_each_of_its_names() {
    let catalog = Catalog::standard();
    for profile in catalog.all() {
        let Match { name_prefixes, services, manufacturer, model } = &profile.matches;
        let names: Vec<Option<String>> = match name_prefixes.as_slice() {
            [] => vec![None],
            prefixes => prefixes.iter().map(|prefix| Some(format!("{prefix}0001"))).collect(),
        };
        for advertised_name in names {
            let facts = Facts {
                advertised_name,
                services: services.iter().copied().collect(),
                manufacturer: manufacturer.clone(),
                model: model.clone(),
                ..Facts::default()
            };
            let found: Vec<&str> = catalog.fitting(&facts).iter().map(|p| p.name.0.as_str()).collect();
            assert_eq!(found, [profile.name.0.as_str()], "{facts:?}");
        }
    }
}

/// What lies beside a profile came the way that the profile says, and shows every quantity that it speaks of.
#[test]
fn captures_show_what_their_profile_says() {
    let captures = Capture::all();
    for profile in Catalog::standard().all() {
        let of = || captures.iter().filter(|c| c.of == profile.name.0);
        for capture in of() {
            for (characteristic, _) in &capture.lines {
                let way = match characteristic.to_string() {
                    told if told.starts_with("adv:") => vec![Via::Advertisement],
                    told if told == "omron-eeprom" => vec![Via::Vendor],
                    _ => vec![Via::Notify, Via::Racp],
                };
                assert!(way.contains(&profile.collect.via), "{}: {characteristic}", capture.file);
            }
        }
        let shown: String = of().map(|capture| capture.expected.to_string()).collect();
        for facts in &profile.readings {
            let quantity = word(facts.quantity);
            assert!(shown.contains(&format!("\"{quantity}\":")), "{}: no {quantity}", profile.name.0);
        }
    }
}

/// Who reads the file learns first which device it is.
#[test]
fn every_profile_begins_with_its_device() {
    let catalog = Catalog::standard();
    let mut devices: Vec<String> = catalog.all().map(super::devices::device).collect();
    for (profile, device) in catalog.all().zip(&devices) {
        let maker = profile.name.0.split('/').next().unwrap();
        let words = device.split_whitespace().count();
        assert!(words > 1 && (words <= 8 || profile.name.is_generic()), "{}: {device:?}", profile.name.0);
        let named = |letters: &str| letters.to_lowercase().replace(['&', '-'], "");
        let says =
            named(device).starts_with(&named(maker)) || named(maker) == "and" || profile.name.is_generic();
        assert!(says, "{}: {device:?} begins with another maker", profile.name.0);
        assert!(super::devices::notes(profile).ends_with(['.', ')']), "{}: end the sentence", profile.name.0);
    }
    devices.sort_unstable();
    devices.dedup();
    assert_eq!(devices.len(), catalog.all().count(), "two profiles begin with one device");
}
