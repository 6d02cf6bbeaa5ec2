//! One door for every vector: decode, render, compare whole objects, encode again, and cut short everywhere.

use hearth_wire::{Malformed, Value};
use serde_json::Value as Json;

use crate::octets;
use crate::render::{CHARACTERISTICS, decode};

const FILES: [(&str, usize); 8] = [
    (include_str!("../../vectors/blood_pressure_measurement.json"), 17),
    (include_str!("../../vectors/glucose_measurement.json"), 15),
    (include_str!("../../vectors/glucose_measurement_context.json"), 5),
    (include_str!("../../vectors/record_access_control_point.json"), 12),
    (include_str!("../../vectors/weight_measurement.json"), 11),
    (include_str!("../../vectors/date_time.json"), 1),
    (include_str!("../../vectors/current_time.json"), 4),
    (include_str!("../../vectors/system_id.json"), 2),
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

/// Why each malformed vector is refused, worked out by hand from the layouts.
const REFUSED: [(&str, Malformed); 6] = [
    ("bp-16", Malformed::Empty),
    // 1E 7800 5000 6400 | EA07 05 0C 12 35: the stamp is six octets of seven
    ("bp-s8", Malformed::Truncated { field: "time stamp", at: 7, needed: 7, left: 6 }),
    // 0F 0300 E40705150A1E2D 0500 CDCC |
    ("glu-12", Malformed::Truncated { field: "type and sample location", at: 14, needed: 1, left: 0 }),
    // 01 2C01 01 |
    ("ctx-s3", Malformed::Truncated { field: "carbohydrate", at: 4, needed: 2, left: 0 }),
    ("racp-17", Malformed::Truncated { field: "request op code", at: 2, needed: 1, left: 0 }),
    ("wt-15", Malformed::Truncated { field: "weight", at: 1, needed: 2, left: 0 }),
];

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
        sent[0] &= !seen.reserved_flags;
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
                Err(other) => panic!("{id}: {other}"),
                // The operand of an unknown op code or filter has no length that could be missed.
                Ok(seen) if vector.conformance == "proprietary" => {
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
