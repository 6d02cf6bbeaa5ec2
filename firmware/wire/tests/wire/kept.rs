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
fn every_other_record_keeps_all() {
    for characteristic in [0x2A35, 0x2A34, 0x2A9D, 0x2A2B, 0x2A08, 0x2A52, 0x0000] {
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
        // these have a sequence number, or are no records
        (0x2A18, "000400000000000000", false),
        (0x2A34, "021E0002", false),
        (0x2A2B, "000000000C1E00010000", false),
    ];
    for (characteristic, sent, expected) in rows {
        assert_eq!(timeless(characteristic, &octets(sent)), expected, "{characteristic:04X} {sent}");
    }
}
