//! The checksum of the health services.

/// CRC-16/MCRF4XX: polynomial 0x1021 reflected, from 0xFFFF, no final XOR; of "123456789" it is 0x6F91.
///
/// Continuous Glucose Monitoring Service, "E2E-CRC".
pub fn mcrf4xx(octets: &[u8]) -> u16 {
    octets.iter().fold(0xFFFF, |crc, octet| {
        (0..8).fold(crc ^ u16::from(*octet), |crc, _| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0x8408 })
    })
}
