//! Every sentence of the checks, with the place where it points.
//! Long because it is a table.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::profile::{BodySite, EvidenceLevel, IdentitySource, Pairing, Sample, Unit};

/// A made-up meter that says everything a meter can say.
const METER: &str = r#"schema = 1
version = 3
kind = "glucose-meter"
evidence = "verified"
evidence-by = "two meters, firmware 1.4 and 1.6"

[match]
name-prefixes = ["Gluco7-"]
services = ["1808", "180a"]
manufacturer = "Acme Medical"
model = "G7"

[identity]
names = "serial"

[collect]
via = "racp"
pairing = "passkey"
settle-ms = 500
silence-ms = 5000

[clock]
keeps = "utc"
tells = true
set-by = "2A2B"
drift-limit-s = 300
resets-to = [2016, 2020]

[memory]
untimed = "may-be-stored"

[[reading]]
quantity = "glucose"
from = "glucose.concentration"
sample = "fingerstick"
range = ["0.60", "33.3"]
unit = "mmol/L"

[[reading]]
quantity = "glucose"
from = "glucose.concentration"
sample = "fingerstick"
unit = "mg/dL"

[quirks]
apply = ["month-13-is-january"]

[patience]
partner-ms = 1000
"#;

/// A made-up cuff that says as little as it can.
const CUFF: &str = r#"schema = 1
version = 1
kind = "blood-pressure-monitor"
evidence = "untested"
evidence-by = "nobody yet"

[match]
model = "C1"

[identity]
names = "address"

[collect]
via = "notify"
pairing = "none"
settle-ms = 0
silence-ms = 5000

[clock]
keeps = "nothing"

[memory]
untimed = "live-only"

[[reading]]
quantity = "systolic"
from = "blood-pressure.systolic"
unit = "mm[Hg]"

[[reading]]
quantity = "diastolic"
from = "blood-pressure.diastolic"
unit = "kPa"
"#;

fn name() -> ProfileName {
    ProfileName("acme/model-7".into())
}

fn parse(text: &str) -> Result<Profile, Problem> {
    Profile::parse(&name(), text)
}

#[test]
fn a_profile_that_says_everything() {
    let glucose = |unit, range| ReadingFacts {
        quantity: Quantity::Glucose,
        sample: Some(Sample::Fingerstick),
        range,
        unit,
    };
    let expected = Profile {
        name: name(),
        version: Version(3),
        kind: Kind::GlucoseMeter,
        evidence: Evidence { level: EvidenceLevel::Verified, by: "two meters, firmware 1.4 and 1.6".into() },
        matches: Match {
            name_prefixes: vec!["Gluco7-".into()],
            services: vec![0x1808, 0x180A],
            manufacturer: Some("Acme Medical".into()),
            model: Some("G7".into()),
        },
        identity: IdentitySource::Serial,
        collect: Collect {
            via: Via::Racp,
            pairing: Pairing::Passkey,
            settle_ms: 500,
            silence_ms: 5000,
            consent: false,
            weight_first: false,
        },
        clock: Clock {
            keeps: Keeps::Utc,
            tells: true,
            set_by: Some(0x2A2B),
            drift_limit_s: 300,
            resets_to: vec![2016, 2020],
        },
        memory: Untimed::MayBeStored,
        readings: vec![
            // Every digit is kept.
            glucose(Unit::MillimolePerLitre, Some((Decimal::new(60, -2), Decimal::new(333, -1)))),
            glucose(Unit::MilligramPerDecilitre, None),
        ],
        body_site: None,
        averaged: false,
        quirks: vec![Quirk::Month13IsJanuary],
        patience: Patience { partner_ms: 1000, ..Patience::default() },
    };
    let parsed = parse(METER).unwrap();
    assert_eq!(parsed, expected);
    assert_eq!(parsed.of(Quantity::Glucose).unwrap().unit, Unit::MillimolePerLitre);
    assert_eq!(parsed.of_unit(Quantity::Glucose, Unit::MilligramPerDecilitre), Some(&expected.readings[1]));
    assert_eq!(parsed.of_unit(Quantity::Glucose, Unit::Kilogram), None);
}

