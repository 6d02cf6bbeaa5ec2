#![allow(clippy::unwrap_used)]
use super::*;
use crate::profile::{Catalog, EvidenceLevel};

fn facts(name: &str, services: &[u16], manufacturer: &str, model: &str) -> Facts {
    let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Facts {
        advertised_name: told(name),
        services: services.iter().copied().collect(),
        manufacturer: told(manufacturer),
        model: told(model),
        firmware: told("1.0\n[match]"),
        ..Facts::default()
    }
}

/// As a person fills it in.
fn filled(draft: &Draft) -> Profile {
    let text = draft.text.replace("\"FILL IN", "\"known");
    Profile::parse(&draft.name, &text).unwrap_or_else(|problem| panic!("{problem}, in\n{text}"))
}

/// Nobody has filled it in: it is refused, with the place.
#[test]
fn a_draft_as_it_is_is_no_profile() {
    for (facts, place) in [
        (
            facts("Cuff", &[0x1810], "", ""),
            "unknown/cuff.toml:8:15: evidence-by: the draft is not filled in here",
        ),
        (facts("", &[], "", ""), "unknown/device.toml:8:15: evidence-by: the draft is not filled in here"),
    ] {
        let draft = draft(&facts, &BTreeSet::new(), &[]);
        let refused = Profile::parse(&draft.name, &draft.text).unwrap_err().to_string();
        assert!(refused.starts_with(place), "{refused}, in\n{}", draft.text);
        let half = draft.text.replace("\"FILL IN: who", "\"Ada saw");
        let refused = Profile::parse(&draft.name, &half).map_err(|problem| problem.to_string());
        let name = facts.advertised_name.is_none();
        assert_eq!(refused.is_err_and(|said| said.contains("match.name-prefixes: ")), name);
    }
}

/// A device that says nothing of itself is what its octets are.
#[test]
fn a_draft_follows_what_was_heard() {
    for (heard, kind, via, said) in [
        (&[0x2A37][..], Kind::HeartRateMonitor, Via::Notify, "what it sent: 2A37. Fill in"),
        (&[0x00F1], Kind::BloodPressureMonitor, Via::Vendor, "what it sent: omron-eeprom. Fill in"),
        (&[0x181D], Kind::WeightScale, Via::Advertisement, "what it sent: adv:181D. Fill in"),
        (&[0x181B], Kind::BodyCompositionAnalyzer, Via::Advertisement, "what it sent: adv:181B. Fill in"),
        (&[0x2A9D, 0x2A9C], Kind::BodyCompositionAnalyzer, Via::Notify, "what it sent: 2A9C, 2A9D. Fill in"),
        (&[0x2A18], Kind::GlucoseMeter, Via::Racp, "what it sent: 2A18. Fill in"),
        (&[0x2A5E], Kind::PulseOximeter, Via::Notify, "what it sent: 2A5E. Fill in"),
        (&[0x2A1C], Kind::Thermometer, Via::Notify, "what it sent: 2A1C. Fill in"),
        (&[0x2A19], Kind::BloodPressureMonitor, Via::Notify, "It has not said yet what it offers"),
    ] {
        let heard = heard.iter().copied().map(Uuid16).collect();
        let draft = draft(&facts("", &[], "", ""), &heard, &[]);
        let profile = filled(&draft);
        assert_eq!((profile.kind, profile.collect.via), (kind, via), "{heard:?}");
        assert!(draft.helps.contains(said), "{heard:?}: {}", draft.helps);
    }
    // What it offers says more.
    let heard = BTreeSet::from([Uuid16::HEART_RATE_MEASUREMENT]);
    assert_eq!(filled(&draft(&facts("", &[0x1822], "", ""), &heard, &[])).kind, Kind::PulseOximeter);
}

/// Every draft is a profile, whatever a device calls itself, and would recognize the device that it was made of.
#[test]
fn a_draft_is_a_profile_of_its_device() {
    let rows = [
        (facts("", &[], "", ""), "unknown/device"),
        (facts("Cuff_12AB34", &[0x1810], "Acme Medical", "C-7 Plus"), "acme-medical/c-7-plus"),
        (facts("Gluco+12345678", &[0x1808, 0x180A], "", ""), "unknown/gluco"),
        (facts("Scale", &[0x181B, 0x181D], "", ""), "unknown/scale"),
        (facts("", &[0x1809], "Acme", ""), "acme/device"),
        (facts("Ox-1", &[0x1822, 0x180D], "", ""), "unknown/ox-1"),
        (facts("Strap", &[0x180D], "", ""), "unknown/strap"),
        (facts("Box", &[0x181C, 0xFFF0], "", ""), "unknown/box"),
        (facts("", &[0x1810, 0x1808], " \"Ačme\"\n ", "\u{1}\u{7f}'\\"), "a-me/device"),
        (facts("   ", &[0xFFF0], "  ", "#"), "unknown/device"),
    ];
    for (facts, name) in rows {
        let draft = draft(&facts, &BTreeSet::new(), &[]);
        assert_eq!(draft.name.0, name);
        let profile = filled(&draft);
        assert_eq!(profile.evidence.level, EvidenceLevel::Untested);
        assert!(draft.text.contains("FILL IN"), "{}", draft.text);
        let mut trimmed = facts.clone();
        for fact in [&mut trimmed.advertised_name, &mut trimmed.manufacturer, &mut trimmed.model] {
            *fact = fact.take().map(|text| text.trim().to_owned());
        }
        let says_anything = !facts.services.is_empty() || facts.model.is_some();
        if says_anything && facts.advertised_name.as_deref() != Some("   ") {
            assert!(!profile.matches.found_in(&trimmed).is_empty(), "{trimmed:?} is not in\n{}", draft.text);
        }
    }
}

/// The serial number that a name ends in is no part of a draft.
#[test]
fn a_name_loses_its_serial_number() {
    for (name, expected) in [
        ("A&D_UA-651BLE_D57B3F", "A&D_UA-651BLE_"),
        ("meter+12345678", "meter+"),
        ("CareSens 0042", "CareSens "),
        ("BM85", "BM85"),
        ("Shape-X2", "Shape-X2"),
        ("Č 12", "Č "),
        ("_", "_"),
        ("", ""),
    ] {
        assert_eq!(family(name), expected);
    }
}

#[test]
fn the_sentence_that_helps() {
    let catalog = Catalog::standard();
    for (facts, part) in [
        (facts("Box", &[0x181C, 0xFFF0], "", ""), "no service that this hub reads (181C, FFF0)"),
        (facts("Box", &[], "", ""), "Measure once with it near the hub"),
        (
            facts("Both", &[0x1808, 0x1810], "", ""),
            "generic/blood-pressure and generic/glucose fit it equally well",
        ),
        (facts("Cuff_12AB34", &[0x1810], "Acme", "C7"), "save it as acme/c7.toml"),
    ] {
        let tied = if facts.services.len() == 2 { catalog.fitting(&facts) } else { Vec::new() };
        let draft = draft(&facts, &BTreeSet::new(), &tied);
        assert!(draft.helps.contains(part), "{}", draft.helps);
    }
}
