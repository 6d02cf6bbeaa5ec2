//! Opening: what is made, what is refused, what is set aside.

use super::world::*;
use crate::store::migrate::{self, Unmigrated};
use crate::store::*;
use hearth_core::admit::News;
use rusqlite::Connection;
use std::os::unix::fs::PermissionsExt;

fn open(room: &Room) -> Result<Opened, OpenError> {
    Store::open(room.path(), catalog(&[]), Seal::Clear)
}

fn refusal(room: &Room) -> (OpenError, String) {
    let error = open(room).unwrap_err();
    let said = error.to_string();
    (error, said)
}

fn mode(room: &Room, file: &str) -> u32 {
    std::fs::metadata(room.file(file)).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_store_is_private_and_remembers_who_it_is() {
    let room = Room::new();
    let first = open(&room).unwrap();
    assert_eq!(first.set_aside, None);
    let hub = first.store.hub().clone();
    assert_eq!(hub.system_id[0] & 0b11, 0b10, "locally administered, and for one hub");
    for file in room.files() {
        assert_eq!(mode(&room, &file), 0o600, "{file}");
    }
    drop(first);
    assert_eq!(open(&room).unwrap().store.hub(), &hub);
    let other = Room::new();
    assert_ne!(open(&other).unwrap().store.hub(), &hub, "every hub is another one");
}

#[test]
fn it_is_as_durable_as_promised() {
    let room = Room::new();
    let opened = open(&room).unwrap();
    let sql = opened.store.sql.as_ref().unwrap();
    let text = |name: &str| sql.pragma_query_value(None, name, |row| row.get::<_, String>(0)).unwrap();
    let number = |name: &str| sql.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((text("journal_mode"), text("locking_mode")), ("wal".into(), "exclusive".into()));
    // 2: FULL. 2: INCREMENTAL.
    assert_eq!((number("synchronous"), number("auto_vacuum"), number("foreign_keys")), (2, 2, 1));
    assert_eq!(number("journal_size_limit"), 4 << 20);
    assert!(rusqlite::version_number() >= 3_051_003, "the WAL-reset bug was fixed in 3.51.3");
    assert!(!room.files().iter().any(|file| file.ends_with("-shm")), "nobody shares it");
}

#[test]
fn a_missing_directory_names_the_cure() {
    let room = Room::new();
    let nowhere = room.file("nowhere");
    let error = Store::open(&nowhere, catalog(&[]), Seal::Clear).unwrap_err();
    assert!(matches!(error, OpenError::Missing(_)));
    assert!(error.to_string().contains("install -d -m 700"), "{error}");
    std::fs::write(&nowhere, "").unwrap();
    let error = Store::open(&nowhere, catalog(&[]), Seal::Clear).unwrap_err();
    assert!(matches!(error, OpenError::NotADirectory(_)), "{error}");
}

#[test]
fn what_others_may_read_is_refused() {
    let room = Room::new();
    drop(open(&room).unwrap());
    for (path, loose, tight) in [
        (room.path().to_owned(), 0o750, 0o700),
        (room.file("hearth.sqlite"), 0o644, 0o600),
        (room.file("hub.key"), 0o640, 0o600),
    ] {
        chmod(&path, loose);
        let (error, said) = refusal(&room);
        assert!(matches!(error, OpenError::Mode { .. }), "{error}");
        assert!(said.contains(&format!("chmod {tight:o} {}", path.display())), "{said}");
        chmod(&path, tight);
    }
    open(&room).unwrap();
}

#[test]
fn what_another_user_owns_is_refused() {
    let room = Room::new();
    if std::os::unix::fs::chown(room.path(), Some(65_534), None).is_err() {
        eprintln!("not run: this process may not give a directory away");
        return;
    }
    let (error, said) = refusal(&room);
    assert!(matches!(error, OpenError::Owner { owner: 65_534, .. }), "{error:?}");
    assert!(said.contains("sudo -u '#65534'"), "{said}");
}

#[test]
fn what_the_system_refuses_gets_a_cure() {
    use std::io::{Error, ErrorKind};
    let said = |kind| {
        super::super::open::os(std::path::Path::new("/var/lib/hearth"), &Error::from(kind)).to_string()
    };
    for (kind, cure) in [
        (ErrorKind::PermissionDenied, "read-write"),
        (ErrorKind::ReadOnlyFilesystem, "read-write"),
        (ErrorKind::StorageFull, "free some room"),
        (ErrorKind::NotFound, "install -d"),
    ] {
        let sentence = said(kind);
        assert!(sentence.starts_with("/var/lib/hearth: ") && sentence.contains(cure), "{sentence}");
    }
}

#[test]
fn two_never_open_it_together() {
    let room = Room::new();
    let first = open(&room).unwrap();
    let (error, said) = refusal(&room);
    let us = std::process::id();
    assert!(matches!(error, OpenError::InUse { holder: Some(pid), .. } if pid == us), "{error:?}");
    assert!(said.contains(&format!("process {us}")) && said.contains("try again"), "{said}");
    drop(first);
    open(&room).unwrap();
}

#[test]
fn a_hub_key_is_made_once() {
    let room = Room::new();
    drop(open(&room).unwrap());
    let key = std::fs::read(room.file("hub.key")).unwrap();
    assert_eq!(key.len(), 32);
    drop(open(&room).unwrap());
    assert_eq!(std::fs::read(room.file("hub.key")).unwrap(), key);

    std::fs::rename(room.file("hub.key"), room.file("kept")).unwrap();
    let (error, said) = refusal(&room);
    assert!(matches!(error, OpenError::HubKey { missing: true, .. }), "{error}");
    assert!(said.contains("restore"), "{said}");
    assert!(!room.file("hub.key").exists(), "a second key would make every known reading new");

    for wrong in [vec![0; 32], vec![0; 31], vec![]] {
        std::fs::write(room.file("hub.key"), wrong).unwrap();
        chmod(&room.file("hub.key"), 0o600);
        assert!(matches!(refusal(&room).0, OpenError::HubKey { missing: false, .. }));
    }
    std::fs::rename(room.file("kept"), room.file("hub.key")).unwrap();
    open(&room).unwrap();
}

/// Power was cut while the very first start had made the key and not yet the hub.
#[test]
fn a_first_start_cut_short_goes_on() {
    let room = Room::new();
    std::fs::write(room.file("hub.key"), [7; 32]).unwrap();
    chmod(&room.file("hub.key"), 0o600);
    std::fs::write(room.file("hearth.sqlite"), "").unwrap();
    chmod(&room.file("hearth.sqlite"), 0o600);
    // Its head is on disk before the key is.
    drop(crate::store::connection::connect(&room.file("hearth.sqlite")).unwrap());
    assert_ne!(std::fs::metadata(room.file("hearth.sqlite")).unwrap().len(), 0);
    assert_eq!(open(&room).unwrap().set_aside, None);
    assert_eq!(std::fs::read(room.file("hub.key")).unwrap(), [7; 32]);
}

#[test]
fn a_newer_layout_and_a_strangers_database_are_refused_by_name() {
    let room = Room::new();
    drop(open(&room).unwrap());
    let sql = Connection::open(room.file("hearth.sqlite")).unwrap();
    sql.pragma_update(None, "user_version", 99).unwrap();
    drop(sql);
    let (error, said) = refusal(&room);
    assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error:?}");
    assert!(said.contains("version 99") && said.contains("install the newer hearth"), "{said}");

    let room = Room::new();
    let sql = Connection::open(room.file("hearth.sqlite")).unwrap();
    sql.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    drop(sql);
    chmod(&room.file("hearth.sqlite"), 0o600);
    assert!(matches!(refusal(&room).0, OpenError::Foreign(_)));
    assert!(room.file("hearth.sqlite").exists(), "a stranger's file stays where it is");
}

