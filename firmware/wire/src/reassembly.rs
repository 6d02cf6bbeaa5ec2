//! Joins the segments of Blood Pressure Records, or says which record was lost and why.
//!
//! Deliberately absent: octets on the way in, radios, time. Whoever hears a segment passes it to
//! [`Reassembly::hear`]; whoever sees the transfer or the connection end calls [`Reassembly::end`]. Source:
//! Bluetooth GATT Specification Supplement, "Blood Pressure Record", Segmentation Header field.

use core::fmt;

use crate::gatt::BloodPressureRecord;

/// One record at a time, whose value has at most `N` octets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reassembly<const N: usize> {
    state: State,
    octets: [u8; N],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// A record is to begin.
    Idle,
    Gathering {
        sequence: u16,
        characteristic: u16,
        counter: u8,
        length: usize,
    },
    /// The record is lost, and was told so: its further segments say nothing new.
    Skipping {
        sequence: u16,
    },
}

/// What a segment led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard<'r> {
    /// The record before this segment's, if it will not be whole any more.
    pub unfinished: Option<Lost>,
    /// This segment's own record: whole, to be continued (`None`), or lost. A loss is told once.
    pub record: Result<Option<Record<'r>>, Lost>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'r> {
    pub sequence: u16,
    /// UUID of the characteristic that `value` is of.
    pub characteristic: u16,
    /// With the E2E-CRC at its end, if the device sends one.
    pub value: &'r [u8],
}

impl<'r> Record<'r> {
    /// The record as one segment: what it would have been, had it fitted.
    pub fn unsegmented(&self) -> BloodPressureRecord<'r> {
        BloodPressureRecord {
            first: true,
            last: true,
            counter: 0,
            sequence: self.sequence,
            characteristic: self.characteristic,
            part: self.value,
        }
    }
}

/// A record that will not come out whole. Ask the device for it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost {
    pub sequence: u16,
    pub why: Why,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Its first segment was not heard.
    NoBeginning,
    /// A segment was not heard, or one was heard twice: the counter did not move by one.
    Gap { expected: u8, heard: u8 },
    /// Another record, or the same one anew, began before it ended.
    Restart,
    /// A later segment of another record, or of another characteristic, came before it ended.
    OtherRecord,
    /// Its value has more octets than the place for it.
    Overflow { room: usize },
    /// The transfer ended before it did.
    BrokenOff,
}

impl core::error::Error for Lost {}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} is not whole: ", self.sequence)?;
        match self.why {
            Why::NoBeginning => f.write_str("its first segment was not heard"),
            Why::Gap { expected, heard } => write!(f, "segment {expected} was to come, {heard} came"),
            Why::Restart => f.write_str("another began before it ended"),
            Why::OtherRecord => f.write_str("a segment of another record came before it ended"),
            Why::Overflow { room } => write!(f, "its value has more than {room} octets"),
            Why::BrokenOff => f.write_str("the transfer ended before it did"),
        }
    }
}

impl<const N: usize> Default for Reassembly<N> {
    fn default() -> Self {
        Self { state: State::Idle, octets: [0; N] }
    }
}

impl<const N: usize> Reassembly<N> {
    pub fn hear(&mut self, segment: &BloodPressureRecord<'_>) -> Heard<'_> {
        let BloodPressureRecord { sequence, characteristic, counter, part, .. } = *segment;
        let before = self.state;
        self.state = if segment.last { State::Idle } else { State::Skipping { sequence } };
        let mut unfinished = None;
        let at = match before {
            _ if segment.first => {
                unfinished = before.lost(Why::Restart);
                Ok(0)
            }
            State::Gathering { sequence: s, characteristic: c, counter: last, length }
                if (s, c) == (sequence, characteristic) =>
            {
                let expected = last.wrapping_add(1) % COUNTERS;
                if counter == expected {
                    Ok(length)
                } else {
                    Err(Some(Why::Gap { expected, heard: counter }))
                }
            }
            State::Skipping { sequence: lost } if lost == sequence => Err(None),
            other => {
                unfinished = other.lost(Why::OtherRecord);
                Err(Some(Why::NoBeginning))
            }
        };
        let record = match at.and_then(|at| self.put(at, part).ok_or(Some(Why::Overflow { room: N }))) {
            Ok(length) if segment.last => {
                Ok(Some(Record { sequence, characteristic, value: self.octets.split_at(length).0 }))
            }
            Ok(length) => {
                self.state = State::Gathering { sequence, characteristic, counter, length };
                Ok(None)
            }
            Err(None) => Ok(None),
            Err(Some(why)) => Err(Lost { sequence, why }),
        };
        Heard { unfinished, record }
    }

    /// Nothing more comes. The record that was not whole, if there is one.
    pub fn end(&mut self) -> Option<Lost> {
        core::mem::replace(&mut self.state, State::Idle).lost(Why::BrokenOff)
    }

    /// The length after it; `None` if it does not fit.
    fn put(&mut self, at: usize, part: &[u8]) -> Option<usize> {
        let end = at.checked_add(part.len())?;
        self.octets.get_mut(at..end)?.copy_from_slice(part);
        Some(end)
    }
}

/// The rolling counter has six bits.
const COUNTERS: u8 = 64;

impl State {
    fn lost(self, why: Why) -> Option<Lost> {
        match self {
            State::Gathering { sequence, .. } => Some(Lost { sequence, why }),
            State::Idle | State::Skipping { .. } => None,
        }
    }
}
