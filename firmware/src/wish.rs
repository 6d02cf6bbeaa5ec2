//! What a hub wants of a board, beside its records.

use crate::sensor::Grams;
use hearth_wire::frame::Peer;

/// What the hub wishes of the board.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// The hub has said Hello.
    Greeted,
    /// The configuration is another.
    Configured,
    Restart,
    Radio(Order),
    /// So many grams lie on the scale; none: nothing does. It is answered with the token.
    Calibrate {
        token: u16,
        mass: Option<Grams>,
    },
}

/// What the hub asks of the radio. Whoever carries it out answers with the token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Tell what is heard, for so many seconds.
    Look {
        token: u16,
        seconds: u16,
    },
    Pair {
        token: u16,
        peer: Peer,
    },
    /// A person's answer to the prompt of the pairing with this token. It is not answered.
    Digits {
        token: u16,
        digits: Option<u32>,
    },
    Unpair {
        token: u16,
        peer: Peer,
    },
}

impl Order {
    pub fn token(self) -> u16 {
        match self {
            Order::Look { token, .. }
            | Order::Pair { token, .. }
            | Order::Digits { token, .. }
            | Order::Unpair { token, .. } => token,
        }
    }
}
