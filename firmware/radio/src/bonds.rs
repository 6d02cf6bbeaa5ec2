//! Bonds, in flash: they outlive a loss of power.
//!
//! Layout: version u8, then each: address kind u8, address (6 octets, the one that is sent last first), flags u8 (1: authenticated, 2: it
//! has an identity resolving key), that key (16), long term key (16), EDIV u16, Rand (8), key length u8. Keys as they are sent.

use embedded_storage_async::nor_flash::NorFlash;
use firmware::flash::{Refused, Settings};
use heapless::Vec;
use hearth_wire::frame::Peer;
use hearth_wire::frame::plan::MOST_DEVICES;
use trouble_host::connection::SecurityLevel;
use trouble_host::prelude::{BondInformation, Identity, IdentityResolvingKey, LongTermKey};

use crate::peer::{address, peer};

/// So many devices a bridge has bonds with.
pub(crate) const BONDS: usize = MOST_DEVICES;

const VERSION: u8 = 1;
const LENGTH: usize = 51;
const LONGEST: usize = 1 + BONDS * LENGTH;

const IS_AUTHENTICATED: u8 = 1;
const HAS_RESOLVING_KEY: u8 = 2;

pub(crate) struct Bonds<F>(Settings<F>);

impl<F: NorFlash> Bonds<F> {
    pub(crate) async fn open(flash: F) -> Result<Self, F::Error> {
        Ok(Bonds(Settings::open(flash).await?))
    }

    /// `Err`: there are some that this version can't read.
    pub(crate) async fn all(&mut self) -> Result<Vec<BondInformation, BONDS>, Refused<F::Error>> {
        let mut octets = [0; LONGEST];
        match self.0.load(&mut octets).await? {
            None => Ok(Vec::new()),
            Some([VERSION, all @ ..]) => Ok(all.as_chunks::<LENGTH>().0.iter().filter_map(read).collect()),
            Some(_) => Err(Refused::TooLong),
        }
    }

    /// Replaces them all.
    pub(crate) async fn keep(&mut self, all: &[BondInformation]) -> Result<(), Refused<F::Error>> {
        let mut octets = Vec::<u8, LONGEST>::new();
        _ = octets.push(VERSION);
        for bond in all.iter().filter(|bond| bond.is_bonded) {
            octets.extend_from_slice(&written(bond)).map_err(|_| Refused::TooLong)?;
        }
        self.0.save(&octets).await
    }
}

fn read(octets: &[u8; LENGTH]) -> Option<BondInformation> {
    let (kind, rest) = octets.split_first()?;
    let (of, rest) = rest.split_first_chunk::<6>()?;
    let (flags, rest) = rest.split_first()?;
    let (resolving, rest) = rest.split_first_chunk::<16>()?;
    let (key, rest) = rest.split_first_chunk::<16>()?;
    let (diversifier, rest) = rest.split_first_chunk::<2>()?;
    let (random, rest) = rest.split_first_chunk::<8>()?;
    let irk =
        if flags & HAS_RESOLVING_KEY == 0 { None } else { IdentityResolvingKey::from_le_bytes(*resolving) };
    let level = match flags & IS_AUTHENTICATED {
        0 => SecurityLevel::Encrypted,
        _ => SecurityLevel::EncryptedAuthenticated,
    };
    let identity = Identity { addr: address(*kind != 0, *of), irk };
    let mut bond = BondInformation::new(identity, LongTermKey::from_le_bytes(*key), level, true);
    bond.ediv = u16::from_le_bytes(*diversifier);
    bond.rand = *random;
    bond.encryption_key_len = *rest.first()?;
    Some(bond)
}

fn written(bond: &BondInformation) -> [u8; LENGTH] {
    let irk = bond.identity.irk;
    let authenticated = if bond.security_level.authenticated() { IS_AUTHENTICATED } else { 0 };
    let flags = authenticated | if irk.is_some() { HAS_RESOLVING_KEY } else { 0 };
    let (kind, of) = match whose(bond) {
        Peer::Device(hearth_wire::frame::AddressKind::Public, of) => (0, of),
        Peer::Device(_, of) | Peer::Other(_, of) => (1, of),
        Peer::Wired(_) => (1, [0; 6]),
    };
    let mut octets = Vec::<u8, LENGTH>::new();
    let resolving = irk.map_or([0; 16], IdentityResolvingKey::to_le_bytes);
    let parts: [&[u8]; 8] = [
        &[kind],
        &of,
        &[flags],
        &resolving,
        &bond.ltk.to_le_bytes(),
        &bond.ediv.to_le_bytes(),
        &bond.rand,
        &[bond.encryption_key_len],
    ];
    // They are as long as this together.
    parts.iter().for_each(|part| _ = octets.extend_from_slice(part));
    octets.into_array().unwrap_or([0; LENGTH])
}

/// Who has this bond.
pub(crate) fn whose(bond: &BondInformation) -> Peer {
    peer(bond.identity.addr)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out by hand from the layout above.
    #[test]
    fn a_bond_is_written_and_read() {
        let identity = Identity {
            addr: address(true, [0xC0, 0xFF, 0xEE, 0, 0, 1]),
            irk: IdentityResolvingKey::from_le_bytes([0x11; 16]),
        };
        let key = LongTermKey::from_le_bytes(core::array::from_fn(|n| n as u8));
        let mut bond = BondInformation::new(identity, key, SecurityLevel::EncryptedAuthenticated, true);
        (bond.ediv, bond.rand, bond.encryption_key_len) = (0x1234, [7; 8], 16);
        let octets = written(&bond);
        let mut expected = Vec::<u8, LENGTH>::new();
        for part in [
            &[1, 0xC0, 0xFF, 0xEE, 0, 0, 1, 3][..],
            &[0x11; 16],
            &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
            &[0x34, 0x12],
            &[7; 8],
            &[16],
        ] {
            assert!(expected.extend_from_slice(part).is_ok());
        }
        assert_eq!(octets, expected[..]);
        assert_eq!(read(&octets), Some(bond));

        let identity = Identity { addr: address(false, [0, 1, 2, 3, 4, 5]), irk: None };
        let plain = BondInformation::new(identity, key, SecurityLevel::Encrypted, true);
        let octets = written(&plain);
        assert_eq!(octets[..8], [0, 0, 1, 2, 3, 4, 5, 0]);
        assert_eq!(read(&octets), Some(plain));
    }
}
