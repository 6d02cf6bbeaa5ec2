//! What the store knows, in named cells and plain words: the same for a table and for JSON.

use crate::show::Fields;
use crate::store::{DeviceView, Disputed, Held, OutboxDetail, OutboxView, Raised, Status, fate_code};
use crate::uplink::State;
use hearth_core::admit::{Fate, For, RecordNo, Refusal, Why};
use hearth_core::decode::{Cause, Measurement};
use hearth_core::identity::{Binding, Identity, Permission, Who, Window};
use hearth_core::parcel::Intent;
use hearth_core::reading::{Doubt, Reading};
use hearth_core::when::Source;
use hearth_wire::gatt::{ConcentrationUnit, PressureUnit, WeightUnit};
use hearth_wire::{Special, Value};
use jiff::SignedDuration;
use serde_json::{Map, Value as Json, json};

/// A row, built cell by cell.
pub(super) struct Row(pub(super) Fields);

impl Row {
    pub(super) fn new() -> Row {
        Row(Map::new())
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Json>) -> Row {
        self.0.insert(name.to_owned(), value.into());
        self
    }
}

pub(super) fn status(
    status: &Status,
    raised: &[Raised],
    disputed: &[Disputed],
    destinations: &[(String, State)],
) -> Fields {
    let rows =
        |state: &str| -> u64 { status.outbox.iter().filter(|o| o.state == state).map(|o| o.rows).sum() };
    let groups = |groups: &[crate::store::Group]| -> Json {
        let group = |g: &crate::store::Group| {
            let row = Row::new().with("records", g.records).with("why", reason(&g.reason).0);
            Json::Object(match g.oldest {
                Some(oldest) => row.with("oldest", age(oldest)).0,
                None => row.0,
            })
        };
        groups.iter().map(group).collect()
    };
    Row::new()
        .with("heard", status.heard)
        .with("records", status.records)
        .with("readings", status.readings)
        .with("retracted", status.retracted)
        .with("repeats", status.repeats)
        .with("waiting", groups(&status.waiting))
        .with("held", groups(&status.held))
        .with("refused", groups(&status.refused))
        .with("on_its_way", rows("waiting"))
        .with("in_doubt", rows("in-doubt"))
        .with("parked", rows("parked"))
        .with("withheld", rows("withheld"))
        .with("delivered", rows("delivered"))
        .with("unverified", rows("unverified"))
        .with(
            "raised",
            raised.iter().map(|r| json!(format!("row {}: {}", r.row.0, r.said))).collect::<Json>(),
        )
        .with(
            "disputed",
            disputed.iter().map(|d| json!(format!("reading {}", d.reading.0))).collect::<Json>(),
        )
        .with("destinations", destinations.iter().map(|(n, s)| json!(format!("{n}: {s}"))).collect::<Json>())
        .with("watched", "not watched live; in an emergency call your emergency number")
        .0
}

pub(super) fn device(device: &DeviceView, ask_from: Option<u16>) -> Fields {
    let identity = device.identity.as_ref().map(|identity| match identity {
        Identity::SystemId(eui) => format!("system id {}", data_encoding::HEXUPPER.encode(eui)),
        Identity::Serial { manufacturer, serial } => format!("{manufacturer}, serial number {serial}"),
        Identity::Address(octets) => format!("address {}", data_encoding::HEXUPPER.encode(octets)),
    });
    Row::new()
        .with("device", device.device.0)
        .with("profile", device.profile.as_ref().map(|p| p.0.clone()))
        .with("identity", identity)
        .with("bonded", device.bonded)
        .with("records", device.records)
        .with("heard", device.heard)
        .with("ask_from", ask_from)
        .with("contradicted", device.contradicted.clone())
        .0
}

