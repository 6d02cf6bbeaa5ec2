//! The power is cut at any step of the disk, and comes back.

use crate::home::{Home, Stop};
use crate::outside::Outside;
use e2e::disk::folder::{DATABASE, Folder, LOG};
use e2e::disk::vfs;
use e2e::disk::{Call, Disk, Left, Random, Step};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;

/// Every value of every table.
type Contents = Vec<(String, Vec<Vec<rusqlite::types::Value>>)>;

/// What is in the database of a disk, as SQLite finds it there.
fn contents(folder: &Folder, disk: &Disk) -> Contents {
    let _mount = vfs::mount(folder.path(), disk);
    let file = folder.path().join(DATABASE);
    if !disk.has(DATABASE) {
        return vec![];
    }
    let sql = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    sql.pragma_update(None, "locking_mode", "EXCLUSIVE").unwrap();
    let check: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let mut tables =
        sql.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let names: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    names
        .into_iter()
        .map(|name| {
            let columns = sql.prepare(&format!("SELECT * FROM {name}")).unwrap().column_count();
            let order: Vec<String> = (1..=columns).map(|n| n.to_string()).collect();
            let mut rows =
                sql.prepare(&format!("SELECT * FROM {name} ORDER BY {}", order.join(", "))).unwrap();
            let all = rows.query_map([], |row| (0..columns).map(|n| row.get(n)).collect()).unwrap();
            let all = all.map(Result::unwrap).collect();
            (name, all)
        })
        .collect()
}

/// A life of the hub, recorded.
struct Life {
    seed: u64,
    disk: Disk,
    /// Where the log was synced: whatever was committed is one of these states.
    syncs: Vec<usize>,
    released_early: usize,
}

/// What a run of cuts came to.
#[derive(Default, Debug)]
struct Tally {
    cuts: usize,
    torn: usize,
    twice: usize,
    broken: Vec<String>,
}

fn live<'a>(folder: &'a Folder, seed: u64) -> (Home<'a>, Life) {
    let mut random = Random::new(seed);
    let mut home = Home::new(folder, 12, &mut random);
    home.start().unwrap();
    for _ in 0..40 {
        home.step(&mut random).unwrap();
    }
    home.stop();
    let disk = home.disk.clone();
    let synced = |(n, step): (usize, &Step)| (step.file == LOG && step.call == Call::Sync).then_some(n + 1);
    let syncs = disk.steps().iter().enumerate().filter_map(synced).collect();
    let released_early = home.released_early;
    (home, Life { seed, disk, syncs, released_early })
}

/// The hub starts on what is left, and lives to the end.
fn revive<'a>(folder: &'a Folder, disk: Disk, outside: Outside) -> Result<Home<'a>, Stop> {
    let mut home = Home::with(folder, disk, outside);
    home.start()?;
    home.finish()?;
    Ok(home)
}

/// Cuts one life `many` times, half of them with what was not synced torn, a quarter of them cut again.
fn cut(life: &Life, home: &Home<'_>, many: usize, tally: &mut Tally, atomic: bool) {
    let mut random = Random::new(life.seed ^ 0xC07);
    let all = life.disk.at();
    let mut states: BTreeMap<usize, Contents> = BTreeMap::new();
    for nth in 0..many {
        let at = random.below(all + 1);
        let left = if nth % 2 == 0 { Left::Dropped } else { Left::Torn };
        let say = |what: &dyn std::fmt::Display| {
            format!("seed {}, cut {nth} at step {at} of {all}, {left:?}: {what}", life.seed)
        };
        let folder = Folder::new();
        let image = life.disk.cut(at, left, &mut random);
        tally.cuts += 1;
        tally.torn += usize::from(left == Left::Torn);
        if atomic {
            let found = contents(&folder, &image.seen());
            let last = life.syncs.iter().rev().find(|sync| **sync <= at).copied().unwrap_or(0);
            let next = life.syncs.iter().find(|sync| **sync > at).copied().unwrap_or(all);
            let mut state = |sync: usize| -> Contents {
                let whole = || contents(&folder, &life.disk.seen_at(sync));
                states.entry(sync).or_insert_with(whole).clone()
            };
            if found != state(last) && found != state(next) {
                tally
                    .broken
                    .push(say(&"TORN: the store is neither as it was before the cut nor as it was to be"));
            }
        }
        match revive(&folder, image, home.outside_at(at)) {
            Err(stop) => tally.broken.push(say(&format!("UNOPENABLE: {stop}"))),
            Ok(again) => {
                tally.broken.extend(again.outside().broken().iter().map(|what| say(what)));
                // Starting after a cut must stand a cut, too.
                if nth % 4 < 2 {
                    let twice = random.below(again.disk.at() + 1);
                    let image = again.disk.cut(twice, left, &mut random);
                    let outside = again.outside_at(twice);
                    drop(again);
                    tally.twice += 1;
                    match revive(&folder, image, outside) {
                        Err(stop) => tally.broken.push(say(&format!("UNOPENABLE the second time: {stop}"))),
                        Ok(last) => tally.broken.extend(last.outside().broken().iter().map(|what| say(what))),
                    }
                }
            }
        }
    }
}

#[test]
fn nothing_is_lost_or_doubled_by_a_power_cut() {
    let mut tally = Tally::default();
    let seeds = e2e::seeds("HEARTH_POWER_SEEDS", 0..10);
    for seed in seeds.clone() {
        let folder = Folder::new();
        let (home, life) = live(&folder, seed);
        assert_eq!(life.released_early, 0, "seed {seed}: somebody was told of what was not on the medium");
        let early: Vec<String> =
            home.outside().broken().into_iter().filter(|s| !s.starts_with("LOST")).collect();
        assert!(early.iter().all(|said| said.starts_with("RETRACTION")), "seed {seed}: {early:#?}");
        cut(&life, &home, 50, &mut tally, true);
    }
    println!(
        "power cuts: seeds {seeds:?}, {} cuts, {} torn, {} cut again",
        tally.cuts, tally.torn, tally.twice
    );
    assert!(tally.broken.is_empty(), "{:#?}", tally.broken);
}

/// The control: the same lives on a disk whose log is synced before a checkpoint only, as `synchronous=NORMAL` does it.
/// It must lose, or the cuts prove nothing.
#[test]
fn without_the_sync_of_each_commit_readings_are_lost() {
    let mut tally = Tally::default();
    for seed in 0..4 {
        let folder = Folder::new();
        let (home, life) = live(&folder, seed);
        let steps = life.disk.steps();
        let normal = steps.iter().enumerate().filter(|(n, step)| {
            let commit = step.file == LOG && step.call == Call::Sync;
            !commit || steps.get(n + 1).is_some_and(|next| next.file == DATABASE)
        });
        // Steps keep their places, so that the outside is as it was.
        let kept: std::collections::BTreeSet<usize> = normal.map(|(n, _)| n).collect();
        let nothing = || Step { file: "nothing".into(), call: Call::Sync };
        let steps =
            steps.iter().enumerate().map(|(n, s)| if kept.contains(&n) { s.clone() } else { nothing() });
        let life = Life { disk: life.disk.had_it_been(steps.collect()), ..life };
        cut(&life, &home, 25, &mut tally, false);
    }
    let lost = tally.broken.iter().filter(|said| said.contains("LOST")).count();
    println!("power cuts without the sync of each commit: {} cuts, {lost} readings lost", tally.cuts);
    assert!(lost > 0, "the control lost nothing: these cuts would not find a loss");
}
