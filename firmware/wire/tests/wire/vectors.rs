//! One door for every vector: decode, render, compare whole objects, encode again, and cut short everywhere.

use hearth_wire::{Malformed, Value};
use serde_json::Value as Json;

use crate::render::{CHARACTERISTICS, decode};
use crate::{clear, octets};

const FILES: [(&str, usize); 27] = [
    (include_str!("../../vectors/blood_pressure_measurement.json"), 17),
    (include_str!("../../vectors/glucose_measurement.json"), 15),
    (include_str!("../../vectors/glucose_measurement_context.json"), 5),
    (include_str!("../../vectors/record_access_control_point.json"), 12),
    (include_str!("../../vectors/weight_measurement.json"), 11),
    (include_str!("../../vectors/date_time.json"), 1),
    (include_str!("../../vectors/current_time.json"), 4),
    (include_str!("../../vectors/system_id.json"), 2),
    (include_str!("../../vectors/body_composition_measurement.json"), 15),
    (include_str!("../../vectors/temperature_measurement.json"), 13),
    (include_str!("../../vectors/plx_spot_check_measurement.json"), 8),
    (include_str!("../../vectors/heart_rate_measurement.json"), 10),
    (include_str!("../../vectors/intermediate_cuff_pressure.json"), 5),
    (include_str!("../../vectors/blood_pressure_feature.json"), 6),
    (include_str!("../../vectors/enhanced_blood_pressure_measurement.json"), 9),
    (include_str!("../../vectors/blood_pressure_record.json"), 6),
    (include_str!("../../vectors/glucose_feature.json"), 4),
    (include_str!("../../vectors/weight_scale_feature.json"), 4),
    (include_str!("../../vectors/body_composition_feature.json"), 4),
    (include_str!("../../vectors/local_time_information.json"), 4),
    (include_str!("../../vectors/current_elapsed_time.json"), 9),
    (include_str!("../../vectors/regulatory_certification_data_list.json"), 1),
    (include_str!("../../vectors/pnp_id.json"), 3),
    (include_str!("../../vectors/battery_level.json"), 4),
    (include_str!("../../vectors/user_control_point.json"), 11),
    (include_str!("../../vectors/database_change_increment.json"), 3),
    (include_str!("../../vectors/cgm_measurement.json"), 10),
];

struct Vector {
    id: String,
    characteristic: String,
    octets: Vec<u8>,
    expected: Json,
    conformance: String,
}

fn vectors() -> Vec<Vector> {
    let mut all = Vec::new();
    for (file, count) in FILES {
        let Json::Array(rows) = serde_json::from_str(file).unwrap() else { panic!("not a list: {file}") };
        assert_eq!(rows.len(), count, "{}", rows[0]["characteristic"]);
        for row in rows {
            let field = |name: &str| row[name].as_str().unwrap().to_owned();
            all.push(Vector {
                id: field("id"),
                characteristic: field("characteristic"),
                octets: octets(&field("hex")),
                expected: row["expected"].clone(),
                conformance: field("conformance"),
            });
        }
    }
    assert!(all.iter().all(|vector| CHARACTERISTICS.contains(&vector.characteristic.as_str())));
    all
}

const fn cut(field: &'static str, at: usize, needed: usize, left: usize) -> Malformed {
    Malformed::Truncated { field, at, needed, left }
}

/// Why each malformed vector is refused, worked out by hand from the layouts.
const REFUSED: [(&str, Malformed); 37] = [
    ("bp-16", Malformed::Empty),
    // 1E 7800 5000 6400 | EA07 05 0C 12 35: the stamp is six octets of seven
    ("bp-s8", cut("time stamp", 7, 7, 6)),
    // 0F 0300 E40705150A1E2D 0500 CDCC |
    ("glu-12", cut("type and sample location", 14, 1, 0)),
    // 01 2C01 01 |
    ("ctx-s3", cut("carbohydrate", 4, 2, 0)),
    ("racp-17", cut("request op code", 2, 1, 0)),
    ("wt-15", cut("weight", 1, 2, 0)),
    // 9803 C200 |
    ("bc-04", cut("basal metabolism", 4, 2, 0)),
    // 000C C200 2A3A | 06
    ("bc-h9", cut("height", 6, 2, 1)),
    // 02 6C0100FF | EA07 03 09 06 05
    ("temp-h10", cut("time stamp", 5, 7, 6)),
    ("temp-h11", cut("temperature", 1, 4, 3)),
    // 04 6100 4B00 | 2000
    ("plx-h7", cut("device and sensor status", 5, 3, 2)),
    ("plx-h8", cut("pulse rate", 3, 2, 1)),
    ("hr-h8", cut("energy expended", 2, 2, 1)),
    // 10 48 0004 | 99
    ("hr-h9", cut("RR-interval", 4, 2, 1)),
    ("hr-h10", cut("heart rate", 1, 2, 1)),
    // 00 7800 FF07 | FF
    ("cuff-h3", cut("second unused pressure", 5, 2, 1)),
    ("cuff-h4", cut("current cuff pressure", 1, 2, 1)),
    ("bpf-h6", cut("features", 0, 2, 1)),
    // 20 7800 5000 5D00 | 278900
    ("ebp-h8", cut("user-facing time", 7, 4, 3)),
    ("ebp-h9", cut("time stamp", 7, 4, 2)),
    ("bpr-h5", cut("UUID", 3, 2, 1)),
    ("bpr-h6", cut("sequence number", 1, 2, 1)),
    ("glf-h4", cut("features", 0, 2, 1)),
    ("wsf-h4", cut("features", 0, 4, 3)),
    ("bcf-h4", cut("features", 0, 4, 3)),
    ("lti-h4", cut("DST offset", 1, 1, 0)),
    ("ets-h6", cut("clock capabilities", 10, 1, 0)),
    ("ets-h7", cut("time", 1, 6, 5)),
    ("pnp-h3", cut("product version", 5, 2, 1)),
    ("ucp-h6", cut("consent code", 2, 2, 1)),
    ("ucp-h7", cut("response value", 2, 1, 0)),
    ("dci-h3", cut("database change increment", 0, 4, 3)),
    // 08 00 7800 1E00 make 0x9934, reckoned apart from this code
    ("cgm-03", Malformed::Checksum { field: "E2E-CRC", at: 6, sent: 0x3412, computed: 0x9934 }),
    // 05 00 7800 | 1E
    ("cgm-04", cut("time offset", 4, 2, 1)),
    ("cgm-h4", Malformed::Unexpected { field: "size", at: 0, value: 9 }),
    ("cgm-h5", Malformed::Unexpected { field: "size", at: 0, value: 7 }),
    // 06 80 7800 1E00 |
    ("cgm-h6", cut("status", 6, 1, 0)),
];

