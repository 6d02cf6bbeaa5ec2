//! What makes a row its own witness: a keyed digest of all its columns, written by triggers with every change.
//!
//! SQLite checks the frames of its log, and nothing that lies in the file. A turned bit in a person's number or in a
//! pressure reads well. So each row carries `proof`: HMAC-SHA256 with the hub's key, cut to 16 octets, over the table's
//! name and the row's columns in their order. A row that proves itself is what this hub once wrote in this place; whether
//! it is still the newest word, no row can say of itself.
//!
//! When a store opens, the few rows prove themselves that say who is who ([`SMALL`]). Each other row does when it is read
//! for what it says, and before it is written anew, so that a proof is never made of what was damaged. All of them do in
//! turn while the hub runs ([`look_over`]), and at once where the store was found broken ([`unproven`]).

use super::blind::HubKey;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A table whose rows prove themselves. `columns` in the order in which they lie on disk; the proof follows them.
pub(super) struct Proven {
    pub(super) table: &'static str,
    pub(super) columns: &'static [&'static str],
}

/// The function that the triggers of the layout call.
const PROVE: &str = "prove";

/// The function that reads call: it stops whoever reads a row that does not prove itself.
const SOUND: &str = "sound";

/// Who is who, and what may leave: few rows in every house.
const SMALL: &[&str] =
    &["hub", "boot", "anchor", "device", "person", "person_at", "binding", "permission", "destination"];

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
    Proven {
        table: "bridge",
        columns: &["no", "handle", "epoch", "number", "highest", "lost", "missing", "sealed"],
    },
    Proven { table: "bridge_met", columns: &["no", "bridge", "epoch", "ticks", "boot", "ms"] },
    Proven { table: "bridge_odd", columns: &["no", "epoch", "number", "sealed"] },
    Proven { table: "told", columns: &["no", "contact", "record", "boot", "ms"] },
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

/// A column for whoever reads a row for what it says.
pub(super) fn sound(table: &str) -> &'static str {
    static ALL: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
        let call = |Proven { table, columns }: &Proven| {
            let columns: Vec<_> = columns.iter().map(|column| format!("{table}.{column}")).collect();
            (*table, format!("{SOUND}('{table}', {table}.proof, {})", columns.join(", ")))
        };
        TABLES.iter().map(call).collect()
    });
    ALL.get(table).map_or("NULL", String::as_str)
}

/// A row is written anew only if it proved itself before.
pub(super) fn watch(sql: &Connection) -> Result<(), Error> {
    sql.pragma_update(None, "temp_store", "MEMORY")?;
    for Proven { table, columns } in TABLES {
        let old: Vec<_> = columns.iter().map(|column| format!("old.{column}")).collect();
        sql.execute_batch(&format!(
            "CREATE TEMP TRIGGER {table}_was_sound BEFORE UPDATE OF {} ON main.{table}
             BEGIN SELECT {SOUND}('{table}', old.proof, {}); END",
            columns.join(", "),
            old.join(", ")
        ))?;
    }
    Ok(())
}

/// Teaches a connection the function that the triggers call, and the one that reads do.
pub(super) fn teach(sql: &Connection, key: &HubKey) -> Result<(), Error> {
    let (key, reads) = (key.clone(), key.clone());
    // Innocuous: the layout may call it although the schema of a file is not trusted.
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    sql.create_scalar_function(PROVE, -1, flags, move |row: &Context<'_>| {
        let table = row.get_raw(0).as_str()?;
        Ok(prove(&key, table, (1..row.len()).map(|column| row.get_raw(column))))
    })?;
    sql.create_scalar_function(SOUND, -1, flags, move |row: &Context<'_>| {
        let table = row.get_raw(0).as_str()?;
        let proof = prove(&reads, table, (2..row.len()).map(|column| row.get_raw(column)));
        match row.get_raw(1).as_blob() {
            Ok(told) if told == proof => Ok(true),
            _ => Err(Error::UserFunctionError(format!("a row of {table} does not prove itself").into())),
        }
    })
}

/// The first table with a row that does not prove itself: of all, or of the small ones.
pub(super) fn unproven(sql: &Connection, all: bool) -> Result<Option<&'static str>, Error> {
    for Proven { table, columns } in TABLES.iter().filter(|proven| all || SMALL.contains(&proven.table)) {
        // With their indexes: a binding that is over must not be found as one that holds.
        if !all && !checked(sql, "integrity_check", table)? {
            return Ok(Some(table));
        }
        let columns = columns.join(", ");
        let query =
            format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE proof IS NOT {PROVE}('{table}', {columns}))");
        if sql.query_row(&query, [], |row| row.get(0))? {
            return Ok(Some(table));
        }
    }
    Ok(None)
}

/// What SQLite itself says of a table.
fn checked(sql: &Connection, how: &str, table: &str) -> Result<bool, Error> {
    let said: String = sql.query_row(&format!("PRAGMA {how}({table})"), [], |row| row.get(0))?;
    Ok(said == "ok")
}

/// How far all rows were looked at.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Look {
    table: usize,
    /// Key of the last row.
    after: Vec<Value>,
}

/// Rows looked at in one transaction: intake waits no longer than this takes.
const AT_ONCE: usize = 250;

/// The next rows, each of which has to prove itself, and at the end of a table its tree. `None`: that was all.
pub(super) fn look_over(sql: &Connection, look: &Look) -> Result<Option<Look>, Error> {
    let Some(Proven { table, .. }) = TABLES.get(look.table) else { return Ok(None) };
    let key: &[&str] = match *table {
        "cursor" => &["recorder", "device", "slot", "epoch"],
        "ledger" => &["key", "issue"],
        "ledger_closed" | "ledger_doubt" => &["key", "issue", "destination"],
        _ => &["rowid"],
    };
    let (columns, places) = (key.join(", "), vec!["?"; key.len()].join(", "));
    let after = if look.after.is_empty() { String::new() } else { format!("WHERE ({columns}) > ({places})") };
    let sound = sound(table);
    let mut rows = sql.prepare_cached(&format!(
        "SELECT {columns}, {sound} FROM {table} {after} ORDER BY {columns} LIMIT {AT_ONCE}"
    ))?;
    let read = |row: &rusqlite::Row<'_>| (0..key.len()).map(|column| row.get(column)).collect();
    let mut keys: Vec<Vec<Value>> =
        rows.query_map(rusqlite::params_from_iter(&look.after), read)?.collect::<Result<_, _>>()?;
    if keys.len() == AT_ONCE {
        return Ok(Some(Look { table: look.table, after: keys.pop().unwrap_or_default() }));
    }
    if !checked(sql, "quick_check", table)? {
        return Err(Error::UserFunctionError(format!("the table {table} is damaged").into()));
    }
    Ok(Some(Look { table: look.table + 1, after: vec![] }))
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
