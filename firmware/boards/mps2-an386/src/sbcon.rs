//! A bus of two wires that the processor moves bit by bit.
//!
//! Layout: QEMU, hw/i2c/arm_sbcon_i2c.c, after Arm's two-wire serial bus interface: a one that is written to the first register lets a
//! wire go, to the second one pulls it down; the first shows what they are.

use crate::CLOCK;
use crate::registers::Registers;
use embedded_hal_async::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};

const LET_GO: usize = 0;
const PULL_DOWN: usize = 4;
const CLOCK_WIRE: u32 = 1;
const DATA_WIRE: u32 = 2;

/// Half a bit at 100 kHz.
const HALF_A_BIT: u32 = CLOCK / 200_000;

pub(crate) struct Bus(Registers);

impl Bus {
    pub(crate) fn new(address: usize) -> Bus {
        let bus = Bus(Registers::at(address));
        bus.let_go(CLOCK_WIRE | DATA_WIRE);
        bus
    }

    fn let_go(&self, wires: u32) {
        self.0.write(LET_GO, wires);
        cortex_m::asm::delay(HALF_A_BIT);
    }

    fn pull_down(&self, wires: u32) {
        self.0.write(PULL_DOWN, wires);
        cortex_m::asm::delay(HALF_A_BIT);
    }

    fn start(&self) {
        self.let_go(DATA_WIRE);
        self.let_go(CLOCK_WIRE);
        self.pull_down(DATA_WIRE);
        self.pull_down(CLOCK_WIRE);
    }

    fn stop(&self) {
        self.pull_down(DATA_WIRE);
        self.let_go(CLOCK_WIRE);
        self.let_go(DATA_WIRE);
    }

    fn write_bit(&self, bit: bool) {
        if bit {
            self.let_go(DATA_WIRE)
        } else {
            self.pull_down(DATA_WIRE)
        }
        self.let_go(CLOCK_WIRE);
        self.pull_down(CLOCK_WIRE);
    }

    fn read_bit(&self) -> bool {
        self.let_go(DATA_WIRE);
        self.let_go(CLOCK_WIRE);
        let bit = self.0.read(LET_GO) & DATA_WIRE != 0;
        self.pull_down(CLOCK_WIRE);
        bit
    }

    /// `Err`: nobody has taken it.
    fn write(&self, octet: u8, source: NoAcknowledgeSource) -> Result<(), ErrorKind> {
        (0..8).rev().for_each(|bit| self.write_bit(octet >> bit & 1 == 1));
        if self.read_bit() { Err(ErrorKind::NoAcknowledge(source)) } else { Ok(()) }
    }

    /// The last one is not acknowledged: so its sender knows that it was.
    fn read(&self, is_last: bool) -> u8 {
        let octet = (0..8).fold(0, |octet, _| octet << 1 | u8::from(self.read_bit()));
        self.write_bit(is_last);
        octet
    }

    fn carry_out(&self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        let mut reads_before = None;
        let mut left = operations.iter_mut().peekable();
        while let Some(operation) = left.next() {
            let reads = matches!(operation, Operation::Read(_));
            if reads_before.replace(reads) != Some(reads) {
                self.start();
                self.write(address << 1 | u8::from(reads), NoAcknowledgeSource::Address)?;
            }
            match operation {
                Operation::Write(octets) => {
                    octets.iter().try_for_each(|octet| self.write(*octet, NoAcknowledgeSource::Data))?;
                }
                Operation::Read(into) => {
                    let goes_on = matches!(left.peek(), Some(Operation::Read(_)));
                    let last = into.len().saturating_sub(1);
                    for (at, octet) in into.iter_mut().enumerate() {
                        *octet = self.read(at == last && !goes_on);
                    }
                }
            }
        }
        Ok(())
    }
}

impl ErrorType for Bus {
    type Error = ErrorKind;
}

impl I2c for Bus {
    /// It never waits: until it is over nothing else happens but interrupts.
    async fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        let done = self.carry_out(address, operations);
        self.stop();
        done
    }
}
