//! A device's registers: words at fixed addresses, each read and written as a whole.

use core::ptr::{read_volatile, write_volatile};

/// A device, by where its registers begin.
#[derive(Clone, Copy)]
pub(crate) struct Registers(usize);

impl Registers {
    /// The address of a device of this machine: what is written there has effects, and is no memory of the program's.
    pub(crate) const fn at(address: usize) -> Registers {
        Registers(address)
    }

    pub(crate) fn read(self, offset: usize) -> u32 {
        // SAFETY: whoever made this named a device, whose registers are aligned words, and no memory that Rust knows of.
        unsafe { read_volatile((self.0 + offset) as *const u32) }
    }

    pub(crate) fn write(self, offset: usize, value: u32) {
        // SAFETY: the same; what the drivers here write lets no device touch memory, since none of these can.
        unsafe { write_volatile((self.0 + offset) as *mut u32, value) }
    }
}
