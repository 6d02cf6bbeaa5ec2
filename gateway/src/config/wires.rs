//! What is wired to the hub: serial lines with bridges, the pins by which a board there is started anew, and sensors.

use serde::Deserialize;
use std::path::PathBuf;

/// A serial line with a bridge at its other end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BridgeLine {
    pub path: PathBuf,
    /// Pulled low it starts the board anew.
    pub reset: Option<Pin>,
    /// Held low meanwhile it has the board's chip start its own bootloader.
    pub boot: Option<Pin>,
}

/// A pin of the hub's: Linux' name of its chip, `/dev/gpiochip0`, and its number there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pin {
    pub chip: PathBuf,
    pub line: u32,
}

/// A TMP117 that is wired to the hub.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WiredSensor {
    /// Linux' name of the bus: `/dev/i2c-1`.
    pub bus: PathBuf,
    /// Seven bits, by what its address pin is wired to: 0x48 to 0x4B.
    pub address: u8,
}

/// A scale whose load cell's converter, a NAU7802, is wired to the hub.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WiredScale {
    /// As a sensor's. The converter has one address.
    pub bus: PathBuf,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "the whole path of a serial line, or { line = PATH, reset = \"/dev/gpiochip0:17\" }"
)]
pub(super) enum Bridge {
    /// `/dev/serial/by-id/…`: the name of a line that is the same wherever it is plugged in.
    Line(PathBuf),
    Wired(Wired),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wired {
    line: PathBuf,
    reset: Option<String>,
    boot: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Sensor {
    chip: Chip,
    bus: PathBuf,
    #[serde(default = "default_address")]
    address: u8,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Chip {
    Tmp117,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Scale {
    #[serde(rename = "chip")]
    _chip: Converter,
    bus: PathBuf,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Converter {
    Nau7802,
}

/// Its address pin at ground.
fn default_address() -> u8 {
    0x48
}

/// Whole paths, each once.
pub(super) fn bridges(all: Vec<Bridge>) -> Result<Vec<BridgeLine>, String> {
    let mut lines: Vec<BridgeLine> = vec![];
    for one in all {
        let Wired { line: path, reset, boot } = match one {
            Bridge::Line(line) => Wired { line, reset: None, boot: None },
            Bridge::Wired(wired) => wired,
        };
        let name = path.display();
        if !path.is_absolute() {
            return Err(format!(
                "[hub] bridges: {name:?}: give the whole path of a serial line, best one of /dev/serial/by-id, which stays the \
                 same wherever the board is plugged in"
            ));
        }
        if lines.iter().any(|line| line.path == path) {
            return Err(format!("[hub] bridges: {name:?} is there twice; leave one of them out"));
        }
        if boot.is_some() && reset.is_none() {
            return Err(format!(
                "[hub] bridges: {name:?} has `boot` alone; a board looks at it when it starts: give `reset`, too"
            ));
        }
        let pin = |pin: Option<String>| pin.map(|pin| Pin::parse(&pin)).transpose();
        lines.push(BridgeLine { reset: pin(reset)?, boot: pin(boot)?, path });
    }
    Ok(lines)
}

impl Pin {
    fn parse(text: &str) -> Result<Pin, String> {
        let parsed = text.rsplit_once(':').and_then(|(chip, line)| Some((chip, line.parse().ok()?)));
        match parsed {
            Some((chip, line)) if chip.starts_with('/') => Ok(Pin { chip: chip.into(), line }),
            _ => Err(format!(
                "[hub] bridges: {text:?} is no pin: give its chip's whole path and its number there, such as \"/dev/gpiochip0:17\""
            )),
        }
    }
}

impl Sensor {
    pub(super) fn checked(self) -> Result<WiredSensor, String> {
        let Sensor { chip: Chip::Tmp117, bus, address } = self;
        let bus = whole_bus("sensor", bus)?;
        if !(0x48..=0x4B).contains(&address) {
            return Err(format!(
                "[sensor] address = {address:#04x}: a TMP117 is at 0x48 to 0x4b, by what its address pin is wired to"
            ));
        }
        Ok(WiredSensor { bus, address })
    }
}

impl Scale {
    pub(super) fn checked(self) -> Result<WiredScale, String> {
        Ok(WiredScale { bus: whole_bus("scale", self.bus)? })
    }
}

fn whole_bus(table: &str, bus: PathBuf) -> Result<PathBuf, String> {
    if bus.is_absolute() {
        return Ok(bus);
    }
    Err(format!("[{table}] bus = {:?}: give its whole path, such as \"/dev/i2c-1\"", bus.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::config::Config;
    use std::path::Path;

    fn parsed(bridges: &str) -> Result<Config, String> {
        Config::parse(&format!("schema = 1\n[hub]\nbridges = [{bridges}]\n"), Path::new("/"))
    }

    #[test]
    fn a_line_may_have_pins() {
        let config = parsed(
            "\"/dev/ttyUSB0\", { line = \"/dev/ttyAMA0\", reset = \"/dev/gpiochip0:17\", boot = \"/dev/gpiochip1:4\" }",
        );
        let [plain, wired] = config.unwrap().bridges.try_into().unwrap();
        assert!(plain.reset.is_none() && plain.boot.is_none());
        let pin = |pin: Option<super::Pin>| pin.map(|pin| (pin.chip.display().to_string(), pin.line));
        assert_eq!(pin(wired.reset), Some(("/dev/gpiochip0".into(), 17)));
        assert_eq!(pin(wired.boot), Some(("/dev/gpiochip1".into(), 4)));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_cure() {
        for (bridges, cure) in [
            ("\"ttyUSB0\"", "whole path of a serial line"),
            ("\"/dev/a\", { line = \"/dev/a\" }", "there twice"),
            ("{ line = \"/dev/a\", boot = \"/dev/gpiochip0:4\" }", "give `reset`, too"),
            ("{ line = \"/dev/a\", reset = \"17\" }", "\"/dev/gpiochip0:17\""),
            ("{ line = \"/dev/a\", reset = \"/dev/gpiochip0\" }", "\"/dev/gpiochip0:17\""),
            ("{ line = \"/dev/a\", rest = \"/dev/gpiochip0:1\" }", "or { line = PATH"),
        ] {
            let said = parsed(bridges).unwrap_err();
            assert!(said.contains(cure), "{bridges}: {said}");
        }
        let sensor = |line: &str| {
            Config::parse(
                &format!("schema = 1\n[hub]\n[sensor]\nchip = \"tmp117\"\n{line}\n"),
                Path::new("/"),
            )
        };
        assert_eq!(sensor("bus = \"/dev/i2c-1\"").unwrap().sensor.unwrap().address, 0x48);
        assert!(sensor("bus = \"/dev/i2c-1\"\naddress = 0x4c").unwrap_err().contains("0x48 to 0x4b"));
    }
}
