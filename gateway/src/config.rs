//! TOML to [`Config`]. Unknown keys are refused; secrets come only by path; an error names file, line and cure.

use crate::uplink::{Destination, RungChoice};
use hearth_core::parcel::{PatientSupplied, Policy};
use jiff::SignedDuration;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
pub use wires::{BridgeLine, Pin, WiredScale, WiredSensor};

mod wires;

/// What a hub is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Holds the store, its key and its lock.
    pub state: PathBuf,
    pub socket: PathBuf,
    /// Profiles that add to the built-in ones, or override them.
    pub profiles: Option<PathBuf>,
    pub clock: ClockTrust,
    /// How long delivered readings stay on the hub. What was written, and what was retracted, is known for ever.
    pub keep: SignedDuration,
    /// Whether devices are heard over Bluetooth.
    pub bluetooth: bool,
    /// Serial lines, each with a bridge at its other end.
    pub bridges: Vec<BridgeLine>,
    /// A thermometer on the hub's own I2C.
    pub sensor: Option<WiredSensor>,
    /// `None`: it has no scale of its own.
    pub scale: Option<WiredScale>,
    pub destinations: Vec<Destination>,
}

/// When the hub's own clock may be believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClockTrust {
    Always,
    /// As soon as this file exists: systemd-timesyncd makes one after its first synchronisation.
    Once(PathBuf),
}

/// Why a configuration can't be used.
#[derive(Debug)]
pub struct Unusable {
    pub file: PathBuf,
    pub said: String,
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.said)
    }
}

