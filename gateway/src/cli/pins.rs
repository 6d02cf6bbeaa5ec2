//! A board that is wired to the hub is started anew by its pins, whether it talks or not.
//!
//! Both pins are pulled low or let go of, never driven high: what holds them up is on the board. Linux' character device for pins, by
//! linux-embedded-hal.

use super::{Ending, Shown, exit};
use crate::config::{Config, Pin};
use embedded_hal::digital::OutputPin;
use linux_embedded_hal::CdevPin;
use linux_embedded_hal::gpio_cdev::{Chip, LineRequestFlags};
use std::path::Path;
use std::time::Duration;

/// Any board's reset takes less.
const HELD: Duration = Duration::from_millis(100);
/// When a chip has looked at its pin for the bootloader.
const LOOKED: Duration = Duration::from_millis(500);

/// `bootloader`: the chip's own one is started, and waits for a firmware.
pub(super) fn reset(config: &Config, line: &Path, bootloader: bool) -> Result<Shown, Ending> {
    let lines = &config.bridges;
    let wired = lines.iter().find(|wired| wired.path == line).ok_or_else(|| {
        Ending::usage(format!("{}: no such line stands under [hub] bridges", line.display()))
    })?;
    let missing = |what: &str| {
        let said = format!("{}: [hub] bridges says nothing of its pin `{what}`", line.display());
        Ending::new(exit::CONFIG, said)
    };
    let reset = wired.reset.as_ref().ok_or_else(|| missing("reset"))?;
    let boot = match (bootloader, &wired.boot) {
        (true, None) => return Err(missing("boot")),
        (true, Some(boot)) => Some(boot),
        (false, _) => None,
    };
    let mut boot_pin = boot.map(open).transpose()?;
    let mut reset_pin = open(reset)?;
    pulse(&mut reset_pin, boot_pin.as_mut(), wait).map_err(|e| {
        Ending::new(exit::IOERR, format!("{}: its pins can't be pulled: {e}", line.display()))
    })?;
    let said = match bootloader {
        true => "Its pins were pulled. If they are wired so, its chip runs its own bootloader now.",
        false => "Its pin was pulled. `hearth bridge list` shows the board when it talks.",
    };
    Ok(Shown { said: Some(said.into()), ..Shown::default() })
}

/// At least so long: nobody says anything meanwhile.
fn wait(time: Duration) {
    let (_nobody, said) = std::sync::mpsc::channel::<()>();
    _ = said.recv_timeout(time);
}

/// Let go of, until it is pulled.
fn open(pin: &Pin) -> Result<CdevPin, Ending> {
    let opened = Chip::new(&pin.chip).and_then(|mut chip| {
        let line = chip.get_line(pin.line)?;
        let flags = LineRequestFlags::OUTPUT | LineRequestFlags::OPEN_DRAIN;
        CdevPin::new(line.request(flags, 1, "hearth")?)
    });
    opened.map_err(|e| {
        Ending::new(
            exit::UNAVAILABLE,
            format!(
                "{}:{} can't be used: {e}; mend [hub] bridges, or run as root",
                pin.chip.display(),
                pin.line
            ),
        )
    })
}

/// The board looks at its bootloader's pin when its reset ends.
fn pulse<P: OutputPin>(reset: &mut P, boot: Option<&mut P>, wait: impl Fn(Duration)) -> Result<(), P::Error> {
    let Some(boot) = boot else {
        reset.set_low()?;
        wait(HELD);
        return reset.set_high();
    };
    boot.set_low()?;
    let pulled = pulse(reset, None, &wait as &dyn Fn(Duration));
    wait(LOOKED);
    // Whatever else failed: a board whose pin stays low starts nothing of its own any more.
    boot.set_high().and(pulled)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use embedded_hal::digital::{ErrorKind, ErrorType};
    use std::cell::RefCell;

    #[derive(Debug)]
    struct Stuck;

    impl embedded_hal::digital::Error for Stuck {
        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    /// Writes down what is done with it.
    struct Wire<'t>(&'static str, &'t RefCell<Vec<String>>, bool);

    impl ErrorType for Wire<'_> {
        type Error = Stuck;
    }

    impl OutputPin for Wire<'_> {
        fn set_low(&mut self) -> Result<(), Stuck> {
            self.1.borrow_mut().push(format!("{} low", self.0));
            if self.2 { Err(Stuck) } else { Ok(()) }
        }

        fn set_high(&mut self) -> Result<(), Stuck> {
            self.1.borrow_mut().push(format!("{} let go", self.0));
            Ok(())
        }
    }

    #[test]
    fn the_bootloaders_pin_is_held_until_the_chip_has_looked() {
        let told: RefCell<Vec<String>> = RefCell::default();
        let wait = |time: Duration| told.borrow_mut().push(format!("{} ms", time.as_millis()));
        pulse(&mut Wire("reset", &told, false), None, wait).unwrap();
        assert_eq!(told.take(), ["reset low", "100 ms", "reset let go"]);
        pulse(&mut Wire("reset", &told, false), Some(&mut Wire("boot", &told, false)), wait).unwrap();
        let all = ["boot low", "reset low", "100 ms", "reset let go", "500 ms", "boot let go"];
        assert_eq!(told.take(), all);
        let stuck = pulse(&mut Wire("reset", &told, true), Some(&mut Wire("boot", &told, false)), wait);
        assert!(stuck.is_err());
        assert_eq!(told.take().last().unwrap(), "boot let go");
    }
}