#[test]
fn a_profile_that_says_little() {
    let parsed = parse(CUFF).unwrap();
    let no_clock =
        Clock { keeps: Keeps::Nothing, tells: false, set_by: None, drift_limit_s: 0, resets_to: vec![] };
    assert_eq!(parsed.clock, no_clock);
    assert_eq!(parsed.body_site, None);
    assert!(!parsed.averaged);
    assert_eq!(parsed.quirks, []);
    assert_eq!(parsed.patience, Patience::default());
    let said = CUFF.replace("\n\n[match]", "\nbody-site = \"wrist\"\naveraged = true\n\n[match]");
    let said = parse(&said).unwrap();
    assert_eq!((said.body_site, said.averaged), (Some(BodySite::Wrist), true));
}

/// The one door: a sound profile with one thing changed, and the sentence that refuses it, with its place.
fn refused(text: &str, rows: &[(&str, &str, &str)]) {
    for (from, to, expected) in rows {
        assert!(text.contains(from), "`{from}` is in no line");
        let problem = parse(&text.replacen(from, to, 1)).expect_err(to);
        assert_eq!(problem.to_string(), format!("acme/model-7.toml:{expected}"), "{from} became {to}");
    }
}

#[test]
fn what_is_no_profile_is_refused_with_its_place() {
    refused(
        METER,
        &[
            ("schema = 1", "schema = 2", "1:10: schema: this hub reads schema 1, not 2; update the hub"),
            // Another schema has other keys: they are not what is wrong.
            (
                "schema = 1\n",
                "schema = 9\ncolour = 1\n",
                "1:10: schema: this hub reads schema 1, not 9; update the hub",
            ),
            ("schema = 1\n", "", "1:1: missing field `schema`"),
            ("schema = 1", "schema = \"1\"", "1:10: schema: invalid type: string \"1\", expected u32"),
            ("[clock]", "[clock", "22:7: clock: unclosed table, expected `]`"),
            (
                "tells = true",
                "tell = true",
                "24:1: clock.tell: unknown field `tell`, expected one of `keeps`, `tells`, `set-by`, `drift-limit-s`, \
                 `resets-to`",
            ),
            ("keeps = \"utc\"\n", "", "22:1: clock: missing field `keeps`"),
            (
                "\"utc\"",
                "\"gmt\"",
                "23:9: clock.keeps: unknown variant `gmt`, expected one of `utc`, `local-time`, `nothing`",
            ),
            ("5000", "-1", "20:14: collect.silence-ms: invalid value: integer `-1`, expected u32"),
            (
                "[2016, 2020]",
                "[2016,\n\"2020\"]",
                "28:1: clock.resets-to: invalid type: string \"2020\", expected i16",
            ),
            ("names = \"serial\"", "", "13:1: identity: missing field `names`"),
            ("[identity]\nnames = \"serial\"\n", "", "1:1: missing field `identity`"),
        ],
    );
    // No table and no list takes a key that it does not know.
    for table in [
        "",
        "[match]",
        "[identity]",
        "[collect]",
        "[clock]",
        "[memory]",
        "[[reading]]",
        "[quirks]",
        "[patience]",
    ] {
        let text = if table.is_empty() {
            format!("colour = 1\n{METER}")
        } else {
            METER.replacen(&format!("{table}\n"), &format!("{table}\ncolour = 1\n"), 1)
        };
        let problem = parse(&text).expect_err(table);
        assert!(
            problem.key.ends_with("colour") && problem.says.starts_with("unknown field `colour`"),
            "{problem}"
        );
    }
}

