//! One measurement with its companions, and everything that its destination must know to take it.

use crate::identity::{Facts, Identity};
use crate::profile::Profile;
use crate::reading::{Issue, Reading};
use jiff::Timestamp;

/// The hub as its readings present it. `system_id`: EUI-64, most significant octet first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hub {
    pub system_id: [u8; 8],
    pub software: String,
}

/// Whose record, in the destination's own words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Logical id at the destination: `Patient/{id}`.
    pub id: String,
    /// Business identifier (value, system), where the enrolment gave one: PHD identifiers prefer it.
    pub identifier: Option<(String, String)>,
}

/// How a destination wants things said. Defaults are CLINICAL's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// CLINICAL 6: a failed pressure is charted as a vital sign, or reported as status.
    pub failed_as_vital_sign: bool,
    /// CLINICAL 9: `laboratory` beside `phd` on glucose.
    pub glucose_laboratory: bool,
    /// CLINICAL 14: height and body mass index typed into a scale.
    pub height_and_bmi: bool,
    /// CLINICAL 16: off needs a written reason.
    pub patient_supplied: PatientSupplied,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PatientSupplied {
    Tagged,
    Untagged { reason: String },
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            failed_as_vital_sign: false,
            glucose_laboratory: false,
            height_and_bmi: false,
            patient_supplied: PatientSupplied::Tagged,
        }
    }
}

/// What a row of the outbox asks of its destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intent {
    Create,
    /// Mark as entered in error what `Create` wrote (CLINICAL 26).
    Retract,
}

/// Everything that [`crate::map`] needs, and nothing that it could look up.
#[derive(Clone, Debug)]
pub struct Parcel {
    pub reading: Reading,
    pub intent: Intent,
    pub facts: Facts,
    pub identity: Identity,
    /// As of now: a mapping fixed on Tuesday is fixed for Monday's backlog.
    pub profile: Profile,
    pub hub: Hub,
    pub subject: Subject,
    /// First ready to send, so that lateness shows (CLINICAL 16). Fixed at the first encoding.
    pub issued: Timestamp,
    /// For a re-issue: what it replaces, and where that is at this destination (`Observation/…`).
    pub replaces: Option<(Issue, Option<String>)>,
}
