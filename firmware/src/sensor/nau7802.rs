//! The NAU7802 of Nuvoton: a converter of 24 bits for a load cell, ten times a second.
//!
//! Layout: Nuvoton, NAU7802 data sheet, "Register Map" and "Power-On Sequencing". It is set up step by step, one each time it is asked, so that
//! nobody waits for it.

use super::weighing::Counts;
use super::{LoadCell, Trouble};
use embedded_hal_async::i2c::I2c;

/// Power-up control: registers reset, digital and analogue part powered up, powered up (it says), conversions started, one ready (it
/// says), the analogue supply made by the chip.
const POWER: u8 = 0x00;
const RESET: u8 = 1;
const DIGITAL: u8 = 1 << 1;
const ANALOGUE: u8 = 1 << 2;
const IS_UP: u8 = 1 << 3;
const CONVERTS: u8 = 1 << 4;
const IS_READY: u8 = 1 << 5;
const OWN_SUPPLY: u8 = 1 << 7;
const RUNS: u8 = OWN_SUPPLY | CONVERTS | ANALOGUE | DIGITAL;
/// A supply of 3.0 V for the cell, its signal 128-fold.
const CONTROL_1: (u8, u8) = (0x01, 0b0010_1111);
/// Ten conversions a second of the first channel; its own offset is found out, which it says when it is.
const CONTROL_2: u8 = 0x02;
const FINDS_OFFSET: u8 = 1 << 2;
const NO_OFFSET: u8 = 1 << 3;
/// The chopper's clock off, and the capacitor at the second channel's pins used: what the data sheet wants for one channel.
const CONVERTER: (u8, u8) = (0x15, 0x30);
const AMPLIFIER_POWER: (u8, u8) = (0x1C, 0x80);
/// 24 bits, signed, the highest first.
const CONVERSION: u8 = 0x12;
/// The low four bits are all ones.
const REVISION: u8 = 0x1F;
const ADDRESS: u8 = 0x2A;
/// What it shows when the signal is more than it can convert.
const RAILS: [i32; 2] = [-0x80_0000, 0x7F_FFFF];
/// So often it is asked whether a step is done: it takes a third of a second at the most.
const PATIENCE: u8 = 10;
/// The analogue supply has settled after six tenths of a second: an offset that is found before is another.
const SETTLES: u8 = 6;
/// The first conversions are of what was before.
const PASSED_OVER: u8 = 4;

/// A bus with the converter on it: it has one address.
#[derive(Debug)]
pub struct Nau7802<I> {
    bus: I,
    step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Start,
    PowersUp(u8),
    Settles(u8),
    FindsOffset(u8),
    /// So many conversions are still passed over.
    Runs(u8),
}

impl<I: I2c> Nau7802<I> {
    pub fn new(bus: I) -> Self {
        Self { bus, step: Step::Start }
    }

    async fn read<const N: usize>(&mut self, register: u8) -> Result<[u8; N], Trouble> {
        let mut octets = [0; N];
        self.bus.write_read(ADDRESS, &[register], &mut octets).await.map_err(|_| Trouble::Silent)?;
        Ok(octets)
    }

    async fn write(&mut self, register: u8, octet: u8) -> Result<(), Trouble> {
        self.bus.write(ADDRESS, &[register, octet]).await.map_err(|_| Trouble::Silent)
    }
}

