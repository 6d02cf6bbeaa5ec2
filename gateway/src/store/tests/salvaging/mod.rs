//! Damaged files: what is carried over is what was there, it is nobody's until a person says so, and what is missing is
//! said. SQLite itself, on the sound file, says what was there and on which page.

mod cuts;

use super::world::*;
use crate::store::*;
use hearth_core::admit::{End, News};
use hearth_core::capture::{DeviceNo, Key};
use hearth_core::identity::{Binding, PersonNo, Who};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::{BTreeMap, BTreeSet};

const PAGE: usize = crate::store::connection::PAGE;
const SECTORS: usize = PAGE / 512;
/// A page in the log, with its head.
const FRAME: usize = 24 + PAGE;

const NOW: &str = "2018-10-09T12:00:00Z";

/// SplitMix64: the same damage for the same seed.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as usize % sides
    }
}

/// glu-04 under another sequence number, a minute later each.
fn frame(nth: u16) -> String {
    let [low, high] = nth.to_le_bytes();
    let (minute, hour, day) = (nth % 60, nth / 60 % 24, 1 + nth / 60 / 24);
    format!("03{low:02X}{high:02X}E20709{day:02X}{hour:02X}{minute:02X}075CFE6FB0F1")
}

/// A household: what was delivered (some of it taken back, one raised), what may have been, what waits, what was parked,
/// and a device that nobody is bound to.
fn household(records: u16) -> World {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-09T11:00:00Z");
    w.bind(LOS_ANGELES);
    let contact = w.contact();
    let delivered = records / 2;
    for nth in 0..delivered {
        w.meter_says(contact, &frame(nth));
    }
    w.deliver(NOW);
    for reading in [2, 3] {
        let (key, issue) = w.store().key_of(ReadingNo(reading)).unwrap();
        w.take(News::Retract(key, issue));
    }
    // One of the two is taken back there, the other is on its way.
    let due = w.due(NOW);
    assert_eq!(due.len(), 2);
    w.start(&due[..1], NOW);
    w.settle(due[0].row, arrived("Observation/2"), NOW);
    for nth in delivered..records {
        w.meter_says(contact, &frame(nth));
    }
    let due = w.due(NOW);
    let create: Vec<Consignment> =
        due.into_iter().filter(|c| c.parcel.intent == hearth_core::parcel::Intent::Create).collect();
    // In doubt, raised, parked.
    w.start(&create[..6], NOW);
    let Settlement::Delivered { receipts, .. } = arrived("Observation/9") else { unreachable!() };
    w.settle(create[0].row, Settlement::Delivered { receipts, raised: Some("differs there".into()) }, NOW);
    w.store().park(create[7].row, "by hand", instant(NOW)).unwrap();
    w.ends(contact, End::Drained);
    let now = w.now;
    let stranger = w.store().meet(&facts(2, GLUCOSE), now).unwrap();
    let ours = std::mem::replace(&mut w.device, stranger);
    let contact = w.contact();
    for nth in 0..records / 5 {
        w.meter_says(contact, &frame(nth + 1000));
    }
    w.device = ours;
    w
}

type Rowset = BTreeMap<String, Vec<Value>>;

const CARRIED: &[(&str, &str, &str)] = &[
    ("boot", "no", "no, system, last, log, replayed"),
    ("anchor", "boot || '-' || ms", "boot, ms, earliest, latest, source"),
    ("device", "no", "no, handle, met_boot, met_ms, bond, sealed, cache"),
    ("contact", "no", "no, device, boot, ms, link, ended, samples, sealed"),
    ("record", "no", "no, device, name, turn, sequence, times, changed, issue"),
    ("capture", "no", "no, record, contact, boot, ms, sealed"),
    (
        "reading",
        "no",
        "no, record, device, key, issue, supersedes, semantic, effective, binding, retracted, sealed",
    ),
    ("person", "no", "no"),
    ("person_at", "no", "no, person, destination, patient, since, until, sealed"),
    ("destination", "no", "no, name, listed, sealed"),
    ("outbox", "reading || '-' || destination || intent", "reading, destination, intent, labels, effective"),
    ("receipt", "no", "no, outbox, attempt, at, verified_at, sealed"),
    ("ledger", "hex(key) || issue", "key, issue, tombstone, heard_since, semantic, road"),
    ("ledger_closed", "hex(key) || issue || '-' || destination", "key, issue, destination, closed_at"),
];

