//! What the store knows, in named cells and plain words: the same for a table and for JSON.

use crate::cli::Fields;
use crate::store::{DeviceView, Disputed, Held, OutboxDetail, OutboxView, Raised, Status};
use crate::uplink::State;
use hearth_core::admit::{Fate, For, RecordNo, Refusal, TimeDoubt, Why};
use hearth_core::decode::{Cause, Measurement};
use hearth_core::identity::{Binding, Identity, Permission, Who, Window};
use hearth_core::parcel::Intent;
use hearth_core::reading::{Doubt, Reading};
use hearth_core::when::Source;
use hearth_wire::Value;
use hearth_wire::gatt::{ConcentrationUnit, PressureUnit, WeightUnit};
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
        groups
            .iter()
            .map(|g| match g.oldest {
                Some(oldest) => json!(format!("{}: {} (oldest {})", g.reason, g.records, age(oldest))),
                None => json!(format!("{}: {}", g.reason, g.records)),
            })
            .collect()
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

pub(super) fn binding(binding: &Binding) -> Fields {
    let who = match binding.who {
        Who::Person(no) => json!(format!("person {}", no.0)),
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

pub(super) fn permission(permission: &Permission) -> Fields {
    let window = |w: Window| {
        format!(
            "from {} until {}",
            w.from,
            w.until.map_or_else(|| "further notice".to_owned(), |u| u.to_string())
        )
    };
    Row::new().with("order", window(permission.order)).with("consent", window(permission.consent)).0
}

pub(super) fn held(held: &Held) -> Fields {
    Row::new()
        .with("device", held.device.0)
        .with("record", held.record.map(|r| r.0))
        .with("records", held.records)
        .with("why", held.reason.clone())
        .with("age", age(held.age))
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
    let (name, why) = match fate {
        Fate::New => ("new", None),
        Fate::Await { wants, .. } => {
            ("awaits", Some(wants.iter().map(|w| wanted(*w)).collect::<Vec<_>>().join(", ")))
        }
        Fate::Hold(why) => ("held", Some(why_held(why))),
        Fate::Reissue(issue) => ("issued anew", Some(format!("issue {}", issue.0))),
        Fate::Admitted(..) => ("admitted", None),
        Fate::Companion(head) => ("companion", Some(format!("of record {}", head.0))),
        Fate::Repeat => ("repeat", None),
        Fate::Retracted(..) => ("retracted", None),
        Fate::Refused(refusal, ..) => ("refused", Some(why_refused(refusal))),
    };
    let row = Row::new().with("record", record.0).with("fate", name).with("why", why);
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
                (_, special) => special.to_string(),
            },
        ),
        Measurement::GlucoseContext(_) => "context".into(),
        Measurement::Weight(m) => match (m.weight, m.unit) {
            (None, _) => "unsuccessful".into(),
            (Some(weight), WeightUnit::Si) => format!("{weight} kg"),
            (Some(weight), WeightUnit::Imperial) => format!("{weight} lb"),
        },
    }
}

/// Every field, by the names of `hearth decode`.
fn values(measure: &Measurement) -> Json {
    let octets = measure.encode();
    crate::cli::fields(measure.characteristic(), &octets, &[]).map_or(Json::Null, Json::Object)
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

pub(super) fn why_held(why: &Why) -> String {
    match why {
        Why::NoPatient => "nobody is bound to the device".into(),
        Why::SlotUnknown => "the user slot is nobody's".into(),
        Why::TwoPeople => "two people fit".into(),
        Why::Edge => "the time reaches over the edge of a binding".into(),
        Why::BeforeBinding(_) => "before the binding".into(),
        Why::NoZone => "the binding has no zone".into(),
        Why::Identity => "the device did not say who it is".into(),
        Why::UnknownProfile => "no profile knows the device".into(),
        Why::Impossible(quantity) => format!("an impossible {}", hearth_core::profile::word(*quantity)),
        Why::Layout => "octets that no layout explains".into(),
        Why::Time(doubt) => format!("time: {}", doubted(*doubt)),
    }
}

fn doubted(doubt: TimeDoubt) -> &'static str {
    match doubt {
        TimeDoubt::NotADate => "not a date",
        TimeDoubt::Untimed => "no stamp, and it may have been stored",
        TimeDoubt::HubClock => "the hub's clock is not known",
        TimeDoubt::Reset => "clock reset",
        TimeDoubt::TwoTimelines => "two timelines",
        TimeDoubt::Future => "after it was heard",
        TimeDoubt::Fold => "the hour that comes twice",
        TimeDoubt::Gap => "the hour that is skipped",
        TimeDoubt::DeviceFault => "the meter reports a time fault",
        TimeDoubt::OffsetLost => "the time offset ran over",
    }
}

fn why_refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Undecodable(Cause::Malformed(malformed)) => malformed.to_string(),
        Refusal::Undecodable(Cause::UnknownCharacteristic(unknown)) => {
            format!("characteristic {unknown} has no codec")
        }
        Refusal::Orphan => "a context whose measurement never came".into(),
        Refusal::LateContext => "a context whose measurement went on without it".into(),
        Refusal::ControlSolution => "control solution".into(),
        Refusal::NothingMeasured => "nothing was measured".into(),
        Refusal::NotAReading(quirk) => format!("no reading, by the quirk {}", quirk.name()),
    }
}

fn age(age: SignedDuration) -> String {
    match age.as_secs() {
        s if s >= 172_800 => format!("{} days", s / 86_400),
        s if s >= 7_200 => format!("{} h", s / 3_600),
        s if s >= 120 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}
