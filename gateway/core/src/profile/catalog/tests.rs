#![allow(clippy::unwrap_used)]
use super::*;
use crate::profile::tests::files;

fn named(name: &str) -> ProfileName {
    ProfileName(name.to_owned())
}

/// A sound cuff with this `[match]`.
fn cuff(matches: &str) -> String {
    format!(
        r#"
        schema = 1
        version = 1
        kind = "blood-pressure-monitor"
        evidence = "untested"
        evidence-by = "nobody"
        identity = {{ names = "address" }}
        collect = {{ via = "notify", pairing = "none", settle-ms = 0, silence-ms = 1 }}
        clock = {{ keeps = "nothing" }}
        memory = {{ untimed = "live-only" }}
        [match]
        {matches}
        [[reading]]
        quantity = "systolic"
        from = "blood-pressure.systolic"
        unit = "mm[Hg]"
        [[reading]]
        quantity = "diastolic"
        from = "blood-pressure.diastolic"
        unit = "mm[Hg]"
        "#
    )
}

fn catalog(files: &[(&str, &str)]) -> Result<Catalog, Vec<Problem>> {
    Catalog::build(files.iter().map(|(name, matches)| (named(name), cuff(matches))))
}

fn facts(name: &str, services: &[u16], manufacturer: &str, model: &str) -> Facts {
    let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Facts {
        advertised_name: told(name),
        services: services.iter().copied().collect(),
        manufacturer: told(manufacturer),
        model: told(model),
        ..Facts::default()
    }
}

fn recognized<'a>(catalog: &'a Catalog, facts: &Facts) -> Option<&'a str> {
    catalog.recognize(facts).map(|profile| profile.name.0.as_str())
}

