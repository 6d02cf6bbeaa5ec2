//! What goes out and what came back.

use super::Payload;
use hearth_core::identity::Labels;
use serde::{Deserialize, Serialize};

/// Labels that a destination is cleared for.
#[derive(Serialize, Deserialize)]
pub(crate) struct ClearedRow(Vec<String>);

impl Payload for ClearedRow {
    const VERSION: u8 = 1;
}

impl ClearedRow {
    pub(crate) fn of(labels: &Labels) -> ClearedRow {
        ClearedRow(labels.0.iter().cloned().collect())
    }

    pub(crate) fn labels(self) -> Labels {
        Labels(self.0.into_iter().collect())
    }
}

/// Of an outbox row: the PHD identifier it was first encoded with, the words of its last answer, and what a
/// person at the record system should be told.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct SaidRow {
    pub(crate) phd: Option<String>,
    pub(crate) said: Option<String>,
    pub(crate) raised: Option<String>,
}

impl Payload for SaidRow {
    const VERSION: u8 = 1;
}

/// What a destination answered for one resource of a reading.
#[derive(Serialize, Deserialize)]
pub(crate) struct ReceiptRow {
    pub(crate) role: String,
    pub(crate) location: Option<String>,
    pub(crate) etag: Option<String>,
    /// SHA-256 of the octets that were sent.
    pub(crate) digest: [u8; 32],
    pub(crate) verdict: String,
    /// Which relay answered for the destination; none: the destination itself.
    pub(crate) relay: Option<String>,
}

impl Payload for ReceiptRow {
    const VERSION: u8 = 1;
}