impl std::error::Error for Unusable {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    schema: u32,
    hub: Hub,
    #[serde(default)]
    destination: Vec<Door>,
    sensor: Option<wires::Sensor>,
    scale: Option<wires::Scale>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Hub {
    #[serde(default = "default_state")]
    state: PathBuf,
    #[serde(default = "default_socket")]
    socket: PathBuf,
    profiles: Option<PathBuf>,
    /// `"always"`, or a file that appears once the clock is synchronised.
    #[serde(default = "default_clock")]
    clock_trusted: String,
    #[serde(default = "default_keep")]
    keep_days: u16,
    #[serde(default)]
    bluetooth: bool,
    /// `/dev/serial/by-id/…`: the name of a line that is the same wherever it is plugged in.
    #[serde(default)]
    bridges: Vec<wires::Bridge>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Door {
    name: String,
    url: String,
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    #[serde(default)]
    rung: Rung,
    #[serde(default = "default_bundle")]
    bundle: u16,
    #[serde(default)]
    gzip: bool,
    #[serde(default = "default_timeout")]
    timeout_s: u16,
    #[serde(default)]
    cleared_labels: BTreeSet<String>,
    #[serde(default)]
    failed_measurements: Failed,
    #[serde(default)]
    glucose_laboratory: bool,
    #[serde(default)]
    height_and_bmi: bool,
    /// At least so often the record is told how the hub fares; left out, never.
    report_hours: Option<u16>,
    /// A written reason why readings are not tagged as patient-supplied (CLINICAL 16).
    untagged_because: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Rung {
    #[default]
    Auto,
    UpdateAsCreate,
    ConditionalCreate,
    SearchThenCreate,
    PlainCreate,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Failed {
    /// Reported, not charted as a vital sign (CLINICAL 6).
    #[default]
    Status,
    VitalSign,
}

fn default_state() -> PathBuf {
    "/var/lib/hearth".into()
}

fn default_socket() -> PathBuf {
    "/run/hearth/control.sock".into()
}

fn default_clock() -> String {
    "/run/systemd/timesync/synchronized".into()
}

fn default_keep() -> u16 {
    365
}

fn default_bundle() -> u16 {
    100
}

fn default_timeout() -> u16 {
    30
}

impl Config {
    /// A hub that lives in one folder and goes nowhere.
    pub(crate) fn scratch(folder: &Path, profiles: Option<PathBuf>) -> Config {
        Config {
            state: folder.to_owned(),
            socket: folder.join("control.sock"),
            profiles,
            clock: ClockTrust::Once(folder.join("never")),
            keep: SignedDuration::MAX,
            bluetooth: false,
            bridges: vec![],
            sensor: None,
            scale: None,
            destinations: vec![],
        }
    }

    /// Reads and checks a file. Relative paths in it are relative to the file.
    pub fn load(path: &Path) -> Result<Config, Unusable> {
        let unusable = |said: String| Unusable { file: path.to_owned(), said };
        let text = std::fs::read_to_string(path).map_err(|e| {
            unusable(format!(
                "can't be read ({e}); name another file with --config, or start from deploy/gateway.toml"
            ))
        })?;
        // Of a name alone it is the folder that this runs in.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Config::parse(&text, folder.unwrap_or(Path::new("."))).map_err(unusable)
    }

    /// `base`: what relative paths are relative to.
    pub fn parse(text: &str, base: &Path) -> Result<Config, String> {
        let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
        if file.schema != 1 {
            return Err(format!(
                "schema = {} is not known to this version, which reads schema = 1",
                file.schema
            ));
        }
        let mut names = BTreeSet::new();
        let destinations = file
            .destination
            .into_iter()
            .map(|door| {
                if !names.insert(door.name.clone()) {
                    return Err(format!(
                        "two destinations are named {:?}; give each its own name",
                        door.name
                    ));
                }
                door.destination(base)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let state = base.join(file.hub.state);
        let own = state.join("hub.key");
        let same = |path: &Path| {
            *path == own
                || own.canonicalize().is_ok_and(|own| path.canonicalize().is_ok_and(|path| path == own))
        };
        if let Some(door) = destinations.iter().find(|door| same(&door.key)) {
            return Err(format!(
                "destination {:?}, key: {} is the store's own key; give the one for TLS another name, or another \
                 folder",
                door.name,
                door.key.display()
            ));
        }
        Ok(Config {
            state,
            socket: base.join(file.hub.socket),
            profiles: file.hub.profiles.map(|p| base.join(p)),
            clock: match file.hub.clock_trusted.as_str() {
                "always" => ClockTrust::Always,
                path if path.starts_with('/') => ClockTrust::Once(path.into()),
                other => {
                    return Err(format!(
                        "[hub] clock-trusted = {other:?}: give \"always\", or the whole path of the file that appears \
                         once the clock is synchronised"
                    ));
                }
            },
            bluetooth: file.hub.bluetooth,
            bridges: wires::bridges(file.hub.bridges)?,
            sensor: file.sensor.map(wires::Sensor::checked).transpose()?,
            scale: file.scale.map(wires::Scale::checked).transpose()?,
            keep: match file.hub.keep_days {
                0 => return Err("[hub] keep-days = 0: give at least 1; 365 suits most".into()),
                days => SignedDuration::from_hours(24 * i64::from(days)),
            },
            destinations,
        })
    }
}

impl Door {
    fn destination(self, base: &Path) -> Result<Destination, String> {
        let name = self.name;
        let wrong = |key: &str, said: &str| Err(format!("destination {name:?}, {key}: {said}"));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            return wrong(
                "name",
                "use lower-case letters, digits and hyphens; it stands in logs and commands",
            );
        }
        if !self.url.starts_with("https://") {
            return wrong("url", "must start with https://; readings leave only over mutual TLS");
        }
        if !(1..=500).contains(&self.bundle) {
            return wrong("bundle", "must be 1 (singles) to 500; 100 suits most record systems");
        }
        if self.gzip && self.bundle == 1 {
            return wrong(
                "gzip",
                "only bundles are compressed, and bundle = 1 sends none; leave one of them out",
            );
        }
        if !(1..=600).contains(&self.timeout_s) {
            return wrong("timeout-s", "must be 1 to 600 seconds");
        }
        if self.report_hours.is_some_and(|hours| !(1..=168).contains(&hours)) {
            return wrong("report-hours", "must be 1 to 168; 24 suits most. Left out, nothing is reported");
        }
        let patient_supplied = match self.untagged_because {
            None => PatientSupplied::Tagged,
            Some(reason) if reason.trim().len() >= 10 => PatientSupplied::Untagged { reason },
            Some(_) => {
                return wrong(
                    "untagged-because",
                    "write the reason as a sentence, for whoever reads it next year",
                );
            }
        };
        Ok(Destination {
            base_url: if self.url.ends_with('/') { self.url } else { self.url + "/" },
            ca: base.join(self.ca),
            certificate: base.join(self.certificate),
            key: base.join(self.key),
            rung: match self.rung {
                Rung::Auto => RungChoice::Auto,
                Rung::UpdateAsCreate => RungChoice::UpdateAsCreate,
                Rung::ConditionalCreate => RungChoice::ConditionalCreate,
                Rung::SearchThenCreate => RungChoice::SearchThenCreate,
                Rung::PlainCreate => RungChoice::PlainCreate,
            },
            bundle: usize::from(self.bundle),
            gzip: self.gzip,
            timeout: Duration::from_secs(u64::from(self.timeout_s)),
            cleared: self.cleared_labels,
            reports: self.report_hours.map(|hours| Duration::from_secs(u64::from(hours) * 3_600)),
            policy: Policy {
                failed_as_vital_sign: self.failed_measurements == Failed::VitalSign,
                glucose_laboratory: self.glucose_laboratory,
                height_and_bmi: self.height_and_bmi,
                patient_supplied,
            },
            name,
        })
    }
}
