//! The watchdog that the bootloader has started: an image whose tasks hang is started anew by it, and is on trial no longer.
//!
//! Layout: Arm, Cortex-M System Design Kit Technical Reference Manual, "APB watchdog".

use crate::registers::Registers;
use embassy_time::{Duration, Ticker};

const WATCHDOG: Registers = Registers::at(0x4000_8000);
const CLEAR: usize = 0x0C;
/// It barks after three seconds.
const FED: Duration = Duration::from_secs(1);

#[embassy_executor::task]
pub(crate) async fn fed() {
    let mut seconds = Ticker::every(FED);
    loop {
        WATCHDOG.write(CLEAR, 1);
        seconds.next().await;
    }
}
