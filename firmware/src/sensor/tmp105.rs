//! The TMP105 of Texas Instruments, and its kin TMP75 and LM75: half a degree to two, enough to show that a board works.
//!
//! Layout: TI, TMP105 data sheet, "Register Map".

use super::{Temperature, Thermometer, Trouble};
use embedded_hal_async::i2c::I2c;

/// Signed, left-justified: in 256ths of a degree, of which the low four bits are always clear.
const TEMPERATURE: u8 = 0;
const CONFIGURATION: u8 = 1;
/// Bits R1 and R0: twelve bits, a sixteenth of a degree. After power-on it is half a degree.
const TWELVE_BITS: u8 = 0x60;

/// A bus, and where on it the sensor is: 0x48 to 0x4F, by what its address pins are wired to.
#[derive(Debug)]
pub struct Tmp105<I> {
    bus: I,
    address: u8,
}

impl<I: I2c> Tmp105<I> {
    pub fn new(bus: I, address: u8) -> Self {
        Self { bus, address }
    }
}

impl<I: I2c> Thermometer for Tmp105<I> {
    async fn sample(&mut self) -> Result<Temperature, Trouble> {
        // Each time: one that lost its power for a moment has forgotten it, and says nothing of that.
        let set = self.bus.write(self.address, &[CONFIGURATION, TWELVE_BITS]).await;
        set.map_err(|_| Trouble::Silent)?;
        let mut octets = [0; 2];
        let read = self.bus.write_read(self.address, &[TEMPERATURE], &mut octets).await;
        read.map_err(|_| Trouble::Silent)?;
        if octets == [0xFF; 2] {
            // A line that nobody pulls down.
            return Err(Trouble::Silent);
        }
        Ok(Temperature(i16::from_be_bytes(octets).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::bus::Bus;
    use super::*;
    use embassy_futures::block_on as now;

    #[test]
    fn it_shows_256ths_of_a_degree_and_is_set_to_twelve_bits() {
        let mut sensor = Tmp105::new(Bus::new(0x48), 0x48);
        // The data sheet's table: 127.9375 is 7FF0, 25 is 1900, 0.25 is 0040, -0.25 is FFC0, -55 is C900.
        for (register, temperature) in [
            (0x7FF0, Ok(Temperature(0x7FF0))),
            (0x1900, Ok(Temperature::degrees(25))),
            (0x0040, Ok(Temperature(64))),
            (0xFFC0, Ok(Temperature(-64))),
            (0xC900, Ok(Temperature::degrees(-55))),
            (0xFFFF, Err(Trouble::Silent)),
        ] {
            sensor.bus.shows(0, &u16::to_be_bytes(register));
            assert_eq!(now(sensor.sample()), temperature, "{register:04X}");
            assert_eq!(sensor.bus.written.pop().as_deref(), Some(&[CONFIGURATION, TWELVE_BITS][..]));
        }
        sensor.bus.is_there = false;
        assert_eq!(now(sensor.sample()), Err(Trouble::Silent));
    }
}
