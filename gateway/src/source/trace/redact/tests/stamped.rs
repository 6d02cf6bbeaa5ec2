//! Values and their stamps, octet by octet.

use super::*;

/// Stamps by the GATT Specification Supplement, at the octet where each has its time.
#[test]
fn stamps_are_moved_where_they_stand() {
    let mut mask = Mask::new(KEY, &Catalog::standard());
    (mask.days, mask.learns) = (1_827, false);
    let mut devices = Devices::new();
    let day = data_encoding::HEXUPPER.encode(&stamp(mask.days));
    let seconds = 86_400 * mask.days as u64;
    for (characteristic, before, after) in [
        (0x2A35, "16 7C00 5600 6100 E807060F 11111B 3300 0000", "16 7C00 5600 6100 DAY 11111B 3300 0000"),
        (0x2A35, "14 7C00 5600 6100 3300 0000", "14 7C00 5600 6100 3300 0000"),
        (0x2A18, "0B 2A00 E807060F 080000 0000 6F B0 11 0000", "0B 2A00 DAY 080000 0000 6F B0 11 0000"),
        (0x2A9D, "02 1027 E807060F 080000", "02 1027 DAY 080000"),
        (0x2A9C, "0200 C800 E807060F 080000", "0200 C800 DAY 080000"),
        (0x2A1C, "02 6F0100FF E807060F 080000", "02 6F0100FF DAY 080000"),
        (0x2A5E, "01 6200 4800 E807060F 080000", "01 6200 4800 DAY 080000"),
        (0x2A2B, "E807060F 111129 06 00 00", "DAY 111129 06 00 00"),
        (0x2A08, "E807060F 111129", "DAY 111129"),
        // The record access control point: from a time on, between two times, by sequence.
        (0x2A52, "01 03 02 E807060F 000000", "01 03 02 DAY 000000"),
        (0x2A52, "01 04 02 E807060F 000000 E807060F 010000", "01 04 02 DAY 000000 DAY 010000"),
        (0x2A52, "01 03 01 2A00", "01 03 01 2A00"),
        // No date stays none, of another year; nor does 29 February of a year without one become a day. Not known stays so.
        (0x2A08, "E8070D0F 111129", "ED070D0F 111129"),
        (0x2A08, "E707021D 111129", "EC07021E 111129"),
        (0x2A08, "E807000F 111129", "ED07000F 111129"),
        (0x2A08, "00000000 000000", "00000000 000000"),
        // An hour that is none.
        (0x2A08, "E807060F 191129", "DAY 191129"),
        // 1970-01-01 and 1,827 days: 1975-01-02. Nobody says that such a year is no time.
        (0x2A08, "B2070101 000000", "B7070102 000000"),
        // Of a stamp that is cut nothing stays.
        (0x2A08, "E807", "0000"),
        (0x2A35, "02 7C00 5600 6100 E80706", "02 7C00 5600 6100 000000"),
        (0x2A34, "02 2A00 01", "02 2A00 01"),
        // Octets that the layout does not explain; those of a relative's layout too.
        (0x2A35, "00 7C00 5600 6100 00091F", "00 7C00 5600 6100 000000"),
        (0x2A36, "00 7C00 FF07 FF07 00091F", "00 7C00 FF07 FF07 000000"),
        (0x2A19, "64 00091F", "64 000000"),
        // Stored records: whole; the first piece, and the next; what is inside is not known.
        (
            0x2B36,
            "03 0700 352A 02 7C00 5600 6100 E807060F 111100",
            "03 0700 352A 02 7C00 5600 6100 DAY 111100",
        ),
        (0x2B36, "01 0700 352A 02 7C00 5600 6100 E80706", "01 0700 352A 02 7C00 5600 6100 000000"),
        (0x2B36, "06 0700 352A 0F 111100", "06 0700 352A 00 000000"),
        (0x2B36, "03 0700 8A2A 414E4E41", "03 0700 8A2A 00000000"),
        // Not known here; two that differ still do.
        (0x2A8A, "414E4E41", "00000000"),
        (0x2A8A, "42424242", "01000000"),
        (0x2A8A, "414E4E41", "00000000"),
    ] {
        let made = values::value(&mut mask, &mut devices, "cuff", characteristic, &x(before));
        assert_eq!(made, x(&after.replace("DAY", &day)), "{characteristic:04X} {before}");
    }
    // With a checksum over the record, or over what is inside: right again. With another two octets: unknown.
    let record = "03 0700 352A 02 7C00 5600 6100 E807060F 111100";
    let with = |record: &[u8], from: usize| {
        let crc = hearth_wire::crc::mcrf4xx(&record[from..]).to_le_bytes();
        [record, &crc].concat()
    };
    for from in [0, 5] {
        let made = values::value(&mut mask, &mut devices, "cuff", 0x2B36, &with(&x(record), from));
        assert_eq!(made, with(&x(&record.replace("E807060F", &day)), from));
    }
    let made = values::value(&mut mask, &mut devices, "cuff", 0x2B36, &x(&format!("{record} ABCD")));
    assert_eq!(made, x(&format!("{} 0000", record.replace("E807060F", &day))));
    // 1000 s: 3E8; the time of the enhanced value is u32 seconds at octet 7, the other time at 7 + 4 + 2.
    let made = values::value(
        &mut mask,
        &mut devices,
        "cuff",
        0x2B34,
        &x("26 7800 5000 FF07 E8030000 4800 E8030000"),
    );
    let want = [&x("26 7800 5000 FF07")[..], &(1_000 + seconds as u32).to_le_bytes(), &x("4800")];
    assert_eq!(made[..13], want.concat());
    // No seconds are no time, and more than 2^32 - 1 can't be told: no time either, and that is said.
    assert_eq!(mask.stayed, 0);
    let frame = "02 7800 5000 FF07";
    for seconds in ["00000000", "F0FFFFFF"] {
        let octets = x(&format!("{frame} {seconds}"));
        let made = values::value(&mut mask, &mut devices, "cuff", 0x2B34, &octets);
        assert_eq!(made, x(&format!("{frame} 00000000")));
    }
    assert_eq!(mask.stayed, 1);
    // Milliseconds (resolution 2): u48.
    let made = values::value(&mut mask, &mut devices, "cuff", 0x2BF2, &x("0A E80300000000 00 00"));
    assert_eq!(made[1..7], (1_000 + seconds * 1_000).to_le_bytes()[..6]);
}
