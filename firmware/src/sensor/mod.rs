//! Thermometers that are wired to the board: what they show, when that is a measurement, and the octets of one.
//!
//! A wired sensor has no device that says when somebody measured, so that is decided here ([`Settling`]): once for each time its probe is
//! put to a body. What a measurement is to the hub is the same as if a thermometer had sent it over the air.

#[cfg(test)]
mod bus;
mod settling;
mod tmp105;
mod tmp117;

pub use settling::{News, Settling};
pub use tmp105::Tmp105;
pub use tmp117::Tmp117;

use core::fmt;
use hearth_wire::frame::said::{Link, Said, What};
use hearth_wire::frame::{Peer, Ticks};
use hearth_wire::gatt::{TemperatureMeasurement, TemperatureUnit};
use hearth_wire::{Decimal, Value};

/// In 256ths of a degree Celsius: what both kinds of sensors show is a whole number of these, and nothing is rounded twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Temperature(pub i32);

/// Why there is no temperature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// Nothing answers on the bus, or not all of it was taken.
    Silent,
    /// Something else than this sensor answers.
    Another,
    /// It shows what no probe has in a home.
    Impossible,
}

/// A sensor that is asked once a second.
pub trait Thermometer {
    /// What it shows now.
    fn sample(&mut self) -> impl Future<Output = Result<Temperature, Trouble>>;
}

/// The board's only thermometer.
const PEER: Peer = Peer::Wired(1);

/// The octets of a measurement.
const LENGTH: usize = 5;

impl Temperature {
    pub const fn degrees(whole: i32) -> Temperature {
        Temperature(whole * 256)
    }

    /// In hundredths of a degree, rounded; a half away from zero.
    #[must_use]
    pub const fn hundredths(self) -> i32 {
        let half = if self.0 < 0 { -128 } else { 128 };
        (self.0 * 100 + half) / 256
    }
}

impl Trouble {
    /// For a technician.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Trouble::Silent => "the thermometer does not answer",
            Trouble::Another => "what answers where the thermometer should be is no such thermometer",
            Trouble::Impossible => "the thermometer shows what cannot be",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// A measurement, as the record that says it: the value of a Temperature Measurement in Celsius, with no time of its own and without a
/// place on the body. The buffer is the record's.
pub fn measurement(temperature: Temperature, at: Ticks, buffer: &mut [u8; LENGTH]) -> Option<Said<'_>> {
    let measured = TemperatureMeasurement {
        unit: TemperatureUnit::Celsius,
        temperature: Value::Finite(Decimal::new(temperature.hundredths(), -2)),
        time_stamp: None,
        kind: None,
        reserved_flags: 0,
    };
    let octets = measured.encode(buffer).ok()?;
    let what = What::Value { link: Link::Wired, characteristic: TemperatureMeasurement::UUID, octets };
    Some(Said { at, peer: PEER, contact: 0, what })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Flags 0; then the mantissa in three octets, least significant first, and the exponent -2, which is FE.
    /// 36.60 is 3660, and that is 0E4C; -0.50 is -50, and that is FFFFCE.
    #[test]
    fn a_measurement_has_these_octets() {
        for (temperature, expected) in [
            // 36.6015625, the nearest that there is: 36.60.
            (Temperature(9_370), [0x00, 0x4C, 0x0E, 0x00, 0xFE]),
            // 36.5625, as a sensor with twelve bits shows 36.6: 36.56.
            (Temperature(9_360), [0x00, 0x48, 0x0E, 0x00, 0xFE]),
            (Temperature::degrees(37), [0x00, 0x74, 0x0E, 0x00, 0xFE]),
            (Temperature(-128), [0x00, 0xCE, 0xFF, 0xFF, 0xFE]),
        ] {
            let mut buffer = [0xAA; LENGTH];
            let said = measurement(temperature, Ticks(5_000), &mut buffer).unwrap();
            let what = What::Value { link: Link::Wired, characteristic: 0x2A1C, octets: &expected };
            assert_eq!(said, Said { at: Ticks(5_000), peer: Peer::Wired(1), contact: 0, what });
        }
    }

    #[test]
    fn a_half_is_rounded_away_from_zero() {
        // 32/256 is 0.125, 96/256 is 0.375.
        for (temperature, hundredths) in [(32, 13), (-32, -13), (96, 38), (-96, -38), (1, 0), (-1, 0), (2, 1)]
        {
            assert_eq!(Temperature(temperature).hundredths(), hundredths, "{temperature}");
        }
    }
}
