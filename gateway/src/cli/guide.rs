//! What follows a pairing, for the person who stands there: whose the device is, and whether its first record comes.

use super::door::Door;
use super::person::{ask_until, yes};
use super::{Ending, exit};
use crate::config::Config;
use crate::control::{BindAdd, Request};
use crate::intake::whose;
use crate::show::{Fields, complain, text};
use hearth_core::when::ZoneName;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long the first record is waited for.
const LOOKS: u32 = 120;
const BETWEEN: Duration = Duration::from_secs(1);

/// Asks whose it is, and waits for its first record.
pub(super) fn guide(config: &Config, door: &mut Door, device: i64) -> Result<String, Ending> {
    let explained = door.ask(Request::DevicesExplain { device })?;
    let consents =
        explained.rows.iter().any(|row| row.get("users_consent").is_some_and(|consents| consents == true));
    let later = format!("Nobody's yet: what it tells is held. hearth bind add {device} --help");
    let whose =
        ask_until("Whose is it? p: a patient's, t: a test's, nothing: to be said later.", |said| match said
            .to_ascii_lowercase()
            .as_str()
        {
            "" | "p" | "t" => Ok(said.to_ascii_lowercase()),
            _ => Err("type p or t, or nothing".into()),
        })?;
    if whose.is_empty() {
        return Ok(later);
    }
    let zone = zone(door)?;
    let (mut more, mut shared) = (true, false);
    if whose == "t" {
        door.ask(Request::BindAdd(binding(device, None, BTreeMap::new(), zone.clone(), None, false)))?;
        more = false;
    }
    while more {
        let slot = if shared { None } else { slot()? };
        let Some(patient) = patient(config)? else { return Ok(later) };
        let attested = match slot {
            Some(_) => None,
            None if shared => None,
            None => {
                let name =
                    ask_until("Who says that nobody else uses it? Your name; nothing: others do.", |said| {
                        Ok(said.to_owned())
                    })?;
                Some(name).filter(|name| !name.is_empty())
            }
        };
        let shares = slot.is_none() && attested.is_none();
        let who: Vec<String> = patient.iter().map(|(name, id)| format!("{id} at {name}")).collect();
        let user = slot.map_or_else(String::new, |slot| format!(", user {slot}"));
        let others =
            if shares { ", and others: each reading waits until somebody says whose it is" } else { "" };
        let said =
            format!("Device {device}{user}: from now on {}, in {zone}{others}. Right?", who.join(", "));
        if !yes(&said)? {
            continue;
        }
        door.ask(Request::BindAdd(binding(device, slot, patient, zone.clone(), attested, shares)))?;
        if let (Some(slot), true) = (slot, consents) {
            let code = Some(super::pair::consent_code(slot)?);
            door.ask(Request::Consent { device, slot, code })?;
        }
        shared = shares;
        more = (slot.is_some() || shared) && yes("Does somebody else use it, too?")?;
    }
    first(door, device)
}

fn binding(
    device: i64,
    slot: Option<u8>,
    patient: BTreeMap<String, String>,
    zone: String,
    sole_use_attested_by: Option<String>,
    shared: bool,
) -> BindAdd {
    let zone = Some(zone);
    BindAdd {
        device,
        slot,
        patient,
        zone,
        from: None,
        until: None,
        sole_use_attested_by,
        shared,
        labels: vec![],
        instead: false,
    }
}

/// That of the home's other devices, if they agree, unless another is typed.
fn zone(door: &mut Door) -> Result<String, Ending> {
    let bound = door.ask(Request::Bindings)?;
    let zones: BTreeSet<&str> =
        bound.rows.iter().map(|row| text(row, "zone")).filter(|zone| !zone.is_empty()).collect();
    let usual = match zones.iter().collect::<Vec<_>>().as_slice() {
        [one] => Some((**one).to_owned()),
        _ => None,
    };
    let question = match &usual {
        Some(zone) => format!("In which time zone is its clock? Nothing: {zone}."),
        None => "In which time zone is its clock? Such as America/New_York:".to_owned(),
    };
    ask_until(&question, |said| match (said, &usual) {
        ("", Some(usual)) => Ok(usual.clone()),
        _ => ZoneName::parse(said).map(|zone| zone.as_str().to_owned()).ok_or_else(|| {
            format!("{said:?} is no time zone; give its IANA name, such as Europe/Copenhagen")
        }),
    })
}

fn slot() -> Result<Option<u8>, Ending> {
    let question =
        "Does it tell several users apart? The number it shows for this one, nothing: it does not.";
    ask_until(question, |said| match said {
        "" => Ok(None),
        _ => said.parse().map(Some).map_err(|_| "a user is a number from 0 to 255".into()),
    })
}

/// One id for each destination that knows them. `None`: nowhere.
fn patient(config: &Config) -> Result<Option<BTreeMap<String, String>>, Ending> {
    let mut patient = BTreeMap::new();
    for destination in &config.destinations {
        let name = &destination.name;
        let id =
            ask_until(&format!("Their id at {name}, such as Patient/123; nothing: not there."), |said| {
                let id = said.strip_prefix("Patient/").unwrap_or(said);
                if id.is_empty() { Ok(None) } else { whose::patient_id(id).map(|()| Some(id.to_owned())) }
            })?;
        patient.extend(id.map(|id| (name.clone(), id)));
    }
    Ok(if patient.is_empty() { None } else { Some(patient) })
}

/// Waits until the device has told something since it was given to somebody.
fn first(door: &mut Door, device: i64) -> Result<String, Ending> {
    let ours = |row: &&Fields| row.get("device").is_some_and(|no| *no == device);
    let heard = |door: &mut Door| -> Result<u64, Ending> {
        let devices = door.ask(Request::Devices)?;
        let row = devices.rows.iter().find(ours);
        Ok(row.and_then(|row| row.get("heard")?.as_u64()).unwrap_or(0))
    };
    let before = heard(door)?;
    complain("measure once now; it is waited for two minutes, and nothing is lost if you end this");
    for _ in 0..LOOKS {
        if heard(door)? > before {
            let held = door.ask(Request::Held { older_than_s: None })?;
            return Ok(match held.rows.iter().find(ours) {
                Some(row) => format!(
                    "It told something, and that is held: {}. What helps: {}",
                    text(row, "why"),
                    text(row, "what_helps")
                ),
                None => "Its first reading has come.".to_owned(),
            });
        }
        std::thread::park_timeout(BETWEEN);
    }
    Err(Ending::new(
        exit::TEMPFAIL,
        "nothing came in two minutes; the device stays paired: measure near the hub, then hearth status",
    ))
}