#[test]
fn a_meter_that_contradicts_itself() {
    const PAIR: &str =
        "is no pair of decimals in quotes, which keep every digit; write it as [\"0.6\", \"33.3\"]";
    let pair = format!("36:9: reading.range: {PAIR}");
    refused(
        METER,
        &[
            ("version = 3", "version = 0", "2:11: version: counts from 1"),
            (
                "\"two meters, firmware 1.4 and 1.6\"",
                "\"\"",
                "5:15: evidence-by: is empty; say who saw this device do it",
            ),
            (
                "[match]",
                "body-site = \"wrist\"\n[match]",
                "7:13: body-site: belongs to a blood-pressure-monitor; remove it",
            ),
            (
                "[match]",
                "averaged = false\n[match]",
                "7:12: averaged: belongs to a blood-pressure-monitor; remove it",
            ),
            (
                "\"Gluco7-\"",
                "\"\"",
                "8:18: match.name-prefixes: an empty prefix matches every name; remove it",
            ),
            (
                "\"180a\"",
                "\"18A\"",
                "9:21: match.services: `18A` is no 16-bit service; write four hexadecimal digits, as \"1808\"",
            ),
            ("\"180a\"", "\"1808\"", "9:21: match.services: 1808 is there twice; remove one"),
            (
                "\"1808\", ",
                "",
                "9:12: match.services: lacks 1808, the service of this kind of device; add it",
            ),
            (
                "\"Acme Medical\"",
                "\"Acme Medical \"",
                "10:16: match.manufacturer: begins or ends with a blank; remove it",
            ),
            (
                "\"G7\"",
                "\"\"",
                "11:9: match.model: is empty; remove it, or write what Device Information says",
            ),
            (
                "\"passkey\"",
                "\"none\"",
                "18:11: collect.pairing: stored records are read from a paired meter only; write \"just-works\" or \
                 \"passkey\"",
            ),
            ("silence-ms = 5000", "silence-ms = 0", "20:14: collect.silence-ms: counts from 1"),
            (
                "tells = true\n",
                "",
                "22:1: clock: `tells` is missing; say whether the hub can read this clock",
            ),
            ("drift-limit-s = 300\n", "", "22:1: clock: `drift-limit-s` is missing; 300 is usual"),
            ("drift-limit-s = 300", "drift-limit-s = 0", "26:17: clock.drift-limit-s: counts from 1"),
            (
                "\"2A2B\"",
                "\"2A18\"",
                "25:10: clock.set-by: a clock is set by \"2A08\" (Date Time) or \"2A2B\" (Current Time); write one of them",
            ),
            ("2016", "20", "27:14: clock.resets-to: is no year of a clock; write 1970 to 2100"),
            ("2016", "2020", "27:20: clock.resets-to: is there twice; remove one"),
            // A device without a clock has none that could be read, set, off or reset.
            (
                "keeps = \"utc\"",
                "keeps = \"nothing\"",
                "24:9: clock.tells: a device that keeps nothing has no clock to speak of; remove this, or say what it keeps",
            ),
            (
                "may-be-stored",
                "live-only",
                "30:11: memory.untimed: what is fetched by `via = \"racp\"` was stored; write \"may-be-stored\"",
            ),
            (
                "quantity = \"glucose\"",
                "quantity = \"sugar\"",
                "33:12: reading.quantity: is unknown; write \"glucose\"",
            ),
            (
                "quantity = \"glucose\"",
                "quantity = \"body-weight\"",
                "33:12: reading.quantity: this kind of device does not measure body-weight; remove it",
            ),
            (
                "glucose.concentration",
                "glucose.value",
                "34:8: reading.from: glucose comes from \"glucose.concentration\"; write that",
            ),
            (
                "mmol/L",
                "mmol/l",
                "37:8: reading.unit: glucose never comes in this unit; write \"mg/dL\" or \"mmol/L\"",
            ),
            ("mmol/L", "mg/dL", "40:12: reading.quantity: glucose in mg/dL is there twice; remove one"),
            (
                "sample = \"fingerstick\"\nunit",
                "unit",
                "40:12: reading.sample: glucose has another sample in another unit; say the same",
            ),
            ("[\"0.60\", \"33.3\"]", "[0.60, 33.3]", &pair),
            ("\"33.3\"]", "\"33.3\", \"40\"]", &pair),
            ("\"33.3\"]", "]", &pair),
            ("\"0.60\"", "\"0,60\"", &pair),
            ("\"0.60\"", "\"-1\"", &pair),
            ("\"0.60\"", "\".6\"", &pair),
            ("\"0.60\"", "\"1.\"", &pair),
            ("\"0.60\"", "\"1e1\"", &pair),
            ("\"33.3\"", "\"33333333333\"", &pair),
            ("\"0.60\"", "\"33.30\"", "36:9: reading.range: the lowest comes first, and is lower; swap them"),
            ("\"0.60\"", "\"34\"", "36:9: reading.range: the lowest comes first, and is lower; swap them"),
            (
                "month-13-is-january",
                "month-14",
                "46:10: quirks.apply: `month-14` is no quirk of such a device; write \"ketone-pseudo-record\" or \
                 \"month-13-is-january\"",
            ),
            (
                "month-13-is-january",
                "beurer-be",
                "46:10: quirks.apply: `beurer-be` is a quirk of another kind of device; remove it",
            ),
            (
                "\"month-13-is-january\"",
                "\"month-13-is-january\", \"month-13-is-january\"",
                "46:33: quirks.apply: `month-13-is-january` is there twice; remove one",
            ),
            ("partner-ms = 1000", "partner-ms = 0", "49:14: patience.partner-ms: counts from 1"),
        ],
    );
}

