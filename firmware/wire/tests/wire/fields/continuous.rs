//! Continuous glucose: the checksum, and several records in one value.

use hearth_wire::crc::mcrf4xx;
use hearth_wire::gatt::CgmMeasurement;
use hearth_wire::{Malformed, Value};

use crate::octets;

/// The check value of CRC-16/MCRF4XX in the catalogue of parametrised CRC algorithms, and cgm-01.
#[test]
fn the_checksum_is_the_published_one() {
    assert_eq!(mcrf4xx(b"123456789"), 0x6F91);
    assert_eq!(mcrf4xx(b""), 0xFFFF);
    assert_eq!(mcrf4xx(&octets("0D4373002C010324001A00")), 0x043E);
}

#[test]
fn every_changed_octet_is_noticed() {
    let sent = octets("0D4373002C010324001A003E04");
    assert!(CgmMeasurement::decode(&sent).is_ok());
    for at in 0..sent.len() {
        for bit in 0..8 {
            let mut changed = sent.clone();
            changed[at] ^= 1 << bit;
            assert!(CgmMeasurement::decode(&changed).is_err(), "octet {at} bit {bit}");
        }
    }
}

fn minutes(value: &str) -> Vec<Result<u16, Malformed>> {
    let octets = octets(&value.replace(' ', ""));
    CgmMeasurement::records(&octets).map(|each| each.map(|record| record.time_offset_minutes)).collect()
}

#[test]
fn records_come_one_after_another() {
    let unexpected = |at, value| Malformed::Unexpected { field: "size", at, value };
    let cut = |field, at, needed, left| Malformed::Truncated { field, at, needed, left };
    let rows = [
        ("", vec![Err(Malformed::Empty)]),
        ("060078001E00", vec![Ok(30)]),
        ("060078001E00 060079002300", vec![Ok(30), Ok(35)]),
        // with a checksum and without, in one value
        (
            "0D4373002C010324001A003E04 060079002300 0D4373002C010324001A003E04",
            vec![Ok(300), Ok(35), Ok(300)],
        ),
        // the place is counted from the value's first octet, and nothing is read after it
        ("060078001E00 00", vec![Ok(30), Err(cut("flags", 7, 1, 0))]),
        ("060078001E00 0600790023", vec![Ok(30), Err(cut("time offset", 10, 2, 1))]),
        ("060078001E00 000079002300 060078001E00", vec![Ok(30), Err(unexpected(6, 0))]),
        ("060078001E00 FF0079002300", vec![Ok(30), Err(unexpected(6, 255))]),
        (
            "060078001E00 080078001E001234",
            vec![
                Ok(30),
                Err(Malformed::Checksum { field: "E2E-CRC", at: 12, sent: 0x3412, computed: 0x9934 }),
            ],
        ),
    ];
    for (value, expected) in rows {
        assert_eq!(minutes(value), expected, "{value}");
    }
}

#[test]
fn a_checksum_is_written_anew() {
    let record = CgmMeasurement::decode(&octets("0D4373002C010324001A003E04")).unwrap().value;
    let other = CgmMeasurement { time_offset_minutes: 30, e2e_crc: Some(0), ..record };
    let mut room = [0; 13];
    let written = other.encode(&mut room).unwrap();
    assert_eq!(CgmMeasurement::decode(written).unwrap().value.time_offset_minutes, 30);
    // and left out where there was none: 0xF8FF is -1793e-1
    let bare = CgmMeasurement { glucose: Value::from_sfloat(0xF8FF), e2e_crc: None, ..record };
    assert_eq!(bare.encode(&mut [0; 11]), Ok(octets("0B43FFF82C010324001A00").as_slice()));
}
