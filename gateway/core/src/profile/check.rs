//! What a profile may not say. One that contradicts itself is refused as a whole: a half-understood device is worse
//! than an unknown one.

use super::schema::{ClockTable, CollectTable, File, MatchTable, PatienceTable, QuirksTable, ReadingTable};
use super::words::{ROWS, Row, essential, word};
use super::{
    Clock, Collect, Evidence, Keeps, Kind, Match, Pairing, Patience, Problem, Profile, ProfileName,
    ReadingFacts, Untimed, Via,
};
use crate::quirk::Quirk;
use crate::reading::{Quantity, Version};
use hearth_wire::Decimal;
use std::ops::Range;
use toml::Spanned;

/// The characteristics by which this house can set a clock: Date Time and Current Time.
const CLOCKS: [u16; 2] = [0x2A08, 0x2A2B];

impl Profile {
    /// Reads one profile. Refused: what is no TOML, an unknown or missing key, a value that nothing here can use,
    /// and a profile that contradicts itself.
    pub fn parse(name: &ProfileName, text: &str) -> Result<Profile, Problem> {
        let file = File::read(name, text)?;
        let see =
            |span: Range<usize>, key: &str, says: String| Problem::at(name, text, span.start, key, says);
        let kind = file.kind;
        at_least_1("version", &file.version, &see)?;
        told("evidence-by", &file.evidence_by, "say who saw this device do it", &see)?;
        if kind != Kind::BloodPressureMonitor {
            let only = "belongs to a blood-pressure-monitor; remove it";
            if let Some(site) = &file.body_site {
                return Err(see(site.span(), "body-site", only.into()));
            }
            if let Some(averaged) = &file.averaged {
                return Err(see(averaged.span(), "averaged", only.into()));
            }
        }
        Ok(Profile {
            name: name.clone(),
            version: Version(*file.version.get_ref()),
            kind,
            evidence: Evidence { level: file.evidence, by: file.evidence_by.get_ref().clone() },
            matches: matches(kind, &file.matches, &see)?,
            identity: file.identity.names,
            collect: collect(kind, &file.collect, &see)?,
            clock: clock(&file.clock, &see)?,
            memory: memory(&file, &see)?,
            readings: readings(kind, &file.readings, &see)?,
            body_site: file.body_site.map(Spanned::into_inner),
            averaged: file.averaged.is_some_and(Spanned::into_inner),
            quirks: quirks(kind, file.quirks.as_ref(), &see)?,
            patience: patience(&file.patience, &see)?,
        })
    }
}

/// Makes a problem of a place, a key and a sentence.
type See<'a> = &'a dyn Fn(Range<usize>, &str, String) -> Problem;

fn at_least_1(key: &str, number: &Spanned<u32>, see: See<'_>) -> Result<(), Problem> {
    if *number.get_ref() == 0 { Err(see(number.span(), key, "counts from 1".into())) } else { Ok(()) }
}

/// A text that says something, without the blanks that a device's own text is trimmed of.
fn told(key: &str, text: &Spanned<String>, cure: &str, see: See<'_>) -> Result<(), Problem> {
    let said = text.get_ref();
    if said.is_empty() {
        return Err(see(text.span(), key, format!("is empty; {cure}")));
    }
    if said.trim() != said {
        return Err(see(text.span(), key, "begins or ends with a blank; remove it".into()));
    }
    Ok(())
}

/// A 16-bit UUID as four hexadecimal digits.
fn uuid16(text: &str) -> Option<u16> {
    (text.len() == 4 && text.bytes().all(|b| b.is_ascii_hexdigit()))
        .then(|| u16::from_str_radix(text, 16).ok())
        .flatten()
}

