//! A record's name: what it keeps for ever, and whether its device dated it.

use hearth_wire::gatt::{kept, timeless};

use crate::{hex, octets};

#[track_caller]
fn check(characteristic: u16, sent: &str, name: &str) {
    let octets = octets(sent);
    let kept = kept(characteristic, &octets);
    assert!(kept.parts().all(|part| !part.is_empty()), "{sent}");
    assert_eq!(kept.parts().map(hex).collect::<String>(), name, "{characteristic:04X} {sent}");
}

#[test]
fn a_glucose_record_keeps_neither_its_offset_nor_the_promise_of_a_context() {
    let rows = [
        // glu-04, and the same record after its user moved the meter's clock by an hour: one name
        ("131E00E2070914051B075CFE6FB0F1", "021E00E2070914051B076FB0F1"),
        ("131E00E2070914051B0798FE6FB0F1", "021E00E2070914051B076FB0F1"),
        // the offset is gone altogether, and the meal not yet marked: still one
        ("021E00E2070914051B076FB0F1", "021E00E2070914051B076FB0F1"),
        // sequence, base time and value each make another record
        ("131F00E2070914051B075CFE6FB0F1", "021F00E2070914051B076FB0F1"),
        ("131E00E2070914051B085CFE6FB0F1", "021E00E2070914051B086FB0F1"),
        ("131E00E2070914051B075CFE70B0F1", "021E00E2070914051B0770B0F1"),
        // reserved flags, unit, status and trailing octets stay
        ("FF0500E807060F11111B5301FE0711200099", "EE0500E807060F11111BFE0711200099"),
        // an offset and nothing else
        ("010400D00701020304053456", "000400D0070102030405"),
        // too short to hold what they promise: nothing is known of them
        ("", ""),
        ("01", "01"),
        ("010400D0070102030405", "010400D0070102030405"),
        ("110400D007010203040534", "110400D007010203040534"),
        ("10", "00"),
        ("1004", "0004"),
    ];
    for (sent, name) in rows {
        check(0x2A18, sent, name);
    }
}

#[test]
fn a_spot_check_keeps_neither_its_way_nor_the_state_of_the_clock() {
    let rows = [
        // plx-h2 from memory, and as it was sent live: one name
        ("0FCFF34B00EA0703090605040003200000 2DF0", "0FCFF34B00EA0703090605040001200000 2DF0"),
        ("0FCFF34B00EA0703090605040001200000 2DF0", "0FCFF34B00EA0703090605040001200000 2DF0"),
        // without a stamp the status stands elsewhere
        ("0261004B00 20FF", "0261004B00 20FD"),
        // the clock was set in between
        ("1162004600D0070101000314", "0162004600D0070101000314"),
        ("0162004600D0070101000314", "0162004600D0070101000314"),
        // stamp, value, the other status bits, reserved flags and trailing octets stay
        ("0162004600D0070101000315", "0162004600D0070101000315"),
        ("0163004600D0070101000314", "0163004600D0070101000314"),
        ("F262004600 1FFD 99", "E262004600 1FFD 99"),
        // too short to hold what they promise: nothing is known of them
        ("", ""),
        ("12", "12"),
        ("1361004B00EA07030906050400", "1361004B00EA07030906050400"),
        ("10", "00"),
    ];
    for (sent, name) in rows {
        check(0x2A5E, &sent.replace(' ', ""), &name.replace(' ', ""));
    }
}

#[test]
fn an_enhanced_pressure_keeps_one_time() {
    let rows = [
        // ebp-h1, the same after its user set the clock, and from a device that then told one time only
        ("7E7800500 05D00 2789002E 4800 01 0400 B726002E", "5E78005000 5D00 2789002E 4800 01 0400"),
        ("7E7800500 05D00 2789002E 4800 01 0400 C734002E", "5E78005000 5D00 2789002E 4800 01 0400"),
        ("5E7800500 05D00 2789002E 4800 01 0400", "5E78005000 5D00 2789002E 4800 01 0400"),
        // without the optional fields between, and with octets behind
        ("6278005000 5D00 2789002E B726002E 99", "4278005000 5D00 2789002E 99"),
        // stamp and value make another record
        ("6278005000 5D00 2889002E B726002E", "4278005000 5D00 2889002E"),
        ("6279005000 5D00 2789002E B726002E", "4279005000 5D00 2789002E"),
        // the time that the user sees is all there is
        ("6078005000 5D00 B726002E", "6078005000 5D00 B726002E"),
        // too short to hold what it promises: nothing is known of it
        ("6278005000 5D00 2789002E B72600", "6278005000 5D00 2789002E B72600"),
        ("62", "62"),
        ("", ""),
    ];
    for (sent, name) in rows {
        check(0x2B34, &sent.replace(' ', ""), &name.replace(' ', ""));
    }
}

