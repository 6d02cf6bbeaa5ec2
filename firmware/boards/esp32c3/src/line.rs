//! The line to the hub, over the chip's own USB.

use core::convert::Infallible;
use embassy_time::{Duration, Timer};
use embedded_io_async::{ErrorType, Write};
use esp_hal::Async;
use esp_hal::usb::usb_serial_jtag::UsbSerialJtagTx;

/// A hub that reads takes 64 octets in less; where none reads, that is looked at again after so long.
const AGAIN: Duration = Duration::from_millis(2);

/// esp-hal's own writes 64 octets and waits then: whoever drops it in between writes them twice. This one says at once what it has
/// written.
pub(crate) struct Output(pub(crate) UsbSerialJtagTx<'static, Async>);

impl ErrorType for Output {
    type Error = Infallible;
}

impl Write for Output {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, Infallible> {
        loop {
            let many = octets.iter().take_while(|octet| self.0.write_byte_nb(**octet).is_ok()).count();
            if many > 0 || octets.is_empty() {
                // What is less than a packet goes with this.
                _ = self.0.flush_tx_nb();
                return Ok(many);
            }
            Timer::after(AGAIN).await;
        }
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        while self.0.flush_tx_nb().is_err() {
            Timer::after(AGAIN).await;
        }
        Ok(())
    }
}
