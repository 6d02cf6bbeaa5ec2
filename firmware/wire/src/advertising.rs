//! Advertising data: structures of length, type and octets. Bluetooth Core, Vol 3, Part C, 11; types: Assigned Numbers, 2.3.

pub const SOME_SERVICES: u8 = 0x02;
pub const ALL_SERVICES: u8 = 0x03;
pub const SHORTENED_NAME: u8 = 0x08;
pub const WHOLE_NAME: u8 = 0x09;
/// A 16-bit service, then what it tells.
pub const SERVICE_DATA: u8 = 0x16;

/// Each structure's type and octets, as far as they are whole. A length of 0 ends the data early (Part C, 11).
pub fn structures(octets: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = octets;
    core::iter::from_fn(move || {
        let (length, after) = rest.split_first()?;
        let (structure, after) = after.split_at_checked(usize::from(*length))?;
        rest = after;
        let (kind, content) = structure.split_first()?;
        Some((*kind, content))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_whole_is_read() {
        let octets = [2, 1, 6, 3, ALL_SERVICES, 0x10, 0x18, 5, WHOLE_NAME, b'c', b'u', b'f', b'f'];
        let all: &[(u8, &[u8])] = &[(1, &[6]), (ALL_SERVICES, &[0x10, 0x18]), (WHOLE_NAME, b"cuff")];
        assert!(structures(&octets).eq(all.iter().copied()));
        // One that promises more than there is; one of nothing; the end.
        assert!(structures(&octets[..12]).eq(all[..2].iter().copied()));
        assert!(structures(&[1, 0x0A, 0, 2, 1, 6]).eq([(0x0A, &[][..])]));
        assert_eq!(structures(&[]).next(), None);
    }
}
