//! The house rules, as tests: what the compiler can't hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file that the repository holds, by its path from the root.
fn files() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().unwrap();
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).unwrap();
    names.split('\0').filter(|n| !n.is_empty() && root().join(n).is_file()).map(str::to_owned).collect()
}

fn sources() -> Vec<(String, String)> {
    let rust = files().into_iter().filter(|name| name.ends_with(".rs"));
    rust.map(|name| (std::fs::read_to_string(root().join(&name)).unwrap(), name))
        .map(|(a, b)| (b, a))
        .collect()
}

fn in_tests(name: &str) -> bool {
    name.starts_with("tests/")
        || name.contains("/tests/")
        || name.ends_with("tests.rs")
        || name.contains("/benches/")
}

/// The part of a file that ships, without comments: a test module is left out, and so is the one line that an
/// attribute keeps to tests.
fn shipped(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let (mut only_tests, mut module) = (false, false);
    text.lines().enumerate().filter_map(move |(at, line)| {
        // A module of tests ends where its first column closes it.
        if module {
            module = line != "}";
            return None;
        }
        let code = line.split("//").next().unwrap_or_default();
        let attribute = line.trim_start().starts_with("#[");
        if only_tests && !attribute && !code.trim().is_empty() {
            only_tests = false;
            module = line.starts_with("mod ") && line.ends_with('{');
            return None;
        }
        only_tests |= line.trim_start().starts_with("#[cfg(test)]");
        (!only_tests).then_some((at + 1, code))
    })
}

#[test]
fn what_ships_is_not_only_what_stands_before_the_tests() {
    let text = "mod a;\n#[cfg(test)]\nmod tests;\nfn ships() {}\n#[cfg(test)]\n#[allow(x)]\nmod more {\n    fn f() {\n    }\n}\nfn too() {}";
    let code: Vec<&str> = shipped(text).map(|(_, line)| line).collect();
    assert_eq!(code, ["mod a;", "fn ships() {}", "fn too() {}"]);
}

