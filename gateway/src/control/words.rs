//! What the store knows, in named cells and plain words: the same for a table and for JSON.

mod reading;
mod reasons;
mod salvage;

pub(super) use reading::change;
pub(crate) use reasons::reason;
pub(crate) use salvage::salvaged;

use crate::show::Fields;
use crate::store::{DeviceView, Disputed, Held, OutboxDetail, OutboxView, Raised, Salvage, Status};
use crate::uplink::State;
use hearth_core::identity::{Binding, Identity, Permission, Who, Window};
use hearth_core::parcel::Intent;
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
    let damaged = |salvage: &Salvage| json!(format!("{}: {}", salvage.file, salvaged(salvage)));
    let rows =
        |state: &str| -> u64 { status.outbox.iter().filter(|o| o.state == state).map(|o| o.rows).sum() };
    let groups = |groups: &[crate::store::Group]| -> Json {
        let group = |g: &crate::store::Group| {
            let row = Row::new().with("records", g.records).with("why", reason(&g.reason).0);
            Json::Object(match g.oldest {
                Some(oldest) => row.with("oldest_s", oldest.as_secs()).0,
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
        .with("damaged", status.salvages.iter().map(damaged).collect::<Json>())
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

fn patients(patients: &[(String, String)]) -> Vec<String> {
    patients.iter().map(|(destination, id)| format!("{destination}={id}")).collect()
}

pub(super) fn binding(binding: &Binding, patients: &[(String, String)]) -> Fields {
    let who: Json = match binding.who {
        Who::Person(_) => self::patients(patients).into(),
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
        .with("shared", binding.shared)
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

/// `looks_like`: the patient whose it looks like, where one does; `given`: whose a person said it is.
pub(super) fn held(held: &Held, looks_like: &[(String, String)], given: &[(String, String)]) -> Fields {
    let record = held.record.map_or_else(String::new, |record| record.0.to_string());
    let device = held.device.0.to_string();
    let slot = held.slot.map_or_else(String::new, |slot| format!(" --slot {slot}"));
    let helps = reason(&held.reason).1;
    // Given, it may as well be given to another.
    let shared = if held.given.is_some() { " --shared" } else { "" };
    let helps = helps
        .replace("{shared}", shared)
        .replace("{record}", &record)
        .replace("{device}", &device)
        .replace("{slot}", &slot);
    Row::new()
        .with("device", held.device.0)
        .with("slot", held.slot)
        .with("record", held.record.map(|r| r.0))
        .with("records", held.records)
        .with("why", reason(&held.reason).0)
        .with("looks_like", patients(looks_like))
        .with("given_to", patients(given))
        .with("what_helps", helps)
        .with("age_s", held.age.as_secs())
        .0
}

/// A row that a record refused, or whose person it does not know, among what waits for a person.
pub(super) fn parked(row: &OutboxView, parked: SignedDuration) -> Fields {
    let why = match row.state.as_str() {
        "parked" => format!("parked for {}", row.destination),
        _ => format!("{} does not know the patient", row.destination),
    };
    Row::new()
        .with("outbox_row", row.row.0)
        .with("why", why)
        .with("what_helps", format!("hearth outbox show {0}, then hearth outbox retry {0}", row.row.0))
        .with("age_s", parked.as_secs())
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

/// What a retraction means for one delivery of the reading. `None`: the row that was to write it, where another
/// takes it back.
pub(super) fn taken_back(row: &OutboxView) -> Option<String> {
    let what = match (row.intent, row.state.as_str()) {
        (Intent::Create, "withdrawn") => "was not sent, and never will be",
        (Intent::Retract, "withdrawn") | (Intent::Create, _) => return None,
        (Intent::Retract, "delivered" | "unverified") => "marked as entered in error",
        (Intent::Retract, _) => "to be marked as entered in error",
    };
    Some(format!("{}: {what}", row.destination))
}

/// What a person may do about a row that does not go.
fn row_helps(row: &OutboxView) -> Option<String> {
    let no = row.row.0;
    match (row.state.as_str(), row.reason.as_deref()) {
        ("withheld", Some("outside-permission")) => Some(
            "it was taken outside the order or the consent: hearth bind permit DESTINATION=ID shows them"
                .into(),
        ),
        ("withheld", Some("labels")) => {
            Some("the destination is not cleared for its labels: cleared-labels".into())
        }
        ("parked", _) => Some(format!("mend what was said, then hearth outbox retry {no}")),
        (_, _) if row.points_at.is_some() => {
            Some(format!("enter the patient there, or bind by the right id; then hearth outbox retry {no}"))
        }
        _ => None,
    }
}

pub(super) fn outbox_detail(detail: &OutboxDetail) -> Fields {
    let mut fields = outbox(&detail.row);
    let more = Row::new()
        .with("taken", detail.row.effective.to_string())
        .with("issued", detail.row.issued.map(|t| t.to_string()))
        .with("mapping_version", detail.mapping.map(|v| v.0))
        .with("what_helps", row_helps(&detail.row))
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