/// The last field is a list, a piece, a maker's own, or optional without a flag: it may end sooner.
fn open_ended(vector: &Vector) -> bool {
    vector.conformance == "proprietary"
        || ["2A37", "2B36", "2BF2", "2A2A", "2A9F"].contains(&vector.characteristic.as_str())
}

#[test]
fn every_vector_reads_as_worked_out_by_hand() {
    for vector in vectors() {
        let id = &vector.id;
        let seen = decode(&vector.characteristic, &vector.octets);
        if vector.conformance == "malformed" {
            let (_, why) = REFUSED.iter().find(|(refused, _)| refused == id).unwrap();
            assert_eq!(seen, Err(*why), "{id}");
            assert!(vector.expected["error"].is_string(), "{id}");
        } else {
            assert_eq!(seen.unwrap().rendered, vector.expected, "{id}");
        }
    }
}

#[test]
fn every_vector_is_written_as_it_was_sent() {
    for vector in vectors() {
        let id = &vector.id;
        let Ok(seen) = decode(&vector.characteristic, &vector.octets) else { continue };
        if vector.conformance == "conformant" || vector.conformance == "proprietary" {
            assert_eq!(seen.encoded, vector.octets, "{id}");
        }
        // Of the others, all comes back but the reserved flags and the trailing octets.
        let mut sent = vector.octets.clone();
        sent.truncate(vector.octets.len() - seen.trailing.len());
        clear(&vector.characteristic, &mut sent, seen.reserved_flags);
        assert_eq!(seen.encoded, sent, "{id}");
        assert_eq!(seen.cramped.len(), sent.len(), "{id}: a buffer that is too small is refused");
    }
}

#[test]
fn every_vector_cut_short_is_refused_or_loses_only_what_trails() {
    for vector in vectors() {
        let whole = decode(&vector.characteristic, &vector.octets);
        for cut in 0..vector.octets.len() {
            let id = format!("{} cut to {cut}", vector.id);
            let short = decode(&vector.characteristic, &vector.octets[..cut]);
            let ends_at = whole.as_ref().map_or(usize::MAX, |seen| seen.encoded.len());
            match short {
                Err(Malformed::Empty) => assert_eq!(cut, 0, "{id}"),
                Err(Malformed::Truncated { at, needed, left, .. }) => {
                    assert!(cut > 0 && cut < ends_at && at + left == cut && left < needed, "{id}");
                }
                // A size at odds with the fields is so however much follows.
                Err(other) => assert_eq!(whole, Err(other), "{id}"),
                Ok(seen) if cut < ends_at && open_ended(&vector) => {
                    assert_eq!(seen.encoded, vector.octets[..cut], "{id}");
                }
                Ok(seen) => {
                    assert!(cut >= ends_at, "{id}: a frame that promises more than it holds was read");
                    assert_eq!(Ok(seen.encoded), whole.as_ref().map(|seen| seen.encoded.clone()), "{id}");
                }
            }
        }
    }
}

#[test]
fn every_number_prints_the_digits_that_were_sent() {
    let Json::Array(rows) = serde_json::from_str(include_str!("../../vectors/number.json")).unwrap() else {
        panic!("not a list")
    };
    assert_eq!(rows.len(), 18);
    for row in rows {
        let field = |name: &str| row[name].as_str().unwrap();
        let sent = u32::from_str_radix(field("raw").trim_start_matches("0x"), 16).unwrap();
        let (value, again) = match field("kind") {
            "SFLOAT" => {
                let value = Value::from_sfloat(u16::try_from(sent).unwrap());
                (value, value.to_sfloat().map(u32::from))
            }
            "FLOAT" => {
                let value = Value::from_float(sent);
                (value, value.to_float())
            }
            other => panic!("{other}"),
        };
        assert_eq!(value.to_string(), field("expected"), "{row}");
        assert_eq!(again, Some(sent), "{row}");
    }
}