fn rows(sql: &Connection, table: &str, key: &str, columns: &str) -> Rowset {
    let mut query = sql.prepare(&format!("SELECT CAST({key} AS TEXT), {columns} FROM {table}")).unwrap();
    let width = query.column_count();
    let read = |row: &rusqlite::Row<'_>| {
        Ok((row.get(0)?, (1..width).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?))
    };
    query.query_map([], read).unwrap().map(Result::unwrap).collect()
}

fn set(sql: &Connection, query: &str) -> BTreeSet<Vec<u8>> {
    sql.prepare(query).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// A sound store at rest, and what SQLite says of it.
struct Sound {
    room: Room,
    catalog: hearth_core::profile::Catalog,
    tables: BTreeMap<&'static str, Rowset>,
    /// Page, its table, its place in the tree, its cells, whether it is a leaf.
    pages: Vec<(usize, String, String, u64, bool)>,
    /// Blinded keys of what arrived.
    delivered: BTreeSet<Vec<u8>>,
}

impl Sound {
    fn of(mut w: World, room: Room) -> Sound {
        let sql = w.store().sql.as_ref().unwrap();
        let tables =
            CARRIED.iter().map(|(table, key, columns)| (*table, rows(sql, table, key, columns))).collect();
        let mut query =
            sql.prepare("SELECT pageno, name, path, ncell, pagetype = 'leaf' FROM dbstat").unwrap();
        let read = |row: &rusqlite::Row<'_>| {
            Ok((
                row.get::<_, i64>(0)? as usize,
                row.get(1)?,
                row.get(2)?,
                row.get::<_, i64>(3)? as u64,
                row.get(4)?,
            ))
        };
        let pages = query.query_map([], read).unwrap().map(Result::unwrap).collect();
        drop(query);
        let delivered = set(sql, "SELECT key FROM ledger_closed");
        let catalog = w.catalog.clone();
        Sound { room, catalog, tables, pages, delivered }
    }

    fn count(&self, table: &str) -> u64 {
        self.tables[table].len() as u64
    }

    /// Rows that a bad page costs a table at the most: all that it leads to.
    fn below(&self, page: usize) -> (String, u64) {
        let Some((_, name, path, _, _)) = self.pages.iter().find(|(no, ..)| *no == page) else {
            return (String::new(), 0);
        };
        let below =
            self.pages.iter().filter(|(_, its, place, ..)| its == name && place.starts_with(path.as_str()));
        (name.clone(), below.map(|(.., cells, _)| *cells).sum())
    }
}

#[derive(Default, Debug)]
struct Tally {
    cases: u32,
    set_aside: u32,
    carried: u64,
    lost: u64,
}