pub(super) fn binding(binding: &Binding, patients: &[(String, String)]) -> Fields {
    let who: Json = match binding.who {
        Who::Person(_) => {
            patients.iter().map(|(destination, id)| json!(format!("{destination}={id}"))).collect()
        }
        Who::Test => json!("test"),
    };
    Row::new()
        .with("device", binding.device.0)
        .with("slot", binding.slot.map(|s| s.0))
        .with("who", who)
        .with("zone", binding.zone.as_ref().map(|z| z.as_str().to_owned()))
        .with("from", binding.from.to_string())
        .with("until", binding.until.map(|u| u.to_string()))
        .with("sole_use", binding.sole_use.is_some())
        .with("labels", binding.labels.0.iter().cloned().collect::<Vec<_>>())
        .with("revision", binding.revision.0)
        .0
}

pub(super) fn permission(destination: &str, patient: &str, permission: &Permission) -> Fields {
    let window = |w: Window| {
        format!(
            "from {} until {}",
            w.from,
            w.until.map_or_else(|| "further notice".to_owned(), |u| u.to_string())
        )
    };
    Row::new()
        .with("patient", format!("{destination}={patient}"))
        .with("order", window(permission.order))
        .with("consent", window(permission.consent))
        .0
}

pub(super) fn held(held: &Held) -> Fields {
    Row::new()
        .with("device", held.device.0)
        .with("record", held.record.map(|r| r.0))
        .with("records", held.records)
        .with("why", reason(&held.reason).0)
        .with("what_helps", reason(&held.reason).1)
        .with("age", age(held.age))
        .0
}

/// A row that a record refused, among what waits for a person.
pub(super) fn parked(row: &OutboxView, parked: SignedDuration) -> Fields {
    Row::new()
        .with("outbox_row", row.row.0)
        .with("why", format!("parked for {}", row.destination))
        .with("what_helps", format!("hearth outbox show {0}, then hearth outbox retry {0}", row.row.0))
        .with("age", age(parked))
        .0
}

pub(super) fn outbox(row: &OutboxView) -> Fields {
    let intent = match row.intent {
        Intent::Create => "create",
        Intent::Retract => "retract",
    };
    Row::new()
        .with("row", row.row.0)
        .with("reading", row.reading.0)
        .with("destination", row.destination.clone())
        .with("intent", intent)
        .with("state", row.state.clone())
        .with("reason", row.reason.clone())
        .with("who_must_act", row.points_at.clone())
        .with("attempts", row.attempts)
        .with("not_before", row.not_before.map(|t| t.to_string()))
        .0
}

pub(super) fn outbox_detail(detail: &OutboxDetail) -> Fields {
    let mut fields = outbox(&detail.row);
    let more = Row::new()
        .with("taken", detail.row.effective.to_string())
        .with("issued", detail.row.issued.map(|t| t.to_string()))
        .with("mapping_version", detail.mapping.map(|v| v.0))
        .with("said", detail.said.clone())
        .with("raised", detail.raised.clone())
        .with(
            "receipts",
            detail
                .receipts
                .iter()
                .map(|r| json!(format!("{}: {} {}", r.role, r.verdict, r.location.as_deref().unwrap_or(""))))
                .collect::<Json>(),
        );
    fields.extend(more.0);
    fields
}

/// What became of a record, and the reading where it became one.
pub(super) fn change(record: RecordNo, fate: &Fate, reading: Option<&Reading>) -> Fields {
    let said = match fate {
        Fate::Reissue(issue) => Some(format!("issue {}", issue.0)),
        Fate::Companion(head) => Some(format!("of record {}", head.0)),
        _ => why(fate),
    };
    let name = match fate {
        Fate::Await { .. } => "awaits",
        Fate::Hold(_) => "held",
        Fate::Reissue(_) => "issued anew",
        _ => fate_code(fate).0,
    };
    let row = Row::new().with("record", record.0).with("fate", name).with("why", said);
    let Some(reading) = reading else { return row.0 };
    let civil = reading.when.offset.to_datetime(reading.when.effective);
    let source = match reading.when.source {
        Source::Sample => "clock sample",
        Source::DeviceUtc => "the device's UTC",
        Source::Zone => "the binding's zone",
        Source::Heard => "hearing it live",
    };
    row.with("taken", format!("{civil}{}", offset(reading.when.offset)))
        .with("dated_by", source)
        .with("measured", measured(&reading.measure))
        .with("companions", reading.companions.len())
        .with("doubts", reading.doubts.iter().map(|d| json!(doubt(*d))).collect::<Json>())
        .with("values", values(&reading.measure))
        .0
}

