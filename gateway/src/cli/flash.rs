//! A firmware as a linker made it, and its way onto a board that has none yet.

use super::{Ending, Shown, exit};
use hearth_core::bridge::uf2::{KINDS, Kind, uf2};
use hearth_wire::frame::image::Mark;
use object::read::elf::{ElfFile32, ProgramHeader as _};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is flashed of what a linker made: its segments, and where in the flash they go, in order.
pub(super) fn segments(firmware: &[u8]) -> Result<Vec<(u32, Vec<u8>)>, &'static str> {
    let wrong = "it is no ELF file of a 32-bit board";
    let elf: ElfFile32<'_, object::Endianness> = ElfFile32::parse(firmware).map_err(|_| wrong)?;
    let endian = elf.endian();
    let mut segments = vec![];
    for header in elf.elf_program_headers() {
        if header.p_type(endian) == object::elf::PT_LOAD && header.p_filesz(endian) > 0 {
            let octets = header.data(endian, firmware).map_err(|()| "it was cut off")?;
            segments.push((header.p_paddr(endian), octets.to_vec()));
        }
    }
    segments.sort_by_key(|(at, _)| *at);
    if segments.is_empty() { Err("it has nothing to flash") } else { Ok(segments) }
}

/// All of it in one piece, as it is updated. Of a flat image, that.
pub(super) fn flat(firmware: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    if !firmware.starts_with(&object::elf::ELFMAG) {
        return Ok(firmware);
    }
    let segments = segments(&firmware)?;
    let first = segments.first().map_or(0, |(at, _)| *at);
    let mut image = vec![];
    for (at, octets) in segments {
        let from = (at - first) as usize;
        if from < image.len() || from > image.len() + MOST_BETWEEN {
            return Err("its parts do not lie beside each other in the flash");
        }
        // As erased flash reads.
        image.resize(from, 0xFF);
        image.extend_from_slice(&octets);
    }
    Ok(image)
}

/// Octets between two segments: what a linker leaves for alignment.
const MOST_BETWEEN: usize = 4_096;
/// A board restarts when it has all, and its disk is gone; an old one takes a while to write it.
const TAKES: Duration = Duration::from_secs(60);
const SETTLES: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(200);
/// What says on such a disk which board it is.
const INFO: &str = "INFO_UF2.TXT";

/// A bootloader and a firmware onto a board, by the disk that its chip shows; or into a file that somebody copies there.
pub(super) fn flash(
    boot: &Path,
    firmware: &Path,
    disk: Option<&Path>,
    out: Option<&Path>,
) -> Result<Shown, Ending> {
    let wrong = |path: &Path, why: &str| Ending::new(exit::DATAERR, format!("{}: {why}", path.display()));
    let image = super::bridge::read(firmware)?;
    let mark = Mark::find(&image).ok_or_else(|| wrong(firmware, "it is no firmware of a bridge"))?;
    let kind = KINDS.into_iter().find(|kind| kind.board == mark.board).ok_or_else(|| {
        let known = KINDS.map(|kind| kind.board).join(", ");
        wrong(firmware, &format!("a board {} is not flashed by a disk; these are: {known}", mark.board))
    })?;
    let version = mark.version;
    let mut parts = segments(&super::bridge::read(boot)?).map_err(|why| wrong(boot, why))?;
    if parts.iter().any(|(_, octets)| Mark::find(octets).is_some()) {
        return Err(wrong(boot, "this is a firmware: name its bootloader, then the firmware"));
    }
    parts.extend(segments(&image).map_err(|why| wrong(firmware, why))?);
    let file = uf2(kind, &parts).ok_or_else(|| {
        wrong(boot, "it does not lie beside the firmware in the flash: they are not of one board")
    })?;
    let what = format!("firmware {version} for {}", kind.board);
    let row = |field: &str, value: String| (field.to_owned(), value.into());
    let mut fields: Vec<(String, serde_json::Value)> =
        vec![row("board", kind.board.to_owned()), row("firmware", version.to_string())];
    let said = if let Some(out) = out {
        super::bridge::write(out, &file, 0o644)?;
        fields.push(row("file", out.display().to_string()));
        format!("{}: {what}, and its bootloader. To copy it onto the board: {}.", out.display(), kind.how)
    } else {
        let disk = find(kind, disk)?;
        copy(&disk, &file)?;
        fields.push(row("disk", disk.display().to_string()));
        format!(
            "The board has {what}, and starts it. `hearth bridge list` shows it when its line is in the configuration."
        )
    };
    Ok(Shown { said: Some(said), ..Shown::fields(fields.into_iter().collect()) })
}