/// Opens what is left, and holds it against what was there. `bad`: the pages that were damaged, if only those were.
fn check(case: &str, sound: &Sound, left: &Room, bad: Option<&[usize]>, tally: &mut Tally) {
    tally.cases += 1;
    let before = std::fs::read(left.file("hearth.sqlite")).unwrap();
    let opened = Store::open(doubted(left), sound.catalog.clone(), Seal::Scrambled)
        .unwrap_or_else(|error| panic!("{case}: {error}"));
    let mut store = opened.store;
    let sql = store.sql.as_ref().unwrap();
    let now: BTreeMap<&str, Rowset> =
        CARRIED.iter().map(|(table, key, columns)| (*table, rows(sql, table, key, columns))).collect();
    // Nothing is invented, whether it was set aside or not.
    for (table, rows) in &now {
        for (key, row) in rows {
            let was = sound.tables[table].get(key);
            // What the ledger holds of a reading that it had lost is what the reading says.
            assert!(was == Some(row), "{case}: {table} {key} is {row:?}, and was {was:?}");
        }
    }
    let Some(aside) = opened.set_aside else {
        if bad.is_some() {
            assert_eq!(now, sound.tables, "{case}: something is gone, and nothing was said");
        }
        return;
    };
    tally.set_aside += 1;
    assert!(std::fs::read(&aside).unwrap() == before, "{case}: the damaged file was changed");
    for table in ["binding", "permission", "cursor"] {
        let query = format!("SELECT count(*) FROM {table}");
        assert_eq!(
            sql.query_row(&query, [], |row| row.get::<_, i64>(0)).unwrap(),
            0,
            "{case}: {table} came back"
        );
    }
    let delivered_now = set(sql, "SELECT key FROM ledger_closed");
    let whole = |t: &Salvaged| t.whole();
    let account: BTreeMap<String, Salvaged> = opened
        .salvage
        .map(|s| s.tables.into_iter().map(|t| (t.what.clone(), t)).collect())
        .unwrap_or_default();
    for (table, rows) in &now {
        let (was, is) = (sound.count(table), rows.len() as u64);
        tally.carried += is;
        tally.lost += was.saturating_sub(is);
        let said = account.get(*table);
        assert!(
            is == was || said.is_none_or(|t| !whole(t)),
            "{case}: {table}: {is} of {was}, and nothing was said"
        );
        // A page costs what it led to, and nothing else.
        if let (Some(bad), Some(t)) = (bad.filter(|bad| !bad.contains(&1)), said) {
            let below: u64 = bad
                .iter()
                .map(|page| sound.below(*page))
                .filter(|(name, _)| name == table)
                .map(|b| b.1)
                .sum();
            let found = t.carried + t.dangling + t.unproven;
            assert!(
                found + below >= was,
                "{case}: {table}: {found} of {was} found, and {below} were on bad pages: {t:?}"
            );
            if below == 0
                && !bad.iter().any(|page| sound.pages.iter().any(|p| p.0 == *page && p.1 == **table))
            {
                assert_eq!((t.pages, t.unproven), (0, 0), "{case}: {table} lies on sound pages");
            }
        }
    }
    // Nobody's until a person says so: only what takes back goes on its own.
    let Ok(clinic) = store.destination("clinic").or_else(|_| {
        store.set_destinations(&[clears("clinic", &[])])?;
        store.destination("clinic")
    }) else {
        panic!("{case}: no destination")
    };
    let boot = store.begin_boot("boot 1").unwrap();
    let mut ticks = store.last_ticks().unwrap().unwrap();
    ticks.boot = boot;
    store.take(&News::Booted, ticks).unwrap();
    for consignment in store.due(clinic, instant(NOW), 1000).unwrap() {
        assert_eq!(consignment.parcel.intent, hearth_core::parcel::Intent::Retract, "{case}: sent unasked");
    }
    assert!(store.bindings().unwrap().is_empty(), "{case}");
    // A person binds the meter, to somebody else this time, and what was held is theirs; what was given to Ada stays hers.
    let bob = store.person_for(clinic, &patient("bob-1"), None).unwrap();
    let ada = store.known_person(clinic, "ada-1").unwrap();
    for person in [Some(bob), ada].into_iter().flatten() {
        store.permit(person, clinic, &always()).unwrap();
    }
    let device = store.meet(&facts(1, GLUCOSE), ticks).unwrap();
    store.take(&News::Bindings(vec![bound(device, bob)]), ticks).unwrap();
    let known: BTreeSet<Vec<u8>> = delivered_now.intersection(&sound.delivered).cloned().collect();
    for consignment in store.due(clinic, instant(NOW), 1000).unwrap() {
        if consignment.parcel.intent == hearth_core::parcel::Intent::Retract {
            continue;
        }
        let reading = &consignment.parcel.reading;
        assert_eq!(reading.who, Who::Person(bob), "{case}: somebody's reading went off unasked");
        let key = blinded(&store, &reading.key);
        assert!(!known.contains(&key), "{case}: known as delivered, and sent again");
        assert!(
            !sound.delivered.contains(&key) || consignment.in_doubt,
            "{case}: was delivered, and is sent again without a look"
        );
    }
    assert_eq!(store.broken(), None, "{case}");
    let _ = store.status(daemon(ticks)).unwrap();
}

