//! `hearth pair`: a person stands before the device, and is told what to press and what to type.

use super::door::Door;
use super::person::{self, ask_until, yes};
use super::{Ending, Shown, exit, guide};
use crate::config::Config;
use crate::control::{self, Request};
use crate::show::{Fields, complain, text};
use std::time::Duration;

/// How long a device is looked for.
const LOOKS: u32 = 120;
const BETWEEN: Duration = Duration::from_secs(1);

/// Pairs with the device of this address; without one, with whichever of a known profile shows itself. `bridge`: through this one,
/// or heard by it. `guided`: asks whose it is, too, if somebody is there.
pub(super) fn pair(
    config: &Config,
    address: Option<&str>,
    bridge: Option<i64>,
    guided: bool,
) -> Result<Shown, Ending> {
    let mut door = Door::open(config)?;
    let (address, bridge) = match address {
        Some(address) => (address.to_owned(), bridge),
        None => find(&mut door, bridge)?,
    };
    let mut shown = door.ask(Request::Pair { address, bridge })?;
    let mut digits_agreed = false;
    loop {
        let step = shown.rows.first().cloned().unwrap_or_default();
        let digits = text(&step, "digits");
        let (passkey, same) = match text(&step, "step") {
            "passkey" => {
                let digits = ask_until("Type the six digits that the device shows:", |typed| {
                    let six = typed.len() == 6 && typed.bytes().all(|octet| octet.is_ascii_digit());
                    typed.parse().ok().filter(|_| six).ok_or_else(|| "a passkey has six digits".into())
                })?;
                (Some(digits), None)
            }
            "compare" => (None, Some(yes(&format!("Does the device show {digits}?"))?)),
            "show" => {
                complain(format_args!("type {digits} on the device"));
                (None, None)
            }
            "just-works" => (None, None),
            _ => {
                let device = step.get("device").and_then(|no| no.as_i64()).unwrap_or_default();
                let mut said = format!("Paired, as device {device}.");
                if !digits_agreed {
                    said += " It showed no digits: whether it is the one before you, only its first reading tells.";
                }
                if guided && person::is_there() {
                    complain(&said);
                    let said = Some(guide::guide(config, &mut door, device)?);
                    return Ok(Shown { said, ..Shown::fields(step) });
                }
                let said = format!("{said} Measure once. Whose is it? hearth bind add {device} --help");
                return Ok(Shown { said: Some(said), ..Shown::fields(step) });
            }
        };
        digits_agreed |= !digits.is_empty() || passkey.is_some();
        shown = door.ask(Request::PairAnswer { passkey, same })?;
    }
}

/// What the radio hears of one device; and a draft, if no profile knows it.
pub(super) fn nearby(config: &Config, address: &str) -> Result<Shown, Ending> {
    control::address(address)?;
    let near = Door::open(config)?.ask(Request::Nearby)?;
    let row = near.rows.into_iter().find(|row| text(row, "address").eq_ignore_ascii_case(address));
    let row = row.ok_or_else(|| {
        let said =
            format!("{address} is not heard. Press its Bluetooth button near the hub, or measure once");
        Ending::new(exit::TEMPFAIL, said)
    })?;
    let draft = row.get("draft").and_then(|draft| draft["text"].as_str());
    let said = draft.map(|draft| {
        format!(
            "No profile fits this device. Fill in what this draft leaves open, save it as MAKER/MODEL.toml in the folder that \
             `profiles` names in gateway.toml, and start the hub again (docs/profiles.md):\n\n{}",
            draft.trim_end()
        )
    });
    Ok(Shown { said, ..Shown::rows(vec![row], "") })
}

/// As a scale shows it: 0 to 9999 (User Data Service, Consent).
pub(super) fn consent_code(slot: u8) -> Result<u16, Ending> {
    ask_until(&format!("Type the code that the scale shows for user {slot}:"), |typed| {
        let code = typed.parse().ok().filter(|code| *code <= 9_999);
        code.ok_or_else(|| "a consent code is a number of up to four digits".into())
    })
}

/// A device that a profile knows and that is not of the house yet: its address, and the bridge that hears it, if not the hub itself.
fn find(door: &mut Door, through: Option<i64>) -> Result<(String, Option<i64>), Ending> {
    for look in 0..LOOKS {
        let near = door.ask(Request::Nearby)?;
        // A hub without a radio has said so by now.
        if look == 0 {
            complain("press the device's Bluetooth button near the hub, as its maker says for pairing");
        }
        let new: Vec<&Fields> = near
            .rows
            .iter()
            .filter(|row| row.get("device").is_none_or(|no| no.is_null()) && !text(row, "profile").is_empty())
            .filter(|row| through.is_none_or(|through| bridge(row) == Some(through)))
            .collect();
        match new.as_slice() {
            [] => std::thread::park_timeout(BETWEEN),
            all => return choose(all),
        }
    }
    Err(Ending::new(
        exit::TEMPFAIL,
        "no device that could be paired was heard; `hearth devices --nearby` shows what is",
    ))
}

/// Which one hears it. `None`: the hub itself.
fn bridge(row: &Fields) -> Option<i64> {
    row.get("bridge")?.as_i64()
}

fn choose(all: &[&Fields]) -> Result<(String, Option<i64>), Ending> {
    for (n, row) in (1..).zip(all) {
        let by = bridge(row).map_or_else(String::new, |no| format!(", heard by bridge {no}"));
        complain(format_args!(
            "{n}: {} {} ({}{by})",
            text(row, "address"),
            text(row, "name"),
            text(row, "profile")
        ));
    }
    let chosen = ask_until("Which one? Its number, or nothing to end:", |said| match said {
        "" => Ok(None),
        said => {
            let row = said.parse::<usize>().ok().and_then(|n| all.get(n.checked_sub(1)?));
            row.map(Some).ok_or_else(|| format!("{said:?} is none of them"))
        }
    })?;
    chosen
        .map(|row| (text(row, "address").to_owned(), bridge(row)))
        .ok_or_else(|| Ending::usage("none was chosen, and none paired"))
}
