//! The UARTs to the hub and to the radio's controller, with a buffer each way that interrupts fill and empty.
//!
//! Layout: Arm, Cortex-M System Design Kit Technical Reference Manual, "APB UART".

use crate::CLOCK;
use crate::registers::Registers;
use core::cell::Cell;
use core::convert::Infallible;
use core::future::poll_fn;
use core::task::Poll;
use critical_section::Mutex;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::pipe::Pipe;
use embassy_sync::waitqueue::AtomicWaker;
use embedded_io_async::{ErrorType, Read, Write};

const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CONTROL: usize = 0x08;
/// Which interrupts came; a one that is written there takes it back.
const INTERRUPTS: usize = 0x0C;
const DIVIDER: usize = 0x10;

/// In `STATE`: an octet has come.
const HAS_COME: u32 = 1 << 1;
/// In `INTERRUPTS`: an octet has gone, one has come.
const GONE: u32 = 1;
const CAME: u32 = 1 << 1;
/// In `CONTROL`: sends and receives, both with interrupts.
const BOTH_WAYS: u32 = 0b1111;

const TO: usize = 256;

/// `FROM`: so many octets may come while nobody reads.
pub(crate) struct Port<const FROM: usize> {
    registers: Registers,
    came: Pipe<CriticalSectionRawMutex, FROM>,
    goes: Pipe<CriticalSectionRawMutex, TO>,
    /// An octet is on its way, and an interrupt follows.
    sends: Mutex<Cell<bool>>,
    /// Whoever waits until none is.
    sent: AtomicWaker,
}

pub(crate) struct Input<const FROM: usize>(&'static Port<FROM>);
pub(crate) struct Output<const FROM: usize>(&'static Port<FROM>);

impl<const FROM: usize> Port<FROM> {
    pub(crate) const fn new(address: usize) -> Self {
        Port {
            registers: Registers::at(address),
            came: Pipe::new(),
            goes: Pipe::new(),
            sends: Mutex::new(Cell::new(false)),
            sent: AtomicWaker::new(),
        }
    }

    /// Called once: its two ends are each somebody's own.
    pub(crate) fn start(&'static self, baud: u32) -> (Input<FROM>, Output<FROM>) {
        self.registers.write(DIVIDER, CLOCK / baud);
        self.registers.write(CONTROL, BOTH_WAYS);
        (Input(self), Output(self))
    }

    pub(crate) fn interrupted(&self) {
        let which = self.registers.read(INTERRUPTS);
        self.registers.write(INTERRUPTS, which);
        if which & CAME != 0 {
            self.take();
        }
        if which & GONE != 0 {
            self.send_next();
        }
    }

    /// Takes what has come. What there is no room for stays where it is, until somebody has read.
    fn take(&self) {
        while self.registers.read(STATE) & HAS_COME != 0 && !self.came.is_full() {
            let octet = self.registers.read(DATA) as u8;
            // There is room.
            _ = self.came.try_write(&[octet]);
        }
    }

    fn send_next(&self) {
        critical_section::with(|cs| {
            let mut octet = [0];
            let goes = self.goes.try_read(&mut octet).is_ok();
            self.sends.borrow(cs).set(goes);
            if goes {
                self.registers.write(DATA, octet[0].into());
            } else {
                self.sent.wake();
            }
        });
    }
}

impl<const FROM: usize> ErrorType for Input<FROM> {
    type Error = Infallible;
}

impl<const FROM: usize> ErrorType for Output<FROM> {
    type Error = Infallible;
}

impl<const FROM: usize> Read for Input<FROM> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, Infallible> {
        let many = self.0.came.read(into).await;
        // No interrupt says again what it has said.
        critical_section::with(|_| self.0.take());
        Ok(many)
    }
}

impl<const FROM: usize> Write for Output<FROM> {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, Infallible> {
        let many = self.0.goes.write(octets).await;
        let idle = critical_section::with(|cs| !self.0.sends.borrow(cs).replace(true));
        if idle {
            self.0.send_next();
        }
        Ok(many)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        poll_fn(|context| {
            self.0.sent.register(context.waker());
            let sends = critical_section::with(|cs| self.0.sends.borrow(cs).get());
            if sends { Poll::Pending } else { Poll::Ready(Ok(())) }
        })
        .await
    }
}
