//! What the store hands over, and what it is told in the end.

use hearth_core::delivery::PointsAt;
use hearth_core::identity::Labels;
use hearth_core::parcel::Parcel;
use hearth_core::reading::Version;
use jiff::Timestamp;

/// Row number in the outbox.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OutboxNo(pub i64);

/// One row that is due.
#[derive(Clone, Debug)]
pub struct Consignment {
    pub row: OutboxNo,
    pub parcel: Parcel,
    /// How often octets of it left.
    pub attempts: u32,
    /// Of these, how many count towards parking.
    pub counted: u32,
    /// An attempt was started, and nobody knows how it ended.
    pub in_doubt: bool,
    /// What that attempt sent, as [`Attempt::octets`].
    pub octets: Option<Vec<u8>>,
    pub phd_identifier: Option<String>,
    pub labels: Labels,
    /// Where the measurement is at this destination, if an earlier row learned it.
    pub location: Option<String>,
    pub etag: Option<String>,
}

/// Octets of a row are about to leave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    pub row: OutboxNo,
    /// Kept while their fate is in doubt, so that a repeat is identical.
    pub octets: Vec<u8>,
    pub phd_identifier: Option<String>,
    pub mapping: Version,
}

/// What the destination said of one resource of a reading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    pub role: String,
    /// `Type/id`.
    pub location: Option<String>,
    pub etag: Option<String>,
    /// SHA-256 of the octets that were sent, or would have been.
    pub digest: [u8; 32],
    pub verdict: String,
}

/// What became of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settlement {
    Delivered { receipts: Vec<Receipt>, raised: Option<String> },
    Unverified { receipts: Vec<Receipt>, raised: Option<String> },
    /// `in_doubt`: the other side may have acted on it.
    RetryAt { when: Timestamp, counts: bool, in_doubt: bool, said: String },
    Parked { said: String, points_at: PointsAt },
    Withdrawn,
}