fn matches(kind: Kind, table: &Spanned<MatchTable>, see: See<'_>) -> Result<Match, Problem> {
    let MatchTable { name_prefixes, services, manufacturer, model } = table.get_ref();
    if name_prefixes.is_empty() && services.is_none() && manufacturer.is_none() && model.is_none() {
        let says = "matches every device; give name-prefixes, services, manufacturer or model";
        return Err(see(table.span(), "match", says.into()));
    }
    for prefix in name_prefixes {
        if prefix.get_ref().is_empty() {
            let says = "an empty prefix matches every name; remove it";
            return Err(see(prefix.span(), "match.name-prefixes", says.into()));
        }
    }
    let mut seen = Vec::new();
    if let Some(list) = services {
        for service in list.get_ref() {
            let uuid = uuid16(service.get_ref()).ok_or_else(|| {
                let says = format!(
                    "`{}` is no 16-bit service; write four hexadecimal digits, as \"1808\"",
                    service.get_ref()
                );
                see(service.span(), "match.services", says)
            })?;
            if seen.contains(&uuid) {
                return Err(see(
                    service.span(),
                    "match.services",
                    format!("{uuid:04X} is there twice; remove one"),
                ));
            }
            seen.push(uuid);
        }
        if !seen.contains(&kind.service()) {
            let says = format!("lacks {:04X}, the service of this kind of device; add it", kind.service());
            return Err(see(list.span(), "match.services", says));
        }
        seen.sort_unstable();
    }
    for (key, text) in [("match.manufacturer", manufacturer), ("match.model", model)] {
        if let Some(text) = text {
            told(key, text, "remove it, or write what Device Information says", see)?;
        }
    }
    Ok(Match {
        name_prefixes: name_prefixes.iter().map(|p| p.get_ref().clone()).collect(),
        services: seen,
        manufacturer: manufacturer.as_ref().map(|m| m.get_ref().clone()),
        model: model.as_ref().map(|m| m.get_ref().clone()),
    })
}

fn collect(kind: Kind, table: &CollectTable, see: See<'_>) -> Result<Collect, Problem> {
    let CollectTable { via, pairing, settle_ms, silence_ms, consent, weight_first } = table;
    let (via_is, pairing_is) = (*via.get_ref(), *pairing.get_ref());
    if via_is == Via::Racp && ![Kind::GlucoseMeter, Kind::PulseOximeter].contains(&kind) {
        let says = "only a glucose-meter or a pulse-oximeter has a record access control point here; write \"notify\"";
        return Err(see(via.span(), "collect.via", says.into()));
    }
    if via_is == Via::Racp && pairing_is == Pairing::None {
        let says = "stored records are read from a paired meter only; write \"just-works\" or \"passkey\"";
        return Err(see(pairing.span(), "collect.pairing", says.into()));
    }
    let scale = [Kind::WeightScale, Kind::BodyCompositionAnalyzer].contains(&kind);
    if via_is == Via::Vendor && kind != Kind::BloodPressureMonitor {
        let says = "of makers' own memories only a cuff's has a codec here; write \"notify\"";
        return Err(see(via.span(), "collect.via", says.into()));
    }
    if via_is == Via::Advertisement && !scale {
        let says = "of broadcasts only a scale's has a codec here; write \"notify\"";
        return Err(see(via.span(), "collect.via", says.into()));
    }
    if via_is == Via::Advertisement && pairing_is != Pairing::None {
        let says = "a device that only advertises is never paired; write \"none\"";
        return Err(see(pairing.span(), "collect.pairing", says.into()));
    }
    at_least_1("collect.silence-ms", silence_ms, see)?;
    if let Some(asked) = consent.as_ref().filter(|asked| *asked.get_ref()) {
        if !scale {
            let says = "only a scale asks its users for consent here; remove it";
            return Err(see(asked.span(), "collect.consent", says.into()));
        }
        if via_is != Via::Notify || pairing_is == Pairing::None {
            let says = "a consent code is written to a paired device that notifies; write `via = \"notify\"` and how it is paired";
            return Err(see(asked.span(), "collect.consent", says.into()));
        }
    }
    if let Some(first) = weight_first.as_ref().filter(|_| kind != Kind::BodyCompositionAnalyzer) {
        let says = "only a body-composition-analyzer tells two things of one weighing; remove it";
        return Err(see(first.span(), "collect.weight-first", says.into()));
    }
    Ok(Collect {
        via: via_is,
        pairing: pairing_is,
        settle_ms: *settle_ms,
        silence_ms: *silence_ms.get_ref(),
        consent: consent.as_ref().is_some_and(|asked| *asked.get_ref()),
        weight_first: weight_first.as_ref().is_some_and(|first| *first.get_ref()),
    })
}

