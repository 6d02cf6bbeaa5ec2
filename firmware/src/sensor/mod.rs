//! Sensors that are wired to the board: what they show, when that is a measurement, and the octets of one.
//!
//! A wired sensor has no device that says when somebody measured, so that is decided here: for a thermometer's probe by [`Settling`], for a
//! scale by [`Weighing`], once for each time that it was used. What a measurement is to the hub is the same as if a device had sent
//! it over the air.

#[cfg(test)]
mod bus;
mod nau7802;
mod settling;
mod still;
mod tmp105;
mod tmp117;
mod weighing;

pub use nau7802::Nau7802;
pub use settling::{News, Settling};
pub use tmp105::Tmp105;
pub use tmp117::Tmp117;
pub use weighing::{Calibration, Counts, Grams, News as ScaleNews, Weighing};

use hearth_wire::frame::said::{Link, Said, What};
use hearth_wire::frame::{Peer, Ticks};
use hearth_wire::gatt::{TemperatureMeasurement, TemperatureUnit, WeightMeasurement, WeightUnit};
use hearth_wire::{Decimal, Value};

/// In 256ths of a degree Celsius: what both kinds of sensors show is a whole number of these, and nothing is rounded twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Temperature(pub i32);

/// A board has one of each at the most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sensor {
    Thermometer,
    Scale,
}

/// Why a sensor shows nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// Nothing answers on the bus, or not all of it was taken.
    Silent,
    /// Something else than this sensor answers.
    Another,
    /// It shows what can't be in a home.
    Impossible,
    /// A scale was not seen empty for a minute.
    Laden,
    /// Nobody has told a scale what a mass is.
    NotCalibrated,
}

/// A sensor that is asked once a second.
pub trait Thermometer {
    /// What it shows now.
    fn sample(&mut self) -> impl Future<Output = Result<Temperature, Trouble>>;
}

/// A converter that is asked ten times a second.
pub trait LoadCell {
    /// What it has shown since it was asked last. `None`: nothing new.
    fn sample(&mut self) -> impl Future<Output = Result<Option<Counts>, Trouble>>;
}

/// What a board has where it has no such sensor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absent {}

impl Thermometer for Absent {
    async fn sample(&mut self) -> Result<Temperature, Trouble> {
        match *self {}
    }
}

impl LoadCell for Absent {
    async fn sample(&mut self) -> Result<Option<Counts>, Trouble> {
        match *self {}
    }
}

impl Temperature {
    pub const fn degrees(whole: i32) -> Temperature {
        Temperature(whole * 256)
    }

    /// Whether a probe in a home may show it.
    #[must_use]
    pub fn is_possible(self) -> bool {
        (Temperature::degrees(-40)..=Temperature::degrees(60)).contains(&self)
    }

    /// In hundredths of a degree, rounded; a half away from zero.
    #[must_use]
    pub const fn hundredths(self) -> i32 {
        let half = if self.0 < 0 { -128 } else { 128 };
        (self.0 * 100 + half) / 256
    }
}

impl Grams {
    /// In steps of 5 g, as the octets of a weight have them, rounded. `None`: it is below nothing.
    const fn five_grams(self) -> Option<i32> {
        if self.0 < 0 { None } else { Some((self.0 + 2) / 5 * 5) }
    }
}

impl Sensor {
    const fn peer(self) -> Peer {
        Peer::Wired(match self {
            Sensor::Thermometer => 1,
            Sensor::Scale => 2,
        })
    }

    /// For a technician: what is wrong with it.
    #[must_use]
    pub const fn fails(self, trouble: Trouble) -> &'static str {
        match (self, trouble) {
            (Sensor::Thermometer, Trouble::Silent) => "the thermometer does not answer",
            (Sensor::Thermometer, Trouble::Another) => {
                "what answers where the thermometer should be is no such thermometer"
            }
            (Sensor::Thermometer, _) => "the thermometer shows what cannot be",
            (Sensor::Scale, Trouble::Silent) => "the scale does not answer",
            (Sensor::Scale, Trouble::Another) => {
                "what answers where the scale's converter should be is no such converter"
            }
            (Sensor::Scale, Trouble::Impossible) => {
                "the scale shows what cannot be: look at how its load cell is wired"
            }
            (Sensor::Scale, Trouble::Laden) => {
                "something lies on the scale: nothing is weighed until it is empty"
            }
            (Sensor::Scale, Trouble::NotCalibrated) => {
                "the scale was never calibrated: nothing is weighed until it is"
            }
        }
    }

    #[must_use]
    pub const fn works_again(self) -> &'static str {
        match self {
            Sensor::Thermometer => "the thermometer works again",
            Sensor::Scale => "the scale works again",
        }
    }
}

/// The octets of a measurement, of either kind.
pub const LENGTH: usize = 5;

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
    Some(said(Sensor::Thermometer, at, TemperatureMeasurement::UUID, octets))
}

/// A weighing, as the record that says it: the value of a Weight Measurement in kilograms, and no more.
pub fn weighing(grams: Grams, at: Ticks, buffer: &mut [u8; LENGTH]) -> Option<Said<'_>> {
    let measured = WeightMeasurement {
        unit: WeightUnit::Si,
        weight: Some(Decimal::new(grams.five_grams()?, -3)),
        time_stamp: None,
        user_id: None,
        body_mass_index_height: None,
        reserved_flags: 0,
    };
    let octets = measured.encode(buffer).ok()?;
    Some(said(Sensor::Scale, at, WeightMeasurement::UUID, octets))
}

fn said(sensor: Sensor, at: Ticks, characteristic: u16, octets: &[u8]) -> Said<'_> {
    let what = What::Value { link: Link::Wired, characteristic, octets };
    Said { at, peer: sensor.peer(), contact: 0, what }
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

    /// Flags 0, then the weight in steps of 5 g: 72 kg are 14 400 of them, and that is 3840; 72.003 kg the same and one more.
    #[test]
    fn a_weighing_has_these_octets() {
        for (grams, expected) in [
            (72_000, Some([0x00, 0x40, 0x38])),
            (72_002, Some([0x00, 0x40, 0x38])),
            (72_003, Some([0x00, 0x41, 0x38])),
            (300_000, Some([0x00, 0x60, 0xEA])),
            (-1, None),
            (400_000, None),
        ] {
            let mut buffer = [0xAA; LENGTH];
            let said = weighing(Grams(grams), Ticks(5_000), &mut buffer);
            let what = |octets| What::Value { link: Link::Wired, characteristic: 0x2A9D, octets };
            let expected = expected.as_ref().map(|octets| what(&octets[..]));
            assert_eq!(said.map(|said| (said.peer, said.what)), expected.map(|what| (Peer::Wired(2), what)));
        }
    }
}
