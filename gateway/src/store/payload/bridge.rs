//! A bridge, as its last Hello described it, and what it told that this version can't read.

use super::Payload;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct BridgeRow {
    pub(crate) id: [u8; 8],
    pub(crate) board: String,
    pub(crate) firmware: (u16, u16, u16),
    pub(crate) can: u16,
}

impl Payload for BridgeRow {
    const VERSION: u8 = 1;
}

#[derive(Serialize, Deserialize)]
pub(crate) struct OddRow {
    pub(crate) bridge: [u8; 8],
    pub(crate) octets: Vec<u8>,
}

impl Payload for OddRow {
    const VERSION: u8 = 1;
}