/// Places where a pattern stands in shipped code outside of the rooms that may have it.
fn outside(pattern: &str, rooms: &[&str]) -> Vec<String> {
    sources()
        .iter()
        .filter(|(name, _)| !in_tests(name) && !rooms.iter().any(|room| name.starts_with(room)))
        .flat_map(|(name, text)| {
            shipped(text)
                .filter(|(_, line)| line.contains(pattern))
                .map(|(at, _)| format!("{name}:{at}"))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// What cargo knows of the packages of a workspace.
fn metadata(folder: &str) -> serde_json::Value {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root().join(folder))
        .output()
        .unwrap();
    serde_json::from_slice(&out.stdout).unwrap()
}

/// docs/architecture.md, "Arrows".
#[test]
fn arrows_point_one_way() {
    let metadata = metadata(".");
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages.iter().map(|p| p["name"].as_str().unwrap()).collect();
    for package in packages {
        let to = package["dependencies"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap());
        let to = to.filter(|name| ours.contains(name)).map(str::to_owned).collect();
        arrows.insert(package["name"].as_str().unwrap().into(), to);
    }
    let want = [
        ("agent", &[][..]),
        ("bare", &[]),
        ("e2e", &["gateway", "hearth-core", "hearth-wire"]),
        ("firmware", &["firmware-boot", "hearth-wire"]),
        ("firmware-boot", &[]),
        ("firmware-radio", &["firmware", "firmware-run", "hearth-wire"]),
        ("firmware-run", &["firmware", "hearth-wire"]),
        ("firmware-usb", &["hearth-wire"]),
        ("gateway", &["firmware", "hearth-core", "hearth-wire"]),
        ("hearth-core", &["hearth-wire"]),
        ("hearth-wire", &[]),
    ];
    let want = want.map(|(from, to)| (from.to_owned(), to.iter().map(|t| (*t).to_owned()).collect()));
    assert_eq!(arrows, BTreeMap::from(want));
    let depends = |package: &str| {
        let package = packages.iter().find(|p| p["name"] == package).unwrap();
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|d| d["kind"].is_null())
            .map(|d| d["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(depends("hearth-wire"), Vec::<String>::new(), "the wire depends on nothing");
    for forbidden in ["tokio", "tracing", "rusqlite", "hyper", "rustls", "rustix"] {
        assert!(
            !depends("hearth-core").contains(&forbidden.to_owned()),
            "hearth-core depends on {forbidden}"
        );
    }
}

/// Each board is a workspace of its own: of the house it has what runs a bridge, what starts that, and the house's version, which the
/// bridge tells its hub.
#[test]
fn boards_stand_on_what_runs_a_bridge() {
    let boards: BTreeSet<String> = files()
        .into_iter()
        .filter_map(|name| {
            let (board, rest) = name.strip_prefix("firmware/boards/")?.split_once('/')?;
            (rest == "Cargo.toml").then(|| board.to_owned())
        })
        .collect();
    assert!(!boards.is_empty());
    for board in boards {
        let metadata = metadata(&format!("firmware/boards/{board}/"));
        for package in metadata["packages"].as_array().unwrap() {
            assert_eq!(package["version"], env!("CARGO_PKG_VERSION"), "{board}");
            let ours = package["dependencies"].as_array().unwrap().iter().filter(|d| d["path"].is_string());
            let ours: Vec<_> = ours.map(|d| d["name"].as_str().unwrap()).collect();
            let is_right = match package["name"].as_str().unwrap() {
                "boot" => ours == ["firmware-boot", "memory"],
                "memory" => ours.iter().all(|ours| ["firmware-boot", "hearth-wire"].contains(ours)),
                name => {
                    let needs = ["firmware", "firmware-run", "hearth-wire"];
                    let may_have = ["firmware-boot", "firmware-radio", "firmware-usb", "memory"];
                    let known = |ours: &&str| needs.contains(ours) || may_have.contains(ours);
                    name == board
                        && needs.iter().all(|needed| ours.contains(needed))
                        && ours.iter().all(known)
                }
            };
            assert!(is_right, "{board}: {}: {ours:?}", package["name"]);
        }
    }
}

#[test]
fn what_only_one_room_may_do() {
    for (pattern, rooms) in [
        ("Timestamp::now", &["gateway/src/clock.rs"][..]),
        ("SystemTime::now", &[]),
        ("tokio::spawn", &["gateway/src/lib.rs"]),
        ("rusqlite", &["gateway/src/store/"]),
        ("ClientConfig", &["gateway/src/tls.rs"]),
        ("ServerConfig", &["gateway/src/tls.rs"]),
        ("unsafe {", &["firmware/boards/"]),
        ("todo!(", &[]),
        ("unimplemented!(", &[]),
    ] {
        assert_eq!(outside(pattern, rooms), Vec::<String>::new(), "`{pattern}` stands outside of {rooms:?}");
    }
}

/// hearth-core: no IO; shapes for the outside only in its map; no floating point near a value.
#[test]
fn core_thinks_only() {
    for (name, text) in sources().iter().filter(|(n, _)| !in_tests(n)) {
        let core = name.starts_with("gateway/core/src/");
        let wire = name.starts_with("firmware/wire/src/");
        for (at, line) in shipped(text) {
            let place = format!("{name}:{at}: {}", line.trim());
            let floats =
                ["f32", "f64"].iter().any(|f| line.split(|c: char| !c.is_alphanumeric()).any(|w| w == *f));
            assert!(!((core || wire) && floats), "floating point near a medical value at {place}");
            if core {
                for io in
                    ["std::fs", "std::net", "std::env", "std::process", "std::thread", "println!", "tokio"]
                {
                    assert!(!line.contains(io), "core touches the world at {place}");
                }
                let bordering = name.starts_with("gateway/core/src/map/") || name.contains("/delivery");
                assert!(bordering || !line.contains("serde_json"), "a shape for the outside at {place}");
            }
        }
    }
}

/// A source knows no patient; an uplink knows no device's source; nothing below sees main or cli.
#[test]
fn rooms_do_not_see_each_other() {
    let below = ["crate::cli", "crate::control", "crate::intake", "crate::open"];
    for (room, unseen) in [
        ("gateway/src/source/", &["crate::uplink", "crate::store", "PersonNo"][..]),
        ("gateway/src/uplink/", &["crate::source"]),
        ("gateway/src/store/", &["crate::source", "crate::uplink"]),
        ("gateway/src/tls", &["crate::store", "crate::source"]),
        ("gateway/src/open.rs", &["crate::cli"]),
        ("gateway/src/intake.rs", &["crate::cli"]),
        ("gateway/src/control", &["crate::cli"]),
    ] {
        let unseen: Vec<&str> = match unseen.contains(&"crate::cli") {
            true => unseen.to_vec(),
            false => unseen.iter().chain(&below).copied().collect(),
        };
        for (name, text) in sources().iter().filter(|(n, _)| n.starts_with(room)) {
            for (at, line) in shipped(text) {
                for other in &unseen {
                    assert!(!line.contains(other) && !lists(line, other), "{name}:{at} sees {other}");
                }
            }
        }
    }
}

/// `use crate::{uplink, clock}` sees `crate::uplink`, too.
fn lists(line: &str, room: &str) -> bool {
    let (Some(list), Some(room)) =
        (line.trim_start().strip_prefix("use crate::{"), room.strip_prefix("crate::"))
    else {
        return false;
    };
    list.split([',', '}', ';']).any(|seen| seen.trim().split("::").next() == Some(room))
}

#[test]
fn every_codec_cites_its_paragraph() {
    let mut cited = 0;
    for (name, text) in sources() {
        if name.starts_with("firmware/wire/src/") && text.contains("UUID: u16") {
            assert!(
                text.contains("GATT Specification Supplement"),
                "{name} has a codec and cites no paragraph"
            );
            cited += 1;
        }
    }
    assert!(cited >= 7, "only {cited} codecs were found");
}

/// docs/clinical.md says each decision in its own words, and which tests hold it.
#[test]
fn every_clinical_decision_is_held_by_a_test() {
    let doc = std::fs::read_to_string(root().join("docs/clinical.md")).unwrap();
    let sources = sources();
    let mut held = BTreeSet::new();
    for row in doc.lines().filter(|line| line.starts_with("| ")) {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let Some(Ok(number)) = cells.next().map(str::parse::<u8>) else { continue };
        let names = row.rsplit('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2);
        for name in names {
            let cites = sources.iter().any(|(_, text)| cites(text, name, number));
            assert!(cites, "docs/clinical.md: no test {name} that cites CLINICAL {number}");
            held.insert(number);
        }
    }
    let due = [1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 26, 27, 28, 29];
    let missing: Vec<u8> = due.into_iter().filter(|n| !held.contains(n)).collect();
    assert_eq!(missing, Vec::<u8>::new(), "decisions that no test holds");
}

/// Whether there is such a test, and its name or the comment over it cites the decision.
fn cites(text: &str, name: &str, number: u8) -> bool {
    let Some(at) = text.find(&format!("fn {name}(")) else { return false };
    let comment: Vec<&str> =
        text[..at].lines().rev().take_while(|l| !l.trim().is_empty() && !l.starts_with('}')).collect();
    let words = comment.iter().flat_map(|line| line.split(|c: char| !c.is_alphanumeric()));
    let numbered =
        words.clone().any(|word| word == "CLINICAL") && words.clone().any(|word| word == number.to_string());
    numbered || name.split('_').any(|part| part == number.to_string()) && name.starts_with("clinical_")
}

/// A file past 400 lines says why it is one.
#[test]
fn long_files_explain_themselves() {
    for (name, text) in sources() {
        let lines = text.lines().count();
        let explained = text.lines().any(|line| line.starts_with("//! Long because"));
        assert!(lines <= 400 || explained, "{name} has {lines} lines: split it, or say `//! Long because …`");
    }
}

#[test]
fn no_test_is_skipped_or_sleeps() {
    for (name, text) in sources() {
        for (at, line) in text.lines().enumerate() {
            let line = line.trim_start();
            let skips = line.starts_with("#[ignore")
                || line.contains("thread::sleep")
                || line.contains("time::sleep(");
            let shipped_wait = name.starts_with("gateway/src/") && !in_tests(&name);
            let this = name == "tests/e2e/tidy.rs";
            assert!(!skips || shipped_wait || this, "{name}:{}: {line}", at + 1);
        }
    }
}

/// What stands in deploy loads; what the README names exists.
#[test]
fn documents_are_true() {
    let deployed = gateway::config::Config::load(&root().join("deploy/gateway.toml")).unwrap();
    assert_eq!(deployed.destinations.len(), 1);
    for file in files().into_iter().filter(|name| name.ends_with(".md")) {
        let text = std::fs::read_to_string(root().join(&file)).unwrap();
        let folder = root().join(&file).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let elsewhere = target.is_empty() || target.contains("://");
            assert!(
                elsewhere || folder.join(target).exists(),
                "{file} links to {target}, which is not there"
            );
        }
    }
}
