//! `hearth check`: is this hub set up, and if not, who must mend what.

use super::{Ending, Fields, Shown, exit};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::Store;
use crate::uplink::Uplink;
use crate::{clock, control, tls};
use hearth_core::when::BootNo;
use serde_json::{Map, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn row(what: &str, said: Result<String, String>) -> Fields {
    let (state, said) = match said {
        Ok(said) => ("good", said),
        Err(said) => ("wrong", said),
    };
    Map::from_iter([
        ("what".into(), json!(what)),
        ("state".into(), json!(state)),
        ("said".into(), json!(said)),
    ])
}

/// Reads everything that the daemon would read, and nothing of a patient's.
pub(super) fn check(file: &Path) -> Result<Shown, Ending> {
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(e) => return Err(Ending::new(exit::CONFIG, e.to_string())),
    };
    let mut rows = vec![row("configuration", Ok(format!("{} reads", file.display())))];
    rows.push(row(
        "profiles",
        crate::catalog(&config).map(|c| format!("{} profiles", c.all().count())).map_err(|e| e.said),
    ));
    let state = Store::inspect(&config.state).map(|()| format!("{} is ours", config.state.display()));
    rows.push(row("state", state.map_err(|e| e.to_string())));
    rows.push(row("socket", socket(&config.socket)));
    let clock = Clock::new(BootNo(0), config.clock.clone());
    rows.push(row("clock", Ok(clock.said())));
    for destination in &config.destinations {
        let files = destination.files();
        let said = Uplink::new(destination.clone())
            .map(|_| ())
            .and_then(|()| tls::client(&files, clock::now()).map_err(|fault| fault.to_string()))
            .and_then(|client| secret(&files.key).map(|()| client))
            .map(|client| match client.ends_soon(clock::now()) {
                true => format!("certificate valid until {}: have it renewed", client.until),
                false => format!("certificate valid until {}", client.until),
            });
        rows.push(row(&format!("destination {}", destination.name), said));
    }
    if config.destinations.is_empty() {
        rows.push(row("destinations", Err("none; readings stay on the hub. Add a [[destination]]".into())));
    }
    if !config.destinations.is_empty() && config.destinations.iter().all(|d| d.reports.is_none()) {
        let said =
            "none is told how this hub fares, so nobody there notices when it stops: report-hours".to_owned();
        rows.push(row("destinations", Ok(said)));
    }
    let wrong = rows.iter().filter(|row| row["state"] == "wrong").count();
    let said = match wrong {
        0 => "Nothing is wrong.".to_owned(),
        n => format!("{n} to mend."),
    };
    Ok(Shown { code: if wrong == 0 { 0 } else { exit::CONFIG }, ..Shown::rows(rows, said) })
}

/// The daemon makes the socket; its folder must be there.
fn socket(path: &Path) -> Result<String, String> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    match folder.is_dir() {
        true => control::fit(path).map(|()| format!("{} has a place", path.display())),
        false => Err(format!(
            "{0}: no such folder; make it with `install -d -m 750 {0}`, or name another [hub] socket",
            folder.display()
        )),
    }
}

/// Who else can read the key can be this hub.
fn secret(key: &Path) -> Result<(), String> {
    let mode = std::fs::metadata(key).map_err(|e| format!("{}: {e}", key.display()))?.permissions().mode();
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(format!(
            "{0}: its mode is {1:03o}, so that others may use this hub's key; `chmod 600 {0}`",
            key.display(),
            mode & 0o777
        )),
    }
}

/// The profiles that devices are recognized by. Those that are left out are said, and the others listed all the same.
pub(super) fn profiles(file: &Path) -> Result<Shown, Ending> {
    // Without a configuration these are the built-in ones.
    let catalog = match file.exists() {
        true => crate::open::catalog_of(
            &Config::load(file).map_err(|e| Ending::new(exit::CONFIG, e.to_string()))?,
        ),
        false => hearth_core::profile::Catalog::standard(),
    };
    let rows: Vec<Fields> = catalog
        .all()
        .map(|profile| {
            Map::from_iter([
                ("profile".into(), json!(profile.name.0)),
                ("version".into(), json!(profile.version.0)),
                ("kind".into(), json!(profile.kind.name())),
                ("evidence".into(), json!(profile.evidence.level.name())),
                ("by".into(), json!(profile.evidence.by)),
            ])
        })
        .collect();
    crate::open::say_left_out(&catalog);
    let code = if catalog.left_out().is_empty() { 0 } else { exit::CONFIG };
    let said = "Unknown devices that follow a service work by the generic profiles.";
    Ok(Shown { code, ..Shown::rows(rows, said) })
}
