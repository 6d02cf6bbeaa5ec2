//! The TMP117 of Texas Instruments: a tenth of a degree in the worst case, as a clinical thermometer has it.
//!
//! Layout: TI, TMP117 data sheet, "Register Map". Its settings stay as they are after power-on: it measures once a second, each
//! time eight values' mean.

use super::{Temperature, Thermometer, Trouble};
use embedded_hal_async::i2c::I2c;

/// Signed, in 128ths of a degree.
const TEMPERATURE: u8 = 0x00;
/// The low twelve bits say the kind, the others its revision.
const DEVICE: u8 = 0x0F;
const KIND: u16 = 0x117;

/// A bus, and where on it the sensor is: 0x48 to 0x4B, by what its address pin is wired to.
#[derive(Debug)]
pub struct Tmp117<I> {
    bus: I,
    address: u8,
    /// It has said that it is one. Asked again after any trouble: another may have been plugged in.
    is_known: bool,
}

impl<I: I2c> Tmp117<I> {
    pub fn new(bus: I, address: u8) -> Self {
        Self { bus, address, is_known: false }
    }

    async fn register(&mut self, register: u8) -> Result<[u8; 2], Trouble> {
        let mut octets = [0; 2];
        let read = self.bus.write_read(self.address, &[register], &mut octets).await;
        if read.is_err() || octets == NOBODY {
            self.is_known = false;
            return Err(Trouble::Silent);
        }
        Ok(octets)
    }
}

/// What a line reads as that nobody pulls down. As a temperature it is a hair below zero, which no body has.
const NOBODY: [u8; 2] = [0xFF; 2];

impl<I: I2c> Thermometer for Tmp117<I> {
    async fn sample(&mut self) -> Result<Temperature, Trouble> {
        if !self.is_known {
            let device = u16::from_be_bytes(self.register(DEVICE).await?);
            if device & 0x0FFF != KIND {
                return Err(Trouble::Another);
            }
            self.is_known = true;
        }
        // Until it has measured for the first time it shows -256, which nothing here has.
        let shown = i16::from_be_bytes(self.register(TEMPERATURE).await?);
        Ok(Temperature(i32::from(shown) * 2))
    }
}

#[cfg(test)]
mod tests {
    use super::super::bus::Bus;
    use super::*;
    use embassy_futures::block_on as now;

    #[test]
    fn it_shows_128ths_of_a_degree() {
        let mut bus = Bus::new(0x48);
        bus.shows(0x0F, &[0x01, 0x17]);
        let mut sensor = Tmp117::new(bus, 0x48);
        // The data sheet's table: 25 is 0C80, -0.0078125 is FFFF (here: nobody), -25 is F380, 100 is 3200.
        for (register, temperature) in [
            (0x0C80, Ok(Temperature::degrees(25))),
            (0xF380, Ok(Temperature::degrees(-25))),
            (0x3200, Ok(Temperature::degrees(100))),
            (0xFFFF, Err(Trouble::Silent)),
            (0x124D, Ok(Temperature(9_370))),
        ] {
            sensor.bus.shows(0x00, &u16::to_be_bytes(register));
            assert_eq!(now(sensor.sample()), temperature, "{register:04X}");
        }
    }

    #[test]
    fn another_than_it_is_not_believed() {
        let mut bus = Bus::new(0x49);
        bus.shows(0x0F, &[0x71, 0x17]);
        bus.shows(0x00, &[0x0C, 0x80]);
        let mut sensor = Tmp117::new(bus, 0x49);
        assert_eq!(now(sensor.sample()), Ok(Temperature::degrees(25)), "any revision");
        sensor.bus.is_there = false;
        assert_eq!(now(sensor.sample()), Err(Trouble::Silent));
        sensor.bus.is_there = true;
        sensor.bus.shows(0x0F, &[0x01, 0x90]);
        assert_eq!(now(sensor.sample()), Err(Trouble::Another));
    }
}
