//! A bridge's line to its hub over USB: a serial port (CDC ACM), which Linux has without a driver of its own and names by the board's
//! EUI-64, wherever it is plugged in.
#![no_std]
#![forbid(unsafe_code)]

use core::convert::Infallible;
use core::fmt;
use core::fmt::Write as _;
use embassy_usb::class::cdc_acm::{CdcAcmClass, Receiver, Sender, State};
use embassy_usb::driver::{Driver, EndpointError};
use embassy_usb::{Builder, Config, UsbDevice};
use embedded_io_async::{ErrorType, Read, Write};
use heapless::String;
use hearth_wire::frame::BridgeId;

/// The number that pid.codes gives to whoever tries something out. Whoever sells boards has one of their own.
const MAKER: u16 = 0x1209;
const PRODUCT: u16 = 0x0001;
/// At full speed a packet has as many octets.
const PACKET: usize = 64;
/// A packet that is full is not the last one of a transfer: so none is, and what was written is on its way.
const WRITTEN: usize = PACKET - 1;

/// What a line needs as long as it is there.
pub struct Memory<'d> {
    configuration: [u8; 128],
    platform: [u8; 32],
    control: [u8; 64],
    serial: String<16>,
    state: State<'d>,
}

impl Memory<'_> {
    #[must_use]
    pub fn new() -> Self {
        Memory {
            configuration: [0; 128],
            platform: [0; 32],
            control: [0; 64],
            serial: String::new(),
            state: State::new(),
        }
    }
}

impl Default for Memory<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Memory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

/// What the hub says.
pub struct Input<'d, D: Driver<'d>> {
    receiver: Receiver<'d, D>,
    packet: [u8; PACKET],
    /// What is not read of it yet is from here to there.
    from: usize,
    to: usize,
}

/// What the hub is told.
pub struct Output<'d, D: Driver<'d>>(Sender<'d, D>);

impl<'d, D: Driver<'d>> fmt::Debug for Input<'d, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").finish_non_exhaustive()
    }
}

impl<'d, D: Driver<'d>> fmt::Debug for Output<'d, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}

/// The device, which somebody has to run, and the two ends of the line.
pub fn line<'d, D: Driver<'d>>(
    driver: D,
    bridge: BridgeId,
    memory: &'d mut Memory<'d>,
) -> (UsbDevice<'d, D>, Input<'d, D>, Output<'d, D>) {
    for octet in bridge.0 {
        // There is room for as many.
        _ = write!(memory.serial, "{octet:02X}");
    }
    let mut config = Config::new(MAKER, PRODUCT);
    config.manufacturer = Some("Hearth");
    config.product = Some("bridge");
    config.serial_number = Some(&memory.serial);
    let mut builder = Builder::new(
        driver,
        config,
        &mut memory.configuration,
        &mut memory.platform,
        &mut [],
        &mut memory.control,
    );
    let class = CdcAcmClass::new(&mut builder, &mut memory.state, PACKET as u16);
    let (sender, receiver) = class.split();
    (builder.build(), Input { receiver, packet: [0; PACKET], from: 0, to: 0 }, Output(sender))
}

impl<'d, D: Driver<'d>> ErrorType for Input<'d, D> {
    type Error = Infallible;
}

impl<'d, D: Driver<'d>> ErrorType for Output<'d, D> {
    type Error = Infallible;
}

impl<'d, D: Driver<'d>> Read for Input<'d, D> {
    /// Waits for as long as nobody has the other end: a hub that is not there says nothing.
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, Infallible> {
        while self.from == self.to {
            match self.receiver.read_packet(&mut self.packet).await {
                Ok(many) => (self.from, self.to) = (0, many.min(PACKET)),
                Err(EndpointError::Disabled | EndpointError::BufferOverflow) => {
                    self.receiver.wait_connection().await
                }
            }
        }
        let came = &self.packet[self.from..self.to];
        let many = came.len().min(into.len());
        into[..many].copy_from_slice(&came[..many]);
        self.from += many;
        Ok(many)
    }
}

impl<'d, D: Driver<'d>> Write for Output<'d, D> {
    /// Waits for as long as nobody has the other end.
    async fn write(&mut self, octets: &[u8]) -> Result<usize, Infallible> {
        let packet = &octets[..octets.len().min(WRITTEN)];
        while self.0.write_packet(packet).await.is_err() {
            self.0.wait_connection().await;
        }
        Ok(packet.len())
    }

    /// Until the hub has taken what was written before: an empty packet finds room then. Where nobody has the other end nothing is on its way.
    async fn flush(&mut self) -> Result<(), Infallible> {
        _ = self.0.write_packet(&[]).await;
        Ok(())
    }
}
