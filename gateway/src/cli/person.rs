//! Questions to whoever sits before the terminal.

use super::{Ending, exit};
use crate::show::complain;
use std::io::{BufRead, IsTerminal, Write};

/// Whether somebody does.
pub(super) fn is_there() -> bool {
    std::io::stdin().is_terminal()
}

/// On standard error, so that what is printed stays for a machine.
pub(super) fn ask(question: &str) -> Result<String, Ending> {
    let mut error = std::io::stderr().lock();
    _ = write!(error, "{question} ").and_then(|()| error.flush());
    drop(error);
    let mut said = String::new();
    match std::io::stdin().lock().read_line(&mut said) {
        Ok(read) if read > 0 => Ok(said.trim().to_owned()),
        _ => Err(Ending::new(exit::NOINPUT, "nobody answered; this command asks the person before it")),
    }
}

/// Until the answer can be understood.
pub(super) fn ask_until<T>(
    question: &str,
    understand: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Ending> {
    loop {
        match understand(&ask(question)?) {
            Ok(answer) => return Ok(answer),
            Err(why) => complain(why),
        }
    }
}

pub(super) fn yes(question: &str) -> Result<bool, Ending> {
    ask_until(&format!("{question} [y/n]"), |said| match said.to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err("type y or n".into()),
    })
}
