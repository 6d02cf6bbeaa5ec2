//! A profile for a device that has none, as far as what it said of itself goes: a person fills in the rest.

use super::words::ROWS;
use super::{Kind, Profile, ProfileName, Via};
use crate::capture::Uuid16;
use crate::identity::Facts;
use std::collections::BTreeSet;
use std::fmt::Write;

/// A profile to be finished, and what helps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// Where it belongs in a site's folder, without its ending.
    pub name: ProfileName,
    /// TOML with `FILL IN` where only a person knows; [`Profile::parse`] reads it once no value says so any more.
    pub text: String,
    /// What helps, and who must act, in a sentence or two.
    pub helps: String,
}

/// What a device is that such octets come from.
fn kind_of(characteristic: Uuid16) -> Option<Kind> {
    Some(match characteristic {
        Uuid16::BLOOD_PRESSURE_MEASUREMENT
        | Uuid16::ENHANCED_BLOOD_PRESSURE_MEASUREMENT
        | Uuid16::OMRON_EEPROM_RECORD => Kind::BloodPressureMonitor,
        Uuid16::GLUCOSE_MEASUREMENT | Uuid16::GLUCOSE_MEASUREMENT_CONTEXT => Kind::GlucoseMeter,
        Uuid16::BODY_COMPOSITION_MEASUREMENT | Uuid16::BODY_COMPOSITION_SERVICE_DATA => {
            Kind::BodyCompositionAnalyzer
        }
        Uuid16::WEIGHT_MEASUREMENT | Uuid16::WEIGHT_SCALE_SERVICE_DATA => Kind::WeightScale,
        Uuid16::TEMPERATURE_MEASUREMENT => Kind::Thermometer,
        Uuid16::PLX_SPOT_CHECK_MEASUREMENT => Kind::PulseOximeter,
        Uuid16::HEART_RATE_MEASUREMENT => Kind::HeartRateMonitor,
        _ => return None,
    })
}

/// A draft for a device by what it said of itself, and by what was heard of it. `tied`: the profiles that fit it equally
/// well.
pub fn draft(facts: &Facts, heard: &BTreeSet<Uuid16>, tied: &[&Profile]) -> Draft {
    let measuring: Vec<Kind> =
        Kind::ALL.into_iter().filter(|kind| facts.services.contains(&kind.service())).collect();
    let name = ProfileName(format!(
        "{}/{}",
        word(facts.manufacturer.as_deref(), "unknown"),
        word(facts.model.as_deref().or(facts.advertised_name.as_deref().map(family)), "device"),
    ));
    // An analyzer tells its weight, too.
    let sent: BTreeSet<Kind> = heard.iter().copied().filter_map(kind_of).collect();
    let sent = sent.iter().copied().max_by_key(|kind| *kind == Kind::BodyCompositionAnalyzer);
    let kind = measuring.first().copied().or(sent);
    let way = heard.iter().find_map(|characteristic| characteristic.way());
    let text = text(facts, &measuring, kind.unwrap_or(Kind::BloodPressureMonitor), way);
    let helps = helps(facts, heard, &measuring, tied, &name);
    Draft { name, text, helps }
}

fn helps(
    facts: &Facts,
    heard: &BTreeSet<Uuid16>,
    measuring: &[Kind],
    tied: &[&Profile],
    name: &ProfileName,
) -> String {
    let save = format!(
        "Fill in the draft, save it as {}.toml in the folder that [hub] profiles names, and start the hub again: what \
         was heard is judged again.",
        name.0
    );
    if let [first, second, ..] = tied {
        return format!("{} and {} fit it equally well. {save}", first.name.0, second.name.0);
    }
    if !measuring.is_empty() {
        return save;
    }
    let heard: Vec<String> =
        heard.iter().filter(|what| kind_of(**what).is_some()).map(ToString::to_string).collect();
    if !heard.is_empty() {
        return format!("What it is was told by what it sent: {}. {save}", heard.join(", "));
    }
    if facts.services.is_empty() {
        return "It has not said yet what it offers. Measure once with it near the hub, and ask again."
            .into();
    }
    let offered: Vec<String> = facts.services.iter().map(|service| format!("{service:04X}")).collect();
    format!(
        "It offers no service that this hub reads ({}): what it sends in its maker's own way needs a codec here before a \
         profile helps. Send a capture of one measurement to the project, with what its display showed.",
        offered.join(", ")
    )
}