#[test]
fn each_step_of_layout_is_whole_or_not_at_all() {
    let mut sql = Connection::open_in_memory().unwrap();
    let steps = ["CREATE TABLE one (a)", "CREATE TABLE two (a); CREATE TABLE one (a)"];
    let version =
        |sql: &Connection| sql.pragma_query_value(None, "user_version", |r| r.get::<_, i64>(0)).unwrap();
    let tables = |sql: &Connection| {
        sql.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get::<_, i64>(0)).unwrap()
    };
    assert!(matches!(migrate::run(&mut sql, &steps), Err(Unmigrated::Sql(_))));
    assert_eq!((version(&sql), tables(&sql)), (1, 1), "the second step left nothing");
    let steps = ["CREATE TABLE one (a)", "CREATE TABLE two (a)", "INSERT INTO two VALUES (1)"];
    migrate::run(&mut sql, &steps).unwrap();
    migrate::run(&mut sql, &steps).unwrap();
    assert_eq!((version(&sql), tables(&sql)), (3, 2));
    assert_eq!(sql.query_row("SELECT count(*) FROM two", [], |r| r.get::<_, i64>(0)).unwrap(), 1, "once");
    assert!(matches!(migrate::run(&mut sql, &steps[..2]), Err(Unmigrated::Newer { found: 3, known: 2 })));
}