/// The disk of such a board: this one, or the only one that is mounted.
fn find(kind: Kind, named: Option<&Path>) -> Result<PathBuf, Ending> {
    let is_one = |disk: &Path| {
        let info = std::fs::read_to_string(disk.join(INFO)).unwrap_or_default();
        let ids = info.lines().filter_map(|line| line.strip_prefix("Board-ID:"));
        ids.map(str::trim).any(|id| id.contains(kind.id))
    };
    let none = |said: String| Ending::new(exit::UNAVAILABLE, said);
    if let Some(named) = named {
        // Makers write what they like; whichever chip it is looks at the file's family before it takes any of it.
        return if named.join(INFO).exists() {
            Ok(named.to_owned())
        } else {
            Err(none(format!("{}: no board shows itself there; {}", named.display(), kind.how)))
        };
    }
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    // proc(5), mounts, and fstab(5): a blank in a path is written as \040.
    let disks = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let found: Vec<PathBuf> =
        disks.map(|disk| PathBuf::from(disk.replace("\\040", " "))).filter(|disk| is_one(disk)).collect();
    match &found[..] {
        [one] => Ok(one.clone()),
        [] => Err(none(format!(
            "no disk of a board {} is mounted: {}; where disks are not mounted by themselves, mount it, or name it by --disk",
            kind.board, kind.how
        ))),
        _ => Err(none(format!(
            "{} boards {} show themselves: leave one plugged in, or name its disk by --disk",
            found.len(),
            kind.board
        ))),
    }
}