#[test]
fn a_stored_pressure_keeps_neither_its_way_nor_its_checksum() {
    let rows = [
        // one record on two connections: another counter, another checksum
        ("03 0700 342B 4278005000 5D00 2789002E ABCD", "0700 342B 4278005000 5D00 2789002E"),
        ("FF 0700 342B 4278005000 5D00 2789002E 1234", "0700 342B 4278005000 5D00 2789002E"),
        // and after its user set the clock
        ("07 0700 342B 6278005000 5D00 2789002E B726002E", "0700 342B 4278005000 5D00 2789002E"),
        ("03 0700 352A 0078005000 5D00 ABCD", "0700 352A 0078005000 5D00"),
        // sequence, value and kind make another record
        ("03 0800 342B 4278005000 5D00 2789002E", "0800 342B 4278005000 5D00 2789002E"),
        ("03 0700 352A 0079005000 5D00", "0700 352A 0079005000 5D00"),
        // what is inside is not known, or not whole
        ("03 0700 182A 0078005000 5D00 ABCD", "0700 182A 0078005000 5D00 ABCD"),
        ("03 0700 362B 03 0700 362B", "0700 362B 03 0700 362B"),
        ("03 0700 342B 42780050", "03 0700 342B 42780050"),
        ("03 0700 34", "03 0700 34"),
        ("03 0700 342B", "03 0700 342B"),
        // a part of a record is none
        ("01 0700 342B 427800", "01 0700 342B 427800"),
        ("06 0700 342B 50005D00", "06 0700 342B 50005D00"),
    ];
    for (sent, name) in rows {
        check(0x2B36, &sent.replace(' ', ""), &name.replace(' ', ""));
    }
}

#[test]
fn every_other_record_keeps_all() {
    for characteristic in
        [0x2A35, 0x2A34, 0x2A9D, 0x2A9C, 0x2A1C, 0x2A37, 0x2AA7, 0x2A2B, 0x2A08, 0x2A52, 0x0000]
    {
        for sent in ["", "11", "131E00E2070914051B075CFE6FB0F1"] {
            check(characteristic, sent, sent);
        }
    }
}

#[test]
fn a_record_without_a_date_is_timeless() {
    let rows = [
        // bp-03, bp-14, bp-s5 (zeros), bp-s6 (30 February: wrong, and yet a name)
        (0x2A35, "167C0056006100E807060F11111B33000000", false),
        (0x2A35, "0848005100400001", true),
        (0x2A35, "0E780050006400000000000000004800FF", true),
        (0x2A35, "02780050006400EA07021E0A0000", false),
        // the day is not known
        (0x2A35, "02780050006400EA0702000A0000", true),
        // wt-07, wt-01, wt-04 (zeros)
        (0x2A9D, "00B036", true),
        (0x2A9D, "0EF22FE507071715211F02D400A406", false),
        (0x2A9D, "0620120000000000000001", true),
        // no stamp, though what trails looks like one; other flags are no stamp either
        (0x2A35, "00780050006400E807060F11111B", true),
        (0x2A35, "FD7800500064004800FF0000E807060F", true),
        (0x2A9D, "FDB03605F500D606E807060F11111B", true),
        // broken off inside the stamp, before it, behind it
        (0x2A35, "1E780050006400EA07050C1235", true),
        (0x2A35, "02780050", true),
        (0x2A9D, "06F22FE507071715211F", false),
        (0x2A35, "", true),
        // bc-08; the second of two packets; no date; broken off
        (0x2A9C, "1E055C00EA07020F062F2201310BF501BF02E802", false),
        (0x2A9C, "C01FD200B42D5C2B082050142A3AD106", true),
        (0x2A9C, "0200D20000000000000000", true),
        (0x2A9C, "0200D200EA0703090605", true),
        (0x2A9C, "FD0FD200EA070309060504034C1D", true),
        // temp-02, temp-h2, and one with a date
        (0x2A1C, "006C0100FF", true),
        (0x2A1C, "02600E00FE00000000000000", true),
        (0x2A1C, "02600E00FEEA070309060504", false),
        (0x2A1C, "FD600E00FEEA070309060504", true),
        (0x2A1C, "02600E00FEEA0703090605", true),
        // plx-h1, plx-h2; a clock that nobody set still counts
        (0x2A5E, "0061004B00", true),
        (0x2A5E, "0FCFF34B00EA07030906050400032000002DF0", false),
        (0x2A5E, "1162004600D0070101000314", false),
        (0x2A5E, "0E61004B00EA070309060504", true),
        (0x2A5E, "0161004B00EA0703090605", true),
        // ebp-h1; the user's time alone; neither; seconds that never began; broken off
        (0x2B34, "7E78005000 5D00 2789002E 4800 01 0400 B726002E", false),
        (0x2B34, "6078005000 5D00 B726002E", false),
        (0x2B34, "7C78005000 5D00 4800 01 0400 B726002E", false),
        (0x2B34, "0078005000 5D00 2789002E", true),
        (0x2B34, "DC78005000 5D00 2789002E", true),
        (0x2B34, "4278005000 5D00 00000000", true),
        (0x2B34, "6078005000 5D00 00000000", true),
        (0x2B34, "4278005000 5D00 278900", true),
        (0x2B34, "7C78005000 5D00 4800 01 0400 B72600", true),
        (0x2B34, "", true),
        // a whole record has a number; a part has none of its own
        (0x2B36, "03 0700 352A 0078005000 5D00", false),
        (0x2B36, "FF 0700 352A", false),
        (0x2B36, "01 0700 352A 0078", true),
        (0x2B36, "02 0700 352A 0078", true),
        (0x2B36, "03 0700 35", true),
        (0x2B36, "", true),
        // a session that the record does not name
        (0x2AA7, "060078001E00", true),
        // live, each time
        (0x2A37, "0048", true),
        (0x2A37, "163C00043303", true),
        // these have a sequence number, or are no records
        (0x2A18, "000400000000000000", false),
        (0x2A34, "021E0002", false),
        (0x2A2B, "000000000C1E00010000", false),
    ];
    for (characteristic, sent, expected) in rows {
        assert_eq!(
            timeless(characteristic, &octets(&sent.replace(' ', ""))),
            expected,
            "{characteristic:04X} {sent}"
        );
    }
}