fn text(facts: &Facts, measuring: &[Kind], kind: Kind, way: Option<Via>) -> String {
    let meter = kind == Kind::GlucoseMeter;
    let strap = kind == Kind::HeartRateMonitor;
    let kinds: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
    let mut text = String::from(
        "# A draft, of what the device said of itself. docs/profiles.md explains every key; captures belong beside it.\n",
    );
    if let Some(firmware) = &facts.firmware {
        line(&mut text, &format!("# Its firmware: {firmware:?}"));
    }
    line(&mut text, "schema = 1\nversion = 1");
    line(&mut text, &format!("# FILL IN: {}", kinds.join(", ")));
    line(&mut text, &format!("kind = {:?}", kind.name()));
    line(
        &mut text,
        "evidence = \"untested\"\nevidence-by = \"FILL IN: who saw it do what stands here\"\n\n[match]",
    );
    matches(&mut text, facts, measuring);
    line(
        &mut text,
        "\n[identity]\n# FILL IN: \"system-id\" or \"serial\" only if its maker keeps them apart\nnames = \"address\"\n",
    );
    let via = match way {
        Some(Via::Advertisement) => "advertisement",
        Some(Via::Vendor) => "vendor",
        _ if meter => "racp",
        _ => "notify",
    };
    let pairing = match kind {
        _ if way == Some(Via::Advertisement) => "none",
        Kind::GlucoseMeter => "passkey",
        Kind::HeartRateMonitor => "none",
        _ => "just-works",
    };
    let (settle, silence) = if meter { (500, 30_000) } else { (0, 5_000) };
    line(&mut text, &format!("[collect]\nvia = {via:?}\n# FILL IN: \"none\", \"just-works\", \"passkey\""));
    line(
        &mut text,
        &format!("pairing = {pairing:?}\nsettle-ms = {settle}\nsilence-ms = {silence}\n\n[clock]"),
    );
    line(&mut text, "# FILL IN: \"local-time\", \"utc\"; \"nothing\", and then no other key of [clock]");
    line(
        &mut text,
        match strap {
            true => "keeps = \"nothing\"\n\n[memory]",
            false => "keeps = \"local-time\"\ntells = false\ndrift-limit-s = 300\n\n[memory]",
        },
    );
    line(
        &mut text,
        "# FILL IN: \"live-only\" if it sends nothing that it has stored; else \"may-be-stored\"",
    );
    line(&mut text, &format!("untimed = {:?}", if strap { "live-only" } else { "may-be-stored" }));
    line(&mut text, "\n# No range and no sample without its maker's paper.");
    readings(&mut text, kind);
    text
}

/// Texts of the device stand in quotes only, and escaped: they are anybody's.
fn matches(text: &mut String, facts: &Facts, measuring: &[Kind]) {
    let told = |fact: &Option<String>| fact.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(quoted);
    let (maker, model) = (told(&facts.manufacturer), told(&facts.model));
    let name = facts.advertised_name.as_deref().map(family).filter(|name| !name.is_empty());
    if let Some(name) = name {
        line(text, "# FILL IN: without what differs from one unit to the next");
        line(text, &format!("name-prefixes = [{}]", quoted(name)));
    } else if measuring.is_empty() && maker.is_none() && model.is_none() {
        line(text, "name-prefixes = [\"FILL IN: how its name begins\"]");
    }
    if !measuring.is_empty() {
        let services: Vec<String> =
            measuring.iter().map(|kind| format!("\"{:04X}\"", kind.service())).collect();
        line(text, &format!("services = [{}]", services.join(", ")));
    }
    for (key, fact) in [("manufacturer", maker), ("model", model)] {
        if let Some(fact) = fact {
            line(text, &format!("{key} = {fact}"));
        }
    }
}

/// One `[[reading]]` for each quantity and unit, from the first field that can carry it.
fn readings(text: &mut String, kind: Kind) {
    let mut told = Vec::new();
    for row in ROWS.iter().filter(|row| row.kind == kind) {
        for unit in row.units {
            if !told.contains(&(row.word, *unit)) {
                told.push((row.word, *unit));
                line(
                    text,
                    &format!(
                        "\n[[reading]]\nquantity = {:?}\nfrom = {:?}\nunit = {:?}",
                        row.word,
                        row.from,
                        unit.ucum()
                    ),
                );
            }
        }
    }
}

fn line(text: &mut String, more: &str) {
    writeln!(text, "{more}").expect("a text takes every text");
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A name without the serial number that many end in: what follows the last `_`, `-`, `+` or blank, if digits are in it.
fn family(name: &str) -> &str {
    let name = name.trim();
    match name.rfind(['_', '-', '+', ' ']) {
        Some(at)
            if name.get(at..).is_some_and(|rest| rest.bytes().filter(u8::is_ascii_digit).count() > 1) =>
        {
            name.get(..=at).unwrap_or(name)
        }
        _ => name,
    }
}

/// Small letters, digits and hyphens, as a file is named.
fn word(text: Option<&str>, otherwise: &str) -> String {
    let letters = text.unwrap_or("").chars().map(|c| match c.to_ascii_lowercase() {
        c if c.is_ascii_lowercase() || c.is_ascii_digit() => c,
        _ => '-',
    });
    let words: Vec<String> =
        letters.collect::<String>().split('-').filter(|w| !w.is_empty()).map(str::to_owned).collect();
    if words.is_empty() { otherwise.to_owned() } else { words.join("-") }
}

#[cfg(test)]
mod tests;
