//! A reading's whole life on disk, how fast a store opens, and how memory grows.

use super::house::{Folder, House};
use super::{cpu, median, row};
use e2e::Used;
use e2e::disk::{Call, Disk, vfs};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;

/// What a medium is written in: a file of 160 octets more is one such block more.
const BLOCK: usize = 4_096;

#[derive(Clone, Copy, Default)]
struct Spent {
    flushes: usize,
    /// As SQLite asks for them.
    octets: usize,
    /// What each flush has to write: whole blocks, each once.
    blocks: usize,
}

/// Since the step `from`.
fn spent(disk: &Disk, from: usize) -> Spent {
    let mut spent = Spent::default();
    let mut touched: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for step in disk.steps_from(from) {
        match step.call {
            Call::Write { at, octets } => {
                spent.octets += octets.len();
                touched.entry(step.file).or_default().extend(at / BLOCK..=(at + octets.len() - 1) / BLOCK);
            }
            Call::Replace(octets) => {
                spent.octets += octets.len();
                touched.entry(step.file).or_default().extend(0..=(octets.len() - 1) / BLOCK);
            }
            Call::Sync => {
                spent.flushes += 1;
                spent.blocks += touched.remove(&step.file).map_or(0, |blocks| blocks.len());
            }
            Call::Create | Call::Truncate(_) | Call::SyncFailed | Call::Delete { .. } => {}
        }
    }
    spent.blocks += touched.values().map(BTreeSet::len).sum::<usize>();
    spent
}

const READINGS: usize = 1_000;

pub(crate) fn print() {
    let folder = Folder::new("life");
    let disk = Disk::default();
    let mount = vfs::mount(folder.path(), &disk);
    let mut house = House::open(folder.path());
    // A store that has seen some life: trees of one page flatter.
    house.hear_many(READINGS);
    let mut split: BTreeMap<&str, Spent> = BTreeMap::new();
    let mut measured = |what: &'static str, house: &mut House, verb: &mut dyn FnMut(&mut House)| {
        let from = disk.at();
        verb(house);
        let more = spent(&disk, from);
        let so_far = split.entry(what).or_default();
        so_far.flushes += more.flushes;
        so_far.octets += more.octets;
        so_far.blocks += more.blocks;
    };
    for _ in 0..READINGS / 100 {
        for _ in 0..10 {
            measured("contact", &mut house, &mut |house| house.begin_contact());
            measured("capture", &mut house, &mut |house| (0..10).for_each(|_| house.hear()));
            measured("contact", &mut house, &mut |house| house.end_contact());
        }
        let mut due = vec![];
        measured("due", &mut house, &mut |house| due = house.due(100));
        assert_eq!(due.len(), 100);
        measured("start", &mut house, &mut |house| house.start(&due));
        measured("settle", &mut house, &mut |house| house.settle(&due));
    }
    // Long after, all that was delivered goes; what was heard first is still there.
    let later = house.utc() + SignedDuration::from_hours(24 * 40);
    let mut gone = 0;
    measured("prune", &mut house, &mut |house| gone = house.store.prune(later).unwrap().readings);
    drop(house);
    drop(mount);
    let captures = split["capture"];
    let flushes = captures.flushes as f64 / READINGS as f64;
    row(
        "FLUSH calls per capture commit",
        &format!("{flushes:.3}"),
        "1 (pwrite and fdatasync of 160 octets)",
        Some(flushes),
        "<= 1.15",
    );
    let each = |octets: usize, many: usize| octets as f64 / many as f64;
    let of = |what: &str| if what == "prune" { gone } else { READINGS };
    let (mut asked, mut whole) = (0.0, 0.0);
    for (what, spent) in &split {
        let (octets, blocks) = (each(spent.octets, of(what)), each(spent.blocks * BLOCK, of(what)));
        asked += octets;
        whole += blocks;
        row(
            &format!("octets: {what}"),
            &format!("{octets:.0} asked, {blocks:.0} in blocks"),
            "4 096 a step",
            None,
            "",
        );
    }
    let anchor = 4.0 * BLOCK as f64;
    row(
        "octets of a reading's whole life",
        &format!("{asked:.0} asked, {whole:.0} in blocks"),
        &format!("{anchor:.0}: capture, start, receipt, prune"),
        Some(whole / anchor),
        "<= 4",
    );
    let folder = Folder::new("take");
    let mut house = House::open(folder.path());
    house.hear_many(READINGS);
    let take = median(5, 500, || house.hear_many(500));
    row("CPU of a capture commit", &format!("{take:.0} us"), "", None, "");
}

const PENDING: usize = 100_000;

pub(crate) fn print_reopen() {
    let folder = Folder::new("reopen");
    let pending = std::env::var("HEARTH_PENDING").ok().and_then(|many| many.parse().ok()).unwrap_or(PENDING);
    let mut house = House::open(folder.path());
    house.hear_many(pending);
    drop(house);
    let size = std::fs::metadata(folder.path().join("hearth.sqlite")).unwrap().len();
    let catalog = hearth_core::profile::Catalog::standard();
    let open = median(5, 1, || {
        let opened =
            gateway::store::Store::open(folder.path(), catalog.clone(), gateway::store::Seal::Clear).unwrap();
        assert_eq!(opened.set_aside, None);
    });
    row(
        &format!("reopen with {pending} pending, CPU"),
        &format!("{:.1} ms ({} MB)", open / 1_000.0, size / 1_000_000),
        "",
        None,
        "<= 50 ms",
    );
    let doubted = median(5, 1, || {
        std::fs::File::create(folder.path().join("hearth.doubt")).unwrap();
        let doubt = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(folder.path().join("hearth.doubt"), doubt).unwrap();
        drop(
            gateway::store::Store::open(folder.path(), catalog.clone(), gateway::store::Seal::Clear).unwrap(),
        );
    });
    row(
        "the same after anything broke: every row is looked at",
        &format!("{:.0} ms", doubted / 1_000.0),
        "",
        None,
        "",
    );
}

/// Readings heard, delivered and pruned, over and over; every seventh batch is never answered at first.
pub(crate) fn print_slope(many: usize) {
    let folder = Folder::new("slope");
    let mut house = House::open(folder.path());
    let begun = cpu();
    let mut shown = vec![];
    for batch in 0..many / 500 {
        house.hear_many(500);
        for sending in 0..5 {
            let due = house.due(100);
            house.start(&due);
            if (batch + sending) % 7 == 0 {
                // Nothing came back: in doubt, and sent again.
                house.start(&due);
            }
            house.settle(&due);
        }
        let later = house.utc() + SignedDuration::from_hours(24 * 40);
        house.store.prune(later).unwrap();
        shown.push(Used::of(std::process::id()).resident);
    }
    // The first tenth fills caches.
    let (tenth, end) = (shown[shown.len() / 10], shown[shown.len() - 1]);
    let slope = (end as f64 - tenth as f64) / tenth as f64 * 100.0;
    row(
        &format!("resident after {many} readings with unanswered attempts"),
        &format!("{:.1} MB, {slope:+.2} %", end as f64 / 1e6),
        &format!("{:.1} MB after a tenth", tenth as f64 / 1e6),
        Some(end as f64 / tenth as f64),
        "slope < 1 %",
    );
    eprintln!("{many} readings took {:.0} s of CPU", (cpu() - begun).as_secs_f64());
}
