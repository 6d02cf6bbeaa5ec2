//! Damaged logs, and salvages that are cut off or find no room.

use super::*;
use std::io::{Seek, Write};

/// The log, damaged in its middle and at its end, with the file sound or damaged, too.
#[test]
fn a_damaged_log_is_no_older_truth() {
    const SEED: u64 = 20_261_201;
    let w = household(60);
    let room = w.room.cut();
    let sound = Sound::of(w, room);
    let log = std::fs::read(sound.room.file("hearth.sqlite-wal")).unwrap();
    let length = log.len();
    // Behind its end lies what was in it before it began anew: by other salts.
    let frames = log[32..].chunks_exact(FRAME).take_while(|frame| frame[8..16] == log[16..24]).count();
    assert!(frames > 40, "{frames} frames: the log holds what was written");
    let (mut dice, mut tally) = (Dice(SEED), Tally::default());
    // A file never held it all: what is lost is said, and nothing is invented; older words of a row are no invention.
    for nth in 0..12 {
        let frame = nth * (frames - 20) / 12;
        let at = 32 + frame * FRAME + dice.throw(FRAME);
        let left = changed(&sound, "hearth.sqlite-wal", |o| o[at] ^= 0x10);
        let opened = Store::open(doubted(&left), sound.catalog.clone(), Seal::Scrambled).unwrap();
        let case = format!("seed {SEED}: octet {at} of the log, frame {frame} of {frames}");
        let salvage =
            opened.salvage.unwrap_or_else(|| panic!("{case}: commits are gone, and nothing was said"));
        assert!(salvage.log_cut, "{case}");
        let mut store = opened.store;
        let aside = opened.set_aside.unwrap();
        let log = std::fs::read(format!("{}-wal", aside.display())).unwrap();
        assert!(log.len() == length, "{case}: the damaged log lies beside its file");
        assert!(store.bindings().unwrap().is_empty(), "{case}");
        if let Ok(clinic) = store.destination("clinic") {
            let due = store.due(clinic, instant(NOW), 1000).unwrap();
            let create = |c: &Consignment| c.parcel.intent == hearth_core::parcel::Intent::Create;
            assert!(!due.iter().any(create), "{case}: sent unasked");
        }
        tally.cases += 1;
    }
    // What was never flushed is no damage: the last commit is torn, or a piece of it is there.
    for keep in [frames * FRAME + 32 - 1, frames * FRAME + 32 - PAGE] {
        let left = changed(&sound, "hearth.sqlite-wal", |o| o[keep..].fill(0));
        let opened = Store::open(doubted(&left), sound.catalog.clone(), Seal::Scrambled).unwrap();
        assert_eq!(opened.set_aside, None, "a torn end of {keep}");
    }
    // Both.
    for nth in 0..8 {
        let left = changed(&sound, "hearth.sqlite-wal", |o| {
            let at = dice.throw((frames - 20) * FRAME);
            o[at] ^= 1;
        });
        let path = left.file("hearth.sqlite");
        let mut file = std::fs::read(&path).unwrap();
        let at = dice.throw(file.len().max(1));
        if let Some(octet) = file.get_mut(at) {
            *octet ^= 4;
        }
        std::fs::write(&path, file).unwrap();
        let opened = Store::open(doubted(&left), sound.catalog.clone(), Seal::Scrambled)
            .unwrap_or_else(|error| panic!("seed {SEED}: both, {nth}: {error}"));
        assert!(opened.set_aside.is_some(), "seed {SEED}: both, {nth}");
        tally.cases += 1;
    }
    eprintln!("seed {SEED}: {tally:?}");
}

fn spoil(room: &Room) -> Vec<u8> {
    let path = room.file("hearth.sqlite");
    let mut octets = std::fs::read(&path).unwrap();
    let page = octets.len() / PAGE / 2;
    octets[page * PAGE..][..PAGE].fill(0);
    std::fs::write(&path, &octets).unwrap();
    octets
}

