//! What an Observation says, as plain values: thought out here, written in [`super::observation`].

use super::Role;
use crate::map::bits::Bit;
use crate::map::codes::{Code, Ucum};
use hearth_wire::{Decimal, Special, Value};
use std::borrow::Cow;

/// One Observation of a reading.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Content {
    pub(super) role: Role,
    pub(super) code: Code,
    pub(super) charted: Charted,
    pub(super) outcome: Outcome,
    /// Device status makes it doubtful (CLINICAL 13).
    pub(super) questionable: bool,
    pub(super) notes: Vec<Note>,
    pub(super) derived_from: Vec<Role>,
}

pub(super) type Note = Cow<'static, str>;

/// How a record system is asked to file it. Everything is in category `phd` as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Charted {
    /// Category `vital-signs`, with the LOINC code that R4 and US Core require.
    VitalSign,
    /// Category `laboratory` where a destination asks for it (CLINICAL 9); with the LOINC code.
    Laboratory,
    /// Category `phd` alone, with the LOINC code where there is one.
    Device,
    /// Category `phd` alone and the MDC code alone: reported, not charted (CLINICAL 6).
    Status,
}

impl Charted {
    /// A vital sign, if there is a number, or if the destination wants its failures charted too (CLINICAL 6).
    pub(super) fn vital_sign(measured: bool, failed_too: bool) -> Charted {
        if measured || failed_too { Charted::VitalSign } else { Charted::Status }
    }
}

/// What came out of it.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Outcome {
    Measured(Measured),
    Absent(Absent),
    Coded(Code),
    Parts(Vec<Part>),
    Bits(Vec<Bit>),
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Part {
    pub(super) code: Code,
    /// A part is measured or absent, never more.
    pub(super) outcome: Result<Measured, Absent>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Measured {
    pub(super) value: Decimal,
    /// `<` or `>`: outside what the device can tell (CLINICAL 7).
    pub(super) comparator: Option<&'static str>,
    pub(super) unit: Ucum,
}

/// `dataAbsentReason`, and words beside its code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Absent {
    pub(super) code: &'static str,
    pub(super) display: &'static str,
    pub(super) text: Option<&'static str>,
}

impl Absent {
    const fn of(code: &'static str, display: &'static str) -> Absent {
        Absent { code, display, text: None }
    }

    pub(super) const NOT_A_NUMBER: Absent = Absent::of("not-a-number", "Not a Number (NaN)");
    pub(super) const ERROR: Absent = Absent::of("error", "Error");
    pub(super) const POSITIVE_INFINITY: Absent = Absent::of("positive-infinity", "Positive Infinity (PINF)");
    pub(super) const NEGATIVE_INFINITY: Absent = Absent::of("negative-infinity", "Negative Infinity (NINF)");

    pub(super) fn says(self, text: &'static str) -> Absent {
        Absent { text: Some(text), ..self }
    }
}

impl From<Special> for Absent {
    /// IEEE 11073-20601, table of special values.
    fn from(special: Special) -> Absent {
        match special {
            Special::NotANumber => Absent::NOT_A_NUMBER,
            Special::NotAtThisResolution | Special::Reserved => Absent::ERROR,
            Special::PositiveInfinity => Absent::POSITIVE_INFINITY,
            Special::NegativeInfinity => Absent::NEGATIVE_INFINITY,
        }
    }
}

/// A value in its unit, or why there is none.
pub(super) fn measured(value: Value, unit: Ucum) -> Result<Measured, Absent> {
    match value {
        Value::Finite(value) => Ok(Measured { value, comparator: None, unit }),
        Value::Special(special) => Err(special.into()),
    }
}

impl From<Result<Measured, Absent>> for Outcome {
    fn from(result: Result<Measured, Absent>) -> Outcome {
        result.map_or_else(Outcome::Absent, Outcome::Measured)
    }
}