/// A log cut off anywhere loses what was not in it any more, and nothing else; it always opens.
/// Where a flush was refused, the system's memory shows what the disk may not have, and flushing it again asks for nothing:
/// the start must not go on with the same file.
#[test]
fn a_log_that_was_left_is_written_anew() {
    use std::os::unix::fs::MetadataExt;
    let mut w = World::new(catalog(&[]));
    w.hub_time("2024-01-30T06:10:00Z");
    let left = w.room.cut();
    let log = left.file("hearth.sqlite-wal");
    // A second name keeps the file's number from being given again.
    std::fs::hard_link(&log, left.file("kept")).unwrap();
    let before = std::fs::metadata(&log).unwrap().ino();
    let opened = Store::open(left.path(), catalog(&[]), Seal::Scrambled).unwrap();
    assert_ne!(std::fs::metadata(&log).unwrap().ino(), before);
    assert_eq!(mode(&left, "hearth.sqlite-wal"), 0o600);
    assert!(!left.files().contains(&"hearth.sqlite-wal.new".to_owned()));
    drop(opened);
}

#[test]
fn a_truncated_log_opens_at_every_length() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    w.bind(LOS_ANGELES);
    let contact = w.contact();
    w.meter_says(contact, GLU_04);
    let left = w.room.cut();
    let log = std::fs::read(left.file("hearth.sqlite-wal")).unwrap();
    assert!(log.len() > 20 * crate::store::connection::PAGE, "the log holds all that was written");
    for at in (0..=log.len()).step_by(log.len() / 37) {
        let room = left.cut();
        std::fs::write(room.file("hearth.sqlite-wal"), &log[..at]).unwrap();
        let opened = Store::open(room.path(), catalog(&[]), Seal::Scrambled)
            .unwrap_or_else(|error| panic!("cut at {at}: {error}"));
        assert_eq!(opened.set_aside, None, "cut at {at}");
    }
    let whole = Store::open(left.path(), catalog(&[]), Seal::Scrambled).unwrap();
    drop(whole);
}

/// What the disk can't take is not on it, nothing is released, and once there is room it goes on.
#[test]
fn a_full_disk_holds_the_sources_and_loses_nothing() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    w.bind(LOS_ANGELES);
    let contact = w.contact();
    let sql = w.store().sql.as_ref().unwrap();
    let pages: i64 = sql.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    sql.pragma_update(None, "max_page_count", pages).unwrap();
    let mut kept = 0;
    let capture = loop {
        let capture = w.capture(contact, hearth_core::capture::Uuid16::GLUCOSE_MEASUREMENT, &frame(kept));
        let now = w.now;
        match w.store().take(&News::Heard(capture.clone()), now) {
            Ok(_) => kept += 1,
            Err(StoreError::Full) => break capture,
            Err(other) => panic!("{other}"),
        }
        assert!(kept < 10_000, "the disk never got full");
    };
    assert_eq!(w.store().broken(), None);
    // The connection that failed is gone; a fresh one has no such limit.
    let committed = w.take(News::Heard(capture));
    assert_eq!(committed.heard.map(|(no, _)| no.0), Some(i64::from(kept) + 1));
    assert_eq!(w.count("record"), i64::from(kept) + 1);
}

/// glu-04 under another sequence number.
fn frame(sequence: u16) -> String {
    let [low, high] = sequence.to_le_bytes();
    format!("03{low:02X}{high:02X}E2070914051B075CFE6FB0F1")
}