/// The board starts anew when it has the last of it, and its disk is gone then: it may be so before all is said to be written.
fn copy(disk: &Path, file: &[u8]) -> Result<(), Ending> {
    let info = disk.join(INFO);
    let written = File::create(disk.join("HEARTH.UF2")).and_then(|mut to| {
        to.write_all(file)?;
        to.sync_all()
    });
    let takes_none = |error: &std::io::Error| {
        use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, StorageFull};
        [PermissionDenied, ReadOnlyFilesystem, StorageFull].contains(&error.kind())
    };
    // A board that starts takes its disk away before all of the file is said to be written.
    let patience = match &written {
        Err(error) if takes_none(error) => Duration::ZERO,
        Err(_) => SETTLES,
        Ok(()) => TAKES,
    };
    for _ in 0..patience.as_millis() / LOOK.as_millis() {
        if !info.exists() {
            return Ok(());
        }
        std::thread::park_timeout(LOOK);
    }
    if let Err(error) = &written {
        let said = format!("{}: {error}; pull the board's plug, and begin again", disk.display());
        return Err(Ending::new(exit::IOERR, said));
    }
    Err(Ending::new(
        exit::TEMPFAIL,
        format!(
            "{}: the board has all of it, and does not start; pull its plug, and begin again",
            disk.display()
        ),
    ))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use hearth_wire::frame::Version;

    /// The Executable and Linkable Format, 32 bits, little-endian, with one segment, which is one section: a header of 52 octets, a
    /// program header of 32, what it loads, the sections' names, and the headers of three of 40: none, that one, the names.
    pub(crate) fn elf(machine: u16, at: u32, octets: &[u8]) -> Vec<u8> {
        let half = |number: u16| number.to_le_bytes().to_vec();
        let word = |number: u32| number.to_le_bytes().to_vec();
        let length = octets.len() as u32;
        let names = 84 + length;
        let identification = [b"\x7FELF\x01\x01\x01".to_vec(), vec![0; 9]].concat();
        // Executable, for this machine, version, entry, program headers behind this, sections behind their names, flags.
        let head = [half(2), half(machine), word(1), word(at), word(52), word(names + 4), word(0)].concat();
        let sizes = [half(52), half(32), half(1), half(40), half(3), half(2)].concat();
        // To be loaded, from the file's octet 84 on, to here; so many in the file and in memory; flags, alignment.
        let program = [1, 84, at, at, length, length, 5, 4].map(word).concat();
        // Without a name, octets, which are loaded, to here, from there on, so many; no links, alignment, no entries.
        let section = [0, 1, 2, at, 84, length, 0, 0, 4, 0].map(word).concat();
        let of_names = [0, 3, 0, 0, names, 4, 0, 0, 1, 0].map(word).concat();
        [identification, head, sizes, program, octets.to_vec(), word(0), vec![0; 40], section, of_names]
            .concat()
    }

    const ARM: u16 = 40;

    fn firmware(board: &str, at: u32) -> Vec<u8> {
        let mark = Mark { board, version: Version { major: 1, minor: 2, patch: 3 } };
        elf(ARM, at, &[&[7; 32], &mark.octets()[..]].concat())
    }

    struct Bench(Scratch);

    impl Bench {
        fn new() -> Bench {
            let bench = Bench(Scratch::new("flash").unwrap());
            bench.put("boot", &elf(ARM, 0x1000_0000, &[1; 300]));
            bench.put("pico", &firmware("rp2040", 0x1000_8000));
            bench
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.folder().join(name)
        }

        fn put(&self, name: &str, octets: &[u8]) {
            std::fs::write(self.path(name), octets).unwrap();
        }

        /// A disk of such a board.
        fn disk(&self, name: &str, id: &str) -> PathBuf {
            let disk = self.path(name);
            std::fs::create_dir(&disk).unwrap();
            std::fs::write(disk.join(INFO), format!("UF2 Bootloader v3.0\nModel: Some\nBoard-ID: {id}\n"))
                .unwrap();
            disk
        }

        fn flash(
            &self,
            boot: &str,
            firmware: &str,
            disk: Option<&Path>,
            out: Option<&Path>,
        ) -> Result<String, String> {
            let done = super::flash(&self.path(boot), &self.path(firmware), disk, out);
            done.map(|shown| shown.said.unwrap_or_default()).map_err(|ending| ending.said)
        }
    }

    #[test]
    fn both_go_into_a_file() {
        let bench = Bench::new();
        let out = bench.path("pico.uf2");
        let said = bench.flash("boot", "pico", None, Some(&out)).unwrap();
        assert!(said.contains("firmware 1.2.3 for rp2040") && said.contains("BOOTSEL"), "{said}");
        // From the first of the bootloader to the one of the firmware nine sectors, of 16 blocks each.
        assert_eq!(std::fs::metadata(&out).unwrap().len(), 9 * 16 * 512);
        let again = bench.flash("boot", "pico", None, Some(&out)).unwrap_err();
        assert!(again.contains("it is there already"), "{again}");
    }

    /// The board takes its disk away when it has all of it.
    #[test]
    fn both_go_onto_a_disk() {
        let bench = Bench::new();
        let disk = bench.disk("RPI-RP2", "RPI-RP2");
        let board = {
            let disk = disk.clone();
            std::thread::spawn(move || {
                let whole = |disk: &Path| {
                    std::fs::metadata(disk.join("HEARTH.UF2")).is_ok_and(|file| file.len() == 73_728)
                };
                while !whole(&disk) {
                    std::thread::park_timeout(LOOK);
                }
                std::fs::remove_file(disk.join(INFO)).unwrap();
            })
        };
        let said = bench.flash("boot", "pico", Some(&disk), None).unwrap();
        board.join().unwrap();
        assert!(said.starts_with("The board has firmware 1.2.3 for rp2040"), "{said}");
    }

    #[test]
    fn what_does_not_fit_together_is_refused_by_name() {
        let bench = Bench::new();
        let other = bench.path("empty");
        std::fs::create_dir(&other).unwrap();
        bench.put("emulated", &firmware("mps2-an386", 0x21F0_1000));
        bench.put("low", &firmware("rp2040", 0x1000_0000));
        bench.put("cut", &firmware("rp2040", 0x1000_8000)[..100]);
        bench.put("text", b"no firmware");
        let out = bench.path("out");
        for (boot, firmware, disk, why) in [
            ("boot", "pico", Some(&other), "no board shows itself there; hold its button BOOTSEL"),
            ("boot", "emulated", None, "a board mps2-an386 is not flashed by a disk"),
            ("boot", "low", None, "it does not lie beside the firmware"),
            ("boot", "cut", None, "it is no firmware of a bridge"),
            ("boot", "text", None, "it is no firmware of a bridge"),
            ("boot", "missing", None, "No such file"),
            ("text", "pico", None, "it is no ELF file of a 32-bit board"),
            ("pico", "pico", None, "name its bootloader, then the firmware"),
        ] {
            let out = if disk.is_some() { None } else { Some(out.as_path()) };
            let refused = bench.flash(boot, firmware, disk.map(PathBuf::as_path), out).unwrap_err();
            assert!(refused.contains(why), "{boot}, {firmware}: {refused}");
        }
        assert!(!out.exists());
    }
}