fn clock(table: &Spanned<ClockTable>, see: See<'_>) -> Result<Clock, Problem> {
    let ClockTable { keeps, tells, set_by, drift_limit_s, resets_to } = table.get_ref();
    if *keeps == Keeps::Nothing {
        let said = [
            ("clock.tells", tells.as_ref().filter(|t| *t.get_ref()).map(Spanned::span)),
            ("clock.set-by", set_by.as_ref().map(Spanned::span)),
            ("clock.drift-limit-s", drift_limit_s.as_ref().map(Spanned::span)),
            ("clock.resets-to", resets_to.as_ref().map(Spanned::span)),
        ];
        if let Some((key, span)) = said.into_iter().find_map(|(key, span)| span.map(|span| (key, span))) {
            let says =
                "a device that keeps nothing has no clock to speak of; remove this, or say what it keeps";
            return Err(see(span, key, says.into()));
        }
        return Ok(Clock {
            keeps: *keeps,
            tells: false,
            set_by: None,
            drift_limit_s: 0,
            resets_to: Vec::new(),
        });
    }
    let missing = |key: &str, cure: &str| see(table.span(), "clock", format!("`{key}` is missing; {cure}"));
    let tells = tells.as_ref().ok_or_else(|| missing("tells", "say whether the hub can read this clock"))?;
    let drift = drift_limit_s.as_ref().ok_or_else(|| missing("drift-limit-s", "300 is usual"))?;
    at_least_1("clock.drift-limit-s", drift, see)?;
    let set_by = match set_by {
        None => None,
        Some(text) => Some(uuid16(text.get_ref()).filter(|uuid| CLOCKS.contains(uuid)).ok_or_else(|| {
            let says = "a clock is set by \"2A08\" (Date Time) or \"2A2B\" (Current Time); write one of them";
            see(text.span(), "clock.set-by", says.into())
        })?),
    };
    let mut years = Vec::new();
    for year in resets_to.iter().flat_map(|list| list.get_ref()) {
        if !(1970..=2100).contains(year.get_ref()) {
            return Err(see(
                year.span(),
                "clock.resets-to",
                "is no year of a clock; write 1970 to 2100".into(),
            ));
        }
        if years.contains(year.get_ref()) {
            return Err(see(year.span(), "clock.resets-to", "is there twice; remove one".into()));
        }
        years.push(*year.get_ref());
    }
    Ok(Clock {
        keeps: *keeps,
        tells: *tells.get_ref(),
        set_by,
        drift_limit_s: *drift.get_ref(),
        resets_to: years,
    })
}

fn memory(file: &File, see: See<'_>) -> Result<Untimed, Problem> {
    let untimed = &file.memory.untimed;
    if *untimed.get_ref() == Untimed::LiveOnly && *file.collect.via.get_ref() == Via::Racp {
        let says = "what is fetched by `via = \"racp\"` was stored; write \"may-be-stored\"";
        return Err(see(untimed.span(), "memory.untimed", says.into()));
    }
    Ok(*untimed.get_ref())
}

fn readings(
    kind: Kind,
    tables: &[Spanned<ReadingTable>],
    see: See<'_>,
) -> Result<Vec<ReadingFacts>, Problem> {
    let mut facts: Vec<ReadingFacts> = Vec::new();
    for table in tables {
        let fact = reading(kind, table.get_ref(), see)?;
        for other in facts.iter().filter(|other| other.quantity == fact.quantity) {
            if other.unit == fact.unit {
                let says =
                    format!("{} in {} is there twice; remove one", word(fact.quantity), fact.unit.ucum());
                return Err(see(table.get_ref().quantity.span(), "reading.quantity", says));
            }
            if other.sample != fact.sample {
                let says =
                    format!("{} has another sample in another unit; say the same", word(fact.quantity));
                return Err(see(table.get_ref().quantity.span(), "reading.sample", says));
            }
        }
        facts.push(fact);
    }
    let lacking = essential(kind).iter().find(|needed| !facts.iter().any(|fact| fact.quantity == **needed));
    if let Some(lacking) = lacking {
        let says = format!("{} is missing; add a [[reading]] for it", word(*lacking));
        return Err(see(0..0, "reading", says));
    }
    Ok(facts)
}

