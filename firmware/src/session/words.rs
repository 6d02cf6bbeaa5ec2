//! What a session wants, and what it is told.

use hearth_wire::frame::Ticks;
use hearth_wire::frame::plan::Place;
use hearth_wire::frame::said::Ending;

/// What to do for the conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Poll {
    /// By indications where the characteristic has them, else by notifications.
    Subscribe(Place),
    Read(Place),
    /// With a response.
    Write(Place, Octets),
    /// Everything that the device told so far stands apart from what it tells from now on: its clock is about to be set. Once that is
    /// kept, call [`super::Session::parted`].
    Part,
    /// Nothing before this instant, unless something comes; then call [`super::Session::timeout`].
    Wait(Ticks),
    /// Hang up, and keep this.
    Done(Ending),
}

/// Current Time is the longest that is written.
const ROOM: usize = 10;

/// What is written: a few octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Octets {
    octets: [u8; ROOM],
    length: usize,
}

impl Octets {
    /// `None`: more than there is room for.
    pub(super) fn of(write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<Octets> {
        let mut octets = [0; ROOM];
        let length = write(&mut octets)?;
        Some(Octets { octets, length })
    }

    pub fn get(&self) -> &[u8] {
        &self.octets[..self.length]
    }
}

/// Why a request came to nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The device has no such characteristic, or it can't do that.
    Missing,
    /// ATT error. Bluetooth Core, Vol 3, Part F, 3.4.1.1.
    Att(u8),
}

impl Fault {
    pub(super) fn code(self) -> u8 {
        match self {
            Fault::Missing => ATTRIBUTE_NOT_FOUND,
            Fault::Att(code) => code,
        }
    }

    /// Insufficient authentication, encryption key size, or encryption: it wants a bond, or a better one.
    pub(super) fn wants_a_bond(self) -> bool {
        matches!(self, Fault::Att(0x05 | 0x0C | 0x0F))
    }
}

/// Bluetooth Core, Vol 3, Part F, 3.4.1.1: Attribute Not Found.
const ATTRIBUTE_NOT_FOUND: u8 = 0x0A;
