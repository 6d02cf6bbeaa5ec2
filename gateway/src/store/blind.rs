//! The hub's own key: what makes an index of something that must not be guessed back from the disk.
//!
//! A reading's key is a hash, yet device, time and a few hundred possible pressures can be tried until one
//! fits. So no hash of a payload lies in a clear column: only its HMAC-SHA256 with a key that lies elsewhere.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// 32 random octets, in a file of their own; ready to digest.
#[derive(Clone)]
pub(super) struct HubKey(Hmac<Sha256>);

impl fmt::Debug for HubKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HubKey(…)")
    }
}

/// A keyed digest, as it stands in a clear column.
pub(super) type Blinded = [u8; 32];

impl HubKey {
    pub(super) fn new(octets: [u8; 32]) -> HubKey {
        HubKey(Hmac::new_from_slice(&octets).expect("HMAC takes a key of any length"))
    }

    /// `what` keeps digests of different kinds apart; each part goes in with its length before it.
    pub(super) fn blind(&self, what: &str, parts: &[&[u8]]) -> Blinded {
        let mut mac = self.0.clone();
        for part in std::iter::once(&what.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::HubKey;

    #[test]
    fn kinds_parts_and_keys_are_kept_apart() {
        let key = HubKey::new([1; 32]);
        let one = key.blind("name", &[b"ab", b"c"]);
        assert_eq!(one, key.blind("name", &[b"ab", b"c"]));
        assert_ne!(one, key.blind("name", &[b"a", b"bc"]));
        assert_ne!(one, key.blind("key", &[b"ab", b"c"]));
        assert_ne!(one, HubKey::new([2; 32]).blind("name", &[b"ab", b"c"]));
    }
}