fn reading(kind: Kind, table: &ReadingTable, see: See<'_>) -> Result<ReadingFacts, Problem> {
    let ReadingTable { quantity, from, sample, range, unit } = table;
    let rows: Vec<&Row> = ROWS.iter().filter(|row| row.word == quantity.get_ref()).collect();
    if rows.is_empty() {
        let mut known: Vec<&str> = ROWS.iter().filter(|row| row.kind == kind).map(|row| row.word).collect();
        known.dedup();
        let says = format!("is unknown; write {}", one_of(known.into_iter()));
        return Err(see(quantity.span(), "reading.quantity", says));
    }
    let rows: Vec<&Row> = rows.into_iter().filter(|row| row.kind == kind).collect();
    if rows.is_empty() {
        let says = format!("this kind of device does not measure {}; remove it", quantity.get_ref());
        return Err(see(quantity.span(), "reading.quantity", says));
    }
    let row = rows.iter().find(|row| row.from == from.get_ref()).ok_or_else(|| {
        let known = one_of(rows.iter().map(|row| row.from));
        see(from.span(), "reading.from", format!("{} comes from {known}; write that", quantity.get_ref()))
    })?;
    let its = row.units.iter().find(|u| u.ucum() == unit.get_ref()).ok_or_else(|| {
        let known = row.units.iter().map(|u| u.ucum());
        see(
            unit.span(),
            "reading.unit",
            format!("{} never comes in this unit; write {}", row.word, one_of(known)),
        )
    })?;
    if let Some(sample) = sample
        && row.quantity != Quantity::Glucose
    {
        return Err(see(sample.span(), "reading.sample", "only glucose has a sample; remove it".into()));
    }
    let range = match range {
        None => None,
        Some(given) => {
            let both = pair(given.get_ref()).ok_or_else(|| {
                let says = "is no pair of decimals in quotes, which keep every digit; write it as [\"0.6\", \"33.3\"]";
                see(given.span(), "reading.range", says.into())
            })?;
            if both.0.compare(both.1).is_ge() {
                let says = "the lowest comes first, and is lower; swap them";
                return Err(see(given.span(), "reading.range", says.into()));
            }
            Some(both)
        }
    };
    Ok(ReadingFacts {
        quantity: row.quantity,
        sample: sample.as_ref().map(|sample| *sample.get_ref()),
        range,
        unit: *its,
    })
}

fn quirks(kind: Kind, table: Option<&QuirksTable>, see: See<'_>) -> Result<Vec<Quirk>, Problem> {
    let mut named = Vec::new();
    for name in table.iter().flat_map(|table| &table.apply) {
        let quirk = Quirk::parse(name.get_ref()).ok_or_else(|| {
            let known = Quirk::ALL.into_iter().filter(|quirk| quirk.kind() == kind).map(Quirk::name);
            let says = format!("`{}` is no quirk of such a device; write {}", name.get_ref(), one_of(known));
            see(name.span(), "quirks.apply", says)
        })?;
        if quirk.kind() != kind {
            let says = format!("`{}` is a quirk of another kind of device; remove it", quirk.name());
            return Err(see(name.span(), "quirks.apply", says));
        }
        if named.contains(&quirk) {
            return Err(see(
                name.span(),
                "quirks.apply",
                format!("`{}` is there twice; remove one", quirk.name()),
            ));
        }
        named.push(quirk);
    }
    Ok(named)
}

fn patience(table: &PatienceTable, see: See<'_>) -> Result<Patience, Problem> {
    let usual = Patience::default();
    let or = |key: &str, given: &Option<Spanned<u32>>, usual: i64| match given {
        None => Ok(usual),
        Some(ms) => at_least_1(key, ms, see).map(|()| i64::from(*ms.get_ref())),
    };
    Ok(Patience {
        partner_ms: or("patience.partner-ms", &table.partner_ms, usual.partner_ms)?,
        clock_ms: or("patience.clock-ms", &table.clock_ms, usual.clock_ms)?,
        identity_ms: or("patience.identity-ms", &table.identity_ms, usual.identity_ms)?,
        hub_time_ms: or("patience.hub-time-ms", &table.hub_time_ms, usual.hub_time_ms)?,
    })
}

fn pair(values: &[toml::Value]) -> Option<(Decimal, Decimal)> {
    match values {
        [toml::Value::String(low), toml::Value::String(high)] => decimal(low).zip(decimal(high)),
        _ => None,
    }
}

/// Digits, with a point between them or none: no sign, no exponent, and every digit kept.
fn decimal(text: &str) -> Option<Decimal> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(places) || text.ends_with('.') {
        return None;
    }
    let mantissa = [whole, places].concat().parse().ok()?;
    Some(Decimal::new(mantissa, i8::try_from(places.len()).ok()?.checked_neg()?))
}

fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
    quoted.join(" or ")
}

#[cfg(test)]
mod tests;
