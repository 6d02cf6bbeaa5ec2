//! `docs/devices.md`, made from the profiles.

use super::{Capture, folder};
use crate::profile::{Catalog, EvidenceLevel, Keeps, Kind, Pairing, Profile, Untimed, Via, standard, word};
use std::fmt::Write;

/// Set to 1, the test writes the page instead of comparing it.
const WRITE: &str = "HEARTH_WRITE";

#[test]
fn the_list_of_devices_is_made_from_the_profiles() {
    let page = folder().join("../docs/devices.md");
    let made = page_of(&Catalog::standard());
    if std::env::var(WRITE).is_ok_and(|wanted| wanted == "1") {
        std::fs::write(&page, &made).unwrap();
    }
    let there = std::fs::read_to_string(&page).unwrap_or_default();
    let line = there.lines().zip(made.lines()).position(|(there, made)| there != made);
    assert!(
        there == made,
        "docs/devices.md differs from the profiles, first in line {}; write it anew:\n    \
         {WRITE}=1 cargo test -p hearth-core the_list_of_devices",
        line.map_or(there.lines().count(), |at| at) + 1
    );
}

/// A profile begins with what a person should know: its device first, up to a comma, a colon or a full stop.
pub(super) fn notes(profile: &Profile) -> String {
    let (_, text) = standard::FILES.iter().find(|(name, _)| *name == profile.name.0).unwrap();
    let lines = text.lines().map_while(|line| line.strip_prefix("# "));
    lines.collect::<Vec<_>>().join(" ")
}

pub(super) fn device(profile: &Profile) -> String {
    let notes = notes(profile);
    let end = [", ", ": ", ". "].iter().filter_map(|stop| notes.find(stop)).min();
    notes[..end.unwrap_or(notes.len())].trim_end_matches('.').to_owned()
}

fn page_of(catalog: &Catalog) -> String {
    let count = |level| catalog.all().filter(|profile| profile.evidence.level == level).count();
    let mut page = format!(
        "# Devices\n\nMade from [device-profiles](../device-profiles) by a test, which says how to write it anew. \
         [profiles.md](profiles.md) explains the words.\n\n{} profiles: {} verified by the device's own frames, {} \
         reported by others, {} made by hand from the standard and tested with no device. **None was tried by this \
         project with the device itself.**\n",
        catalog.all().count(),
        count(EvidenceLevel::Verified),
        count(EvidenceLevel::Reported),
        count(EvidenceLevel::Untested),
    );
    for kind in Kind::ALL {
        let of_kind = || {
            let (models, generic): (Vec<&Profile>, _) =
                catalog.all().filter(|profile| profile.kind == kind).partition(|p| !p.name.is_generic());
            models.into_iter().chain::<Vec<&Profile>>(generic)
        };
        write!(page, "\n## {}\n\n", heading(kind)).unwrap();
        page += "| device | measures | connects | clock | evidence |\n|---|---|---|---|---|\n";
        for profile in of_kind() {
            page += &row(profile);
        }
        page += "\n";
        for profile in of_kind() {
            page += &item(profile);
        }
    }
    page
}

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::BloodPressureMonitor => "Blood pressure monitors",
        Kind::GlucoseMeter => "Glucose meters",
        Kind::WeightScale => "Weight scales",
        Kind::BodyCompositionAnalyzer => "Body composition analyzers",
        Kind::Thermometer => "Thermometers",
        Kind::PulseOximeter => "Pulse oximeters",
        Kind::HeartRateMonitor => "Heart rate monitors",
    }
}

fn row(profile: &Profile) -> String {
    let mut quantities = Vec::new();
    for facts in &profile.readings {
        let said = word(facts.quantity).replace('-', " ");
        if !quantities.contains(&said) {
            quantities.push(said);
        }
    }
    format!(
        "| [{}](../device-profiles/{}.toml) | {} | {} | {} | {} |\n",
        device(profile),
        profile.name.0,
        quantities.join(", "),
        connects(profile),
        clock(profile),
        profile.evidence.level.name()
    )
}

fn connects(profile: &Profile) -> String {
    let via = match profile.collect.via {
        Via::Racp => "stored records are asked for",
        Via::Notify => "sends by itself",
        Via::Advertisement => "broadcasts, is never connected to",
        Via::Vendor => "its memory is read",
    };
    let pairing = match profile.collect.pairing {
        Pairing::None => "",
        Pairing::JustWorks => "; paired",
        Pairing::Passkey => "; paired by a passkey",
    };
    let consent = if profile.collect.consent { "; each user's consent code" } else { "" };
    format!("{via}{pairing}{consent}")
}

fn clock(profile: &Profile) -> String {
    let keeps = match profile.clock.keeps {
        Keeps::LocalTime => "local time",
        Keeps::Utc => "UTC",
        Keeps::Nothing => "none",
    };
    let tells = if profile.clock.tells { ", read" } else { "" };
    let set = profile.clock.set_by.map_or_else(String::new, |uuid| format!(", set by {uuid:04X}"));
    let untimed = match profile.memory {
        Untimed::LiveOnly => "; without a stamp: measured when heard",
        Untimed::MayBeStored => "",
    };
    format!("{keeps}{tells}{set}{untimed}")
}

fn item(profile: &Profile) -> String {
    let captures = Capture::all().iter().filter(|capture| capture.of == profile.name.0).count();
    let quirks: Vec<String> = profile.quirks.iter().map(|quirk| format!("`{}`", quirk.name())).collect();
    let quirks = if quirks.is_empty() { String::new() } else { format!(" Quirks: {}.", quirks.join(", ")) };
    format!(
        "- {}{quirks} *{}*, with {captures} capture{}: {}.\n",
        notes(profile),
        profile.evidence.level.name(),
        if captures == 1 { "" } else { "s" },
        profile.evidence.by
    )
}