impl<I: I2c> LoadCell for Nau7802<I> {
    async fn sample(&mut self) -> Result<Option<Counts>, Trouble> {
        // Whatever fails, it is set up from the beginning.
        self.step = match core::mem::replace(&mut self.step, Step::Start) {
            Step::Start => {
                let [revision] = self.read(REVISION).await?;
                if revision & 0x0F != 0x0F {
                    return Err(Trouble::Another);
                }
                self.write(POWER, RESET).await?;
                self.write(POWER, DIGITAL).await?;
                Step::PowersUp(PATIENCE)
            }
            Step::PowersUp(0) | Step::FindsOffset(0) => return Err(Trouble::Silent),
            Step::PowersUp(left) => {
                let [power] = self.read(POWER).await?;
                if power & (IS_UP | RESET) == IS_UP {
                    self.write(POWER, OWN_SUPPLY | ANALOGUE | DIGITAL).await?;
                    for (register, octet) in [CONTROL_1, CONVERTER, AMPLIFIER_POWER] {
                        self.write(register, octet).await?;
                    }
                    Step::Settles(SETTLES)
                } else {
                    Step::PowersUp(left - 1)
                }
            }
            Step::Settles(0) => {
                self.write(CONTROL_2, FINDS_OFFSET).await?;
                Step::FindsOffset(PATIENCE)
            }
            Step::Settles(left) => Step::Settles(left - 1),
            Step::FindsOffset(left) => {
                let [found] = self.read(CONTROL_2).await?;
                match found & (FINDS_OFFSET | NO_OFFSET) {
                    0 => {
                        self.write(POWER, RUNS).await?;
                        Step::Runs(PASSED_OVER)
                    }
                    FINDS_OFFSET => Step::FindsOffset(left - 1),
                    _ => return Err(Trouble::Impossible),
                }
            }
            Step::Runs(passes) => {
                let [power] = self.read(POWER).await?;
                // One that lost its power for a moment has forgotten all of it. All ones is a line that nobody pulls down.
                if power & (RUNS | RESET) != RUNS {
                    return Err(Trouble::Silent);
                }
                if power & IS_READY == 0 {
                    self.step = Step::Runs(passes);
                    return Ok(None);
                }
                let [high, middle, low] = self.read(CONVERSION).await?;
                self.step = Step::Runs(passes.saturating_sub(1));
                if passes > 0 {
                    return Ok(None);
                }
                let counts = i32::from_be_bytes([high, middle, low, 0]) >> 8;
                return if RAILS.contains(&counts) {
                    Err(Trouble::Impossible)
                } else {
                    Ok(Some(Counts(counts)))
                };
            }
        };
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bus::Bus;
    use super::*;
    use embassy_futures::block_on as now;

    /// One that is there.
    #[derive(Debug)]
    struct Bench {
        sensor: Nau7802<Bus>,
    }

    impl Bench {
        fn new() -> Bench {
            let mut bus = Bus::new(0x2A);
            bus.shows(0x1F, &[0x0F]);
            Bench { sensor: Nau7802::new(bus) }
        }

        fn sample(&mut self) -> Result<Option<Counts>, Trouble> {
            now(self.sensor.sample())
        }

        fn has(&mut self, register: u8, octet: u8) {
            self.sensor.bus.shows(register, &[octet]);
        }

        fn has_converted(&mut self, octets: [u8; 3]) {
            self.sensor.bus.shows(0x12, &octets);
        }

        fn written(&mut self) -> Vec<(u8, u8)> {
            let written = std::mem::take(&mut self.sensor.bus.written);
            written.into_iter().map(|octets| (octets[0], octets[1])).collect()
        }

        fn running() -> Bench {
            let mut bench = Bench::new();
            assert_eq!(bench.sample(), Ok(None));
            bench.has(0x00, 0b0000_1010);
            (0..8).for_each(|_| assert_eq!(bench.sample(), Ok(None)));
            bench.has(0x02, 0);
            assert_eq!(bench.sample(), Ok(None));
            bench.has(0x00, 0b1011_1110);
            bench.has_converted([0x11; 3]);
            (0..4).for_each(|_| assert_eq!(bench.sample(), Ok(None), "of what was before"));
            bench.has(0x00, 0b1001_1110);
            bench.written();
            bench
        }
    }

    /// The data sheet's order: reset, the digital part, wait until it is up; then the analogue part, the supply and the gain; the offset
    /// is found out; then it converts.
    #[test]
    fn it_is_set_up_step_by_step() {
        let mut bench = Bench::new();
        assert_eq!(bench.sample(), Ok(None));
        assert_eq!(bench.written(), [(0x00, 0b1), (0x00, 0b10)]);
        assert_eq!(bench.sample(), Ok(None), "it is not up yet");
        assert_eq!(bench.written(), []);
        bench.has(0x00, 0b1010);
        assert_eq!(bench.sample(), Ok(None));
        assert_eq!(bench.written(), [(0x00, 0b1000_0110), (0x01, 0b0010_1111), (0x15, 0x30), (0x1C, 0x80)]);
        (0..6).for_each(|_| assert_eq!(bench.sample(), Ok(None), "its supply settles"));
        assert_eq!(bench.written(), []);
        assert_eq!(bench.sample(), Ok(None));
        assert_eq!(bench.written(), [(0x02, 0b100)]);
        bench.has(0x02, 0b100);
        assert_eq!(bench.sample(), Ok(None), "it finds out its offset");
        assert_eq!(bench.written(), []);
        bench.has(0x02, 0);
        assert_eq!(bench.sample(), Ok(None));
        assert_eq!(bench.written(), [(0x00, 0b1001_0110)]);
    }

    #[test]
    fn it_shows_24_bits_with_their_sign() {
        let mut bench = Bench::running();
        assert_eq!(bench.sample(), Ok(None), "nothing new");
        bench.has(0x00, 0b1011_1110);
        for (octets, shown) in [
            ([0x00, 0x00, 0x01], Ok(Some(Counts(1)))),
            ([0x01, 0x02, 0x03], Ok(Some(Counts(66_051)))),
            ([0xFF, 0xFF, 0xFE], Ok(Some(Counts(-2)))),
            ([0x7F, 0xFF, 0xFE], Ok(Some(Counts(8_388_606)))),
            ([0x7F, 0xFF, 0xFF], Err(Trouble::Impossible)),
            ([0x80, 0x00, 0x00], Err(Trouble::Impossible)),
            ([0x80, 0x00, 0x01], Ok(Some(Counts(-8_388_607)))),
        ] {
            bench.has_converted(octets);
            assert_eq!(bench.sample(), shown, "{octets:02X?}");
        }
    }

    #[test]
    fn one_that_lost_its_power_is_set_up_again() {
        for forgot in [0x00, 0b0000_1010, 0xFF] {
            let mut bench = Bench::running();
            bench.has(0x00, forgot);
            assert_eq!(bench.sample(), Err(Trouble::Silent), "{forgot:02X}");
            assert_eq!(bench.sample(), Ok(None));
            assert_eq!(bench.written(), [(0x00, 0b1), (0x00, 0b10)]);
        }
        let mut bench = Bench::running();
        bench.sensor.bus.is_there = false;
        assert_eq!(bench.sample(), Err(Trouble::Silent));
    }

    #[test]
    fn another_than_it_is_not_believed_and_one_that_hangs_is_said() {
        let mut bench = Bench::new();
        bench.has(0x1F, 0x1E);
        assert_eq!(bench.sample(), Err(Trouble::Another));
        let mut bench = Bench::new();
        let hangs = (0..30).find(|_| bench.sample() == Err(Trouble::Silent));
        assert_eq!(hangs, Some(11), "it never is up");
        let mut bench = Bench::new();
        assert_eq!(bench.sample(), Ok(None));
        bench.has(0x00, 0b1010);
        (0..8).for_each(|_| assert_eq!(bench.sample(), Ok(None)));
        bench.has(0x02, 0b1000);
        assert_eq!(bench.sample(), Err(Trouble::Impossible), "no offset: the cell is not wired");
        bench.has(0x00, 0);
        assert_eq!(bench.sample(), Ok(None));
        assert_eq!(bench.sensor.step, Step::PowersUp(PATIENCE), "from the beginning");
    }
}
