//! Why the flash has not taken what it was given.

use core::fmt;

/// Why nothing was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused<E> {
    /// All room is taken by what the hub has not acknowledged. Whoever told it must keep it.
    Full,
    /// The bridge has no epoch: it waits for the hub to adopt it.
    NoEpoch,
    /// It was written, twice, and is not there.
    DoesNotKeep,
    /// No entry is that long.
    TooLong,
    /// The hub acknowledges what it was never told.
    NeverTold,
    /// The hub gives an epoch that is none.
    NoSuchEpoch,
    Flash(E),
}

impl<E: fmt::Debug> fmt::Display for Refused<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Full => f.write_str("the bridge's memory is full of what the hub has not taken yet"),
            Refused::NoEpoch => f.write_str("no hub has adopted this bridge yet"),
            Refused::DoesNotKeep => f.write_str("the bridge's flash does not keep what is written"),
            Refused::TooLong => f.write_str("longer than any record"),
            Refused::NeverTold => f.write_str("acknowledged what this bridge never told"),
            Refused::NoSuchEpoch => f.write_str("a first epoch is from 1 to 2147483647"),
            Refused::Flash(error) => write!(f, "the bridge's flash: {error:?}"),
        }
    }
}

impl<E> From<E> for Refused<E> {
    fn from(error: E) -> Self {
        Refused::Flash(error)
    }
}