/// A power cut at every step of making room, and then a start: one salvage, one damaged file, never deleted.
#[test]
fn a_cut_while_salvaging_is_gone_on_from() {
    let sound = at_rest(120);
    let whole = sound.room.cut();
    let ruined = spoil(&whole);
    drop(Store::open(doubted(&whole), sound.catalog.clone(), Seal::Scrambled).unwrap());
    let new = std::fs::read(whole.file("hearth.sqlite")).unwrap();
    let aside = whole.files().into_iter().find(|file| file.contains("damaged")).unwrap();
    let open = |room: &Room| Store::open(doubted(room), sound.catalog.clone(), Seal::Scrambled).unwrap();
    for (step, half, ready, moved) in
        [("half made", true, false, false), ("made", false, true, false), ("set aside", false, true, true)]
    {
        let left = sound.room.cut();
        spoil(&left);
        if half {
            std::fs::write(left.file("hearth.sqlite.salvaging"), &new[..new.len() / 2]).unwrap();
            std::fs::write(left.file("hearth.sqlite.salvaging-wal"), b"of another").unwrap();
        }
        if ready {
            std::fs::write(left.file("hearth.sqlite.salvaged"), &new).unwrap();
            chmod(&left.file("hearth.sqlite.salvaged"), 0o600);
        }
        if moved {
            std::fs::rename(left.file("hearth.sqlite"), left.file(&aside)).unwrap();
        }
        let opened = open(&left);
        let lies = opened.set_aside.unwrap_or_else(|| panic!("{step}: nothing was said"));
        assert!(std::fs::read(&lies).unwrap() == ruined, "{step}");
        let salvage = opened.salvage.unwrap_or_else(|| panic!("{step}: nothing was carried over"));
        assert!(salvage.tables.iter().any(|t| t.what == "capture" && t.carried > 0), "{step}: {salvage:?}");
        assert!(!left.files().iter().any(|file| file.contains("salvag")), "{step}: {:?}", left.files());
        drop(opened.store);
        assert_eq!(open(&left).set_aside, None, "{step}: and again");
    }
}

/// What can't be written leaves the damaged file as it was, and names the cure; with room it goes on.
#[test]
fn without_room_the_damaged_file_stays() {
    let sound = at_rest(120);
    let room = Room::new();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=700k,mode=700", "tmpfs"])
        .arg(room.path())
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("not run: this process may not mount a file system");
        return;
    }
    let unmount = Unmounted(&room);
    for file in sound.room.files() {
        std::fs::copy(sound.room.file(&file), room.file(&file)).unwrap();
    }
    let ruined = spoil(&room);
    let error = Store::open(doubted(&room), sound.catalog.clone(), Seal::Scrambled).unwrap_err();
    assert!(matches!(error, OpenError::SalvageFull(_)), "{error:?}");
    assert!(error.to_string().contains("free as much room"), "{error}");
    assert!(std::fs::read(room.file("hearth.sqlite")).unwrap() == ruined);
    assert!(!room.files().iter().any(|file| file.contains("salvag")), "{:?}", room.files());
    let grown = std::process::Command::new("mount")
        .args(["-o", "remount,size=8m"])
        .arg(room.path())
        .status()
        .unwrap();
    assert!(grown.success());
    let opened = Store::open(doubted(&room), sound.catalog.clone(), Seal::Scrambled).unwrap();
    assert!(opened.set_aside.is_some() && opened.salvage.is_some());
    drop(opened);
    drop(unmount);
}

struct Unmounted<'a>(&'a Room);

impl Drop for Unmounted<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

/// Ruins that no database survives: none of them loses a file, and each start goes on.
#[test]
fn a_damaged_file_is_set_aside_and_never_deleted() {
    type Ruin = fn(&std::path::Path);
    let ruins: &[(&str, Ruin)] = &[
        ("no database at all", |file| std::fs::write(file, "these are not the readings").unwrap()),
        ("emptied", |file| std::fs::write(file, "").unwrap()),
        ("zeroed head", |file| overwrite(file, 0, &[0; 100])),
        ("half of it", |file| {
            let half = std::fs::metadata(file).unwrap().len() / 2;
            std::fs::OpenOptions::new().write(true).open(file).unwrap().set_len(half).unwrap();
        }),
        ("a garbled page", |file| overwrite(file, PAGE as u64, &[0xA5; PAGE])),
    ];
    for (ruin, how) in ruins {
        let mut w = World::new(catalog(&[]));
        let hub = w.store().hub().clone();
        let key = std::fs::read(w.room.file("hub.key")).unwrap();
        w.close();
        let file = w.room.file("hearth.sqlite");
        how(&file);
        let ruined = std::fs::read(&file).unwrap();
        doubted(&w.room);
        let aside = w.open().unwrap_or_else(|| panic!("{ruin}: nothing was said"));
        let name = aside.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name.starts_with("hearth.sqlite.damaged-"), "{ruin}: {name}");
        assert!(std::fs::read(&aside).unwrap() == ruined, "{ruin}: it was changed");
        assert_eq!(w.count("record"), 0, "{ruin}");
        let origin = w.store().origin();
        assert!(
            w.store().hub() != &hub || origin.epoch > 1,
            "{ruin}: origins of the old file must not come again: {origin:?}"
        );
        assert_eq!(std::fs::read(w.room.file("hub.key")).unwrap(), key, "{ruin}");
        // And once more, in the same second.
        w.close();
        how(&file);
        doubted(&w.room);
        let second = w.open().unwrap();
        assert!(second != aside && aside.exists() && second.exists(), "{ruin}");
    }
}

fn overwrite(file: &std::path::Path, at: u64, octets: &[u8]) {
    let mut file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.seek(std::io::SeekFrom::Start(at)).unwrap();
    file.write_all(octets).unwrap();
}