/// A file system of one megabyte, where this process may mount one: here the disk says no at the commit.
#[test]
fn a_full_file_system_loses_nothing() {
    let room = Room::new();
    let mount = |args: &[&str]| std::process::Command::new("mount").args(args).arg(room.path()).output();
    let mounted = mount(&["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs"]);
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("not run: this process may not mount a file system");
        return;
    }
    let _unmount = Unmount(&room);
    let mut store = Store::open(room.path(), catalog(&[]), Seal::Clear).unwrap().store;
    let boot = store.begin_boot("boot").unwrap();
    let now = hearth_core::when::HubTicks { boot, ms: 0 };
    let device = store.meet(&facts(1, GLUCOSE), now).unwrap();
    let contact = store.next_contact(device, hearth_core::capture::Link::Bonded, now).unwrap();
    let mut kept = 0;
    let full = loop {
        let capture = hearth_core::capture::Capture {
            device,
            contact,
            link: hearth_core::capture::Link::Bonded,
            origin: store.origin(),
            at: now,
            characteristic: hearth_core::capture::Uuid16::GLUCOSE_MEASUREMENT,
            octets: octets(&frame(kept)).into(),
        };
        match store.take(&News::Heard(capture), now) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 20_000, "the file system never got full");
    };
    assert_eq!(full, StoreError::Full);
    drop(store);
    let mut store = Store::open(room.path(), catalog(&[]), Seal::Clear).unwrap();
    assert_eq!(store.set_aside, None);
    assert_eq!(store.store.status(daemon(now)).unwrap().records, u64::from(kept));
}

struct Unmount<'a>(&'a Room);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

/// Nothing that a device said, and nothing that names a person or a device, lies on the disk in the clear once
/// there is a seal.
#[test]
fn payload_goes_through_the_seal() {
    let mut w = World::new(catalog(&[BY_SYSTEM_ID]));
    w.hub_time("2018-10-07T12:00:00Z");
    let mut binding = w.bound(LOS_ANGELES);
    binding.labels = labels_of(&["ETH"]);
    w.store().set_destinations(&[clears("clinic", &["ETH"])]).unwrap();
    w.take(News::Bindings(vec![binding]));
    let serial = Some("SN-4711-ADA".to_owned());
    let said = hearth_core::identity::Facts { serial, ..Default::default() };
    w.take(News::Identity(w.device, said));
    w.system_id();
    let contact = w.contact();
    w.clock_shows(contact, "2018-10-07T05:00:00");
    w.meter_says(contact, GLU_05);
    w.context(contact, CTX_02);
    w.ends(contact, hearth_core::admit::End::Drained);
    let due = w.due("2018-10-07T12:00:01Z");
    w.start(&due, "2018-10-07T12:00:02Z");
    w.settle(due[0].row, arrived("Observation/secret-place"), "2018-10-07T12:00:03Z");
    let key = due[0].parcel.reading.key.0;
    let name =
        w.store().read(|rows| Ok(rows.whole(rows.record(hearth_core::admit::RecordNo(1))?)?.name)).unwrap();
    w.close();
    let mut disk = vec![];
    for file in ["hearth.sqlite", "hearth.sqlite-wal"] {
        disk.extend(std::fs::read(w.room.file(file)).unwrap_or_default());
    }
    let secrets: &[(&str, &[u8])] = &[
        ("a frame", &octets(GLU_05)),
        ("what a record keeps", &octets(GLU_05)[3..10]),
        ("an address", &[0xAA, 0xBB, 0xCC, 0, 0, 1]),
        ("a system id", &[1, 2, 3, 4, 5, 6, 7, 8]),
        ("a serial number", b"SN-4711-ADA"),
        ("a patient id", b"ada-1"),
        ("an identifier", b"mrn of"),
        ("a zone", b"Los_Angeles"),
        ("who attested", b"technician"),
        ("a label", b"ETH"),
        ("a location", b"secret-place"),
        ("octets on their way", b"octets of row"),
        ("a PHD identifier", b"phd of row"),
        ("a key", &key),
        ("a name", &name.0),
        ("the hub's id", &w.hub_id),
    ];
    assert!(disk.windows(6).any(|octets| octets == b"clinic"), "a destination's name is no secret");
    for (what, secret) in secrets {
        assert!(!disk.windows(secret.len()).any(|octets| octets == *secret), "{what} lies on the disk");
    }
}
