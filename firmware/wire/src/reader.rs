//! A cursor that can't overrun, and whose remainder is handed back.

/// Why octets are not the value that they were said to be. Points at the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// No octets at all.
    Empty,
    /// The flags (or the op code) promise a field that is not, or not wholly, there.
    Truncated { field: &'static str, at: usize, needed: usize, left: usize },
    /// A field has a value that the standard does not give it.
    Unexpected { field: &'static str, at: usize, value: u32 },
    /// A text is not UTF-8.
    NotText { at: usize },
}