/// The room, whose next opening looks at every row.
fn doubted(room: &Room) -> &std::path::Path {
    crate::store::open::doubt(&room.file("hearth.sqlite"));
    room.path()
}

fn bound(device: DeviceNo, person: PersonNo) -> Binding {
    Binding {
        device,
        slot: None,
        who: Who::Person(person),
        from: instant("2018-01-01T00:00:00Z"),
        until: None,
        zone: hearth_core::when::ZoneName::parse(LOS_ANGELES),
        sole_use: None,
        shared: false,
        labels: hearth_core::identity::Labels::default(),
        revision: hearth_core::identity::Revision(0),
    }
}

fn blinded(store: &Store, key: &Key) -> Vec<u8> {
    store.key.blind("key", &[&key.0]).to_vec()
}

fn damaged(sound: &Sound, how: impl FnOnce(&mut Vec<u8>)) -> Room {
    changed(sound, "hearth.sqlite", how)
}

fn changed(sound: &Sound, file: &str, how: impl FnOnce(&mut Vec<u8>)) -> Room {
    let left = sound.room.cut();
    let path = left.file(file);
    let mut octets = std::fs::read(&path).unwrap();
    how(&mut octets);
    std::fs::write(&path, octets).unwrap();
    left
}

fn at_rest(records: u16) -> Sound {
    let mut w = household(records);
    let sql = w.store().sql.as_ref().unwrap();
    sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let room = w.room.cut();
    Sound::of(w, room)
}

/// Every page in turn: a turned bit, zeros, noise. The head; the end at every so many sectors.
#[test]
fn a_damaged_file_gives_what_is_sound_and_no_more() {
    const SEED: u64 = 20_261_130;
    let sound = at_rest(40);
    let pages = std::fs::metadata(sound.room.file("hearth.sqlite")).unwrap().len() as usize / PAGE;
    let (mut dice, mut tally) = (Dice(SEED), Tally::default());
    for page in 1..=pages {
        let start = (page - 1) * PAGE;
        let bit = (start + dice.throw(PAGE), dice.throw(8));
        let case = format!("seed {SEED}: page {page}, bit {} of octet {}", bit.1, bit.0);
        check(&case, &sound, &damaged(&sound, |o| o[bit.0] ^= 1 << bit.1), Some(&[page]), &mut tally);
        let case = format!("page {page} zeroed");
        check(&case, &sound, &damaged(&sound, |o| o[start..start + PAGE].fill(0)), Some(&[page]), &mut tally);
        if page % 2 == 0 {
            let sector = start + 512 * dice.throw(SECTORS);
            let case = format!("seed {SEED}: noise over the sector at {sector}");
            let noise =
                |o: &mut Vec<u8>| o[sector..sector + 512].iter_mut().for_each(|o| *o = dice.throw(256) as u8);
            check(&case, &sound, &damaged(&sound, noise), Some(&[page]), &mut tally);
        }
    }
    for (case, octets) in [("magic", 0..16), ("sizes", 16..24), ("head", 0..100), ("first sector", 0..512)] {
        check(case, &sound, &damaged(&sound, |o| o[octets].fill(0xA5)), None, &mut tally);
    }
    for sector in (0..pages * SECTORS).step_by(9) {
        let case = format!("cut off after {sector} sectors");
        let bad: Vec<usize> = (sector / SECTORS + 1..=pages).collect();
        check(&case, &sound, &damaged(&sound, |o| o.truncate(sector * 512)), Some(&bad), &mut tally);
    }
    eprintln!("seed {SEED}: {tally:?} of {pages} pages");
    assert!(tally.cases >= 300, "{tally:?}");
    assert!(tally.set_aside > tally.cases / 2 && tally.carried > tally.lost, "{tally:?}");
}