#[test]
fn the_most_specific_profile_that_all_known_facts_allow() {
    let catalog = catalog(&[
        ("a/service", r#"services = ["1810"]"#),
        ("a/two-services", r#"services = ["1810", "180A"]"#),
        ("b/maker", r#"manufacturer = "Acme""#),
        ("b/maker-and-service", "services = [\"1810\"]\nmanufacturer = \"Acme\""),
        ("c/name", r#"name-prefixes = ["Cuff-", "Press-"]"#),
        ("c/longer-name", r#"name-prefixes = ["Cuff", "Cuff-7"]"#),
        ("d/model", r#"model = "C7""#),
    ])
    .unwrap();
    let rows = [
        (facts("", &[], "", ""), None),
        (facts("", &[0x1808], "", ""), None),
        (facts("", &[0x1810], "", ""), Some("a/service")),
        (facts("", &[0x1810, 0x180A], "", ""), Some("a/two-services")),
        // What must hold and is not known yet does not match.
        (facts("Cu", &[0x1810], "", ""), Some("a/service")),
        (facts("", &[], "Acme", ""), Some("b/maker")),
        (facts("", &[0x1810, 0x180A], "Acme", ""), Some("b/maker-and-service")),
        (facts("", &[0x1810], "acme", ""), Some("a/service")),
        (facts("Cuff-1", &[0x1810], "Acme", ""), Some("c/name")),
        (facts("Press-1", &[], "", ""), Some("c/name")),
        (facts("Cuff-71", &[0x1810], "Acme", ""), Some("c/longer-name")),
        (facts("Cuff-71", &[0x1810], "Acme", "C7"), Some("d/model")),
    ];
    for (facts, expected) in rows {
        assert_eq!(recognized(&catalog, &facts), expected, "{facts:?}");
    }
}

#[test]
fn a_device_that_two_profiles_fit_equally_well_is_unknown() {
    let both = facts("", &[0x1808, 0x1810], "", "");
    assert_eq!(recognized(&Catalog::standard(), &both), None);
}

#[test]
fn the_standard_profiles_know_their_devices() {
    let rows: &[(&str, &[u16], Option<&str>)] = &[
        ("Somebody's", &[0x1810], Some("generic/blood-pressure")),
        ("Somebody's", &[0x1808, 0x180A], Some("generic/glucose")),
        ("Somebody's", &[0x181D], Some("generic/weight-scale")),
        ("A&D_UA-651BLE_D57B3F", &[0x1810], Some("and/ua-651ble")),
        ("A&D_UA-651BLE_D57B3F", &[], Some("and/ua-651ble")),
        ("A&D_UC-352BLE_AA26F0", &[], Some("and/uc-352ble")),
        ("meter+12345678", &[0x1808], Some("roche/accu-chek-guide")),
        ("meter+12345678", &[], None),
        ("Somebody's", &[0x181B], Some("generic/body-composition")),
        ("Somebody's", &[0x181B, 0x181D, 0x180A], Some("generic/body-composition-scale")),
        ("BF720", &[0x181B, 0x181C, 0x181D], Some("beurer/bf720")),
        // A scale and a cuff of one family, under one name.
        ("BLEsmart_0000005F00112233AABB", &[0x1810], Some("omron/blesmart")),
        ("BLEsmart_0001040F00112233AABB", &[0x181D], Some("generic/weight-scale")),
        ("MIBFS", &[0x181B], Some("xiaomi/mi-body-composition-scale-2")),
        ("MIBFS", &[], Some("xiaomi/mi-body-composition-scale-2")),
        ("Contour7803H1234567", &[0x1808], Some("ascensia/contour-next-one")),
        ("Nonin3230_501234567", &[0x180A, 0x1822], Some("nonin/3230")),
        // Two kinds of device in one.
        ("Somebody's", &[0x180D, 0x1822], None),
    ];
    let catalog = Catalog::standard();
    for (name, services, expected) in rows {
        assert_eq!(recognized(&catalog, &facts(name, services, "", "")), *expected, "{name}");
    }
    let meter = facts("meter+12345678", &[0x1808], "Roche", "973");
    assert_eq!(recognized(&catalog, &meter), Some("roche/accu-chek-instant"));
}

/// What stands behind a recognition, and what stands behind none.
#[test]
fn what_a_device_has_of_a_match() {
    let catalog = catalog(&[(
        "a/one",
        "name-prefixes = [\"C\", \"Cuff\"]\nservices = [\"1810\", \"180A\"]\nmanufacturer = \"Acme\"\nmodel = \"C7\"",
    )])
    .unwrap();
    let one = &catalog.get(&named("a/one")).unwrap().matches;
    assert_eq!(
        one.found_in(&facts("Cuff-1", &[0x180A, 0x180F, 0x1810], "Acme", "C7")),
        [
            "its model is \"C7\"",
            "its name begins with \"Cuff\"",
            "its maker is \"Acme\"",
            "it offers 180A and 1810"
        ]
    );
    assert_eq!(one.found_in(&facts("Cuff-1", &[0x1810], "Acme", "C7")), [""; 0]);
    let standard = Catalog::standard();
    let both = standard.fitting(&facts("", &[0x1808, 0x1810], "", ""));
    let both: Vec<&str> = both.iter().map(|profile| profile.name.0.as_str()).collect();
    assert_eq!(both, ["generic/blood-pressure", "generic/glucose"]);
}

#[test]
fn a_tie_is_refused_when_the_files_are_read() {
    let rows: &[(&str, &str, bool)] = &[
        (r#"model = "C7""#, r#"model = "C7""#, true),
        (r#"model = "C7""#, r#"model = "C8""#, false),
        (r#"services = ["1810", "180A"]"#, r#"services = ["180a", "1810"]"#, true),
        (r#"services = ["1810"]"#, r#"services = ["1810", "180A"]"#, false),
        (r#"name-prefixes = ["A", "B"]"#, r#"name-prefixes = ["C", "B"]"#, true),
        (r#"name-prefixes = ["A", "B"]"#, r#"name-prefixes = ["AB"]"#, false),
        (r#"name-prefixes = ["A"]"#, "name-prefixes = [\"A\"]\nmanufacturer = \"Acme\"", false),
        (r#"manufacturer = "Acme""#, r#"manufacturer = "Acme""#, true),
        (r#"manufacturer = "Acme""#, r#"manufacturer = "Best""#, false),
    ];
    for (one, other, tie) in rows {
        let built = catalog(&[("a/one", one), ("b/other", other)]);
        assert_eq!(built.is_err(), *tie, "{one} beside {other}");
        if let Err(problems) = built {
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(
                told,
                [
                    "b/other.toml:11:9: match: fits the same devices as a/one, equally well; say what tells them apart"
                ]
            );
        }
    }
}

#[test]
fn a_site_may_replace_a_profile_and_add_one_yet_not_shadow_one() {
    let mine = |name: &str, matches: &str| Catalog::standard().overridden([(named(name), cuff(matches))]);
    let replaced = mine("generic/blood-pressure", r#"services = ["1810"]"#).unwrap();
    assert_eq!(replaced.all().count(), Catalog::standard().all().count());
    assert_eq!(replaced.get(&named("generic/blood-pressure")).unwrap().evidence.by, "nobody");
    let added = mine("mine/cuff", r#"name-prefixes = ["Mine"]"#).unwrap();
    assert_eq!(recognized(&added, &facts("Mine", &[0x1810], "", "")), Some("mine/cuff"));
    for name in ["a/before", "mine/after"] {
        let shadowing = mine(name, r#"services = ["1810"]"#).unwrap_err();
        assert_eq!(shadowing.len(), 1, "{name}");
        assert!(shadowing[0].says.contains("generic/blood-pressure"), "{}", shadowing[0]);
    }
}

#[test]
fn every_refused_file_is_told() {
    let files = [("a/one", "schema = 2"), ("b/two", "?"), ("a/one", "schema = 1")];
    let problems = Catalog::build(files.map(|(name, text)| (named(name), text))).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 4, "{told:#?}");
    assert!(told.iter().any(|t| t.starts_with("a/one.toml:1:1: there are two files")), "{told:#?}");
}

#[test]
fn every_profile_of_the_folder_is_compiled_in() {
    let in_folder: Vec<String> =
        files().iter().filter_map(|f| f.strip_suffix(".toml")).map(str::to_owned).collect();
    let compiled_in: Vec<String> = standard::FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(compiled_in, in_folder);
    assert_eq!(Catalog::standard().all().count(), in_folder.len());
}