#[test]
fn a_cuff_that_contradicts_itself() {
    const NO_CLOCK: &str =
        "a device that keeps nothing has no clock to speak of; remove this, or say what it keeps";
    let no_clock = |place: &str| format!("{place}: {NO_CLOCK}");
    refused(
        CUFF,
        &[
            (
                "model = \"C1\"",
                "",
                "7:1: match: matches every device; give name-prefixes, services, manufacturer or model",
            ),
            (
                "\"notify\"",
                "\"racp\"",
                "14:7: collect.via: only a glucose-meter or a pulse-oximeter has a record access control point here; write \"notify\"",
            ),
            (
                "\"notify\"",
                "\"advertisement\"",
                "14:7: collect.via: of broadcasts only a scale's has a codec here; write \"notify\"",
            ),
            (
                "silence-ms = 5000",
                "silence-ms = 5000\nconsent = true",
                "18:11: collect.consent: only a scale asks its users for consent here; remove it",
            ),
            ("\"nothing\"", "\"nothing\"\nset-by = \"2A08\"", &no_clock("21:10: clock.set-by")),
            ("\"nothing\"", "\"nothing\"\ndrift-limit-s = 300", &no_clock("21:17: clock.drift-limit-s")),
            ("\"nothing\"", "\"nothing\"\nresets-to = []", &no_clock("21:13: clock.resets-to")),
            (
                "unit = \"mm[Hg]\"",
                "unit = \"mm[Hg]\"\nsample = \"fingerstick\"",
                "29:10: reading.sample: only glucose has a sample; remove it",
            ),
            (
                "quantity = \"diastolic\"\nfrom = \"blood-pressure.diastolic\"",
                "quantity = \"mean-arterial-pressure\"\nfrom = \"blood-pressure.mean-arterial-pressure\"",
                "1:1: reading: diastolic is missing; add a [[reading]] for it",
            ),
        ],
    );
    // It need not say that it tells nothing.
    assert!(parse(&CUFF.replace("\"nothing\"", "\"nothing\"\ntells = false")).is_ok());
    // A month-13 quirk on a cuff.
    let problem = parse(&format!("{CUFF}\n[quirks]\napply = [\"month-13-is-january\"]")).unwrap_err();
    assert_eq!(problem.says, "`month-13-is-january` is a quirk of another kind of device; remove it");
}