/// `-04:00`
fn offset(offset: jiff::tz::Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", seconds.abs() / 3_600, seconds.abs() / 60 % 60)
}

/// As a meter's display might say it.
fn measured(measure: &Measurement) -> String {
    match measure {
        Measurement::Pressure(m) if m.systolic.finite().is_none() && m.diastolic.finite().is_none() => {
            "failed: no pressure".into()
        }
        Measurement::Pressure(m) => {
            let unit = match m.unit {
                PressureUnit::MillimetreOfMercury => "mmHg",
                PressureUnit::Kilopascal => "kPa",
            };
            format!("{}/{} {unit}", m.systolic, m.diastolic)
        }
        Measurement::Glucose(m) => m.concentration.map_or_else(
            || "no concentration".into(),
            |c| match (c.unit, c.value) {
                (ConcentrationUnit::KilogramPerLitre, Value::Finite(d)) => format!("{} mg/dL", d.shifted(5)),
                (ConcentrationUnit::MolePerLitre, Value::Finite(d)) => format!("{} mmol/L", d.shifted(3)),
                (_, Value::Special(Special::PositiveInfinity)) => "HI".into(),
                (_, Value::Special(Special::NegativeInfinity)) => "LO".into(),
                (_, special) => format!("no value: {special}"),
            },
        ),
        Measurement::GlucoseContext(_) => "a context".into(),
        Measurement::Weight(m) => match (m.weight, m.unit) {
            (None, _) => "failed: no weight".into(),
            (Some(weight), WeightUnit::Si) => format!("{weight} kg"),
            (Some(weight), WeightUnit::Imperial) => format!("{weight} lb"),
        },
    }
}

/// Every field, by the names of `hearth decode`.
fn values(measure: &Measurement) -> Json {
    let octets = measure.encode();
    crate::fields::fields(measure.characteristic(), &octets, &[]).map_or(Json::Null, Json::Object)
}

fn doubt(doubt: Doubt) -> String {
    match doubt {
        Doubt::BodyMovement => "body movement".into(),
        Doubt::CuffTooLoose => "cuff too loose".into(),
        Doubt::ImproperPosition => "improper position".into(),
        Doubt::IrregularPulse => "device flag: irregular pulse".into(),
        Doubt::PulseAboveLimit => "device flag: pulse above its limit".into(),
        Doubt::PulseBelowLimit => "device flag: pulse below its limit".into(),
        Doubt::Extreme(quantity) => format!("an unusual {}", hearth_core::profile::word(quantity)),
        Doubt::Sensor(bits) => format!("sensor status {bits:#06x}"),
        Doubt::ClockUnverified => "clock not checked".into(),
        Doubt::OffsetChanged => "time offset changed later".into(),
        Doubt::ClockOff => "clock was wrong, corrected".into(),
        Doubt::Broadcast => "anybody could have sent it".into(),
    }
}

fn wanted(what: For) -> &'static str {
    match what {
        For::Partner => "its partner",
        For::Clock => "the device's clock",
        For::Identity => "the device's identity",
        For::HubTime => "the hub's time",
    }
}

