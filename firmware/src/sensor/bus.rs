//! A bus of two wires with one device that has registers, for the tests of sensors.

use embedded_hal_async::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct Bus {
    address: u8,
    pub(crate) is_there: bool,
    registers: BTreeMap<u8, Vec<u8>>,
    /// What was written, beyond a register's number.
    pub(crate) written: Vec<Vec<u8>>,
}

impl Bus {
    pub(crate) fn new(address: u8) -> Bus {
        Bus { address, is_there: true, registers: BTreeMap::new(), written: vec![] }
    }

    /// What the register has when it is read; zeros, where nobody said.
    pub(crate) fn shows(&mut self, register: u8, octets: &[u8]) {
        self.registers.insert(register, octets.to_vec());
    }
}

impl ErrorType for Bus {
    type Error = ErrorKind;
}

impl I2c for Bus {
    async fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        if !self.is_there || address != self.address {
            return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));
        }
        let mut pointer = 0;
        for operation in operations {
            match operation {
                Operation::Write([register]) => pointer = *register,
                Operation::Write(octets) => self.written.push(octets.to_vec()),
                Operation::Read(into) => {
                    into.fill(0);
                    if let Some(register) = self.registers.get(&pointer) {
                        into.copy_from_slice(register);
                    }
                }
            }
        }
        Ok(())
    }
}