#[test]
fn a_scale_that_contradicts_itself() {
    const CONSENT: &str = "a consent code is written to a paired device that notifies; write `via = \"notify\"` and how it is paired";
    let head = CUFF.split("[[reading]]").next().unwrap().replace("blood-pressure-monitor", "weight-scale");
    let reading = "[[reading]]\nquantity = \"body-weight\"\nfrom = \"weight.weight\"\nunit = \"kg\"\n";
    let scale = format!("{head}{reading}");
    assert!(!parse(&scale).unwrap().collect.consent);
    let asks = scale.replace("5000", "5000\nconsent = true").replace("\"none\"", "\"passkey\"");
    assert!(parse(&asks).unwrap().collect.consent);
    let broadcasts = scale.replace("\"notify\"", "\"advertisement\"");
    assert_eq!(parse(&broadcasts).unwrap().collect.via, Via::Advertisement);
    refused(
        &scale,
        &[
            (
                "\"notify\"",
                "\"vendor\"",
                "14:7: collect.via: of makers' own memories only a cuff's has a codec here; write \"notify\"",
            ),
            ("5000", "5000\nconsent = true", &format!("18:11: collect.consent: {CONSENT}")),
        ],
    );
    refused(&broadcasts, &[("5000", "5000\nconsent = true", &format!("18:11: collect.consent: {CONSENT}"))]);
    refused(
        &broadcasts,
        &[(
            "\"none\"",
            "\"just-works\"",
            "15:11: collect.pairing: a device that only advertises is never paired; write \"none\"",
        )],
    );
}

#[test]
fn a_profile_is_named_by_maker_and_model() {
    for good in ["acme/gluco-7", "a/1"] {
        assert!(Profile::parse(&ProfileName(good.into()), METER).is_ok(), "{good}");
    }
    for bad in [
        "",
        "acme",
        "acme/",
        "/gluco",
        "Acme/gluco",
        "acme/gluco 7",
        "acme/gluco/7",
        "acme/gluco_7",
        "acme/é",
    ] {
        let problem = Profile::parse(&ProfileName(bad.into()), METER).expect_err(bad);
        assert!(problem.says.starts_with("a profile is named by its file"), "{problem}");
    }
}

/// Columns count characters, as an editor does.
#[test]
fn places_in_a_text_with_accents() {
    let text = METER.replace("\"two meters, firmware 1.4 and 1.6\"", "\"Zoë\" x");
    let problem = parse(&text).unwrap_err();
    assert_eq!((problem.line, problem.column), (5, 21), "{problem}");
}

#[test]
fn every_quantity_has_its_word_and_its_row() {
    use Quantity::*;
    // A match, so that a new quantity asks for its row.
    let count = |quantity| match quantity {
        Systolic | Diastolic | MeanArterialPressure | PulseRate | Glucose | BodyWeight | BodyHeight
        | BodyMassIndex | BodyFat | FatFreeMass | SoftLeanMass | BodyWaterMass | BodyTemperature
        | OxygenSaturation | HeartRate => 15,
    };
    let quantities: std::collections::HashSet<Quantity> = ROWS.iter().map(|row| row.quantity).collect();
    assert_eq!(quantities.len(), count(Systolic));
    assert_eq!(word(MeanArterialPressure), "mean-arterial-pressure");
}

proptest::proptest! {
    /// Whatever a text became: a profile, or a problem that points into it.
    #[test]
    fn no_text_is_too_strange(from in 0..METER.len(), length in 0..40usize, put in ".{0,8}") {
        let (from, to) = (from, (from + length).min(METER.len()));
        let text = [&METER[..from], &put, &METER[to..]].concat();
        if let Err(problem) = parse(&text) {
            let lines = text.split('\n').count();
            proptest::prop_assert!((1..=lines).contains(&problem.line), "{problem}");
            proptest::prop_assert!(!problem.says.is_empty());
        }
    }
}
