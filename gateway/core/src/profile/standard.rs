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
    "and/ut-201ble",
    "ascensia/contour-next-one",
    "beurer/bf720",
    "beurer/bm48",
    "beurer/bm59",
    "beurer/bm85",
    "beurer/bm96",
    "generic/blood-pressure",
    "generic/body-composition-scale",
    "generic/body-composition",
    "generic/glucose",
    "generic/heart-rate",
    "generic/pulse-oximeter",
    "generic/thermometer",
    "generic/weight-scale",
    "hearth/wired-scale",
    "hearth/wired-thermometer",
    "i-sens/caresens",
    "medisana/bu-570",
    "nonin/3230",
    "omron/blesmart",
    "omron/hem-7142t2",
    "omron/hem-7600t",
    "roche/accu-chek-guide",
    "roche/accu-chek-instant",
    "soehnle/shape-sense-connect-50",
    "xiaomi/mi-body-composition-scale-2",
    "xiaomi/mi-scale",
];
