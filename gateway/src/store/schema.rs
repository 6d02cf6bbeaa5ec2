//! The tables, a step of layout at a time. A step that was ever released is never edited: add the next one.
//!
//! Long because a step stays for ever.
//!
//! What each table and column is for: `docs/store.md`. The rule of all of them: in the clear lie row numbers,
//! states, instants, counters, codes of fates and blinded keys; everything that a device said, everything that
//! names a person or a device, lies in a payload column (`sealed`, `octets`, `cache`), which only
//! `seal` reads and writes. Instants are microseconds since 1970, ticks are milliseconds of a boot.

/// `PRAGMA application_id`: "Hrth".
pub(super) const APPLICATION: i32 = i32::from_be_bytes(*b"Hrth");

pub(super) const STEPS: &[&str] =
    &[FIRST, ISSUES, ROADS, TELLINGS, LOGS, SALVAGE, PROOFS, BRIDGES, WEIGHINGS];

const FIRST: &str = "
CREATE TABLE hub (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key_check BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    next_origin INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE boot (
    no INTEGER PRIMARY KEY,
    system BLOB UNIQUE,
    last INTEGER NOT NULL
) STRICT;

CREATE TABLE anchor (
    boot INTEGER NOT NULL REFERENCES boot ON DELETE CASCADE,
    ms INTEGER NOT NULL,
    earliest INTEGER NOT NULL,
    latest INTEGER,
    source TEXT NOT NULL CHECK (source IN ('synchronised', 'remembered', 'stated'))
) STRICT;
CREATE INDEX anchor_of_boot ON anchor (boot);

CREATE TABLE device (
    no INTEGER PRIMARY KEY,
    handle BLOB NOT NULL UNIQUE,
    met_boot INTEGER NOT NULL,
    met_ms INTEGER NOT NULL,
    bond TEXT NOT NULL DEFAULT 'none' CHECK (bond IN ('none', 'bonded', 'lost')),
    sealed BLOB NOT NULL,
    cache BLOB
) STRICT;

CREATE TABLE contact (
    no INTEGER PRIMARY KEY,
    device INTEGER NOT NULL REFERENCES device,
    boot INTEGER NOT NULL REFERENCES boot,
    ms INTEGER NOT NULL,
    link TEXT NOT NULL CHECK (link IN ('bonded', 'open', 'broadcast', 'wired')),
    ended TEXT CHECK (ended IN ('drained', 'lost')),
    samples INTEGER NOT NULL DEFAULT 0,
    sealed BLOB
) STRICT;
CREATE INDEX contact_sampled ON contact (device, no) WHERE samples > 0;
CREATE INDEX contact_drained ON contact (device, no) WHERE ended = 'drained';

CREATE TABLE record (
    no INTEGER PRIMARY KEY,
    device INTEGER NOT NULL REFERENCES device,
    name BLOB NOT NULL,
    turn INTEGER NOT NULL,
    alike BLOB,
    sequence INTEGER,
    times INTEGER NOT NULL,
    last_contact INTEGER NOT NULL REFERENCES contact,
    changed INTEGER NOT NULL DEFAULT 0,
    fate TEXT NOT NULL CHECK (fate IN ('new', 'await', 'hold', 'reissue',
        'admitted', 'companion', 'repeat', 'retracted', 'refused')),
    reason TEXT,
    partner INTEGER NOT NULL DEFAULT 0,
    until_boot INTEGER,
    until_ms INTEGER,
    head INTEGER REFERENCES record ON DELETE SET NULL,
    fate_boot INTEGER NOT NULL,
    fate_ms INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (device, name, turn)
) STRICT;
CREATE INDEX record_alike ON record (device, alike) WHERE alike IS NOT NULL;
CREATE INDEX record_sequence ON record (device, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX record_unsettled ON record (device) WHERE fate IN ('new', 'await', 'hold', 'reissue');
CREATE INDEX record_refused ON record (device) WHERE fate = 'refused';
CREATE INDEX record_due ON record (until_boot, until_ms) WHERE fate = 'await';
CREATE INDEX record_head ON record (head) WHERE head IS NOT NULL;

CREATE TABLE capture (
    no INTEGER PRIMARY KEY,
    record INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,
    contact INTEGER NOT NULL REFERENCES contact,
    boot INTEGER NOT NULL REFERENCES boot,
    ms INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX capture_of_record ON capture (record);
CREATE INDEX capture_of_contact ON capture (contact);

CREATE TABLE reading (
    no INTEGER PRIMARY KEY,
    record INTEGER NOT NULL REFERENCES record,
    device INTEGER NOT NULL REFERENCES device,
    key BLOB NOT NULL,
    issue INTEGER NOT NULL,
    supersedes INTEGER,
    semantic BLOB,
    effective INTEGER NOT NULL,
    binding INTEGER NOT NULL,
    retracted INTEGER NOT NULL DEFAULT 0,
    kept_boot INTEGER NOT NULL,
    kept_ms INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (key, issue)
) STRICT;
CREATE INDEX reading_of_record ON reading (record);
CREATE INDEX reading_of_device ON reading (device);

CREATE TABLE person (
    no INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE person_at (
    no INTEGER PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES person,
    destination INTEGER NOT NULL REFERENCES destination,
    patient BLOB NOT NULL,
    since INTEGER,
    until INTEGER,
    sealed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX person_at_patient ON person_at (destination, patient) WHERE until IS NULL;
CREATE UNIQUE INDEX person_at_destination ON person_at (person, destination) WHERE until IS NULL;

CREATE TABLE binding (
    no INTEGER PRIMARY KEY,
    device INTEGER NOT NULL REFERENCES device,
    since INTEGER NOT NULL,
    until INTEGER,
    revision INTEGER NOT NULL,
    replaced INTEGER,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX binding_current ON binding (no) WHERE replaced IS NULL;

CREATE TABLE permission (
    no INTEGER PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES person,
    destination INTEGER NOT NULL REFERENCES destination,
    order_from INTEGER NOT NULL,
    order_until INTEGER,
    consent_from INTEGER NOT NULL,
    consent_until INTEGER,
    revision INTEGER NOT NULL,
    replaced INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX permission_current ON permission (person, destination) WHERE replaced = 0;

CREATE TABLE hold (
    record INTEGER PRIMARY KEY REFERENCES record ON DELETE CASCADE,
    reason TEXT NOT NULL,
    since_boot INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE cursor (
    recorder BLOB NOT NULL,
    device INTEGER NOT NULL REFERENCES device,
    slot INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (recorder, device, slot, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE destination (
    no INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    listed INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE outbox (
    no INTEGER PRIMARY KEY,
    reading INTEGER NOT NULL REFERENCES reading,
    destination INTEGER NOT NULL REFERENCES destination,
    subject TEXT NOT NULL CHECK (subject IN ('reading', 'report', 'document')),
    intent TEXT NOT NULL CHECK (intent IN ('create', 'retract')),
    labels BLOB NOT NULL,
    effective INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'withheld',
        'parked', 'delivered', 'unverified', 'withdrawn')),
    reason TEXT,
    points_at TEXT,
    issued INTEGER,
    not_before INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    counted INTEGER NOT NULL DEFAULT 0,
    started_at INTEGER,
    in_doubt INTEGER NOT NULL DEFAULT 0,
    mapping INTEGER,
    changed_at INTEGER,
    raised INTEGER NOT NULL DEFAULT 0,
    octets BLOB,
    sealed BLOB NOT NULL,
    UNIQUE (reading, destination, subject, intent)
) STRICT;
CREATE INDEX outbox_due ON outbox (destination, effective, no) WHERE state = 'waiting';
CREATE INDEX outbox_raised ON outbox (no) WHERE raised = 1;
CREATE INDEX outbox_state ON outbox (destination, state);

CREATE TABLE receipt (
    no INTEGER PRIMARY KEY,
    outbox INTEGER NOT NULL REFERENCES outbox ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    verified_at INTEGER,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX receipt_of_outbox ON receipt (outbox);

CREATE TABLE ledger (
    key BLOB NOT NULL,
    issue INTEGER NOT NULL,
    tombstone INTEGER NOT NULL DEFAULT 0,
    heard_since INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (key, issue)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_closed (
    key BLOB NOT NULL,
    issue INTEGER NOT NULL,
    destination INTEGER NOT NULL REFERENCES destination,
    closed_at INTEGER NOT NULL,
    PRIMARY KEY (key, issue, destination)
) STRICT, WITHOUT ROWID;
";

/// A record that is issued anew may be held before it is a reading: it keeps which issue it becomes.
const ISSUES: &str = "ALTER TABLE record ADD COLUMN issue INTEGER NOT NULL DEFAULT 0;";

/// When a record was told last, in its contact: the order in which a scale tells the parts of its weighings. Equal octets
/// are looked for among what its contact told.
const TELLINGS: &str = "
ALTER TABLE record ADD COLUMN last_boot INTEGER NOT NULL DEFAULT 0;
ALTER TABLE record ADD COLUMN last_ms INTEGER NOT NULL DEFAULT 0;
DROP INDEX record_alike;
ALTER TABLE record DROP COLUMN alike;
CREATE INDEX record_of_contact ON record (device, last_contact);
";

/// One measurement may come by two roads: what it is in itself, and by which road it was first a reading.
const ROADS: &str = "
ALTER TABLE ledger ADD COLUMN semantic BLOB;
ALTER TABLE ledger ADD COLUMN road INTEGER;
CREATE INDEX ledger_semantic ON ledger (semantic) WHERE semantic IS NOT NULL;
";

/// A replayed log bounds nothing but itself, and what it left on the hub is as old as its replay. Of those from before
/// each boot is a log of its own, replayed now at the latest.
const LOGS: &str = "
ALTER TABLE boot ADD COLUMN log INTEGER;
ALTER TABLE boot ADD COLUMN replayed INTEGER;
UPDATE boot SET log = no, replayed = unixepoch() * 1000000 WHERE system IS NULL;
";

/// What was carried over from a damaged file, and what was not; and what may have arrived somewhere although nothing that
/// was carried over says so.
const SALVAGE: &str = "
CREATE TABLE salvage (
    no INTEGER PRIMARY KEY,
    file TEXT NOT NULL,
    log_cut INTEGER NOT NULL,
    doubt_until INTEGER
) STRICT;

CREATE TABLE salvaged (
    salvage INTEGER NOT NULL REFERENCES salvage ON DELETE CASCADE,
    what TEXT NOT NULL,
    carried INTEGER NOT NULL,
    unproven INTEGER NOT NULL,
    dangling INTEGER NOT NULL,
    pages INTEGER NOT NULL,
    ranges TEXT NOT NULL,
    PRIMARY KEY (salvage, what)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_doubt (
    key BLOB NOT NULL,
    issue INTEGER NOT NULL,
    destination INTEGER NOT NULL REFERENCES destination,
    PRIMARY KEY (key, issue, destination)
) STRICT, WITHOUT ROWID;
";

/// A table whose rows prove themselves from now on, and what is in it is taken as it is: its columns in their order,
/// and where its new row is found.
macro_rules! proven {
    ($table:literal, $columns:literal, $new:literal) => {
        concat!(
            "ALTER TABLE ",
            $table,
            " ADD COLUMN proof BLOB;\n",
            "UPDATE ",
            $table,
            " SET proof = prove('",
            $table,
            "', ",
            $columns,
            ");\n",
            "CREATE TRIGGER ",
            $table,
            "_made AFTER INSERT ON ",
            $table,
            " BEGIN UPDATE ",
            $table,
            " SET proof = prove('",
            $table,
            "', ",
            $columns,
            ") WHERE ",
            $new,
            "; END;\n",
            "CREATE TRIGGER ",
            $table,
            "_changed AFTER UPDATE OF ",
            $columns,
            " ON ",
            $table,
            " BEGIN UPDATE ",
            $table,
            " SET proof = prove('",
            $table,
            "', ",
            $columns,
            ") WHERE ",
            $new,
            "; END;\n",
        )
    };
}

/// Each row proves itself (`proof`).
const PROOFS: &str = concat!(
    proven!("hub", "one, key_check, epoch, next_origin, sealed", "rowid = new.rowid"),
    proven!("boot", "no, system, last, log, replayed", "rowid = new.rowid"),
    proven!("anchor", "boot, ms, earliest, latest, source", "rowid = new.rowid"),
    proven!("device", "no, handle, met_boot, met_ms, bond, sealed, cache", "rowid = new.rowid"),
    proven!("contact", "no, device, boot, ms, link, ended, samples, sealed", "rowid = new.rowid"),
    proven!(
        "record",
        "no, device, name, turn, sequence, times, last_contact, changed, fate, reason, partner, until_boot, until_ms, head, fate_boot, fate_ms, sealed, issue, last_boot, last_ms",
        "rowid = new.rowid"
    ),
    proven!("capture", "no, record, contact, boot, ms, sealed", "rowid = new.rowid"),
    proven!("hold", "record, reason, since_boot, since_ms, sealed", "rowid = new.rowid"),
    proven!(
        "reading",
        "no, record, device, key, issue, supersedes, semantic, effective, binding, retracted, kept_boot, kept_ms, sealed",
        "rowid = new.rowid"
    ),
    proven!("person", "no", "rowid = new.rowid"),
    proven!("person_at", "no, person, destination, patient, since, until, sealed", "rowid = new.rowid"),
    proven!("binding", "no, device, since, until, revision, replaced, sealed", "rowid = new.rowid"),
    proven!(
        "permission",
        "no, person, destination, order_from, order_until, consent_from, consent_until, revision, replaced",
        "rowid = new.rowid"
    ),
    proven!(
        "cursor",
        "recorder, device, slot, epoch, sequence",
        "recorder = new.recorder AND device = new.device AND slot = new.slot AND epoch = new.epoch"
    ),
    proven!("destination", "no, name, listed, sealed", "rowid = new.rowid"),
    proven!(
        "outbox",
        "no, reading, destination, subject, intent, labels, effective, state, reason, points_at, issued, not_before, attempts, counted, started_at, in_doubt, mapping, changed_at, raised, octets, sealed",
        "rowid = new.rowid"
    ),
    proven!("receipt", "no, outbox, attempt, at, verified_at, sealed", "rowid = new.rowid"),
    proven!(
        "ledger",
        "key, issue, tombstone, heard_since, semantic, road",
        "key = new.key AND issue = new.issue"
    ),
    proven!(
        "ledger_closed",
        "key, issue, destination, closed_at",
        "key = new.key AND issue = new.issue AND destination = new.destination"
    ),
    proven!(
        "ledger_doubt",
        "key, issue, destination",
        "key = new.key AND issue = new.issue AND destination = new.destination"
    ),
);

/// Bridges: how far their records are committed; moments of which their ticks and this hub's are known; records that no version so far
/// can read.
const BRIDGES: &str = concat!(
    "
CREATE TABLE bridge (
    no INTEGER PRIMARY KEY,
    handle BLOB NOT NULL UNIQUE,
    epoch INTEGER NOT NULL,
    number INTEGER NOT NULL,
    highest INTEGER NOT NULL,
    lost INTEGER NOT NULL DEFAULT 0,
    missing INTEGER NOT NULL DEFAULT 0,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE bridge_met (
    no INTEGER PRIMARY KEY,
    bridge INTEGER NOT NULL REFERENCES bridge,
    epoch INTEGER NOT NULL,
    ticks INTEGER NOT NULL,
    boot INTEGER NOT NULL REFERENCES boot,
    ms INTEGER NOT NULL
) STRICT;
CREATE INDEX bridge_met_of_epoch ON bridge_met (bridge, epoch);

CREATE TABLE bridge_odd (
    no INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    number INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
",
    proven!("bridge", "no, handle, epoch, number, highest, lost, missing, sealed", "rowid = new.rowid"),
    proven!("bridge_met", "no, bridge, epoch, ticks, boot, ms", "rowid = new.rowid"),
    proven!("bridge_odd", "no, epoch, number, sealed", "rowid = new.rowid"),
);

/// What a contact told of weighings, each time and in its order. The last telling of each record was kept before, and who told
/// what between two others could not be known of what was told again elsewhere. Of contacts before there is nothing.
const WEIGHINGS: &str = concat!(
    "
CREATE TABLE told (
    no INTEGER PRIMARY KEY,
    contact INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
    record INTEGER REFERENCES record ON DELETE SET NULL,
    boot INTEGER NOT NULL,
    ms INTEGER NOT NULL
) STRICT;
CREATE INDEX told_of_contact ON told (contact);
CREATE INDEX told_of_record ON told (record);
",
    proven!("told", "no, contact, record, boot, ms", "rowid = new.rowid"),
);