/// The store's codes, in words: what it is, and what helps. Who must act stands in what helps.
const REASONS: [(&str, &str, &str); 31] = [
    ("partner", "its partner", "comes by itself"),
    ("clock", "the device's clock", "comes by itself"),
    (
        "identity",
        "the device did not say who it is",
        "connect it again; its profile says which fact names it",
    ),
    ("hub-time", "the hub's time", "comes with the network; see [hub] clock-trusted"),
    ("no-patient", "nobody is bound to the device", "bind it: hearth bind add"),
    (
        "slot-unknown",
        "the user slot is nobody's",
        "bind the slot, or attest sole use: hearth bind add --slot",
    ),
    (
        "two-people",
        "two people fit",
        "hearth bind end, then bind anew, each from and until when it was theirs",
    ),
    (
        "edge",
        "the time reaches over the edge of a binding",
        "hearth bind end, then bind anew with another edge",
    ),
    ("before-binding", "memory from before the binding", "sealed; bind from earlier only if it is theirs"),
    ("no-zone", "the binding has no zone", "hearth bind add --instead --from its start --zone the place"),
    ("unknown-profile", "no profile knows the device", "describe it in a profile: docs/profiles.md"),
    ("time-not-a-date", "time: not a date", "a quirk may explain it: docs/profiles.md"),
    (
        "time-untimed",
        "time: no stamp, and it may have been stored",
        "set the device's clock, then close it: hearth held --close",
    ),
    (
        "time-hub-clock",
        "time: the hub's clock is not known",
        "comes with the network; see [hub] clock-trusted",
    ),
    ("time-reset", "time: clock reset", "set the device's clock, then close it: hearth held --close"),
    ("time-two-timelines", "time: two timelines", "nobody can tell when it was: hearth held --close"),
    ("time-future", "time: after it was heard", "set the device's clock"),
    ("time-fold", "time: the hour that comes twice", "nobody can tell when it was: hearth held --close"),
    ("time-gap", "time: the hour that is skipped", "set the device's clock"),
    ("time-device-fault", "time: the meter reports a time fault", "set the meter's clock"),
    ("time-offset-lost", "time: the time offset ran over", "set the meter's clock"),
    ("impossible", "an impossible value", "check the device, then close it: hearth held --close"),
    ("layout", "octets that no layout explains", "a quirk may explain them: docs/profiles.md"),
    ("undecodable", "octets that can't be read", "kept; a newer version may read them"),
    ("orphan", "a context whose measurement never came", "nothing is missing but the measurement"),
    ("late-context", "a context whose measurement went on without it", "the reading stands without it"),
    ("control-solution", "control solution", "kept on the hub, no reading of a patient"),
    ("nothing-measured", "nothing was measured", "the meter stored no result"),
    ("not-a-reading", "no reading, by a quirk of the device", "its profile says why"),
    ("closed", "a person closed it", ""),
    ("", "not said", ""),
];

/// A code that an older version wrote stays readable as itself.
pub(crate) fn reason(code: &str) -> (&str, &'static str) {
    REASONS.iter().find(|(known, ..)| *known == code).map_or((code, ""), |(_, said, helps)| (*said, *helps))
}

/// The reason of one record, with what is known of it beyond its code.
fn why(fate: &Fate) -> Option<String> {
    let said = reason(fate_code(fate).1?).0;
    Some(match fate {
        Fate::Hold(Why::Impossible(quantity)) => {
            format!("an impossible {}", hearth_core::profile::word(*quantity))
        }
        Fate::Await { wants, .. } => wants.iter().map(|w| wanted(*w)).collect::<Vec<_>>().join(", "),
        Fate::Refused(Refusal::Undecodable(Cause::Malformed(malformed)), ..) => malformed.to_string(),
        Fate::Refused(Refusal::Undecodable(Cause::UnknownCharacteristic(unknown)), ..) => {
            format!("characteristic {unknown} has no codec")
        }
        Fate::Refused(Refusal::NotAReading(quirk), ..) => {
            format!("no reading, by the quirk {}", quirk.name())
        }
        _ => said.to_owned(),
    })
}

fn age(age: SignedDuration) -> String {
    match age.as_secs() {
        s if s >= 172_800 => format!("{} days", s / 86_400),
        s if s >= 7_200 => format!("{} h", s / 3_600),
        s if s >= 120 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}
