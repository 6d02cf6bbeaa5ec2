//! What makes a row its own witness: a keyed digest of all its columns, written by triggers with every change.
//!
//! SQLite checks the frames of its log, and nothing that lies in the file. A turned bit in a person's number or in a
//! pressure reads well. So each row carries `proof`: HMAC-SHA256 with the hub's key, cut to 16 octets, over the table's
//! name and the row's columns in their order. A row that proves itself is what this hub once wrote in this place; whether
//! it is still the newest word, no row can say of itself.

use super::blind::HubKey;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};

/// A table whose rows prove themselves. `columns` in the order in which they lie on disk; the proof follows them.
pub(super) struct Proven {
    pub(super) table: &'static str,
    pub(super) columns: &'static [&'static str],
}

/// The function that the triggers of the layout call.
const PROVE: &str = "prove";

pub(super) const PROOF_LENGTH: usize = 16;

/// As of the newest layout: a step that gives a table another column proves its rows anew.
pub(super) const TABLES: &[Proven] = &[
    Proven { table: "hub", columns: &["one", "key_check", "epoch", "next_origin", "sealed"] },
    Proven { table: "boot", columns: &["no", "system", "last", "log", "replayed"] },
    Proven { table: "anchor", columns: &["boot", "ms", "earliest", "latest", "source"] },
    Proven { table: "device", columns: &["no", "handle", "met_boot", "met_ms", "bond", "sealed", "cache"] },
    Proven {
        table: "contact",
        columns: &["no", "device", "boot", "ms", "link", "ended", "samples", "sealed"],
    },
    Proven {
        table: "record",
        columns: &[
            "no",
            "device",
            "name",
            "turn",
            "sequence",
            "times",
            "last_contact",
            "changed",
            "fate",
            "reason",
            "partner",
            "until_boot",
            "until_ms",
            "head",
            "fate_boot",
            "fate_ms",
            "sealed",
            "issue",
            "last_boot",
            "last_ms",
        ],
    },
    Proven { table: "capture", columns: &["no", "record", "contact", "boot", "ms", "sealed"] },
    Proven { table: "hold", columns: &["record", "reason", "since_boot", "since_ms", "sealed"] },
    Proven {
        table: "reading",
        columns: &[
            "no",
            "record",
            "device",
            "key",
            "issue",
            "supersedes",
            "semantic",
            "effective",
            "binding",
            "retracted",
            "kept_boot",
            "kept_ms",
            "sealed",
        ],
    },
    Proven { table: "person", columns: &["no"] },
    Proven {
        table: "person_at",
        columns: &["no", "person", "destination", "patient", "since", "until", "sealed"],
    },
    Proven {
        table: "binding",
        columns: &["no", "device", "since", "until", "revision", "replaced", "sealed"],
    },
    Proven {
        table: "permission",
        columns: &[
            "no",
            "person",
            "destination",
            "order_from",
            "order_until",
            "consent_from",
            "consent_until",
            "revision",
            "replaced",
        ],
    },
    Proven { table: "cursor", columns: &["recorder", "device", "slot", "epoch", "sequence"] },
    Proven { table: "destination", columns: &["no", "name", "listed", "sealed"] },
    Proven {
        table: "outbox",
        columns: &[
            "no",
            "reading",
            "destination",
            "subject",
            "intent",
            "labels",
            "effective",
            "state",
            "reason",
            "points_at",
            "issued",
            "not_before",
            "attempts",
            "counted",
            "started_at",
            "in_doubt",
            "mapping",
            "changed_at",
            "raised",
            "octets",
            "sealed",
        ],
    },
    Proven { table: "receipt", columns: &["no", "outbox", "attempt", "at", "verified_at", "sealed"] },
    Proven { table: "ledger", columns: &["key", "issue", "tombstone", "heard_since", "semantic", "road"] },
    Proven { table: "ledger_closed", columns: &["key", "issue", "destination", "closed_at"] },
    Proven { table: "ledger_doubt", columns: &["key", "issue", "destination"] },
];

/// The proof of a row: `values` are its columns, in order.
pub(super) fn prove<'v>(
    key: &HubKey,
    table: &str,
    values: impl Iterator<Item = ValueRef<'v>>,
) -> [u8; PROOF_LENGTH] {
    // An octet of kind, the length, the octets: no two rows are written alike.
    let mut row = Vec::with_capacity(256);
    for value in values {
        let mut put = |kind: u8, octets: &[u8]| {
            row.push(kind);
            row.extend((octets.len() as u64).to_be_bytes());
            row.extend(octets);
        };
        match value {
            ValueRef::Null => put(0, &[]),
            ValueRef::Integer(number) => put(1, &number.to_be_bytes()),
            ValueRef::Real(number) => put(2, &number.to_bits().to_be_bytes()),
            ValueRef::Text(octets) => put(3, octets),
            ValueRef::Blob(octets) => put(4, octets),
        }
    }
    let whole = key.blind("proof", &[table.as_bytes(), &row]);
    *whole.first_chunk().expect("a digest of 32 octets begins with 16")
}

/// Teaches a connection the function that the triggers call. Without it nothing can be written; reading needs none.
pub(super) fn teach(sql: &Connection, key: &HubKey) -> Result<(), Error> {
    let key = key.clone();
    // Innocuous: the layout may call it although the schema of a file is not trusted.
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    sql.create_scalar_function(PROVE, -1, flags, move |row: &Context<'_>| {
        let table = row.get_raw(0).as_str()?;
        Ok(prove(&key, table, (1..row.len()).map(|column| row.get_raw(column))))
    })
}

/// The first table with a row that does not prove itself.
pub(super) fn unproven(sql: &Connection) -> Result<Option<&'static str>, Error> {
    for Proven { table, columns } in TABLES {
        let columns = columns.join(", ");
        let query =
            format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE proof IS NOT {PROVE}('{table}', {columns}))");
        if sql.query_row(&query, [], |row| row.get(0))? {
            return Ok(Some(table));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn no_two_rows_have_one_proof() {
        let key = HubKey::new([1; 32]);
        let of = |table: &str, values: &[ValueRef<'_>]| prove(&key, table, values.iter().copied());
        let one = of("capture", &[ValueRef::Integer(1), ValueRef::Blob(b"ab")]);
        assert_eq!(one, of("capture", &[ValueRef::Integer(1), ValueRef::Blob(b"ab")]));
        for other in [
            of("record", &[ValueRef::Integer(1), ValueRef::Blob(b"ab")]),
            of("capture", &[ValueRef::Integer(2), ValueRef::Blob(b"ab")]),
            of("capture", &[ValueRef::Integer(1), ValueRef::Text(b"ab")]),
            of("capture", &[ValueRef::Integer(1), ValueRef::Blob(b"a"), ValueRef::Blob(b"b")]),
            of("capture", &[ValueRef::Blob(b"ab"), ValueRef::Integer(1)]),
            of("capture", &[ValueRef::Integer(1), ValueRef::Null]),
        ] {
            assert_ne!(one, other);
        }
    }
}
