//! `hearth pair`: a person stands before the device, and is told what to press and what to type.

use super::door::Door;
use super::{Ending, Shown, exit};
use crate::config::Config;
use crate::control::Request;
use crate::show::{Fields, complain};
use std::io::{BufRead, Write};
use std::time::Duration;

/// How long a device is looked for.
const LOOKS: u32 = 120;
const BETWEEN: Duration = Duration::from_secs(1);

/// Pairs with the device of this address; without one, with whichever of a known profile shows itself.
pub(super) fn pair(config: &Config, address: Option<&str>) -> Result<Shown, Ending> {
    let mut door = Door::open(config)?;
    let address = match address {
        Some(address) => address.to_owned(),
        None => find(&mut door)?,
    };
    let mut shown = door.ask(Request::Pair { address })?;
    loop {
        let step = shown.rows.first().cloned().unwrap_or_default();
        let digits = text(&step, "digits");
        let (passkey, same) = match text(&step, "step") {
            "passkey" => {
                let typed = ask("Type the six digits that the device shows:")?;
                let digits = typed.parse().ok().filter(|_| typed.len() == 6);
                match digits {
                    Some(digits) => (Some(digits), None),
                    None => return Err(Ending::usage("a passkey has six digits; begin again")),
                }
            }
            "compare" => {
                let said = ask(&format!("Does the device show {digits}? [y/n]"))?;
                (None, Some(said.eq_ignore_ascii_case("y") || said.eq_ignore_ascii_case("yes")))
            }
            "show" => {
                complain(format_args!("type {digits} on the device"));
                (None, None)
            }
            "just-works" => {
                complain(
                    "the device shows no digits, so nobody can tell whether it is the one before you: measure once",
                );
                (None, None)
            }
            _ => {
                let device = step.get("device").map(ToString::to_string).unwrap_or_default();
                let said = format!(
                    "Paired, as device {device}. Measure once. Whose is it? hearth bind add {device} --help"
                );
                return Ok(Shown { said: Some(said), ..Shown::fields(step) });
            }
        };
        shown = door.ask(Request::PairAnswer { passkey, same })?;
    }
}

/// A device that a profile knows and that is not of the house yet, by its address.
fn find(door: &mut Door) -> Result<String, Ending> {
    complain("press the device's Bluetooth button near the hub, as its maker says for pairing");
    for _ in 0..LOOKS {
        let near = door.ask(Request::Nearby)?;
        let new: Vec<&Fields> = near
            .rows
            .iter()
            .filter(|row| row.get("device").is_none_or(|no| no.is_null()) && !text(row, "profile").is_empty())
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

fn choose(all: &[&Fields]) -> Result<String, Ending> {
    for (n, row) in (1..).zip(all) {
        complain(format_args!(
            "{n}: {} {} ({})",
            text(row, "address"),
            text(row, "name"),
            text(row, "profile")
        ));
    }
    let said = ask("Which one? Its number, or nothing to end:")?;
    let chosen = said.parse::<usize>().ok().and_then(|n| all.get(n.checked_sub(1)?));
    chosen
        .map(|row| text(row, "address").to_owned())
        .ok_or_else(|| Ending::usage("none was chosen, and none paired"))
}

fn text<'r>(row: &'r Fields, name: &str) -> &'r str {
    row.get(name).and_then(|value| value.as_str()).unwrap_or_default()
}

/// On standard error, so that what is printed stays for a machine.
fn ask(question: &str) -> Result<String, Ending> {
    let mut error = std::io::stderr().lock();
    _ = write!(error, "{question} ").and_then(|()| error.flush());
    drop(error);
    let mut said = String::new();
    match std::io::stdin().lock().read_line(&mut said) {
        Ok(read) if read > 0 => Ok(said.trim().to_owned()),
        _ => Err(Ending::new(exit::NOINPUT, "nobody answered; `hearth pair` asks the person before it")),
    }
}
