//! In step with a controller at the other end of a UART.
//!
//! A controller that was not started anew with its board may be in the middle of a packet, and what comes next would be read as any.
//! Bluetooth Core, Vol 4, Part A, 4, has the way out: the host resets it, and looks for the answer to that in whatever comes.

use embassy_futures::select::{Either, select};
use embassy_time::{Duration, Timer, with_timeout};
use embedded_io_async::{Read, Write};
use firmware_run::{Desk, Word};
use hearth_wire::frame::Level;

/// HCI_Reset (Vol 4, Part E, 7.3.2), behind what says in H4 that it is a command.
const RESET: [u8; 4] = [0x01, 0x03, 0x0C, 0x00];
/// HCI_Command_Complete (7.7.14) of it, behind what says that it is an event: between these two is how many commands it takes now.
const COMPLETE: [u8; 3] = [0x04, 0x0E, 0x04];
const OF_RESET: [u8; 3] = [0x03, 0x0C, 0x00];
const ANSWER: usize = COMPLETE.len() + 1 + OF_RESET.len();

/// A controller that waits for the rest of a command takes these for it: it is asked as often as the longest has octets.
const TRIES: usize = 80;
const ANSWERS: Duration = Duration::from_millis(200);
/// After a reset it has nothing to say by itself.
const QUIET: Duration = Duration::from_millis(30);
/// Where nobody answers there is none, or it has no power: that is looked for now and then.
const AGAIN: Duration = Duration::from_secs(30);

/// Resets the controller, and waits until it and the host are in step: for ever, where there is none.
pub async fn in_step<R: Read, W: Write>(from: &mut R, to: &mut W, desk: &Desk) {
    let mut is_said = false;
    loop {
        for _ in 0..TRIES {
            // Whoever can't be written to does not answer either.
            _ = to.write_all(&RESET).await;
            _ = to.flush().await;
            if with_timeout(ANSWERS, answered(from)).await.is_ok() {
                return quiet(from).await;
            }
        }
        if !is_said {
            desk.try_say(Word::Log { level: Level::Error, text: "no Bluetooth controller answers" });
            is_said = true;
        }
        Timer::after(AGAIN).await;
    }
}

/// Until the answer has come.
async fn answered<R: Read>(from: &mut R) {
    let mut last = [0; ANSWER];
    loop {
        let mut octet = [0];
        // What was garbled is not it.
        if let Ok(1) = from.read(&mut octet).await {
            last.rotate_left(1);
            last[ANSWER - 1] = octet[0];
            if last.starts_with(&COMPLETE) && last.ends_with(&OF_RESET) {
                return;
            }
        }
    }
}

/// Until nothing comes any more: answers to what was asked before.
async fn quiet<R: Read>(from: &mut R) {
    let mut octets = [0; 16];
    while let Either::First(_) = select(from.read(&mut octets), Timer::after(QUIET)).await {}
}
