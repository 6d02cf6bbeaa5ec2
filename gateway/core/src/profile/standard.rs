//! The files of `device-profiles/`, compiled in. A test walks the folder and misses none.

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../device-profiles/", $name, ".toml")))),*]
    };
}

/// Name and text of every profile.
pub(super) const FILES: &[(&str, &str)] = files![
    "and/ua-651ble",
    "and/uc-352ble",
    "generic/blood-pressure",
    "generic/glucose",
    "generic/weight-scale",
    "roche/accu-chek-guide",
];
